//! Artifacts as people read them: one `SELECT` for lists and single reads, which gathers tags, children, accessories and labels as JSON in the
//! same statement, so that no list makes a query per row.

use model::list::{ListQuery, Page, Paging};
use model::{ArtifactId, ProjectId, RepositoryId};

use crate::db::on;
use crate::dialect::{self, Engine};
use crate::list::{Bind, Column, FirstOf, List};
use crate::{Link, Result};

/// An artifact as lists and single reads show it. `tags` and what follows are JSON arrays as texts, none when empty or not asked for.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ListedArtifact {
    /// Id.
    #[sqlx(try_from = "i64")]
    pub id: ArtifactId,
    /// Project.
    #[sqlx(try_from = "i64")]
    pub project_id: ProjectId,
    /// Repository.
    #[sqlx(try_from = "i64")]
    pub repository_id: RepositoryId,
    /// `project/path`.
    pub repository_name: String,
    /// Digest.
    pub digest: String,
    /// Harbor's type.
    pub kind: String,
    /// See [`super::NewArtifact::media_type`].
    pub media_type: String,
    /// The manifest's media type.
    pub manifest_media_type: String,
    /// What it says to be.
    pub artifact_type: String,
    /// Bytes altogether.
    pub size: i64,
    /// Digest of an icon of its own, or empty.
    pub icon: String,
    /// JSON object; none in a list when it is too large for one.
    pub annotations: Option<String>,
    /// JSON object; none in a list when it is too large for one.
    pub extra_attrs: Option<String>,
    /// Microseconds.
    pub pushed_at: i64,
    /// Microseconds.
    pub pulled_at: Option<i64>,
    /// What it is to its subject, when it is an accessory.
    pub accessory_kind: Option<String>,
    /// `[{id, name, artifact_id, repository_id, pushed_at, pulled_at}]`, newest first.
    pub tags: Option<String>,
    /// `[{child_id, child_digest, parent_id, platform, urls, annotations}]`, the last three JSON texts themselves; oldest child first. In a list only
    /// so many, and without the last three when all of them together are too large.
    pub children: Option<String>,
    /// `[{id, artifact_id, subject_id, subject_digest, kind, size, digest, created_at}]`.
    pub accessories: Option<String>,
    /// `[{id, name, description, color, scope, project_id, created_at, updated_at}]`, in the order in which they were put on.
    pub labels: Option<String>,
}

/// Which parts of an artifact are read with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct With {
    /// Its tags.
    pub tags: bool,
    /// Its labels.
    pub labels: bool,
    /// Its accessories.
    pub accessories: bool,
}

/// Where artifacts are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In one repository.
    Repository(RepositoryId),
    /// In all repositories of a project.
    Project(ProjectId),
}

/// Which artifacts are listed. Accessories never are: they are found with their subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Also untagged children of an index, which are left out otherwise.
    pub everything: bool,
    /// By tag.
    pub tags: Option<TagFilter>,
    /// Those that carry all of these labels.
    pub labels: Vec<i64>,
    /// Of each repository only the artifact that was pushed last, of those that match everything else.
    pub latest_in_repository: bool,
}

/// What is asked of an artifact's tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagFilter {
    /// It has one.
    Any,
    /// It has none.
    None,
    /// One of them is this.
    Exact(String),
    /// One of them contains this, whatever the case.
    Fuzzy(String),
}

const COLUMNS: &[Column] = &[
    Column::int(&["id", "ID"], "a.id"),
    Column::text(&["type", "Type"], "a.kind"),
    Column::text(&["media_type", "MediaType"], "a.media_type"),
    Column::text(&["manifest_media_type", "ManifestMediaType"], "a.manifest_media_type"),
    Column::text(&["artifact_type", "ArtifactType"], "a.artifact_type"),
    Column::int(&["project_id", "ProjectID"], "a.project_id"),
    Column::int(&["repository_id", "RepositoryID"], "a.repository_id"),
    Column::text(&["repository_name", "RepositoryName"], "p.name || '/' || r.name"),
    Column::text(&["digest", "Digest"], "a.digest"),
    Column::int(&["size", "Size"], "a.size"),
    Column::text(&["icon", "Icon"], "a.icon"),
    Column::time(&["push_time", "PushTime"], "a.pushed_at"),
    Column::time(&["pull_time", "PullTime"], "a.pulled_at").nullable(),
];

const FROM: &str = "FROM artifact a JOIN repository r ON r.id = a.repository_id JOIN project p ON p.id = a.project_id";

/// The condition that an artifact `a` is none of another one's accessories.
const OWN: &str = "NOT EXISTS (SELECT 1 FROM accessory y WHERE y.artifact_id = a.id)";

/// The condition that an artifact `a` stands for itself: tagged, or untagged and in no index; an accessory never.
pub(crate) const LISTED: &str = "NOT EXISTS (SELECT 1 FROM accessory y WHERE y.artifact_id = a.id)
    AND (EXISTS (SELECT 1 FROM tag t WHERE t.artifact_id = a.id AND t.deleted_at IS NULL)
      OR NOT EXISTS (SELECT 1 FROM artifact_reference f JOIN artifact fp ON fp.id = f.parent_id WHERE f.child_id = a.id AND fp.deleted_at IS NULL))";

/// The artifact of a repository that was pushed last.
const LATEST: FirstOf = FirstOf { group: "a.repository_id", order: "a.pushed_at DESC, a.id DESC", id: "a.id" };

/// Bytes that a document of an artifact may have to be shown on a page: it must stay small, whatever was pushed.
const LISTED_DOCUMENT: u32 = 64 << 10;
/// Children of an index that a page shows.
const LISTED_CHILDREN: u32 = 200;
/// The same for a list that is not cut into pages.
const LONG_LISTED_DOCUMENT: u32 = 8 << 10;
const LONG_LISTED_CHILDREN: u32 = 50;

/// What an artifact may show of itself in a list.
#[derive(Clone, Copy)]
struct Room {
    document: u32,
    children: u32,
}

impl Room {
    /// In a list of so many rows.
    fn of(rows: u64) -> Self {
        if rows <= Paging::MAX_PAGE_SIZE.unsigned_abs() {
            Self { document: LISTED_DOCUMENT, children: LISTED_CHILDREN }
        } else {
            Self { document: LONG_LISTED_DOCUMENT, children: LONG_LISTED_CHILDREN }
        }
    }
}

/// `SELECT` list of [`ListedArtifact`] over [`FROM`]; in lists without the documents that are too large for them.
fn select(engine: Engine, with: With, room: Option<Room>) -> String {
    let document = |column: &str| match room {
        Some(Room { document, .. }) => format!("CASE WHEN octet_length({column}) <= {document} THEN {column} END"),
        None => column.to_owned(),
    };
    let (annotations, extra_attrs) = (document("a.annotations"), document("a.extra_attrs"));
    let part = |wanted: bool, sql: String| if wanted { sql } else { "CAST(NULL AS TEXT)".to_owned() };
    format!(
        "SELECT a.id, a.project_id, a.repository_id, p.name || '/' || r.name AS repository_name, a.digest, a.kind, a.media_type, a.manifest_media_type,
            a.artifact_type, a.size, a.icon, {annotations} AS annotations, {extra_attrs} AS extra_attrs, a.pushed_at, a.pulled_at,
            (SELECT y.kind FROM accessory y WHERE y.artifact_id = a.id) AS accessory_kind,
            {} AS children, {} AS tags, {} AS accessories, {} AS labels",
        children_sql(engine, room),
        part(with.tags, tags_sql(engine)),
        part(with.accessories, accessories_sql(engine)),
        part(with.labels, labels_sql(engine)),
    )
}

fn children_sql(engine: Engine, room: Option<Room>) -> String {
    let child = engine.json_object(
        "'child_id', f.child_id, 'child_digest', f.child_digest, 'parent_id', f.parent_id, 'platform', f.platform, 'urls', f.urls, 'annotations', f.annotations",
    );
    let array = engine.json_array(&child, "f.child_id");
    let Some(Room { document, children }) = room else {
        return format!("(SELECT {array} FROM artifact_reference f WHERE f.parent_id = a.id)");
    };
    let document = |column: &str| format!("CASE WHEN c.bytes <= {document} THEN c.{column} END AS {column}");
    let (platform, urls, annotations) = (document("platform"), document("urls"), document("annotations"));
    format!(
        "(SELECT {array} FROM (SELECT c.child_id, c.child_digest, c.parent_id, {platform}, {urls}, {annotations} FROM (
            SELECT r.child_id, r.child_digest, r.parent_id, r.platform, r.urls, r.annotations, SUM(COALESCE(octet_length(r.platform), 0)
                + COALESCE(octet_length(r.urls), 0) + COALESCE(octet_length(r.annotations), 0)) OVER () AS bytes
            FROM artifact_reference r WHERE r.parent_id = a.id) c ORDER BY c.child_id LIMIT {children}) f)"
    )
}

fn tags_sql(engine: Engine) -> String {
    let tag = engine.json_object(
        "'id', t.id, 'name', t.name, 'artifact_id', t.artifact_id, 'repository_id', t.repository_id, 'pushed_at', t.pushed_at, 'pulled_at', t.pulled_at",
    );
    format!(
        "(SELECT {} FROM tag t WHERE t.artifact_id = a.id AND t.deleted_at IS NULL)",
        engine.json_array(&tag, "t.pushed_at DESC, t.id DESC")
    )
}

fn accessories_sql(engine: Engine) -> String {
    let accessory = engine.json_object(
        "'id', y.id, 'artifact_id', y.artifact_id, 'subject_id', y.subject_id, 'subject_digest', y.subject_digest, 'kind', y.kind, 'size', ya.size, 'digest', ya.digest, 'created_at', y.created_at",
    );
    format!(
        "(SELECT {} FROM accessory y JOIN artifact ya ON ya.id = y.artifact_id WHERE y.subject_id = a.id AND ya.deleted_at IS NULL)",
        engine.json_array(&accessory, "y.id")
    )
}

fn labels_sql(engine: Engine) -> String {
    let label = engine.json_object(
        "'id', l.id, 'name', l.name, 'description', l.description, 'color', l.color, 'scope', l.scope, 'project_id', l.project_id, 'created_at', l.created_at, 'updated_at', l.updated_at",
    );
    format!(
        "(SELECT {} FROM artifact_label al JOIN label l ON l.id = al.label_id WHERE al.artifact_id = a.id)",
        engine.json_array(&label, "al.created_at, l.id")
    )
}

/// Artifacts of a repository or a project: newest first unless the query orders otherwise.
pub async fn list(link: &mut Link<'_>, scope: Scope, filter: &Filter, with: With, query: &ListQuery) -> Result<Page<ListedArtifact>> {
    let engine = link.engine();
    let mut list = List::new(select(engine, with, Some(Room::of(query.limit()))), FROM, COLUMNS, "a.pushed_at DESC", "a.id DESC")
        .condition("a.deleted_at IS NULL", []);
    list = match scope {
        Scope::Repository(id) => list.condition("a.repository_id = ?", [id.get().into()]),
        Scope::Project(id) => list.condition("a.project_id = ?", [id.get().into()]),
    };
    list = list.condition(if filter.everything { OWN } else { LISTED }, []);
    if let Some(tags) = &filter.tags {
        let (sql, bind) = tag_condition(engine, tags);
        list = list.condition(sql, bind);
    }
    for label in &filter.labels {
        list =
            list.condition("EXISTS (SELECT 1 FROM artifact_label al WHERE al.artifact_id = a.id AND al.label_id = ?)", [(*label).into()]);
    }
    list.first_of(filter.latest_in_repository.then_some(LATEST)).page(link, query).await
}

fn tag_condition(engine: Engine, filter: &TagFilter) -> (String, Option<Bind>) {
    let any = "EXISTS (SELECT 1 FROM tag t WHERE t.artifact_id = a.id AND t.deleted_at IS NULL";
    match filter {
        TagFilter::Any => (format!("{any})"), None),
        TagFilter::None => (format!("NOT {any})"), None),
        TagFilter::Exact(name) => (format!("{any} AND t.name = ?)"), Some(name.as_str().into())),
        TagFilter::Fuzzy(text) => (format!("{any} AND {})", engine.like_any_case("t.name", "?")), Some(dialect::contains(text).into())),
    }
}

/// The artifact with this digest.
pub async fn get_by_digest(link: &mut Link<'_>, repository: RepositoryId, digest: &str, with: With) -> Result<Option<ListedArtifact>> {
    let select = select(link.engine(), with, None);
    let sql = format!("{select} {FROM} WHERE a.repository_id = $1 AND a.digest = $2 AND a.deleted_at IS NULL");
    Ok(on!(link, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(repository.get()).bind(digest).fetch_optional(c).await)?)
}

/// The artifact that this tag names.
pub async fn get_by_tag(link: &mut Link<'_>, repository: RepositoryId, tag: &str, with: With) -> Result<Option<ListedArtifact>> {
    let select = select(link.engine(), with, None);
    let sql = format!(
        "{select} {FROM} JOIN tag named ON named.artifact_id = a.id
         WHERE named.repository_id = $1 AND named.name = $2 AND named.deleted_at IS NULL AND a.deleted_at IS NULL"
    );
    Ok(on!(link, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(repository.get()).bind(tag).fetch_optional(c).await)?)
}
