//! After a wrong password its name is frozen for a moment: the failing request waits that long, and others for the same name are
//! refused without a check. Waiting holds no thread. What is frozen has a type: a name that somebody types is never an account's id.

use std::borrow::Borrow;
use std::hash::Hash;
use std::time::Duration;

use moka::sync::Cache;
use tokio::time::Instant;

/// How long.
const FREEZE: Duration = Duration::from_millis(1500);
/// Keys at once; beyond it the oldest thaw early.
const KEYS: u64 = 10_000;

/// Keys that failed just now.
#[derive(Debug)]
pub(super) struct Freezer<K: Hash + Eq + Send + Sync + 'static> {
    frozen: Cache<K, ()>,
}

impl<K: Hash + Eq + Send + Sync + 'static> Default for Freezer<K> {
    fn default() -> Self {
        Self { frozen: Cache::builder().max_capacity(KEYS).time_to_live(FREEZE).build() }
    }
}

impl<K: Hash + Eq + Send + Sync + 'static> Freezer<K> {
    pub(super) fn is_frozen<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.frozen.contains_key(key)
    }

    /// Freezes the key and waits until it has thawed. Counted from when the check began: how long the check took, and so what it was that
    /// did not fit, nobody learns.
    pub(super) async fn freeze(&self, key: K, begun: Instant)
    where
        K: Clone,
    {
        self.frozen.insert(key.clone(), ());
        tokio::time::sleep_until(begun + FREEZE).await;
        self.frozen.invalidate(&key);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_name_is_frozen_while_its_failed_request_waits_and_no_longer() {
        let freezer: Arc<Freezer<Box<str>>> = Arc::default();
        assert!(!freezer.is_frozen("dana"));
        let waiting = freezer.clone();
        let failed = tokio::spawn(async move { waiting.freeze("dana".into(), Instant::now()).await });
        // The entry is made before the first wait of the task: once it has begun, the name is frozen.
        tokio::task::yield_now().await;
        assert!(freezer.is_frozen("dana"));
        assert!(!freezer.is_frozen("evan"));
        failed.await.unwrap();
        assert!(!freezer.is_frozen("dana"));
    }
}
