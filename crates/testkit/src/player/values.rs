//! What `${…}` stands for: saved values, and digests and sizes of the conversation's contents. Used by the requests that
//! are built and by the answers that are compared.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use regex::{Captures, Regex};
use serde_json::Value;
use sha2::{Digest, Sha256, Sha512};

use super::json::{Json, Ordered};

static REFERENCE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\$\{([^}]+)\}").expect("pattern"));
static WHOLE_NAME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\$\{([^}:]+)\}$").expect("pattern"));
static WHOLE_SIZE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\$\{size:([^}]+)\}$").expect("pattern"));
static UUID: LazyLock<Regex> = LazyLock::new(|| Regex::new(UUID_PATTERN).expect("pattern"));

/// A UUID as servers write it.
pub(super) const UUID_PATTERN: &str = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";

/// Everything that a conversation can refer to by name.
pub(super) struct Values {
    /// `host:port` of the server.
    pub(super) host: String,
    scheme: String,
    /// Given and saved values, in the order in which they came.
    pub(super) vars: Ordered<Value>,
    /// Name → `login:password`, not yet substituted.
    pub(super) users: Ordered<String>,
    /// Name → bytes.
    pub(super) contents: Ordered<Vec<u8>>,
}

impl Values {
    /// The values before the first step.
    pub(super) fn new(scheme: &str, host: &str, admin_password: &str, given: &[(String, String)]) -> Self {
        let mut vars = Ordered::default();
        vars.set("host", Value::from(host));
        vars.set("scheme", Value::from(scheme));
        vars.set("admin_password", Value::from(admin_password));
        for (name, value) in given {
            vars.set(name.clone(), Value::from(value.clone()));
        }
        let mut users = Ordered::default();
        users.set("admin", "admin:${admin_password}".to_owned());
        Self { host: host.to_owned(), scheme: scheme.to_owned(), vars, users, contents: Ordered::default() }
    }

    /// `text` with everything in `${…}` replaced.
    ///
    /// Errors: a name that has no value (yet).
    pub(super) fn fill(&self, text: &str) -> Result<String, String> {
        let mut missing = None;
        let filled = REFERENCE.replace_all(text, |found: &Captures| {
            self.resolve(&found[1]).unwrap_or_else(|reason| {
                missing.get_or_insert(reason);
                String::new()
            })
        });
        match missing {
            Some(reason) => Err(reason),
            None => Ok(filled.into_owned()),
        }
    }

    fn resolve(&self, reference: &str) -> Result<String, String> {
        let (kind, name) = reference.split_once(':').unwrap_or((reference, ""));
        match (kind, name) {
            ("sha256", name) if !name.is_empty() => Ok(format!("sha256:{}", hex(&Sha256::digest(self.content(name)?)))),
            ("sha512", name) if !name.is_empty() => Ok(format!("sha512:{}", hex(&Sha512::digest(self.content(name)?)))),
            ("hex", name) if !name.is_empty() => Ok(hex(&Sha256::digest(self.content(name)?))),
            ("size", name) if !name.is_empty() => Ok(self.content(name)?.len().to_string()),
            ("basic", name) if !name.is_empty() => {
                let user = self.users.get(name).map_or(name, String::as_str);
                Ok(STANDARD.encode(self.fill(user)?))
            }
            (kind, _) => match self.vars.get(kind) {
                Some(Value::String(text)) => Ok(text.clone()),
                Some(value) => Ok(value.to_string()),
                None => Err(format!("variable {kind} has no value yet")),
            },
        }
    }

    /// The bytes of a named content.
    pub(super) fn content(&self, name: &str) -> Result<&[u8], String> {
        self.contents.get(name).map(Vec::as_slice).ok_or_else(|| format!("no content is named {name}"))
    }

    /// The variable that `text` consists of, if it is exactly `${name}` and has a value.
    pub(super) fn whole(&self, text: &str) -> Option<&Value> {
        self.vars.get(WHOLE_NAME.captures(text)?.get(1)?.as_str())
    }

    /// `json` with every string and key filled; a string that is one variable takes the variable's type.
    pub(super) fn fill_json(&self, json: &Json) -> Result<Json, String> {
        Ok(match json {
            Json::Text(text) => match self.whole(text) {
                Some(value) => Json::from(value),
                None if WHOLE_SIZE.is_match(text) => {
                    let size: u64 = self.fill(text)?.parse().map_err(|e| format!("{text}: {e}"))?;
                    Json::Number(size.into())
                }
                None => Json::Text(self.fill(text)?),
            },
            Json::List(items) => Json::List(items.iter().map(|item| self.fill_json(item)).collect::<Result<_, _>>()?),
            Json::Object(pairs) => {
                let mut filled = Ordered::default();
                for (key, value) in pairs {
                    filled.set(self.fill(key)?, self.fill_json(value)?);
                }
                Json::Object(filled.0)
            }
            other => other.clone(),
        })
    }

    /// The bytes of a content or of a JSON body: `{"text"}`, `{"base64"}`, `{"zeros"}` and `{"json"}` alone in an object
    /// say how the bytes are written; everything else is JSON itself.
    pub(super) fn bytes(&self, what: &Json) -> Result<Vec<u8>, String> {
        let mut json = what;
        if let Json::Object(pairs) = what
            && let [(kind, value)] = pairs.as_slice()
        {
            match (kind.as_str(), value) {
                ("text", Json::Text(text)) => return Ok(self.fill(text)?.into_bytes()),
                ("base64", Json::Text(text)) => return STANDARD.decode(text).map_err(|e| format!("base64: {e}")),
                ("zeros", Json::Number(count)) => {
                    let count = count.as_u64().and_then(|count| usize::try_from(count).ok());
                    return count.map(|count| vec![0; count]).ok_or_else(|| "zeros: not a count".to_owned());
                }
                ("json", value) => json = value,
                ("text" | "base64" | "zeros", _) => return Err(format!("{kind}: a value of another type")),
                _ => {}
            }
        }
        Ok(self.fill_json(json)?.compact().into_bytes())
    }

    /// `text` with everything that differs from run to run replaced by its name: the server's address, long saved values,
    /// UUIDs. Recorded texts are written so.
    pub(super) fn anonymous(&self, text: &str) -> String {
        let mut text = text.replace(&self.host, "${host}");
        text = text.replace(&format!("{}://${{host}}", self.scheme), "${scheme}://${host}");
        for (name, value) in &self.vars.0 {
            // Shorter values would be found inside unrelated words.
            if let Value::String(value) = value
                && value.chars().count() > 8
                && name != "host"
                && name != "admin_password"
            {
                text = text.replace(value, &format!("${{{name}}}"));
            }
        }
        UUID.replace_all(&text, "<uuid>").into_owned()
    }
}

/// Lowercase hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The value at `path` (parts separated by dots; a number is a position in a list), `None` if it is not there or null.
pub(super) fn find<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    let mut value = value;
    for part in path.split('.') {
        value = match value {
            Value::Array(items) => items.get(part.parse::<usize>().ok()?)?,
            Value::Object(map) => map.get(part)?,
            _ => return None,
        };
    }
    (!value.is_null()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        let mut values = Values::new("http", "127.0.0.1:81", "Secret123", &[]);
        values.vars.set("project_id", Value::from(7));
        values.vars.set("name", Value::from("north"));
        values.vars.set("long_secret", Value::from("abcdefghijkl"));
        values.users.set("dana", "dana:pw".to_owned());
        values.contents.set("empty", b"{}".to_vec());
        values
    }

    #[test]
    fn references_are_filled() {
        let cases = [
            ("/p/${project_id}/${name}", Ok("/p/7/north")),
            ("${sha256:empty}", Ok("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")),
            ("${hex:empty}", Ok("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")),
            ("${size:empty}", Ok("2")),
            ("${basic:dana}", Ok("ZGFuYTpwdw==")),
            ("${basic:x:y}", Ok("eDp5")),
            ("${basic:admin}", Ok("YWRtaW46U2VjcmV0MTIz")),
            ("${scheme}://${host}", Ok("http://127.0.0.1:81")),
            ("${other}", Err("variable other has no value yet")),
            ("${size:other}", Err("no content is named other")),
            ("robot$north+ci {x}", Ok("robot$north+ci {x}")),
        ];
        for (text, expected) in cases {
            assert_eq!(values().fill(text).as_deref().map_err(String::as_str), expected, "{text}");
        }
        assert!(values().fill("${sha512:empty}").expect("sha512").starts_with("sha512:27c74670adb75075fad058d5ceaf7b20"));
    }

    #[test]
    fn bytes_are_written_as_said() {
        let cases: [(&str, &[u8]); 8] = [
            (r#"{"text": "a ${name}"}"#, b"a north"),
            (r#"{"base64": "AAEC"}"#, &[0, 1, 2]),
            (r#"{"zeros": 3}"#, &[0; 3]),
            (r#"{"json": {"text": "x"}}"#, br#"{"text":"x"}"#),
            (r#"{"text": "x", "a": 1}"#, br#"{"text":"x","a":1}"#),
            (r#"{"z": "${project_id}", "a": "n${project_id}", "s": "${size:empty}"}"#, br#"{"z":7,"a":"n7","s":2}"#),
            (r#"{"${name}": ["${name}"]}"#, br#"{"north":["north"]}"#),
            (r#"[1, {"b": null}]"#, br#"[1,{"b":null}]"#),
        ];
        for (text, expected) in cases {
            let json: Json = serde_json::from_str(text).expect(text);
            assert_eq!(values().bytes(&json).expect(text), expected, "{text}");
        }
        let wrong: Json = serde_json::from_str(r#"{"zeros": "many"}"#).expect("json");
        assert!(values().bytes(&wrong).is_err());
    }

    #[test]
    fn what_changes_from_run_to_run_gets_its_name() {
        let text = "see http://127.0.0.1:81/x, abcdefghijkl of north, 0f0e0d0c-0b0a-0908-0706-050403020100";
        assert_eq!(values().anonymous(text), "see ${scheme}://${host}/x, ${long_secret} of north, <uuid>");
    }

    #[test]
    fn places_are_found() {
        let value = serde_json::json!([{"id": 3, "none": null, "deep": {"list": ["a"]}}]);
        assert_eq!(find(&value, "0.id"), Some(&Value::from(3)));
        assert_eq!(find(&value, "0.deep.list.0"), Some(&Value::from("a")));
        for absent in ["1.id", "0.none", "0.id.x", "x", "0.deep.list.b"] {
            assert_eq!(find(&value, absent), None, "{absent}");
        }
    }
}
