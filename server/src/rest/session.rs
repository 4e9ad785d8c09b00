//! Signing in and out: Harbor's endpoints under `/c`, and the plain forms of the portal, which work without a script.

use app::session::TYPED_NAME;
use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequest, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use model::{Secret, percent};
use service::Services;
use service::user::UniqueField;
use url::form_urlencoded;

use super::error::Answer;
use super::extract::{Caller, QueryParams};
use super::{Rest, RestError};
use crate::credentials::{SESSION_COOKIE, cookie};
use crate::security::{ClientFacts, Origins};
use crate::{body_limit, text};

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/c/login", post(login))
        .route("/c/log_out", get(log_out))
        .route("/c/userExists", post(user_exists))
        .route("/c/oidc/login", get(by_provider))
        .route("/c/oidc/callback", get(by_provider))
        .route("/c/oidc/logout", get(by_provider))
        .route("/c/oidc/onboard", post(by_provider))
        .route("/c/authproxy/redirect", get(by_proxy))
}

/// The portal's forms. They do not pass the gate: a form without a script has no header for a token, so where it was sent from decides.
pub(super) fn form_routes() -> Router<Rest> {
    Router::new().route("/account/sign-in", post(sign_in)).route("/account/sign-out", post(sign_out))
}

/// Fields of a form's body, else of the query. A null character in the body is a 400, as in an address.
struct Form(QueryParams, QueryParams);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = RestError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, RestError> {
        let query = QueryParams::parse(request.uri().query().unwrap_or_default());
        let is_form = text::is_form(request.headers());
        let body = body_limit::read(request).await?;
        let body = if is_form { QueryParams::parse(&String::from_utf8_lossy(&body)) } else { QueryParams::default() };
        if body.has_null() {
            return Err(service::Error::null_character("the body").into());
        }
        Ok(Self(body, query))
    }
}

impl Form {
    fn get(&self, name: &str) -> &str {
        self.0.get(name).or_else(|| self.1.get(name)).unwrap_or_default()
    }

    fn secret(&self, name: &str) -> Secret {
        Secret::new(self.get(name))
    }
}

/// 200 with a new session, or 401; both without a body.
async fn login(State(services): State<Services>, client: ClientFacts, headers: HeaderMap, form: Form) -> Answer {
    let previous = cookie(&headers, SESSION_COOKIE);
    let signed_in = services.sessions.sign_in(form.get("principal"), form.secret("password").expose(), previous).await?;
    Ok(match signed_in {
        Some(session) => with_session(StatusCode::OK.into_response(), &session, &client),
        None => with_any_session(StatusCode::UNAUTHORIZED.into_response(), &services, &headers, &client),
    })
}

/// 200, and the session is over; a fresh cookie takes its place, so that the next form has one.
async fn log_out(State(services): State<Services>, client: ClientFacts, headers: HeaderMap) -> Answer {
    if let Some(session) = cookie(&headers, SESSION_COOKIE) {
        services.sessions.sign_out(session).await?;
    }
    Ok(with_session(StatusCode::OK.into_response(), &services.sessions.anonymous_cookie(), &client))
}

/// `true` or `false`: whether a name or an address is taken.
async fn user_exists(State(services): State<Services>, client: ClientFacts, caller: Caller, headers: HeaderMap, form: Form) -> Answer {
    let field = match form.get("target") {
        "username" => UniqueField::Name,
        "email" => UniqueField::Email,
        other => return Err(service::Error::bad_request(format!("unknown target {other:?}, only username and email are")).into()),
    };
    let answer = match services.users.is_taken(&caller.actor, field, form.get("value")).await {
        Ok(taken) => ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], taken.to_string()).into_response(),
        // The one refusal that is plain text.
        Err(error) if error.status == StatusCode::PRECONDITION_FAILED.as_u16() => {
            (StatusCode::PRECONDITION_FAILED, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], error.message().to_owned())
                .into_response()
        }
        Err(error) => return Err(error.into()),
    };
    Ok(with_any_session(answer, &services, &headers, &client))
}

/// The ways of an OpenID provider, all refused alike.
async fn by_provider(State(services): State<Services>) -> Answer {
    Ok(services.sessions.by_provider().map(|()| StatusCode::OK.into_response())?)
}

/// The way of an authentication proxy.
async fn by_proxy(State(services): State<Services>) -> Answer {
    Ok(services.sessions.by_proxy().map(|()| StatusCode::OK.into_response())?)
}

/// The portal's sign-in form: 303 to where the visitor wanted to go, or back to the form with the reason.
async fn sign_in(State(services): State<Services>, State(origins): State<Origins>, request: Request) -> Response {
    let facts = origins.facts(request.extensions(), request.uri(), request.headers());
    let is_foreign = origins.is_cross_site(&Method::POST, request.extensions(), request.uri(), request.headers());
    let previous = cookie(request.headers(), SESSION_COOKIE).map(str::to_owned);
    let Ok(form) = Form::from_request(request, &()).await else {
        return see_other(&back_to_form("failed", ""));
    };
    let landing = app::session::landing(form.get("redirect_url"));
    if is_foreign {
        return see_other(&back_to_form("failed", landing));
    }
    match services.sessions.sign_in(form.get("principal"), form.secret("password").expose(), previous.as_deref()).await {
        Ok(Some(session)) => with_typed_name(with_session(see_other(landing), &session, &facts), "", &facts),
        Ok(None) => with_typed_name(see_other(&back_to_form("invalid", landing)), form.get("principal"), &facts),
        Err(error) if error.status == StatusCode::TOO_MANY_REQUESTS.as_u16() => see_other(&back_to_form("locked", landing)),
        Err(error) => {
            tracing::error!(%error, "signing in failed");
            see_other(&back_to_form("failed", landing))
        }
    }
}

/// The portal's button: 303 to the sign-in page.
async fn sign_out(State(services): State<Services>, State(origins): State<Origins>, request: Request) -> Answer {
    if origins.is_cross_site(&Method::POST, request.extensions(), request.uri(), request.headers()) {
        return Err(service::Error::forbidden("signing out was asked for by another site").into());
    }
    let facts = origins.facts(request.extensions(), request.uri(), request.headers());
    if let Some(session) = cookie(request.headers(), SESSION_COOKIE) {
        services.sessions.sign_out(session).await?;
    }
    Ok(with_session(see_other("/account/sign-in"), &services.sessions.anonymous_cookie(), &facts))
}

/// Seconds for which the form that comes back knows the name that was typed.
const TYPED_NAME_AGE: u32 = 60;
/// The longest name of an account, in bytes: 255 characters of UTF-8.
const LONGEST_NAME: usize = 4 * 255;

/// Remembers the name that was typed for the form that comes back, or forgets it. Not in the address, where logs and histories would keep what
/// somebody typed into the wrong field.
fn with_typed_name(mut response: Response, name: &str, client: &ClientFacts) -> Response {
    let age = if name.is_empty() || name.len() > LONGEST_NAME { 0 } else { TYPED_NAME_AGE };
    let value = if age == 0 { String::new() } else { percent::component(name).to_string() };
    let secure = if client.scheme == "https" { "; Secure" } else { "" };
    if let Ok(value) = format!("{TYPED_NAME}={value}; Path=/account/sign-in; Max-Age={age}; HttpOnly; SameSite=Lax{secure}").parse() {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

fn back_to_form(error: &str, landing: &str) -> String {
    let query: String =
        form_urlencoded::Serializer::new(String::new()).append_pair("error", error).append_pair("redirect_url", landing).finish();
    format!("/account/sign-in?{query}")
}

fn see_other(place: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    // Both kinds of places are plain ASCII: our own text, and paths that were checked.
    if let Ok(place) = HeaderValue::from_str(place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// Sets the session's cookie. It ends with the browser; how long it is good for is known here alone.
fn with_session(mut response: Response, session: &str, client: &ClientFacts) -> Response {
    let secure = if client.scheme == "https" { "; Secure" } else { "" };
    if let Ok(value) = format!("{SESSION_COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax{secure}").parse() {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// Sets a cookie that is nobody's session yet, for clients that have none: it marks a browser (api-conventions 1.7).
pub(super) fn with_any_session(response: Response, services: &Services, headers: &HeaderMap, client: &ClientFacts) -> Response {
    if cookie(headers, SESSION_COOKIE).is_some() {
        return response;
    }
    with_session(response, &services.sessions.anonymous_cookie(), client)
}
