//! Long names that may break where they are made of parts: after the slashes of a repository, and inside media types.

use leptos::prelude::*;

/// A repository's name, which may break after each slash.
pub fn name(name: &str) -> AnyView {
    breakable(name.split_inclusive('/'))
}

/// A media type, which may break after its slash and its dots, and before its suffix.
pub fn media_type(word: &str) -> AnyView {
    let parts = word.split_inclusive(['/', '.']).flat_map(|part| match part.split_once('+') {
        Some((base, suffix)) => vec![base.to_owned(), format!("+{suffix}")],
        None => vec![part.to_owned()],
    });
    breakable(parts.collect::<Vec<_>>().iter().map(String::as_str))
}

fn breakable<'a>(parts: impl Iterator<Item = &'a str>) -> AnyView {
    let parts = parts.enumerate().map(|(at, part)| {
        let part = part.to_owned();
        view! {
            {(at > 0).then(|| view! { <wbr /> })}
            {part}
        }
    });
    parts.collect_view().into_any()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::markup::{self, text};

    #[test]
    fn names_stay_what_they_are() {
        let html = markup::render(|| view! { <p>{name("services/a/b")}</p> }.into_any());
        markup::check(&html);
        assert_eq!(html.matches("<wbr>").count(), 2, "{html}");
        assert_eq!(text(&html), "services/a/b");
        let html = markup::render(|| view! { <p>{media_type("application/vnd.oci.image.manifest.v1+json")}</p> }.into_any());
        assert_eq!(text(&html), "application/vnd.oci.image.manifest.v1+json");
    }
}
