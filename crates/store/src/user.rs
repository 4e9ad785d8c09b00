//! People's accounts and who they are to each source of identities. Local accounts have the source `local` with a password's hash.

use model::list::{ListQuery, Page};
use model::{ProjectId, UserId};

use crate::db::on;
use crate::list::{Column, List};
use crate::{Engine, Link, Result};

/// The source of accounts that live here.
const LOCAL: &str = "local";

/// An account that is not deleted. Instants in microseconds.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct UserRow {
    /// Id; 1 is the built-in administrator.
    #[sqlx(try_from = "i64")]
    pub id: UserId,
    /// Login name, upper and lower case apart.
    pub username: String,
    /// Address; the built-in administrator has none.
    pub email: Option<String>,
    /// Name for people.
    pub realname: String,
    /// A remark.
    pub comment: String,
    /// System administrator.
    pub is_admin: bool,
    /// When it was made.
    pub created_at: i64,
    /// When it changed last.
    pub updated_at: i64,
}

/// An account with what its password is checked against.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Login {
    /// The account.
    #[sqlx(flatten)]
    pub user: UserRow,
    /// PHC string; `None` for accounts of another source.
    pub secret_hash: Option<String>,
}

/// A new account.
#[derive(Clone, Debug)]
pub struct NewUser<'a> {
    /// Login name.
    pub username: &'a str,
    /// Address.
    pub email: Option<&'a str>,
    /// Name for people.
    pub realname: &'a str,
    /// A remark.
    pub comment: &'a str,
    /// System administrator.
    pub is_admin: bool,
}

const COLUMNS: &[Column] = &[
    Column::int(&["user_id", "UserID", "id"], "id"),
    Column::text(&["username", "Username"], "username"),
    Column::text(&["email", "Email"], "email").nullable(),
    Column::text(&["realname", "Realname"], "realname"),
    Column::text(&["comment", "Comment"], "comment"),
    Column::boolean(&["sysadmin_flag", "SysAdminFlag", "sys_admin_flag"], "is_admin"),
    Column::time(&["creation_time", "CreationTime"], "created_at"),
    Column::time(&["update_time", "UpdateTime"], "updated_at"),
];

const SELECT: &str = "SELECT id, username, email, realname, comment, is_admin, created_at, updated_at";

/// The account with this id.
pub async fn by_id(link: &mut Link<'_>, id: UserId) -> Result<Option<UserRow>> {
    const SQL: &str = "SELECT id, username, email, realname, comment, is_admin, created_at, updated_at FROM user_account
        WHERE id = $1 AND deleted_at IS NULL";
    Ok(on!(link, |c| sqlx::query_as(SQL).bind(id.get()).fetch_optional(c).await)?)
}

/// The account with this login name.
pub async fn by_name(link: &mut Link<'_>, name: &str) -> Result<Option<UserRow>> {
    const SQL: &str = "SELECT id, username, email, realname, comment, is_admin, created_at, updated_at FROM user_account
        WHERE username = $1 AND deleted_at IS NULL";
    Ok(on!(link, |c| sqlx::query_as(SQL).bind(name).fetch_optional(c).await)?)
}

/// The account with this address.
pub async fn by_email(link: &mut Link<'_>, email: &str) -> Result<Option<UserRow>> {
    const SQL: &str = "SELECT id, username, email, realname, comment, is_admin, created_at, updated_at FROM user_account
        WHERE email = $1 AND deleted_at IS NULL";
    Ok(on!(link, |c| sqlx::query_as(SQL).bind(email).fetch_optional(c).await)?)
}

/// The account that signs in as `principal`: a login name, else an address.
pub async fn login(link: &mut Link<'_>, principal: &str) -> Result<Option<Login>> {
    const SQL: &str = "SELECT u.id, u.username, u.email, u.realname, u.comment, u.is_admin, u.created_at, u.updated_at, i.secret_hash
          FROM user_account u LEFT JOIN identity i ON i.user_id = u.id AND i.source = 'local'
          WHERE u.username = $1 AND u.deleted_at IS NULL
        UNION ALL
        SELECT u.id, u.username, u.email, u.realname, u.comment, u.is_admin, u.created_at, u.updated_at, i.secret_hash
          FROM user_account u LEFT JOIN identity i ON i.user_id = u.id AND i.source = 'local'
          WHERE u.email = $1 AND u.deleted_at IS NULL";
    let mut rows: Vec<Login> = on!(link, |c| sqlx::query_as(SQL).bind(principal).fetch_all(c).await)?;
    // A login name goes before an address that somebody else spells the same.
    let at = rows.iter().position(|row| row.user.username == principal).unwrap_or(0);
    Ok((at < rows.len()).then(|| rows.swap_remove(at)))
}

/// The hash of a local account's password.
pub async fn secret_hash(link: &mut Link<'_>, id: UserId) -> Result<Option<String>> {
    const SQL: &str = "SELECT secret_hash FROM identity WHERE user_id = $1 AND source = $2";
    let row: Option<(Option<String>,)> = on!(link, |c| sqlx::query_as(SQL).bind(id.get()).bind(LOCAL).fetch_optional(c).await)?;
    Ok(row.and_then(|(hash,)| hash))
}

/// The stored form of the password of a local account that is there, held until the transaction ends: a change of it comes before this, or after all
/// that this transaction does.
pub async fn hold_secret_hash(link: &mut Link<'_>, id: UserId) -> Result<Option<String>> {
    let sql = format!(
        "SELECT i.secret_hash FROM identity i JOIN user_account u ON u.id = i.user_id
         WHERE i.user_id = $1 AND i.source = $2 AND u.deleted_at IS NULL{}",
        link.engine().keeping("i")
    );
    let row: Option<(Option<String>,)> =
        on!(link, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(id.get()).bind(LOCAL).fetch_optional(c).await)?;
    Ok(row.and_then(|(hash,)| hash))
}

/// Makes a local account; [`crate::Error::Duplicate`] when the name or the address is taken.
pub async fn insert(link: &mut Link<'_>, user: &NewUser<'_>, secret_hash: &str, now: i64) -> Result<UserId> {
    const SQL: &str = "INSERT INTO user_account (username, email, realname, comment, is_admin, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING id";
    let (id,): (i64,) = on!(link, |c| sqlx::query_as(SQL)
        .bind(user.username)
        .bind(user.email)
        .bind(user.realname)
        .bind(user.comment)
        .bind(user.is_admin)
        .bind(now)
        .fetch_one(c)
        .await)?;
    let id = UserId(id);
    insert_local_identity(link, id, user.username, secret_hash, now).await?;
    Ok(id)
}

async fn insert_local_identity(link: &mut Link<'_>, id: UserId, username: &str, secret_hash: &str, now: i64) -> Result<()> {
    const SQL: &str =
        "INSERT INTO identity (user_id, source, subject, secret_hash, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)";
    on!(link, |c| sqlx::query(SQL).bind(id.get()).bind(LOCAL).bind(username).bind(secret_hash).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

/// Replaces the password of a local account; whether there was one to replace.
pub async fn set_secret_hash(link: &mut Link<'_>, id: UserId, secret_hash: &str, now: i64) -> Result<bool> {
    const SQL: &str = "UPDATE identity SET secret_hash = $3, updated_at = $4 WHERE user_id = $1 AND source = $2 RETURNING id";
    let row: Option<(i64,)> =
        on!(link, |c| sqlx::query_as(SQL).bind(id.get()).bind(LOCAL).bind(secret_hash).bind(now).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Replaces what people say about themselves; [`crate::Error::Duplicate`] when the address is somebody else's. Whether the account is there.
pub async fn set_profile(link: &mut Link<'_>, id: UserId, email: &str, realname: &str, comment: &str, now: i64) -> Result<bool> {
    const SQL: &str = "UPDATE user_account SET email = $2, realname = $3, comment = $4, updated_at = $5
        WHERE id = $1 AND deleted_at IS NULL RETURNING id";
    let row: Option<(i64,)> =
        on!(link, |c| sqlx::query_as(SQL).bind(id.get()).bind(email).bind(realname).bind(comment).bind(now).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Makes or unmakes an administrator. Whether the account is there.
pub async fn set_admin(link: &mut Link<'_>, id: UserId, is_admin: bool, now: i64) -> Result<bool> {
    const SQL: &str = "UPDATE user_account SET is_admin = $2, updated_at = $3 WHERE id = $1 AND deleted_at IS NULL RETURNING id";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(id.get()).bind(is_admin).bind(now).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Deletes an account: name and address are free at once, identities and memberships go for good. Its sessions keep their rows, which lead to nobody
/// any more. Whether there was such an account.
pub async fn delete(link: &mut Link<'_>, id: UserId, now: i64) -> Result<bool> {
    const SQL: &str = "UPDATE user_account SET deleted_at = $2, is_admin = FALSE, updated_at = $2
        WHERE id = $1 AND deleted_at IS NULL RETURNING id";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(id.get()).bind(now).fetch_optional(c).await)?;
    if row.is_none() {
        return Ok(false);
    }
    for sql in ["DELETE FROM identity WHERE user_id = $1", "DELETE FROM project_member WHERE entity_type = 'u' AND entity_id = $1"] {
        on!(link, |c| sqlx::query(sql).bind(id.get()).execute(c).await.map(drop))?;
    }
    Ok(true)
}

/// Projects in which the account is a member.
pub async fn projects_of(link: &mut Link<'_>, id: UserId) -> Result<Vec<ProjectId>> {
    const SQL: &str = "SELECT project_id FROM project_member WHERE entity_type = 'u' AND entity_id = $1";
    let rows: Vec<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(id.get()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(project,)| ProjectId(project)).collect())
}

/// Whether the account has this role in any project.
pub async fn has_role_anywhere(link: &mut Link<'_>, id: UserId, role: i64) -> Result<bool> {
    const SQL: &str = "SELECT 1 FROM project_member m JOIN project p ON p.id = m.project_id AND p.deleted_at IS NULL
        WHERE m.entity_type = 'u' AND m.entity_id = $1 AND m.role = $2 LIMIT 1";
    let row: Option<(i32,)> = on!(link, |c| sqlx::query_as(SQL).bind(id.get()).bind(role).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// A page of all accounts but the built-in administrator's, by name unless the query says otherwise.
pub async fn list(link: &mut Link<'_>, query: &ListQuery) -> Result<Page<UserRow>> {
    List::new(SELECT, "FROM user_account", COLUMNS, "username", "id").condition("deleted_at IS NULL AND id > 1", []).page(link, query).await
}

/// An account that was searched for by its name.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct FoundUser {
    /// Id.
    #[sqlx(try_from = "i64")]
    pub id: UserId,
    /// Login name.
    pub username: String,
}

/// A page of accounts whose login name contains `text`, upper and lower case apart, shortest first; never the built-in administrator.
pub async fn search(link: &mut Link<'_>, text: &str, page: &ListQuery) -> Result<Page<FoundUser>> {
    let contains = link.engine().contains_exact("username", "?");
    List::new("SELECT id, username", "FROM user_account", &[], "LENGTH(username), username", "id")
        .condition("deleted_at IS NULL AND id > 1", [])
        .condition(contains, [text.into()])
        .page(link, page)
        .await
}

/// What the very first accounts are called: the administrator with id 1, and a deleted one that keeps id 2 from ever being given.
const ADMIN_ID: i64 = 1;

/// Makes the built-in administrator (id 1) and reserves id 2, unless they are there; whether this call made them.
pub async fn insert_first(link: &mut Link<'_>, secret_hash: &str, now: i64) -> Result<bool> {
    const ADMIN: &str = "INSERT INTO user_account (id, username, realname, comment, is_admin, created_at, updated_at)
        VALUES ($1, 'admin', 'system admin', 'admin user', TRUE, $2, $2) ON CONFLICT DO NOTHING RETURNING id";
    const RESERVED: &str = "INSERT INTO user_account (id, username, realname, comment, created_at, updated_at, deleted_at)
        VALUES (2, 'anonymous', 'anonymous user', 'anonymous user', $1, $1, $1) ON CONFLICT DO NOTHING";
    let made: Option<(i64,)> = on!(link, |c| sqlx::query_as(ADMIN).bind(ADMIN_ID).bind(now).fetch_optional(c).await)?;
    if made.is_none() {
        return Ok(false);
    }
    on!(link, |c| sqlx::query(RESERVED).bind(now).execute(c).await.map(drop))?;
    insert_local_identity(link, UserId(ADMIN_ID), "admin", secret_hash, now).await?;
    continue_ids_after(link, "user_account").await?;
    Ok(true)
}

/// Makes the project `library` (id 1, public) of the administrator, unless there are projects; whether this call made it.
pub async fn insert_first_project(link: &mut Link<'_>, now: i64) -> Result<bool> {
    const SQL: &str = "INSERT INTO project (id, name, owner_id, is_public, metadata, created_at, updated_at)
        SELECT 1, 'library', $1, TRUE, '{\"public\":\"true\"}', $2, $2 WHERE NOT EXISTS (SELECT 1 FROM project) RETURNING id";
    const MEMBER: &str = "INSERT INTO project_member (project_id, entity_type, entity_id, role, created_at, updated_at)
        VALUES (1, 'u', $1, 1, $2, $2)";
    let made: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(ADMIN_ID).bind(now).fetch_optional(c).await)?;
    if made.is_none() {
        return Ok(false);
    }
    on!(link, |c| sqlx::query(MEMBER).bind(ADMIN_ID).bind(now).execute(c).await.map(drop))?;
    continue_ids_after(link, "project").await?;
    Ok(true)
}

/// PostgreSQL does not count ids that were given by hand; SQLite does.
async fn continue_ids_after(link: &mut Link<'_>, table: &'static str) -> Result<()> {
    if link.engine() == Engine::Postgres {
        let sql = format!("SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT MAX(id) FROM {table}))");
        on!(link, |c| sqlx::query(sqlx::AssertSqlSafe(sql)).execute(c).await.map(drop))?;
    }
    Ok(())
}
