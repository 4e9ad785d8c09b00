//! The contract of groups and of immutable rules, on every engine.

use std::collections::BTreeMap;

use model::list::{ListQuery, Paging, parse_q, parse_sort};
use model::permission::{Action, Allowed, Caller, Project, ProjectFacts, Resource, Role, decide_project};
use model::{GroupId, ProjectId, UserId};
use store::member::Entity;
use store::project::NewProject;
use store::{Error, Link, group, immutable, member, project, quota, user};
use testkit::database::each;

const ADMIN: Caller<'_> = Caller::User { is_admin: true, roles: &[] };

fn in_project(id: ProjectId) -> Allowed<Project> {
    decide_project(&ADMIN, &ProjectFacts { id, public: false }, Resource::Project, Action::Update).unwrap()
}

fn query(q: &str, sort: &str) -> ListQuery {
    ListQuery::new(Paging { page: 1, page_size: 10 }, parse_q(q).unwrap(), parse_sort(sort))
}

async fn make(link: &mut Link<'_>, name: &str) -> ProjectId {
    let id =
        project::insert(link, &NewProject { name, owner_id: UserId(1), registry_id: None, metadata: &BTreeMap::new() }, 5).await.unwrap();
    quota::create(link, id, -1, 5).await.unwrap();
    id
}

async fn group_names(link: &mut Link<'_>, q: &str, sort: &str) -> Vec<String> {
    let page = group::list(link, &query(q, sort)).await.unwrap();
    assert_eq!(page.total, page.items.len() as u64);
    page.items.into_iter().map(|row| row.name).collect()
}

#[tokio::test]
async fn groups_have_a_name_of_their_own() {
    each(async |db| {
        let mut tx = db.write().await.unwrap();
        let link = &mut tx.link();
        let runners = group::insert(link, "runners", 2, "", 10).await.unwrap();
        let walkers = group::insert(link, "Walkers", 3, "", 11).await.unwrap();
        assert_eq!(group_names(link, "", "").await, ["runners", "Walkers"]);
        assert_eq!(group_names(link, "", "-id").await, ["Walkers", "runners"]);
        assert_eq!(group_names(link, "group_name=~walk", "").await, ["Walkers"]);
        assert_eq!(group_names(link, "group_type=2", "").await, ["runners"]);
        assert!(group::rename(link, walkers, "strollers", 12).await.unwrap());
        assert!(!group::rename(link, GroupId(99), "x", 12).await.unwrap());
        let row = group::get(link, walkers).await.unwrap().unwrap();
        assert_eq!((row.name.as_str(), row.kind, row.created_at, row.updated_at), ("strollers", 3, 11, 12));
        assert!(group::get(link, GroupId(99)).await.unwrap().is_none());
        tx.commit().await.unwrap();
        let mut tx = db.write().await.unwrap();
        assert!(matches!(group::insert(&mut tx.link(), "runners", 3, "", 13).await, Err(Error::Duplicate)));
        drop(tx);
        let mut tx = db.write().await.unwrap();
        assert!(matches!(group::rename(&mut tx.link(), runners, "strollers", 13).await, Err(Error::Duplicate)));
    })
    .await;
}

#[tokio::test]
async fn a_deleted_group_is_no_member_anywhere() {
    each(async |db| {
        let mut tx = db.write().await.unwrap();
        let link = &mut tx.link();
        user::insert_first(link, "hash", 5).await.unwrap();
        let (north, atlas) = (make(link, "north").await, make(link, "atlas").await);
        let crew = group::insert(link, "crew", 3, "", 10).await.unwrap();
        let rest = group::insert(link, "rest", 3, "", 10).await.unwrap();
        for (project, id) in [(north, crew), (atlas, crew), (north, rest)] {
            member::insert(link, &in_project(project), Entity::Group(id), Role::Developer, 11).await.unwrap();
        }
        let mut left = group::delete(link, crew).await.unwrap();
        left.sort_unstable();
        assert_eq!(left, [north, atlas]);
        assert_eq!(group_names(link, "", "").await, ["rest"]);
        let members = member::list(link, &in_project(north), None, &query("", "")).await.unwrap();
        assert_eq!(members.items.iter().map(|m| m.entity_name.as_str()).collect::<Vec<_>>(), ["rest"]);
        assert!(group::delete(link, crew).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn immutable_rules_are_of_one_project() {
    each(async |db| {
        let mut tx = db.write().await.unwrap();
        let link = &mut tx.link();
        user::insert_first(link, "hash", 5).await.unwrap();
        let (north, atlas) = (make(link, "north").await, make(link, "atlas").await);
        let (in_north, in_atlas) = (in_project(north), in_project(atlas));
        assert_eq!(immutable::count(link, &in_north, "a").await.unwrap(), (0, false));
        let one = immutable::insert(link, &in_north, "a", 10).await.unwrap();
        let two = immutable::insert(link, &in_north, "b", 11).await.unwrap();
        let other = immutable::insert(link, &in_atlas, "a", 12).await.unwrap();
        assert_eq!(immutable::count(link, &in_north, "a").await.unwrap(), (2, true));
        assert_eq!(immutable::count(link, &in_atlas, "b").await.unwrap(), (1, false));
        assert!(immutable::update(link, &in_north, two, "c", true, 13).await.unwrap());
        assert!(!immutable::update(link, &in_atlas, two, "d", false, 14).await.unwrap());
        let row = immutable::get(link, two).await.unwrap().unwrap();
        assert_eq!((row.project_id, row.rule.as_str(), row.disabled, row.created_at, row.updated_at), (north, "c", true, 11, 13));
        assert_eq!(immutable::enabled(link, north).await.unwrap(), ["a"]);
        for (q, sort, expected) in [("", "", vec![one, two]), ("", "-id", vec![two, one]), ("disabled=true", "", vec![two])] {
            let page = immutable::list(link, &in_north, &query(q, sort)).await.unwrap();
            assert_eq!(page.items.iter().map(|r| r.id).collect::<Vec<_>>(), expected, "{q} {sort}");
        }
        assert!(!immutable::delete(link, &in_atlas, one).await.unwrap());
        assert!(immutable::delete(link, &in_north, one).await.unwrap());
        project::delete(link, north, 20).await.unwrap();
        assert!(immutable::get(link, two).await.unwrap().is_none());
        assert!(immutable::get(link, other).await.unwrap().is_some());
    })
    .await;
}
