//! The other processes on the same database: telling them what was changed before the change is acknowledged, and hearing what they changed. The
//! memories ([`crate::cache`], [`crate::authz`], [`crate::authn`]) announce here and ask whether they may be believed; composition joins and leaves.
//!
//! The promise: what one process acknowledged, every process shows from then on. It stands on two legs.
//!
//! * A change is acknowledged when every other process has said that it has forgotten what it knew ([`Replicas::settled`]), or cannot believe it
//!   any longer.
//! * A process believes what it remembers for [`LEASE`] after it sent a beat that it heard itself. Notifications are heard in the order in which they
//!   were queued, so by then it had heard all that was queued before the beat. One that is cut off or stands still falls silent and reads the
//!   database for everything.
//!
//! A process that is alone announces nothing and waits for nobody. On SQLite there is never anybody else and none of this runs. The decision and its
//! reasons: `docs/decisions/0008-replicas-forget-before-the-answer.md`.

mod lease;
mod member;
mod message;
mod session;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;

pub use message::Change;

use crate::{Error, Result, Services};
use lease::Lease;
use message::Message;

/// How long a process may believe what it remembers without a sign that it hears everything.
pub const LEASE: Duration = Duration::from_secs(3);
/// How long an answer waits for the others at most. Only the database's absence can make it as long.
const PATIENCE: Duration = Duration::from_secs(15);
/// The channel of all processes. Each has one of its own besides, with its id behind this.
const CHANNEL: &str = "berth";
/// Changes that one message names; more are "anything".
const NAMED: usize = 256;

/// What has not been said yet.
#[derive(Debug, Default)]
struct Outbox {
    changes: Vec<Change>,
    /// Too many to name.
    anything: bool,
    /// The last change's number.
    number: u64,
}

/// The others, as one process knows them.
#[derive(Debug)]
pub struct Replicas {
    lease: Lease,
    can_be_shared: bool,
    /// Joined, and nobody else is there.
    alone: AtomicBool,
    joined_once: AtomicBool,
    outbox: Mutex<Outbox>,
    /// Changes that this process knows of, its own and those of others.
    known: AtomicU64,
    announced: AtomicU64,
    settled: watch::Sender<u64>,
    wake: Notify,
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Default for Replicas {
    /// Of a process that nobody can join.
    fn default() -> Self {
        Self::with(Lease::for_ever(), false)
    }
}

impl Replicas {
    /// For a process on this database. Until it has joined the others it believes nothing that it remembers.
    pub fn new(db: &store::Db) -> Self {
        if store::announce::can_be_shared(db) { Self::with(Lease::ended(), true) } else { Self::default() }
    }

    fn with(lease: Lease, can_be_shared: bool) -> Self {
        Self {
            lease,
            can_be_shared,
            alone: AtomicBool::new(false),
            joined_once: AtomicBool::new(false),
            outbox: Mutex::default(),
            known: AtomicU64::new(0),
            announced: AtomicU64::new(0),
            settled: watch::Sender::new(0),
            wake: Notify::new(),
            stop: watch::Sender::new(false),
            task: Mutex::default(),
        }
    }

    /// Whether this process hears what others change, so that what it remembers may be believed.
    pub fn hears(&self) -> bool {
        self.lease.holds()
    }

    /// Rises with every change that this process knows of, after it has forgotten what the change made wrong. What was made of anything that is
    /// stored or remembered holds as long as this is what it was before (see [`crate::answers`]).
    pub fn known(&self) -> u64 {
        self.known.load(Ordering::SeqCst)
    }

    fn learn(&self) {
        self.known.fetch_add(1, Ordering::SeqCst);
    }

    /// Tells the others of a change (call after the commit). Returns at once; [`Self::settled`] waits until they have heard it.
    pub fn announce(&self, change: Change) {
        self.learn();
        // Whoever joins is known before it remembers anything; with the lease gone somebody may have joined unheard.
        if !self.can_be_shared || (self.alone.load(Ordering::SeqCst) && self.lease.holds()) {
            return;
        }
        let mut outbox = self.outbox.lock().unwrap_or_else(PoisonError::into_inner);
        if outbox.changes.len() == NAMED {
            outbox.anything = true;
        } else if outbox.changes.last() != Some(&change) && (change != Change::Rows || !outbox.changes.contains(&change)) {
            outbox.changes.push(change);
        }
        outbox.number += 1;
        self.announced.store(outbox.number, Ordering::SeqCst);
        drop(outbox);
        self.wake.notify_one();
    }

    /// Waits until everybody has heard what this process announced so far: to be awaited before a change is acknowledged.
    pub async fn settled(&self) {
        let until = self.announced.load(Ordering::SeqCst);
        if until == 0 || !self.joined_once.load(Ordering::SeqCst) {
            return;
        }
        let mut settled = self.settled.subscribe();
        let all_heard = settled.wait_for(|number| *number >= until);
        if tokio::time::timeout(PATIENCE, all_heard).await.is_err() {
            tracing::error!(
                "a change is acknowledged although other processes may not have heard of it: the database delivers no notifications"
            );
        }
    }

    fn take_outbox(&self) -> Outbox {
        let mut outbox = self.outbox.lock().unwrap_or_else(PoisonError::into_inner);
        let number = outbox.number;
        std::mem::replace(&mut *outbox, Outbox { number, ..Outbox::default() })
    }
}

/// All that a process remembers.
#[derive(Clone, Debug)]
struct Memory {
    services: Services,
}

impl Memory {
    /// Settings are not forgotten but read again, see [`Self::refresh`].
    fn forget(&self, change: Change) {
        let core = &self.services.core;
        match change {
            Change::Projects => core.caches.forget_projects(),
            Change::Repository(id) => core.caches.forget_repository(id),
            Change::Members(id) => core.authz.forget_members(id),
            Change::User(id) => self.services.authn.epochs().forget(crate::authn::AccountRef::User(id)),
            Change::Robot(id) => self.services.authn.epochs().forget(crate::authn::AccountRef::Robot(id)),
            // How long sessions live is one of them.
            Change::Settings => self.services.authn.epochs().forget_everything(),
            Change::Rows => {}
        }
        core.replicas.learn();
    }

    fn forget_everything(&self) {
        self.services.core.caches.forget_everything();
        self.services.core.authz.forget_everything();
        self.services.authn.epochs().forget_everything();
        self.services.core.replicas.learn();
    }

    async fn refresh(&self) -> Result<()> {
        self.services.configuration.refresh().await
    }
}

impl Services {
    /// Joins the other processes on the database and returns when all of them know this one, so that it may serve. Nothing on SQLite.
    ///
    /// # Errors
    /// The database delivers no notifications, as behind a pooler that hands out connections for single transactions.
    pub async fn join_replicas(&self) -> Result<()> {
        let replicas = &self.core.replicas;
        if !replicas.can_be_shared {
            return Ok(());
        }
        let (ready, joined) = oneshot::channel();
        let task = tokio::spawn(session::run(Memory { services: self.clone() }, replicas.stop.subscribe(), ready));
        *replicas.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
        match tokio::time::timeout(PATIENCE, joined).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Error::internal(
                "the database delivers no notifications (LISTEN/NOTIFY): a pooler between must keep one connection for a session",
            )),
        }
    }

    /// Leaves the others, or tells them what was changed if this process never joined them.
    pub(crate) async fn leave_replicas(&self) {
        let replicas = &self.core.replicas;
        let task = replicas.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            replicas.stop.send_replace(true);
            if tokio::time::timeout(LEASE, task).await.is_err() {
                tracing::warn!("left without a word to the other processes: the database does not answer");
            }
        } else if replicas.announced.load(Ordering::SeqCst) > 0
            && let Err(error) = store::announce::say_once(&self.core.db, CHANNEL, &Message::All.to_string()).await
        {
            tracing::warn!(%error, "other processes were not told of the change; they will see it within a minute");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_is_told_where_nobody_can_be() {
        let replicas = Replicas::default();
        replicas.announce(Change::Projects);
        assert!(replicas.hears());
        assert_eq!(replicas.announced.load(Ordering::SeqCst), 0);
        replicas.settled().await;
    }

    #[tokio::test]
    async fn an_answer_waits_until_the_change_was_heard() {
        let replicas = Replicas::with(Lease::ended(), true);
        replicas.joined_once.store(true, Ordering::SeqCst);
        for _ in 0..2 * NAMED {
            replicas.announce(Change::User(model::UserId(1)));
            replicas.announce(Change::Projects);
        }
        let outbox = replicas.take_outbox();
        assert!(outbox.anything && outbox.changes.len() == NAMED && outbox.number == 4 * NAMED as u64);
        let waited = tokio::time::timeout(Duration::from_millis(50), replicas.settled()).await;
        assert!(waited.is_err());
        replicas.settled.send_replace(outbox.number);
        replicas.settled().await;
    }
}
