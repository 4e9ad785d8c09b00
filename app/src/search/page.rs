//! The page of the search: its own field, then projects and repositories.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{FoundRepository, SearchView, server};
use crate::{
    address,
    kit::{Access, Art, Column, Empty, Icon, Table, grouped, name},
    listing::Listing,
    project::ProjectRow,
    session::Visitor,
    shell::{Crumb, Frame, Place, Room, loaded, submission},
};

/// `/harbor/search?q=…`
#[component]
pub fn SearchPage() -> impl IntoView {
    let query = use_query_map();
    let text = Memo::new(move |_| query.with(Listing::from_query).q);
    let answer = Resource::new(move || text.get(), server::search);
    loaded(answer, found)
}

fn found(visitor: Visitor, view: SearchView) -> AnyView {
    let place = Place { crumbs: vec![Crumb::to("Projects", address::PROJECTS), Crumb::here("Search")], room: Room::Elsewhere };
    let text = view.text.clone();
    let content = content(view, scope(&visitor));
    view! {
        <Frame visitor=visitor place=place>
            <header class="page-head">
                <div class="titles">
                    <h1>"Search"</h1>
                </div>
            </header>
            {form(text)}
            {content}
        </Frame>
    }
    .into_any()
}

/// The page's own field: there is none in the top bar of a narrow screen.
fn form(text: String) -> AnyView {
    let (field, submit) = submission();
    view! {
        <form class="ask" method="get" action=address::SEARCH role="search" aria-label="Projects and repositories" on:submit=submit>
            <div class="search">
                <Icon name="search" />
                <input node_ref=field class="input" type="search" name="q" value=text maxlength="256" autocomplete="off" aria-label="Part of a name" />
            </div>
            <button class="btn btn-primary" type="submit">
                "Search"
            </button>
        </form>
    }
    .into_any()
}

/// What is searched for this visitor, to be said where nothing was found.
fn scope(visitor: &Visitor) -> &'static str {
    match &visitor.account {
        None => "Without signing in only public projects are searched.",
        Some(account) if account.administrator => "All projects and repositories were searched.",
        Some(_) => "Only what you may see is searched. A project’s administrator can add you.",
    }
}

fn content(view: SearchView, scope: &'static str) -> AnyView {
    let SearchView { text, projects, all_projects, repositories, all_repositories, cut } = view;
    if text.is_empty() {
        return view! { <p class="muted">"Finds projects and repositories by any part of their names."</p> }.into_any();
    }
    if projects.is_empty() && repositories.is_empty() {
        return nothing(&text, scope);
    }
    let found_projects = (!projects.is_empty()).then(|| {
        let (head, rows) = (heading("Projects", projects.len(), all_projects, cut), projects.into_iter().map(project).collect_view());
        let columns = vec![Column::new("Project", ""), Column::new("Repositories", "r")];
        section("projects", "Projects", head, columns, rows.into_any())
    });
    let found_repositories = (!repositories.is_empty()).then(|| {
        let head = heading("Repositories", repositories.len(), all_repositories, cut);
        let rows = repositories.into_iter().map(repository).collect_view();
        let columns = vec![Column::new("Repository", ""), Column::new("Artifacts", "r"), Column::new("Pulls", "r")];
        section("repositories", "Repositories", head, columns, rows.into_any())
    });
    view! {
        {found_repositories}
        {found_projects}
    }
    .into_any()
}

/// What was found, and how much of it stands here.
fn heading(what: &str, shown: usize, all: u64, cut: bool) -> String {
    let more = if cut { " or more" } else { "" };
    if shown as u64 == all && !cut {
        format!("{what}: {}", grouped(all))
    } else {
        format!("{what}: the first {shown} of {}{more}", grouped(all))
    }
}

fn section(id: &'static str, label: &'static str, heading: String, columns: Vec<Column>, rows: AnyView) -> AnyView {
    view! {
        <section class="list" aria-labelledby=id>
            <div class="toolbar">
                <h2 id=id>{heading}</h2>
            </div>
            <Table caption=label.to_owned() label=label columns=columns>
                {rows}
            </Table>
        </section>
    }
    .into_any()
}

fn project(row: ProjectRow) -> AnyView {
    view! {
        <tr role="row">
            <th role="rowheader" scope="row" class="w">
                <span class="cell">
                    <a class="name" href=address::repositories(&row.id.to_string())>
                        {row.name}
                    </a>
                    <Access public=row.public />
                </span>
            </th>
            <td role="cell" class="r num" data-label="Repositories">
                {grouped(row.repositories)}
            </td>
        </tr>
    }
    .into_any()
}

fn repository(row: FoundRepository) -> AnyView {
    let project = row.project_id.to_string();
    view! {
        <tr role="row">
            <th role="rowheader" scope="row" class="w">
                <span class="cell">
                    <a class="name" href=address::repository(&project, &row.name)>
                        {name(&row.name)}
                    </a>
                </span>
                <span class="sub">
                    "in "
                    <a href=address::repositories(&project)>{row.project}</a>
                </span>
            </th>
            <td role="cell" class="r num" data-label="Artifacts">
                {grouped(row.artifacts)}
            </td>
            <td role="cell" class="r num" data-label="Pulls">
                {grouped(row.pulls)}
            </td>
        </tr>
    }
    .into_any()
}

fn nothing(text: &str, scope: &'static str) -> AnyView {
    view! {
        <section class="list">
            <Empty art=Art::Beacon title=format!("Nothing matches “{text}”")>
                <p>{scope}</p>
            </Empty>
        </section>
    }
    .into_any()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::{markup, session::Account};

    fn page(view: SearchView) -> String {
        markup::render(move || found(Visitor { registry: "registry.example".into(), ..Visitor::default() }, view))
    }

    fn repository(name: &str) -> FoundRepository {
        FoundRepository { project_id: 7, project: "payments".into(), public: true, name: name.into(), artifacts: 2, pulls: 1318 }
    }

    #[test]
    fn what_is_found_leads_to_its_page() {
        let html = page(SearchView {
            text: "check".into(),
            repositories: vec![repository("services/checkout")],
            all_repositories: 1,
            ..SearchView::default()
        });
        markup::check(&html);
        for part in ["/harbor/projects/7/repositories/services%2Fcheckout", "1,318", "Repositories: 1", "value=\"check\""] {
            assert!(html.contains(part), "{part} in {html}");
        }
    }

    #[test]
    fn what_was_searched_depends_on_who_asks() {
        let scope =
            |administrator| scope(&Visitor { account: Some(Account { administrator, ..Account::default() }), ..Visitor::default() });
        assert!(scope(false).starts_with("Only what you may see"));
        assert!(scope(true).starts_with("All projects"));
    }

    #[test]
    fn nothing_and_too_much_are_said() {
        let html = page(SearchView { text: "<zzz>".into(), ..SearchView::default() });
        markup::check(&html);
        assert!(html.contains("Nothing matches “&lt;zzz&gt;”") && html.contains("only public projects"), "{html}");
        assert_eq!(heading("Projects", 100, 130, false), "Projects: the first 100 of 130");
        assert_eq!(heading("Projects", 100, 500, true), "Projects: the first 100 of 500 or more");
        let html = page(SearchView::default());
        markup::check(&html);
        assert!(html.contains("any part of their names"));
    }
}
