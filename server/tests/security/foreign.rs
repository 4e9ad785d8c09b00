//! Ids of other people's things, and what may be learned of what one may not see: an id under the wrong project leads nowhere, and what is
//! forbidden answers as what is absent does.

use model::ProjectId;
use model::permission::ProjectFacts;
use testkit::client::Reply;

use crate::kit::{Kit, Who, report};
use crate::matrix::{brief, request};
use crate::operations::{OPERATIONS, Operation, Route, Rule, Spare, Target, document, nowhere, place};
use crate::world::{Site, World};

testkit::tests! {
    Kit;
    ids_of_another_project_lead_nowhere_under_ones_own,
    projects_that_are_forbidden_or_absent_answer_alike,
    what_a_forbidden_project_holds_or_lacks_answers_alike,
    accounts_groups_and_quotas_that_are_forbidden_or_absent_answer_alike,
}

/// Operations that say in other words that an object is in another project, as Harbor does: 404 too, and ids are counted up anyway.
const OTHER_WORDS: &[&str] = &["UpdateImmuRule", "DeleteImmuRule", "addLabel"];

/// Something nested in a project: its name, and how a site gets another one.
type Nested = (&'static str, fn(&mut Site, &Site));

const NESTED: &[Nested] = &[
    ("label", |site, from| site.label = from.label),
    ("member", |site, from| site.member = from.member),
    ("rule", |site, from| site.rule = from.rule),
    ("digest", |site, from| site.digest.clone_from(&from.digest)),
];

/// A project that has nothing, and is none.
fn absent() -> Site {
    Site {
        is_own: false,
        name: "nowhere".to_owned(),
        facts: ProjectFacts { id: ProjectId(999_999_999), public: false },
        digest: nowhere("reference").to_owned(),
        label: 999_999_999,
        member: 999_999_999,
        robot: 999_999_999,
        rule: 999_999_999,
        quota: 999_999_999,
    }
}

/// Path and body of a request, to see whether two are the same.
fn told(operation: &Operation, route: &Route, target: &Target<'_>, body: Option<fn(&Target<'_>) -> serde_json::Value>) -> String {
    let path = route.filled(|name| place(operation, target, name, None));
    format!("{path} {:?} {:?}", operation.query.map(|query| query(target)), body.map(|body| body(target)))
}

/// An answer without what a request itself named.
fn shape(reply: &Reply, sites: &[&Site]) -> (u16, String) {
    let mut text = String::from_utf8_lossy(&reply.body).into_owned();
    for site in sites {
        for name in [site.digest.clone(), site.name.clone()] {
            text = text.replace(&name, "…");
        }
        for id in [site.id(), site.label, site.member, site.robot, site.rule, site.quota] {
            text = replace_number(&text, &id.to_string());
        }
    }
    (reply.status, text)
}

/// Replaces a number that stands for itself.
fn replace_number(text: &str, number: &str) -> String {
    let is_digit = |at: Option<char>| at.is_some_and(|c| c.is_ascii_digit());
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(number) {
        let (before, after) = (&rest[..at], &rest[at + number.len()..]);
        let whole = !is_digit(before.chars().next_back()) && !is_digit(after.chars().next());
        out += before;
        out += if whole { "…" } else { number };
        rest = after;
    }
    out + rest
}

fn of_projects(routes: &std::collections::BTreeMap<String, Route>) -> impl Iterator<Item = (&'static Operation, &Route)> {
    OPERATIONS.iter().filter(|operation| operation.is_of_project()).filter_map(|operation| Some((operation, routes.get(operation.id)?)))
}

/// Callers who may do everything in our own project.
fn masters(world: &World) -> [&Who; 3] {
    [world.owner(), world.people.last().expect("the administrator"), &world.robots[0]]
}

async fn ids_of_another_project_lead_nowhere_under_ones_own(kit: Kit) {
    let (world, routes) = (kit.world().await, document(&kit).await);
    let before = world.fingerprint(&kit).await;
    let (mut wrong, mut asked) = (Vec::new(), 0);
    let (foreign, nothing) = (world.foreign(), absent());
    for (operation, route) in of_projects(&routes).filter(|(_, route)| route.path.starts_with("/projects/")) {
        let bodies = [operation.body, if let Spare::Body(body) = operation.spare { Some(body) } else { operation.body }];
        for ((field, take), body) in NESTED.iter().flat_map(|nested| bodies.map(|body| (nested, body))) {
            let (mut theirs, mut none) = (world.own().clone(), world.own().clone());
            take(&mut theirs, foreign);
            take(&mut none, &nothing);
            let mut targets = [Target::new(&kit, world, &theirs), Target::new(&kit, world, &none)];
            targets[1].fresh = targets[0].fresh.clone();
            let [theirs_target, none_target] = &targets;
            if told(operation, route, theirs_target, body) == told(operation, route, none_target, body) {
                continue;
            }
            for who in masters(world) {
                asked += 1;
                let theirs_answer = request(&kit, operation, route, who, theirs_target, None, body).send().await;
                let none_answer = request(&kit, operation, route, who, none_target, None, body).send().await;
                let (their_shape, none_shape) = (shape(&theirs_answer, &[foreign, &nothing]), shape(&none_answer, &[foreign, &nothing]));
                let alike = their_shape == none_shape || OTHER_WORDS.contains(&operation.id) && their_shape.0 == 404 && none_shape.0 == 404;
                if !alike {
                    let (theirs, none) = (brief(&theirs_answer), brief(&none_answer));
                    wrong.push(format!("{} by {} with the {field} of another project: {theirs}; of none: {none}", operation.id, who.title));
                }
            }
        }
    }
    if before != world.fingerprint(&kit).await {
        wrong.push("something of another project was changed".to_owned());
    }
    report(&wrong);
    assert!(asked > 40, "{asked} requests");
}

async fn projects_that_are_forbidden_or_absent_answer_alike(kit: Kit) {
    let (world, routes) = (kit.world().await, document(&kit).await);
    let (mut wrong, mut asked) = (Vec::new(), 0);
    let (foreign, nothing) = (world.foreign(), absent());
    let callers = [&world.people[0], world.stranger(), world.owner(), &world.robots[0], &world.robots[1], &world.sessions[0]];
    // A label or robot by its id is told to be absent, as Harbor does.
    let by_project = |route: &Route| route.places.first().is_none_or(|name| name.starts_with("project_name"));
    for (operation, route) in of_projects(&routes).filter(|(_, route)| by_project(route)) {
        for who in callers {
            asked += 1;
            let (real, none) = (Target::new(&kit, world, foreign), Target::new(&kit, world, &nothing));
            let real = request(&kit, operation, route, who, &real, None, operation.body).send().await;
            let none = request(&kit, operation, route, who, &none, None, operation.body).send().await;
            if shape(&real, &[foreign, &nothing]) != shape(&none, &[foreign, &nothing]) {
                wrong.push(format!("{} by {}: forbidden {}, absent {}", operation.id, who.title, brief(&real), brief(&none)));
            }
        }
    }
    report(&wrong);
    assert!(asked > 200, "{asked} requests");
}

async fn what_a_forbidden_project_holds_or_lacks_answers_alike(kit: Kit) {
    let (world, routes) = (kit.world().await, document(&kit).await);
    let (mut wrong, mut asked) = (Vec::new(), 0);
    let foreign = world.foreign();
    for (operation, route) in of_projects(&routes).filter(|(_, route)| route.path.starts_with("/projects/")) {
        for name in route.places.iter().skip(1).filter(|name| *name != "addition") {
            for who in [&world.people[0], world.stranger(), world.owner(), &world.robots[0], &world.robots[1]] {
                asked += 1;
                let target = Target::new(&kit, world, foreign);
                let real = request(&kit, operation, route, who, &target, None, operation.body).send().await;
                let none = request(&kit, operation, route, who, &target, Some(name), operation.body).send().await;
                if (real.status, &real.body) != (none.status, &none.body) {
                    wrong.push(format!("{} by {}: there {}, without {name} {}", operation.id, who.title, brief(&real), brief(&none)));
                }
            }
        }
    }
    report(&wrong);
    assert!(asked > 100, "{asked} requests");
}

async fn accounts_groups_and_quotas_that_are_forbidden_or_absent_answer_alike(kit: Kit) {
    let (world, routes) = (kit.world().await, document(&kit).await);
    let (mut wrong, mut asked) = (Vec::new(), 0);
    let of_system = OPERATIONS.iter().filter(|operation| matches!(operation.rule, Rule::System(..) | Rule::OneselfOr(..)));
    for (operation, route) in of_system.filter_map(|operation| Some((operation, routes.get(operation.id)?))) {
        for name in route.places.iter().filter(|name| matches!(name.as_str(), "user_id" | "group_id" | "id")) {
            for who in [&world.people[0], world.stranger(), world.owner(), &world.robots[0]] {
                asked += 1;
                let target = Target::new(&kit, world, world.own());
                let real = request(&kit, operation, route, who, &target, None, operation.body).send().await;
                let none = request(&kit, operation, route, who, &target, Some(name), operation.body).send().await;
                if (real.status, &real.body) != (none.status, &none.body) {
                    wrong.push(format!("{} by {}: there {}, without {name} {}", operation.id, who.title, brief(&real), brief(&none)));
                }
            }
        }
    }
    report(&wrong);
    assert!(asked > 20, "{asked} requests");
}
