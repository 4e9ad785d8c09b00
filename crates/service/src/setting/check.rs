//! What settings may be (config reference 14.1), in the API's words for what they may not.

use model::api::Configurations;

use super::{ADMIN_ONLY, EVERYONE};
use crate::{Error, Result, quota};

/// The highest number of minutes or days.
const HIGHEST: i64 = 9_999_999_999;
/// Characters that a prefix of robot names may have.
const LONGEST_PREFIX: usize = 64;
/// Bytes that a list of kinds of events may have.
const LONGEST_EVENTS: usize = 4 << 10;
/// Bytes that a banner may have.
const LONGEST_BANNER: usize = 16 << 10;

/// The first rule that is broken.
pub(super) fn all(input: &Configurations) -> Result<()> {
    let times = [
        ("token_expiration", input.token_expiration),
        ("robot_token_duration", input.robot_token_duration),
        ("session_timeout", input.session_timeout),
    ];
    for (name, value) in times {
        if let Some(value) = value {
            time(name, value)?;
        }
    }
    if let Some(limit) = input.storage_per_project {
        quota::check_limit(limit).map_err(bad)?;
    }
    if let Some(who) = input.project_creation_restriction.as_deref()
        && who != ADMIN_ONLY
        && who != EVERYONE
    {
        return Err(bad("item name project_creation_restriction: invalid project_creation_restriction, should be adminonly or everyone"));
    }
    if let Some(prefix) = &input.robot_name_prefix {
        robot_prefix(prefix)?;
    }
    if input.banner_message.as_ref().is_some_and(|banner| banner.len() > LONGEST_BANNER) {
        return Err(bad(format!("banner_message cannot be longer than {LONGEST_BANNER} bytes")));
    }
    if input.disabled_audit_log_event_types.as_ref().is_some_and(|kinds| kinds.len() > LONGEST_EVENTS) {
        return Err(bad(format!("disabled_audit_log_event_types cannot be longer than {LONGEST_EVENTS} bytes")));
    }
    Ok(())
}

fn time(name: &str, value: i64) -> Result<()> {
    match value {
        ..=0 => Err(Error::bad_request(format!("the {name} value must be positive"))),
        1..=HIGHEST => Ok(()),
        _ => Err(Error::bad_request(format!("the {name} value is over the limit value: {HIGHEST}"))),
    }
}

/// A colon ends a user name in Basic credentials: with one in the prefix no robot could sign in.
fn robot_prefix(prefix: &str) -> Result<()> {
    if prefix.trim().is_empty() {
        return Err(bad("robot_name_prefix cannot be empty or contain only spaces"));
    }
    if prefix.chars().count() > LONGEST_PREFIX {
        return Err(bad(format!("robot_name_prefix cannot be longer than {LONGEST_PREFIX} characters")));
    }
    if prefix.contains(|c: char| c == ':' || c.is_control()) {
        return Err(bad("robot_name_prefix cannot contain a colon or control characters"));
    }
    Ok(())
}

fn bad(why: impl std::fmt::Display) -> Error {
    Error::bad_request(format!("bad request: {why}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn checked(input: serde_json::Value) -> std::result::Result<(), String> {
        all(&serde_json::from_value(input).unwrap()).map_err(|e| e.message().to_owned())
    }

    #[test]
    fn good_values() {
        for good in [
            json!({}),
            json!({"token_expiration": 1, "session_timeout": HIGHEST, "robot_token_duration": 30}),
            json!({"storage_per_project": -1, "project_creation_restriction": "everyone"}),
            json!({"project_creation_restriction": "adminonly", "robot_name_prefix": "robot-", "banner_message": "hello all"}),
            json!({"robot_name_prefix": "r".repeat(LONGEST_PREFIX), "banner_message": "x".repeat(LONGEST_BANNER)}),
        ] {
            assert_eq!(checked(good.clone()), Ok(()), "{good}");
        }
    }

    #[test]
    fn bad_values_are_refused_in_the_words_of_the_api() {
        let table = [
            (json!({"token_expiration": 0}), "the token_expiration value must be positive"),
            (json!({"session_timeout": HIGHEST + 1}), "the session_timeout value is over the limit value: 9999999999"),
            (json!({"robot_token_duration": -1}), "the robot_token_duration value must be positive"),
            (json!({"storage_per_project": 0}), "bad request: invalid non-positive value for quota limit, value=0"),
            (json!({"robot_name_prefix": "  "}), "bad request: robot_name_prefix cannot be empty or contain only spaces"),
            (json!({"robot_name_prefix": "a:b"}), "bad request: robot_name_prefix cannot contain a colon or control characters"),
            (json!({"robot_name_prefix": "r".repeat(65)}), "bad request: robot_name_prefix cannot be longer than 64 characters"),
            (json!({"banner_message": "x".repeat(LONGEST_BANNER + 1)}), "bad request: banner_message cannot be longer than 16384 bytes"),
            (
                json!({"disabled_audit_log_event_types": "x".repeat(LONGEST_EVENTS + 1)}),
                "bad request: disabled_audit_log_event_types cannot be longer than 4096 bytes",
            ),
            (
                json!({"project_creation_restriction": ""}),
                "bad request: item name project_creation_restriction: invalid project_creation_restriction, should be adminonly or everyone",
            ),
        ];
        for (input, message) in table {
            assert_eq!(checked(input.clone()), Err(message.to_owned()), "{input}");
        }
    }
}
