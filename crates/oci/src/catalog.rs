//! The answer of `/v2/_catalog`.
//! The registry door sends it.

use serde::{Deserialize, Serialize};

/// Names of repositories, sorted by bytes (R142).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog {
    /// The names of this page; an empty list is `[]`.
    pub repositories: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_catalog_is_an_empty_list() {
        assert_eq!(serde_json::to_string(&Catalog::default()).unwrap(), r#"{"repositories":[]}"#);
    }
}
