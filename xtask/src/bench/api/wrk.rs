//! Drives wrk with a script that asks for random things of the fill, and reads its figures.

use super::ListOptions;
use super::marks::Operation;
use crate::bench::client;
use crate::bench::subject::Subject;
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::path::Path;
use std::process::Command;

/// What one run gave. Times in milliseconds.
pub struct Figures {
    /// Requests per second.
    pub rate: f64,
    /// Half of the answers came within.
    pub p50: f64,
    /// 95 of 100 came within.
    pub p95: f64,
    /// 99 of 100 came within.
    pub p99: f64,
    /// Answers that were not 2xx, and requests without an answer.
    pub refused: f64,
}

const SCRIPT: &str = r#"
local function n(k) return math.random(0, k - 1) end
local api = "/api/v2.0"
local function project() return string.format("bench%04d", n(P)) end
local function repository() return string.format("%s/projects/%s/repositories/r%03d", api, project(), n(R)) end
local function tag() return string.format("v%d.%d", n(A), n(T)) end
local flags = "with_tag=true&with_label=true&with_scan_overview=true&with_accessory=true&with_immutable_status=true"
local function path() return PATH end
local threads = {}
bad = 0
function setup(thread) table.insert(threads, thread) end
function init() math.randomseed(os.time()) end
function request() return wrk.format("GET", path(), headers) end
function response(status) if status < 200 or status > 299 then bad = bad + 1 end end
function done(s, l)
  local b = s.errors.connect + s.errors.read + s.errors.write + s.errors.timeout
  for _, thread in ipairs(threads) do b = b + thread:get("bad") end
  io.write(string.format("R %.1f %.3f %.3f %.3f %d\n", s.requests * 1e6 / s.duration, l:percentile(50) / 1000, l:percentile(95) / 1000,
    l:percentile(99) / 1000, b))
end
"#;

/// Asks for as many seconds as are wanted.
pub fn run(
    options: &ListOptions,
    subject: &Subject,
    operation: &Operation,
    (name, value): &(&str, String),
    connections: usize,
    seconds: u64,
    folder: &Path,
) -> Result<Figures> {
    let sizes = format!(
        "local P, R, A, T, U = {}, {}, {}, {}, {}\n",
        options.projects, options.repositories, options.artifacts, options.tags, options.users
    );
    let script = folder.join("api.lua");
    fs::write(&script, format!("{sizes}local headers = {{ [\"{name}\"] = \"{value}\" }}\n{}", SCRIPT.replace("PATH", operation.path)))?;
    let mut wrk = Command::new("wrk");
    wrk.args(["-t1", &format!("-c{connections}"), &format!("-d{seconds}s"), "--timeout", "30s", "-s"]);
    let said = client(wrk.arg(&script).arg(format!("http://{}", subject.address)))?;
    let line =
        said.lines().find_map(|line| line.strip_prefix("R ")).with_context(|| format!("{}: wrk gave no result: {said}", operation.name))?;
    let words = line.split(' ').map(str::parse::<f64>).collect::<std::result::Result<Vec<_>, _>>()?;
    ensure!(words.len() == 5, "{}: wrk said {line}", operation.name);
    Ok(Figures { rate: words[0], p50: words[1], p95: words[2], p99: words[3], refused: words[4] })
}
