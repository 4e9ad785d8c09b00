//! The list of vulnerabilities that the whole system puts up with, and the rules that it shares with those of projects.

use std::collections::HashSet;

use model::ProjectId;
use model::api::{CVEAllowlist, CVEAllowlistItem, CVEAllowlistReq};
use model::permission::{Action, Resource};
use model::time::Instant;

use super::Projects;
use crate::{Actor, Error, Result};

/// More vulnerabilities than this nobody reads.
const MAX_ITEMS: usize = 10_000;
/// `CVE-2019-10164` and its like, with room to spare. In bytes.
const MAX_ID: usize = 128;

impl Projects {
    /// The list of the system, for whoever is signed in. Never set, it is empty.
    ///
    /// # Errors
    /// 401.
    pub async fn system_allowlist(&self, actor: &Actor) -> Result<CVEAllowlist> {
        if actor.is_anonymous() {
            return Err(Error::unauthorized("unauthorized"));
        }
        let mut conn = self.core.db.read().await?;
        let Some(row) = store::allowlist::of_system(&mut conn.link()).await? else {
            return Ok(CVEAllowlist {
                items: Some(Vec::new()),
                creation_time: Instant::ZERO_TIME,
                update_time: Instant::ZERO_TIME,
                ..CVEAllowlist::default()
            });
        };
        Ok(CVEAllowlist {
            id: row.id,
            project_id: ProjectId(0),
            expires_at: row.expires_at,
            items: Some(row.items()?.into_iter().map(|cve_id| CVEAllowlistItem { cve_id }).collect()),
            creation_time: Instant::from_micros(row.created_at),
            update_time: Instant::from_micros(row.updated_at),
        })
    }

    /// Replaces the list of the system. A project in the request is not looked at.
    ///
    /// # Errors
    /// 400 for blank or repeated ids, 401, 403.
    pub async fn set_system_allowlist(&self, actor: &Actor, input: &CVEAllowlistReq) -> Result<()> {
        let allowed = self.core.authz.system(actor, Resource::Configuration, Action::Update)?;
        let items = checked(input)?;
        let mut tx = self.core.db.write().await?;
        store::allowlist::put_of_system(&mut tx.link(), &allowed, input.expires_at, &items, self.core.clock.micros()).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// The ids of a list, if they are ids and no two are the same.
pub(super) fn checked(input: &CVEAllowlistReq) -> Result<Vec<String>> {
    if input.items.len() > MAX_ITEMS {
        return Err(Error::bad_request(format!("more than {MAX_ITEMS} items in CVE allowlist")));
    }
    let mut seen = HashSet::new();
    let mut items = Vec::with_capacity(input.items.len());
    for item in &input.items {
        let id = item.cve_id.trim();
        if id.is_empty() || id.len() > MAX_ID || id.chars().any(char::is_control) {
            return Err(Error::bad_request("invalid CVE ID in allowlist: it is blank, too long or has control characters"));
        }
        if !seen.insert(id) {
            return Err(Error::bad_request(format!("duplicate CVE ID in allowlist: {id}")));
        }
        items.push(id.to_owned());
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(ids: &[&str]) -> CVEAllowlistReq {
        CVEAllowlistReq {
            items: ids.iter().map(|id| CVEAllowlistItem { cve_id: (*id).to_owned() }).collect(),
            ..CVEAllowlistReq::default()
        }
    }

    #[test]
    fn ids_are_there_and_different() {
        assert_eq!(checked(&list(&["CVE-2020-1", " CVE-2020-2 "])).unwrap(), ["CVE-2020-1", "CVE-2020-2"]);
        assert!(checked(&list(&[])).unwrap().is_empty());
        for bad in [vec![""], vec![" "], vec!["CVE-2020-1", "CVE-2020-1 "], vec!["a\nb"]] {
            assert_eq!(checked(&list(&bad)).unwrap_err().status, 400, "{bad:?}");
        }
        let many: Vec<String> = (0..=MAX_ITEMS).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(checked(&list(&many)).unwrap_err().status, 400);
    }
}
