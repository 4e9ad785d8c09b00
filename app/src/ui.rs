//! How the portal talks to the rules: the one way to learn who calls, the answer every page gets, and the error it shows. Server functions use
//! it; pages see [`Answer`] and [`UiError`] only.

use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};

use crate::session::Visitor;

/// What went wrong, in words for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UiError {
    /// The HTTP status that says the same; 0 when the server was not reached.
    pub status: u16,
    /// One or two plain sentences.
    pub message: String,
    /// The form field it is about, by its `name`.
    #[serde(default)]
    pub field: Option<String>,
    /// To quote when asking for help; the server's log has the rest.
    #[serde(default)]
    pub request_id: Option<String>,
}

impl UiError {
    /// An error about the whole page.
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), field: None, request_id: None }
    }

    /// An error about one field of a form.
    pub fn about(field: &str, message: impl Into<String>) -> Self {
        Self { status: 422, message: message.into(), field: Some(field.to_owned()), request_id: None }
    }
}

impl std::fmt::Display for UiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for UiError {}

impl FromServerFnError for UiError {
    type Encoder = JsonEncoding;

    // The cause is not shown: it speaks of encodings, and may quote what somebody typed.
    fn from_server_fn_error(value: ServerFnErrorErr) -> Self {
        match value {
            ServerFnErrorErr::Request(_) => Self::new(0, "The server can’t be reached. What you see here may be out of date."),
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::UnsupportedRequestMethod(_) => Self::new(
                400,
                "The server didn’t understand this page’s question. Reload the page; it may have been updated while you worked.",
            ),
            _ => Self::new(
                500,
                "The server answered with something this page can’t read. Reload the page; it may have been updated while you worked.",
            ),
        }
    }
}

/// What a page gets from its one call: who is asking, and the content or the reason why there is none. The visitor comes along either way, so
/// that an error page still has its frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer<T> {
    /// Who is asking.
    pub visitor: Visitor,
    /// What was asked for.
    pub content: Result<T, UiError>,
}

#[cfg(feature = "ssr")]
pub use on_server::{Caller, RequestId, caller};

#[cfg(feature = "ssr")]
mod on_server {
    use std::sync::Arc;

    use http::{StatusCode, request::Parts};
    use leptos::prelude::use_context;
    use leptos_axum::ResponseOptions;

    use super::{Answer, UiError};
    use crate::{session::Visitor, shell::Theme};

    /// The id of the request, as the answer's header and the log carry it; shown where something broke. The server provides it.
    #[derive(Clone, Debug)]
    pub struct RequestId(pub String);

    /// Everything a server function needs to know about the request that it serves.
    pub struct Caller {
        /// The rules.
        pub services: Arc<service::Services>,
        /// On whose behalf.
        pub actor: service::Actor,
        /// The same person as the portal shows them.
        pub visitor: Visitor,
        response: Option<ResponseOptions>,
        request_id: Option<String>,
        form: bool,
    }

    impl Caller {
        /// A refusal of the rules in the portal's form. What broke is not told, only where to look for it.
        pub fn refusal(&self, error: &service::Error) -> UiError {
            let broken = error.status >= 500;
            if broken {
                // Pages are rendered in tasks of their own, which the log does not know the request of.
                tracing::error!(request_id = self.request_id.as_deref(), %error, "a page could not be made");
            }
            UiError {
                status: error.status,
                message: if broken { String::new() } else { error.message().to_owned() },
                field: None,
                request_id: self.request_id.clone().filter(|_| broken),
            }
        }

        /// The same for reading something in a project. To somebody who may not read it, a project that is there and one that is not
        /// must look alike.
        pub fn absence(&self, error: &service::Error) -> UiError {
            match error.status {
                403 => UiError::new(404, ""),
                _ => self.refusal(error),
            }
        }

        /// Ends a form's call that was refused. Without scripts an error travels back to the form in its address; with scripts the answer
        /// is whole, and what it says is a refusal.
        ///
        /// # Errors
        /// The refusal itself, for a form that was posted without scripts.
        pub fn refuse(&self, refusal: UiError) -> Result<Option<UiError>, UiError> {
            if self.form { Err(refusal) } else { Ok(Some(refusal)) }
        }

        /// Wraps up a page's answer. A refusal also becomes the status of the page that is being rendered; the browser's own call has got
        /// its answer either way.
        pub fn answer<T>(self, content: Result<T, UiError>) -> Answer<T> {
            if let (Err(error), Some(response)) = (&content, &self.response)
                && let Ok(status) = StatusCode::from_u16(error.status)
            {
                response.set_status(status);
            }
            Answer { visitor: self.visitor, content }
        }
    }

    /// Reads the request's context. Call it before the first await: the context belongs to the task that serves the request.
    ///
    /// # Errors
    /// 500 when the server did not provide the context, which is a mistake in its composition.
    pub fn caller() -> Result<Caller, UiError> {
        let (Some(services), Some(actor), Some(visitor)) =
            (use_context::<Arc<service::Services>>(), use_context::<service::Actor>(), use_context::<Visitor>())
        else {
            return Err(UiError::new(500, "The portal isn’t connected to the registry. Its log says more."));
        };
        let request = use_context::<Parts>();
        let theme = request.as_ref().map(|parts| Theme::of_request(&parts.headers)).unwrap_or_default();
        let form = request.as_ref().is_some_and(|parts| accepts_html(&parts.headers));
        let page = !request.is_some_and(|parts| parts.uri.path().starts_with("/ui/fn/"));
        let request_id = use_context::<RequestId>().map(|id| id.0);
        Ok(Caller { services, actor, visitor: Visitor { theme, ..visitor }, response: use_context().filter(|_| page), request_id, form })
    }

    fn accepts_html(headers: &http::HeaderMap) -> bool {
        headers.get(http::header::ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
    }
}
