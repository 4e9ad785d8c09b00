//! `cargo xtask serve`: everything from a fresh checkout to a running registry.
//! It builds and then becomes the server, so that signals and exit code are the server's own.

use crate::build::{self, Profile};
use crate::process::{self, step};
use crate::{project, site};
use anyhow::{Context as _, Result};
use clap::Args;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

const LISTEN: &str = "127.0.0.1:8080";

/// What to run.
#[derive(Args)]
pub struct Options {
    /// Build the server unoptimised: quicker to compile, slower to serve.
    #[arg(long)]
    dev: bool,
    /// Arguments of `berth serve` (after `--`); they go before the defaults for --listen and --data.
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Builds what is missing and replaces this process by `berth serve`. Returns only when that fails.
pub fn run(options: &Options) -> Result<ExitCode> {
    site::build()?;
    build::server(if options.dev { Profile::Dev } else { Profile::Release })?;
    let binary = project::berth(if options.dev { "debug" } else { "release" });
    let data = project::root().join("data").to_string_lossy().into_owned();
    let mut command = Command::new(&binary);
    command.arg("serve");
    for (flag, variable, value) in [("--listen", "BERTH_LISTEN", LISTEN), ("--data", "BERTH_DATA", data.as_str())] {
        if !names(&options.arguments, flag) && std::env::var_os(variable).is_none() {
            command.args([flag, value]);
        }
    }
    command.args(&options.arguments);
    step(&format!("starting {}", process::spell(&command)));
    let error = command.exec();
    Err(error).with_context(|| format!("cannot start {}", binary.display()))
}

/// Whether the arguments set this flag, as `--flag value` or `--flag=value`.
fn names(arguments: &[String], flag: &str) -> bool {
    arguments.iter().any(|argument| argument == flag || argument.strip_prefix(flag).is_some_and(|rest| rest.starts_with('=')))
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_given_flag_takes_the_place_of_the_default() {
        let given = ["--listen=[::1]:80".to_owned(), "--data-key".to_owned()];
        assert!(names(&given, "--listen"));
        assert!(!names(&given, "--data"));
    }
}
