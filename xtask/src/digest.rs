//! SHA-256 (and SHA-512, where a client may choose) in the spelling of the distribution protocol, for file names, stamps and blobs.
//! Everything in this crate that names bytes by their content uses it.

use sha2::{Digest as _, Sha256, Sha512};
use std::fmt::Write as _;

/// The lower-case hexadecimal SHA-256 of some bytes, 64 characters.
pub fn hex(bytes: &[u8]) -> String {
    spell(&Sha256::digest(bytes))
}

/// `sha256:<hex>`, the way manifests and URLs name a blob.
pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(bytes))
}

/// `sha512:<hex>`.
pub fn digest512(bytes: &[u8]) -> String {
    format!("sha512:{}", spell(&Sha512::digest(bytes)))
}

/// Whether `named`, of either algorithm, is the digest of these bytes.
pub fn fits(named: &str, bytes: &[u8]) -> bool {
    named == if named.starts_with("sha512:") { digest512(bytes) } else { digest(bytes) }
}

/// The hexadecimal SHA-256 of a file, read in steps so that its size does not matter.
pub fn of_file(path: &std::path::Path) -> std::io::Result<String> {
    use std::io::Read as _;
    let mut file = std::fs::File::open(path)?;
    let mut state = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(spell(&state.finalize()));
        }
        state.update(&buffer[..count]);
    }
}

fn spell(hash: &[u8]) -> String {
    hash.iter().fold(String::with_capacity(hash.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_digest_of_nothing_is_the_well_known_one() {
        let expected = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(super::digest(b""), expected);
        assert!(super::digest512(b"").starts_with("sha512:cf83e1357eefb8bdf1542850d66d8007"));
        assert!(super::fits(expected, b"") && super::fits(&super::digest512(b"x"), b"x") && !super::fits(expected, b"x"));
    }
}
