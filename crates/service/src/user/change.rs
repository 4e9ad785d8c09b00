//! Changing and deleting accounts. Whatever changes ends what was remembered about the account.

use model::UserId;
use model::api::{PasswordReq, UserProfile};
use model::name;
use model::permission::{Action, Resource};

use super::{ADMIN, Users, broken, not_found};
use crate::audit::{self, Event};
use crate::authn::AccountRef;
use crate::{Actor, Error, Result};

/// What the log says of changes of an account.
const PROFILE: &str = ", change user profile";
const PASSWORD: &str = ", change user password";
const ADMINISTRATOR: &str = ", add/remove user as system administrator";

impl Users {
    /// Changes what is said about a person, by the person or an administrator.
    ///
    /// # Errors
    /// 400 for a field that breaks its rule, 401, 403, 404, 409 when the address is somebody else's.
    pub async fn update(&self, actor: &Actor, id: UserId, profile: &UserProfile) -> Result<()> {
        self.may_or_is(actor, id, Action::Update)?;
        let user = self.find(id).await?.ok_or_else(|| unknown(id))?;
        name::validate_realname(&profile.realname).map_err(broken)?;
        name::validate_email(&profile.email).map_err(broken)?;
        name::validate_comment(&profile.comment).map_err(broken)?;
        let now = self.core.clock.micros();
        let mut tx = self.core.db.write().await?;
        let changed = store::user::set_profile(&mut tx.link(), id, &profile.email, &profile.realname, &profile.comment, now).await;
        let there = changed.map_err(|e| match e {
            store::Error::Duplicate => Error::conflict(format!("user {} or email {} already exists", user.username, profile.email)),
            other => other.into(),
        })?;
        if !there {
            return Err(unknown(id));
        }
        audit::record(&self.core, &mut tx.link(), actor, now, [Event::of_user("update", &user.username, PROFILE)]).await?;
        tx.commit().await?;
        self.authn.forget(AccountRef::User(id));
        Ok(())
    }

    /// Replaces a password: one's own with the present one, another's as an administrator. All sessions of the account end.
    ///
    /// # Errors
    /// 400 for a password that breaks the rule or is the present one, 401, 403 (also when the present one is wrong), 404.
    pub async fn set_password(&self, actor: &Actor, id: UserId, input: &PasswordReq) -> Result<()> {
        self.may_or_is(actor, id, Action::Update)?;
        let user = self.find(id).await?.ok_or_else(|| not_found(id))?;
        let mut conn = self.core.db.read().await?;
        let hash = store::user::secret_hash(&mut conn.link(), id).await?;
        drop(conn);
        if actor.user_id() == Some(id) && !self.authn.confirm_account(id, input.old_password.expose(), hash.as_deref()).await? {
            return Err(Error::forbidden("Current password is incorrect"));
        }
        let password = input.new_password.expose();
        name::validate_password(password).map_err(broken)?;
        if self.authn.hasher().verify(password, hash.as_deref()).await? {
            return Err(Error::bad_request("New password is identical to old password"));
        }
        self.replace_password(id, password, Some((actor, &user.username))).await
    }

    /// Stores the password and ends everything that the old one began.
    pub(super) async fn replace_password(&self, id: UserId, password: &str, by: Option<(&Actor, &str)>) -> Result<()> {
        let hash = self.authn.hasher().hash(&self.core.ids, password).await?;
        let now = self.core.clock.micros();
        let mut tx = self.core.db.write().await?;
        if !store::user::set_secret_hash(&mut tx.link(), id, &hash, now).await? {
            return Err(not_found(id));
        }
        store::session::delete_of(&mut tx.link(), id).await?;
        if let Some((actor, username)) = by {
            audit::record(&self.core, &mut tx.link(), actor, now, [Event::of_user("update", username, PASSWORD)]).await?;
        }
        tx.commit().await?;
        self.authn.forget(AccountRef::User(id));
        Ok(())
    }

    /// Makes or unmakes an administrator.
    ///
    /// # Errors
    /// 401, 403, 404.
    pub async fn set_sysadmin(&self, actor: &Actor, id: UserId, is_admin: bool) -> Result<()> {
        self.core.authz.system(actor, Resource::User, Action::Update)?;
        let user = self.find(id).await?.ok_or_else(|| unknown(id))?;
        let now = self.core.clock.micros();
        let mut tx = self.core.db.write().await?;
        if !store::user::set_admin(&mut tx.link(), id, is_admin, now).await? {
            return Err(unknown(id));
        }
        audit::record(&self.core, &mut tx.link(), actor, now, [Event::of_user("update", &user.username, ADMINISTRATOR)]).await?;
        tx.commit().await?;
        self.authn.forget(AccountRef::User(id));
        Ok(())
    }

    /// Secrets for command lines belong to identities of a provider; no account of this instance has one, whoever asks.
    ///
    /// # Errors
    /// 412, always.
    pub fn set_cli_secret(&self) -> Result<()> {
        Err(Error::precondition("unable to update CLI secret under authmode: db_auth"))
    }

    /// Deletes an account: its name and address are free at once, its memberships are gone, its sessions are nobody's.
    ///
    /// # Errors
    /// 401, 403 (also for oneself and the built-in administrator), 404.
    pub async fn delete(&self, actor: &Actor, id: UserId) -> Result<()> {
        self.core.authz.system(actor, Resource::User, Action::Delete)?;
        if id == ADMIN || actor.user_id() == Some(id) {
            return Err(Error::forbidden(format!("User with ID {id} cannot be deleted")));
        }
        let user = self.find(id).await?.ok_or_else(|| not_found(id))?;
        let now = self.core.clock.micros();
        let mut tx = self.core.db.write().await?;
        let projects = store::user::projects_of(&mut tx.link(), id).await?;
        if !store::user::delete(&mut tx.link(), id, now).await? {
            return Err(not_found(id));
        }
        audit::record(&self.core, &mut tx.link(), actor, now, [Event::of_user("delete", &user.username, "")]).await?;
        tx.commit().await?;
        self.authn.forget(AccountRef::User(id));
        for project in projects {
            self.core.authz.members_changed(project);
        }
        Ok(())
    }
}

/// The same as [`not_found`] in the words of changes.
fn unknown(id: UserId) -> Error {
    Error::not_found(format!("user with id {id} not found"))
}
