use super::*;
use crate::{Instant, Secret};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const TIME: &str = "2024-05-06T07:08:09.123Z";
const NEVER: &str = "0001-01-01T00:00:00.000Z";

/// The shape is read as a value and written again: nothing is lost, nothing added.
#[track_caller]
fn same<T: Serialize + DeserializeOwned>(shape: Value) {
    let value: T = serde_json::from_value(shape.clone()).expect("the shape is read");
    assert_eq!(serde_json::to_value(&value).expect("it is written"), shape);
}

#[test]
fn projects_as_recorded() {
    same::<Project>(json!({
        "creation_time": TIME, "current_user_role_id": 1, "current_user_role_ids": [1],
        "cve_allowlist": {"creation_time": NEVER, "id": 2, "items": [], "project_id": 2, "update_time": NEVER},
        "metadata": {"public": "false", "auto_scan": "true", "severity": "high"},
        "name": "north", "owner_id": 3, "owner_name": "dana", "project_id": 2, "repo_count": 0, "update_time": TIME
    }));
    same::<Project>(json!({
        "creation_time": TIME, "current_user_role_ids": null,
        "cve_allowlist": {"creation_time": NEVER, "items": null, "update_time": NEVER},
        "name": "library", "owner_id": 1, "project_id": 1, "repo_count": 4, "update_time": TIME
    }));
    same::<CVEAllowlist>(json!({
        "creation_time": TIME, "id": 1, "items": [{"cve_id": "CVE-2021-1"}], "update_time": TIME, "expires_at": 1893456000
    }));
    same::<ProjectDeletable>(json!({"deletable": true}));
    same::<ProjectDeletable>(json!({"message": "the project contains repositories, can not be deleted"}));
    same::<ProjectSummary>(json!({
        "repo_count": 0, "project_admin_count": 1, "quota": {"hard": {"storage": -1}, "used": {"storage": 0}}
    }));
}

#[test]
fn members_and_groups_as_recorded() {
    same::<ProjectMemberEntity>(json!({
        "entity_id": 4, "entity_name": "evan", "entity_type": "u", "id": 9, "project_id": 2, "role_id": 2, "role_name": "developer"
    }));
    same::<UserGroup>(json!({"group_name": "devs", "group_type": 1, "ldap_group_dn": "cn=devs,dc=example,dc=org"}));
    same::<UserGroupSearchItem>(json!({"group_name": "crew", "group_type": 3, "id": 7}));
}

#[test]
fn users_as_recorded() {
    same::<UserResp>(json!({
        "admin_role_in_auth": false, "creation_time": TIME, "email": "dana@example.com", "realname": "Dana",
        "sysadmin_flag": false, "update_time": TIME, "user_id": 3, "username": "dana"
    }));
    same::<UserResp>(json!({
        "admin_role_in_auth": true, "comment": "Onboarded via OIDC provider", "creation_time": TIME, "realname": "Bob",
        "sysadmin_flag": false, "update_time": TIME, "user_id": 5, "username": "bob",
        "oidc_user_meta": {
            "creation_time": TIME, "id": 1, "secret": "Abc", "subiss": "bobhttp://op", "update_time": TIME, "user_id": 5
        }
    }));
    same::<Permissions>(json!({"project": [{"action": "list", "resource": "log"}], "system": null}));
}

#[test]
fn robots_as_recorded() {
    same::<Robot>(json!({
        "creation_time": TIME, "creator_ref": 3, "creator_type": "local", "disable": false, "duration": 30, "editable": true,
        "expires_at": 1893456000, "id": 1, "level": "project", "name": "robot$north+ci", "update_time": TIME,
        "permissions": [{
            "access": [{"action": "push", "resource": "repository"}, {"action": "pull", "effect": "deny", "resource": "repository"}],
            "kind": "project", "namespace": "north"
        }]
    }));
    same::<RobotCreated>(json!({
        "creation_time": TIME, "expires_at": -1, "id": 1, "name": "robot$north+ci", "secret": "s3cretS3cret"
    }));
    same::<RobotSec>(json!({}));
}

#[test]
fn artifacts_as_recorded() {
    let tag = json!({
        "artifact_id": 1, "id": 1, "immutable": false, "name": "v1", "pull_time": NEVER, "push_time": TIME, "repository_id": 1
    });
    same::<Tag>(tag.clone());
    same::<Artifact>(json!({
        "accessories": null,
        "addition_links": {"build_history": {"absolute": false, "href": "/api/v2.0/projects/north/x"}},
        "artifact_type": "application/vnd.oci.image.config.v1+json", "digest": "sha256:91b5",
        "extra_attrs": {"architecture": "amd64", "author": "", "config": {"Cmd": ["/app"]}, "created": TIME, "os": "linux"},
        "icon": "sha256:0048", "id": 1, "labels": null, "manifest_media_type": "application/vnd.oci.image.manifest.v1+json",
        "media_type": "application/vnd.oci.image.config.v1+json", "project_id": 2, "pull_time": NEVER, "push_time": TIME,
        "references": null, "repository_id": 1, "repository_name": "north/app", "size": 690, "tags": [tag], "type": "IMAGE"
    }));
    same::<Reference>(json!({
        "child_digest": "sha256:26aa", "child_id": 2, "parent_id": 3, "urls": null,
        "platform": {"OsFeatures": ["win32k"], "OsVersion": "10.0.1", "architecture": "amd64", "os": "windows"}
    }));
    same::<Platform>(json!({"OsFeatures": null, "architecture": "amd64", "os": "linux"}));
    same::<Accessory>(json!({
        "artifact_id": 4, "creation_time": TIME, "digest": "sha256:1", "icon": "", "id": 1, "size": 5,
        "subject_artifact_digest": "sha256:2", "subject_artifact_id": 1, "subject_artifact_repo": "north/app", "type": "signature.cosign"
    }));
    same::<Repository>(json!({
        "artifact_count": 1, "creation_time": TIME, "id": 1, "name": "north/app", "project_id": 2, "pull_count": 0, "update_time": TIME
    }));
}

#[test]
fn the_rest_as_recorded() {
    same::<Label>(json!({
        "color": "#0065AB", "creation_time": TIME, "id": 1, "name": "good", "scope": "g", "update_time": TIME
    }));
    same::<Quota>(json!({
        "creation_time": TIME, "hard": {"storage": -1}, "id": 1, "ref": {"id": 1, "name": "library", "owner_name": ""},
        "update_time": NEVER, "used": {"storage": 0}
    }));
    same::<GeneralInfo>(json!({
        "auth_mode": "db_auth", "banner_message": "", "oidc_provider_name": "", "primary_auth_mode": false, "self_registration": false
    }));
    same::<OverallHealthStatus>(json!({"status": "healthy", "components": [{"name": "core", "status": "healthy"}]}));
    same::<Search>(
        json!({"project": [], "repository": [{"artifact_count": 1, "project_id": 2, "project_name": "north", "repository_name": "north/app"}]}),
    );
    same::<Statistic>(json!({
        "private_project_count": 0, "private_repo_count": 0, "public_project_count": 1, "public_repo_count": 0,
        "total_project_count": 0, "total_repo_count": 0, "total_storage_consumption": 0
    }));
    same::<ImmutableRule>(json!({
        "action": "immutable", "id": 1, "template": "immutable_template",
        "tag_selectors": [{"decoration": "matches", "kind": "doublestar", "pattern": "v*"}],
        "scope_selectors": {"repository": [{"decoration": "repoMatches", "kind": "doublestar", "pattern": "**"}]}
    }));
    same::<ImmutableRule>(json!({"id": 2, "tag_selectors": null}));
    same::<AuditLogExt>(json!({
        "id": 1, "op_time": TIME, "operation": "create", "operation_description": "create project", "operation_result": true,
        "resource": "north", "resource_type": "project", "username": "dana"
    }));
    same::<Icon>(json!({"content-type": "image/png", "content": "aGk="}));
}

#[test]
fn requests_take_null_and_strangers_but_no_wrong_types() {
    let request: ProjectReq = serde_json::from_value(
        json!({"project_name": "north", "public": null, "metadata": {"public": "true", "colour": "red"}, "owner_id": 1}),
    )
    .unwrap();
    assert_eq!((request.project_name.as_str(), request.public), ("north", None));
    assert_eq!(request.metadata.unwrap().public.as_deref(), Some("true"));
    assert!(serde_json::from_value::<ProjectReq>(json!({"project_name": 5})).is_err());
    assert!(serde_json::from_value::<ProjectReq>(json!({"project_name": "a", "storage_limit": "1"})).is_err());

    let user: UserCreationReq =
        serde_json::from_value(json!({"username": "dana", "comment": null, "sysadmin_flag": true, "user_id": 1})).unwrap();
    assert_eq!((user.username.as_str(), user.comment.as_str()), ("dana", ""));

    let robot: RobotCreate = serde_json::from_value(
        json!({"name": "ci", "secret": "mine", "permissions": [{"kind": "project", "namespace": "north", "access": null}]}),
    )
    .unwrap();
    assert!(robot.duration == 0 && robot.permissions[0].access.is_empty());
}

#[test]
fn secrets_stay_out_of_debug_output() {
    let request = PasswordReq { old_password: Secret::new("Old0Secret"), new_password: Secret::new("New0Secret") };
    assert!(!format!("{request:?}").contains("0Secret"));
    let created = RobotCreated { secret: Secret::new("R0botSecret"), ..Default::default() };
    assert!(!format!("{created:?}").contains("R0bot"));
}

#[test]
fn metadata_and_pairs_are_the_same_thing() {
    let pairs = BTreeMap::from([("public".to_owned(), "true".to_owned()), ("unknown".to_owned(), "x".to_owned())]);
    let metadata = ProjectMetadata::from_pairs(pairs);
    assert!(metadata.is_public());
    assert_eq!(metadata.pairs(), vec![("public", "true")]);
    assert_eq!(ProjectMetadata::default().pairs(), vec![]);
    assert!(!ProjectMetadata::default().is_public());
    let unset = Artifact::default();
    assert_eq!(unset.pull_time, Instant::ZERO_TIME);
}

#[cfg(feature = "openapi")]
#[test]
fn schemas_have_the_names_and_types_of_the_api() {
    use utoipa::{PartialSchema, ToSchema};
    assert_eq!(<crate::error::ErrorItem as ToSchema>::name(), "Error");
    assert_eq!(<CVEAllowlist as ToSchema>::name(), "CVEAllowlist");
    let schema = |text: String| serde_json::from_str::<Value>(&text).unwrap()["properties"].clone();
    let project = schema(serde_json::to_string(&Project::schema()).unwrap());
    assert_eq!(project["project_id"]["type"], "integer");
    assert_eq!(project["creation_time"]["format"], "date-time");
    let artifact = schema(serde_json::to_string(&Artifact::schema()).unwrap());
    assert_eq!(artifact["type"]["type"], "string");
    let created = schema(serde_json::to_string(&RobotCreated::schema()).unwrap());
    assert_eq!(created["secret"]["type"], "string");
}
