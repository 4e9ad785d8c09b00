//! The decision, rule by rule, and a snapshot of everything it allows to every kind of caller.

use model::ProjectId;
use model::permission::{
    Action as A, Ask, Caller, Denied, Effect, GrantKind, GrantScope, Holder, ProjectFacts, Resource as R, RobotGrant, RobotLevel, Role,
    TokenAccess, TokenScope, catalogue, decide_project, decide_repository, decide_system, project_permissions, system_permissions,
};
use std::fmt::Write;

const PRIVATE: ProjectFacts = ProjectFacts { id: ProjectId(2), public: false };
const PUBLIC: ProjectFacts = ProjectFacts { id: ProjectId(3), public: true };
const STRANGER: Caller = Caller::User { is_admin: false, roles: &[] };
const ADMIN: Caller = Caller::User { is_admin: true, roles: &[] };

fn grant(scope: GrantScope, resource: R, action: A) -> RobotGrant {
    let kind = match scope {
        GrantScope::System => GrantKind::System,
        GrantScope::AllProjects | GrantScope::Project(_) => GrantKind::Project,
    };
    RobotGrant { kind, scope, resource, action, effect: Effect::Allow }
}

fn robot(level: RobotLevel, grants: &[RobotGrant]) -> Caller<'_> {
    Caller::Robot { grants, level }
}

fn may(caller: &Caller, project: &ProjectFacts, resource: R, action: A) -> bool {
    decide_project(caller, project, resource, action).is_ok()
}

#[test]
fn an_answer_names_what_was_asked() {
    let allowed = decide_project(&ADMIN, &PRIVATE, R::Project, A::Delete).unwrap();
    assert_eq!((allowed.id(), allowed.resource(), allowed.action()), (PRIVATE.id, R::Project, A::Delete));
    let allowed = decide_system(&ADMIN, R::User, A::List).unwrap();
    assert_eq!((allowed.resource(), allowed.action()), (R::User, A::List));
}

#[test]
fn who_is_not_signed_in_is_told_so_and_others_are_refused() {
    let ask = |caller: &Caller| decide_project(caller, &PRIVATE, R::Repository, A::Pull).map(|_| ());
    assert_eq!(ask(&Caller::Anonymous), Err(Denied::Unauthenticated));
    assert_eq!(ask(&STRANGER), Err(Denied::Forbidden));
    assert_eq!(ask(&robot(RobotLevel::System, &[])), Err(Denied::Forbidden));
    let system = |caller: &Caller| decide_system(caller, R::User, A::List).map(|_| ());
    assert_eq!(system(&Caller::Anonymous), Err(Denied::Unauthenticated));
    assert_eq!(system(&STRANGER), Err(Denied::Forbidden));
    let admin_of_all_roles = Caller::User { is_admin: false, roles: &Role::ALL };
    assert_eq!(system(&admin_of_all_roles), Err(Denied::Forbidden));
}

#[test]
fn administrators_do_everything_but_pull_as_a_scanner() {
    for resource in R::ALL {
        for action in A::ALL {
            let expected = *action != A::ScannerPull;
            assert_eq!(may(&ADMIN, &PRIVATE, *resource, *action), expected);
            assert_eq!(decide_system(&ADMIN, *resource, *action).is_ok(), expected);
        }
    }
}

#[test]
fn roles_add_up() {
    let both = Caller::User { is_admin: false, roles: &[Role::LimitedGuest, Role::Developer] };
    assert_eq!(project_permissions(&both, &PRIVATE).len(), 36);
    for (role, count) in Role::ALL.into_iter().zip([75, 53, 36, 20, 14]) {
        let roles = [role];
        let caller = Caller::User { is_admin: false, roles: &roles };
        assert_eq!(project_permissions(&caller, &PRIVATE).len(), count, "{role}");
    }
    assert_eq!(project_permissions(&Caller::Anonymous, &PUBLIC).len(), 12);
    assert_eq!(project_permissions(&STRANGER, &PUBLIC).len(), 12);
    assert_eq!(project_permissions(&STRANGER, &PRIVATE).len(), 0);
    assert_eq!(project_permissions(&ADMIN, &PRIVATE).len(), 75);
}

#[test]
fn only_administrators_have_system_permissions_listed() {
    assert_eq!(system_permissions(&ADMIN).len(), 53);
    let everything = [grant(GrantScope::System, R::Catalog, A::Read)];
    for caller in [Caller::Anonymous, STRANGER, robot(RobotLevel::System, &everything)] {
        assert_eq!(system_permissions(&caller), vec![]);
    }
}

#[test]
fn a_robot_has_what_it_was_given_where_it_was_given() {
    let grants = [grant(GrantScope::Project(PRIVATE.id), R::Tag, A::Delete)];
    for level in [RobotLevel::System, RobotLevel::Project] {
        let caller = robot(level, &grants);
        assert!(may(&caller, &PRIVATE, R::Tag, A::Delete));
        assert!(!may(&caller, &PRIVATE, R::Tag, A::Create));
        assert!(!may(&caller, &PUBLIC, R::Tag, A::Delete));
        // One permission in any project makes it a reader of public ones.
        assert!(may(&caller, &PUBLIC, R::Repository, A::Pull));
    }
    let everywhere = [grant(GrantScope::AllProjects, R::Tag, A::Delete)];
    assert!(may(&robot(RobotLevel::System, &everywhere), &PUBLIC, R::Tag, A::Delete));
    assert!(!may(&robot(RobotLevel::Project, &everywhere), &PUBLIC, R::Tag, A::Delete));
}

#[test]
fn a_robot_of_the_system_alone_does_not_read_public_projects() {
    let grants = [grant(GrantScope::System, R::Project, A::List)];
    let caller = robot(RobotLevel::System, &grants);
    assert!(!may(&caller, &PUBLIC, R::Repository, A::Pull));
    assert!(!may(&caller, &PUBLIC, R::Project, A::List));
    assert!(decide_system(&caller, R::Project, A::List).is_ok());
    assert!(decide_system(&caller, R::Project, A::Create).is_err());
    // The same permission in a robot of a project counts for nothing at system level.
    assert!(decide_system(&robot(RobotLevel::Project, &grants), R::Project, A::List).is_err());
}

#[test]
fn push_brings_pull_to_robots_of_a_project_only() {
    let grants = [grant(GrantScope::Project(PRIVATE.id), R::Repository, A::Push)];
    assert!(may(&robot(RobotLevel::Project, &grants), &PRIVATE, R::Repository, A::Pull));
    assert!(!may(&robot(RobotLevel::System, &grants), &PRIVATE, R::Repository, A::Pull));
}

#[test]
fn a_denial_wins_over_everything() {
    let here = GrantScope::Project(PUBLIC.id);
    let deny = RobotGrant { effect: Effect::Deny, ..grant(here, R::Repository, A::Pull) };
    let grants = [grant(GrantScope::AllProjects, R::Repository, A::Pull), grant(here, R::Repository, A::Push), deny];
    let caller = robot(RobotLevel::System, &grants);
    assert!(!may(&caller, &PUBLIC, R::Repository, A::Pull));
    assert!(may(&caller, &PUBLIC, R::Repository, A::Push));
    assert!(may(&caller, &PRIVATE, R::Repository, A::Pull));
    assert!(!may(&robot(RobotLevel::Project, &grants), &PUBLIC, R::Repository, A::Pull));
    let system = grant(GrantScope::System, R::User, A::List);
    let denied = [system, RobotGrant { effect: Effect::Deny, ..system }];
    assert!(decide_system(&robot(RobotLevel::System, &denied), R::User, A::List).is_err());
}

#[test]
fn a_token_allows_what_it_says_and_no_more() {
    let access = [TokenAccess::Repository { name: "north/app".to_owned(), actions: vec![A::Pull] }];
    let holding = |holder| Caller::Token(TokenScope { access: &access, holder });
    let ask = |caller: &Caller, repository: &str, resource, action| {
        decide_repository(caller, &PRIVATE, repository, resource, action).map(|allowed| allowed.id())
    };
    let known = holding(Holder::Known);
    assert_eq!(ask(&known, "north/app", R::Repository, A::Pull), Ok(PRIVATE.id));
    assert_eq!(ask(&known, "north/app", R::Repository, A::Push), Err(Denied::Forbidden));
    assert_eq!(ask(&known, "north/app", R::Artifact, A::Delete), Err(Denied::Forbidden));
    assert_eq!(ask(&known, "north/app", R::Artifact, A::Read), Err(Denied::Forbidden));
    assert_eq!(ask(&known, "north/app2", R::Repository, A::Pull), Err(Denied::Forbidden));
    // Not even what everybody may do.
    assert!(decide_repository(&known, &PUBLIC, "open/app", R::Repository, A::Pull).is_err());
    assert!(decide_project(&known, &PUBLIC, R::Repository, A::List).is_err());
    assert!(decide_system(&known, R::Catalog, A::Read).is_err());
    let anonymous = holding(Holder::Anonymous);
    assert_eq!(ask(&anonymous, "north/app", R::Repository, A::Push), Err(Denied::Unauthenticated));
    // The right has gone since the token was made.
    let lost = holding(Holder::Current(&STRANGER));
    assert_eq!(ask(&lost, "north/app", R::Repository, A::Pull), Err(Denied::Forbidden));
    let kept = holding(Holder::Current(&ADMIN));
    assert_eq!(ask(&kept, "north/app", R::Repository, A::Pull), Ok(PRIVATE.id));
}

#[test]
fn a_token_that_deletes_covers_artifacts_and_tags_and_the_catalogue_is_its_own_claim() {
    let access = [TokenAccess::Repository { name: "north/app".to_owned(), actions: vec![A::Delete] }, TokenAccess::Catalog];
    let caller = Caller::Token(TokenScope { access: &access, holder: Holder::Known });
    for resource in [R::Repository, R::Artifact, R::Tag] {
        assert!(decide_repository(&caller, &PRIVATE, "north/app", resource, A::Delete).is_ok());
    }
    assert!(decide_repository(&caller, &PRIVATE, "north/app", R::Label, A::Delete).is_err());
    assert!(decide_system(&caller, R::Catalog, A::Read).is_ok());
    assert!(decide_system(&caller, R::User, A::Read).is_err());
}

#[test]
fn without_a_token_a_repository_is_decided_by_its_project() {
    for (resource, action) in [(R::Repository, A::Pull), (R::Artifact, A::Delete)] {
        for caller in [Caller::Anonymous, STRANGER, ADMIN] {
            assert_eq!(
                decide_repository(&caller, &PUBLIC, "open/app", resource, action),
                decide_project(&caller, &PUBLIC, resource, action)
            );
        }
    }
}

/// What a caller may do, one line for each resource.
fn allowed(title: &str, decide: impl Fn(R, A) -> bool) -> String {
    let mut out = format!("{title}\n");
    for resource in R::ALL {
        let actions: Vec<_> = A::ALL.iter().filter(|action| decide(*resource, **action)).map(|action| action.as_str()).collect();
        if !actions.is_empty() {
            writeln!(out, "  {resource}: {}", actions.join(" ")).unwrap();
        }
    }
    if out.lines().count() == 1 {
        out.push_str("  (nothing)\n");
    }
    out + "\n"
}

fn everything_of(kind: GrantKind, scope: GrantScope) -> Vec<RobotGrant> {
    catalogue::pairs(kind).map(|(resource, action)| grant(scope, resource, action)).collect()
}

fn snapshot() -> String {
    let here = |resource, action| grant(GrantScope::Project(PRIVATE.id), resource, action);
    let project_everything = everything_of(GrantKind::Project, GrantScope::Project(PRIVATE.id));
    let system_everything = everything_of(GrantKind::System, GrantScope::System);
    let everywhere = everything_of(GrantKind::Project, GrantScope::AllProjects);
    let (push, system_list) = ([here(R::Repository, A::Push)], [grant(GrantScope::System, R::Project, A::List)]);
    let elsewhere = [grant(GrantScope::Project(ProjectId(9)), R::Tag, A::Create)];
    let access = [TokenAccess::Repository { name: "north/app".to_owned(), actions: vec![A::Pull, A::Push] }, TokenAccess::Catalog];
    let single: Vec<_> = Role::ALL.into_iter().map(|role| [role]).collect();
    let mut callers = vec![("anonymous".to_owned(), Caller::Anonymous), ("stranger".to_owned(), STRANGER)];
    for roles in &single {
        callers.push((format!("{} (member)", roles[0]), Caller::User { is_admin: false, roles }));
    }
    callers.extend([
        ("administrator".to_owned(), ADMIN),
        ("robot of this project, push".to_owned(), robot(RobotLevel::Project, &push)),
        ("robot of this project, everything".to_owned(), robot(RobotLevel::Project, &project_everything)),
        ("robot of another project".to_owned(), robot(RobotLevel::Project, &elsewhere)),
        ("robot of the system, push here".to_owned(), robot(RobotLevel::System, &push)),
        ("robot of the system, everything in all projects".to_owned(), robot(RobotLevel::System, &everywhere)),
        ("robot of the system, one system permission".to_owned(), robot(RobotLevel::System, &system_list)),
        ("robot of the system, everything of the system".to_owned(), robot(RobotLevel::System, &system_everything)),
        (
            "token for pull and push of north/app and the catalogue".to_owned(),
            Caller::Token(TokenScope { access: &access, holder: Holder::Known }),
        ),
    ]);
    let shown = ProjectFacts { public: true, ..PRIVATE };
    let mut out = String::from("Everything that the decision allows. Change it only with the rules.\n\n");
    for (name, caller) in &callers {
        for (kind, facts) in [("private", PRIVATE), ("public", shown)] {
            out += &allowed(&format!("{name}, {kind} project"), |resource, action| {
                decide_repository(caller, &facts, "north/app", resource, action).is_ok()
            });
        }
        out += &allowed(&format!("{name}, system"), |resource, action| decide_system(caller, resource, action).is_ok());
    }
    out
}

/// The committed text is what the code allows. `UPDATE_SNAPSHOTS=1` writes it anew.
#[test]
fn the_whole_matrix_is_as_committed() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/permissions.txt");
    let now = snapshot();
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(path, &now).expect("the snapshot is written");
    }
    let committed = std::fs::read_to_string(path).expect("the snapshot is there");
    for (at, (was, is)) in committed.lines().zip(now.lines()).enumerate() {
        assert_eq!(was, is, "line {} of {path}", at + 1);
    }
    assert_eq!(committed.len(), now.len());
}

#[test]
fn questions_can_be_written_in_tables() {
    let table = [Ask::Project(R::Robot, A::List), Ask::System(R::Robot, A::List)];
    let guest = Caller::User { is_admin: false, roles: &[Role::Guest] };
    let answers = table.map(|ask| match ask {
        Ask::Project(resource, action) => decide_project(&guest, &PRIVATE, resource, action).is_ok(),
        Ask::System(resource, action) => decide_system(&guest, resource, action).is_ok(),
    });
    assert_eq!(answers, [true, false]);
}
