//! Immutable tags: what neither pushes, deletes nor copies may do to them, and that a changed rule counts at once. On every engine.

use bytes::Bytes;
use model::api::{ImmutableRule, NewTag};
use model::list::ListQuery;
use oci::{Digest, RepositoryName};
use serde_json::json;
use service::artifact::{ArtifactFlags, Named};
use service::registry::{ManifestPush, Pushed};
use service::{Actor, NameOrId, Settings};
use store::Db;
use testkit::database::each;
use testkit::instance::Instance;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

struct World {
    instance: Instance,
    admin: Actor,
    north: NameOrId,
}

impl std::ops::Deref for World {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        &self.instance
    }
}

impl World {
    /// Projects `north` and `atlas`.
    async fn open(db: Db) -> Self {
        let instance = Instance::on(db, Settings::default()).await;
        // With PostgreSQL a process remembers nothing until the others know it.
        instance.services.join_replicas().await.unwrap();
        let admin = instance.admin().await;
        for name in ["north", "atlas"] {
            instance.project(&admin, name).await;
        }
        Self { instance, admin, north: NameOrId::Name("north".into()) }
    }

    async fn rule(&self, tags: &str, repositories: &str) -> i64 {
        self.services.immutable_rules.create(&self.admin, &self.north, &rule(tags, repositories)).await.unwrap()
    }

    /// Pushes an index that differs by its note.
    async fn push(&self, name: &str, reference: Option<&str>, tags: &[&str], note: &str) -> service::Result<Pushed> {
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [], "annotations": {"note": note}});
        let content = Bytes::from(index.to_string());
        let digest = Digest::sha256(&content);
        let repository: RepositoryName = name.parse().unwrap();
        let reference = oci::route::RawReference::new(reference.unwrap_or(digest.as_str()));
        let tags: Vec<String> = tags.iter().map(|&tag| tag.to_owned()).collect();
        let push = ManifestPush { reference: &reference, tags: &tags, content_type: Some(INDEX), content };
        self.services.registry.push_manifest(&self.admin, &repository, &push).await
    }

    fn named<'a>(&'a self, repository: &'a str, reference: &'a str) -> Named<'a> {
        Named { project: &self.north, repository, reference }
    }

    /// The digest that the tag names.
    async fn digest(&self, repository: &str, tag: &str) -> String {
        let flags = ArtifactFlags::default();
        self.services.artifacts.get(&self.admin, &self.named(repository, tag), flags).await.unwrap().digest
    }
}

fn rule(tags: &str, repositories: &str) -> ImmutableRule {
    serde_json::from_value(json!({
        "action": "immutable",
        "template": "immutable_template",
        "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": tags}],
        "scope_selectors": {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": repositories}]},
    }))
    .unwrap()
}

fn refused<T>(answer: service::Result<T>) -> String {
    match answer {
        Ok(_) => panic!("it was let through"),
        Err(error) => {
            assert_eq!((error.status, error.code()), (412, "PRECONDITION"));
            error.message().to_owned()
        }
    }
}

#[tokio::test]
async fn no_push_moves_an_immutable_tag() {
    each(async |db| {
        let it = World::open(db).await;
        it.rule("v*", "app").await;
        let one = it.push("north/app", Some("v1"), &[], "one").await.unwrap();
        let message = "Failed to process request due to 'app:v1' configured as immutable.";
        assert_eq!(refused(it.push("north/app", Some("v1"), &[], "two").await), message);
        assert_eq!(refused(it.push("north/app", Some("v1"), &[], "one").await), message);
        // By digest with tags besides: one that is protected refuses them all.
        assert_eq!(refused(it.push("north/app", None, &["new", "v1"], "two").await), message);
        assert_eq!(it.services.artifacts.get(&it.admin, &it.named("app", "new"), ArtifactFlags::default()).await.unwrap_err().status, 404);
        assert_eq!(it.digest("app", "v1").await, one.digest.to_string());
        for (name, tag) in [("north/app", "edge"), ("north/other", "v1"), ("atlas/app", "v1")] {
            it.push(name, Some(tag), &[], "one").await.unwrap();
            it.push(name, Some(tag), &[], "two").await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn of_two_first_pushes_one_gets_the_tag() {
    each(async |db| {
        let it = World::open(db).await;
        it.rule("**", "**").await;
        let (one, two) = tokio::join!(it.push("north/app", Some("v1"), &[], "one"), it.push("north/app", Some("v1"), &[], "two"));
        let (won, lost) = if one.is_ok() { (one, two) } else { (two, one) };
        refused(lost);
        assert_eq!(it.digest("app", "v1").await, won.unwrap().digest.to_string());
    })
    .await;
}

#[tokio::test]
async fn nothing_deletes_an_immutable_tag() {
    each(async |db| {
        let it = World::open(db).await;
        it.rule("v*", "**").await;
        let pushed = it.push("north/app", Some("v1"), &[], "one").await.unwrap();
        it.services.tags.create(&it.admin, &it.named("app", "v1"), &NewTag { name: "edge".into() }).await.unwrap();
        let message = "the tag v1 configured as immutable, cannot be deleted";
        assert_eq!(refused(it.services.tags.delete(&it.admin, &it.named("app", "v1"), "v1").await), message);
        assert_eq!(refused(it.services.artifacts.delete(&it.admin, &it.named("app", "edge")).await), message);
        assert_eq!(refused(it.services.repositories.delete(&it.admin, &it.north, "app").await), message);
        let digest = pushed.digest.to_string();
        let reference = oci::route::RawReference::new(&digest);
        let name: RepositoryName = "north/app".parse().unwrap();
        assert_eq!(refused(it.services.registry.delete_manifest(&it.admin, &name, &reference).await), message);
        it.services.tags.delete(&it.admin, &it.named("app", "v1"), "edge").await.unwrap();
        assert_eq!(it.digest("app", "v1").await, digest);
    })
    .await;
}

#[tokio::test]
async fn a_copy_moves_no_immutable_tag() {
    each(async |db| {
        let it = World::open(db).await;
        it.rule("v*", "**").await;
        it.push("north/app", Some("v1"), &[], "one").await.unwrap();
        it.push("atlas/other", Some("v1"), &[], "two").await.unwrap();
        it.push("atlas/same", Some("v1"), &[], "one").await.unwrap();
        let copy = |from: &'static str| it.services.artifacts.copy(&it.admin, &it.north, "app", from);
        assert_eq!(refused(copy("atlas/other:v1").await), "the tag v1 configured as immutable, cannot be updated");
        assert_eq!(copy("atlas/same:v1").await.unwrap(), "v1");
    })
    .await;
}

#[tokio::test]
async fn a_changed_rule_counts_at_once() {
    each(async |db| {
        let it = World::open(db).await;
        let rules = &it.services.immutable_rules;
        it.push("north/app", Some("v1"), &[], "one").await.unwrap();
        let id = it.rule("v*", "**").await;
        refused(it.push("north/app", Some("v1"), &[], "two").await);
        let immutable = async || {
            let tags = it.services.tags.list(&it.admin, &it.named("app", "v1"), &ListQuery::all(), true).await.unwrap();
            let flags = ArtifactFlags { tag: true, immutable_status: true, ..ArtifactFlags::default() };
            let artifact = it.services.artifacts.get(&it.admin, &it.named("app", "v1"), flags).await.unwrap();
            assert_eq!(tags.items[0].immutable, artifact.tags.unwrap()[0].immutable);
            tags.items[0].immutable
        };
        assert!(immutable().await);
        // Switched off, and nothing else changed.
        let change = |rule: ImmutableRule, disabled| ImmutableRule { id, disabled, ..rule };
        rules.update(&it.admin, &it.north, id, &change(rule("x", "x"), true)).await.unwrap();
        assert!(!immutable().await);
        it.push("north/app", Some("v1"), &[], "two").await.unwrap();
        rules.update(&it.admin, &it.north, id, &change(rule("x", "x"), false)).await.unwrap();
        assert!(immutable().await);
        rules.update(&it.admin, &it.north, id, &change(rule("x", "x"), false)).await.unwrap();
        assert!(!immutable().await);
        rules.update(&it.admin, &it.north, id, &change(rule("v1", "app"), false)).await.unwrap();
        assert!(immutable().await);
        let atlas = NameOrId::Name("atlas".into());
        assert_eq!(rules.delete(&it.admin, &atlas, id).await.unwrap_err().status, 404);
        rules.delete(&it.admin, &it.north, id).await.unwrap();
        it.services.repositories.delete(&it.admin, &it.north, "app").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_artifact_stays_as_long_as_what_goes_with_it_has_an_immutable_tag() {
    each(async |db| {
    let it = World::open(db).await;
    let subject = it.push("north/app", None, &[], "subject").await.unwrap().digest;
    let about = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [], "subject": {"mediaType": INDEX, "digest": subject.as_str(), "size": 1}});
    it.instance.push(&it.admin, "north/app", Some("v1-signed"), &about).await.unwrap();
    let rule = it.rule("v*", "**").await;
    let name = "north/app".parse().unwrap();
    let reference = oci::route::RawReference::new(subject.as_str());
    let sentence = "the tag v1-signed configured as immutable, cannot be deleted";
    assert_eq!(refused(it.services.artifacts.delete(&it.admin, &it.named("app", subject.as_str())).await), sentence);
    assert_eq!(refused(it.services.registry.delete_manifest(&it.admin, &name, &reference).await), sentence);
    assert_eq!(it.services.artifacts.accessories(&it.admin, &it.named("app", subject.as_str()), &ListQuery::all()).await.unwrap().total, 1);
    it.services.immutable_rules.delete(&it.admin, &it.north, rule).await.unwrap();
    it.services.registry.delete_manifest(&it.admin, &name, &reference).await.unwrap();
    let flags = ArtifactFlags::default();
    assert_eq!(it.services.artifacts.get(&it.admin, &it.named("app", "v1-signed"), flags).await.unwrap_err().status, 404);
    })
    .await;
}
