//! The project's own commands: `cargo xtask serve`, `test`, `build` and `bench`.
//! Run by people and by CI through the alias in `.cargo/config.toml`; no other crate may use this one.

#[path = "../../end2end/api/mod.rs"]
mod api;
mod bench;
mod build;
mod certs;
#[path = "../../end2end/clients/mod.rs"]
mod clients;
mod debian;
mod digest;
mod http;
mod image;
mod instance;
mod postgres;
mod process;
mod project;
mod random;
mod serve;
mod site;
mod suite;
mod tar;
mod token;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Builds, runs, tests and measures Berth.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build portal and server and run `berth serve` on 127.0.0.1:8080 with its data in ./data.
    Serve(serve::Options),
    /// Run every test: rooms, unit and contract suites, doors, clients, kill, browser.
    Test(suite::Options),
    /// Build the portal and the release binary target/release/berth with the portal inside.
    Build(build::Options),
    /// Measure Berth, and Debian's docker-registry beside it where it is installed.
    Bench(bench::Options),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Serve(options) => serve::run(&options),
        Task::Test(options) => suite::run(&options),
        Task::Build(options) => build::run(&options).map(|()| ExitCode::SUCCESS),
        Task::Bench(options) => bench::run(&options).map(|()| ExitCode::SUCCESS),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
