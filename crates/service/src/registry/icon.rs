//! The icon that a manifest brings: a layer that says so and is a picture.

use oci::{Descriptor, Manifest};

use super::{Registry, Target};
use crate::picture::{self, MAX_ICON};
use crate::{Error, Result};

/// The layer that has it is the icon.
const ICON: &str = "io.goharbor.artifact.v1alpha1.icon";

impl Registry {
    /// The layer that is the artifact's icon: the first that says so, if the repository holds it.
    ///
    /// # Errors
    /// 400 for one that is too large or no picture of a known type.
    pub(super) async fn icon<'a>(&self, target: &Target<'_>, manifest: &'a Manifest) -> Result<Option<&'a Descriptor>> {
        let Some(layer) = manifest.layers.iter().find(|layer| layer.annotations.contains_key(ICON)) else { return Ok(None) };
        // What is missing is told with all else that is.
        let Some(repository) = self.holder(target).await? else { return Ok(None) };
        let mut conn = self.core.db.read().await?;
        let held = store::blob::find_in_repository(&mut conn.link(), repository, layer.digest.as_str()).await?;
        drop(conn);
        let Some(blob) = (match held {
            Some(_) => self.core.blobs.open(&layer.digest).await?,
            None => None,
        }) else {
            return Ok(None);
        };
        if blob.size > MAX_ICON {
            return Err(Error::bad_request("the maximum size of the icon is 1MB"));
        }
        let content = blob.bytes(MAX_ICON).await.map_err(Error::internal)?;
        match picture::media_type(&content) {
            Some(_) => Ok(Some(layer)),
            None => Err(Error::bad_request("unsupported content type of the icon: it must be a GIF, a PNG or a JPEG")),
        }
    }
}
