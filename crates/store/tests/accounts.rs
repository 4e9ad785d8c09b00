//! The contract of accounts, sessions, robots and lists, on every engine.

use model::list::{ListQuery, Paging, parse_q, parse_sort};
use model::permission::{Action, Effect, GrantKind, GrantScope, Resource, RobotGrant};
use model::{ProjectId, UserId};
use store::robot::{StoredAccess, StoredPermission, encode_permissions};
use store::user::NewUser;
use store::{Db, Error, session, user};
use testkit::database::each;

fn query(page: i64, page_size: i64, q: &str, sort: &str) -> ListQuery {
    ListQuery::new(Paging { page, page_size }, parse_q(q).unwrap(), parse_sort(sort))
}

async fn add(db: &Db, username: &str, email: &str, now: i64) -> Result<UserId, Error> {
    let mut tx = db.write().await?;
    let new = NewUser { username, email: Some(email), realname: "Real", comment: "", is_admin: false };
    let id = user::insert(&mut tx.link(), &new, "hash", now).await?;
    tx.commit().await?;
    Ok(id)
}

async fn first(db: &Db) -> bool {
    let mut tx = db.write().await.unwrap();
    let made = user::insert_first(&mut tx.link(), "hash-of-admin", 5).await.unwrap();
    user::insert_first_project(&mut tx.link(), 5).await.unwrap();
    tx.commit().await.unwrap();
    made
}

#[tokio::test]
async fn the_first_start_happens_once_and_reserves_ids() {
    each(async |db| {
        assert!(first(&db).await);
        assert!(!first(&db).await);
        let mut conn = db.read().await.unwrap();
        let admin = user::by_id(&mut conn.link(), UserId(1)).await.unwrap().unwrap();
        assert_eq!((admin.username.as_str(), admin.email, admin.is_admin), ("admin", None, true));
        assert!(user::by_id(&mut conn.link(), UserId(2)).await.unwrap().is_none());
        let library = store::project::by_name(&mut conn.link(), "library").await.unwrap().unwrap();
        assert_eq!((library.id, library.is_public, library.owner_id), (ProjectId(1), true, UserId(1)));
        assert!(user::has_role_anywhere(&mut conn.link(), UserId(1), 1).await.unwrap());
        drop(conn);
        assert_eq!(add(&db, "dana", "dana@example.com", 9).await.unwrap(), UserId(3));
    })
    .await;
}

#[tokio::test]
async fn names_and_addresses_are_unique_among_the_living() {
    each(async |db| {
        first(&db).await;
        let dana = add(&db, "dana", "dana@example.com", 10).await.unwrap();
        assert!(matches!(add(&db, "dana", "other@example.com", 11).await, Err(Error::Duplicate)));
        assert!(matches!(add(&db, "dana2", "dana@example.com", 11).await, Err(Error::Duplicate)));
        add(&db, "Dana", "upper@example.com", 11).await.unwrap();
        let mut tx = db.write().await.unwrap();
        assert!(user::delete(&mut tx.link(), dana, 12).await.unwrap());
        assert!(!user::delete(&mut tx.link(), dana, 13).await.unwrap());
        tx.commit().await.unwrap();
        let mut conn = db.read().await.unwrap();
        assert!(user::login(&mut conn.link(), "dana").await.unwrap().is_none());
        drop(conn);
        assert_ne!(add(&db, "dana", "dana@example.com", 14).await.unwrap(), dana);
    })
    .await;
}

#[tokio::test]
async fn one_signs_in_by_name_or_address_and_the_name_goes_first() {
    each(async |db| {
        let dana = add(&db, "dana", "dana@example.com", 10).await.unwrap();
        let thief = add(&db, "thief", "dana", 10).await.unwrap();
        let mut conn = db.read().await.unwrap();
        let login = |row: Option<user::Login>| row.map(|l| (l.user.id, l.secret_hash));
        let hash = Some("hash".to_owned());
        assert_eq!(login(user::login(&mut conn.link(), "dana").await.unwrap()), Some((dana, hash.clone())));
        assert_eq!(login(user::login(&mut conn.link(), "dana@example.com").await.unwrap()), Some((dana, hash.clone())));
        assert_eq!(login(user::login(&mut conn.link(), "thief").await.unwrap()), Some((thief, hash)));
        assert_eq!(login(user::login(&mut conn.link(), "DANA").await.unwrap()), None);
    })
    .await;
}

#[tokio::test]
async fn lists_filter_order_and_page() {
    each(async |db| {
        first(&db).await;
        for (i, (name, email)) in
            [("dana", "dana@example.com"), ("evan", "e_van@example.com"), ("Dana", "upper@example.org"), ("flo%ra", "f@x.io")]
                .into_iter()
                .enumerate()
        {
            add(&db, name, email, 1_600_000_000_000_000 + i as i64 * 1_000_000).await.unwrap();
        }
        let names = async |page, size, q: &str, sort: &str| {
            let mut conn = db.read().await.unwrap();
            let page = user::list(&mut conn.link(), &query(page, size, q, sort)).await.unwrap();
            (page.total, page.items.into_iter().map(|u| u.username).collect::<Vec<_>>().join(" "))
        };
        let table = [
            (1, 10, "", "", 4, "Dana dana evan flo%ra"),
            (1, 10, "", "-username", 4, "flo%ra evan dana Dana"),
            (1, 2, "", "user_id", 4, "dana evan"),
            (2, 3, "", "user_id", 4, "flo%ra"),
            (9, 3, "", "user_id", 4, ""),
            (1, 0, "", "UserID", 4, "dana evan Dana flo%ra"),
            (1, 10, "username=~DAN", "user_id", 2, "dana Dana"),
            (1, 10, "username=dana", "", 1, "dana"),
            (1, 10, "username=~o%r", "", 1, "flo%ra"),
            (1, 10, "username=~d_na", "", 0, ""),
            (1, 10, "email=~e_v", "", 1, "evan"),
            (1, 10, "username={dana evan nobody}", "", 2, "dana evan"),
            (1, 10, "username={}", "", 0, ""),
            (1, 10, "username=(dana evan)", "", 4, "Dana dana evan flo%ra"),
            (1, 10, "user_id=[4~5]", "user_id", 2, "evan Dana"),
            (1, 10, "user_id={3 6 x}", "user_id", 2, "dana flo%ra"),
            (1, 10, "user_id=abc", "", 0, ""),
            (1, 10, "user_id=~3", "", 1, "dana"),
            (1, 10, "user_id__gt=4,user_id__lt=6", "", 1, "Dana"),
            (1, 10, "creation_time=[2020-09-13T12:26:41~2020-09-13T12:26:42]", "user_id", 2, "evan Dana"),
            (1, 10, "sysadmin_flag=true", "", 0, ""),
            (1, 10, "sysadmin_flag={false true}", "user_id", 4, "dana evan Dana flo%ra"),
            (1, 10, "password=x,secret_hash=hash,colour=red", "colour", 4, "Dana dana evan flo%ra"),
            (1, 10, "username=x' OR '1'='1", "username;drop", 0, ""),
        ];
        for (page, size, q, sort, total, expected) in table {
            assert_eq!(names(page, size, q, sort).await, (total, expected.to_owned()), "{page} {size} {q} {sort}");
        }
        let mut conn = db.read().await.unwrap();
        let found = user::search(&mut conn.link(), "an", &query(1, 2, "", "")).await.unwrap();
        assert_eq!((found.total, found.items.len(), found.items[0].username.as_str()), (3, 2, "Dana"));
        assert_eq!(user::search(&mut conn.link(), "DAN", &query(1, 2, "", "")).await.unwrap().total, 0);
        assert_eq!(user::search(&mut conn.link(), "admin", &query(1, 2, "", "")).await.unwrap().total, 0);
    })
    .await;
}

#[tokio::test]
async fn sessions_end_by_time_by_hand_and_with_the_account() {
    each(async |db| {
        let dana = add(&db, "dana", "dana@example.com", 10).await.unwrap();
        let (one, two) = ([1u8; 32], [2u8; 32]);
        let mut tx = db.write().await.unwrap();
        session::insert(&mut tx.link(), &one, dana, 10, 100).await.unwrap();
        session::insert(&mut tx.link(), &two, dana, 10, 100).await.unwrap();
        let holder =
            |found: Option<(session::SessionRow, Option<user::UserRow>)>| found.map(|(s, u)| (s.expires_at, u.map(|u| u.username)));
        assert_eq!(holder(session::find(&mut tx.link(), &one, 99).await.unwrap()), Some((100, Some("dana".into()))));
        assert_eq!(holder(session::find(&mut tx.link(), &one, 100).await.unwrap()), None);
        session::extend(&mut tx.link(), &one, 200).await.unwrap();
        session::extend(&mut tx.link(), &one, 150).await.unwrap();
        assert_eq!(holder(session::find(&mut tx.link(), &one, 100).await.unwrap()), Some((200, Some("dana".into()))));
        session::delete_expired(&mut tx.link(), 100).await.unwrap();
        assert_eq!(session::delete(&mut tx.link(), &two).await.unwrap(), None);
        user::delete(&mut tx.link(), dana, 50).await.unwrap();
        assert_eq!(holder(session::find(&mut tx.link(), &one, 100).await.unwrap()), Some((200, None)));
        assert_eq!(session::delete(&mut tx.link(), &one).await.unwrap(), Some(dana));
        tx.commit().await.unwrap();
    })
    .await;
}

#[test]
fn stored_permissions_become_grants() {
    let access = |resource: &str, action: &str, effect: &str| StoredAccess {
        resource: resource.into(),
        action: action.into(),
        effect: effect.into(),
    };
    let stored = [
        StoredPermission {
            kind: "project".into(),
            project_id: Some(3),
            access: vec![access("repository", "pull", ""), access("nonsense", "pull", "")],
        },
        StoredPermission { kind: "project".into(), project_id: None, access: vec![access("tag", "list", "deny")] },
        StoredPermission { kind: "system".into(), project_id: None, access: vec![access("user", "list", "allow")] },
        StoredPermission { kind: "other".into(), project_id: None, access: vec![access("user", "list", "allow")] },
    ];
    let text = encode_permissions(&stored).unwrap();
    let back: Vec<StoredPermission> = serde_json_from(&text);
    assert_eq!(back, stored);
    let grants: Vec<RobotGrant> = back.iter().flat_map(StoredPermission::grants).collect();
    let expected = [
        (GrantKind::Project, GrantScope::Project(ProjectId(3)), Resource::Repository, Action::Pull, Effect::Allow),
        (GrantKind::Project, GrantScope::AllProjects, Resource::Tag, Action::List, Effect::Deny),
        (GrantKind::System, GrantScope::System, Resource::User, Action::List, Effect::Allow),
    ];
    let expected = expected.map(|(kind, scope, resource, action, effect)| RobotGrant { kind, scope, resource, action, effect });
    assert_eq!(grants, expected);
}

fn serde_json_from(text: &str) -> Vec<StoredPermission> {
    serde_json::from_str(text).unwrap()
}
