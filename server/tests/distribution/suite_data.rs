//! The data of the conformance suite at its head, and how it pushes blobs.

use bytes::Bytes;
use oci::Digest;
use oci::digest::Algorithm;
use serde_json::{Value, json};

use crate::document::{Document, EMPTY, EMPTY_TYPE, OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST};
use crate::kit::{Repo, with_digest};

/// What a run pushes: blobs, then documents (children first), then tags.
#[derive(Default)]
pub(crate) struct DataSet {
    pub(crate) name: &'static str,
    /// Digest and content.
    pub(crate) blobs: Vec<(String, Bytes)>,
    /// Digest and document.
    pub(crate) documents: Vec<(String, Document)>,
    /// Tag and digest.
    pub(crate) tags: Vec<(String, String)>,
    algorithm: Option<Algorithm>,
}

impl DataSet {
    fn new(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }

    fn digest(&self, content: &[u8]) -> String {
        Digest::of(self.algorithm.unwrap_or(Algorithm::Sha256), content).to_string()
    }

    /// A content to push, and its descriptor.
    fn blob(&mut self, media_type: &str, content: impl Into<Bytes>) -> Value {
        let content = content.into();
        let descriptor = self.foreign(media_type, &content);
        self.blobs.push((self.digest(&content), content));
        descriptor
    }

    /// The descriptor of a content that is not pushed.
    fn foreign(&self, media_type: &str, content: &[u8]) -> Value {
        json!({"mediaType": media_type, "digest": self.digest(content), "size": content.len()})
    }

    /// A document to push, and its descriptor.
    fn document(&mut self, value: &Value) -> Value {
        let document = Document::new(value);
        let descriptor = self.foreign(&document.media_type, &document.bytes);
        self.documents.push((self.digest(&document.bytes), document));
        descriptor
    }

    fn tag(&mut self, tag: &str, descriptor: &Value) {
        self.tags.push((tag.to_owned(), descriptor["digest"].as_str().unwrap_or_default().to_owned()));
    }

    /// An image of its own contents.
    fn image(&mut self, seed: &str) -> Value {
        let config = self.blob(OCI_CONFIG, format!(r#"{{"architecture":"amd64","os":"linux","author":"{seed}"}}"#));
        let layers = ["one", "two"].map(|n| self.blob(OCI_LAYER, format!("layer {n} of {seed}")));
        json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": layers})
    }

    fn artifact(&mut self, artifact_type: &str) -> Value {
        let empty = self.blob(EMPTY_TYPE, EMPTY);
        json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": artifact_type, "config": empty, "layers": [empty]})
    }
}

fn index(manifests: &[Value]) -> Value {
    json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests})
}

/// All data sets that the suite runs by default.
pub(crate) fn all() -> Vec<DataSet> {
    vec![
        images(),
        indexes("index", None),
        indexes("sha512", Some(Algorithm::Sha512)),
        artifacts(),
        subjects(),
        missing_subject(),
        odd_fields(),
        data_field(),
        nondistributable(),
        no_layers(),
        empty_blobs(),
    ]
}

fn images() -> DataSet {
    let mut set = DataSet::new("image");
    let image = set.image("image");
    let image = set.document(&image);
    set.tag("image", &image);
    let mut large = set.image("large");
    // 390 annotations of 10 000 characters.
    let annotations: serde_json::Map<String, Value> = (0..390).map(|n| (format!("key-{n}"), "x".repeat(10_000).into())).collect();
    large["annotations"] = annotations.into();
    let large = set.document(&large);
    set.tag("large-manifest", &large);
    set
}

fn indexes(name: &'static str, algorithm: Option<Algorithm>) -> DataSet {
    let mut set = DataSet { algorithm, ..DataSet::new(name) };
    let mut platforms = Vec::new();
    for architecture in ["amd64", "arm64"] {
        let image = set.image(architecture);
        let mut descriptor = set.document(&image);
        descriptor["platform"] = json!({"os": "linux", "architecture": architecture});
        platforms.push(descriptor);
    }
    let both = set.document(&index(&platforms));
    let empty = set.document(&index(&[]));
    let nested = set.document(&index(&[both.clone(), empty.clone()]));
    for (tag, descriptor) in [("index", &both), ("empty", &empty), ("nested", &nested)] {
        set.tag(tag, descriptor);
    }
    set
}

fn artifacts() -> DataSet {
    let mut set = DataSet::new("artifact");
    let artifact = set.artifact("application/vnd.example.artifact");
    let artifact = set.document(&artifact);
    set.tag("artifact", &artifact);
    let mut list = index(&[artifact]);
    list["artifactType"] = "application/vnd.example.list".into();
    let list = set.document(&list);
    set.tag("artifact-list", &list);
    set
}

fn subjects() -> DataSet {
    let mut set = DataSet::new("subject");
    let image = set.image("subject");
    let image = set.document(&image);
    set.tag("image", &image);
    for (n, tag) in [None, Some("tagged-artifact1"), Some("tagged-artifact2")].into_iter().enumerate() {
        let mut referrer = set.artifact("application/vnd.example.referrer");
        if n == 0 {
            referrer.as_object_mut().expect("an object").remove("artifactType");
        }
        referrer["subject"] = image.clone();
        referrer["annotations"] = json!({"org.opencontainers.conformance": format!("referrer {n}")});
        let referrer = set.document(&referrer);
        if let Some(tag) = tag {
            set.tag(tag, &referrer);
        }
    }
    let mut list = index(std::slice::from_ref(&image));
    list["annotations"] = json!({"list": "of the subject"});
    let list = set.document(&list);
    let mut about = index(&[]);
    about["subject"] = list;
    about["artifactType"] = "application/vnd.example.list".into();
    let about = set.document(&about);
    set.tag("index", &about);
    set
}

fn missing_subject() -> DataSet {
    let mut set = DataSet::new("missing subject");
    let mut referrer = set.artifact("application/vnd.example.referrer");
    referrer["subject"] = json!({"mediaType": OCI_MANIFEST, "digest": set.digest(b"never pushed"), "size": 123});
    let referrer = set.document(&referrer);
    set.tag("tagged-missing", &referrer);
    set
}

fn odd_fields() -> DataSet {
    let mut set = DataSet::new("custom fields");
    let mut image = set.image("custom");
    image["config"] = set.blob(OCI_CONFIG, r#"{"architecture":"amd64","os":"linux","org.example":{"custom":[1,2]}}"#);
    image["org.example.custom"] = json!({"a": [true, null, 1.5]});
    image["layers"][0]["org.example.custom"] = json!("layer");
    let mut image = set.document(&image);
    set.tag("custom-image", &image);
    image["org.example.custom"] = json!({"in": "descriptor"});
    let mut list = index(&[image]);
    list["org.example.custom"] = json!("index");
    let list = set.document(&list);
    set.tag("custom-index", &list);
    set
}

fn data_field() -> DataSet {
    use base64::Engine as _;
    let mut set = DataSet::new("data field");
    let mut image = set.image("data");
    let contents: Vec<_> = set.blobs.iter().map(|(_, content)| base64::prelude::BASE64_STANDARD.encode(content)).collect();
    image["config"]["data"] = contents[0].clone().into();
    image["layers"][0]["data"] = contents[1].clone().into();
    image["layers"][1]["data"] = contents[2].clone().into();
    let image = set.document(&image);
    set.tag("data", &image);
    set
}

fn nondistributable() -> DataSet {
    let mut set = DataSet::new("nondistributable");
    let mut image = set.image("nondistributable");
    let layers = ["gzip", "zstd"].map(|coding| {
        let mut layer = set.foreign(&format!("application/vnd.oci.image.layer.nondistributable.v1.tar+{coding}"), coding.as_bytes());
        layer["urls"] = json!([format!("https://store.example.com/blobs/{coding}")]);
        layer
    });
    image["layers"] = layers.to_vec().into();
    let image = set.document(&image);
    set.tag("nondistributable", &image);
    set
}

fn no_layers() -> DataSet {
    let mut set = DataSet::new("no layers");
    let mut image = set.image("no layers");
    image["layers"] = json!([]);
    let image = set.document(&image);
    set.tag("no-layers", &image);
    set
}

fn empty_blobs() -> DataSet {
    let mut set = DataSet::new("empty blob");
    set.blobs.push((Digest::sha256(b"").to_string(), Bytes::new()));
    set.blobs.push((Digest::of(Algorithm::Sha512, b"").to_string(), Bytes::new()));
    set
}

/// Pushes a blob in the `way`-th of the suite's four ways.
pub(crate) async fn push_blob(repo: &Repo, way: usize, digest: &str, content: &Bytes) {
    let octets = |call: testkit::client::Call| call.header("content-type", "application/octet-stream");
    if way.is_multiple_of(4) && !content.is_empty() {
        let reply = octets(repo.post(&format!("blobs/uploads/?digest={digest}"))).body(content.clone()).send().await;
        let reply = reply.expect(201);
        assert_eq!(reply.header("docker-content-digest"), digest);
        return;
    }
    let location = repo.post("blobs/uploads/").header("content-length", "0").send().await.expect(202).location();
    let close = |location: &str| octets(repo.client.put(&with_digest(location, digest)));
    let reply = match way % 4 {
        1 => close(&location).body(content.clone()).send().await,
        2 => {
            let patched = octets(repo.client.patch(&location)).chunked(content.clone()).send().await.expect(202);
            close(&patched.location()).send().await
        }
        3 if !content.is_empty() => {
            let range = format!("0-{}", content.len() - 1);
            let patched =
                octets(repo.client.patch(&location)).header("content-range", &range).body(content.clone()).send().await.expect(202);
            assert_eq!(patched.header("range"), range);
            close(&patched.location()).send().await
        }
        _ => close(&location).chunked(content.clone()).send().await,
    };
    let reply = reply.expect(201);
    assert_eq!(reply.header("docker-content-digest"), digest);
    assert_eq!(repo.client.get(&reply.location()).send().await.expect(200).body, content);
}
