//! Artifacts: one manifest in one repository, its exact bytes, what it refers to. Lists and single reads share one `SELECT`, which gathers tags,
//! references and accessories as JSON in the same statement, so that no list makes a query per row.

use model::{ArtifactId, ProjectId, RepositoryId};

use crate::db::on;
use crate::dialect::Json;
use crate::{Link, Result};

mod awaited;
mod copy;
mod listed;

pub use awaited::{arrived, await_children, awaiting, copy_awaited, copy_children};
pub use copy::{CopiedTag, contents_of, copy_row, keep, tags_of, tree_of};
pub(crate) use listed::LISTED;
pub use listed::{Filter, ListedArtifact, Scope, TagFilter, With, get_by_digest, get_by_tag, list};

/// What a new artifact's row says. Instants in microseconds, sizes in bytes; `annotations` and `extra_attrs` are JSON texts.
#[derive(Clone, Debug)]
pub struct NewArtifact<'a> {
    /// Project.
    pub project_id: ProjectId,
    /// Repository.
    pub repository_id: RepositoryId,
    /// The digest it was pushed under.
    pub digest: &'a str,
    /// Harbor's type: IMAGE, CHART, …
    pub kind: &'a str,
    /// The config's media type for manifests, the manifest's own for indexes.
    pub media_type: &'a str,
    /// The manifest's media type, as served.
    pub manifest_media_type: &'a str,
    /// `artifactType`, else the config's media type; empty for an index without.
    pub artifact_type: &'a str,
    /// Manifest, config and layers (an index: its children) together.
    pub size: i64,
    /// The digest of an icon, or empty.
    pub icon: &'a str,
    /// Annotations of the manifest.
    pub annotations: Option<&'a str>,
    /// Attributes read from the config.
    pub extra_attrs: Option<&'a str>,
    /// The digest of the manifest that this one is about.
    pub subject_digest: Option<&'a str>,
    /// What referrers list as `artifactType`.
    pub referrer_type: Option<&'a str>,
    /// The exact bytes.
    pub content: &'a [u8],
}

/// A manifest as it is served.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ManifestRow {
    /// The artifact.
    #[sqlx(try_from = "i64")]
    pub artifact_id: ArtifactId,
    /// Its digest.
    pub digest: String,
    /// The media type it was pushed with.
    pub manifest_media_type: String,
    /// The exact bytes.
    pub content: Vec<u8>,
}

/// An artifact's identity.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ArtifactKey {
    /// Id.
    #[sqlx(try_from = "i64")]
    pub id: ArtifactId,
    /// Digest.
    pub digest: String,
    /// Harbor's type.
    pub kind: String,
    /// Bytes altogether.
    pub size: i64,
    /// The manifest's media type.
    pub manifest_media_type: String,
}

/// A child of an index to be recorded. `platform`, `urls` and `annotations` are JSON texts.
#[derive(Clone, Debug)]
pub struct Child {
    /// The child, where it is there.
    pub id: Option<ArtifactId>,
    /// Its digest.
    pub digest: String,
    /// Its platform.
    pub platform: Option<String>,
    /// Where else it can be had.
    pub urls: Option<String>,
    /// Annotations of the descriptor.
    pub annotations: Option<String>,
}

/// A referrer of a subject, as the referrers list shows it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ReferrerRow {
    /// Media type of the manifest.
    pub manifest_media_type: String,
    /// Its digest.
    pub digest: String,
    /// Bytes of the manifest alone.
    pub manifest_size: i64,
    /// What it is.
    pub referrer_type: Option<String>,
    /// JSON object, if any, and if what comes before it left room.
    pub annotations: Option<String>,
    /// Bytes of the annotations, whether they are here or not.
    pub annotation_bytes: i64,
}

/// Which of a subject's referrers are read.
#[derive(Clone, Copy, Debug)]
pub struct ReferrersPart {
    /// How many are skipped.
    pub offset: i64,
    /// How many are read.
    pub limit: i64,
    /// Annotations come with a row as long as those of the rows before it have at most so many bytes.
    pub bytes: i64,
}

/// Stores an artifact and its bytes in a repository that is held. The same manifest pushed again keeps its row (only its push time changes); `true` when it
/// is new.
pub async fn upsert(link: &mut Link<'_>, a: &NewArtifact<'_>, now: i64) -> Result<(ArtifactId, bool)> {
    const SQL: &str = "INSERT INTO artifact (project_id, repository_id, digest, kind, media_type, manifest_media_type, artifact_type, size,
            manifest_size, icon, annotations, extra_attrs, subject_digest, referrer_type, pushed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
        ON CONFLICT (repository_id, digest) WHERE deleted_at IS NULL DO NOTHING RETURNING id";
    const BYTES: &str = "INSERT INTO manifest (artifact_id, content) VALUES ($1, $2)";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL)
        .bind(a.project_id.get())
        .bind(a.repository_id.get())
        .bind(a.digest)
        .bind(a.kind)
        .bind(a.media_type)
        .bind(a.manifest_media_type)
        .bind(a.artifact_type)
        .bind(a.size)
        .bind(a.content.len() as i64)
        .bind(a.icon)
        .bind(a.annotations)
        .bind(a.extra_attrs)
        .bind(a.subject_digest)
        .bind(a.referrer_type)
        .bind(now)
        .fetch_optional(c)
        .await)?;
    let Some((id,)) = row else {
        let known = push_again(link, a.repository_id, a.digest, now).await?;
        // Somebody who did not hold the repository deleted it between the two: it did not happen, and may be tried again.
        return known.map(|id| (id, false)).ok_or(crate::Error::Conflict);
    };
    on!(link, |c| sqlx::query(BYTES).bind(id).bind(a.content).execute(c).await.map(drop))?;
    Ok((ArtifactId(id), true))
}

/// Notes that a manifest was pushed again; none when it is not there.
pub async fn push_again(link: &mut Link<'_>, repository: RepositoryId, digest: &str, now: i64) -> Result<Option<ArtifactId>> {
    // By the update, not by a look: one that is deleted at this moment is waited for and then is not there.
    const SQL: &str = "UPDATE artifact SET pushed_at = $3 WHERE repository_id = $1 AND digest = $2 AND deleted_at IS NULL RETURNING id";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(repository.get()).bind(digest).bind(now).fetch_optional(c).await)?;
    Ok(row.map(|(id,)| ArtifactId(id)))
}

/// The repository `name` of a project, if it has an artifact with this digest.
pub async fn repository_with(link: &mut Link<'_>, project: ProjectId, name: &str, digest: &str) -> Result<Option<RepositoryId>> {
    const SQL: &str = "SELECT r.id FROM repository r JOIN artifact a ON a.repository_id = r.id AND a.digest = $3 AND a.deleted_at IS NULL
        WHERE r.project_id = $1 AND r.name = $2 AND r.deleted_at IS NULL";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(project.get()).bind(name).bind(digest).fetch_optional(c).await)?;
    Ok(row.map(|(id,)| RepositoryId(id)))
}

/// A repository in which an artifact has this digest for its icon.
pub async fn holder_of_icon(link: &mut Link<'_>, digest: &str) -> Result<Option<RepositoryId>> {
    const SQL: &str =
        "SELECT a.repository_id FROM artifact a WHERE a.icon = $1 AND a.icon <> '' AND a.deleted_at IS NULL ORDER BY a.id LIMIT 1";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(digest).fetch_optional(c).await)?;
    Ok(row.map(|(id,)| RepositoryId(id)))
}

/// Records which blobs an artifact needs.
pub async fn hold_blobs(link: &mut Link<'_>, artifact: ArtifactId, blobs: &[i64]) -> Result<()> {
    if blobs.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO artifact_blob (artifact_id, blob_id) SELECT $1, b.value FROM {} b WHERE TRUE ON CONFLICT DO NOTHING",
        link.engine().json_integers("$2")
    );
    let list = serde_json::json!(blobs).to_string();
    on!(link, |c| sqlx::query(sqlx::AssertSqlSafe(sql)).bind(artifact.get()).bind(list).execute(c).await.map(drop))?;
    Ok(())
}

/// Records the children of an index that are there, in order. See [`await_children`] for the others.
pub async fn hold_children(link: &mut Link<'_>, parent: ArtifactId, children: &[Child]) -> Result<()> {
    if children.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO artifact_reference (parent_id, child_id, child_digest, platform, urls, annotations)
         SELECT $1, c.id, c.digest, c.platform, c.urls, c.annotations FROM {} c WHERE TRUE ORDER BY c.position ON CONFLICT DO NOTHING",
        link.engine().json_rows("$2", &columns_of_children())
    );
    let rows = child_rows(children);
    on!(link, |c| sqlx::query(sqlx::AssertSqlSafe(sql)).bind(parent.get()).bind(rows).execute(c).await.map(drop))?;
    Ok(())
}

fn columns_of_children() -> [(&'static str, Json); 5] {
    [("id", Json::Integer), ("digest", Json::Text), ("platform", Json::Text), ("urls", Json::Text), ("annotations", Json::Text)]
}

fn child_rows(children: &[Child]) -> String {
    let row = |child: &Child| {
        serde_json::json!({
            "id": child.id.map(ArtifactId::get),
            "digest": child.digest,
            "platform": child.platform,
            "urls": child.urls,
            "annotations": child.annotations,
        })
    };
    serde_json::Value::from_iter(children.iter().map(row)).to_string()
}

/// The artifact with this digest.
pub async fn find(link: &mut Link<'_>, repository: RepositoryId, digest: &str) -> Result<Option<ArtifactKey>> {
    const SQL: &str = "SELECT id, digest, kind, size, manifest_media_type FROM artifact
        WHERE repository_id = $1 AND digest = $2 AND deleted_at IS NULL";
    Ok(on!(link, |c| sqlx::query_as(SQL).bind(repository.get()).bind(digest).fetch_optional(c).await)?)
}

/// The artifact that this tag names.
pub async fn find_by_tag(link: &mut Link<'_>, repository: RepositoryId, tag: &str) -> Result<Option<ArtifactKey>> {
    const SQL: &str = "SELECT a.id, a.digest, a.kind, a.size, a.manifest_media_type FROM tag t JOIN artifact a ON a.id = t.artifact_id
        WHERE t.repository_id = $1 AND t.name = $2 AND t.deleted_at IS NULL AND a.deleted_at IS NULL";
    Ok(on!(link, |c| sqlx::query_as(SQL).bind(repository.get()).bind(tag).fetch_optional(c).await)?)
}

/// Those of `digests` that are artifacts of the repository.
pub async fn find_all(link: &mut Link<'_>, repository: RepositoryId, digests: &[&str]) -> Result<Vec<ArtifactKey>> {
    keys(link, repository, digests, "").await
}

/// The same, and none of them is deleted until the end of this transaction.
pub async fn hold_all(link: &mut Link<'_>, repository: RepositoryId, digests: &[&str]) -> Result<Vec<ArtifactKey>> {
    let keeping = link.engine().keeping("artifact");
    keys(link, repository, digests, &keeping).await
}

async fn keys(link: &mut Link<'_>, repository: RepositoryId, digests: &[&str], suffix: &str) -> Result<Vec<ArtifactKey>> {
    if digests.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT id, digest, kind, size, manifest_media_type FROM artifact
         WHERE repository_id = $1 AND deleted_at IS NULL AND digest IN {} ORDER BY id{suffix}",
        link.engine().json_strings("$2")
    );
    let list = serde_json::json!(digests).to_string();
    Ok(on!(link, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(repository.get()).bind(list).fetch_all(c).await)?)
}

/// A manifest by its digest.
pub async fn manifest(link: &mut Link<'_>, repository: RepositoryId, digest: &str) -> Result<Option<ManifestRow>> {
    const SQL: &str =
        "SELECT a.id AS artifact_id, a.digest, a.manifest_media_type, m.content FROM artifact a JOIN manifest m ON m.artifact_id = a.id
        WHERE a.repository_id = $1 AND a.digest = $2 AND a.deleted_at IS NULL";
    Ok(on!(link, |c| sqlx::query_as(SQL).bind(repository.get()).bind(digest).fetch_optional(c).await)?)
}

/// A manifest by a tag.
pub async fn manifest_of_tag(link: &mut Link<'_>, repository: RepositoryId, tag: &str) -> Result<Option<ManifestRow>> {
    const SQL: &str = "SELECT a.id AS artifact_id, a.digest, a.manifest_media_type, m.content
        FROM tag t JOIN artifact a ON a.id = t.artifact_id JOIN manifest m ON m.artifact_id = a.id
        WHERE t.repository_id = $1 AND t.name = $2 AND t.deleted_at IS NULL AND a.deleted_at IS NULL";
    Ok(on!(link, |c| sqlx::query_as(SQL).bind(repository.get()).bind(tag).fetch_optional(c).await)?)
}

/// Whether an index that is alive names this artifact as a child.
pub async fn is_child(link: &mut Link<'_>, id: ArtifactId) -> Result<bool> {
    const SQL: &str = "SELECT r.id FROM artifact_reference r JOIN artifact p ON p.id = r.parent_id
        WHERE r.child_id = $1 AND p.deleted_at IS NULL LIMIT 1";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(id.get()).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// What goes with a deleted artifact: its accessories that no index names, and its children that nothing else keeps (no tag, no other index).
pub async fn dependants(link: &mut Link<'_>, id: ArtifactId) -> Result<Vec<ArtifactId>> {
    const SQL: &str = "SELECT y.artifact_id FROM accessory y JOIN artifact a ON a.id = y.artifact_id
            WHERE y.subject_id = $1 AND a.deleted_at IS NULL
              AND NOT EXISTS (SELECT 1 FROM artifact_reference o JOIN artifact p ON p.id = o.parent_id
                              WHERE o.child_id = y.artifact_id AND o.parent_id <> $1 AND p.deleted_at IS NULL)
        UNION
        SELECT r.child_id FROM artifact_reference r JOIN artifact a ON a.id = r.child_id
            WHERE r.parent_id = $1 AND a.deleted_at IS NULL
              AND NOT EXISTS (SELECT 1 FROM tag t WHERE t.artifact_id = r.child_id AND t.deleted_at IS NULL)
              AND NOT EXISTS (SELECT 1 FROM artifact_reference o JOIN artifact p ON p.id = o.parent_id
                              WHERE o.child_id = r.child_id AND o.parent_id <> $1 AND p.deleted_at IS NULL)";
    let rows: Vec<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(id.get()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(id,)| ArtifactId(id)).collect())
}

/// Deletes an artifact, its tags, labels and accessory row; the names of the tags that went. The artifact's own row goes first: whoever is
/// about to label it waits for this transaction and then finds it gone ([`hold`]).
pub async fn delete(link: &mut Link<'_>, id: ArtifactId, now: i64) -> Result<Vec<String>> {
    const ARTIFACT: &str = "UPDATE artifact SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL";
    const TAGS: &str = "UPDATE tag SET deleted_at = $2 WHERE artifact_id = $1 AND deleted_at IS NULL RETURNING name";
    const ACCESSORY: &str = "DELETE FROM accessory WHERE artifact_id = $1";
    const SUBJECT: &str = "UPDATE accessory SET subject_id = NULL WHERE subject_id = $1";
    const LABELS: &str = "DELETE FROM artifact_label WHERE artifact_id = $1";
    const AWAITED: &str = "DELETE FROM awaited_child WHERE parent_id = $1";
    on!(link, |c| sqlx::query(ARTIFACT).bind(id.get()).bind(now).execute(c).await.map(drop))?;
    let tags: Vec<(String,)> = on!(link, |c| sqlx::query_as(TAGS).bind(id.get()).bind(now).fetch_all(c).await)?;
    for sql in [ACCESSORY, SUBJECT, LABELS, AWAITED] {
        on!(link, |c| sqlx::query(sql).bind(id.get()).execute(c).await.map(drop))?;
    }
    Ok(tags.into_iter().map(|(name,)| name).collect())
}

/// Keeps an artifact from being deleted until this transaction ends; `false` when it is gone already.
pub async fn hold(link: &mut Link<'_>, id: ArtifactId) -> Result<bool> {
    const SQL: &str = "UPDATE artifact SET id = id WHERE id = $1 AND deleted_at IS NULL RETURNING id";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(id.get()).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// The manifests whose subject is `digest`, oldest first.
pub async fn referrers(link: &mut Link<'_>, repository: RepositoryId, digest: &str, part: ReferrersPart) -> Result<Vec<ReferrerRow>> {
    // The second arm: signatures that point by their tag, not by a subject.
    // Lengths are summed up apart from the texts: what an engine sorts or numbers it holds as a whole.
    const SQL: &str = "SELECT r.manifest_media_type, r.digest, r.manifest_size, r.referrer_type, c.annotation_bytes,
            CASE WHEN c.bytes - c.annotation_bytes <= $5 THEN r.annotations END AS annotations
        FROM (SELECT b.id, b.annotation_bytes, CAST(SUM(b.annotation_bytes) OVER (ORDER BY b.id) AS BIGINT) AS bytes
          FROM (SELECT a.id, CAST(COALESCE(octet_length(a.annotations), 0) AS BIGINT) AS annotation_bytes FROM artifact a
            WHERE a.repository_id = $1 AND a.deleted_at IS NULL
              AND (a.subject_digest = $2 OR a.id IN (SELECT y.artifact_id FROM accessory y WHERE y.repository_id = $1 AND y.subject_digest = $2))
            ORDER BY a.id LIMIT $3 OFFSET $4) b) c
        JOIN artifact r ON r.id = c.id ORDER BY c.id";
    Ok(on!(link, |c| sqlx::query_as(SQL)
        .bind(repository.get())
        .bind(digest)
        .bind(part.limit)
        .bind(part.offset)
        .bind(part.bytes)
        .fetch_all(c)
        .await)?)
}

/// How many there are in all, see [`referrers`].
pub async fn count_referrers(link: &mut Link<'_>, repository: RepositoryId, digest: &str) -> Result<u64> {
    const SQL: &str = "SELECT COUNT(*) FROM artifact a WHERE a.repository_id = $1 AND a.deleted_at IS NULL
          AND (a.subject_digest = $2 OR a.id IN (SELECT y.artifact_id FROM accessory y WHERE y.repository_id = $1 AND y.subject_digest = $2))";
    let (count,): (i64,) = on!(link, |c| sqlx::query_as(SQL).bind(repository.get()).bind(digest).fetch_one(c).await)?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// Notes when artifacts were pulled last. `pulls`: artifact and microseconds.
pub async fn set_pulled(link: &mut Link<'_>, id: ArtifactId, at: i64) -> Result<()> {
    const SQL: &str = "UPDATE artifact SET pulled_at = $2 WHERE id = $1 AND (pulled_at IS NULL OR pulled_at < $2)";
    on!(link, |c| sqlx::query(SQL).bind(id.get()).bind(at).execute(c).await.map(drop))?;
    Ok(())
}
