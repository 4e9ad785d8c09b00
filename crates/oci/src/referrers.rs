//! The answer of the referrers endpoint.
//! The service room builds it, the registry door sends it with the media type of an index.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::digest::Digest;
use crate::media_type::OCI_INDEX;

/// One manifest that names the subject (R145).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Referrer {
    /// Media type of the referring manifest.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Bytes of the manifest document alone.
    pub size: u64,
    /// All annotations of the manifest, nothing added; left out when there are none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Its effective type, see `Manifest::referrer_artifact_type`; left out when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
}

/// An image index of the referrers of one subject (R143).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReferrersIndex {
    schema_version: u8,
    media_type: &'static str,
    /// The referrers, oldest first; may be empty.
    pub manifests: Vec<Referrer>,
}

impl ReferrersIndex {
    /// An index of these referrers.
    pub fn new(manifests: Vec<Referrer>) -> Self {
        Self { schema_version: 2, media_type: OCI_INDEX, manifests }
    }

    /// The Content-Type the answer must have, exactly.
    pub const CONTENT_TYPE: &'static str = OCI_INDEX;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Manifest;

    /// R143.
    #[test]
    fn an_empty_list_is_a_complete_index() {
        assert_eq!(
            serde_json::to_string(&ReferrersIndex::new(Vec::new())).unwrap(),
            r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#
        );
    }

    /// R145.
    #[test]
    fn entries_have_exactly_the_specified_members() {
        let digest = Digest::sha256(b"");
        let bare =
            Referrer { media_type: OCI_INDEX.into(), digest: digest.clone(), size: 7, annotations: BTreeMap::new(), artifact_type: None };
        let full = Referrer { annotations: [("k".to_owned(), "v".to_owned())].into(), artifact_type: Some("a/b".into()), ..bare.clone() };
        let text = serde_json::to_string(&ReferrersIndex::new(vec![bare, full])).unwrap();
        assert_eq!(
            text,
            format!(
                r#"{{"schemaVersion":2,"mediaType":"{OCI_INDEX}","manifests":[{{"mediaType":"{OCI_INDEX}","digest":"{digest}","size":7}},{{"mediaType":"{OCI_INDEX}","digest":"{digest}","size":7,"annotations":{{"k":"v"}},"artifactType":"a/b"}}]}}"#
            )
        );
        assert_eq!(Manifest::parse(text.as_bytes(), Some(ReferrersIndex::CONTENT_TYPE)).unwrap().manifests.len(), 2);
    }
}
