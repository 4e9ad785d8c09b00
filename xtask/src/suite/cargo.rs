//! The tests that cargo runs: the rooms, and every crate's unit, contract and door suites.
//! One selection of packages for building and testing, so that every crate is compiled once.

use super::Tally;
use crate::process::{self, step};
use crate::project;
use anyhow::{Context as _, Result};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

/// `frontend` would turn on the portal's browser features for the server too; `xtask` is built already.
const SELECTION: [&str; 5] = ["--workspace", "--exclude", "frontend", "--exclude", "xtask"];

/// Builds the server and all test programs with one set of features.
pub fn build() -> Result<()> {
    step("compiling server and tests");
    let mut command = cargo("build");
    process::stream(command.args(SELECTION).args(["--bins", "--tests"]))
}

/// The dependency directions and this crate's own tests.
pub fn rooms(filter: Option<&str>, tally: &mut Tally) -> Result<()> {
    step("rooms");
    let mut command = cargo("test");
    test(command.args(["--package", "xtask", "--no-fail-fast", "--quiet"]), filter, tally)
}

/// Unit, contract and door suites; on PostgreSQL too when there is one.
pub fn suites(filter: Option<&str>, postgres: Option<&str>, tally: &mut Tally) -> Result<()> {
    step("unit, contract and door suites");
    let mut command = cargo("test");
    command.args(SELECTION).args(["--no-fail-fast"]);
    match postgres {
        Some(url) => command.env("BERTH_TEST_POSTGRES_URL", url),
        None => command.env_remove("BERTH_TEST_POSTGRES_URL"),
    };
    test(&mut command, filter, tally)
}

fn cargo(verb: &str) -> Command {
    let mut command = Command::new("cargo");
    command.arg(verb).current_dir(project::root());
    command
}

fn test(command: &mut Command, filter: Option<&str>, tally: &mut Tally) -> Result<()> {
    if let Some(filter) = filter {
        command.args(["--", filter]);
    }
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| process::spell(command))?;
    let mut counts = Counts::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).split(b'\n') {
            let line = String::from_utf8_lossy(&line?).into_owned();
            println!("{line}");
            counts.read(&line);
        }
    }
    let status = child.wait()?;
    if !status.success() && counts.failed == 0 {
        counts.failed = 1;
        counts.names.push(format!("{} ended with {status}", process::spell(command)));
    }
    tally.add(counts.passed, counts.failures(), counts.ignored);
    Ok(())
}

/// What cargo's test programs say of themselves.
#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
    ignored: usize,
    names: Vec<String>,
}

impl Counts {
    fn read(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("test result: ") {
            let number = |word: &str| {
                let part = rest.split([';', '.']).find(|part| part.trim_end().ends_with(word))?;
                part.trim().split(' ').next()?.parse::<usize>().ok()
            };
            self.passed += number(" passed").unwrap_or(0);
            self.failed += number(" failed").unwrap_or(0);
            self.ignored += number(" ignored").unwrap_or(0);
        } else if let Some(name) = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----")) {
            self.names.push(name.to_owned());
        }
    }

    /// One name per failure, also when a program told a number without names.
    fn failures(&mut self) -> Vec<String> {
        self.names.resize_with(self.failed, || "a test that gave no name".to_owned());
        std::mem::take(&mut self.names)
    }
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn the_summary_lines_are_added_up() {
        let mut counts = Counts::default();
        counts.read("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.01s");
        counts.read("---- one::two stdout ----");
        counts.read("test result: FAILED. 4 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 2.5s");
        assert_eq!((counts.passed, counts.failed, counts.ignored), (7, 1, 1));
        assert_eq!(counts.failures(), ["one::two"]);
    }
}
