//! Changing robots: what they may do, whether and how long they live, their secret. Every change counts at the robot's next request.

use model::api::{RobotSec, RobotUpdate};
use model::name;
use model::permission::{Action, RobotLevel};
use model::secret::Secret;
use model::{ProjectId, RobotId};
use store::robot::{Place, RobotChange, RobotRow, StoredPermission};

use super::create::SECRET;
use super::{Robots, check_description, check_duration, event, expiry, level_of, not_found, permission};
use crate::audit;
use crate::authn::AccountRef;
use crate::authn::password::hash_random;
use crate::clock::random_secret;
use crate::{Actor, Error, Result};

impl Robots {
    /// Replaces all that can be changed of a robot. Name (prefix included), level and project must be the present ones.
    ///
    /// # Errors
    /// 400 for a field that breaks its rule, 401, 403, 404.
    pub async fn update(&self, actor: &Actor, id: RobotId, input: &RobotUpdate) -> Result<()> {
        let (row, place) = self.find(actor, id, Action::Update).await?;
        let level = level_of(row.project_id);
        if input.level != level.as_str() || input.name != self.full_name(&row.name) {
            return Err(Error::bad_request("cannot update the level or name of robot"));
        }
        check_description(&input.description)?;
        input.duration.map_or(Ok(()), check_duration)?;
        permission::check(level, &input.permissions)?;
        let permissions = self.updated_permissions(&row, level, input).await?;
        permission::check_no_more_than(actor, level, &permissions)?;
        let now = self.core.clock.micros();
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        let row = store::robot::lock(link, &place, id).await?.ok_or_else(|| not_found(id))?;
        let change = RobotChange {
            description: &input.description,
            duration: input.duration.unwrap_or(row.duration),
            expires_at: input.duration.map_or(row.expires_at, |days| expiry(row.created_at, days)),
            is_disabled: input.disable,
            permissions: &permissions,
        };
        store::robot::update(link, &place, id, &change, now).await?;
        tx.commit().await?;
        self.authn.forget(AccountRef::Robot(id));
        Ok(())
    }

    async fn updated_permissions(&self, row: &RobotRow, level: RobotLevel, input: &RobotUpdate) -> Result<Vec<StoredPermission>> {
        if level == RobotLevel::System {
            return self.resolved(&input.permissions).await;
        }
        let only = &input.permissions[0];
        let named = self.core.authz.project_by_name(&only.namespace).await?;
        if named.is_none_or(|project| project.id != row.project_id) {
            return Err(Error::bad_request("cannot update the project id of robot"));
        }
        permission::check_kind_in_project(only)?;
        Ok(vec![permission::stored(only, Some(row.project_id))])
    }

    /// Gives a robot another secret: the one that was sent, which is not sent back, or a new one, shown here only.
    ///
    /// # Errors
    /// 400 for a secret that breaks the rule of passwords, 401, 403, 404.
    pub async fn refresh_secret(&self, actor: &Actor, id: RobotId, input: &RobotSec) -> Result<RobotSec> {
        let (_, place) = self.find(actor, id, Action::Update).await?;
        let (hash, shown) = if input.secret.is_empty() {
            let secret = random_secret(&self.core.ids, SECRET);
            (hash_random(&*self.core.ids, &secret), Secret::new(secret))
        } else {
            let given = input.secret.expose();
            name::validate_password(given)
                .map_err(|_| Error::bad_request("the secret must be 8-128, inclusively, characters long with at least 1 uppercase letter, 1 lowercase letter and 1 number"))?;
            (self.authn.hasher().hash(&self.core.ids, given).await?, Secret::default())
        };
        let mut tx = self.core.db.write().await?;
        if !store::robot::set_secret_hash(&mut tx.link(), &place, id, &hash, self.core.clock.micros()).await? {
            return Err(not_found(id));
        }
        tx.commit().await?;
        self.authn.forget(AccountRef::Robot(id));
        Ok(RobotSec { secret: shown })
    }

    /// Deletes a robot.
    ///
    /// # Errors
    /// 401, 403, 404.
    pub async fn delete(&self, actor: &Actor, id: RobotId) -> Result<()> {
        let (row, place) = self.find(actor, id, Action::Delete).await?;
        let now = self.core.clock.micros();
        let project: ProjectId = Place::project_id(&place);
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        if !store::robot::delete(link, &place, id).await? {
            return Err(not_found(id));
        }
        audit::record(&self.core, link, actor, now, [event(project, "delete", self.full_name(&row.name))]).await?;
        tx.commit().await?;
        self.authn.forget(AccountRef::Robot(id));
        Ok(())
    }
}
