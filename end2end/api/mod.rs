//! The REST API as strangers use it: a generated client does a day's work, and a fuzzer sends what the served document allows and what it does not.
//! `cargo xtask test` runs each on a server of its own for each engine.

mod fuzz;
mod generated;

use crate::clients::Skipped;
use crate::instance::{ADMIN, Instance, PASSWORD};
use crate::postgres::Postgres;
use crate::suite::Tally;
use anyhow::Result;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// One journey's surroundings.
struct Journey<'a> {
    /// The server.
    instance: &'a Instance,
    /// What journeys on both engines share: the generated clients.
    folder: &'a Path,
    /// What the fuzzer makes its requests from.
    seed: u64,
}

impl Journey<'_> {
    /// A program of the Python environment, with the server's address and its administrator in the environment.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(crate::suite::python::program(name));
        command.env("BERTH_URL", self.instance.url()).env("BERTH_ADMIN", ADMIN).env("BERTH_PASSWORD", PASSWORD);
        command.env("PYTHONDONTWRITEBYTECODE", "1").current_dir(self.folder);
        command
    }
}

type Run = fn(&Journey) -> Result<String>;

/// The fuzzer comes last, and as an administrator at the very end: it changes whatever it can.
const JOURNEYS: &[(&str, Run)] = &[
    ("generated client", generated::ours),
    ("generated client of Harbor's document", generated::harbors),
    ("fuzzed by a user", fuzz::user),
    ("fuzzed by an administrator", fuzz::administrator),
];

/// Runs the journeys that `wants` picks by full name, on both engines.
pub fn run(binary: &Path, postgres: &Postgres, seed: Option<u64>, wants: impl Fn(&str) -> bool, tally: &mut Tally) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("berth-api-").tempdir()?;
    let seed = seed.unwrap_or(fuzz::SEED);
    for engine in ["sqlite", "postgres"] {
        let wanted: Vec<_> =
            JOURNEYS.iter().map(|(name, run)| (format!("api/{engine}/{name}"), run)).filter(|(name, _)| wants(name)).collect();
        if wanted.is_empty() {
            continue;
        }
        let begun = Instant::now();
        let database = match engine {
            "postgres" => postgres.create_database("api").map(Some),
            _ => Ok(None),
        };
        let instance = match database.and_then(|database| Instance::start(binary, database, None)) {
            Ok(instance) => instance,
            Err(error) => {
                tally.fail(&format!("api/{engine}/start"), &format!("{error:#}"), begun.elapsed());
                continue;
            }
        };
        for (name, run) in wanted {
            let begun = Instant::now();
            match run(&Journey { instance: &instance, folder: folder.path(), seed }) {
                Ok(report) => {
                    println!("{name}: {report}");
                    tally.pass(&name, begun.elapsed());
                }
                Err(error) => match error.downcast_ref::<Skipped>() {
                    Some(Skipped(reason)) => tally.skip(&name, reason),
                    None => tally.fail(&name, &format!("{error:#}\n{}", instance.log_end()), begun.elapsed()),
                },
            }
        }
        if let Err(error) = instance.stop() {
            tally.fail(&format!("api/{engine}/graceful stop"), &format!("{error:#}"), begun.elapsed());
        }
    }
    Ok(())
}
