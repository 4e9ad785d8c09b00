//! What every test starts from: the server, callers of every kind with their credentials, and requests signed as one of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use http::Method;
use model::permission::{Action, Denied, GrantKind, GrantScope, ProjectFacts, Resource, RobotGrant, RobotLevel, Role};
use model::permission::{Caller, Effect, decide_project, decide_system};
use oci::Digest;
use serde_json::{Value, json};
use testkit::client::{Call, Client, Reply};
use testkit::server::{ADMIN_PASSWORD, Engine};
use tokio::sync::OnceCell;

use crate::world::World;

/// A password that the rule for passwords accepts.
pub(crate) const PASSWORD: &str = "Passw0rd1";
/// Where the API lives.
pub(crate) const API: &str = "/api/v2.0";

/// The server of one engine, as tests see it.
#[derive(Clone)]
pub(crate) struct Kit {
    /// `sqlite` or `postgres`.
    pub(crate) name: &'static str,
    /// `http://host:port`
    pub(crate) base: Arc<str>,
    /// For tests that need a server of their own.
    pub(crate) engine: Engine,
    /// The administrator, by Basic.
    pub(crate) admin: Who,
    client: Client,
    http: reqwest::Client,
    count: Arc<AtomicU32>,
    world: Arc<OnceCell<World>>,
}

impl Kit {
    pub(crate) fn new(name: &'static str, base: &str, engine: Engine) -> Self {
        let admin = Who::user("system admin", "admin", ADMIN_PASSWORD, Facts::User { id: 1, is_admin: true, role: None });
        // One for all: making one is dear.
        let timeout = std::time::Duration::from_secs(120);
        let redirect = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder().no_proxy().redirect(redirect).timeout(timeout).build().expect("an HTTP client");
        let client = Client::over(http.clone(), base, None);
        Self { name, base: base.into(), engine, admin, client, http, count: Arc::default(), world: Arc::default() }
    }

    /// The projects and callers that the generated tests share; made when the first asks.
    pub(crate) async fn world(&self) -> &World {
        self.world.get_or_init(|| World::make(self)).await
    }

    /// A client that fetches tokens as somebody.
    pub(crate) fn fetching(&self, who: &Who) -> Client {
        let credentials = who.secret.as_ref().map(|(name, secret)| (name.as_str(), secret.as_str()));
        Client::over(self.http.clone(), &self.base, credentials)
    }

    /// A name that nobody used before.
    pub(crate) fn fresh(&self, prefix: &str) -> String {
        format!("{prefix}{}", self.count.fetch_add(1, Ordering::Relaxed))
    }

    /// A request as somebody, to a path of the server.
    pub(crate) fn call(&self, who: &Who, method: Method, path: &str) -> Call {
        who.sign(self.client.call(method, path))
    }

    /// The same below the API's base.
    pub(crate) fn api(&self, who: &Who, method: Method, path: &str) -> Call {
        self.call(who, method, &format!("{API}{path}"))
    }

    pub(crate) async fn get(&self, who: &Who, path: &str) -> Reply {
        self.api(who, Method::GET, path).send().await
    }

    pub(crate) async fn post(&self, who: &Who, path: &str, body: &Value) -> Reply {
        self.api(who, Method::POST, path).json(body).send().await
    }

    pub(crate) async fn put(&self, who: &Who, path: &str, body: &Value) -> Reply {
        self.api(who, Method::PUT, path).json(body).send().await
    }

    pub(crate) async fn delete(&self, who: &Who, path: &str) -> Reply {
        self.api(who, Method::DELETE, path).send().await
    }

    /// What the administrator reads; it must be there.
    pub(crate) async fn read(&self, path: &str) -> Value {
        self.get(&self.admin, path).await.expect(200).json()
    }

    /// Makes something as the administrator; the last part of its address.
    pub(crate) async fn make(&self, path: &str, body: &Value) -> i64 {
        let location = self.post(&self.admin, path, body).await.expect(201).location();
        location.rsplit('/').next().and_then(|id| id.parse().ok()).unwrap_or_else(|| panic!("no id in {location}"))
    }

    /// An account of this name; its id.
    pub(crate) async fn account(&self, name: &str) -> i64 {
        self.make("/users", &json!({"username": name, "email": format!("{name}@example.com"), "realname": name, "password": PASSWORD}))
            .await
    }

    /// An account with a name of its own, without any role.
    pub(crate) async fn stranger(&self) -> Who {
        let name = self.fresh("u");
        let id = self.account(&name).await;
        Who::user("stranger", &name, PASSWORD, Facts::User { id, is_admin: false, role: None })
    }

    /// A private or public project of a name; its id.
    pub(crate) async fn project(&self, name: &str, public: bool) -> i64 {
        self.make("/projects", &json!({"project_name": name, "metadata": {"public": public.to_string()}})).await
    }

    /// Gives somebody a role in a project; the membership's id.
    pub(crate) async fn member(&self, project: &str, user: i64, role: Role) -> i64 {
        self.make(&format!("/projects/{project}/members"), &json!({"role_id": role.id(), "member_user": {"user_id": user}})).await
    }

    /// A robot with these permissions; its id and how it signs.
    pub(crate) async fn robot(
        &self,
        title: &str,
        level: RobotLevel,
        grants: Vec<RobotGrant>,
        namespace: impl Fn(i64) -> String,
    ) -> (i64, Who) {
        let mut permissions: Vec<Value> = Vec::new();
        for grant in &grants {
            let place = match grant.scope {
                GrantScope::System => "/".to_owned(),
                GrantScope::AllProjects => "*".to_owned(),
                GrantScope::Project(id) => namespace(id.get()),
            };
            let kind = grant.kind.as_str();
            let access = json!({"resource": grant.resource.as_str(), "action": grant.action.as_str()});
            match permissions.iter_mut().find(|p| p["namespace"] == place.as_str() && p["kind"] == kind) {
                Some(found) => found["access"].as_array_mut().expect("a list").push(access),
                None => permissions.push(json!({"kind": kind, "namespace": place, "access": [access]})),
            }
        }
        let body = json!({"name": self.fresh("r"), "level": level.as_str(), "duration": -1, "permissions": permissions});
        let made = self.post(&self.admin, "/robots", &body).await.expect(201).json();
        let (name, secret) = (made["name"].as_str().expect("a name"), made["secret"].as_str().expect("a secret"));
        let who = Who::user(title, name, secret, Facts::Robot { level, grants });
        (made["id"].as_i64().expect("an id"), who)
    }

    /// Somebody signed in as the portal does it: a session's cookie, and the token that goes with it.
    pub(crate) async fn session(&self, who: &Who) -> Who {
        let (name, password) = who.secret.clone().expect("a person");
        let first = self.client.get("/c/log_out").send().await.expect(200);
        let token = first.header("x-harbor-csrf-token").to_owned();
        let guard = cookie(&first, "_gorilla_csrf").expect("a cookie");
        let form = [("principal", name.as_str()), ("password", password.as_str())];
        let call = self.client.post("/c/login").header("cookie", &guard).header("x-harbor-csrf-token", &token).form(&form);
        let answer = call.send().await.expect(200);
        let session = cookie(&answer, "sid").expect("a session");
        let sign = Sign::Session { cookie: format!("{session}; {guard}"), token: Some(token) };
        Who { title: format!("{} (session)", who.title), sign, ..who.clone() }
    }

    /// Pushes a blob; its digest.
    pub(crate) async fn blob(&self, who: &Who, repository: &str, content: impl Into<Bytes>) -> String {
        let content = content.into();
        let digest = Digest::sha256(&content).to_string();
        let start = self.call(who, Method::POST, &format!("/v2/{repository}/blobs/uploads/")).send().await.expect(202).location();
        let joint = if start.contains('?') { '&' } else { '?' };
        let _ = self.call(who, Method::PUT, &format!("{start}{joint}digest={digest}")).body(content).send().await.expect(201);
        digest
    }

    /// An image whose blobs are pushed: its manifest.
    pub(crate) async fn image(&self, who: &Who, repository: &str, seed: &str) -> Bytes {
        let config = format!(r#"{{"architecture":"amd64","os":"linux","author":"{seed}"}}"#);
        let layer = format!("layer of {seed}");
        let (config_digest, layer_digest) =
            (self.blob(who, repository, config.clone()).await, self.blob(who, repository, layer.clone()).await);
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config_digest, "size": config.len()},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer_digest, "size": layer.len()}]});
        manifest.to_string().into()
    }

    /// Pushes a manifest under a reference.
    pub(crate) async fn push(&self, who: &Who, repository: &str, reference: &str, manifest: &Bytes) -> Reply {
        let call = self.call(who, Method::PUT, &format!("/v2/{repository}/manifests/{reference}"));
        call.header("content-type", MANIFEST).body(manifest.clone()).send().await
    }

    /// An image under a tag, pushed by the administrator; its digest.
    pub(crate) async fn tagged(&self, repository: &str, tag: &str) -> String {
        let manifest = self.image(&self.admin, repository, &format!("{repository} {tag}")).await;
        let _ = self.push(&self.admin, repository, tag, &manifest).await.expect(201);
        Digest::sha256(&manifest).to_string()
    }
}

/// The type of the manifests that tests push.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// `name=value` of a cookie that an answer sets.
pub(crate) fn cookie(reply: &Reply, name: &str) -> Option<String> {
    let set = reply.headers.get_all("set-cookie").iter().filter_map(|line| line.to_str().ok());
    let mut pairs = set.filter_map(|line| line.split(';').next());
    pairs.rfind(|pair| pair.strip_prefix(name).is_some_and(|rest| rest.starts_with('='))).map(str::to_owned)
}

/// What is known about a caller.
#[derive(Clone, Debug)]
pub(crate) enum Facts {
    /// Nobody we know.
    Nobody,
    /// A person, with the role that they have in our own projects.
    User { id: i64, is_admin: bool, role: Option<Role> },
    /// A robot.
    Robot { level: RobotLevel, grants: Vec<RobotGrant> },
}

/// How a request says who sends it.
#[derive(Clone, Debug)]
pub(crate) enum Sign {
    Nothing,
    Header(String),
    Session { cookie: String, token: Option<String> },
}

/// A caller.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    pub(crate) title: String,
    pub(crate) facts: Facts,
    pub(crate) sign: Sign,
    pub(crate) secret: Option<(String, String)>,
}

impl Who {
    pub(crate) fn nobody() -> Self {
        Self { title: "anonymous".to_owned(), facts: Facts::Nobody, sign: Sign::Nothing, secret: None }
    }

    pub(crate) fn user(title: &str, name: &str, password: &str, facts: Facts) -> Self {
        use base64::Engine as _;
        let basic = base64::prelude::BASE64_STANDARD.encode(format!("{name}:{password}"));
        let secret = Some((name.to_owned(), password.to_owned()));
        Self { title: title.to_owned(), facts, sign: Sign::Header(format!("Basic {basic}")), secret }
    }

    /// The same caller with a registry token.
    pub(crate) fn bearing(&self, title: &str, token: &str) -> Self {
        Self { title: title.to_owned(), sign: Sign::Header(format!("Bearer {token}")), ..self.clone() }
    }

    /// The login name.
    pub(crate) fn name(&self) -> &str {
        self.secret.as_ref().map_or("", |(name, _)| name)
    }

    fn sign(&self, call: Call) -> Call {
        match &self.sign {
            Sign::Nothing => call,
            Sign::Header(value) => call.authorization(value),
            Sign::Session { cookie, token } => {
                let call = call.header("cookie", cookie);
                match token {
                    Some(token) => call.header("x-harbor-csrf-token", token),
                    None => call,
                }
            }
        }
    }

    pub(crate) fn is_anonymous(&self) -> bool {
        matches!(self.facts, Facts::Nobody)
    }

    pub(crate) fn is_robot(&self) -> bool {
        matches!(self.facts, Facts::Robot { .. })
    }

    pub(crate) fn is_admin(&self) -> bool {
        matches!(self.facts, Facts::User { is_admin: true, .. })
    }

    /// The account's id; 0 for others than people.
    pub(crate) fn user_id(&self) -> i64 {
        match self.facts {
            Facts::User { id, .. } => id,
            _ => 0,
        }
    }

    fn asks<T>(&self, is_own: bool, ask: impl Fn(&Caller) -> T) -> T {
        match &self.facts {
            Facts::Nobody => ask(&Caller::Anonymous),
            Facts::User { is_admin, role, .. } => {
                let roles: Vec<Role> = role.filter(|_| is_own).into_iter().collect();
                ask(&Caller::User { is_admin: *is_admin, roles: &roles })
            }
            Facts::Robot { level, grants } => ask(&Caller::Robot { grants, level: *level }),
        }
    }

    /// The table's answer for a project; `is_own` says that it is one where people have their roles.
    pub(crate) fn may(&self, project: &ProjectFacts, is_own: bool, resource: Resource, action: Action) -> Result<(), Denied> {
        self.asks(is_own, |caller| decide_project(caller, project, resource, action).map(drop))
    }

    /// The table's answer at system level.
    pub(crate) fn may_at_system(&self, resource: Resource, action: Action) -> Result<(), Denied> {
        self.asks(false, |caller| decide_system(caller, resource, action).map(drop))
    }
}

/// A permission for a robot.
pub(crate) fn grant(scope: GrantScope, resource: Resource, action: Action) -> RobotGrant {
    let kind = if scope == GrantScope::System { GrantKind::System } else { GrantKind::Project };
    RobotGrant { kind, scope, resource, action, effect: Effect::Allow }
}

/// Everything that went wrong, told at once.
#[track_caller]
pub(crate) fn report(wrong: &[String]) {
    let shown: Vec<&str> = wrong.iter().take(80).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} wrong answers:\n{}", wrong.len(), shown.join("\n"));
}
