//! How many statements every list of the API sends to the database: at most three, as many for twenty rows as for two, and none for recognising a
//! caller who was recognised before. The lists are taken from the served OpenAPI document, so that none can be forgotten.

mod in_process;

use std::collections::BTreeMap;

use http::header;
use in_process::{BASIC, Doors};
use serde_json::{Value, json};
use service::authn::Credentials;
use service::replicas::Change;
use store::Db;
use store::count::statements;
use testkit::database::each;
use testkit::instance::ADMIN_PASSWORD;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Statements of one list.
const MOST: u64 = 3;
/// Statements that find out what the caller may do and where, while nothing of that is remembered: project, roles, repository, rules.
const FACTS: u64 = 4;
/// Rows of the smaller and of the larger fill.
const FEW: usize = 2;
const MANY: usize = 20;

/// Lists that have no rows of their own in the database.
const FIXED: [&str; 4] = ["getCurrentUserPermissions", "listAuditLogEventTypes", "listAuditLogs", "getLogs"];

struct World {
    doors: Doors,
    cookie: String,
}

/// A list of the document and an address that asks for it, with everything that it can be asked for.
struct List {
    operation: String,
    address: String,
}

impl World {
    async fn open(db: Db) -> Self {
        let doors = Doors::on(db).await;
        let services = &doors.instance.services;
        // With PostgreSQL a process remembers nothing until the others know it.
        services.join_replicas().await.unwrap();
        let session = services.sessions.sign_in("admin", ADMIN_PASSWORD, None).await.unwrap().expect("admin signs in");
        Self { doors, cookie: format!("sid={session}") }
    }

    /// Makes something, as administrator; where it is.
    async fn make(&self, method: &str, address: &str, media_type: &str, body: impl Into<Vec<u8>>) -> String {
        let told = self.doors.ask(method, address, &[BASIC, ("content-type", media_type)], body.into()).await;
        assert!(told.status.is_success(), "{address}: {} {}", told.status, told.body);
        told.header(header::LOCATION).to_owned()
    }

    async fn post(&self, path: &str, body: Value) -> String {
        self.make("POST", &format!("/api/v2.0{path}"), "application/json", body.to_string()).await
    }

    async fn blob(&self, repository: &str, content: &[u8]) -> Value {
        let digest = oci::Digest::sha256(content).to_string();
        let begun = self.make("POST", &format!("/v2/{repository}/blobs/uploads/"), "application/octet-stream", "").await;
        let place = begun.split_once("/v2/").map_or(begun.clone(), |(_, rest)| format!("/v2/{rest}"));
        let glue = if place.contains('?') { '&' } else { '?' };
        self.make("PUT", &format!("{place}{glue}digest={digest}"), "application/octet-stream", content).await;
        json!({"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": content.len()})
    }

    /// A manifest like no other; its descriptor.
    async fn manifest(&self, repository: &str, tag: &str, subject: Option<&Value>) -> Value {
        let config = self.blob(repository, json!({"architecture": "amd64", "os": "linux", "mark": tag}).to_string().as_bytes()).await;
        let mut manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []});
        if let Some(subject) = subject {
            manifest["subject"] = subject.clone();
            manifest["artifactType"] = json!("application/vnd.dev.cosign.artifact.sig.v1+json");
        }
        let text = manifest.to_string();
        self.make("PUT", &format!("/v2/{repository}/manifests/{tag}"), MANIFEST, text.clone()).await;
        json!({"mediaType": MANIFEST, "digest": oci::Digest::sha256(text.as_bytes()).to_string(), "size": text.len()})
    }

    /// Makes the rows `from` to before `to` of everything that is listed.
    async fn fill(&self, from: usize, to: usize, subject: &Value) {
        for n in from..to {
            self.post(
                "/users",
                json!({"username": format!("user{n}"), "email": format!("u{n}@example.com"), "realname": "u", "password": "Passw0rd1"}),
            )
            .await;
            self.post("/projects/p0/members", json!({"role_id": 2, "member_user": {"username": format!("user{n}")}})).await;
            self.post("/projects", json!({"project_name": format!("made{n}"), "metadata": {"public": "false"}})).await;
            self.post("/usergroups", json!({"group_name": format!("group{n}"), "group_type": 2})).await;
            let access = json!([{"resource": "repository", "action": "pull"}]);
            let permissions = json!([{"kind": "project", "namespace": format!("made{n}"), "access": access}]);
            self.post("/robots", json!({"name": format!("robot{n}"), "level": "system", "duration": -1, "permissions": permissions})).await;
            let rule = json!({"action": "immutable", "template": "immutable_template", "params": {},
                "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": format!("never{n}")}],
                "scope_selectors": {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]}});
            self.post("/projects/p0/immutabletagrules", rule).await;
            let place = self.post("/labels", json!({"name": format!("label{n}"), "scope": "g", "color": "#FFFFFF"})).await;
            let label: i64 = place.rsplit('/').next().and_then(|id| id.parse().ok()).expect("a label's id");
            self.post("/projects/p0/repositories/r0/artifacts/v0/labels", json!({"id": label})).await;
            self.post("/projects/p0/repositories/r0/artifacts/v0/tags", json!({"name": format!("also{n}")})).await;
            self.manifest("p0/r0", &format!("other{n}"), None).await;
            self.manifest("p0/r0", &format!("about{n}"), Some(subject)).await;
            self.manifest(&format!("p0/repository{n}"), "v0", None).await;
        }
    }

    /// All lists of the document, asked for pages of so many rows.
    async fn lists(&self, rows: usize) -> Vec<List> {
        let document = self.doors.ask("GET", "/api/v2.0/openapi.json", &[], "").await.json();
        let mut lists = Vec::new();
        for (path, item) in document["paths"].as_object().expect("paths") {
            let operation = &item["get"];
            let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
            let name = operation["operationId"].as_str().unwrap_or_default();
            if schema["type"] == "array" || name == "search" {
                lists.push(List { operation: name.to_owned(), address: address(path, operation, rows) });
            }
        }
        assert!(lists.len() >= 20, "the document has only {} lists", lists.len());
        lists
    }

    /// Everything is as if nobody had ever asked; only who callers are is still remembered.
    fn forget_all(&self) {
        let core = &self.doors.instance.services.core;
        core.caches.projects_changed();
        for id in 0..100 {
            core.authz.members_changed(model::ProjectId(id));
            core.caches.repository_changed(model::RepositoryId(id));
        }
    }

    /// Only answers are forgotten.
    fn forget_answers(&self) {
        self.doors.instance.services.core.replicas.announce(Change::Rows);
    }

    async fn ask(&self, list: &List, caller: (&str, &str)) -> (usize, u64) {
        let (told, count) = statements(self.doors.ask("GET", &list.address, &[caller], "")).await;
        assert_eq!(told.status, 200, "{}: {}", list.address, told.body);
        let body = told.json();
        let rows = body.as_array().or_else(|| body["repository"].as_array()).map_or(0, Vec::len);
        (rows, count)
    }

    /// Statements of each list with everything but the answer remembered, and with nothing remembered.
    async fn measure(&self, lists: &[List], rows: usize) -> BTreeMap<String, (u64, u64)> {
        let mut counts = BTreeMap::new();
        for list in lists {
            let callers = [BASIC, ("cookie", self.cookie.as_str())];
            let mut both = Vec::new();
            for caller in callers {
                self.ask(list, caller).await;
                self.forget_answers();
                let (shown, warm) = self.ask(list, caller).await;
                assert!(shown >= rows || FIXED.contains(&list.operation.as_str()), "{} shows {shown} rows", list.operation);
                self.forget_all();
                let (_, cold) = self.ask(list, caller).await;
                both.push((warm, cold));
            }
            assert_eq!(both[0], both[1], "{} with Basic and with a session", list.operation);
            assert!(both[0].0 <= MOST, "{} sends {} statements", list.operation, both[0].0);
            assert!(both[0].1 <= MOST + FACTS, "{} sends {} statements at first", list.operation, both[0].1);
            counts.insert(list.operation.clone(), both[0]);
        }
        counts
    }

    /// Statements that recognise the caller the first time and later.
    async fn recognise(&self) {
        let cookie = self.cookie.trim_start_matches("sid=").to_owned();
        for credentials in [
            Credentials { basic: Some(("admin", ADMIN_PASSWORD)), ..Credentials::default() },
            Credentials { session: Some(&cookie), ..Credentials::default() },
        ] {
            self.doors.instance.services.authn.forget(service::authn::AccountRef::User(model::UserId(1)));
            let (first, cold) = statements(self.doors.instance.services.authenticate(credentials)).await;
            let (second, warm) = statements(self.doors.instance.services.authenticate(credentials)).await;
            assert!(first.unwrap().is_admin() && second.unwrap().is_admin());
            assert!((1..=2).contains(&cold), "{credentials:?} costs {cold} statements");
            assert_eq!(warm, 0, "{credentials:?} is remembered");
        }
    }
}

/// An address for an operation: parameters of the path have names of the world, flags are all on.
fn address(path: &str, operation: &Value, rows: usize) -> String {
    let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    let mut address = format!("/api/v2.0{path}");
    let mut query = Vec::new();
    for parameter in &parameters {
        let name = parameter["name"].as_str().expect("a name");
        match parameter["in"].as_str() {
            Some("path") => {
                let value = match name {
                    "project_name_or_id" | "project_name" => "p0",
                    "repository_name" => "r0",
                    "reference" => "v0",
                    other => panic!("{path}: what is {other}? The world of this test has no such thing yet"),
                };
                address = address.replace(&format!("{{{name}}}"), value);
            }
            Some("query") => match name {
                // As long as there are rows: the length at which a page does not tell by itself how many there are.
                "page_size" => query.push(format!("page_size={rows}")),
                "q" if parameter["required"] == true => query.push("q=repo".to_owned()),
                "scope" if path == "/labels" => query.push("scope=g".to_owned()),
                "username" if parameter["required"] == true => query.push("username=user".to_owned()),
                "groupname" => query.push("groupname=group".to_owned()),
                flag if flag.starts_with("with_") => query.push(format!("{flag}=true")),
                _ => {}
            },
            _ => {}
        }
    }
    format!("{address}?{}", query.join("&"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_costs_three_statements_at_most_however_long_it_is() {
    each(async |db| {
        let world = World::open(db).await;
        world.post("/projects", json!({"project_name": "p0", "metadata": {"public": "false"}})).await;
        let subject = world.manifest("p0/r0", "v0", None).await;
        world.recognise().await;
        world.fill(0, FEW, &subject).await;
        let few = world.measure(&world.lists(FEW).await, FEW).await;
        world.fill(FEW, MANY, &subject).await;
        let many = world.measure(&world.lists(MANY).await, MANY).await;
        assert_eq!(few, many, "the number of statements depends on the number of rows");
        for (operation, (warm, cold)) in &many {
            println!("{operation:<28} {warm} statements, {cold} when nothing is remembered");
        }
        world.doors.instance.services.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_remembered_until_something_is_committed() {
    each(async |db| {
        let world = World::open(db).await;
        let list = List { operation: "listProjects".into(), address: "/api/v2.0/projects?page_size=100".into() };
        let (before, first) = world.ask(&list, BASIC).await;
        let (again, second) = world.ask(&list, BASIC).await;
        assert!(first > 0 && second == 0 && before == again, "{first} and {second} statements");
        world.post("/projects", json!({"project_name": "new", "metadata": {"public": "false"}})).await;
        let (after, third) = world.ask(&list, BASIC).await;
        assert!(after == before + 1 && third > 0, "{after} projects after {third} statements");
        // Somebody else's answer is somebody else's.
        let told = world.doors.ask("GET", &list.address, &[], "").await;
        assert_eq!((told.status.as_u16(), told.json().as_array().map(Vec::len)), (200, Some(1)));
        world.doors.instance.services.stop().await;
    })
    .await;
}

/// Questions about a project that strangers ask.
const QUESTIONS: [&str; 4] = [
    "/api/v2.0/projects/NAME",
    "/api/v2.0/projects/NAME/repositories",
    "/v2/NAME/r/manifests/v",
    "/service/token?service=harbor-registry&scope=repository:NAME/r:pull,push",
];

/// Statements that each question costs a stranger who asks three times, of a project of its own: with nothing remembered, and twice again.
async fn costs(world: &World, caller: &[(&str, &str)], project: &str) -> Vec<[u64; 3]> {
    let mut costs = Vec::new();
    for (n, question) in QUESTIONS.iter().enumerate() {
        let question = question.replace("NAME", &format!("{project}{n}"));
        world.forget_all();
        let mut asked = [0; 3];
        for cost in &mut asked {
            world.forget_answers();
            let (told, count) = statements(world.doors.ask("GET", &question, caller, "")).await;
            assert!(matches!(told.status.as_u16(), 200 | 401 | 403), "{question}: {} {}", told.status, told.body);
            *cost = count;
        }
        costs.push(asked);
    }
    costs
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_pays_the_same_for_what_is_hidden_and_for_what_is_not_there() {
    each(async |db| {
        let world = World::open(db).await;
        for n in 0..QUESTIONS.len() {
            world.post("/projects", json!({"project_name": format!("hidden{n}"), "metadata": {"public": "false"}})).await;
        }
        world.post("/users", json!({"username": "nobody", "email": "n@example.com", "realname": "n", "password": "Passw0rd1"})).await;
        let stranger = ("authorization", "Basic bm9ib2R5OlBhc3N3MHJkMQ==");
        world.doors.ask("GET", "/api/v2.0/users/current", &[stranger], "").await;
        for caller in [&[][..], &[stranger]] {
            let (hidden, absent) = (costs(&world, caller, "hidden").await, costs(&world, caller, "absent").await);
            assert_eq!(hidden, absent, "{caller:?}");
            assert!(hidden.iter().any(|asked| asked[0] > 0) && hidden.iter().all(|asked| asked[1] == 0 && asked[2] == 0), "{hidden:?}");
        }
        // What was absent is there as soon as somebody made it.
        world.post("/projects", json!({"project_name": "absent0", "metadata": {"public": "true"}})).await;
        assert_eq!(world.doors.ask("GET", "/api/v2.0/projects/absent0", &[stranger], "").await.status, 200);
        world.doors.instance.services.stop().await;
    })
    .await;
}
