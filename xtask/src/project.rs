//! Where things are: the checkout, the build directory, the built site.
//! Every task asks here, so that all of them work from any current directory.

use std::path::{Path, PathBuf};

/// The checkout's root folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Cargo's build directory: `CARGO_TARGET_DIR`, or `target` in the checkout.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// The built portal, which the server embeds. The server's build looks for it at this fixed place.
pub fn site() -> PathBuf {
    root().join("target/site")
}

/// The server binary of a cargo profile folder (`debug` or `release`).
pub fn berth(profile: &str) -> PathBuf {
    target().join(profile).join("berth")
}
