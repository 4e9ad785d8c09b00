//! Where pages live, and how a name becomes part of an address. Every link of the portal is made here.

use std::borrow::Cow;

use model::percent::{self, component, segment};

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
/// The sign-in page after the password was changed, which ended the session.
pub const PASSWORD_CHANGED: &str = "/account/sign-in?done=password";
/// The page to change one's own password.
pub const PASSWORD: &str = "/account/password";
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

/// Path and query of a page, to come back to. What a form that was posted without scripts left there of its refusal stays behind.
pub fn here(path: &str, search: &str) -> String {
    let kept: Vec<_> = search.trim_start_matches('?').split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("__")).collect();
    if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) }
}

/// Sign-in with the way back.
pub fn sign_in(back: &str) -> String {
    format!("{SIGN_IN}?redirect_url={}", component(back))
}

/// Undoes what browsers and older links do to a repository name in a path: `%2F`, also encoded twice. The grammar of names has no `%`,
/// so decoding again cannot change a real name.
pub fn decoded_name(raw: &str) -> String {
    let mut name = raw.to_owned();
    for _ in 0..2 {
        match percent::decode(&name) {
            Some(Cow::Owned(decoded)) => name = decoded,
            _ => break,
        }
    }
    name
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
    fn the_way_back_loses_what_a_form_left() {
        assert_eq!(here("/x", ""), "/x");
        assert_eq!(here("/x", "?q=a%20b&page=2"), "/x?q=a%20b&page=2");
        assert_eq!(here("/x", "__path=%2Fui%2Ffn%2Fy&q=a&__err=e"), "/x?q=a");
    }

    #[test]
    fn names_come_back_however_often_they_were_encoded() {
        for raw in ["a/b", "a%2Fb", "a%252Fb", "a%2fb"] {
            assert_eq!(decoded_name(raw), "a/b", "{raw}");
        }
        assert_eq!(decoded_name("50%"), "50%");
    }
}
