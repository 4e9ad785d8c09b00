//! The lists of the protocol: tags, catalog, referrers.

use bytes::Bytes;
use model::RepositoryId;
use model::permission::{Action, Resource};
use oci::{Catalog, Page, Referrer, ReferrersIndex, RepositoryName, TagList, digest, route::RawDigest};
use store::artifact::ReferrersPart;

use super::{Registry, Use, bytes, unauthorized};
use crate::answers::Asker;
use crate::error::Challenge;
use crate::{Actor, Error, Result};

/// Tags (and referrers) on one page at most.
const MAX_PAGE: u64 = 10_000;
/// Referrers on one page at most: a document stays far below 4 MiB for clients that read one page only.
const MAX_REFERRERS: i64 = 1000;
/// Bytes that the descriptors of one page may have.
const MAX_REFERRERS_BYTES: usize = 3 << 20;

/// A page of names and the way to the next one.
#[derive(Clone, Debug)]
pub struct TagPage {
    /// The document.
    pub body: Bytes,
    /// `last` and `n` of the next page.
    pub next: Option<(String, u64)>,
}

/// A page of referrers.
#[derive(Clone, Debug)]
pub struct ReferrersPage {
    /// The index.
    pub body: Bytes,
    /// All referrers, before the filter.
    pub total: u64,
    /// `last` of the next page: how many to skip.
    pub next: Option<u64>,
}

impl Registry {
    /// The tags of a repository in byte order.
    pub async fn tags(&self, actor: &Actor, name: &RepositoryName, page: &Page) -> Result<TagPage> {
        let target = self.target(actor, name, Use::Pull).await?;
        let limit = limit(page)?;
        if limit == Some(0) {
            return tag_page(name, Vec::new(), None);
        }
        let repository = self.published(&target).await?.ok_or_else(|| Error::not_found(format!("repository {name} not found")))?;
        let whole = limit.is_none() && page.last.is_none();
        if whole && let Some(body) = self.core.caches.tag_list(repository, "") {
            return Ok(TagPage { body, next: None });
        }
        // Boxed: what is rare does not make every request's future larger.
        Box::pin(self.read_tags(name, repository, limit, page)).await
    }

    async fn read_tags(&self, name: &RepositoryName, repository: RepositoryId, limit: Option<u64>, page: &Page) -> Result<TagPage> {
        let whole = limit.is_none() && page.last.is_none();
        let generation = self.core.caches.generation(repository);
        let most = limit.unwrap_or(MAX_PAGE).min(MAX_PAGE);
        let mut conn = self.core.db.read().await?;
        // One more than asked for tells whether there is a next page.
        let ask = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
        let mut names = store::tag::names(&mut conn.link(), repository, page.last.as_deref(), ask).await?;
        let more = names.len() as u64 > most;
        names.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        let next = names.last().filter(|_| more).map(|last| (last.clone(), most));
        let page = tag_page(name, names, next)?;
        if whole && page.next.is_none() {
            self.core.caches.put_tag_list(generation, repository, "", page.body.clone());
        }
        Ok(page)
    }

    /// All repositories that hold an artifact, in byte order. For those who may read the catalog of the system.
    pub async fn catalog(&self, actor: &Actor, page: &Page) -> Result<TagPage> {
        if self.core.authz.system(actor, Resource::Catalog, Action::Read).is_err() {
            let mut error = unauthorized("unauthorized to list catalog");
            error.challenge = Challenge::Basic;
            return Err(error);
        }
        let limit = limit(page)?;
        if limit == Some(0) {
            return catalog_page(Vec::new(), None);
        }
        let (question, now) = (format!("{limit:?} {:?}", page.last), self.catalogs.now());
        if let Some(page) = self.catalogs.get(now, Asker::Anyone, &question) {
            return Ok(page);
        }
        let page = self.read_catalog(page, limit).await?;
        self.catalogs.put(now, Asker::Anyone, &question, page.clone(), page.body.len());
        Ok(page)
    }

    async fn read_catalog(&self, page: &Page, limit: Option<u64>) -> Result<TagPage> {
        let mut conn = self.core.db.read().await?;
        let link = &mut conn.link();
        // Without a number everything is listed, as Harbor does, and `last` counts for nothing.
        let last = page.last.as_deref().filter(|l| limit.is_some() && !l.is_empty());
        if let Some(last) = last {
            let exists = match last.split_once('/') {
                Some((project, path)) => match store::project::by_name(link, project).await? {
                    Some(project) => store::repository::find(link, project.id, path).await?.is_some_and(|r| r.is_published),
                    None => false,
                },
                None => false,
            };
            if !exists {
                return Err(Error::bad_request(format!("the last: {last} should be a valid repository name.")));
            }
        }
        let most = limit.map(|n| n.min(MAX_PAGE));
        let ask = most.map(|n| i64::try_from(n).unwrap_or(i64::MAX).saturating_add(1));
        let mut names = store::repository::catalog(link, last, ask).await?;
        let Some(most) = most else {
            return catalog_page(names, None);
        };
        let more = names.len() as u64 > most;
        names.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        let next = names.last().filter(|_| more).map(|last| (last.clone(), most));
        catalog_page(names, next)
    }

    /// The manifests that are about `digest`, oldest first. Unknown subjects and repositories have none.
    pub async fn referrers(
        &self,
        actor: &Actor,
        name: &RepositoryName,
        digest: &RawDigest,
        artifact_types: &[String],
        page: &Page,
    ) -> Result<ReferrersPage> {
        let target = self.target(actor, name, Use::Pull).await?;
        let digest = digest.parsed().map_err(|_| {
            let why = digest::complaint(&digest.text).unwrap_or("invalid checksum digest format");
            Error::bad_request(format!("unsupported digest {}: {why}", digest.text))
        })?;
        let skip = page.last.as_deref().and_then(|l| l.parse::<u32>().ok()).unwrap_or(0);
        let (rows, all) = match self.published(&target).await? {
            None => (Vec::new(), 0),
            Some(repository) => {
                let mut conn = self.core.db.read().await?;
                let link = &mut conn.link();
                let part = ReferrersPart { offset: i64::from(skip), limit: MAX_REFERRERS, bytes: bytes(MAX_REFERRERS_BYTES as u64) };
                let rows = store::artifact::referrers(link, repository, digest.as_str(), part).await?;
                let is_last = rows.len() < MAX_REFERRERS as usize && (skip == 0 || !rows.is_empty());
                let all = if is_last {
                    u64::from(skip) + rows.len() as u64
                } else {
                    store::artifact::count_referrers(link, repository, digest.as_str()).await?
                };
                (rows, all)
            }
        };
        let mut length = 0;
        let mut taken = 0_u64;
        let mut manifests = Vec::new();
        for row in rows {
            let size = usize::try_from(row.annotation_bytes).unwrap_or(usize::MAX).saturating_add(512);
            if taken > 0 && size.saturating_add(length) > MAX_REFERRERS_BYTES {
                break;
            }
            length += size;
            taken += 1;
            let wanted = artifact_types.is_empty() || row.referrer_type.as_ref().is_some_and(|t| artifact_types.contains(t));
            if wanted {
                manifests.push(descriptor(row)?);
            }
        }
        let body = serde_json::to_vec(&ReferrersIndex::new(manifests)).map_err(Error::internal)?;
        let shown = u64::from(skip) + taken;
        let next = (taken > 0 && shown < all).then_some(shown);
        Ok(ReferrersPage { body: body.into(), total: all, next })
    }
}

fn descriptor(row: store::artifact::ReferrerRow) -> Result<Referrer> {
    let annotations = match row.annotations {
        None => std::collections::BTreeMap::new(),
        Some(text) => serde_json::from_str(&text).map_err(Error::internal)?,
    };
    Ok(Referrer {
        media_type: row.manifest_media_type,
        digest: row.digest.parse().map_err(Error::internal)?,
        size: u64::try_from(row.manifest_size).unwrap_or_default(),
        annotations,
        artifact_type: row.referrer_type,
    })
}

fn limit(page: &Page) -> Result<Option<u64>> {
    if page.last.as_deref().is_some_and(|last| last.contains('\0')) {
        return Err(Error::bad_request("no name has a null character"));
    }
    page.limit(u64::MAX).map_err(|_| Error::bad_request("the N must be a positive int type"))
}

fn tag_page(name: &RepositoryName, tags: Vec<String>, next: Option<(String, u64)>) -> Result<TagPage> {
    let body = serde_json::to_vec(&TagList { name: name.to_string(), tags }).map_err(Error::internal)?;
    Ok(TagPage { body: body.into(), next })
}

fn catalog_page(repositories: Vec<String>, next: Option<(String, u64)>) -> Result<TagPage> {
    let body = serde_json::to_vec(&Catalog { repositories }).map_err(Error::internal)?;
    Ok(TagPage { body: body.into(), next })
}
