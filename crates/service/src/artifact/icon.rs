//! Icons of artifacts and accessories. Their names are digests that clients know; the pictures are our own, or a layer's that an artifact was pushed
//! with.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use model::api;
use oci::{Descriptor, Digest};

use super::Artifacts;
use super::contents::read_blob;
use crate::picture::{self, MAX_ICON};
use crate::{Error, Result};

const IMAGE: &str = "sha256:0048162a053eef4d4ce3fe7518615bef084403614f8bca43b40ae2e762e11e06";
const CHART: &str = "sha256:61cf3a178ff0f75bf08a25d96b75cf7355dc197749a9f128ed3ef34b0df05518";
const CNAB: &str = "sha256:089bdda265c14d8686111402c8ad629e8177a1ceb7dcd0f7f39b6480f623b3bd";
const WASM: &str = "sha256:badd7693bcaf115be202748241dd0ea6ee3b0524bfab9ac22d1e1c43721afec6";
const SBOM: &str = "sha256:c19f80c357cd7e90d2a01b9ae3e2eb62ce447a2662bb590a19177d72d550bdae";
const MODEL: &str = "sha256:1e1e5c5fdaf0931ec8655e835d1182f723a0c322a6760211622e1270f0193717";
const COSIGN: &str = "sha256:20401d5b3a0f6dbc607c8d732eb08471af4ae6b19811a4efce8c6a724aed2882";
const NOTATION: &str = "sha256:3ac706e102bbe9362b400aa162df58135d35e66b9c3bee2165de92022d25fe34";
const NYDUS: &str = "sha256:dfcb6617cd9c144358dc1b305b87bbe34f0b619f1e329116e6aee2e41f2e34cf";
const DEFAULT: &str = "sha256:da834479c923584f4cbcdecc0dac61f32bef1d51e8aae598cf16bd154efab49f";

/// Digest and drawing (the inside of a 24×24 outline).
const DRAWINGS: [(&str, &str); 10] = [
    (IMAGE, r##"<path d="M3 8l9-5 9 5v8l-9 5-9-5z"/><path d="M3 8l9 5 9-5M12 13v8"/>"##),
    (CHART, r##"<circle cx="12" cy="12" r="4"/><path d="M12 2v6M12 16v6M2 12h6M16 12h6M5 5l4 4M15 15l4 4M19 5l-4 4M9 15l-4 4"/>"##),
    (CNAB, r##"<rect x="3" y="7" width="18" height="13" rx="2"/><path d="M8 7V4h8v3M3 13h18"/>"##),
    (WASM, r##"<path d="M3 4h6a3 3 0 0 0 6 0h6v16H3z"/><path d="M7 12l1.5 5L10 12l1.5 5L13 12M15 17l2-5 2 5"/>"##),
    (SBOM, r##"<path d="M5 3h10l4 4v14H5z"/><path d="M9 10h6M9 14h6M9 18h3"/>"##),
    (
        MODEL,
        r##"<circle cx="6" cy="6" r="2"/><circle cx="18" cy="6" r="2"/><circle cx="12" cy="18" r="2"/><path d="M7 8l4 8M17 8l-4 8M8 6h8"/>"##,
    ),
    (COSIGN, r##"<path d="M12 3l8 3v6c0 5-4 8-8 9-4-1-8-4-8-9V6z"/><path d="M8 12l3 3 5-6"/>"##),
    (NOTATION, r##"<path d="M4 20l4-1L19 8l-3-3L5 16z"/><path d="M12 21h8"/>"##),
    (NYDUS, r##"<path d="M13 2L5 14h6l-1 8 9-13h-6z"/>"##),
    (DEFAULT, r##"<path d="M5 3h10l4 4v14H5z"/><path d="M15 3v4h4"/>"##),
];

/// The icon of an artifact of this kind.
pub(super) fn of_kind(kind: &str) -> &'static str {
    match kind {
        "IMAGE" => IMAGE,
        "CHART" => CHART,
        "CNAB" => CNAB,
        "WASM" => WASM,
        "SBOM" => SBOM,
        "CNAI" => MODEL,
        _ => DEFAULT,
    }
}

/// The icon of an accessory of this kind, or nothing.
pub(super) fn of_accessory(kind: &str) -> &'static str {
    match kind {
        "signature.cosign" => COSIGN,
        "signature.notation" => NOTATION,
        "accelerator.nydus" => NYDUS,
        "sbom.harbor" => SBOM,
        _ => "",
    }
}

impl Artifacts {
    /// The picture behind an icon's digest, for everybody: of a layer only as long as some artifact has it for its icon.
    ///
    /// # Errors
    /// 404.
    pub async fn icon(&self, digest: &str) -> Result<api::Icon> {
        match DRAWINGS.iter().find(|(known, _)| *known == digest) {
            Some((_, drawing)) => Ok(drawn(drawing)),
            None => self.own_icon(digest).await?.ok_or_else(|| missing(digest)),
        }
    }

    async fn own_icon(&self, text: &str) -> Result<Option<api::Icon>> {
        let Ok(digest) = text.parse::<Digest>() else { return Ok(None) };
        let mut conn = self.core.db.read().await?;
        let holder = store::artifact::holder_of_icon(&mut conn.link(), digest.as_str()).await?;
        drop(conn);
        let Some(repository) = holder else { return Ok(None) };
        let content = match read_blob(&self.core, repository, &Descriptor::new("", digest, 0), MAX_ICON).await {
            Ok(content) => content,
            Err(error) if error.status < 500 => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(picture::media_type(&content)
            .map(|media_type| api::Icon { content_type: media_type.to_owned(), content: BASE64_STANDARD.encode(&content) }))
    }
}

fn missing(digest: &str) -> Error {
    Error::not_found(format!("the icon {} not found", digest.chars().take(256).collect::<String>()))
}

fn drawn(drawing: &str) -> api::Icon {
    let picture = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#5b6b7f" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round">{drawing}</svg>"##
    );
    api::Icon { content_type: "image/svg+xml".to_owned(), content: BASE64_STANDARD.encode(picture) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_icon_that_is_named_has_a_picture() {
        let kinds = ["IMAGE", "CHART", "CNAB", "WASM", "SBOM", "CNAI", "ROCKET"].map(of_kind);
        let accessories = ["signature.cosign", "signature.notation", "accelerator.nydus", "sbom.harbor"].map(of_accessory);
        for digest in kinds.into_iter().chain(accessories) {
            let (_, drawing) = DRAWINGS.iter().find(|(known, _)| *known == digest).unwrap();
            assert!(!drawn(drawing).content.is_empty(), "{digest}");
        }
    }
}
