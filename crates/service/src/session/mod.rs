//! Sessions of people in a browser: a random cookie whose SHA-256 is a row, with a life that use extends. The doors of the portal and of REST sign in
//! and out here; [`crate::Services::authenticate`] asks who a cookie belongs to.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use model::UserId;
use model::error::ErrorCode;
use moka::sync::Cache;
use store::Durability;

use crate::actor::UserActor;
use crate::audit::{self, Event};
use crate::authn::{AccountRef, Authn, Epochs, Person, user_actor};
use crate::collision::retried;
use crate::setting::LOCAL_ACCOUNTS;
use crate::{Actor, Core, Error, Result};

/// Random bytes of a session's cookie.
const TOKEN_BYTES: usize = 32;
/// The longest cookie that is looked up.
const MAX_COOKIE: usize = 256;
/// What was read about a session is believed this long.
const LIFETIME: Duration = Duration::from_secs(10);
const ENTRIES: u64 = 20_000;
/// A session's end is moved when it has come this much nearer, not with every request.
const RENEWAL_SECONDS: i64 = 60;

/// What the audit log calls signing in and out.
const LOGIN: &str = "login";
const LOGOUT: &str = "logout";

type TokenHash = [u8; 32];

#[derive(Clone, Debug)]
struct Known {
    epoch: u64,
    expires_at: i64,
    user: Arc<UserActor>,
}

/// Begins, finds and ends sessions. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sessions {
    core: Arc<Core>,
    authn: Authn,
    epochs: Arc<Epochs>,
    known: Cache<TokenHash, Known>,
}

impl Sessions {
    pub(crate) fn new(core: Arc<Core>, authn: Authn) -> Self {
        let epochs = authn.epochs();
        let known = Cache::builder().max_capacity(ENTRIES).time_to_live(LIFETIME).build();
        Self { core, authn, epochs, known }
    }

    /// A new random cookie; it belongs to nobody until somebody signs in, who then gets another.
    pub fn anonymous_cookie(&self) -> String {
        let mut token = [0; TOKEN_BYTES];
        self.core.ids.fill(&mut token);
        BASE64_URL_SAFE_NO_PAD.encode(token)
    }

    /// Signs a person in: a new cookie, never the `previous` one, which ends. `None` when name or password are wrong.
    ///
    /// # Errors
    /// The database, or too many sign-ins at once.
    pub async fn sign_in(&self, principal: &str, password: &str, previous: Option<&str>) -> Result<Option<String>> {
        // Guesses that are not even looked at leave no rows: they come faster than a log should grow.
        let is_looked_at = !principal.is_empty() && !self.authn.is_frozen(principal);
        let begun = match self.authn.person(principal, password).await? {
            Some(person) => retried(|| self.begin(&person, previous)).await?,
            None => None,
        };
        if begun.is_none() && is_looked_at {
            audit::note(&self.core, principal, event(LOGIN, audit::shortened(principal)).failed());
        }
        Ok(begun)
    }

    /// A session of somebody whose password was right; `None` when it is not any more. The previous one ends.
    async fn begin(&self, person: &Person, previous: Option<&str>) -> Result<Option<String>> {
        let user = &person.user;
        let cookie = self.anonymous_cookie();
        let (token_hash, now) = (sha256(&cookie), self.core.clock.micros());
        let mut tx = self.core.db.begin(Durability::Relaxed).await?;
        // Held until the commit: a new password ends this session, or it came first and then there is none.
        let stored = store::user::hold_secret_hash(&mut tx.link(), user.id).await?;
        if !stored.is_some_and(|stored| self.authn.is_what_fitted(person, &stored)) {
            return Ok(None);
        }
        store::session::insert(&mut tx.link(), &token_hash, user.id, now, now + self.lifetime()).await?;
        let ended = match previous.and_then(hash_of) {
            Some(previous) => store::session::delete(&mut tx.link(), &previous).await?,
            None => None,
        };
        store::session::delete_expired(&mut tx.link(), now).await?;
        tx.commit().await?;
        audit::note(&self.core, &user.name, event(LOGIN, &user.name));
        self.forget(ended);
        Ok(Some(cookie))
    }

    /// Signing in by an OpenID provider, which is not how people sign in here.
    ///
    /// # Errors
    /// 412, always.
    pub fn by_provider(&self) -> Result<()> {
        Err(Error::new(ErrorCode::PreconditionFailed, format!("auth mode: {LOCAL_ACCOUNTS} is not OIDC based")))
    }

    /// Signing in by a proxy that has done it already, which is not how people sign in here.
    ///
    /// # Errors
    /// 412, always.
    pub fn by_proxy(&self) -> Result<()> {
        Err(Error::new(ErrorCode::PreconditionFailed, format!("the auth mode {LOCAL_ACCOUNTS} does not support this flow")))
    }

    /// Ends the session of a cookie, if there is one.
    ///
    /// # Errors
    /// The database.
    pub async fn sign_out(&self, cookie: &str) -> Result<()> {
        let Some(hash) = hash_of(cookie) else { return Ok(()) };
        let mut tx = self.core.db.write().await?;
        let ended = store::session::delete(&mut tx.link(), &hash).await?;
        if let Some(id) = ended
            && let Some(user) = store::user::by_id(&mut tx.link(), id).await?
        {
            let (logout, actor) = (event(LOGOUT, &user.username), Actor::User(Arc::new(user_actor(user))));
            audit::record(&self.core, &mut tx.link(), &actor, self.core.clock.micros(), [logout]).await?;
        }
        tx.commit().await?;
        self.forget(ended);
        Ok(())
    }

    /// What is remembered of any session of the account may be of the one that ended.
    fn forget(&self, ended: Option<UserId>) {
        if let Some(user) = ended {
            self.authn.forget(AccountRef::User(user));
        }
    }

    /// Whose session a cookie is; `None` for an unknown or expired one and for one of a deleted account. `renew`: this request is use of the session,
    /// so its end moves.
    ///
    /// # Errors
    /// The database.
    pub async fn actor(&self, cookie: &str, renew: bool) -> Result<Option<Actor>> {
        let Some(hash) = hash_of(cookie) else { return Ok(None) };
        let now = self.core.clock.micros();
        let known = match self.remembered(&hash, now) {
            Some(known) => known,
            None => match self.read(&hash, now).await? {
                Some(known) => known,
                None => return Ok(None),
            },
        };
        if renew && known.expires_at < now + self.lifetime() - RENEWAL_SECONDS.min(self.core.settings().session_lifetime / 10) * 1_000_000 {
            self.renew(hash, known.clone(), now).await?;
        }
        Ok(Some(Actor::User(known.user)))
    }

    /// The deleted account that a cookie's session belonged to: whoever holds it was signed in, and is told that the account is gone.
    pub(crate) async fn deleted_holder(&self, cookie: &str) -> Result<Option<UserId>> {
        let Some(hash) = hash_of(cookie) else { return Ok(None) };
        let mut conn = self.core.db.read().await?;
        let found = store::session::find(&mut conn.link(), &hash, self.core.clock.micros()).await?;
        Ok(found.and_then(|(row, user)| user.is_none().then_some(row.user_id)))
    }

    fn lifetime(&self) -> i64 {
        self.core.settings().session_lifetime.saturating_mul(1_000_000)
    }

    fn remembered(&self, hash: &TokenHash, now: i64) -> Option<Known> {
        let known = self.known.get(hash)?;
        (known.expires_at > now && self.epochs.holds(AccountRef::User(known.user.id), known.epoch)).then_some(known)
    }

    async fn read(&self, hash: &TokenHash, now: i64) -> Result<Option<Known>> {
        let epoch = self.epochs.now();
        let mut conn = self.core.db.read().await?;
        let found = store::session::find(&mut conn.link(), hash, now).await?;
        let Some((session, Some(user))) = found else { return Ok(None) };
        let known = Known { epoch, expires_at: session.expires_at, user: Arc::new(user_actor(user)) };
        self.known.insert(*hash, known.clone());
        Ok(Some(known))
    }

    async fn renew(&self, hash: TokenHash, known: Known, now: i64) -> Result<()> {
        let expires_at = now + self.lifetime();
        let mut tx = self.core.db.begin(Durability::Relaxed).await?;
        store::session::extend(&mut tx.link(), &hash, expires_at).await?;
        tx.commit().await?;
        self.known.insert(hash, Known { expires_at, ..known });
        Ok(())
    }
}

fn event(operation: &'static str, name: &str) -> Event {
    Event::of_system(operation, "user", name).described(operation)
}

fn hash_of(cookie: &str) -> Option<TokenHash> {
    (!cookie.is_empty() && cookie.len() <= MAX_COOKIE).then(|| sha256(cookie))
}

fn sha256(text: &str) -> TokenHash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    hash
}
