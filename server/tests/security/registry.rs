//! The registry's matrix: every operation below `/v2` × every kind of caller, by Basic and by a token for exactly what they asked × our own and
//! other people's projects. What is expected comes from the permission table; a token allows what it says and no more.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use futures::StreamExt as _;
use futures::stream;
use http::Method;
use model::permission::{Action as A, GrantScope, Resource as R, RobotLevel};
use oci::Digest;
use testkit::client::{Call, Reply};

use crate::kit::{Kit, MANIFEST, Who, grant, report};
use crate::matrix::brief;
use crate::world::{REPOSITORY, Site, TAG, World};

testkit::tests! {
    Kit;
    the_registry_answers_every_caller_as_the_table_says,
    projects_of_the_registry_that_are_forbidden_or_absent_answer_alike,
    a_token_serves_no_operation_beyond_its_scope,
    an_upload_is_closed_to_those_who_may_not_push_there,
    a_mount_takes_nothing_that_the_caller_may_not_read,
    the_catalogue_is_for_those_who_may_read_all_of_it,
}

/// An operation below `/v2/<name>/`, what decides it, and a request that changes nothing.
struct Operation {
    title: &'static str,
    action: A,
    request: fn(&Kit, &Who, &Site) -> Call,
    passes: &'static [u16],
}

const ABSENT: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

fn at(kit: &Kit, who: &Who, site: &Site, method: Method, rest: &str) -> Call {
    kit.call(who, method, &format!("/v2/{}/{REPOSITORY}/{rest}", site.name))
}

const OPERATIONS: &[Operation] = &[
    Operation {
        title: "GET manifest by tag",
        action: A::Pull,
        request: |k, w, s| at(k, w, s, Method::GET, &format!("manifests/{TAG}")).header("accept", MANIFEST),
        passes: &[200],
    },
    Operation {
        title: "HEAD manifest by digest",
        action: A::Pull,
        request: |k, w, s| at(k, w, s, Method::HEAD, &format!("manifests/{}", s.digest)).header("accept", MANIFEST),
        passes: &[200],
    },
    Operation { title: "GET tags", action: A::Pull, request: |k, w, s| at(k, w, s, Method::GET, "tags/list"), passes: &[200] },
    Operation {
        title: "GET referrers",
        action: A::Pull,
        request: |k, w, s| at(k, w, s, Method::GET, &format!("referrers/{}", s.digest)),
        passes: &[200],
    },
    Operation {
        title: "GET blob",
        action: A::Pull,
        request: |k, w, s| at(k, w, s, Method::GET, &format!("blobs/{}", config_of(s))),
        passes: &[200],
    },
    Operation {
        title: "HEAD blob",
        action: A::Pull,
        request: |k, w, s| at(k, w, s, Method::HEAD, &format!("blobs/{}", config_of(s))),
        passes: &[200],
    },
    Operation {
        title: "PUT manifest",
        action: A::Push,
        // No manifest: refused for what it is when it is not for who sends it.
        request: |k, w, s| at(k, w, s, Method::PUT, &format!("manifests/{TAG}")).header("content-type", MANIFEST).body("{}"),
        passes: &[400],
    },
    Operation { title: "POST upload", action: A::Push, request: |k, w, s| at(k, w, s, Method::POST, "blobs/uploads/"), passes: &[202] },
    Operation {
        title: "PATCH upload",
        action: A::Push,
        request: |k, w, s| at(k, w, s, Method::PATCH, &format!("blobs/uploads/{NO_UPLOAD}")).body("x"),
        passes: &[404],
    },
    Operation {
        title: "GET upload",
        action: A::Push,
        request: |k, w, s| at(k, w, s, Method::GET, &format!("blobs/uploads/{NO_UPLOAD}")),
        passes: &[404],
    },
    Operation {
        title: "PUT upload",
        action: A::Push,
        request: |k, w, s| at(k, w, s, Method::PUT, &format!("blobs/uploads/{NO_UPLOAD}?digest={ABSENT}")),
        passes: &[404],
    },
    Operation {
        title: "DELETE upload",
        action: A::Push,
        request: |k, w, s| at(k, w, s, Method::DELETE, &format!("blobs/uploads/{NO_UPLOAD}")),
        passes: &[404],
    },
    Operation {
        title: "DELETE manifest",
        action: A::Delete,
        request: |k, w, s| at(k, w, s, Method::DELETE, &format!("manifests/{ABSENT}")),
        passes: &[404],
    },
    Operation {
        title: "DELETE blob",
        action: A::Delete,
        request: |k, w, s| at(k, w, s, Method::DELETE, &format!("blobs/{ABSENT}")),
        passes: &[404],
    },
];

const NO_UPLOAD: &str = "00000000-0000-4000-8000-000000000000";

/// The digest of the config that a site's image has.
fn config_of(site: &Site) -> String {
    let config = format!(r#"{{"architecture":"amd64","os":"linux","author":"{}/{REPOSITORY} {TAG}"}}"#, site.name);
    Digest::sha256(config.as_bytes()).to_string()
}

/// People and robots that matter to a registry.
async fn callers(kit: &Kit, world: &World) -> Vec<Who> {
    let mut callers: Vec<Who> = world.people.iter().chain(&world.robots).cloned().collect();
    let own = world.own();
    let here = GrantScope::Project(own.facts.id);
    let (pull, push, delete) = ((R::Repository, A::Pull), (R::Repository, A::Push), (R::Repository, A::Delete));
    let kinds: [(&str, &[(R, A)]); 4] =
        [("pulls", &[pull]), ("pushes", &[push]), ("pushes and pulls", &[push, pull]), ("deletes", &[delete])];
    for (title, given) in kinds {
        for level in [RobotLevel::Project, RobotLevel::System] {
            let title = format!("{} robot that {title}", level.as_str());
            let grants = given.iter().map(|(r, a)| grant(here, *r, *a)).collect();
            callers.push(kit.robot(&title, level, grants, |_| own.name.clone()).await.1);
        }
    }
    let everywhere = vec![grant(GrantScope::AllProjects, R::Repository, A::Pull)];
    callers.push(kit.robot("system robot that pulls everything", RobotLevel::System, everywhere, |_| String::new()).await.1);
    callers
}

/// What the table says. What deletes below `/v2` is the permission to delete repositories' artifacts, whatever the request names.
fn allowed(who: &Who, site: &Site, action: A) -> bool {
    let may = |resource, action| who.may(&site.facts, site.is_own, resource, action).is_ok();
    may(R::Repository, action)
}

async fn the_registry_answers_every_caller_as_the_table_says(kit: Kit) {
    let world = kit.world().await;
    let callers = callers(&kit, world).await;
    let asks = callers.iter().flat_map(|who| world.sites.iter().map(move |site| (who, site)));
    let answers = stream::iter(asks).map(|(who, site)| {
        let kit = &kit;
        async move {
            let mut wrong = Vec::new();
            for operation in OPERATIONS {
                let reply = (operation.request)(kit, who, site).send().await;
                // A read without credentials is always asked to fetch a token first.
                let passes = allowed(who, site, operation.action) && !(who.is_anonymous() && operation.action == A::Pull);
                if passes != operation.passes.contains(&reply.status) || !passes && reply.status != 401 {
                    let place = site.title();
                    wrong.push(format!("{} by {} on {place}: {} expected {passes}", operation.title, who.title, brief(&reply)));
                }
            }
            wrong
        }
    });
    let wrong: Vec<String> = answers.buffer_unordered(6).flat_map(stream::iter).collect().await;
    report(&wrong);
}

/// An answer without what differs because the request named another project.
fn shape(reply: &Reply, site: &Site) -> (u16, String, String, String) {
    let nameless = |text: &str| text.replace(&config_of(site), "…").replace(&site.name, "…");
    let challenges: Vec<&str> = reply.headers.get_all("www-authenticate").iter().filter_map(|v| v.to_str().ok()).collect();
    (reply.status, reply.code(), nameless(&challenges.join("\n")), nameless(&String::from_utf8_lossy(&reply.body)))
}

/// A token for everything in a site's repository, and what it grants there.
async fn token_for_all(kit: &Kit, who: &Who, site: &Site) -> (Who, String) {
    let token = kit.fetching(who).token(&[&format!("repository:{}/{REPOSITORY}:pull,push,delete", site.name)]).await;
    let claims = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).expect("three parts")).expect("base64");
    let claims: serde_json::Value = serde_json::from_slice(&claims).expect("JSON");
    (who.bearing(&format!("{} by token", who.title), &token), claims["access"].to_string().replace(&site.name, "…"))
}

async fn projects_of_the_registry_that_are_forbidden_or_absent_answer_alike(kit: Kit) {
    let world = kit.world().await;
    let sites = [world.foreign().clone(), Site { name: kit.fresh("nowhere"), ..world.foreign().clone() }];
    let mut wrong = Vec::new();
    let outsiders = [world.stranger(), &Who::nobody(), world.owner(), &world.robots[0], &world.robots[1]];
    for who in outsiders {
        let (tokens, granted): (Vec<Who>, Vec<String>) =
            [token_for_all(&kit, who, &sites[0]).await, token_for_all(&kit, who, &sites[1]).await].into_iter().unzip();
        if granted[0] != granted[1] {
            wrong.push(format!("tokens of {}: {granted:?}", who.title));
        }
        for callers in [[who, who], [&tokens[0], &tokens[1]]] {
            for operation in OPERATIONS {
                let mut shapes = Vec::new();
                for (site, caller) in sites.iter().zip(callers) {
                    shapes.push(shape(&(operation.request)(&kit, caller, site).send().await, site));
                }
                if shapes[0] != shapes[1] || shapes[0].0 != 401 || shapes[0].2.is_empty() {
                    wrong.push(format!("{} by {}: {shapes:?}", operation.title, callers[0].title));
                }
            }
        }
    }
    // Neither does a mount tell whether there is a project to take from.
    let developer = world.person(model::permission::Role::Developer);
    let mut mounts = Vec::new();
    for site in &sites {
        let digest = config_of(&sites[0]);
        let rest = format!("blobs/uploads/?mount={digest}&from={}/{REPOSITORY}", site.name);
        let reply = at(&kit, developer, world.own(), Method::POST, &rest).send().await;
        mounts.push((reply.status, reply.code(), String::from_utf8_lossy(&reply.body).into_owned()));
    }
    assert_eq!(mounts[0], mounts[1]);
    report(&wrong);
    // Whoever may see all projects is told that there is no other.
    for operation in OPERATIONS.iter().filter(|operation| operation.passes == [200] && !operation.title.starts_with("HEAD")) {
        let (there, absent) = (&sites[0], &sites[1]);
        assert_eq!((operation.request)(&kit, &kit.admin, there).send().await.status, 200, "{}", operation.title);
        let (status, code, challenge, body) = shape(&(operation.request)(&kit, &kit.admin, absent).send().await, absent);
        assert_eq!((status, code.as_str(), challenge.as_str()), (401, "UNAUTHORIZED", ""), "{}", operation.title);
        assert!(body.contains("project … not found"), "{}: {body}", operation.title);
    }
}

async fn a_token_serves_no_operation_beyond_its_scope(kit: Kit) {
    let world = kit.world().await;
    let callers = callers(&kit, world).await;
    let scopes = ["pull", "push", "pull,delete"];
    let mut asks = Vec::new();
    for who in &callers {
        for site in [world.own(), &world.sites[3]] {
            asks.extend(scopes.map(|actions| (who, site, REPOSITORY, actions)));
            asks.push((who, site, "another", "pull,push,delete"));
        }
    }
    let answers = stream::iter(asks).map(|(who, site, repository, actions)| {
        let kit = &kit;
        async move {
            let scope = format!("repository:{}/{repository}:{actions}", site.name);
            let told = kit.fetching(who).ask_token(&[&scope]).await;
            let Some(token) = told.json()["token"].as_str().map(str::to_owned) else { return vec![format!("no token for {}", who.title)] };
            let bearer = who.bearing(&who.title, &token);
            let mut wrong = Vec::new();
            for operation in OPERATIONS {
                let asked = actions.split(',').any(|action| action == operation.action.as_str()) && repository == REPOSITORY;
                let passes = asked && allowed(who, site, operation.action);
                let reply = (operation.request)(kit, &bearer, site).send().await;
                if passes != operation.passes.contains(&reply.status) || !passes && reply.status != 401 {
                    let place = site.title();
                    wrong.push(format!(
                        "{} by {} on {place} with {actions} of {repository}: {} expected {passes}",
                        operation.title,
                        who.title,
                        brief(&reply)
                    ));
                }
            }
            wrong
        }
    });
    let wrong: Vec<String> = answers.buffer_unordered(6).flat_map(stream::iter).collect().await;
    report(&wrong);
}

async fn an_upload_is_closed_to_those_who_may_not_push_there(kit: Kit) {
    let world = kit.world().await;
    let (own, foreign) = (world.own(), world.foreign());
    let mut wrong = Vec::new();
    let blob = "uploaded by its owner";
    let digest = Digest::sha256(blob.as_bytes()).to_string();
    let developer = world.person(model::permission::Role::Developer);
    let start = at(&kit, developer, own, Method::POST, "blobs/uploads/").send().await.expect(202).location();
    let id = start.split('?').next().and_then(|path| path.rsplit('/').next()).expect("an id").to_owned();
    let joint = if start.contains('?') { '&' } else { '?' };
    // Callers who may not push here, at its own address.
    let outsiders: Vec<&Who> = world.people.iter().filter(|who| !allowed(who, own, A::Push)).collect();
    for who in &outsiders {
        for (method, target) in [
            (Method::GET, start.clone()),
            (Method::PATCH, start.clone()),
            (Method::PUT, format!("{start}{joint}digest={digest}")),
            (Method::DELETE, start.clone()),
        ] {
            let reply = kit.call(who, method.clone(), &target).body("stolen").send().await;
            if reply.status != 401 {
                wrong.push(format!("{method} by {}: {}", who.title, brief(&reply)));
            }
        }
    }
    // Somebody who may push elsewhere, under a repository of theirs: the id leads nowhere there.
    let elsewhere = [format!("/v2/{}/{REPOSITORY}", foreign.name), format!("/v2/{}/other", own.name)];
    for place in elsewhere {
        for method in [Method::GET, Method::PATCH, Method::DELETE] {
            let reply = kit.call(&kit.admin, method.clone(), &format!("{place}/blobs/uploads/{id}")).body("stolen").send().await;
            if reply.status != 404 {
                wrong.push(format!("{method} {place}: {}", brief(&reply)));
            }
        }
    }
    report(&wrong);
    // It is as it was.
    let reply = kit.call(developer, Method::PUT, &format!("{start}{joint}digest={digest}")).body(blob).send().await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let stolen = Digest::sha256(b"stolen").to_string();
    assert_eq!(at(&kit, &kit.admin, own, Method::HEAD, &format!("blobs/{stolen}")).send().await.status, 404);
}

/// Whether a repository has a blob.
async fn has(kit: &Kit, repository: &str, digest: &str) -> bool {
    kit.call(&kit.admin, Method::HEAD, &format!("/v2/{repository}/blobs/{digest}")).send().await.status == 200
}

async fn a_mount_takes_nothing_that_the_caller_may_not_read(kit: Kit) {
    let world = kit.world().await;
    let (own, foreign) = (world.own(), world.foreign());
    let (source, target) = (format!("{}/{REPOSITORY}", foreign.name), format!("{}/{}", own.name, kit.fresh("mounted")));
    let digest = config_of(foreign);
    let mount = format!("/v2/{target}/blobs/uploads/?mount={digest}&from={source}");
    let blind = format!("/v2/{target}/blobs/uploads/?mount={digest}");
    let push = |who: &Who| who.may(&own.facts, true, R::Repository, A::Push).is_ok();
    let pushers: Vec<&Who> = world.people.iter().chain(&world.robots).filter(|who| push(who) && !who.is_admin()).collect();
    assert!(pushers.len() >= 4, "{} callers", pushers.len());
    let refused = |reply: &Reply| matches!(reply.status, 202 | 401);
    for who in pushers {
        for path in [&mount, &blind] {
            let reply = kit.call(who, Method::POST, path).send().await;
            assert!(refused(&reply), "{} {path}: {reply:?}", who.title);
        }
        // The same by a token for both ends: the source's half is not in it.
        let scopes = [format!("repository:{target}:pull,push"), format!("repository:{source}:pull")];
        let token = kit.fetching(who).token(&[&scopes[0], &scopes[1]]).await;
        let reply = kit.call(&who.bearing("by token", &token), Method::POST, &mount).send().await;
        assert!(refused(&reply), "{} by token: {reply:?}", who.title);
    }
    assert!(!has(&kit, &target, &digest).await, "a blob of another project was mounted");
    // An administrator's token for the target alone does not reach the source either.
    let scope = format!("repository:{target}:pull,push");
    let token = kit.fetching(&kit.admin).token(&[&scope]).await;
    let reply = kit.call(&kit.admin.bearing("admin by token", &token), Method::POST, &mount).send().await;
    assert!(refused(&reply) && !has(&kit, &target, &digest).await, "{reply:?}");
    let reply = kit.call(&kit.admin, Method::POST, &mount).send().await;
    assert!(reply.status == 201 && has(&kit, &target, &digest).await, "{reply:?}");
}

async fn the_catalogue_is_for_those_who_may_read_all_of_it(kit: Kit) {
    let world = kit.world().await;
    let foreign = &world.foreign().name;
    for who in world.people.iter().chain(&world.robots) {
        let may = who.may_at_system(R::Catalog, A::Read).is_ok();
        let reply = kit.call(who, Method::GET, "/v2/_catalog?n=1000").send().await;
        assert_eq!(reply.status == 200, may, "{}: {reply:?}", who.title);
        assert_eq!(String::from_utf8_lossy(&reply.body).contains(foreign), may, "{}: {reply:?}", who.title);
        let token = kit.fetching(who).token(&["registry:catalog:*"]).await;
        let reply = kit.call(&who.bearing("by token", &token), Method::GET, "/v2/_catalog?n=1000").send().await;
        // A token for it is for administrators; robots read it with their secret.
        assert_eq!(reply.status == 200, who.is_admin(), "{} by token: {reply:?}", who.title);
    }
}
