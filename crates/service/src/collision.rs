//! Transactions that collide with others: the one rule for running them again. Every use case that writes where others write at the same time calls it.

use std::time::Duration;

use crate::{Error, Result};

/// How often a transaction is tried. Each time somebody else's came through, so that many failures mean many successes.
const TRIES: u32 = 8;

/// Runs a use case's transaction, from its begin to its commit, again if it collided with somebody else's.
///
/// # Errors
/// What the last try gave.
pub(crate) async fn retried<T, F: Future<Output = Result<T>>>(attempt: impl Fn() -> F) -> Result<T> {
    for tried in 0..TRIES - 1 {
        match attempt().await {
            Err(error) if collided(&error) => tokio::time::sleep(Duration::from_millis((1 << tried) - 1)).await,
            done => return done,
        }
    }
    attempt().await
}

/// Whether a transaction failed only because somebody else's came first.
fn collided(error: &Error) -> bool {
    let cause = error.cause.as_deref().and_then(|cause| cause.downcast_ref());
    matches!(cause, Some(store::Error::Conflict | store::Error::Duplicate))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn what_collided_is_tried_again_and_nothing_else_is() {
        let tries = Cell::new(0);
        let attempt = async |failures: u32, failure: fn() -> Error| {
            tries.set(0);
            let outcome = retried(|| {
                tries.set(tries.get() + 1);
                std::future::ready(if tries.get() > failures { Ok(()) } else { Err(failure()) })
            });
            (outcome.await.is_ok(), tries.get())
        };
        assert_eq!(attempt(0, || unreachable!()).await, (true, 1));
        assert_eq!(attempt(2, || store::Error::Conflict.into()).await, (true, 3));
        assert_eq!(attempt(1, || store::Error::Duplicate.into()).await, (true, 2));
        assert_eq!(attempt(1, || store::Error::Reference.into()).await, (false, 1));
        assert_eq!(attempt(1, || Error::conflict("taken")).await, (false, 1));
        assert_eq!(attempt(u32::MAX, || store::Error::Conflict.into()).await, (false, TRIES));
    }
}
