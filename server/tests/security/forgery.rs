//! Requests that another site makes a signed-in browser send: every operation that changes something refuses them, and so do the portal's
//! forms and functions.

use std::collections::BTreeSet;

use http::Method;
use testkit::client::{Call, Reply};
use testkit::server::Server;

use crate::kit::{Kit, Sign, Who, cookie, report};
use crate::matrix::{brief, changes, request};
use crate::operations::{OPERATIONS, Target, document};

testkit::tests! {
    Kit;
    no_operation_that_changes_something_follows_a_forged_request,
    the_registry_follows_no_forged_request,
    the_forms_of_the_portal_follow_no_forged_request,
    a_request_without_a_cookie_needs_no_token,
    cookies_stay_with_this_site_and_out_of_scripts,
}

/// A way to forge a request: whose cookies and token, and what else the browser says.
type Forged = (&'static str, Who, fn(Call) -> Call);

fn forged_ways(admin: &Who, other: &Who) -> Vec<Forged> {
    let Sign::Session { cookie, .. } = &admin.sign else { panic!("a session") };
    let with = |token: Option<String>| Who { sign: Sign::Session { cookie: cookie.clone(), token }, ..admin.clone() };
    let Sign::Session { token: others, .. } = &other.sign else { panic!("a session") };
    vec![
        ("without a token", with(None), |call| call),
        ("with somebody else's token", with(others.clone()), |call| call),
        ("with a token that is none", with(Some("bm9uZQ==".to_owned())), |call| call),
        ("from another origin", admin.clone(), |call| call.header("origin", "https://evil.example")),
        ("from an origin that has no name", admin.clone(), |call| call.header("origin", "null")),
        ("marked by the browser", admin.clone(), |call| call.header("sec-fetch-site", "cross-site")),
    ]
}

async fn no_operation_that_changes_something_follows_a_forged_request(kit: Kit) {
    let (world, routes) = (kit.world().await, document(&kit).await);
    let before = world.fingerprint(&kit).await;
    let (admin, other) = (world.sessions.last().expect("the administrator"), &world.sessions[0]);
    let (mut wrong, mut asked) = (Vec::new(), 0);
    for operation in OPERATIONS {
        let Some(route) = routes.get(operation.id).filter(|route| changes(&route.method)) else { continue };
        let target = Target::new(&kit, world, world.own());
        for (way, who, change) in forged_ways(admin, other) {
            asked += 1;
            let reply = change(request(&kit, operation, route, &who, &target, None, operation.body)).send().await;
            if reply.status != 403 || reply.code() != "FORBIDDEN" || !String::from_utf8_lossy(&reply.body).contains("CSRF") {
                wrong.push(format!("{} {way}: {}", operation.id, brief(&reply)));
            }
        }
        // Basic credentials beside the cookie change nothing: a browser adds those by itself too.
        let (_, bare, _) = forged_ways(admin, other).swap_remove(0);
        let Sign::Header(basic) = &kit.admin.sign else { panic!("Basic") };
        let call = request(&kit, operation, route, &bare, &target, None, operation.body).authorization(basic);
        let reply = call.send().await;
        if reply.status != 403 {
            wrong.push(format!("{} with Basic and a cookie: {}", operation.id, brief(&reply)));
        }
    }
    if before != world.fingerprint(&kit).await {
        wrong.push("a forged request changed something".to_owned());
    }
    report(&wrong);
    assert!(asked > 200, "{asked} requests");
}

async fn the_registry_follows_no_forged_request(kit: Kit) {
    let world = kit.world().await;
    let (own, before) = (world.own(), world.fingerprint(&kit).await);
    let (admin, other) = (world.sessions.last().expect("the administrator"), &world.sessions[0]);
    let repository = format!("/v2/{}/app", own.name);
    for (method, rest) in [
        (Method::POST, "blobs/uploads/".to_owned()),
        (Method::PUT, "manifests/forged".to_owned()),
        (Method::DELETE, "manifests/v1".to_owned()),
        (Method::DELETE, format!("manifests/{}", own.digest)),
    ] {
        for (way, who, change) in forged_ways(admin, other) {
            let reply = change(kit.call(&who, method.clone(), &format!("{repository}/{rest}"))).body("{}").send().await;
            assert!(matches!(reply.status, 401 | 403), "{way}: {reply:?}");
        }
    }
    // Neither is a token of the registry bought for somebody by another site.
    for (way, who, change) in forged_ways(admin, other) {
        let reply = change(kit.call(&who, Method::POST, "/service/token")).form(&[("service", "harbor-registry")]).send().await;
        assert!((400..500).contains(&reply.status), "{way}: {reply:?}");
    }
    assert_eq!(before, world.fingerprint(&kit).await);
}

async fn the_forms_of_the_portal_follow_no_forged_request(kit: Kit) {
    let admin = kit.session(&kit.admin).await;
    let Sign::Session { cookie: cookies, .. } = &admin.sign else { panic!("a session") };
    let form = [("principal", "admin"), ("password", "Harbor12345")];
    // Signing somebody in as somebody else is a forgery too.
    for call in [kit.call(&Who::nobody(), Method::POST, "/c/login"), kit.call(&Who::nobody(), Method::POST, "/c/userExists")] {
        let reply = call.form(&form).send().await;
        assert_eq!((reply.status, cookie(&reply, "sid")), (403, None), "{reply:?}");
    }
    let from = |path: &str| kit.call(&Who::nobody(), Method::POST, path).header("cookie", cookies).header("origin", "https://evil.example");
    let reply = from("/account/sign-in").form(&form).send().await;
    assert_eq!(cookie(&reply, "sid"), None, "{reply:?}");
    let reply = from("/account/sign-out").form(&[]).send().await;
    assert_eq!((reply.status, cookie(&reply, "sid")), (403, None), "{reply:?}");
    let reply = from("/ui/fn/anything").form(&[]).send().await.expect(403);
    assert!(String::from_utf8_lossy(&reply.body).contains("another site"), "{reply:?}");
    // The session outlived all of it.
    assert_eq!(kit.get(&admin, "/users/current").await.status, 200);
}

async fn a_request_without_a_cookie_needs_no_token(kit: Kit) {
    let world = kit.world().await;
    let path = format!("/projects/{}/metadatas/public", world.own().name);
    let call = kit.api(world.owner(), Method::PUT, &path).header("origin", "https://elsewhere.example");
    let _ = call.json(&serde_json::json!({"public": "false"})).send().await.expect(200);
}

/// What an answer says of the cookies that it sets: their names, and all their attributes.
fn cookies_set(reply: &Reply) -> Vec<(String, BTreeSet<String>)> {
    let lines = reply.headers.get_all("set-cookie").iter().map(|line| line.to_str().expect("text").to_owned());
    lines
        .map(|line| {
            let mut parts = line.split("; ");
            let name = parts.next().and_then(|pair| pair.split('=').next()).expect("a name").to_owned();
            (name, parts.map(str::to_owned).collect())
        })
        .collect()
}

/// Every answer that begins, changes or ends a session, for a client that says its scheme is this one.
async fn answers_with_cookies(kit: &Kit, scheme: &str) -> Vec<Reply> {
    let nobody = Who::nobody();
    let from = |method: Method, path: &str| kit.call(&nobody, method, path).header("x-forwarded-proto", scheme);
    let first = from(Method::GET, "/c/log_out").send().await.expect(200);
    let (guard, token) = (cookie(&first, "_gorilla_csrf").expect("a cookie"), first.header("x-harbor-csrf-token").to_owned());
    let (name, password) = kit.admin.secret.clone().expect("a person");
    let form = [("principal", name.as_str()), ("password", password.as_str())];
    let wrong = [("principal", name.as_str()), ("password", "Wrong0password")];
    let post = |path: &str| from(Method::POST, path).header("cookie", &guard).header("x-harbor-csrf-token", &token);
    let refused = post("/c/login").form(&wrong).send().await.expect(401);
    let signed_in = post("/c/login").form(&form).send().await.expect(200);
    let session = cookie(&signed_in, "sid").expect("a session");
    let read = from(Method::GET, "/api/v2.0/users/current").header("cookie", &session).send().await.expect(200);
    let by_form_refused = from(Method::POST, "/account/sign-in").form(&wrong).send().await.expect(303);
    let by_form = from(Method::POST, "/account/sign-in").form(&form).send().await.expect(303);
    let out = from(Method::POST, "/account/sign-out").header("cookie", &session).form(&[]).send().await.expect(303);
    for (reply, name) in [(&refused, "sid"), (&read, "_gorilla_csrf"), (&by_form_refused, "sign_in_name"), (&by_form, "sid"), (&out, "sid")]
    {
        assert!(cookie(reply, name).is_some(), "{name}: {reply:?}");
    }
    vec![first, refused, signed_in, read, by_form_refused, by_form, out]
}

async fn cookies_stay_with_this_site_and_out_of_scripts(kit: Kit) {
    // TLS ends at a proxy that is trusted here, and at none that the tests' common server knows.
    let settings = [("BERTH_TRUSTED_PROXIES", "127.0.0.1")];
    let server = Server::start(crate::berth(), &kit.engine, &settings).await.unwrap_or_else(|error| panic!("{error}"));
    let behind = Kit::new(kit.name, &server.base_url(), kit.engine.clone());
    for (kit, scheme, is_secure) in [(&behind, "https", true), (&behind, "http", false), (&kit, "https", false)] {
        for reply in answers_with_cookies(kit, scheme).await {
            for (name, attributes) in cookies_set(&reply) {
                let mut expected = match name.as_str() {
                    "sid" => vec!["Path=/", "HttpOnly", "SameSite=Lax"],
                    "_gorilla_csrf" => vec!["Path=/", "Max-Age=43200", "HttpOnly", "SameSite=Strict"],
                    // Set by what was refused, ended by what was not.
                    "sign_in_name" if cookie(&reply, "sid").is_some() => {
                        vec!["Path=/account/sign-in", "Max-Age=0", "HttpOnly", "SameSite=Lax"]
                    }
                    "sign_in_name" => vec!["Path=/account/sign-in", "Max-Age=60", "HttpOnly", "SameSite=Lax"],
                    other => panic!("an unknown cookie {other}: {reply:?}"),
                };
                expected.extend(is_secure.then_some("Secure"));
                assert_eq!(attributes, expected.into_iter().map(str::to_owned).collect(), "{scheme} {name}: {reply:?}");
            }
        }
    }
    assert!(server.stop().await.expect("it ends").success());
}
