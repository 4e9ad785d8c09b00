//! The list of projects, the portal's first page.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{ProjectRow, ProjectsView, server};
use crate::{
    address,
    kit::{Access, Art, Badge, Column, Empty, Filter, LinkButton, Moment, Pager, PastTheEnd, Table, grouped},
    listing::Listing,
    session::Visitor,
    shell::{Crumb, Frame, Place, Room, loaded},
};

/// `/harbor/projects`
#[component]
pub fn ProjectsPage() -> impl IntoView {
    let query = use_query_map();
    let listing = Memo::new(move |_| query.with(Listing::from_query));
    let answer = Resource::new(move || listing.get(), |list| server::projects(list.q, list.show, list.sort, list.page, list.size));
    loaded(answer, projects)
}

fn projects(visitor: Visitor, view: ProjectsView) -> AnyView {
    let signed_in = visitor.account.is_some();
    let place = Place { crumbs: vec![Crumb::here("Projects")], room: Room::Projects };
    let create = view.may_create.then(|| {
        view! {
            <div class="actions">
                <LinkButton href=address::NEW_PROJECT text="New project" icon=Some("plus") primary=true />
            </div>
        }
    });
    let lede = (!signed_in).then(|| view! { <p class="lede">"Public projects. Sign in to see yours."</p> });
    view! {
        <Frame visitor=visitor place=place>
            <header class="page-head">
                <div class="titles">
                    <h1>"Projects"</h1>
                    {lede}
                </div>
                {create}
            </header>
            {list(view, signed_in)}
        </Frame>
    }
    .into_any()
}

fn list(view: ProjectsView, signed_in: bool) -> AnyView {
    let ProjectsView { rows, total, listing, may_create } = view;
    let untouched = listing.q.is_empty() && listing.show.is_empty();
    if total == 0 && untouched {
        return view! { <section class="list">{nothing_yet(may_create, signed_in)}</section> }.into_any();
    }
    let content = if total == 0 {
        nothing_matches(&listing)
    } else if rows.is_empty() {
        view! { <PastTheEnd listing=listing.clone() path=address::PROJECTS.to_owned() total=total /> }.into_any()
    } else {
        let pager = view! { <Pager listing=listing.clone() path=address::PROJECTS.to_owned() total=total /> };
        view! { {table(&listing, rows, signed_in)} {pager} }.into_any()
    };
    view! {
        <section class="list" aria-labelledby="all">
            <h2 class="vh" id="all">
                "All projects"
            </h2>
            <Filter listing=listing.clone() path=address::PROJECTS.to_owned() label="Filter projects by name">
                {signed_in.then(|| visibility(&listing))}
            </Filter>
            {content}
        </section>
    }
    .into_any()
}

fn visibility(listing: &Listing) -> AnyView {
    let links = [("", "All"), ("private", "Private"), ("public", "Public")]
        .into_iter()
        .map(|(show, label)| {
            let href = listing.showing(show).href(address::PROJECTS);
            view! {
                <a href=href aria-current=(listing.show == show).then_some("true")>
                    {label}
                </a>
            }
        })
        .collect_view();
    view! {
        <div class="segmented" role="group" aria-label="Visibility">
            {links}
        </div>
    }
    .into_any()
}

fn table(listing: &Listing, rows: Vec<ProjectRow>, signed_in: bool) -> AnyView {
    let path = address::PROJECTS;
    let ordered = listing.ordered("name");
    let mut columns = vec![Column::sorted("Project", "", "name", &ordered, path)];
    // Who is not signed in has no role anywhere.
    columns.extend(signed_in.then(|| Column::new("Your role", "p3")));
    columns.push(Column::new("Repositories", "r"));
    columns.push(Column::sorted("Created", "", "creation_time", &ordered, path));
    view! {
        <Table caption="Projects".to_owned() label="Projects table" columns=columns>
            {rows.into_iter().map(|project| row(project, signed_in)).collect_view()}
        </Table>
    }
    .into_any()
}

fn row(project: ProjectRow, signed_in: bool) -> AnyView {
    let href = address::repositories(&project.id.to_string());
    let role = signed_in.then(|| {
        let role = match project.role {
            Some(role) => view! { {role} }.into_any(),
            None => view! { <span class="muted">"None"</span> }.into_any(),
        };
        view! {
            <td role="cell" class="p3" data-label="Your role">
                {role}
            </td>
        }
    });
    view! {
        <tr role="row">
            <th role="rowheader" scope="row" class="w">
                <span class="cell">
                    <a class="name" href=href>
                        {project.name}
                    </a>
                    <Access public=project.public />
                    {project.proxy.then(|| view! { <Badge text="Proxy" icon=Some("cloud") accent=true /> })}
                </span>
            </th>
            {role}
            <td role="cell" class="r num" data-label="Repositories">
                {grouped(project.repositories)}
            </td>
            <td role="cell" class="num" data-label="Created">
                <Moment at=project.created />
            </td>
        </tr>
    }
    .into_any()
}

fn nothing_yet(may_create: bool, signed_in: bool) -> AnyView {
    let (text, step) = if may_create {
        (
            "A project holds repositories and says who may use them. Make one, then push an image to it.",
            view! { <LinkButton href=address::NEW_PROJECT text="New project" icon=Some("plus") primary=true /> }.into_any(),
        )
    } else if signed_in {
        ("You are not a member of any project, and none is public. A project’s administrator can add you.", ().into_any())
    } else {
        (
            "No project is open to everyone. Sign in to see yours.",
            view! { <LinkButton href=address::sign_in(address::PROJECTS) text="Sign in" primary=true /> }.into_any(),
        )
    };
    view! {
        <Empty art=Art::Quay title="No projects yet">
            <p>{text}</p>
            <div class="row">{step}</div>
        </Empty>
    }
    .into_any()
}

fn nothing_matches(listing: &Listing) -> AnyView {
    let kind = match listing.show.as_str() {
        "public" => "public ",
        "private" => "private ",
        _ => "",
    };
    let (title, text) = if listing.q.is_empty() {
        (format!("No {kind}projects"), "The list shows one kind only.")
    } else {
        (format!("No {kind}project matches “{}”", listing.q), "The list looks for the text anywhere in a project’s name.")
    };
    view! {
        <Empty art=Art::Beacon title=title>
            <p>{text}</p>
            <div class="row">
                <LinkButton href=address::PROJECTS text="Clear the filters" />
            </div>
        </Empty>
    }
    .into_any()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::{markup, session::Account};

    fn someone() -> Visitor {
        let account = Account { name: "maya".into(), full_name: "Maya Lindqvist".into(), ..Account::default() };
        Visitor { account: Some(account), registry: "registry.example".into(), ..Visitor::default() }
    }

    fn some(listing: Listing, names: &[&str]) -> ProjectsView {
        let rows: Vec<_> = (1..)
            .zip(names)
            .map(|(id, name)| ProjectRow {
                id,
                name: (*name).to_owned(),
                public: id == 1,
                proxy: id == 2,
                role: (id == 1).then(|| "Maintainer".to_owned()),
                repositories: 1318,
                created: "2026-11-21T00:31:05Z".parse().unwrap(),
            })
            .collect();
        ProjectsView { total: rows.len() as u64, rows, listing, may_create: true }
    }

    #[test]
    fn the_list_reads_well() {
        let html = markup::render(|| projects(someone(), some(Listing::default(), &["library", "mirror"])));
        markup::check(&html);
        for part in [
            "href=\"/harbor/projects/1/repositories\"",
            "1,318",
            "Maintainer",
            "Public",
            "Private",
            "Proxy",
            "New project",
            "aria-sort=\"ascending\"",
            "sort=-name",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(html.contains("action=\"/account/sign-out\"") && html.contains("ML: your account, Maya Lindqvist"));
    }

    #[test]
    fn each_emptiness_has_its_own_words() {
        let empty = markup::render(|| projects(someone(), some(Listing::default(), &[])));
        markup::check(&empty);
        assert!(empty.contains("No projects yet") && !empty.contains("<table"));
        let hidden = markup::render(|| projects(someone(), some(Listing { q: "<x>".into(), ..Listing::default() }, &[])));
        markup::check(&hidden);
        assert!(hidden.contains("No project matches “&lt;x&gt;”"), "{hidden}");
        let of_no_kind = markup::render(|| projects(someone(), some(Listing { show: "public".into(), ..Listing::default() }, &[])));
        markup::check(&of_no_kind);
        assert!(of_no_kind.contains("No public projects") && !of_no_kind.contains("looks for the text"), "{of_no_kind}");
        let past = ProjectsView { total: 3, ..some(Listing::default().at_page(9), &[]) };
        let past = markup::render(|| projects(someone(), past));
        markup::check(&past);
        assert!(past.contains("There is no page 9") && !past.contains("looks for the text"), "{past}");
        let anonymous = markup::render(|| {
            let view = ProjectsView { may_create: false, ..some(Listing::default(), &[]) };
            projects(Visitor::default(), view)
        });
        markup::check(&anonymous);
        assert!(anonymous.contains("href=\"/account/sign-in?redirect_url=/harbor/projects\"") && !anonymous.contains("sign-out"));
    }
}
