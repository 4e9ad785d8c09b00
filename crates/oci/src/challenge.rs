//! The `WWW-Authenticate` header: where to get a token and for what.
//! The registry door sends it with every 401.

use crate::scope::Scope;

/// Why a presented token was refused (RFC 6750 section 3.1). Clients ask for a new one only when told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFault {
    /// Expired, malformed, or for somebody else.
    Invalid,
    /// Good, but for less than is needed.
    InsufficientScope,
}

impl TokenFault {
    /// The word as it is sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
        }
    }
}

/// One challenge. Displays as the header's value, printable ASCII only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// `Bearer realm="…",service="…"[,scope="…"][,error="…"]`.
    Bearer {
        /// Absolute URL of the token service.
        realm: String,
        /// Name of this registry to the token service.
        service: String,
        /// What the request needs; empty for a ping.
        scopes: Vec<Scope>,
        /// Set only when a token was presented.
        error: Option<TokenFault>,
    },
    /// `Basic realm="…"`.
    Basic {
        /// What the credentials are for.
        realm: String,
    },
}

impl Challenge {
    /// A bearer challenge without error.
    pub fn bearer(realm: impl Into<String>, service: impl Into<String>, scopes: Vec<Scope>) -> Self {
        Self::Bearer { realm: realm.into(), service: service.into(), scopes, error: None }
    }

    /// A basic challenge.
    pub fn basic(realm: impl Into<String>) -> Self {
        Self::Basic { realm: realm.into() }
    }

    /// The same with the reason why the presented token was refused; a basic challenge has none.
    #[must_use]
    pub fn with_error(mut self, fault: TokenFault) -> Self {
        if let Self::Bearer { error, .. } = &mut self {
            *error = Some(fault);
        }
        self
    }
}

impl std::fmt::Display for Challenge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Basic { realm } => write!(f, "Basic realm={}", quoted(realm)),
            Self::Bearer { realm, service, scopes, error } => {
                write!(f, "Bearer realm={},service={}", quoted(realm), quoted(service))?;
                if !scopes.is_empty() {
                    let list: Vec<String> = scopes.iter().map(ToString::to_string).collect();
                    write!(f, ",scope={}", quoted(&list.join(" ")))?;
                }
                match error {
                    Some(fault) => write!(f, ",error=\"{}\"", fault.as_str()),
                    None => Ok(()),
                }
            }
        }
    }
}

/// A quoted-string (RFC 9110 section 5.6.4). Characters that have no place in a header are left out: realms are built
/// from the client's own Host header.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars().filter(|c| matches!(c, ' '..='~')) {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const REALM: &str = "https://registry.example/service/token";

    /// R1.
    #[test]
    fn challenges_have_the_known_form() {
        for (challenge, expected) in [
            (Challenge::bearer(REALM, "harbor-registry", vec![]), format!(r#"Bearer realm="{REALM}",service="harbor-registry""#)),
            (
                Challenge::bearer(REALM, "s", Scope::parse_list("repository:p/a:pull,push repository:p/b:pull")),
                format!(r#"Bearer realm="{REALM}",service="s",scope="repository:p/a:pull,push repository:p/b:pull""#),
            ),
            (
                Challenge::bearer(REALM, "s", vec![]).with_error(TokenFault::Invalid),
                format!(r#"Bearer realm="{REALM}",service="s",error="invalid_token""#),
            ),
            (
                Challenge::bearer(REALM, "s", Scope::parse_list("repository:p/a:pull")).with_error(TokenFault::InsufficientScope),
                format!(r#"Bearer realm="{REALM}",service="s",scope="repository:p/a:pull",error="insufficient_scope""#),
            ),
            (Challenge::basic("harbor").with_error(TokenFault::Invalid), r#"Basic realm="harbor""#.to_owned()),
            (
                Challenge::bearer("https://h\"o\\st\r\nX: y/é", "s", vec![]),
                r#"Bearer realm="https://h\"o\\stX: y/",service="s""#.to_owned(),
            ),
        ] {
            assert_eq!(challenge.to_string(), expected);
        }
    }

    proptest! {
        #[test]
        fn any_text_stays_inside_its_quotes(realm in any::<String>(), service in any::<String>()) {
            let text = Challenge::bearer(realm, service, vec![]).to_string();
            prop_assert!(text.chars().all(|c| matches!(c, ' '..='~')));
            let bare = text.replace("\\\\", "").replace("\\\"", "");
            prop_assert_eq!(bare.matches('"').count(), 4);
        }
    }
}
