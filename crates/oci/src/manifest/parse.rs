//! Reading a manifest: size, encoding, JSON without duplicates, kind, shape, descriptors.
//! Only `Manifest::parse` calls it.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Manifest, ManifestError};
use crate::descriptor::{Descriptor, DescriptorError, WireDescriptor};
use crate::json::{Bounded, Object, TextMap, duplicate};
use crate::limits::{MAX_INDEX_ENTRIES, MAX_LAYERS, MAX_MANIFEST_BYTES, MAX_MEMBERS};
use crate::media_type::{DOCKER_SCHEMA1, DOCKER_SCHEMA1_SIGNED, ManifestKind, essence};
use crate::text::excerpt;

/// The known members of a document; null counts as absent (R52: null layers are like none).
#[derive(Default)]
struct Members {
    schema_version: Option<Box<RawValue>>,
    media_type: Option<String>,
    artifact_type: Option<String>,
    config: Option<Object<WireDescriptor>>,
    layers: Option<Bounded<Object<WireDescriptor>, MAX_LAYERS>>,
    manifests: Option<Bounded<Object<WireDescriptor>, MAX_INDEX_ENTRIES>>,
    manifests_seen: bool,
    subject: Option<Object<WireDescriptor>>,
    annotations: Option<TextMap>,
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Document;
        impl<'de> Visitor<'de> for Document {
            type Value = Members;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a manifest object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Members::default();
                let mut seen = HashSet::new();
                while let Some(key) = map.next_key::<String>()? {
                    if seen.contains(&key) {
                        return Err(duplicate(&key));
                    }
                    if seen.len() == MAX_MEMBERS {
                        return Err(A::Error::custom(format_args!("more than {MAX_MEMBERS} members")));
                    }
                    members.read(&key, &mut map)?;
                    seen.insert(key);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Document)
    }
}

impl Members {
    fn read<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "schemaVersion" => self.schema_version = map.next_value()?,
            "mediaType" => self.media_type = map.next_value()?,
            "artifactType" => self.artifact_type = map.next_value()?,
            "config" => self.config = map.next_value()?,
            "layers" => self.layers = map.next_value()?,
            "manifests" => {
                self.manifests = map.next_value()?;
                self.manifests_seen = true;
            }
            "subject" => self.subject = map.next_value()?,
            "annotations" => self.annotations = map.next_value()?,
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

pub(super) fn parse(bytes: &[u8], content_type: Option<&str>) -> Result<Manifest, ManifestError> {
    if bytes.len() > MAX_MANIFEST_BYTES {
        return Err(ManifestError::TooLarge(bytes.len()));
    }
    let declared = content_type.map(essence).filter(|text| !text.is_empty()).map(kind_of).transpose()?;
    let text = std::str::from_utf8(bytes).map_err(|_| ManifestError::NotUtf8)?;
    // White space after the object is legal and part of the digest; anything else there is an error.
    let members: Members = serde_json::from_str(text).map_err(|e| ManifestError::Json(json_message(&e)))?;
    check_version(members.schema_version.as_deref())?;
    let kind = kind(declared, &members)?;
    check_shape(kind, &members)?;
    build(kind, members)
}

fn kind_of(media_type: &str) -> Result<ManifestKind, ManifestError> {
    ManifestKind::from_media_type(media_type).ok_or_else(|| match media_type {
        DOCKER_SCHEMA1 | DOCKER_SCHEMA1_SIGNED => ManifestError::Schema1,
        _ => ManifestError::UnsupportedMediaType(excerpt(media_type)),
    })
}

fn json_message(error: &serde_json::Error) -> String {
    if error.is_eof() { "unexpected end of JSON input".to_owned() } else { excerpt(&error.to_string()) }
}

/// R49: exactly the JSON number 2. The raw text is compared, so that `"2"` and `2.0` do not pass.
fn check_version(raw: Option<&RawValue>) -> Result<(), ManifestError> {
    match raw.map(RawValue::get) {
        Some("2") => Ok(()),
        Some("1") => Err(ManifestError::Schema1),
        Some(other) => Err(ManifestError::SchemaVersion(excerpt(other))),
        None => Err(ManifestError::SchemaVersion("absent".to_owned())),
    }
}

/// R44 to R48: the Content-Type decides, then `mediaType`, then the members; the first two must not disagree.
fn kind(declared: Option<ManifestKind>, members: &Members) -> Result<ManifestKind, ManifestError> {
    let inner = members.media_type.as_deref().filter(|text| !text.is_empty());
    match (declared, inner) {
        (Some(kind), Some(found)) if found != kind.media_type() => Err(ManifestError::MediaTypeMismatch { kind, found: excerpt(found) }),
        (Some(kind), _) => Ok(kind),
        (None, Some(found)) => kind_of(found),
        (None, None) if members.manifests.is_some() => Ok(ManifestKind::OciIndex),
        (None, None) if members.config.is_some() => Ok(ManifestKind::OciManifest),
        (None, None) => Err(ManifestError::NoMediaType),
    }
}

/// R47 and the shape rules: a document must have the members of its kind and none of the other's (CVE-2021-41190).
fn check_shape(kind: ManifestKind, members: &Members) -> Result<(), ManifestError> {
    let image = members.config.is_some() || members.layers.is_some();
    match (image, members.manifests.is_some()) {
        (true, true) => Err(ManifestError::Ambiguous),
        (true, false) if kind.is_index() => Err(ManifestError::Shape { kind }),
        (false, true) if !kind.is_index() => Err(ManifestError::Shape { kind }),
        _ if kind.is_index() && !members.manifests_seen => Err(ManifestError::Missing("manifests")),
        _ if !kind.is_index() && members.config.is_none() => Err(ManifestError::Missing("config")),
        _ => Ok(()),
    }
}

fn build(kind: ManifestKind, members: Members) -> Result<Manifest, ManifestError> {
    let layers = members.layers.map(|list| list.0).unwrap_or_default();
    let manifests = members.manifests.map(|list| list.0).unwrap_or_default();
    Ok(Manifest {
        kind,
        media_type: kind.media_type().to_owned(),
        artifact_type: members.artifact_type.filter(|text| !text.is_empty()),
        config: one("config", members.config, WireDescriptor::content)?,
        layers: list("layers", layers)?,
        manifests: list("manifests", manifests)?,
        subject: one("subject", members.subject, WireDescriptor::subject)?,
        annotations: members.annotations.map(|map| map.0).unwrap_or_default(),
    })
}

fn one(
    place: &str,
    wire: Option<Object<WireDescriptor>>,
    validate: impl Fn(WireDescriptor) -> Result<Descriptor, DescriptorError>,
) -> Result<Option<Descriptor>, ManifestError> {
    wire.map(|object| validate(object.0)).transpose().map_err(|reason| ManifestError::Descriptor { place: place.to_owned(), reason })
}

fn list(place: &str, wires: Vec<Object<WireDescriptor>>) -> Result<Vec<Descriptor>, ManifestError> {
    let numbered = wires.into_iter().enumerate();
    numbered
        .map(|(index, object)| {
            let place = || format!("{place}[{index}]");
            object.0.content().map_err(|reason| ManifestError::Descriptor { place: place(), reason })
        })
        .collect()
}
