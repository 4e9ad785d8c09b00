//! Patterns of selectors as doublestar 1.x reads them: `*` stays between slashes, `**` crosses them, `{a,b}`, `?`, `[a-z]`, `[^a]`, `\` escapes.

use globset::{GlobBuilder, GlobMatcher};

/// A pattern, ready to be asked. One that is empty matches everything.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Option<GlobMatcher>);

impl Pattern {
    /// `None` for a text that is no pattern.
    pub(super) fn new(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(None));
        }
        let glob = GlobBuilder::new(&without_bang(text)).literal_separator(true).empty_alternates(true).backslash_escape(true).build();
        glob.ok().map(|glob| Self(Some(glob.compile_matcher())))
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.0.as_ref().is_none_or(|glob| glob.is_match(text))
    }
}

/// In these patterns only `^` turns a class round; `!` is a letter of it: `[!a]` is `!` or `a`.
fn without_bang(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find(['\\', '[']) {
        let (before, special) = rest.split_at(place);
        out.push_str(before);
        let taken = if special.starts_with('\\') {
            special.char_indices().nth(2).map_or(special.len(), |(end, _)| end)
        } else {
            special.find(']').map_or(special.len(), |end| end + 1)
        };
        let (part, after) = special.split_at(taken);
        match part.strip_prefix("[!") {
            Some("]") => out.push('!'),
            Some(letters) => {
                out.push_str("{!,[");
                out.push_str(letters);
                out.push('}');
            }
            None => out.push_str(part),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_doublestar_does() {
        let cases = [
            ("", "anything/at/all", true),
            ("**", "a", true),
            ("**", "a/b/c", true),
            ("*", "abc", true),
            ("*", "a/b", false),
            ("v*", "v1.0", true),
            ("v*", "rev", false),
            ("team/*", "team/app", true),
            ("team/*", "team/app/x", false),
            ("team/**", "team/app/x", true),
            ("team/**", "team", false),
            ("**/app", "app", true),
            ("**/app", "a/b/app", true),
            ("**/app", "a/b/apple", false),
            ("a/**/z", "a/z", true),
            ("a/**/z", "a/b/c/z", true),
            ("{app,web}", "web", true),
            ("{app,web}", "webs", false),
            ("{app,web/*}", "web/x", true),
            ("v{1,}", "v", true),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[^a-c]x", "dx", true),
            ("[!a]", "!", true),
            ("[!a]", "a", true),
            ("[!a]", "b", false),
            ("{[!a],c}", "a", true),
            ("[!]", "!", true),
            ("1.0", "1x0", false),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("a\\[!b", "a[!b", true),
            ("A", "a", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(Pattern::new(pattern).unwrap().matches(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_none() {
        for text in ["[a", "[!a", "{a", "[", "a\\"] {
            assert!(Pattern::new(text).is_none(), "{text}");
        }
    }
}
