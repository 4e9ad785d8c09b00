//! The answer of the extension discovery endpoint.
//! The registry door sends it.

use serde::Serialize;

/// The extensions of a registry or repository; empty when there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ExtensionList {
    /// The extensions.
    pub extensions: Vec<Extension>,
}

/// One extension (distribution-spec, "Extensions").
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Extension {
    /// Its name, starting with an underscore.
    pub name: String,
    /// Where it is described.
    pub url: String,
    /// What it does.
    pub description: String,
    /// The paths it adds.
    pub endpoints: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_extensions_is_an_empty_list() {
        assert_eq!(serde_json::to_string(&ExtensionList::default()).unwrap(), r#"{"extensions":[]}"#);
    }
}
