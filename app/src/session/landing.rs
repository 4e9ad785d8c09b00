//! Where somebody lands after signing in: the page they came from, if that is one of ours. The sign-in page and the server's endpoints call
//! it on every address that came with a request.

use model::percent;

use crate::address;

/// The longest way back that is remembered.
const LONGEST: usize = 2048;

/// The given path if it is safe to send a browser to, else the list of projects.
///
/// Safe means: a path of this origin, under every reading that a browser or proxy may give it. So: one leading slash and no `//` anywhere in the
/// path, no backslash, no control character or space, no `.` or `..` segment, none of these hidden by percent-encoding however deep; and not the
/// sign-in page, which would lead round in circles.
pub fn landing(asked: &str) -> &str {
    if is_ours(asked) { asked } else { address::PROJECTS }
}

fn is_ours(asked: &str) -> bool {
    if asked.len() > LONGEST || !is_plain(asked) {
        return false;
    }
    let path = asked.split(['?', '#']).next().unwrap_or_default();
    let mut decoded = path.to_owned();
    for _ in 0..4 {
        if !is_plain(&decoded) || decoded.contains("//") || has_dot_segment(&decoded) {
            return false;
        }
        match percent::decode(&decoded) {
            None => return false,
            Some(next) if next == decoded => return !decoded.starts_with(address::SIGN_IN),
            Some(next) => decoded = next.into_owned(),
        }
    }
    // Still changing after four rounds: nobody writes such an address honestly.
    false
}

fn is_plain(text: &str) -> bool {
    text.starts_with('/') && !text.contains('\\') && !text.chars().any(|c| c.is_control() || c.is_whitespace())
}

fn has_dot_segment(path: &str) -> bool {
    path.split('/').any(|segment| segment == "." || segment == "..")
}

#[cfg(test)]
mod tests {
    use super::landing;
    use crate::address::PROJECTS;

    #[test]
    fn paths_of_ours_are_kept() {
        for path in [
            "/",
            "/harbor/projects",
            "/harbor/projects?q=a%20b&page=2",
            "/harbor/projects/1/repositories/services%2Fcheckout",
            "/harbor/projects/1/repositories/a%252Fb",
            "/harbor/projects/1/repositories/app/artifacts-tab/artifacts/sha256:abc#layers",
            "/harbor/projects?back=https://elsewhere.example/",
        ] {
            assert_eq!(landing(path), path);
        }
    }

    #[test]
    fn whatever_a_browser_could_read_as_another_origin_is_refused() {
        for path in [
            "",
            "harbor/projects",
            "https://elsewhere.example/",
            "//elsewhere.example",
            "///elsewhere.example",
            "/\\elsewhere.example",
            "\\\\elsewhere.example",
            "/%2Felsewhere.example",
            "/%2f%2felsewhere.example",
            "/%252Felsewhere.example",
            "/%25252Felsewhere.example",
            "/%5Celsewhere.example",
            "/%255celsewhere.example",
            "/\t/elsewhere.example",
            "/%09/elsewhere.example",
            "/\n/elsewhere.example",
            "/%0d%0aSet-Cookie:x=y",
            "/a\r\nb",
            "/ /elsewhere.example",
            "/..//elsewhere.example",
            "/a/../b",
            "/%2e%2e/b",
            "/./b",
            "/a//b",
            "/%zz",
            "/%",
            "/%FF",
            "/harbor/\u{202f}x",
            "javascript:alert(1)",
            "/harbor/projects?q=\u{0}",
        ] {
            assert_eq!(landing(path), PROJECTS, "{path:?}");
        }
        assert_eq!(landing(&format!("/{}", "a".repeat(3000))), PROJECTS);
    }

    #[test]
    fn signing_in_does_not_lead_back_to_signing_in() {
        assert_eq!(landing("/account/sign-in"), PROJECTS);
        assert_eq!(landing("/account/sign-in?redirect_url=/account/sign-in"), PROJECTS);
        assert_eq!(landing("/account/%73ign-in"), PROJECTS);
    }
}
