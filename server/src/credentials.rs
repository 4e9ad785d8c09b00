//! What a request shows of its caller: the two schemes of `Authorization` that the doors know, and cookies. All doors read them here.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, header};

/// The session's cookie.
pub(crate) const SESSION_COOKIE: &str = "sid";

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

/// The value of a cookie; the first one counts, empty ones do not.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, value)| *key == name && !value.is_empty()).map(|(_, value)| value)
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
    fn cookies() {
        let headers = HeaderMap::from_iter([(header::COOKIE, http::HeaderValue::from_static("a=1; sid=x=y;sid=z; b="))]);
        assert_eq!((cookie(&headers, "sid"), cookie(&headers, "b"), cookie(&headers, "id")), (Some("x=y"), None, None));
    }

    #[test]
    fn bearer_tokens() {
        assert_eq!((bearer("BEARER a.b.c "), bearer("Bearer"), bearer("Basic Og==")), (Some("a.b.c"), None, None));
    }
}
