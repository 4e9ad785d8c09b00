//! `cargo xtask build`: portal, then server with the portal inside.
//! `serve` and `bench` build through here too, so that there is one way to build.

use crate::process::{self, step};
use crate::{project, site};
use anyhow::Result;
use clap::Args;
use std::process::Command;
use std::time::Instant;

/// How to build.
#[derive(Args)]
pub struct Options {
    /// Build the server unoptimised (target/debug/berth), as the tests use it.
    #[arg(long)]
    dev: bool,
}

/// Builds portal and server and says where the binary is.
pub fn run(options: &Options) -> Result<()> {
    site::build()?;
    server(if options.dev { Profile::Dev } else { Profile::Release })?;
    let folder = if options.dev { "debug" } else { "release" };
    step(&format!("{} is ready", project::berth(folder).display()));
    Ok(())
}

/// Optimised for use, or quick to compile.
#[derive(Clone, Copy, PartialEq)]
pub enum Profile {
    /// target/debug.
    Dev,
    /// target/release.
    Release,
}

/// Builds the server alone; the site must have been built before.
pub fn server(profile: Profile) -> Result<()> {
    let begun = Instant::now();
    step("server: compiling berth");
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--package", "berth"]).current_dir(project::root());
    if profile == Profile::Release {
        cargo.arg("--release");
    }
    process::stream(&mut cargo)?;
    step(&format!("server: built in {:.1} s", begun.elapsed().as_secs_f64()));
    Ok(())
}
