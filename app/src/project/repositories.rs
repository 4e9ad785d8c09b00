//! The repositories of a project, and how to push the first one.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{ProjectHead, RepositoriesView, RepositoryRow, StorageView, server};
use crate::{
    address,
    kit::{Access, Art, Badge, Bytes, Column, Commands, Empty, Filter, Icon, LinkButton, Moment, Pager, PastTheEnd, Table, grouped, name},
    listing::Listing,
    repository::commands,
    session::Visitor,
    shell::{Crumb, Frame, Place, Room, loaded},
};

/// `/harbor/projects/:id/repositories`
#[component]
pub fn RepositoriesPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        let project = params.with(|params| params.get("id").unwrap_or_default());
        (project, query.with(Listing::from_query))
    });
    let answer =
        Resource::new(move || asked.get(), |(project, list)| server::repositories(project, list.q, list.sort, list.page, list.size));
    loaded(answer, repositories)
}

fn repositories(visitor: Visitor, view: RepositoriesView) -> AnyView {
    let RepositoriesView { project, rows, total, listing, may_push } = view;
    let host = commands::Host::of(&visitor);
    let id = project.id.to_string();
    let place = Place {
        crumbs: vec![Crumb::to("Projects", address::PROJECTS), Crumb::here(project.name.clone())],
        room: Room::Project { id: id.clone(), name: project.name.clone(), public: Some(project.public) },
    };
    let empty = total == 0 && listing.q.is_empty();
    let signed_in = visitor.account.is_some();
    let content = if empty { nothing_yet(host, &project, may_push, signed_in) } else { list(&id, listing, rows, total) };
    let push = (!empty && may_push).then(|| push(host, &project.name));
    view! {
        <Frame visitor=visitor place=place>
            {head(&project)}
            {push}
            {content}
        </Frame>
    }
    .into_any()
}

fn head(project: &ProjectHead) -> AnyView {
    let count = match project.repositories {
        1 => "1 repository".to_owned(),
        many => format!("{} repositories", grouped(many)),
    };
    view! {
        <header class="page-head">
            <div class="titles">
                <h1>
                    {project.name.clone()}
                    <Access public=project.public />
                    {project.proxy.then(|| view! { <Badge text="Proxy" icon=Some("cloud") accent=true /> })}
                </h1>
                <p class="meta-line">
                    <span>
                        <Icon name="repo" small=true />
                        {count}
                    </span>
                    <span>
                        <Icon name="calendar" small=true />
                        "Created "
                        <Moment at=project.created />
                    </span>
                    {project.storage.map(storage)}
                </p>
            </div>
        </header>
    }
    .into_any()
}

/// What the project holds of what it may hold.
fn storage(StorageView { used, limit }: StorageView) -> AnyView {
    let limit = match limit {
        Some(limit) => view! { " of " <Bytes size=limit /> " used" }.into_any(),
        None => view! { " used, no limit" }.into_any(),
    };
    view! {
        <span>
            <Icon name="storage" small=true />
            <span>
                <Bytes size=used />
                {limit}
            </span>
        </span>
    }
    .into_any()
}

fn push(host: commands::Host<'_>, project: &str) -> AnyView {
    view! {
        <details class="fold">
            <summary>"Push here"</summary>
            <Commands id="push" label="Push" recipes=commands::push(host, project, None) />
        </details>
    }
    .into_any()
}

fn list(id: &str, listing: Listing, rows: Vec<RepositoryRow>, total: u64) -> AnyView {
    let path = address::repositories(id);
    let content = if total == 0 {
        nothing_matches(&listing, &path)
    } else if rows.is_empty() {
        view! { <PastTheEnd listing=listing.clone() path=path.clone() total=total /> }.into_any()
    } else {
        let ordered = listing.ordered("-update_time");
        let columns = vec![
            Column::sorted("Repository", "", "name", &ordered, &path),
            Column::new("Artifacts", "r"),
            Column::sorted("Pulls", "r", "pull_count", &ordered, &path),
            Column::sorted("Last change", "", "update_time", &ordered, &path),
        ];
        let rows = rows.into_iter().map(|repository| row(id, repository)).collect_view();
        view! {
            <Table caption="Repositories".to_owned() label="Repositories table" columns=columns>
                {rows}
            </Table>
            <Pager listing=listing.clone() path=path.clone() total=total />
        }
        .into_any()
    };
    view! {
        <section class="list" aria-labelledby="repositories">
            <h2 class="vh" id="repositories">
                "Repositories"
            </h2>
            <Filter listing=listing path=path label="Filter repositories by name" />
            {content}
        </section>
    }
    .into_any()
}

fn row(project: &str, repository: RepositoryRow) -> AnyView {
    let RepositoryRow { name: path, description, artifacts, pulls, updated } = repository;
    let href = address::repository(project, &path);
    view! {
        <tr role="row">
            <th role="rowheader" scope="row" class="w">
                <a class="name" href=href>
                    {name(&path)}
                </a>
                {(!description.is_empty()).then(|| view! { <span class="sub">{description}</span> })}
            </th>
            <td role="cell" class="r num" data-label="Artifacts">
                {grouped(artifacts)}
            </td>
            <td role="cell" class="r num" data-label="Pulls">
                {grouped(pulls)}
            </td>
            <td role="cell" class="num" data-label="Last change">
                <Moment at=updated />
            </td>
        </tr>
    }
    .into_any()
}

fn nothing_yet(host: commands::Host<'_>, project: &ProjectHead, may_push: bool, signed_in: bool) -> AnyView {
    let step = if project.proxy {
        view! { <p>"This project mirrors another registry: what people pull through it shows up here."</p> }.into_any()
    } else if may_push {
        view! {
            <p>"Push an image, and it shows up here with its tags and layers."</p>
            <Commands id="push" label="Push" recipes=commands::push(host, &project.name, None) />
        }
        .into_any()
    } else if signed_in {
        view! { <p>"Nothing was pushed yet. Pushing takes the role developer or more, which an administrator of the project can give."</p> }
            .into_any()
    } else {
        view! { <p>"Nothing was pushed yet. Members of the project can, once they are signed in."</p> }.into_any()
    };
    view! {
        <section class="list">
            <Empty art=Art::Quay title="No repositories here yet">
                {step}
            </Empty>
        </section>
    }
    .into_any()
}

fn nothing_matches(listing: &Listing, path: &str) -> AnyView {
    let path = path.to_owned();
    view! {
        <Empty art=Art::Beacon title=format!("No repository matches “{}”", listing.q)>
            <p>"The list looks for the text anywhere in a repository’s name."</p>
            <div class="row">
                <LinkButton href=path text="Clear the filter" />
            </div>
        </Empty>
    }
    .into_any()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::markup;

    fn some(names: &[&str], listing: Listing) -> RepositoriesView {
        let at = "2026-11-21T00:31:05Z".parse().unwrap();
        let project = ProjectHead {
            id: 7,
            name: "payments".into(),
            public: false,
            proxy: false,
            repositories: names.len() as u64,
            created: at,
            storage: None,
        };
        let rows: Vec<_> = names
            .iter()
            .map(|name| RepositoryRow {
                name: (*name).to_owned(),
                description: "Says <b>".into(),
                artifacts: 3,
                pulls: 182_440,
                updated: at,
            })
            .collect();
        RepositoriesView { total: rows.len() as u64, project, rows, listing, may_push: true }
    }

    fn page(view: RepositoriesView) -> String {
        markup::render(move || repositories(Visitor { registry: "registry.example:8080".into(), ..Visitor::default() }, view))
    }

    #[test]
    fn names_with_slashes_have_their_own_address() {
        let html = page(some(&["services/checkout", "app"], Listing::default()));
        markup::check(&html);
        for part in ["/harbor/projects/7/repositories/services%2Fcheckout", "182,440", "Says &lt;b&gt;", "2 repositories", "Private"] {
            assert!(html.contains(part), "{part} in {html}");
        }
    }

    #[test]
    fn what_it_holds_is_shown_to_who_is_told() {
        let text = |storage| {
            let mut view = some(&["app"], Listing::default());
            view.project.storage = storage;
            let html = page(view);
            markup::check(&html);
            markup::text(&html)
        };
        assert!(text(Some(StorageView { used: 3 << 29, limit: Some(50 << 30) })).contains("1.50 GiB of 50.0 GiB used"));
        assert!(text(Some(StorageView { used: 0, limit: None })).contains("0 B used, no limit"));
        assert!(!text(None).contains("used"));
    }

    #[test]
    fn an_empty_project_says_how_to_push() {
        let html = page(some(&[], Listing::default()));
        markup::check(&html);
        assert!(html.contains("docker push registry.example:8080/payments/"), "{html}");
        assert!(html.contains("helm push") && !html.contains("<table"));
        let html = page(RepositoriesView { may_push: false, ..some(&[], Listing::default()) });
        markup::check(&html);
        assert!(html.contains("Nothing was pushed yet") && !html.contains("docker push"), "{html}");
        let html = page(some(&[], Listing { q: "zzz".into(), ..Listing::default() }));
        markup::check(&html);
        assert!(html.contains("No repository matches “zzz”"));
        let html = page(RepositoriesView { total: 60, ..some(&[], Listing::default().at_page(9)) });
        markup::check(&html);
        assert!(html.contains("There is no page 9") && html.contains("page=3") && !html.contains("looks for the text"), "{html}");
    }
}
