//! Accounts, authentication and sessions as the doors use them. On every engine.

use std::time::{Duration, Instant};

use model::api::{PasswordReq, UserCreationReq, UserProfile};
use model::list::ListQuery;
use model::{Secret, UserId};
use service::authn::{AccountRef, Credentials};
use service::user::ADMIN;
use service::{Actor, Clock, Settings, SystemIds, bootstrap};
use store::{Db, Link};
use testkit::database::each;
use testkit::instance::{ADMIN_PASSWORD, Instance};

/// An instance, and how people sign in to it.
struct World(Instance);

impl std::ops::Deref for World {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        &self.0
    }
}

impl World {
    async fn open(db: Db) -> Self {
        Self::with(db, Settings::default()).await
    }

    async fn with(db: Db, settings: Settings) -> Self {
        let instance = Instance::on(db, settings).await;
        // With PostgreSQL a process remembers nothing until the others know it.
        instance.services.join_replicas().await.unwrap();
        Self(instance)
    }

    async fn by_cookie(&self, cookie: &str) -> Actor {
        let credentials = Credentials { session: Some(cookie), renew: true, ..Credentials::default() };
        self.services.authenticate(credentials).await.unwrap()
    }

    async fn add(&self, name: &str) -> UserId {
        self.services.users.create(&self.admin().await, &creation(name), false).await.unwrap()
    }
}

fn creation(name: &str) -> UserCreationReq {
    UserCreationReq {
        username: name.into(),
        email: format!("{name}@example.com"),
        realname: name.into(),
        comment: String::new(),
        password: Secret::new("Passw0rd1"),
    }
}

fn change(old: &str, new: &str) -> PasswordReq {
    PasswordReq { old_password: Secret::new(old), new_password: Secret::new(new) }
}

#[tokio::test]
async fn a_second_start_makes_nothing_and_a_generated_password_works() {
    each(async |db| {
        let instance = World::open(db).await;
        let leave = |_: &Secret| unreachable!("nothing is generated");
        let again = bootstrap(&instance.services, Some(&Secret::new("Another12345")), leave).await.unwrap();
        assert!(!again.is_first && !again.is_generated);
        assert!(instance.sign_in("admin", "Another12345").await.is_anonymous());
        let generated = instance.services.users.reset_admin_password(None).await.unwrap().unwrap();
        assert!(instance.sign_in("admin", ADMIN_PASSWORD).await.is_anonymous());
        assert!(instance.sign_in("admin", generated.expose()).await.is_admin());
        let weak = instance.services.users.reset_admin_password(Some(&Secret::new("weak"))).await.unwrap_err();
        assert_eq!(weak.status, 400);
    })
    .await;
}

#[tokio::test]
async fn what_is_remembered_is_forgotten_when_the_account_changes() {
    each(async |db| {
        let instance = World::open(db).await;
        let admin = instance.admin().await;
        let dana = instance.add("dana").await;
        assert_eq!(instance.sign_in("dana", "Passw0rd1").await.user_id(), Some(dana));
        assert!(!instance.sign_in("dana@example.com", "Passw0rd1").await.is_admin());

        instance.services.users.set_sysadmin(&admin, dana, true).await.unwrap();
        assert!(instance.sign_in("dana", "Passw0rd1").await.is_admin());
        assert!(instance.sign_in("dana@example.com", "Passw0rd1").await.is_admin());

        instance.services.users.set_password(&admin, dana, &change("", "NewPassw0rd")).await.unwrap();
        assert!(instance.sign_in("dana", "Passw0rd1").await.is_anonymous());
        assert_eq!(instance.sign_in("dana", "NewPassw0rd").await.user_id(), Some(dana));

        instance.services.users.delete(&admin, dana).await.unwrap();
        assert!(instance.sign_in("dana", "NewPassw0rd").await.is_anonymous());
        assert_eq!(instance.services.users.get(&admin, dana).await.unwrap_err().message(), "user 3 not found");
        assert_ne!(instance.add("dana").await, dana);
    })
    .await;
}

#[tokio::test]
async fn remembering_spares_the_dear_check() {
    each(async |db| {
        let instance = World::open(db).await;
        let times = async |n: u32| {
            let begun = Instant::now();
            for _ in 0..n {
                assert!(instance.sign_in("admin", ADMIN_PASSWORD).await.is_admin());
            }
            begun.elapsed()
        };
        instance.services.authn.forget(service::authn::AccountRef::User(model::UserId(1)));
        let (dear, remembered) = (times(1).await, times(200).await);
        assert!(remembered < dear * 40, "two hundred took {remembered:?}, one {dear:?}");
    })
    .await;
}

#[tokio::test]
async fn guessing_freezes_the_name_but_not_who_was_right_just_now() {
    each(async |db| {
        let instance = World::open(db).await;
        instance.add("dana").await;
        instance.add("evan").await;
        instance.admin().await;
        let services = instance.services.clone();
        let attacker = tokio::spawn(async move {
            let begun = Instant::now();
            assert!(services.authn.basic("admin", "Wrong1234").await.unwrap().is_none());
            begun.elapsed()
        });
        // The administrator's secret was right not long ago: at no moment of the guess can a stranger lock it out, also when what was remembered about the
        // account has just been forgotten; others are not touched.
        let admin = service::authn::AccountRef::User(model::UserId(1));
        while !attacker.is_finished() {
            instance.services.authn.forget(admin);
            assert!(instance.sign_in("admin", ADMIN_PASSWORD).await.is_admin());
            assert!(!instance.sign_in("evan", "Passw0rd1").await.is_anonymous());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // A wrong guess costs its sender a second and a half; what a name may do meanwhile is pinned down beside the freezer itself.
        let took = attacker.await.unwrap();
        assert!(took >= Duration::from_millis(1500), "{took:?}");
        assert!(instance.sign_in("dana", "Wrong1234").await.is_anonymous());
        assert!(!instance.sign_in("dana", "Passw0rd1").await.is_anonymous());
    })
    .await;
}

#[tokio::test]
async fn an_unknown_name_takes_as_long_as_a_wrong_password() {
    each(async |db| {
        let instance = World::open(db).await;
        instance.add("dana").await;
        let time = async |name: &str| {
            let begun = Instant::now();
            assert!(instance.sign_in(name, "Wrong1234").await.is_anonymous());
            begun.elapsed()
        };
        let (known, unknown) = (time("dana").await, time("nobody").await);
        // Both wait out the freeze and both pay for one argon2 check.
        let difference = known.abs_diff(unknown);
        assert!(unknown >= Duration::from_millis(1500) && difference < Duration::from_millis(750), "{known:?} {unknown:?}");
        assert_eq!(instance.sign_in("", "").await.name(), "anonymous");
    })
    .await;
}

#[tokio::test]
async fn a_session_is_new_at_every_sign_in_and_slides() {
    each(async |db| {
        let settings = Settings { session_lifetime: 3600, ..Settings::default() };
        let instance = World::with(db, settings).await;
        instance.add("dana").await;
        let planted = instance.services.sessions.anonymous_cookie();
        let sign_in =
            async |previous: Option<&str>| instance.services.sessions.sign_in("dana", "Passw0rd1", previous).await.unwrap().unwrap();

        let first = sign_in(Some(&planted)).await;
        assert_ne!(first, planted);
        assert!(instance.by_cookie(&planted).await.is_anonymous());
        assert_eq!(instance.by_cookie(&first).await.name(), "dana");

        let second = sign_in(Some(&first)).await;
        assert!(instance.by_cookie(&first).await.is_anonymous());

        for _ in 0..4 {
            instance.pass(3000);
            assert_eq!(instance.by_cookie(&second).await.name(), "dana");
        }
        let unused = Credentials { session: Some(&second), renew: false, ..Credentials::default() };
        instance.pass(3000);
        assert_eq!(instance.services.authenticate(unused).await.unwrap().name(), "dana");
        instance.pass(700);
        assert!(instance.by_cookie(&second).await.is_anonymous());

        let third = sign_in(None).await;
        instance.services.sessions.sign_out(&third).await.unwrap();
        assert!(instance.by_cookie(&third).await.is_anonymous());
        assert!(instance.services.sessions.sign_in("dana", "Wrong1234", None).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn sessions_end_with_the_password_and_with_the_account() {
    each(async |db| {
        let instance = World::open(db).await;
        let admin = instance.admin().await;
        let dana = instance.add("dana").await;
        let users = &instance.services.users;
        let cookie = instance.services.sessions.sign_in("dana", "Passw0rd1", None).await.unwrap().unwrap();
        let actor = instance.by_cookie(&cookie).await;
        assert_eq!(users.set_password(&actor, dana, &change("Passw0rd1", "Passw0rd1")).await.unwrap_err().status, 400);
        users.set_password(&actor, dana, &change("Passw0rd1", "NewPassw0rd")).await.unwrap();
        assert!(instance.by_cookie(&cookie).await.is_anonymous());

        let cookie = instance.services.sessions.sign_in("dana", "NewPassw0rd", None).await.unwrap().unwrap();
        assert_eq!(instance.by_cookie(&cookie).await.user_id(), Some(dana));
        users.delete(&admin, dana).await.unwrap();
        let nobody = instance.by_cookie(&cookie).await;
        assert!(nobody.is_anonymous());
        assert_eq!(users.current(&nobody, Some(&cookie)).await.unwrap_err().status, 404);
        assert_eq!(users.current(&nobody, None).await.unwrap_err().status, 401);
    })
    .await;
}

#[tokio::test]
async fn robots_present_their_secret_until_they_expire_or_are_switched_off() {
    each(async |db| {
        let instance = World::open(db).await;
        let hash = service::authn::password::hash_random(&SystemIds, "vqY0zwLwHbHtAfzGDCtYDTdLhZTNSw1x");
        let now = instance.clock.micros() / 1_000_000;
        insert_robot(&instance, "ci", 0, &hash, now + 30, false).await;
        insert_robot(&instance, "library+off", 1, &hash, -1, true).await;
        insert_robot(&instance, "library+pull", 1, &hash, -1, false).await;
        let secret = "vqY0zwLwHbHtAfzGDCtYDTdLhZTNSw1x";
        let level = |actor: Actor| match actor {
            Actor::Robot(robot) => format!("{} {} {}", robot.name, robot.level.as_str(), robot.grants.len()),
            other => other.name().to_owned(),
        };
        assert_eq!(level(instance.sign_in("robot$ci", secret).await), "robot$ci system 1");
        assert_eq!(level(instance.sign_in("robot$library+pull", secret).await), "robot$library+pull project 1");
        for (name, secret) in [("robot$library+off", secret), ("robot$ci", "wrong"), ("robot$nobody", secret)] {
            assert_eq!(level(instance.sign_in(name, secret).await), "anonymous", "{name}");
        }
        // Remembered, and nobody all the same once it has expired.
        instance.pass(31);
        assert_eq!(level(instance.sign_in("robot$ci", secret).await), "anonymous");
        instance.services.authn.forget(AccountRef::Robot(model::RobotId(3)));
        assert_eq!(level(instance.sign_in("robot$library+pull", secret).await), "robot$library+pull project 1");
    })
    .await;
}

async fn insert_robot(instance: &Instance, name: &str, project: i64, hash: &str, expires_at: i64, is_disabled: bool) {
    let sql = "INSERT INTO robot (project_id, name, secret_hash, duration, expires_at, is_disabled, creator_kind, creator_id, permissions, created_at, updated_at)
        VALUES ($1, $2, $3, -1, $4, $5, 'local', 1, $6, 0, 0)";
    let permissions = r#"[{"kind":"project","project_id":1,"access":[{"resource":"repository","action":"pull","effect":""}]}]"#;
    macro_rules! insert {
        ($link:expr) => {{
            let insert = sqlx::query(sql).bind(project).bind(name).bind(hash).bind(expires_at).bind(is_disabled).bind(permissions);
            insert.execute($link).await.map(drop)
        }};
    }
    let mut tx = instance.db.write().await.unwrap();
    match tx.link() {
        Link::Sqlite(link) => insert!(link),
        Link::Postgres(link) => insert!(link),
    }
    .unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn who_may_do_what_to_accounts() {
    each(async |db| {
        let instance = World::open(db).await;
        let users = &instance.services.users;
        let admin = instance.admin().await;
        let (dana, evan) = (instance.add("dana").await, instance.add("evan").await);
        let actor = instance.sign_in("dana", "Passw0rd1").await;
        let profile = |email: &str| UserProfile { email: email.into(), realname: "D".into(), comment: String::new() };
        let refusals = [
            users.get(&actor, evan).await.unwrap_err(),
            users.list(&actor, &ListQuery::all()).await.unwrap_err(),
            users.update(&actor, evan, &profile("x@example.com")).await.unwrap_err(),
            users.set_sysadmin(&actor, dana, true).await.unwrap_err(),
            users.delete(&actor, dana).await.unwrap_err(),
            users.create(&actor, &creation("x"), false).await.unwrap_err(),
        ];
        for refusal in refusals {
            assert_eq!((refusal.status, refusal.message()), (403, "dana"));
        }
        for refusal in [
            users.get(&Actor::Anonymous, dana).await.unwrap_err(),
            users.create(&Actor::Anonymous, &creation("x"), true).await.unwrap_err(),
        ] {
            assert_eq!(refusal.status, 401);
        }
        assert_eq!(users.update(&actor, dana, &profile("evan@example.com")).await.unwrap_err().status, 409);
        users.update(&actor, dana, &profile("d@example.com")).await.unwrap();
        assert!(!instance.sign_in("d@example.com", "Passw0rd1").await.is_anonymous());
        assert_eq!(users.delete(&admin, ADMIN).await.unwrap_err().message(), "User with ID 1 cannot be deleted");
        assert_eq!(users.list(&admin, &ListQuery::all()).await.unwrap().total, 2);
    })
    .await;
}

#[tokio::test]
async fn people_register_themselves_only_where_they_may_and_only_in_the_portal() {
    each(async |db| {
        let instance = World::with(db, Settings { self_registration: true, ..Settings::default() }).await;
        let users = &instance.services.users;
        let refused = users.create(&Actor::Anonymous, &creation("zoe"), false).await.unwrap_err();
        assert_eq!((refused.status, refused.message()), (403, "self-registration cannot be triggered via API"));
        let zoe = users.create(&Actor::Anonymous, &creation("zoe"), true).await.unwrap();
        let actor = instance.sign_in("zoe", "Passw0rd1").await;
        assert_eq!((actor.user_id(), actor.is_admin()), (Some(zoe), false));
    })
    .await;
}

#[tokio::test]
async fn no_guess_at_a_sign_in_freezes_a_change_of_password() {
    each(async |db| {
        let instance = World::open(db).await;
        let dana = instance.add("dana").await;
        let actor = instance.sign_in("dana", "Passw0rd1").await;
        let names = [format!("password of {dana}"), dana.to_string(), "dana".to_owned()];
        let attackers: Vec<_> = names
            .into_iter()
            .map(|name| {
                let services = instance.services.clone();
                tokio::spawn(async move { assert!(services.authn.basic(&name, "Wrong1234").await.unwrap().is_none()) })
            })
            .collect();
        let (mut old, mut new) = ("Passw0rd1", "NewPassw0rd");
        let mut changes = 0;
        while attackers.iter().any(|attacker| !attacker.is_finished()) {
            instance.services.users.set_password(&actor, dana, &change(old, new)).await.unwrap();
            std::mem::swap(&mut old, &mut new);
            changes += 1;
        }
        assert!(changes > 1, "{changes} changes");
        for attacker in attackers {
            attacker.await.unwrap();
        }
    })
    .await;
}
