//! The calls of the artifact page: each takes who is asking, makes one call into the rules and hands back what the page shows.

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

/// Deletes an artifact with its tags, and goes to its repository. The page's form posts here.
///
/// # Errors
/// For a form posted without scripts: what the rules refused. With scripts that is the answer; none means it worked.
#[server(prefix = "/ui/fn", endpoint = "delete-artifact")]
pub async fn delete_artifact(project: String, repository: String, digest: String) -> Result<Option<UiError>, UiError> {
    let caller = crate::ui::caller()?;
    match super::wiring::delete(&caller, &project, &repository, &digest).await {
        Ok(back) => leptos_axum::redirect(&back),
        Err(refusal) => return caller.refuse(refusal),
    }
    Ok(None)
}

/// Takes a tag from an artifact, and goes to the artifact by its digest. The page's forms post here.
///
/// # Errors
/// For a form posted without scripts: what the rules refused. With scripts that is the answer; none means it worked.
#[server(prefix = "/ui/fn", endpoint = "delete-tag")]
pub async fn delete_tag(project: String, repository: String, digest: String, tag: String) -> Result<Option<UiError>, UiError> {
    let caller = crate::ui::caller()?;
    match super::wiring::untag(&caller, &project, &repository, &digest, &tag).await {
        Ok(back) => leptos_axum::redirect(&back),
        Err(refusal) => return caller.refuse(refusal),
    }
    Ok(None)
}
