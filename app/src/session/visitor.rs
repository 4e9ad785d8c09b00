//! Who looks at a page, as far as the page shows it. The server provides it with every request; nothing is decided by it.

use serde::{Deserialize, Serialize};

use crate::shell::Theme;

/// Who is looking, and at what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visitor {
    /// The person, if signed in.
    pub account: Option<Account>,
    /// The registry's name in image references: host, and port unless it is the usual one.
    pub registry: String,
    /// Whether clients reach the registry over plain http: most must be told before they do that.
    #[serde(default)]
    pub plain_http: bool,
    /// The server's version, for those who may know it.
    pub version: Option<String>,
    /// The visitor's colours; taken from the request's cookie, whatever the server provided here.
    #[serde(default)]
    pub theme: Theme,
}

/// What the sign-in form begins with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInView {
    /// The name that was typed before the password turned out wrong; else empty.
    pub name: String,
}

/// A signed-in person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The name they sign in with.
    pub name: String,
    /// Their name for people; may be empty.
    pub full_name: String,
    /// Their address, if there is one.
    pub email: Option<String>,
    /// Whether they administer the system.
    pub administrator: bool,
}

impl Account {
    /// The full name, or the account's.
    pub fn shown_name(&self) -> &str {
        if self.full_name.trim().is_empty() { &self.name } else { &self.full_name }
    }
}
