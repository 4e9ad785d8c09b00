//! What the server answered to a [`crate::client`], with the checks that tests make of it.

use std::collections::HashMap;
use std::fmt;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

/// A bearer challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Address of the token service.
    pub realm: String,
    /// What to tell it.
    pub service: String,
    /// What is needed.
    pub scope: Option<String>,
    /// What was wrong with the token presented.
    pub error: Option<String>,
}

impl Challenge {
    /// Reads `Bearer realm="…",service="…"…`; `None` for anything else.
    pub fn read(value: &str) -> Option<Self> {
        let mut found = HashMap::new();
        for pair in value.strip_prefix("Bearer ")?.split("\",") {
            let (key, value) = pair.split_once("=\"")?;
            found.insert(key.trim().to_owned(), value.trim_end_matches('"').to_owned());
        }
        Some(Self {
            realm: found.remove("realm")?,
            service: found.remove("service")?,
            scope: found.remove("scope"),
            error: found.remove("error"),
        })
    }
}

/// What a server answered.
#[derive(Clone)]
pub struct Reply {
    /// `http://host:port` of the server that was asked.
    pub(crate) base: String,
    /// Method and address of the request, for messages.
    pub(crate) told: String,
    /// The status.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The body, as it came.
    pub body: Bytes,
}

impl Reply {
    /// Goes on only with this status.
    ///
    /// # Panics
    /// It is another one.
    #[track_caller]
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// Goes on only with this status and, as the first error's, this code.
    ///
    /// # Panics
    /// It is another one.
    #[track_caller]
    pub fn expect_error(self, status: u16, code: &str) {
        assert_eq!((self.status, self.code().as_str()), (status, code), "{self:?}");
    }

    /// The first header of this name.
    pub fn find(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a header of plain characters"))
    }

    /// The header of this name.
    ///
    /// # Panics
    /// There is none.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        self.find(name).unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    /// Content-Length.
    ///
    /// # Panics
    /// There is none.
    #[track_caller]
    pub fn length(&self) -> usize {
        self.header("content-length").parse().expect("a length")
    }

    /// Path and query of `Location`; it must lead to the server that was asked.
    ///
    /// # Panics
    /// It leads elsewhere.
    #[track_caller]
    pub fn location(&self) -> String {
        let location = self.header("location");
        if location.starts_with('/') && !location.starts_with("//") {
            return location.to_owned();
        }
        let base = &self.base;
        let path = location.strip_prefix(base).filter(|path| path.starts_with('/'));
        path.unwrap_or_else(|| panic!("{location} is not on {base}: {self:?}")).to_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// It is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of the first error; empty if the body names none.
    pub fn code(&self) -> String {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        body["errors"][0]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The challenge of a 401.
    ///
    /// # Panics
    /// There is no bearer challenge.
    #[track_caller]
    pub fn challenge(&self) -> Challenge {
        Challenge::read(self.header("www-authenticate")).unwrap_or_else(|| panic!("no bearer challenge in {self:?}"))
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} -> {}", self.told, self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "  {name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
        }
        let text: String = String::from_utf8_lossy(&self.body).chars().take(1000).collect();
        f.write_str(&text)
    }
}
