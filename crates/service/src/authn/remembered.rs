//! Secrets that were right within the last minute, so that a client which sends its password with every layer costs one check.
//! Kept as HMAC-SHA256 under a key that exists only in this process: memory holds no password, and nothing to try passwords against elsewhere.

use std::time::Duration;

use aws_lc_rs::hmac;
use moka::sync::Cache;

use super::AccountRef;
use crate::{Actor, Ids};

const LIFETIME: Duration = Duration::from_secs(60);
/// How long a secret that was right is looked at even while its name is frozen.
const CREDIT: Duration = Duration::from_secs(60 * 60);
const ENTRIES: u64 = 10_000;

/// What a name and a secret were found to mean.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub account: AccountRef,
    /// The epoch from before the account was read.
    pub epoch: u64,
    /// Unix seconds after which a robot is nobody; -1 never.
    pub expires_at: i64,
    pub actor: Actor,
    /// Of a person: the mark of the stored form that the password fitted.
    pub fitted: Option<[u8; 32]>,
}

impl Entry {
    pub(super) fn is_current(&self, now: i64) -> bool {
        self.expires_at < 0 || now < self.expires_at
    }
}

pub(super) struct Remembered {
    key: hmac::Key,
    entries: Cache<[u8; 32], Entry>,
    right: Cache<[u8; 32], ()>,
}

impl std::fmt::Debug for Remembered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Remembered(…)")
    }
}

impl Remembered {
    pub(super) fn new(ids: &dyn Ids) -> Self {
        let mut key = [0; 32];
        ids.fill(&mut key);
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            entries: Cache::builder().max_capacity(ENTRIES).time_to_live(LIFETIME).build(),
            right: Cache::builder().max_capacity(ENTRIES).time_to_live(CREDIT).build(),
        }
    }

    /// Length first: no name and secret can be cut differently into another pair.
    fn mark(&self, name: &str, secret: &str) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        for part in [name, secret] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut mark = [0; 32];
        mark.copy_from_slice(context.sign().as_ref());
        mark
    }

    /// A mark of the stored form of a secret, to be known again by: the form itself is something to try passwords against.
    pub(super) fn mark_of_stored(&self, hash: &str) -> [u8; 32] {
        self.mark("", hash)
    }

    pub(super) fn get(&self, name: &str, secret: &str) -> Option<Entry> {
        self.entries.get(&self.mark(name, secret))
    }

    pub(super) fn put(&self, name: &str, secret: &str, entry: Entry) {
        let mark = self.mark(name, secret);
        self.right.insert(mark, ());
        self.entries.insert(mark, entry);
    }

    /// Whether this was right within the last hour. It says nothing about now: the stored hash has to be asked.
    pub(super) fn was_right(&self, name: &str, secret: &str) -> bool {
        self.right.contains_key(&self.mark(name, secret))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemIds;

    #[test]
    fn a_name_and_a_secret_cannot_be_cut_differently() {
        let remembered = Remembered::new(&SystemIds);
        assert_ne!(remembered.mark("ab", "c"), remembered.mark("a", "bc"));
        assert_eq!(remembered.mark("ab", "c"), remembered.mark("ab", "c"));
        assert_ne!(remembered.mark("ab", "c"), Remembered::new(&SystemIds).mark("ab", "c"));
    }
}
