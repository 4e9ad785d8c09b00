//! R74, R121 to R123, R125: writers at once, clients that die, a server that is stopped or killed.

use std::time::Duration;

use testkit::server::{End, Server};
use tokio::net::TcpStream;

use crate::document::Document;
use crate::kit::{Kit, noise, sha256, sha512, with_digest};
use crate::raw::Raw;

testkit::tests! {
    Kit;
    r074_tag_writers_at_once_end_with_one_of_them,
    r121_two_patches_at_once_never_interleave,
    r122_an_aborted_patch_can_be_resumed,
    r122_a_connection_that_fell_silent_gives_way,
    r122_an_upload_in_use_can_be_cancelled,
    r122_an_aborted_chunk_leaves_a_session_that_works,
    r123_an_aborted_put_makes_no_blob,
    r125_a_session_survives_a_restart_and_a_kill,
    a_lost_layer_is_asked_for_again,
    r125_a_server_that_is_stopped_takes_the_chunk_that_is_on_its_way,
    pulls_are_recorded_within_a_second_and_survive_a_kill,
    one_blob_by_many_writers_at_once,
    one_manifest_by_many_writers_at_once,
    children_go_while_indexes_are_pushed,
    blobs_come_and_go_while_manifests_are_pushed,
}

async fn r074_tag_writers_at_once_end_with_one_of_them(kit: Kit) {
    let repo = kit.repo().await;
    let mut images = Vec::new();
    for n in 0..8 {
        images.push(repo.image(&format!("r074 {n}")).await);
    }
    for _ in 0..3 {
        for reply in futures::future::join_all(images.iter().map(|image| repo.push("t", image))).await {
            let _ = reply.expect(201);
        }
        let tagged = repo.get("manifests/t").send().await.expect(200);
        assert!(images.iter().any(|image| image.bytes == tagged.body && image.digest() == tagged.header("docker-content-digest")));
        assert_eq!(repo.tags().await, ["t"]);
    }
    for image in &images {
        assert_eq!(repo.manifest_status(&image.digest()).await, 200);
    }
}

async fn r121_two_patches_at_once_never_interleave(kit: Kit) {
    let repo = kit.repo().await;
    let (a, b) = (noise(1211, 1 << 20), noise(1212, 1 << 20));
    // Appended: one after the other, in either order.
    let location = repo.start().await;
    let both = [&a, &b].map(|content| repo.client.patch(&location).chunked(content.clone()).send());
    let replies = futures::future::join_all(both).await;
    let taken: Vec<_> = replies.iter().zip([&a, &b]).filter(|(reply, _)| reply.status == 202).map(|(_, content)| content.clone()).collect();
    assert!(!taken.is_empty() && replies.iter().all(|reply| [202, 416].contains(&reply.status)), "{replies:?}");
    let orders = [taken.concat(), taken.iter().rev().flatten().copied().collect::<Vec<u8>>()];
    let size = orders[0].len();
    assert_eq!(repo.client.get(&location).send().await.expect(204).header("range"), format!("0-{}", size - 1));
    let mut closed = repo.finish(&location, &sha256(&orders[0]), "").await;
    if closed.status == 400 {
        // The other order; the session ended with the wrong digest, so the same race is not run again but its content is.
        let location = repo.start().await;
        let _ = repo.client.patch(&location).chunked(orders[1].clone()).send().await.expect(202);
        closed = repo.finish(&location, &sha256(&orders[1]), "").await;
    }
    assert_eq!(closed.status, 201, "{closed:?}");
    // With ranges: the same chunk twice is stored once.
    let location = repo.start().await;
    let range = format!("0-{}", a.len() - 1);
    let same = (0..4).map(|_| repo.client.patch(&location).header("content-range", &range).body(a.clone()).send());
    let replies = futures::future::join_all(same).await;
    let count = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((count(202), count(416)), (1, 3), "{replies:?}");
    let _ = repo.finish(&location, &sha256(&a), "").await.expect(201);
}

/// The bytes that the session holds. Nothing and one byte look the same in `Range`; here it is many or none.
async fn held(repo: &crate::kit::Repo, location: &str) -> usize {
    let range = repo.client.get(location).send().await.expect(204).header("range").to_owned();
    match range.trim_start_matches("0-").parse::<usize>().expect("a number") {
        0 => 0,
        last => last + 1,
    }
}

async fn r122_an_aborted_patch_can_be_resumed(kit: Kit) {
    let repo = kit.repo().await;
    let content = noise(122, 2_000_000);
    let sign = format!("Authorization: {}", kit.admin.basic());
    for framing in ["Transfer-Encoding: chunked", "Content-Length: 2000000"] {
        let repo = repo.sibling(if framing.starts_with('T') { "chunked" } else { "length" });
        let location = repo.start().await;
        let mut raw = Raw::connect(&kit.base).await;
        raw.head("PATCH", &location, &[&sign, framing]).await;
        if framing.starts_with('T') {
            raw.send(format!("{:x}\r\n", 500_000).as_bytes()).await;
            raw.send(&content[..500_000]).await;
            raw.send(b"\r\n7a120\r\n").await;
            raw.send(&content[500_000..700_000]).await;
        } else {
            raw.send(&content[..700_000]).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        raw.cut();
        // The writer that died holds the session until the server knows of its death.
        let mut have = held(&repo, &location).await;
        for _ in 0..100 {
            if have > 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            have = held(&repo, &location).await;
        }
        assert!(have <= 700_000, "{have}");
        let rest =
            repo.client.patch(&location).header("content-range", format!("{have}-{}", content.len() - 1)).body(content.slice(have..));
        assert_eq!(rest.send().await.expect(202).header("range"), "0-1999999");
        let _ = repo.finish(&location, &sha512(&content), "").await.expect(201);
        assert!(repo.get(&format!("blobs/{}", sha512(&content))).send().await.expect(200).body == content);
    }
}

async fn r122_a_connection_that_fell_silent_gives_way(kit: Kit) {
    let repo = kit.repo().await;
    let content = noise(1220, 900_000);
    let sign = format!("Authorization: {}", kit.admin.basic());
    let location = repo.start().await;
    let mut raw = Raw::connect(&kit.base).await;
    raw.head("PATCH", &location, &[&sign, "Content-Length: 900000", "Expect: 100-continue"]).await;
    // It has its turn.
    let _ = raw.reply("PATCH").await.expect(100);
    raw.send(&content[..300_000]).await;
    // No end of the connection is seen: the client's network went away. Its next try does not know what has arrived.
    let begun = std::time::Instant::now();
    let told = repo.client.patch(&location).header("content-range", "0-899999").body(content.clone()).send().await.expect(416);
    assert_eq!(told.header("range"), "0-299999");
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    let rest = repo.client.patch(&location).header("content-range", "300000-899999").body(content.slice(300_000..));
    let _ = rest.send().await.expect(202);
    let _ = repo.finish(&location, &sha256(&content), "").await.expect(201);
    drop(raw);
}

async fn r122_an_upload_in_use_can_be_cancelled(kit: Kit) {
    let repo = kit.repo().await;
    let sign = format!("Authorization: {}", kit.admin.basic());
    let location = repo.start().await;
    let mut raw = Raw::connect(&kit.base).await;
    raw.head("PATCH", &location, &[&sign, "Content-Length: 900000", "Expect: 100-continue"]).await;
    let _ = raw.reply("PATCH").await.expect(100);
    raw.send(&noise(1222, 500_000)).await;
    let begun = std::time::Instant::now();
    let _ = repo.client.delete(&location).send().await.expect(204);
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    raw.send(&noise(1223, 400_000)).await;
    let _ = raw.reply("PATCH").await.expect(404);
    let _ = repo.client.get(&location).send().await.expect(404);
}

async fn r122_an_aborted_chunk_leaves_a_session_that_works(kit: Kit) {
    let repo = kit.repo().await;
    let content = noise(1221, 900_000);
    let sign = format!("Authorization: {}", kit.admin.basic());
    let location = repo.start().await;
    let _ = repo.client.patch(&location).header("content-range", "0-299999").body(content.slice(..300_000)).send().await.expect(202);
    let mut raw = Raw::connect(&kit.base).await;
    raw.head("PATCH", &location, &[&sign, "Content-Range: 300000-899999", "Content-Length: 600000"]).await;
    raw.send(&content[300_000..500_000]).await;
    raw.cut();
    for _ in 0..100 {
        let have = held(&repo, &location).await;
        assert!((300_000..=500_000).contains(&have), "{have}");
        let rest = repo.client.patch(&location).header("content-range", format!("{have}-899999")).body(content.slice(have..));
        let reply = rest.send().await;
        if reply.status == 202 {
            break;
        }
        // The dead writer's bytes were recorded between the two questions.
        assert_eq!(reply.status, 416, "{reply:?}");
    }
    let _ = repo.finish(&location, &sha256(&content), "").await.expect(201);
}

async fn r123_an_aborted_put_makes_no_blob(kit: Kit) {
    let repo = kit.repo().await;
    let content = noise(123, 800_000);
    let sign = format!("Authorization: {}", kit.admin.basic());
    for (digest, framing) in [
        (sha256(&content), "Content-Length: 800000"),
        (sha256(&content[..400_000]), "Content-Length: 800000"),
        (sha256(&content[..400_000]), "Transfer-Encoding: chunked"),
    ] {
        let location = repo.start().await;
        let mut raw = Raw::connect(&kit.base).await;
        raw.head("PUT", &with_digest(&location, &digest), &[&sign, framing]).await;
        if framing.starts_with('T') {
            raw.send(b"61a80\r\n").await;
        }
        raw.send(&content[..400_000]).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        raw.cut();
        for _ in 0..10 {
            assert_eq!(repo.blob_status(&digest).await, 404);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let _ = repo.client.delete(&location).send().await.expect(204);
    }
}

/// On a server of its own, which is stopped in between.
async fn r125_a_session_survives_a_restart_and_a_kill(kit: Kit) {
    let mut server = Server::start(crate::berth(), &kit.engine, &[]).await.expect("a server");
    let (a, b) = (noise(1251, 700_000), noise(1252, 300_000));
    let content = [&a[..], &b[..]].concat();
    for end in [End::Terminate, End::Kill] {
        let kit = Kit::new(kit.name, &server.base_url(), kit.engine.clone());
        let project = format!("p-{end:?}").to_lowercase();
        let request = serde_json::json!({"project_name": project});
        let _ = kit.admin.post("/api/v2.0/projects").basic().json(&request).send().await.expect(201);
        let repo = kit.repo_in(&project);
        let before = repo.tagged("before").await;
        let (streamed, ranged) = (repo.start().await, repo.start().await);
        let patched = repo.client.patch(&streamed).chunked(a.clone()).send().await.expect(202).location();
        let _ = repo.client.patch(&ranged).header("content-range", "0-699999").body(a.clone()).send().await.expect(202);
        let token = kit.admin.token(&[&format!("repository:{}:pull,push", repo.name)]).await;
        let status = server.restart(end).await.expect("the server starts again");
        assert_eq!(status.success(), end == End::Terminate, "{status}");
        // The token is as good as before, too.
        let stands = repo.client.get(&patched).bearer(&token).send().await.expect(204);
        assert_eq!(stands.header("range"), "0-699999");
        let rest = repo.client.put(&with_digest(&patched, &sha256(&content))).body(b.clone()).send().await.expect(201);
        assert!(repo.client.get(&rest.location()).send().await.expect(200).body == content);
        let more = repo.client.patch(&ranged).header("content-range", "700000-999999").body(b.clone()).send().await.expect(202);
        let _ = repo.finish(&more.location(), &sha512(&content), "").await.expect(201);
        assert_eq!(repo.get("manifests/before").send().await.expect(200).body, before.bytes);
    }
    assert_eq!(server.complaints(), Vec::<String>::new());
    assert!(server.stop().await.expect("the server ends").success());
}

/// A disk lost a layer: who pulls is told that it is not there, and so is who wants to push it again, which brings it back.
async fn a_lost_layer_is_asked_for_again(kit: Kit) {
    let server = Server::start(crate::berth(), &kit.engine, &[]).await.expect("a server");
    let kit = Kit::new(kit.name, &server.base_url(), kit.engine.clone());
    for (project, pulled_before) in [("lost", false), ("lost-later", true)] {
        let _ = kit.admin.post("/api/v2.0/projects").basic().json(&serde_json::json!({"project_name": project})).send().await.expect(201);
        let repo = kit.repo_in(project);
        let other = repo.sibling("other");
        let content = noise(project.len() as u64, 500_000);
        let digest = sha256(&content);
        repo.blob(content.clone()).await;
        if pulled_before {
            assert_eq!(repo.blob_status(&digest).await, 200);
        }
        let hex = digest.trim_start_matches("sha256:");
        let file = server.data().join(format!("registry/docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]));
        std::fs::remove_file(file).expect("a file");
        let _ = repo.get(&format!("blobs/{digest}")).send().await.expect(404);
        assert_eq!(repo.blob_status(&digest).await, 404);
        let mount = format!("/v2/{}/blobs/uploads/?mount={digest}&from={}", other.name, repo.name);
        let _ = other.client.post(&mount).send().await.expect(202);
        repo.blob(content.clone()).await;
        assert!(repo.get(&format!("blobs/{digest}")).send().await.expect(200).body == content);
        let _ = other.client.post(&mount).send().await.expect(201);
    }
    assert!(server.complaints().iter().all(|line| line.contains("is not in the storage")), "{:?}", server.complaints());
    assert!(server.stop().await.expect("the server ends").success());
}

/// On a server of its own. Asked to stop in the middle of a body, it takes the rest, acknowledges it, lets nobody in meanwhile, and ends well.
async fn r125_a_server_that_is_stopped_takes_the_chunk_that_is_on_its_way(kit: Kit) {
    let mut server = Server::start(crate::berth(), &kit.engine, &[]).await.expect("a server");
    let kit = Kit::new(kit.name, &server.base_url(), kit.engine.clone());
    let sign = format!("Authorization: {}", kit.admin.basic());
    for (seed, framing) in [(1, "Content-Length: 700000"), (2, "Transfer-Encoding: chunked")] {
        let content = noise(1259 + seed, 1_000_000);
        let repo = kit.repo().await;
        let location = repo.start().await;
        let mut raw = Raw::connect(&kit.base).await;
        raw.head("PATCH", &location, &[&sign, framing, "Expect: 100-continue"]).await;
        // The server reads: the request is in flight.
        let _ = raw.reply("PATCH").await.expect(100);
        let is_chunked = framing.starts_with('T');
        if is_chunked {
            raw.send(b"aae60\r\n").await;
        }
        raw.send(&content[..100_000]).await;
        let rest = async {
            let address = kit.base.trim_start_matches("http://");
            while TcpStream::connect(address).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            // Slowly: the grace time is long enough for that.
            for piece in content[100_000..700_000].chunks(150_000) {
                tokio::time::sleep(Duration::from_millis(200)).await;
                assert!(TcpStream::connect(address).await.is_err(), "a server that stops lets somebody in");
                raw.send(piece).await;
            }
            if is_chunked {
                raw.send(b"\r\n0\r\n\r\n").await;
            }
            raw.reply("PATCH").await.expect(202)
        };
        let (ended, taken) = tokio::join!(server.restart(End::Terminate), rest);
        assert_eq!(ended.expect("the server starts again").code(), Some(0));
        assert_eq!(taken.find("range"), Some("0-699999"), "{taken:?}");
        assert_eq!(repo.client.get(&location).send().await.expect(204).header("range"), "0-699999");
        let last = repo.client.patch(&location).header("content-range", "700000-999999").body(content.slice(700_000..));
        assert_eq!(last.send().await.expect(202).header("range"), "0-999999");
        let _ = repo.finish(&location, &sha256(&content), "").await.expect(201);
        assert!(repo.get(&format!("blobs/{}", sha256(&content))).send().await.expect(200).body == content);
    }
    assert!(server.stop().await.expect("the server ends").success());
}

async fn pulls_are_recorded_within_a_second_and_survive_a_kill(kit: Kit) {
    let mut server = Server::start(crate::berth(), &kit.engine, &[]).await.expect("a server");
    let kit = Kit::new(kit.name, &server.base_url(), kit.engine.clone());
    let _ = kit.admin.post("/api/v2.0/projects").basic().json(&serde_json::json!({"project_name": "counted"})).send().await.expect(201);
    let repo = kit.repo_in("counted");
    let _ = repo.tagged("t").await;
    for _ in 0..7 {
        let _ = repo.get("manifests/t").send().await.expect(200);
    }
    // The documented bound, and as much again for a busy machine to write the batch.
    tokio::time::sleep(2 * Duration::from_secs(1)).await;
    let status = server.restart(End::Kill).await.expect("the server starts again");
    assert!(!status.success(), "{status}");
    let path = repo.name.trim_start_matches("counted/").to_owned();
    let seen = kit.admin.get(&format!("/api/v2.0/projects/counted/repositories/{path}")).basic().send().await.expect(200);
    assert_eq!(seen.json()["pull_count"], 7);
    // The audit log has each of them.
    let logged = kit.admin.get("/api/v2.0/projects/counted/auditlog-exts?page_size=100").basic().send().await.expect(200).json();
    let rows: Vec<_> = logged.as_array().expect("rows").iter().filter(|row| row["operation"] == "pull").collect();
    assert_eq!(rows.len(), 7, "{logged}");
    for row in rows {
        let told = ["resource", "resource_type", "username"].map(|name| row[name].as_str().unwrap_or_default());
        assert_eq!((told, row["operation_result"] == true), ([format!("{}:t", repo.name).as_str(), "artifact", "admin"], true), "{row}");
    }
    assert_eq!(server.complaints(), Vec::<String>::new());
    assert!(server.stop().await.expect("the server ends").success());
}

async fn one_blob_by_many_writers_at_once(kit: Kit) {
    let repo = kit.repo().await;
    let content = noise(7, 500_000);
    let digest = sha256(&content);
    let writers = (0..8).map(|n| {
        let (repo, content, digest) = (repo.sibling(&format!("r{}", n % 2)), content.clone(), digest.clone());
        async move {
            let location = repo.start().await;
            repo.finish(&location, &digest, content).await
        }
    });
    for reply in futures::future::join_all(writers).await {
        let _ = reply.expect(201);
    }
    for name in ["r0", "r1"] {
        assert!(repo.sibling(name).get(&format!("blobs/{digest}")).send().await.expect(200).body == content);
    }
}

async fn blobs_come_and_go_while_manifests_are_pushed(kit: Kit) {
    let repo = kit.repo().await;
    repo.blob("{}").await;
    for n in 0..10 {
        let layer = format!("contended {n}");
        let digest = repo.blob(layer.clone()).await;
        let image = Document::image(b"{}", &[layer.as_bytes()]);
        let (pushed, deleted) = futures::future::join(repo.push("t", &image), repo.delete(&format!("blobs/{digest}")).send()).await;
        // Whoever came first: a manifest whose blob is there, or neither.
        match (pushed.status, deleted.status) {
            (201, 405) => assert_eq!(repo.blob_status(&digest).await, 200),
            (400, 202) => assert_eq!(repo.blob_status(&digest).await, 404),
            other => panic!("{other:?}: {pushed:?} {deleted:?}"),
        }
    }
}

async fn one_manifest_by_many_writers_at_once(kit: Kit) {
    let repo = kit.repo().await;
    for round in 0..5 {
        let image = repo.image(&format!("same {round}")).await;
        let references: Vec<String> = (0..6).map(|n| if n % 2 == 0 { format!("t{n}") } else { image.digest() }).collect();
        for reply in futures::future::join_all(references.iter().map(|reference| repo.push(reference, &image))).await {
            assert_eq!(reply.expect(201).header("docker-content-digest"), image.digest());
        }
    }
    assert_eq!(repo.tags().await, ["t0", "t2", "t4"]);
}

async fn children_go_while_indexes_are_pushed(kit: Kit) {
    let repo = kit.repo().await;
    for n in 0..10 {
        let child = repo.tagged(&format!("child{n}")).await;
        let index = Document::index(&[&child]);
        let delete = repo.delete(&format!("manifests/{}", child.digest()));
        let (pushed, deleted) = futures::future::join(repo.push("index", &index), delete.send()).await;
        match (pushed.status, deleted.status) {
            (201, 412) => assert_eq!(repo.manifest_status(&child.digest()).await, 200),
            (400, 202) => assert_eq!(repo.manifest_status(&child.digest()).await, 404),
            other => panic!("{other:?}: {pushed:?} {deleted:?}"),
        }
    }
}
