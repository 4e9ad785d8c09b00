//! Runs the browser journeys of `end2end/browser` in Debian's Chromium against one server.
//! Their program prints one line per journey, which is read and counted here.

use super::Tally;
use crate::clients::{PROJECT, Target};
use crate::image::{self, Recipe};
use crate::process::{self, find};
use crate::project;
use anyhow::{Context as _, Result};
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

/// The looks that are tried on a server; every one where none are named. The servers differ in what no page shows: the database behind it, and whether
/// cookies are for TLS.
fn looks(server: &str) -> &'static str {
    match server {
        "sqlite-http" => "",
        "postgres-http" => "wide light",
        "sqlite-tls" => "no script narrow",
        _ => "wide light,no script narrow",
    }
}

const LIMIT: Duration = Duration::from_secs(1800);

/// Pushes what the pages are to show and runs the journeys.
pub fn run(target: &Target, filter: Option<&str>, tally: &mut Tally) {
    let group = format!("browser/{}", target.name);
    let begun = Instant::now();
    let outcome = prepare(target).and_then(|digest| journeys(target, &digest, filter));
    let output = match outcome {
        Ok(output) => output,
        Err(error) => return tally.fail(&group, &format!("{error:#}"), begun.elapsed()),
    };
    let mut counted = 0;
    let mut failure: Option<(String, Vec<&str>)> = None;
    for line in output.text.lines() {
        if let Some(name) = line.strip_prefix("PASS ") {
            tell(&mut failure, tally);
            tally.pass(&format!("{group}/{name}"), Duration::ZERO);
            counted += 1;
        } else if let Some(name) = line.strip_prefix("FAIL ") {
            tell(&mut failure, tally);
            failure = Some((format!("{group}/{name}"), Vec::new()));
            counted += 1;
        } else if let Some((_, lines)) = &mut failure {
            lines.push(line);
        }
    }
    tell(&mut failure, tally);
    if !output.finished || (counted == 0 && filter.is_none()) {
        tally.fail(&format!("{group}/whole"), &output.text, begun.elapsed());
    }
}

/// What a filter says of the journeys' own names: what stands behind group and server.
fn named(filter: &str) -> &str {
    filter.strip_prefix("browser/").and_then(|rest| rest.split_once('/')).map_or("", |(_, name)| name)
}

fn tell(failure: &mut Option<(String, Vec<&str>)>, tally: &mut Tally) {
    if let Some((name, lines)) = failure.take() {
        tally.fail(&name, &lines.join("\n"), Duration::ZERO);
    }
}

/// A repository with an index and a single image; gives the digest of the image.
fn prepare(target: &Target) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let mut digest = String::new();
    for (tag, architectures) in [("multi", &["amd64", "arm64"][..]), ("v1", &["amd64"])] {
        let layout = folder.path().join(tag);
        digest = image::layout(&layout, tag, &Recipe { seed: "portal", layers: 3, layer_size: 40_000, architectures })?;
        let mut skopeo = Command::new("skopeo");
        skopeo.args(["copy", "-q", "--all", "--insecure-policy", "--dest-creds", &target.credentials()]).args(target.trust("--dest-"));
        let source = format!("oci:{}:{tag}", layout.display());
        process::check(skopeo.arg(source).arg(format!("docker://{}/{PROJECT}/portal:{tag}", target.address)))?;
    }
    Ok(digest)
}

struct Output {
    text: String,
    finished: bool,
}

fn journeys(target: &Target, digest: &str, filter: Option<&str>) -> Result<Output> {
    let shots = project::target().join("screenshots").join(&target.name);
    fs::create_dir_all(&shots)?;
    let chromium = find("chromium").context("chromium is not installed")?;
    let mut node = Command::new("node");
    node.arg("browser/run.mjs").current_dir(project::root().join("end2end"));
    node.env("BERTH_URL", target.url()).env("BERTH_PASSWORD", &target.password).env("BERTH_DIGEST", digest);
    node.env("BERTH_PROJECT", PROJECT).env("SCREENSHOTS", &shots).env("CHROMIUM", chromium);
    node.env("FILTER", filter.map_or("", named));
    node.env("LOOKS", looks(&target.name));
    let captured = process::capture(&mut node, LIMIT)?;
    Ok(Output { text: captured.text(), finished: matches!(captured.status.code(), Some(0 | 1)) })
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn a_filter_may_name_the_group_the_server_and_the_journey() {
        for (filter, name) in
            [("browser", ""), ("browser/sqlite-tls", ""), ("browser/sqlite-tls/wide light: an image", "wide light: an image")]
        {
            assert_eq!(named(filter), name, "{filter}");
        }
    }
}
