//! The contract of changed settings, of shortened sessions, of use without limits and of texts that not every engine takes, on every engine.

use model::{ProjectId, UserId};
use store::user::NewUser;
use store::{quota, session, setting, user};
use testkit::database::each;

#[tokio::test]
async fn a_setting_has_the_value_it_got_last() {
    each(async |db| {
        let mut tx = db.write().await.unwrap();
        assert!(setting::all(&mut tx.link()).await.unwrap().is_empty());
        for (name, value, now) in [("read_only", "true", 1), ("a", "\"ä\"", 2), ("read_only", "false", 3)] {
            setting::put(&mut tx.link(), name, value, now).await.unwrap();
        }
        tx.commit().await.unwrap();
        let mut conn = db.read().await.unwrap();
        let all = setting::all(&mut conn.link()).await.unwrap();
        assert_eq!(all, [("a".to_owned(), "\"ä\"".to_owned()), ("read_only".to_owned(), "false".to_owned())]);
    })
    .await;
}

#[tokio::test]
async fn people_are_those_beside_the_first_administrator() {
    each(async |db| {
        let mut tx = db.write().await.unwrap();
        let link = &mut tx.link();
        user::insert_first(link, "hash", 5).await.unwrap();
        assert!(!setting::has_people(link).await.unwrap());
        let new = NewUser { username: "dana", email: None, realname: "Dana", comment: "", is_admin: false };
        let dana = user::insert(link, &new, "hash", 6).await.unwrap();
        assert!(setting::has_people(link).await.unwrap());
        user::delete(link, dana, 7).await.unwrap();
        assert!(!setting::has_people(link).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn no_session_outlasts_a_shortened_life() {
    each(async |db| {
        let mut tx = db.write().await.unwrap();
        let link = &mut tx.link();
        user::insert_first(link, "hash", 5).await.unwrap();
        session::insert(link, b"long", UserId(1), 10, 1000).await.unwrap();
        session::insert(link, b"short", UserId(1), 10, 50).await.unwrap();
        session::shorten(link, 100).await.unwrap();
        let end = async |link: &mut store::Link<'_>, hash: &[u8]| session::find(link, hash, 20).await.unwrap().unwrap().0.expires_at;
        assert_eq!((end(link, b"long").await, end(link, b"short").await), (100, 50));
    })
    .await;
}

#[tokio::test]
async fn use_is_counted_once_and_without_a_limit() {
    each(async |db| {
        let mut tx = db.write().await.unwrap();
        let link = &mut tx.link();
        user::insert_first(link, "hash", 5).await.unwrap();
        user::insert_first_project(link, 5).await.unwrap();
        let project = ProjectId(1);
        quota::create(link, project, 10, 5).await.unwrap();
        let contents = [("sha256:a".to_owned(), 8), ("sha256:b".to_owned(), 9)];
        quota::count(link, project, &contents).await.unwrap();
        quota::count(link, project, &contents).await.unwrap();
        assert_eq!(quota::find(link, project).await.unwrap().unwrap().used, 17);
        let more = quota::charge(link, project, &[("sha256:c".to_owned(), 1)]).await.unwrap();
        assert_eq!(more, quota::Charge::Exceeded { adding: 1, used: 17, hard: 10 });
    })
    .await;
}

/// The net below the doors: what comes through is no failure of the server.
#[tokio::test]
async fn a_null_character_is_nobodys_or_is_called_by_its_name() {
    each(async |db| {
        let mut conn = db.read().await.unwrap();
        match (user::by_name(&mut conn.link(), "a\0").await, conn.link().engine()) {
            (Ok(None), store::Engine::Sqlite) | (Err(store::Error::NullCharacter), store::Engine::Postgres) => {}
            (other, _) => panic!("{other:?}"),
        }
    })
    .await;
}
