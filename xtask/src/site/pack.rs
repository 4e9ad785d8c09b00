//! The folder that the server embeds: files under hashed names, each beside its brotli and gzip form, and a manifest.
//! `manifest.json` maps logical names (`app.js`) to paths from the site's root (`/pkg/app.<hash>.js`).

use crate::digest;
use anyhow::{Context as _, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Names that browsers and crawlers ask for by themselves, which can therefore carry no hash.
const FIXED_NAMES: [&str; 4] = ["favicon.ico", "favicon.svg", "robots.txt", "apple-touch-icon.png"];
/// Formats that are compressed already.
const PACKED: [&str; 6] = ["png", "jpg", "webp", "woff2", "ico", "gz"];
/// Hexadecimal digits of the hash in a file name: 64 bits.
const HASH_LENGTH: usize = 16;

/// A site under construction.
pub struct Pack {
    root: PathBuf,
    manifest: BTreeMap<String, String>,
    plain: usize,
    brotli: usize,
}

impl Pack {
    /// Starts with an empty folder, removing what an interrupted run left there.
    pub fn create(root: &Path) -> Result<Self> {
        if root.exists() {
            fs::remove_dir_all(root)?;
        }
        fs::create_dir_all(root).with_context(|| format!("cannot make {}", root.display()))?;
        Ok(Self { root: root.to_owned(), manifest: BTreeMap::new(), plain: 0, brotli: 0 })
    }

    /// Adds a file under a name that changes with its content. Gives its path from the site's root, which starts with `/`.
    pub fn add_hashed(&mut self, folder: &str, name: &str, bytes: &[u8]) -> Result<String> {
        let hash = &digest::hex(bytes)[..HASH_LENGTH];
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let path = format!("{folder}/{stem}.{hash}.{extension}");
        let path = path.trim_start_matches('/').trim_end_matches('.').to_owned();
        self.write(&path, bytes)?;
        self.manifest.insert(name.to_owned(), format!("/{path}"));
        Ok(format!("/{path}"))
    }

    /// Adds a file of `public/`: hashed below `/pkg`, but for the few names that the outside world fixes.
    pub fn add_public(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        if FIXED_NAMES.contains(&name) {
            self.manifest.insert(name.to_owned(), format!("/{name}"));
            return self.add_as(name, bytes);
        }
        self.add_hashed("pkg", name, bytes).map(drop)
    }

    /// Adds a file under exactly this path, without an entry in the manifest.
    pub fn add_as(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        self.write(path, bytes)
    }

    /// Writes the manifest. Gives a line about sizes.
    pub fn finish(self) -> Result<String> {
        fs::write(self.root.join("manifest.json"), serde_json::to_vec_pretty(&self.manifest)?)?;
        Ok(format!("{} files, {} kB, {} kB as brotli", self.manifest.len(), self.plain / 1000, self.brotli / 1000))
    }

    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        let file = self.root.join(path);
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&file, bytes)?;
        self.plain += bytes.len();
        let extension = path.rsplit('.').next().unwrap_or_default();
        if PACKED.contains(&extension) {
            self.brotli += bytes.len();
            return Ok(());
        }
        let small = brotli(bytes)?;
        self.brotli += small.len().min(bytes.len());
        for (suffix, packed) in [("br", small), ("gz", gzip(bytes)?)] {
            if packed.len() < bytes.len() {
                fs::write(self.root.join(format!("{path}.{suffix}")), packed)?;
            }
        }
        Ok(())
    }
}

fn brotli(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut packed = Vec::new();
    let mut writer = brotli::CompressorWriter::new(&mut packed, 1 << 16, 11, 22);
    writer.write_all(bytes)?;
    writer.flush()?;
    drop(writer);
    Ok(packed)
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::best());
    writer.write_all(bytes)?;
    Ok(writer.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_get_hashed_names_compressed_forms_and_a_manifest() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("site");
        let mut pack = Pack::create(&root).unwrap();
        let text = "body{}".repeat(100);
        let path = pack.add_hashed("pkg", "app.css", text.as_bytes()).unwrap();
        pack.add_public("icons.svg", b"<svg></svg>").unwrap();
        pack.add_public("favicon.svg", b"<svg></svg>").unwrap();
        pack.finish().unwrap();
        assert!(path.starts_with("/pkg/app.") && path.ends_with(".css"));
        let file = root.join(path.trim_start_matches('/'));
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
        let mut plain = Vec::new();
        let packed = fs::File::open(format!("{}.br", file.display())).unwrap();
        std::io::Read::read_to_end(&mut brotli::Decompressor::new(packed, 4096), &mut plain).unwrap();
        assert_eq!(plain, text.as_bytes());
        let manifest: BTreeMap<String, String> = serde_json::from_slice(&fs::read(root.join("manifest.json")).unwrap()).unwrap();
        assert_eq!((&manifest["app.css"], manifest["favicon.svg"].as_str()), (&path, "/favicon.svg"));
        assert!(manifest["icons.svg"].starts_with("/pkg/icons."));
    }
}
