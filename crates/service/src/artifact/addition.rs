//! Additions: what is read out of an artifact's contents for people, such as an image's build steps or a chart's values.

use bytes::Bytes;
use model::RepositoryId;
use model::permission::{Action, Resource};
use oci::{Descriptor, Manifest};
use serde_json::Value;
use store::artifact::{ListedArtifact, With};

use super::contents::{read_blob, read_manifest, steps};
use super::processor::Processor;
use super::{Artifacts, Named, Place, chart, model_package, place, read};
use crate::{Actor, Error, Result};

/// Bytes of a configuration that is read.
const MAX_CONFIG: u64 = 4 << 20;
/// Bytes of a chart archive or a document's layer that is read.
const MAX_ARCHIVE: u64 = 32 << 20;

/// An addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addition {
    /// The steps that built an image.
    BuildHistory,
    /// The values of a chart.
    Values,
    /// The text that introduces a chart or a model.
    Readme,
    /// The charts that a chart needs.
    Dependencies,
    /// A bill of materials.
    Sbom,
    /// The licence of a model.
    License,
    /// The files of a model.
    Files,
}

impl Addition {
    /// In the order of the API's document.
    pub const ALL: [Self; 7] = [Self::BuildHistory, Self::Values, Self::Readme, Self::Dependencies, Self::Sbom, Self::License, Self::Files];

    /// As a path has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BuildHistory => "build_history",
            Self::Values => "values.yaml",
            Self::Readme => "readme.md",
            Self::Dependencies => "dependencies",
            Self::Sbom => "sbom",
            Self::License => "license",
            Self::Files => "files",
        }
    }

    /// By the name in a path; upper and lower case apart.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.as_str() == name)
    }
}

/// An addition's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdditionBody {
    /// `Content-Type`.
    pub content_type: &'static str,
    /// The bytes.
    pub content: Bytes,
}

const JSON: &str = "application/json; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";
const MARKDOWN: &str = "text/markdown; charset=utf-8";
const SBOM: &str = "application/vnd.goharbor.harbor.sbom.v1";

impl Artifacts {
    /// An addition of an artifact.
    ///
    /// # Errors
    /// 400 when its type has none of this kind or its content cannot be read, 401, 403, 404.
    pub async fn addition(&self, actor: &Actor, named: &Named<'_>, addition: Addition) -> Result<AdditionBody> {
        let place = place(&self.core, actor, named, Resource::ArtifactAddition, Action::Read).await?;
        let (artifact, manifest) = self.open(&place, named).await?;
        let processor = Processor::of(&artifact);
        if !processor.additions().contains(&addition) {
            return Err(Error::bad_request(processor.refusal(addition, &artifact.kind)));
        }
        // Contents are read and unpacked as a whole: only so many at once, the others wait in line.
        let _turn = self.unpacking.acquire().await.map_err(Error::internal)?;
        let of = |content_type, content: Vec<u8>| AdditionBody { content_type, content: content.into() };
        Ok(match (processor, addition) {
            (_, Addition::BuildHistory) => of(JSON, self.build_history(place.repository, &manifest).await?),
            (_, Addition::Values) => of(PLAIN, chart::values(self.chart(place.repository, &manifest).await?).await?),
            (Processor::Chart, Addition::Readme) => of(MARKDOWN, chart::readme(self.chart(place.repository, &manifest).await?).await?),
            (_, Addition::Dependencies) => of(JSON, chart::dependencies(self.chart(place.repository, &manifest).await?).await?),
            (_, Addition::Sbom) => {
                AdditionBody { content_type: SBOM, content: self.layer(place.repository, manifest.layers.first()).await? }
            }
            (_, Addition::Readme) => of(MARKDOWN, self.document(place.repository, &manifest, &["README.md", "README"]).await?),
            (_, Addition::License) => {
                of(PLAIN, self.document(place.repository, &manifest, &["LICENSE", "LICENSE.txt", "LICENSE.md"]).await?)
            }
            (_, Addition::Files) => of(JSON, model_package::files(&manifest.layers)?),
        })
    }

    /// The vulnerabilities of an artifact.
    ///
    /// # Errors
    /// 401, 403, 404: also as long as the project has no scanner.
    pub async fn vulnerabilities(&self, actor: &Actor, named: &Named<'_>) -> Result<AdditionBody> {
        let place = place(&self.core, actor, named, Resource::ArtifactAddition, Action::Read).await?;
        let mut conn = self.core.db.read().await?;
        read(&mut conn.link(), &place, named, With::default()).await?;
        Err(Error::not_found(format!("no scanner registration configured for project: {}", place.allowed.id())))
    }

    /// The artifact that is named, and its manifest.
    async fn open(&self, place: &Place, named: &Named<'_>) -> Result<(ListedArtifact, Manifest)> {
        let mut conn = self.core.db.read().await?;
        let link = &mut conn.link();
        let artifact = read(link, place, named, With::default()).await?;
        let manifest = read_manifest(link, place.repository, &artifact.digest).await?;
        Ok((artifact, manifest))
    }

    async fn build_history(&self, repository: RepositoryId, manifest: &Manifest) -> Result<Vec<u8>> {
        let config = match &manifest.config {
            Some(config) => read_blob(&self.core, repository, config, MAX_CONFIG).await?,
            None => Bytes::new(),
        };
        let history = match serde_json::from_slice::<Value>(&config) {
            Ok(document) => steps(&document),
            Err(_) => None,
        };
        serde_json::to_vec(&history).map_err(Error::internal)
    }

    async fn chart(&self, repository: RepositoryId, manifest: &Manifest) -> Result<Bytes> {
        self.layer(repository, manifest.layers.iter().find(|l| chart::is_archive(&l.media_type))).await
    }

    async fn document(&self, repository: RepositoryId, manifest: &Manifest, names: &'static [&'static str]) -> Result<Vec<u8>> {
        let (layer, path) =
            model_package::document(&manifest.layers, names).ok_or_else(|| Error::not_found(format!("{} not found", names[0])))?;
        let path = path.to_owned();
        let archive = read_blob(&self.core, repository, layer, MAX_ARCHIVE).await?;
        chart::on_a_thread(move || model_package::read(&archive, &path)).await
    }

    async fn layer(&self, repository: RepositoryId, layer: Option<&Descriptor>) -> Result<Bytes> {
        let layer = layer.ok_or_else(|| Error::not_found("the artifact has no such layer"))?;
        read_blob(&self.core, repository, layer, MAX_ARCHIVE).await
    }
}
