//! The bodies that the page begins with: small, with what is needed and little else, so that those that make something make it as they are.
//! Only the page uses them.

/// Operations and their bodies, in JSON as it is shown.
const SAMPLES: &[(&str, &str)] = &[
    ("CreateImmuRule", RULE),
    ("CreateLabel", LABEL),
    ("CreateRobot", ROBOT),
    ("RefreshSec", "{}"),
    ("UpdateImmuRule", RULE),
    ("UpdateLabel", LABEL),
    (
        "UpdateRobot",
        r#"{
  "name": "robot$library+ci",
  "level": "project",
  "duration": 90,
  "permissions": [
    {
      "kind": "project",
      "namespace": "library",
      "access": [
        { "resource": "repository", "action": "pull" }
      ]
    }
  ]
}"#,
    ),
    ("addLabel", "{\n  \"id\": 1\n}"),
    ("addProjectMetadatas", "{\n  \"auto_scan\": \"true\"\n}"),
    (
        "createProject",
        r#"{
  "project_name": "harbour",
  "metadata": { "public": "false" }
}"#,
    ),
    (
        "createProjectMember",
        r#"{
  "role_id": 2,
  "member_user": { "username": "maya" }
}"#,
    ),
    ("createTag", "{\n  \"name\": \"stable\"\n}"),
    (
        "createUser",
        r#"{
  "username": "maya",
  "email": "maya@example.com",
  "realname": "Maya",
  "password": "Harbour1"
}"#,
    ),
    (
        "createUserGroup",
        r#"{
  "group_name": "developers",
  "group_type": 2
}"#,
    ),
    (
        "putSystemCVEAllowlist",
        r#"{
  "items": [
    { "cve_id": "CVE-2021-44228" }
  ]
}"#,
    ),
    ("setCliSecret", "{\n  \"secret\": \"\"\n}"),
    ("setUserSysAdmin", "{\n  \"sysadmin_flag\": true\n}"),
    ("updateConfigurations", "{\n  \"project_creation_restriction\": \"everyone\"\n}"),
    ("updateProject", "{\n  \"metadata\": { \"public\": \"false\" }\n}"),
    ("updateProjectMember", "{\n  \"role_id\": 3\n}"),
    ("updateProjectMetadata", "{\n  \"auto_scan\": \"false\"\n}"),
    ("updateQuota", "{\n  \"hard\": { \"storage\": 53687091200 }\n}"),
    ("updateRepository", "{\n  \"description\": \"What it is for\"\n}"),
    ("updateUserGroup", "{\n  \"group_name\": \"developers\"\n}"),
    (
        "updateUserPassword",
        r#"{
  "old_password": "",
  "new_password": ""
}"#,
    ),
    (
        "updateUserProfile",
        r#"{
  "email": "maya@example.com",
  "realname": "Maya",
  "comment": ""
}"#,
    ),
];

const RULE: &str = r#"{
  "action": "immutable",
  "template": "immutable_template",
  "tag_selectors": [
    { "kind": "doublestar", "decoration": "matches", "pattern": "release-*" }
  ],
  "scope_selectors": {
    "repository": [
      { "kind": "doublestar", "decoration": "repoMatches", "pattern": "**" }
    ]
  }
}"#;

const LABEL: &str = r##"{
  "name": "reviewed",
  "color": "#0065AB",
  "scope": "g"
}"##;

const ROBOT: &str = r#"{
  "name": "ci",
  "level": "project",
  "duration": 90,
  "permissions": [
    {
      "kind": "project",
      "namespace": "library",
      "access": [
        { "resource": "repository", "action": "pull" },
        { "resource": "repository", "action": "push" }
      ]
    }
  ]
}"#;

/// What the page begins with for an operation; an empty object where nothing was written down.
pub(super) fn body(operation: &str) -> &'static str {
    SAMPLES.iter().find(|(id, _)| *id == operation).map_or("{}", |(_, body)| body)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::SAMPLES;
    use crate::rest::browse::example::resolved;

    /// The schemas of all bodies, by operation.
    fn schemas(document: &Value) -> Vec<(&str, &Value)> {
        let items = document["paths"].as_object().into_iter().flatten();
        let operations = items.flat_map(|(_, item)| item.as_object().into_iter().flatten());
        operations
            .filter_map(|(_, operation)| {
                let schema = operation["requestBody"]["content"]["application/json"].get("schema")?;
                Some((operation["operationId"].as_str()?, schema))
            })
            .collect()
    }

    #[test]
    fn every_operation_with_a_body_has_a_sample_of_fields_that_it_knows() {
        let document = crate::rest::document();
        let schemas = schemas(&document);
        let wanted: BTreeSet<_> = schemas.iter().map(|(id, _)| *id).collect();
        let written: BTreeSet<_> = SAMPLES.iter().map(|(id, _)| *id).collect();
        assert_eq!(wanted, written);
        for (id, schema) in schemas {
            let sample: Value = serde_json::from_str(super::body(id)).unwrap_or_else(|error| panic!("{id}: {error}"));
            let Some(known) = resolved(&document, schema)["properties"].as_object() else { continue };
            for field in sample.as_object().into_iter().flatten().map(|(field, _)| field) {
                assert!(known.contains_key(field), "{id}: {field}");
            }
        }
    }
}
