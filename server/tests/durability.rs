//! What is acknowledged is on the disk: the real program, with a small library before the C library's calls (`durability/syncs.c`) that notes in
//! which order it syncs and renames. No power is cut here; that the order is right is what a power failure needs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bytes::Bytes;
use oci::digest::Digest;
use serde_json::json;
use tempfile::TempDir;
use testkit::client::{Client, Reply};
use testkit::server::{Engine, Server};

/// The program, and what it has synced and renamed.
struct Watched {
    server: Server,
    client: Client,
    syncs: PathBuf,
    is_sqlite: bool,
    _library: TempDir,
}

/// The library. Whoever builds Berth has a C compiler.
fn library(folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/durability/syncs.c");
    let built = folder.join("syncs.so");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let done = Command::new(compiler).args(["-shared", "-fPIC", "-O1", "-o"]).arg(&built).arg(source).arg("-ldl").status();
    assert!(done.expect("a C compiler").success());
    built
}

impl Watched {
    async fn start(engine: &Engine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (library, syncs) = (library(folder.path()), folder.path().join("syncs"));
        let settings = [("LD_PRELOAD", library.to_str().unwrap()), ("BERTH_TEST_SYNCS", syncs.to_str().unwrap())];
        let server =
            Server::start(Path::new(env!("CARGO_BIN_EXE_berth")), engine, &settings).await.unwrap_or_else(|error| panic!("{error}"));
        let client = server.admin();
        Self { server, client, syncs, is_sqlite: matches!(engine, Engine::Sqlite), _library: folder }
    }

    /// All lines so far.
    fn lines(&self) -> Vec<String> {
        fs::read_to_string(&self.syncs).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// Sends, and gives the answer and what was synced and renamed between the question and the answer.
    async fn during(&self, call: testkit::client::Call) -> (Reply, Vec<String>) {
        let before = self.lines().len();
        let reply = call.basic().send().await;
        (reply, self.lines().split_off(before))
    }

    /// Where in `lines`, from `from` on, the database's log was brought to the disk; on PostgreSQL that is the server's doing.
    fn log_synced(&self, lines: &[String], from: usize, what: &str) {
        let found = lines[from..].iter().any(|line| line.starts_with("sync ") && line.ends_with("/berth.db-wal"));
        assert!(found || !self.is_sqlite, "{what} was acknowledged before the database's log was synced: {lines:#?}");
    }

    /// That a blob was acknowledged in the right order: its bytes, its name, the directories that hold the name, the row.
    fn blob_synced(&self, lines: &[String], digest: &Digest, what: &str) {
        let directory = format!("/docker/registry/v2/blobs/{}/{}/{}", digest.algorithm(), &digest.hex()[..2], digest.hex());
        let after = |from: usize, fits: &dyn Fn(&str) -> bool, step: &str| {
            let place = lines[from..].iter().position(|line| fits(line)).map(|place| from + place);
            place.unwrap_or_else(|| panic!("{what} was acknowledged without {step}: {lines:#?}"))
        };
        let is_move = |line: &str| line.starts_with("rename ") && line.ends_with(&format!("{directory}/data"));
        let moved = after(0, &is_move, "the file's move to its place");
        let upload = lines[moved].split(' ').nth(1).unwrap_or_default();
        let synced = after(0, &|line| line == format!("sync {upload}"), "a sync of its bytes");
        assert!(synced < moved, "{what} had its place before its bytes were synced: {lines:#?}");
        let named = after(moved, &|line| line.starts_with("sync ") && line.ends_with(&directory), "a sync of its directory");
        let above = directory.rsplit_once('/').map_or("", |(above, _)| above);
        let prefix = after(moved, &|line| line.starts_with("sync ") && line.ends_with(above), "a sync of the directory above");
        self.log_synced(lines, named.max(prefix), what);
    }

    async fn upload(&self) -> String {
        self.client.post("/v2/north/app/blobs/uploads/").basic().send().await.expect(202).location()
    }
}

/// The address that closes an upload.
fn closing(upload: &str, digest: &Digest) -> String {
    format!("{upload}{}digest={digest}", if upload.contains('?') { '&' } else { '?' })
}

/// Bytes that no other test pushes.
fn content(seed: u8, length: usize) -> (Bytes, Digest) {
    let bytes: Bytes = (0..length).map(|at| (at as u8).wrapping_mul(31) ^ seed).collect();
    let digest = Digest::sha256(&bytes);
    (bytes, digest)
}

async fn engines(check: impl AsyncFn(&Watched)) {
    let mut engines = vec![Engine::Sqlite];
    match std::env::var(testkit::database::POSTGRES_URL) {
        Ok(url) if !url.is_empty() => engines.push(Engine::Postgres(url)),
        _ => eprintln!("not tested on PostgreSQL"),
    }
    for engine in engines {
        let watched = Watched::start(&engine).await;
        let project = json!({"project_name": "north"});
        let (reply, lines) = watched.during(watched.client.post("/api/v2.0/projects").json(&project)).await;
        let _ = reply.expect(201);
        watched.log_synced(&lines, 0, "a project");
        check(&watched).await;
        assert!(watched.server.stop().await.expect("it ends").success());
    }
}

#[tokio::test]
async fn a_blob_is_acknowledged_when_its_bytes_its_name_and_its_row_are_on_the_disk() {
    engines(async |watched| {
        for (seed, length) in [(1, 10), (2, 200_000), (3, 3_000_000)] {
            let (bytes, digest) = content(seed, length);
            let address = closing(&watched.upload().await, &digest);
            let (reply, lines) = watched.during(watched.client.put(&address).body(bytes)).await;
            let _ = reply.expect(201);
            watched.blob_synced(&lines, &digest, &format!("a blob of {length} bytes in the closing request"));

            let (bytes, digest) = content(seed + 10, length);
            let at_once = format!("/v2/north/app/blobs/uploads/?digest={digest}");
            let (reply, lines) = watched.during(watched.client.post(&at_once).body(bytes)).await;
            let _ = reply.expect(201);
            watched.blob_synced(&lines, &digest, &format!("a blob of {length} bytes in one request"));

            let (bytes, digest) = content(seed + 20, length);
            let upload = watched.upload().await;
            let place = watched.client.patch(&upload).basic().chunked(bytes).send().await.expect(202).location();
            let (reply, lines) = watched.during(watched.client.put(&closing(&place, &digest))).await;
            let _ = reply.expect(201);
            watched.blob_synced(&lines, &digest, &format!("a blob of {length} bytes in a stream"));

            // Content that is there already: whoever brought it may still be on the way to the disk.
            let (bytes, digest) = content(seed + 20, length);
            let again = format!("/v2/north/web/blobs/uploads/?digest={digest}");
            let (reply, lines) = watched.during(watched.client.post(&again).body(bytes)).await;
            let _ = reply.expect(201);
            let directory = format!("/{}", digest.hex());
            let named = lines.iter().position(|line| line.starts_with("sync ") && line.ends_with(&directory));
            watched.log_synced(&lines, named.unwrap_or_else(|| panic!("not synced again: {lines:#?}")), "a blob that is there");
        }
    })
    .await;
}

#[tokio::test]
async fn what_changes_the_database_is_acknowledged_when_its_log_is_on_the_disk() {
    engines(async |watched| {
        let client = &watched.client;
        for seed in 30..34 {
            let (config, digest) = content(seed, 40);
            let at_once = format!("/v2/north/app/blobs/uploads/?digest={digest}");
            let _ = client.post(&at_once).basic().body(config).send().await.expect(201);
            let manifest = json!({"schemaVersion": 2, "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest.to_string(), "size": 40}, "layers": []});
            let put = client.put(&format!("/v2/north/app/manifests/v{seed}"));
            let put = put.header("content-type", "application/vnd.oci.image.manifest.v1+json").body(manifest.to_string());
            let repository = "/api/v2.0/projects/north/repositories/app";
            let changes = [
                ("a manifest", put, 201),
                ("a mounted blob", client.post(&format!("/v2/north/web/blobs/uploads/?mount={digest}&from=north/app")), 201),
                ("a new tag", client.post(&format!("{repository}/artifacts/v{seed}/tags")).json(&json!({"name": format!("w{seed}")})), 201),
                ("a deleted tag", client.delete(&format!("{repository}/artifacts/v{seed}/tags/w{seed}")), 200),
                ("a deleted artifact", client.delete(&format!("{repository}/artifacts/v{seed}")), 200),
                ("a changed project", client.put("/api/v2.0/projects/north").json(&json!({"metadata": {"public": "true"}})), 200),
            ];
            for (what, call, status) in changes {
                let (reply, lines) = watched.during(call).await;
                let _ = reply.expect(status);
                watched.log_synced(&lines, 0, what);
            }
        }
    })
    .await;
}
