//! Rules that make tags immutable: making and changing them, and the one question whether a tag may move or go (retention reference 8.2). The REST
//! door and the portal call the use cases; pushes, deletes, copies and lists of this room ask the question.

mod pattern;
mod rules;

use std::sync::Arc;

use model::api;
use model::list::{ListQuery, Page};
use model::permission::{Action, Allowed, Project, Resource};
use store::Link;
use store::immutable::RuleRow;

use crate::{Actor, Core, Error, NameOrId, Result};

pub(crate) use rules::{Act, rules};
pub use rules::{Protected, Rules};

/// Rules that a project may have.
const MOST_RULES: i64 = 100;
/// Bytes that a rule may have.
const LONGEST_RULE: usize = 8 << 10;

/// The use cases. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ImmutableRules {
    core: Arc<Core>,
}

impl ImmutableRules {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// The rules of a project, on each page by id.
    ///
    /// # Errors
    /// 401, 403, 404.
    pub async fn list(&self, actor: &Actor, project: &NameOrId, query: &ListQuery) -> Result<Page<api::ImmutableRule>> {
        let (_, allowed) = self.core.authz.project(actor, project, Resource::ImmutableTag, Action::List).await?;
        let mut conn = self.core.db.read().await?;
        let mut page = store::immutable::list(&mut conn.link(), &allowed, query).await?;
        // The order asked for decides which rules are on the page, as Harbor has it.
        page.items.sort_by_key(|row| row.id);
        Ok(Page { total: page.total, items: page.items.into_iter().map(shown).collect::<Result<_>>()? })
    }

    /// Makes a rule, in force at once; its id. What its selectors say is not checked: those that make no sense protect nothing.
    ///
    /// # Errors
    /// 400 for a rule that is too large or one too many, 401, 403, 404, 409 for one that the project has.
    pub async fn create(&self, actor: &Actor, project: &NameOrId, input: &api::ImmutableRule) -> Result<i64> {
        let (_, allowed) = self.core.authz.project(actor, project, Resource::ImmutableTag, Action::Create).await?;
        let rule = text(input)?;
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        hold(link, &allowed, project).await?;
        let (count, same) = store::immutable::count(link, &allowed, &rule).await?;
        if same {
            return Err(Error::conflict("immutable rule already exists"));
        }
        if count >= MOST_RULES {
            return Err(Error::bad_request(format!("a project has at most {MOST_RULES} immutable rules")));
        }
        let id = store::immutable::insert(link, &allowed, &rule, self.core.clock.micros()).await?;
        tx.commit().await?;
        self.core.caches.projects_changed();
        Ok(id)
    }

    /// Changes what a rule says, or switches it on or off: then nothing else of it changes.
    ///
    /// # Errors
    /// 400 when the body has another id or is too large, 401, 403, 404 also for a rule of another project.
    pub async fn update(&self, actor: &Actor, project: &NameOrId, id: i64, input: &api::ImmutableRule) -> Result<()> {
        let (_, allowed) = self.core.authz.project(actor, project, Resource::ImmutableTag, Action::Update).await?;
        if input.id != id {
            let message = "bad request: the immutable_rule_id doesn't match the id in the payload body of ImmutableRule";
            return Err(Error::bad_request(message));
        }
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        hold(link, &allowed, project).await?;
        let row = find(link, &allowed, id).await?;
        let rule = if input.disabled == row.disabled { text(input)? } else { row.rule };
        if !store::immutable::update(link, &allowed, id, &rule, input.disabled, self.core.clock.micros()).await? {
            return Err(missing(id));
        }
        tx.commit().await?;
        self.core.caches.projects_changed();
        Ok(())
    }

    /// Deletes a rule.
    ///
    /// # Errors
    /// 401, 403, 404 also for a rule of another project.
    pub async fn delete(&self, actor: &Actor, project: &NameOrId, id: i64) -> Result<()> {
        let (_, allowed) = self.core.authz.project(actor, project, Resource::ImmutableTag, Action::Delete).await?;
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        find(link, &allowed, id).await?;
        if !store::immutable::delete(link, &allowed, id).await? {
            return Err(missing(id));
        }
        tx.commit().await?;
        self.core.caches.projects_changed();
        Ok(())
    }
}

/// One change of a project's rules at a time, so that of two equal ones one is refused.
async fn hold(link: &mut Link<'_>, allowed: &Allowed<Project>, project: &NameOrId) -> Result<()> {
    let held = store::project::lock(link, allowed).await?;
    held.map(drop).ok_or_else(|| Error::not_found(format!("project {project} not found")))
}

async fn find(link: &mut Link<'_>, allowed: &Allowed<Project>, id: i64) -> Result<RuleRow> {
    let row = store::immutable::get(link, id).await?.ok_or_else(|| missing(id))?;
    if row.project_id != allowed.id() {
        return Err(Error::not_found(format!("resource not found: project id {} does not match", allowed.id())));
    }
    Ok(row)
}

fn missing(id: i64) -> Error {
    Error::not_found(format!("immutable rule {id} not found"))
}

/// What a rule says, in the one spelling that equal rules share; id and switch are no part of it.
fn text(input: &api::ImmutableRule) -> Result<String> {
    let rule = api::ImmutableRule { id: 0, disabled: false, ..input.clone() };
    let text = serde_json::to_string(&rule).map_err(Error::internal)?;
    if text.len() > LONGEST_RULE {
        return Err(Error::bad_request(format!("the immutable rule is longer than {LONGEST_RULE} bytes")));
    }
    Ok(text)
}

/// A rule as callers see it: empty lists of selectors are null.
fn shown(row: RuleRow) -> Result<api::ImmutableRule> {
    let mut rule: api::ImmutableRule = serde_json::from_str(&row.rule).map_err(Error::internal)?;
    rule.id = row.id;
    rule.disabled = row.disabled;
    rule.tag_selectors = rule.tag_selectors.filter(|selectors| !selectors.is_empty());
    for selectors in rule.scope_selectors.iter_mut().flat_map(|scopes| scopes.values_mut()) {
        *selectors = selectors.take().filter(|s| !s.is_empty());
    }
    rule.scope_selectors = rule.scope_selectors.filter(|scopes| !scopes.is_empty());
    Ok(rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(rule: &str) -> RuleRow {
        RuleRow { id: 7, project_id: model::ProjectId(1), rule: rule.to_owned(), disabled: true, created_at: 1, updated_at: 1 }
    }

    #[test]
    fn equal_rules_are_equal_texts() {
        let of = |json: &str| text(&serde_json::from_str(json).unwrap()).unwrap();
        let bare = of(r#"{"action": "immutable", "scope_selectors": {"repository": null}}"#);
        assert_eq!(bare, r#"{"action":"immutable","tag_selectors":null,"scope_selectors":{"repository":null}}"#);
        assert_eq!(bare, of(r#"{"id": 7, "disabled": true, "scope_selectors": {"repository": null}, "action": "immutable"}"#));
        assert_ne!(bare, of(r#"{"action": "immutable", "priority": 7, "scope_selectors": {"repository": null}}"#));
    }

    #[test]
    fn empty_lists_of_selectors_are_shown_as_null() {
        let of = |json: &str| serde_json::to_string(&shown(row(json)).unwrap()).unwrap();
        let expected = r#"{"id":7,"disabled":true,"tag_selectors":null,"scope_selectors":{"repository":null}}"#;
        assert_eq!(of(r#"{"tag_selectors": [], "scope_selectors": {"repository": []}}"#), expected);
        assert_eq!(of(r#"{"scope_selectors": {}}"#), r#"{"id":7,"disabled":true,"tag_selectors":null}"#);
    }

    #[test]
    fn a_rule_is_not_larger_than_it_may_be() {
        let rule = api::ImmutableRule { action: "x".repeat(LONGEST_RULE), ..api::ImmutableRule::default() };
        assert_eq!(text(&rule).unwrap_err().status, 400);
    }
}
