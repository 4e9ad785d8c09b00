//! The token service: `GET /service/token`, the form that some clients POST first, and the public half of the key.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode, header};
use oci::Scope;
use oci::limits::MAX_SCOPES;
use service::{Actor, Error};

use super::{Door, answer};
use crate::{body_limit, text};

#[derive(Debug, Default)]
struct Question {
    service: String,
    scopes: Option<Vec<Scope>>,
    grant: Option<String>,
    user: String,
    password: String,
}

impl Question {
    /// Repeated and blank-separated scopes are one list; what is not known is ignored.
    fn read(encoded: &[u8]) -> Self {
        let mut question = Self::default();
        for (key, value) in url::form_urlencoded::parse(encoded) {
            match &*key {
                "service" => question.service = value.into_owned(),
                "scope" => {
                    let scopes = question.scopes.get_or_insert_default();
                    scopes.extend(Scope::parse_list(&value));
                    scopes.truncate(MAX_SCOPES);
                }
                "grant_type" => question.grant = Some(value.into_owned()),
                "username" => question.user = value.into_owned(),
                "password" => question.password = value.into_owned(),
                _ => {}
            }
        }
        question
    }
}

pub(super) async fn token(State(door): State<Arc<Door>>, request: Request) -> Response {
    if !request.headers().contains_key(header::COOKIE) {
        return answer_checked(door, request).await;
    }
    match door.check_forgery(&request) {
        Ok(verdict) => verdict.attach(answer_checked(door, request).await),
        Err(refusal) => *refusal,
    }
}

async fn answer_checked(door: Arc<Door>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if let Err(error) = crate::read_only::check(&door.services, &parts.method, parts.uri.path()) {
        return answer::error(&error);
    }
    match parts.method {
        Method::GET => {
            let question = Question::read(parts.uri.query().unwrap_or_default().as_bytes());
            match door.caller(&parts.headers).await {
                Ok((actor, _)) => by_query(&door, &actor, &question).await,
                Err(error) => answer::error(&error),
            }
        }
        Method::POST if text::is_form(&parts.headers) => by_form(&door, Request::from_parts(parts, body)).await,
        _ => (StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed\n").into_response(),
    }
}

/// The public key set: whoever wants to verify a token needs no secret for it.
pub(super) async fn jwks(State(door): State<Arc<Door>>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], door.services.core.tokens.jwks().to_owned()).into_response()
}

async fn by_query(door: &Door, actor: &Actor, question: &Question) -> Response {
    if question.service != service::token::SERVICE {
        // The answer is plain text, but a browser might guess it to be a page.
        let shown = text::escape_html(&question.service.chars().take(256).collect::<String>());
        return (StatusCode::BAD_REQUEST, format!("Unable to handle service: {shown}")).into_response();
    }
    let actor = match actor {
        // A registry token is no credential for another one.
        Actor::Token(_) => &Actor::Anonymous,
        other => other,
    };
    match door.services.token_service.grant(actor, question.scopes.as_deref()).await {
        Ok(issued) => json(&serde_json::json!({
            "token": &*issued.token,
            "access_token": "",
            "expires_in": issued.expires_in,
            "issued_at": rfc3339(issued.issued_at),
        })),
        Err(error) if error.status == 401 => StatusCode::UNAUTHORIZED.into_response(),
        Err(error) => answer::error(&error),
    }
}

/// RFC 6749 §4.3, as containerd and others ask first: the password in the body. No refresh tokens are given.
async fn by_form(door: &Door, request: Request) -> Response {
    let Ok(form) = body_limit::read(request).await else {
        return oauth_error(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request");
    };
    let question = Question::read(&form);
    if question.grant.as_deref() != Some("password") {
        return oauth_error(StatusCode::BAD_REQUEST, "unsupported_grant_type");
    }
    if question.service != service::token::SERVICE {
        return oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
    }
    let actor = match door.services.authn.basic(&question.user, &question.password).await {
        Ok(Some(actor)) => actor,
        Ok(None) => return oauth_error(StatusCode::UNAUTHORIZED, "invalid_grant"),
        Err(error) => return answer::error(&error),
    };
    match grant_form(door, &actor, &question).await {
        Ok(body) => json(&body),
        Err(error) => answer::error(&error),
    }
}

async fn grant_form(door: &Door, actor: &Actor, question: &Question) -> Result<serde_json::Value, Error> {
    let issued = door.services.token_service.grant(actor, question.scopes.as_deref()).await?;
    let scope: Vec<String> = question.scopes.iter().flatten().map(ToString::to_string).collect();
    Ok(serde_json::json!({
        "access_token": &*issued.token,
        "token": &*issued.token,
        "token_type": "Bearer",
        "scope": scope.join(" "),
        "expires_in": issued.expires_in,
        "issued_at": rfc3339(issued.issued_at),
    }))
}

fn json(body: &serde_json::Value) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (headers, body.to_string()).into_response()
}

fn oauth_error(status: StatusCode, code: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], serde_json::json!({"error": code}).to_string()).into_response()
}

fn rfc3339(seconds: i64) -> String {
    chrono::DateTime::from_timestamp(seconds, 0).unwrap_or_default().to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
