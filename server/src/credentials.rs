//! What `Authorization` shows: the two schemes that the doors know. The REST door and the registry's read it here.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// Name and secret of `Basic`; the name ends at the first colon. `None` for another scheme and for what is malformed.
pub(crate) fn basic(value: &str) -> Option<(String, String)> {
    let decoded = BASE64_STANDARD.decode(strip_scheme(value, "Basic ")?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (name, secret) = text.split_once(':')?;
    Some((name.to_owned(), secret.to_owned()))
}

/// The token of `Bearer`.
pub(crate) fn bearer(value: &str) -> Option<&str> {
    strip_scheme(value, "Bearer ")
}

fn strip_scheme<'a>(value: &'a str, scheme: &str) -> Option<&'a str> {
    let (head, rest) = value.split_at_checked(scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials() {
        assert_eq!(basic("Basic ZGFuYTpQYXNzOncwcmQ="), Some(("dana".into(), "Pass:w0rd".into())));
        assert_eq!(basic("basic  Og== "), Some((String::new(), String::new())));
        for none in ["Basic %%%", "Basic ZGFuYQ==", "Bearer abc", "Negotiate abc", "", "Basic", "Bäsic abc"] {
            assert_eq!(basic(none), None, "{none}");
        }
    }

    #[test]
    fn bearer_tokens() {
        assert_eq!((bearer("BEARER a.b.c "), bearer("Bearer"), bearer("Basic Og==")), (Some("a.b.c"), None, None));
    }
}
