//! Sessions of people in a browser. Only the SHA-256 of what the cookie holds is stored.

use model::UserId;

use crate::db::on;
use crate::user::UserRow;
use crate::{Link, Result};

/// A session that has not expired. Instants in microseconds.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SessionRow {
    /// Whose.
    #[sqlx(try_from = "i64")]
    pub user_id: UserId,
    /// When it ends without further use.
    pub expires_at: i64,
}

/// Begins a session.
pub async fn insert(link: &mut Link<'_>, token_hash: &[u8], user: UserId, now: i64, expires_at: i64) -> Result<()> {
    const SQL: &str = "INSERT INTO session (token_hash, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)";
    on!(link, |c| sqlx::query(SQL).bind(token_hash).bind(user.get()).bind(now).bind(expires_at).execute(c).await.map(drop))?;
    Ok(())
}

/// The session with this hash, unless it has expired, and its account, unless it was deleted.
pub async fn find(link: &mut Link<'_>, token_hash: &[u8], now: i64) -> Result<Option<(SessionRow, Option<UserRow>)>> {
    const SQL: &str = "SELECT user_id, expires_at FROM session WHERE token_hash = $1 AND expires_at > $2";
    let row: Option<SessionRow> = on!(link, |c| sqlx::query_as(SQL).bind(token_hash).bind(now).fetch_optional(c).await)?;
    let Some(row) = row else { return Ok(None) };
    let user = crate::user::by_id(link, row.user_id).await?;
    Ok(Some((row, user)))
}

/// Moves the end of a session.
pub async fn extend(link: &mut Link<'_>, token_hash: &[u8], expires_at: i64) -> Result<()> {
    const SQL: &str = "UPDATE session SET expires_at = $2 WHERE token_hash = $1 AND expires_at < $2";
    on!(link, |c| sqlx::query(SQL).bind(token_hash).bind(expires_at).execute(c).await.map(drop))?;
    Ok(())
}

/// Lets no session last longer than until `latest`: for when the time that a session lasts became shorter.
pub async fn shorten(link: &mut Link<'_>, latest: i64) -> Result<()> {
    const SQL: &str = "UPDATE session SET expires_at = $1 WHERE expires_at > $1";
    on!(link, |c| sqlx::query(SQL).bind(latest).execute(c).await.map(drop))?;
    Ok(())
}

/// Ends one session; whose it was.
pub async fn delete(link: &mut Link<'_>, token_hash: &[u8]) -> Result<Option<UserId>> {
    const SQL: &str = "DELETE FROM session WHERE token_hash = $1 RETURNING user_id";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(token_hash).fetch_optional(c).await)?;
    Ok(row.map(|(user,)| UserId(user)))
}

/// Ends all sessions of an account.
pub async fn delete_of(link: &mut Link<'_>, user: UserId) -> Result<()> {
    const SQL: &str = "DELETE FROM session WHERE user_id = $1";
    on!(link, |c| sqlx::query(SQL).bind(user.get()).execute(c).await.map(drop))?;
    Ok(())
}

/// Removes rows of sessions that have expired.
pub async fn delete_expired(link: &mut Link<'_>, now: i64) -> Result<()> {
    const SQL: &str = "DELETE FROM session WHERE expires_at <= $1";
    on!(link, |c| sqlx::query(SQL).bind(now).execute(c).await.map(drop))?;
    Ok(())
}
