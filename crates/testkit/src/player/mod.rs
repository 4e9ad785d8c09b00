//! Plays conversations recorded from a real Harbor against a running server and says where its answers differ. Tests may
//! call it; it knows nothing of the server but its address.
//!
//! Differences are of four kinds ([`Kind`]). Hard ones are what a client depends on: status, header, field, type, value.

mod conversation;
mod deliberate;
mod exchange;
mod fresh;
mod json;
mod jwt;
mod matching;
mod needs;
#[cfg(test)]
mod recorded_server;
#[cfg(test)]
mod tests;
mod values;
mod verdict;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

pub use crate::server::{ADMIN_PASSWORD, Engine, StartError};
pub use conversation::{Answer, Conversation, LoadError, Push, Script, Step, Until};
pub use deliberate::{Deliberate, Entry};
pub use fresh::FreshServer;
pub use json::{Json, Ordered};
pub use needs::{Need, Needs, fits};

use exchange::{Client, Order, Payload, Reply};
use values::Values;

/// The server to play against.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// `http://host:port`
    pub base_url: String,
    /// The password of `admin`.
    pub admin_password: String,
    /// Values that conversations need (`Script::needs`), by name.
    pub vars: Vec<(String, String)>,
}

/// How grave a difference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Status, header, field, type or value: what a client depends on.
    Hard,
    /// Another wording for people: `errors[].message`, `errors[].detail`, a body of plain text.
    Message,
    /// Absent where Harbor sends null, empty or zero; a refusal where Harbor stumbles.
    Soft,
    /// A field that Harbor does not send.
    Extra,
}

/// One difference between an answer and the recorded one.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The step's id, or `step N` (from 0).
    pub step: String,
    /// How grave it is.
    pub kind: Kind,
    /// Where: `status`, `header NAME`, `body.key[0].key`, `jwt…`, `redirect…`; `exchange` if there was no answer to compare.
    pub place: String,
    /// What was recorded.
    pub expected: String,
    /// What came.
    pub actual: String,
}

/// Something that was not played.
#[derive(Clone, Debug, PartialEq)]
pub struct Skipped {
    /// The step's id, or `step N`; `None`: the whole conversation.
    pub step: Option<String>,
    /// Why.
    pub reason: String,
}

/// How a step was answered, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Got {
    /// The status.
    pub status: u16,
    /// The first error's code, where the body is an envelope of errors.
    pub code: Option<String>,
}

/// What came of playing a conversation.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The conversation's name.
    pub conversation: String,
    /// All differences, in the order of the steps.
    pub differences: Vec<Difference>,
    /// The answers to the steps that have one answer to compare, by the step's id or `step N`.
    pub answers: BTreeMap<String, Got>,
    /// Steps that were played, those that only set things up included.
    pub steps_played: usize,
    /// Steps whose answer was compared.
    pub steps_compared: usize,
    /// What was left out.
    pub skipped: Vec<Skipped>,
}

/// Why a conversation could not be played at all.
#[derive(Debug)]
pub struct PlayError(String);

impl fmt::Display for PlayError {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for PlayError {}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let short = |text: &str| text.chars().take(600).collect::<String>();
        writeln!(formatter, "{:7} {}: {}", self.kind.name(), self.step, self.place)?;
        write!(formatter, "          want {}\n          got  {}", short(&self.expected), short(&self.actual))
    }
}

impl Kind {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hard => "hard",
            Self::Message => "message",
            Self::Soft => "soft",
            Self::Extra => "extra",
        }
    }
}

impl Report {
    /// The differences of one kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Difference> {
        self.differences.iter().filter(move |difference| difference.kind == kind)
    }

    /// Whether no hard difference is left.
    pub fn passed(&self) -> bool {
        self.of_kind(Kind::Hard).next().is_none()
    }
}

/// A difference before it is known in which step.
#[derive(Debug, PartialEq)]
struct Finding {
    kind: Kind,
    place: String,
    expected: String,
    actual: String,
}

impl Finding {
    fn new(kind: Kind, place: &str, expected: impl Into<String>, actual: impl Into<String>) -> Self {
        Self { kind, place: place.to_owned(), expected: expected.into(), actual: actual.into() }
    }

    fn hard(place: &str, want: &Value, got: &Value) -> Self {
        Self::new(Kind::Hard, place, want.to_string(), got.to_string())
    }
}

/// What one step came to.
enum Outcome {
    /// It only set things up.
    SetUp,
    /// Its answer was compared, and is this in short where there is only one.
    Compared(Vec<Finding>, Option<Got>),
    /// It was left out.
    Skipped(String),
}

/// Plays a conversation, step after step; a step that fails does not keep later ones from being tried. A conversation that
/// needs values which `target` does not give is skipped as a whole.
///
/// # Errors
/// The target's address is no `http://` URL, or the conversation's contents cannot be built.
pub async fn play(conversation: &Conversation, target: &Target) -> Result<Report, PlayError> {
    let mut report = Report { conversation: conversation.name.clone(), ..Report::default() };
    let given = |name: &&String| !target.vars.iter().any(|(var, _)| var == *name);
    let lacking: Vec<_> = conversation.script.needs.iter().filter(given).map(String::as_str).collect();
    if !lacking.is_empty() {
        report.skipped.push(Skipped { step: None, reason: format!("needs values for {}", lacking.join(", ")) });
        return Ok(report);
    }
    let mut player = Player::new(conversation, target).map_err(PlayError)?;
    for (position, step) in conversation.script.steps.iter().enumerate() {
        let label = step.label(position);
        let outcome = player
            .step(step)
            .await
            .unwrap_or_else(|reason| Outcome::Compared(vec![Finding::new(Kind::Hard, "exchange", "an answer", reason)], None));
        match outcome {
            Outcome::Skipped(reason) => {
                report.skipped.push(Skipped { step: Some(label), reason });
                continue;
            }
            Outcome::SetUp => {}
            Outcome::Compared(..) if step.differ.is_some() => {}
            Outcome::Compared(findings, got) => {
                report.answers.extend(got.map(|got| (label.clone(), got)));
                report.steps_compared += 1;
                report.differences.extend(findings.into_iter().map(|finding| Difference {
                    step: label.clone(),
                    kind: finding.kind,
                    place: finding.place,
                    expected: finding.expected,
                    actual: finding.actual,
                }));
            }
        }
        report.steps_played += 1;
    }
    Ok(report)
}

/// One conversation while it is played.
struct Player {
    values: Values,
    client: Client,
}

impl Player {
    fn new(conversation: &Conversation, target: &Target) -> Result<Self, String> {
        let Some(("http", _)) = target.base_url.split_once("://") else {
            return Err(format!("{:?} is no http:// URL", target.base_url));
        };
        let (host, _) = exchange::split_url(&target.base_url)?;
        let mut values = Values::new("http", host, &target.admin_password, &target.vars);
        for (name, login) in &conversation.script.users.0 {
            values.users.set(name.clone(), login.clone());
        }
        // In order: a content may speak of those before it.
        for (name, what) in &conversation.script.contents.0 {
            let bytes = values.bytes(what).map_err(|reason| format!("{}: content {name}: {reason}", conversation.name))?;
            values.contents.set(name.clone(), bytes);
        }
        Ok(Self { values, client: Client::new() })
    }

    async fn step(&mut self, step: &Step) -> Result<Outcome, String> {
        if let Some(seconds) = step.sleep {
            tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
            return Ok(Outcome::SetUp);
        }
        if let Some(push) = &step.push {
            self.push(push).await?;
            return Ok(Outcome::SetUp);
        }
        if step.oidc.is_some() {
            return Ok(Outcome::Skipped("signing in at an OpenID provider is not played".to_owned()));
        }
        if !step.callers.is_empty() {
            return self.callers(step).await.map(|findings| Outcome::Compared(findings, None));
        }
        let reply = self.send_until(step).await?;
        let trouble = save(&mut self.values, step, &reply).err();
        if step.silent {
            if reply.status < 300 && trouble.is_none() {
                return Ok(Outcome::SetUp);
            }
            let name = |text: &Option<String>| text.clone().unwrap_or_default();
            let asked = format!("{} {}", name(&step.method), name(&step.path));
            let trouble = trouble.unwrap_or_default();
            return Err(format!("set-up {asked} -> {} {} {trouble}", reply.status, reply.beginning()));
        }
        let want = step.answer.as_ref().ok_or("the step has no recorded answer")?;
        let mut findings = verdict::judge(step, want, &reply, &self.values);
        if let Some(trouble) = trouble.filter(|_| findings.is_empty()) {
            findings.push(Finding::new(Kind::Hard, "save", "a value", trouble));
        }
        let code = reply.json.as_ref().and_then(|json| json["errors"][0]["code"].as_str()).map(str::to_owned);
        Ok(Outcome::Compared(findings, Some(Got { status: reply.status, code })))
    }

    /// Sends a step's request, again and again where it waits for a value; the last answer counts.
    async fn send_until(&mut self, step: &Step) -> Result<Reply, String> {
        let order = Order::of(step, step.caller.as_deref().unwrap_or("anonymous"))?;
        let deadline = Instant::now() + Duration::from_secs_f64(step.seconds.unwrap_or(60.0));
        loop {
            let reply = self.client.send(&order, &self.values).await?;
            let Some(until) = &step.until else { return Ok(reply) };
            let found = reply.json.as_ref().and_then(|json| values::find(json, &until.path)).cloned();
            if until.values.contains(&found.unwrap_or(Value::Null)) || Instant::now() > deadline {
                return Ok(reply);
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn callers(&mut self, step: &Step) -> Result<Vec<Finding>, String> {
        let want = step.answer.as_ref().ok_or("the step has no recorded answer")?;
        let mut statuses = Ordered::default();
        for caller in &step.callers {
            let reply = self.client.send(&Order::of(step, caller)?, &self.values).await?;
            statuses.set(caller.clone(), reply.status);
        }
        let different = want.callers.0.iter().filter_map(|(caller, status)| {
            let got = statuses.get(caller);
            let actual = got.map_or_else(|| "(not sent)".to_owned(), u16::to_string);
            (got != Some(status)).then(|| Finding::new(Kind::Hard, &format!("status as {caller}"), status.to_string(), actual))
        });
        Ok(different.collect())
    }

    /// Pushes an image: a token, each blob that the manifest lists and the conversation has, then the manifest.
    async fn push(&mut self, push: &Push) -> Result<(), String> {
        let repository = self.values.fill(&push.repo)?;
        let manifest = self.values.content(&push.manifest)?.to_vec();
        let parsed: Value = serde_json::from_slice(&manifest).map_err(|e| format!("{}: {e}", push.manifest))?;
        let caller = push.caller.as_deref().unwrap_or("admin");
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("service", "harbor-registry")
            .append_pair("scope", &format!("repository:{repository}:pull,push"))
            .finish();
        let path = format!("/service/token?{query}");
        let reply = self.must(200, Order { caller, method: "GET", path: &path, ..Order::default() }).await?;
        let token = reply.json.as_ref().and_then(|json| json["token"].as_str()).ok_or("push: no token in the answer")?;
        let bearer = format!("bearer:{token}");

        for (digest, bytes) in self.blobs_of(&parsed) {
            let path = format!("/v2/{repository}/blobs/uploads/");
            let started = self.must(202, Order { caller: &bearer, method: "POST", path: &path, ..Order::default() }).await?;
            let place = started.header("Location").ok_or("push: no Location of the upload")?;
            let path = format!("{place}{}digest={digest}", if place.contains('?') { '&' } else { '?' });
            let headers = [("Content-Type".to_owned(), "application/octet-stream".to_owned())];
            let body = Payload::Bytes(&bytes);
            self.must(201, Order { caller: &bearer, method: "PUT", path: &path, headers: &headers, body, at: None }).await?;
        }

        let reference = match &push.tag {
            Some(tag) => self.values.fill(tag)?,
            None => self.values.fill(&format!("${{sha256:{}}}", push.manifest))?,
        };
        let path = format!("/v2/{repository}/manifests/{reference}");
        let media_type = parsed["mediaType"].as_str().ok_or("push: the manifest has no mediaType")?;
        let headers = [("Content-Type".to_owned(), media_type.to_owned())];
        let body = Payload::Bytes(&manifest);
        self.must(201, Order { caller: &bearer, method: "PUT", path: &path, headers: &headers, body, at: None }).await?;
        Ok(())
    }

    /// Digest and bytes of every content that a manifest names as its config or one of its layers.
    fn blobs_of(&self, manifest: &Value) -> Vec<(String, Vec<u8>)> {
        let layers = manifest["layers"].as_array().cloned().unwrap_or_default();
        let wanted: Vec<_> = std::iter::once(manifest["config"].clone()).chain(layers).map(|d| d["digest"].clone()).collect();
        let contents = self.values.contents.0.iter();
        contents
            .filter_map(|(name, bytes)| {
                let digest = self.values.fill(&format!("${{sha256:{name}}}")).ok()?;
                wanted.contains(&json!(digest)).then(|| (digest, bytes.clone()))
            })
            .collect()
    }

    async fn must(&mut self, status: u16, order: Order<'_>) -> Result<Reply, String> {
        let reply = self.client.send(&order, &self.values).await?;
        if reply.status == status {
            return Ok(reply);
        }
        Err(format!("push: {} {} -> {} {}", order.method, order.path, reply.status, reply.beginning()))
    }
}

/// Saves what a step wants saved from its answer. A value that is not there is an error, and the name then stands for
/// something that no server knows.
fn save(values: &mut Values, step: &Step, reply: &Reply) -> Result<(), String> {
    for (name, source) in &step.save.0 {
        let (kind, place) = source.split_once(':').unwrap_or((source, ""));
        let found = if kind == "header" {
            let (header, pattern) = place.split_once(':').unwrap_or((place, "(.*)"));
            let pattern = regex::Regex::new(pattern).map_err(|e| format!("{name}: {e}"))?;
            let text = reply.header(header).unwrap_or_default();
            pattern.captures(&text).and_then(|found| found.get(1)).map(|found| Value::from(found.as_str()))
        } else {
            reply.json.as_ref().and_then(|json| values::find(json, place)).cloned()
        };
        let Some(value) = found else {
            values.vars.set(name.clone(), Value::from(format!("NO-{name}")));
            return Err(format!("could not save {name} from {source}"));
        };
        // An id is a number in bodies, also where it was read from a header.
        let number = value.as_str().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit())).and_then(|text| text.parse::<i64>().ok());
        values.vars.set(name.clone(), number.map_or(value, Value::from));
    }
    Ok(())
}
