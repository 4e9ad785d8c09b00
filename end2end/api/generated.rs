//! A client made by openapi-generator does a day's work, `day.py`: from the document that the server serves, and from Harbor's own where it is at hand.

use super::Journey;
use crate::clients::{Skipped, where_installed};
use crate::http::Client;
use crate::process;
use crate::project;
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::path::Path;

/// Names Harbor's document, a file of Swagger 2.0.
const HARBORS: &str = "BERTH_TEST_HARBOR_SWAGGER";

/// With the client of the served document.
pub fn ours(journey: &Journey) -> Result<String> {
    let document = journey.folder.join("openapi.json");
    let reply = Client::new(&journey.instance.address(), None).send("GET", "/api/v2.0/openapi.json", &[], b"")?;
    ensure!(reply.status == 200, "the document: {}", reply.status);
    fs::write(&document, &reply.body)?;
    day(journey, &document, "berth_client")
}

/// With the client of Harbor's document: what works with it works without any change.
pub fn harbors(journey: &Journey) -> Result<String> {
    match std::env::var_os(HARBORS) {
        Some(document) => day(journey, &project::root().join(document), "harbor_client"),
        None => Err(Skipped(format!("{HARBORS} does not say where Harbor's document is")).into()),
    }
}

fn day(journey: &Journey, document: &Path, package: &str) -> Result<String> {
    // The generator is a program of the Java world.
    where_installed("java")?;
    let folder = journey.folder.join(package);
    if !folder.exists() {
        let mut generator = journey.program("openapi-generator");
        generator.args(["generate", "-g", "python", "--package-name", package, "-i"]).arg(document).arg("-o").arg(&folder);
        process::check(&mut generator).context("making the client")?;
    }
    let mut python = journey.program("python");
    // The generated code of its time warns about names that newer libraries gave up.
    python.args(["-W", "ignore"]).arg(project::root().join("end2end/api/day.py")).arg(package).env("PYTHONPATH", &folder);
    let told = process::check(&mut python)?;
    Ok(format!("{} parts of the day", told.lines().count()))
}
