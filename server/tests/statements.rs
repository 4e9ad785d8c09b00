//! How many statements every list of the API sends to the database: at most three once the facts about its caller and its place are remembered, as
//! many for twenty rows as for two, and none for recognising a caller who was recognised before. The first time those facts are asked for besides.
//! The lists are taken from the served OpenAPI document, so that none can be forgotten, and asked for plainly, with every kind of filter and an order,
//! and for their second page, by an administrator, a member without any administration, a robot account and nobody: each sees by other statements.

#[path = "statements/forms.rs"]
mod forms;
mod in_process;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use forms::{List, forms};
use in_process::{BASIC, Doors};
use serde_json::{Value, json};
use service::authn::Credentials;
use service::replicas::Change;
use store::Db;
use store::count::statements;
use testkit::database::each;
use testkit::instance::ADMIN_PASSWORD;

/// Statements of one list: its rows, what belongs to them, and how many there are.
const MOST: u64 = 3;
/// Statements that find out what is remembered afterwards, whoever asks next: the project, the caller's roles in it, the repository and the rules. They
/// come on top where nothing is remembered yet.
const REMEMBERED_FACTS: u64 = 4;
/// Rows of the smaller and of the larger fill.
const FEW: usize = 2;
const MANY: usize = 20;

/// Lists that have no rows of their own in the database.
const FIXED: [&str; 4] = ["getCurrentUserPermissions", "listAuditLogEventTypes", "listAuditLogs", "getLogs"];

struct World {
    doors: Doors,
    cookie: String,
}

/// Somebody who asks, other than an administrator, and the lists that are known to show them as many rows as there are.
struct Asker {
    title: &'static str,
    header: (&'static str, String),
    sees: &'static [&'static str],
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

    /// Makes the rows `from` to before `to` of everything that is listed.
    async fn fill(&self, from: usize, to: usize, subject: &Value) {
        for n in from..to {
            self.doors
                .post(
                    "/users",
                    json!({"username": format!("user{n}"), "email": format!("u{n}@example.com"), "realname": "u", "password": "Passw0rd1"}),
                )
                .await;
            self.doors.post("/projects/p0/members", json!({"role_id": 2, "member_user": {"username": format!("user{n}")}})).await;
            self.doors.post("/projects", json!({"project_name": format!("made{n}"), "metadata": {"public": "false"}})).await;
            self.doors.post("/usergroups", json!({"group_name": format!("group{n}"), "group_type": 2})).await;
            let access = json!([{"resource": "repository", "action": "pull"}]);
            let permissions = json!([{"kind": "project", "namespace": format!("made{n}"), "access": access}]);
            self.doors
                .post("/robots", json!({"name": format!("robot{n}"), "level": "system", "duration": -1, "permissions": permissions}))
                .await;
            let rule = json!({"action": "immutable", "template": "immutable_template", "params": {},
                "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": format!("never{n}")}],
                "scope_selectors": {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]}});
            self.doors.post("/projects/p0/immutabletagrules", rule).await;
            let place = self.doors.post("/labels", json!({"name": format!("label{n}"), "scope": "g", "color": "#FFFFFF"})).await;
            let label: i64 = place.rsplit('/').next().and_then(|id| id.parse().ok()).expect("a label's id");
            self.doors.post("/projects/p0/repositories/r0/artifacts/v0/labels", json!({"id": label})).await;
            self.doors.post("/projects/p0/repositories/r0/artifacts/v0/tags", json!({"name": format!("also{n}")})).await;
            self.doors.manifest("p0/r0", &format!("other{n}"), None).await;
            self.doors.manifest("p0/r0", &format!("about{n}"), Some(subject)).await;
            self.doors.manifest(&format!("p0/repository{n}"), "v0", None).await;
            // What others see: projects where one of them is a member, and public ones.
            self.doors.manifest(&format!("made{n}/app"), "v0", None).await;
            self.doors.post(&format!("/projects/made{n}/members"), json!({"role_id": 1, "member_user": {"username": "mira"}})).await;
            self.doors.post("/projects", json!({"project_name": format!("open{n}"), "metadata": {"public": "true"}})).await;
            self.doors.manifest(&format!("open{n}/r0"), "v0", None).await;
            self.doors.manifest(&format!("open0/repository{n}"), "v0", None).await;
            self.doors.manifest("open0/r0", &format!("other{n}"), None).await;
        }
    }

    /// A project administrator of `p0` and of the first projects that were made, a robot that may list in the same, and nobody.
    async fn askers(&self, projects: usize) -> [Asker; 3] {
        let basic = |name: &str, secret: &str| format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{secret}")));
        let access: Vec<Value> = ["repository", "artifact", "tag", "accessory", "log", "member"]
            .map(|resource| json!({"resource": resource, "action": "list"}))
            .into();
        let names = (0..projects).map(|n| format!("made{n}")).chain(["p0".to_owned()]);
        let permissions: Vec<Value> = names.map(|name| json!({"kind": "project", "namespace": name, "access": access})).collect();
        let robot = json!({"name": format!("reader{projects}"), "level": "system", "duration": -1, "permissions": permissions}).to_string();
        let told = self.doors.ask("POST", "/api/v2.0/robots", &[BASIC, ("content-type", "application/json")], robot).await;
        assert_eq!(told.status, 201, "{}", told.body);
        let robot = told.json();
        let text = |field: &str| robot[field].as_str().expect("a text").to_owned();
        [
            Asker {
                title: "a member",
                header: ("authorization", basic("mira", "Passw0rd1")),
                sees: &[
                    "listProjects",
                    "listAllRepositories",
                    "search",
                    "listAuditLogExts",
                    "getLogExts",
                    "listRepositories",
                    "listArtifacts",
                    "listArtifactsOfProject",
                    "listTags",
                    "listAccessories",
                    "listProjectMembers",
                ],
            },
            Asker {
                title: "a robot",
                header: ("authorization", basic(&text("name"), &text("secret"))),
                sees: &[
                    "listProjects",
                    "listAllRepositories",
                    "search",
                    "listAuditLogExts",
                    "getLogExts",
                    "listRepositories",
                    "listArtifacts",
                    "listTags",
                ],
            },
            Asker {
                title: "nobody",
                header: ("accept", "*/*".to_owned()),
                sees: &["listProjects", "search", "listRepositories", "listArtifacts"],
            },
        ]
    }

    /// As [`Self::measure`], for somebody who may not ask for everything: of those lists that are answered.
    async fn measure_as(&self, asker: &Asker, lists: &[List]) -> BTreeMap<String, (u64, u64)> {
        let header = (asker.header.0, asker.header.1.as_str());
        let mut counts = BTreeMap::new();
        for list in lists {
            let at = format!("{} by {}", list.name(), asker.title);
            let told = self.doors.ask("GET", &list.address, &[header], "").await;
            if told.status != 200 {
                assert!([401, 403, 404].contains(&told.status.as_u16()), "{at}: {} {}", told.status, told.body);
                assert!(!asker.sees.contains(&list.operation.as_str()), "{at}: {} {}", told.status, told.body);
                continue;
            }
            self.forget_answers();
            let (shown, warm) = self.ask(list, header).await;
            assert!(shown >= list.least || !asker.sees.contains(&list.operation.as_str()), "{at} shows {shown} rows");
            self.forget_all();
            let (_, cold) = self.ask(list, header).await;
            assert!(warm <= MOST, "{at} sends {warm} statements");
            assert!(cold <= MOST + REMEMBERED_FACTS, "{at} sends {cold} statements at first");
            counts.insert(list.name(), (warm, cold));
        }
        assert!(asker.sees.iter().all(|operation| counts.contains_key(*operation)), "{}: {counts:?}", asker.title);
        counts
    }

    /// What everybody but the administrator costs, by title and list.
    async fn measure_all(&self, rows: usize) -> BTreeMap<(&'static str, String), (u64, u64)> {
        let mut counts = BTreeMap::new();
        for asker in self.askers(rows).await {
            // Nobody sees what is in a private project.
            let lists = self.lists(rows, if asker.title == "nobody" { "open0" } else { "p0" }).await;
            let measured = self.measure_as(&asker, &lists).await;
            counts.extend(measured.into_iter().map(|(operation, count)| ((asker.title, operation), count)));
        }
        counts
    }

    /// All lists of the document, asked for pages of so many rows, in this project: as they are, filtered and ordered, and for their second page.
    async fn lists(&self, rows: usize, project: &str) -> Vec<List> {
        let document = self.doors.ask("GET", "/api/v2.0/openapi.json", &[], "").await.json();
        let mut lists = Vec::new();
        for (path, item) in document["paths"].as_object().expect("paths") {
            let operation = &item["get"];
            let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
            let name = operation["operationId"].as_str().unwrap_or_default();
            if schema["type"] == "array" || name == "search" {
                lists.extend(forms(name, path, operation, rows, project));
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
    async fn measure(&self, lists: &[List]) -> BTreeMap<String, (u64, u64)> {
        let mut counts = BTreeMap::new();
        for list in lists {
            let callers = [BASIC, ("cookie", self.cookie.as_str())];
            let mut both = Vec::new();
            for caller in callers {
                self.ask(list, caller).await;
                self.forget_answers();
                let (shown, warm) = self.ask(list, caller).await;
                assert!(shown >= list.least || FIXED.contains(&list.operation.as_str()), "{} shows {shown} rows", list.name());
                self.forget_all();
                let (_, cold) = self.ask(list, caller).await;
                both.push((warm, cold));
            }
            assert_eq!(both[0], both[1], "{} with Basic and with a session", list.name());
            assert!(both[0].0 <= MOST, "{} sends {} statements", list.name(), both[0].0);
            assert!(both[0].1 <= MOST + REMEMBERED_FACTS, "{} sends {} statements at first", list.name(), both[0].1);
            counts.insert(list.name(), both[0]);
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

#[tokio::test(flavor = "multi_thread")]
async fn every_list_costs_three_statements_at_most_besides_facts_that_are_remembered_afterwards() {
    each(async |db| {
        let world = World::open(db).await;
        world.doors.post("/projects", json!({"project_name": "p0", "metadata": {"public": "false"}})).await;
        let subject = world.doors.manifest("p0/r0", "v0", None).await;
        let mira = json!({"username": "mira", "email": "mira@example.com", "realname": "Mira", "password": "Passw0rd1"});
        world.doors.post("/users", mira).await;
        world.doors.post("/projects/p0/members", json!({"role_id": 1, "member_user": {"username": "mira"}})).await;
        world.recognise().await;
        world.fill(0, FEW, &subject).await;
        let (few, few_of_others) = (world.measure(&world.lists(FEW, "p0").await).await, world.measure_all(FEW).await);
        world.fill(FEW, MANY, &subject).await;
        let (many, many_of_others) = (world.measure(&world.lists(MANY, "p0").await).await, world.measure_all(MANY).await);
        assert_eq!(few, many, "the number of statements depends on the number of rows");
        assert_eq!(few_of_others, many_of_others, "the number of statements depends on the number of rows");
        let all = many.iter().map(|(operation, count)| (("admin", operation.clone()), *count)).chain(many_of_others);
        for ((title, operation), (warm, cold)) in all {
            println!("{title:<10} {operation:<64} {warm} statements, {cold} when nothing is remembered");
        }
        world.doors.instance.services.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_remembered_until_something_is_committed() {
    each(async |db| {
        let world = World::open(db).await;
        let list =
            List { operation: "listProjects".into(), address: "/api/v2.0/projects?page_size=100".into(), form: String::new(), least: 1 };
        let (before, first) = world.ask(&list, BASIC).await;
        let (again, second) = world.ask(&list, BASIC).await;
        assert!(first > 0 && second == 0 && before == again, "{first} and {second} statements");
        world.doors.post("/projects", json!({"project_name": "new", "metadata": {"public": "false"}})).await;
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
            world.doors.post("/projects", json!({"project_name": format!("hidden{n}"), "metadata": {"public": "false"}})).await;
        }
        world.doors.post("/users", json!({"username": "nobody", "email": "n@example.com", "realname": "n", "password": "Passw0rd1"})).await;
        let stranger = ("authorization", "Basic bm9ib2R5OlBhc3N3MHJkMQ==");
        world.doors.ask("GET", "/api/v2.0/users/current", &[stranger], "").await;
        for caller in [&[][..], &[stranger]] {
            let (hidden, absent) = (costs(&world, caller, "hidden").await, costs(&world, caller, "absent").await);
            assert_eq!(hidden, absent, "{caller:?}");
            assert!(hidden.iter().any(|asked| asked[0] > 0) && hidden.iter().all(|asked| asked[1] == 0 && asked[2] == 0), "{hidden:?}");
        }
        // What was absent is there as soon as somebody made it.
        world.doors.post("/projects", json!({"project_name": "absent0", "metadata": {"public": "true"}})).await;
        assert_eq!(world.doors.ask("GET", "/api/v2.0/projects/absent0", &[stranger], "").await.status, 200);
        world.doors.instance.services.stop().await;
    })
    .await;
}
