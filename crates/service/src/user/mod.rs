//! People's accounts: making, finding, changing and deleting them, and what one may learn about oneself. The doors and the command line
//! call it.

mod change;
mod first;
mod oneself;

use std::sync::Arc;

use model::UserId;
use model::api::{UserCreationReq, UserResp, UserSearchRespItem};
use model::list::{ListQuery, Page};
use model::name;
use model::permission::{Action, Resource};
use model::time::Instant;
use store::user::{NewUser, UserRow};

pub use first::{FirstStart, bootstrap};

use crate::audit::{self, Event};
use crate::authn::Authn;
use crate::session::Sessions;
use crate::{Actor, Core, Error, Result};

/// The built-in administrator: cannot be deleted, and is in no list.
pub const ADMIN: UserId = UserId(1);

/// The use cases. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Users {
    core: Arc<Core>,
    authn: Authn,
    sessions: Sessions,
}

impl Users {
    pub(crate) fn new(core: Arc<Core>, authn: Authn, sessions: Sessions) -> Self {
        Self { core, authn, sessions }
    }

    /// Makes a local account; only administrators may, unless people may register themselves, which they do in the portal: `in_portal` says that
    /// the request came with a session's cookie.
    ///
    /// # Errors
    /// 400 for a field that breaks its rule, 401, 403, 409 when the name or the address is taken.
    pub async fn create(&self, actor: &Actor, input: &UserCreationReq, in_portal: bool) -> Result<UserId> {
        if let Err(refusal) = self.core.authz.system(actor, Resource::User, Action::Create) {
            if !self.core.settings().self_registration {
                return Err(refusal);
            }
            if !in_portal {
                return Err(Error::forbidden("self-registration cannot be triggered via API"));
            }
        }
        name::validate_username(&input.username).map_err(broken)?;
        name::validate_email(&input.email).map_err(broken)?;
        name::validate_password(input.password.expose()).map_err(broken)?;
        name::validate_realname(&input.realname).map_err(broken)?;
        name::validate_comment(&input.comment).map_err(broken)?;
        let taken = || Error::conflict(format!("user {} or email {} already exists", input.username, input.email));
        // Asked first, so that a taken name does not cost a hash; the index has the last word.
        if self.exists_name(&input.username).await? || self.exists_email(&input.email).await? {
            return Err(taken());
        }
        let hash = self.authn.hasher().hash(&self.core.ids, input.password.expose()).await?;
        let now = self.core.clock.micros();
        let new = NewUser {
            username: &input.username,
            email: Some(&input.email),
            realname: &input.realname,
            comment: &input.comment,
            is_admin: false,
        };
        let mut tx = self.core.db.write().await?;
        let id = store::user::insert(&mut tx.link(), &new, &hash, now).await.map_err(|e| match e {
            store::Error::Duplicate => taken(),
            other => other.into(),
        })?;
        audit::record(&self.core, &mut tx.link(), actor, now, [Event::of_user("create", &input.username, "")]).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// An account, for its owner and administrators.
    ///
    /// # Errors
    /// 401, 403, 404.
    pub async fn get(&self, actor: &Actor, id: UserId) -> Result<UserResp> {
        self.may_or_is(actor, id, Action::Read)?;
        Ok(response(self.find(id).await?.ok_or_else(|| not_found(id))?))
    }

    /// A page of all accounts but the built-in administrator's.
    ///
    /// # Errors
    /// 401, 403.
    pub async fn list(&self, actor: &Actor, query: &ListQuery) -> Result<Page<UserResp>> {
        self.core.authz.system(actor, Resource::User, Action::List)?;
        let mut conn = self.core.db.read().await?;
        Ok(store::user::list(&mut conn.link(), query).await?.map(response))
    }

    /// A page of accounts whose name contains `text`, for whoever is signed in; never the built-in administrator.
    ///
    /// # Errors
    /// 401.
    pub async fn search(&self, actor: &Actor, text: &str, page: &ListQuery) -> Result<Page<UserSearchRespItem>> {
        if actor.is_anonymous() {
            return Err(Error::unauthorized("unauthorized"));
        }
        let mut conn = self.core.db.read().await?;
        let found = store::user::search(&mut conn.link(), text, page).await?;
        Ok(found.map(|user| UserSearchRespItem { user_id: user.id, username: user.username }))
    }

    /// Whether a name or an address is taken: what the form for registering asks.
    ///
    /// # Errors
    /// 412 for others than administrators while people cannot register themselves.
    pub async fn is_taken(&self, actor: &Actor, field: UniqueField, value: &str) -> Result<bool> {
        if !self.core.settings().self_registration && !actor.is_admin() {
            return Err(Error::precondition("self registration deactivated, only sysadmin can check user existence"));
        }
        match field {
            UniqueField::Name => self.exists_name(value).await,
            UniqueField::Email => self.exists_email(value).await,
        }
    }

    async fn exists_name(&self, name: &str) -> Result<bool> {
        let mut conn = self.core.db.read().await?;
        Ok(store::user::by_name(&mut conn.link(), name).await?.is_some())
    }

    async fn exists_email(&self, email: &str) -> Result<bool> {
        let mut conn = self.core.db.read().await?;
        Ok(store::user::by_email(&mut conn.link(), email).await?.is_some())
    }

    async fn find(&self, id: UserId) -> Result<Option<UserRow>> {
        let mut conn = self.core.db.read().await?;
        Ok(store::user::by_id(&mut conn.link(), id).await?)
    }

    /// One's own account, or the right to do this to all.
    fn may_or_is(&self, actor: &Actor, id: UserId, action: Action) -> Result<()> {
        if actor.user_id() == Some(id) {
            return Ok(());
        }
        self.core.authz.system(actor, Resource::User, action).map(drop)
    }
}

/// A field that two accounts cannot share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UniqueField {
    /// The login name.
    Name,
    /// The address.
    Email,
}

fn broken(error: name::UserFieldError) -> Error {
    Error::bad_request(error.to_string())
}

fn not_found(id: UserId) -> Error {
    Error::not_found(format!("user {id} not found"))
}

fn response(user: UserRow) -> UserResp {
    UserResp {
        email: user.email.unwrap_or_default(),
        realname: user.realname,
        comment: user.comment,
        user_id: user.id,
        username: user.username,
        sysadmin_flag: user.is_admin,
        admin_role_in_auth: false,
        oidc_user_meta: None,
        creation_time: Instant::from_micros(user.created_at),
        update_time: Instant::from_micros(user.updated_at),
    }
}
