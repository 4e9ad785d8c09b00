//! How much memory strangers' contents cost: the resident memory of a running server, before, and at its peak while it reads what was made to be
//! large. These tests have a server of their own, which nobody else asks.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{fs, thread};

use flate2::Compression;
use flate2::write::GzEncoder;
use futures::future::join_all;
use oci::Digest;
use serde_json::{Value, json};
use testkit::server::Server;

use crate::bodies::{own_server, stop};
use crate::kit::{Kit, MANIFEST};

testkit::tests! {
    Kit;
    hostile_archives_cost_no_more_than_honest_ones,
    a_page_of_large_artifacts_is_small,
    a_page_of_large_referrers_is_small,
}

const MIB: u64 = 1 << 20;
/// What one work may need at its peak beyond what there was: some buffers of 4 MiB on every core, and what the allocator keeps.
const ROOM: u64 = 96 * MIB;
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Memory of a process that is no file's: what the kernel maps of files it takes back when it needs room, and SQLite maps its own.
fn anonymous(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the status of a process of ours");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("a line of the status");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}

/// Runs `work`; by how much the peak of the server's memory is above what it had before.
async fn grows<F: Future>(server: &Server, work: F) -> u64 {
    let pid = server.pid();
    let (before, done) = (anonymous(pid), Arc::new(AtomicBool::new(false)));
    let is_done = done.clone();
    // The kernel keeps the peak of all memory, but of this part nobody does.
    let watch = thread::spawn(move || {
        let mut peak = before;
        while !is_done.load(Ordering::Relaxed) {
            peak = peak.max(anonymous(pid));
            thread::sleep(Duration::from_millis(1));
        }
        peak
    });
    work.await;
    done.store(true, Ordering::Relaxed);
    watch.join().expect("it only looks") - before
}

/// A packed archive: entries of a type, a path and so many zeros.
fn packed(entries: &[(u8, &str, u64)]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    for (kind, path, size) in entries {
        let mut header = [0_u8; 512];
        header[..path.len()].copy_from_slice(path.as_bytes());
        header[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
        header[156] = *kind;
        header[257..265].copy_from_slice(b"ustar  \0");
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        packer.write_all(&header).expect("room");
        let block = vec![0; MIB as usize];
        for at in 0..size.div_ceil(MIB) {
            packer.write_all(&block[..usize::try_from((size - at * MIB).min(MIB)).expect("a size")]).expect("room");
        }
    }
    packer.finish().expect("room")
}

async fn hostile_archives_cost_no_more_than_honest_ones(kit: Kit) {
    let (server, kit) = own_server(&kit).await;
    kit.project("p", false).await;
    let config = kit.blob(&kit.admin, "p/chart", "{}").await;
    let hostile = [
        ("name", packed(&[(b'L', "././@LongLink", 128 * MIB), (b'0', "web/values.yaml", 1)])),
        ("link", packed(&[(b'K', "././@LongLink", 128 * MIB), (b'0', "web/values.yaml", 1)])),
        ("pax", packed(&[(b'x', "PaxHeaders/x", 128 * MIB), (b'0', "web/values.yaml", 1)])),
        ("global", packed(&[(b'g', "PaxHeaders/g", 128 * MIB), (b'0', "web/values.yaml", 1)])),
        ("late", packed(&[(b'0', "web/weights", 256 * MIB), (b'0', "web/values.yaml", 1)])),
        ("large", packed(&[(b'0', "web/values.yaml", 128 * MIB)])),
    ];
    for (tag, archive) in hostile {
        let layer = kit.blob(&kit.admin, "p/chart", archive.clone()).await;
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": config, "size": 2},
            "layers": [{"mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "digest": layer, "size": archive.len()}]});
        let _ = kit.push(&kit.admin, "p/chart", tag, &manifest.to_string().into()).await.expect(201);
        let ask = async |addition: &str| {
            let path = format!("/projects/p/repositories/chart/artifacts/{tag}/additions/{addition}");
            let reply = kit.get(&kit.admin, &path).await;
            assert!(matches!(reply.status, 200 | 400), "{path}: {reply:?}");
        };
        let asks = (0..6).flat_map(|_| ["values.yaml", "readme.md", "dependencies"]);
        let grown = grows(&server, join_all(asks.map(ask))).await;
        assert!(grown < ROOM, "{tag}: {} MiB", grown / MIB);
    }
    stop(server).await;
}

/// A text as long as an annotation can be in a manifest that is large, and like no other.
fn long(mark: usize) -> String {
    format!("{mark} {}", "x".repeat(3 << 20))
}

async fn a_page_of_large_artifacts_is_small(kit: Kit) {
    const ARTIFACTS: usize = 40;
    let (server, kit) = own_server(&kit).await;
    kit.project("p", false).await;
    let child = kit.image(&kit.admin, "p/index", "child").await;
    let digest = Digest::sha256(&child).to_string();
    let _ = kit.push(&kit.admin, "p/index", "child", &child).await.expect(201);
    for n in 0..ARTIFACTS {
        // Half of them by what is said of a child, half by what they say themselves.
        let mut descriptor = json!({"mediaType": MANIFEST, "digest": digest, "size": child.len()});
        let mut index = json!({"schemaVersion": 2, "mediaType": INDEX});
        let place = if n % 2 == 0 { &mut descriptor } else { &mut index };
        place["annotations"] = json!({"long": long(n)});
        index["manifests"] = json!([descriptor]);
        put(&kit, &format!("/v2/p/index/manifests/v{n}"), INDEX, &index).await;
    }
    let grown = grows(&server, async {
        let listed = kit.get(&kit.admin, "/projects/p/repositories/index/artifacts?page_size=100").await.expect(200);
        assert_eq!(listed.json().as_array().map(Vec::len), Some(ARTIFACTS + 1));
        assert!(listed.body.len() < 1 << 20, "{} bytes", listed.body.len());
    });
    let grown = grown.await;
    assert!(grown < ROOM, "{} MiB", grown / MIB);
    // What a list leaves out is there when one is asked for.
    for (tag, place) in [("v0", "/references/0/annotations/long"), ("v1", "/annotations/long")] {
        let one = kit.read(&format!("/projects/p/repositories/index/artifacts/{tag}")).await;
        assert!(one.pointer(place).and_then(Value::as_str).is_some_and(|text| text.len() > 3 << 20), "{tag}");
    }
    stop(server).await;
}

async fn a_page_of_large_referrers_is_small(kit: Kit) {
    const REFERRERS: usize = 40;
    let (server, kit) = own_server(&kit).await;
    kit.project("p", false).await;
    let subject = kit.image(&kit.admin, "p/app", "subject").await;
    let digest = Digest::sha256(&subject).to_string();
    let mut manifest: Value = serde_json::from_slice(&subject).expect("a manifest");
    manifest["subject"] = json!({"mediaType": MANIFEST, "digest": digest, "size": subject.len()});
    for n in 0..REFERRERS {
        manifest["annotations"] = json!({"long": long(n)});
        put(&kit, &format!("/v2/p/app/manifests/v{n}"), MANIFEST, &manifest).await;
    }
    let mut found = 0;
    let grown = grows(&server, async {
        let mut path = Some(format!("/v2/p/app/referrers/{digest}"));
        while let Some(at) = path {
            let page = kit.call(&kit.admin, http::Method::GET, &at).send().await.expect(200);
            found += page.json()["manifests"].as_array().map_or(0, Vec::len);
            assert!(page.body.len() < 5 << 20, "{} bytes", page.body.len());
            path = page.find("link").and_then(|link| link.strip_prefix('<')?.split('>').next()).map(str::to_owned);
        }
    })
    .await;
    assert_eq!(found, REFERRERS);
    assert!(grown < ROOM, "{} MiB", grown / MIB);
    stop(server).await;
}

async fn put(kit: &Kit, path: &str, media_type: &str, manifest: &Value) {
    let call = kit.call(&kit.admin, http::Method::PUT, path).header("content-type", media_type);
    let _ = call.body(manifest.to_string()).send().await.expect(201);
}
