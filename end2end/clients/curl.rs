//! curl as an HTTP client whose every answer can be looked at, over http and TLS alike.
//! The chunking journeys speak the protocol through it step by step.

use super::Target;
use crate::process;
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// An answer.
pub struct Answer {
    /// Status code.
    pub status: u16,
    headers: String,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header's value; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.headers.lines().filter_map(|line| line.split_once(':'));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next_back()
    }

    /// The answer itself when its status is the expected one, else an error with the body.
    pub fn expect(self, status: u16) -> Result<Self> {
        ensure!(self.status == status, "expected {status}, got {}\n{}{}", self.status, self.headers, String::from_utf8_lossy(&self.body));
        Ok(self)
    }
}

/// A curl bound to a server and a folder for its files.
pub struct Curl<'a> {
    /// The server.
    pub target: &'a Target,
    /// Where bodies and headers are kept.
    pub folder: &'a Path,
}

impl Curl<'_> {
    /// Sends a request; `place` is a path or a `Location` that an answer gave.
    pub fn send(&self, method: &str, place: &str, headers: &[&str], body: Option<&[u8]>) -> Result<Answer> {
        let file = |name: &str| self.folder.join(name);
        let url = if place.contains("://") { place.to_owned() } else { format!("{}{place}", self.target.url()) };
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--max-time", "60", "-u", &self.target.credentials(), "-w", "%{http_code}", "-H", "Expect:"]);
        curl.arg("-D").arg(file("headers")).arg("-o").arg(file("answer"));
        if method == "HEAD" {
            curl.arg("--head");
        } else {
            curl.args(["-X", method]);
        }
        if let Some(ca) = self.target.authority() {
            curl.arg("--cacert").arg(ca);
        }
        for header in headers {
            curl.args(["-H", header]);
        }
        if let Some(bytes) = body {
            fs::write(file("body"), bytes)?;
            curl.arg("--data-binary").arg(format!("@{}", file("body").display()));
            if !headers.iter().any(|header| header.to_ascii_lowercase().starts_with("content-type:")) {
                curl.args(["-H", "Content-Type: application/octet-stream"]);
            }
        }
        fs::write(file("answer"), b"")?;
        let captured = process::capture(curl.arg(url), Duration::from_secs(90))?;
        ensure!(captured.status.success(), "{method} {place}: {}", captured.text());
        let status = String::from_utf8_lossy(&captured.stdout).trim().parse().context("curl gave no status")?;
        let headers = String::from_utf8_lossy(&fs::read(file("headers"))?).into_owned();
        Ok(Answer { status, headers, body: fs::read(file("answer"))? })
    }
}
