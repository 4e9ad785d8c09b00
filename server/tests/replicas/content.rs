//! Uploads, tags, deletions and visibility over two processes.

use serde_json::json;
use testkit::client::Client;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::{Moving, Pair, make_project, push_blob};

#[tokio::test]
async fn an_upload_goes_on_wherever_its_next_request_goes() {
    let Some(pair) = Pair::start().await else { return };
    let (a, b) = (pair.a.admin(), pair.b.admin());
    let content: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    let digest = oci::Digest::sha256(&content).to_string();
    make_project(&a, "moved", false).await;
    let at = a.post("/v2/moved/app/blobs/uploads/").send().await.expect(202).location();
    let first = b.patch(&at).header("content-range", "0-99999").body(content[..100_000].to_vec()).send().await.expect(202);
    assert_eq!(first.header("range"), "0-99999");
    let second = a.patch(&first.location()).header("content-range", "100000-199999").body(content[100_000..200_000].to_vec()).send().await;
    let second = second.expect(202);
    let at = second.location();
    assert_eq!(b.get(&at).send().await.expect(204).header("range"), "0-199999");
    let glue = if at.contains('?') { '&' } else { '?' };
    let _ = b.put(&format!("{at}{glue}digest={digest}")).body(content[200_000..].to_vec()).send().await.expect(201);
    for client in [&a, &b] {
        assert_eq!(client.get(&format!("/v2/moved/app/blobs/{digest}")).send().await.expect(200).body, content);
    }
    pair.stop().await;
}

#[tokio::test]
async fn two_processes_never_write_to_one_upload() {
    let Some(pair) = Pair::start().await else { return };
    let (a, b) = (pair.a.admin(), pair.b.admin());
    make_project(&a, "both", false).await;
    let at = a.post("/v2/both/app/blobs/uploads/").send().await.expect(202).location();
    let path = at.split_once("/v2/").map(|(_, rest)| format!("/v2/{rest}")).expect("an address");
    // A chunk that begins at one process, and stays unfinished while the other is sent another one for the same place.
    let mut slow = TcpStream::connect(pair.b.base_url().trim_start_matches("http://")).await.expect("a connection");
    let head = format!(
        "PATCH {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\nContent-Length: 300000\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
        b.basic()
    );
    slow.write_all(head.as_bytes()).await.expect("sent");
    let mut invited = [0; 25];
    slow.read_exact(&mut invited).await.expect("an answer");
    assert_eq!(&invited, b"HTTP/1.1 100 Continue\r\n\r\n");
    slow.write_all(&[b'b'; 100]).await.expect("sent");
    let refused = a.patch(&at).body(vec![b'a'; 1000]).send().await.expect(416);
    assert_eq!(refused.header("range"), "0-0", "nothing of it was taken");
    slow.write_all(&[b'b'; 299_900]).await.expect("sent");
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    // What was acknowledged is what is there, for both.
    let content = vec![b'b'; 300_000];
    let digest = oci::Digest::sha256(&content).to_string();
    let glue = if at.contains('?') { '&' } else { '?' };
    let _ = a.put(&format!("{at}{glue}digest={digest}")).send().await.expect(201);
    assert!(b.get(&format!("/v2/both/app/blobs/{digest}")).send().await.expect(200).body == content);
    pair.stop().await;
}

#[tokio::test]
async fn a_moved_tag_is_seen_at_once_by_both() {
    let Some(pair) = Pair::start().await else { return };
    let (a, b) = (pair.a.admin(), pair.b.admin());
    make_project(&a, "tags", false).await;
    let moving = Moving::begin(&a, "tags/app").await;
    for n in 0..200 {
        let (writer, reader) = if n % 3 == 2 { (&b, &a) } else { (&a, &b) };
        let digest = moving.push(writer, "latest", &n.to_string()).await;
        let pulled = moving.pull(reader, "latest").await.expect(200);
        assert_eq!(pulled.header("docker-content-digest"), digest, "move {n}");
        if n % 20 == 0 {
            let tag = format!("v{n}");
            moving.push(writer, &tag, &n.to_string()).await;
            let tags = reader.get("/v2/tags/app/tags/list").send().await.expect(200).json();
            assert!(tags["tags"].as_array().is_some_and(|tags| tags.contains(&json!(tag))), "{tag} is not in {tags}");
        }
    }
    pair.stop().await;
}

#[tokio::test]
async fn what_many_move_at_once_never_goes_back() {
    let Some(pair) = Pair::start().await else { return };
    let (a, b) = (pair.a.admin(), pair.b.admin());
    make_project(&a, "crowd", false).await;
    let mut all = tokio::task::JoinSet::new();
    for worker in 0..8 {
        let (a, b) = (a.clone(), b.clone());
        all.spawn(async move {
            let (writer, reader) = if worker % 2 == 0 { (a, b) } else { (b, a) };
            let moving = Moving::begin(&writer, &format!("crowd/app{worker}")).await;
            for n in 0..60 {
                let digest = moving.push(&writer, "latest", &format!("{worker}-{n}")).await;
                for _ in 0..2 {
                    let pulled = moving.pull(&reader, "latest").await.expect(200);
                    assert_eq!(pulled.header("docker-content-digest"), digest, "worker {worker}, move {n}");
                }
            }
        });
    }
    while let Some(ended) = all.join_next().await {
        ended.expect("a worker saw the new each time");
    }
    // Whoever is busy is not taken for dead.
    for server in [&pair.a, &pair.b] {
        let output = server.output();
        assert!(!output.contains("does not answer") && !output.contains("not connected with"), "{output}");
    }
    pair.stop().await;
}

#[tokio::test]
async fn what_one_deletes_is_gone_for_the_other() {
    let Some(pair) = Pair::start().await else { return };
    let (a, b) = (pair.a.admin(), pair.b.admin());
    make_project(&a, "gone", false).await;
    let moving = Moving::begin(&a, "gone/app").await;
    for n in 0..20 {
        let digest = moving.push(&a, "latest", &n.to_string()).await;
        let loose = push_blob(&a, "gone/app", format!("loose {n}").as_bytes()).await;
        let blob = format!("/v2/gone/app/blobs/{loose}");
        for reference in ["latest", &digest] {
            let _ = moving.pull(&b, reference).await.expect(200);
        }
        let _ = b.head(&blob).send().await.expect(200);
        let _ = a.delete(&moving.path(&digest)).send().await.expect(202);
        for reference in ["latest", &digest] {
            assert_eq!(moving.pull(&b, reference).await.status, 404, "{reference} after deletion {n}");
        }
        let _ = a.delete(&blob).send().await.expect(202);
        assert_eq!(b.head(&blob).send().await.status, 404, "blob after deletion {n}");
    }
    // A repository that is deleted and made again is another one.
    moving.push(&a, "latest", "last").await;
    let _ = moving.pull(&b, "latest").await.expect(200);
    let _ = a.delete("/api/v2.0/projects/gone/repositories/app").basic().send().await.expect(200);
    assert_eq!(moving.pull(&b, "latest").await.status, 404);
    let moving = Moving::begin(&a, "gone/app").await;
    let digest = moving.push(&a, "latest", "again").await;
    assert_eq!(moving.pull(&b, "latest").await.expect(200).header("docker-content-digest"), digest);
    pair.stop().await;
}

#[tokio::test]
async fn a_project_made_private_is_closed_everywhere() {
    let Some(pair) = Pair::start().await else { return };
    let (a, b) = (pair.a.admin(), pair.b.admin());
    let stranger = Client::new(&pair.b.base_url(), None);
    make_project(&a, "door", true).await;
    let moving = Moving::begin(&a, "door/app").await;
    moving.push(&a, "latest", "1").await;
    let scope = "repository:door/app:pull";
    for _ in 0..10 {
        // With a new token each time: one that was granted is good for its life, in every process (decision 4).
        let pull = async || stranger.get(&moving.path("latest")).bearer(&stranger.token(&[scope]).await).send().await;
        let _ = pull().await.expect(200);
        let set = |public: &str| a.put("/api/v2.0/projects/door").basic().json(&json!({"metadata": {"public": public}})).send();
        let _ = set("false").await.expect(200);
        assert_eq!(pull().await.status, 401);
        let _ = set("true").await.expect(200);
        let _ = pull().await.expect(200);
    }
    // Read-only mode is a setting, and in force everywhere too.
    for _ in 0..5 {
        let set = |on: bool| a.put("/api/v2.0/configurations").basic().json(&json!({"read_only": on})).send();
        let _ = set(true).await.expect(200);
        assert_eq!(b.post("/v2/door/app/blobs/uploads/").send().await.status, 403);
        let _ = set(false).await.expect(200);
        let _ = b.post("/v2/door/app/blobs/uploads/").send().await.expect(202);
    }
    pair.stop().await;
}

#[tokio::test]
async fn a_list_that_one_remembers_ends_with_what_the_other_makes() {
    let Some(pair) = Pair::start().await else { return };
    let (a, b) = (pair.a.admin(), pair.b.admin());
    let lists = ["/api/v2.0/labels?scope=g&page_size=100", "/api/v2.0/projects?page_size=100", "/api/v2.0/auditlog-exts?page_size=100"];
    for n in 0..20 {
        let (writer, reader) = if n % 2 == 0 { (&a, &b) } else { (&b, &a) };
        for list in lists {
            for _ in 0..2 {
                let _ = reader.get(list).basic().send().await.expect(200);
            }
        }
        let name = format!("shared-{n}");
        let _ = writer.post("/api/v2.0/labels").basic().json(&json!({"name": name, "scope": "g"})).send().await.expect(201);
        make_project(writer, &name, false).await;
        for list in lists {
            let shown = reader.get(list).basic().send().await.expect(200).json().to_string();
            assert!(shown.contains(&name), "{name} is not in {list}");
        }
    }
    pair.stop().await;
}
