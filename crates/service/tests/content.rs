//! Repositories, artifacts, tags, labels and the search as the doors use them: who gets at what, what a change is followed by, and what strangers push. On every engine.

use model::ProjectId;
use model::api::{LabelReq, NewTag, RepositoryReq};
use model::list::ListQuery;
use oci::Digest;
use serde_json::{Value, json};
use service::artifact::{Addition, ArtifactFlags, Named};
use service::registry::ManifestPull;
use service::{Actor, NameOrId, Settings};
use store::Db;
use testkit::database::each;
use testkit::instance::Instance;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

struct World {
    instance: Instance,
    admin: Actor,
    dana: Actor,
    north: ProjectId,
    frost: ProjectId,
}

impl std::ops::Deref for World {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        &self.instance
    }
}

impl World {
    /// `dana` owns `north`; `frost` is the administrator's; both are private.
    async fn open(db: Db) -> Self {
        let instance = Instance::on(db, Settings::default()).await;
        // With PostgreSQL a process remembers nothing until the others know it.
        instance.services.join_replicas().await.unwrap();
        let (admin, dana) = (instance.admin().await, instance.user("dana").await);
        let north = instance.project(&dana, "north").await;
        let frost = instance.project(&admin, "frost").await;
        Self { instance, admin, dana, north, frost }
    }

    async fn push(&self, name: &str, reference: Option<&str>, manifest: &Value) -> Digest {
        self.instance.push(&self.admin, name, reference, manifest).await.unwrap().digest
    }

    /// Puts a blob where a repository can refer to it.
    async fn blob(&self, name: &str, content: &[u8]) -> Value {
        self.instance.upload(&self.admin, name, content).await.unwrap()
    }

    async fn image(&self, name: &str, tag: Option<&str>, config: &[u8]) -> Digest {
        let mut descriptor = self.blob(name, config).await;
        descriptor["mediaType"] = "application/vnd.oci.image.config.v1+json".into();
        let mut layer = self.blob(name, b"layer").await;
        layer["mediaType"] = "application/vnd.oci.image.layer.v1.tar".into();
        self.push(name, tag, &json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor, "layers": [layer]})).await
    }

    async fn pull(&self, name: &str, reference: &str) -> Result<String, u16> {
        let reference = oci::route::RawReference::new(reference);
        let head = ManifestPull { head: true, ..ManifestPull::default() };
        let pulled = self.services.registry.manifest(&self.dana, &name.parse().unwrap(), &reference, head).await;
        pulled.map(|pulled| pulled.manifest.digest.clone()).map_err(|e| e.status)
    }
}

fn named<'a>(project: &'a NameOrId, repository: &'a str, reference: &'a str) -> Named<'a> {
    Named { project, repository, reference }
}

fn name(project: &str) -> NameOrId {
    NameOrId::Name(project.to_owned())
}

fn status<T>(answer: service::Result<T>) -> u16 {
    answer.map_or_else(|e| e.status, |_| 200)
}

fn empty_index(note: &str) -> Value {
    json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [], "annotations": {"note": note}})
}

#[tokio::test]
async fn what_belongs_to_another_project_is_out_of_reach() {
    each(async |db| {
        let world = World::open(db).await;
        let World { instance: Instance { services, .. }, admin, dana, .. } = &world;
        let (north, frost) = (name("north"), name("frost"));
        let secret = world.push("frost/ice", Some("v1"), &empty_index("secret")).await;
        world.push("north/app", Some("v1"), &empty_index("own")).await;
        let label = |name: &str, project| LabelReq { name: name.into(), scope: "p".into(), project_id: project, ..LabelReq::default() };
        let foreign = services.labels.create(admin, &label("cold", world.frost)).await.unwrap();
        let own = services.labels.create(dana, &label("warm", world.north)).await.unwrap();
        assert_eq!(status(services.labels.create(dana, &label("warm", world.frost)).await), 403);

        // The digest is known to the registry, but not to this repository.
        let flags = ArtifactFlags { tag: true, ..ArtifactFlags::default() };
        assert_eq!(status(services.artifacts.get(dana, &named(&north, "app", secret.as_str()), flags).await), 404);
        assert_eq!(status(services.artifacts.get(dana, &named(&frost, "ice", "v1"), flags).await), 403);
        assert_eq!(status(services.artifacts.get(&Actor::Anonymous, &named(&frost, "ice", "v1"), flags).await), 401);
        assert_eq!(status(services.artifacts.delete(dana, &named(&north, "app", secret.as_str())).await), 404);
        assert_eq!(status(services.tags.create(dana, &named(&north, "app", secret.as_str()), &NewTag { name: "x".into() }).await), 404);

        for id in [foreign, own + 100] {
            assert_eq!(status(services.labels.attach(dana, &named(&north, "app", "v1"), id).await), 404, "{id}");
        }
        assert_eq!(status(services.labels.get(dana, foreign).await), 403);
        assert_eq!(status(services.labels.update(dana, foreign, &label("x", world.frost)).await), 403);
        assert_eq!(status(services.labels.delete(dana, foreign).await), 403);
        services.labels.attach(dana, &named(&north, "app", "v1"), own).await.unwrap();
        assert_eq!(status(services.labels.attach(dana, &named(&north, "app", "v1"), own).await), 409);
        assert_eq!(status(services.labels.detach(dana, &named(&north, "app", "v1"), foreign).await), 404);

        // What is there and what is not look the same to who may not read.
        for from in ["frost/ice:v1", "frost/ice:v2", "frost/none:v1"] {
            assert_eq!(status(services.artifacts.copy(dana, &north, "copy", from).await), 403, "{from}");
        }
        assert_eq!(status(services.artifacts.copy(dana, &frost, "copy", "north/app:v1").await), 403);
        let found = services.search.find(dana, "o").await.unwrap();
        assert!(found.project.iter().all(|p| p.name != "frost") && found.repository.iter().all(|r| r.project_name != "frost"));
        assert_eq!(services.repositories.list_visible(dana, &ListQuery::all()).await.unwrap().total, 1);
        assert_eq!(status(services.artifacts.list_of_project(dana, &frost, &ListQuery::all(), flags, false).await), 403);
    })
    .await;
}

#[tokio::test]
async fn a_change_through_the_api_is_seen_by_the_next_pull() {
    each(async |db| {
        let world = World::open(db).await;
        let World { instance: Instance { services, .. }, dana, .. } = &world;
        let north = name("north");
        let digest = world.push("north/app", Some("v1"), &empty_index("one")).await;
        assert_eq!(world.pull("north/app", "v1").await, Ok(digest.to_string()));
        assert_eq!(world.pull("north/app", "v2").await, Err(404));
        services.tags.create(dana, &named(&north, "app", "v1"), &NewTag { name: "v2".into() }).await.unwrap();
        assert_eq!(world.pull("north/app", "v2").await, Ok(digest.to_string()));
        services.tags.delete(dana, &named(&north, "app", "v1"), "v1").await.unwrap();
        assert_eq!(world.pull("north/app", "v1").await, Err(404));
        services.artifacts.delete(dana, &named(&north, "app", "v2")).await.unwrap();
        assert_eq!(world.pull("north/app", digest.as_str()).await, Err(404));

        world.push("north/app", Some("v3"), &empty_index("two")).await;
        assert!(world.pull("north/app", "v3").await.is_ok());
        services.repositories.delete(dana, &north, "app").await.unwrap();
        assert_eq!(world.pull("north/app", "v3").await, Err(404));
        assert_eq!(status(services.repositories.get(dana, &north, "app").await), 404);
        let mut conn = services.core.db.read().await.unwrap();
        assert_eq!(store::quota::find(&mut conn.link(), world.north).await.unwrap().unwrap().used, 0);
    })
    .await;
}

#[tokio::test]
async fn a_child_goes_with_its_index_and_not_before() {
    each(async |db| {
        let world = World::open(db).await;
        let World { instance: Instance { services, .. }, dana, .. } = &world;
        let north = name("north");
        let child = world.image("north/app", None, b"{}").await;
        let size = services.artifacts.get(dana, &named(&north, "app", child.as_str()), ArtifactFlags::default()).await.unwrap().size;
        let entry =
            json!({"mediaType": MANIFEST, "digest": child.as_str(), "size": 1, "platform": {"os": "linux", "architecture": "arm64"}});
        world.push("north/app", Some("multi"), &json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]})).await;
        let contents = services.artifacts.contents(dana, &named(&north, "app", "multi")).await.unwrap();
        assert_eq!((contents.children.len(), contents.children[0].size), (1, Some(size as u64)));
        let index = services.artifacts.get(dana, &named(&north, "app", "multi"), ArtifactFlags::default()).await.unwrap();
        assert_eq!(oci::Digest::sha256(&contents.manifest).as_str(), index.digest);
        assert!(contents.configuration.is_empty());
        assert_eq!(contents.children[0].platform.as_ref().map(|p| p.architecture.as_str()), Some("arm64"));
        assert_eq!(status(services.artifacts.delete(dana, &named(&north, "app", child.as_str())).await), 412);
        services.artifacts.copy(dana, &north, "copy/deep", "north/app:multi").await.unwrap();
        services.artifacts.delete(dana, &named(&north, "app", "multi")).await.unwrap();
        assert_eq!(world.pull("north/app", child.as_str()).await, Err(404));
        assert_eq!(world.pull("north/copy/deep", child.as_str()).await, Ok(child.to_string()));
    })
    .await;
}

#[tokio::test]
async fn what_an_index_names_stays_when_its_subject_goes() {
    each(async |db| {
        let world = World::open(db).await;
        let World { instance: Instance { services, .. }, dana, .. } = &world;
        let north = name("north");
        let subject = world.image("north/app", Some("v1"), b"{}").await;
        let mut about = empty_index("about");
        about["subject"] = json!({"mediaType": MANIFEST, "digest": subject.as_str(), "size": 1});
        let about = world.push("north/app", None, &about).await;
        let entry = json!({"mediaType": INDEX, "digest": about.as_str(), "size": 1});
        world.push("north/app", Some("all"), &json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]})).await;
        services.artifacts.delete(dana, &named(&north, "app", "v1")).await.unwrap();
        assert_eq!(world.pull("north/app", about.as_str()).await, Ok(about.to_string()));
        services.artifacts.delete(dana, &named(&north, "app", "all")).await.unwrap();
        assert_eq!(world.pull("north/app", about.as_str()).await, Err(404));
    })
    .await;
}

#[tokio::test]
async fn copies_count_and_end_where_names_end() {
    each(async |db| {
        let world = World::open(db).await;
        let World { instance: Instance { services, .. }, admin, dana, .. } = &world;
        let north = name("north");
        world.image("frost/ice", Some("v1"), br#"{"os":"linux"}"#).await;
        let used = async || {
            let mut conn = services.core.db.read().await.unwrap();
            store::quota::find(&mut conn.link(), world.north).await.unwrap().unwrap().used
        };
        assert_eq!(services.artifacts.copy(admin, &north, "app", "frost/ice:v1").await.unwrap(), "v1");
        let once = used().await;
        assert!(once > 0);
        services.artifacts.copy(admin, &north, "other", "north/app:v1").await.unwrap();
        assert_eq!(used().await, once);
        for path in ["..", "a/../b", "Upper", "a b", "", &"x".repeat(300)] {
            assert_eq!(status(services.artifacts.copy(dana, &north, path, "north/app:v1").await), 400, "{path}");
        }
        services.artifacts.delete(dana, &named(&north, "app", "v1")).await.unwrap();
        services.artifacts.delete(dana, &named(&north, "other", "v1")).await.unwrap();
        assert_eq!(used().await, 0);
    })
    .await;
}

#[tokio::test]
async fn what_strangers_push_is_shown_as_it_is_and_no_more_than_a_list_bears() {
    each(async |db| {
        let world = World::open(db).await;
        let World { instance: Instance { services, .. }, dana, .. } = &world;
        let north = name("north");
        let odd = json!({"<script>": "'); DROP TABLE artifact; --", "\u{0}\u{202e}": "\u{feff}\"\\", "": ""});
        world.push("north/odd", Some("v1"), &json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [], "annotations": odd})).await;
        let flags = ArtifactFlags { tag: true, label: true, accessory: true, inherited_accessory: true, immutable_status: false };
        let page = services.artifacts.list(dana, &north, "odd", &ListQuery::all(), flags).await.unwrap();
        assert_eq!(serde_json::to_value(&page.items[0].annotations).unwrap(), odd);

        world.push("north/big", Some("v1"), &empty_index(&"x".repeat(100_000))).await;
        let page = services.artifacts.list(dana, &north, "big", &ListQuery::all(), flags).await.unwrap();
        assert_eq!(page.items[0].annotations, None);
        let whole = services.artifacts.get(dana, &named(&north, "big", "v1"), flags).await.unwrap();
        assert_eq!(whole.annotations.unwrap()["note"].len(), 100_000);

        // Configurations that are not what they say: no steps, no failure.
        for (tag, config) in
            [("text", "no json".as_bytes()), ("list", b"[]"), ("deep", &b"[".repeat(10_000)), ("odd", br#"{"history":{"a":1},"config":5}"#)]
        {
            world.image("north/image", Some(tag), config).await;
            let contents = services.artifacts.contents(dana, &named(&north, "image", tag)).await.unwrap();
            assert_eq!((contents.history.len(), contents.layers.len()), (0, 1), "{tag}");
            // What is shown as it is has to be JSON.
            let shown = if matches!(tag, "list" | "odd") { config } else { b"" };
            assert_eq!(&contents.configuration[..], shown, "{tag}");
            let history = services.artifacts.addition(dana, &named(&north, "image", tag), Addition::BuildHistory).await.unwrap();
            assert_eq!(&history.content[..], b"null", "{tag}");
        }
        assert_eq!(status(services.artifacts.addition(dana, &named(&north, "image", "text"), Addition::Values).await), 400);
    })
    .await;
}

#[tokio::test]
async fn inputs_are_bounded() {
    each(async |db| {
        let world = World::open(db).await;
        let World { instance: Instance { services, .. }, admin, dana, .. } = &world;
        let north = name("north");
        world.push("north/app", Some("v1"), &empty_index("one")).await;
        assert_eq!(status(services.search.find(dana, &"x".repeat(513)).await), 400);
        let long = RepositoryReq { description: "x".repeat((64 << 10) + 1) };
        assert_eq!(status(services.repositories.describe(dana, &north, "app", &long).await), 400);
        let label = |name: String| LabelReq { name, scope: "g".into(), ..LabelReq::default() };
        assert_eq!(status(services.labels.create(admin, &label(String::new())).await), 400);
        assert_eq!(status(services.labels.create(admin, &label("ü".repeat(128))).await), 200);
        assert_eq!(status(services.labels.create(admin, &label("x".repeat(129))).await), 400);
        assert_eq!(
            status(services.labels.create(admin, &LabelReq { name: "x".into(), scope: "p".into(), ..LabelReq::default() }).await),
            400
        );
        for bad in ["", "a b", "-a", "ü", &"t".repeat(129)] {
            assert_eq!(
                status(services.tags.create(dana, &named(&north, "app", "v1"), &NewTag { name: bad.to_owned() }).await),
                400,
                "{bad}"
            );
        }
        let reference = "x".repeat(10_000);
        let error = services.artifacts.get(dana, &named(&north, "app", &reference), ArtifactFlags::default()).await.unwrap_err();
        assert!(error.status == 404 && error.message().len() < 400);
    })
    .await;
}

#[tokio::test]
async fn naming_a_content_in_a_manifest_does_not_open_it() {
    each(async |db| {
        let world = World::open(db).await;
        let World { instance: Instance { services, .. }, dana, .. } = &world;
        // A secret of another project, and a manifest of dana's own that names it as a layer which need not be here.
        let mut layer = world.blob("frost/vault", b"{\"the\":\"secret\"}").await;
        layer["mediaType"] = "application/vnd.oci.image.layer.nondistributable.v1.tar".into();
        let mut config = world.blob("north/thief", b"{}").await;
        config["mediaType"] = "application/vnd.goharbor.harbor.sbom.v1".into();
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]});
        world.push("north/thief", Some("v1"), &manifest).await;
        let north = name("north");
        let opened = services.artifacts.addition(dana, &named(&north, "thief", "v1"), Addition::Sbom).await;
        assert_eq!(status(opened), 404);
        // The same layer in a repository that holds it is shown.
        let mut own = world.blob("north/thief", b"{\"my\":\"own\"}").await;
        own["mediaType"] = "application/vnd.oci.image.layer.nondistributable.v1.tar".into();
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [own]});
        world.push("north/thief", Some("v2"), &manifest).await;
        let opened = services.artifacts.addition(dana, &named(&north, "thief", "v2"), Addition::Sbom).await.unwrap();
        assert_eq!(&opened.content[..], b"{\"my\":\"own\"}");
    })
    .await;
}
