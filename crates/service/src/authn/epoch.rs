//! When accounts changed, for everything that remembers something about them.
//!
//! What is remembered carries the epoch from *before* it was read; a committed change raises the epoch of its account. So nothing that was read while
//! somebody wrote is believed, whatever the order in which it was remembered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use model::{RobotId, UserId};

use crate::replicas::{Change, Replicas};

/// Accounts whose ids fall on the same shard forget together: a collision costs a look-up, never a wrong answer.
const SHARDS: usize = 2048;

/// An account that something is remembered about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountRef {
    /// A person's.
    User(UserId),
    /// A robot.
    Robot(RobotId),
}

/// The epochs of one process.
#[derive(Debug)]
pub struct Epochs {
    replicas: Arc<Replicas>,
    now: AtomicU64,
    changed: Box<[AtomicU64]>,
}

impl Default for Epochs {
    /// Of a process that is alone.
    fn default() -> Self {
        Self::new(Arc::default())
    }
}

impl Epochs {
    pub(super) fn new(replicas: Arc<Replicas>) -> Self {
        Self { replicas, now: AtomicU64::new(1), changed: (0..SHARDS * 2).map(|_| AtomicU64::new(0)).collect() }
    }

    fn shard(&self, account: AccountRef) -> &AtomicU64 {
        let at = match account {
            AccountRef::User(id) => id.get().rem_euclid(SHARDS as i64) as usize,
            AccountRef::Robot(id) => id.get().rem_euclid(SHARDS as i64) as usize + SHARDS,
        };
        &self.changed[at]
    }

    /// The epoch to read under: ask before the database is read.
    pub fn now(&self) -> u64 {
        self.now.load(Ordering::SeqCst)
    }

    /// The account changed (call after the commit).
    pub fn changed(&self, account: AccountRef) {
        self.forget(account);
        self.replicas.announce(match account {
            AccountRef::User(id) => Change::User(id),
            AccountRef::Robot(id) => Change::Robot(id),
        });
    }

    /// The account was changed, here or by another process.
    pub(crate) fn forget(&self, account: AccountRef) {
        let epoch = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.shard(account).fetch_max(epoch, Ordering::SeqCst);
    }

    /// Any account may have been changed.
    pub(crate) fn forget_everything(&self) {
        let epoch = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        for shard in &self.changed {
            shard.fetch_max(epoch, Ordering::SeqCst);
        }
    }

    /// Whether what was read at `epoch` still holds.
    pub fn holds(&self, account: AccountRef, epoch: u64) -> bool {
        self.shard(account).load(Ordering::SeqCst) <= epoch && self.replicas.hears()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_a_change_does_not_hold_after_it() {
        let epochs = Epochs::default();
        let (dana, evan) = (AccountRef::User(UserId(3)), AccountRef::User(UserId(4)));
        let before = epochs.now();
        assert!(epochs.holds(dana, before));
        epochs.changed(dana);
        assert!(!epochs.holds(dana, before));
        assert!(epochs.holds(evan, before) && epochs.holds(AccountRef::Robot(RobotId(3)), before));
        assert!(epochs.holds(dana, epochs.now()));
    }
}
