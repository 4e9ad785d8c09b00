//! The journeys with oras: with its program where that is installed, which no package of Debian's or npm's brings, and with its Python edition.

use super::{Journey, PROJECT, ok, same, where_installed};
use crate::instance::ADMIN;
use crate::project;
use crate::suite::python;
use anyhow::Result;
use std::fs;
use std::process::Command;

fn oras(journey: &Journey, words: &[&str]) -> Result<Command> {
    let mut command = where_installed("oras")?;
    command.args(words).args(["--username", ADMIN, "--password", &journey.target.password]);
    match journey.target.authority() {
        None => command.arg("--plain-http"),
        Some(ca) => command.arg("--ca-file").arg(ca),
    };
    command.current_dir(journey.folder);
    Ok(command)
}

/// A file is pushed as an artifact, another attached to it, and both are found again.
pub fn push_pull_attach(journey: &mut Journey) -> Result<()> {
    let reference = format!("{}:v1", journey.target.reference("oras"));
    fs::write(journey.path("note.txt"), "a note\n")?;
    fs::write(journey.path("sbom.json"), "{}\n")?;
    ok(oras(journey, &["push", "--artifact-type", "application/vnd.test.note"])?.args([&reference, "note.txt:text/plain"]))?;
    ok(oras(journey, &["attach", "--artifact-type", "application/vnd.test.sbom"])?.args([&reference, "sbom.json:application/json"]))?;
    let found = ok(oras(journey, &["discover", "--format", "json"])?.arg(&reference))?;
    same("the attached artifact is discovered", found.contains("application/vnd.test.sbom"), true)?;
    ok(oras(journey, &["pull", "-o", "back"])?.arg(&reference))?;
    same("the file", fs::read_to_string(journey.path("back/note.txt"))?.as_str(), "a note\n")
}

/// Its Python edition pushes a file whole and in pieces, pulls it back, and finds an artifact of a type of its own with what is attached to it.
pub fn python_edition(journey: &mut Journey) -> Result<()> {
    let mut command = Command::new(python::program("python"));
    command.args(["-W", "ignore"]).arg(project::root().join("end2end/clients/oras_py.py"));
    command.args([&journey.target.address, &format!("{PROJECT}/oras-py"), ADMIN, &journey.target.password]);
    if let Some(ca) = journey.target.authority() {
        command.arg(ca);
    }
    // Credentials of the person who runs the tests must not be found.
    command.env("HOME", journey.folder).env("PYTHONDONTWRITEBYTECODE", "1").current_dir(journey.folder);
    ok(&mut command).map(drop)
}
