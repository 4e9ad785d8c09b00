//! A client that pushes images, indexes and referrers through crashes of its server, mounts what others have pushed, and deletes: it retries, asks
//! for an upload's status and carries on. It notes in a ledger what the server acknowledged, and only that.

use crate::digest::{digest, digest512};
use crate::http::{Client, Reply, path_of};
use crate::image;
use crate::random::Random;
use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a server may be away before the pusher gives up.
const PATIENCE: Duration = Duration::from_secs(90);
/// The largest layer, in bytes.
const LAYER_LIMIT: usize = 3_000_000;

/// What the server has acknowledged.
#[derive(Default)]
pub struct Ledger {
    /// Repository and digest of blobs.
    pub blobs: BTreeSet<(String, String)>,
    /// Repository and digest of manifests.
    pub manifests: BTreeSet<(String, String)>,
    /// The digest that each tag was last acknowledged for.
    pub tags: BTreeMap<(String, String), String>,
    /// Repository, and digest or tag, of manifests whose deletion was acknowledged.
    pub deleted: BTreeSet<(String, String)>,
    /// Indexes and referrers among the manifests.
    pub indexes: usize,
    /// See `indexes`.
    pub referrers: usize,
    /// Blobs taken over from another pusher's repository.
    pub mounted: usize,
    /// Uploads that went on from where the server said they were.
    pub resumed: usize,
    /// Requests that got no answer, or an answer of 500 and above.
    pub broken: usize,
}

/// One client with a repository of its own.
pub struct Pusher<'a> {
    client: Client,
    random: Random,
    repository: String,
    ledger: &'a Mutex<Ledger>,
    stop: &'a AtomicBool,
    /// Images that no index and no referrer names, with their numbers; the last is the one that `latest` is.
    free: Vec<(usize, Value)>,
}

enum Next {
    Done,
    Resume(usize, String),
    Restart,
}

impl<'a> Pusher<'a> {
    /// A client of the server at `host:port`.
    pub fn new(address: &str, authorization: String, repository: &str, seed: u64, ledger: &'a Mutex<Ledger>, stop: &'a AtomicBool) -> Self {
        let client = Client::new(address, Some(authorization));
        Self { client, random: Random::new(seed), repository: repository.to_owned(), ledger, stop, free: Vec::new() }
    }

    /// Pushes until told to stop; an error is a promise that the server broke.
    pub fn run(mut self) -> Result<()> {
        let mut number = 0;
        while !self.stop.load(Ordering::Relaxed) {
            number += 1;
            self.push_image(number).with_context(|| format!("image {number} of {}", self.repository))?;
            // Mostly images; now and then what else there is.
            match self.random.between(0, 6) {
                0 => self.push_index(number).context("an index")?,
                1 => self.push_referrer(number).context("a referrer")?,
                2 => self.delete_image().context("a deletion")?,
                _ => {}
            }
        }
        Ok(())
    }

    fn push_image(&mut self, number: usize) -> Result<()> {
        let mut layers = Vec::from_iter(self.mount()?);
        for _ in 0..self.random.between(1, 5) {
            // Mostly small layers, now and then a large one.
            let ceiling = [20_000, 200_000, LAYER_LIMIT][self.random.between(0, 3)];
            let size = self.random.between(1, ceiling);
            let bytes = self.random.bytes(size);
            layers.push(self.upload(image::LAYER, &bytes)?);
        }
        let config = serde_json::to_vec(&json!({"architecture": "amd64", "os": "linux", "n": number, "r": self.repository}))?;
        let config = self.upload(image::CONFIG, &config)?;
        let manifest = json!({"schemaVersion": 2, "mediaType": image::MANIFEST, "config": config, "layers": layers});
        let manifest = serde_json::to_vec(&manifest)?;
        for tag in [format!("n{number}"), "latest".to_owned()] {
            self.put_manifest(&tag, image::MANIFEST, &manifest)?;
        }
        self.free.push((number, image::descriptor(image::MANIFEST, &manifest)));
        Ok(())
    }

    /// An index of the newest images, by a tag or by a digest of either algorithm.
    fn push_index(&mut self, number: usize) -> Result<()> {
        let images: Vec<Value> = self.free.drain(..).rev().take(3).map(|(_, image)| image).collect();
        let index = serde_json::to_vec(&json!({"schemaVersion": 2, "mediaType": image::INDEX, "manifests": images}))?;
        let reference = match self.random.between(0, 3) {
            0 => format!("all{number}"),
            1 => digest(&index),
            _ => digest512(&index),
        };
        self.put_manifest(&reference, image::INDEX, &index)?;
        self.note(|ledger, _| ledger.indexes += 1);
        Ok(())
    }

    /// A manifest about the newest image.
    fn push_referrer(&mut self, number: usize) -> Result<()> {
        let Some((_, subject)) = self.free.pop() else { return Ok(()) };
        let empty = self.upload("application/vnd.oci.empty.v1+json", b"{}")?;
        let about = format!("about image {number}");
        let layer = self.upload("text/plain", about.as_bytes())?;
        let manifest = json!({
            "schemaVersion": 2, "mediaType": image::MANIFEST, "artifactType": "application/vnd.example.note",
            "config": empty, "layers": [layer], "subject": subject,
        });
        let manifest = serde_json::to_vec(&manifest)?;
        self.put_manifest(&digest(&manifest), image::MANIFEST, &manifest)?;
        self.note(|ledger, _| ledger.referrers += 1);
        Ok(())
    }

    /// Deletes one of the images that nothing names and that `latest` is not.
    fn delete_image(&mut self) -> Result<()> {
        if self.free.len() < 2 {
            return Ok(());
        }
        let at = self.random.between(0, self.free.len() - 1);
        let (number, image) = self.free.remove(at);
        let named = image["digest"].as_str().unwrap_or_default().to_owned();
        let tag = format!("n{number}");
        // From here on it may be there or not, until one of the two is acknowledged.
        self.note(|ledger, repository| {
            ledger.manifests.remove(&(repository.clone(), named.clone()));
            ledger.tags.remove(&(repository, tag.clone()));
        });
        let path = format!("/v2/{}/manifests/{named}", self.repository);
        let reply = self.persist("DELETE", &path, &[], b"")?;
        // 404 when an earlier attempt came through and only its answer was lost.
        if reply.status != 404 {
            expect(&reply, 202, "deleting an image")?;
        }
        self.note(|ledger, repository| ledger.deleted.extend([(repository.clone(), named), (repository, tag)]));
        Ok(())
    }

    /// Takes over a layer that another pusher has, now and then; its descriptor.
    fn mount(&mut self) -> Result<Option<Value>> {
        if self.random.between(0, 3) > 0 {
            return Ok(None);
        }
        let own = self.repository.clone();
        let found = {
            let ledger = self.ledger.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let others: Vec<_> = ledger.blobs.iter().filter(|(repository, _)| *repository != own).collect();
            let at = self.random.between(0, others.len());
            others.get(at).map(|(repository, named)| (repository.clone(), named.clone()))
        };
        let Some((from, named)) = found else { return Ok(None) };
        let path = format!("/v2/{own}/blobs/uploads/?mount={named}&from={from}");
        let reply = self.persist("POST", &path, &[], b"")?;
        expect(&reply, 201, "mounting a blob that was acknowledged elsewhere")?;
        let head = self.persist("HEAD", &format!("/v2/{own}/blobs/{named}"), &[], b"")?;
        expect(&head, 200, "a blob that was mounted")?;
        let size: u64 = head.header("content-length").and_then(|length| length.parse().ok()).context("a blob without a length")?;
        self.note(|ledger, repository| {
            ledger.mounted += 1;
            ledger.blobs.insert((repository, named.clone()));
        });
        Ok(Some(json!({"mediaType": image::LAYER, "digest": named, "size": size})))
    }

    /// `reference` is a tag or the manifest's digest.
    fn put_manifest(&mut self, reference: &str, media_type: &str, manifest: &[u8]) -> Result<()> {
        let path = format!("/v2/{}/manifests/{reference}", self.repository);
        let reply = self.persist("PUT", &path, &[("Content-Type", media_type)], manifest)?;
        expect(&reply, 201, "putting a manifest of which everything was acknowledged")?;
        self.note(|ledger, repository| {
            if reference.contains(':') {
                ledger.manifests.insert((repository, reference.to_owned()));
            } else {
                ledger.manifests.insert((repository.clone(), digest(manifest)));
                ledger.tags.insert((repository, reference.to_owned()), digest(manifest));
            }
        });
        Ok(())
    }

    /// Uploads a blob, whole or in chunks, by either algorithm, until it is acknowledged or known to be there; its descriptor.
    fn upload(&mut self, media_type: &str, bytes: &[u8]) -> Result<Value> {
        let named = if self.random.between(0, 4) == 0 { digest512(bytes) } else { digest(bytes) };
        let chunked = self.random.between(0, 2) == 0;
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE * 2 {
            let reply = self.persist("POST", &format!("/v2/{}/blobs/uploads/", self.repository), &[], b"")?;
            expect(&reply, 202, "beginning an upload")?;
            let mut place = location(&reply)?;
            let mut offset = 0;
            loop {
                let step = if chunked { self.random.between(1, bytes.len() / 2 + 2) } else { bytes.len() };
                let end = (offset + step).min(bytes.len());
                match self.send_piece(&place, bytes, offset, end, &named)? {
                    Next::Done => return Ok(json!({"mediaType": media_type, "digest": named, "size": bytes.len()})),
                    Next::Restart => break,
                    Next::Resume(from, next) => (offset, place) = (from, next),
                }
            }
        }
        bail!("a blob of {} bytes could not be uploaded", bytes.len())
    }

    fn send_piece(&mut self, place: &str, bytes: &[u8], offset: usize, end: usize, named: &str) -> Result<Next> {
        let range = format!("{offset}-{}", end.max(1) - 1);
        let mut headers = vec![("Content-Type", "application/octet-stream")];
        // An empty closing request has no range to name.
        if offset < end && (offset > 0 || end < bytes.len()) {
            headers.push(("Content-Range", range.as_str()));
        }
        let last = end == bytes.len();
        let closing = format!("{place}{}digest={named}", if place.contains('?') { '&' } else { '?' });
        let (method, path) = if last { ("PUT", closing.as_str()) } else { ("PATCH", place) };
        match self.client.send(method, path, &headers, &bytes[offset..end]) {
            Ok(reply) if last && reply.status == 201 => {
                self.note(|ledger, repository| {
                    ledger.blobs.insert((repository, named.to_owned()));
                });
                Ok(Next::Done)
            }
            Ok(reply) if !last && reply.status == 202 => Ok(Next::Resume(end, location(&reply)?)),
            // An upload that the server no longer knows or sees elsewhere: ask and carry on.
            Ok(reply) if matches!(reply.status, 404 | 416) || reply.status >= 500 => self.carry_on(place, bytes.len(), named),
            Ok(reply) => bail!("{method} {path} answered {}: {}", reply.status, String::from_utf8_lossy(&reply.body)),
            Err(_) => self.carry_on(place, bytes.len(), named),
        }
    }

    /// After an interruption: where is the upload, or is the blob there already?
    fn carry_on(&mut self, place: &str, length: usize, named: &str) -> Result<Next> {
        self.note(|ledger, _| ledger.broken += 1);
        let status = self.persist("GET", place, &[], b"")?;
        if status.status == 204 {
            let range = status.header("range").and_then(|range| range.rsplit('-').next()?.parse::<usize>().ok());
            // `0-0` says either nothing or one byte: begin anew. So does an offset beyond what there is to send.
            return Ok(match range {
                Some(last) if last > 0 && last < length => {
                    self.note(|ledger, _| ledger.resumed += 1);
                    Next::Resume(last + 1, location(&status).unwrap_or_else(|_| place.to_owned()))
                }
                _ => Next::Restart,
            });
        }
        expect(&status, 404, "the status of an interrupted upload")?;
        let head = self.persist("HEAD", &format!("/v2/{}/blobs/{named}", self.repository), &[], b"")?;
        Ok(if head.status == 200 { Next::Done } else { Next::Restart })
    }

    /// Sends until there is an answer below 500; only for requests that may be sent twice.
    fn persist(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Reply> {
        let begun = Instant::now();
        loop {
            match self.client.send(method, path, headers, body) {
                Ok(reply) if reply.status < 500 => return Ok(reply),
                outcome => {
                    self.note(|ledger, _| ledger.broken += 1);
                    if begun.elapsed() > PATIENCE {
                        bail!("{method} {path} got no good answer for {} s: {}", PATIENCE.as_secs(), say(&outcome));
                    }
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        }
    }

    fn note(&self, change: impl FnOnce(&mut Ledger, String)) {
        let mut ledger = self.ledger.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        change(&mut ledger, self.repository.clone());
    }
}

fn say(outcome: &io::Result<Reply>) -> String {
    match outcome {
        Ok(reply) => format!("{} {}", reply.status, String::from_utf8_lossy(&reply.body)),
        Err(error) => error.to_string(),
    }
}

fn expect(reply: &Reply, status: u16, what: &str) -> Result<()> {
    if reply.status != status {
        bail!("{what} answered {} in place of {status}: {}", reply.status, String::from_utf8_lossy(&reply.body));
    }
    Ok(())
}

fn location(reply: &Reply) -> Result<String> {
    Ok(path_of(reply.header("location").context("an answer without a Location")?).to_owned())
}
