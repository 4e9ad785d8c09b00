//! The listener over real sockets: protocols, TLS, limits, bodies that nobody reads, and the orderly end.

mod listening;

use std::time::{Duration, Instant};

use berth::listen::{Ended, Options};
use listening::{Raw, Server};

fn quick() -> Options {
    Options { grace: Duration::from_secs(20), ..Options::default() }
}

#[tokio::test]
async fn http1_and_http2_are_spoken_in_the_clear() {
    let server = Server::plain(quick());
    for (client, version) in
        [(reqwest::Client::builder().http1_only(), "HTTP/1.1"), (reqwest::Client::builder().http2_prior_knowledge(), "HTTP/2.0")]
    {
        let answer = client.build().unwrap().get(server.url("/peer")).send().await.unwrap();
        assert_eq!(format!("{:?}", answer.version()), version);
        let text = answer.text().await.unwrap();
        assert!(text.starts_with("127.0.0.1 http "), "{text}");
    }
}

/// R23: windows do not stall transfers that are larger than any of them.
#[tokio::test]
async fn http2_moves_more_than_a_window_both_ways() {
    const LENGTH: usize = 96 << 20;
    let server = Server::plain(quick());
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let begun = Instant::now();
    let count = client.post(server.url("/count")).body(vec![7; LENGTH]).send().await.unwrap().text().await.unwrap();
    assert_eq!(count, LENGTH.to_string());
    let bytes = client.get(server.url(&format!("/zeros/{LENGTH}"))).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(bytes.len(), LENGTH);
    // An early answer leaves the connection usable.
    let answer = client.patch(server.url("/refuse")).body(vec![7; LENGTH]).send().await;
    assert!(answer.is_ok_and(|a| a.status() == 401));
    assert_eq!(client.get(server.url("/hello")).send().await.unwrap().status(), 200);
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

/// R20: 100 is sent when the handler reads, and not otherwise.
#[tokio::test]
async fn continue_is_sent_only_to_those_whose_body_is_wanted() {
    let server = Server::plain(quick());
    let mut raw = Raw::connect(&server).await;
    raw.send(b"POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n").await;
    assert_eq!(raw.head().await.lines().next(), Some("HTTP/1.1 100 Continue"));
    raw.send(b"12345").await;
    let head = raw.head().await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(raw.body(&head).await, "5");

    let mut raw = Raw::connect(&server).await;
    raw.send(b"PATCH /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n").await;
    let head = raw.head().await;
    assert!(head.starts_with("HTTP/1.1 401") && head.contains("connection: close"), "{head}");
    assert_eq!(raw.body(&head).await, "refused");
}

/// R21: a client that sends everything before it reads anything still gets the answer.
#[tokio::test]
async fn a_refused_upload_of_a_gibibyte_gets_its_answer() {
    let server = Server::plain(quick());
    let mut raw = Raw::connect(&server).await;
    raw.upload("/refuse", 1 << 30).await;
    let head = raw.head().await;
    assert!(head.starts_with("HTTP/1.1 401") && head.contains("connection: close"), "{head}");
    assert_eq!(raw.body(&head).await, "refused");
    assert!(raw.ended().await);
}

#[tokio::test]
async fn a_refused_upload_over_tls_gets_its_answer() {
    let server = Server::tls(quick());
    let mut raw = Raw::connect_tls(&server).await;
    raw.upload("/refuse", 256 << 20).await;
    let head = raw.head().await;
    assert!(head.starts_with("HTTP/1.1 401"), "{head}");
    assert_eq!(raw.body(&head).await, "refused");
}

/// R22: small bodies that nobody read do not cost the connection, nor leave bytes in the way of the next request.
#[tokio::test]
async fn a_connection_outlives_small_bodies_that_nobody_read() {
    let server = Server::plain(quick());
    let mut raw = Raw::connect(&server).await;
    for round in 0..3 {
        // In two parts, so that hyper cannot have all of it when the handler answers.
        raw.send(b"PATCH /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n").await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        raw.send(&[b'x'; 4000]).await;
        let head = raw.head().await;
        assert!(head.starts_with("HTTP/1.1 401") && !head.contains("connection: close"), "{round}: {head}");
        assert_eq!(raw.body(&head).await, "refused");
        raw.send(b"PATCH /refuse HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n").await;
        raw.send(b"0\r\n\r\n").await;
        let head = raw.head().await;
        assert!(head.starts_with("HTTP/1.1 401") && !head.contains("connection: close"), "{round}: {head}");
        assert_eq!(raw.body(&head).await, "refused");
        raw.send(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let head = raw.head().await;
        assert!(head.starts_with("HTTP/1.1 404"), "{round}: {head}");
        raw.body(&head).await;
    }
}

#[tokio::test]
async fn a_body_that_stalls_ends_and_so_does_a_silent_connection() {
    let server = Server::plain(Options { body_stall: Duration::from_millis(300), first_head: Duration::from_millis(300), ..quick() });
    let mut raw = Raw::connect(&server).await;
    raw.send(b"POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n12345").await;
    let head = raw.head().await;
    assert!(head.starts_with("HTTP/1.1 400"), "{head}");
    assert_eq!(raw.body(&head).await, "the request body stalled");
    let mut silent = Raw::connect(&server).await;
    silent.send(b"GET / HT").await;
    assert!(silent.ended().await);
}

#[tokio::test]
async fn a_connection_too_many_waits_for_a_place() {
    let server = Server::plain(Options { connections: 1, ..quick() });
    let mut first = Raw::connect(&server).await;
    first.send(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let head = first.head().await;
    first.body(&head).await;
    let mut second = Raw::connect(&server).await;
    second.send(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(tokio::time::timeout(Duration::from_millis(200), second.head()).await.is_err());
    drop(first);
    assert!(second.head().await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn every_answer_names_its_request() {
    let server = Server::plain(Options { request_headers: 2000, ..quick() });
    let client = reqwest::Client::new();
    let id_of = async |path: &str, given: Option<&str>| {
        let mut request = client.get(server.url(path));
        if let Some(id) = given {
            request = request.header("x-request-id", id);
        }
        let answer = request.send().await.unwrap();
        let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        (answer.status().as_u16(), id, answer.text().await.unwrap())
    };
    assert_eq!(id_of("/hello", Some("my-id")).await, (200, "my-id".to_owned(), "hello my-id".to_owned()));
    let (_, made, seen) = id_of("/hello", Some("not sane")).await;
    assert_eq!((made.len(), seen), (36, format!("hello {made}")));
    assert_eq!(id_of("/nowhere", Some("a")).await.0, 404);
    assert_eq!(
        id_of("/v2/panic", Some("b")).await,
        (500, "b".to_owned(), r#"{"errors":[{"code":"UNKNOWN","message":"internal server error; request id b"}]}"#.to_owned())
    );
    assert_eq!(id_of("/panic", Some("c")).await, (500, "c".to_owned(), "Internal server error. Request id: c\n".to_owned()));
    assert_eq!(id_of("/v2/early-panic", Some("d")).await.0, 500);
    let (status, id, _) = id_of(&format!("/hello?{}", "x".repeat(2000)), Some("e")).await;
    assert_eq!((status, id.as_str()), (431, "e"));
}

#[tokio::test]
async fn forwarded_headers_are_believed_from_trusted_peers_only() {
    for (trusted, expected) in [(vec!["127.0.0.0/8"], "203.0.113.9 https r.example"), (vec![], "127.0.0.1 http x")] {
        let server = Server::trusting(&trusted);
        let mut raw = Raw::connect(&server).await;
        raw.send(b"GET /peer HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: r.example\r\n\r\n").await;
        let head = raw.head().await;
        assert_eq!(raw.body(&head).await, expected);
    }
}

#[tokio::test]
async fn an_upload_in_flight_survives_the_stop() {
    let server = Server::plain(quick());
    let mut upload = Raw::connect(&server).await;
    let mut idle = Raw::connect(&server).await;
    idle.send(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let head = idle.head().await;
    idle.body(&head).await;
    upload.send(b"POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.stop.graceful.cancel();
    assert!(idle.ended().await, "an idle connection is closed at once");
    assert!(tokio::net::TcpStream::connect(server.addr).await.is_err(), "nothing new is accepted");
    upload.send(b"67890").await;
    let head = upload.head().await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(upload.body(&head).await, "10");
    assert_eq!(server.ended().await, Ended::Completely);
}

#[tokio::test]
async fn the_grace_time_ends_and_a_second_signal_ends_it_at_once() {
    for (grace, now) in [(Duration::from_millis(200), false), (Duration::from_secs(100), true)] {
        let server = Server::plain(Options { grace, ..quick() });
        let mut upload = Raw::connect(&server).await;
        upload.send(b"POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345").await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        server.stop.graceful.cancel();
        if now {
            server.stop.now.cancel();
        }
        let begun = Instant::now();
        assert_eq!(server.ended().await, Ended::Cut);
        assert!(begun.elapsed() < Duration::from_secs(5));
        assert!(upload.ended().await);
    }
}
