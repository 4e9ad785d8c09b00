//! From a row to what the API shows.

use std::collections::BTreeMap;

use model::{ArtifactId, Instant, ProjectId, RepositoryId, TagId, api};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use store::artifact::ListedArtifact;

use super::icon;
use super::processor::Processor;
use crate::{Error, Result};

#[derive(Deserialize)]
struct Tag {
    id: TagId,
    name: String,
    artifact_id: ArtifactId,
    repository_id: RepositoryId,
    pushed_at: i64,
    pulled_at: Option<i64>,
}

#[derive(Deserialize)]
struct Child {
    child_id: ArtifactId,
    child_digest: String,
    parent_id: ArtifactId,
    platform: Option<String>,
    urls: Option<String>,
    annotations: Option<String>,
}

#[derive(Deserialize)]
struct Accessory {
    id: i64,
    artifact_id: ArtifactId,
    subject_id: Option<ArtifactId>,
    subject_digest: String,
    kind: String,
    size: i64,
    digest: String,
    created_at: i64,
}

#[derive(Deserialize)]
struct Label {
    id: i64,
    name: String,
    description: String,
    color: String,
    scope: String,
    project_id: ProjectId,
    created_at: i64,
    updated_at: i64,
}

/// The rows of a gathered part; none when there are none.
fn rows<T: DeserializeOwned>(text: Option<&str>) -> Result<Option<Vec<T>>> {
    let Some(text) = text else { return Ok(None) };
    let rows: Vec<T> = serde_json::from_str(text).map_err(Error::internal)?;
    Ok(Some(rows).filter(|rows| !rows.is_empty()))
}

fn document<T: DeserializeOwned>(text: Option<&str>) -> Result<Option<T>> {
    text.map(serde_json::from_str).transpose().map_err(Error::internal)
}

fn pulled(at: Option<i64>) -> Instant {
    at.map_or(Instant::ZERO_TIME, Instant::from_micros)
}

/// The artifact of a row.
///
/// # Errors
/// 500 when a stored document is damaged.
pub(super) fn artifact(row: ListedArtifact) -> Result<api::Artifact> {
    let tags = rows::<Tag>(row.tags.as_deref())?.map(|all| all.into_iter().map(tag).collect());
    let references = match rows::<Child>(row.children.as_deref())? {
        None => None,
        Some(all) => Some(all.into_iter().map(reference).collect::<Result<_>>()?),
    };
    let accessories =
        rows::<Accessory>(row.accessories.as_deref())?.map(|all| all.into_iter().map(|a| accessory(a, &row.repository_name)).collect());
    let labels = rows::<Label>(row.labels.as_deref())?.map(|all| all.into_iter().map(label).collect());
    let extra_attrs: Option<BTreeMap<String, serde_json::Value>> = document(row.extra_attrs.as_deref())?;
    let annotations: Option<BTreeMap<String, String>> = document(row.annotations.as_deref())?;
    Ok(api::Artifact {
        addition_links: links(&row),
        icon: if row.icon.is_empty() { icon::of_kind(&row.kind).to_owned() } else { row.icon },
        id: row.id,
        kind: row.kind,
        media_type: row.media_type,
        manifest_media_type: row.manifest_media_type,
        artifact_type: row.artifact_type,
        project_id: row.project_id,
        repository_id: row.repository_id,
        repository_name: row.repository_name,
        digest: row.digest,
        size: row.size,
        push_time: Instant::from_micros(row.pushed_at),
        pull_time: pulled(row.pulled_at),
        extra_attrs: extra_attrs.filter(|a| !a.is_empty()),
        annotations: annotations.filter(|a| !a.is_empty()),
        references,
        tags,
        labels,
        accessories,
        scan_overview: None,
        sbom_overview: None,
        inherited_accessories: None,
    })
}

/// Where the additions are; the repository's slashes are escaped twice, as clients send them.
fn links(row: &ListedArtifact) -> Option<BTreeMap<String, api::AdditionLink>> {
    let (project, repository) = row.repository_name.split_once('/')?;
    let base = format!("/api/v2.0/projects/{project}/repositories/{}/artifacts/{}/additions", repository.replace('/', "%252F"), row.digest);
    let link = |addition: &super::Addition| {
        (addition.as_str().to_owned(), api::AdditionLink { href: format!("{base}/{}", addition.as_str()), absolute: false })
    };
    Some(Processor::of(row).linked().iter().map(link).collect()).filter(|links: &BTreeMap<_, _>| !links.is_empty())
}

fn tag(row: Tag) -> api::Tag {
    api::Tag {
        id: row.id,
        repository_id: row.repository_id,
        artifact_id: row.artifact_id,
        name: row.name,
        push_time: Instant::from_micros(row.pushed_at),
        pull_time: pulled(row.pulled_at),
        immutable: false,
    }
}

fn reference(row: Child) -> Result<api::Reference> {
    let platform: Option<oci::Platform> = document(row.platform.as_deref())?;
    Ok(api::Reference {
        parent_id: row.parent_id,
        child_id: row.child_id,
        child_digest: row.child_digest,
        platform: platform.map(|p| api::Platform {
            architecture: p.architecture,
            os: p.os,
            os_version: p.os_version.unwrap_or_default(),
            os_features: Some(p.os_features).filter(|f| !f.is_empty()),
            variant: p.variant.unwrap_or_default(),
        }),
        annotations: document(row.annotations.as_deref())?,
        urls: document(row.urls.as_deref())?,
    })
}

fn accessory(row: Accessory, repository: &str) -> api::Accessory {
    api::Accessory {
        id: row.id,
        artifact_id: row.artifact_id,
        subject_artifact_id: row.subject_id.unwrap_or_default(),
        subject_artifact_digest: row.subject_digest,
        subject_artifact_repo: repository.to_owned(),
        size: row.size,
        digest: row.digest,
        icon: icon::of_accessory(&row.kind).to_owned(),
        kind: row.kind,
        creation_time: Instant::from_micros(row.created_at),
    }
}

fn label(row: Label) -> api::Label {
    api::Label {
        id: row.id,
        name: row.name,
        description: row.description,
        color: row.color,
        scope: row.scope,
        project_id: row.project_id,
        creation_time: Instant::from_micros(row.created_at),
        update_time: Instant::from_micros(row.updated_at),
    }
}
