//! Requests per second and their slowest hundredth: wrk for what has a body, hey for HEAD.
//! One part of the work, apart because it drives other clients and reads what they print.

use super::client;
use super::figures::Better;
use super::subject::REPOSITORY;
use super::work::Work;
use crate::image::{self, Recipe};
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::process::Command;

/// Connections at once for the manifest figure; the others are taken at 16.
const CONNECTIONS: [usize; 3] = [1, 16, 64];

impl Work<'_> {
    /// Manifests, blob HEADs and tag lists per second.
    pub(super) fn requests(&mut self) -> Result<()> {
        let layout = self.folder.join("small");
        let recipe = Recipe { seed: "small", layers: 10, layer_size: 10_000, architectures: &["amd64"] };
        let manifest = image::layout(&layout, "v1", &recipe)?;
        client(
            self.copy("dest").arg(format!("oci:{}:v1", layout.display())).arg(format!("docker://{}/{REPOSITORY}:v1", self.subject.address)),
        )?;
        let text = fs::read(layout.join("blobs/sha256").join(&manifest[7..]))?;
        let layer = serde_json::from_slice::<serde_json::Value>(&text)?["layers"][0]["digest"].as_str().context("a layer")?.to_owned();
        for connections in CONNECTIONS {
            self.wrk("manifest by tag", "manifests/v1", connections)?;
        }
        self.wrk("manifest by digest", &format!("manifests/{manifest}"), 16)?;
        self.wrk("tags list", "tags/list", 16)?;
        self.hey("blob HEAD", &format!("blobs/{layer}"), 16)
    }

    fn wrk(&mut self, what: &str, place: &str, connections: usize) -> Result<()> {
        let script = self.folder.join("wrk.lua");
        let mut lua = format!("wrk.headers['Accept'] = '{}'\n", image::MANIFEST);
        if let Some(value) = self.subject.authorization("pull")? {
            lua += &format!("wrk.headers['Authorization'] = '{value}'\n");
        }
        lua += "done = function(s, l, _)\n  local e = s.errors\n  io.write(string.format('R %.1f %.3f %d\\n', \
                s.requests * 1e6 / s.duration, l:percentile(99) / 1000, e.status + e.connect + e.read + e.write + e.timeout))\nend\n";
        fs::write(&script, lua)?;
        let url = format!("http://{}/v2/{REPOSITORY}/{place}", self.subject.address);
        let (mut rates, mut slow) = (Vec::new(), Vec::new());
        for _ in 0..self.options.runs {
            let mut wrk = Command::new("wrk");
            wrk.args(["-t1", &format!("-c{connections}"), &format!("-d{}s", self.options.seconds), "-s"]);
            let said = client(wrk.arg(&script).arg(&url))?;
            let line = said.lines().find_map(|line| line.strip_prefix("R ")).context("wrk gave no result")?;
            let words = line.split(' ').map(str::parse::<f64>).collect::<std::result::Result<Vec<_>, _>>()?;
            ensure!(words.len() == 3 && words[2] == 0.0, "{what}: wrk counted errors: {line}");
            rates.push(words[0]);
            slow.push(words[1]);
        }
        self.add(&format!("{what}, {connections} conn."), "req/s", Better::Higher, &rates);
        self.add(&format!("{what}, {connections} conn., p99"), "ms", Better::Lower, &slow);
        Ok(())
    }

    /// HEAD goes through hey: wrk waits for a body that never comes.
    fn hey(&mut self, what: &str, place: &str, connections: usize) -> Result<()> {
        let url = format!("http://{}/v2/{REPOSITORY}/{place}", self.subject.address);
        let authorization = self.subject.authorization("pull")?;
        let (mut rates, mut slow) = (Vec::new(), Vec::new());
        for _ in 0..self.options.runs {
            let mut hey = Command::new("hey");
            hey.args(["-z", &format!("{}s", self.options.seconds), "-c", &connections.to_string(), "-m", "HEAD"]);
            if let Some(value) = &authorization {
                hey.arg("-H").arg(format!("Authorization: {value}"));
            }
            let said = client(hey.arg(&url))?;
            ensure!(said.contains("[200]") && !said.contains("Error distribution"), "{what}: {said}");
            let word = |marker: &str, place: usize| {
                said.lines().find(|line| line.contains(marker)).and_then(|line| line.split_whitespace().nth(place)?.parse::<f64>().ok())
            };
            rates.push(word("Requests/sec", 1).context("hey gave no rate")?);
            slow.push(word("99% in", 2).context("hey gave no percentile")? * 1000.0);
        }
        self.add(&format!("{what}, {connections} conn."), "req/s", Better::Higher, &rates);
        self.add(&format!("{what}, {connections} conn., p99"), "ms", Better::Lower, &slow);
        Ok(())
    }
}
