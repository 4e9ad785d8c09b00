//! The settings of a project: which keys there are, what they take, and the API that changes one at a time.

use std::collections::BTreeMap;

use model::api::{ProjectMetadata, ProjectReq, is_true};
use model::permission::{Action, Allowed, Project, Resource};
use store::project::ProjectRow;

use super::{Projects, event, not_found};
use crate::audit;
use crate::{Actor, Error, NameOrId, Result};

type Map = BTreeMap<String, String>;

/// The longest value, in bytes.
const MAX_VALUE: usize = 1024;
const RETENTION: &str = "retention_id";
const PATTERN: &str = "proxy_cache_filter_pattern";
const KIND: &str = "proxy_cache_filter_kind";

/// What a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Flag,
    Severity,
    Speed,
    Connections,
    Pattern,
    PatternKind,
}

/// The keys that callers may set, and what they take.
fn rule(key: &str) -> Option<Rule> {
    Some(match key {
        "public"
        | "enable_content_trust"
        | "enable_content_trust_cosign"
        | "auto_sbom_generation"
        | "prevent_vul"
        | "auto_scan"
        | "reuse_sys_cve_allowlist"
        | "proxy_cache_local_on_not_found"
        | "proxy_referrer_api" => Rule::Flag,
        "severity" => Rule::Severity,
        "proxy_speed_kb" => Rule::Speed,
        "max_upstream_conn" => Rule::Connections,
        PATTERN => Rule::Pattern,
        KIND => Rule::PatternKind,
        _ => return None,
    })
}

fn severity(value: &str) -> Option<&'static str> {
    const WORDS: [(&str, &str); 6] =
        [("none", "none"), ("negligible", "none"), ("low", "low"), ("medium", "medium"), ("high", "high"), ("critical", "critical")];
    WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(value)).map(|(_, stored)| *stored)
}

fn flag(value: &str) -> Option<bool> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

fn shortened(value: &str) -> String {
    value.chars().take(256).collect()
}

/// A value as it is stored, for the API that sets one key and is strict about it.
fn strict(key: &str, value: &str, is_cache: bool) -> Result<String> {
    let rule = rule(key).ok_or_else(|| Error::bad_request(format!("invalid key: {}", shortened(key))))?;
    if matches!(rule, Rule::Pattern | Rule::PatternKind) && !is_cache {
        return Err(Error::bad_request("can not update the normal project with proxy cache filter metadata"));
    }
    let invalid = || Error::bad_request(format!("invalid value: {}", shortened(value)));
    Ok(match rule {
        Rule::Flag => flag(value).ok_or_else(invalid)?.to_string(),
        Rule::Severity => severity(value).ok_or_else(invalid)?.to_owned(),
        Rule::Speed => value.parse::<i32>().ok().filter(|speed| *speed >= -1).ok_or_else(invalid)?.to_string(),
        Rule::Connections => match value.parse::<i32>().map_err(|_| invalid())? {
            count @ (-1 | 1..) => count.to_string(),
            count => return Err(Error::bad_request(format!("invalid value for max_upstream_conn: {count}"))),
        },
        Rule::Pattern if value.len() <= MAX_VALUE => value.to_owned(),
        Rule::PatternKind if matches!(value, "doublestar" | "regex") => value.to_owned(),
        Rule::Pattern | Rule::PatternKind => return Err(invalid()),
    })
}

/// A value as it is stored, for requests that carry the whole project: they are lenient, and what reads as nothing must not read as more later.
fn lenient(key: &str, value: &str) -> Result<String> {
    if value.len() > MAX_VALUE {
        return Err(Error::bad_request(format!("invalid value: {}", shortened(value))));
    }
    Ok(match rule(key) {
        Some(Rule::Severity) if !value.is_empty() => severity(value).unwrap_or("unknown").to_owned(),
        _ if key == "public" => is_true(value).to_string(),
        _ => value.to_owned(),
    })
}

/// The metadata of a new project, which is no cache.
pub(super) fn of_new(input: &ProjectReq) -> Result<Map> {
    let given = input.metadata.as_ref();
    if given.and_then(|m| m.retention_id.as_deref()).is_some_and(|id| !id.is_empty()) {
        return Err(Error::bad_request(
            "bad request: the retention_id in the request's payload when creating a project should be omitted, alternatively passing an empty string",
        ));
    }
    let public = match given.and_then(|m| m.public.as_deref()).unwrap_or_default() {
        "" => input.public.unwrap_or(false),
        "true" => true,
        "false" => false,
        other => {
            let other = shortened(other);
            return Err(Error::bad_request(format!("metadata.public should only be 'true' or 'false', but got: '{other}'")));
        }
    };
    let mut metadata = Map::from([("public".to_owned(), public.to_string())]);
    for (key, value) in given.map(ProjectMetadata::pairs).unwrap_or_default() {
        let of_caches = matches!(rule(key), Some(Rule::Speed | Rule::Connections | Rule::Pattern | Rule::PatternKind));
        if key != "public" && key != RETENTION && !of_caches && !value.is_empty() {
            metadata.insert(key.to_owned(), lenient(key, value)?);
        }
    }
    Ok(metadata)
}

/// Sets what is given, leaves the rest.
pub(super) fn merge(stored: &mut Map, given: &ProjectMetadata, is_cache: bool) -> Result<()> {
    if let Some(id) = &given.retention_id
        && *id != stored.get(RETENTION).map_or("", String::as_str)
    {
        return Err(Error::bad_request(
            "the retention_id in the request's payload when updating a project should be omitted, alternatively passing the one that has already \
             been associated to this project",
        ));
    }
    for (key, value) in given.pairs() {
        let of_filter = matches!(rule(key), Some(Rule::Pattern | Rule::PatternKind));
        if key != RETENTION && (is_cache || !of_filter) {
            stored.insert(key.to_owned(), lenient(key, value)?);
        }
    }
    Ok(())
}

impl Projects {
    /// All metadata of a project.
    ///
    /// # Errors
    /// 401, 403, 404.
    pub async fn metadata(&self, actor: &Actor, project: &NameOrId) -> Result<Map> {
        let (row, _) = self.core.authz.project(actor, project, Resource::Metadata, Action::List).await?;
        Ok(row.metadata()?)
    }

    /// One key with its value; empty when it is not set.
    ///
    /// # Errors
    /// 401, 403, 404.
    pub async fn metadata_of(&self, actor: &Actor, project: &NameOrId, key: &str) -> Result<Map> {
        let (row, _) = self.core.authz.project(actor, project, Resource::Metadata, Action::Read).await?;
        Ok(row.metadata()?.remove_entry(key).into_iter().collect())
    }

    /// Sets one key that is not set yet.
    ///
    /// # Errors
    /// 400 for anything but one pair of a known key and a value it takes, 401, 403, 404, 409 when it is set.
    pub async fn add_metadata(&self, actor: &Actor, project: &NameOrId, pair: &Map) -> Result<()> {
        let done = self.add_once(actor, project, pair).await;
        self.note_refusal(actor, project, done).await
    }

    async fn add_once(&self, actor: &Actor, project: &NameOrId, pair: &Map) -> Result<()> {
        let (_, allowed) = self.core.authz.project(actor, project, Resource::Metadata, Action::Create).await?;
        let mut pairs = pair.iter();
        let (Some((key, value)), None) = (pairs.next(), pairs.next()) else {
            return Err(Error::bad_request("only allow one key/value pair"));
        };
        self.edit(actor, project, &allowed, |row, stored| {
            let value = strict(key, value, row.registry_id.is_some())?;
            if stored.contains_key(key) {
                return Err(Error::conflict(format!("metadata {key} already exists for project {}", row.id)));
            }
            stored.insert(key.clone(), value);
            Ok(true)
        })
        .await
    }

    /// Changes one key; a key that is not set stays so.
    ///
    /// # Errors
    /// 400 for an unknown key, a value that it does not take, or another key in the request; 401, 403, 404.
    pub async fn set_metadata(&self, actor: &Actor, project: &NameOrId, key: &str, pair: &Map) -> Result<()> {
        let done = self.set_once(actor, project, key, pair).await;
        self.note_refusal(actor, project, done).await
    }

    async fn set_once(&self, actor: &Actor, project: &NameOrId, key: &str, pair: &Map) -> Result<()> {
        let (_, allowed) = self.core.authz.project(actor, project, Resource::Metadata, Action::Update).await?;
        let value = pair.get(key).map_or("", String::as_str);
        self.edit(actor, project, &allowed, |row, stored| {
            let value = strict(key, value, row.registry_id.is_some())?;
            Ok(stored.get_mut(key).map(|slot| *slot = value).is_some())
        })
        .await
    }

    /// Unsets one key. What is not set, or not the caller's to set, stays as it is.
    ///
    /// # Errors
    /// 400 for the kind of a pattern that is there, 401, 403, 404.
    pub async fn remove_metadata(&self, actor: &Actor, project: &NameOrId, key: &str) -> Result<()> {
        let done = self.remove_once(actor, project, key).await;
        self.note_refusal(actor, project, done).await
    }

    async fn remove_once(&self, actor: &Actor, project: &NameOrId, key: &str) -> Result<()> {
        let (_, allowed) = self.core.authz.project(actor, project, Resource::Metadata, Action::Delete).await?;
        self.edit(actor, project, &allowed, |_, stored| {
            if key == KIND && stored.get(PATTERN).is_some_and(|pattern| !pattern.is_empty()) {
                return Err(Error::bad_request("can not delete the filter kind while there is a filter pattern"));
            }
            Ok(rule(key).is_some() && stored.remove(key).is_some())
        })
        .await
    }

    /// Reads, edits and writes the metadata in one transaction; `edit` says whether it changed anything.
    async fn edit(
        &self,
        actor: &Actor,
        project: &NameOrId,
        allowed: &Allowed<Project>,
        edit: impl FnOnce(&ProjectRow, &mut Map) -> Result<bool> + Send,
    ) -> Result<()> {
        let now = self.core.clock.micros();
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        let row = store::project::lock(link, allowed).await?.ok_or_else(|| not_found(project))?;
        let mut metadata = row.metadata()?;
        if !edit(&row, &mut metadata)? {
            return Ok(());
        }
        store::project::set_metadata(link, row.id, &metadata, now).await?;
        audit::record(&self.core, link, actor, now, [event(row.id, "update", &row.name)]).await?;
        tx.commit().await?;
        self.core.caches.projects_changed();
        Ok(())
    }
}

#[cfg(test)]
#[path = "metadata_tests.rs"]
mod tests;
