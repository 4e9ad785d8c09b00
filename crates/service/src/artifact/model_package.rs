//! Packaged models: their documents and the tree of their files, by the paths that their layers carry.

use std::collections::BTreeMap;

use oci::Descriptor;
use serde::Serialize;

use super::chart;
use crate::{Error, Result};

/// Where a layer belongs; the second is the older name.
const PATH: [&str; 2] = ["org.cncf.model.filepath", "org.cnai.model.filepath"];
/// Folders that a path may go through.
const MAX_DEPTH: usize = 64;

/// A file or folder of a model.
#[derive(Debug, Serialize, PartialEq, Eq)]
struct Node {
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    children: Vec<Node>,
}

#[derive(Default)]
struct Folder<'a> {
    folders: BTreeMap<&'a str, Folder<'a>>,
    files: BTreeMap<&'a str, u64>,
}

fn path(layer: &Descriptor) -> Option<&str> {
    PATH.iter().find_map(|key| layer.annotations.get(*key)).map(String::as_str)
}

/// The layer with one of these documents, and the path of it.
pub(super) fn document<'a>(layers: &'a [Descriptor], names: &[&str]) -> Option<(&'a Descriptor, &'a str)> {
    let is_document = |layer: &&Descriptor| layer.media_type.starts_with("application/vnd.cncf.model.doc.v1.");
    names.iter().find_map(|name| {
        let wanted = |layer: &&Descriptor| path(layer).is_some_and(|path| path.eq_ignore_ascii_case(name));
        layers.iter().filter(is_document).find(wanted).and_then(|layer| Some((layer, path(layer)?)))
    })
}

/// The document out of its layer's archive.
///
/// # Errors
/// 400 for an archive that cannot be read, 404 when it is not in it.
pub(super) fn read(archive: &[u8], path: &str) -> Result<Vec<u8>> {
    let content = chart::find(archive, |found| found.eq_ignore_ascii_case(path) || found.rsplit('/').next() == Some(path))?;
    content.ok_or_else(|| Error::not_found(format!("{path} not found")))
}

/// The tree of files as JSON: folders first, by name.
///
/// # Errors
/// 400 for a path that goes too deep.
pub(super) fn files(layers: &[Descriptor]) -> Result<Vec<u8>> {
    let mut root = Folder::default();
    for layer in layers {
        let Some(path) = path(layer) else { continue };
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        if parts.len() > MAX_DEPTH {
            return Err(Error::bad_request("a path of the model goes too deep"));
        }
        let Some((name, folders)) = parts.split_last() else { continue };
        let folder = folders.iter().fold(&mut root, |folder, part| folder.folders.entry(part).or_default());
        folder.files.insert(name, layer.size);
    }
    serde_json::to_vec(&nodes(root)).map_err(Error::internal)
}

fn nodes(folder: Folder<'_>) -> Vec<Node> {
    let folders = folder.folders.into_iter().map(|(name, inside)| Node {
        name: name.to_owned(),
        kind: "directory",
        size: None,
        children: nodes(inside),
    });
    let files =
        folder.files.into_iter().map(|(name, size)| Node { name: name.to_owned(), kind: "file", size: Some(size), children: Vec::new() });
    folders.chain(files).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(media_type: &str, path: &str) -> Descriptor {
        let mut layer = Descriptor::new(media_type, oci::Digest::sha256(path.as_bytes()), 7);
        layer.annotations.insert(PATH[0].to_owned(), path.to_owned());
        layer
    }

    #[test]
    fn files_make_a_tree() {
        let layers = [layer("x", "w/model.gguf"), layer("x", "README.md"), layer("x", "/w/./more/a"), layer("x", "")];
        let json = String::from_utf8(files(&layers).unwrap()).unwrap();
        assert_eq!(
            json,
            r#"[{"name":"w","type":"directory","children":[{"name":"more","type":"directory","children":[{"name":"a","type":"file","size":7}]},{"name":"model.gguf","type":"file","size":7}]},{"name":"README.md","type":"file","size":7}]"#
        );
        assert_eq!(files(&[layer("x", &"a/".repeat(100_000))]).unwrap_err().status, 400);
    }

    #[test]
    fn a_document_is_found_by_its_layer() {
        let layers =
            [layer("application/vnd.cncf.model.weight.v1.tar", "LICENSE"), layer("application/vnd.cncf.model.doc.v1.tar", "license")];
        assert_eq!(document(&layers, &["LICENSE"]).map(|(_, path)| path), Some("license"));
        assert_eq!(document(&layers[..1], &["LICENSE"]), None);
    }
}
