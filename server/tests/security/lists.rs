//! What `q`, `sort` and the other parameters of lists can be made to do: nothing but filter and order by what may be seen. Every list of the
//! served document is asked, so a new one is too.

use futures::StreamExt as _;
use futures::stream;
use http::Method;
use serde_json::{Value, json};
use testkit::client::Reply;

use crate::kit::{Kit, report};
use crate::matrix::brief;
use crate::operations::{OPERATIONS, Operation, Route, Target, document, place};

testkit::tests! {
    Kit;
    no_parameter_of_a_list_reaches_the_database_as_anything_but_a_value,
    wildcards_in_a_filter_are_characters,
    wildcards_in_a_projects_name_show_nothing_of_its_neighbours;
    alone:
    no_filter_reads_a_column_that_is_secret,
    no_order_follows_a_column_that_is_secret,
}

/// A list and how it is asked by itself.
struct List {
    operation: &'static Operation,
    route: Route,
    path: String,
    base: String,
}

impl List {
    async fn ask(&self, kit: &Kit, name: &str, value: &str) -> Reply {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (key, own) in url::form_urlencoded::parse(self.base.as_bytes()).filter(|(key, _)| key != name) {
            query.append_pair(&key, &own);
        }
        let own = url::form_urlencoded::parse(self.base.as_bytes()).find(|(key, _)| key == name).map(|(_, own)| own.into_owned());
        // What the list needs in its own `q` stays in it.
        let value =
            own.filter(|_| name == "q" && self.operation.id == "ListRobot").map_or(value.to_owned(), |own| format!("{own},{value}"));
        query.append_pair(name, &value);
        kit.api(&kit.admin, Method::GET, &format!("{}?{}", self.path, query.finish())).send().await
    }

    fn has(&self, parameter: &str) -> bool {
        self.route.query.iter().any(|name| name == parameter)
    }
}

/// All lists, asked about our own project.
async fn lists(kit: &Kit) -> Vec<List> {
    let (world, routes) = (kit.world().await, document(kit).await);
    let mut lists = Vec::new();
    for operation in OPERATIONS {
        let Some(route) = routes.get(operation.id) else { continue };
        if !route.query.iter().any(|name| matches!(name.as_str(), "q" | "sort" | "page")) {
            continue;
        }
        let target = Target::new(kit, world, world.own());
        let path = route.filled(|name| place(operation, &target, name, None));
        let base = operation.query.map(|query| query(&target)).unwrap_or_default();
        lists.push(List { operation, route: route.clone(), path, base });
    }
    assert!(lists.len() > 12, "{} lists", lists.len());
    lists
}

/// Columns of the schema that nobody is shown.
const SECRET: &[&str] =
    &["password", "Password", "password_hash", "salt", "Salt", "secret", "Secret", "secret_hash", "reset_uuid", "hash", "permissions"];

/// What an answer shows: its total and the ids or names in their order.
fn seen(reply: &Reply) -> (u16, Option<String>, Vec<Value>) {
    let rows: Vec<Value> = serde_json::from_slice(&reply.body).unwrap_or_default();
    let ids = rows.iter().map(|row| ["id", "user_id", "project_id", "name"].iter().map(|key| row[*key].clone()).collect()).collect();
    (reply.status, reply.find("x-total-count").map(str::to_owned), ids)
}

async fn no_filter_reads_a_column_that_is_secret(kit: Kit) {
    let mut wrong = Vec::new();
    for list in lists(&kit).await.iter().filter(|list| list.has("q") && list.operation.id != "search") {
        let plain = seen(&list.ask(&kit, "page_size", "100").await);
        for column in SECRET {
            for pattern in ["=~a", "={a b}", "__icontains=a", "__gte=a"] {
                let reply = list.ask(&kit, "q", &format!("{column}{pattern}")).await;
                let (status, total, _) = seen(&reply);
                // Ignored, or refused as a whole: never an oracle.
                if !(status == 200 && total == plain.1 || status == 400) {
                    wrong.push(format!("{} q={column}{pattern}: {} rows {total:?} of {:?}", list.operation.id, brief(&reply), plain.1));
                }
            }
        }
    }
    report(&wrong);
}

async fn no_order_follows_a_column_that_is_secret(kit: Kit) {
    // People whose passwords were made at different times have hashes in some order.
    for _ in 0..3 {
        kit.stranger().await;
    }
    let mut wrong = Vec::new();
    for list in lists(&kit).await.iter().filter(|list| list.has("sort")) {
        let plain = seen(&list.ask(&kit, "sort", "").await);
        for column in SECRET {
            for sign in ["", "-"] {
                let reply = list.ask(&kit, "sort", &format!("{sign}{column}")).await;
                let now = seen(&reply);
                if now.0 != 200 || now.2 != plain.2 {
                    wrong.push(format!("{} sort={sign}{column}: {}", list.operation.id, brief(&reply)));
                }
            }
        }
    }
    report(&wrong);
}

/// What people have tried to get into a statement.
fn attacks() -> Vec<String> {
    let mut attacks: Vec<String> = [
        "'",
        "\"",
        "`",
        "\\",
        "\\'",
        "' OR '1'='1",
        "' OR 1=1 --",
        "\" OR \"\"=\"",
        "') OR ('1'='1",
        "1; DROP TABLE users",
        "x' UNION SELECT secret_hash FROM robots --",
        "'||(SELECT password_hash FROM users LIMIT 1)||'",
        "$1",
        "?1",
        ":name",
        "/**/",
        "%",
        "_",
        "%%%%%",
        "\\%",
        "[",
        "[~]",
        "[1~2~3]",
        "{",
        "{}",
        "(",
        "((((((",
        "~",
        "~~",
        "=",
        "==",
        ",",
        ",,",
        "-",
        "--",
        "\u{202e}\u{1f512}é\u{0301}",
        "\u{7f}\u{1}\t\r\n",
        "9223372036854775808",
        "-9223372036854775809",
        "1e400",
        "NaN",
    ]
    .map(str::to_owned)
    .to_vec();
    // More conditions, values and keys than a statement can have.
    attacks.extend(["name=a,".repeat(4_000) + "name=a", "-name,".repeat(5_000), format!("{{{}}}", "1 ".repeat(20_000))]);
    attacks.extend(["a".repeat(8_000), "%_'".repeat(2_000), "(".repeat(4_000), format!("{{{}}}", "a ".repeat(3_000))]);
    attacks
}

async fn no_parameter_of_a_list_reaches_the_database_as_anything_but_a_value(kit: Kit) {
    let lists = lists(&kit).await;
    let mut by_name = Vec::new();
    for list in lists.iter().filter(|list| list.has("q")) {
        if seen(&list.ask(&kit, "q", "name=nothing-is-called-this").await).1.as_deref() == Some("0") {
            by_name.push(list.operation.id);
        }
    }
    assert!(by_name.len() > 4, "only {by_name:?} are filtered by name");
    let mut asks = Vec::new();
    for (list, attack) in lists.iter().flat_map(|list| attacks().into_iter().map(move |attack| (list, attack))) {
        // A flag never fails, whatever it is; pages are numbers, which have a test of their own.
        for name in list.route.query.iter().filter(|name| !name.starts_with("with_") && !name.starts_with("page")) {
            let value = if name == "sort" { format!("name,{attack},-id") } else { attack.clone() };
            asks.push((list, name.as_str(), value));
            if name == "q" {
                asks.extend(["name"].map(|key| (list, "q", format!("{key}={attack}"))));
                asks.extend(["name=~", "name={"].map(|key| (list, "q", format!("{key}{attack}"))));
            }
        }
    }
    let total = asks.len();
    let answers = stream::iter(asks).map(|(list, name, value)| {
        let (kit, by_name) = (&kit, &by_name);
        async move {
            let reply = list.ask(kit, name, &value).await;
            let short: String = value.chars().take(60).collect();
            let right = matches!(reply.status, 200 | 400 | 422);
            // What is equal to an attack is equal to nothing that is there.
            let leaks = reply.status == 200
                && by_name.contains(&list.operation.id)
                && value.starts_with("name=")
                && value.contains(" OR ")
                && seen(&reply).1.is_some_and(|total| total != "0");
            (!right || leaks).then(|| format!("{} {name}={short:?}: {}", list.operation.id, brief(&reply)))
        }
    });
    let wrong: Vec<String> = answers.buffer_unordered(8).filter_map(|wrong| async { wrong }).collect().await;
    report(&wrong);
    assert!(total > 2_000, "{total} requests");
    // Nothing was dropped.
    assert_eq!(kit.get(&kit.admin, "/users").await.status, 200);
}

async fn wildcards_in_a_filter_are_characters(kit: Kit) {
    let (prefix, own) = (kit.fresh("wild"), kit.fresh("p"));
    let project = kit.project(&own, false).await;
    for name in ["50%", "500", "a_b", "axb"] {
        kit.make("/labels", &json!({"name": format!("{prefix}{name}"), "scope": "p", "project_id": project})).await;
    }
    for name in ["a_b", "axb"] {
        kit.project(&format!("{prefix}{name}"), false).await;
        kit.account(&format!("{prefix}{name}")).await;
        kit.make("/usergroups", &json!({"group_name": format!("{prefix}{name}"), "group_type": 2})).await;
        let _ = kit.tagged(&format!("{own}/{prefix}{name}"), "v1").await;
    }
    let labels = format!("/labels?scope=p&project_id={project}&");
    // Where, what is asked, and how many it finds.
    let table = [
        (format!("{labels}q=name%3D~{prefix}50%2525"), 1),
        (format!("{labels}name={prefix}50%25"), 1),
        (format!("{labels}q=name%3D~{prefix}a_b"), 1),
        (format!("{labels}name={prefix}a_b"), 1),
        (format!("{labels}q=name%3D~{prefix}%2525"), 0),
        (format!("/projects?q=name%3D~{prefix}a_b"), 1),
        (format!("/projects?name={prefix}a_b"), 1),
        (format!("/projects?name={prefix}%25"), 0),
        (format!("/users?q=username%3D~{prefix}a_b"), 1),
        (format!("/users/search?username={prefix}a_b"), 1),
        (format!("/users/search?username={prefix}%25"), 0),
        (format!("/usergroups?group_name={prefix}a_b"), 1),
        (format!("/usergroups/search?groupname={prefix}a_b"), 1),
        (format!("/usergroups/search?groupname={prefix}%25"), 0),
        (format!("/projects/{own}/repositories?q=name%3D~{prefix}a_b"), 1),
        (format!("/repositories?q=name%3D~{prefix}a_b"), 1),
        (format!("/repositories?q=name%3D~{prefix}%2525"), 0),
    ];
    for (path, count) in table {
        assert_eq!(kit.read(&path).await.as_array().map(Vec::len), Some(count), "{path}");
    }
    let found = kit.read(&format!("/search?q={prefix}a_b")).await;
    let count = |key: &str| found[key].as_array().map(Vec::len);
    assert_eq!((count("project"), count("repository")), (Some(1), Some(1)), "{found}");
    let found = kit.read(&format!("/search?q={prefix}%25")).await;
    assert_eq!(found["project"].as_array().map(Vec::len), Some(0), "{found}");
}

async fn wildcards_in_a_projects_name_show_nothing_of_its_neighbours(kit: Kit) {
    let base = kit.fresh("t");
    let (mine, theirs) = (format!("{base}_x"), format!("{base}ax"));
    let owner = kit.stranger().await;
    let _ = kit.post(&owner, "/projects", &json!({"project_name": mine})).await.expect(201);
    kit.project(&theirs, false).await;
    let _ = kit.tagged(&format!("{theirs}/app"), "v1").await;
    let id = kit.read(&format!("/projects/{theirs}")).await["project_id"].clone();
    let access = json!([{"kind": "project", "namespace": theirs, "access": [{"resource": "repository", "action": "pull"}]}]);
    let robot = json!({"name": "neighbour", "level": "project", "duration": 1, "permissions": access});
    let _ = kit.post(&kit.admin, "/robots", &robot).await.expect(201);
    let empty = |reply: Reply| (reply.status, reply.find("x-total-count").map(str::to_owned));
    for path in [
        format!("/projects/{mine}/repositories"),
        format!("/projects/{mine}/artifacts"),
        format!("/projects/{mine}/repositories?q=name%3D~ax"),
    ] {
        assert_eq!(empty(kit.get(&owner, &path).await), (200, Some("0".to_owned())), "{path}");
    }
    assert_eq!(kit.get(&owner, &format!("/robots?q=Level%3Dproject,ProjectID%3D{id}")).await.status, 403);
    let mine_id = kit.read(&format!("/projects/{mine}")).await["project_id"].clone();
    assert_eq!(empty(kit.get(&owner, &format!("/robots?q=Level%3Dproject,ProjectID%3D{mine_id}")).await), (200, Some("0".to_owned())));
    for path in [
        format!("/search?q={base}"),
        format!("/search?q={base}_"),
        "/repositories?page_size=100".to_owned(),
        "/projects?page_size=100".to_owned(),
    ] {
        let reply = kit.get(&owner, &path).await.expect(200);
        assert!(!String::from_utf8_lossy(&reply.body).contains(&theirs), "{path}: {reply:?}");
    }
}
