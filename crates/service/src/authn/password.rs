//! How passwords and secrets are kept and checked: PHC strings, argon2id for what people choose, salted SHA-256 for what is random anyway, and
//! PBKDF2 to verify what an existing Harbor stored. Dear checks run on the blocking pool, few at once.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, PasswordHash, Version};
use aws_lc_rs::{digest, pbkdf2};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;
use model::error::ErrorCode;
use tokio::sync::Semaphore;

use crate::{Error, Ids, Result};

/// OWASP's first choice for argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// More checks than this do not wait for their turn; a flood of wrong passwords must not queue up for minutes.
const WAITING: usize = 256;
/// The longest secret that is looked at, in bytes: 128 characters of UTF-8.
pub const MAX_SECRET: usize = 512;
/// Nobody stored more rounds than this; a damaged row must not stall a worker.
const MAX_ROUNDS: u32 = 2_000_000;

/// Hashes and verifies, a bounded number at once. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Hasher {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    permits: Semaphore,
    waiting: AtomicUsize,
    /// What an unknown user's password is checked against, so that it takes as long as a known one's.
    nobody: String,
    /// The same for a robot, whose secret is of the other kind unless somebody chose it.
    no_robot: String,
}

impl Hasher {
    /// One for the process.
    pub fn new(ids: &dyn Ids) -> Self {
        let parallel = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        // What it is the hash of nobody knows, and checking against it costs what checking against a real one does: so none has to be made.
        let (mut salt, mut hash) = ([0; 16], [0; 32]);
        ids.fill(&mut salt);
        ids.fill(&mut hash);
        let nobody = format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p=1${}${}", BASE64.encode(salt), BASE64.encode(hash));
        ids.fill(&mut hash);
        let no_robot = hash_random(ids, &BASE64.encode(hash));
        Self { inner: Arc::new(Inner { permits: Semaphore::new(parallel), waiting: AtomicUsize::new(0), nobody, no_robot }) }
    }

    /// A PHC string for a secret that somebody chose.
    pub async fn hash(&self, ids: &Arc<dyn Ids>, secret: &str) -> Result<String> {
        let (ids, secret) = (ids.clone(), secret.to_owned());
        self.run(move || argon2_hash(&*ids, secret.as_bytes())).await?
    }

    /// Whether the secret fits. Without a stored hash it is checked against nobody's, and does not fit.
    pub async fn verify(&self, secret: &str, stored: Option<&str>) -> Result<bool> {
        if secret.len() > MAX_SECRET {
            return Ok(false);
        }
        if let Some(stored) = stored.filter(|s| is_of_random(s)) {
            return Ok(verify_random(secret, stored));
        }
        let known = stored.is_some();
        let stored = stored.unwrap_or(&self.inner.nobody).to_owned();
        let secret = secret.to_owned();
        let fits = self.run(move || verify_dear(&secret, &stored)).await?;
        Ok(fits && known)
    }

    /// As [`Self::verify`], for robots: without a stored hash it is checked against one of the kind that most robots have.
    pub async fn verify_robot(&self, secret: &str, stored: Option<&str>) -> Result<bool> {
        let fits = self.verify(secret, Some(stored.unwrap_or(&self.inner.no_robot))).await?;
        Ok(fits && stored.is_some())
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let _waiting = Waiting::enter(&self.inner.waiting)?;
        let _permit = self.inner.permits.acquire().await.map_err(Error::internal)?;
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)
    }
}

/// A place in the queue, given back whatever happens to the request.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize) -> Result<Self> {
        let place = Self(count);
        if count.fetch_add(1, Ordering::Relaxed) >= WAITING {
            return Err(Error::new(ErrorCode::TooManyRequest, "too many sign-ins at once, try again in a moment"));
        }
        Ok(place)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn argon2() -> Argon2<'static> {
    // The parameters are constants within the bounds of the algorithm.
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(MEMORY_KIB, PASSES, 1, None).unwrap_or(Params::DEFAULT))
}

fn argon2_hash(ids: &dyn Ids, secret: &[u8]) -> Result<String> {
    let mut salt = [0; 16];
    ids.fill(&mut salt);
    let hash: PasswordHash = argon2().hash_password_with_salt(secret, &salt).map_err(|e| Error::internal(e.to_string()))?;
    Ok(hash.to_string())
}

fn verify_dear(secret: &str, stored: &str) -> bool {
    if stored.starts_with(PBKDF2_PREFIX) {
        return verify_pbkdf2(secret, stored);
    }
    // The stored string carries its own parameters.
    argon2().verify_password(secret.as_bytes(), stored).is_ok()
}

const RANDOM_PREFIX: &str = "$sha256$";

/// What is kept of a secret of 32 random characters: nobody tries 190 bits, so one salted SHA-256 does, and every call of a robot stays cheap.
pub fn hash_random(ids: &dyn Ids, secret: &str) -> String {
    let mut salt = [0; 16];
    ids.fill(&mut salt);
    format!("{RANDOM_PREFIX}{}${}", BASE64.encode(salt), BASE64.encode(salted_sha256(&salt, secret)))
}

/// Whether a stored hash is one of [`hash_random`].
pub(super) fn is_of_random(stored: &str) -> bool {
    stored.starts_with(RANDOM_PREFIX)
}

fn salted_sha256(salt: &[u8], secret: &str) -> digest::Digest {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(salt);
    context.update(secret.as_bytes());
    context.finish()
}

fn verify_random(secret: &str, stored: &str) -> bool {
    let parts = stored.strip_prefix(RANDOM_PREFIX).and_then(|rest| rest.split_once('$'));
    let Some((salt, hash)) = parts.and_then(|(salt, hash)| Some((BASE64.decode(salt).ok()?, BASE64.decode(hash).ok()?))) else {
        return false;
    };
    aws_lc_rs::constant_time::verify_slices_are_equal(salted_sha256(&salt, secret).as_ref(), &hash).is_ok()
}

const PBKDF2_PREFIX: &str = "$pbkdf2-sha256$";

/// A PHC string out of what Harbor stores: the derived key in hex, the salt as text, and the rounds of its `password_version`
/// (`pbkdf2_sha256` 600000, `sha256` 4096). `None` when the key is no hex.
pub fn from_pbkdf2_hex(key: &str, salt: &str, rounds: u32) -> Option<String> {
    let pairs = key.as_bytes().chunks_exact(2);
    if key.is_empty() || !pairs.remainder().is_empty() {
        return None;
    }
    let key: Option<Vec<u8>> = pairs.map(|p| u8::from_str_radix(std::str::from_utf8(p).ok()?, 16).ok()).collect();
    Some(format!("{PBKDF2_PREFIX}i={rounds}${}${}", BASE64.encode(salt), BASE64.encode(key?)))
}

fn verify_pbkdf2(secret: &str, stored: &str) -> bool {
    let parsed = || {
        let mut parts = stored.strip_prefix(PBKDF2_PREFIX)?.splitn(3, '$');
        let rounds: u32 = parts.next()?.strip_prefix("i=")?.parse().ok()?;
        let rounds = NonZeroU32::new(rounds).filter(|r| r.get() <= MAX_ROUNDS)?;
        let salt = BASE64.decode(parts.next()?).ok()?;
        let key = BASE64.decode(parts.next()?).ok().filter(|key| key.len() >= 16)?;
        Some((rounds, salt, key))
    };
    let Some((rounds, salt, key)) = parsed() else { return false };
    pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, secret.as_bytes(), &key).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemIds;

    #[tokio::test]
    async fn what_people_choose_is_kept_as_argon2id() {
        let ids: Arc<dyn Ids> = Arc::new(SystemIds);
        let hasher = Hasher::new(&SystemIds);
        let hash = hasher.hash(&ids, "Passw0rd1").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(hasher.verify("Passw0rd1", Some(&hash)).await.unwrap());
        assert!(!hasher.verify("Passw0rd2", Some(&hash)).await.unwrap());
        assert!(!hasher.verify("", Some(&hash)).await.unwrap());
        assert!(!hasher.verify("Passw0rd1", None).await.unwrap());
        assert!(!hasher.verify("Passw0rd1", Some("garbage")).await.unwrap());
        assert_ne!(hash, hasher.hash(&ids, "Passw0rd1").await.unwrap());
    }

    #[tokio::test]
    async fn an_unknown_user_costs_an_argon2_check_too() {
        let hasher = Hasher::new(&SystemIds);
        assert!(hasher.inner.nobody.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let begun = std::time::Instant::now();
        hasher.verify("Passw0rd1", None).await.unwrap();
        let unknown = begun.elapsed();
        // The same work as a real check, not a short cut: a 19 MiB memory fill is never done in under a millisecond.
        assert!(unknown > std::time::Duration::from_millis(1), "{unknown:?}");
    }

    #[tokio::test]
    async fn random_secrets_are_salted() {
        let hasher = Hasher::new(&SystemIds);
        let hash = hash_random(&SystemIds, "vqY0zwLwHbHtAfzGDCtYDTdLhZTNSw1x");
        assert!(hasher.verify("vqY0zwLwHbHtAfzGDCtYDTdLhZTNSw1x", Some(&hash)).await.unwrap());
        assert!(!hasher.verify("vqY0zwLwHbHtAfzGDCtYDTdLhZTNSw1y", Some(&hash)).await.unwrap());
        assert_ne!(hash, hash_random(&SystemIds, "vqY0zwLwHbHtAfzGDCtYDTdLhZTNSw1x"));
        assert!(!verify_random("x", "$sha256$!$!"));
        assert!(hasher.verify_robot("vqY0zwLwHbHtAfzGDCtYDTdLhZTNSw1x", Some(&hash)).await.unwrap());
        assert!(!hasher.verify_robot("vqY0zwLwHbHtAfzGDCtYDTdLhZTNSw1x", None).await.unwrap());
        assert!(is_of_random(&hasher.inner.no_robot), "an absent robot costs what a robot costs");
    }

    #[tokio::test]
    async fn hashes_of_harbor_verify() {
        // PBKDF2-HMAC-SHA256("Harbor12345", "salty-salt-salty", n, 16), computed with Python's hashlib.
        let vectors = [(4096, VECTOR_4096), (600_000, VECTOR_600000)];
        let hasher = Hasher::new(&SystemIds);
        for (rounds, key) in vectors {
            let stored = from_pbkdf2_hex(key, "salty-salt-salty", rounds).unwrap();
            assert!(hasher.verify("Harbor12345", Some(&stored)).await.unwrap(), "{rounds}");
            assert!(!hasher.verify("Harbor12346", Some(&stored)).await.unwrap());
        }
        assert_eq!(from_pbkdf2_hex("xyz", "s", 1), None);
        assert!(!verify_pbkdf2("x", "$pbkdf2-sha256$i=4000000000$AA$AAAAAAAAAAAAAAAAAAAAAA"));
    }

    const VECTOR_4096: &str = "54996fa19c46abfecefab0390def15f4";
    const VECTOR_600000: &str = "8d6400e18189986c90ea896f45e7a778";
}
