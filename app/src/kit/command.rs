//! Commands to copy, one tab per client. The tabs are radios that the style sheet reads, so they work without scripts.

use leptos::prelude::*;

use super::Copy;

/// What to type for one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// The client's short name, which the style sheet knows: docker, podman, nerdctl, crane, skopeo, oras, helm or k8s.
    pub client: &'static str,
    /// The client's name for people.
    pub label: &'static str,
    /// The lines.
    pub lines: Vec<String>,
    /// Whether the lines are typed into a shell; a line of configuration has no `$` in front.
    pub shell: bool,
}

/// The recipes of several clients under one another's tabs.
#[component]
pub fn Commands(
    /// Distinguishes this group of tabs from the others of the page.
    id: &'static str,
    /// What the commands do: "Pull by tag".
    label: &'static str,
    /// At least one.
    recipes: Vec<Recipe>,
) -> impl IntoView {
    let tabs = (recipes.len() > 1).then(|| {
        let tabs = recipes
            .iter()
            .enumerate()
            .map(|(at, recipe)| {
                view! {
                    <label>
                        <input class="vh" type="radio" name=id value=recipe.client checked={at == 0} autocomplete="off" />
                        {recipe.label}
                    </label>
                }
            })
            .collect_view();
        view! {
            <fieldset>
                <legend class="vh">{format!("{label}: choose your client")}</legend>
                {tabs}
            </fieldset>
        }
    });
    view! {
        <div class="cmd">
            {tabs} {recipes.into_iter().map(|recipe| lines(label, recipe)).collect_view()}
        </div>
    }
    .into_any()
}

fn lines(label: &'static str, recipe: Recipe) -> AnyView {
    let all = recipe.lines.join("\n");
    let shell = recipe.shell;
    let shown = recipe
        .lines
        .into_iter()
        .map(|line| view! { <span class="l">{shell.then(|| view! { <span class="p">"$ "</span> })} {words(&line)}</span> })
        .collect_view();
    view! {
        <div class=format!("line {}", recipe.client)>
            <pre tabindex="0" role="group" aria-label=format!("{label}, {}", recipe.label)>
                <code>{shown}</code>
            </pre>
            <Copy text=all label=format!("Copy the {} command", recipe.label) />
        </div>
    }
    .into_any()
}

/// A line whose options do not break after their hyphens; everything else may break anywhere.
fn words(line: &str) -> AnyView {
    let mut parts: Vec<(bool, String)> = Vec::new();
    // Spaces stay outside of options: the line may break there.
    for word in line.split(' ').flat_map(|word| [" ", word]).skip(1) {
        let option = word.starts_with('-') && word.len() <= LONGEST_OPTION;
        match parts.last_mut() {
            Some((false, text)) if !option => text.push_str(word),
            _ => parts.push((option, word.to_owned())),
        }
    }
    let part = |(option, text): (bool, String)| if option { view! { <span class="opt">{text}</span> }.into_any() } else { text.into_any() };
    parts.into_iter().map(part).collect_view().into_any()
}

/// Letters of an option that surely fit a narrow screen.
const LONGEST_OPTION: usize = 24;
