//! The limits that an operator sets: how large a body may be, and how many uploads may send at once.

use http::Method;
use serde_json::json;
use testkit::server::Server;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::kit::{Kit, Sign, Who, report};
use crate::matrix::{brief, changes};
use crate::operations::{OPERATIONS, Target, document, place};

testkit::tests! {
    Kit;
    a_body_has_at_most_as_many_bytes_as_are_set,
    a_body_has_four_mebibytes_unless_it_is_set,
    one_upload_more_than_may_send_at_once_is_asked_to_wait,
}

async fn server_with(kit: &Kit, settings: &[(&str, &str)]) -> (Server, Kit) {
    let server = Server::start(crate::berth(), &kit.engine, settings).await.unwrap_or_else(|error| panic!("{error}"));
    let own = Kit::new(kit.name, &server.base_url(), kit.engine.clone());
    (server, own)
}

/// A JSON object of so many bytes.
fn object(bytes: usize) -> String {
    let frame = r#"{"x":""}"#.len();
    format!(r#"{{"x":"{}"}}"#, "x".repeat(bytes - frame))
}

async fn a_body_has_at_most_as_many_bytes_as_are_set(kit: Kit) {
    const LIMIT: usize = 64 << 10;
    let (server, kit) = server_with(&kit, &[("BERTH_LIMITS_REQUEST_BODY", "64 KiB")]).await;
    let (world, routes) = (kit.world().await, document(&kit).await);
    let mut wrong = Vec::new();
    for operation in OPERATIONS.iter().filter(|operation| operation.body.is_some()) {
        let Some(route) = routes.get(operation.id).filter(|route| changes(&route.method)) else { continue };
        let target = Target::new(&kit, world, world.foreign());
        let path = route.filled(|name| place(operation, &target, name, None));
        // Before anybody asks who is calling, as with everything that is wrong with a body.
        for who in [&world.people[0], world.stranger(), &world.sessions[0]] {
            let call = || kit.api(who, route.method.clone(), &path).header("content-type", "application/json");
            let (whole, chunked) = (call().body(object(LIMIT + 1)).send().await, call().chunked(object(LIMIT + 1)).send().await);
            for reply in [whole, chunked] {
                if reply.status != 413 || reply.code() != "REQUEST_ENTITY_TOO_LARGE" {
                    wrong.push(format!("{} by {}: {}", operation.id, who.title, brief(&reply)));
                }
            }
            let reply = call().body(object(LIMIT)).send().await;
            if reply.status == 413 || reply.status >= 500 {
                wrong.push(format!("{} by {} with as much as may be: {}", operation.id, who.title, brief(&reply)));
            }
        }
    }
    report(&wrong);
    let large = "x".repeat(LIMIT + 1);
    let session = &world.sessions[0];
    let form = |path: &str| kit.call(session, Method::POST, path).form(&[("principal", &large), ("password", "x")]);
    form("/c/login").send().await.expect_error(413, "REQUEST_ENTITY_TOO_LARGE");
    assert_eq!(form("/ui/fn/anything").send().await.status, 413);
    let token = kit.call(&Who::nobody(), Method::POST, "/service/token").form(&[("grant_type", "password"), ("password", &large)]);
    assert_eq!(token.send().await.status, 413);
    // What has bounds of its own keeps them: a blob and a manifest.
    let repository = format!("{}/app", world.own().name);
    kit.blob(&kit.admin, &repository, vec![b'x'; LIMIT * 2]).await;
    let padded = format!("{}{}", String::from_utf8_lossy(&kit.image(&kit.admin, &repository, "large").await), " ".repeat(LIMIT * 2));
    let _ = kit.push(&kit.admin, &repository, "large", &padded.into()).await.expect(201);
    assert!(server.stop().await.expect("it ends").success());
}

async fn a_body_has_four_mebibytes_unless_it_is_set(kit: Kit) {
    const LIMIT: usize = 4 << 20;
    let call = || kit.api(&kit.admin, Method::POST, "/projects").header("content-type", "application/json");
    call().body(object(LIMIT + 1)).send().await.expect_error(413, "REQUEST_ENTITY_TOO_LARGE");
    call().chunked(object(LIMIT + 1)).send().await.expect_error(413, "REQUEST_ENTITY_TOO_LARGE");
    call().body(object(LIMIT)).send().await.expect_error(400, "BAD_REQUEST");
}

/// A PATCH of an upload that stops half way: the connection, and how to end it.
struct Half {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl Half {
    async fn begin(kit: &Kit, who: &Who, target: &str) -> Self {
        let Sign::Header(authorization) = &who.sign else { panic!("Basic") };
        let host = kit.base.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).await.expect("a connection");
        let length = "Content-Length: 200000\r\nExpect: 100-continue";
        let head =
            format!("PATCH {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {authorization}\r\nConnection: close\r\n{length}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.expect("sent");
        // The server asks for the body when it begins to read it: then it has given this upload its place.
        let mut line = [0; 64];
        let read = stream.read(&mut line).await.expect("an answer");
        let line = String::from_utf8_lossy(&line[..read]).into_owned();
        assert!(line.starts_with("HTTP/1.1 100 "), "{line}");
        stream.write_all(&[b'x'; 100_000]).await.expect("sent");
        Self { stream, rest: vec![b'x'; 100_000] }
    }

    /// Sends the rest; the status.
    async fn end(mut self) -> u16 {
        self.stream.write_all(&self.rest).await.expect("sent");
        let mut answer = Vec::new();
        self.stream.read_to_end(&mut answer).await.expect("an answer");
        String::from_utf8_lossy(&answer).split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
    }
}

async fn one_upload_more_than_may_send_at_once_is_asked_to_wait(kit: Kit) {
    let (server, kit) = server_with(&kit, &[("BERTH_LIMITS_UPLOADS", "1")]).await;
    let project = kit.fresh("p");
    kit.project(&project, false).await;
    let start = || async {
        let path = format!("/v2/{project}/app/blobs/uploads/");
        kit.call(&kit.admin, Method::POST, &path).send().await.expect(202).location()
    };
    let (one, two) = (start().await, start().await);
    let half = Half::begin(&kit, &kit.admin, &one).await;
    let refused = kit.call(&kit.admin, Method::PATCH, &two).body("more").send().await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "TOOMANYREQUESTS"), "{refused:?}");
    assert_eq!(refused.header("retry-after"), "1");
    // What needs no place goes on meanwhile; afterwards the upload that had to wait goes on too.
    assert_eq!(kit.call(&kit.admin, Method::GET, &two).send().await.status, 204);
    let _ = kit.put(&kit.admin, &format!("/projects/{project}"), &json!({"metadata": {"public": "true"}})).await.expect(200);
    assert_eq!(half.end().await, 202);
    let _ = kit.call(&kit.admin, Method::PATCH, &two).body("more").send().await.expect(202);
    assert!(server.stop().await.expect("it ends").success());
}
