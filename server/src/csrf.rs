//! Protection against forged requests (api-conventions 1.7): a header token that must match a cookie, for every caller who may be recognised by a cookie.
//! The gate of the REST door uses it, and the registry's door, which answers to sessions as well.
//!
//! The cookie holds when it was made and random bytes; the token is an HMAC over them under the instance's key, so all replicas agree and
//! a cookie that somebody else planted has no token that they could know. In the header the token is masked anew each time, which keeps it from
//! being guessed out of compressed answers.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::Request;
use axum::response::Response;
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use rand::Rng as _;

use crate::credentials::{SESSION_COOKIE, cookie};
use crate::security::Origins;

/// The cookie.
pub const COOKIE: &str = "_gorilla_csrf";
/// The header, in requests and answers.
pub const HEADER: HeaderName = HeaderName::from_static("x-harbor-csrf-token");

/// Seconds for which a cookie is good.
const LIFETIME: u64 = 12 * 3600;
const SEED: usize = 24;
const TOKEN: usize = 32;

type Token = [u8; TOKEN];

/// Makes and checks tokens.
pub struct Csrf {
    key: aws_lc_rs::hmac::Key,
}

impl std::fmt::Debug for Csrf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Csrf(…)")
    }
}

/// What an answer must carry on its way out.
#[derive(Debug, Default)]
pub struct Verdict {
    token: Option<HeaderValue>,
    cookie: Option<HeaderValue>,
}

impl Verdict {
    /// Puts the fresh token, and the cookie if the request had none, on the answer.
    pub fn attach(self, mut response: Response) -> Response {
        if let Some(token) = self.token {
            response.headers_mut().insert(HEADER, token);
            response.headers_mut().append(header::VARY, HeaderValue::from_static("Cookie"));
        }
        if let Some(cookie) = self.cookie {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }
}

impl Csrf {
    /// From the instance's key for this purpose.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key: aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &key) }
    }

    /// The one of an instance: all doors of all its processes agree.
    pub fn of(services: &service::Services) -> Self {
        Self::new(services.core.seal.derive("csrf"))
    }

    /// Lets a request through or refuses it. Requests of the API without a session's cookie are not looked at.
    ///
    /// # Errors
    /// 403 with the reason; the verdict belongs on that answer too, since it carries the token to try again with.
    pub fn check(&self, origins: &Origins, request: &Request) -> Result<Verdict, Box<(service::Error, Verdict)>> {
        let headers = request.headers();
        if is_exempt(request.uri().path(), headers) {
            return Ok(Verdict::default());
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let sent = cookie(headers, COOKIE).and_then(|value| self.seed_of(value, now));
        let facts = origins.facts(request.extensions(), request.uri(), headers);
        let seed = sent.unwrap_or_else(|| fresh_seed(now));
        let token = self.token(&seed);
        let verdict =
            Verdict { token: masked(&token), cookie: sent.is_none().then(|| set_cookie(&seed, facts.scheme == "https")).flatten() };
        if is_safe(request.method()) {
            return Ok(verdict);
        }
        let refused = |reason: &str, verdict| Err(Box::new((service::Error::forbidden(reason), verdict)));
        if origins.is_cross_site(request.method(), request.extensions(), request.uri(), headers) {
            return refused("CSRF origin invalid", verdict);
        }
        match headers.get(HEADER) {
            None => refused("CSRF token not found in request", verdict),
            Some(value)
                if unmasked(value).is_some_and(|asked| aws_lc_rs::constant_time::verify_slices_are_equal(&asked, &token).is_ok()) =>
            {
                Ok(verdict)
            }
            Some(_) => refused("CSRF token invalid", verdict),
        }
    }

    fn token(&self, seed: &[u8; SEED]) -> Token {
        let mut token = [0; TOKEN];
        token.copy_from_slice(aws_lc_rs::hmac::sign(&self.key, seed).as_ref());
        token
    }

    fn seed_of(&self, value: &str, now: u64) -> Option<[u8; SEED]> {
        let seed: [u8; SEED] = BASE64_URL_SAFE_NO_PAD.decode(value).ok()?.try_into().ok()?;
        let made = u64::from_be_bytes(seed[..8].try_into().ok()?);
        // A minute for clocks of replicas that differ.
        (made <= now + 60 && now < made.saturating_add(LIFETIME)).then_some(seed)
    }
}

fn is_exempt(path: &str, headers: &HeaderMap) -> bool {
    ["/v2/", "/api/", "/service/"].iter().any(|prefix| path.starts_with(prefix)) && cookie(headers, SESSION_COOKIE).is_none()
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

fn fresh_seed(now: u64) -> [u8; SEED] {
    let mut seed = [0; SEED];
    rand::rng().fill_bytes(&mut seed);
    seed[..8].copy_from_slice(&now.to_be_bytes());
    seed
}

fn set_cookie(seed: &[u8; SEED], secure: bool) -> Option<HeaderValue> {
    let secure = if secure { "; Secure" } else { "" };
    let value = BASE64_URL_SAFE_NO_PAD.encode(seed);
    format!("{COOKIE}={value}; Path=/; Max-Age={LIFETIME}; HttpOnly; SameSite=Strict{secure}").parse().ok()
}

fn masked(token: &Token) -> Option<HeaderValue> {
    let mut out = [0; TOKEN * 2];
    rand::rng().fill_bytes(&mut out[..TOKEN]);
    for (at, byte) in token.iter().enumerate() {
        out[TOKEN + at] = byte ^ out[at];
    }
    BASE64_STANDARD.encode(out).parse().ok()
}

fn unmasked(value: &HeaderValue) -> Option<Token> {
    let bytes: [u8; TOKEN * 2] = BASE64_STANDARD.decode(value.as_bytes()).ok()?.try_into().ok()?;
    let mut token = [0; TOKEN];
    for at in 0..TOKEN {
        token[at] = bytes[at] ^ bytes[TOKEN + at];
    }
    Some(token)
}
