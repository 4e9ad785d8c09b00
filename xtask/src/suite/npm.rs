//! The npm packages of `end2end/`: the browser driver, the accessibility rules and helm.
//! Installed from the lock file, again only when that changed; no package downloads a browser.

use crate::digest;
use crate::process::{self, step};
use crate::project;
use anyhow::Result;
use std::fs;
use std::process::Command;

/// Installs the packages unless what is there is what the lock file says.
pub fn ensure() -> Result<()> {
    let folder = project::root().join("end2end");
    let stamp_file = folder.join("node_modules/.berth-stamp");
    let stamp = digest::of_file(&folder.join("package-lock.json"))?;
    if fs::read_to_string(&stamp_file).is_ok_and(|old| old == stamp) {
        return Ok(());
    }
    step("installing npm packages of end2end (browser driver, accessibility rules, helm)");
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]);
    process::stream(npm.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1").current_dir(&folder))?;
    Ok(fs::write(stamp_file, stamp)?)
}
