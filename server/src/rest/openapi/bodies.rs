//! How a client that is made from the document takes a request's body: by Harbor's name, which OpenAPI 3 has no place for but an extension that generators
//! know, and where Harbor leaves it optional not as a parameter that has to be there. Only `conventions` calls it.

use serde_json::{Value, json};

/// The extension of an operation.
const EXTENSION: &str = "x-codegen-request-body-name";

/// Models and what the bodies of them are called.
const NAMES: &[(&str, &str)] = &[
    ("CVEAllowlist", "allowlist"),
    ("Configurations", "configurations"),
    ("ImmutableRule", "ImmutableRule"),
    ("Label", "label"),
    ("NewTag", "tag"),
    ("OIDCCliSecretReq", "secret"),
    ("PasswordReq", "password"),
    ("ProjectMember", "project_member"),
    ("ProjectReq", "project"),
    ("QuotaUpdateReq", "hard"),
    ("Repository", "repository"),
    ("Robot", "robot"),
    ("RobotCreate", "robot"),
    ("RobotCreateV1", "robot"),
    ("RobotSec", "robotSec"),
    ("RoleRequest", "role"),
    ("Tag", "tag"),
    ("UserCreationReq", "userReq"),
    ("UserGroup", "usergroup"),
    ("UserProfile", "profile"),
    ("UserSysAdminFlag", "sysadmin_flag"),
];

/// Bodies that are no model of their own, by operation.
const OF_OPERATIONS: &[(&str, &str)] = &[("addProjectMetadatas", "metadata"), ("updateProjectMetadata", "metadata")];

/// Operations that Harbor declares to do without a body; the answer to none is a refusal all the same.
const OPTIONAL: [&str; 7] = [
    "addProjectMetadatas",
    "createProjectMember",
    "createUserGroup",
    "putSystemCVEAllowlist",
    "updateProjectMember",
    "updateProjectMetadata",
    "updateUserGroup",
];

/// Gives the operation's body its name, if there is one.
pub(super) fn name(operation: &mut Value) {
    let Some(body) = operation.get("requestBody") else { return };
    let reference = body["content"]["application/json"]["schema"]["$ref"].as_str().unwrap_or_default();
    let model = reference.rsplit('/').next().unwrap_or_default();
    let id = operation["operationId"].as_str().unwrap_or_default();
    let known = |names: &[(&str, &'static str)], wanted: &str| names.iter().find(|(key, _)| *key == wanted).map(|(_, name)| *name);
    let (name, optional) = (known(OF_OPERATIONS, id).or_else(|| known(NAMES, model)), OPTIONAL.contains(&id));
    if optional {
        operation["requestBody"]["required"] = json!(false);
    }
    if let Some(name) = name {
        operation[EXTENSION] = json!(name);
    }
}

#[cfg(test)]
mod tests {
    use super::EXTENSION;

    #[test]
    fn every_body_has_a_name() {
        let document = crate::rest::document();
        let items = document["paths"].as_object().into_iter().flatten();
        let operations = items.flat_map(|(_, item)| item.as_object().into_iter().flatten());
        let nameless: Vec<_> = operations
            .filter(|(_, operation)| operation.get("requestBody").is_some() && operation.get(EXTENSION).is_none())
            .map(|(_, operation)| &operation["operationId"])
            .collect();
        assert!(nameless.is_empty(), "{nameless:?}");
    }
}
