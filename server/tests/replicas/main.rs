//! Two `berth` processes on one PostgreSQL database and one data directory: what one acknowledged, the other shows in the next request, also when
//! a process stands still, dies, or loses its connection. Runs where `BERTH_TEST_POSTGRES_URL` names a server to make databases on.

mod accounts;
mod content;
mod trouble;

use std::path::Path;

use serde_json::json;
use testkit::client::{Client, Reply};
use testkit::database::POSTGRES_URL;
use testkit::server::{Engine, Server};

/// Two processes on one database.
struct Pair {
    a: Server,
    b: Server,
}

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_berth"))
}

impl Pair {
    /// Starts both; `None`, with a note, where there is no PostgreSQL.
    async fn start() -> Option<Self> {
        let Ok(url) = std::env::var(POSTGRES_URL) else {
            eprintln!("skipped: {POSTGRES_URL} is not set");
            return None;
        };
        let a = Server::start(program(), &Engine::Postgres(url), &[]).await.expect("the first process starts");
        let b = a.beside().await.expect("the second process starts beside it");
        Some(Self { a, b })
    }

    async fn stop(self) {
        for server in [&self.a, &self.b] {
            assert!(
                !server.complaints().iter().any(|line| line.contains(r#""target":"panic""#) || line.contains("panicked at")),
                "{}",
                server.output()
            );
        }
        assert!(self.b.stop().await.expect("the second ends").success());
        assert!(self.a.stop().await.expect("the first ends").success());
    }
}

async fn make_project(client: &Client, name: &str, is_public: bool) {
    let body = json!({"project_name": name, "metadata": {"public": is_public.to_string()}});
    let _ = client.post("/api/v2.0/projects").basic().json(&body).send().await.expect(201);
}

/// Uploads a blob in one go; its digest.
async fn push_blob(client: &Client, repository: &str, content: &[u8]) -> String {
    let digest = oci::Digest::sha256(content).to_string();
    let begun = client.post(&format!("/v2/{repository}/blobs/uploads/")).send().await.expect(202).location();
    let glue = if begun.contains('?') { '&' } else { '?' };
    let _ = client.put(&format!("{begun}{glue}digest={digest}")).body(content.to_vec()).send().await.expect(201);
    digest
}

/// A manifest like no other with this `mark`, over a config that the repository has; and its digest.
fn manifest(config: &str, size: usize, mark: &str) -> (String, String) {
    let document = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": size},
        "layers": [],
        "annotations": {"mark": mark},
    })
    .to_string();
    let digest = oci::Digest::sha256(document.as_bytes()).to_string();
    (document, digest)
}

/// A repository whose tags are moved.
struct Moving {
    repository: String,
    config: String,
}

impl Moving {
    async fn begin(client: &Client, repository: &str) -> Self {
        let config = push_blob(client, repository, b"{}").await;
        Self { repository: repository.to_owned(), config }
    }

    /// Lets `tag` name a new manifest; its digest.
    async fn push(&self, client: &Client, tag: &str, mark: &str) -> String {
        let (document, digest) = manifest(&self.config, 2, mark);
        let put = client.put(&self.path(tag)).header("content-type", "application/vnd.oci.image.manifest.v1+json");
        let _ = put.body(document).send().await.expect(201);
        digest
    }

    /// What `reference` leads to.
    async fn pull(&self, client: &Client, reference: &str) -> Reply {
        client.get(&self.path(reference)).header("accept", "application/vnd.oci.image.manifest.v1+json").send().await
    }

    fn path(&self, reference: &str) -> String {
        format!("/v2/{}/manifests/{reference}", self.repository)
    }
}
