//! The audit log: what use cases leave in it, who reads it, and how it is counted. On every engine.

use model::api::{Access, Configurations, ProjectMetadata, ProjectReq, RobotCreate, RobotPermission};
use model::list::{ListQuery, parse_q, parse_sort};
use model::{Secret, api};
use service::{Actor, NameOrId, Settings};
use testkit::database::each;
use testkit::instance::{Instance, PASSWORD};

fn query(q: &str, sort: &str) -> ListQuery {
    ListQuery { q: parse_q(q).unwrap(), sort: parse_sort(sort), page_size: 100, ..ListQuery::default() }
}

/// `name: description`, with a mark before what failed; oldest first.
async fn log(it: &Instance, reader: &Actor, q: &str) -> Vec<String> {
    it.services.core.recorder.flush().await.unwrap();
    let page = it.services.audit.list(reader, &query(q, "id")).await.unwrap();
    assert_eq!(page.total, page.items.len() as u64);
    page.items.iter().map(said).collect()
}

fn said(row: &api::AuditLogExt) -> String {
    format!("{}{}: {}", if row.operation_result { "" } else { "!" }, row.username, row.operation_description)
}

async fn robot(it: &Instance, maker: &Actor, level: &str, kind: &str, namespace: &str, resource: &str) -> Actor {
    let access = Access { resource: resource.into(), action: "list".into(), ..Access::default() };
    let permission = RobotPermission { kind: kind.into(), namespace: namespace.into(), access: vec![access] };
    let input = RobotCreate {
        name: format!("r-{resource}"),
        level: level.into(),
        duration: -1,
        permissions: vec![permission],
        ..RobotCreate::default()
    };
    let made = it.services.robots.create(maker, &input).await.unwrap();
    it.sign_in(&made.name, made.secret.expose()).await
}

#[tokio::test]
async fn signing_in_and_out_is_recorded_and_guessing_too() {
    each(async |db| {
        let it = Instance::on(db, Settings::default()).await;
        it.user("dana").await;
        let admin = it.admin().await;
        let sessions = &it.services.sessions;
        let cookie = sessions.sign_in("dana", PASSWORD, None).await.unwrap().unwrap();
        sessions.sign_out(&cookie).await.unwrap();
        sessions.sign_out(&cookie).await.unwrap();
        // The second guess comes while the name is frozen: it is not looked at, and leaves nothing.
        let (first, second, other) = tokio::join!(
            sessions.sign_in("dana", "Wrong1234", None),
            async {
                tokio::time::sleep(std::time::Duration::from_millis(1000)).await;
                sessions.sign_in("dana", "Wrong1234", None).await
            },
            sessions.sign_in("evan\0x", "Wrong1234", None)
        );
        assert!(first.unwrap().is_none() && second.unwrap().is_none() && other.unwrap().is_none());
        assert!(sessions.sign_in("", "", None).await.unwrap().is_none());
        let mut expected = vec!["dana: login", "dana: logout", "!dana: login", "!evan: login"];
        let mut found = log(&it, &admin, "resource_type=user,operation={login logout}").await;
        found.sort();
        expected.sort_unstable();
        assert_eq!(found, expected);
    })
    .await;
}

#[tokio::test]
async fn who_tries_to_change_a_project_in_vain_is_in_its_log() {
    each(async |db| {
        let it = Instance::on(db, Settings::default()).await;
        let (dana, evan) = (it.user("dana").await, it.user("evan").await);
        it.project(&dana, "north").await;
        let north = NameOrId::Name("north".into());
        let public = |value: &str| ProjectReq {
            metadata: Some(ProjectMetadata { public: Some(value.to_owned()), ..ProjectMetadata::default() }),
            ..ProjectReq::default()
        };
        let projects = &it.services.projects;
        projects.update(&dana, &north, &public("true")).await.unwrap();
        assert_eq!(projects.update(&evan, &north, &public("false")).await.unwrap_err().status, 403);
        assert_eq!(projects.update(&Actor::Anonymous, &north, &public("false")).await.unwrap_err().status, 401);
        let pair = |key: &str| std::collections::BTreeMap::from([(key.to_owned(), "red".to_owned())]);
        assert_eq!(projects.add_metadata(&dana, &north, &pair("colour")).await.unwrap_err().status, 400);
        assert_eq!(projects.remove_metadata(&evan, &north, "public").await.unwrap_err().status, 403);
        let expected = [
            "dana: create project: north",
            "dana: update project: north",
            "!evan: update project: north",
            "!dana: update project: north",
            "!evan: update project: north",
        ];
        let mut found = log(&it, &dana, "").await;
        assert_eq!(found.split_off(2), expected[2..]);
        assert_eq!(found, expected[..2]);
    })
    .await;
}

#[tokio::test]
async fn kinds_of_events_can_be_switched_off() {
    each(async |db| {
        let it = Instance::on(db, Settings::default()).await;
        let admin = it.admin().await;
        let set = |kinds: &str| Configurations { disabled_audit_log_event_types: Some(kinds.to_owned()), ..Configurations::default() };
        it.services.configuration.update(&admin, &set("Create_project, login_user,create_moon")).await.unwrap();
        it.project(&admin, "quiet").await;
        it.services.sessions.sign_in("admin", testkit::instance::ADMIN_PASSWORD, None).await.unwrap().unwrap();
        it.services.projects.delete(&admin, &NameOrId::Name("quiet".into())).await.unwrap();
        let shown = it.services.configuration.get(&admin).await.unwrap();
        assert_eq!(shown.disabled_audit_log_event_types.value, "Create_project, login_user,create_moon");
        it.services.configuration.update(&admin, &set("")).await.unwrap();
        it.project(&admin, "loud").await;
        let expected =
            ["admin: update configuration", "admin: delete project: quiet", "admin: update configuration", "admin: create project: loud"];
        assert_eq!(log(&it, &admin, "").await, expected);
    })
    .await;
}

#[tokio::test]
async fn everybody_reads_what_they_may() {
    each(async |db| {
        let it = Instance::on(db, Settings::default()).await;
        let (admin, dana, evan) = (it.admin().await, it.user("dana").await, it.user("evan").await);
        it.project(&dana, "north").await;
        it.project(&evan, "south").await;
        let watch = robot(&it, &admin, "system", "system", "/", "audit-log").await;
        let north = robot(&it, &dana, "project", "project", "north", "log").await;
        let blind = robot(&it, &dana, "project", "project", "north", "label").await;
        let created = |name: &str, by: &str| format!("{by}: create project: {name}");
        let (n, s) = (created("north", "dana"), created("south", "evan"));
        let q = "resource_type=project";
        for (reader, expected) in
            [(&admin, vec![&n, &s]), (&watch, vec![&n, &s]), (&dana, vec![&n]), (&evan, vec![&s]), (&north, vec![&n]), (&blind, vec![])]
        {
            let found = log(&it, reader, q).await;
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{}", reader.name());
        }
        let refused = it.services.audit.list(&Actor::Anonymous, &query("", "")).await.unwrap_err();
        assert_eq!((refused.status, refused.message()), (401, ""));
        let of = async |reader: &Actor, project: &str| {
            it.services.audit.list_of_project(reader, project, &query(q, "")).await.map(|page| page.total).map_err(|e| e.status)
        };
        assert_eq!(of(&dana, "north").await, Ok(1));
        assert_eq!(of(&north, "north").await, Ok(1));
        assert_eq!((of(&dana, "south").await, of(&blind, "north").await, of(&watch, "north").await), (Err(403), Err(403), Err(403)));
        assert_eq!(
            (of(&admin, "nowhere").await, of(&dana, "nowhere").await, of(&Actor::Anonymous, "north").await),
            (Err(404), Err(403), Err(401))
        );
        let types = |reader: &Actor| it.services.audit.event_types(reader).map(|types| types.len()).map_err(|e| e.status);
        assert_eq!((types(&watch), types(&dana), types(&Actor::Anonymous)), (Ok(18), Err(403), Err(401)));
        assert_eq!(it.services.audit.list_former(&dana).unwrap().total, 0);
        assert_eq!(it.services.audit.list_former_of_project(&evan, "north").await.unwrap_err().status, 403);
    })
    .await;
}

#[tokio::test]
async fn totals_are_right_at_any_time() {
    each(async |db| {
        let it = Instance::on(db, Settings::default()).await;
        let admin = it.admin().await;
        let total = async || {
            let all = it.services.audit.list(&admin, &ListQuery::default()).await.unwrap();
            let one = it.services.audit.list_of_project(&admin, "north", &ListQuery::default()).await.unwrap();
            (all.total, one.total, all.items.len())
        };
        it.project(&admin, "north").await;
        assert_eq!(total().await, (1, 1, 1));
        let name = NameOrId::Name("north".into());
        // Past the time for which rows are counted anew, past that for which a count is remembered, and past all of it.
        for (seconds, rows) in [(1, 2), (400, 3), (1200, 4), (1, 5), (4000, 6), (100_000, 7)] {
            it.pass(seconds);
            it.services.projects.update(&admin, &name, &ProjectReq::default()).await.unwrap();
            assert_eq!(total().await, (rows, rows, usize::try_from(rows).unwrap()), "{seconds}");
        }
        it.pass(100_000);
        assert_eq!(total().await, (7, 7, 7));
        let everything = it.services.audit.list(&admin, &ListQuery::all()).await.unwrap();
        assert_eq!((everything.total, everything.items.len()), (7, 7));
    })
    .await;
}

#[tokio::test]
async fn a_robot_fails_as_slowly_whether_it_is_there_or_not_and_cannot_be_shut_out() {
    let it = Instance::open().await;
    let admin = it.admin().await;
    let access = vec![Access { resource: "repository".into(), action: "pull".into(), ..Access::default() }];
    let permission = RobotPermission { kind: "project".into(), namespace: "*".into(), access };
    let make = |name: &str| RobotCreate {
        name: name.into(),
        level: "system".into(),
        duration: -1,
        permissions: vec![permission.clone()],
        ..RobotCreate::default()
    };
    let made = it.services.robots.create(&admin, &make("made")).await.unwrap();
    let chosen = it.services.robots.create(&admin, &make("chosen")).await.unwrap();
    let secret = api::RobotSec { secret: Secret::new("Chosen1234") };
    it.services.robots.refresh_secret(&admin, chosen.id, &secret).await.unwrap();
    let timed = async |name: &str| {
        let begun = std::time::Instant::now();
        assert!(it.sign_in(name, "Wrong1234").await.is_anonymous());
        begun.elapsed()
    };
    let (there, of_choice, absent) = tokio::join!(timed("robot$made"), timed("robot$chosen"), timed("robot$nobody"));
    for took in [there, of_choice, absent] {
        assert!(took >= std::time::Duration::from_millis(1400), "{took:?}");
    }
    // While somebody guesses, the secret that nobody guesses still counts; the one that somebody chose waits.
    let guess = async |name: &str| drop(it.sign_in(name, "Wrong1234").await);
    let honest = async |name: &str, secret: &str| {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        !it.sign_in(name, secret).await.is_anonymous()
    };
    let ((), (), made, chosen) = tokio::join!(
        guess("robot$made"),
        guess("robot$chosen"),
        honest("robot$made", made.secret.expose()),
        honest("robot$chosen", "Chosen1234")
    );
    assert_eq!((made, chosen), (true, false));
    assert!(!it.sign_in("robot$chosen", "Chosen1234").await.is_anonymous());
}
