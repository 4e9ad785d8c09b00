//! What is known about artifacts of a type: which additions they have and where. The key is the artifact type, else the media type.

use store::artifact::ListedArtifact;

use super::Addition;

/// Who knows about an artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Processor {
    /// An image for one platform.
    Image,
    /// An index, or a CNAB bundle: nothing of its own.
    Index,
    /// A Helm chart.
    Chart,
    /// A WASM module.
    Wasm,
    /// A bill of materials.
    Sbom,
    /// A packaged model.
    Model,
    /// Nobody.
    None,
}

impl Processor {
    /// By what the artifact says to be.
    pub(super) fn of(artifact: &ListedArtifact) -> Self {
        let key = if artifact.artifact_type.is_empty() { &artifact.media_type } else { &artifact.artifact_type };
        match key.as_str() {
            "application/vnd.oci.image.config.v1+json" | "application/vnd.docker.container.image.v1+json" => Self::Image,
            "application/vnd.oci.image.index.v1+json"
            | "application/vnd.docker.distribution.manifest.list.v2+json"
            | "application/vnd.cnab.manifest.v1" => Self::Index,
            "application/vnd.cncf.helm.config.v1+json" => Self::Chart,
            "application/vnd.wasm.config.v1+json" => Self::Wasm,
            "application/vnd.goharbor.harbor.sbom.v1" => Self::Sbom,
            "application/vnd.cncf.model.manifest.v1+json" => Self::Model,
            _ => Self::None,
        }
    }

    /// The additions that exist.
    pub(super) fn additions(self) -> &'static [Addition] {
        match self {
            Self::Image | Self::Wasm => &[Addition::BuildHistory],
            Self::Chart => &[Addition::Values, Addition::Readme, Addition::Dependencies],
            Self::Sbom => &[Addition::Sbom],
            Self::Model => &[Addition::Readme, Addition::License, Addition::Files],
            Self::Index | Self::None => &[],
        }
    }

    /// The additions that lists link to: a bill of materials is linked from what it describes, not from itself.
    pub(super) fn linked(self) -> &'static [Addition] {
        if self == Self::Sbom { &[] } else { self.additions() }
    }

    /// How a refusal names what does not have an addition.
    pub(super) fn refusal(self, addition: Addition, kind: &str) -> String {
        let addition = addition.as_str().to_ascii_uppercase();
        match self {
            Self::None => format!("the processor for artifact {kind} not found, cannot get the addition"),
            Self::Index => format!("addition {addition} isn't supported"),
            Self::Image | Self::Wasm => format!("addition {addition} isn't supported for {kind}(manifest version 2)"),
            Self::Chart | Self::Sbom | Self::Model => format!("addition {addition} isn't supported for {kind}"),
        }
    }
}
