//! From the rules to the artifact page: the calls, and the mapping of what they return. The server function beside it uses it.

use model::{
    Instant,
    api::{Artifact, Reference},
};
use service::{
    NameOrId,
    artifact::{Contents, Named},
    browse::ArtifactPage as Browsed,
};

use serde_json::Value;

use super::{
    AccessoryRow, ArtifactView, DocumentView, HistoryRow, ImageConfig, LayerRow, Part, PlatformRow, SubjectView, TagRow, document,
};
use crate::{
    address,
    repository::{
        Kind,
        wiring::{count, kind, own_platform, platform_word},
    },
    ui::{Caller, UiError},
};

pub(super) async fn artifact(caller: &Caller, project: &str, repository: &str, reference: &str) -> Result<ArtifactView, UiError> {
    let project = NameOrId::parse(project, false);
    let named = Named { project: &project, repository, reference };
    let page = caller.services.browse.artifact(&caller.actor, &named).await.map_err(|error| caller.absence(&error))?;
    let Browsed { owner, mut artifact, contents, rights } = page;
    // The tag that was asked for is the name that the page gives the artifact.
    if let Some(tags) = &mut artifact.tags {
        tags.sort_by_key(|tag| tag.name != reference);
    }
    Ok(ArtifactView {
        project_id: owner.id.get(),
        project: owner.name,
        public: owner.public,
        may_delete: rights.delete_artifact,
        may_untag: rights.delete_tag,
        ..view(artifact, contents, repository)
    })
}

/// Deletes the artifact with its tags; gives the address of its repository.
pub(super) async fn delete(caller: &Caller, project: &str, repository: &str, digest: &str) -> Result<String, UiError> {
    let owner = NameOrId::parse(project, false);
    let named = Named { project: &owner, repository, reference: digest };
    caller.services.configuration.writable().map_err(|error| caller.refusal(&error))?;
    caller
        .services
        .artifacts
        .delete(&caller.actor, &named)
        .await
        .map_err(|error| in_use(&error).unwrap_or_else(|| caller.refusal(&error)))?;
    Ok(address::repository(project, repository))
}

/// What is in use, said more plainly than scripts know it.
fn in_use(error: &service::Error) -> Option<UiError> {
    let code = model::error::ErrorCode::ViolateForeignKeyConstraint.as_str();
    let words = "An index names this artifact as one of its platforms. It goes with that index: delete the index instead.";
    error.items.iter().any(|item| item.code == code).then(|| UiError::new(error.status, words))
}

/// Takes a tag from the artifact; gives the artifact's own address, which outlives its tags.
pub(super) async fn untag(caller: &Caller, project: &str, repository: &str, digest: &str, tag: &str) -> Result<String, UiError> {
    let owner = NameOrId::parse(project, false);
    let named = Named { project: &owner, repository, reference: digest };
    caller.services.configuration.writable().map_err(|error| caller.refusal(&error))?;
    caller.services.tags.delete(&caller.actor, &named, tag).await.map_err(|error| caller.refusal(&error))?;
    Ok(address::artifact(project, repository, digest))
}

fn view(artifact: Artifact, contents: Contents, repository: &str) -> ArtifactView {
    let attribute = |key: &str| artifact.extra_attrs.as_ref().and_then(|all| all.get(key));
    let text = |key: &str| attribute(key).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
    let config = attribute("config").cloned().and_then(|config| serde_json::from_value::<ImageConfig>(config).ok());
    ArtifactView {
        // Where it is and what may be done there is not the artifact's to tell.
        project_id: 0,
        project: String::new(),
        public: false,
        may_delete: false,
        may_untag: false,
        repository: repository.to_owned(),
        kind: kind(&artifact),
        platform: own_platform(&artifact),
        created: text("created").parse::<Instant>().ok().filter(|at| !at.is_zero_time()),
        author: text("author"),
        config,
        details: details(&artifact),
        platforms: platforms(&artifact, &contents),
        tags: tags(&artifact),
        accessories: accessories(&artifact, &contents),
        subject: contents.subject.as_ref().map(|subject| SubjectView { digest: subject.digest.clone(), is_here: subject.is_here }),
        documents: documents(&artifact, &contents),
        layers: contents
            .layers
            .into_iter()
            .map(|layer| LayerRow { digest: layer.digest, media_type: layer.media_type, size: layer.size, title: layer.title })
            .collect(),
        history: contents
            .history
            .into_iter()
            .map(|step| HistoryRow { created_by: step.created_by, comment: step.comment, empty_layer: step.empty_layer })
            .collect(),
        media_type: artifact.manifest_media_type,
        artifact_type: artifact.artifact_type,
        size: count(artifact.size),
        pushed: artifact.push_time,
        pulled: artifact.pull_time,
        annotations: artifact.annotations.unwrap_or_default(),
        digest: artifact.digest,
    }
}

fn platforms(artifact: &Artifact, contents: &Contents) -> Vec<PlatformRow> {
    let row = |child: &Reference| PlatformRow {
        attests: attests(artifact, child),
        platform: child.platform.as_ref().map(platform_word).unwrap_or_default(),
        size: contents.children.iter().find(|known| known.digest == child.child_digest).and_then(|known| known.size),
        digest: child.child_digest.clone(),
    };
    artifact.references.iter().flatten().map(row).collect()
}

/// BuildKit puts its attestations into the index as entries of no platform, and names their subject in an annotation.
fn attests(index: &Artifact, child: &Reference) -> Option<String> {
    let annotations = child.annotations.as_ref()?;
    if annotations.get("vnd.docker.reference.type").is_none_or(|kind| kind != "attestation-manifest") {
        return None;
    }
    let subject = annotations.get("vnd.docker.reference.digest").map_or("", String::as_str);
    let sibling = index.references.iter().flatten().find(|sibling| sibling.child_digest == subject);
    Some(sibling.and_then(|sibling| sibling.platform.as_ref()).map_or_else(|| subject.to_owned(), platform_word))
}

/// What is worth reading of a configuration that is not an image's: the fields of a chart in their order, or whatever plain values another
/// artifact has.
fn details(artifact: &Artifact) -> Vec<(String, String)> {
    let Some(all) = artifact.extra_attrs.as_ref() else { return Vec::new() };
    match Kind::of(&artifact.kind, &artifact.manifest_media_type) {
        Kind::Image | Kind::Index | Kind::EmptyIndex => Vec::new(),
        Kind::Chart => CHART.iter().filter_map(|(key, label)| Some(((*label).to_owned(), plain(all.get(*key)?)?))).collect(),
        Kind::Other(_) => all.iter().filter_map(|(key, value)| Some((key.clone(), plain(value)?))).take(MOST_DETAILS).collect(),
    }
}

/// Manifest and configuration of what has no view of its own; an empty configuration says nothing.
fn documents(artifact: &Artifact, contents: &Contents) -> Vec<DocumentView> {
    if !matches!(Kind::of(&artifact.kind, &artifact.manifest_media_type), Kind::Other(_)) {
        return Vec::new();
    }
    let parts = [(Part::Manifest, contents.manifest.as_slice()), (Part::Configuration, &contents.configuration[..])];
    let shown = parts.into_iter().filter(|(_, bytes)| !matches!(bytes.trim_ascii(), b"" | b"{}"));
    shown
        .map(|(part, bytes)| {
            let (text, is_cut) = document::set_out(bytes);
            DocumentView { part, text, is_cut }
        })
        .collect()
}

const CHART: [(&str, &str); 9] = [
    ("description", "Description"),
    ("version", "Version"),
    ("appVersion", "App version"),
    ("type", "Type"),
    ("kubeVersion", "Kubernetes"),
    ("keywords", "Keywords"),
    ("home", "Home"),
    ("maintainers", "Maintainers"),
    ("deprecated", "Deprecated"),
];
const MOST_DETAILS: usize = 40;
const LONGEST_DETAIL: usize = 2000;

/// Text, numbers, and lists of them (of people their names); nothing for what has more structure.
fn plain(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(true) => "Yes".to_owned(),
        Value::Array(all) => all.iter().filter_map(|one| plain(one.get("name").unwrap_or(one))).collect::<Vec<_>>().join(", "),
        _ => return None,
    };
    Some(text.chars().take(LONGEST_DETAIL).collect()).filter(|text: &String| !text.is_empty())
}

fn tags(artifact: &Artifact) -> Vec<TagRow> {
    let row =
        |tag: &model::api::Tag| TagRow { name: tag.name.clone(), pushed: tag.push_time, pulled: tag.pull_time, immutable: tag.immutable };
    artifact.tags.iter().flatten().map(row).collect()
}

fn accessories(artifact: &Artifact, contents: &Contents) -> Vec<AccessoryRow> {
    let artifact_type = |digest: &str| contents.attached.iter().find(|(attached, _)| attached == digest).map(|(_, says)| says.clone());
    let row = |accessory: &model::api::Accessory| AccessoryRow {
        kind: accessory.kind.clone(),
        artifact_type: artifact_type(&accessory.digest).unwrap_or_default(),
        digest: accessory.digest.clone(),
        size: count(accessory.size),
        created: accessory.creation_time,
    };
    artifact.accessories.iter().flatten().map(row).collect()
}

#[cfg(test)]
mod tests {
    use model::api::{Accessory, Platform};

    use super::*;

    #[test]
    fn a_configuration_becomes_facts() {
        let attributes = serde_json::from_str(
            r#"{"os":"linux","architecture":"amd64","author":"Maya","created":"2026-11-21T00:28:11Z","config":{"User":"1000","Cmd":["/app"]}}"#,
        )
        .unwrap();
        let artifact = Artifact { kind: "IMAGE".into(), digest: "sha256:a".into(), extra_attrs: Some(attributes), ..Artifact::default() };
        let view = view(artifact, Contents::default(), "services/app");
        assert_eq!((view.repository.as_str(), view.author.as_str()), ("services/app", "Maya"));
        assert_eq!(view.created.map(|at| at.to_string()).as_deref(), Some("2026-11-21T00:28:11.000Z"));
        assert_eq!(view.config.map(|config| config.user).as_deref(), Some("1000"));
    }

    #[test]
    fn what_is_attached_says_what_it_is() {
        let accessory = |digest: &str| Accessory { digest: digest.into(), kind: "subject.accessory".into(), ..Accessory::default() };
        let artifact = Artifact { accessories: Some(vec![accessory("sha256:a"), accessory("sha256:b")]), ..Artifact::default() };
        let contents = Contents { attached: vec![("sha256:b".into(), "application/spdx+json".into())], ..Contents::default() };
        let types: Vec<_> = accessories(&artifact, &contents).into_iter().map(|row| row.artifact_type).collect();
        assert_eq!(types, ["", "application/spdx+json"]);
    }

    #[test]
    fn a_child_that_is_not_here_has_no_size() {
        let child = Reference {
            child_digest: "sha256:c".into(),
            platform: Some(Platform { os: "linux".into(), architecture: "arm64".into(), ..Platform::default() }),
            ..Reference::default()
        };
        let index = Artifact { references: Some(vec![child]), ..Artifact::default() };
        let rows = platforms(&index, &Contents::default());
        assert_eq!((rows[0].platform.as_str(), rows[0].size), ("linux/arm64", None));
    }

    #[test]
    fn an_attestation_is_of_a_platform() {
        let linux = Platform { os: "linux".into(), architecture: "amd64".into(), ..Platform::default() };
        let image = Reference { child_digest: "sha256:a".into(), platform: Some(linux), ..Reference::default() };
        let named = |digest: &str| {
            let pairs = [("vnd.docker.reference.type", "attestation-manifest"), ("vnd.docker.reference.digest", digest)];
            let annotations = pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
            Reference { annotations: Some(annotations), ..Reference::default() }
        };
        let index = Artifact { references: Some(vec![image, named("sha256:a"), named("sha256:gone")]), ..Artifact::default() };
        let rows = platforms(&index, &Contents::default());
        let attested: Vec<_> = rows.iter().map(|row| row.attests.as_deref()).collect();
        assert_eq!(attested, [None, Some("linux/amd64"), Some("sha256:gone")]);
    }

    #[test]
    fn what_has_no_view_of_its_own_shows_its_documents() {
        let contents = Contents { manifest: br#"{"a":1}"#.to_vec(), configuration: (&b" {} "[..]).into(), ..Contents::default() };
        let of = |kind: &str, contents: &Contents| documents(&Artifact { kind: kind.into(), ..Artifact::default() }, contents);
        assert_eq!(of("POLICY", &contents), [DocumentView { part: Part::Manifest, text: "{\n  \"a\": 1\n}".into(), is_cut: false }]);
        let full = Contents { configuration: (&b"[true]"[..]).into(), ..contents };
        assert_eq!(of("UNKNOWN", &full).iter().map(|shown| shown.part).collect::<Vec<_>>(), [Part::Manifest, Part::Configuration]);
        assert!(of("IMAGE", &full).is_empty() && of("CHART", &full).is_empty());
    }

    #[test]
    fn what_an_index_needs_is_said_in_words() {
        let refusal = |code| in_use(&service::Error::new(code, "the deleting artifact is referenced by others"));
        let said = refusal(model::error::ErrorCode::ViolateForeignKeyConstraint).unwrap();
        assert_eq!((said.status, said.message.contains("delete the index instead")), (412, true));
        assert_eq!(refusal(model::error::ErrorCode::Precondition), None);
    }

    #[test]
    fn a_chart_tells_of_itself() {
        let chart = r#"{"name":"app","version":"1.2.0","appVersion":"4","keywords":["a","b"],"maintainers":[{"name":"Maya","email":"m@x.example"}],
            "deprecated":false,"dependencies":[{}]}"#;
        let artifact =
            |kind: &str| Artifact { kind: kind.into(), extra_attrs: serde_json::from_str(chart).unwrap(), ..Artifact::default() };
        let told: Vec<_> = details(&artifact("CHART")).into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
        assert_eq!(told, ["Version: 1.2.0", "App version: 4", "Keywords: a, b", "Maintainers: Maya"]);
        assert!(details(&artifact("WASM")).contains(&("name".to_owned(), "app".to_owned())));
        assert!(details(&artifact("IMAGE")).is_empty());
    }
}
