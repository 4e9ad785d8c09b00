//! Query parameters: split, decoded once, read by name.
//! Only the route parser uses it.

use super::Page;
use crate::percent::decode_lenient;

/// A raw query. Nothing is decoded or kept until it is asked for, so unknown parameters cost nothing.
#[derive(Clone, Copy)]
pub(super) struct Query<'a>(pub(super) &'a str);

impl<'a> Query<'a> {
    /// All values of a parameter, in order.
    pub(super) fn all(self, name: &'a str) -> impl Iterator<Item = String> + 'a {
        self.0.split('&').filter_map(move |pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode_lenient(key) == name).then(|| decode_lenient(value))
        })
    }

    /// The first value of a parameter.
    pub(super) fn first(self, name: &'a str) -> Option<String> {
        self.all(name).next()
    }

    /// The parameters of a list.
    pub(super) fn page(self) -> Page {
        Page { n: self.first("n"), last: self.first("last") }
    }
}
