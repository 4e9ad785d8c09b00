//! The page of a repository: tags first, with the artifacts they name.

use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{
    ArtifactRow, Kind, RepositoryView,
    commands::{self, Host, Reference},
    server::{self, DeleteRepository},
    table,
};
use crate::{
    address,
    kit::{Answers, Art, Commands, Empty, Filter, Icon, LinkButton, Outcome, PastTheEnd, Question, Recipe, Undone, grouped, name},
    listing::Listing,
    session::Visitor,
    shell::{Crumb, Frame, Place, Room, loaded},
};

/// `/harbor/projects/:id/repositories/:repo`
#[component]
pub fn RepositoryPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        let (project, repository) = params.with(|params| {
            let get = |key| params.get(key).unwrap_or_default();
            (get("id"), address::decoded_name(&get("repo")))
        });
        (project, repository, query.with(Listing::from_query))
    });
    let answer = Resource::new(
        move || asked.get(),
        |(project, name, list)| server::repository(project, name, list.q, list.show, list.sort, list.page, list.size),
    );
    let removal = ServerAction::<DeleteRepository>::new();
    loaded(answer, move |visitor, view| repository(visitor, view, removal))
}

fn repository(visitor: Visitor, view: RepositoryView, removal: ServerAction<DeleteRepository>) -> AnyView {
    let id = view.project_id.to_string();
    let place = Place {
        crumbs: vec![
            Crumb::to("Projects", address::PROJECTS),
            Crumb::to(view.project.clone(), address::repositories(&id)),
            Crumb::here(view.name.clone()),
        ],
        room: Room::Project { id: id.clone(), name: view.project.clone(), public: Some(view.public) },
    };
    let outcome = Signal::derive(move || removal.value().get());
    let head = head(&view, removal, outcome);
    let host = Host::of(&visitor);
    let pull = newest(&view).map(|row| pull(host, &view, row));
    let content = list(host, &id, view);
    view! {
        <Frame visitor=visitor place=place>
            <Undone outcome=outcome />
            {head}
            {pull}
            {content}
        </Frame>
    }
    .into_any()
}

/// The artifact whose pull command stands on top: the one of the tag that was asked for, else the first of the page that has a tag and can be
/// pulled, else the first.
fn newest(view: &RepositoryView) -> Option<&ArtifactRow> {
    let asked = view.rows.iter().find(|row| row.tags.first() == Some(&view.listing.q));
    let tagged = view.rows.iter().find(|row| !row.tags.is_empty() && row.kind != Kind::EmptyIndex);
    asked.or(tagged).or(view.rows.first())
}

fn head(view: &RepositoryView, removal: ServerAction<DeleteRepository>, outcome: Signal<Outcome>) -> AnyView {
    let delete = view.may_delete.then(|| view! { <div class="actions">{question(view, removal, outcome)}</div> });
    let artifacts = match view.artifacts {
        1 => "1 artifact".to_owned(),
        many => format!("{} artifacts", grouped(many)),
    };
    let pulls = match view.pulls {
        1 => "1 pull".to_owned(),
        many => format!("{} pulls", grouped(many)),
    };
    let description = view.description.clone();
    view! {
        <header class="page-head">
            <div class="titles">
                <h1>{name(&view.name)}</h1>
                {(!description.is_empty()).then(|| view! { <p class="lede">{description}</p> })}
                <p class="meta-line">
                    <span>
                        <Icon name="image" small=true />
                        {artifacts}
                    </span>
                    <span>
                        <Icon name="download" small=true />
                        {pulls}
                    </span>
                </p>
            </div>
            {delete}
        </header>
    }
    .into_any()
}

fn question(view: &RepositoryView, removal: ServerAction<DeleteRepository>, outcome: Signal<Outcome>) -> AnyView {
    let id = "delete-repository".to_owned();
    let artifacts = match view.artifacts {
        0 => "Nothing is in it.".to_owned(),
        1 => "Its artifact goes with all its tags and what is attached to it; pulling it fails from then on.".to_owned(),
        many => {
            format!("Its {} artifacts go with all their tags and what is attached to them; pulling them fails from then on.", grouped(many))
        }
    };
    let (project, path) = (view.project_id.to_string(), view.name.clone());
    view! {
        <Question id=id.clone() button=Some("Delete…") title=format!("Delete the repository {}?", view.name)>
            <p>{artifacts} " There is no way back."</p>
            <ActionForm action=removal>
                <input type="hidden" name="project" value=project />
                <input type="hidden" name="name" value=path />
                <Answers id=id deed="Delete the repository".to_owned() pending=removal.pending() outcome=outcome />
            </ActionForm>
        </Question>
    }
    .into_any()
}

fn pull(host: Host<'_>, view: &RepositoryView, row: &ArtifactRow) -> AnyView {
    let reference =
        Reference { host, project: &view.project, repository: &view.name, tag: row.tags.first().map(String::as_str), digest: &row.digest };
    view! { <Commands id="pull" label="Pull" recipes=commands::pull(&row.kind, reference) /> }.into_any()
}

fn list(host: Host<'_>, id: &str, view: RepositoryView) -> AnyView {
    let RepositoryView { project, name, rows, total, listing, may_push, .. } = view;
    let path = address::repository(id, &name);
    if total == 0 && listing.q.is_empty() && listing.show.is_empty() {
        return nothing_in_it(may_push.then(|| commands::push(host, &project, Some(&name))));
    }
    let content = if total == 0 {
        nothing_matches(&listing, &path)
    } else if rows.is_empty() {
        view! { <PastTheEnd listing=listing.clone() path=path.clone() total=total /> }.into_any()
    } else {
        table::table(id, &name, &path, &listing, rows, total)
    };
    view! {
        <section class="list" aria-labelledby="artifacts">
            <h2 class="vh" id="artifacts">
                "Tags and artifacts"
            </h2>
            <Filter listing=listing.clone() path=path.clone() label="Filter by tag" part="tag">
                {shown(&listing, &path)}
            </Filter>
            {content}
        </section>
    }
    .into_any()
}

/// A repository comes with what is first pushed to it, so an empty one had something or is about to.
fn nothing_in_it(push: Option<Vec<Recipe>>) -> AnyView {
    let more = push.is_some().then_some(" Push an image, and it shows up here with its tags and layers.");
    view! {
        <section class="list">
            <Empty art=Art::Quay title="This repository is empty">
                <p>"What was in it has been deleted, or its first push is not complete." {more}</p>
                {push.map(|recipes| view! { <Commands id="push" label="Push" recipes=recipes /> })}
            </Empty>
        </section>
    }
    .into_any()
}

fn shown(listing: &Listing, path: &str) -> AnyView {
    let links = [("", "All"), ("tagged", "Tagged"), ("untagged", "Untagged")]
        .into_iter()
        .map(|(show, label)| {
            let href = listing.showing(show).href(path);
            view! {
                <a href=href aria-current=(listing.show == show).then_some("true")>
                    {label}
                </a>
            }
        })
        .collect_view();
    view! {
        <div class="segmented" role="group" aria-label="Which artifacts">
            {links}
        </div>
    }
    .into_any()
}

fn nothing_matches(listing: &Listing, path: &str) -> AnyView {
    let (title, text) = match (listing.q.is_empty(), listing.show.as_str()) {
        (false, _) => (format!("No tag matches “{}”", listing.q), "The list looks for the text anywhere in a tag."),
        (true, "untagged") => ("Nothing of this kind".to_owned(), "Every artifact here has a tag."),
        (true, _) => ("Nothing of this kind".to_owned(), "No artifact here has a tag."),
    };
    let path = path.to_owned();
    view! {
        <Empty art=Art::Beacon title=title>
            <p>{text}</p>
            <div class="row">
                <LinkButton href=path text="Clear the filters" />
            </div>
        </Empty>
    }
    .into_any()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::markup;

    fn some(tags: &[&[&str]]) -> RepositoryView {
        let rows: Vec<_> = tags
            .iter()
            .enumerate()
            .map(|(at, tags)| ArtifactRow {
                digest: format!("sha256:{at:064x}"),
                kind: if at == 0 { Kind::Index } else { Kind::Image },
                tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
                platforms: vec!["linux/amd64".into(), "linux/arm64".into()],
                size: 402_653_184,
                accessories: at as u64,
                pushed: "2026-11-21T00:31:05Z".parse().unwrap(),
                pulled: model::Instant::ZERO_TIME,
            })
            .collect();
        RepositoryView {
            project_id: 3,
            project: "payments".into(),
            public: true,
            name: "services/app".into(),
            description: String::new(),
            artifacts: rows.len() as u64,
            pulls: 1,
            total: rows.len() as u64,
            rows,
            listing: Listing::default(),
            may_push: true,
            may_delete: true,
        }
    }

    fn page(view: RepositoryView) -> String {
        markup::render(move || repository(Visitor { registry: "registry.example".into(), ..Visitor::default() }, view, ServerAction::new()))
    }

    #[test]
    fn tags_come_first_and_everything_has_its_digest() {
        let html = page(some(&[&["v2", "latest"], &[]]));
        markup::check(&html);
        for part in [
            "/harbor/projects/3/repositories/services%2Fapp/artifacts-tab/artifacts/sha256:000",
            "docker pull registry.example/payments/services/app:v2",
            "latest",
            "Untagged",
            "384 MiB",
            "linux/amd64, linux/arm64",
            "1 attached",
            "Never",
            "1 pull",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
    }

    #[test]
    fn an_empty_repository_says_how_to_push() {
        let html = page(some(&[]));
        markup::check(&html);
        assert!(html.contains("docker push registry.example/payments/services/app:TAG"), "{html}");
        assert!(html.contains("This repository is empty") && html.contains("has been deleted"), "{html}");
    }

    #[test]
    fn each_emptiness_has_its_own_words() {
        let empty = |listing: Listing, total| {
            let html = page(RepositoryView { listing, total, ..some(&[]) });
            markup::check(&html);
            html
        };
        let filtered = empty(Listing { q: "zzz".into(), ..Listing::default() }, 0);
        assert!(filtered.contains("No tag matches “zzz”") && filtered.contains("The tag has “zzz”"), "{filtered}");
        let untagged = empty(Listing { show: "untagged".into(), ..Listing::default() }, 0);
        assert!(untagged.contains("Every artifact here has a tag.") && !untagged.contains("looks for the text"), "{untagged}");
        let past = empty(Listing::default().at_page(9), 60);
        assert!(past.contains("There is no page 9") && past.contains("page=3"), "{past}");
    }

    #[test]
    fn the_tag_that_was_asked_for_is_pulled_and_all_tags_have_their_place() {
        let many = ["v1", "a", "b", "c", "d", "e", "f", "g", "h"];
        let view = some(&[&["v10"], &many]);
        let html = page(RepositoryView { listing: Listing { q: "v1".into(), ..Listing::default() }, ..view });
        markup::check(&html);
        assert!(html.contains("docker pull registry.example/payments/services/app:v1<"), "{html}");
        let digest = format!("sha256:{:064x}", 1);
        let all = format!("href=\"/harbor/projects/3/repositories/services%2Fapp/artifacts-tab/artifacts/{digest}#tags\"");
        assert!(html.contains(&all) && html.contains("and 2 more"), "{html}");
        assert!(html.contains("/artifacts-tab/artifacts/v1\""), "the name leads to its tag: {html}");
    }

    #[test]
    fn what_may_not_be_done_is_not_offered() {
        let html = page(some(&[&["v2"]]));
        markup::check(&html);
        for part in ["Delete the repository services/app?", "action=\"/ui/fn/delete-repository\"", "There is no way back."] {
            assert!(html.contains(part), "{part} in {html}");
        }
        let html = page(RepositoryView { may_delete: false, may_push: false, ..some(&[]) });
        markup::check(&html);
        assert!(!html.contains("delete-repository") && !html.contains("docker push"), "{html}");
    }

    #[test]
    fn kinds_follow_the_api() {
        assert_eq!(Kind::of("IMAGE", "application/vnd.oci.image.index.v1+json"), Kind::Index);
        assert_eq!(Kind::of("IMAGE", "application/vnd.docker.distribution.manifest.v2+json"), Kind::Image);
        assert_eq!(Kind::of("CHART", "application/vnd.oci.image.manifest.v1+json"), Kind::Chart);
        assert_eq!(Kind::of("WASM", "application/vnd.oci.image.manifest.v1+json").word(), "WASM");
    }
}
