//! What handlers take out of a request: the caller, parameters of path and query, list parameters. JSON bodies are in `json`.
//! Everything that is malformed is a 422 in the words of the API's binder, before anybody asks who is calling.

use std::borrow::Cow;

use axum::extract::{FromRef, FromRequestParts, OriginalUri, RawPathParams};
use http::request::Parts;
use http::{HeaderMap, header};
use model::list::{ListQuery, Paging, parse_q, parse_sort};
use model::percent;
use service::authn::Credentials;
use service::{Actor, NameOrId, Services};

use super::RestError;
use crate::credentials::{self, SESSION_COOKIE, cookie};

/// Values of flags that mean yes, in any case; everything else means no.
const YES: [&str; 10] = ["true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled"];

/// Who calls: Basic credentials if they are right, else the session, else nobody. Never refuses: use cases do.
#[derive(Debug)]
pub struct Caller {
    /// For the use case.
    pub actor: Actor,
    /// What the session's cookie holds, whoever it belongs to.
    pub cookie: Option<String>,
}

impl<S> FromRequestParts<S> for Caller
where
    Services: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = RestError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, RestError> {
        let cookie = cookie(&parts.headers, SESSION_COOKIE).map(str::to_owned);
        if let Some(Recognised(actor)) = parts.extensions.remove() {
            return Ok(Self { actor, cookie });
        }
        Ok(Self { actor: recognise(&Services::from_ref(state), &parts.headers).await?, cookie })
    }
}

/// Who calls, when it was found out before the handler was reached.
#[derive(Clone, Debug)]
pub(super) struct Recognised(pub Actor);

/// Who calls, by the headers of a request.
pub(super) async fn recognise(services: &Services, headers: &HeaderMap) -> Result<Actor, RestError> {
    let basic = basic(headers);
    let credentials = Credentials {
        basic: basic.as_ref().map(|(name, secret)| (name.as_str(), secret.as_str())),
        session: cookie(headers, SESSION_COOKIE),
        renew: !headers.contains_key("x-harbor-no-session-renewal"),
    };
    Ok(services.authenticate(credentials).await?)
}

/// Name and secret of `Authorization: Basic`; `None` for anything else or malformed.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    credentials::basic(headers.get(header::AUTHORIZATION)?.to_str().ok()?)
}

/// Parameters of the path.
#[derive(Debug)]
pub struct PathParams {
    values: Vec<(String, String)>,
    is_resource_name: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for PathParams {
    type Rejection = RestError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, RestError> {
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(|e| RestError::invalid(e.body_text()))?;
        let values = params.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        Ok(Self { values, is_resource_name: is_resource_name(&parts.headers) })
    }
}

/// Whether the header says that a project of digits is a name and no id.
pub(super) fn is_resource_name(headers: &HeaderMap) -> bool {
    flag_header(headers, "x-is-resource-name")
}

/// A flag in a header; `false` without it. Never an error.
pub(super) fn flag_header(headers: &HeaderMap, name: &str) -> bool {
    headers.get(name).and_then(|value| value.to_str().ok()).is_some_and(is_yes)
}

impl PathParams {
    /// A parameter as text, unescaped; empty for a name that the route does not have.
    pub fn text(&self, name: &str) -> &str {
        self.values.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// A parameter that must be a whole number.
    ///
    /// # Errors
    /// 422.
    pub fn int64<T: From<i64>>(&self, name: &str) -> Result<T, RestError> {
        let text = self.text(name);
        let number = text.parse::<i64>().map_err(|_| RestError::invalid(format!("{name} in path must be of type int64: {text:?}")))?;
        Ok(number.into())
    }

    /// A project by name or id: digits are an id unless `X-Is-Resource-Name` says otherwise.
    pub fn project(&self, name: &str) -> NameOrId {
        NameOrId::parse(self.text(name), self.is_resource_name)
    }

    /// A repository's path inside its project. Clients escape its slashes twice; once will do. A null character that is escaped twice stays so:
    /// no repository is called that.
    pub fn repository(&self, name: &str) -> String {
        let escaped = self.text(name);
        percent::decode(escaped).filter(|path| !path.contains('\0')).map_or_else(|| escaped.to_owned(), Cow::into_owned)
    }
}

/// Parameters of the query, unescaped. The gate has refused queries that cannot be read.
#[derive(Debug, Default)]
pub struct QueryParams(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for QueryParams {
    type Rejection = RestError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, RestError> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

impl QueryParams {
    /// Of a query, or of a form's body.
    pub(super) fn parse(query: &str) -> Self {
        Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// Whether a name or a value has a null character.
    pub(super) fn has_null(&self) -> bool {
        self.0.iter().any(|(name, value)| name.contains('\0') || value.contains('\0'))
    }

    /// The first value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter that must be there and not be empty.
    ///
    /// # Errors
    /// 422.
    pub fn required(&self, name: &str) -> Result<&str, RestError> {
        self.get(name).filter(|v| !v.is_empty()).ok_or_else(|| RestError::invalid(format!("{name} in query is required")))
    }

    /// A whole number, if there is one.
    ///
    /// # Errors
    /// 422.
    pub fn int64(&self, name: &str) -> Result<Option<i64>, RestError> {
        let Some(text) = self.get(name).filter(|v| !v.is_empty()) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| RestError::invalid(format!("{name} in query must be of type int64: {text:?}")))
    }

    /// A flag; without a value it is `default`. Never an error.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        self.get(name).filter(|v| !v.is_empty()).map_or(default, is_yes)
    }
}

fn is_yes(text: &str) -> bool {
    YES.iter().any(|yes| yes.eq_ignore_ascii_case(text))
}

/// `page`, `page_size`, `q` and `sort`, and the way to answer with a page: [`Listing::page`](super::page).
#[derive(Debug)]
pub struct Listing {
    /// For the use case.
    pub query: ListQuery,
    pub(super) paging: Paging,
    pub(super) path_and_query: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Listing {
    type Rejection = RestError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, RestError> {
        let query = QueryParams::parse(parts.uri.query().unwrap_or_default());
        let paging = Paging::parse(query.get("page"), query.get("page_size")).map_err(RestError::invalid)?;
        let terms = parse_q(query.get("q").unwrap_or_default()).map_err(|e| service::Error::bad_request(e.to_string()))?;
        let sort = parse_sort(query.get("sort").unwrap_or_default());
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        let path_and_query = uri.path_and_query().map_or_else(|| uri.path().to_owned(), ToString::to_string);
        Ok(Self { query: ListQuery::new(paging, terms, sort), paging, path_and_query })
    }
}

#[cfg(test)]
mod unit {
    use super::*;
    #[test]
    fn flags_of_headers_mean_what_flags_of_queries_mean() {
        let flag = |value: &'static str| flag_header(&HeaderMap::from_iter([(header::WARNING, value.parse().unwrap())]), "warning");
        assert_eq!(["true", "1", "YES", "on", "false", "0", "", "maybe"].map(flag), [true, true, true, true, false, false, false, false]);
        assert!(!flag_header(&HeaderMap::new(), "warning"));
    }

    #[test]
    fn flags_never_fail() {
        let query = QueryParams::parse("a=TRUE&b=maybe&c=&d=On");
        let flags = ["a", "b", "c", "d", "e"].map(|name| query.flag(name, false));
        assert_eq!(flags, [true, false, false, true, false]);
        assert!(query.flag("c", true) && !query.flag("b", true));
    }
}
