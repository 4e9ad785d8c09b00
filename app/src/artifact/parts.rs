//! The smaller sections of the artifact page: platforms, tags, attached artifacts, configuration, annotations. Each is absent when it would be
//! empty.

use std::collections::BTreeMap;

use leptos::prelude::*;

use super::{AccessoryRow, ArtifactView, DocumentView, ImageConfig, Part, PlatformRow, removal::Removal};
use crate::{
    address,
    kit::{Badge, Bytes, Column, Copy, Digest, Moment, Table, media_type},
};

/// The manifests of an index.
pub(super) fn platforms(view: &ArtifactView) -> Option<AnyView> {
    if view.platforms.is_empty() {
        return None;
    }
    let project = view.project_id.to_string();
    let rows = view
        .platforms
        .iter()
        .map(|row| {
            let href = row.size.is_some().then(|| address::artifact(&project, &view.repository, &row.digest));
            let size = match row.size {
                Some(size) => view! { <Bytes size=size /> }.into_any(),
                None => view! { <span class="muted">"Not in this repository"</span> }.into_any(),
            };
            view! {
                <tr role="row">
                    <th role="rowheader" scope="row" class="w">
                        {platform_name(row)}
                    </th>
                    <td role="cell" data-label="Digest">
                        <Digest digest=row.digest.clone() href=href />
                    </td>
                    <td role="cell" class="r num" data-label="Size">
                        {size}
                    </td>
                </tr>
            }
        })
        .collect_view();
    let columns = vec![Column::new("Platform", ""), Column::new("Digest", ""), Column::new("Size", "r")];
    let table = view! {
        <Table caption="Platforms of this index".to_owned() label="Platforms table" columns=columns>
            {rows}
        </Table>
    };
    Some(list("platforms", "Platforms", table.into_any()))
}

fn platform_name(row: &PlatformRow) -> AnyView {
    match &row.attests {
        Some(subject) => view! {
            "Attestation "
            <span class="muted">"of "</span>
            <span class="mono muted">{subject.clone()}</span>
        }
        .into_any(),
        None if row.platform.is_empty() => view! { "Not named" }.into_any(),
        None => view! { <span class="mono">{row.platform.clone()}</span> }.into_any(),
    }
}

/// The tags with their times.
pub(super) fn tags(view: &ArtifactView, removal: Removal) -> Option<AnyView> {
    if view.tags.is_empty() {
        return None;
    }
    let rows = view
        .tags
        .iter()
        .enumerate()
        .map(|(at, tag)| {
            let remove = view.may_untag.then(|| {
                let button = (!tag.immutable).then(|| removal.tag(view, at, &tag.name));
                view! {
                    <td role="cell" class="r act">
                        {button}
                    </td>
                }
            });
            view! {
                <tr role="row">
                    <th role="rowheader" scope="row" class="w">
                        <span class="cell">
                            <span class="mono">{tag.name.clone()}</span>
                            {tag.immutable.then(|| view! { <Badge text="Immutable" icon=Some("lock") /> })}
                        </span>
                    </th>
                    <td role="cell" class="num" data-label="Last pull">
                        <Moment at=tag.pulled />
                    </td>
                    <td role="cell" class="num" data-label="Pushed">
                        <Moment at=tag.pushed />
                    </td>
                    {remove}
                </tr>
            }
        })
        .collect_view();
    let mut columns = vec![Column::new("Tag", ""), Column::new("Last pull", ""), Column::new("Pushed", "")];
    if view.may_untag {
        columns.push(Column::new("Delete", "r act"));
    }
    let table = view! {
        <Table caption="Tags of this artifact".to_owned() label="Tags table" columns=columns>
            {rows}
        </Table>
    };
    Some(list("tags", "Tags", table.into_any()))
}

/// Signatures, SBOMs and whatever else refers to this artifact.
pub(super) fn attached(view: &ArtifactView) -> Option<AnyView> {
    if view.accessories.is_empty() {
        return None;
    }
    let project = view.project_id.to_string();
    let rows = view
        .accessories
        .iter()
        .map(|row| {
            let href = address::artifact(&project, &view.repository, &row.digest);
            view! {
                <tr role="row">
                    <th role="rowheader" scope="row" class="w">
                        {accessory_name(&row.kind)}
                        <span class="sub mono">{accessory_type(row)}</span>
                    </th>
                    <td role="cell" data-label="Digest">
                        <Digest digest=row.digest.clone() href=Some(href) />
                    </td>
                    <td role="cell" class="r num" data-label="Size">
                        <Bytes size=row.size />
                    </td>
                    <td role="cell" class="num" data-label="Added">
                        <Moment at=row.created />
                    </td>
                </tr>
            }
        })
        .collect_view();
    let columns = vec![Column::new("Kind", ""), Column::new("Digest", ""), Column::new("Size", "r"), Column::new("Added", "")];
    let table = view! {
        <Table caption="What refers to this artifact".to_owned() label="Attached table" columns=columns>
            {rows}
        </Table>
    };
    Some(list("attached", "Attached", table.into_any()))
}

/// What the accessory says to be, else the API's word for it.
fn accessory_type(row: &AccessoryRow) -> AnyView {
    if row.artifact_type.is_empty() { row.kind.clone().into_any() } else { media_type(&row.artifact_type) }
}

/// The words for what has no kind of its own.
pub(super) const ATTACHED: &str = "Attached artifact";

/// The words for what the API calls by type.
pub(super) fn accessory_name(kind: &str) -> &'static str {
    match kind {
        "signature.cosign" => "Cosign signature",
        "signature.notation" => "Notation signature",
        "accelerator.nydus" => "Nydus image",
        "sbom.harbor" => "Bill of materials (SBOM)",
        _ => ATTACHED,
    }
}

fn list(id: &'static str, title: &'static str, table: AnyView) -> AnyView {
    view! {
        <section class="list" id=id aria-labelledby=format!("{id}-title")>
            <div class="toolbar">
                <h2 id=format!("{id}-title")>{title}</h2>
            </div>
            {table}
        </section>
    }
    .into_any()
}

/// What a container of this image starts with.
pub(super) fn configuration(config: &ImageConfig) -> Option<AnyView> {
    if *config == ImageConfig::default() {
        return None;
    }
    let sets = |set: &BTreeMap<String, super::view::Nothing>| set.keys().cloned().collect::<Vec<_>>().join(", ");
    let facts = [
        ("Entrypoint", words(&config.entrypoint)),
        ("Command", words(&config.cmd)),
        ("User", config.user.clone()),
        ("Working directory", config.working_dir.clone()),
        ("Ports", sets(&config.exposed_ports)),
        ("Volumes", sets(&config.volumes)),
        ("Stop signal", config.stop_signal.clone()),
    ];
    let facts = facts.into_iter().filter(|(_, value)| !value.is_empty()).map(pair).collect_view();
    let environment = (!config.env.is_empty()).then(|| environment(&config.env));
    let labels = (!config.labels.is_empty()).then(|| {
        view! {
            <h3>"Labels"</h3>
            {pairs(&config.labels)}
        }
    });
    let body = view! {
        <dl class="dl">{facts}</dl>
        {environment}
        {labels}
    };
    Some(card("config", "Configuration", body.into_any()))
}

fn pair((term, value): (&'static str, String)) -> AnyView {
    view! {
        <dt>{term}</dt>
        <dd class="mono xs">{value}</dd>
    }
    .into_any()
}

/// Arguments as one would type them: those with spaces or quotes in quotes.
fn words(arguments: &[String]) -> String {
    let plain = |word: &str| !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || c == '"' || c == '\'' || c == '\\');
    arguments.iter().map(|word| if plain(word) { word.clone() } else { format!("{word:?}") }).collect::<Vec<_>>().join(" ")
}

fn environment(variables: &[String]) -> AnyView {
    let lines = variables
        .iter()
        .map(|variable| {
            let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
            view! {
                <span class="l">
                    <span class="k">{name.to_owned()}</span>
                    "="
                    <span class="s">{value.to_owned()}</span>
                </span>
            }
        })
        .collect_view();
    view! {
        <h3>"Environment"</h3>
        <pre class="code" tabindex="0" role="group" aria-label="Environment">
            {lines}
        </pre>
    }
    .into_any()
}

/// What an artifact that is no image says of itself.
pub(super) fn details(view: &ArtifactView) -> Option<AnyView> {
    if view.details.is_empty() {
        return None;
    }
    let rows = view
        .details
        .iter()
        .map(|(term, value)| {
            view! {
                <dt>{term.clone()}</dt>
                <dd>{value.clone()}</dd>
            }
        })
        .collect_view();
    Some(card("details", "Details", view! { <dl class="dl">{rows}</dl> }.into_any()))
}

/// The annotations as they were pushed.
pub(super) fn annotations(view: &ArtifactView) -> Option<AnyView> {
    (!view.annotations.is_empty()).then(|| card("annotations", "Annotations", pairs(&view.annotations)))
}

/// The manifest and the configuration as they are, folded: long, and for those who know the type.
pub(super) fn documents(view: &ArtifactView) -> Option<AnyView> {
    if view.documents.is_empty() {
        return None;
    }
    let folds = view.documents.iter().map(document).collect_view();
    Some(card("manifest", "Manifest", folds.into_any()))
}

fn document(shown: &DocumentView) -> AnyView {
    let name = match shown.part {
        Part::Manifest => "Manifest as JSON",
        Part::Configuration => "Configuration as JSON",
    };
    let cut = shown.is_cut.then(|| view! { <p class="sm muted">"Only the beginning is shown."</p> });
    // A part of a document is of no use elsewhere.
    let copy = (!shown.is_cut).then(|| view! { <Copy text=shown.text.clone() label=format!("Copy: {name}") /> });
    view! {
        <details class="fold">
            <summary>{name}</summary>
            <div class="copied">
                <pre class="code" tabindex="0" role="group" aria-label=name>
                    {shown.text.clone()}
                </pre>
                {copy}
            </div>
            {cut}
        </details>
    }
    .into_any()
}

fn pairs(all: &BTreeMap<String, String>) -> AnyView {
    let rows = all
        .iter()
        .map(|(key, value)| {
            view! {
                <dt class="mono xs">{key.clone()}</dt>
                <dd class="mono xs">{value.clone()}</dd>
            }
        })
        .collect_view();
    view! { <dl class="dl raw">{rows}</dl> }.into_any()
}

fn card(id: &'static str, title: &'static str, body: AnyView) -> AnyView {
    view! {
        <section class="card" id=id aria-labelledby=format!("{id}-title")>
            <header>
                <h2 id=format!("{id}-title")>{title}</h2>
            </header>
            <div class="body">{body}</div>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn arguments_are_quoted_where_they_must() {
        let words = |list: &[&str]| words(&list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(words(&["/bin/sh", "-c", "echo hi"]), "/bin/sh -c \"echo hi\"");
        assert_eq!(words(&["a", ""]), "a \"\"");
        assert_eq!(words(&[]), "");
    }
}
