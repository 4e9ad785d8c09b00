//! Tags move only by the permission that moves tags, on every way a tag can be written: a push by tag, a push by digest that names tags, the
//! API's own, a copy.

use bytes::Bytes;
use http::Method;
use model::permission::{Action as A, GrantScope, Resource as R, RobotLevel, Role};
use oci::Digest;
use serde_json::json;
use testkit::client::{Client, Reply};

use crate::kit::{Kit, MANIFEST, Who, grant, report};
use crate::world::immutable_rule;

testkit::tests! {
    Kit;
    a_tag_moves_only_by_those_who_may_push,
    a_token_moves_no_tag_beyond_its_scope,
    an_immutable_tag_moves_on_no_way,
    a_copy_needs_both_ends,
}

/// A repository with two images, `v1` on the first; the second is known by its digest.
struct Shelf {
    project: String,
    repository: String,
    first: String,
    second: Bytes,
}

impl Shelf {
    async fn make(kit: &Kit) -> Self {
        let project = kit.fresh("shelf");
        kit.project(&project, false).await;
        let repository = format!("{project}/app");
        let first = kit.tagged(&repository, "v1").await;
        let second = kit.image(&kit.admin, &repository, "second").await;
        let _ = kit.push(&kit.admin, &repository, Digest::sha256(&second).as_ref(), &second).await.expect(201);
        Self { project, repository, first, second }
    }

    fn second(&self) -> String {
        Digest::sha256(&self.second).to_string()
    }

    /// What a tag is on.
    async fn tag(&self, kit: &Kit, tag: &str) -> Option<String> {
        let call = kit.call(&kit.admin, Method::HEAD, &format!("/v2/{}/manifests/{tag}", self.repository));
        let reply = call.header("accept", MANIFEST).send().await;
        reply.find("docker-content-digest").map(str::to_owned)
    }

    /// Every way to put `v1` on the second image and to make the tag `new` of it.
    async fn all_ways(&self, kit: &Kit, who: &Who) -> Vec<(&'static str, Reply)> {
        let second = self.second();
        let artifacts = format!("/projects/{}/repositories/app/artifacts", self.project);
        let by_digest = format!("/v2/{}/manifests/{second}?tag=v1&tag=new", self.repository);
        let put = kit.call(who, Method::PUT, &by_digest).header("content-type", MANIFEST).body(self.second.clone());
        vec![
            ("push by tag", kit.push(who, &self.repository, "v1", &self.second).await),
            ("push by digest with tags", put.send().await),
            ("push of a new tag", kit.push(who, &self.repository, "new", &self.second).await),
            ("tag by the API", kit.post(who, &format!("{artifacts}/{second}/tags"), &json!({"name": "new"})).await),
            ("tag by the API that is taken", kit.post(who, &format!("{artifacts}/{second}/tags"), &json!({"name": "v1"})).await),
        ]
    }
}

async fn a_tag_moves_only_by_those_who_may_push(kit: Kit) {
    let shelf = Shelf::make(&kit).await;
    let mut callers = vec![Who::nobody(), kit.stranger().await];
    for role in [Role::Guest, Role::LimitedGuest] {
        let who = kit.stranger().await;
        kit.member(&shelf.project, who.user_id(), role).await;
        callers.push(Who { title: role.as_str().to_owned(), ..who });
    }
    let id = kit.read(&format!("/projects/{}", shelf.project)).await["project_id"].as_i64().expect("an id");
    let here = GrantScope::Project(model::ProjectId(id));
    let all_but =
        [(R::Repository, A::Pull), (R::Repository, A::Update), (R::Artifact, A::Read), (R::Artifact, A::Delete), (R::Tag, A::List)];
    for level in [RobotLevel::Project, RobotLevel::System] {
        let grants = all_but.map(|(r, a)| grant(here, r, a)).to_vec();
        callers.push(kit.robot("robot that reads and deletes", level, grants, |_| shelf.project.clone()).await.1);
    }
    let mut wrong = Vec::new();
    for who in &callers {
        for (way, reply) in shelf.all_ways(&kit, who).await {
            if !matches!(reply.status, 401 | 403) {
                wrong.push(format!("{way} by {}: {reply:?}", who.title));
            }
        }
    }
    report(&wrong);
    assert_eq!((shelf.tag(&kit, "v1").await, shelf.tag(&kit, "new").await), (Some(shelf.first.clone()), None));
    // Making a tag is not moving one, and neither is the other's permission.
    let taggers = vec![grant(here, R::Tag, A::Create)];
    let (_, tagger) = kit.robot("robot that makes tags", RobotLevel::Project, taggers, |_| shelf.project.clone()).await;
    let statuses: Vec<u16> = shelf.all_ways(&kit, &tagger).await.iter().map(|(_, reply)| reply.status).collect();
    assert!(statuses[..3].iter().all(|status| matches!(status, 401 | 403)), "{statuses:?}");
    assert_eq!(statuses[3..], [201, 409]);
    assert_eq!(shelf.tag(&kit, "v1").await, Some(shelf.first.clone()));
    let pushers = vec![grant(here, R::Repository, A::Push), grant(here, R::Repository, A::Pull)];
    let (_, pusher) = kit.robot("robot that pushes", RobotLevel::Project, pushers, |_| shelf.project.clone()).await;
    let _ = kit.push(&pusher, &shelf.repository, "v1", &shelf.second).await.expect(201);
    assert_eq!(shelf.tag(&kit, "v1").await, Some(shelf.second()));
    let by_api = format!("/projects/{}/repositories/app/artifacts/{}/tags", shelf.project, shelf.second());
    assert_eq!(kit.post(&pusher, &by_api, &json!({"name": "newer"})).await.status, 403);
    assert_eq!(kit.delete(&pusher, &format!("{by_api}/v1")).await.status, 403);
}

async fn a_token_moves_no_tag_beyond_its_scope(kit: Kit) {
    let shelf = Shelf::make(&kit).await;
    let other = format!("{}/other", shelf.project);
    let client = Client::new(&kit.base, Some(("admin", testkit::server::ADMIN_PASSWORD)));
    let mut wrong = Vec::new();
    let scopes = [
        format!("repository:{}:pull", shelf.repository),
        format!("repository:{}:pull,delete", shelf.repository),
        format!("repository:{other}:pull,push"),
    ];
    for scope in scopes {
        let who = kit.admin.bearing(&scope, &client.token(&[&scope]).await);
        for (way, reply) in shelf.all_ways(&kit, &who).await {
            if !matches!(reply.status, 401 | 403) {
                wrong.push(format!("{way} with a token for {scope}: {reply:?}"));
            }
        }
    }
    report(&wrong);
    assert_eq!((shelf.tag(&kit, "v1").await, shelf.tag(&kit, "new").await), (Some(shelf.first.clone()), None));
}

async fn an_immutable_tag_moves_on_no_way(kit: Kit) {
    let shelf = Shelf::make(&kit).await;
    let source = kit.fresh("source");
    kit.project(&source, false).await;
    let _ = kit.tagged(&format!("{source}/app"), "v1").await;
    kit.make(&format!("/projects/{}/immutabletagrules", shelf.project), &immutable_rule("v*")).await;
    let artifacts = format!("/projects/{}/repositories/app/artifacts", shelf.project);
    let mut ways = shelf.all_ways(&kit, &kit.admin).await;
    ways.push(("copy", kit.post(&kit.admin, &format!("{artifacts}?from={source}/app:v1"), &json!({})).await));
    ways.push(("delete of the tag", kit.delete(&kit.admin, &format!("{artifacts}/{}/tags/v1", shelf.first)).await));
    ways.push(("delete of the artifact", kit.delete(&kit.admin, &format!("{artifacts}/{}", shelf.first)).await));
    let by_digest = kit.call(&kit.admin, Method::DELETE, &format!("/v2/{}/manifests/{}", shelf.repository, shelf.first));
    ways.push(("delete by digest", by_digest.send().await));
    ways.push(("delete of the repository", kit.delete(&kit.admin, &format!("/projects/{}/repositories/app", shelf.project)).await));
    for (way, reply) in &ways {
        let expected = match *way {
            "push of a new tag" => 201,
            "tag by the API" | "tag by the API that is taken" => 409,
            _ => 412,
        };
        assert_eq!(reply.status, expected, "{way}: {reply:?}");
    }
    assert_eq!(shelf.tag(&kit, "v1").await, Some(shelf.first.clone()));
}

async fn a_copy_needs_both_ends(kit: Kit) {
    let (shelf, mine) = (Shelf::make(&kit).await, kit.fresh("mine"));
    let thief = kit.stranger().await;
    let _ = kit.post(&thief, "/projects", &json!({"project_name": mine})).await.expect(201);
    let copy = |from: String| {
        let (kit, thief, path) = (kit.clone(), thief.clone(), format!("/projects/{mine}/repositories/app/artifacts?from={from}"));
        async move { kit.post(&thief, &path, &json!({})).await.status }
    };
    for reference in [":v1".to_owned(), format!("@{}", shelf.first), ":nowhere".to_owned()] {
        assert_eq!(copy(format!("{}{reference}", shelf.repository)).await, 403, "{reference}");
    }
    let _ = kit.tagged(&format!("{mine}/other"), "v1").await;
    assert_eq!(copy(format!("{mine}/other:v1")).await, 201);
    // The other way round: what one may read is not where one may write.
    let back = format!("/projects/{}/repositories/app/artifacts?from={mine}/other:v1", shelf.project);
    assert_eq!(kit.post(&thief, &back, &json!({})).await.status, 403);
    assert_eq!(shelf.tag(&kit, "v1").await, Some(shelf.first.clone()));
}
