//! schemathesis sends requests of every operation of the served document, valid and not: no answer may be a failure of the server, of a status or
//! a media type that the document does not declare, or of another shape than declared. What it stands on is made by `fuzz_hooks.py`.

use super::Journey;
use crate::process;
use crate::project;
use anyhow::{Context as _, Result, bail, ensure};
use std::time::Duration;

/// The seed unless another is asked for: the same requests on every run.
pub const SEED: u64 = 1;
/// Names how many requests of each operation are made up, beside those that cover the document systematically.
const EXAMPLES: &str = "BERTH_FUZZ_EXAMPLES";
const FEW: &str = "12";
/// Fewer requests than this were no try.
const FEWEST: u64 = 2000;
const LIMIT: Duration = Duration::from_secs(3600);
const CALLERS_PASSWORD: &str = "Fuzz-Pass-1";

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

/// As the administrator of one project.
pub fn user(journey: &Journey) -> Result<String> {
    fuzz(journey, "fuzz-user", false)
}

/// As an administrator of the system that nobody else needs.
pub fn administrator(journey: &Journey) -> Result<String> {
    fuzz(journey, "fuzz-admin", true)
}

fn fuzz(journey: &Journey, caller: &str, is_admin: bool) -> Result<String> {
    let base = format!("{}/api/v2.0", journey.instance.url());
    let (seed, examples) = (journey.seed.to_string(), std::env::var(EXAMPLES).unwrap_or_else(|_| FEW.to_owned()));
    let folder = tempfile::Builder::new().prefix("berth-fuzz-").tempdir()?;
    let mut command = journey.program("schemathesis");
    command.args(["run", &format!("{base}/openapi.json"), "--url", &base, "--auth", &format!("{caller}:{CALLERS_PASSWORD}")]);
    command.args(["--checks", CHECKS, "--phases", "coverage,fuzzing", "--max-examples", &examples, "--seed", &seed]);
    // A slow machine and names that few strings match are no findings.
    command.args(["--suppress-health-check", "all", "--request-timeout", "60", "--continue-on-failure"]);
    command.args(["--generation-database", "none", "--warnings", "off", "--no-color"]).current_dir(folder.path());
    command.env("SCHEMATHESIS_HOOKS", "fuzz_hooks").env("PYTHONPATH", project::root().join("end2end/api"));
    command.env("BERTH_CALLER", caller).env("BERTH_CALLER_PASSWORD", CALLERS_PASSWORD);
    command.env("BERTH_CALLER_IS_ADMIN", if is_admin { "yes" } else { "no" });
    let captured = process::capture(&mut command, LIMIT)?;
    let text = captured.text();
    if !captured.status.success() {
        bail!("seed {seed}: {}", text.trim_end());
    }
    let sent = generated(&text).with_context(|| format!("no count of requests in\n{text}"))?;
    ensure!(sent >= FEWEST, "only {sent} requests: nothing was tried\n{text}");
    Ok(format!("seed {seed}: {sent} requests, every answer as declared"))
}

/// How many requests there were, from the line `4466 generated, 4466 passed`.
fn generated(text: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.contains(" generated"))?;
    line.split_whitespace().next()?.replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_count_of_requests_is_found() {
        assert_eq!(super::generated("Test cases:\n  4466 generated, 4466 passed\n"), Some(4466));
        assert_eq!(super::generated("nothing"), None);
    }
}
