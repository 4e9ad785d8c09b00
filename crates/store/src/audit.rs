//! What was done by whom: one row per operation.

use model::ProjectId;

use crate::db::on;
use crate::{Link, Result};

/// An operation to record. `op_time` in microseconds.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// Where; 0 is the system.
    pub project_id: ProjectId,
    /// `create`, `delete`, `pull`, …
    pub operation: &'static str,
    /// `artifact`, `repository`, `project`, …
    pub resource_type: &'static str,
    /// What, as people name it: `project/repo:tag`.
    pub resource: String,
    /// By whom; `anonymous` for nobody.
    pub username: String,
    /// When.
    pub op_time: i64,
}

/// Appends entries in one statement.
pub async fn append(link: &mut Link<'_>, entries: &[AuditEntry]) -> Result<()> {
    // 6 parameters a row: far below the limits of both engines (32766 and 65535).
    for chunk in entries.chunks(1000) {
        let rows: Vec<String> = (0..chunk.len())
            .map(|i| {
                let n = i * 6;
                format!("(${}, ${}, ${}, ${}, ${}, ${})", n + 1, n + 2, n + 3, n + 4, n + 5, n + 6)
            })
            .collect();
        let sql =
            format!("INSERT INTO audit_log (project_id, operation, resource_type, resource, username, op_time) VALUES {}", rows.join(", "));
        on!(link, |c| {
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
            for e in chunk {
                query = query
                    .bind(e.project_id.get())
                    .bind(e.operation)
                    .bind(e.resource_type)
                    .bind(e.resource.clone())
                    .bind(e.username.clone())
                    .bind(e.op_time);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}
