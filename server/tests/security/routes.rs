//! Every address by which data can be reached has its policy, however it is written: with slashes doubled or at the end, in other case, escaped,
//! with dots. No spelling shows a stranger what the plain one does not.

use std::time::Duration;

use http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::kit::{API, Kit, Sign, Who, report};
use crate::operations::{OPERATIONS, Target, document, place};
use crate::world::Site;

testkit::tests! {
    Kit;
    no_spelling_of_an_address_goes_around_its_policy,
    the_catalogue_has_one_address,
    what_is_no_operation_is_nothing,
    a_header_does_not_change_the_method,
}

/// A request as it is written here: no client tidies its address. Status and everything after the head's first line.
async fn raw(kit: &Kit, method: &str, target: &str, who: &Who) -> (u16, String) {
    let host = kit.base.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).await.expect("a connection");
    let authorization = match &who.sign {
        Sign::Header(value) => format!("Authorization: {value}\r\n"),
        _ => String::new(),
    };
    let head = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n{authorization}Connection: close\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
    read.expect("an answer in time").expect("an answer");
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    (status, text.split_once("\r\n").map(|(_, rest)| rest.to_owned()).unwrap_or_default())
}

/// Other ways to write an address of the API.
fn spellings(path: &str) -> Vec<String> {
    let below = path.strip_prefix(API).expect("an address of the API");
    let (head, last) = path.rsplit_once('/').expect("a slash");
    let mut all = vec![
        format!("{path}/"),
        format!("{path}//"),
        format!("{API}/{below}"),
        format!("/{path}"),
        format!("/{API}{below}/"),
        format!("/API/v2.0{below}"),
        format!("/api/V2.0{below}"),
        format!("/api/v2.0{}", below.to_uppercase()),
        format!("/%61pi/v2.0{below}"),
        format!("/api%2Fv2.0{below}"),
        format!("/api/v2.0{}", below.replace('/', "%2F")),
        format!("/api/v2.0{}", below.replace('/', "%252F")),
        format!("/api/v2.0/.{below}"),
        format!("/api/v2.0/ping/..{below}"),
        format!("/api/v2.0/ping/%2e%2e{below}"),
        format!("/api/v2.0/ping/..%2f{}", below.trim_start_matches('/')),
        format!("/v2/..{path}"),
        format!("/pkg/..{path}"),
        format!("/c/..{path}"),
        format!("{path};a=b"),
        format!("{head};/{last}"),
        format!("{path}%00"),
        format!("{path}%20"),
        format!("{path}.json"),
        format!("{path}#x"),
        format!("{path}\\"),
        format!("{head}\\{last}"),
    ];
    all.push(format!("http://other.example{path}"));
    all
}

async fn no_spelling_of_an_address_goes_around_its_policy(kit: Kit) {
    let (world, routes) = (kit.world().await, document(&kit).await);
    let site = world.foreign();
    // What only those who may read the project ever see.
    let secret = Site::description(&site.name);
    assert_eq!(kit.read(&format!("/projects/{}/repositories/app", site.name)).await["description"], secret.as_str());
    let (mut wrong, mut asked) = (Vec::new(), 0);
    for operation in OPERATIONS {
        let Some(route) = routes.get(operation.id).filter(|route| route.method == Method::GET) else { continue };
        let target = Target::new(&kit, world, site);
        let query = operation.query.map(|query| format!("?{}", query(&target))).unwrap_or_default();
        let path = format!("{API}{}", route.filled(|name| place(operation, &target, name, None)));
        for who in [&world.people[0], world.stranger()] {
            let (plain, _) = raw(&kit, "GET", &format!("{path}{query}"), who).await;
            for spelling in spellings(&path) {
                asked += 1;
                let (status, text) = raw(&kit, "GET", &format!("{spelling}{query}"), who).await;
                let is_page = text.to_ascii_lowercase().contains("content-type: text/html");
                // Other addresses are other things, or nothing; the portal's pages say the same to everybody.
                let opened = plain >= 400 && status < 300 && !is_page;
                let digest_asked = path.contains(&site.digest);
                if opened || status >= 500 || text.contains(&secret) || !digest_asked && text.contains(&site.digest) {
                    wrong.push(format!("{} by {}: {plain}, but {spelling}: {status}", operation.id, who.title));
                }
            }
        }
    }
    report(&wrong);
    assert!(asked > 1_500, "{asked} requests");
}

async fn the_catalogue_has_one_address(kit: Kit) {
    let world = kit.world().await;
    let (status, text) = raw(&kit, "GET", "/v2/_catalog", &kit.admin).await;
    assert_eq!(status, 200);
    assert!(text.contains(&world.foreign().name), "{text}");
    let spellings = [
        "/v2/_catalog",
        "/v2/_catalog/",
        "/v2//_catalog",
        "//v2/_catalog",
        "/V2/_catalog",
        "/v2/%5fcatalog",
        "/v2/%5Fcatalog",
        "/v2/_CATALOG",
        "/v2/x/../_catalog",
        "/v2/./_catalog",
        "/v2/_catalog?n=1",
        "/v2/_catalog;x",
        "/api/../v2/_catalog",
        "/v2/_catalog%00",
        "/v2/_catalog%2f",
        "/api/v2.0/_catalog",
        "/api/repositories",
        "/api/v2.0/repositories",
    ];
    for spelling in spellings {
        for who in [&world.people[0], world.stranger(), &world.robots[0]] {
            let (status, text) = raw(&kit, "GET", spelling, who).await;
            assert!(status < 500 && !text.contains(&world.foreign().name), "{spelling} by {}: {status} {text}", who.title);
        }
    }
}

async fn what_is_no_operation_is_nothing(kit: Kit) {
    let world = kit.world().await;
    let paths = [
        "/api/v2.0",
        "/api/v2.0/",
        "/api/v2.0/nosuch",
        "/api/v1/projects",
        "/api/projects",
        "/api/internal/renameadmin",
        "/api/internal/syncquota",
        "/service/notifications/jobs/adminjob/1",
        "/debug/pprof/",
        "/metrics",
        "/.git/config",
        "/etc/passwd",
        "/pkg/../../../../etc/passwd",
        "/pkg/%2e%2e/%2e%2e/etc/passwd",
        "/berth.db",
        "/instance.key",
        "/v1/_ping",
    ];
    for path in paths {
        for method in ["GET", "POST", "PUT", "DELETE"] {
            let (status, text) = raw(&kit, method, path, world.stranger()).await;
            let is_page = text.to_ascii_lowercase().contains("content-type: text/html");
            assert!((400..500).contains(&status) || is_page, "{method} {path}: {status} {text}");
            assert!(!text.contains("root:x:0"), "{method} {path}: {text}");
        }
    }
}

async fn a_header_does_not_change_the_method(kit: Kit) {
    let world = kit.world().await;
    let path = format!("/projects/{}/members/{}", world.own().name, world.own().member);
    for header in ["x-http-method-override", "x-http-method", "x-method-override"] {
        let _ = kit.api(&kit.admin, Method::GET, &path).header(header, "DELETE").send().await.expect(200);
        let _ = kit.api(&kit.admin, Method::GET, &format!("{path}?_method=DELETE")).send().await.expect(200);
    }
    let _ = kit.read(&path).await;
}
