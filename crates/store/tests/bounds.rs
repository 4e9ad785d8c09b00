//! What lists leave out so that a page of them stays small, whatever was pushed, on every engine.

use std::collections::BTreeMap;

use model::list::{ListQuery, Paging};
use model::{ArtifactId, ProjectId, RepositoryId, UserId};
use serde_json::Value;
use store::artifact::{Child, Filter, ListedArtifact, NewArtifact, ReferrersPart, Scope, With};
use store::project::NewProject;
use store::{Db, Tx, artifact, project, repository, user};
use testkit::database::each;

struct World {
    db: Db,
    project: ProjectId,
    repository: RepositoryId,
}

impl World {
    async fn open(db: Db) -> Self {
        let mut tx = db.write().await.unwrap();
        let link = &mut tx.link();
        user::insert_first(link, "hash", 1).await.unwrap();
        let metadata = BTreeMap::new();
        let new = NewProject { name: "north", owner_id: UserId(1), registry_id: None, metadata: &metadata };
        let project = project::insert(link, &new, 1).await.unwrap();
        let repository = repository::find_or_create(link, project, "app", 1).await.unwrap().id;
        repository::touch(link, repository, 1).await.unwrap();
        tx.commit().await.unwrap();
        Self { db, project, repository }
    }

    async fn push(&self, tx: &mut Tx, digest: &str, subject: Option<&str>, annotations: Option<&str>) -> ArtifactId {
        let new = NewArtifact {
            project_id: self.project,
            repository_id: self.repository,
            digest,
            kind: "IMAGE",
            media_type: "m",
            manifest_media_type: "m",
            artifact_type: "",
            size: 1,
            icon: "",
            annotations,
            extra_attrs: None,
            subject_digest: subject,
            referrer_type: None,
            content: b"",
        };
        artifact::upsert(&mut tx.link(), &new, 1).await.unwrap().0
    }

    /// An index of so many children; `long` is what is said of the first one.
    async fn index(&self, digest: &str, children: usize, long: &str) {
        let mut tx = self.db.write().await.unwrap();
        let index = self.push(&mut tx, digest, None, None).await;
        let mut rows = Vec::new();
        for n in 0..children {
            let digest = format!("{digest}-{n:04}");
            let annotations = if n == 0 { long } else { r#"{"k":"v"}"# };
            rows.push(Child {
                id: Some(self.push(&mut tx, &digest, None, None).await),
                digest,
                platform: Some("{}".to_owned()),
                urls: Some("[]".to_owned()),
                annotations: Some(annotations.to_owned()),
            });
        }
        artifact::hold_children(&mut tx.link(), index, &rows).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// As a list of so many rows has it; 0 for all.
    async fn listed(&self, digest: &str, page_size: i64) -> Vec<Value> {
        let query = ListQuery::new(Paging { page: 1, page_size }, Vec::new(), Vec::new());
        let mut conn = self.db.read().await.unwrap();
        let scope = Scope::Repository(self.repository);
        let page = artifact::list(&mut conn.link(), scope, &Filter::default(), With::default(), &query).await.unwrap();
        children(page.items.into_iter().find(|row| row.digest == digest).unwrap())
    }

    async fn single(&self, digest: &str) -> Vec<Value> {
        let mut conn = self.db.read().await.unwrap();
        let row = artifact::get_by_digest(&mut conn.link(), self.repository, digest, With::default()).await.unwrap();
        children(row.unwrap())
    }
}

fn children(row: ListedArtifact) -> Vec<Value> {
    serde_json::from_str(&row.children.unwrap()).unwrap()
}

#[tokio::test]
async fn a_list_shows_of_an_index_what_there_is_room_for() {
    each(async |db| {
        let world = World::open(db).await;
        let long = format!(r#"{{"k":"{}"}}"#, "x".repeat(70_000));
        world.index("d:few", 3, r#"{"a":"b"}"#).await;
        world.index("d:many", 201, r#"{"a":"b"}"#).await;
        world.index("d:long", 2, &long).await;
        let few = world.listed("d:few", 100).await;
        assert_eq!(few, world.single("d:few").await);
        assert_eq!((few.len(), &few[0]["child_digest"], &few[0]["annotations"]), (3, &"d:few-0000".into(), &r#"{"a":"b"}"#.into()));
        // The oldest of many, and of long ones nothing but which they are.
        let many = world.listed("d:many", 100).await;
        assert_eq!(many[..], world.single("d:many").await[..200]);
        // Where there are no pages there is less room for each.
        assert_eq!(world.listed("d:many", 0).await[..], many[..50]);
        world.index("d:middle", 2, &format!(r#"{{"k":"{}"}}"#, "x".repeat(9_000))).await;
        assert_eq!(world.listed("d:middle", 100).await, world.single("d:middle").await);
        assert!(world.listed("d:middle", 0).await[0]["annotations"].is_null());
        let (listed, single) = (world.listed("d:long", 100).await, world.single("d:long").await);
        assert_eq!(single[0]["annotations"], long);
        assert_eq!(listed.iter().map(|c| &c["child_digest"]).collect::<Vec<_>>(), ["d:long-0000", "d:long-0001"]);
        for part in ["platform", "urls", "annotations"] {
            assert!(listed.iter().all(|child| child[part].is_null()), "{part}");
        }
    })
    .await;
}

#[tokio::test]
async fn referrers_bring_their_annotations_as_long_as_there_is_room() {
    each(async |db| {
        let world = World::open(db).await;
        let mut tx = world.db.write().await.unwrap();
        for n in 0..5 {
            world.push(&mut tx, &format!("d:{n}"), Some("d:subject"), Some(&"x".repeat(10))).await;
        }
        tx.commit().await.unwrap();
        let mut conn = world.db.read().await.unwrap();
        let mut read = async |offset, limit, bytes| {
            let part = ReferrersPart { offset, limit, bytes };
            let rows = artifact::referrers(&mut conn.link(), world.repository, "d:subject", part).await.unwrap();
            assert!(rows.iter().all(|row| row.annotation_bytes == 10));
            rows.into_iter().map(|row| (row.digest, row.annotations.is_some())).collect::<Vec<_>>()
        };
        let rows = |expected: &[(&str, bool)]| expected.iter().map(|(digest, here)| ((*digest).to_owned(), *here)).collect::<Vec<_>>();
        assert_eq!(read(0, 3, 100).await, rows(&[("d:0", true), ("d:1", true), ("d:2", true)]));
        assert_eq!(read(0, 3, 10).await, rows(&[("d:0", true), ("d:1", true), ("d:2", false)]));
        assert_eq!(read(3, 9, 0).await, rows(&[("d:3", true), ("d:4", false)]));
    })
    .await;
}
