//! The one way to load a page: wait for its one call, then render the content, or say why there is none. Pages give the resource that they made
//! in their own body and a plain function from content to view.

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    address, failure,
    session::Visitor,
    ui::{Answer, UiError},
};

/// Renders a page when its answer is there. While a newer answer is awaited the old page stays.
///
/// `render` makes no resources and holds no outlet: what is created inside a suspended closure gets other ids in the browser.
pub fn loaded<T, F>(answer: Resource<Result<Answer<T>, UiError>>, render: F) -> AnyView
where
    T: Clone + Send + Sync + Serialize + DeserializeOwned + 'static,
    F: Fn(Visitor, T) -> AnyView + Clone + Send + Sync + 'static,
{
    let location = use_location();
    let page = move || {
        let render = render.clone();
        let (pathname, search) = (location.pathname, location.search);
        Suspend::new(async move {
            let outcome = answer.await;
            match outcome {
                Ok(Answer { visitor, content: Ok(content) }) => render(visitor, content),
                Ok(Answer { visitor, content: Err(error) }) => {
                    let here = address::here(&pathname.get_untracked(), &search.get_untracked());
                    failure::refused(visitor, error, &here)
                }
                Err(error) => failure::refused(Visitor::default(), error, ""),
            }
        })
    };
    view! { <Transition fallback=Waiting>{page}</Transition> }.into_any()
}

/// What stands in for a page on its first load in the browser: its shape, shown only if the wait is long enough to be noticed.
#[component]
fn Waiting() -> impl IntoView {
    view! {
        <main class="page waiting" aria-busy="true">
            <span class="vh" role="status">
                "Loading"
            </span>
            <span class="skel h2 w30"></span>
            <span class="skel w50"></span>
            <span class="skel"></span>
            <span class="skel w70"></span>
        </main>
    }
}
