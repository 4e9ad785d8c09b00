//! Every operation of the API with the question that decides it, and a request for it that changes nothing for those who are let in.
//! What the questions are answered with is the permission table's business. An operation of the document that is missing here fails a test.

use std::collections::BTreeMap;

use http::Method;
use model::permission::{Action as A, Resource as R};
use serde_json::{Value, json};

use crate::kit::{Kit, PASSWORD};
use crate::world::{LABEL, REPOSITORY, Site, TAG, World, immutable_rule};

/// What decides an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Nobody is refused; what is shown depends on who asks.
    Anyone,
    /// Whoever is signed in, robots too.
    SignedIn,
    /// A permission in the project.
    Project(R, A),
    /// The same, and never for those who are not signed in.
    SignedInProject(R, A),
    /// Two permissions in the project.
    Both((R, A), (R, A)),
    /// A permission of the system.
    System(R, A),
    /// One's own account, or a permission of the system.
    OneselfOr(R, A),
    /// A person asks about themselves; robots have no account.
    Person,
    /// Administrators of the system and of any project.
    AdministratorOfAny,
    /// People, and robots of the system that were given it.
    MakesProjects,
    /// For parts of the system among themselves: 401 for every caller.
    Internal,
    /// Refused for everybody in this way of signing in: 412.
    NeverHere,
}

/// What a request is made for.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    pub(crate) world: &'a World,
    pub(crate) site: &'a Site,
    /// A name that nobody used.
    pub(crate) fresh: String,
    /// The account that a path names: of the bystander, or the caller's own.
    pub(crate) user: i64,
    pub(crate) user_name: String,
}

impl<'a> Target<'a> {
    pub(crate) fn new(kit: &Kit, world: &'a World, site: &'a Site) -> Self {
        Self { world, site, fresh: kit.fresh("n"), user: world.bystander.0, user_name: world.bystander.1.clone() }
    }
}

type Body = fn(&Target<'_>) -> Value;

/// What those who are let in send, so that nothing shared changes.
#[derive(Clone, Copy)]
pub(crate) enum Spare {
    /// The same as everybody: it reads, or changes nothing.
    Same,
    /// The same about something that is not there.
    Absent(&'static str),
    /// Another body, which is refused for what it says.
    Body(Body),
    /// The same about a label or a robot made for this request.
    Disposable,
}

/// One operation.
#[derive(Clone, Copy)]
pub(crate) struct Operation {
    /// As the document calls it.
    pub(crate) id: &'static str,
    pub(crate) rule: Rule,
    pub(crate) query: Option<fn(&Target<'_>) -> String>,
    pub(crate) body: Option<Body>,
    pub(crate) spare: Spare,
    /// Statuses of those who are let in.
    pub(crate) passes: &'static [u16],
}

impl Operation {
    const fn query(mut self, query: fn(&Target<'_>) -> String) -> Self {
        self.query = Some(query);
        self
    }

    const fn body(mut self, body: Body) -> Self {
        self.body = Some(body);
        self
    }

    const fn spare(mut self, spare: Spare) -> Self {
        self.spare = spare;
        self
    }

    const fn passes(mut self, passes: &'static [u16]) -> Self {
        self.passes = passes;
        self
    }

    /// Whether it is asked about each project.
    pub(crate) fn is_of_project(&self) -> bool {
        matches!(self.rule, Rule::Project(..) | Rule::SignedInProject(..) | Rule::Both(..))
    }
}

const fn op(id: &'static str, rule: Rule) -> Operation {
    Operation { id, rule, query: None, body: None, spare: Spare::Same, passes: &[200] }
}

/// All of them; one that is decided by where its object lives has a line for each place.
pub(crate) const OPERATIONS: &[Operation] = &[
    // Of everybody.
    op("getHealth", Rule::Anyone),
    op("getPing", Rule::Anyone),
    op("getSystemInfo", Rule::Anyone),
    op("getIcon", Rule::Anyone),
    op("getCert", Rule::Anyone).passes(&[200, 404]),
    op("search", Rule::Anyone).query(|_| "q=app".to_owned()),
    op("listProjects", Rule::Anyone),
    op("listAllRepositories", Rule::Anyone),
    op("ListLabels", Rule::Anyone).query(|_| "scope=g".to_owned()),
    // Of whoever is signed in.
    op("getStatistic", Rule::SignedIn),
    op("headProject", Rule::SignedIn).query(|t| format!("project_name={}", t.world.own().name)),
    op("getSystemCVEAllowlist", Rule::SignedIn),
    op("getCurrentUserPermissions", Rule::SignedIn).query(|t| format!("scope=/project/{}", t.site.id())),
    op("searchUsers", Rule::SignedIn).query(|_| "username=by".to_owned()),
    op("searchUserGroups", Rule::SignedIn).query(|_| "groupname=g".to_owned()),
    op("getCurrentUserInfo", Rule::Person),
    op("getPermissions", Rule::AdministratorOfAny),
    op("createProject", Rule::MakesProjects).body(|t| json!({"project_name": t.site.name})).passes(&[409]),
    // Accounts.
    op("listUsers", Rule::System(R::User, A::List)),
    op("createUser", Rule::System(R::User, A::Create)).body(new_user).spare(Spare::Body(taken_user)).passes(&[409]),
    op("getUser", Rule::OneselfOr(R::User, A::Read)),
    op("updateUserProfile", Rule::OneselfOr(R::User, A::Update)).body(|t| profile(t, "changed")).spare(Spare::Body(|t| profile(t, ""))),
    op("updateUserPassword", Rule::OneselfOr(R::User, A::Update))
        .body(|_| json!({"old_password": PASSWORD, "new_password": "Passw0rd9"}))
        .spare(Spare::Body(|_| json!({"old_password": PASSWORD, "new_password": "weak"})))
        .passes(&[400]),
    op("deleteUser", Rule::System(R::User, A::Delete)).spare(Spare::Absent("user_id")).passes(&[404]),
    op("setUserSysAdmin", Rule::System(R::User, A::Update))
        .body(|_| json!({"sysadmin_flag": true}))
        .spare(Spare::Body(|_| json!({"sysadmin_flag": false}))),
    op("setCliSecret", Rule::NeverHere).body(|_| json!({"secret": PASSWORD})),
    op("listUserGroups", Rule::System(R::UserGroup, A::List)),
    op("createUserGroup", Rule::System(R::UserGroup, A::Create))
        .body(|t| json!({"group_name": t.fresh, "group_type": 2}))
        .spare(Spare::Body(|t| json!({"group_name": t.world.group.1, "group_type": 2})))
        .passes(&[409]),
    op("getUserGroup", Rule::System(R::UserGroup, A::Read)),
    op("updateUserGroup", Rule::System(R::UserGroup, A::Update))
        .body(|t| json!({"group_name": t.fresh, "group_type": 2}))
        .spare(Spare::Body(|t| json!({"group_name": t.world.group.1, "group_type": 2}))),
    op("deleteUserGroup", Rule::System(R::UserGroup, A::Delete)).spare(Spare::Absent("group_id")),
    // The system.
    op("getConfigurations", Rule::System(R::Configuration, A::Read)),
    op("updateConfigurations", Rule::System(R::Configuration, A::Update))
        .body(|_| json!({"robot_token_duration": 7}))
        .spare(Spare::Body(|_| json!({"robot_token_duration": 30}))),
    op("putSystemCVEAllowlist", Rule::System(R::Configuration, A::Update))
        .body(|_| json!({"items": [{"cve_id": "CVE-2020-1"}]}))
        .spare(Spare::Body(|_| json!({"items": []}))),
    op("getVolumes", Rule::System(R::SystemVolumes, A::Read)),
    op("getInternalconfig", Rule::Internal),
    op("listAuditLogs", Rule::SignedIn),
    op("listAuditLogExts", Rule::SignedIn),
    op("listAuditLogEventTypes", Rule::System(R::AuditLog, A::List)),
    op("listQuotas", Rule::System(R::Quota, A::List)),
    op("getQuota", Rule::System(R::Quota, A::Read)),
    op("updateQuota", Rule::System(R::Quota, A::Update))
        .body(|_| json!({"hard": {"storage": 1 << 30}}))
        .spare(Spare::Body(|_| json!({"hard": {"storage": -1}}))),
    // Labels and robots, of the system and of projects.
    op("CreateLabel", Rule::System(R::Label, A::Create)).body(|t| json!({"name": t.fresh, "scope": "g"})).passes(&[201]),
    op("GetLabelByID", Rule::System(R::Label, A::Read)),
    op("UpdateLabel", Rule::System(R::Label, A::Update)).body(|t| json!({"name": t.fresh})).spare(Spare::Disposable),
    op("DeleteLabel", Rule::System(R::Label, A::Delete)).spare(Spare::Disposable),
    op("ListLabels", Rule::Project(R::Label, A::List)).query(|t| format!("scope=p&project_id={}", t.site.id())),
    op("CreateLabel", Rule::Project(R::Label, A::Create))
        .body(|t| json!({"name": t.fresh, "scope": "p", "project_id": t.site.id()}))
        .passes(&[201]),
    op("GetLabelByID", Rule::Project(R::Label, A::Read)),
    op("UpdateLabel", Rule::Project(R::Label, A::Update)).body(|t| json!({"name": t.fresh})).spare(Spare::Disposable),
    op("DeleteLabel", Rule::Project(R::Label, A::Delete)).spare(Spare::Disposable),
    op("ListRobot", Rule::System(R::Robot, A::List)),
    op("CreateRobot", Rule::System(R::Robot, A::Create)).body(|t| new_robot(t, "system", "/")).passes(&[201]),
    op("GetRobotByID", Rule::System(R::Robot, A::Read)),
    op("UpdateRobot", Rule::System(R::Robot, A::Update)).body(|_| json!({"duration": 1})).spare(Spare::Disposable).passes(&[400]),
    op("RefreshSec", Rule::System(R::Robot, A::Update)).body(|_| json!({"secret": "Passw0rd7"})).spare(Spare::Disposable),
    op("DeleteRobot", Rule::System(R::Robot, A::Delete)).spare(Spare::Disposable),
    op("ListRobot", Rule::SignedInProject(R::Robot, A::List)).query(|t| format!("q=Level%3Dproject,ProjectID%3D{}", t.site.id())),
    op("CreateRobot", Rule::Project(R::Robot, A::Create)).body(|t| new_robot(t, "project", &t.site.name)).passes(&[201]),
    op("GetRobotByID", Rule::SignedInProject(R::Robot, A::Read)),
    op("UpdateRobot", Rule::SignedInProject(R::Robot, A::Update)).body(|_| json!({"duration": 1})).spare(Spare::Disposable).passes(&[400]),
    op("RefreshSec", Rule::SignedInProject(R::Robot, A::Update)).body(|_| json!({"secret": "Passw0rd7"})).spare(Spare::Disposable),
    op("DeleteRobot", Rule::SignedInProject(R::Robot, A::Delete)).spare(Spare::Disposable),
    // Projects.
    op("getProject", Rule::Project(R::Project, A::Read)),
    op("updateProject", Rule::Project(R::Project, A::Update))
        .body(|t| json!({"metadata": {"public": (!t.site.facts.public).to_string()}}))
        .spare(Spare::Body(|t| json!({"metadata": {"public": t.site.facts.public.to_string()}}))),
    op("deleteProject", Rule::Project(R::Project, A::Delete)).passes(&[412]),
    op("getProjectDeletable", Rule::Project(R::Project, A::Delete)),
    op("getProjectSummary", Rule::Project(R::Project, A::Read)),
    op("listArtifactsOfProject", Rule::SignedInProject(R::Artifact, A::List)),
    op("getLogs", Rule::Project(R::Log, A::List)),
    op("getLogExts", Rule::Project(R::Log, A::List)),
    op("listProjectMembers", Rule::Project(R::Member, A::List)),
    op("createProjectMember", Rule::Project(R::Member, A::Create))
        .body(|t| json!({"role_id": 1, "member_user": {"user_id": t.world.stranger().user_id()}}))
        .spare(Spare::Body(|t| json!({"role_id": 5, "member_user": {"user_id": t.world.bystander.0}})))
        .passes(&[409]),
    op("getProjectMember", Rule::Project(R::Member, A::Read)),
    op("updateProjectMember", Rule::Project(R::Member, A::Update))
        .body(|_| json!({"role_id": 1}))
        .spare(Spare::Body(|_| json!({"role_id": 5}))),
    op("deleteProjectMember", Rule::Project(R::Member, A::Delete)).spare(Spare::Absent("mid")),
    op("listProjectMetadatas", Rule::Project(R::Metadata, A::List)),
    op("addProjectMetadatas", Rule::Project(R::Metadata, A::Create))
        .body(|_| json!({"auto_scan": "true"}))
        .spare(Spare::Body(|t| json!({"public": t.site.facts.public.to_string()})))
        .passes(&[409]),
    op("getProjectMetadata", Rule::Project(R::Metadata, A::Read)),
    op("updateProjectMetadata", Rule::Project(R::Metadata, A::Update))
        .body(|t| json!({"public": (!t.site.facts.public).to_string()}))
        .spare(Spare::Body(|t| json!({"public": t.site.facts.public.to_string()}))),
    op("deleteProjectMetadata", Rule::Project(R::Metadata, A::Delete)).spare(Spare::Absent("meta_name")),
    op("ListImmuRules", Rule::Project(R::ImmutableTag, A::List)),
    op("CreateImmuRule", Rule::Project(R::ImmutableTag, A::Create)).body(|t| immutable_rule(&t.fresh)).passes(&[201]),
    op("UpdateImmuRule", Rule::Project(R::ImmutableTag, A::Update))
        .body(|t| own_rule(t, &t.fresh))
        .spare(Spare::Body(|t| own_rule(t, "frozen-*"))),
    op("DeleteImmuRule", Rule::Project(R::ImmutableTag, A::Delete)).spare(Spare::Absent("immutable_rule_id")).passes(&[404]),
    // Repositories and what is in them.
    op("listRepositories", Rule::Project(R::Repository, A::List)),
    op("getRepository", Rule::Project(R::Repository, A::Read)),
    op("updateRepository", Rule::Project(R::Repository, A::Update))
        .body(|_| json!({"description": "changed"}))
        .spare(Spare::Body(|t| json!({"description": Site::description(&t.site.name)}))),
    op("deleteRepository", Rule::Project(R::Repository, A::Delete)).spare(Spare::Absent("repository_name")).passes(&[404]),
    op("listArtifacts", Rule::Project(R::Artifact, A::List)),
    op("CopyArtifact", Rule::Both((R::Artifact, A::Create), (R::Artifact, A::Read)))
        .query(|t| format!("from={}/{REPOSITORY}@{}", t.site.name, t.site.digest))
        .passes(&[201]),
    op("getArtifact", Rule::Project(R::Artifact, A::Read)),
    op("deleteArtifact", Rule::Project(R::Artifact, A::Delete)).spare(Spare::Absent("reference")).passes(&[404]),
    op("listTags", Rule::Project(R::Tag, A::List)),
    op("createTag", Rule::Project(R::Tag, A::Create))
        .body(|t| json!({"name": t.fresh}))
        .spare(Spare::Body(|_| json!({"name": TAG})))
        .passes(&[409]),
    op("deleteTag", Rule::Project(R::Tag, A::Delete)).spare(Spare::Absent("tag_name")).passes(&[404]),
    op("listAccessories", Rule::Project(R::Accessory, A::List)),
    op("getVulnerabilitiesAddition", Rule::Project(R::ArtifactAddition, A::Read)).passes(&[404]),
    op("getAddition", Rule::Project(R::ArtifactAddition, A::Read)),
    op("addLabel", Rule::Project(R::ArtifactLabel, A::Create))
        .body(|t| json!({"id": t.world.global_label}))
        .spare(Spare::Body(|t| json!({"id": t.site.label, "name": LABEL})))
        .passes(&[409]),
    op("removeLabel", Rule::Project(R::ArtifactLabel, A::Delete)).spare(Spare::Absent("label_id")).passes(&[404]),
];

fn own_rule(t: &Target<'_>, pattern: &str) -> Value {
    let mut rule = immutable_rule(pattern);
    rule["id"] = t.site.rule.into();
    rule
}

fn new_user(t: &Target<'_>) -> Value {
    json!({"username": t.fresh, "email": format!("{}@example.com", t.fresh), "realname": t.fresh, "password": PASSWORD})
}

fn taken_user(t: &Target<'_>) -> Value {
    json!({"username": t.user_name, "email": format!("{}@example.com", t.fresh), "realname": "x", "password": PASSWORD})
}

fn profile(t: &Target<'_>, comment: &str) -> Value {
    json!({"email": format!("{}@example.com", t.user_name), "realname": t.user_name, "comment": comment})
}

/// A robot that may make robots: what a robot that makes it has too.
fn new_robot(t: &Target<'_>, level: &str, namespace: &str) -> Value {
    json!({"name": t.fresh, "level": level, "duration": 1,
        "permissions": [{"kind": level, "namespace": namespace, "access": [{"resource": "robot", "action": "create"}]}]})
}

/// Where each operation is, by the served document.
pub(crate) async fn document(kit: &Kit) -> BTreeMap<String, Route> {
    let document = kit.read("/openapi.json").await;
    let mut routes = BTreeMap::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let Ok(method) = method.to_ascii_uppercase().parse::<Method>() else { continue };
            let Some(id) = operation["operationId"].as_str() else { continue };
            let names = |place: &str| {
                let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
                parameters.iter().filter(|p| p["in"] == place).filter_map(|p| p["name"].as_str().map(str::to_owned)).collect()
            };
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let body = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()).map(str::to_owned);
            let route = Route { method, path: path.clone(), query: names("query"), places: names("path"), body };
            assert!(routes.insert(id.to_owned(), route).is_none(), "two operations are called {id}");
        }
    }
    routes
}

/// Where an operation is.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) method: Method,
    /// With `{parameters}`.
    pub(crate) path: String,
    pub(crate) query: Vec<String>,
    pub(crate) places: Vec<String>,
    /// The model of its body.
    pub(crate) body: Option<String>,
}

impl Route {
    /// The path with its parameters filled in by `value`.
    pub(crate) fn filled(&self, value: impl Fn(&str) -> String) -> String {
        let mut path = String::new();
        for (at, part) in self.path.split('{').enumerate() {
            match part.split_once('}') {
                Some((name, rest)) if at > 0 => path += &format!("{}{rest}", value(name)),
                _ => path += part,
            }
        }
        path
    }
}

/// What a parameter of a path is for a target. `absent` names the one that must lead nowhere.
pub(crate) fn place(operation: &Operation, target: &Target<'_>, name: &str, absent: Option<&str>) -> String {
    if absent == Some(name) {
        return nowhere(name).to_owned();
    }
    let (site, world) = (target.site, target.world);
    let by_project = operation.is_of_project();
    match name {
        "project_name" => site.name.clone(),
        // Both ways to name a project.
        "project_name_or_id" if operation.id.len().is_multiple_of(2) => site.id().to_string(),
        "project_name_or_id" => site.name.clone(),
        "repository_name" => REPOSITORY.to_owned(),
        "reference" => site.digest.clone(),
        "tag_name" => TAG.to_owned(),
        "label_id" => (if by_project { site.label } else { world.global_label }).to_string(),
        "robot_id" => (if by_project { site.robot } else { world.system_robot }).to_string(),
        "mid" => site.member.to_string(),
        "immutable_rule_id" => site.rule.to_string(),
        "meta_name" => "public".to_owned(),
        "addition" => "build_history".to_owned(),
        "digest" => "sha256:0048162a053eef4d4ce3fe7518615bef084403614f8bca43b40ae2e762e11e06".to_owned(),
        "user_id" => target.user.to_string(),
        "group_id" => world.group.0.to_string(),
        "id" => site.quota.to_string(),
        other => panic!("{} has a parameter {other} that this test does not know", operation.id),
    }
}

/// A value that names nothing.
pub(crate) fn nowhere(name: &str) -> &'static str {
    match name {
        "reference" => "sha256:0000000000000000000000000000000000000000000000000000000000000000",
        "project_name" | "repository_name" | "tag_name" | "meta_name" => "nowhere",
        _ => "999999999",
    }
}
