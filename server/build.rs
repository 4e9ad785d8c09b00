//! Makes sure that the folder of the built portal exists, so that the server compiles before the portal was ever built.

use std::{fs, path::Path};

fn main() {
    let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/site");
    fs::create_dir_all(&site).expect("the folder of the built portal can be made");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", site.display());
}
