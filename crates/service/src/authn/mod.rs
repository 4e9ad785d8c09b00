//! Who is calling: checks names and secrets, and remembers for a minute that they were right. Doors ask [`crate::Services::authenticate`]; use cases
//! that change an account or a robot call [`Authn::forget`] after their commit.

mod epoch;
mod freeze;
pub mod password;
mod remembered;

use std::sync::Arc;

use model::UserId;
use model::permission::RobotLevel;
use store::user::UserRow;
use tokio::time::Instant;

pub use epoch::AccountRef;
pub(crate) use epoch::Epochs;

use crate::actor::{RobotActor, UserActor};
use crate::{Actor, Core, Error, Result, Services};
use freeze::Freezer;
use password::Hasher;
use remembered::{Entry, Remembered};

/// The longest name that is looked up, in bytes.
const MAX_NAME: usize = 1024;

/// What a request showed.
#[derive(Clone, Copy, Default)]
pub struct Credentials<'a> {
    /// User name or robot and the secret, as in `Authorization: Basic`.
    pub basic: Option<(&'a str, &'a str)>,
    /// What the session cookie holds.
    pub session: Option<&'a str>,
    /// Whether this request counts as use of the session.
    pub renew: bool,
}

impl std::fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("basic", &self.basic.map(|(name, _)| name)).finish_non_exhaustive()
    }
}

impl Services {
    /// The caller of a request: Basic credentials if they are right, else the session, else nobody. Wrong credentials are no error: what a stranger
    /// may do is decided by each use case.
    ///
    /// # Errors
    /// The database, or too many sign-ins at once.
    pub async fn authenticate(&self, credentials: Credentials<'_>) -> Result<Actor> {
        if let Some((name, secret)) = credentials.basic
            && let Some(actor) = self.authn.basic(name, secret).await?
        {
            return Ok(actor);
        }
        match credentials.session {
            Some(cookie) => Ok(self.sessions.actor(cookie, credentials.renew).await?.unwrap_or_default()),
            None => Ok(Actor::Anonymous),
        }
    }
}

/// Somebody whose password was right.
pub(crate) struct Person {
    pub(crate) user: Arc<UserActor>,
    /// A mark of what the password was found to fit.
    fitted: [u8; 32],
}

/// Checks names and secrets. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Authn {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    core: Arc<Core>,
    hasher: Hasher,
    remembered: Remembered,
    epochs: Arc<Epochs>,
    /// By the names of sign-ins.
    names: Freezer<Box<str>>,
    /// By the accounts whose password is to be changed.
    accounts: Freezer<UserId>,
}

impl Authn {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        let hasher = Hasher::new(&*core.ids);
        let remembered = Remembered::new(&*core.ids);
        let epochs = Arc::new(Epochs::new(core.replicas.clone()));
        Self { inner: Arc::new(Inner { core, hasher, remembered, epochs, names: Freezer::default(), accounts: Freezer::default() }) }
    }

    pub(crate) fn epochs(&self) -> Arc<Epochs> {
        self.inner.epochs.clone()
    }

    /// Hashes and checks secrets.
    pub fn hasher(&self) -> &Hasher {
        &self.inner.hasher
    }

    /// Forgets everything about an account that was changed (call after the commit): the next request reads it anew.
    pub fn forget(&self, account: AccountRef) {
        self.inner.epochs.changed(account);
    }

    /// The user or robot with these Basic credentials; `None` when they are wrong, when the robot is switched off or has expired, and for a name
    /// that failed just now. What was right within the last hour is looked at nevertheless: nobody can lock somebody out by guessing.
    ///
    /// # Errors
    /// The database, or too many sign-ins at once.
    pub async fn basic(&self, name: &str, secret: &str) -> Result<Option<Actor>> {
        Ok(self.recognised(name, secret).await?.map(|entry| entry.actor))
    }

    async fn recognised(&self, name: &str, secret: &str) -> Result<Option<Entry>> {
        if name.is_empty() || name.contains('\0') || name.len() > MAX_NAME || secret.len() > password::MAX_SECRET {
            return Ok(None);
        }
        let now = self.inner.core.clock.micros() / 1_000_000;
        if let Some(entry) = self.inner.remembered.get(name, secret)
            && self.inner.epochs.holds(entry.account, entry.epoch)
        {
            return Ok(Some(entry).filter(|entry| entry.is_current(now)));
        }
        let settings = self.inner.core.settings();
        let stored = name.strip_prefix(settings.robot_prefix.as_str());
        let mut entry = match stored {
            Some(stored) => self.robot(name, stored, secret).await?,
            None => None,
        };
        if entry.is_none() && (stored.is_none() || settings.robot_prefix_may_be_a_persons()) {
            entry = self.user(name, secret).await?;
        }
        let Some(entry) = entry else { return Ok(None) };
        self.inner.remembered.put(name, secret, entry.clone());
        Ok(Some(entry).filter(|entry| entry.is_current(now)))
    }

    /// The person with this name or address and this password.
    ///
    /// # Errors
    /// As [`Self::basic`].
    pub(crate) async fn person(&self, principal: &str, password: &str) -> Result<Option<Person>> {
        let settings = self.inner.core.settings();
        if principal.starts_with(settings.robot_prefix.as_str()) && !settings.robot_prefix_may_be_a_persons() {
            return Ok(None);
        }
        Ok(match self.recognised(principal, password).await? {
            Some(Entry { actor: Actor::User(user), fitted: Some(fitted), .. }) => Some(Person { user, fitted }),
            _ => None,
        })
    }

    /// Whether the stored form of a password is the one that a person's password was found to fit.
    pub(crate) fn is_what_fitted(&self, person: &Person, stored: &str) -> bool {
        self.inner.remembered.mark_of_stored(stored) == person.fitted
    }

    /// Whether `secret` is the password of an account, stored as `hash`: asked of somebody who is signed in to it. Guessing here freezes the account
    /// here alone, and not its sign-in; guessing at a sign-in does not freeze it here.
    pub(crate) async fn confirm_account(&self, account: UserId, secret: &str, hash: Option<&str>) -> Result<bool> {
        let begun = Instant::now();
        if self.inner.accounts.is_frozen(&account) {
            return Ok(false);
        }
        if self.inner.hasher.verify(secret, hash).await? {
            return Ok(true);
        }
        self.inner.accounts.freeze(account, begun).await;
        Ok(false)
    }

    /// Whether `secret` is the password that is stored as `hash`, of who signs in as `name`.
    async fn confirm(&self, name: &str, secret: &str, hash: Option<&str>) -> Result<bool> {
        let begun = Instant::now();
        if self.inner.names.is_frozen(name) && !self.inner.remembered.was_right(name, secret) {
            return Ok(false);
        }
        if self.inner.hasher.verify(secret, hash).await? {
            return Ok(true);
        }
        self.inner.names.freeze(name.into(), begun).await;
        Ok(false)
    }

    /// Whether a name failed just now, so that it is not even looked at.
    pub(crate) fn is_frozen(&self, name: &str) -> bool {
        self.inner.names.is_frozen(name)
    }

    /// As [`Self::confirm`], for robots: a secret that was made here cannot be guessed, so it is looked at even while its name is frozen, and
    /// nobody shuts a robot out by guessing. A robot that is not there fails like one that is.
    async fn confirm_robot(&self, name: &str, secret: &str, hash: Option<&str>) -> Result<bool> {
        let begun = Instant::now();
        let frozen = self.inner.names.is_frozen(name);
        if frozen && hash.is_some_and(|hash| !password::is_of_random(hash)) && !self.inner.remembered.was_right(name, secret) {
            return Ok(false);
        }
        if self.inner.hasher.verify_robot(secret, hash).await? {
            return Ok(true);
        }
        if !frozen {
            self.inner.names.freeze(name.into(), begun).await;
        }
        Ok(false)
    }

    async fn user(&self, principal: &str, password: &str) -> Result<Option<Entry>> {
        let epoch = self.inner.epochs.now();
        let mut conn = self.inner.core.db.read().await?;
        let login = store::user::login(&mut conn.link(), principal).await?;
        // The check takes long; the connection is for others meanwhile.
        drop(conn);
        let hash = login.as_ref().and_then(|l| l.secret_hash.as_deref());
        if !self.confirm(principal, password, hash).await? {
            return Ok(None);
        }
        Ok(login.map(|l| Entry {
            account: AccountRef::User(l.user.id),
            epoch,
            expires_at: -1,
            fitted: l.secret_hash.map(|hash| self.inner.remembered.mark_of_stored(&hash)),
            actor: Actor::User(Arc::new(user_actor(l.user))),
        }))
    }

    async fn robot(&self, full_name: &str, stored_name: &str, secret: &str) -> Result<Option<Entry>> {
        let epoch = self.inner.epochs.now();
        let mut conn = self.inner.core.db.read().await?;
        let row = store::robot::find_by_name(&mut conn.link(), stored_name).await?;
        drop(conn);
        let hash = row.as_ref().map(|r| r.secret_hash.as_str());
        if !self.confirm_robot(full_name, secret, hash).await? {
            return Ok(None);
        }
        let Some(row) = row.filter(|r| !r.is_disabled) else { return Ok(None) };
        let level = if row.project_id.get() == 0 { RobotLevel::System } else { RobotLevel::Project };
        let grants = row.grants().map_err(Error::from)?;
        let actor = Actor::Robot(Arc::new(RobotActor { id: row.id, name: full_name.to_owned(), level, grants }));
        Ok(Some(Entry { account: AccountRef::Robot(row.id), epoch, expires_at: row.expires_at, fitted: None, actor }))
    }
}

pub(crate) fn user_actor(user: UserRow) -> UserActor {
    UserActor { id: user.id, name: user.username, full_name: user.realname, email: user.email, is_admin: user.is_admin }
}
