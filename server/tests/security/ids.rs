//! Ids are of 64 bits all the way: one whose lower 32 bits are those of a row that exists leads nowhere. Cut off anywhere on its way, it would lead
//! to that row, and nothing would tell. On a server of its own, since a wrong id that works changes something.

use http::Method;
use serde_json::json;

use crate::bodies::{own_server, stop};
use crate::kit::{Kit, report};
use crate::matrix::{brief, request};
use crate::operations::{OPERATIONS, Operation, Target, document, place};
use crate::world::REPOSITORY;

testkit::tests! {
    Kit;
    an_id_beyond_32_bits_leads_nowhere,
}

/// What an id is put up by: all that the lower 32 bits do not show.
const BEYOND: i64 = 1 << 32;

/// Whether a parameter of a path is an id.
fn is_id(name: &str) -> bool {
    matches!(name, "project_name_or_id" | "id") || (name.ends_with("_id") && !name.contains("name")) || name == "mid"
}

async fn an_id_beyond_32_bits_leads_nowhere(kit: Kit) {
    let (server, kit) = own_server(&kit).await;
    let (world, routes) = (kit.world().await, document(&kit).await);
    let before = world.fingerprint(&kit).await;
    let target = Target::new(&kit, world, world.own());
    let own = |operation: &Operation, name: &str| match name {
        "project_name_or_id" => target.site.id(),
        _ => place(operation, &target, name, None).parse().unwrap_or_else(|_| panic!("{}: {name} is no number", operation.id)),
    };
    let (mut wrong, mut asked) = (Vec::new(), 0);
    for operation in OPERATIONS {
        let Some(route) = routes.get(operation.id) else { continue };
        for name in route.places.iter().filter(|name| is_id(name)) {
            let at = async |id: i64| {
                let path = route.filled(|other| if other == name { id.to_string() } else { place(operation, &target, other, None) });
                let path = operation.query.map_or(path.clone(), |query| format!("{path}?{}", query(&target)));
                let call = kit.api(&kit.admin, route.method.clone(), &path);
                match operation.body {
                    Some(body) => call.json(&body(&target)).send().await,
                    None => call.send().await,
                }
            };
            asked += 1;
            let id = own(operation, name);
            let (absent, beyond) = (at(999_999_999).await, at(BEYOND + id).await);
            // Few operations take an id that leads nowhere for done: what reads never does.
            let nowhere = beyond.status == 404 || (route.method != Method::GET && beyond.status == absent.status);
            if !nowhere {
                wrong.push(format!("{} {name}={} + 2^32: {}, absent: {}", operation.id, id, brief(&beyond), absent.status));
            }
        }
    }
    assert!(asked > 30, "{asked} requests");
    assert_eq!(before, world.fingerprint(&kit).await, "an id beyond 32 bits led to a row");
    // The requests name rows that are there, or they would all lead nowhere.
    let reads = ["GetLabelByID", "GetRobotByID", "getUser", "getQuota", "getProjectMember", "getUserGroup"];
    for operation in OPERATIONS.iter().filter(|operation| reads.contains(&operation.id)) {
        let reply = request(&kit, operation, &routes[operation.id], &kit.admin, &target, None, operation.body).send().await;
        assert_eq!(reply.status, 200, "{}: {}", operation.id, brief(&reply));
    }
    // Ids in bodies and queries.
    let (project, label) = (target.site.id(), target.site.label);
    let artifact = format!("/projects/{}/repositories/{REPOSITORY}/artifacts/{}", target.site.name, target.site.digest);
    assert_eq!(kit.post(&kit.admin, &format!("{artifact}/labels"), &json!({"id": BEYOND + label})).await.status, 404);
    let member = json!({"role_id": 3, "member_user": {"user_id": BEYOND + target.user}});
    let reply = kit.post(&kit.admin, &format!("/projects/{project}/members"), &member).await;
    assert_eq!(reply.status, 400, "{}", brief(&reply));
    let listed = |reply: testkit::client::Reply| (reply.status, reply.json().as_array().map(Vec::len));
    for (path, own) in [("/labels?scope=p&project_id", project), ("/quotas?reference=project&reference_id", project)] {
        assert!(listed(kit.get(&kit.admin, &format!("{path}={own}")).await).1.is_some_and(|rows| rows > 0), "{path}");
        let beyond = kit.get(&kit.admin, &format!("{path}={}", BEYOND + own)).await;
        assert!(beyond.status == 404 || listed(beyond).1 == Some(0), "{path}");
    }
    assert_eq!(before, world.fingerprint(&kit).await);
    report(&wrong);
    stop(server).await;
}
