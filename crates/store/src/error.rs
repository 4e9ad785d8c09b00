//! What can go wrong below the rules.

/// Shorthand for this room.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of the database. Absence is not an error: look-ups return `Option`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A unique index refused the row: it exists already.
    #[error("a row with this key exists already")]
    Duplicate,
    /// A foreign key refused the change: something refers to the row, or what it refers to is gone.
    #[error("the row is referred to, or refers to nothing")]
    Reference,
    /// The database is there but somebody else was faster; the transaction may be tried again.
    #[error("the transaction collided with another one")]
    Conflict,
    /// A text has a character that the database cannot keep: a null character. The doors refuse them before; this is the net below.
    #[error("a text has a null character")]
    NullCharacter,
    /// A stored value does not read as what it should be.
    #[error("stored {what} is damaged: {why}")]
    Damaged {
        /// Which column or document.
        what: &'static str,
        /// What its reader said.
        why: String,
    },
    /// The schema could not be brought up to date.
    #[error("migration failed: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// Anything else the driver reports.
    #[error(transparent)]
    Sql(sqlx::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::error::ErrorKind;
        let Some(db) = error.as_database_error() else {
            return Self::Sql(error);
        };
        match (db.kind(), db.code().as_deref()) {
            (ErrorKind::UniqueViolation, _) => Self::Duplicate,
            (ErrorKind::ForeignKeyViolation, _) => Self::Reference,
            // PostgreSQL: serialization failure, deadlock. SQLite: busy, busy snapshot.
            (_, Some("40001" | "40P01" | "5" | "517")) => Self::Conflict,
            // PostgreSQL: a character that is not in the repertoire, an escape that has no translation. A Rust text has no other than U+0000.
            (_, Some("22021" | "22P05")) => Self::NullCharacter,
            _ => Self::Sql(error),
        }
    }
}

impl Error {
    /// Wraps a reader's complaint about a stored document.
    pub(crate) fn damaged(what: &'static str, why: impl std::fmt::Display) -> Self {
        Self::Damaged { what, why: why.to_string() }
    }
}
