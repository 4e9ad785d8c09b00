//! The pages of the portal as each caller gets them: what they tell, what they offer, and what strangers are refused. On every engine.

use model::ProjectId;
use model::api::{Configurations, ProjectMember, ProjectMetadata, ProjectReq, UserEntity};
use model::list::ListQuery;
use model::permission::{Action, Caller, ProjectFacts, Resource, Role, decide_project};
use serde_json::json;
use service::artifact::Named;
use service::browse::Rights;
use service::{Actor, NameOrId, Settings};
use store::Db;
use testkit::database::each;
use testkit::instance::Instance;

/// `dana` owns the public `quay` and the private `dock`; both hold the index `app:v1`.
async fn world(db: Db) -> (Instance, Actor) {
    let instance = Instance::on(db, Settings::default()).await;
    // With PostgreSQL a process remembers nothing until the others know it.
    instance.services.join_replicas().await.unwrap();
    let dana = instance.user("dana").await;
    for project in ["quay", "dock"] {
        instance.project(&dana, project).await;
        let index = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []});
        instance.push(&dana, &format!("{project}/app"), Some("v1"), &index).await.unwrap();
    }
    let public = ProjectReq {
        metadata: Some(ProjectMetadata { public: Some("true".to_owned()), ..ProjectMetadata::default() }),
        ..ProjectReq::default()
    };
    instance.services.projects.update(&dana, &name("quay"), &public).await.unwrap();
    (instance, dana)
}

fn name(project: &str) -> NameOrId {
    NameOrId::Name(project.to_owned())
}

/// What each of the three pages of a project offers, or its refusal.
async fn offered(instance: &Instance, actor: &Actor, project: &str) -> [Result<Rights, u16>; 3] {
    let (browse, owner, query) = (&instance.services.browse, name(project), ListQuery::default());
    let named = Named { project: &owner, repository: "app", reference: "v1" };
    [
        browse.project(actor, &owner, &query).await.map(|page| page.rights).map_err(|e| e.status),
        browse.repository(actor, &owner, "app", &query).await.map(|page| page.rights).map_err(|e| e.status),
        browse.artifact(actor, &named).await.map(|page| page.rights).map_err(|e| e.status),
    ]
}

/// What a page is to offer, by the one table of permissions; the refusal where its reads are not allowed.
fn permitted(caller: &Caller, public: bool) -> Result<Rights, u16> {
    let project = ProjectFacts { id: ProjectId(1), public };
    let may = |resource, action| decide_project(caller, &project, resource, action).is_ok();
    let refusal = if matches!(caller, Caller::Anonymous) { 401 } else { 403 };
    let reads = [(Resource::Project, Action::Read), (Resource::Repository, Action::List), (Resource::Artifact, Action::List)];
    // Of those who may not read all of it there is none among the callers.
    let readable = reads.map(|(resource, action)| may(resource, action));
    assert!(readable == [true; 3] || readable == [false; 3], "{caller:?} reads a part: {readable:?}");
    if !readable[0] {
        return Err(refusal);
    }
    Ok(Rights {
        push: may(Resource::Repository, Action::Push),
        delete_repository: may(Resource::Repository, Action::Delete),
        delete_artifact: may(Resource::Artifact, Action::Delete),
        delete_tag: may(Resource::Tag, Action::Delete),
    })
}

#[tokio::test]
async fn each_sees_what_they_may_and_is_offered_what_they_can() {
    each(async |db| {
        let (instance, dana) = world(db).await;
        let mut callers = vec![
            ("admin".to_owned(), instance.admin().await, Caller::User { is_admin: true, roles: &[] }),
            ("owner".to_owned(), dana.clone(), Caller::User { is_admin: false, roles: &[Role::ProjectAdmin] }),
            ("stranger".to_owned(), instance.user("stranger").await, Caller::User { is_admin: false, roles: &[] }),
            ("nobody".to_owned(), Actor::Anonymous, Caller::Anonymous),
        ];
        for role in &Role::ALL {
            let member = role.as_str().to_lowercase();
            let actor = instance.user(&member).await;
            for project in ["quay", "dock"] {
                let membership = ProjectMember {
                    role_id: role.id(),
                    member_user: Some(UserEntity { username: member.clone(), ..UserEntity::default() }),
                    ..ProjectMember::default()
                };
                instance.services.members.create(&dana, &name(project), Some(&membership)).await.unwrap();
            }
            callers.push((member, actor, Caller::User { is_admin: false, roles: std::slice::from_ref(role) }));
        }
        let mut kinds = Vec::new();
        for (who, actor, caller) in &callers {
            for (project, public) in [("quay", true), ("dock", false)] {
                let expected = permitted(caller, public);
                assert_eq!(offered(&instance, actor, project).await, [expected; 3], "{who} in {project}");
                if !kinds.contains(&expected) {
                    kinds.push(expected);
                }
            }
        }
        // All of it, pushes alone, nothing but reading, and both refusals: a table that says the same of everybody would show here.
        let all = Rights { push: true, delete_repository: true, delete_artifact: true, delete_tag: true };
        let push = Rights { push: true, ..Rights::default() };
        for kind in [Ok(all), Ok(push), Ok(Rights::default()), Err(401), Err(403)] {
            assert!(kinds.contains(&kind), "nobody gets {kind:?} of {kinds:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn pages_tell_where_they_are_and_what_is_there() {
    each(async |db| {
        let (instance, _) = world(db).await;
        let (browse, quay) = (&instance.services.browse, name("quay"));
        let page = browse.project(&Actor::Anonymous, &quay, &ListQuery::default()).await.unwrap();
        assert_eq!((page.project.name.as_str(), page.repositories.total), ("quay", 1));
        let page = browse.repository(&Actor::Anonymous, &quay, "app", &ListQuery::default()).await.unwrap();
        assert_eq!((page.owner.name.as_str(), page.owner.public, page.repository.name.as_str()), ("quay", true, "quay/app"));
        assert_eq!((page.artifacts.total, page.repository.artifact_count), (1, 1));
        for gone in ["none", "Not A Name", ""] {
            let refusal = browse.repository(&Actor::Anonymous, &quay, gone, &ListQuery::default()).await.unwrap_err();
            assert_eq!(refusal.status, 404, "{gone:?}");
        }
        let named = Named { project: &quay, repository: "app", reference: "v1" };
        let page = browse.artifact(&Actor::Anonymous, &named).await.unwrap();
        assert_eq!(page.artifact.tags.unwrap()[0].name, "v1");
        let gone = Named { reference: "v2", ..named };
        assert_eq!(browse.artifact(&Actor::Anonymous, &gone).await.unwrap_err().status, 404);
    })
    .await;
}

#[tokio::test]
async fn in_read_only_mode_nothing_is_offered() {
    each(async |db| {
        let (instance, dana) = world(db).await;
        let admin = instance.admin().await;
        let read_only = Configurations { read_only: Some(true), ..Configurations::default() };
        instance.services.configuration.update(&admin, &read_only).await.unwrap();
        assert_eq!(offered(&instance, &dana, "dock").await, [Ok(Rights::default()); 3]);
    })
    .await;
}
