//! Sparse indexes (`registry.sparse_indexes = "accept"`): an index is stored though children that it names are not there, and is linked to those
//! that come later as if they had been there before.

mod in_process;

use in_process::{BASIC, Doors, Told};
use serde_json::{Value, json};
use service::Settings;
use testkit::database::each;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// An image of nothing but a configuration, and what an index says of it.
struct Image {
    config: String,
    manifest: String,
    digest: String,
    descriptor: Value,
}

impl Image {
    fn of(architecture: &str) -> Self {
        let config = json!({"architecture": architecture, "os": "linux"}).to_string();
        let described = json!({"mediaType": "application/vnd.oci.image.config.v1+json", "digest": sha256(&config), "size": config.len()});
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": []}).to_string();
        let digest = sha256(&manifest);
        let platform = json!({"architecture": architecture, "os": "linux"});
        let descriptor = json!({"mediaType": MANIFEST, "digest": digest, "size": manifest.len(), "platform": platform});
        Self { config, manifest, digest, descriptor }
    }

    /// What the artifact counts.
    fn size(&self) -> usize {
        self.config.len() + self.manifest.len()
    }

    async fn push(&self, world: &World, repository: &str) {
        world.doors.blob(repository, self.config.as_bytes()).await;
        world.put(repository, &self.digest, MANIFEST, &self.manifest).await;
    }
}

fn sha256(text: &str) -> String {
    oci::Digest::sha256(text.as_bytes()).to_string()
}

fn sorted<const N: usize>(images: [&Image; N]) -> Vec<String> {
    let mut digests = images.map(|image| image.digest.clone());
    digests.sort();
    digests.into()
}

fn index(entries: &[&Value]) -> String {
    json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).to_string()
}

struct World {
    doors: Doors,
}

impl World {
    async fn open(db: store::Db) -> Self {
        let doors = Doors::with(db, Settings { sparse_indexes: true, ..Settings::default() }).await;
        doors.post("/projects", json!({"project_name": "north", "metadata": {"public": "false"}})).await;
        Self { doors }
    }

    async fn put(&self, repository: &str, reference: &str, media_type: &str, document: &str) {
        self.doors.make("PUT", &format!("/v2/{repository}/manifests/{reference}"), media_type, document).await;
    }

    async fn ask(&self, method: &str, path: &str) -> Told {
        self.doors.ask(method, path, &[BASIC], "").await
    }

    /// An artifact of `north` as the API has it.
    async fn artifact(&self, repository: &str, reference: &str) -> Value {
        let told = self.ask("GET", &format!("/api/v2.0/projects/north/repositories/{repository}/artifacts/{reference}")).await;
        assert_eq!(told.status, 200, "{}", told.body);
        told.json()
    }

    /// The digests of an index's children, sorted, and its size.
    async fn children(&self, repository: &str, reference: &str) -> (Vec<String>, usize) {
        let artifact = self.artifact(repository, reference).await;
        let digest = |child: &Value| child["child_digest"].as_str().expect("a digest").to_owned();
        let mut children: Vec<_> = artifact["references"].as_array().map(|all| all.iter().map(digest).collect()).unwrap_or_default();
        children.sort();
        (children, artifact["size"].as_u64().and_then(|size| usize::try_from(size).ok()).expect("a size"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_is_stored_without_a_child_and_linked_when_it_comes() {
    each(async |db| {
        let world = World::open(db).await;
        let (here, later) = (Image::of("amd64"), Image::of("arm64"));
        here.push(&world, "north/app").await;
        let sparse = index(&[&here.descriptor, &later.descriptor]);
        world.put("north/app", "v1", INDEX, &sparse).await;
        let inner = json!({"mediaType": INDEX, "digest": sha256(&sparse), "size": sparse.len()});
        let outer = index(&[&inner]);
        world.put("north/app", "all", INDEX, &outer).await;

        assert_eq!(world.ask("GET", "/v2/north/app/manifests/v1").await.body, sparse);
        assert_eq!(world.ask("GET", &format!("/v2/north/app/manifests/{}", later.digest)).await.status, 404);
        assert_eq!(world.children("app", "v1").await, (vec![here.digest.clone()], sparse.len() + here.size()));

        later.push(&world, "north/app").await;
        let both = sorted([&here, &later]);
        let size = sparse.len() + here.size() + later.size();
        assert_eq!(world.children("app", "v1").await, (both, size));
        assert_eq!(world.children("app", "all").await, (vec![sha256(&sparse)], outer.len() + size));
        let shown = world.artifact("app", "v1").await;
        let arm = shown["references"].as_array().and_then(|all| all.iter().find(|child| child["child_digest"] == later.digest.as_str()));
        assert_eq!(arm.map(|child| &child["platform"]["architecture"]), Some(&json!("arm64")));
        // Pushed again, it waits for nothing any more.
        world.put("north/app", "v1", INDEX, &sparse).await;
        assert_eq!(world.children("app", "v1").await.1, size);

        // Like every child it stays as long as an index names it, and goes with the last one.
        let place = |digest: &str| format!("/api/v2.0/projects/north/repositories/app/artifacts/{digest}");
        assert_eq!(world.ask("DELETE", &place(&later.digest)).await.status, 412);
        assert_eq!(world.ask("DELETE", &place(&sha256(&outer))).await.status, 200);
        assert_eq!(world.ask("DELETE", &place(&sha256(&sparse))).await.status, 200);
        assert_eq!(world.ask("GET", &place(&later.digest)).await.status, 404);
        // What awaited it is gone: it comes back as an artifact like any other.
        later.push(&world, "north/app").await;
        assert_eq!(world.ask("DELETE", &place(&later.digest)).await.status, 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_copy_of_a_sparse_index_awaits_what_its_source_does() {
    each(async |db| {
        let world = World::open(db).await;
        let (first, second, third) = (Image::of("amd64"), Image::of("arm64"), Image::of("s390x"));
        let sparse = index(&[&first.descriptor, &second.descriptor, &third.descriptor]);
        world.put("north/app", "v1", INDEX, &sparse).await;
        assert_eq!(world.children("app", "v1").await, (Vec::new(), sparse.len()));
        // A child that is younger than its index, and one that only the copy's repository has.
        first.push(&world, "north/app").await;
        second.push(&world, "north/copy").await;
        world.doors.make("POST", "/api/v2.0/projects/north/repositories/copy/artifacts?from=north/app:v1", "application/json", "").await;
        assert_eq!(world.children("copy", "v1").await, (sorted([&first, &second]), sparse.len() + first.size() + second.size()));
        third.push(&world, "north/copy").await;
        let (children, size) = world.children("copy", "v1").await;
        assert_eq!((children.len(), size), (3, sparse.len() + first.size() + second.size() + third.size()));
        assert_eq!(world.children("app", "v1").await, (vec![first.digest.clone()], sparse.len() + first.size()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_names_a_sparse_index_grows_in_a_copy_too() {
    each(async |db| {
        let world = World::open(db).await;
        let image = Image::of("amd64");
        let sparse = index(&[&image.descriptor]);
        world.put("north/app", "inner", INDEX, &sparse).await;
        let outer = index(&[&json!({"mediaType": INDEX, "digest": sha256(&sparse), "size": sparse.len()})]);
        world.put("north/app", "all", INDEX, &outer).await;
        image.push(&world, "north/copy").await;
        world.doors.make("POST", "/api/v2.0/projects/north/repositories/copy/artifacts?from=north/app:all", "application/json", "").await;
        assert_eq!(world.children("copy", "all").await.1, outer.len() + sparse.len() + image.size());
        assert_eq!(world.children("app", "all").await.1, outer.len() + sparse.len());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_manifest_is_missed_as_before() {
    each(async |db| {
        let world = World::open(db).await;
        let layer = json!({"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": sha256("layer"), "size": 5});
        for (document, media_type) in [
            (index(&[&layer]), INDEX),
            (json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": layer, "layers": []}).to_string(), MANIFEST),
        ] {
            let told = world.doors.ask("PUT", "/v2/north/app/manifests/v1", &[BASIC, ("content-type", media_type)], document).await;
            assert_eq!((told.status.as_u16(), told.json()["errors"][0]["code"].as_str()), (400, Some("MANIFEST_BLOB_UNKNOWN")));
        }
    })
    .await;
}
