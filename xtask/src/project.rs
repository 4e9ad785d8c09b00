//! Where things are: the checkout, the build directory, the built site.
//! Every task asks here, so that all of them work from any current directory.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The checkout's root folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Cargo's build directory, as cargo itself says: `CARGO_TARGET_DIR`, `CARGO_BUILD_TARGET_DIR`, `build.target-dir` of a configuration file, or
/// `target` in the checkout.
pub fn target() -> PathBuf {
    static TARGET: OnceLock<PathBuf> = OnceLock::new();
    TARGET.get_or_init(|| told_by_cargo().unwrap_or_else(|| root().join("target"))).clone()
}

fn told_by_cargo() -> Option<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(root());
    let told: serde_json::Value = serde_json::from_slice(&command.output().ok()?.stdout).ok()?;
    Some(told["target_directory"].as_str()?.into())
}

/// The built portal, which the server embeds. The server's build looks for it at this fixed place.
pub fn site() -> PathBuf {
    root().join("target/site")
}

/// The server binary of a cargo profile folder (`debug` or `release`).
pub fn berth(profile: &str) -> PathBuf {
    target().join(profile).join("berth")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_says_where_it_builds() {
        // This test was built there.
        let own = std::env::current_exe().unwrap();
        assert!(own.starts_with(told_by_cargo().unwrap()), "{} is not in {:?}", own.display(), told_by_cargo());
    }
}
