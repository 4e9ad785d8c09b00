//! `cargo xtask bench --api`: fills a server through its doors and measures the lists and look-ups of the management side under load, beside the
//! mark of each. Of the bench, `run` alone is called.

mod fill;
mod marks;
mod session;
mod wrk;

use super::marks::{closing, shown, verdict};
use super::subject::Subject;
use crate::process::{find, step};
use anyhow::{Context as _, Result, ensure};
use clap::Args;
use std::path::{Path, PathBuf};

/// How much is filled in, and how it is measured.
#[derive(Args)]
pub struct ListOptions {
    /// Projects.
    #[arg(long, default_value_t = 50)]
    projects: usize,
    /// Repositories of each project.
    #[arg(long, default_value_t = 10)]
    repositories: usize,
    /// Artifacts of each repository.
    #[arg(long, default_value_t = 5)]
    artifacts: usize,
    /// Tags of each artifact.
    #[arg(long, default_value_t = 5)]
    tags: usize,
    /// People.
    #[arg(long, default_value_t = 50)]
    users: usize,
    /// Members of each project.
    #[arg(long, default_value_t = 10)]
    members: usize,
    /// Clients that fill at once.
    #[arg(long, default_value_t = 8)]
    workers: usize,
    /// Connections at once (repeatable). The marks are for 100.
    #[arg(long, default_values_t = [16, 100])]
    connections: Vec<usize>,
    /// How callers are recognised (repeatable; both unless given).
    #[arg(long = "as", value_enum)]
    callers: Vec<Caller>,
    /// Measure only this operation of the API (repeatable).
    #[arg(long = "operation")]
    operations: Vec<String>,
}

/// How a caller is recognised.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
pub enum Caller {
    /// A browser's cookie.
    Session,
    /// Name and password with every request, as scripts send them.
    Basic,
}

impl Caller {
    fn word(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Basic => "Basic",
        }
    }
}

/// Fills and measures on SQLite, and on a PostgreSQL database too when there is one.
pub fn run(options: &ListOptions, binary: PathBuf, database_url: Option<&str>, seconds: u64, folder: &Path) -> Result<()> {
    ensure!(find("wrk").is_some(), "wrk is not installed (Debian: apt-get install wrk)");
    for operation in &options.operations {
        ensure!(marks::OPERATIONS.iter().any(|known| known.name == operation), "there is no operation {operation}");
    }
    let engines = [("SQLite", None), ("PostgreSQL", database_url)];
    let mut missed = 0;
    for (engine, url) in engines.into_iter().filter(|(engine, url)| *engine == "SQLite" || url.is_some()) {
        let scratch = tempfile::Builder::new().prefix("api-").tempdir_in(folder)?;
        let mut subject = Subject::berth(binary.clone(), url.map(str::to_owned), scratch.path())?;
        subject.start()?;
        missed += measure(options, &subject, engine, seconds, scratch.path()).with_context(|| format!("Berth on {engine}"))?;
        step(&format!("{engine}: {:.0} MiB of memory after the work, {:.0} at most", subject.memory(false)?, subject.memory(true)?));
        subject.stop();
    }
    print!("{}", closing(marks::MACHINE, missed));
    Ok(())
}

/// How many figures are below their mark.
fn measure(options: &ListOptions, subject: &Subject, engine: &str, seconds: u64, folder: &Path) -> Result<usize> {
    step(&format!("filling Berth on {engine}: {} repositories", options.projects * options.repositories));
    let rate = fill::fill(options, subject)?;
    let mut missed = usize::from(rate < marks::FILLING);
    println!("{:18} {rate:>8.0} repositories/s (mark {:.0})", "filling", marks::FILLING);
    let all = [Caller::Session, Caller::Basic];
    for caller in all.into_iter().filter(|caller| options.callers.is_empty() || options.callers.contains(caller)) {
        step(&format!("{engine}, {}", caller.word()));
        println!(
            "{:18} {:>5} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
            "operation", "conns", "req/s", "mark", "p50 ms", "p95 ms", "p99 ms", "not 2xx"
        );
        for operation in
            marks::OPERATIONS.iter().filter(|o| options.operations.is_empty() || options.operations.iter().any(|n| n == o.name))
        {
            // Once: a sign-in is a change, after which the server looks at everything anew.
            let header = session::header(subject, caller, operation)?;
            for connections in &options.connections {
                let figures = wrk::run(options, subject, operation, &header, *connections, seconds, folder)?;
                // Marks are for the most connections that are usual.
                let mark = (*connections == marks::CONNECTIONS).then(|| operation.mark());
                let fails = figures.refused > 0.0 || mark.is_some_and(|mark| figures.rate < mark || figures.p95 >= marks::P95);
                missed += usize::from(fails);
                println!(
                    "{:18} {connections:>5} {:>8.0} {:>8} {:>8.1} {:>8.1} {:>8.1} {:>8.0}{}",
                    operation.name,
                    figures.rate,
                    shown(mark),
                    figures.p50,
                    figures.p95,
                    figures.p99,
                    figures.refused,
                    verdict(fails)
                );
            }
        }
    }
    Ok(missed)
}
