//! Storing manifests: checked first, then one transaction for the artifact, its references, its tags and everything that follows from it.

use std::collections::HashMap;

use bytes::Bytes;
use model::{ArtifactId, RepositoryId};
use oci::{Descriptor, Digest, Manifest, ManifestKind, Reference, RepositoryName, route::RawReference};
use store::Link;
use store::artifact::{Child, NewArtifact};

use super::kind::{self, Kind};
use super::{Registry, Target, Use, bytes};
use crate::audit::{self, Event};
use crate::collision::retried;
use crate::error::Item;
use crate::immutable::{self, Act};
use crate::{Actor, Error, Result};

/// Missing contents that one answer names: error bodies stay below 8 KiB, which is what clients read of them.
const NAMED_MISSING: usize = 30;
/// Bytes that a media type may have: 127 each for type and subtype, and the slash between them.
const MAX_MEDIA_TYPE: usize = 255;
/// Tags that one push may set besides its reference.
const MAX_TAGS: usize = 100;

/// A manifest on its way in.
#[derive(Clone, Debug)]
pub struct ManifestPush<'a> {
    /// Tag or digest in the path.
    pub reference: &'a RawReference,
    /// `tag` parameters (a digest reference only).
    pub tags: &'a [String],
    /// `Content-Type` as sent.
    pub content_type: Option<&'a str>,
    /// The bytes.
    pub content: Bytes,
}

/// A stored manifest.
#[derive(Clone, Debug)]
pub struct Pushed {
    /// The digest under which it can be pulled.
    pub digest: Digest,
    /// What it is about, if it says so.
    pub subject: Option<Digest>,
    /// Tags set by parameters.
    pub tags: Vec<String>,
}

/// What the manifest refers to, as found in the repository.
#[derive(Debug, Default)]
struct Found {
    blobs: Vec<i64>,
    children: Vec<Child>,
    awaited: Vec<Child>,
    contents: Vec<(String, i64)>,
    children_size: i64,
    missing: Vec<String>,
}

impl Registry {
    /// Stores a manifest. After the answer it is visible by digest, tag, tag list and referrers, or not at all.
    pub async fn push_manifest(&self, actor: &Actor, name: &RepositoryName, push: &ManifestPush<'_>) -> Result<Pushed> {
        let target = self.target(actor, name, Use::Push).await?;
        let reference =
            push.reference.parsed().map_err(|_| Error::bad_request(format!("bad request: invalid tag name: {}", push.reference.text)))?;
        let tags = tags(reference, push.tags)?;
        // The specification would let the body speak for itself; Harbor refuses, and clients always say what they send.
        if push.content_type.is_none() {
            let message = "unmarshal manifest failed: the request has no Content-Type";
            return Err(Error::oci_message(oci::ErrorCode::ManifestInvalid, message, serde_json::Value::Null));
        }
        let manifest = Manifest::parse(&push.content, push.content_type)
            .map_err(|e| Error::oci_message(e.code(), format!("unmarshal manifest failed: {e}"), serde_json::Value::Null))?;
        let digest = match reference {
            Reference::Tag(_) => Digest::sha256(&push.content),
            Reference::Digest(digest) if digest.verifies(&push.content) => digest.clone(),
            Reference::Digest(_) => return Err(Error::oci(oci::ErrorCode::DigestInvalid, "the content has another digest")),
        };
        let kind = kind::recognise(&manifest);
        check_types(&manifest, &kind)?;
        let rules = immutable::rules(&self.core, target.allowed.id()).await?;
        let incoming = Incoming {
            manifest: &manifest,
            kind: &kind,
            digest: &digest,
            reference,
            tags: &tags,
            content: &push.content,
            protected: &rules.of(target.path),
        };
        let repository = retried(|| self.store_manifest(actor, &target, &incoming)).await?;
        self.core.caches.repository_changed(repository);
        let extra = if reference.digest().is_some() { tags } else { Vec::new() };
        Ok(Pushed { digest, subject: manifest.subject.map(|s| s.digest), tags: extra })
    }

    /// Stores what is pushed; the repository it is in. One that is there already needs no look at what it refers to: as long as it is there, so is that,
    /// and the project's quota has it counted.
    async fn store_manifest(&self, actor: &Actor, target: &Target<'_>, new: &Incoming<'_>) -> Result<RepositoryId> {
        let mut conn = self.core.db.read().await?;
        let known = store::artifact::repository_with(&mut conn.link(), target.allowed.id(), target.path, new.digest.as_str()).await?;
        drop(conn);
        if let Some(repository) = known
            && self.store_again(actor, target, new, repository).await?
        {
            return Ok(repository);
        }
        self.store_new(actor, target, new).await
    }

    /// Pushes a manifest once more, with other tags maybe. `false` when it has gone since it was found.
    async fn store_again(&self, actor: &Actor, target: &Target<'_>, new: &Incoming<'_>, repository: RepositoryId) -> Result<bool> {
        let now = self.now();
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        // What was published stays in its project, and its project stays: neither is looked for again.
        store::repository::touch(link, repository, now).await?;
        new.protected.check_push(link, repository, new.tags).await?;
        let Some(id) = store::artifact::push_again(link, repository, new.digest.as_str(), now).await? else { return Ok(false) };
        self.name(link, actor, target, new, (repository, id), now).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn store_new(&self, actor: &Actor, target: &Target<'_>, new: &Incoming<'_>) -> Result<RepositoryId> {
        let attributes = self.attributes(target, new.manifest, new.kind).await;
        let icon = self.icon(target, new.manifest).await?;
        let now = self.now();
        let project = target.allowed.id();
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        // Held from here on: nobody else changes its artifacts and tags until this is over.
        let repository = match store::repository::touch_published(link, project, target.path, now).await? {
            Some(published) => published,
            None => {
                let repository = self.hold_repository(link, target, now).await?;
                store::repository::touch(link, repository, now).await?;
                repository
            }
        };
        new.protected.check_push(link, repository, new.tags).await?;
        let found = find_references(link, repository, new, self.core.settings().sparse_indexes).await?;
        crate::quota::charge(&self.core, link, project, &found.contents).await?;
        if !found.missing.is_empty() {
            return Err(missing_content(&found.missing));
        }
        let texts = Texts {
            annotations: new.annotations()?,
            size: new.size(&found),
            icon: icon.map_or("", |layer| layer.digest.as_str()),
            attributes: attributes.as_deref(),
        };
        // Somebody else may have stored it since it was looked for.
        let (id, is_new) = store::artifact::upsert(link, &texts.row(new, target, repository), now).await?;
        if is_new {
            store::artifact::hold_blobs(link, id, &found.blobs).await?;
            store::artifact::hold_children(link, id, &found.children).await?;
            store::artifact::await_children(link, repository, id, &found.awaited).await?;
            store::artifact::arrived(link, repository, id).await?;
        }
        self.name(link, actor, target, new, (repository, id), now).await?;
        tx.commit().await?;
        Ok(repository)
    }

    /// What follows from a push by its reference: tags, what the artifact is to another one, and a line in the log.
    async fn name(
        &self,
        link: &mut Link<'_>,
        actor: &Actor,
        target: &Target<'_>,
        new: &Incoming<'_>,
        (repository, id): (RepositoryId, ArtifactId),
        now: i64,
    ) -> Result<()> {
        if let Some((accessory, subject)) = kind::accessory(new.manifest, new.reference) {
            store::accessory::create(link, repository, id, subject.as_str(), accessory, now).await?;
        }
        for tag in new.tags {
            new.protected.set(link, (repository, id), tag, Act::Push, now).await?;
        }
        let resource = match new.reference {
            Reference::Tag(tag) => format!("{}:{tag}", target.full_name),
            Reference::Digest(digest) => format!("{}@{digest}", target.full_name),
        };
        let event = Event::pushed(target.allowed.id(), resource, target.full_name, new.digest.as_str());
        audit::record(&self.core, link, actor, now, [event]).await
    }
}

/// The types are stored beside the document and searched: RFC 6838, 4.2 bounds them, and no text has a null character.
fn check_types(manifest: &Manifest, kind: &Kind) -> Result<()> {
    let types = [kind.name.as_str(), &kind.media_type, &kind.artifact_type];
    let why = types.into_iter().chain(manifest.referrer_artifact_type()).find_map(|stored| match stored {
        text if text.contains('\0') => Some("a media type cannot have a null character".to_owned()),
        text if text.len() > MAX_MEDIA_TYPE => Some(format!("a media type has at most {MAX_MEDIA_TYPE} characters")),
        _ => None,
    });
    match why {
        None => Ok(()),
        Some(why) => {
            Err(Error::oci_message(oci::ErrorCode::ManifestInvalid, format!("unmarshal manifest failed: {why}"), serde_json::Value::Null))
        }
    }
}

/// A manifest that was read and recognised.
struct Incoming<'a> {
    manifest: &'a Manifest,
    kind: &'a Kind,
    digest: &'a Digest,
    reference: &'a Reference,
    tags: &'a [String],
    content: &'a [u8],
    protected: &'a immutable::Protected<'a>,
}

impl Incoming<'_> {
    fn annotations(&self) -> Result<Option<String>> {
        match self.manifest.annotations.is_empty() {
            true => Ok(None),
            false => serde_json::to_string(&self.manifest.annotations).map(Some).map_err(Error::internal),
        }
    }

    /// Bytes of the manifest and all that it describes.
    fn size(&self, found: &Found) -> i64 {
        let described = if self.manifest.kind.is_index() {
            found.children_size
        } else {
            bytes(self.manifest.config.iter().chain(&self.manifest.layers).map(|d| d.size).fold(0, u64::saturating_add))
        };
        bytes(self.content.len() as u64).saturating_add(described)
    }
}

/// What a new row says besides what is in the manifest.
struct Texts<'a> {
    annotations: Option<String>,
    size: i64,
    icon: &'a str,
    attributes: Option<&'a str>,
}

impl Texts<'_> {
    fn row<'a>(&'a self, new: &'a Incoming<'a>, target: &Target<'_>, repository: RepositoryId) -> NewArtifact<'a> {
        NewArtifact {
            project_id: target.allowed.id(),
            repository_id: repository,
            digest: new.digest.as_str(),
            kind: &new.kind.name,
            media_type: &new.kind.media_type,
            manifest_media_type: &new.manifest.media_type,
            artifact_type: &new.kind.artifact_type,
            size: self.size,
            icon: self.icon,
            annotations: self.annotations.as_deref(),
            extra_attrs: self.attributes,
            subject_digest: new.manifest.subject.as_ref().map(|s| s.digest.as_str()),
            referrer_type: new.manifest.referrer_artifact_type(),
            content: new.content,
        }
    }
}

/// Everything the manifest needs must be in its repository. What is not is `missing`, and among the contents with the size it is said to have: where
/// there is no room for it, that is what the client has to know. Manifests that an index names may be `awaited` instead where `sparse` indexes are
/// accepted (image specification, "sparse index").
async fn find_references(link: &mut Link<'_>, repository: RepositoryId, new: &Incoming<'_>, sparse: bool) -> Result<Found> {
    let mut found = Found { contents: vec![(new.digest.to_string(), bytes(new.content.len() as u64))], ..Found::default() };
    let mut wanted: Vec<&Descriptor> = new.manifest.required_blobs();
    let children = new.manifest.children();
    let digests: Vec<&str> = children.iter().map(|c| c.digest.as_str()).collect();
    let known = store::artifact::hold_all(link, repository, &digests).await?;
    let known: HashMap<_, _> = known.iter().map(|a| (a.digest.as_str(), a)).collect();
    for child in children {
        match known.get(child.digest.as_str()) {
            Some(artifact) => {
                found.children_size = found.children_size.saturating_add(artifact.size);
                found.children.push(child_row(child, Some(artifact.id))?);
            }
            // A child that is no manifest is content: a build cache keeps its layers in an index.
            None if ManifestKind::from_media_type(&child.media_type).is_none() => wanted.push(child),
            None if sparse => found.awaited.push(child_row(child, None)?),
            None => found.missing.push(child.digest.to_string()),
        }
    }
    let digests: Vec<&str> = wanted.iter().map(|d| d.digest.as_str()).collect();
    let held = store::blob::hold_all_in_repository(link, repository, &digests).await?;
    let held: HashMap<_, _> = held.into_iter().map(|b| (b.digest.clone(), b)).collect();
    for descriptor in wanted {
        match held.get(descriptor.digest.as_str()) {
            Some(blob) => {
                found.blobs.push(blob.id.get());
                found.contents.push((blob.digest.clone(), blob.size));
            }
            None => {
                found.contents.push((descriptor.digest.to_string(), bytes(descriptor.size)));
                found.missing.push(descriptor.digest.to_string());
            }
        }
    }
    Ok(found)
}

fn child_row(child: &Descriptor, id: Option<ArtifactId>) -> Result<Child> {
    let text = |value: serde_json::Result<String>| value.map_err(Error::internal);
    Ok(Child {
        id,
        digest: child.digest.to_string(),
        platform: child.platform.as_ref().map(|p| text(serde_json::to_string(p))).transpose()?,
        urls: (!child.urls.is_empty()).then(|| text(serde_json::to_string(&child.urls))).transpose()?,
        annotations: (!child.annotations.is_empty()).then(|| text(serde_json::to_string(&child.annotations))).transpose()?,
    })
}

fn missing_content(digests: &[String]) -> Error {
    let code = oci::ErrorCode::ManifestBlobUnknown;
    let item = |digest: &String| Item {
        code: code.as_str().into(),
        message: "blob unknown to registry".into(),
        detail: Some(digest.as_str().into()),
    };
    Error::with_items(code.status(), digests.iter().take(NAMED_MISSING).map(item).collect())
}

/// All tags to set: the reference's own, or those of the parameters. One that is no tag refuses them all.
fn tags(reference: &Reference, parameters: &[String]) -> Result<Vec<String>> {
    let Reference::Digest(_) = reference else {
        return Ok(reference.tag().map(|t| t.as_str().to_owned()).into_iter().collect());
    };
    if parameters.len() > MAX_TAGS {
        let message = format!("at most {MAX_TAGS} tags can be set at once");
        let item = Item { code: "TAG_INVALID".into(), message, detail: None };
        return Err(Error::with_items(414, vec![item]));
    }
    let mut tags: Vec<String> = Vec::with_capacity(parameters.len());
    for text in parameters {
        let tag: oci::Tag = text.parse().map_err(|_| Error::bad_request(format!("bad request: invalid tag name: {text}")))?;
        if !tags.iter().any(|t| t == tag.as_str()) {
            tags.push(tag.as_str().to_owned());
        }
    }
    Ok(tags)
}
