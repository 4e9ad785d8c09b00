//! The portal: pages, component kit and thin server functions, compiled once into the server and once for the browser.
//! `server` renders [`shell::document`] and mounts the server functions; `frontend` hydrates [`App`].

// A page's type is the nested type of all its parts.
#![recursion_limit = "256"]

pub mod address;
pub mod artifact;
pub mod failure;
pub mod kit;
pub mod listing;
pub mod project;
pub mod repository;
pub mod search;
pub mod session;
pub mod shell;
pub mod ui;

#[cfg(test)]
mod markup;

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::{
    SsrMode,
    components::{Outlet, ParentRoute, Redirect, Route, Router, Routes},
    path,
};

/// The portal's route tree. Paths are Harbor's, so that links in people's wikis go on working.
///
/// Every branch renders in [`SsrMode::Async`], set on the parent: a redirect or a status code must be known before the first byte leaves,
/// and a page that waits for its one call has nothing to stream.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    kit::Clock::provide();
    shell::shortcuts();
    view! {
        <Router>
            <Routes fallback=failure::LostPage>
                <Route path=path!("/") view=ToProjects ssr=SsrMode::Async />
                <ParentRoute path=path!("/account") view=Outlet ssr=SsrMode::Async>
                    <Route path=path!("/sign-in") view=session::SignInPage ssr=SsrMode::Async />
                    <Route path=path!("/password") view=session::PasswordPage ssr=SsrMode::Async />
                    <Route path=path!("/*rest") view=failure::LostPage ssr=SsrMode::Async />
                </ParentRoute>
                <ParentRoute path=path!("/harbor") view=Outlet ssr=SsrMode::Async>
                    <Route path=path!("") view=ToProjects ssr=SsrMode::Async />
                    <Route path=path!("/sign-in") view=session::ToSignIn ssr=SsrMode::Async />
                    <Route path=path!("/search") view=search::SearchPage ssr=SsrMode::Async />
                    <Route path=path!("/projects") view=project::ProjectsPage ssr=SsrMode::Async />
                    <Route path=path!("/projects/new") view=project::CreateProjectPage ssr=SsrMode::Async />
                    <Route path=path!("/projects/:id") view=project::ToRepositories ssr=SsrMode::Async />
                    <Route path=path!("/projects/:id/summary") view=project::ToRepositories ssr=SsrMode::Async />
                    <Route path=path!("/projects/:id/repositories") view=project::RepositoriesPage ssr=SsrMode::Async />
                    <Route path=path!("/projects/:id/repositories/:repo") view=repository::RepositoryPage ssr=SsrMode::Async />
                    <Route
                        path=path!("/projects/:id/repositories/:repo/artifacts-tab")
                        view=repository::RepositoryPage
                        ssr=SsrMode::Async
                    />
                    <Route
                        path=path!("/projects/:id/repositories/:repo/artifacts-tab/artifacts/:digest")
                        view=artifact::ArtifactPage
                        ssr=SsrMode::Async
                    />
                    <Route path=path!("/*rest") view=failure::LostPage ssr=SsrMode::Async />
                </ParentRoute>
            </Routes>
        </Router>
    }
}

#[component]
fn ToProjects() -> impl IntoView {
    view! { <Redirect path=address::PROJECTS /> }
}
