//! Labels: of everybody or of one project, and which artifacts carry them.

use model::list::{ListQuery, Page};
use model::{ArtifactId, ProjectId};

use crate::db::on;
use crate::list::{Column, List};
use crate::{Link, Result};

/// A label. Instants in microseconds.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct LabelRow {
    /// Id.
    pub id: i64,
    /// Name, unique within its scope and project.
    pub name: String,
    /// For people.
    pub description: String,
    /// Any text; `#RRGGBB` is shown.
    pub color: String,
    /// `g` or `p`.
    pub scope: String,
    /// Its project; 0 for everybody's.
    #[sqlx(try_from = "i64")]
    pub project_id: ProjectId,
    /// When it was made.
    pub created_at: i64,
    /// When it changed last.
    pub updated_at: i64,
}

/// What a label is made with.
#[derive(Clone, Debug)]
pub struct NewLabel<'a> {
    /// Name.
    pub name: &'a str,
    /// For people.
    pub description: &'a str,
    /// Any text.
    pub color: &'a str,
    /// `g` or `p`.
    pub scope: &'a str,
    /// 0 for everybody's.
    pub project_id: ProjectId,
}

const COLUMNS: &[Column] = &[
    Column::int(&["id", "ID"], "l.id"),
    Column::text(&["name", "Name"], "l.name"),
    Column::text(&["description", "Description"], "l.description"),
    Column::text(&["color", "Color"], "l.color"),
    Column::text(&["scope", "Scope"], "l.scope"),
    Column::int(&["project_id", "ProjectID"], "l.project_id"),
    Column::time(&["creation_time", "CreationTime"], "l.created_at"),
    Column::time(&["update_time", "UpdateTime"], "l.updated_at"),
];

/// Everybody's labels (`project` none) or those of one project, oldest first unless the query orders otherwise.
pub async fn list(link: &mut Link<'_>, project: Option<ProjectId>, query: &ListQuery) -> Result<Page<LabelRow>> {
    const SELECT: &str = "SELECT l.id, l.name, l.description, l.color, l.scope, l.project_id, l.created_at, l.updated_at";
    let list = List::new(SELECT, "FROM label l", COLUMNS, "l.id", "l.id");
    match project {
        None => list.condition("l.scope = 'g'", []),
        Some(id) => list.condition("l.scope = 'p' AND l.project_id = ?", [id.get().into()]),
    }
    .page(link, query)
    .await
}

/// The label with this id.
pub async fn get(link: &mut Link<'_>, id: i64) -> Result<Option<LabelRow>> {
    const SQL: &str = "SELECT id, name, description, color, scope, project_id, created_at, updated_at FROM label WHERE id = $1";
    Ok(on!(link, |c| sqlx::query_as(SQL).bind(id).fetch_optional(c).await)?)
}

/// Makes a label; [`crate::Error::Duplicate`] when the name is taken where it lives.
pub async fn insert(link: &mut Link<'_>, label: &NewLabel<'_>, now: i64) -> Result<i64> {
    const SQL: &str = "INSERT INTO label (name, description, color, scope, project_id, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING id";
    let (id,): (i64,) = on!(link, |c| sqlx::query_as(SQL)
        .bind(label.name)
        .bind(label.description)
        .bind(label.color)
        .bind(label.scope)
        .bind(label.project_id.get())
        .bind(now)
        .fetch_one(c)
        .await)?;
    Ok(id)
}

/// Changes name, description and colour; whether it was there. [`crate::Error::Duplicate`] when the name is taken.
pub async fn update(link: &mut Link<'_>, id: i64, name: &str, description: &str, color: &str, now: i64) -> Result<bool> {
    const SQL: &str = "UPDATE label SET name = $2, description = $3, color = $4, updated_at = $5 WHERE id = $1 RETURNING id";
    let row: Option<(i64,)> =
        on!(link, |c| sqlx::query_as(SQL).bind(id).bind(name).bind(description).bind(color).bind(now).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Deletes a label and takes it off all artifacts; whether it was there.
pub async fn delete(link: &mut Link<'_>, id: i64) -> Result<bool> {
    const LINKS: &str = "DELETE FROM artifact_label WHERE label_id = $1";
    const SQL: &str = "DELETE FROM label WHERE id = $1 RETURNING id";
    on!(link, |c| sqlx::query(LINKS).bind(id).execute(c).await.map(drop))?;
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(id).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Deletes the labels of a project, for when it goes.
pub async fn delete_of_project(link: &mut Link<'_>, project: ProjectId) -> Result<()> {
    for sql in [
        "DELETE FROM artifact_label WHERE label_id IN (SELECT id FROM label WHERE scope = 'p' AND project_id = $1)",
        "DELETE FROM label WHERE scope = 'p' AND project_id = $1",
    ] {
        on!(link, |c| sqlx::query(sql).bind(project.get()).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// Puts a label on an artifact; [`crate::Error::Duplicate`] when it is there already.
pub async fn attach(link: &mut Link<'_>, artifact: ArtifactId, label: i64, now: i64) -> Result<()> {
    const SQL: &str = "INSERT INTO artifact_label (artifact_id, label_id, created_at) VALUES ($1, $2, $3)";
    on!(link, |c| sqlx::query(SQL).bind(artifact.get()).bind(label).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

/// Takes a label off an artifact; whether it was there.
pub async fn detach(link: &mut Link<'_>, artifact: ArtifactId, label: i64) -> Result<bool> {
    const SQL: &str = "DELETE FROM artifact_label WHERE artifact_id = $1 AND label_id = $2 RETURNING label_id";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(artifact.get()).bind(label).fetch_optional(c).await)?;
    Ok(row.is_some())
}
