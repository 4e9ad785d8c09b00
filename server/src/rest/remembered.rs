//! Reads whose answers are remembered, see [`service::answers`]. The gate asks here before it lets a request through to its handler, and shows here
//! what the handler answered.
//!
//! Only operations that are named here are remembered: what they answer depends on what is stored, on the caller and on what the request asks, and on
//! nothing else - not on the time, a setting, or another server.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use http_body::Body as _;
use service::answers::{Answers, Asker, Moment};
use service::{Actor, Services};
use tokio::sync::{Mutex, MutexGuard};

use super::extract::{Recognised, is_resource_name, recognise};
use super::{BASE, RestError};
use crate::credentials::{SESSION_COOKIE, cookie};

/// Bytes of answers that are remembered.
const ROOM: u64 = 64 << 20;
/// A longer answer is not: it would push out too many others.
const LONGEST: u64 = 256 << 10;

/// Readers that may read at once, at most; few questions share a turn.
const TURNS: usize = 1024;
/// Nobody waits longer for a turn: what takes long, fails, or is too large to be kept is read side by side.
const PATIENCE: Duration = Duration::from_millis(50);

/// The operations, by the segments of their paths below [`BASE`]; `*` is any.
const OPERATIONS: &[&[&str]] = &[
    &["projects"],
    &["projects", "*"],
    &["projects", "*", "summary"],
    &["projects", "*", "members"],
    &["projects", "*", "artifacts"],
    &["projects", "*", "repositories"],
    &["projects", "*", "repositories", "*"],
    &["projects", "*", "repositories", "*", "artifacts"],
    &["projects", "*", "repositories", "*", "artifacts", "*"],
    &["projects", "*", "repositories", "*", "artifacts", "*", "tags"],
    &["projects", "*", "repositories", "*", "artifacts", "*", "accessories"],
    &["projects", "*", "auditlog-exts"],
    &["projects", "*", "logs"],
    &["repositories"],
    &["users"],
    &["users", "search"],
    &["quotas"],
    &["audit-logs"],
    &["auditlog-exts"],
    &["labels"],
    &["search"],
    &["statistics"],
    &["usergroups"],
];

/// An answer as it was given.
#[derive(Clone, Debug)]
struct Given {
    headers: Box<[(HeaderName, HeaderValue)]>,
    body: Bytes,
}

/// A read that may be answered out of memory: when and by whom it was asked, and what.
#[derive(Debug)]
pub(super) struct Question<'a> {
    moment: Moment,
    asker: Asker,
    text: String,
    /// Held until the answer is kept.
    _turn: MutexGuard<'a, ()>,
}

/// What is known about a request before its handler.
pub(super) enum Found<'a> {
    /// Its answer.
    Answer(Response),
    /// That its answer may be kept: to be given to [`Remembered::keep`] with it.
    Question(Question<'a>),
    /// Nothing.
    Nothing,
}

/// The answers of this door.
#[derive(Debug)]
pub(super) struct Remembered {
    answers: Answers<Given>,
    /// Of several who ask the same at once one reads, the others wait and take its answer. A collision costs a wait, never a wrong answer.
    turns: Box<[Mutex<()>]>,
    hasher: RandomState,
}

impl Remembered {
    pub(super) fn new(services: &Services) -> Self {
        Self {
            answers: Answers::new(services.core.replicas.clone(), ROOM),
            turns: (0..TURNS).map(|_| Mutex::new(())).collect(),
            hasher: RandomState::new(),
        }
    }

    /// Looks for the answer to a request. The caller, whom it recognises for that, is left for the handler.
    ///
    /// # Errors
    /// The database, or too many sign-ins at once.
    pub(super) async fn find(&self, services: &Services, request: &mut Request) -> Result<Found<'_>, RestError> {
        if *request.method() != Method::GET || !is_remembered(request.uri().path()) {
            return Ok(Found::Nothing);
        }
        let text = question(request);
        let (_, asker, given) = self.look(services, request, &text).await?;
        let (None, Some(asker)) = (given.as_ref(), asker) else {
            return Ok(given.map_or(Found::Nothing, |given| Found::Answer(given.into_response())));
        };
        let turn = usize::try_from(self.hasher.hash_one((asker, &text))).unwrap_or(usize::MAX) % TURNS;
        let Ok(turn) = tokio::time::timeout(PATIENCE, self.turns[turn].lock()).await else { return Ok(Found::Nothing) };
        // Something may have happened while others had their turn: everything is looked at anew.
        match self.look(services, request, &text).await? {
            (_, _, Some(given)) => Ok(Found::Answer(given.into_response())),
            (moment, Some(asker), None) => Ok(Found::Question(Question { moment, asker, text, _turn: turn })),
            (_, None, None) => Ok(Found::Nothing),
        }
    }

    /// When this is, who asks, and the answer if it is known.
    async fn look(
        &self,
        services: &Services,
        request: &mut Request,
        text: &str,
    ) -> Result<(Moment, Option<Asker>, Option<Given>), RestError> {
        let moment = self.answers.now();
        let actor = recognise(services, request.headers()).await?;
        // Credentials that failed cost a wait, which nobody is to have while he holds a turn.
        let asker = if has_failed(request.headers(), &actor) { None } else { Asker::of(&actor) };
        request.extensions_mut().insert(Recognised(actor));
        let given = asker.and_then(|asker| self.answers.get(moment, asker, text));
        Ok((moment, asker, given))
    }

    /// Keeps the answer to a question, if it is one to be kept.
    pub(super) async fn keep(&self, question: Question<'_>, response: Response) -> Response {
        let length = response.body().size_hint().exact().filter(|length| *length <= LONGEST);
        let (Some(_), StatusCode::OK) = (length, response.status()) else { return response };
        let (parts, body) = response.into_parts();
        // Handlers of these operations answer with bytes that are there: reading them neither waits nor fails.
        let Ok(body) = to_bytes(body, LONGEST as usize).await else {
            return RestError::from(service::Error::internal("an answer broke off")).into_response();
        };
        if !parts.headers.contains_key(header::SET_COOKIE) {
            // Without the room that its writer left behind it.
            let kept = Bytes::copy_from_slice(&body);
            let headers: Box<[_]> = parts.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
            let bytes = body.len() + headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 64).sum::<usize>();
            self.answers.put(question.moment, question.asker, &question.text, Given { headers, body: kept }, bytes);
        }
        Response::from_parts(parts, Body::from(body))
    }
}

impl Given {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        let headers: &mut HeaderMap = response.headers_mut();
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        response
    }
}

/// Whether there may be credentials that were not right: those of nobody, or those beside which only the session counted.
fn has_failed(headers: &HeaderMap, actor: &Actor) -> bool {
    headers.contains_key(header::AUTHORIZATION) && (matches!(actor, Actor::Anonymous) || cookie(headers, SESSION_COOKIE).is_some())
}

/// All of a request that its answer depends on, but for the caller.
fn question(request: &Request) -> String {
    let uri = request.uri();
    let mut text = String::with_capacity(uri.path().len() + uri.query().map_or(0, str::len) + 2);
    text.push_str(uri.path());
    text.push('?');
    text.push_str(uri.query().unwrap_or_default());
    if is_resource_name(request.headers()) {
        // No address has a space.
        text.push_str(" by name");
    }
    text
}

fn is_remembered(path: &str) -> bool {
    let Some(path) = path.strip_prefix(BASE).and_then(|path| path.strip_prefix('/')) else { return false };
    OPERATIONS.iter().any(|operation| {
        let mut segments = path.split('/');
        let fits = operation
            .iter()
            .all(|wanted| segments.next().is_some_and(|segment| if *wanted == "*" { !segment.is_empty() } else { *wanted == segment }));
        fits && segments.next().is_none()
    })
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn only_what_is_named_is_remembered() {
        for path in [
            "/api/v2.0/projects",
            "/api/v2.0/projects/p",
            "/api/v2.0/users/search",
            "/api/v2.0/projects/p/repositories/a%252Fb/artifacts/v1/tags",
        ] {
            assert!(is_remembered(path), "{path}");
        }
        for path in [
            "/api/v2.0/users/current",
            "/api/v2.0/users/3",
            "/api/v2.0/systeminfo",
            "/api/v2.0/projects/",
            "/api/v2.0/",
            "/v2/projects",
            "/c/projects",
        ] {
            assert!(!is_remembered(path), "{path}");
        }
    }

    #[test]
    fn nobody_waits_for_credentials_that_failed() {
        let of = |headers: &[(HeaderName, &'static str)]| {
            let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
            has_failed(&headers.collect(), &Actor::Anonymous)
        };
        let (basic, session) = ((header::AUTHORIZATION, "Basic ZGFuYTp4"), (header::COOKIE, "sid=abc"));
        assert!(of(std::slice::from_ref(&basic)) && of(&[basic, session.clone()]));
        assert!(!of(&[]) && !of(&[session]));
    }

    #[test]
    fn what_an_answer_depends_on_is_in_the_question() {
        let of = |uri: &str, by_name: bool| {
            let mut request = Request::builder().uri(uri);
            if by_name {
                request = request.header("x-is-resource-name", "true");
            }
            question(&request.body(Body::empty()).unwrap())
        };
        let all = [of("/a", false), of("/a?b", false), of("/a?b=1", false), of("/a", true), of("/b", false)];
        assert!(all.iter().enumerate().all(|(at, text)| !all[..at].contains(text)), "{all:?}");
    }
}
