//! Who hears of commits: what is remembered about the database must be forgotten after each. [`crate::Db::watched`] makes one.

use std::sync::Arc;

/// Something to be called after a commit, or nothing. Cheap to clone.
#[derive(Clone, Default)]
pub struct Watch(Option<Arc<dyn Fn() + Send + Sync>>);

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Watch(somebody)" } else { "Watch(nobody)" })
    }
}

impl Watch {
    pub(crate) fn new(told: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(told)))
    }

    pub(crate) fn tell(&self) {
        if let Some(told) = &self.0 {
            told();
        }
    }

    /// Tells when the value goes, however that comes about.
    pub(crate) fn when_over(&self) -> WhenOver {
        WhenOver(self.clone())
    }
}

/// See [`Watch::when_over`].
pub(crate) struct WhenOver(Watch);

impl Drop for WhenOver {
    fn drop(&mut self) {
        self.0.tell();
    }
}
