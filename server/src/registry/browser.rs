//! Browsers at the registry's door: a portal session counts here as it does everywhere, and so does the protection against forged requests.
//! Only requests with a cookie come this way; clients of the registry have none.

use axum::extract::Request;
use axum::response::Response;
use http::HeaderMap;
use service::{Actor, Error};

use super::{Door, Presented, answer};
use crate::credentials::{SESSION_COOKIE, cookie};
use crate::csrf::Verdict;

impl Door {
    /// What the answer must carry, or the refusal of a request that a page of another site may have sent.
    pub(super) fn check_forgery(&self, request: &Request) -> Result<Verdict, Box<Response>> {
        self.csrf.check(&self.origins, request).map_err(|refusal| {
            let (error, verdict) = *refusal;
            Box::new(verdict.attach(answer::error(&error)))
        })
    }

    /// Who calls by the session's cookie, for requests that show nothing else.
    pub(super) async fn by_session(&self, headers: &HeaderMap) -> Result<(Actor, Presented), Error> {
        let Some(cookie) = cookie(headers, SESSION_COOKIE) else {
            return Ok((Actor::Anonymous, Presented::Nothing));
        };
        Ok(match self.services.sessions.actor(cookie, true).await? {
            Some(actor) => (actor, Presented::Session),
            None => (Actor::Anonymous, Presented::Nothing),
        })
    }
}
