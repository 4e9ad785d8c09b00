//! What use cases say about what was done, and how it gets into the log: inside their own transaction, or with the next batch of the recorder
//! where there is none. Use cases call it.

use model::ProjectId;
use store::Link;
use store::audit::AuditEntry;

use crate::{Actor, Core, Result};

/// Bytes of a caller's own words that the log takes.
const LONGEST_NAME: usize = 255;

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    project: ProjectId,
    operation: &'static str,
    resource_type: &'static str,
    resource: String,
    description: String,
    succeeded: bool,
}

impl Event {
    /// Described as `create project: name`; `project` is 0 for what belongs to none.
    pub(crate) fn new(project: ProjectId, operation: &'static str, resource_type: &'static str, resource: impl Into<String>) -> Self {
        let resource = resource.into();
        let description = format!("{operation} {resource_type}: {resource}");
        Self { project, operation, resource_type, resource, description, succeeded: true }
    }

    /// Of the system.
    pub(crate) fn of_system(operation: &'static str, resource_type: &'static str, resource: impl Into<String>) -> Self {
        Self::new(ProjectId(0), operation, resource_type, resource)
    }

    /// An artifact that was pushed or copied to a repository, under the name by which that was done.
    pub(crate) fn pushed(project: ProjectId, resource: String, repository: &str, digest: &str) -> Self {
        Self::new(project, "create", "artifact", resource).described(format!("push artifact: {repository}@{digest}"))
    }

    /// Of a person's account; `what` says more: `, change user password`.
    pub(crate) fn of_user(operation: &'static str, name: &str, what: &str) -> Self {
        Self::of_system(operation, "user", name).described(format!("{operation} user with name: {name}{what}"))
    }

    /// In other words.
    pub(crate) fn described(self, description: impl Into<String>) -> Self {
        Self { description: description.into(), ..self }
    }

    /// It was tried and refused.
    pub(crate) fn failed(self) -> Self {
        Self { succeeded: false, ..self }
    }

    fn entry(self, username: &str, at: i64) -> AuditEntry {
        AuditEntry {
            project_id: self.project,
            operation: self.operation,
            resource_type: self.resource_type,
            resource: self.resource,
            description: self.description,
            succeeded: self.succeeded,
            username: username.to_owned(),
            op_time: at,
        }
    }
}

/// Writes events as part of what the use case does: both happen or neither. `at` in microseconds.
pub(crate) async fn record(
    core: &Core,
    link: &mut Link<'_>,
    actor: &Actor,
    at: i64,
    events: impl IntoIterator<Item = Event>,
) -> Result<()> {
    let settings = core.settings();
    let events = events.into_iter().filter(|event| settings.audits(event.operation, event.resource_type));
    let entries: Vec<_> = events.map(|event| event.entry(actor.name(), at)).collect();
    Ok(store::audit::append(link, &entries).await?)
}

/// Leaves an event that changed nothing in the database to the recorder. `username` may be what somebody typed.
pub(crate) fn note(core: &Core, username: &str, event: Event) {
    if core.settings().audits(event.operation, event.resource_type) {
        core.recorder.note(event.entry(shortened(username), core.clock.micros()));
    }
}

/// The beginning of a text that a caller typed, without what no database takes.
pub(crate) fn shortened(text: &str) -> &str {
    let text = text.split('\0').next().unwrap_or_default();
    let mut end = text.len().min(LONGEST_NAME);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_say_what_was_done_in_words() {
        let said = |event: Event| event.description;
        assert_eq!(said(Event::new(ProjectId(2), "delete", "tag", "north/app:v1")), "delete tag: north/app:v1");
        assert_eq!(
            said(Event::pushed(ProjectId(2), "north/app:v1".to_owned(), "north/app", "sha256:1")),
            "push artifact: north/app@sha256:1"
        );
        assert_eq!(said(Event::of_user("create", "dana", "")), "create user with name: dana");
        let refused = Event::of_system("update", "configuration", "configuration").described("update configuration").failed();
        assert_eq!((refused.project, refused.succeeded, refused.description.as_str()), (ProjectId(0), false, "update configuration"));
    }

    #[test]
    fn what_was_typed_is_bounded() {
        assert_eq!(shortened("dana"), "dana");
        assert_eq!(shortened("da\0na"), "da");
        assert_eq!(shortened(&"ä".repeat(200)).len(), 254);
    }
}
