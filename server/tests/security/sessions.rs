//! The doors of sessions, `/c/*`, by every kind of caller: they are in no document, so the matrix of operations does not know them.

use std::collections::BTreeSet;

use futures::StreamExt as _;
use futures::stream;
use http::Method;
use testkit::client::{Call, Reply};

use crate::kit::{Kit, PASSWORD, Sign, Who, cookie, report};
use crate::matrix::brief;

testkit::tests! {
    Kit;
    every_door_is_tested_here,
    none_but_administrators_learn_which_names_are_taken,
    who_signs_in_is_decided_by_the_password_alone,
    who_signs_out_ends_their_own_session_alone,
    ways_of_signing_in_that_are_not_set_up_are_refused_for_everybody,
}

/// The ways of providers, which are off while people sign in here.
const OFF: [(Method, &str); 5] = [
    (Method::GET, "/c/oidc/login"),
    (Method::GET, "/c/oidc/callback"),
    (Method::GET, "/c/oidc/logout"),
    (Method::POST, "/c/oidc/onboard"),
    (Method::GET, "/c/authproxy/redirect"),
];

async fn every_door_is_tested_here(_kit: Kit) {
    let source = include_str!("../../src/rest/session.rs");
    let served: BTreeSet<&str> =
        source.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next()).filter(|path| path.starts_with("/c/")).collect();
    let tested = ["/c/login", "/c/log_out", "/c/userExists"].into_iter().chain(OFF.iter().map(|(_, path)| *path));
    assert_eq!(served, tested.collect());
}

/// Nobody, people by their passwords and in sessions, and robots.
async fn callers(kit: &Kit) -> Vec<Who> {
    let world = kit.world().await;
    let callers = [&[Who::nobody(), kit.admin.clone()], &world.people[..], &world.sessions, &world.robots].concat();
    assert!(callers.iter().any(|who| who.is_admin() && matches!(who.sign, Sign::Session { .. })));
    callers
}

/// A request to one of the doors, with the token against forged requests that goes with it.
async fn knock(kit: &Kit, who: &Who, method: Method, path: &str) -> Call {
    let call = kit.call(who, method, path);
    if matches!(who.sign, Sign::Session { .. }) {
        return call;
    }
    let first = kit.call(&Who::nobody(), Method::GET, "/c/log_out").send().await.expect(200);
    let guard = cookie(&first, "_gorilla_csrf").expect("a cookie");
    call.header("cookie", guard).header("x-harbor-csrf-token", first.header("x-harbor-csrf-token"))
}

/// Whom a session is of: nobody where it is none.
async fn owner(kit: &Kit, session: Option<&str>) -> Option<String> {
    let call = kit.api(&Who::nobody(), Method::GET, "/users/current").header("cookie", session?);
    let reply = call.send().await;
    (reply.status == 200).then(|| reply.json()["username"].as_str().expect("a name").to_owned())
}

async fn none_but_administrators_learn_which_names_are_taken(kit: Kit) {
    let (world, callers) = (kit.world().await, callers(&kit).await);
    let taken = &world.bystander.1;
    let questions = [
        ("username", taken.clone(), "true"),
        ("username", kit.fresh("free"), "false"),
        ("email", format!("{taken}@example.com"), "true"),
        ("email", format!("{}@example.com", kit.fresh("free")), "false"),
    ];
    let mut wrong = Vec::new();
    for who in &callers {
        for (target, value, answer) in &questions {
            let reply = knock(&kit, who, Method::POST, "/c/userExists").await.form(&[("target", target), ("value", value)]).send().await;
            let said = (reply.status, String::from_utf8_lossy(&reply.body).trim().to_owned());
            // Word for word the same for what is taken and for what is free.
            let refusal = "self registration deactivated, only sysadmin can check user existence";
            let expected = if who.is_admin() { (200, *answer) } else { (412, refusal) };
            if said != (expected.0, expected.1.to_owned()) {
                wrong.push(format!("{target}={value} by {}: expected {expected:?}, got {said:?}", who.title));
            }
        }
    }
    report(&wrong);
}

/// Signs somebody in, whoever sends it.
async fn sign_in(kit: &Kit, sender: &Who, name: &str, password: &str) -> Reply {
    knock(kit, sender, Method::POST, "/c/login").await.form(&[("principal", name), ("password", password)]).send().await
}

async fn who_signs_in_is_decided_by_the_password_alone(kit: Kit) {
    let (callers, stranger) = (callers(&kit).await, kit.stranger().await);
    let mut wrong = Vec::new();
    for sender in &callers {
        let reply = sign_in(&kit, sender, stranger.name(), PASSWORD).await;
        let found = owner(&kit, cookie(&reply, "sid").as_deref()).await;
        if reply.status != 200 || found.as_deref() != Some(stranger.name()) {
            wrong.push(format!("the right password by {}: {} {found:?}", sender.title, brief(&reply)));
        }
        // A session of before is not raised, and not kept: who had it cannot come in as the new one.
        if let Sign::Session { cookie: before, .. } = &sender.sign {
            let still = owner(&kit, Some(before)).await;
            if still.as_deref() == Some(stranger.name()) {
                wrong.push(format!("the session of {} became somebody else's", sender.title));
            }
        }
    }
    // Each guess at a name that nobody has: a wrong one freezes it.
    let guesses = callers.iter().map(|sender| {
        let kit = &kit;
        async move {
            let reply = sign_in(kit, sender, &kit.fresh("nobody"), PASSWORD).await;
            let found = owner(kit, cookie(&reply, "sid").as_deref()).await;
            (reply.status != 401 || found.is_some()).then(|| format!("a wrong name by {}: {} {found:?}", sender.title, brief(&reply)))
        }
    });
    wrong.extend(stream::iter(guesses).buffer_unordered(4).filter_map(|wrong| async { wrong }).collect::<Vec<_>>().await);
    report(&wrong);
}

async fn who_signs_out_ends_their_own_session_alone(kit: Kit) {
    let stranger = kit.stranger().await;
    let (session, other) = (kit.session(&stranger).await, kit.session(&stranger).await);
    let mut wrong = Vec::new();
    let mut callers: Vec<Who> = callers(&kit).await.into_iter().filter(|who| !matches!(who.sign, Sign::Session { .. })).collect();
    callers.extend([kit.session(&kit.admin).await, kit.session(kit.world().await.owner()).await, other.clone()]);
    for sender in &callers {
        let reply = kit.call(sender, Method::GET, "/c/log_out").send().await;
        let left = kit.get(&session, "/users/current").await.status;
        if (reply.status, left) != (200, 200) {
            wrong.push(format!("signed out by {}: {}, and the stranger's session {left}", sender.title, brief(&reply)));
        }
        if let Sign::Session { cookie, .. } = &sender.sign
            && let Some(still) = owner(&kit, Some(cookie)).await
        {
            wrong.push(format!("{} signed out, and is still {still}", sender.title));
        }
        if cookie(&reply, "sid").is_none() || owner(&kit, cookie(&reply, "sid").as_deref()).await.is_some() {
            wrong.push(format!("signed out by {}: the new cookie is somebody's, or there is none", sender.title));
        }
    }
    report(&wrong);
    // The password outlives the session.
    assert_eq!(kit.get(&stranger, "/users/current").await.status, 200);
}

async fn ways_of_signing_in_that_are_not_set_up_are_refused_for_everybody(kit: Kit) {
    let mut wrong = Vec::new();
    for who in &callers(&kit).await {
        for (method, path) in OFF {
            let reply = knock(&kit, who, method, path).await.send().await;
            if reply.status != 412 || owner(&kit, cookie(&reply, "sid").as_deref()).await.is_some() {
                wrong.push(format!("{path} by {}: {}", who.title, brief(&reply)));
            }
        }
    }
    report(&wrong);
}
