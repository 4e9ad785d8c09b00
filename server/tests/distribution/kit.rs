//! What every test starts from: the server, a fresh project, a repository in it, a user who may do nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use http::Method;
use oci::Digest;
use oci::digest::Algorithm;
use serde_json::{Value, json};
use testkit::client::{Call, Client, Reply};
use testkit::server::{ADMIN_PASSWORD, Engine};

use crate::document::Document;

/// A password that the rule for passwords accepts.
const PASSWORD: &str = "Passw0rd1";

/// The server of one engine, as tests see it.
#[derive(Clone)]
pub(crate) struct Kit {
    /// `sqlite` or `postgres`.
    pub(crate) name: &'static str,
    /// `http://host:port`
    pub(crate) base: Arc<str>,
    /// For tests that need a server of their own.
    pub(crate) engine: Engine,
    /// The administrator.
    pub(crate) admin: Client,
    count: Arc<AtomicU32>,
}

impl Kit {
    pub(crate) fn new(name: &'static str, base: &str, engine: Engine) -> Self {
        let admin = Client::new(base, Some(("admin", ADMIN_PASSWORD)));
        Self { name, base: base.into(), engine, admin, count: Arc::default() }
    }

    /// A name that nobody used before.
    pub(crate) fn fresh(&self, prefix: &str) -> String {
        format!("{prefix}{}", self.count.fetch_add(1, Ordering::Relaxed))
    }

    /// A repository in a private project of its own.
    pub(crate) async fn repo(&self) -> Repo {
        self.repo_in(&self.project(&json!({"metadata": {"public": "false"}})).await)
    }

    /// A repository in a public project of its own.
    pub(crate) async fn public_repo(&self) -> Repo {
        self.repo_in(&self.project(&json!({"metadata": {"public": "true"}})).await)
    }

    /// `app` in a project.
    pub(crate) fn repo_in(&self, project: &str) -> Repo {
        Repo { client: self.admin.clone(), name: format!("{project}/app") }
    }

    /// Makes a project; what `request` says beside its name.
    pub(crate) async fn project(&self, request: &Value) -> String {
        let name = self.fresh("p");
        let mut request = request.clone();
        request["project_name"] = name.clone().into();
        let _ = self.admin.post("/api/v2.0/projects").basic().json(&request).send().await.expect(201);
        name
    }

    /// A user without any role.
    pub(crate) async fn user(&self) -> Client {
        self.named_user().await.1
    }

    /// The same, with the name.
    pub(crate) async fn named_user(&self) -> (String, Client) {
        let name = self.fresh("u");
        let request = json!({"username": name, "email": format!("{name}@example.com"), "realname": name, "password": PASSWORD});
        let _ = self.admin.post("/api/v2.0/users").basic().json(&request).send().await.expect(201);
        let client = Client::new(&self.base, Some((&name, PASSWORD)));
        (name, client)
    }

    /// A user with a role in the project of `repo`: 2 developer, 3 guest, 4 maintainer.
    pub(crate) async fn member(&self, repo: &Repo, role: u32) -> Client {
        let (name, client) = self.named_user().await;
        let request = json!({"role_id": role, "member_user": {"username": name}});
        let path = format!("/api/v2.0/projects/{}/members", repo.project());
        let _ = self.admin.post(&path).basic().json(&request).send().await.expect(201);
        client
    }

    /// Somebody without credentials.
    pub(crate) fn nobody(&self) -> Client {
        Client::new(&self.base, None)
    }
}

/// A repository, and who uses it.
#[derive(Clone)]
pub(crate) struct Repo {
    pub(crate) client: Client,
    /// `project/path`
    pub(crate) name: String,
}

impl Repo {
    /// The project's name.
    pub(crate) fn project(&self) -> &str {
        self.name.split('/').next().unwrap_or_default()
    }

    /// Another repository of the same project.
    pub(crate) fn sibling(&self, path: &str) -> Self {
        Self { client: self.client.clone(), name: format!("{}/{path}", self.project()) }
    }

    /// The same repository, used by somebody else.
    pub(crate) fn used_by(&self, client: &Client) -> Self {
        Self { client: client.clone(), name: self.name.clone() }
    }

    /// `/v2/<name>/<rest>`
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/v2/{}/{rest}", self.name)
    }

    pub(crate) fn call(&self, method: Method, rest: &str) -> Call {
        self.client.call(method, &self.path(rest))
    }

    pub(crate) fn get(&self, rest: &str) -> Call {
        self.call(Method::GET, rest)
    }

    pub(crate) fn head(&self, rest: &str) -> Call {
        self.call(Method::HEAD, rest)
    }

    pub(crate) fn put(&self, rest: &str) -> Call {
        self.call(Method::PUT, rest)
    }

    pub(crate) fn post(&self, rest: &str) -> Call {
        self.call(Method::POST, rest)
    }

    pub(crate) fn delete(&self, rest: &str) -> Call {
        self.call(Method::DELETE, rest)
    }

    /// Opens an upload; its address.
    pub(crate) async fn start(&self) -> String {
        self.post("blobs/uploads/").send().await.expect(202).location()
    }

    /// Closes an upload with a body, which may be empty.
    pub(crate) async fn finish(&self, location: &str, digest: &str, body: impl Into<Bytes>) -> Reply {
        self.client.put(&with_digest(location, digest)).body(body).send().await
    }

    /// Pushes a blob in one go; its digest.
    pub(crate) async fn blob(&self, content: impl Into<Bytes>) -> String {
        let content = content.into();
        let digest = Digest::sha256(&content).to_string();
        let location = self.start().await;
        let _ = self.finish(&location, &digest, content).await.expect(201);
        digest
    }

    /// An image whose blobs are pushed and whose manifest is not.
    pub(crate) async fn image(&self, seed: &str) -> Document {
        let (config, layer) = (format!(r#"{{"architecture":"amd64","os":"linux","author":"{seed}"}}"#), format!("layer of {seed}"));
        self.blob(config.clone()).await;
        self.blob(layer.clone()).await;
        Document::image(config.as_bytes(), &[layer.as_bytes()])
    }

    /// Pushes a document under a tag or digest.
    pub(crate) async fn push(&self, reference: &str, document: &Document) -> Reply {
        let call = self.put(&format!("manifests/{reference}"));
        call.header("content-type", &document.media_type).body(document.bytes.clone()).send().await
    }

    /// An image, pushed under a tag.
    pub(crate) async fn tagged(&self, tag: &str) -> Document {
        let image = self.image(&format!("{} {tag}", self.name)).await;
        let _ = self.push(tag, &image).await.expect(201);
        image
    }

    /// The status of reading a manifest.
    pub(crate) async fn manifest_status(&self, reference: &str) -> u16 {
        self.get(&format!("manifests/{reference}")).send().await.status
    }

    /// The status of asking for a blob.
    pub(crate) async fn blob_status(&self, digest: &str) -> u16 {
        self.head(&format!("blobs/{digest}")).send().await.status
    }

    /// The tags, as listed.
    pub(crate) async fn tags(&self) -> Vec<String> {
        let list = self.get("tags/list").send().await.expect(200).json();
        list["tags"].as_array().expect("an array of tags").iter().map(|tag| tag.as_str().expect("a tag").to_owned()).collect()
    }
}

/// The address of an upload with the closing digest.
pub(crate) fn with_digest(location: &str, digest: &str) -> String {
    let joint = if location.contains('?') { '&' } else { '?' };
    format!("{location}{joint}digest={digest}")
}

/// The sha256 digest of a content.
pub(crate) fn sha256(content: impl AsRef<[u8]>) -> String {
    Digest::sha256(content.as_ref()).to_string()
}

/// The sha512 digest of a content.
pub(crate) fn sha512(content: impl AsRef<[u8]>) -> String {
    Digest::of(Algorithm::Sha512, content.as_ref()).to_string()
}

/// `size` bytes that look random and are always the same for a seed.
pub(crate) fn noise(seed: u64, size: usize) -> Bytes {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        bytes.extend_from_slice(&next().to_le_bytes());
    }
    bytes.truncate(size);
    bytes.into()
}
