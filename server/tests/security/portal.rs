//! The functions of the portal's pages, by every kind of caller on our own and other people's projects: they lead to the same rules as the API, and
//! a page's own door must not be a way around them. Only sessions count there.

use std::collections::BTreeSet;
use std::path::Path;

use http::Method;
use model::permission::{Action as A, Denied, Resource as R};
use serde_json::Value;

use crate::bodies::{own_server, stop};
use crate::kit::{Kit, Who, report};
use crate::world::{REPOSITORY, Site, TAG};

testkit::tests! {
    Kit;
    every_function_has_its_rule,
    lists_of_the_portal_show_what_their_reader_may_see,
    the_storage_of_a_project_is_shown_to_who_may_read_its_quota,
    every_page_lets_only_our_own_scripts_run;
    // Others push into the same projects, whose use is part of what must not change.
    alone:
    every_function_answers_every_caller_as_the_table_says,
}

/// What decides about a call.
#[derive(Clone, Copy, Debug)]
enum Rule {
    Anyone,
    SignedIn,
    /// All of these, on the project.
    Project(&'static [(R, A)]),
}

/// A function of the portal: its endpoint, whether it changes something, its rule, what it is asked with, and the status inside an answer to who is let
/// in; none when there is content. What changes something is asked for what is not there.
struct Function {
    name: &'static str,
    changes: bool,
    rule: Rule,
    fields: fn(&Site) -> Vec<(&'static str, String)>,
    passes: Option<u64>,
}

const PAGE: &[(R, A)] = &[(R::Project, A::Read), (R::Repository, A::List), (R::Artifact, A::List)];
const NO_DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

const FUNCTIONS: &[Function] = &[
    Function { name: "visitor", changes: false, rule: Rule::Anyone, fields: |_| Vec::new(), passes: None },
    Function { name: "projects", changes: false, rule: Rule::Anyone, fields: |_| page(), passes: None },
    Function { name: "search", changes: false, rule: Rule::Anyone, fields: |site| vec![("q", site.name.clone())], passes: None },
    Function { name: "theme", changes: true, rule: Rule::Anyone, fields: |_| vec![("theme", "dark".to_owned())], passes: None },
    Function { name: "account", changes: false, rule: Rule::SignedIn, fields: |_| Vec::new(), passes: None },
    Function {
        name: "change-password",
        changes: true,
        rule: Rule::SignedIn,
        fields: |_| ["current", "new", "repeat"].map(|name| (name, "Not-The-1-Password".to_owned())).to_vec(),
        passes: Some(403),
    },
    Function { name: "new-project", changes: false, rule: Rule::SignedIn, fields: |_| Vec::new(), passes: None },
    Function {
        name: "create-project",
        changes: true,
        rule: Rule::SignedIn,
        fields: |_| vec![("name", "No Name".to_owned())],
        passes: Some(400),
    },
    Function {
        name: "repositories",
        changes: false,
        rule: Rule::Project(PAGE),
        fields: |site| [page(), vec![("project", site.id().to_string())]].concat(),
        passes: None,
    },
    Function {
        name: "repository",
        changes: false,
        rule: Rule::Project(PAGE),
        fields: |site| [page(), vec![("project", site.id().to_string()), ("name", REPOSITORY.to_owned())]].concat(),
        passes: None,
    },
    Function {
        name: "artifact",
        changes: false,
        rule: Rule::Project(PAGE),
        fields: |site| vec![("project", site.id().to_string()), ("repository", REPOSITORY.to_owned()), ("reference", TAG.to_owned())],
        passes: None,
    },
    Function {
        name: "delete-repository",
        changes: true,
        rule: Rule::Project(&[(R::Repository, A::Delete)]),
        fields: |site| vec![("project", site.id().to_string()), ("name", "absent".to_owned())],
        passes: Some(404),
    },
    Function {
        name: "delete-artifact",
        changes: true,
        rule: Rule::Project(&[(R::Artifact, A::Delete)]),
        fields: |site| vec![("project", site.id().to_string()), ("repository", REPOSITORY.to_owned()), ("digest", NO_DIGEST.to_owned())],
        passes: Some(404),
    },
    Function {
        name: "delete-tag",
        changes: true,
        rule: Rule::Project(&[(R::Tag, A::Delete)]),
        fields: |site| {
            let place = [("project", site.id().to_string()), ("repository", REPOSITORY.to_owned())];
            [place.to_vec(), vec![("digest", site.digest.clone()), ("tag", "absent".to_owned())]].concat()
        },
        passes: Some(404),
    },
];

fn page() -> Vec<(&'static str, String)> {
    vec![("page", "1".to_owned()), ("size", "100".to_owned())]
}

async fn every_function_has_its_rule(_kit: Kit) {
    let mut written = BTreeSet::new();
    endpoints(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/src"), &mut written);
    let known: BTreeSet<String> = FUNCTIONS.iter().map(|function| function.name.to_owned()).collect();
    assert_eq!(written, known);
}

/// The endpoints that the portal's source declares.
fn endpoints(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("the portal's source") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            endpoints(&path, found);
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("text");
        for line in text.lines().filter(|line| line.trim_start().starts_with("#[server(") && !line.contains("default")) {
            let name = line.split_once("endpoint = \"").and_then(|(_, rest)| rest.split('"').next());
            found.insert(name.unwrap_or_else(|| panic!("{}: a function without an endpoint: {line}", path.display())).to_owned());
        }
    }
}

async fn every_function_answers_every_caller_as_the_table_says(kit: Kit) {
    // On a server of its own, where nobody else pushes what the projects are then found to hold.
    let (server, kit) = own_server(&kit).await;
    let world = kit.world().await;
    let before = world.fingerprint(&kit).await;
    let mut callers = vec![Who::nobody()];
    callers.extend(world.sessions.iter().cloned());
    // A robot, or a person without a session, is nobody here.
    callers.extend(world.robots.iter().chain([&kit.admin]).map(|who| Who {
        title: who.title.clone(),
        sign: who.sign.clone(),
        ..Who::nobody()
    }));
    let mut wrong = Vec::new();
    for function in FUNCTIONS {
        for (site, who) in world.sites.iter().flat_map(|site| callers.iter().map(move |who| (site, who))) {
            let expected = expected(function, who, site);
            let found = ask(&kit, function, who, &(function.fields)(site)).await.map(|answer| status(&answer));
            if found != Ok(expected) {
                let (name, title, place) = (function.name, &who.title, site.title());
                wrong.push(format!("{name} by {title} on {place}: expected {expected:?}, got {found:?}"));
            }
        }
    }
    assert_eq!(before, world.fingerprint(&kit).await);
    report(&wrong);
    stop(server).await;
}

/// The status inside an answer, none for content. Reading what one may not is like reading what is not there.
fn expected(function: &Function, who: &Who, site: &Site) -> Option<u64> {
    let verdict = match function.rule {
        Rule::Anyone => Ok(()),
        Rule::SignedIn if who.is_anonymous() => Err(Denied::Unauthenticated),
        Rule::SignedIn => Ok(()),
        Rule::Project(all) => all.iter().try_for_each(|(resource, action)| who.may(&site.facts, site.is_own, *resource, *action)),
    };
    match verdict {
        Ok(()) => function.passes,
        Err(Denied::Unauthenticated) => Some(401),
        Err(Denied::Forbidden) if function.changes => Some(403),
        Err(Denied::Forbidden) => Some(404),
    }
}

fn status(answer: &Value) -> Option<u64> {
    answer["content"]["Err"]["status"].as_u64().or_else(|| answer["status"].as_u64())
}

/// A call as the portal's script makes it.
async fn ask(kit: &Kit, function: &Function, who: &Who, fields: &[(&str, String)]) -> Result<Value, String> {
    let path = format!("/ui/fn/{}", function.name);
    let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let call = if function.changes {
        kit.call(who, Method::POST, &path).form(&pairs)
    } else {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        kit.call(who, Method::GET, &format!("{path}?{query}"))
    };
    let reply = call.header("accept", "application/json").send().await;
    match reply.status {
        200 | 302 => Ok(serde_json::from_slice(&reply.body).unwrap_or(Value::Null)),
        _ => Err(crate::matrix::brief(&reply)),
    }
}

async fn lists_of_the_portal_show_what_their_reader_may_see(kit: Kit) {
    let world = kit.world().await;
    let mut wrong = Vec::new();
    for who in [Who::nobody()].iter().chain(&world.sessions) {
        for site in &world.sites {
            let seen = who.may(&site.facts, site.is_own, R::Project, A::Read).is_ok();
            for (name, key) in [("projects", "name"), ("search", "name")] {
                let function = FUNCTIONS.iter().find(|function| function.name == name).expect("a function");
                let fields = [page(), vec![("q", site.name.clone())]].concat();
                let answer = ask(&kit, function, who, &fields).await.expect("an answer");
                let shown = mentions(&answer["content"], key, &site.name);
                if shown != seen {
                    wrong.push(format!("{name} by {}: {} is shown: {shown}, may be seen: {seen}", who.title, site.title()));
                }
            }
        }
    }
    report(&wrong);
}

async fn the_storage_of_a_project_is_shown_to_who_may_read_its_quota(kit: Kit) {
    let world = kit.world().await;
    let function = FUNCTIONS.iter().find(|function| function.name == "repositories").expect("a function");
    let (mut wrong, mut shown) = (Vec::new(), 0);
    for who in [Who::nobody()].iter().chain(&world.sessions) {
        for site in &world.sites {
            let answer = ask(&kit, function, who, &(function.fields)(site)).await.expect("an answer");
            let told = answer["content"]["Ok"]["project"]["storage"]["used"].is_u64();
            let may = expected(function, who, site).is_none() && who.may(&site.facts, site.is_own, R::Quota, A::Read).is_ok();
            shown += u32::from(told);
            if told != may {
                wrong.push(format!("{} on {}: told {told}, may {may}", who.title, site.title()));
            }
        }
    }
    report(&wrong);
    assert!(shown > 0, "nobody is told");
}

/// The content security policy of every page, but for the nonce's value: one source more or less is a failure.
const POLICY: &str = "default-src 'none'; script-src 'nonce-' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

async fn every_page_lets_only_our_own_scripts_run(kit: Kit) {
    let world = kit.world().await;
    let member = world.sessions.first().expect("a session");
    let mut nonces = BTreeSet::new();
    let pages = ["/", "/account/sign-in", "/no/such/page", "/projects", "/search?q=%3Cscript%3E"];
    for (who, page) in [Who::nobody(), member.clone()].iter().flat_map(|who| pages.iter().map(move |page| (who, page))) {
        let reply = kit.call(who, Method::GET, page).header("accept", "text/html").send().await;
        let at = format!("{page} by {}", who.title);
        assert_eq!(reply.headers.get_all("content-security-policy").iter().count(), 1, "{at}: {}", reply.status);
        let policy = reply.header("content-security-policy");
        let (before, rest) = policy.split_once("'nonce-").unwrap_or_else(|| panic!("{at}: {policy}"));
        let (nonce, after) = rest.split_once('\'').expect("the nonce's end");
        assert_eq!(format!("{before}'nonce-'{after}"), POLICY, "{at}");
        assert!(nonce.len() >= 16 && nonce.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte)), "{at}: {nonce}");
        assert!(nonces.insert(nonce.to_owned()), "{at}: a nonce is used twice");
    }
}

/// Whether a field of this name anywhere says this.
fn mentions(value: &Value, key: &str, text: &str) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(name, value)| (name == key && value == text) || mentions(value, key, text)),
        Value::Array(items) => items.iter().any(|item| mentions(item, key, text)),
        _ => false,
    }
}
