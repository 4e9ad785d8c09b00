//! The answer of `/v2/<name>/tags/list`.
//! The registry door sends it.

use serde::{Deserialize, Serialize};

/// The tags of a repository, sorted by bytes (R137).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagList {
    /// The repository.
    pub name: String,
    /// The tags of this page; an empty list is `[]`, never null.
    pub tags: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R137.
    #[test]
    fn a_tag_list_has_name_and_tags() {
        let list = TagList { name: "p/a".into(), tags: vec![] };
        assert_eq!(serde_json::to_string(&list).unwrap(), r#"{"name":"p/a","tags":[]}"#);
    }
}
