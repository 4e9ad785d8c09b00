//! The call of the artifact page: it takes who is asking and hands back what the page shows.

use leptos::{prelude::*, server_fn::codec::GetUrl};

use super::ArtifactView;
use crate::ui::{Answer, UiError};

/// An artifact by digest or tag, with everything that its manifest and configuration tell.
///
/// # Errors
/// Only when the portal is not connected; refusals are in the answer.
#[server(prefix = "/ui/fn", endpoint = "artifact", input = GetUrl)]
pub async fn artifact(project: String, repository: String, reference: String) -> Result<Answer<ArtifactView>, UiError> {
    let caller = crate::ui::caller()?;
    let content = super::wiring::artifact(&caller, &project, &repository, &reference).await;
    Ok(caller.answer(content))
}
