//! What composition hands to `serve`: everything that answers requests, and how to end it.
//! Made by `compose`, used by `command` and by tests.

use std::{fmt, path::PathBuf};

use futures::future::BoxFuture;

use crate::doors::Doors;

/// Work to be done once, after the last request was answered: flush what is batched, close the databases.
pub type OnStop = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

/// A composed server, ready to be served by [`crate::listen::Listener::serve`].
pub struct App {
    /// All four doors.
    pub doors: Doors,
    /// Where a generated administrator's password was left; only set when this start generated one.
    pub admin_password_file: Option<PathBuf>,
    /// Awaited after the listener has ended.
    pub on_stop: OnStop,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("admin_password_file", &self.admin_password_file).finish_non_exhaustive()
    }
}
