//! After a wrong password its name is frozen for a moment: the failing request waits that long, and others for the same name are
//! refused without a check. Waiting holds no thread.

use std::time::Duration;

use moka::sync::Cache;
use tokio::time::Instant;

/// How long.
const FREEZE: Duration = Duration::from_millis(1500);
/// Names at once; beyond it the oldest thaw early.
const NAMES: u64 = 10_000;

/// Names that failed just now.
#[derive(Debug)]
pub(super) struct Freezer {
    frozen: Cache<Box<str>, ()>,
}

impl Default for Freezer {
    fn default() -> Self {
        Self { frozen: Cache::builder().max_capacity(NAMES).time_to_live(FREEZE).build() }
    }
}

impl Freezer {
    pub(super) fn is_frozen(&self, name: &str) -> bool {
        self.frozen.contains_key(name)
    }

    /// Freezes the name and waits until it has thawed. Counted from when the check began: how long the check took, and so what it was that
    /// did not fit, nobody learns.
    pub(super) async fn freeze(&self, name: &str, begun: Instant) {
        self.frozen.insert(name.into(), ());
        tokio::time::sleep_until(begun + FREEZE).await;
        self.frozen.invalidate(name);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_name_is_frozen_while_its_failed_request_waits_and_no_longer() {
        let freezer = Arc::new(Freezer::default());
        assert!(!freezer.is_frozen("dana"));
        let waiting = freezer.clone();
        let failed = tokio::spawn(async move { waiting.freeze("dana", Instant::now()).await });
        // The entry is made before the first wait of the task: once it has begun, the name is frozen.
        tokio::task::yield_now().await;
        assert!(freezer.is_frozen("dana"));
        assert!(!freezer.is_frozen("evan"));
        failed.await.unwrap();
        assert!(!freezer.is_frozen("dana"));
    }
}
