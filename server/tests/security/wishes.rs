//! Every operation of the document that takes a body is sent the fields with which others have been made administrators, owners and neighbours:
//! nothing of them is found in what is stored afterwards. What `assignment` knows by hand, here for whatever the document will have.

use http::Method;
use serde_json::{Map, Value, json};
use testkit::client::Reply;
use testkit::server::Server;

use crate::kit::{API, Facts, Kit, PASSWORD, Who, report};
use crate::matrix::{brief, changes};
use crate::operations::{OPERATIONS, Operation, Route, Rule, Target, document, place};
use crate::world::World;

testkit::tests! {
    Kit;
    no_body_says_what_is_not_for_its_sender_to_say,
}

/// Values that nothing has by itself, so that they are found wherever they get.
const NUMBER: i64 = 471_147_114;
const TEXT: &str = "W1shed0secret";
const TIME: &str = "2001-02-03T04:05:06.000Z";

const NUMBERS: &[&str] = &[
    "id",
    "user_id",
    "owner_id",
    "creator_ref",
    "project_id",
    "repository_id",
    "artifact_id",
    "registry_id",
    "entity_id",
    "group_id",
    "role",
    "pull_count",
    "artifact_count",
    "repo_count",
    "current_user_role_id",
    "expires_at",
];
const TEXTS: &[&str] = &[
    "creator",
    "creator_type",
    "owner_name",
    "salt",
    "secret",
    "password_version",
    "password_hash",
    "reset_uuid",
    "level",
    "ldap_group_dn",
];
const TIMES: &[&str] = &["creation_time", "update_time", "push_time", "pull_time"];
/// With the value that none of these has by itself.
const FLAGS: &[(&str, bool)] = &[
    ("sysadmin_flag", true),
    ("has_admin_role", true),
    ("admin_role_in_auth", true),
    ("is_admin", true),
    ("deleted", true),
    ("immutable", true),
    ("editable", false),
];

fn wishes() -> Map<String, Value> {
    let of = |names: &'static [&str], value: Value| names.iter().map(move |name| ((*name).to_owned(), value.clone()));
    let flags = FLAGS.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
    of(NUMBERS, json!(NUMBER)).chain(of(TEXTS, json!(TEXT))).chain(of(TIMES, json!(TIME))).chain(flags).collect()
}

/// Fields of an operation that are refused for themselves, so that nothing of them is stored either. `*` is a body whose fields are named freely,
/// by texts that are known.
const REFUSED: &[(&str, &str)] = &[("createProject", "registry_id"), ("addProjectMetadatas", "*"), ("updateProjectMetadata", "*")];

/// Fields of an operation that its sender does decide.
const DECIDED: &[(&str, &str)] = &[("putSystemCVEAllowlist", "expires_at")];

fn is_in(list: &[(&str, &str)], operation: &Operation, name: &str) -> bool {
    list.iter().any(|(id, field)| *id == operation.id && (*field == name || *field == "*"))
}

/// The wished values of a JSON document, by name.
fn fulfilled(value: &Value, own: &Value) -> Vec<String> {
    let is_wished = |name: &str, value: &Value| {
        let is_text = value.as_str().is_some_and(|text| text.contains(TEXT) || text.starts_with("2001-02-03"));
        is_text || value == NUMBER || FLAGS.iter().any(|(flag, wish)| *flag == name && value == wish && own.get(*flag).is_none())
    };
    match value {
        Value::Object(fields) => {
            let here = fields.iter().filter(|(name, value)| is_wished(name, value)).map(|(name, value)| format!("{name}={value}"));
            here.chain(fields.values().flat_map(|value| fulfilled(value, own))).collect()
        }
        Value::Array(items) => items.iter().flat_map(|item| fulfilled(item, own)).collect(),
        _ => Vec::new(),
    }
}

/// The least powerful caller who may do it.
fn sender(kit: &Kit, world: &World, rule: Rule) -> Who {
    match rule {
        Rule::Project(..) | Rule::SignedInProject(..) | Rule::Both(..) => world.owner().clone(),
        Rule::MakesProjects => world.stranger().clone(),
        Rule::OneselfOr(..) => {
            let (id, name) = &world.bystander;
            Who::user("bystander", name, PASSWORD, Facts::User { id: *id, is_admin: false, role: None })
        }
        _ => kit.admin.clone(),
    }
}

/// A body that is accepted, where the one of the common table is not, or makes somebody an administrator as it should.
async fn good_body(kit: &Kit, operation: &Operation, path: &str, target: &Target<'_>) -> Option<Value> {
    Some(match operation.id {
        "createProject" => json!({"project_name": target.fresh}),
        "setUserSysAdmin" => json!({"sysadmin_flag": false}),
        "UpdateRobot" => {
            let mut robot = kit.read(path).await;
            robot["description"] = json!("changed");
            robot
        }
        _ => (operation.body?)(target),
    })
}

/// What is stored where a request was sent, or where it says that something was made: the nearest that can be read.
async fn stored(kit: &Kit, path: &str, reply: &Reply) -> Value {
    let made = reply.find("location").and_then(|place| place.split_once(API)).map(|(_, path)| path.to_owned());
    let mut path = made.unwrap_or_else(|| path.to_owned());
    loop {
        let found = kit.get(&kit.admin, &format!("{path}?page_size=100")).await;
        if found.status == 200 {
            return found.json();
        }
        let (above, _) = path.rsplit_once('/').expect("something above can be read");
        path.truncate(above.len());
    }
}

/// One request with wishes: what came true, or with how it was refused.
async fn wish(
    kit: &Kit,
    world: &World,
    (operation, route): (&Operation, &Route),
    wishes: &Map<String, Value>,
) -> Result<Vec<String>, Reply> {
    let target = Target::new(kit, world, world.own());
    let path = route.filled(|name| place(operation, &target, name, None));
    let own = good_body(kit, operation, &path, &target).await.expect("a body");
    let mut body = wishes.clone();
    body.retain(|name, _| !is_in(DECIDED, operation, name));
    body.extend(own.as_object().expect("fields").clone());
    // A configuration that cannot be edited says so before anybody wishes it.
    let before = fulfilled(&serde_json::from_slice(&kit.get(&kit.admin, &path).await.body).unwrap_or_default(), &own);
    let who = sender(kit, world, operation.rule);
    let reply = kit.api(&who, route.method.clone(), &path).json(&Value::Object(body)).send().await;
    let mut found = fulfilled(&stored(kit, &path, &reply).await, &own);
    found.retain(|wish| !before.contains(wish));
    if reply.status >= 300 {
        return if found.is_empty() { Err(reply) } else { Ok(found) };
    }
    if let Ok(answer) = serde_json::from_slice(&reply.body) {
        found.extend(fulfilled(&answer, &own));
    }
    Ok(found)
}

async fn no_body_says_what_is_not_for_its_sender_to_say(kit: Kit) {
    let server = Server::start(crate::berth(), &kit.engine, &[]).await.unwrap_or_else(|error| panic!("{error}"));
    let kit = Kit::new(kit.name, &server.base_url(), kit.engine.clone());
    let (world, routes) = (kit.world().await, document(&kit).await);
    let (mut wrong, mut accepted, mut tried) = (Vec::new(), 0, 0);
    for operation in OPERATIONS.iter().filter(|operation| operation.body.is_some() && operation.rule != Rule::NeverHere) {
        let Some(route) = routes.get(operation.id).filter(|route| changes(&route.method)) else { continue };
        tried += 1;
        let told = |found: Vec<String>| (!found.is_empty()).then(|| format!("{}: {}", operation.id, found.join(", ")));
        match wish(&kit, world, (operation, route), &wishes()).await {
            Ok(found) => {
                accepted += 1;
                wrong.extend(told(found));
            }
            // All of them at once are refused: each by itself, and those that are refused for themselves are known.
            Err(_) => {
                for (name, value) in wishes() {
                    match wish(&kit, world, (operation, route), &Map::from_iter([(name.clone(), value)])).await {
                        Ok(found) => wrong.extend(told(found)),
                        Err(_) if is_in(REFUSED, operation, &name) => {}
                        Err(reply) => wrong.push(format!("{} {name}: {}", operation.id, brief(&reply))),
                    }
                }
            }
        }
    }
    // Nothing got where nobody looked: every list that the administrator may read.
    for operation in OPERATIONS {
        let Some(route) = routes.get(operation.id).filter(|route| route.method == Method::GET) else { continue };
        let call = crate::matrix::request(&kit, operation, route, &kit.admin, &Target::new(&kit, world, world.own()), None, None);
        let reply = call.send().await;
        if [&NUMBER.to_string(), TEXT].iter().any(|wished| String::from_utf8_lossy(&reply.body).contains(wished)) {
            wrong.push(format!("{}: {}", operation.id, brief(&reply)));
        }
    }
    report(&wrong);
    assert!(tried > 25 && accepted > 20, "{accepted} of {tried} operations took such a body");
    assert!(server.stop().await.expect("it ends").success());
}
