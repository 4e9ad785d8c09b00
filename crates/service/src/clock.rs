//! Time and chance as parameters, so that tests decide both.

use std::sync::Arc;

/// Tells the time.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Microseconds since the epoch.
    fn micros(&self) -> i64;
}

/// The machine's clock.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
    fn micros(&self) -> i64 {
        chrono::Utc::now().timestamp_micros()
    }
}

/// Makes what must not be guessed or repeat.
pub trait Ids: Send + Sync + std::fmt::Debug {
    /// Fills the buffer with random bytes.
    fn fill(&self, bytes: &mut [u8]);

    /// A random UUID (version 4) in text.
    fn uuid(&self) -> String {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }
}

/// The operating system's randomness.
#[derive(Debug, Default)]
pub struct SystemIds;

impl Ids for SystemIds {
    fn fill(&self, bytes: &mut [u8]) {
        // The only failure is an operating system without randomness: nothing safe can follow.
        aws_lc_rs::rand::fill(bytes).expect("the operating system gives random bytes");
    }
}

/// `length` characters of letters and digits with at least one of each case and one digit, as secrets must have.
pub fn random_secret(ids: &Arc<dyn Ids>, length: usize) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    loop {
        let mut secret = String::with_capacity(length);
        while secret.len() < length {
            let mut bytes = [0u8; 64];
            ids.fill(&mut bytes);
            // 248 = 4 × 62: above it the remainder would favour some characters.
            secret.extend(bytes.iter().filter(|b| **b < 248).map(|b| ALPHABET[usize::from(*b) % 62] as char).take(length - secret.len()));
        }
        let has = |f: fn(&u8) -> bool| secret.as_bytes().iter().any(f);
        if has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit) {
            return secret;
        }
    }
}
