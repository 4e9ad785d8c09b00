//! The pages of the portal as each caller gets them: what they tell, what they offer, and what strangers are refused.

use model::api::{Configurations, ProjectMember, ProjectMetadata, ProjectReq, UserEntity};
use model::list::ListQuery;
use model::permission::Role;
use serde_json::json;
use service::artifact::Named;
use service::browse::Rights;
use service::{Actor, NameOrId};
use testkit::instance::Instance;

const ALL: Rights = Rights { push: true, delete_repository: true, delete_artifact: true, delete_tag: true };

/// `dana` owns the public `quay` and the private `dock`; both hold the index `app:v1`.
async fn world() -> (Instance, Actor) {
    let instance = Instance::open().await;
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

#[tokio::test]
async fn each_sees_what_they_may_and_is_offered_what_they_can() {
    let (instance, dana) = world().await;
    let (admin, stranger, guest) = (instance.admin().await, instance.user("stranger").await, instance.user("guest").await);
    let membership = ProjectMember {
        role_id: Role::Developer.id(),
        member_user: Some(UserEntity { username: "guest".to_owned(), ..UserEntity::default() }),
        ..ProjectMember::default()
    };
    instance.services.members.create(&dana, &name("dock"), Some(&membership)).await.unwrap();
    for (actor, public, private) in [
        (&admin, Ok(ALL), Ok(ALL)),
        (&dana, Ok(ALL), Ok(ALL)),
        (&guest, Ok(Rights::default()), Ok(Rights { push: true, ..Rights::default() })),
        (&stranger, Ok(Rights::default()), Err(403)),
        (&Actor::Anonymous, Ok(Rights::default()), Err(401)),
    ] {
        assert_eq!(offered(&instance, actor, "quay").await, [public; 3], "{actor:?} in quay");
        assert_eq!(offered(&instance, actor, "dock").await, [private; 3], "{actor:?} in dock");
    }
}

#[tokio::test]
async fn pages_tell_where_they_are_and_what_is_there() {
    let (instance, _) = world().await;
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
}

#[tokio::test]
async fn in_read_only_mode_nothing_is_offered() {
    let (instance, dana) = world().await;
    let admin = instance.admin().await;
    let read_only = Configurations { read_only: Some(true), ..Configurations::default() };
    instance.services.configuration.update(&admin, &read_only).await.unwrap();
    assert_eq!(offered(&instance, &dana, "dock").await, [Ok(Rights::default()); 3]);
}
