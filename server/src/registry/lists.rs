//! Ping and the lists: tags, catalog, referrers, extensions.

use axum::response::Response;
use http::{HeaderName, StatusCode, header};
use model::percent::component;
use oci::{Page, RepositoryName, route::RawDigest};
use service::Error;
use service::registry::TagPage;

use super::answer::{Answer, Context};

pub(super) fn ping(context: &Context) -> Result<Response, Error> {
    context.registry().ping(&context.actor)?;
    Ok(Answer::new(StatusCode::OK).json("{}".into()))
}

pub(super) async fn tags(context: &Context<'_>, name: &RepositoryName, page: &Page) -> Result<Response, Error> {
    let list = context.registry().tags(&context.actor, name, page).await?;
    Ok(paged(list, format_args!("/v2/{name}/tags/list")))
}

pub(super) async fn catalog(context: &Context<'_>, page: &Page) -> Result<Response, Error> {
    let list = context.registry().catalog(&context.actor, page).await?;
    Ok(paged(list, format_args!("/v2/_catalog")))
}

fn paged(page: TagPage, path: std::fmt::Arguments<'_>) -> Response {
    let mut answer = Answer::new(StatusCode::OK);
    if let Some((last, n)) = &page.next {
        answer = answer.header(header::LINK, &oci::route::next_link(&path.to_string(), last, *n));
    }
    answer.json(page.body)
}

pub(super) async fn referrers(
    context: &Context<'_>,
    name: &RepositoryName,
    digest: &RawDigest,
    artifact_types: &[String],
    page: &Page,
) -> Result<Response, Error> {
    let list = context.registry().referrers(&context.actor, name, digest, artifact_types, page).await?;
    let mut answer = Answer::new(StatusCode::OK)
        .header(header::CONTENT_TYPE, oci::ReferrersIndex::CONTENT_TYPE)
        .header(HeaderName::from_static("x-total-count"), &list.total.to_string());
    if !artifact_types.is_empty() {
        answer = answer.header(HeaderName::from_static("oci-filters-applied"), "artifactType");
    }
    if let Some(skip) = list.next {
        let filters: String = artifact_types.iter().map(|t| format!("&artifactType={}", component(t))).collect();
        answer = answer.header(header::LINK, &format!("</v2/{name}/referrers/{}?last={skip}{filters}>; rel=\"next\"", digest.text));
    }
    let length = list.body.len() as u64;
    Ok(answer.length(length).body(list.body))
}

pub(super) async fn extensions(context: &Context<'_>, name: Option<&RepositoryName>) -> Result<Response, Error> {
    match name {
        None => context.registry().ping(&context.actor)?,
        Some(name) => context.registry().may(&context.actor, name, service::registry::Use::Pull).await?,
    }
    // None are offered yet; the list says so.
    let body = serde_json::to_vec(&oci::extension::ExtensionList::default()).map_err(Error::internal)?;
    Ok(Answer::new(StatusCode::OK).json(body.into()))
}
