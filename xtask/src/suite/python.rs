//! The Python packages of `end2end/api`: the fuzzer, the generator of clients and oras, in an environment of their own in the build directory.
//! Installed in the versions of `requirements.txt`, again only when that changed.

use crate::digest;
use crate::process::{self, step};
use crate::project;
use anyhow::Result;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// A program of the environment.
pub fn program(name: &str) -> PathBuf {
    folder().join("bin").join(name)
}

fn folder() -> PathBuf {
    project::target().join("python")
}

/// Makes the environment unless what is there is what the list says.
pub fn ensure() -> Result<()> {
    let (folder, list) = (folder(), project::root().join("end2end/api/requirements.txt"));
    let stamp_file = folder.join("berth-stamp");
    let stamp = digest::of_file(&list)?;
    if fs::read_to_string(&stamp_file).is_ok_and(|old| old == stamp) {
        return Ok(());
    }
    step("installing Python packages of end2end/api (schemathesis, openapi-generator-cli, oras)");
    process::stream(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut pip = Command::new(program("pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--requirement"]);
    process::stream(pip.arg(&list))?;
    Ok(fs::write(stamp_file, stamp)?)
}
