//! Builds `target/site`: the portal's browser half, style sheet and public files, hashed by name and compressed.
//! `build`, `serve`, `test` and `bench` call [`build`] before they build the server, which embeds the folder.

mod css;
mod pack;
mod wasm;

use crate::process::step;
use crate::{digest, project};
use anyhow::{Context as _, Result};
use pack::Pack;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Raised when this code changes what it writes, so that a site of an older make is built again.
const FORMAT: &str = "1";

/// Builds the site, or leaves it as it is when nothing that goes into it has changed.
pub fn build() -> Result<()> {
    let begun = Instant::now();
    wasm::ensure_target()?;
    step("portal: compiling the browser half (wasm32)");
    let module = wasm::compile()?;
    let style = css::bundle(&project::root().join("style/main.css"))?;
    let public = public_files(&project::root().join("public"))?;

    let site = project::site();
    let stamp_file = site.with_extension("stamp");
    let stamp = stamp(&module, &style, &public)?;
    if site.join("manifest.json").exists() && fs::read_to_string(&stamp_file).is_ok_and(|old| old == stamp) {
        step("portal: up to date");
        return Ok(());
    }
    step("portal: binding, hashing and compressing");
    let fresh = site.with_extension("new");
    let mut pack = Pack::create(&fresh)?;
    wasm::bind(&module, &mut pack)?;
    pack.add_hashed("pkg", "app.css", style.as_bytes())?;
    for (name, bytes) in &public {
        pack.add_public(name, bytes)?;
    }
    let summary = pack.finish()?;
    if site.exists() {
        fs::remove_dir_all(&site)?;
    }
    fs::rename(&fresh, &site).context("cannot put the new site in place")?;
    fs::write(&stamp_file, stamp)?;
    step(&format!("portal: {summary} in {:.1} s", begun.elapsed().as_secs_f64()));
    Ok(())
}

/// The files of `public/` by their path below it, sorted.
fn public_files(folder: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).with_context(|| format!("cannot read {}", next.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder)?.to_string_lossy().into_owned();
                found.push((name, fs::read(&path)?));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn stamp(module: &Path, style: &str, public: &[(String, Vec<u8>)]) -> Result<String> {
    let mut text = format!("{FORMAT}\n{}\n{}\n", digest::of_file(module)?, digest::hex(style.as_bytes()));
    for (name, bytes) in public {
        text += &format!("{name} {}\n", digest::hex(bytes));
    }
    Ok(text)
}
