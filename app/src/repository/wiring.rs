//! From the rules to the repository page: the calls, and the mapping of what they return. The server function beside it uses it; the artifact
//! page shares the mapping.

use model::{
    api::{Artifact, Platform},
    list::{Op, Term, Value},
};
use service::{NameOrId, browse::RepositoryPage};

use super::{ArtifactRow, Kind, RepositoryView};
use crate::{
    listing::Listing,
    ui::{Caller, UiError},
};

pub(super) async fn repository(caller: &Caller, project: &str, name: &str, listing: Listing) -> Result<RepositoryView, UiError> {
    let project = NameOrId::parse(project, false);
    let query = listing.ordered("-push_time").query(conditions(&listing), &["size", "push_time", "pull_time"]);
    let page = caller.services.browse.repository(&caller.actor, &project, name, &query).await;
    let RepositoryPage { owner, repository: head, artifacts, rights } = page.map_err(|error| caller.absence(&error))?;
    Ok(RepositoryView {
        project_id: owner.id.get(),
        project: owner.name,
        public: owner.public,
        name: name.to_owned(),
        description: head.description,
        artifacts: count(head.artifact_count),
        pulls: count(head.pull_count),
        rows: artifacts.items.into_iter().map(|artifact| row(artifact, &listing.q)).collect(),
        total: artifacts.total,
        listing,
        may_push: rights.push,
        may_delete: rights.delete_repository,
    })
}

/// Deletes the repository; gives the address of what it was in.
pub(super) async fn delete(caller: &Caller, project: &str, name: &str) -> Result<String, UiError> {
    let named = NameOrId::parse(project, false);
    caller.services.configuration.writable().map_err(|error| caller.refusal(&error))?;
    caller.services.repositories.delete(&caller.actor, &named, name).await.map_err(|error| caller.refusal(&error))?;
    Ok(crate::address::repositories(project))
}

/// The text looks for tags; without text the list may be narrowed to what has tags or has none (one question about tags at a time).
fn conditions(listing: &Listing) -> Vec<Term> {
    let all_tags = match listing.show.as_str() {
        "tagged" => Some("*"),
        "untagged" => Some("nil"),
        _ => None,
    };
    let by_show = all_tags.map(|value| Term { key: "tags".to_owned(), op: Op::Exact(Value::new(value)) });
    listing.containing("tags").or(by_show).into_iter().collect()
}

pub(crate) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// What an artifact is; an index that names nothing is its own kind, since nothing pulls it.
pub(crate) fn kind(artifact: &Artifact) -> Kind {
    match Kind::of(&artifact.kind, &artifact.manifest_media_type) {
        Kind::Index if artifact.references.as_ref().is_none_or(Vec::is_empty) => Kind::EmptyIndex,
        other => other,
    }
}

/// A row for a list in which `asked` was looked for: the tags that were meant come first, the newest first among equals.
fn row(artifact: Artifact, asked: &str) -> ArtifactRow {
    let mut tags: Vec<_> = artifact.tags.iter().flatten().map(|tag| tag.name.clone()).collect();
    tags.sort_by_key(|tag| distance(tag, asked));
    ArtifactRow {
        kind: kind(&artifact),
        platforms: platforms(&artifact),
        tags,
        size: count(artifact.size),
        accessories: artifact.accessories.map_or(0, |all| all.len() as u64),
        pushed: artifact.push_time,
        pulled: artifact.pull_time,
        digest: artifact.digest,
    }
}

/// How far a tag is from what was asked for: the same, has it, has it in another case, has it not.
fn distance(tag: &str, asked: &str) -> u8 {
    if tag == asked {
        0
    } else if tag.contains(asked) {
        1
    } else if tag.to_lowercase().contains(&asked.to_lowercase()) {
        2
    } else {
        3
    }
}

/// The platforms of an index's children, or the image's own.
fn platforms(artifact: &Artifact) -> Vec<String> {
    let children = artifact.references.iter().flatten().filter_map(|child| child.platform.as_ref());
    let mut all: Vec<_> = children.map(platform_word).filter(|word| !word.is_empty() && word != "unknown/unknown").collect();
    if artifact.references.is_none() {
        all.extend(own_platform(artifact));
    }
    all.dedup();
    all
}

/// `linux/arm64/v8`; empty without any part.
pub(crate) fn platform_word(platform: &Platform) -> String {
    [&platform.os, &platform.architecture, &platform.variant]
        .into_iter()
        .filter(|part| !part.is_empty())
        .cloned()
        .collect::<Vec<_>>()
        .join("/")
}

/// The platform that an image's configuration names.
pub(crate) fn own_platform(artifact: &Artifact) -> Option<String> {
    let attribute = |key: &str| artifact.extra_attrs.as_ref()?.get(key)?.as_str().map(str::to_owned);
    let platform = Platform {
        os: attribute("os").unwrap_or_default(),
        architecture: attribute("architecture").unwrap_or_default(),
        variant: attribute("variant").unwrap_or_default(),
        ..Platform::default()
    };
    Some(platform_word(&platform)).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use model::api::{Reference, Tag};

    use super::*;

    fn child(os: &str, architecture: &str, variant: &str) -> Reference {
        let platform = Platform { os: os.into(), architecture: architecture.into(), variant: variant.into(), ..Platform::default() };
        Reference { platform: Some(platform), ..Reference::default() }
    }

    #[test]
    fn an_index_has_the_platforms_of_its_children() {
        let index = Artifact {
            kind: "IMAGE".into(),
            manifest_media_type: "application/vnd.oci.image.index.v1+json".into(),
            references: Some(vec![
                child("linux", "amd64", ""),
                child("linux", "arm64", "v8"),
                child("unknown", "unknown", ""),
                Reference::default(),
            ]),
            tags: Some(vec![Tag { name: "v1".into(), ..Tag::default() }]),
            size: 12,
            ..Artifact::default()
        };
        let row = row(index, "");
        assert_eq!(row.kind, Kind::Index);
        assert_eq!(row.platforms, ["linux/amd64", "linux/arm64/v8"]);
        assert_eq!((row.tags, row.size, row.accessories), (vec!["v1".to_owned()], 12, 0));
    }

    #[test]
    fn what_was_asked_for_comes_first_and_the_newest_first_among_equals() {
        let tags = ["v12", "nightly", "v1", "V1-beta", "latest"].map(|name| Tag { name: name.into(), ..Tag::default() });
        let artifact = Artifact { tags: Some(tags.into()), ..Artifact::default() };
        assert_eq!(row(artifact.clone(), "v1").tags, ["v1", "v12", "V1-beta", "nightly", "latest"]);
        assert_eq!(row(artifact, "").tags, ["v12", "nightly", "v1", "V1-beta", "latest"]);
    }

    #[test]
    fn an_index_of_nothing_is_no_image() {
        let media_type = "application/vnd.oci.image.index.v1+json";
        let index = Artifact { kind: "IMAGE".into(), manifest_media_type: media_type.into(), ..Artifact::default() };
        assert_eq!(kind(&index), Kind::EmptyIndex);
        assert_eq!(kind(&Artifact { references: Some(vec![child("linux", "amd64", "")]), ..index }), Kind::Index);
    }

    #[test]
    fn text_asks_for_tags_and_a_part_of_the_list_by_itself() {
        let asked = |q, show| conditions(&Listing::checked(q, show, "", 1, 25));
        assert_eq!(asked("v1", "untagged")[0].op, Op::Fuzzy("v1".into()));
        assert_eq!(asked("", "untagged")[0].op, Op::Exact(Value::new("nil")));
        assert!(asked("", "").is_empty());
    }

    #[test]
    fn an_image_has_its_own_platform() {
        let attributes = serde_json::from_str(r#"{"os":"linux","architecture":"s390x"}"#).unwrap();
        let image = Artifact { extra_attrs: Some(attributes), ..Artifact::default() };
        assert_eq!(own_platform(&image).as_deref(), Some("linux/s390x"));
        assert_eq!(platforms(&image), ["linux/s390x"]);
        assert!(platforms(&Artifact::default()).is_empty());
    }
}
