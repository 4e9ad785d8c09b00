//! The browser half: compiled by cargo, bound by the wasm-bindgen library of the version that the lock file names.
//! Only `site` calls it; there is no tool to install and so none that could be of another version.

use super::pack::Pack;
use crate::process::{self, step};
use crate::project;
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use wasm_bindgen_cli_support::Bindgen;

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "wasm-release";

/// Adds the wasm target to the tool chain when it is not there.
pub fn ensure_target() -> Result<()> {
    let sysroot = process::check(Command::new("rustc").args(["--print", "sysroot"]).current_dir(project::root()))?;
    if PathBuf::from(sysroot.trim()).join("lib/rustlib").join(TARGET).exists() {
        return Ok(());
    }
    if process::find("rustup").is_none() {
        bail!(
            "this Rust has no {TARGET} target and there is no rustup to add it: install the target's standard library (Debian: libstd-rust-dev-wasm32), or Rust by rustup"
        );
    }
    step(&format!("adding Rust's {TARGET} target with rustup"));
    process::stream(Command::new("rustup").args(["target", "add", TARGET]).current_dir(project::root()))
}

/// Compiles the crate `frontend`; gives the module's path.
pub fn compile() -> Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--package", "frontend", "--lib", "--target", TARGET, "--profile", PROFILE]);
    process::stream(cargo.current_dir(project::root()))?;
    Ok(project::target().join(TARGET).join(PROFILE).join("frontend.wasm"))
}

/// Makes `app.js` and `app_bg.wasm` out of the module and adds both, with the code that crates bring inline.
pub fn bind(module: &std::path::Path, pack: &mut Pack) -> Result<()> {
    let out = tempfile::tempdir()?;
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).out_name("app").typescript(false).remove_name_section(true).remove_producers_section(true);
    bindgen.web(true)?.generate(out.path()).context("wasm-bindgen could not bind the module")?;

    let wasm = fs::read(out.path().join("app_bg.wasm"))?;
    let wasm_path = pack.add_hashed("pkg", "app_bg.wasm", &wasm)?;
    let wasm_name = wasm_path.rsplit('/').next().unwrap_or(&wasm_path);
    let script = fs::read_to_string(out.path().join("app.js"))?.replace("app_bg.wasm", wasm_name);
    pack.add_hashed("pkg", "app.js", script.as_bytes())?;

    let snippets = out.path().join("snippets");
    if snippets.is_dir() {
        for (name, bytes) in super::public_files(&snippets)? {
            pack.add_as(&format!("pkg/snippets/{name}"), &bytes)?;
        }
    }
    Ok(())
}
