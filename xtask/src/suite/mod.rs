//! `cargo xtask test`: brings up what the tests need, runs all of them, stops what it started and counts.
//! The last line is `N passed, N failed, N skipped`; the exit code tells whether anything failed.

mod browser;
mod cargo;
mod kill;
mod npm;
mod pusher;
pub mod python;
mod tally;
mod walk;

use crate::certs::Certs;
use crate::clients::{self, Target};
use crate::instance::{Instance, PASSWORD};
use crate::postgres::Postgres;
use crate::process::step;
use crate::{api, debian, project, site};
use anyhow::{Context as _, Result};
use clap::Args;
use std::process::ExitCode;
use std::time::Instant;
pub use tally::Tally;

/// What to test.
#[derive(Args)]
pub struct Options {
    /// Only what needs no external parts: no installs, no PostgreSQL, no clients, no browser.
    #[arg(long)]
    quick: bool,
    /// Seed of the kill journeys and of the fuzzer, as an earlier run printed it.
    #[arg(long)]
    seed: Option<u64>,
    /// Try the journeys on this server program in place of the one that is built here.
    #[arg(long)]
    binary: Option<std::path::PathBuf>,
    /// Run only tests whose name contains this; `clients`, `api`, `kill` or `browser` run that group.
    filter: Option<String>,
}

/// The groups of journeys; a filter that starts with one of these names leaves the cargo tests out.
const GROUPS: [&str; 4] = ["clients", "api", "kill", "browser"];

impl Options {
    /// Whether a journey of this full name (`group/engine-transport/name`) is to run.
    fn wants(&self, name: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()))
    }

    fn only_journeys(&self) -> bool {
        self.filter.as_ref().is_some_and(|filter| GROUPS.iter().any(|group| filter.starts_with(group)))
    }
}

/// Runs everything that the options ask for.
pub fn run(options: &Options) -> Result<ExitCode> {
    let begun = Instant::now();
    if !options.quick {
        debian::ensure()?;
        npm::ensure()?;
        python::ensure()?;
    }
    if options.binary.is_none() || !options.only_journeys() {
        site::build()?;
        cargo::build()?;
    }
    let mut tally = Tally::default();
    let postgres = match options.quick {
        true => None,
        false => Some(Postgres::start().context("the private PostgreSQL")?),
    };
    if !options.only_journeys() {
        cargo::rooms(options.filter.as_deref(), &mut tally)?;
        let url = postgres.as_ref().map(|server| server.url("postgres"));
        cargo::suites(options.filter.as_deref(), url.as_deref(), &mut tally)?;
    }
    match &postgres {
        Some(postgres) => journeys(options, postgres, &mut tally)?,
        None => tally.skip("journeys", "left out by --quick"),
    }
    drop(postgres);
    tally.print(begun.elapsed());
    Ok(if tally.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One server per engine and transport; clients and browser on each, then the API's and the kill journeys on their own servers.
fn journeys(options: &Options, postgres: &Postgres, tally: &mut Tally) -> Result<()> {
    let binary = options.binary.clone().unwrap_or_else(|| project::berth("debug"));
    let scratch = tempfile::Builder::new().prefix("berth-certs-").tempdir()?;
    let certs = Certs::make(scratch.path())?;
    let mut tools = clients::Tools::new(project::root().join("end2end/node_modules/.bin/helm"));
    for (name, on_postgres, tls) in
        [("sqlite-http", false, false), ("sqlite-tls", false, true), ("postgres-http", true, false), ("postgres-tls", true, true)]
    {
        if !options.wants(&format!("clients/{name}/"))
            && !options.wants(&format!("browser/{name}/"))
            && !options.filter.as_ref().is_some_and(|filter| filter.starts_with(&format!("browser/{name}/")))
            && !clients::names(name).any(|full| options.wants(&full))
        {
            continue;
        }
        step(&format!("journeys on {name}"));
        let database = match on_postgres {
            true => Some(postgres.create_database(&name.replace('-', "_"))?),
            false => None,
        };
        let begun = Instant::now();
        let instance = match Instance::start(&binary, database, tls.then_some(&certs))
            .and_then(|instance| instance.create_project(clients::PROJECT).map(|()| instance))
        {
            Ok(instance) => instance,
            Err(error) => {
                tally.fail(&format!("clients/{name}/start"), &format!("{error:#}"), begun.elapsed());
                continue;
            }
        };
        let target = Target::new(name, &instance.address(), PASSWORD, tls.then_some(&certs));
        clients::run(&target, &mut tools, |full| options.wants(full), tally);
        if options.wants(&format!("browser/{name}")) || options.filter.as_deref().is_some_and(|filter| filter.starts_with("browser")) {
            browser::run(&target, options.filter.as_deref(), tally);
        }
        let begun = Instant::now();
        let tail = instance.log_end();
        match instance.stop() {
            Ok(()) => tally.pass(&format!("clients/{name}/graceful stop"), begun.elapsed()),
            Err(error) => tally.fail(&format!("clients/{name}/graceful stop"), &format!("{error:#}\n{tail}"), begun.elapsed()),
        }
    }
    drop(tools);
    api::run(&binary, postgres, options.seed, |full| options.wants(full), tally)?;
    kill::run(&binary, postgres, options.seed, |full| options.wants(full), tally);
    Ok(())
}
