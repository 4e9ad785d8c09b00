//! Making a robot. Its secret is made here and shown once.

use model::api::{RobotCreate, RobotCreated};
use model::name::RobotName;
use model::permission::{Action, Resource, RobotLevel};
use model::secret::Secret;
use model::time::Instant;
use store::robot::{NewRobot, Place, StoredPermission};

use super::{Robots, check_description, check_duration, event, expiry, permission};
use crate::audit;
use crate::authn::password::hash_random;
use crate::clock::random_secret;
use crate::{Actor, Error, NameOrId, Result};

/// Characters of a generated secret.
pub(super) const SECRET: usize = 32;

impl Robots {
    /// Makes a robot of the system or of the project that its only permission names. A robot makes only robots that may do no more than itself.
    ///
    /// # Errors
    /// 400 for a field that breaks its rule (asked before anybody's rights are), 401, 403, 404 for an unknown project, 409 when the name is taken.
    pub async fn create(&self, actor: &Actor, input: &RobotCreate) -> Result<RobotCreated> {
        let name = RobotName::new(input.name.as_str()).map_err(|e| Error::bad_request(e.to_string()))?;
        check_description(&input.description)?;
        check_duration(input.duration)?;
        let level = RobotLevel::from_name(&input.level).ok_or_else(|| {
            let level: String = input.level.chars().take(64).collect();
            Error::bad_request(format!("bad request error level input: {level}"))
        })?;
        permission::check(level, &input.permissions)?;
        let (place, stored_name, permissions) = match level {
            RobotLevel::System => {
                let allowed = self.core.authz.system(actor, Resource::Robot, Action::Create)?;
                (Place::System(allowed), name.stored(None), self.resolved(&input.permissions).await?)
            }
            RobotLevel::Project => {
                let only = &input.permissions[0];
                let project = NameOrId::Name(only.namespace.clone());
                let (row, allowed) = self.core.authz.project(actor, &project, Resource::Robot, Action::Create).await?;
                permission::check_kind_in_project(only)?;
                (Place::Project(allowed), name.stored(Some(&row.name)), vec![permission::stored(only, Some(row.id))])
            }
        };
        permission::check_no_more_than(actor, level, &permissions)?;
        self.insert(actor, &place, &stored_name, input, &permissions).await
    }

    async fn insert(
        &self,
        actor: &Actor,
        place: &Place,
        stored_name: &str,
        input: &RobotCreate,
        permissions: &[StoredPermission],
    ) -> Result<RobotCreated> {
        let (creator_kind, creator_id) = match actor {
            Actor::User(user) => ("local", user.id.get()),
            Actor::Robot(robot) => ("robot", robot.id.get()),
            Actor::Anonymous | Actor::Token(_) => return Err(Error::unauthorized("unauthorized")),
        };
        let secret = random_secret(&self.core.ids, SECRET);
        let secret_hash = hash_random(&*self.core.ids, &secret);
        let now = self.core.clock.micros();
        let expires_at = expiry(now, input.duration);
        let new = NewRobot {
            name: stored_name,
            description: &input.description,
            secret_hash: &secret_hash,
            duration: input.duration,
            expires_at,
            creator_kind,
            creator_id,
            permissions,
        };
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        if let Place::Project(allowed) = place {
            // Held until the robot is there: with the project it would go.
            store::project::lock(link, allowed).await?.ok_or_else(|| Error::not_found(format!("project {} not found", allowed.id())))?;
        }
        let id = store::robot::insert(link, place, &new, now).await.map_err(|e| match e {
            store::Error::Duplicate => Error::conflict(format!("robot account {}:{stored_name} already exists", place.project_id())),
            other => other.into(),
        })?;
        let name = self.full_name(stored_name);
        audit::record(&self.core, link, actor, now, [event(place.project_id(), "create", name.as_str())]).await?;
        tx.commit().await?;
        Ok(RobotCreated { id, name, secret: Secret::new(secret), creation_time: Instant::from_micros(now), expires_at })
    }
}
