//! Until when this process may believe what it remembers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const FOR_EVER: u64 = u64::MAX;
const ENDED: u64 = 0;

/// An end that is moved while it has not come. Asked on every request: one load, and a look at the clock where there is an end.
#[derive(Debug)]
pub(super) struct Lease {
    origin: Instant,
    /// Microseconds since `origin`.
    end: AtomicU64,
}

impl Lease {
    /// One without an end: nobody else can change anything.
    pub(super) fn for_ever() -> Self {
        Self { origin: Instant::now(), end: AtomicU64::new(FOR_EVER) }
    }

    /// One that has not begun.
    pub(super) fn ended() -> Self {
        Self { origin: Instant::now(), end: AtomicU64::new(ENDED) }
    }

    pub(super) fn holds(&self) -> bool {
        match self.end.load(Ordering::SeqCst) {
            FOR_EVER => true,
            end => self.origin.elapsed() < Duration::from_micros(end),
        }
    }

    /// Begins anew.
    pub(super) fn begin(&self, end: Instant) {
        let end = end.saturating_duration_since(self.origin).as_micros();
        self.end.store(u64::try_from(end).unwrap_or(FOR_EVER - 1), Ordering::SeqCst);
    }

    /// Moves the end; `false` when it has come before that: what ended does not go on.
    pub(super) fn extend(&self, end: Instant) -> bool {
        let held = self.holds();
        if held {
            self.begin(end);
        }
        held
    }

    pub(super) fn end(&self) {
        self.end.store(ENDED, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_does_not_go_on() {
        let lease = Lease::ended();
        let later = || Instant::now() + Duration::from_secs(60);
        assert!(!lease.holds() && !lease.extend(later()) && !lease.holds());
        lease.begin(later());
        assert!(lease.holds() && lease.extend(later()));
        lease.begin(Instant::now());
        assert!(!lease.holds() && !lease.extend(later()));
        lease.begin(later());
        lease.end();
        assert!(!lease.holds());
        assert!(Lease::for_ever().holds());
    }
}
