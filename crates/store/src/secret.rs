//! Secrets of the instance (sealed by `service` before they come here): the key that signs tokens, and the like.

use crate::db::on;
use crate::{Link, Result};

/// The sealed secret `name`.
pub async fn get(link: &mut Link<'_>, name: &str) -> Result<Option<Vec<u8>>> {
    const SQL: &str = "SELECT value FROM instance_secret WHERE name = $1";
    let row: Option<(Vec<u8>,)> = on!(link, |c| sqlx::query_as(SQL).bind(name).fetch_optional(c).await)?;
    Ok(row.map(|(value,)| value))
}

/// Stores the secret unless there is one; returns the one that counts from now on.
pub async fn put_if_absent(link: &mut Link<'_>, name: &str, value: &[u8], now: i64) -> Result<Vec<u8>> {
    const SQL: &str = "INSERT INTO instance_secret (name, value, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    on!(link, |c| sqlx::query(SQL).bind(name).bind(value).bind(now).execute(c).await.map(drop))?;
    Ok(get(link, name).await?.unwrap_or_default())
}
