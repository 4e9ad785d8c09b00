//! The rules that are in force in a project, read once and remembered, and what they protect.

use std::sync::Arc;

use model::api::{ImmutableRule, ImmutableSelector};
use model::{ArtifactId, ProjectId, RepositoryId};
use store::Link;

use super::pattern::Pattern;
use crate::{Core, Error, Result};

/// Names of tags that are looked at together.
const BATCH: i64 = 1_000;

/// What a pattern says about a name.
#[derive(Clone, Debug)]
struct Selector {
    pattern: Pattern,
    excludes: bool,
}

impl Selector {
    /// `None` for one that selects nothing.
    fn new(selector: &ImmutableSelector, matches: &str, excludes: &str) -> Option<Self> {
        if selector.kind != "doublestar" {
            return None;
        }
        let excludes = match selector.decoration.as_str() {
            d if d == matches => false,
            d if d == excludes => true,
            _ => return None,
        };
        Some(Self { pattern: Pattern::new(&selector.pattern)?, excludes })
    }

    fn selects(&self, name: &str) -> bool {
        self.pattern.matches(name) != self.excludes
    }
}

/// The rules in force in a project: pairs of what selects repositories and what selects their tags.
#[derive(Clone, Debug, Default)]
pub struct Rules(Vec<(Selector, Selector)>);

impl Rules {
    /// Of the texts in the database; rules that protect nothing are left out.
    fn read(texts: &[String]) -> Result<Self> {
        let mut rules = Vec::with_capacity(texts.len());
        for text in texts {
            let rule: ImmutableRule = serde_json::from_str(text).map_err(Error::internal)?;
            let scope = rule.scope_selectors.as_ref().and_then(|scopes| scopes.get("repository")?.as_ref()?.first());
            let tag = rule.tag_selectors.as_ref().and_then(|selectors| selectors.first());
            let scope = scope.and_then(|s| Selector::new(s, "repoMatches", "repoExcludes"));
            rules.extend(scope.zip(tag.and_then(|s| Selector::new(s, "matches", "excludes"))));
        }
        Ok(Self(rules))
    }

    /// What they protect in the repository with this path inside the project.
    pub fn of<'a>(&'a self, repository: &'a str) -> Protected<'a> {
        let tags = self.0.iter().filter(|(scope, _)| scope.selects(repository)).map(|(_, tag)| tag).collect();
        Protected { repository, tags }
    }
}

/// What is protected in a repository.
#[derive(Debug)]
pub struct Protected<'a> {
    repository: &'a str,
    tags: Vec<&'a Selector>,
}

/// What is about to happen to tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Somebody pushes to the tag.
    Push,
    /// The tag goes, alone or with what it names.
    Delete,
    /// Another artifact would get the tag.
    Update,
}

impl Protected<'_> {
    /// Whether there is nothing to ask for.
    pub fn is_nothing(&self) -> bool {
        self.tags.is_empty()
    }

    /// Whether this tag, if it is there, can be neither moved nor deleted.
    pub fn holds(&self, tag: &str) -> bool {
        self.tags.iter().any(|selector| selector.selects(tag))
    }

    /// The refusal: 412.
    pub(crate) fn refusal(&self, tag: &str, act: Act) -> Error {
        Error::precondition(match act {
            Act::Push => format!("Failed to process request due to '{}:{tag}' configured as immutable.", self.repository),
            Act::Delete => format!("the tag {tag} configured as immutable, cannot be deleted"),
            Act::Update => format!("the tag {tag} configured as immutable, cannot be updated"),
        })
    }

    /// Refuses to set protected tags that are there.
    pub(crate) async fn check_push(&self, link: &mut Link<'_>, repository: RepositoryId, tags: &[String]) -> Result<()> {
        for tag in tags.iter().filter(|tag| self.holds(tag)) {
            if store::tag::find(link, repository, tag).await?.is_some() {
                return Err(self.refusal(tag, Act::Push));
            }
        }
        Ok(())
    }

    /// Lets a tag name an artifact. One that is protected may name it already, or must be new: of two who set it at once one is refused.
    pub(crate) async fn set(&self, link: &mut Link<'_>, to: (RepositoryId, ArtifactId), tag: &str, act: Act, now: i64) -> Result<()> {
        let (repository, artifact) = to;
        if !self.holds(tag) {
            return Ok(store::tag::set(link, repository, artifact, tag, now).await?);
        }
        match store::tag::find(link, repository, tag).await? {
            Some(row) if act == Act::Update && row.artifact_id == artifact => {
                return Ok(store::tag::set(link, repository, artifact, tag, now).await?);
            }
            Some(_) => return Err(self.refusal(tag, act)),
            None => {}
        }
        match store::tag::create(link, repository, artifact, tag, now).await {
            Err(store::Error::Duplicate) => Err(self.refusal(tag, act)),
            made => Ok(made.map(drop)?),
        }
    }

    /// Refuses to delete an artifact while it has a protected tag.
    pub(crate) async fn check_artifact(&self, link: &mut Link<'_>, artifact: ArtifactId) -> Result<()> {
        if self.is_nothing() {
            return Ok(());
        }
        let tags = store::artifact::tags_of(link, &[artifact]).await?;
        tags.iter().find(|tag| self.holds(&tag.name)).map_or(Ok(()), |tag| Err(self.refusal(&tag.name, Act::Delete)))
    }

    /// Refuses to delete a repository, which the transaction holds, while it has a protected tag.
    pub(crate) async fn check_repository(&self, link: &mut Link<'_>, repository: RepositoryId) -> Result<()> {
        if self.is_nothing() {
            return Ok(());
        }
        let mut last: Option<String> = None;
        loop {
            let names = store::tag::names(link, repository, last.as_deref(), BATCH).await?;
            if let Some(name) = names.iter().find(|name| self.holds(name)) {
                return Err(self.refusal(name, Act::Delete));
            }
            last = names.into_iter().next_back();
            if last.is_none() {
                return Ok(());
            }
        }
    }
}

/// The rules in force in a project. Ask before the transaction begins: what is not remembered is read on a connection of its own.
pub(crate) async fn rules(core: &Core, project: ProjectId) -> Result<Arc<Rules>> {
    if let Some(rules) = core.caches.immutable_rules(project) {
        return Ok(rules);
    }
    let generation = core.caches.project_generation();
    let mut conn = core.db.read().await?;
    let texts = store::immutable::enabled(&mut conn.link(), project).await?;
    let rules = Arc::new(Rules::read(&texts)?);
    core.caches.put_immutable_rules(generation, project, rules.clone());
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn rule(tag: Value, scope: Value) -> String {
        json!({"tag_selectors": tag, "scope_selectors": {"repository": scope}}).to_string()
    }

    fn selector(decoration: &str, pattern: &str) -> Value {
        json!({"kind": "doublestar", "decoration": decoration, "pattern": pattern})
    }

    #[test]
    fn any_rule_protects_and_only_the_first_selectors_count() {
        let rules = Rules::read(&[
            rule(json!([selector("matches", "v*"), selector("matches", "**")]), json!([selector("repoMatches", "{app,web}")])),
            rule(json!([selector("excludes", "dev-*")]), json!([selector("repoExcludes", "{app,free}")])),
        ])
        .unwrap();
        let app = rules.of("app");
        assert!(app.holds("v1") && !app.holds("latest"));
        let web = rules.of("web");
        assert!(web.holds("v1") && web.holds("prod") && !web.holds("dev-1"));
        assert!(rules.of("free").is_nothing());
    }

    #[test]
    fn what_makes_no_sense_protects_nothing() {
        let all = selector("repoMatches", "**");
        let rules = Rules::read(&[
            "{}".to_owned(),
            rule(Value::Null, json!([all])),
            rule(json!([selector("matches", "**")]), Value::Null),
            rule(json!([selector("likes", "**")]), json!([all])),
            rule(json!([selector("matches", "[a")]), json!([all])),
            rule(json!([{"kind": "regexp", "decoration": "matches", "pattern": "**"}]), json!([all])),
            rule(json!([selector("matches", "**")]), json!([selector("matches", "**")])),
        ])
        .unwrap();
        assert!(rules.of("app").is_nothing());
    }
}
