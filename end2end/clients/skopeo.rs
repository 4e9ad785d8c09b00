//! Journeys with skopeo: copying all platforms, Docker's media types, sync, delete, inspect.
//! What comes back is compared byte for byte by digest.

use super::{Journey, installed, ok, refused, same};
use crate::digest::digest;
use crate::image::{self, Recipe};
use anyhow::{Result, ensure};
use serde_json::Value;
use std::process::Command;

const TWO: Recipe = Recipe { seed: "skopeo", layers: 2, layer_size: 200_000, architectures: &["amd64", "arm64"] };
const ONE: Recipe = Recipe { seed: "skopeo-one", layers: 3, layer_size: 100_000, architectures: &["amd64"] };

fn skopeo(verb: &str) -> Result<Command> {
    let mut command = installed("skopeo")?;
    command.args([verb, "--insecure-policy"]);
    Ok(command)
}

/// skopeo with credentials and trust for one side.
fn on(journey: &Journey, verb: &str, side: &str) -> Result<Command> {
    let mut command = skopeo(verb)?;
    command.args([format!("{side}creds"), journey.target.credentials()]).args(journey.target.trust(side));
    Ok(command)
}

fn push(journey: &Journey, recipe: &Recipe, name: &str, tag: &str, more: &[&str]) -> Result<String> {
    let layout = journey.path(&format!("layout-{tag}"));
    let digest = image::layout(layout.as_ref(), tag, recipe)?;
    ok(on(journey, "copy", "--dest-")?
        .args(more)
        .args([format!("oci:{layout}:{tag}"), format!("docker://{}:{tag}", journey.target.reference(name))]))?;
    Ok(digest)
}

fn raw(journey: &Journey, reference: &str) -> Result<String> {
    ok(on(journey, "inspect", "--")?.args(["--raw", &format!("docker://{reference}")]))
}

/// An index with two platforms goes up and comes back with the same digest; inspect and list-tags know it.
pub fn copy_all(journey: &mut Journey) -> Result<()> {
    let pushed = push(journey, &TWO, "skopeo/multi", "v1", &["--all"])?;
    let reference = journey.target.reference("skopeo/multi");
    same("digest of the served index", digest(raw(journey, &format!("{reference}:v1"))?.as_bytes()), pushed.clone())?;
    let back = journey.path("back");
    ok(on(journey, "copy", "--src-")?.args(["--all", &format!("docker://{reference}@{pushed}"), &format!("oci:{back}:v1")]))?;
    let index: Value = serde_json::from_slice(&std::fs::read(format!("{back}/index.json"))?)?;
    same("digest in the copy", index["manifests"][0]["digest"].as_str(), Some(pushed.as_str()))?;
    let tags = ok(on(journey, "list-tags", "--")?.arg(format!("docker://{reference}")))?;
    ensure!(tags.contains("\"v1\""), "list-tags does not show v1: {tags}");
    let shown: Value = serde_json::from_str(&ok(on(journey, "inspect", "--")?.arg(format!("docker://{reference}:v1")))?)?;
    same("layers shown by inspect", shown["Layers"].as_array().map(Vec::len), Some(2))
}

/// The same content in Docker's media types is kept exactly as pushed.
pub fn docker_schema(journey: &mut Journey) -> Result<()> {
    push(journey, &ONE, "skopeo/v2s2", "v1", &["--format", "v2s2"])?;
    let manifest: Value = serde_json::from_str(&raw(journey, &format!("{}:v1", journey.target.reference("skopeo/v2s2")))?)?;
    same("media type", manifest["mediaType"].as_str(), Some("application/vnd.docker.distribution.manifest.v2+json"))
}

/// A repository with two tags goes to a folder and from there to another place.
pub fn sync(journey: &mut Journey) -> Result<()> {
    let one = push(journey, &ONE, "sync-source", "one", &["--all"])?;
    push(journey, &TWO, "sync-source", "two", &["--all"])?;
    let (folder, source) = (journey.path("synced"), journey.target.reference("sync-source"));
    ok(on(journey, "sync", "--src-")?.args(["--all", "--src", "docker", "--dest", "dir", &source, &folder]))?;
    let target = journey.target.reference("mirror");
    ok(on(journey, "sync", "--dest-")?.args(["--all", "--src", "dir", "--dest", "docker", &folder, &target]))?;
    let copied = digest(raw(journey, &format!("{target}/sync-source:one"))?.as_bytes());
    same("digest in the mirror", copied, one)
}

/// A deleted image is gone; another one with the same layers stays whole.
pub fn delete(journey: &mut Journey) -> Result<()> {
    push(journey, &ONE, "delete/gone", "v1", &[])?;
    push(journey, &ONE, "delete/stays", "v1", &[])?;
    let gone = format!("docker://{}:v1", journey.target.reference("delete/gone"));
    ok(on(journey, "delete", "--")?.arg(&gone))?;
    refused(on(journey, "inspect", "--")?.arg(&gone))?;
    let stays = format!("docker://{}:v1", journey.target.reference("delete/stays"));
    ok(on(journey, "copy", "--src-")?.args([&stays, &format!("oci:{}:v1", journey.path("stays"))])).map(drop)
}
