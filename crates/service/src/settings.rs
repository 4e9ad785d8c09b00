//! How an instance is set up, as far as rules depend on it. The server's configuration makes it.

/// Settings of the rules.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Lifetime of registry tokens in seconds.
    pub token_lifetime: i64,
    /// Lifetime of a portal session without use, in seconds.
    pub session_lifetime: i64,
    /// What robot names begin with.
    pub robot_prefix: String,
    /// Whether anybody may make an account in the portal.
    pub self_registration: bool,
    /// Whether only administrators may make projects.
    pub project_creation_admin_only: bool,
    /// Bytes a new project may hold; -1 without limit.
    pub storage_per_project: i64,
    /// Bytes one blob may have; none without limit.
    pub max_blob_bytes: Option<u64>,
    /// Seconds after which an idle upload is removed.
    pub upload_lifetime: i64,
    /// `scheme://host[:port]` by which people reach the instance, when it is known.
    pub external_url: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            token_lifetime: 30 * 60,
            session_lifetime: 60 * 60,
            robot_prefix: "robot$".into(),
            self_registration: false,
            project_creation_admin_only: false,
            storage_per_project: -1,
            max_blob_bytes: None,
            upload_lifetime: 168 * 3600,
            external_url: None,
        }
    }
}
