//! How an instance is set up, as far as rules depend on it: what it was started with, and over that what administrators changed since. The server's
//! configuration makes the former, [`crate::setting`] the latter; rules read [`crate::Core::settings`].

use std::sync::{Arc, PoisonError, RwLock};

use model::api::Configurations;

/// Settings of the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Lifetime of registry tokens in seconds.
    pub token_lifetime: i64,
    /// Lifetime of a portal session without use, in seconds.
    pub session_lifetime: i64,
    /// What robot names begin with.
    pub robot_prefix: String,
    /// Days that a robot lives unless its maker says otherwise.
    pub robot_duration: i64,
    /// Whether anybody may make an account in the portal.
    pub self_registration: bool,
    /// Whether only administrators may make projects.
    pub project_creation_admin_only: bool,
    /// Whether projects have limits that count.
    pub quota_per_project: bool,
    /// Bytes a new project may hold; -1 without limit.
    pub storage_per_project: i64,
    /// Whether every change is refused.
    pub read_only: bool,
    /// Whether the audit log has pulls.
    pub pull_audit: bool,
    /// Kinds of events that the audit log does not have: `operation_resource-type`, separated by commas.
    pub disabled_audit_events: String,
    /// Text for everybody; empty for none.
    pub banner: String,
    /// The certificate that clients have to trust, in PEM, when there is one of our own making.
    pub ca_certificate: Option<String>,
    /// Bytes one blob may have; none without limit.
    pub max_blob_bytes: Option<u64>,
    /// Whether an index is stored though manifests that it names are not there.
    pub sparse_indexes: bool,
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
            robot_duration: 30,
            self_registration: false,
            project_creation_admin_only: false,
            quota_per_project: true,
            storage_per_project: -1,
            read_only: false,
            pull_audit: true,
            disabled_audit_events: String::new(),
            banner: String::new(),
            ca_certificate: None,
            max_blob_bytes: None,
            sparse_indexes: false,
            upload_lifetime: 168 * 3600,
            external_url: None,
        }
    }
}

impl Settings {
    /// Whether a person's name may begin as robot names do. Then a name that is no robot's may still be a person's: nobody is shut out by
    /// a prefix that an administrator chose.
    pub fn robot_prefix_may_be_a_persons(&self) -> bool {
        model::name::validate_username(&self.robot_prefix).is_ok()
    }

    /// Whether the audit log has events of this kind.
    pub fn audits(&self, operation: &str, resource_type: &str) -> bool {
        let is_it = |name: &str| {
            let parts = name.trim().split_once('_');
            parts.is_some_and(|(o, t)| o.eq_ignore_ascii_case(operation) && t.eq_ignore_ascii_case(resource_type))
        };
        !self.disabled_audit_events.split(',').any(is_it)
    }

    /// These with what was changed since the start.
    #[must_use]
    pub fn with(mut self, changed: Configurations) -> Self {
        fn set<T>(place: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *place = value;
            }
        }
        set(&mut self.token_lifetime, changed.token_expiration.map(|minutes| minutes.saturating_mul(60)));
        set(&mut self.session_lifetime, changed.session_timeout.map(|minutes| minutes.saturating_mul(60)));
        set(&mut self.robot_prefix, changed.robot_name_prefix);
        set(&mut self.robot_duration, changed.robot_token_duration);
        set(&mut self.self_registration, changed.self_registration);
        set(&mut self.project_creation_admin_only, changed.project_creation_restriction.map(|who| who == crate::setting::ADMIN_ONLY));
        set(&mut self.quota_per_project, changed.quota_per_project_enable);
        set(&mut self.storage_per_project, changed.storage_per_project);
        set(&mut self.read_only, changed.read_only);
        set(&mut self.pull_audit, changed.pull_audit_log_disable.map(|disabled| !disabled));
        set(&mut self.disabled_audit_events, changed.disabled_audit_log_event_types);
        set(&mut self.banner, changed.banner_message);
        self
    }
}

/// The settings in force. Reading takes no more than the time to copy a pointer, so hot paths may.
#[derive(Debug)]
pub struct Current {
    started_with: Settings,
    now: RwLock<Arc<Settings>>,
}

impl Current {
    /// In force until something is changed.
    pub fn new(started_with: Settings) -> Self {
        Self { now: RwLock::new(Arc::new(started_with.clone())), started_with }
    }

    /// The settings in force now. They do not change under the reader; ask again for the next decision.
    pub fn get(&self) -> Arc<Settings> {
        // A writer only swaps pointers: nothing half-done can be seen after a panic.
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts everything in force that was changed since the start.
    pub(crate) fn change(&self, changed: Configurations) {
        let settings = Arc::new(self.started_with.clone().with(changed));
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = settings;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_events_are_switched_off_whatever_the_case() {
        let all = Settings::default();
        assert!(all.audits("create", "project") && all.audits("pull", "artifact"));
        let some = Settings { disabled_audit_events: "pull_artifact, Create_Project,create_moon".into(), ..Settings::default() };
        assert!(!some.audits("pull", "artifact") && !some.audits("create", "project"));
        assert!(some.audits("delete", "project") && some.audits("create", "artifact"));
    }

    #[test]
    fn what_was_changed_counts_over_what_the_server_was_started_with() {
        let current = Current::new(Settings { token_lifetime: 90, max_blob_bytes: Some(5), ..Settings::default() });
        let before = current.get();
        current.change(Configurations { token_expiration: Some(5), read_only: Some(true), ..Configurations::default() });
        current.change(Configurations { session_timeout: Some(2), pull_audit_log_disable: Some(true), ..Configurations::default() });
        assert_eq!((before.token_lifetime, before.pull_audit), (90, true));
        let expected = Settings { session_lifetime: 120, pull_audit: false, ..(*before).clone() };
        assert_eq!(*current.get(), expected, "what is not changed any more is as at the start");
        current.change(Configurations { token_expiration: Some(i64::MAX), ..Configurations::default() });
        assert_eq!(current.get().token_lifetime, i64::MAX);
    }
}
