//! The projects, objects and callers that the generated tests share. Those tests leave what they are not allowed to change as it is:
//! [`World::fingerprint`] tells.

use futures::StreamExt as _;
use futures::stream;
use model::ProjectId;
use model::permission::{Action as A, GrantScope, ProjectFacts, Resource as R, RobotGrant, RobotLevel, Role, catalogue};
use serde_json::{Value, json};

use crate::kit::{Facts, Kit, PASSWORD, Who, grant};

/// A project with one of everything that a project can have.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// Where people have their roles, or a project of somebody else.
    pub(crate) is_own: bool,
    pub(crate) name: String,
    pub(crate) facts: ProjectFacts,
    pub(crate) digest: String,
    pub(crate) label: i64,
    pub(crate) member: i64,
    pub(crate) robot: i64,
    pub(crate) rule: i64,
    pub(crate) quota: i64,
}

/// The repository of every site, and its tag.
pub(crate) const REPOSITORY: &str = "app";
pub(crate) const TAG: &str = "v1";
/// What the label of a site's artifact is called.
pub(crate) const LABEL: &str = "stable";

impl Site {
    pub(crate) fn id(&self) -> i64 {
        self.facts.id.get()
    }

    /// `own private`, for messages.
    pub(crate) fn title(&self) -> String {
        let (whose, kind) = (if self.is_own { "own" } else { "foreign" }, if self.facts.public { "public" } else { "private" });
        format!("{whose} {kind}")
    }

    /// What its repository says of itself; nobody knows it who may not read it.
    pub(crate) fn description(name: &str) -> String {
        format!("canary of {name}")
    }

    async fn make(kit: &Kit, is_own: bool, public: bool, bystander: i64) -> Self {
        let name = kit.fresh(if is_own { "own" } else { "foreign" });
        let id = kit.project(&name, public).await;
        let digest = kit.tagged(&format!("{name}/{REPOSITORY}"), TAG).await;
        let described = json!({"description": Self::description(&name)});
        let _ = kit.put(&kit.admin, &format!("/projects/{name}/repositories/{REPOSITORY}"), &described).await.expect(200);
        let label = kit.make("/labels", &json!({"name": LABEL, "scope": "p", "project_id": id})).await;
        let artifact = format!("/projects/{name}/repositories/{REPOSITORY}/artifacts/{digest}");
        let _ = kit.post(&kit.admin, &format!("{artifact}/labels"), &json!({"id": label})).await.expect(200);
        let member = kit.member(&name, bystander, Role::LimitedGuest).await;
        let here = vec![grant(GrantScope::Project(ProjectId(id)), R::Repository, A::Pull)];
        let (robot, _) = kit.robot("a robot", RobotLevel::Project, here, |_| name.clone()).await;
        let rule = kit.make(&format!("/projects/{name}/immutabletagrules"), &immutable_rule("frozen-*")).await;
        let quotas = kit.read(&format!("/quotas?reference=project&reference_id={id}")).await;
        let quota = quotas[0]["id"].as_i64().expect("a quota");
        let facts = ProjectFacts { id: ProjectId(id), public };
        Self { is_own, name, facts, digest, label, member, robot, rule, quota }
    }
}

/// A rule over all repositories.
pub(crate) fn immutable_rule(pattern: &str) -> Value {
    json!({"disabled": false, "action": "immutable", "template": "immutable_template",
        "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": pattern}],
        "scope_selectors": {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]}})
}

/// Everything that the generated tests share.
#[derive(Debug)]
pub(crate) struct World {
    /// Own private, own public, foreign private, foreign public.
    pub(crate) sites: Vec<Site>,
    /// Anonymous, a stranger, the five roles, the administrator, by Basic.
    pub(crate) people: Vec<Who>,
    /// The same by session, without the anonymous one.
    pub(crate) sessions: Vec<Who>,
    /// A project's robot with everything in the first site, a system's with everything of the system.
    pub(crate) robots: Vec<Who>,
    /// An account that is a limited guest everywhere, and calls nothing.
    pub(crate) bystander: (i64, String),
    pub(crate) group: (i64, String),
    pub(crate) global_label: i64,
    pub(crate) system_robot: i64,
}

impl World {
    pub(crate) async fn make(kit: &Kit) -> Self {
        let name = kit.fresh("bystander");
        let bystander = kit.account(&name).await;
        let mut sites = Vec::new();
        for (is_own, public) in [(true, false), (true, true), (false, false), (false, true)] {
            sites.push(Site::make(kit, is_own, public, bystander).await);
        }
        let people = people(kit, &sites).await;
        let named: Vec<&Who> = people.iter().filter(|who| !who.is_anonymous()).collect();
        let sessions = stream::iter(named).then(|who| kit.session(who)).collect().await;
        // Its first change gives it an id.
        let _ = kit.put(&kit.admin, "/system/CVEAllowlist", &json!({"items": []})).await.expect(200);
        let group = kit.fresh("group");
        let group_id = kit.make("/usergroups", &json!({"group_name": group, "group_type": 2})).await;
        let global_label = kit.make("/labels", &json!({"name": kit.fresh("global"), "scope": "g"})).await;
        let here = GrantScope::Project(sites[0].facts.id);
        let all_here = catalogue::pairs(model::permission::GrantKind::Project).map(|(r, a)| grant(here, r, a)).collect();
        let all_system: Vec<RobotGrant> =
            catalogue::pairs(model::permission::GrantKind::System).map(|(r, a)| grant(GrantScope::System, r, a)).collect();
        let (_, of_project) =
            kit.robot("project robot with everything here", RobotLevel::Project, all_here, |_| sites[0].name.clone()).await;
        let (system_robot, of_system) =
            kit.robot("system robot with everything of the system", RobotLevel::System, all_system, |_| String::new()).await;
        Self {
            sites,
            people,
            sessions,
            robots: vec![of_project, of_system],
            bystander: (bystander, name),
            group: (group_id, group),
            global_label,
            system_robot,
        }
    }

    /// The project administrator of our own projects.
    pub(crate) fn owner(&self) -> &Who {
        self.person(Role::ProjectAdmin)
    }

    /// Who has a role in our own projects.
    pub(crate) fn person(&self, wanted: Role) -> &Who {
        let has = |who: &&Who| matches!(who.facts, Facts::User { role: Some(role), .. } if role == wanted);
        self.people.iter().find(has).expect("every role has somebody")
    }

    /// Who has no role anywhere.
    pub(crate) fn stranger(&self) -> &Who {
        &self.people[1]
    }

    /// Our own private project.
    pub(crate) fn own(&self) -> &Site {
        &self.sites[0]
    }

    /// Somebody else's private project.
    pub(crate) fn foreign(&self) -> &Site {
        &self.sites[2]
    }

    /// Everything that nobody was allowed to change, without its times.
    pub(crate) async fn fingerprint(&self, kit: &Kit) -> String {
        let mut paths = vec![
            format!("/users/{}", self.bystander.0),
            format!("/usergroups/{}", self.group.0),
            format!("/labels/{}", self.global_label),
            format!("/robots/{}", self.system_robot),
            "/configurations".to_owned(),
            "/system/CVEAllowlist".to_owned(),
        ];
        for site in &self.sites {
            let project = format!("/projects/{}", site.id());
            paths.extend([
                project.clone(),
                format!("{project}/metadatas"),
                format!("{project}/members/{}", site.member),
                format!("/labels/{}", site.label),
                format!("/robots/{}", site.robot),
                format!("/quotas/{}", site.quota),
                format!("/projects/{}/repositories/{REPOSITORY}", site.name),
                format!("/projects/{}/repositories/{REPOSITORY}/artifacts/{}?with_label=true", site.name, site.digest),
            ]);
        }
        let mut text = String::new();
        for path in paths {
            let mut value = kit.read(&path).await;
            without_times(&mut value);
            text += &format!("{path} {value}\n");
        }
        for site in &self.sites {
            let rules = kit.read(&format!("/projects/{}/immutabletagrules?page_size=100", site.name)).await;
            let rule = rules.as_array().and_then(|rules| rules.iter().find(|rule| rule["id"] == site.rule)).cloned();
            text += &format!("rule of {} {rule:?}\n", site.name);
        }
        let bystander = Who::user("bystander", &self.bystander.1, PASSWORD, Facts::Nobody);
        text + &kit.get(&bystander, "/users/current").await.status.to_string()
    }
}

fn without_times(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !name.ends_with("_time") && name != "pull_count");
            fields.values_mut().for_each(without_times);
        }
        Value::Array(items) => items.iter_mut().for_each(without_times),
        _ => {}
    }
}

async fn people(kit: &Kit, sites: &[Site]) -> Vec<Who> {
    let mut people = vec![Who::nobody(), kit.stranger().await];
    for role in Role::ALL {
        let name = kit.fresh("u");
        let id = kit.account(&name).await;
        for site in sites.iter().filter(|site| site.is_own) {
            kit.member(&site.name, id, role).await;
        }
        people.push(Who::user(role.as_str(), &name, PASSWORD, Facts::User { id, is_admin: false, role: Some(role) }));
    }
    people.push(kit.admin.clone());
    people
}
