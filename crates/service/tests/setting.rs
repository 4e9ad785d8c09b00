//! Settings that are changed while everything runs: who may, what is refused, and that each of them has its effect. On every engine.

use model::Secret;
use model::api::{Configurations, ProjectReq, UserCreationReq};
use service::record::Pull;
use service::{Actor, Settings};
use store::Db;
use testkit::database::each;
use testkit::instance::{ADMIN_PASSWORD, Instance, PASSWORD};

/// An instance, and what administrators do in it.
struct World(Instance);

impl std::ops::Deref for World {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        &self.0
    }
}

impl World {
    async fn open(db: Db) -> Self {
        let instance = Instance::on(db, Settings::default()).await;
        // With PostgreSQL a process remembers nothing until the others know it.
        instance.services.join_replicas().await.unwrap();
        Self(instance)
    }

    async fn add(&self, name: &str) {
        let creation = UserCreationReq {
            username: name.into(),
            email: format!("{name}@example.com"),
            realname: name.into(),
            comment: String::new(),
            password: Secret::new(PASSWORD),
        };
        self.services.users.create(&self.admin().await, &creation, false).await.unwrap();
    }

    async fn change(&self, input: Configurations) -> Result<(), (u16, String)> {
        let admin = self.admin().await;
        self.services.configuration.update(&admin, &input).await.map_err(|e| (e.status, e.message().to_owned()))
    }

    async fn rows(&self, sql: &'static str) -> Vec<(String,)> {
        match &self.db {
            Db::Sqlite { readers, .. } => sqlx::query_as(sql).fetch_all(readers).await,
            Db::Postgres { pool, .. } => sqlx::query_as(sql).fetch_all(pool).await,
        }
        .unwrap()
    }
}

fn none() -> Configurations {
    Configurations::default()
}

#[tokio::test]
async fn only_administrators_see_and_change_settings() {
    each(async |db| {
        let it = World::open(db).await;
        it.add("dana").await;
        let dana = it.sign_in("dana", PASSWORD).await;
        let input = Configurations { read_only: Some(true), ..none() };
        for (actor, status) in [(Actor::Anonymous, 401), (dana, 403)] {
            assert_eq!(it.services.configuration.get(&actor).await.unwrap_err().status, status);
            assert_eq!(it.services.configuration.update(&actor, &input).await.unwrap_err().status, status);
        }
        assert!(it.services.configuration.writable().is_ok());
        it.change(input).await.unwrap();
        let error = it.services.configuration.writable().unwrap_err();
        assert_eq!((error.status, error.code()), (403, "DENIED"));
        let audit =
            it.rows("SELECT operation || ' ' || resource || ' ' || username FROM audit_log WHERE resource_type = 'configuration'").await;
        assert_eq!(audit, [("update configuration admin".to_owned(),)]);
    })
    .await;
}

#[tokio::test]
async fn changes_outlive_the_process_and_reach_the_others() {
    each(async |db| {
        let it = World::open(db).await;
        let other = it.another(Settings { token_lifetime: 90, ..Settings::default() }).await;
        let admin = it.admin().await;
        assert_eq!(other.configuration.get(&admin).await.unwrap().token_expiration.value, 2, "a begun minute is one");
        it.change(Configurations { token_expiration: Some(5), banner_message: Some("tonight".into()), ..none() }).await.unwrap();
        assert_eq!(other.core.settings().token_lifetime, 90);
        other.configuration.refresh().await.unwrap();
        assert_eq!(
            (other.core.settings().token_lifetime, other.system.info(&Actor::Anonymous, "").banner_message.as_deref()),
            (300, Some("tonight"))
        );
        let later = it.another(Settings { token_lifetime: 90, session_lifetime: 7200, ..Settings::default() }).await;
        assert_eq!((later.core.settings().token_lifetime, later.core.settings().session_lifetime), (300, 7200));
    })
    .await;
}

#[tokio::test]
async fn a_refused_change_changes_nothing() {
    each(async |db| {
        let it = World::open(db).await;
        let input = Configurations { read_only: Some(true), token_expiration: Some(0), ..none() };
        assert_eq!(it.change(input).await, Err((400, "the token_expiration value must be positive".into())));
        assert!(!it.services.core.settings().read_only);
        assert!(it.rows("SELECT name FROM setting").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_way_to_sign_in_is_settled_once_there_are_people() {
    each(async |db| {
        let it = World::open(db).await;
        let admin = it.admin().await;
        let mode = async || it.services.configuration.get(&admin).await.unwrap().auth_mode;
        assert!(mode().await.editable);
        let of = |mode: &str| Configurations { auth_mode: Some(mode.into()), ..none() };
        assert_eq!(it.change(of("ldap_auth")).await.unwrap_err().0, 400);
        it.add("dana").await;
        assert_eq!((mode().await.editable, mode().await.value), (false, "db_auth".to_owned()));
        let (status, message) = it.change(of("ldap_auth")).await.unwrap_err();
        assert_eq!((status, message.as_str()), (400, "the auth mode cannot be modified as new users have been inserted into database"));
        it.change(of("db_auth")).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn tokens_live_as_long_as_the_setting_says_from_the_next_one_on() {
    each(async |db| {
        let it = World::open(db).await;
        let lifetime = || it.services.core.tokens.issue("dana", None, Vec::new()).unwrap().expires_in;
        assert_eq!(lifetime(), 1800);
        it.change(Configurations { token_expiration: Some(5), ..none() }).await.unwrap();
        assert_eq!(lifetime(), 300, "the remembered token of the same caller is not given out");
        it.change(Configurations { token_expiration: Some(9_999_999_999), ..none() }).await.unwrap();
        assert_eq!(lifetime(), 599_999_999_940);
    })
    .await;
}

#[tokio::test]
async fn a_shorter_session_timeout_counts_for_sessions_that_there_are() {
    each(async |db| {
        let it = World::open(db).await;
        let cookie = it.services.sessions.sign_in("admin", ADMIN_PASSWORD, None).await.unwrap().unwrap();
        it.change(Configurations { session_timeout: Some(2), ..none() }).await.unwrap();
        it.pass(119);
        assert!(it.services.sessions.actor(&cookie, false).await.unwrap().is_some());
        it.pass(2);
        assert!(it.services.sessions.actor(&cookie, false).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn who_may_make_projects_and_accounts_follows_the_settings() {
    each(async |db| {
        let it = World::open(db).await;
        it.add("dana").await;
        let dana = it.sign_in("dana", PASSWORD).await;
        it.change(Configurations { project_creation_restriction: Some("adminonly".into()), self_registration: Some(true), ..none() })
            .await
            .unwrap();
        let project = |name: &str| ProjectReq { project_name: name.into(), ..ProjectReq::default() };
        assert_eq!(
            it.services.projects.create(&dana, project("north")).await.unwrap_err().message(),
            "Only system admin can create project"
        );
        let info = it.services.system.info(&dana, "http://localhost");
        assert_eq!((info.project_creation_restriction.as_deref(), info.self_registration), (Some("adminonly"), Some(true)));
        it.change(Configurations { project_creation_restriction: Some("everyone".into()), ..none() }).await.unwrap();
        it.services.projects.create(&dana, project("north")).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn new_projects_get_the_limit_that_is_set_or_none_at_all() {
    each(async |db| {
        let it = World::open(db).await;
        let admin = it.admin().await;
        let project = |name: &str| ProjectReq { project_name: name.into(), ..ProjectReq::default() };
        it.change(Configurations { storage_per_project: Some(4096), ..none() }).await.unwrap();
        it.services.projects.create(&admin, project("limited")).await.unwrap();
        it.change(Configurations { quota_per_project_enable: Some(false), ..none() }).await.unwrap();
        it.services.projects.create(&admin, project("free")).await.unwrap();
        let limits = it.rows("SELECT p.name || ' ' || q.hard FROM project p JOIN quota q ON q.project_id = p.id ORDER BY p.id").await;
        assert_eq!(limits, [("library -1".to_owned(),), ("limited 4096".to_owned(),)]);
    })
    .await;
}

#[tokio::test]
async fn a_prefix_of_robots_shuts_out_no_person() {
    each(async |db| {
        let it = World::open(db).await;
        it.add("robot-dana").await;
        it.change(Configurations { robot_name_prefix: Some("robot-".into()), ..none() }).await.unwrap();
        assert_eq!(it.sign_in("robot-dana", PASSWORD).await.name(), "robot-dana");
        assert!(it.services.sessions.sign_in("robot-dana", PASSWORD, None).await.unwrap().is_some());
        it.change(Configurations { robot_name_prefix: Some("admin".into()), ..none() }).await.unwrap();
        it.change(Configurations { robot_name_prefix: Some("robot$".into()), ..none() }).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn pulls_are_audited_unless_that_is_switched_off() {
    each(async |db| {
        let it = World::open(db).await;
        let pull = |audited| Pull {
            project_id: model::ProjectId(1),
            repository_id: model::RepositoryId(1),
            artifact_id: model::ArtifactId(1),
            tag: None,
            repository: "library/a",
            digest: "sha256:x",
            username: "dana",
            audited,
            at: 5,
        };
        let recorder = &it.services.core.recorder;
        recorder.pull(&pull(false));
        recorder.flush().await.unwrap();
        assert!(it.rows("SELECT resource FROM audit_log WHERE operation = 'pull'").await.is_empty());
        recorder.pull(&pull(true));
        recorder.flush().await.unwrap();
        assert_eq!(it.rows("SELECT resource FROM audit_log WHERE operation = 'pull'").await.len(), 1);
        let admin = it.admin().await;
        assert!(it.services.configuration.get(&admin).await.unwrap().pull_audit_log_disable.is_none());
        it.change(Configurations { pull_audit_log_disable: Some(true), ..none() }).await.unwrap();
        assert!(it.services.configuration.get(&admin).await.unwrap().pull_audit_log_disable.unwrap().value);
        assert!(!it.services.core.settings().pull_audit);
    })
    .await;
}
