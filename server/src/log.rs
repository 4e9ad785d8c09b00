//! Log lines and request ids: human on a terminal, JSON otherwise, with the id of the request that was being answered.
//! `command` starts logging; anyone may ask for the [`RequestId`] of the request at hand.

use std::{fmt, io::IsTerminal as _};

use chrono::{SecondsFormat, Utc};
use http::HeaderValue;
use serde_json::{Map, Value};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    EnvFilter,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use crate::config::{Log, LogFormat};

/// Longest id that is taken over from a client.
const ID_LIMIT: usize = 128;

tokio::task_local! {
    static AT_HAND: RequestId;
}

/// Names one request, in the answer's `X-Request-Id`, in log lines and in the body of a 5xx. Visible ASCII, at most 128 characters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The client's own id where it is sane, else a new UUID v4.
    #[must_use]
    pub fn from_header(given: Option<&HeaderValue>) -> Self {
        match given {
            Some(id) if (1..=ID_LIMIT).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic) => Self(id.clone()),
            _ => Self::random(),
        }
    }

    /// A new id. The thread's generator is used, because a system call for each request can be seen in the figures.
    #[must_use]
    pub fn random() -> Self {
        let id = uuid::Builder::from_random_bytes(rand::random()).into_uuid();
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        let text = id.hyphenated().encode_lower(&mut text);
        Self(HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("unknown")))
    }

    /// The id of the request that this task is answering; none in spawned tasks.
    #[must_use]
    pub fn at_hand() -> Option<Self> {
        AT_HAND.try_with(Clone::clone).ok()
    }

    /// As the value of a header.
    #[must_use]
    pub fn header(&self) -> &HeaderValue {
        &self.0
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// Runs `work` with this id at hand.
    pub async fn during<F: Future>(self, work: F) -> F::Output {
        AT_HAND.scope(self, work).await
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Starts logging to standard error; a second call changes nothing.
pub fn init(log: &Log) {
    let json = match log.format {
        LogFormat::Json => true,
        LogFormat::Human => false,
        LogFormat::Auto => !std::io::stderr().is_terminal(),
    };
    // PostgreSQL remarks on every schema that is there already.
    let filter = EnvFilter::try_new(format!("sqlx::postgres::notice=warn,{}", log.level)).unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(!json && std::io::stderr().is_terminal())
        .event_format(Lines { json })
        .finish();
    // Refused when a test has already set one.
    let _ = tracing::subscriber::set_global_default(subscriber);
    // A panic ends one request, not the server; its line must carry that request's id like any other.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(target: "panic", place, "{}", panic.payload_as_str().unwrap_or("no message"));
    }));
}

/// One event as one line.
struct Lines {
    json: bool,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let id = RequestId::at_hand();
        let line = if self.json { json_line(event, fields, id) } else { human_line(event, &fields, id, writer.has_ansi_escapes()) };
        writeln!(writer, "{line}")
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    others: Map<String, Value>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            ("message", value) => self.message = value.to_string(),
            (name, value) => {
                self.others.insert(name.to_owned(), value);
            }
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, Value::String(format!("{value:?}")));
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, Value::String(value.to_owned()));
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}

fn json_line(event: &Event<'_>, fields: Fields, id: Option<RequestId>) -> String {
    let mut line = Map::new();
    line.insert("time".to_owned(), Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true).into());
    line.insert("level".to_owned(), event.metadata().level().as_str().to_ascii_lowercase().into());
    line.insert("target".to_owned(), event.metadata().target().into());
    line.insert("message".to_owned(), fields.message.into());
    if let Some(id) = id {
        line.insert("request_id".to_owned(), id.as_str().into());
    }
    for (name, value) in fields.others {
        line.entry(name).or_insert(value);
    }
    Value::Object(line).to_string()
}

fn human_line(event: &Event<'_>, fields: &Fields, id: Option<RequestId>, colour: bool) -> String {
    let level = *event.metadata().level();
    let (on, off) = if colour { (colour_of(level), "\x1b[0m") } else { ("", "") };
    let time = chrono::Local::now().format("%Y-%m-%d %H:%M:%S%.3f");
    let mut line = format!("{time} {on}{:5}{off} {}", level.as_str(), printable(&fields.message));
    for (name, value) in &fields.others {
        let text = value.as_str().map_or_else(|| value.to_string(), printable);
        line.push_str(&format!(" {name}={text}"));
    }
    if let Some(id) = id
        && !fields.others.contains_key("request_id")
    {
        line.push_str(&format!(" request_id={id}"));
    }
    line
}

fn colour_of(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        _ => "\x1b[2m",
    }
}

/// Nothing that a client sends can begin a line of its own or move the cursor.
fn printable(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sane_id_is_kept_and_others_are_replaced() {
        let kept = |text: &'static str| RequestId::from_header(Some(&HeaderValue::from_static(text))).as_str() == text;
        assert!(kept("abc-123"));
        assert!(kept("~!@#$"));
        assert!(!kept(""));
        assert!(!kept("two words"));
        let long = HeaderValue::from_str(&"x".repeat(129)).unwrap();
        let id = RequestId::from_header(Some(&long));
        assert_eq!(uuid::Uuid::parse_str(id.as_str()).unwrap().get_version_num(), 4);
        assert_ne!(RequestId::from_header(None), RequestId::from_header(None));
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(printable("a\nb\u{1b}[2Jc"), "a\\nb\\u{1b}[2Jc");
    }

    #[tokio::test]
    async fn the_id_is_at_hand_only_during_the_request() {
        let id = RequestId::random();
        assert_eq!(id.clone().during(async { RequestId::at_hand() }).await, Some(id));
        assert_eq!(RequestId::at_hand(), None);
    }
}
