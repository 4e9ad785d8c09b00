//! The journey with buildah: a manifest list put together from two images and pushed with both.

use super::{Journey, installed, ok, same};
use crate::image::{self, Recipe};
use anyhow::Result;
use serde_json::Value;
use std::fs;
use std::process::Command;

fn buildah(journey: &Journey) -> Result<Command> {
    let mut command = installed("buildah")?;
    command.args(["--root", &journey.path("root"), "--runroot", &journey.path("run"), "--storage-driver", "vfs"]);
    let credentials = journey.path("auth.json");
    fs::write(&credentials, "{}")?;
    command.env("REGISTRY_AUTH_FILE", credentials).env("BUILDAH_ISOLATION", "chroot").current_dir(journey.folder);
    Ok(command)
}

/// Pushes two platforms' images, joins them in a list, pushes the list with `--all` and reads it back.
pub fn manifest_list(journey: &mut Journey) -> Result<()> {
    let (trust, credentials) = (journey.target.trust("--"), journey.target.credentials());
    ok(buildah(journey)?.args(["manifest", "create", "journey-list"]))?;
    for architecture in ["amd64", "arm64"] {
        let recipe = Recipe { seed: "buildah", layers: 1, layer_size: 100_000, architectures: &[architecture] };
        image::layout(journey.path(architecture).as_ref(), "v1", &recipe)?;
        let local = ok(buildah(journey)?.args(["pull", "-q", &format!("oci:{architecture}:v1")]))?;
        let reference = format!("docker://{}:{architecture}", journey.target.reference("buildah/parts"));
        ok(buildah(journey)?.args(["push", "-q", "--creds", &credentials]).args(&trust).args([local.trim(), &reference]))?;
        ok(buildah(journey)?.args(["manifest", "add", "--creds", &credentials]).args(&trust).args(["journey-list", &reference]))?;
    }
    let reference = format!("docker://{}:v1", journey.target.reference("buildah/list"));
    let mut push = buildah(journey)?;
    ok(push.args(["manifest", "push", "--all", "--creds", &credentials]).args(&trust).args(["journey-list", &reference]))?;
    let mut inspect = installed("skopeo")?;
    let raw = ok(inspect.args(["inspect", "--raw", "--creds", &credentials]).args(&trust).arg(&reference))?;
    let list: Value = serde_json::from_str(&raw)?;
    let mut platforms: Vec<_> =
        list["manifests"].as_array().into_iter().flatten().filter_map(|entry| entry["platform"]["architecture"].as_str()).collect();
    platforms.sort_unstable();
    same("platforms of the list", platforms, vec!["amd64", "arm64"])
}
