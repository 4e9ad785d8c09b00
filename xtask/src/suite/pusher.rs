//! A client that pushes images through crashes of its server: it retries, asks for an upload's status and carries on.
//! It notes in a ledger what the server acknowledged, and only that.

use crate::digest::digest;
use crate::http::{Client, Reply, path_of};
use crate::image;
use crate::random::Random;
use anyhow::{Context as _, Result, bail};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a server may be away before the pusher gives up.
const PATIENCE: Duration = Duration::from_secs(90);
/// The largest layer, in bytes.
const LAYER_LIMIT: usize = 3_000_000;

/// What the server has acknowledged with 201.
#[derive(Default)]
pub struct Ledger {
    /// Repository and digest of blobs.
    pub blobs: BTreeSet<(String, String)>,
    /// Repository and digest of manifests.
    pub manifests: BTreeSet<(String, String)>,
    /// The digest that each tag was last acknowledged for.
    pub tags: BTreeMap<(String, String), String>,
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
        Self { client, random: Random::new(seed), repository: repository.to_owned(), ledger, stop }
    }

    /// Pushes images until told to stop; an error is a promise that the server broke.
    pub fn run(mut self) -> Result<()> {
        let mut number = 0;
        while !self.stop.load(Ordering::Relaxed) {
            number += 1;
            self.push_image(number).with_context(|| format!("image {number} of {}", self.repository))?;
        }
        Ok(())
    }

    fn push_image(&mut self, number: usize) -> Result<()> {
        let mut layers = Vec::new();
        for _ in 0..self.random.between(1, 5) {
            // Mostly small layers, now and then a large one.
            let ceiling = [20_000, 200_000, LAYER_LIMIT][self.random.between(0, 3)];
            let size = self.random.between(1, ceiling);
            let bytes = self.random.bytes(size);
            self.upload(&bytes)?;
            layers.push(image::descriptor(image::LAYER, &bytes));
        }
        let config = serde_json::to_vec(&json!({"architecture": "amd64", "os": "linux", "n": number, "r": self.repository}))?;
        self.upload(&config)?;
        let manifest = json!({"schemaVersion": 2, "mediaType": image::MANIFEST, "config": image::descriptor(image::CONFIG, &config), "layers": layers});
        let manifest = serde_json::to_vec(&manifest)?;
        for tag in [format!("n{number}"), "latest".to_owned()] {
            self.put_manifest(&tag, &manifest)?;
        }
        Ok(())
    }

    fn put_manifest(&mut self, tag: &str, manifest: &[u8]) -> Result<()> {
        let path = format!("/v2/{}/manifests/{tag}", self.repository);
        let reply = self.persist("PUT", &path, &[("Content-Type", image::MANIFEST)], manifest)?;
        expect(&reply, 201, "putting a manifest whose blobs were all acknowledged")?;
        let named = digest(manifest);
        self.note(|ledger, repository| {
            ledger.manifests.insert((repository.clone(), named.clone()));
            ledger.tags.insert((repository, tag.to_owned()), named);
        });
        Ok(())
    }

    /// Uploads a blob, whole or in chunks, until it is acknowledged or known to be there.
    fn upload(&mut self, bytes: &[u8]) -> Result<()> {
        let named = digest(bytes);
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
                    Next::Done => return Ok(()),
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
