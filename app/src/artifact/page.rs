//! The page of an artifact: identity and pull commands first, the proof below.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{ArtifactView, facts, layers, parts, removal::Removal, server};
use crate::{
    address,
    kit::{Badge, Commands, FullDigest, Icon, Notice, Tab, Tabs, Tone, Undone},
    repository::{
        Kind,
        commands::{self, Host, Reference},
    },
    session::Visitor,
    shell::{Crumb, Frame, Place, Room, loaded},
};

/// `/harbor/projects/:id/repositories/:repo/artifacts-tab/artifacts/:digest`
#[component]
pub fn ArtifactPage() -> impl IntoView {
    let params = use_params_map();
    let asked = Memo::new(move |_| {
        params.with(|params| {
            let get = |key| params.get(key).unwrap_or_default();
            (get("id"), address::decoded_name(&get("repo")), address::decoded_name(&get("digest")))
        })
    });
    let removal = Removal::new();
    let answer = Resource::new(
        move || (asked.get(), removal.untagged()),
        |((project, repository, reference), _)| server::artifact(project, repository, reference),
    );
    loaded(answer, move |visitor, view| artifact(visitor, view, removal))
}

fn artifact(visitor: Visitor, view: ArtifactView, removal: Removal) -> AnyView {
    let id = view.project_id.to_string();
    let place = Place {
        crumbs: vec![
            Crumb::to("Projects", address::PROJECTS),
            Crumb::to(view.project.clone(), address::repositories(&id)),
            Crumb::to(view.repository.clone(), address::repository(&id, &view.repository)),
            Crumb::here(name(&view)),
        ],
        room: Room::Project { id, name: view.project.clone(), public: Some(view.public) },
    };
    let sections = Sections::of(&view, removal);
    let tabs = sections.tabs(&view);
    let host = Host::of(&visitor);
    let pull = pull(host, &view);
    view! {
        <Frame visitor=visitor place=place>
            <Undone outcome=removal.of_artifact() />
            <Undone outcome=removal.of_tag() />
            {head(&view, removal)}
            {(view.kind == Kind::EmptyIndex).then(|| view! { <Notice tone=Tone::Info text=NO_PLATFORMS /> })}
            {pull}
            {facts::facts(&view)}
            {tabs}
            {sections.views()}
        </Frame>
    }
    .into_any()
}

const NO_PLATFORMS: &str = "This index names no platforms: there is no image to pull, only the index’s own manifest to fetch.";

/// How the artifact is called: by its first tag, else by twelve digits.
fn name(view: &ArtifactView) -> String {
    view.tags.first().map_or_else(
        || view.digest.split_once(':').and_then(|(_, hex)| hex.get(..12)).unwrap_or(&view.digest).to_owned(),
        |tag| tag.name.clone(),
    )
}

/// The sections that this artifact has, in order.
struct Sections(Vec<(&'static str, &'static str, AnyView)>);

impl Sections {
    fn of(view: &ArtifactView, removal: Removal) -> Self {
        let all = [
            ("platforms", "Platforms", parts::platforms(view)),
            ("details", "Details", parts::details(view)),
            ("layers", layers::title(view), layers::section(view)),
            ("config", "Configuration", view.config.as_ref().and_then(parts::configuration)),
            ("attached", "Attached", parts::attached(view)),
            ("tags", "Tags", parts::tags(view, removal)),
            ("annotations", "Annotations", parts::annotations(view)),
            ("manifest", "Manifest", parts::documents(view)),
        ];
        Self(all.into_iter().filter_map(|(id, title, view)| Some((id, title, view?))).collect())
    }

    fn tabs(&self, view: &ArtifactView) -> Option<AnyView> {
        if self.0.len() < 2 {
            return None;
        }
        let count = |id| match id {
            "platforms" => Some(view.platforms.iter().filter(|row| row.attests.is_none()).count()),
            "layers" => Some(view.layers.len()),
            "attached" => Some(view.accessories.len()),
            "tags" => Some(view.tags.len()),
            "annotations" => Some(view.annotations.len()),
            _ => None,
        };
        let tabs = self.0.iter().map(|(id, title, _)| Tab { to: id, label: title, count: count(*id).map(|count| count as u64) }).collect();
        Some(view! { <Tabs tabs=tabs /> }.into_any())
    }

    fn views(self) -> Vec<AnyView> {
        self.0.into_iter().map(|(_, _, view)| view).collect()
    }
}

fn head(view: &ArtifactView, removal: Removal) -> AnyView {
    let delete = removal.artifact(view, &name(view)).map(|button| view! { <div class="actions">{button}</div> });
    let tagged = !view.tags.is_empty();
    let others = (view.tags.len() > 1).then(|| {
        let others = view.tags.iter().skip(1).map(|tag| view! { <Badge text=tag.name.clone() icon=Some("tag") /> }).collect_view();
        view! {
            <p class="row sm">
                <span class="muted">"Also tagged"</span>
                {others}
            </p>
        }
    });
    view! {
        <header class="page-head">
            <div class="titles">
                <h1>
                    <Icon name=view.kind.icon() />
                    <span class="mono">{name(view)}</span>
                    <Badge text=view.kind.word().to_owned() accent=true />
                    {(!tagged).then(|| view! { <Badge text="Untagged" /> })}
                </h1>
                <FullDigest digest=view.digest.clone() />
                {others}
            </div>
            {delete}
        </header>
    }
    .into_any()
}

fn pull(host: Host<'_>, view: &ArtifactView) -> AnyView {
    let reference = |tag| Reference { host, project: &view.project, repository: &view.repository, tag, digest: &view.digest };
    let (tag_label, digest_label) = match view.kind {
        Kind::EmptyIndex => ("Fetch by tag", "Fetch by digest"),
        _ => ("Pull by tag", "Pull by digest"),
    };
    let by_tag = view.tags.first().map(|tag| {
        let recipes = commands::pull(&view.kind, reference(Some(tag.name.as_str())));
        view! { <Commands id="pull-tag" label=tag_label recipes=recipes /> }
    });
    let by_digest = commands::pull(&view.kind, reference(None));
    match by_tag {
        Some(by_tag) => view! {
            {by_tag}
            <details class="fold">
                <summary>{digest_label}</summary>
                <Commands id="pull-digest" label=digest_label recipes=by_digest />
            </details>
        }
        .into_any(),
        None => view! { <Commands id="pull-digest" label=digest_label recipes=by_digest /> }.into_any(),
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        artifact::{AccessoryRow, DocumentView, HistoryRow, ImageConfig, LayerRow, Part, PlatformRow, SubjectView, TagRow},
        markup,
    };

    const DIGEST: &str = "sha256:8b53639f152c8fc6ef30802fde462ba0be9cf085f7580dc69efd72e002abbb35";

    fn bare(kind: Kind) -> ArtifactView {
        ArtifactView {
            project_id: 3,
            project: "payments".into(),
            repository: "services/app".into(),
            digest: DIGEST.into(),
            kind,
            media_type: "application/vnd.oci.image.manifest.v1+json".into(),
            artifact_type: String::new(),
            size: 1024,
            platform: None,
            created: None,
            author: String::new(),
            pushed: "2026-11-21T00:31:05Z".parse().unwrap(),
            pulled: model::Instant::ZERO_TIME,
            tags: Vec::new(),
            platforms: Vec::new(),
            layers: Vec::new(),
            history: Vec::new(),
            config: None,
            details: Vec::new(),
            annotations: BTreeMap::new(),
            accessories: Vec::new(),
            subject: None,
            documents: Vec::new(),
            public: true,
            may_delete: false,
            may_untag: false,
        }
    }

    fn attached(kind: &str, artifact_type: &str) -> AccessoryRow {
        AccessoryRow {
            kind: kind.into(),
            artifact_type: artifact_type.into(),
            digest: DIGEST.into(),
            size: 4096,
            created: "2026-11-21T00:31:05Z".parse().unwrap(),
        }
    }

    fn image() -> ArtifactView {
        let at = "2026-11-21T00:31:05Z".parse().unwrap();
        let tag = |name: &str| TagRow { name: name.into(), pushed: at, pulled: at, immutable: name == "v2" };
        let layer = |size| LayerRow {
            digest: format!("sha256:{size:064x}"),
            media_type: "application/vnd.oci.image.layer.v1.tar+gzip".into(),
            size,
            title: String::new(),
        };
        ArtifactView {
            platform: Some("linux/amd64".into()),
            created: Some(at),
            author: "Maya".into(),
            tags: vec![tag("v2"), tag("latest")],
            layers: vec![layer(300), layer(100)],
            history: vec![
                HistoryRow { created_by: "ADD rootfs /".into(), ..HistoryRow::default() },
                HistoryRow { created_by: "ENV A=<b>".into(), empty_layer: true, ..HistoryRow::default() },
                HistoryRow { created_by: "/bin/sh -c make".into(), ..HistoryRow::default() },
            ],
            config: Some(ImageConfig { env: vec!["A=<b>".into()], cmd: vec!["/app".into(), "a b".into()], ..ImageConfig::default() }),
            annotations: BTreeMap::from([("org.example.key".into(), "\"quoted\" & <odd>".into())]),
            accessories: vec![attached("signature.cosign", "")],
            ..bare(Kind::Image)
        }
    }

    fn page(view: ArtifactView) -> String {
        markup::render(move || artifact(Visitor { registry: "registry.example".into(), ..Visitor::default() }, view, Removal::new()))
    }

    #[test]
    fn an_image_shows_all_its_parts() {
        let html = page(image());
        markup::check(&html);
        for part in [
            "docker pull registry.example/payments/services/app:v2",
            &format!("docker pull registry.example/payments/services/app@{DIGEST}"),
            "Also tagged",
            "RUN make",
            "ENV A=&lt;b&gt;",
            "x=\"75.00\" width=\"25.00\"",
            "No layer",
            "/app \"a b\"",
            "&lt;odd&gt;",
            "signature.cosign",
            "Cosign signature",
            "href=\"#layers\"",
            "linux/amd64",
            "Immutable",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
    }

    #[test]
    fn what_may_be_deleted_asks_first() {
        let html = page(ArtifactView { may_delete: true, may_untag: true, ..image() });
        markup::check(&html);
        for part in ["Delete v2?", "Its 2 tags go with it", "action=\"/ui/fn/delete-artifact\"", "Delete the tag latest?"] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(!html.contains("Delete the tag v2?"), "it is immutable: {html}");
        assert!(html.contains("What is attached to it goes too: Cosign signature."), "{html}");
        assert!(!page(image()).contains("/ui/fn/delete-"));
    }

    #[test]
    fn the_question_names_what_goes_too() {
        let asked = |view| page(ArtifactView { may_delete: true, ..view });
        let bill = || attached("subject.accessory", "application/spdx+json");
        let many = ArtifactView { accessories: vec![bill(), attached("signature.cosign", ""), bill()], ..bare(Kind::Index) };
        let html = asked(many);
        assert!(html.contains("What is attached to it goes too: 2 × application/spdx+json, Cosign signature."), "{html}");
        assert!(html.contains("Images of its platforms go too"), "{html}");
        let html = asked(bare(Kind::Image));
        assert!(!html.contains("goes too") && !html.contains("go too"), "{html}");
    }

    #[test]
    fn what_is_attached_says_what_it_is_and_leads_to_what_it_is_attached_to() {
        let html = page(ArtifactView { accessories: vec![attached("subject.accessory", "application/x.bill")], ..bare(Kind::Image) });
        markup::check(&html);
        assert!(markup::text(&html).contains("Attached artifactapplication/x.bill"), "{html}");
        let subject = |is_here| {
            let subject = SubjectView { digest: format!("sha256:{:064x}", 7), is_here };
            page(ArtifactView { subject: Some(subject), ..bare(Kind::Other("UNKNOWN".into())) })
        };
        let html = subject(true);
        markup::check(&html);
        assert!(html.contains(&format!("/artifacts-tab/artifacts/sha256:{:064x}\"", 7)) && html.contains("Attached to"), "{html}");
        let html = subject(false);
        assert!(!html.contains("/artifacts-tab/artifacts/") && html.contains("Not in this repository"), "{html}");
    }

    #[test]
    fn layers_are_called_what_they_are() {
        let layer = |title: &str| LayerRow { digest: DIGEST.into(), media_type: "text/plain".into(), size: 9, title: title.into() };
        let of = |kind, title| {
            let html = page(ArtifactView { layers: vec![layer(title)], ..bare(kind) });
            markup::check(&html);
            html
        };
        let files = of(Kind::Other("POLICY".into()), "gate.rego");
        assert!(files.contains(">Files<") && files.contains("gate.rego") && !files.contains("Build steps"), "{files}");
        assert!(!files.contains("Step") && !files.contains("Layer"), "{files}");
        let chart = of(Kind::Chart, "");
        assert!(chart.contains(">Layers<") && !chart.contains("Step") && !chart.contains("Build steps"), "{chart}");
        assert!(page(image()).contains("Build steps"));
    }

    #[test]
    fn an_empty_index_says_that_it_has_no_platforms() {
        let html = page(bare(Kind::EmptyIndex));
        markup::check(&html);
        assert!(html.contains("This index names no platforms") && html.contains("oras manifest fetch"), "{html}");
        assert!(!html.contains("Multi-platform") && !html.contains("docker pull"), "{html}");
    }

    #[test]
    fn an_index_shows_its_platforms_and_what_is_missing() {
        let row = |platform: &str, size| PlatformRow { platform: platform.into(), attests: None, digest: DIGEST.into(), size };
        let html = page(ArtifactView { platforms: vec![row("linux/amd64", Some(10)), row("linux/arm64/v8", None)], ..bare(Kind::Index) });
        markup::check(&html);
        assert!(html.contains("Multi-platform") && html.contains("linux/arm64/v8") && html.contains("Not in this repository"));
        assert!(!html.contains("id=\"layers\""));
    }

    #[test]
    fn an_attestation_is_no_platform() {
        let row = |attests: Option<&str>| PlatformRow {
            platform: "linux/amd64".into(),
            attests: attests.map(str::to_owned),
            digest: DIGEST.into(),
            size: Some(1),
        };
        let platforms = vec![row(None), row(Some("linux/amd64"))];
        let html = page(ArtifactView { platforms, annotations: BTreeMap::from([("a".into(), "b".into())]), ..bare(Kind::Index) });
        markup::check(&html);
        assert!(html.contains("Attestation ") && html.contains("<span class=\"count\">1</span>"), "{html}");
    }

    #[test]
    fn documents_are_folded_and_escaped() {
        let shown = |part, is_cut| DocumentView { part, text: "{\n  \"a\": \"</pre><script>\"\n}".into(), is_cut };
        let documents = vec![shown(Part::Manifest, false), shown(Part::Configuration, true)];
        let html =
            page(ArtifactView { documents, annotations: BTreeMap::from([("a".into(), "b".into())]), ..bare(Kind::Other("POLICY".into())) });
        markup::check(&html);
        assert!(
            html.contains("Manifest as JSON") && html.contains("Configuration as JSON") && html.contains("href=\"#manifest\""),
            "{html}"
        );
        assert!(html.contains("&lt;/pre&gt;&lt;script&gt;") && !html.contains("</pre><script>"), "{html}");
        assert_eq!(html.matches("Only the beginning is shown.").count(), 1);
        assert_eq!(html.matches("aria-label=\"Copy: ").count(), 1, "a part is not copied");
        assert!(!html.contains("<details class=\"fold\" open"));
    }

    #[test]
    fn a_bare_artifact_is_still_a_page() {
        let html = page(bare(Kind::Other("WASM".into())));
        markup::check(&html);
        assert!(html.contains("oras pull registry.example/payments/services/app@sha256:8b53") && html.contains("Untagged"));
        assert!(!html.contains("class=\"tabs"));
    }
}
