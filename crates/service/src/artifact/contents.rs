//! What an artifact is made of: layers, build steps, children; and what it belongs to. Read from its manifest and its configuration, for the portal.

use bytes::Bytes;
use model::RepositoryId;
use model::api;
use model::permission::{Action, Resource};
use oci::{Descriptor, Manifest};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Link;

use super::{Artifacts, Named, locate, place};
use crate::{Actor, Core, Error, Result};

/// Bytes of a configuration that is read.
const MAX_CONFIG: u64 = 4 << 20;

/// What an artifact is made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contents {
    /// The configuration's media type; empty for an index.
    pub config_media_type: String,
    /// The layers, first to last.
    pub layers: Vec<Layer>,
    /// The build steps of an image, first to last.
    pub history: Vec<BuildStep>,
    /// The entries of an index, in its order.
    pub children: Vec<ContentsChild>,
    /// What it is attached to, when it is an accessory.
    pub subject: Option<Subject>,
    /// Of what is attached to it the digests, and the artifact types that it says to be.
    pub attached: Vec<(String, String)>,
    /// The manifest, to the byte.
    pub manifest: Vec<u8>,
    /// The configuration, to the byte; empty when there is none, or none that is JSON and can be read.
    pub configuration: Bytes,
}

/// What an accessory belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its digest.
    pub digest: String,
    /// Whether it is here; it may come later.
    pub is_here: bool,
}

/// A layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Its digest.
    pub digest: String,
    /// Its media type.
    pub media_type: String,
    /// Bytes as stored.
    pub size: u64,
    /// The name of the file it holds, where the manifest gives one; else empty.
    pub title: String,
}

/// A step of an image's build, as its configuration tells it; what is empty is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BuildStep {
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The command.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub created_by: String,
    /// By whom.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub author: String,
    /// A remark.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// Whether it made no layer.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub empty_layer: bool,
}

/// An entry of an index.
#[derive(Clone, Debug, PartialEq)]
pub struct ContentsChild {
    /// Its digest.
    pub digest: String,
    /// Its media type.
    pub media_type: String,
    /// What it runs on.
    pub platform: Option<api::Platform>,
    /// Bytes of the whole artifact, when it is here.
    pub size: Option<u64>,
}

impl Artifacts {
    /// What an artifact is made of. A configuration that cannot be read gives no build steps.
    ///
    /// # Errors
    /// 401, 403, 404.
    pub async fn contents(&self, actor: &Actor, named: &Named<'_>) -> Result<Contents> {
        let place = place(&self.core, actor, named, Resource::Artifact, Action::Read).await?;
        let mut conn = self.core.db.read().await?;
        let link = &mut conn.link();
        let found = locate(link, &place, named).await?;
        let (pushed, manifest) = read_pushed(link, place.repository, &found.digest).await?;
        let digests: Vec<&str> = manifest.manifests.iter().map(|m| m.digest.as_str()).collect();
        let known = store::artifact::find_all(link, place.repository, &digests).await?;
        let attached = store::accessory::artifact_types(link, found.id).await?;
        let subject = match store::accessory::of(link, found.id).await? {
            Some((_, digest)) => {
                let is_here = store::artifact::find(link, place.repository, &digest).await?.is_some();
                Some(Subject { digest, is_here })
            }
            None => None,
        };
        drop(conn);
        let configuration = match &manifest.config {
            Some(config) => read_blob(&self.core, place.repository, config, MAX_CONFIG).await.unwrap_or_default(),
            None => Bytes::new(),
        };
        let history: Option<Value> = serde_json::from_slice(&configuration).ok();
        let size = |digest: &str| known.iter().find(|a| a.digest == digest).and_then(|a| u64::try_from(a.size).ok());
        Ok(Contents {
            history: history.as_ref().and_then(steps).unwrap_or_default(),
            children: manifest.manifests.iter().map(|m| child(m, size(m.digest.as_str()))).collect(),
            config_media_type: manifest.config.map(|c| c.media_type).unwrap_or_default(),
            layers: manifest.layers.into_iter().map(layer).collect(),
            configuration: if history.is_some() { configuration } else { Bytes::new() },
            subject,
            attached,
            manifest: pushed,
        })
    }
}

fn layer(mut entry: Descriptor) -> Layer {
    let title = entry.annotations.remove("org.opencontainers.image.title").unwrap_or_default();
    Layer { digest: entry.digest.to_string(), media_type: entry.media_type, size: entry.size, title }
}

fn child(entry: &Descriptor, size: Option<u64>) -> ContentsChild {
    ContentsChild {
        digest: entry.digest.to_string(),
        media_type: entry.media_type.clone(),
        platform: entry.platform.as_ref().map(|p| api::Platform {
            architecture: p.architecture.clone(),
            os: p.os.clone(),
            os_version: p.os_version.clone().unwrap_or_default(),
            os_features: Some(p.os_features.clone()).filter(|f| !f.is_empty()),
            variant: p.variant.clone().unwrap_or_default(),
        }),
        size,
    }
}

/// The build steps of an image's configuration; none when it tells of none. A step that is malformed counts as one that says nothing.
pub(super) fn steps(config: &Value) -> Option<Vec<BuildStep>> {
    let history = config.get("history")?.as_array()?;
    Some(history.iter().map(|step| serde_json::from_value(without_nulls(step)).unwrap_or_default()).collect())
}

fn without_nulls(step: &Value) -> Value {
    match step {
        Value::Object(members) => {
            Value::Object(members.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), v.clone())).collect())
        }
        other => other.clone(),
    }
}

/// The manifest of an artifact that is there.
pub(super) async fn read_manifest(link: &mut Link<'_>, repository: RepositoryId, digest: &str) -> Result<Manifest> {
    Ok(read_pushed(link, repository, digest).await?.1)
}

/// As [`read_manifest`], with the bytes as they were pushed.
async fn read_pushed(link: &mut Link<'_>, repository: RepositoryId, digest: &str) -> Result<(Vec<u8>, Manifest)> {
    let row = store::artifact::manifest(link, repository, digest).await?;
    let row = row.ok_or_else(|| Error::not_found(format!("manifest {digest} not found")))?;
    let manifest = Manifest::parse(&row.content, Some(&row.manifest_media_type)).map_err(Error::internal)?;
    Ok((row.content, manifest))
}

/// A content that the repository holds. What a manifest names is not enough: layers that are not distributed may be named without being here, and
/// the storage is everybody's.
///
/// # Errors
/// 400 when it is larger than `max`, 404 when the repository does not hold it or its bytes are gone.
pub(super) async fn read_blob(core: &Core, repository: RepositoryId, descriptor: &Descriptor, max: u64) -> Result<Bytes> {
    let missing = || Error::not_found(format!("blob {} not found", descriptor.digest));
    let mut conn = core.db.read().await?;
    store::blob::find_in_repository(&mut conn.link(), repository, descriptor.digest.as_str()).await?.ok_or_else(missing)?;
    drop(conn);
    let blob = core.blobs.open(&descriptor.digest).await?.ok_or_else(missing)?;
    if blob.size > max {
        return Err(Error::bad_request(format!("blob {} is too large to be shown", descriptor.digest)));
    }
    blob.bytes(max).await.map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn steps_say_what_they_can() {
        let config = json!({"history": [{"created_by": "RUN x", "empty_layer": true, "author": null}, {"created_by": 5}, "x"]});
        let steps = steps(&config).unwrap();
        assert_eq!(serde_json::to_value(&steps).unwrap(), json!([{"created_by": "RUN x", "empty_layer": true}, {}, {}]));
        assert_eq!(super::steps(&json!({"history": null})), None);
        assert_eq!(super::steps(&json!([])), None);
    }
}
