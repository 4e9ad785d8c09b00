//! Places for uploads that send bytes at the same time (`limits.uploads`). Only the door's `uploads` takes them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// So many in all, and half of them for one account at most: who sends slowly, or sends much, must not stop everybody else.
#[derive(Debug)]
pub(super) struct Places {
    most: usize,
    most_of_one: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_account: HashMap<String, usize>,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    account: String,
}

impl Places {
    pub(super) fn new(most: usize) -> Self {
        Self { most, most_of_one: most.div_ceil(2), taken: Mutex::default() }
    }

    /// A place for an account, if there is one left for it.
    pub(super) fn take(self: &Arc<Self>, account: &str) -> Option<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.by_account.get(account).copied().unwrap_or_default();
        if taken.all >= self.most || own >= self.most_of_one {
            return None;
        }
        taken.all += 1;
        *taken.by_account.entry(account.to_owned()).or_default() += 1;
        Some(Place { places: self.clone(), account: account.to_owned() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        if let Some(own) = taken.by_account.get_mut(&self.account) {
            *own -= 1;
            if *own == 0 {
                taken.by_account.remove(&self.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_places_are_left_for_others() {
        let places = Arc::new(Places::new(5));
        let dana: Vec<_> = std::iter::from_fn(|| places.take("dana")).collect();
        let evan: Vec<_> = std::iter::from_fn(|| places.take("evan")).collect();
        assert_eq!((dana.len(), evan.len()), (3, 2));
        drop(dana);
        assert!(places.take("fred").is_some());
        assert!(places.take("dana").is_some());
        drop(evan);
        assert_eq!(places.taken.lock().unwrap().all, 0);
        assert!(places.taken.lock().unwrap().by_account.is_empty());
        let one = Arc::new(Places::new(1));
        assert!(one.take("dana").is_some());
    }
}
