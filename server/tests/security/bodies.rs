//! Bodies, numbers and sizes that nobody sends in good faith: every one is answered with what is wrong with it, none with a failure of the
//! server, and none is read beyond its bound. These tests have a server of their own, since some of what they send takes effect.

use futures::StreamExt as _;
use futures::stream;
use http::Method;
use serde_json::{Value, json};
use testkit::client::Reply;
use testkit::server::Server;

use crate::kit::{Kit, report};
use crate::matrix::{brief, changes};
use crate::operations::{OPERATIONS, Operation, Route, Target, document, place};
use crate::world::World;

testkit::tests! {
    Kit;
    no_body_brings_the_server_to_its_knees,
    numbers_of_any_size_are_numbers_or_refused,
    pages_have_bounds,
    the_registrys_lists_have_bounds,
    a_page_of_tags_is_cut_whatever_is_asked_for,
    nothing_is_exported_as_a_table,
    a_compressed_body_is_not_unpacked,
}

/// A server of one's own with everything that the generated requests name.
pub(crate) async fn own_server(kit: &Kit) -> (Server, Kit) {
    let server = Server::start(crate::berth(), &kit.engine, &[]).await.unwrap_or_else(|error| panic!("{error}"));
    let own = Kit::new(kit.name, &server.base_url(), kit.engine.clone());
    (server, own)
}

pub(crate) async fn stop(server: Server) {
    let complaints = server.complaints();
    assert!(server.stop().await.expect("it ends").success());
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// Values that a field or a whole body may have.
fn oddities() -> Vec<Value> {
    let mut deep = json!("x");
    for _ in 0..100 {
        deep = json!([{"a": deep}]);
    }
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("\u{0}"),
        json!("\u{0}a'\"\\\u{fffd}\u{1f512}\u{202e}"),
        json!("9223372036854775808"),
        json!("2026-13-45T99:99:99Z"),
        json!("x".repeat(70_000)),
        json!([]),
        json!([null, [[]], {}]),
        json!({}),
        json!({"": {"": null}}),
        deep,
    ]
}

/// Texts that are hardly JSON.
fn texts() -> Vec<String> {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(50_000), close.repeat(50_000));
    let mut all: Vec<String> =
        ["", " ", "{", "}", "nul", "{\"a\":}", "{\"a\":1,}", "[1", "\"", "{}{}", "\u{feff}{}", "{\"a\":1e999999}", "{'a':1}", "\u{0}"]
            .map(str::to_owned)
            .to_vec();
    all.extend([
        deep("[", "]"),
        deep("{\"a\":", "}"),
        format!("{{\"a\":{}}}", "9".repeat(100_000)),
        format!("{{{}\"z\":1}}", "\"a\":1,".repeat(20_000)),
    ]);
    all
}

/// How deep a model is looked into.
const DEEPEST: usize = 6;

/// The way to a value inside a body: names of fields, and `-` for the first of a list.
type Way = Vec<String>;

/// The ways to everything that a model of the document has, at any depth.
fn ways_of_model(document: &Value, schema: &Value, way: &Way, all: &mut Vec<Way>) {
    if way.len() > DEEPEST {
        return;
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return ways_of_model(document, &document["components"]["schemas"][name], way, all);
    }
    for part in ["allOf", "oneOf", "anyOf"].iter().filter_map(|word| schema[*word].as_array()).flatten() {
        ways_of_model(document, part, way, all);
    }
    let mut go = |name: &str, schema: &Value| {
        let further = [way.as_slice(), &[name.to_owned()]].concat();
        all.push(further.clone());
        ways_of_model(document, schema, &further, all);
    };
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        go(name, property);
    }
    match (&schema["items"], &schema["additionalProperties"]) {
        (items @ Value::Object(_), _) => go("-", items),
        (_, any @ Value::Object(_)) => go("public", any),
        _ => {}
    }
}

/// The ways to everything that a body has, at any depth.
fn ways_of_body(body: &Value, way: &Way, all: &mut Vec<Way>) {
    let inside: Vec<(String, &Value)> = match body {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.first().map(|item| ("-".to_owned(), item)).into_iter().collect(),
        _ => Vec::new(),
    };
    for (name, value) in inside {
        let further = [way.as_slice(), &[name]].concat();
        all.push(further.clone());
        ways_of_body(value, &further, all);
    }
}

/// Puts a value into a body, and on the way there what it needs.
fn plant(body: &mut Value, way: &[String], odd: Value) {
    let Some((name, rest)) = way.split_first() else {
        *body = odd;
        return;
    };
    let place = if name == "-" {
        if body.as_array().is_none_or(Vec::is_empty) {
            *body = json!([null]);
        }
        &mut body[0]
    } else {
        if !body.is_object() {
            *body = json!({});
        }
        &mut body[name]
    };
    plant(place, rest, odd);
}

/// A text with a null character, which no text of a body may be.
fn has_null(odd: &Value) -> bool {
    odd.as_str().is_some_and(|text| text.contains('\0'))
}

/// A JSON body for an operation on our own project by the administrator.
async fn send(kit: &Kit, world: &World, operation: &Operation, route: &Route, text: String) -> Reply {
    let target = Target::new(kit, world, world.own());
    let mut path = route.filled(|name| place(operation, &target, name, None));
    if let Some(query) = operation.query {
        path = format!("{path}?{}", query(&target));
    }
    kit.api(&kit.admin, route.method.clone(), &path).header("content-type", "application/json").body(text).send().await
}

async fn no_body_brings_the_server_to_its_knees(kit: Kit) {
    let (server, kit) = own_server(&kit).await;
    let (world, routes, described) = (kit.world().await, document(&kit).await, kit.read("/openapi.json").await);
    let (mut asks, mut deepest) = (Vec::new(), 0);
    for operation in OPERATIONS {
        let Some(route) = routes.get(operation.id).filter(|route| changes(&route.method)) else { continue };
        let (Some(body), Some(model)) = (operation.body, &route.body) else { continue };
        let good = body(&Target::new(&kit, world, world.own()));
        asks.extend(texts().into_iter().map(|text| (operation, route, text, false)));
        asks.extend(oddities().into_iter().map(|odd| (operation, route, odd.to_string(), has_null(&odd))));
        let mut ways = Vec::new();
        ways_of_model(&described, &described["components"]["schemas"][model], &Vec::new(), &mut ways);
        ways_of_body(&good, &Vec::new(), &mut ways);
        ways.sort_unstable();
        ways.dedup();
        deepest = deepest.max(ways.iter().map(Vec::len).max().unwrap_or_default());
        for (at, way) in ways.into_iter().enumerate() {
            // Every second one, a null character always: with all fields of all models each is tried often.
            for odd in oddities().into_iter().enumerate().filter_map(|(n, odd)| (n % 2 == at % 2 || has_null(&odd)).then_some(odd)) {
                // The one setting that shuts everybody out.
                if way == ["read_only"] && odd == json!(true) {
                    continue;
                }
                let (mut bad, null) = (good.clone(), has_null(&odd));
                plant(&mut bad, &way, odd);
                asks.push((operation, route, bad.to_string(), null));
            }
        }
    }
    assert!(deepest >= 4, "bodies are tried {deepest} deep");
    let total = asks.len();
    let answers = stream::iter(asks).map(|(operation, route, text, null)| {
        let kit = &kit;
        async move {
            let short: String = text.chars().take(120).collect();
            let reply = send(kit, world, operation, route, text).await;
            let shaped = (reply.status < 300 && !null) || !reply.code().is_empty();
            (reply.status >= 500 || !shaped).then(|| format!("{} {short}: {}", operation.id, brief(&reply)))
        }
    });
    let wrong: Vec<String> = answers.buffer_unordered(8).filter_map(|wrong| async { wrong }).collect().await;
    report(&wrong);
    assert!(total > 1_500, "{total} requests");
    assert_eq!(kit.get(&kit.admin, "/health").await.status, 200);
    stop(server).await;
}

/// Numbers on both sides of every bound.
const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "1",
    "2147483647",
    "2147483648",
    "-2147483649",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "18446744073709551616",
    "99999999999999999999999999",
    "1.0",
    "1e3",
    "0x10",
    "+1",
    "007",
    "%20",
    "%EF%BC%91",
    "NaN",
    "null",
    "true",
    "%00",
    "1%00",
    "..",
    "%2e%2e",
    "*",
];

async fn numbers_of_any_size_are_numbers_or_refused(kit: Kit) {
    let (server, kit) = own_server(&kit).await;
    let (world, routes) = (kit.world().await, document(&kit).await);
    let mut wrong = Vec::new();
    let mut asked = 0;
    let is_number = |name: &&String| matches!(name.as_str(), "page" | "page_size" | "project_id" | "reference_id");
    for operation in OPERATIONS {
        let Some(route) = routes.get(operation.id) else { continue };
        let numeric = |name: &&String| {
            matches!(
                name.as_str(),
                "label_id" | "robot_id" | "mid" | "immutable_rule_id" | "user_id" | "group_id" | "id" | "project_name_or_id"
            )
        };
        for (name, number) in route.places.iter().filter(numeric).flat_map(|name| NUMBERS.iter().map(move |number| (name, number))) {
            // What exists is not to be deleted.
            if *number == "1" || number.ends_with("07") || *number == "+1" || number.ends_with("91") {
                continue;
            }
            asked += 1;
            let target = Target::new(&kit, world, world.own());
            let path = route.filled(|own| if own == name { (*number).to_owned() } else { place(operation, &target, own, None) });
            let call = kit.api(&kit.admin, route.method.clone(), &path);
            let call = match operation.body {
                Some(body) => call.json(&body(&target)),
                None => call,
            };
            let reply = call.send().await;
            if reply.status >= 500 || reply.status == 201 {
                wrong.push(format!("{} {name}={number}: {}", operation.id, brief(&reply)));
            }
        }
        for (name, number) in route.query.iter().filter(is_number).flat_map(|name| NUMBERS.iter().map(move |number| (name, number))) {
            asked += 1;
            let target = Target::new(&kit, world, world.own());
            let own = operation.query.map(|query| format!("&{}", query(&target))).unwrap_or_default();
            let path = route.filled(|name| place(operation, &target, name, None));
            let reply = kit.api(&kit.admin, route.method.clone(), &format!("{path}?{name}={number}{own}")).send().await;
            if reply.status >= 500 {
                wrong.push(format!("{} ?{name}={number}: {}", operation.id, brief(&reply)));
            }
        }
    }
    report(&wrong);
    assert!(asked > 1_000, "{asked} requests");
    stop(server).await;
}

async fn pages_have_bounds(kit: Kit) {
    let (world, routes) = (kit.world().await, document(&kit).await);
    for operation in OPERATIONS {
        let Some(route) = routes.get(operation.id).filter(|route| route.query.iter().any(|name| name == "page_size")) else { continue };
        let target = Target::new(&kit, world, world.own());
        let own = operation.query.map(|query| format!("&{}", query(&target))).unwrap_or_default();
        let path = route.filled(|name| place(operation, &target, name, None));
        for (query, statuses) in [
            ("page_size=101", &[422][..]),
            ("page_size=-1", &[200]),
            ("page_size=0&page=3", &[200]),
            ("page_size=-9223372036854775808&page=-9223372036854775808", &[200]),
            ("page_size=9223372036854775808", &[422]),
            ("page=9223372036854775808", &[422]),
            ("page=9223372036854775807&page_size=100", &[200]),
            ("page=92233720368547758&page_size=100", &[200]),
        ] {
            let reply = kit.get(&kit.admin, &format!("{path}?{query}{own}")).await;
            assert!(statuses.contains(&reply.status), "{} {query}: {reply:?}", operation.id);
        }
    }
}

async fn the_registrys_lists_have_bounds(kit: Kit) {
    let world = kit.world().await;
    let lists = ["/v2/_catalog".to_owned(), format!("/v2/{}/app/tags/list", world.own().name)];
    for (list, n) in lists.iter().flat_map(|list| {
        ["0", "1", "1000", "100000000", "2147483648", "9223372036854775807", "9223372036854775808", "-1", "x", "%00", "1e9"]
            .map(|n| (list, n))
    }) {
        let reply = kit.call(&kit.admin, Method::GET, &format!("{list}?n={n}")).send().await;
        assert!(matches!(reply.status, 200 | 400), "{list} {n}: {reply:?}");
    }
    for last in ["", "x", "%00", "%27", &"z".repeat(5_000)] {
        let reply = kit.call(&kit.admin, Method::GET, &format!("{}?n=10&last={last}", lists[1])).send().await;
        assert!(matches!(reply.status, 200 | 400 | 404 | 414), "{last}: {reply:?}");
    }
    // A manifest has a bound that no setting moves.
    let path = format!("/v2/{}/app/manifests/large", world.own().name);
    let large = vec![b' '; (4 << 20) + 1];
    let put = kit.call(&kit.admin, Method::PUT, &path).header("content-type", crate::kit::MANIFEST);
    assert_eq!(put.clone().body(large.clone()).send().await.status, 413);
    assert_eq!(put.chunked(large).send().await.status, 413);
}

async fn a_page_of_tags_is_cut_whatever_is_asked_for(kit: Kit) {
    const MOST: usize = 10_000;
    let repository = format!("{}/app", kit.fresh("many"));
    kit.project(repository.trim_end_matches("/app"), false).await;
    let manifest = kit.image(&kit.admin, &repository, "many").await;
    let digest = oci::Digest::sha256(&manifest).to_string();
    for part in 0..=MOST / 100 {
        let tags: Vec<String> = (0..100).map(|n| format!("tag=t{part:03}{n:02}")).collect();
        let _ = kit.push(&kit.admin, &repository, &format!("{digest}?{}", tags.join("&")), &manifest).await.expect(201);
    }
    let mut path = format!("/v2/{repository}/tags/list?n=100000000");
    for (length, goes_on) in [(MOST, true), (100, false)] {
        let reply = kit.call(&kit.admin, Method::GET, &path).send().await.expect(200);
        assert_eq!(reply.json()["tags"].as_array().map(Vec::len), Some(length), "{path}");
        let link = reply.find("link").and_then(|link| link.strip_prefix('<')?.split('>').next()).map(str::to_owned);
        assert_eq!(link.is_some(), goes_on, "{path}: {link:?}");
        if let Some(next) = link {
            assert!(next.ends_with(&format!("&n={MOST}")), "{next}");
            path = next;
        }
    }
}

/// A table that a spreadsheet opens may hold formulas: there is none yet. Whoever adds one is asked here for the test.
async fn nothing_is_exported_as_a_table(kit: Kit) {
    let (world, routes, described) = (kit.world().await, document(&kit).await, kit.read("/openapi.json").await);
    let is_table = |media: &str| ["csv", "tab-separated", "spreadsheet", "excel"].iter().any(|word| media.contains(word));
    let mut media = std::collections::BTreeSet::new();
    for operation in described["paths"].as_object().expect("paths").values().flat_map(|item| item.as_object().expect("operations").values())
    {
        for answer in operation["responses"].as_object().into_iter().flat_map(|answers| answers.values()) {
            media.extend(answer["content"].as_object().into_iter().flat_map(|content| content.keys().cloned()));
        }
    }
    assert!(media.contains("application/json") && !media.iter().any(|media| is_table(media)), "{media:?}");
    let mut asked = 0;
    for operation in OPERATIONS {
        let Some(route) = routes.get(operation.id).filter(|route| route.method == Method::GET) else { continue };
        let call = crate::matrix::request(&kit, operation, route, &kit.admin, &Target::new(&kit, world, world.own()), None, None);
        let reply = call.header("accept", "text/csv").send().await;
        let kind = reply.find("content-type").unwrap_or_default();
        assert!(!is_table(kind), "{}: {reply:?}", operation.id);
        asked += usize::from(reply.status == 200);
    }
    assert!(asked > 30, "{asked} answers");
}

async fn a_compressed_body_is_not_unpacked(kit: Kit) {
    // 1 MiB of zeros in some bytes, for whoever would unpack it: a gzip member whose stored text is short is enough to see that nobody does.
    let member = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0x56, 0x2a, 0x28, 0xca, 0xcf, 0x4a, 0x4d, 0x2e, 1, 0];
    for coding in ["gzip", "br", "deflate", "gzip, gzip"] {
        let call =
            kit.api(&kit.admin, Method::POST, "/projects").header("content-type", "application/json").header("content-encoding", coding);
        let reply = call.body(member.to_vec()).send().await;
        assert!(matches!(reply.status, 400 | 415 | 422), "{coding}: {reply:?}");
    }
}
