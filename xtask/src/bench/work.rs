//! The work itself, part by part.
//! Nothing here knows which server it measures.

use super::figures::{Better, Table};
use super::subject::{REPOSITORY, Subject};
use super::{Options, Part, client};
use crate::digest;
use crate::http::{Client, path_of};
use crate::image::{self, Recipe};
use crate::random::Random;
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

const HUNDRED: usize = 100_000_000;

/// Takes every figure that is asked for.
pub fn measure(subject: &mut Subject, options: &Options, folder: &Path, table: &mut Table) -> Result<()> {
    let first = subject.start()?;
    if options.wants(Part::Start) {
        table.add(&subject.name, "start-up, first", "ms", Better::Lower, &[first]);
        let (mut times, mut idle) = (Vec::new(), Vec::new());
        for _ in 0..options.runs.max(3) {
            subject.stop();
            times.push(subject.start()?);
            std::thread::sleep(std::time::Duration::from_millis(500));
            idle.push(subject.memory(false)?);
        }
        table.add(&subject.name, "start-up", "ms", Better::Lower, &times);
        table.add(&subject.name, "memory idle", "MiB", Better::Lower, &idle);
    }
    subject.prepare()?;
    let mut work = Work { subject, options, folder, table };
    if options.wants(Part::Upload) {
        work.uploads()?;
    }
    if options.wants(Part::Download) {
        work.downloads()?;
    }
    if options.wants(Part::Client) {
        work.skopeo()?;
    }
    if options.wants(Part::Requests) {
        work.requests()?;
    }
    let (now, peak) = (work.subject.memory(false)?, work.subject.memory(true)?);
    table.add(&subject.name, "memory after the work", "MiB", Better::Lower, &[now]);
    table.add(&subject.name, "memory peak", "MiB", Better::Lower, &[peak]);
    subject.stop();
    Ok(())
}

/// A running server, and where its figures go.
pub(super) struct Work<'a> {
    pub(super) subject: &'a Subject,
    pub(super) options: &'a Options,
    pub(super) folder: &'a Path,
    table: &'a mut Table,
}

impl Work<'_> {
    pub(super) fn add(&mut self, name: &str, unit: &'static str, better: Better, runs: &[f64]) {
        self.table.add(&self.subject.name, name, unit, better, runs);
    }

    fn repeat(&self, mut run: impl FnMut(usize) -> Result<f64>) -> Result<Vec<f64>> {
        (0..self.options.runs).map(&mut run).collect()
    }

    fn uploads(&mut self) -> Result<()> {
        let small = self.repeat(|run| self.upload(&blob(self.folder, HUNDRED, &format!("h{run}"))?))?;
        self.add("upload 100 MB", "MB/s", Better::Higher, &small);
        let big = self.repeat(|_| self.upload(&blob(self.folder, self.options.big, "big")?))?;
        self.add("upload of the big blob", "MB/s", Better::Higher, &big);
        Ok(())
    }

    /// One monolithic upload of a blob that is not there; MB/s.
    fn upload(&self, blob: &Blob) -> Result<f64> {
        let authorization = self.subject.authorization("pull,push,delete")?;
        let mut http = Client::new(&self.subject.address, authorization.clone());
        http.send("DELETE", &format!("/v2/{REPOSITORY}/blobs/{}", blob.digest), &[], b"")?;
        // The client sends from memory: how fast the disk gives the file is not what is measured.
        std::io::copy(&mut fs::File::open(&blob.file)?, &mut std::io::sink())?;
        let begun = Instant::now();
        let reply = http.send("POST", &format!("/v2/{REPOSITORY}/blobs/uploads/"), &[], b"")?;
        let place = path_of(reply.header("location").context("no Location")?).to_owned();
        let url = format!("http://{}{place}{}digest={}", self.subject.address, if place.contains('?') { '&' } else { '?' }, blob.digest);
        let mut curl = self.curl(authorization.as_deref());
        curl.args(["-H", "Expect:", "-H", "Content-Type: application/octet-stream", "-o", "/dev/null", "-w", "%{http_code}", "-T"]);
        let status = client(curl.arg(&blob.file).arg(url))?;
        ensure!(status.trim() == "201", "the upload answered {status}");
        Ok(blob.size as f64 / 1e6 / begun.elapsed().as_secs_f64())
    }

    fn curl(&self, authorization: Option<&str>) -> Command {
        let mut curl = Command::new("curl");
        curl.args(["-sSL"]);
        if let Some(value) = authorization {
            curl.arg("-H").arg(format!("Authorization: {value}"));
        }
        curl
    }

    fn downloads(&mut self) -> Result<()> {
        let (big, hundred) = (blob(self.folder, self.options.big, "big")?, blob(self.folder, HUNDRED, "h0")?);
        self.upload(&big)?;
        self.upload(&hundred)?;
        let authorization = self.subject.authorization("pull")?;
        let url = |blob: &Blob| format!("http://{}/v2/{REPOSITORY}/blobs/{}", self.subject.address, blob.digest);
        let one = self.repeat(|_| {
            let mut curl = self.curl(authorization.as_deref());
            let said = client(curl.args(["-o", "/dev/null", "-w", "%{http_code} %{size_download} %{time_total}", &url(&big)]))?;
            let words: Vec<&str> = said.split(' ').collect();
            ensure!(words.len() == 3 && words[0] == "200" && words[1] == big.size.to_string(), "the download said {said}");
            Ok(big.size as f64 / 1e6 / words[2].parse::<f64>()?)
        })?;
        let eight = self.repeat(|_| {
            let begun = Instant::now();
            let curl = || self.curl(authorization.as_deref()).args(["-f", "-o", "/dev/null", &url(&hundred)]).spawn();
            let mut running = (0..8).map(|_| curl()).collect::<std::io::Result<Vec<_>>>()?;
            for child in &mut running {
                ensure!(child.wait()?.success(), "one of eight downloads failed");
            }
            Ok(8.0 * HUNDRED as f64 / 1e6 / begun.elapsed().as_secs_f64())
        })?;
        self.add("download of the big blob", "MB/s", Better::Higher, &one);
        self.add("download 8 x 100 MB", "MB/s", Better::Higher, &eight);
        Ok(())
    }

    fn skopeo(&mut self) -> Result<()> {
        let (mut pushes, mut pulls) = (Vec::new(), Vec::new());
        for run in 0..self.options.runs {
            let seed = format!("bench-{run}");
            let layout = self.folder.join(&seed);
            if !layout.join("index.json").exists() {
                let recipe = Recipe { seed: &seed, layers: 10, layer_size: 10 << 20, architectures: &["amd64"] };
                image::layout(&layout, "v1", &recipe)?;
            }
            let remote = format!("docker://{}/bench/image-{run}:v1", self.subject.address);
            let back = tempfile::tempdir_in(self.folder)?;
            let begun = Instant::now();
            client(self.copy("dest").arg(format!("oci:{}:v1", layout.display())).arg(&remote))?;
            pushes.push(begun.elapsed().as_secs_f64());
            let begun = Instant::now();
            client(self.copy("src").arg(&remote).arg(format!("oci:{}/image:v1", back.path().display())))?;
            pulls.push(begun.elapsed().as_secs_f64());
        }
        self.add("skopeo push 10 x 10 MiB", "s", Better::Lower, &pushes);
        self.add("skopeo pull 10 x 10 MiB", "s", Better::Lower, &pulls);
        Ok(())
    }

    pub(super) fn copy(&self, side: &str) -> Command {
        let mut skopeo = Command::new("skopeo");
        skopeo.args(["copy", "-q", "--insecure-policy", &format!("--{side}-tls-verify=false")]);
        if let Some(credentials) = self.subject.credentials() {
            skopeo.args([format!("--{side}-creds"), credentials]);
        }
        skopeo
    }
}

struct Blob {
    file: PathBuf,
    digest: String,
    size: usize,
}

/// A file of random bytes, made once and kept for later runs.
fn blob(folder: &Path, size: usize, seed: &str) -> Result<Blob> {
    let file = folder.join(format!("blob-{size}-{seed}"));
    let sum = file.with_extension("sha256");
    if !sum.exists() {
        let mut random = Random::named(seed);
        let mut writer = BufWriter::new(fs::File::create(&file)?);
        let mut left = size;
        while left > 0 {
            let step = left.min(1 << 20);
            writer.write_all(&random.bytes(step))?;
            left -= step;
        }
        writer.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        fs::write(&sum, digest::of_file(&file)?)?;
    }
    Ok(Blob { digest: format!("sha256:{}", fs::read_to_string(&sum)?.trim()), file, size })
}
