//! A client that uploads in chunks: in order, out of order, resumed after asking, streamed, cancelled, mounted.
//! It sees every status and header, which the container tools hide.

use super::curl::{Answer, Curl};
use super::{Journey, PROJECT, same};
use crate::digest::digest;
use crate::image;
use crate::random::Random;
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

const CHUNK: usize = 300_000;

fn begin(curl: &Curl, repository: &str) -> Result<String> {
    let answer = curl.send("POST", &format!("/v2/{PROJECT}/{repository}/blobs/uploads/"), &["Content-Length: 0"], None)?.expect(202)?;
    location(&answer)
}

fn location(answer: &Answer) -> Result<String> {
    Ok(answer.header("location").context("no Location in the answer")?.to_owned())
}

fn with_digest(location: &str, digest: &str) -> String {
    format!("{location}{}digest={digest}", if location.contains('?') { '&' } else { '?' })
}

fn range(start: usize, end: usize) -> String {
    format!("Content-Range: {start}-{}", end - 1)
}

/// Three chunks: one repeated out of order (416), one resumed from what the upload's status says, the last in the closing PUT.
pub fn resumed(journey: &mut Journey) -> Result<()> {
    let curl = Curl { target: journey.target, folder: journey.folder };
    let bytes = Random::named("chunks").bytes(2 * CHUNK + 12_345);
    let name = digest(&bytes);
    let upload = begin(&curl, "chunks")?;

    let first = curl.send("PATCH", &upload, &[&range(0, CHUNK)], Some(&bytes[..CHUNK]))?.expect(202)?;
    same("Range after the first chunk", first.header("range"), Some(format!("0-{}", CHUNK - 1).as_str()))?;
    let upload = location(&first)?;
    curl.send("PATCH", &upload, &[&range(2 * CHUNK, bytes.len())], Some(&bytes[2 * CHUNK..]))?.expect(416)?;

    let status = curl.send("GET", &upload, &[], None)?.expect(204)?;
    same("Range in the status", status.header("range"), Some(format!("0-{}", CHUNK - 1).as_str()))?;
    let upload = location(&status)?;
    let second = curl.send("PATCH", &upload, &[&range(CHUNK, 2 * CHUNK)], Some(&bytes[CHUNK..2 * CHUNK]))?.expect(202)?;
    let closing = with_digest(&location(&second)?, &name);
    let done = curl.send("PUT", &closing, &[&range(2 * CHUNK, bytes.len())], Some(&bytes[2 * CHUNK..]))?.expect(201)?;
    same("Docker-Content-Digest", done.header("docker-content-digest"), Some(name.as_str()))?;

    let blob = format!("/v2/{PROJECT}/chunks/blobs/{name}");
    let whole = curl.send("GET", &blob, &[], None)?.expect(200)?;
    ensure!(whole.body == bytes, "the blob came back with {} bytes of other content", whole.body.len());
    let part = curl.send("GET", &blob, &["Range: bytes=10-19"], None)?.expect(206)?;
    same("the part", part.body.as_slice(), &bytes[10..20])?;
    let head = curl.send("HEAD", &blob, &[], None)?.expect(200)?;
    same("Content-Length", head.header("content-length"), Some(bytes.len().to_string().as_str()))
}

/// A streamed PATCH, a cancelled upload, a mount, an empty blob, a wrong digest, and a manifest over what was uploaded.
pub fn edges(journey: &mut Journey) -> Result<()> {
    let curl = Curl { target: journey.target, folder: journey.folder };
    let bytes = Random::named("streamed").bytes(CHUNK);
    let name = digest(&bytes);
    let upload = begin(&curl, "edges")?;
    let streamed = curl.send("PATCH", &upload, &["Transfer-Encoding: chunked"], Some(&bytes))?.expect(202)?;
    curl.send("PUT", &with_digest(&location(&streamed)?, &name), &["Content-Length: 0"], None)?.expect(201)?;

    let cancelled = begin(&curl, "edges")?;
    curl.send("DELETE", &cancelled, &[], None)?.expect(204)?;
    curl.send("GET", &cancelled, &[], None)?.expect(404)?;

    let mount = format!("/v2/{PROJECT}/edges-mounted/blobs/uploads/?mount={name}&from={PROJECT}/edges");
    curl.send("POST", &mount, &["Content-Length: 0"], None)?.expect(201)?;
    curl.send("HEAD", &format!("/v2/{PROJECT}/edges-mounted/blobs/{name}"), &[], None)?.expect(200)?;

    let refused = with_digest(&begin(&curl, "edges")?, &digest(b"something else"));
    let answer = curl.send("PUT", &refused, &[], Some(b"not that"))?.expect(400)?;
    let error: Value = serde_json::from_slice(&answer.body)?;
    same("error code", error["errors"][0]["code"].as_str(), Some("DIGEST_INVALID"))?;

    let empty = with_digest(&begin(&curl, "edges")?, &digest(b""));
    curl.send("PUT", &empty, &["Content-Length: 0"], None)?.expect(201)?;
    manifest(&curl, &bytes)
}

fn manifest(curl: &Curl, layer: &[u8]) -> Result<()> {
    let config = br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#;
    curl.send("PUT", &with_digest(&begin(curl, "edges")?, &digest(config)), &[], Some(config))?.expect(201)?;
    let body = json!({
        "schemaVersion": 2, "mediaType": image::MANIFEST, "config": image::descriptor(image::CONFIG, config),
        "layers": [image::descriptor(image::LAYER, layer)], "unknown": {"kept": true},
    });
    let body = serde_json::to_vec_pretty(&body)?;
    let place = format!("/v2/{PROJECT}/edges/manifests/v1");
    curl.send("PUT", &place, &[&format!("Content-Type: {}", image::MANIFEST)], Some(&body))?.expect(201)?;
    let back = curl.send("GET", &place, &[&format!("Accept: {}", image::MANIFEST)], None)?.expect(200)?;
    ensure!(back.body == body, "the manifest came back changed");
    let tags = curl.send("GET", &format!("/v2/{PROJECT}/edges/tags/list"), &[], None)?.expect(200)?;
    let tags: Value = serde_json::from_slice(&tags.body)?;
    same("tags", tags["tags"].clone(), json!(["v1"]))
}
