//! Where pages live, and how a name becomes part of an address. Every link of the portal is made here.

/// The list of projects, the portal's first page.
pub const PROJECTS: &str = "/harbor/projects";
/// The form for a new project.
pub const NEW_PROJECT: &str = "/harbor/projects/new";
/// The page of the search; its form gets it with `q`.
pub const SEARCH: &str = "/harbor/search";
/// The page to read and try the API; the REST door serves it.
pub const API: &str = "/api/v2.0/docs";
/// The sign-in page, and the endpoint its form posts to.
pub const SIGN_IN: &str = "/account/sign-in";
/// The endpoint that ends the session (POST).
pub const SIGN_OUT: &str = "/account/sign-out";

/// The repositories of a project; `project` is its id or its name.
pub fn repositories(project: &str) -> String {
    format!("{PROJECTS}/{}/repositories", segment(project))
}

/// One repository; `repository` is its name inside the project, whose slashes become `%2F`.
pub fn repository(project: &str, repository: &str) -> String {
    format!("{}/{}", repositories(project), segment(repository))
}

/// One artifact by digest (or tag).
pub fn artifact(project: &str, repository: &str, reference: &str) -> String {
    format!("{}/artifacts-tab/artifacts/{}", self::repository(project, repository), segment(reference))
}

/// Sign-in with the way back.
pub fn sign_in(back: &str) -> String {
    format!("{SIGN_IN}?redirect_url={}", component(back))
}

/// Percent-encodes a value for one path segment. `:` and `@` stay: digests read better and RFC 3986 allows them there.
pub fn segment(value: &str) -> String {
    encode(value, b"-._~:@")
}

/// Percent-encodes a value for a query.
pub fn component(value: &str) -> String {
    encode(value, b"-._~/:,")
}

/// Undoes what browsers and older links do to a repository name in a path: `%2F`, also encoded twice. The grammar of names has no `%`,
/// so decoding again cannot change a real name.
pub fn decoded_name(raw: &str) -> String {
    let mut name = raw.to_owned();
    for _ in 0..2 {
        match percent_decoded(&name) {
            Some(decoded) if decoded != name => name = decoded,
            _ => break,
        }
    }
    name
}

/// Percent-decodes; `None` when an escape is cut off or the bytes are not UTF-8.
pub fn percent_decoded(value: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

fn encode(value: &str, keep: &[u8]) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || keep.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_of_a_repository_are_one_segment() {
        assert_eq!(repository("1", "services/checkout"), "/harbor/projects/1/repositories/services%2Fcheckout");
        assert_eq!(artifact("1", "a/b", "sha256:ab"), "/harbor/projects/1/repositories/a%2Fb/artifacts-tab/artifacts/sha256:ab");
    }

    #[test]
    fn names_come_back_however_often_they_were_encoded() {
        for raw in ["a/b", "a%2Fb", "a%252Fb", "a%2fb"] {
            assert_eq!(decoded_name(raw), "a/b", "{raw}");
        }
        assert_eq!(decoded_name("50%"), "50%");
    }

    #[test]
    fn queries_keep_nothing_that_could_end_them() {
        assert_eq!(component("a b&c=d#e+ü"), "a%20b%26c%3Dd%23e%2B%C3%BC");
        assert_eq!(percent_decoded("a%20b%26").as_deref(), Some("a b&"));
        assert_eq!(percent_decoded("%F"), None);
        assert_eq!(percent_decoded("%FF"), None);
    }
}
