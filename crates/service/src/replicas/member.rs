//! Another process as this one sees it.

use std::time::{Duration, Instant};

use super::LEASE;

/// After this long without an answer, or …
const ANSWER: Duration = Duration::from_secs(1);
/// … without a beat, a member is told to go.
const SILENCE: Duration = Duration::from_secs(10);

/// A process that may remember things.
#[derive(Debug)]
pub(super) struct Member {
    /// The last number of ours that it has heard.
    pub(super) heard: u64,
    /// Since when it owes an answer and has given none.
    pub(super) owing: Option<Instant>,
    /// When it beat last.
    pub(super) beat: Instant,
    /// Whether it is waited for much longer.
    pub(super) leaving: Leaving,
}

/// Whether a member was told to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaving {
    No,
    /// It will be with the next words.
    Asked,
    /// Before this moment.
    Told(Instant),
}

impl Member {
    /// One that has heard everything up to this number, or remembers nothing from before it.
    pub(super) fn new(heard: u64) -> Self {
        Self { heard, owing: None, beat: Instant::now(), leaving: Leaving::No }
    }

    /// It has heard everything up to `number`; `last` is the last that it was told.
    pub(super) fn answered(&mut self, number: u64, last: u64) {
        if number > self.heard {
            self.heard = number;
            // Under many changes it may never have heard the very last one; what counts is that it goes on.
            self.owing = (number < last).then(Instant::now);
        }
    }

    /// Whether it has been silent for so long that it is to be told to go.
    pub(super) fn is_to_be_told(&self) -> bool {
        let silent = self.owing.is_some_and(|since| since.elapsed() > ANSWER) || self.beat.elapsed() > SILENCE;
        silent && self.leaving == Leaving::No
    }

    /// Whether everything was heard that it said within a lease after it was told to go; `proof`: all that was queued before has been heard. Then it
    /// has taken its leave or believes nothing any more.
    pub(super) fn is_gone(&self, proof: Instant) -> bool {
        matches!(self.leaving, Leaving::Told(at) if at + LEASE <= proof)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_gone_a_lease_after_it_was_told() {
        let now = Instant::now();
        let mut member = Member::new(3);
        assert!(!member.is_to_be_told() && !member.is_gone(now + 2 * LEASE));
        member.owing = now.checked_sub(2 * ANSWER);
        assert!(member.is_to_be_told());
        member.answered(3, 5);
        assert!(member.is_to_be_told(), "an old answer is none");
        member.answered(4, 5);
        assert!(!member.is_to_be_told() && member.heard == 4 && member.owing.is_some());
        member.answered(5, 5);
        assert!(!member.is_to_be_told() && member.heard == 5 && member.owing.is_none());
        member.leaving = Leaving::Told(now);
        assert!(!member.is_gone(now + LEASE / 2) && member.is_gone(now + LEASE));
        member.owing = now.checked_sub(2 * ANSWER);
        assert!(!member.is_to_be_told());
    }
}
