use std::sync::Arc;

use model::ProjectId;
use model::api::{Access, RobotPermission};
use model::list::{ListQuery, Paging, parse_q};
use model::permission::{Effect, RobotGrant, RobotLevel};
use store::robot::{StoredAccess, StoredPermission};

use super::permission::{check, check_no_more_than};
use super::*;
use crate::actor::RobotActor;

const NORTH: Option<i64> = Some(2);
const SOUTH: Option<i64> = Some(3);
const ALL: Option<i64> = None;

fn stored(kind: &str, project_id: Option<i64>, resource: &str, action: &str, effect: &str) -> StoredPermission {
    let access = vec![StoredAccess { resource: resource.to_owned(), action: action.to_owned(), effect: effect.to_owned() }];
    StoredPermission { kind: kind.to_owned(), project_id, access }
}

fn pull(project_id: Option<i64>) -> StoredPermission {
    stored("project", project_id, "repository", "pull", "")
}

fn push(project_id: Option<i64>) -> StoredPermission {
    stored("project", project_id, "repository", "push", "")
}

fn no_pull(project_id: Option<i64>) -> StoredPermission {
    stored("project", project_id, "repository", "pull", "deny")
}

fn robot(level: RobotLevel, permissions: &[StoredPermission]) -> Actor {
    let grants: Vec<RobotGrant> = permissions.iter().flat_map(StoredPermission::grants).collect();
    Actor::Robot(Arc::new(RobotActor { id: RobotId(9), name: "robot$giver".to_owned(), level, grants }))
}

fn gives(giver: &[StoredPermission], wanted: StoredPermission) -> bool {
    check_no_more_than(&robot(RobotLevel::System, giver), RobotLevel::System, &[wanted]).is_ok()
}

#[test]
fn a_robot_gives_no_more_than_it_has() {
    assert!(gives(&[pull(NORTH)], pull(NORTH)));
    assert!(gives(&[pull(ALL)], pull(NORTH)));
    assert!(gives(&[pull(ALL)], pull(ALL)));
    assert!(!gives(&[pull(NORTH)], pull(SOUTH)));
    assert!(!gives(&[pull(NORTH)], pull(ALL)));
    assert!(!gives(&[pull(NORTH)], push(NORTH)));
    assert!(!gives(&[pull(NORTH), pull(SOUTH)], pull(ALL)));
    let robots = stored("system", None, "robot", "create", "");
    assert!(gives(std::slice::from_ref(&robots), robots.clone()));
    assert!(!gives(std::slice::from_ref(&robots), stored("system", None, "user", "create", "")));
    // The same words in another kind are another permission.
    assert!(!gives(&[robots], stored("project", NORTH, "robot", "create", "")));
    assert!(!gives(&[], pull(NORTH)));
}

#[test]
fn what_is_taken_from_a_robot_it_cannot_give() {
    assert!(!gives(&[pull(ALL), no_pull(SOUTH)], pull(SOUTH)));
    assert!(!gives(&[pull(ALL), no_pull(SOUTH)], pull(ALL)));
    assert!(gives(&[pull(ALL), no_pull(SOUTH)], pull(NORTH)));
    assert!(!gives(&[pull(NORTH), no_pull(ALL)], pull(NORTH)));
    assert!(!gives(&[no_pull(ALL)], pull(NORTH)));
    // To take is no more than to have.
    assert!(gives(&[pull(NORTH)], no_pull(SOUTH)));
}

#[test]
fn push_at_project_level_is_pull_too() {
    let makes = |level, has: &[StoredPermission]| check_no_more_than(&robot(level, has), RobotLevel::Project, &[push(NORTH)]).is_ok();
    assert!(!makes(RobotLevel::System, &[push(NORTH)]));
    assert!(makes(RobotLevel::System, &[push(NORTH), pull(NORTH)]));
    assert!(makes(RobotLevel::Project, &[push(NORTH)]));
}

fn asked(kind: &str, namespace: &str, resource: &str, action: &str, effect: &str) -> RobotPermission {
    let access = vec![Access { resource: resource.to_owned(), action: action.to_owned(), effect: effect.to_owned() }];
    RobotPermission { kind: kind.to_owned(), namespace: namespace.to_owned(), access }
}

#[test]
fn only_the_catalogue_can_be_asked_for() {
    let of = |level, permission: RobotPermission| check(level, &[permission]).map_err(|e| e.message().to_owned());
    let (system, project) = (RobotLevel::System, RobotLevel::Project);
    assert_eq!(of(project, asked("project", "north", "repository", "pull", "deny")), Ok(()));
    assert_eq!(of(system, asked("system", "/", "robot", "create", "allow")), Ok(()));
    let refused = [
        (project, asked("project", "north", "robot", "update", ""), "bad request permission: robot:update"),
        (project, asked("project", "north", "configuration", "update", ""), "bad request permission: configuration:update"),
        (system, asked("project", "*", "registry", "create", ""), "bad request permission: registry:create"),
        (system, asked("system", "/", "configuration", "update", ""), "bad request permission: configuration:update"),
        (system, asked("system", "north", "robot", "list", ""), "unknown namespace"),
        (system, asked("root", "/", "robot", "list", ""), "bad request permission level: root"),
        (project, asked("project", "north", "repository", "pull", "perhaps"), "bad request permission effect: perhaps"),
    ];
    for (level, permission, message) in refused {
        assert_eq!(of(level, permission), Err(message.to_owned()));
    }
    let many = vec![asked("project", "north", "repository", "pull", ""); 1001];
    assert_eq!(check(system, &many).unwrap_err().status, 400);
}

#[test]
fn permissions_of_projects_that_are_gone_are_not_shown() {
    let names = std::collections::BTreeMap::from([(ProjectId(2), "north".to_owned())]);
    let namespace = |p| permission::shown(p, &names).map(|p| p.namespace);
    assert_eq!(namespace(pull(NORTH)).as_deref(), Some("north"));
    assert_eq!(namespace(pull(ALL)).as_deref(), Some("*"));
    assert_eq!(namespace(stored("system", None, "robot", "list", "")).as_deref(), Some("/"));
    assert_eq!(namespace(pull(SOUTH)), None);
    assert!(pull(SOUTH).grants().all(|grant| grant.effect == Effect::Allow));
}

#[test]
fn lists_say_whose_robots_they_want() {
    let of = |q: &str| listed_project(&ListQuery::new(Paging::default(), parse_q(q).unwrap(), vec![])).map_err(|e| e.message().to_owned());
    assert_eq!(of(""), Ok(None));
    assert_eq!(of("Level=system,ProjectID=5"), Ok(None));
    assert_eq!(of("Level=project,ProjectID=5"), Ok(Some(ProjectId(5))));
    for bad in [
        "Level=galaxy",
        "Level=~project",
        "Level=project",
        "Level=project,ProjectID=0",
        "Level=project,ProjectID=-1",
        "Level=project,ProjectID=~5",
    ] {
        assert!(of(bad).is_err(), "{bad}");
    }
}

#[test]
fn lives_are_bounded() {
    for good in [-1, 1, MAX_DURATION] {
        assert!(check_duration(good).is_ok(), "{good}");
    }
    for bad in [i64::MIN, -2, 0, MAX_DURATION + 1, i64::MAX] {
        assert!(check_duration(bad).is_err(), "{bad}");
    }
    assert_eq!((expiry(1_000_000, -1), expiry(5_000_000, 2), expiry(0, MAX_DURATION)), (-1, 5 + 2 * DAY, MAX_DURATION * DAY));
}
