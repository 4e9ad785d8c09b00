//! Settings that administrators changed at run time: names and values as JSON texts, which `service` understands.

use crate::db::on;
use crate::{Link, Result};

/// Everything that was changed, by name.
pub async fn all(link: &mut Link<'_>) -> Result<Vec<(String, String)>> {
    const SQL: &str = "SELECT name, value FROM setting ORDER BY name";
    Ok(on!(link, |c| sqlx::query_as(SQL).fetch_all(c).await)?)
}

/// Sets one. `value` is JSON, `now` microseconds.
pub async fn put(link: &mut Link<'_>, name: &str, value: &str, now: i64) -> Result<()> {
    const SQL: &str = "INSERT INTO setting (name, value, updated_at) VALUES ($1, $2, $3)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at";
    on!(link, |c| sqlx::query(SQL).bind(name).bind(value).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

/// Whether there are accounts of people beside the built-in administrator: then how people sign in is settled.
pub async fn has_people(link: &mut Link<'_>) -> Result<bool> {
    const SQL: &str = "SELECT id FROM user_account WHERE id > 1 AND deleted_at IS NULL LIMIT 1";
    let found: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).fetch_optional(c).await)?;
    Ok(found.is_some())
}
