//! Reads rendered pages for tests: renders a view to a string and refuses what a browser would repair or a content security policy would block.

use std::collections::HashSet;

/// Renders a view as the server does, at `/harbor/projects?page=2`.
#[cfg(feature = "ssr")]
pub(crate) fn render(view: impl FnOnce() -> leptos::prelude::AnyView + Send + 'static) -> String {
    use leptos::prelude::{IntoAny, Owner, RenderHtml, provide_context, view};
    use leptos_router::{components::Router, location::RequestUrl};
    let owner = Owner::new();
    owner.with(|| {
        let (meta, _output) = leptos_meta::ServerMetaContext::new();
        provide_context(meta);
        leptos_meta::provide_meta_context();
        provide_context(RequestUrl::new("http://registry.example/harbor/projects?page=2"));
        view! { <Router>{view()}</Router> }.into_any().to_html()
    })
}

/// What is left of a page without its tags and comments.
#[cfg(feature = "ssr")]
pub(crate) fn text(html: &str) -> String {
    html.split('<').map(|part| part.split_once('>').map_or(part, |(_, rest)| rest)).collect()
}

const VOID: [&str; 13] = ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];
const PHRASING_ONLY: [&str; 9] = ["p", "h1", "h2", "h3", "span", "a", "button", "label", "summary"];
const BLOCKS: [&str; 19] = [
    "div", "p", "ul", "ol", "dl", "table", "section", "header", "main", "nav", "form", "fieldset", "pre", "h1", "h2", "h3", "details",
    "hr", "footer",
];

/// Panics at the first thing that is not well-formed, not allowed where it is, named twice, or pointing to nothing.
pub(crate) fn check(html: &str) {
    let mut open: Vec<String> = Vec::new();
    let mut ids = HashSet::new();
    let mut wanted = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix('!') {
            rest = comment.strip_prefix("--").map_or(comment, |c| &c[c.find("-->").expect("comment ends")..]);
            continue;
        }
        let end = end_of_tag(rest);
        let (tag, after) = (&rest[..end], &rest[end + 1..]);
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "closing tag out of order before: {}", &rest[..rest.len().min(120)]);
            continue;
        }
        let name = tag.split([' ', '/', '\n']).next().unwrap_or_default().to_owned();
        nesting(&open, &name);
        for (key, value) in attributes(&tag[name.len()..]) {
            attribute(&name, &key, &value, &mut ids, &mut wanted);
        }
        if !VOID.contains(&name.as_str()) && !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
    for id in wanted {
        assert!(ids.contains(&id), "nothing has the id {id}");
    }
}

fn end_of_tag(text: &str) -> usize {
    let mut quote = false;
    text.char_indices()
        .find(|(_, c)| {
            quote ^= *c == '"';
            *c == '>' && !quote
        })
        .expect("tag ends")
        .0
}

fn attributes(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.trim().trim_end_matches('/').trim();
    while !rest.is_empty() {
        let end = rest.find(['=', ' ']).unwrap_or(rest.len());
        let key = rest[..end].to_owned();
        rest = &rest[end..];
        if let Some(quoted) = rest.strip_prefix("=\"") {
            let close = quoted.find('"').expect("attribute ends");
            found.push((key, quoted[..close].to_owned()));
            rest = quoted[close + 1..].trim_start();
        } else {
            found.push((key, String::new()));
            rest = rest.trim_start_matches('=').trim_start();
        }
    }
    found
}

fn nesting(open: &[String], name: &str) {
    let parent = open.last().map_or("", String::as_str);
    for outer in open {
        let phrasing = PHRASING_ONLY.contains(&outer.as_str());
        assert!(!(phrasing && BLOCKS.contains(&name)), "<{name}> inside <{outer}>: {open:?}");
        let control = |tag: &str| tag == "a" || tag == "button" || tag == "form";
        assert!(!(control(outer) && outer == name), "<{name}> inside <{outer}>");
        let crossed = matches!((outer.as_str(), name), ("a", "button") | ("button", "a"));
        assert!(!crossed, "control inside control: {open:?}");
    }
    match name {
        "tr" => assert!(parent == "tbody" || parent == "thead", "<tr> inside <{parent}>"),
        "td" | "th" => assert_eq!(parent, "tr", "<{name}> inside <{parent}>"),
        "tbody" | "thead" | "caption" => assert_eq!(parent, "table"),
        "li" => assert!(parent == "ul" || parent == "ol", "<li> inside <{parent}>"),
        "dt" | "dd" => assert!(parent == "dl" || parent == "div", "<{name}> inside <{parent}>"),
        "summary" => assert_eq!(parent, "details"),
        "option" => assert_eq!(parent, "select"),
        _ => match parent {
            "table" | "thead" | "tbody" | "tr" | "ul" | "ol" | "dl" => {
                assert!(parent == "dl" && name == "div", "<{name}> inside <{parent}>");
            }
            _ => {}
        },
    }
}

fn attribute(name: &str, key: &str, value: &str, ids: &mut HashSet<String>, wanted: &mut Vec<String>) {
    match key {
        "id" => assert!(!value.is_empty() && ids.insert(value.to_owned()), "the id {value:?} is there twice"),
        "style" => panic!("inline style on <{name}>"),
        "for" | "popovertarget" => wanted.push(value.to_owned()),
        "aria-labelledby" | "aria-describedby" => wanted.extend(value.split(' ').map(str::to_owned)),
        "href" if value.starts_with('#') => wanted.push(value[1..].to_owned()),
        _ => assert!(!key.starts_with("on"), "inline handler {key} on <{name}>"),
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    fn refused(html: &'static str) -> bool {
        std::panic::catch_unwind(|| check(html)).is_err()
    }

    #[test]
    fn good_pages_pass() {
        check("<!DOCTYPE html><div><!-- <p --><p id=\"a\">x<br>y</p><a href=\"#a\" title=\"a > b\">z</a></div>");
        check("<table><caption>c</caption><thead><tr><th>h</th></tr></thead><tbody><tr><td>x</td></tr></tbody></table>");
    }

    #[test]
    fn what_browsers_repair_is_refused() {
        for html in [
            "<p><div>x</div></p>",
            "<table><tr><td>x</td></tr></table>",
            "<div><span>x</div></span>",
            "<div>",
            "<i id=\"a\"></i><i id=\"a\"></i>",
            "<label for=\"gone\">x</label>",
            "<b style=\"color:red\">x</b>",
            "<b onclick=\"x()\">x</b>",
            "<a href=\"/\"><button>x</button></a>",
            "<ul><p>x</p></ul>",
        ] {
            assert!(refused(html), "{html}");
        }
    }
}
