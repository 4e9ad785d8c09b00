//! Read-only mode at the doors (api-conventions reference 1.9): which requests it does not concern. REST and the registry ask before anything else
//! is looked at; the rule and its words are `service::setting`'s.

use http::Method;
use service::{Error, Services};

/// Changes that are let through: signing in, questions that are sent as POST, and changing the settings, since nothing else ends the mode.
const EXEMPT: &[(Method, &str)] = &[
    (Method::PUT, "/api/v2.0/configurations"),
    (Method::POST, "/c/login"),
    (Method::POST, "/c/userExists"),
    (Method::POST, "/c/oidc/onboard"),
    (Method::POST, "/service/token"),
];

/// Whether this request may go on.
///
/// # Errors
/// 403 DENIED in read-only mode for whatever could be a change, known path or not.
pub(crate) fn check(services: &Services, method: &Method, path: &str) -> Result<(), Error> {
    if is_read(method) || is_exempt(method, path) {
        return Ok(());
    }
    services.configuration.writable()
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn is_exempt(method: &Method, path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    EXEMPT.iter().any(|(exempt, at)| exempt == method && *at == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exemptions_are_of_one_method_and_one_path() {
        for (method, path) in
            [(Method::PUT, "/api/v2.0/configurations"), (Method::PUT, "/api/v2.0/configurations/"), (Method::POST, "/c/login")]
        {
            assert!(is_exempt(&method, path), "{method} {path}");
        }
        for (method, path) in [
            (Method::POST, "/api/v2.0/configurations"),
            (Method::PUT, "/api/v2.0/configurations/x"),
            (Method::PUT, "/c/login"),
            (Method::POST, "/c/log"),
            (Method::POST, "/v2/c/login"),
            (Method::PUT, "/service/token"),
        ] {
            assert!(!is_exempt(&method, path), "{method} {path}");
        }
        assert!(!is_read(&Method::TRACE) && !is_read(&Method::PATCH) && is_read(&Method::HEAD));
    }
}
