//! The matrix: every operation of the served document × every kind of caller × our own and other people's projects, private and public.
//! What is expected comes from the permission table; see `operations` for which question decides an operation.

use std::collections::{BTreeSet, HashMap};

use futures::StreamExt as _;
use futures::stream;
use http::Method;
use model::permission::{Action as A, Denied, GrantKind, GrantScope, Resource as R, RobotGrant, RobotLevel, catalogue};
use serde_json::json;
use testkit::client::{Call, Reply};

use crate::kit::{Facts, Kit, Who, grant, report};
use crate::operations::{OPERATIONS, Operation, Route, Rule, Spare, Target, document, place};
use crate::world::{Site, World};

testkit::tests! {
    Kit;
    every_operation_has_its_rule,
    every_operation_answers_every_caller_as_the_table_says,
}

async fn every_operation_has_its_rule(kit: Kit) {
    let served: BTreeSet<String> = document(&kit).await.into_keys().collect();
    let known: BTreeSet<String> = OPERATIONS.iter().map(|operation| operation.id.to_owned()).collect();
    let missing: Vec<_> = served.difference(&known).collect();
    let stale: Vec<_> = known.difference(&served).collect();
    assert!(missing.is_empty() && stale.is_empty(), "without a rule: {missing:?}; not served: {stale:?}");
}

async fn every_operation_answers_every_caller_as_the_table_says(kit: Kit) {
    let (world, routes) = (kit.world().await, document(&kit).await);
    let before = world.fingerprint(&kit).await;
    let robots = robots(&kit, world, &routes).await;
    let work = OPERATIONS.iter().filter_map(|operation| Some((operation, routes.get(operation.id)?)));
    let found = stream::iter(work).map(|(operation, route)| row(&kit, world, operation, route, &robots)).buffer_unordered(6);
    let found: Vec<(usize, Vec<String>)> = found.collect().await;
    let asked: usize = found.iter().map(|(asked, _)| asked).sum();
    let mut wrong: Vec<String> = found.into_iter().flat_map(|(_, wrong)| wrong).collect();
    let after = world.fingerprint(&kit).await;
    for (was, is) in before.lines().zip(after.lines()).filter(|(was, is)| was != is) {
        wrong.push(format!("changed by somebody who may not:\n  {was}\n  {is}"));
    }
    println!("{}: {asked} requests", kit.name);
    report(&wrong);
    // The table cannot have become empty by mistake.
    assert!(asked > 3000, "{asked} requests");
}

/// A line of the table: how many requests it took and what was wrong.
async fn row(kit: &Kit, world: &World, operation: &Operation, route: &Route, robots: &Robots) -> (usize, Vec<String>) {
    let sites = if operation.is_of_project() { &world.sites[..] } else { &world.sites[..1] };
    let (mut asked, mut wrong) = (0, Vec::new());
    for (at, site) in sites.iter().enumerate() {
        let by_session: &[Who] = if at == 0 { &world.sessions } else { &[] };
        for who in world.people.iter().chain(by_session).chain(&world.robots).chain(robots.of(operation)) {
            let mut target = Target::new(kit, world, site);
            asked += 1;
            wrong.extend(ask(kit, operation, route, who, &target).await);
            if matches!(operation.rule, Rule::OneselfOr(..)) && who.user_id() > 1 {
                (target.user, target.user_name) = (who.user_id(), who.name().to_owned());
                asked += 1;
                wrong.extend(ask(kit, operation, route, who, &target).await);
            }
        }
    }
    (asked, wrong)
}

/// What the table says of a request.
fn expected(operation: &Operation, who: &Who, target: &Target<'_>) -> Result<(), Denied> {
    let site = target.site;
    let may = |(resource, action)| who.may(&site.facts, site.is_own, resource, action);
    let signed_in = if who.is_anonymous() { Err(Denied::Unauthenticated) } else { Ok(()) };
    match operation.rule {
        Rule::Anyone | Rule::NeverHere | Rule::Internal => Ok(()),
        Rule::SignedIn | Rule::Person => signed_in,
        Rule::Project(resource, action) => may((resource, action)),
        Rule::SignedInProject(resource, action) => signed_in.and_then(|()| may((resource, action))),
        Rule::Both(one, other) => may(one).and_then(|()| may(other)),
        Rule::System(resource, action) => who.may_at_system(resource, action),
        Rule::OneselfOr(..) if who.user_id() == target.user => Ok(()),
        Rule::OneselfOr(resource, action) => who.may_at_system(resource, action),
        Rule::AdministratorOfAny => signed_in.and(match who.facts {
            Facts::User { is_admin: true, .. } | Facts::User { role: Some(model::permission::Role::ProjectAdmin), .. } => Ok(()),
            _ => Err(Denied::Forbidden),
        }),
        Rule::MakesProjects => match who.facts {
            Facts::Robot { .. } => who.may_at_system(R::Project, A::Create),
            _ => signed_in,
        },
    }
}

/// One request; what was wrong with its answer.
async fn ask(kit: &Kit, operation: &Operation, route: &Route, who: &Who, target: &Target<'_>) -> Option<String> {
    let expected = expected(operation, who, target);
    let passes: &[u16] = match operation.rule {
        Rule::NeverHere => &[412],
        Rule::Internal => &[401],
        Rule::Person if who.is_robot() => &[412],
        _ => operation.passes,
    };
    let call = if expected.is_ok() {
        harmless(kit, operation, route, who, target).await
    } else {
        request(kit, operation, route, who, target, None, operation.body)
    };
    let reply = call.send().await;
    let right = match expected {
        Ok(()) => passes.contains(&reply.status),
        Err(Denied::Unauthenticated) => refused(&reply, &route.method, 401, "UNAUTHORIZED"),
        Err(Denied::Forbidden) => refused(&reply, &route.method, 403, "FORBIDDEN"),
    };
    let place = target.site.title();
    (!right).then(|| {
        format!(
            "{} {:?} by {} on {place}: expected {expected:?} {passes:?}, got {}",
            operation.id,
            operation.rule,
            who.title,
            brief(&reply)
        )
    })
}

/// Whether an answer is this refusal in the API's envelope; a HEAD has no body.
fn refused(reply: &Reply, method: &Method, status: u16, code: &str) -> bool {
    reply.status == status && (reply.code() == code || *method == Method::HEAD)
}

pub(crate) fn brief(reply: &Reply) -> String {
    format!("{} {}", reply.status, String::from_utf8_lossy(&reply.body).chars().take(160).collect::<String>())
}

/// The request of a caller who is let in.
async fn harmless(kit: &Kit, operation: &Operation, route: &Route, who: &Who, target: &Target<'_>) -> Call {
    match operation.spare {
        Spare::Same => request(kit, operation, route, who, target, None, operation.body),
        Spare::Absent(name) => request(kit, operation, route, who, target, Some(name), operation.body),
        Spare::Body(body) => request(kit, operation, route, who, target, None, Some(body)),
        Spare::Disposable => {
            let id = disposable(kit, operation, target).await.to_string();
            let path = route.filled(|_| id.clone());
            with_body(kit.api(who, route.method.clone(), &path), operation.body, target)
        }
    }
}

/// A label or a robot for one request.
async fn disposable(kit: &Kit, operation: &Operation, target: &Target<'_>) -> i64 {
    let (name, site) = (kit.fresh("d"), target.site);
    let of_project = operation.is_of_project();
    if operation.id.contains("Label") {
        let scope = if of_project { "p" } else { "g" };
        let project = if of_project { site.id() } else { 0 };
        return kit.make("/labels", &json!({"name": name, "scope": scope, "project_id": project})).await;
    }
    let (level, grants) = if of_project {
        (RobotLevel::Project, vec![grant(GrantScope::Project(site.facts.id), R::Repository, A::Pull)])
    } else {
        (RobotLevel::System, vec![grant(GrantScope::System, R::Catalog, A::Read)])
    };
    kit.robot("disposable", level, grants, |_| site.name.clone()).await.0
}

/// The operation's request for a target.
pub(crate) fn request(
    kit: &Kit,
    operation: &Operation,
    route: &Route,
    who: &Who,
    target: &Target<'_>,
    absent: Option<&str>,
    body: Option<fn(&Target<'_>) -> serde_json::Value>,
) -> Call {
    let mut path = route.filled(|name| place(operation, target, name, absent));
    if let Some(query) = operation.query {
        path = format!("{path}?{}", query(target));
    }
    with_body(kit.api(who, route.method.clone(), &path), body, target)
}

fn with_body(call: Call, body: Option<fn(&Target<'_>) -> serde_json::Value>, target: &Target<'_>) -> Call {
    match body {
        Some(body) => call.json(&body(target)),
        None => call,
    }
}

/// Robots with exactly what an operation needs, and with everything but that.
struct Robots(HashMap<Question, Vec<Who>>);

/// What a robot is given for.
type Question = Vec<(GrantKind, R, A)>;

fn question(rule: Rule) -> Question {
    match rule {
        Rule::Project(resource, action) | Rule::SignedInProject(resource, action) => vec![(GrantKind::Project, resource, action)],
        Rule::Both(one, other) => [one, other].map(|(resource, action)| (GrantKind::Project, resource, action)).to_vec(),
        Rule::System(resource, action) | Rule::OneselfOr(resource, action) => vec![(GrantKind::System, resource, action)],
        Rule::MakesProjects => vec![(GrantKind::System, R::Project, A::Create)],
        Rule::Anyone | Rule::SignedIn | Rule::Person | Rule::AdministratorOfAny | Rule::NeverHere | Rule::Internal => Vec::new(),
    }
}

impl Robots {
    fn of(&self, operation: &Operation) -> &[Who] {
        self.0.get(&question(operation.rule)).map_or(&[], Vec::as_slice)
    }
}

async fn robots(kit: &Kit, world: &World, routes: &std::collections::BTreeMap<String, Route>) -> Robots {
    let served = OPERATIONS.iter().filter(|operation| routes.contains_key(operation.id));
    let questions: BTreeSet<Vec<(u8, R, A)>> = served
        .map(|operation| question(operation.rule).into_iter().map(|(kind, r, a)| (u8::from(kind == GrantKind::System), r, a)).collect())
        .filter(|asked: &Vec<_>| !asked.is_empty())
        .collect();
    let questions = questions.into_iter().map(|asked| {
        asked
            .into_iter()
            .map(|(system, r, a)| (if system == 1 { GrantKind::System } else { GrantKind::Project }, r, a))
            .collect::<Question>()
    });
    let made = stream::iter(questions).map(|asked| async move { (robots_for(kit, world, &asked).await, asked) }).buffer_unordered(4);
    Robots(made.map(|(robots, asked)| (asked, robots)).collect().await)
}

async fn robots_for(kit: &Kit, world: &World, asked: &Question) -> Vec<Who> {
    let own: Vec<&Site> = world.sites.iter().filter(|site| site.is_own).collect();
    let name_of = |id: i64| world.sites.iter().find(|site| site.id() == id).map_or_else(String::new, |site| site.name.clone());
    let rest = |kind: GrantKind, scope: GrantScope| -> Vec<RobotGrant> {
        let others = catalogue::pairs(kind).filter(|(r, a)| !asked.contains(&(kind, *r, *a)));
        others.map(|(resource, action)| grant(scope, resource, action)).collect()
    };
    let here = GrantScope::Project(own[0].facts.id);
    let mut robots = Vec::new();
    let givable = asked.iter().all(|(kind, r, a)| catalogue::contains(*kind, *r, *a));
    if givable && asked[0].0 == GrantKind::Project {
        let of = |scope: GrantScope| asked.iter().map(move |(_, r, a)| grant(scope, *r, *a));
        robots.push(kit.robot("project robot with it", RobotLevel::Project, of(here).collect(), name_of).await.1);
        let both = own.iter().flat_map(|site| of(GrantScope::Project(site.facts.id))).collect();
        robots.push(kit.robot("system robot with it", RobotLevel::System, both, name_of).await.1);
        let foreign = of(GrantScope::Project(world.foreign().facts.id)).collect();
        robots.push(kit.robot("robot of the foreign project with it", RobotLevel::Project, foreign, name_of).await.1);
        // Each of several alone is not enough.
        for (_, r, a) in asked.iter().filter(|_| asked.len() > 1) {
            robots.push(kit.robot("project robot with half of it", RobotLevel::Project, vec![grant(here, *r, *a)], name_of).await.1);
        }
    }
    if givable && asked[0].0 == GrantKind::System {
        let with = asked.iter().map(|(_, r, a)| grant(GrantScope::System, *r, *a)).collect();
        robots.push(kit.robot("system robot with it", RobotLevel::System, with, name_of).await.1);
    }
    robots.push(kit.robot("project robot without it", RobotLevel::Project, rest(GrantKind::Project, here), name_of).await.1);
    let mut without = rest(GrantKind::Project, GrantScope::AllProjects);
    without.extend(rest(GrantKind::System, GrantScope::System));
    robots.push(kit.robot("system robot without it", RobotLevel::System, without, name_of).await.1);
    robots
}

/// Whether a method may change something.
pub(crate) fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD)
}
