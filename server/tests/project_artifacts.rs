//! The artifacts of a whole project (`GET /projects/{p}/artifacts`): the rows of its repositories' own lists, with the same flags. Those lists are compared
//! with Harbor's answers; of this one only statuses were recorded.

mod in_process;

use std::collections::{BTreeMap, BTreeSet};

use in_process::{BASIC, Doors, Told};
use serde_json::{Value, json};
use testkit::database::each;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

struct World {
    doors: Doors,
}

impl World {
    /// Two repositories in `north`: images with tags, labels and accessories, an index with a child, a protected tag. And one elsewhere.
    async fn open(db: store::Db) -> Self {
        let doors = Doors::on(db).await;
        for project in ["north", "south"] {
            doors.post("/projects", json!({"project_name": project, "metadata": {"public": "false"}})).await;
        }
        let first = doors.manifest("north/app", "v1", None).await;
        doors.manifest("north/app", "v2", None).await;
        doors.manifest("north/app", "signature", Some(&first)).await;
        let mut child = doors.manifest("north/team/web", "amd64", None).await;
        child["platform"] = json!({"architecture": "amd64", "os": "linux"});
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [child]}).to_string();
        let about = json!({"mediaType": INDEX, "digest": oci::Digest::sha256(index.as_bytes()).to_string(), "size": index.len()});
        doors.make("PUT", "/v2/north/team/web/manifests/all", INDEX, index).await;
        // A signature of the index counts for its child too.
        doors.manifest("north/team/web", "about", Some(&about)).await;
        doors.manifest("south/app", "elsewhere", None).await;
        doors.post("/projects/north/repositories/app/artifacts/v1/tags", json!({"name": "also"})).await;
        let place = doors.post("/labels", json!({"name": "good", "scope": "g", "color": "#FFFFFF"})).await;
        let label: i64 = place.rsplit('/').next().and_then(|id| id.parse().ok()).expect("a label's id");
        doors.post("/projects/north/repositories/app/artifacts/v1/labels", json!({"id": label})).await;
        let rule = json!({"action": "immutable", "template": "immutable_template", "params": {},
            "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": "v1"}],
            "scope_selectors": {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]}});
        doors.post("/projects/north/immutabletagrules", rule).await;
        Self { doors }
    }

    async fn told(&self, path: &str, query: &str) -> Told {
        self.doors.ask("GET", &format!("/api/v2.0/projects/{path}?{query}"), &[BASIC], "").await
    }

    async fn list(&self, path: &str, query: &str) -> Vec<Value> {
        let told = self.told(path, query).await;
        assert_eq!(told.status, 200, "{path}?{query}: {}", told.body);
        told.json().as_array().cloned().unwrap_or_default()
    }

    /// What the lists of both repositories show, by id.
    async fn of_repositories(&self, query: &str) -> BTreeMap<i64, Value> {
        let mut all = self.list("north/repositories/app/artifacts", query).await;
        all.extend(self.list("north/repositories/team%252Fweb/artifacts", query).await);
        by_id(all)
    }
}

fn by_id(artifacts: Vec<Value>) -> BTreeMap<i64, Value> {
    let count = artifacts.len();
    let table: BTreeMap<_, _> = artifacts.into_iter().map(|artifact| (artifact["id"].as_i64().expect("an id"), artifact)).collect();
    assert_eq!(table.len(), count, "an artifact is shown twice");
    table
}

fn repositories<'a>(artifacts: impl IntoIterator<Item = &'a Value>) -> BTreeSet<&'a str> {
    artifacts.into_iter().filter_map(|artifact| artifact["repository_name"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_a_project_has_the_rows_of_its_repositories_with_the_same_flags() {
    each(async |db| {
        let world = World::open(db).await;
        let flags = ["with_tag", "with_label", "with_accessory", "with_inherited_accessory", "with_immutable_status"];
        let mut shown = BTreeSet::new();
        for number in 0..1 << flags.len() {
            let on = |at: usize| if number & 1 << at > 0 { "true" } else { "false" };
            let query: Vec<_> = flags.iter().enumerate().map(|(at, flag)| format!("{flag}={}", on(at))).collect();
            let query = query.join("&");
            let own = by_id(world.list("north/artifacts", &query).await);
            assert_eq!(own, world.of_repositories(&query).await, "{query}");
            assert_eq!(repositories(own.values()), BTreeSet::from(["north/app", "north/team/web"]));
            shown.insert(serde_json::to_string(&own).expect("a text"));
        }
        // Every flag changes what is shown, but for what is said of tags that are not shown.
        assert_eq!(shown.len(), 24);
        // Without any word: with tags, as in a repository's list.
        assert_eq!(by_id(world.list("north/artifacts", "").await), world.of_repositories("").await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_a_project_is_searched_sorted_and_paged() {
    each(async |db| {
        let world = World::open(db).await;
        for query in
            ["q=tags=v1", "q=tags=nil", "q=type=IMAGE", "q=media_type=application/vnd.oci.image.config.v1%252Bjson", "q=digest=~sha256"]
        {
            let own = by_id(world.list("north/artifacts", query).await);
            assert!(!own.is_empty() || query == "q=tags=nil", "{query}");
            assert_eq!(own, world.of_repositories(query).await, "{query}");
        }
        assert_eq!(world.list("north/artifacts", "q=tags=elsewhere").await, Vec::<Value>::new());
        let ids = |artifacts: Vec<Value>| artifacts.iter().map(|artifact| artifact["id"].as_i64().expect("an id")).collect::<Vec<_>>();
        let all = ids(world.list("north/artifacts", "sort=id").await);
        assert!(all.is_sorted() && all.len() >= 4, "{all:?}");
        let mut backwards = ids(world.list("north/artifacts", "sort=-id").await);
        backwards.reverse();
        assert_eq!(backwards, all);
        let mut paged = Vec::new();
        for page in 1..=all.len() {
            let told = world.told("north/artifacts", &format!("sort=id&page_size=1&page={page}")).await;
            assert_eq!(told.header("x-total-count"), all.len().to_string());
            assert_eq!(told.header("link").contains("rel=\"next\""), page < all.len());
            paged.extend(ids(told.json().as_array().cloned().unwrap_or_default()));
        }
        assert_eq!(paged, all);
        // By number as by name, and not as a number where the name is meant.
        let number = world.doors.ask("GET", "/api/v2.0/projects/north", &[BASIC], "").await.json()["project_id"].to_string();
        assert_eq!(ids(world.list(&format!("{number}/artifacts"), "sort=id").await), all);
        let named = ("x-is-resource-name", "true");
        assert_eq!(world.doors.ask("GET", &format!("/api/v2.0/projects/{number}/artifacts"), &[BASIC, named], "").await.status, 404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_each_repository_the_latest_alone_is_shown_where_that_is_asked_for() {
    each(async |db| {
        let world = World::open(db).await;
        // A query is unescaped twice.
        let of = async |kind: &str| {
            let query = format!("q=media_type={}&latest_in_repository=true&sort=id", kind.replace('+', "%252B"));
            let latest = world.list("north/artifacts", &query).await;
            assert_eq!(world.told("north/artifacts", &query).await.header("x-total-count"), latest.len().to_string());
            let names = |artifact: &Value| {
                [&artifact["repository_name"], &artifact["tags"][0]["name"]].map(|text| text.as_str().unwrap_or_default().to_owned())
            };
            latest.iter().map(names).collect::<Vec<_>>()
        };
        assert_eq!(of("application/vnd.oci.image.config.v1+json").await, [["north/app", "v2"], ["north/team/web", "amd64"]]);
        assert_eq!(of(INDEX).await, [["north/team/web", "all"]]);
        // The latest of what, has to be said.
        assert_eq!(world.told("north/artifacts", "q=type=IMAGE&latest_in_repository=true").await.status, 400);
    })
    .await;
}
