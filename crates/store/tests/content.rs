//! The contract of repositories, artifacts, tags, accessories, labels, figures and the search, on every engine.

use std::collections::BTreeMap;

use model::list::{ListQuery, Page, Paging, parse_q, parse_sort};
use model::{ArtifactId, ProjectId, RepositoryId, UserId};
use store::artifact::{Child, Filter, ListedArtifact, NewArtifact, Scope, TagFilter, With};
use store::label::NewLabel;
use store::project::NewProject;
use store::quota::Charge;
use store::repository::Viewer;
use store::{Db, Error, accessory, artifact, blob, label, project, quota, repository, statistics, tag};
use testkit::database::each;

fn query(page_size: i64, q: &str, sort: &str) -> ListQuery {
    ListQuery::new(Paging { page: 1, page_size }, parse_q(q).unwrap(), parse_sort(sort))
}

fn all() -> ListQuery {
    query(0, "", "")
}

/// An administrator, a member `dana`, and projects: `north` (private, dana's), `atlas` (public), `frost` (private).
struct World {
    db: Db,
    dana: UserId,
    north: ProjectId,
    atlas: ProjectId,
    frost: ProjectId,
}

impl World {
    async fn open(db: Db) -> Self {
        let mut tx = db.write().await.unwrap();
        let link = &mut tx.link();
        store::user::insert_first(link, "hash", 1).await.unwrap();
        let new = store::user::NewUser { username: "dana", email: None, realname: "", comment: "", is_admin: false };
        let dana = store::user::insert(link, &new, "hash", 1).await.unwrap();
        let mut ids = Vec::new();
        for (name, owner, public) in [("north", dana, "false"), ("atlas", UserId(1), "true"), ("frost", UserId(1), "false")] {
            let metadata = BTreeMap::from([("public".to_owned(), public.to_owned())]);
            let id = project::insert(link, &NewProject { name, owner_id: owner, registry_id: None, metadata: &metadata }, 1).await.unwrap();
            quota::create(link, id, 1000, 1).await.unwrap();
            ids.push(id);
        }
        store::member::insert_owner(link, ids[0], dana, 1).await.unwrap();
        tx.commit().await.unwrap();
        Self { db, dana, north: ids[0], atlas: ids[1], frost: ids[2] }
    }

    /// Stores an artifact of 10 bytes of manifest (its digest) with one shared and one own blob.
    async fn push(&self, project: ProjectId, path: &str, digest: &str, kind: &str, now: i64) -> (RepositoryId, ArtifactId) {
        let mut tx = self.db.write().await.unwrap();
        let link = &mut tx.link();
        let repository = repository::find_or_create(link, project, path, now).await.unwrap().id;
        let own = format!("{digest}-layer");
        let mut blobs = Vec::new();
        for (digest, size) in [("shared", 5), (own.as_str(), 20)] {
            let id = blob::upsert(link, digest, size, now).await.unwrap();
            blob::attach(link, repository, id, now).await.unwrap();
            blobs.push(id.get());
        }
        let contents = [(digest.to_owned(), 10), ("shared".to_owned(), 5), (own, 20)];
        assert_eq!(quota::charge(link, project, &contents).await.unwrap(), Charge::Fits);
        let new = NewArtifact {
            project_id: project,
            repository_id: repository,
            digest,
            kind,
            media_type: "m/config",
            manifest_media_type: "m/manifest",
            artifact_type: "m/config",
            size: 35 + now,
            icon: "",
            annotations: Some(r#"{"k":"v"}"#),
            extra_attrs: None,
            subject_digest: None,
            referrer_type: None,
            content: b"0123456789",
        };
        let (id, is_new) = artifact::upsert(link, &new, now).await.unwrap();
        if is_new {
            artifact::hold_blobs(link, id, &blobs).await.unwrap();
            artifact::arrived(link, repository, id).await.unwrap();
        }
        repository::touch(link, repository, now).await.unwrap();
        tx.commit().await.unwrap();
        (repository, id)
    }

    async fn tag(&self, repository: RepositoryId, artifact: ArtifactId, name: &str, now: i64) {
        let mut tx = self.db.write().await.unwrap();
        tag::set(&mut tx.link(), repository, artifact, name, now).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn list(&self, scope: Scope, filter: &Filter, with: With, query: &ListQuery) -> Page<ListedArtifact> {
        let mut conn = self.db.read().await.unwrap();
        artifact::list(&mut conn.link(), scope, filter, with, query).await.unwrap()
    }

    async fn used(&self, project: ProjectId) -> i64 {
        let mut conn = self.db.read().await.unwrap();
        quota::find(&mut conn.link(), project).await.unwrap().unwrap().used
    }

    async fn hold_child(&self, parent: ArtifactId, child: ArtifactId, digest: &str) {
        let mut tx = self.db.write().await.unwrap();
        let child = Child {
            id: Some(child),
            digest: digest.into(),
            platform: Some(r#"{"os":"linux","architecture":"arm64"}"#.into()),
            urls: None,
            annotations: None,
        };
        artifact::hold_children(&mut tx.link(), parent, &[child]).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn accessory(&self, repository: RepositoryId, artifact: ArtifactId, subject: &str, kind: &str) {
        let mut tx = self.db.write().await.unwrap();
        accessory::create(&mut tx.link(), repository, artifact, subject, kind, 9).await.unwrap();
        tx.commit().await.unwrap();
    }
}

fn digests(page: &Page<ListedArtifact>) -> Vec<&str> {
    page.items.iter().map(|a| a.digest.as_str()).collect()
}

const EVERYTHING: With = With { tags: true, labels: true, accessories: true };

#[tokio::test]
async fn artifacts_are_listed_with_all_that_belongs_to_them() {
    each(async |db| {
        let world = World::open(db).await;
        let (repository, one) = world.push(world.north, "app", "d:one", "IMAGE", 10).await;
        let (_, two) = world.push(world.north, "app", "d:two", "IMAGE", 20).await;
        let (_, index) = world.push(world.north, "app", "d:index", "IMAGE", 30).await;
        let (_, signature) = world.push(world.north, "app", "d:sig", "UNKNOWN", 40).await;
        let (_, early) = world.push(world.north, "app", "d:early", "UNKNOWN", 50).await;
        let (_, chart) = world.push(world.north, "app", "d:chart", "CHART", 60).await;
        world.tag(repository, one, "v1", 11).await;
        world.tag(repository, one, "Stable", 12).await;
        world.tag(repository, index, "multi", 31).await;
        world.hold_child(index, two, "d:two").await;
        world.accessory(repository, signature, "d:index", "signature.cosign").await;
        world.accessory(repository, early, "d:nothing", "subject.accessory").await;
        let here = Scope::Repository(repository);

        // Newest first; no child without a tag, no accessory, not even one that waits for its subject.
        let page = world.list(here, &Filter::default(), EVERYTHING, &all()).await;
        assert_eq!((digests(&page), page.total), (vec!["d:chart", "d:index", "d:one"], 3));
        let json = |text: &Option<String>| serde_json::from_str::<serde_json::Value>(text.as_deref().unwrap()).unwrap();
        let of_index = &page.items[1];
        assert_eq!(of_index.repository_name, "north/app");
        let children = json(&of_index.children);
        assert_eq!((&children[0]["child_id"], &children[0]["child_digest"]), (&two.get().into(), &"d:two".into()));
        assert_eq!(children[0]["platform"], r#"{"os":"linux","architecture":"arm64"}"#);
        let accessories = json(&of_index.accessories);
        assert_eq!((&accessories[0]["kind"], &accessories[0]["subject_id"]), (&"signature.cosign".into(), &index.get().into()));
        let tags = json(&page.items[2].tags);
        assert_eq!((&tags[0]["name"], &tags[1]["name"], &tags[1]["pulled_at"]), (&"Stable".into(), &"v1".into(), &serde_json::Value::Null));
        let bare = world.list(here, &Filter::default(), With::default(), &all()).await;
        assert!(bare.items.iter().all(|a| a.tags.is_none() && a.labels.is_none() && a.accessories.is_none()));

        let everything = Filter { everything: true, ..Filter::default() };
        assert_eq!(digests(&world.list(here, &everything, EVERYTHING, &all()).await), ["d:chart", "d:index", "d:two", "d:one"]);
        let by_tag = async |tags| world.list(here, &Filter { tags: Some(tags), ..Filter::default() }, EVERYTHING, &all()).await;
        assert_eq!(digests(&by_tag(TagFilter::Any).await), ["d:index", "d:one"]);
        assert_eq!(digests(&by_tag(TagFilter::None).await), ["d:chart"]);
        assert_eq!(digests(&by_tag(TagFilter::Exact("v1".into())).await), ["d:one"]);
        assert!(by_tag(TagFilter::Exact("V1".into())).await.items.is_empty());
        assert_eq!(digests(&by_tag(TagFilter::Fuzzy("STA".into())).await), ["d:one"]);
        assert!(by_tag(TagFilter::Fuzzy("%".into())).await.items.is_empty());
        assert_eq!(digests(&world.list(here, &Filter::default(), EVERYTHING, &query(10, "type=CHART", "")).await), ["d:chart"]);
        let page = world.list(here, &Filter::default(), EVERYTHING, &query(1, "type=IMAGE", "-size")).await;
        assert_eq!((digests(&page), page.total), (vec!["d:index"], 2));
        assert_eq!(digests(&world.list(here, &Filter::default(), EVERYTHING, &query(0, "digest={d:one d:two}", "")).await), ["d:one"]);
        let _ = chart;
    })
    .await;
}

#[tokio::test]
async fn a_project_lists_all_its_repositories_or_the_latest_of_each() {
    each(async |db| {
        let world = World::open(db).await;
        world.push(world.north, "app", "d:one", "IMAGE", 10).await;
        world.push(world.north, "app", "d:two", "IMAGE", 20).await;
        world.push(world.north, "web", "d:one", "IMAGE", 30).await;
        world.push(world.frost, "ice", "d:one", "IMAGE", 40).await;
        let scope = Scope::Project(world.north);
        let page = world.list(scope, &Filter::default(), With::default(), &all()).await;
        assert_eq!(page.items.iter().map(|a| a.repository_name.as_str()).collect::<Vec<_>>(), ["north/web", "north/app", "north/app"]);
        let latest = Filter { latest_in_repository: true, ..Filter::default() };
        assert_eq!(digests(&world.list(scope, &latest, With::default(), &all()).await), ["d:one", "d:two"]);
        // The latest of those that are asked for: a newer one of another type does not stand in its way.
        world.push(world.north, "app", "d:chart", "CHART", 15).await;
        world.push(world.north, "app", "d:older", "CHART", 12).await;
        let charts = world.list(scope, &latest, With::default(), &query(0, "type=CHART", "")).await;
        assert_eq!((digests(&charts), charts.total), (vec!["d:chart"], 1));
        let page = world.list(scope, &latest, With::default(), &query(1, "type=IMAGE", "")).await;
        assert_eq!((digests(&page), page.total), (vec!["d:one"], 2));
        // An untagged child of an index is not listed, however late it came.
        let (repository, index) = world.push(world.north, "app", "d:index", "IMAGE", 50).await;
        let (_, child) = world.push(world.north, "app", "d:child", "IMAGE", 60).await;
        world.hold_child(index, child, "d:child").await;
        assert_eq!(digests(&world.list(scope, &latest, With::default(), &all()).await), ["d:index", "d:one"]);
        let everything = Filter { everything: true, ..latest.clone() };
        assert_eq!(digests(&world.list(scope, &everything, With::default(), &all()).await), ["d:child", "d:one"]);
        world.tag(repository, index, "multi", 61).await;
        let tagged = Filter { tags: Some(TagFilter::Any), ..latest };
        assert_eq!(digests(&world.list(scope, &tagged, With::default(), &all()).await), ["d:index"]);
    })
    .await;
}

#[tokio::test]
async fn an_artifact_is_read_in_its_own_repository_only() {
    each(async |db| {
        let world = World::open(db).await;
        let (app, one) = world.push(world.north, "app", "d:one", "IMAGE", 10).await;
        let (ice, _) = world.push(world.frost, "ice", "d:two", "IMAGE", 10).await;
        world.tag(app, one, "v1", 11).await;
        let mut conn = world.db.read().await.unwrap();
        let link = &mut conn.link();
        assert_eq!(artifact::get_by_tag(link, app, "v1", EVERYTHING).await.unwrap().unwrap().id, one);
        assert_eq!(artifact::get_by_digest(link, app, "d:one", EVERYTHING).await.unwrap().unwrap().id, one);
        for (repository, digest) in [(ice, "d:one"), (app, "d:two"), (app, "v1")] {
            assert!(artifact::get_by_digest(link, repository, digest, EVERYTHING).await.unwrap().is_none());
        }
        assert!(artifact::get_by_tag(link, ice, "v1", EVERYTHING).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn tags_are_listed_and_deleted_with_their_artifact_only() {
    each(async |db| {
        let world = World::open(db).await;
        let (app, one) = world.push(world.north, "app", "d:one", "IMAGE", 10).await;
        let (_, two) = world.push(world.north, "app", "d:two", "IMAGE", 20).await;
        for (at, name) in ["v1", "v2", "Latest"].into_iter().enumerate() {
            world.tag(app, one, name, 30 + at as i64).await;
        }
        world.tag(app, two, "other", 40).await;
        let mut tx = world.db.write().await.unwrap();
        let link = &mut tx.link();
        let names = |page: Page<tag::TagRow>| page.items.into_iter().map(|t| t.name).collect::<Vec<_>>();
        assert_eq!(names(tag::list(link, one, &all()).await.unwrap()), ["Latest", "v2", "v1"]);
        assert_eq!(names(tag::list(link, one, &query(2, "", "name")).await.unwrap()), ["Latest", "v1"]);
        assert_eq!(names(tag::list(link, one, &query(0, "name=~V", "name")).await.unwrap()), ["v1", "v2"]);
        assert!(names(tag::list(link, one, &query(0, "name=other", "")).await.unwrap()).is_empty());
        assert!(!tag::delete_of(link, one, "other", 50).await.unwrap());
        assert!(tag::delete_of(link, one, "v1", 50).await.unwrap());
        assert!(!tag::delete_of(link, one, "v1", 51).await.unwrap());
        assert!(matches!(tag::create(link, app, one, "other", 52).await, Err(Error::Duplicate)));
        drop(tx);
        let mut tx = world.db.write().await.unwrap();
        let link = &mut tx.link();
        assert!(artifact::hold(link, one).await.unwrap());
        assert_eq!(artifact::delete(link, one, 60).await.unwrap().len(), 3);
        assert!(!artifact::hold(link, one).await.unwrap());
        assert!(names(tag::list(link, one, &all()).await.unwrap()).is_empty());
    })
    .await;
}

#[tokio::test]
async fn accessories_are_listed_and_lent_to_unsigned_children() {
    each(async |db| {
        let world = World::open(db).await;
        let (app, one) = world.push(world.north, "app", "d:one", "IMAGE", 10).await;
        let (_, two) = world.push(world.north, "app", "d:two", "IMAGE", 20).await;
        let (_, index) = world.push(world.north, "app", "d:index", "IMAGE", 30).await;
        for child in [(one, "d:one"), (two, "d:two")] {
            world.hold_child(index, child.0, child.1).await;
        }
        let (_, of_index) = world.push(world.north, "app", "d:sig-index", "UNKNOWN", 40).await;
        let (_, of_one) = world.push(world.north, "app", "d:sig-one", "UNKNOWN", 50).await;
        let (_, bill) = world.push(world.north, "app", "d:sbom", "SBOM", 60).await;
        world.accessory(app, of_index, "d:index", "signature.notation").await;
        world.accessory(app, of_one, "d:one", "signature.cosign").await;
        world.accessory(app, bill, "d:index", "sbom.harbor").await;
        let mut tx = world.db.write().await.unwrap();
        let link = &mut tx.link();
        let digests = |page: Page<accessory::AccessoryRow>| page.items.into_iter().map(|a| a.digest).collect::<Vec<_>>();
        assert_eq!(digests(accessory::list(link, index, &all()).await.unwrap()), ["d:sig-index", "d:sbom"]);
        assert_eq!(digests(accessory::list(link, index, &query(0, "type=~SBOM", "")).await.unwrap()), ["d:sbom"]);
        assert_eq!(digests(accessory::list(link, index, &query(1, "", "-id")).await.unwrap()), ["d:sbom"]);
        assert!(digests(accessory::list(link, two, &all()).await.unwrap()).is_empty());
        // `one` is signed itself, the bill of materials is no signature.
        let lent = accessory::inherited(link, &[one, two, index]).await.unwrap();
        let lent: Vec<_> = lent.into_iter().map(|row| (row.child_id, row.accessory.digest)).collect();
        assert_eq!(lent, [(two, "d:sig-index".to_owned())]);
        assert_eq!(accessory::of(link, bill).await.unwrap(), Some(("sbom.harbor".to_owned(), "d:index".to_owned())));
        assert_eq!(accessory::of(link, one).await.unwrap(), None);
        let types: Vec<_> = accessory::artifact_types(link, index).await.unwrap().into_iter().map(|(digest, _)| digest).collect();
        assert_eq!(types, ["d:sig-index", "d:sbom"]);
        assert_eq!(accessory::artifact_types(link, two).await.unwrap(), []);
        artifact::delete(link, of_index, 70).await.unwrap();
        assert!(accessory::inherited(link, &[two]).await.unwrap().is_empty());
        assert_eq!(digests(accessory::list(link, index, &all()).await.unwrap()), ["d:sbom"]);
    })
    .await;
}

#[tokio::test]
async fn repositories_are_listed_as_far_as_somebody_sees_them() {
    each(async |db| {
        let world = World::open(db).await;
        let (app, one) = world.push(world.north, "app", "d:one", "IMAGE", 10).await;
        let (_, index) = world.push(world.north, "app", "d:index", "IMAGE", 11).await;
        world.hold_child(index, one, "d:one").await;
        world.push(world.north, "team/api", "d:one", "IMAGE", 20).await;
        world.push(world.atlas, "App", "d:one", "IMAGE", 30).await;
        world.push(world.frost, "ice", "d:one", "IMAGE", 40).await;
        let mut tx = world.db.write().await.unwrap();
        repository::find_or_create(&mut tx.link(), world.north, "unpublished", 50).await.unwrap();
        tx.commit().await.unwrap();
        let mut conn = world.db.read().await.unwrap();
        let link = &mut conn.link();
        let names = |page: &Page<repository::ListedRepository>| {
            page.items.iter().map(|r| format!("{}/{}={}", r.project_name, r.repository.name, r.artifact_count)).collect::<Vec<_>>()
        };
        let page = repository::list(link, world.north, &all()).await.unwrap();
        assert_eq!((names(&page), page.total), (vec!["north/team/api=1".to_owned(), "north/app=1".to_owned()], 2));
        assert_eq!(names(&repository::list(link, world.north, &query(10, "name=north/app", "")).await.unwrap()), ["north/app=1"]);
        assert!(repository::list(link, world.north, &query(10, "name=app", "")).await.unwrap().items.is_empty());
        assert_eq!(names(&repository::list(link, world.north, &query(1, "name=~NORTH", "name")).await.unwrap()), ["north/app=1"]);
        for (viewer, count) in [
            (Viewer::All, 4),
            (Viewer::Public, 1),
            (Viewer::Member(world.dana), 3),
            (Viewer::Projects(vec![world.frost.get()]), 2),
            (Viewer::Projects(Vec::new()), 1),
        ] {
            let page = repository::list_visible(link, &viewer, &query(10, "", "name")).await.unwrap();
            assert_eq!((page.items.len(), page.total), (count, count as u64), "{viewer:?}");
            let found = repository::search(link, &viewer, "/APP", 10).await.unwrap().len();
            assert_eq!(found, if matches!(viewer, Viewer::All | Viewer::Member(_)) { 2 } else { 1 }, "{viewer:?}");
        }
        assert_eq!(repository::search(link, &Viewer::All, "%", 10).await.unwrap().len(), 0);
        assert_eq!(repository::get(link, world.north, "app").await.unwrap().unwrap().repository.id, app);
        assert!(repository::get(link, world.frost, "app").await.unwrap().is_none());
        assert!(repository::get(link, world.north, "unpublished").await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn a_deleted_repository_gives_back_what_nobody_else_holds() {
    each(async |db| {
        let world = World::open(db).await;
        let (app, one) = world.push(world.north, "app", "d:one", "IMAGE", 10).await;
        world.push(world.north, "app", "d:two", "IMAGE", 11).await;
        let (web, _) = world.push(world.north, "web", "d:one", "IMAGE", 12).await;
        world.tag(app, one, "v1", 13).await;
        assert_eq!(world.used(world.north).await, 10 + 5 + 20 + 10 + 20);
        let mut tx = world.db.write().await.unwrap();
        let link = &mut tx.link();
        assert_eq!(repository::delete(link, world.north, app, 20).await.unwrap(), ["d:one", "d:two"]);
        tx.commit().await.unwrap();
        assert_eq!(world.used(world.north).await, 35);
        let mut tx = world.db.write().await.unwrap();
        let link = &mut tx.link();
        assert!(repository::get(link, world.north, "app").await.unwrap().is_none());
        assert!(tag::find(link, app, "v1").await.unwrap().is_none());
        assert!(blob::find_in_repository(link, app, "shared").await.unwrap().is_none());
        assert!(blob::find_in_repository(link, web, "shared").await.unwrap().is_some());
        repository::delete(link, world.north, web, 21).await.unwrap();
        // The name is free at once.
        let again = repository::find_or_create(link, world.north, "app", 22).await.unwrap();
        assert!(again.id != app && !again.is_published);
        tx.commit().await.unwrap();
        assert_eq!(world.used(world.north).await, 0);
    })
    .await;
}

#[tokio::test]
async fn labels_live_in_their_scope_and_on_artifacts() {
    each(async |db| {
        let world = World::open(db).await;
        let (app, one) = world.push(world.north, "app", "d:one", "IMAGE", 10).await;
        let (_, two) = world.push(world.north, "app", "d:two", "IMAGE", 11).await;
        let make = async |name, scope, project_id| {
            let mut tx = world.db.write().await.unwrap();
            let new = NewLabel { name, description: "d", color: "#0065AB", scope, project_id };
            let made = label::insert(&mut tx.link(), &new, 20).await;
            if made.is_ok() {
                tx.commit().await.unwrap();
            }
            made
        };
        let everybody = make("stable", "g", ProjectId(0)).await.unwrap();
        let north = make("stable", "p", world.north).await.unwrap();
        make("stable", "p", world.frost).await.unwrap();
        assert!(matches!(make("stable", "p", world.north).await, Err(Error::Duplicate)));
        let mut tx = world.db.write().await.unwrap();
        let link = &mut tx.link();
        assert_eq!(label::list(link, None, &all()).await.unwrap().total, 1);
        assert_eq!(label::list(link, Some(world.north), &query(10, "name=~STA", "-name")).await.unwrap().items[0].id, north);
        for (artifact, id) in [(one, everybody), (one, north), (two, everybody)] {
            label::attach(link, artifact, id, 30).await.unwrap();
        }
        assert!(label::update(link, north, "fresh", "", "", 40).await.unwrap());
        assert!(!label::update(link, 999, "fresh", "", "", 40).await.unwrap());
        let here = Scope::Repository(app);
        let carry = |labels: Vec<i64>| Filter { labels, ..Filter::default() };
        assert_eq!(artifact::list(link, here, &carry(vec![everybody]), EVERYTHING, &all()).await.unwrap().total, 2);
        let both = artifact::list(link, here, &carry(vec![everybody, north]), EVERYTHING, &all()).await.unwrap();
        assert_eq!(digests(&both), ["d:one"]);
        let shown: serde_json::Value = serde_json::from_str(both.items[0].labels.as_deref().unwrap()).unwrap();
        assert_eq!((&shown[0]["name"], &shown[1]["name"], &shown[1]["updated_at"]), (&"stable".into(), &"fresh".into(), &40.into()));
        assert!(label::detach(link, one, north).await.unwrap());
        assert!(!label::detach(link, one, north).await.unwrap());
        assert!(label::delete(link, everybody).await.unwrap());
        assert!(!label::delete(link, everybody).await.unwrap());
        assert_eq!(artifact::list(link, here, &carry(vec![everybody]), EVERYTHING, &all()).await.unwrap().total, 0);
        label::attach(link, two, north, 50).await.unwrap();
        label::delete_of_project(link, world.north).await.unwrap();
        assert!(label::get(link, north).await.unwrap().is_none());
        assert_eq!(label::list(link, Some(world.frost), &all()).await.unwrap().total, 1);
        tx.commit().await.unwrap();
        let mut tx = world.db.write().await.unwrap();
        assert!(matches!(label::attach(&mut tx.link(), one, 999, 60).await, Err(Error::Reference)));
    })
    .await;
}

#[tokio::test]
async fn a_tree_is_copied_with_its_children_and_accessories() {
    each(async |db| {
        let world = World::open(db).await;
        let (app, one) = world.push(world.north, "app", "d:one", "IMAGE", 10).await;
        let (_, index) = world.push(world.north, "app", "d:index", "IMAGE", 20).await;
        let (_, signature) = world.push(world.north, "app", "d:sig", "UNKNOWN", 30).await;
        world.push(world.north, "app", "d:stranger", "IMAGE", 40).await;
        world.hold_child(index, one, "d:one").await;
        world.accessory(app, signature, "d:index", "signature.cosign").await;
        world.tag(app, index, "v1", 41).await;
        world.tag(app, index, "v2", 42).await;
        let mut tx = world.db.write().await.unwrap();
        let link = &mut tx.link();
        let tree = artifact::tree_of(link, index, 10).await.unwrap();
        assert_eq!(tree, [one, index, signature]);
        assert!(artifact::tree_of(link, index, 1).await.unwrap().len() > 1);
        let tags: Vec<_> = artifact::tags_of(link, &tree).await.unwrap().into_iter().map(|t| t.name).collect();
        assert_eq!(tags, ["v2", "v1"]);
        let contents = artifact::contents_of(link, &tree).await.unwrap();
        assert_eq!(contents.iter().map(|(_, size)| size).sum::<i64>(), 3 * (10 + 20) + 5);
        let target = repository::find_or_create(link, world.frost, "copy", 50).await.unwrap().id;
        let mut copies = Vec::new();
        for source in &tree {
            let (copy, is_new) = artifact::copy_row(link, *source, world.frost, target, 50).await.unwrap();
            assert!(is_new);
            if let Some((kind, subject)) = accessory::of(link, *source).await.unwrap() {
                accessory::create(link, target, copy, &subject, &kind, 50).await.unwrap();
            }
            artifact::arrived(link, target, copy).await.unwrap();
            assert_eq!(artifact::copy_row(link, *source, world.frost, target, 51).await.unwrap(), (copy, false));
            copies.push((*source, copy));
        }
        for (source, copy) in copies {
            artifact::copy_children(link, source, copy, target).await.unwrap();
        }
        let copied = artifact::get_by_digest(link, target, "d:index", EVERYTHING).await.unwrap().unwrap();
        assert_eq!((copied.project_id, copied.repository_name.as_str(), copied.size), (world.frost, "frost/copy", 55));
        let children: serde_json::Value = serde_json::from_str(copied.children.as_deref().unwrap()).unwrap();
        let child = artifact::find(link, target, "d:one").await.unwrap().unwrap();
        assert_eq!(children[0]["child_id"], child.id.get());
        let accessories: serde_json::Value = serde_json::from_str(copied.accessories.as_deref().unwrap()).unwrap();
        assert_eq!(accessories[0]["digest"], "d:sig");
        assert_eq!(artifact::manifest(link, target, "d:one").await.unwrap().unwrap().content, b"0123456789");
        assert!(blob::find_in_repository(link, target, "shared").await.unwrap().is_some());
        assert!(artifact::find(link, target, "d:stranger").await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn figures_and_the_search_keep_to_what_somebody_sees() {
    each(async |db| {
        let world = World::open(db).await;
        let mut conn = world.db.read().await.unwrap();
        assert_eq!(statistics::storage(&mut conn.link()).await.unwrap(), 0);
        drop(conn);
        world.push(world.north, "app", "d:one", "IMAGE", 10).await;
        world.push(world.north, "web", "d:one", "IMAGE", 11).await;
        world.push(world.atlas, "app", "d:one", "IMAGE", 12).await;
        let mut conn = world.db.read().await.unwrap();
        let link = &mut conn.link();
        let figures = async |link: &mut store::Link<'_>, viewer| {
            let mut all = statistics::figures(link, &viewer).await.unwrap();
            all.sort_by_key(|f| f.is_public);
            all.into_iter().map(|f| (f.is_public, f.projects, f.repositories)).collect::<Vec<_>>()
        };
        assert_eq!(figures(link, Viewer::All).await, [(false, 2, 2), (true, 1, 1)]);
        assert_eq!(figures(link, Viewer::Member(world.dana)).await, [(false, 1, 2), (true, 1, 1)]);
        assert_eq!(figures(link, Viewer::Projects(vec![world.frost.get()])).await, [(false, 1, 0), (true, 1, 1)]);
        assert_eq!(figures(link, Viewer::Public).await, [(true, 1, 1)]);
        // Contents count once, however many repositories have them.
        assert_eq!(statistics::storage(link).await.unwrap(), 10 + 5 + 20);

        let names = |found: Vec<statistics::FoundProject>| found.into_iter().map(|p| (p.name, p.repo_count, p.role)).collect::<Vec<_>>();
        let found = statistics::search_projects(link, &Viewer::Member(world.dana), Some(world.dana), "t", 10).await.unwrap();
        assert_eq!(names(found), [("atlas".to_owned(), 1, None), ("north".to_owned(), 2, Some(1))]);
        assert!(statistics::search_projects(link, &Viewer::All, None, "NORTH", 10).await.unwrap().is_empty());
        assert!(statistics::search_projects(link, &Viewer::All, None, "%", 10).await.unwrap().is_empty());
        assert_eq!(statistics::search_projects(link, &Viewer::All, None, "", 2).await.unwrap().len(), 2);
    })
    .await;
}
