//! The first start of an instance, and the way back in for an operator who lost the administrator's password.

use model::name;
use model::secret::Secret;

use super::{ADMIN, Users, broken};
use crate::authn::AccountRef;
use crate::clock::random_secret;
use crate::{Result, Services};

/// Characters of a generated password.
const GENERATED: usize = 24;

/// What [`bootstrap`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstStart {
    /// Whether this call made the administrator.
    pub is_first: bool,
    /// Whether its password was made up.
    pub is_generated: bool,
}

/// Makes the built-in administrator with the given password or a generated one, and the public project `library`, unless the instance has them.
/// Several processes may call it at once: one of them makes them.
///
/// `leave` puts a generated password where the operator finds it. It is called before there is an account with it, so that no end of this process can
/// leave an account whose password nobody knows.
///
/// # Errors
/// 400 for a given password that breaks the rule; what `leave` failed with; the database.
pub async fn bootstrap(services: &Services, password: Option<&Secret>, leave: impl FnOnce(&Secret) -> Result<()>) -> Result<FirstStart> {
    let core = &services.core;
    let mut conn = core.db.read().await?;
    let there = store::user::by_id(&mut conn.link(), ADMIN).await?.is_some();
    drop(conn);
    if there {
        return Ok(FirstStart { is_first: false, is_generated: false });
    }
    let generated = match password {
        Some(given) => {
            name::validate_password(given.expose()).map_err(broken)?;
            None
        }
        None => Some(Secret::new(random_secret(&core.ids, GENERATED))),
    };
    let chosen = password.or(generated.as_ref()).map(Secret::expose).unwrap_or_default();
    let hash = services.authn.hasher().hash(&core.ids, chosen).await?;
    let now = core.clock.micros();
    let mut tx = core.db.write().await?;
    if !store::user::insert_first(&mut tx.link(), &hash, now).await? {
        return Ok(FirstStart { is_first: false, is_generated: false });
    }
    // Others who want to be first wait for this transaction.
    if let Some(generated) = &generated {
        leave(generated)?;
    }
    if store::user::insert_first_project(&mut tx.link(), now).await? {
        store::quota::create(&mut tx.link(), model::ProjectId(1), core.settings().storage_per_project, now).await?;
        store::allowlist::create(&mut tx.link(), model::ProjectId(1), now).await?;
    }
    tx.commit().await?;
    core.caches.projects_changed();
    Ok(FirstStart { is_first: true, is_generated: generated.is_some() })
}

impl Users {
    /// Gives the built-in administrator the password, or a generated one, which is returned; makes sure that it is an administrator. Its sessions
    /// end. For the operator of the machine: nobody is asked.
    ///
    /// # Errors
    /// 400 for a password that breaks the rule, 404 before the first start.
    pub async fn reset_admin_password(&self, password: Option<&Secret>) -> Result<Option<Secret>> {
        let generated = match password {
            Some(given) => {
                name::validate_password(given.expose()).map_err(broken)?;
                None
            }
            None => Some(Secret::new(random_secret(&self.core.ids, GENERATED))),
        };
        let chosen = password.or(generated.as_ref()).map(Secret::expose).unwrap_or_default();
        self.replace_password(ADMIN, chosen, None).await?;
        let mut tx = self.core.db.write().await?;
        store::user::set_admin(&mut tx.link(), ADMIN, true, self.core.clock.micros()).await?;
        tx.commit().await?;
        self.authn.forget(AccountRef::User(ADMIN));
        Ok(generated)
    }
}
