//! A recorded conversation as it lies in its file: requests that were sent to a real Harbor, and beside each its answer.
//! Unknown keys are refused, so that a recording which says more than the player understands is noticed.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::json::{Json, Ordered};

/// One recorded conversation. It starts from a server without any data.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// The file's name without directory and `.json`.
    pub name: String,
    /// What the file says.
    pub script: Script,
}

/// The content of a conversation's file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// What it is about, in a word or two.
    #[serde(default)]
    pub area: String,
    /// For the reader.
    #[serde(default)]
    pub note: String,
    /// Values that must be given to play it (`Target::vars`).
    #[serde(default)]
    pub needs: Vec<String>,
    /// Name → `login:password`; `admin` is always there.
    #[serde(default)]
    pub users: Ordered<String>,
    /// Named bytes; a later one may speak of an earlier one's digest and size.
    #[serde(default)]
    pub contents: Ordered<Json>,
    /// What is sent, in order.
    pub steps: Vec<Step>,
}

/// One step. Exactly one of `method` + `path`, `push`, `sleep` and `oidc` says what it does.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// Its name within the conversation; steps that only set things up may have none.
    pub id: Option<String>,
    /// Who sends it: a user's name, `anonymous` (default), `bearer:TOKEN`, `basic:USER:PASSWORD` or `session:NAME`.
    #[serde(rename = "as")]
    pub caller: Option<String>,
    /// The request's method.
    pub method: Option<String>,
    /// Path and query, exactly as they are sent after substitution; an absolute URL loses scheme and host.
    pub path: Option<String>,
    /// The request's headers.
    pub headers: Ordered<String>,
    /// The request's body: `"@name"` a content, another string itself, anything else JSON.
    #[serde(deserialize_with = "present")]
    pub body: Option<Json>,
    /// Variable → where its value is: `header:NAME[:PATTERN]` or `body:PATH`.
    pub save: Ordered<String>,
    /// Repeat the request until the answer has one of these values there.
    pub until: Option<Until>,
    /// How long `until` waits, in seconds (60 if absent).
    pub seconds: Option<f64>,
    /// Lists in the body may come in any order.
    pub unordered: bool,
    /// Headers by name, and places in the body, that are not compared.
    pub ignore: Vec<String>,
    /// The body is free. (It was not recorded, so nothing has to be done about it.)
    pub no_body: bool,
    /// The body was compared as bytes. (It was recorded as a digest, so nothing has to be done about it.)
    pub bytes: bool,
    /// Headers that were recorded although usually free. (They are among the answer's headers.)
    pub keep: Vec<String>,
    /// The JWT at this place of the body is compared by its header and claims.
    pub jwt: Option<String>,
    /// The Location is compared as target and parameters.
    pub redirect: bool,
    /// The same request is sent as each of these; only the statuses are compared.
    pub callers: Vec<String>,
    /// Why Berth should answer otherwise: sent, not compared.
    pub differ: Option<String>,
    /// Sets things up: anything but 2xx is a hard difference, nothing else is compared.
    pub silent: bool,
    /// The request goes to the test rig that `Target::vars` names so, not to the server.
    pub at: Option<String>,
    /// For the reader.
    pub note: Option<String>,
    /// Push a content: blobs, then the manifest. Not compared.
    pub push: Option<Push>,
    /// Wait so many seconds.
    pub sleep: Option<f64>,
    /// A sign-in at an OpenID provider.
    pub oidc: Option<Value>,
    /// What Harbor answered.
    pub answer: Option<Answer>,
}

/// When to stop repeating a request.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Until {
    /// Place in the body, parts separated by dots.
    pub path: String,
    /// The values waited for.
    #[serde(rename = "in")]
    pub values: Vec<Value>,
}

/// What a `push` step pushes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Push {
    /// Repository with its project.
    pub repo: String,
    /// Tag; by digest if absent.
    pub tag: Option<String>,
    /// Name of the content that is the manifest; those of the blobs that it lists are found by their digest.
    pub manifest: String,
    /// Who pushes (default `admin`).
    #[serde(rename = "as")]
    pub caller: Option<String>,
}

/// A recorded answer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Headers that clients read.
    pub headers: Ordered<String>,
    /// Headers that must be there, whatever their value.
    pub present: Vec<String>,
    /// The body, if it was JSON.
    #[serde(deserialize_with = "present")]
    pub json: Option<Value>,
    /// The body, if it was a short text.
    pub text: Option<String>,
    /// SHA-256 of the body, in hexadecimal, where only its bytes matter.
    pub sha256: Option<String>,
    /// The body's length in bytes, beside `sha256`.
    pub length: Option<u64>,
    /// Header and claims of the step's `jwt`.
    #[serde(deserialize_with = "present")]
    pub jwt: Option<Value>,
    /// Target and parameters of the step's `redirect`.
    #[serde(deserialize_with = "present")]
    pub redirect: Option<Value>,
    /// Caller → status, for a step with `callers`.
    pub callers: Ordered<u16>,
}

/// A key that is there with `null` is there: only a missing key is `None`.
fn present<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Why a file could not be loaded.
#[derive(Debug)]
pub struct LoadError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.path.display(), self.reason)
    }
}

impl std::error::Error for LoadError {}

impl Conversation {
    /// Reads a conversation's file.
    ///
    /// # Errors
    /// The file cannot be read, is no JSON, or has a key that the format does not know.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let error = |reason: String| LoadError { path: path.to_owned(), reason };
        let text = std::fs::read_to_string(path).map_err(|e| error(e.to_string()))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Self::parse(name, &text).map_err(|e| error(e.to_string()))
    }

    /// Reads a conversation from its text.
    ///
    /// # Errors
    /// The text is no JSON, or has a key that the format does not know.
    pub fn parse(name: impl Into<String>, text: &str) -> Result<Self, serde_json::Error> {
        Ok(Self { name: name.into(), script: serde_json::from_str(text)? })
    }
}

impl Step {
    /// Its id, or its position (from 0) if it has none.
    pub fn label(&self, position: usize) -> String {
        self.id.clone().unwrap_or_else(|| format!("step {position}"))
    }
}
