//! Quotas as administrators see and set them. The doors call it; `registry` charges them.

use std::sync::Arc;

use model::ProjectId;
use model::api::{Quota, QuotaRefObject, QuotaUpdateReq, ResourceList};
use model::list::{ListQuery, Page};
use model::permission::{Action, Resource};
use model::size::MAX_STORAGE_LIMIT as MAX_LIMIT;
use model::time::Instant;
use store::Link;
use store::quota::{Charge, ListedQuota, QuotaRow};

use crate::{Actor, Core, Error, Result, user};

/// The only resource.
const STORAGE: &str = "storage";
/// Bytes that an open upload may have beyond all that its project may have.
const BEYOND: u64 = 64 << 20;

/// The use cases. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Quotas {
    core: Arc<Core>,
}

impl Quotas {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// A page of all quotas, newest first. Of `reference` only `project` has any; `reference_id` is the project's id.
    ///
    /// # Errors
    /// 401, 403.
    pub async fn list(&self, actor: &Actor, reference: Option<&str>, reference_id: Option<&str>, query: &ListQuery) -> Result<Page<Quota>> {
        let allowed = self.core.authz.system(actor, Resource::Quota, Action::List)?;
        let project: Option<ProjectId> = match reference_id.map(str::parse).transpose() {
            Ok(project) if reference.is_none_or(|r| r == "project") => project,
            _ => return Ok(Page::default()),
        };
        let mut conn = self.core.db.read().await?;
        Ok(store::quota::list(&mut conn.link(), &allowed, project, query).await?.map(quota_of))
    }

    /// A quota.
    ///
    /// # Errors
    /// 401, 403, 404.
    pub async fn get(&self, actor: &Actor, id: i64) -> Result<Quota> {
        let allowed = self.core.authz.system(actor, Resource::Quota, Action::Read)?;
        let mut conn = self.core.db.read().await?;
        let listed = store::quota::by_id(&mut conn.link(), &allowed, id).await?.ok_or_else(|| not_found(id))?;
        // Harbor tells in lists alone when a quota changed.
        Ok(Quota { update_time: Instant::ZERO_TIME, ..quota_of(listed) })
    }

    /// Sets the limit; it may be lower than what is in use already.
    ///
    /// # Errors
    /// 400 without a limit or with one that is none, 401, 403, 404.
    pub async fn update(&self, actor: &Actor, id: i64, input: &QuotaUpdateReq) -> Result<()> {
        let allowed = self.core.authz.system(actor, Resource::Quota, Action::Update)?;
        let hard = new_limit(input)?;
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        // Those of deleted projects are not there.
        if store::quota::by_id(link, &allowed, id).await?.is_none()
            || !store::quota::set_hard(link, id, hard, self.core.clock.micros()).await?
        {
            return Err(not_found(id));
        }
        tx.commit().await?;
        Ok(())
    }
}

fn not_found(id: i64) -> Error {
    Error::not_found(format!("quota {id} not found"))
}

fn new_limit(input: &QuotaUpdateReq) -> Result<i64> {
    let hard = input.hard.as_ref().filter(|hard| !hard.is_empty()).ok_or_else(|| Error::bad_request("hard required in body"))?;
    if let Some(unknown) = hard.keys().find(|key| *key != STORAGE) {
        let unknown: String = unknown.chars().take(64).collect();
        return Err(Error::bad_request(format!("resource {unknown} not support")));
    }
    let limit = hard.get(STORAGE).copied().unwrap_or_default();
    check_limit(limit).map_err(Error::bad_request)?;
    Ok(limit)
}

/// Counts contents to a project: within its limit, or whatever they are while limits are switched off. See [`store::quota::charge`].
///
/// # Errors
/// 403 when they do not fit: the transaction must end.
pub(crate) async fn charge(core: &Core, link: &mut Link<'_>, project: ProjectId, contents: &[(String, i64)]) -> Result<()> {
    if !core.settings().quota_per_project {
        return Ok(store::quota::count(link, project, contents).await?);
    }
    match store::quota::charge(link, project, contents).await? {
        Charge::Fits => Ok(()),
        Charge::Exceeded { adding, used, hard } => Err(exceeded("adding", adding, used, hard)),
    }
}

/// Asked before bytes become a blob, so that a refused one leaves nothing behind; [`charge`] decides.
///
/// # Errors
/// 403 when it would not fit now.
pub(crate) async fn check(core: &Core, project: ProjectId, digest: &str, size: i64) -> Result<()> {
    let Some((quota, mut conn)) = limited(core, project).await? else { return Ok(()) };
    if quota.used.saturating_add(size) <= quota.hard || store::quota::is_counted(&mut conn.link(), project, digest).await? {
        return Ok(());
    }
    Err(exceeded("adding", size, quota.used, quota.hard))
}

/// A project without any room left refuses uploads at their start.
///
/// # Errors
/// 403.
pub(crate) async fn check_room(core: &Core, project: ProjectId) -> Result<()> {
    match limited(core, project).await? {
        Some((quota, _)) if quota.used >= quota.hard => Err(exceeded("subtracting", 0, quota.used, quota.hard)),
        _ => Ok(()),
    }
}

/// What a project may have in all, where there is a limit: no single content can be larger. An upload that is, is refused when it is closed, as Harbor
/// does, or before, when it has become much larger.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    hard: u64,
    used: i64,
}

pub(crate) async fn limit(core: &Core, project: ProjectId) -> Result<Option<Limit>> {
    let quota = limited(core, project).await?;
    Ok(quota.and_then(|(quota, _)| Some(Limit { hard: u64::try_from(quota.hard).ok()?, used: quota.used })))
}

impl Limit {
    /// The size in bytes at which an upload is not listened to any more.
    pub(crate) fn cut(self) -> u64 {
        self.hard.saturating_add(BEYOND)
    }

    /// Refuses a content of so many bytes or more.
    pub(crate) fn refusal(self, bytes: u64) -> Error {
        let signed = |bytes| i64::try_from(bytes).unwrap_or(i64::MAX);
        exceeded("adding", signed(bytes), self.used, signed(self.hard))
    }
}

/// The quota of a project that has a limit in force.
async fn limited(core: &Core, project: ProjectId) -> Result<Option<(QuotaRow, store::Conn)>> {
    if !core.settings().quota_per_project {
        return Ok(None);
    }
    let mut conn = core.db.read().await?;
    let quota = store::quota::find(&mut conn.link(), project).await?;
    Ok(quota.filter(|quota| quota.hard >= 0).map(|quota| (quota, conn)))
}

/// The refusal where there is no room, in Harbor's words: scripts look for them.
fn exceeded(change: &str, bytes: i64, used: i64, hard: i64) -> Error {
    let size = |bytes: i64| model::size::harbor_size(u64::try_from(bytes).unwrap_or_default());
    Error::denied(format!(
        "{change} {} of storage resource, which when updated to current usage of {} will exceed the configured upper limit of {}.",
        size(bytes),
        size(used),
        size(hard)
    ))
}

/// Why a number of bytes is no limit; -1 is none.
pub(crate) fn check_limit(limit: i64) -> std::result::Result<(), String> {
    match limit {
        -1 | 1..=MAX_LIMIT => Ok(()),
        ..=0 => Err(format!("invalid non-positive value for quota limit, value={limit}")),
        _ => Err(format!("exceeded 1024TB, which is {MAX_LIMIT} Bytes, value={limit}")),
    }
}

fn quota_of(listed: ListedQuota) -> Quota {
    let quota = listed.quota;
    Quota {
        id: quota.id,
        reference: Some(QuotaRefObject {
            id: quota.project_id,
            name: listed.project_name,
            owner_name: if listed.owner_id == user::ADMIN { String::new() } else { listed.owner_name.unwrap_or_default() },
        }),
        hard: ResourceList::from([(STORAGE.to_owned(), quota.hard)]),
        used: ResourceList::from([(STORAGE.to_owned(), quota.used)]),
        creation_time: Instant::from_micros(quota.created_at),
        update_time: Instant::from_micros(quota.updated_at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        for good in [-1, 1, MAX_LIMIT] {
            assert_eq!(check_limit(good), Ok(()), "{good}");
        }
        for bad in [i64::MIN, -2, 0, MAX_LIMIT + 1, i64::MAX] {
            assert!(check_limit(bad).is_err(), "{bad}");
        }
        let of = |hard: &[(&str, i64)]| {
            let hard = hard.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect();
            new_limit(&QuotaUpdateReq { hard: Some(hard) }).map_err(|e| e.message().to_owned())
        };
        assert_eq!(of(&[("storage", 5)]), Ok(5));
        assert_eq!(of(&[]), Err("hard required in body".to_owned()));
        assert_eq!(of(&[("cpu", 5), ("storage", 5)]), Err("resource cpu not support".to_owned()));
    }
}
