//! Token scopes: `type:name:actions`, as clients ask for them and challenges name them.
//! The token service, the registry door and the token's `access` claim use it.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::limits::MAX_SCOPES;

/// What a token is for. Serialises as an entry of the token's `access` claim: `{"type","name","actions"}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// The type: `repository`, `registry`, or anything a client thinks of.
    #[serde(rename = "type")]
    pub kind: String,
    /// The name; may contain colons and may be empty.
    pub name: String,
    /// The actions in the order asked, unvalidated.
    pub actions: Vec<String>,
}

impl Scope {
    /// A scope of these parts.
    pub fn new(kind: &str, name: &str, actions: &[&str]) -> Self {
        Self { kind: kind.to_owned(), name: name.to_owned(), actions: actions.iter().map(|action| (*action).to_owned()).collect() }
    }

    /// Reads all scopes of a text, separated by white space; empty ones are dropped, duplicates and order are kept.
    /// A client may also repeat the parameter: read each value and join the results.
    pub fn parse_list(text: &str) -> Vec<Self> {
        text.split_ascii_whitespace().take(MAX_SCOPES).map(Self::parse).collect()
    }

    /// Reads one scope. The last of three or more parts holds the actions, so a name may contain colons; a scope of two
    /// parts is complete and has no actions, of one part it has no name either. A class in parentheses after the type
    /// is ignored.
    pub fn parse(text: &str) -> Self {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        let (name, actions) = rest.rsplit_once(':').unwrap_or((rest, ""));
        let actions = actions.split(',').filter(|action| !action.is_empty()).map(str::to_owned).collect();
        Self { kind: kind.to_owned(), name: name.to_owned(), actions }
    }
}

impl FromStr for Scope {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::parse(text))
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.kind, self.name, self.actions.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scopes_are_read_as_clients_write_them() {
        for (text, expected) in [
            ("repository:ns/name:pull,push", Scope::new("repository", "ns/name", &["pull", "push"])),
            ("repository:host:5000/ns/name:pull", Scope::new("repository", "host:5000/ns/name", &["pull"])),
            ("repository:p/r", Scope::new("repository", "p/r", &[])),
            ("repository:p/r:", Scope::new("repository", "p/r", &[])),
            ("repository:p/r:,pull,,", Scope::new("repository", "p/r", &["pull"])),
            ("repository(plugin):p/r:pull", Scope::new("repository(plugin)", "p/r", &["pull"])),
            ("registry:catalog:*", Scope::new("registry", "catalog", &["*"])),
            ("repository", Scope::new("repository", "", &[])),
            ("", Scope::new("", "", &[])),
            ("::", Scope::new("", "", &[])),
        ] {
            assert_eq!(Scope::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn several_scopes_are_separated_by_spaces() {
        let list = Scope::parse_list("  repository:a/b:pull  registry:catalog:* repository:a/b:pull ");
        assert_eq!(list.len(), 3);
        assert_eq!(list[0], list[2]);
        assert!(Scope::parse_list("").is_empty() && Scope::parse_list("   ").is_empty());
        assert_eq!(Scope::parse_list(&"a:b:c ".repeat(10_000)).len(), MAX_SCOPES);
    }

    #[test]
    fn a_scope_is_an_access_claim() {
        let scope = Scope::new("repository", "p/r", &["pull"]);
        assert_eq!(serde_json::to_string(&scope).unwrap(), r#"{"type":"repository","name":"p/r","actions":["pull"]}"#);
        assert_eq!(scope.to_string(), "repository:p/r:pull");
    }

    proptest! {
        #[test]
        fn written_scopes_round_trip(kind in "[a-z]{1,9}", name in "[a-z0-9:/]{0,20}", actions in proptest::collection::vec("[a-z*]{1,5}", 0..4)) {
            let scope = Scope { kind, name, actions };
            prop_assert_eq!(Scope::parse(&scope.to_string()), scope);
        }

        #[test]
        fn any_text_is_answered(text in "\\PC{0,60}|[a-z:(), ]{0,20}") {
            let _ = Scope::parse(&text);
            let _ = Scope::parse_list(&text);
        }
    }
}
