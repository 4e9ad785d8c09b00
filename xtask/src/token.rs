//! Gets a registry token the way clients do: challenge, token service, bearer.
//! The bench uses it, so that what is measured is what clients do after their first request.

use crate::http::{Client, path_of};
use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// An `Authorization` header value for these actions on a repository, or nothing when the registry asks for none.
pub fn authorization(address: &str, credentials: Option<String>, repository: &str, actions: &str) -> Result<Option<String>> {
    let probe = Client::new(address, None).send("GET", "/v2/", &[], b"")?;
    let Some(challenge) = probe.header("www-authenticate") else {
        return Ok(None);
    };
    if !challenge.to_ascii_lowercase().starts_with("bearer ") {
        return Ok(credentials);
    }
    let realm = parameter(challenge, "realm").context("a challenge without a realm")?;
    let service = parameter(challenge, "service").unwrap_or_default();
    let path = format!("{}?service={service}&scope=repository:{repository}:{actions}", path_of(realm));
    let reply = Client::new(address, credentials).send("GET", &path, &[], b"")?;
    if reply.status != 200 {
        bail!("the token service answered {}", reply.status);
    }
    let answer: Value = serde_json::from_slice(&reply.body)?;
    let token = answer["token"].as_str().or(answer["access_token"].as_str()).context("an answer without a token")?;
    Ok(Some(format!("Bearer {token}")))
}

fn parameter<'a>(challenge: &'a str, name: &str) -> Option<&'a str> {
    let start = challenge.find(&format!("{name}=\""))? + name.len() + 2;
    challenge[start..].split('"').next()
}

#[cfg(test)]
mod tests {
    #[test]
    fn parameters_of_a_challenge() {
        let challenge = r#"Bearer realm="http://h/service/token",service="harbor-registry""#;
        assert_eq!(super::parameter(challenge, "realm"), Some("http://h/service/token"));
        assert_eq!(super::parameter(challenge, "service"), Some("harbor-registry"));
        assert_eq!(super::parameter(challenge, "scope"), None);
    }
}
