//! The contract of projects, members, allowlists, quotas and robots, on every engine.

use std::collections::BTreeMap;

use model::list::{ListQuery, Paging, parse_q, parse_sort};
use model::permission::{Action, Allowed, Caller, Project, ProjectFacts, Resource, Role, System, decide_project, decide_system};
use model::{MemberId, ProjectId, UserId};
use store::label::NewLabel;
use store::member::Entity;
use store::project::NewProject;
use store::quota::Charge;
use store::repository::Viewer;
use store::robot::{NewRobot, Place, RobotChange, StoredAccess, StoredPermission};
use store::user::NewUser;
use store::{Db, Error, Tx, allowlist, label, member, project, quota, robot, user};
use testkit::database::each;

const ADMIN: Caller<'_> = Caller::User { is_admin: true, roles: &[] };
const NOW: i64 = 1_700_000_000_000_000;

/// Proof for a project, as the gate gives it to an administrator.
fn in_project(id: ProjectId) -> Allowed<Project> {
    decide_project(&ADMIN, &ProjectFacts { id, public: false }, Resource::Project, Action::Update).unwrap()
}

fn in_system() -> Allowed<System> {
    decide_system(&ADMIN, Resource::Quota, Action::List).unwrap()
}

fn query(q: &str, sort: &str) -> ListQuery {
    ListQuery::new(Paging { page: 1, page_size: 10 }, parse_q(q).unwrap(), parse_sort(sort))
}

fn public(value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("public".to_owned(), value.to_owned())])
}

async fn make(tx: &mut Tx, name: &str, owner_id: UserId, metadata: &BTreeMap<String, String>, now: i64) -> Result<ProjectId, Error> {
    let link = &mut tx.link();
    let id = project::insert(link, &NewProject { name, owner_id, registry_id: None, metadata }, now).await?;
    member::insert_owner(link, id, owner_id, now).await?;
    quota::create(link, id, -1, now).await?;
    allowlist::create(link, id, now).await?;
    Ok(id)
}

struct World {
    db: Db,
    dana: UserId,
    evan: UserId,
    north: ProjectId,
    atlas: ProjectId,
}

/// `north` (private) of the administrator, `atlas` (public) of dana.
async fn world(db: Db) -> World {
    let mut tx = db.write().await.unwrap();
    user::insert_first(&mut tx.link(), "hash", NOW).await.unwrap();
    let mut people = Vec::new();
    for name in ["dana", "evan"] {
        let email = format!("{name}@example.com");
        let new = NewUser { username: name, email: Some(&email), realname: "", comment: "", is_admin: false };
        people.push(user::insert(&mut tx.link(), &new, "hash", NOW).await.unwrap());
    }
    let north = make(&mut tx, "north", UserId(1), &public("false"), NOW + 1).await.unwrap();
    let atlas = make(&mut tx, "atlas", people[0], &public("true"), NOW + 2).await.unwrap();
    tx.commit().await.unwrap();
    World { db, dana: people[0], evan: people[1], north, atlas }
}

async fn names(world: &World, viewer: &Viewer, query: &ListQuery) -> (Vec<String>, u64) {
    let mut conn = world.db.read().await.unwrap();
    let page = project::list(&mut conn.link(), viewer, query).await.unwrap();
    (page.items.into_iter().map(|listed| listed.project.name).collect(), page.total)
}

#[tokio::test]
async fn lists_show_what_is_visible() {
    each(async |db| {
        let world = world(db).await;
        let all = query("", "");
        assert_eq!(names(&world, &Viewer::All, &all).await.0, ["atlas", "north"]);
        assert_eq!(names(&world, &Viewer::Public, &all).await.0, ["atlas"]);
        assert_eq!(names(&world, &Viewer::Member(UserId(1)), &all).await.0, ["atlas", "north"]);
        assert_eq!(names(&world, &Viewer::Member(world.evan), &all).await.0, ["atlas"]);
        assert_eq!(names(&world, &Viewer::Projects(vec![world.north.get()]), &all).await.0, ["atlas", "north"]);
        assert_eq!(names(&world, &Viewer::Projects(Vec::new()), &query("public=false", "")).await, (vec![], 0));
        assert_eq!(names(&world, &Viewer::All, &query("name=~NOR", "")).await.0, ["north"]);
        assert_eq!(names(&world, &Viewer::All, &query("name={north atlas}", "-name")).await.0, ["north", "atlas"]);
        assert_eq!(names(&world, &Viewer::All, &query("owner=dana", "")).await.0, ["atlas"]);
        assert_eq!(names(&world, &Viewer::All, &query("public=true", "")).await.0, ["atlas"]);
        assert_eq!(names(&world, &Viewer::All, &query("", "-creation_time")).await.0, ["atlas", "north"]);
        assert_eq!(names(&world, &Viewer::All, &query("", "owner_id,colour")).await.0, ["north", "atlas"]);
        let second = ListQuery::new(Paging { page: 2, page_size: 1 }, vec![], vec![]);
        assert_eq!(names(&world, &Viewer::All, &second).await, (vec!["north".to_owned()], 2));
    })
    .await;
}

#[tokio::test]
async fn one_row_says_everything_about_a_project() {
    each(async |db| {
        let world = world(db).await;
        let mut tx = world.db.write().await.unwrap();
        let link = &mut tx.link();
        for (path, published) in [("app", true), ("empty", false)] {
            let repository = store::repository::find_or_create(link, world.atlas, path, NOW).await.unwrap();
            if published {
                store::repository::touch(link, repository.id, NOW).await.unwrap();
            }
        }
        allowlist::put_of_project(link, &in_project(world.atlas), Some(77), &["CVE-1".to_owned()], NOW).await.unwrap();
        tx.commit().await.unwrap();
        let mut conn = world.db.read().await.unwrap();
        let link = &mut conn.link();
        let listed = project::listed(link, &in_project(world.atlas)).await.unwrap().unwrap();
        assert_eq!((listed.project.name.as_str(), listed.owner_name.as_deref(), listed.repo_count), ("atlas", Some("dana"), 1));
        assert_eq!((listed.allowlist_expires_at, listed.allowlist().unwrap()), (Some(77), vec!["CVE-1".to_owned()]));
        assert_eq!(project::repository_count(link, &in_project(world.atlas)).await.unwrap(), 1);
        let ids = [world.north, world.atlas, ProjectId(999)];
        let found = project::names_of(link, &ids).await.unwrap();
        assert_eq!(found.values().collect::<Vec<_>>(), ["north", "atlas"]);
        assert_eq!(project::first_administrator(link).await.unwrap(), Some(UserId(1)));
        assert!(project::listed(link, &in_project(ProjectId(999))).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn a_deleted_project_leaves_its_name_and_nothing_else() {
    each(async |db| {
        let world = world(db).await;
        let mut tx = world.db.write().await.unwrap();
        let row = project::lock(&mut tx.link(), &in_project(world.north)).await.unwrap().unwrap();
        assert_eq!((row.name.as_str(), row.is_public), ("north", false));
        assert!(project::hold(&mut tx.link(), &in_project(world.north)).await.unwrap());
        let new = NewLabel { name: "stable", description: "", color: "", scope: "p", project_id: world.north };
        let stable = label::insert(&mut tx.link(), &new, NOW).await.unwrap();
        project::delete(&mut tx.link(), world.north, NOW).await.unwrap();
        let again = make(&mut tx, "north", world.dana, &public("1"), NOW).await.unwrap();
        assert_ne!(again, world.north);
        tx.commit().await.unwrap();
        let mut tx = world.db.write().await.unwrap();
        assert!(matches!(make(&mut tx, "north", world.dana, &public("1"), NOW).await, Err(Error::Duplicate)));
        drop(tx);
        let mut tx = world.db.write().await.unwrap();
        assert!(project::lock(&mut tx.link(), &in_project(world.north)).await.unwrap().is_none());
        assert!(!project::hold(&mut tx.link(), &in_project(world.north)).await.unwrap());
        drop(tx);
        let mut conn = world.db.read().await.unwrap();
        let link = &mut conn.link();
        assert!(quota::find(link, world.north).await.unwrap().is_none());
        assert!(label::get(link, stable).await.unwrap().is_none());
        assert!(allowlist::of_project(link, &in_project(world.north)).await.unwrap().is_none());
        assert_eq!(member::roles_in(link, UserId(1), &[world.north]).await.unwrap(), []);
        assert!(project::by_id(link, again).await.unwrap().unwrap().is_public);
    })
    .await;
}

#[tokio::test]
async fn members_belong_to_one_project() {
    each(async |db| {
        let world = world(db).await;
        let (north, atlas) = (in_project(world.north), in_project(world.atlas));
        let mut tx = world.db.write().await.unwrap();
        let link = &mut tx.link();
        let evan = Entity::User(world.evan);
        assert!(!member::exists(link, &north, evan).await.unwrap());
        let id = member::insert(link, &north, evan, Role::Guest, NOW).await.unwrap();
        assert!(member::exists(link, &north, evan).await.unwrap());
        // An id of another project is no id here.
        assert!(!member::set_role(link, &atlas, id, Role::ProjectAdmin, NOW).await.unwrap());
        assert!(!member::delete(link, &atlas, id).await.unwrap());
        assert!(member::by_id(link, &atlas, id).await.unwrap().is_none());
        assert!(member::set_role(link, &north, id, Role::Maintainer, NOW).await.unwrap());
        let row = member::by_id(link, &north, id).await.unwrap().unwrap();
        assert_eq!((row.entity_name.as_str(), row.entity_type.as_str(), row.role), ("evan", "u", 4));
        let page = member::list(link, &north, None, &ListQuery::default()).await.unwrap();
        assert_eq!(page.items.iter().map(|m| m.entity_name.as_str()).collect::<Vec<_>>(), ["admin", "evan"]);
        let one = member::list(link, &north, Some("evan"), &ListQuery::default()).await.unwrap();
        assert_eq!((one.total, one.items[0].id), (1, id));
        assert_eq!(member::list(link, &north, Some("eva"), &ListQuery::default()).await.unwrap().total, 0);
        let mut counts = member::count_by_role(link, &north).await.unwrap();
        counts.sort_unstable();
        assert_eq!(counts, [(1, 1), (4, 1)]);
        assert_eq!(member::roles_in(link, world.evan, &[world.north, world.atlas]).await.unwrap(), [(world.north, 4)]);
        assert_eq!(member::roles_of(link, world.north, world.evan).await.unwrap(), [4]);
        assert!(matches!(member::insert(link, &north, evan, Role::Guest, NOW).await, Err(Error::Duplicate)));
        drop(tx);
        let mut tx = world.db.write().await.unwrap();
        assert!(!member::delete(&mut tx.link(), &north, MemberId(999)).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn quotas_list_with_their_projects() {
    each(async |db| {
        let world = world(db).await;
        let mut tx = world.db.write().await.unwrap();
        let link = &mut tx.link();
        let of_north = quota::find(link, world.north).await.unwrap().unwrap();
        assert!(quota::set_hard(link, of_north.id, 2048, NOW + 9).await.unwrap());
        let order = async |link: &mut store::Link<'_>, sort: &str| {
            let page = quota::list(link, &in_system(), None, &query("", sort)).await.unwrap();
            page.items.into_iter().map(|q| q.project_name).collect::<Vec<_>>()
        };
        assert_eq!(order(link, "").await, ["atlas", "north"]);
        assert_eq!(order(link, "hard.cpu").await, ["atlas", "north"]);
        // No limit is more than any limit.
        assert_eq!(order(link, "hard.storage").await, ["north", "atlas"]);
        assert_eq!(order(link, "-hard.storage").await, ["atlas", "north"]);
        assert_eq!(order(link, "creation_time").await, ["north", "atlas"]);
        let one = quota::list(link, &in_system(), Some(world.atlas), &query("", "")).await.unwrap();
        assert_eq!((one.total, one.items[0].owner_id, one.items[0].owner_name.as_deref()), (1, world.dana, Some("dana")));
        let found = quota::by_id(link, &in_system(), of_north.id).await.unwrap().unwrap();
        assert_eq!((found.quota.hard, found.quota.updated_at, found.project_name.as_str()), (2048, NOW + 9, "north"));
        assert!(quota::by_id(link, &in_system(), 999).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn the_allowlist_of_the_system_is_replaced() {
    each(async |db| {
        let mut tx = db.write().await.unwrap();
        let link = &mut tx.link();
        assert!(allowlist::of_system(link).await.unwrap().is_none());
        let proof = decide_system(&ADMIN, Resource::Configuration, Action::Update).unwrap();
        allowlist::put_of_system(link, &proof, Some(5), &["CVE-1".to_owned(), "CVE-2".to_owned()], NOW).await.unwrap();
        allowlist::put_of_system(link, &proof, None, &["CVE-3".to_owned()], NOW + 1).await.unwrap();
        let row = allowlist::of_system(link).await.unwrap().unwrap();
        assert_eq!((row.expires_at, row.items().unwrap(), row.created_at, row.updated_at), (None, vec!["CVE-3".to_owned()], NOW, NOW + 1));
    })
    .await;
}

fn may_pull(project: Option<ProjectId>) -> [StoredPermission; 1] {
    let access = vec![StoredAccess { resource: "repository".to_owned(), action: "pull".to_owned(), effect: String::new() }];
    [StoredPermission { kind: "project".to_owned(), project_id: project.map(ProjectId::get), access }]
}

#[tokio::test]
async fn robots_live_in_one_place() {
    each(async |db| {
        let world = world(db).await;
        let (north, atlas, system) =
            (Place::Project(in_project(world.north)), Place::Project(in_project(world.atlas)), Place::System(in_system()));
        let permissions = may_pull(Some(world.north));
        let new = |name| NewRobot {
            name,
            description: "for builds",
            secret_hash: "hash",
            duration: 30,
            expires_at: 99,
            creator_kind: "local",
            creator_id: 1,
            permissions: &permissions,
        };
        let mut tx = world.db.write().await.unwrap();
        let link = &mut tx.link();
        let id = robot::insert(link, &north, &new("north+ci"), NOW).await.unwrap();
        let fleet = robot::insert(link, &system, &new("fleet"), NOW).await.unwrap();
        // An id of another place is no id here.
        let change = RobotChange { description: "x", duration: -1, expires_at: -1, is_disabled: true, permissions: &may_pull(None) };
        for place in [&atlas, &system] {
            assert!(robot::lock(link, place, id).await.unwrap().is_none());
            assert!(!robot::update(link, place, id, &change, NOW).await.unwrap());
            assert!(!robot::set_secret_hash(link, place, id, "other", NOW).await.unwrap());
            assert!(!robot::delete(link, place, id).await.unwrap());
        }
        assert_eq!(robot::by_id(link, id).await.unwrap().unwrap().secret_hash, "hash");
        assert!(robot::update(link, &north, id, &change, NOW + 1).await.unwrap());
        assert!(robot::set_secret_hash(link, &north, id, "other", NOW + 1).await.unwrap());
        let row = robot::lock(link, &north, id).await.unwrap().unwrap();
        assert_eq!((row.duration, row.expires_at, row.is_disabled, row.secret_hash.as_str()), (-1, -1, true, "other"));
        assert_eq!((row.permissions().unwrap().as_slice(), row.updated_at), (may_pull(None).as_slice(), NOW + 1));
        let page = robot::list(link, &system, &query("Level=system,name=~FLE", "")).await.unwrap();
        assert_eq!((page.total, page.items[0].id), (1, fleet));
        assert_eq!(robot::list(link, &north, &query("Level=project,ProjectID=1", "-name")).await.unwrap().total, 1);
        assert_eq!(robot::ids_in(link, &in_project(world.north)).await.unwrap(), [id]);
        assert!(robot::delete(link, &north, id).await.unwrap());
        robot::insert(link, &north, &new("north+ci"), NOW).await.unwrap();
        assert!(matches!(robot::insert(link, &north, &new("north+ci"), NOW).await, Err(Error::Duplicate)));
    })
    .await;
}

#[tokio::test]
async fn contents_count_once_and_only_where_they_fit() {
    each(async |db| {
        let world = world(db).await;
        let mut tx = world.db.write().await.unwrap();
        let link = &mut tx.link();
        let of_north = quota::find(link, world.north).await.unwrap().unwrap();
        assert!(quota::set_hard(link, of_north.id, 100, NOW).await.unwrap());
        let contents = |list: &[(&str, i64)]| list.iter().map(|(digest, size)| ((*digest).to_owned(), *size)).collect::<Vec<_>>();
        assert_eq!(quota::charge(link, world.north, &[]).await.unwrap(), Charge::Fits);
        // The same digest twice in one list, then again in the next.
        let first = contents(&[("b", 30), ("a", 10), ("b", 30)]);
        assert_eq!(quota::charge(link, world.north, &first).await.unwrap(), Charge::Fits);
        assert_eq!(quota::charge(link, world.north, &contents(&[("a", 10), ("c", 60)])).await.unwrap(), Charge::Fits);
        let full = Charge::Exceeded { adding: 1, used: 100, hard: 100 };
        assert_eq!(quota::charge(link, world.north, &contents(&[("b", 30), ("d", 1)])).await.unwrap(), full);
        // Whatever sizes are claimed, their sum is a number.
        let huge = contents(&[("e", i64::MAX), ("f", i64::MAX)]);
        assert!(
            matches!(quota::charge(link, world.north, &huge).await.unwrap(), Charge::Exceeded { adding, used: 100, .. } if adding > 1 << 60)
        );
        quota::count(link, world.atlas, &first).await.unwrap();
        quota::count(link, world.atlas, &first).await.unwrap();
        assert_eq!(quota::find(link, world.atlas).await.unwrap().unwrap().used, 40);
    })
    .await;
}
