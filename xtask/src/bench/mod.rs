//! `cargo xtask bench`: the same work on Berth and on Debian's docker-registry, in one run, with the ratios and the marks that Berth is to reach.
//! Clients are curl, wrk, hey and skopeo; what a figure means stands beside it in the table. With `--api` it is the management side that is measured.

mod api;
mod figures;
mod marks;
mod requests;
mod subject;
mod work;

use crate::build::{self, Profile};
use crate::process::{self, find, step};
use crate::{project, site};
use anyhow::{Context as _, Result, ensure};
use clap::Args;
use figures::Table;
use std::fs;
use subject::Subject;

/// What to measure.
#[derive(Args)]
pub struct Options {
    /// How often each figure is taken; the median is shown.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Seconds of each run of requests.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Bytes of the big blob.
    #[arg(long, default_value_t = 1_000_000_000)]
    big: usize,
    /// Measure Berth on this PostgreSQL database in place of SQLite.
    #[arg(long)]
    database_url: Option<String>,
    /// Measure this server program in place of the one that is built here.
    #[arg(long)]
    binary: Option<std::path::PathBuf>,
    /// Measure only these parts (repeatable).
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Fill a server and measure the lists and look-ups of its management side in place of all that, on SQLite, and on PostgreSQL as well with
    /// `--database-url` (an empty database).
    #[arg(long)]
    api: bool,
    #[command(flatten)]
    lists: api::ListOptions,
}

/// The parts of the work.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
pub enum Part {
    /// Time to the first answer, memory when idle.
    Start,
    /// Uploading 100 MB and the big blob.
    Upload,
    /// Downloading the big blob, and eight times 100 MB at once.
    Download,
    /// skopeo pushing and pulling ten layers of 10 MiB.
    Client,
    /// Manifests, blob HEADs and tag lists per second.
    Requests,
}

impl Options {
    fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}

/// Builds, measures and prints.
pub fn run(options: &Options) -> Result<()> {
    for tool in ["curl", "skopeo", "wrk", "hey"] {
        ensure!(
            options.api || find(tool).is_some(),
            "{tool} is not installed (Debian: apt-get install curl skopeo wrk hey; docker-registry for the comparison)"
        );
    }
    if options.binary.is_none() {
        site::build()?;
        build::server(Profile::Release)?;
    }
    let binary = options.binary.clone().unwrap_or_else(|| project::berth("release"));
    let folder = project::target().join("bench");
    fs::create_dir_all(&folder)?;
    if options.api {
        return api::run(&options.lists, binary, options.database_url.as_deref(), options.seconds, &folder);
    }
    let mut table = Table::default();
    let scratch = tempfile::Builder::new().prefix("run-").tempdir_in(&folder)?;
    let mut subjects = vec![Subject::berth(binary, options.database_url.clone(), scratch.path())?];
    match find("docker-registry") {
        Some(program) => subjects.push(Subject::peer(program, scratch.path())?),
        None => step("docker-registry is not installed: Berth alone"),
    }
    for subject in &mut subjects {
        step(&format!("measuring {} (load {})", subject.name, load()));
        work::measure(subject, options, &folder, &mut table).with_context(|| subject.name.clone())?;
    }
    println!();
    let (text, missed) = table.render(|figure| marks::of(figure, options));
    print!("{text}{}", marks::closing(marks::MACHINE, missed));
    println!("load at the end {}; all clients on the same machine", load());
    Ok(())
}

fn load() -> String {
    fs::read_to_string("/proc/loadavg").map_or_else(|_| "unknown".to_owned(), |text| text.split(' ').next().unwrap_or_default().to_owned())
}

/// Runs a client that must succeed, with ten minutes.
fn client(command: &mut std::process::Command) -> Result<String> {
    let captured = process::capture(command, std::time::Duration::from_secs(600))?;
    ensure!(captured.status.success(), "{}: {}", process::spell(command), captured.text());
    Ok(String::from_utf8_lossy(&captured.stdout).into_owned())
}
