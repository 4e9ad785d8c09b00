//! Secrets at rest: sealed with AES-256-GCM under the instance's key, which lives outside the database.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf;

/// Seals and opens secrets. Cheap to clone: it holds 32 bytes.
#[derive(Clone)]
pub struct Seal {
    key: [u8; 32],
}

/// A sealed value did not open: another key, or damaged.
#[derive(Debug, thiserror::Error)]
#[error(
    "a secret in the database does not open: it was sealed with another instance key. Give this process the `instance.key` of the first one (or name \
     it with instance_key_file)"
)]
pub struct SealError;

const VERSION: u8 = 1;

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(…)")
    }
}

impl Seal {
    /// From the instance's 32 random bytes.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// A key for one purpose, derived from the instance's (HKDF-SHA-256).
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"berth");
        let secret = salt.extract(&self.key);
        let info = [purpose.as_bytes()];
        let mut key = [0; 32];
        // Fails only for outputs beyond 255 blocks.
        if let Ok(okm) = secret.expand(&info, hkdf::HKDF_SHA256) {
            let filled = okm.fill(&mut key);
            debug_assert!(filled.is_ok());
        }
        key
    }

    /// `version ‖ nonce ‖ ciphertext`; `name` is authenticated, so that a value cannot stand in for another.
    pub fn seal(&self, name: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, &self.derive("seal")).map_err(|_| SealError)?;
        let mut sealed = plain.to_vec();
        let nonce = key.seal_in_place_append_tag(Aad::from(name.as_bytes()), &mut sealed).map_err(|_| SealError)?;
        let mut out = vec![VERSION];
        out.extend_from_slice(nonce.as_ref());
        out.append(&mut sealed);
        Ok(out)
    }

    /// What was sealed under this name.
    pub fn open(&self, name: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (version, rest) = sealed.split_first().ok_or(SealError)?;
        if *version != VERSION || rest.len() < NONCE_LEN {
            return Err(SealError);
        }
        let (nonce, ciphertext) = rest.split_at(NONCE_LEN);
        let key = RandomizedNonceKey::new(&AES_256_GCM, &self.derive("seal")).map_err(|_| SealError)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError)?;
        let mut buffer = ciphertext.to_vec();
        let plain = key.open_in_place(nonce, Aad::from(name.as_bytes()), &mut buffer).map_err(|_| SealError)?;
        Ok(plain.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::Seal;

    #[test]
    fn what_was_sealed_opens_under_the_same_name_and_key_only() {
        let seal = Seal::new([7; 32]);
        let sealed = seal.seal("a", b"secret").unwrap();
        assert_eq!(seal.open("a", &sealed).unwrap(), b"secret");
        assert!(seal.open("b", &sealed).is_err());
        assert!(Seal::new([8; 32]).open("a", &sealed).is_err());
        let mut damaged = sealed.clone();
        *damaged.last_mut().unwrap() ^= 1;
        assert!(seal.open("a", &damaged).is_err());
        assert!(!sealed.windows(6).any(|w| w == b"secret"));
    }

    #[test]
    fn two_purposes_have_two_keys() {
        let seal = Seal::new([7; 32]);
        assert_ne!(seal.derive("a"), seal.derive("b"));
    }
}
