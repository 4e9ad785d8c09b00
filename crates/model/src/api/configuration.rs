//! Settings that administrators change while the server runs. Only keys that have an effect are offered; others are ignored, as unknown ones are.

use serde::{Deserialize, Serialize};

/// Settings to change; what is absent stays. Also how changed settings are kept: each field by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Configurations {
    /// How people sign in: `db_auth`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_mode: Option<String>,
    /// Text for everybody, or the portal's JSON for it; empty for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banner_message: Option<String>,
    /// Kinds of events that the audit log does not have, separated by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_audit_log_event_types: Option<String>,
    /// `everyone` or `adminonly`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_creation_restriction: Option<String>,
    /// Are pulls left out of the audit log?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_audit_log_disable: Option<bool>,
    /// Do limits of projects count?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota_per_project_enable: Option<bool>,
    /// Are changes refused?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// What robot names begin with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub robot_name_prefix: Option<String>,
    /// Days that a robot lives unless somebody says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub robot_token_duration: Option<i64>,
    /// May people make accounts for themselves?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_registration: Option<bool>,
    /// Minutes without use after which a session ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_timeout: Option<i64>,
    /// Bytes that a new project may hold; -1 without limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_per_project: Option<i64>,
    /// Minutes for which a registry token is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_expiration: Option<i64>,
}

/// Declares a value with whether it can be changed.
macro_rules! items {
    ($($(#[$doc:meta])* $item:ident: $value:ty;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub struct $item {
            /// The value in force.
            pub value: $value,
            /// Can it be changed?
            pub editable: bool,
        }

        impl $item {
            /// A value that can be changed.
            pub fn editable(value: impl Into<$value>) -> Self {
                Self { value: value.into(), editable: true }
            }
        }
    )+};
}

items! {
    /// Yes or no.
    BoolConfigItem: bool;
    /// A whole number.
    IntegerConfigItem: i64;
    /// A text.
    StringConfigItem: String;
}

/// The settings in force, by the keys of [`Configurations`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[expect(missing_docs, reason = "said at the same fields of `Configurations`")]
pub struct ConfigurationsResponse {
    pub auth_mode: StringConfigItem,
    pub banner_message: StringConfigItem,
    pub disabled_audit_log_event_types: StringConfigItem,
    pub project_creation_restriction: StringConfigItem,
    /// Only shown when it is on: other clients of the API do not know the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_audit_log_disable: Option<BoolConfigItem>,
    pub quota_per_project_enable: BoolConfigItem,
    pub read_only: BoolConfigItem,
    pub robot_name_prefix: StringConfigItem,
    pub robot_token_duration: IntegerConfigItem,
    pub self_registration: BoolConfigItem,
    pub session_timeout: IntegerConfigItem,
    pub storage_per_project: IntegerConfigItem,
    pub token_expiration: IntegerConfigItem,
}
