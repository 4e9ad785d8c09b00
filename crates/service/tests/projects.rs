//! Projects, members, robots and quotas: nobody gets more than they were given, ids of other places are none, and what is taken away is gone at once. On every engine.

use std::collections::BTreeMap;

use model::api::{Access, ProjectMember, ProjectReq, QuotaUpdateReq, RobotCreate, RobotPermission, RobotSec, RobotUpdate, RoleRequest};
use model::list::{ListQuery, Paging, parse_q};
use model::permission::Role;
use model::{MemberId, ProjectId, RobotId, Secret};
use service::{Actor, NameOrId, Settings};
use store::Db;
use testkit::database::each;
use testkit::instance::Instance;

/// An instance, and what people make in it.
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

    async fn member(&self, actor: &Actor, project: &str, user: &str, role: Role) -> MemberId {
        self.services.members.create(actor, &named(project), Some(&member(user, role.id()))).await.unwrap()
    }

    /// Makes a robot and signs in as it.
    async fn robot(&self, actor: &Actor, input: &RobotCreate) -> (RobotId, String, Secret) {
        let made = self.services.robots.create(actor, input).await.unwrap();
        (made.id, made.name, made.secret)
    }
}

fn named(name: &str) -> NameOrId {
    NameOrId::Name(name.to_owned())
}

fn project(name: &str) -> ProjectReq {
    ProjectReq { project_name: name.to_owned(), ..ProjectReq::default() }
}

fn member(user: &str, role: i64) -> ProjectMember {
    serde_json::from_value(serde_json::json!({"role_id": role, "member_user": {"username": user}})).unwrap()
}

fn permission(kind: &str, namespace: &str, access: &[(&str, &str)]) -> RobotPermission {
    let access = access.iter().map(|(r, a)| Access { resource: (*r).to_owned(), action: (*a).to_owned(), effect: String::new() }).collect();
    RobotPermission { kind: kind.to_owned(), namespace: namespace.to_owned(), access }
}

fn robot(name: &str, level: &str, permissions: Vec<RobotPermission>) -> RobotCreate {
    RobotCreate { name: name.to_owned(), level: level.to_owned(), duration: 30, permissions, ..RobotCreate::default() }
}

fn status<T>(result: service::Result<T>) -> u16 {
    result.map_or_else(|error| error.status, |_| 200)
}

#[tokio::test]
async fn members_below_the_administrator_change_nothing() {
    each(async |db| {
        let instance = World::open(db).await;
        let (dana, evan) = (instance.user("dana").await, instance.user("evan").await);
        let north = instance.project(&dana, "north").await;
        let evans = instance.member(&dana, "north", "evan", Role::Maintainer).await;
        let services = &instance.services;
        let admin_role = RoleRequest { role_id: Role::ProjectAdmin.id() };
        assert_eq!(status(services.members.update(&evan, &named("north"), evans, Some(&admin_role)).await), 403);
        assert_eq!(status(services.members.create(&evan, &named("north"), Some(&member("admin", 3))).await), 403);
        assert_eq!(status(services.members.delete(&evan, &named("north"), evans).await), 403);
        assert_eq!(status(services.projects.update(&evan, &NameOrId::Id(north), &ProjectReq::default()).await), 403);
        let pair = BTreeMap::from([("public".to_owned(), "true".to_owned())]);
        assert_eq!(status(services.projects.set_metadata(&evan, &named("north"), "public", &pair).await), 403);
        assert_eq!(status(services.projects.remove_metadata(&evan, &named("north"), "public").await), 403);
        assert_eq!(status(services.projects.delete(&evan, &named("north")).await), 403);
        let ci = robot("ci", "project", vec![permission("project", "north", &[("repository", "pull")])]);
        assert_eq!(status(services.robots.create(&evan, &ci).await), 403);
        // A role that is none is refused, and the member keeps the one it has.
        assert_eq!(status(services.members.update(&dana, &named("north"), evans, Some(&RoleRequest { role_id: 9 })).await), 400);
        assert_eq!(services.members.get(&dana, &named("north"), evans).await.unwrap().role_id, Role::Maintainer.id());
    })
    .await;
}

#[tokio::test]
async fn ids_of_other_projects_are_none() {
    each(async |db| {
        let instance = World::open(db).await;
        let (admin, dana) = (instance.admin().await, instance.user("dana").await);
        instance.user("evan").await;
        let north = instance.project(&dana, "north").await;
        let south = instance.project(&admin, "south").await;
        let foreign = instance.member(&admin, "south", "evan", Role::Guest).await;
        let services = &instance.services;
        let role = RoleRequest { role_id: Role::ProjectAdmin.id() };
        assert_eq!(status(services.members.get(&dana, &named("north"), foreign).await), 404);
        assert_eq!(status(services.members.update(&dana, &named("north"), foreign, Some(&role)).await), 200);
        assert_eq!(status(services.members.delete(&dana, &named("north"), foreign).await), 200);
        assert_eq!(services.members.get(&admin, &named("south"), foreign).await.unwrap().role_id, Role::Guest.id());
        let of_south = robot("ci", "project", vec![permission("project", "south", &[("repository", "pull")])]);
        assert_eq!(status(services.robots.create(&dana, &of_south).await), 403);
        let (id, ..) = instance.robot(&admin, &of_south).await;
        let update = RobotUpdate {
            name: "robot$south+ci".into(),
            level: "project".into(),
            permissions: vec![permission("project", "north", &[("repository", "pull")])],
            ..RobotUpdate::default()
        };
        assert_eq!(status(services.robots.get(&dana, id).await), 403);
        assert_eq!(status(services.robots.update(&dana, id, &update).await), 403);
        assert_eq!(status(services.robots.update(&admin, id, &update).await), 400);
        assert_eq!(status(services.robots.refresh_secret(&dana, id, &RobotSec::default()).await), 403);
        assert_eq!(status(services.robots.delete(&dana, id).await), 403);
        let q =
            |project: ProjectId| ListQuery::new(Paging::default(), parse_q(&format!("Level=project,ProjectID={project}")).unwrap(), vec![]);
        assert_eq!(status(services.robots.list(&dana, &q(south)).await), 403);
        assert_eq!(services.robots.list(&dana, &q(north)).await.unwrap().total, 0);
        // A list of CVEs cannot be sent to another project.
        let list = serde_json::from_value(serde_json::json!({"cve_allowlist": {"project_id": south, "items": []}})).unwrap();
        assert_eq!(status(services.projects.update(&dana, &named("north"), &list).await), 400);
    })
    .await;
}

#[tokio::test]
async fn a_request_sets_only_what_is_the_callers_to_set() {
    each(async |db| {
        let instance = World::with(db, Settings { storage_per_project: 5000, ..Settings::default() }).await;
        let (admin, dana) = (instance.admin().await, instance.user("dana").await);
        let services = &instance.services;
        let greedy = serde_json::json!({"project_name": "north", "project_id": 77, "owner_id": 1, "deleted": true, "storage_limit": -1,
        "repo_count": 5, "cve_allowlist": {"items": [{"cve_id": "CVE-1"}]}, "metadata": {"projectScanner": "x"}});
        let north = services.projects.create(&dana, serde_json::from_value(greedy).unwrap()).await.unwrap();
        let made = services.projects.get(&dana, &NameOrId::Id(north)).await.unwrap();
        assert_ne!(north.get(), 77);
        assert_eq!((made.owner_name.as_str(), made.repo_count, made.current_user_role_id), ("dana", 0, 1));
        assert_eq!(made.cve_allowlist.unwrap().items, Some(vec![]));
        assert_eq!(services.projects.metadata(&admin, &named("north")).await.unwrap().len(), 1);
        let summary = services.projects.summary(&dana, &named("north")).await.unwrap();
        assert_eq!(summary.quota.unwrap().hard["storage"], 5000);
        let quotas = services.quotas.list(&admin, Some("project"), Some(&north.to_string()), &ListQuery::default()).await.unwrap();
        let hard = QuotaUpdateReq { hard: Some(BTreeMap::from([("storage".to_owned(), -1)])) };
        assert_eq!(status(services.quotas.update(&dana, quotas.items[0].id, &hard).await), 403);
        let change = serde_json::json!({"project_name": "south", "owner_id": 1, "storage_limit": -1, "metadata": {"auto_scan": "true"}});
        services.projects.update(&dana, &named("north"), &serde_json::from_value(change).unwrap()).await.unwrap();
        let made = services.projects.get(&dana, &NameOrId::Id(north)).await.unwrap();
        assert_eq!((made.name.as_str(), made.owner_name.as_str()), ("north", "dana"));
        assert_eq!(services.quotas.get(&admin, quotas.items[0].id).await.unwrap().hard["storage"], 5000);
    })
    .await;
}

#[tokio::test]
async fn robots_do_not_raise_themselves() {
    each(async |db| {
        let instance = World::open(db).await;
        let (admin, dana) = (instance.admin().await, instance.user("dana").await);
        instance.project(&dana, "north").await;
        instance.project(&admin, "south").await;
        let services = &instance.services;
        let makers = [("robot", "create"), ("repository", "pull"), ("member", "create")];
        let (id, name, secret) = instance.robot(&dana, &robot("ci", "project", vec![permission("project", "north", &makers)])).await;
        let ci = instance.sign_in(&name, secret.expose()).await;
        let child = |name: &str, level: &str, kind: &str, place: &str, access: (&str, &str)| {
            robot(name, level, vec![permission(kind, place, &[access])])
        };
        assert_eq!(status(services.robots.create(&ci, &child("c1", "project", "project", "north", ("repository", "pull"))).await), 200);
        assert_eq!(status(services.robots.create(&ci, &child("c2", "project", "project", "north", ("repository", "push"))).await), 403);
        assert_eq!(status(services.robots.create(&ci, &child("c3", "project", "project", "south", ("repository", "pull"))).await), 403);
        assert_eq!(status(services.robots.create(&ci, &child("c4", "system", "project", "north", ("repository", "pull"))).await), 403);
        assert_eq!(status(services.robots.create(&ci, &child("c5", "system", "system", "/", ("user", "create"))).await), 403);
        assert_eq!(status(services.projects.create(&ci, project("mine")).await), 403);
        assert_eq!(status(services.robots.refresh_secret(&ci, id, &RobotSec::default()).await), 403);
        // A robot of the system makes projects only when it was given that; they belong to a person.
        let (_, name, secret) = instance.robot(&admin, &child("reader", "system", "system", "/", ("project", "list"))).await;
        let reader = instance.sign_in(&name, secret.expose()).await;
        assert!(!services.projects.may_create(&reader));
        assert_eq!(status(services.projects.create(&reader, project("theirs")).await), 403);
        let (_, name, secret) = instance.robot(&admin, &child("maker", "system", "system", "/", ("project", "create"))).await;
        let maker = instance.sign_in(&name, secret.expose()).await;
        services.projects.create(&maker, project("ours")).await.unwrap();
        assert_eq!(services.projects.get(&admin, &named("ours")).await.unwrap().owner_name, "admin");
        assert_eq!(services.projects.list(&maker, &ListQuery::default()).await.unwrap().total, 1);
        assert_eq!(services.projects.list(&reader, &ListQuery::default()).await.unwrap().total, 4);
    })
    .await;
}

#[tokio::test]
async fn what_is_taken_away_is_gone_at_once() {
    each(async |db| {
        let instance = World::open(db).await;
        let (dana, evan) = (instance.user("dana").await, instance.user("evan").await);
        instance.project(&dana, "north").await;
        let services = &instance.services;
        let evans = instance.member(&dana, "north", "evan", Role::Guest).await;
        assert_eq!(status(services.projects.get(&evan, &named("north")).await), 200);
        services.members.delete(&dana, &named("north"), evans).await.unwrap();
        assert_eq!(status(services.projects.get(&evan, &named("north")).await), 403);

        let may_read = || vec![permission("project", "north", &[("project", "read")])];
        let (id, name, secret) = instance.robot(&dana, &robot("ci", "project", may_read())).await;
        assert!(!instance.sign_in(&name, secret.expose()).await.is_anonymous());
        let mut update =
            RobotUpdate { name: name.clone(), level: "project".into(), disable: true, permissions: may_read(), ..RobotUpdate::default() };
        services.robots.update(&dana, id, &update).await.unwrap();
        assert!(instance.sign_in(&name, secret.expose()).await.is_anonymous());
        update.disable = false;
        services.robots.update(&dana, id, &update).await.unwrap();
        assert!(!instance.sign_in(&name, secret.expose()).await.is_anonymous());
        let given = RobotSec { secret: Secret::new("Given1234") };
        assert!(services.robots.refresh_secret(&dana, id, &given).await.unwrap().secret.is_empty());
        assert!(instance.sign_in(&name, secret.expose()).await.is_anonymous());
        assert!(!instance.sign_in(&name, "Given1234").await.is_anonymous());
        services.projects.delete(&dana, &named("north")).await.unwrap();
        assert!(instance.sign_in(&name, "Given1234").await.is_anonymous());
        assert_eq!(status(services.robots.get(&dana, id).await), 404);
    })
    .await;
}

#[tokio::test]
async fn only_administrators_make_projects_when_that_is_set() {
    each(async |db| {
        let instance = World::with(db, Settings { project_creation_admin_only: true, ..Settings::default() }).await;
        let (admin, dana) = (instance.admin().await, instance.user("dana").await);
        let services = &instance.services;
        assert!(services.projects.may_create(&admin) && !services.projects.may_create(&dana));
        assert_eq!(status(services.projects.create(&dana, project("north")).await), 403);
        assert_eq!(status(services.projects.create(&Actor::Anonymous, project("north")).await), 401);
        assert_eq!(status(services.projects.create(&admin, project("north")).await), 200);
        assert_eq!(status(services.projects.create(&admin, project("north")).await), 409);
    })
    .await;
}

#[tokio::test]
async fn a_token_counts_in_the_project_that_it_was_given_for_and_not_in_the_next_of_that_name() {
    each(async |db| {
        let world = World::open(db).await;
        let dana = world.user("dana").await;
        world.project(&dana, "north").await;
        let name: oci::RepositoryName = "north/app".parse().unwrap();
        let token = async || {
            let issued = world.services.token_service.grant(&dana, Some(&[oci::Scope::new("repository", name.as_str(), &["push"])])).await;
            Actor::Token(world.services.core.tokens.verify(&issued.unwrap().token).unwrap())
        };
        let may = async |token: &Actor| status(world.services.registry.may(token, &name, service::registry::Use::Push).await);
        let before = token().await;
        assert_eq!(may(&before).await, 200);
        world.services.projects.delete(&dana, &named("north")).await.unwrap();
        assert_eq!(may(&before).await, 401);
        // Asked for before there is the next one: good for nothing when it is there.
        let between = token().await;
        world.project(&dana, "north").await;
        for token in [&before, &between] {
            assert_eq!(may(token).await, 401);
        }
        assert_eq!(may(&token().await).await, 200);
    })
    .await;
}
