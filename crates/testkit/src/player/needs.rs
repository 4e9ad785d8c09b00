//! What conversations need that does not exist yet: steps that are not played because of an operation that is absent, and settings that
//! answers do not have. Everything else of such a conversation is played and compared. An entry that nothing needs any more is an error, so
//! that the list only shrinks.

use std::path::Path;

use serde::Deserialize;

use super::conversation::{Conversation, LoadError};
use super::{Kind, Report};

/// All that is needed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Needs {
    /// The entries, in the file's order.
    #[serde(default, rename = "need")]
    pub entries: Vec<Need>,
}

/// Something that a conversation needs: either `operation` or `setting`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// The conversation's name.
    pub conversation: String,
    /// The `operationId` of what does not exist.
    pub operation: Option<String>,
    /// Names of settings that do not exist: the differences at these keys of a body are not counted, in any step. `*` stands for anything.
    pub setting: Option<String>,
    /// Ids of the steps that cannot be played without it. `*` stands for anything.
    #[serde(default)]
    pub steps: Vec<String>,
}

impl Need {
    /// What is needed, as the list has it.
    pub fn name(&self) -> &str {
        self.operation.as_deref().or(self.setting.as_deref()).unwrap_or_default()
    }

    fn is_at(&self, place: &str) -> bool {
        let key = place.strip_prefix("body.").and_then(|rest| rest.split(['.', '[']).next());
        self.setting.as_ref().zip(key).is_some_and(|(pattern, key)| fits(pattern, key))
    }
}

impl Needs {
    /// Reads the list.
    ///
    /// # Errors
    /// The file cannot be read, is no TOML, has an unknown key, or an entry that does not say one thing that is needed and what for.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let error = |reason: String| LoadError { path: path.to_owned(), reason };
        let text = std::fs::read_to_string(path).map_err(|e| error(e.to_string()))?;
        let list: Self = toml::from_str(&text).map_err(|e| error(e.to_string()))?;
        let says_nothing =
            |need: &&Need| need.operation.is_some() == need.setting.is_some() || (need.operation.is_some() && need.steps.is_empty());
        match list.entries.iter().find(says_nothing) {
            Some(need) => {
                Err(error(format!("{} {}: an entry is of one operation with its steps, or of one setting", need.conversation, need.name())))
            }
            None => Ok(list),
        }
    }

    /// Takes the steps out of a conversation that cannot be played, and answers those of the list that it does not have.
    pub fn leave_out(&self, conversation: &mut Conversation) -> Vec<&str> {
        let patterns: Vec<&str> = self
            .entries
            .iter()
            .filter(|need| need.conversation == conversation.name)
            .flat_map(|need| &need.steps)
            .map(String::as_str)
            .collect();
        let mut met = vec![false; patterns.len()];
        conversation.script.steps.retain(|step| {
            let id = step.id.as_deref().unwrap_or_default();
            let mut stays = true;
            for (pattern, met) in patterns.iter().zip(&mut met) {
                if fits(pattern, id) {
                    (stays, *met) = (false, true);
                }
            }
            stays
        });
        patterns.into_iter().zip(met).filter(|(_, met)| !met).map(|(pattern, _)| pattern).collect()
    }

    /// Takes the hard differences at settings that do not exist out of `report`, and answers the entries without steps that met none.
    pub fn forgive(&self, report: &mut Report) -> Vec<&Need> {
        let entries: Vec<_> =
            self.entries.iter().filter(|need| need.conversation == report.conversation && need.setting.is_some()).collect();
        let mut met = vec![false; entries.len()];
        report.differences.retain(|difference| {
            let mut stays = true;
            for (need, met) in entries.iter().zip(&mut met) {
                if difference.kind == Kind::Hard && need.is_at(&difference.place) {
                    (stays, *met) = (false, true);
                }
            }
            stays
        });
        entries.into_iter().zip(met).filter(|(need, met)| !met && need.steps.is_empty()).map(|(need, _)| need).collect()
    }
}

/// Whether a text is as a pattern says, in which `*` stands for anything.
pub fn fits(pattern: &str, text: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == text };
    let Some(rest) = text.strip_prefix(before) else { return false };
    (0..=rest.len()).any(|at| rest.is_char_boundary(at) && fits(after, &rest[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::player::Difference;

    const LIST: &str = r#"
        [[need]]
        conversation = "system"
        operation = "getSchedulePaused"
        steps = ["paused", "matrix.*.paused", "gone"]
        [[need]]
        conversation = "system"
        setting = "ldap_*"
        [[need]]
        conversation = "system"
        setting = "colour"
        [[need]]
        conversation = "other"
        operation = "getSchedulePaused"
        steps = ["ping"]
    "#;

    #[test]
    fn patterns() {
        for (pattern, text, fit) in [
            ("a.b", "a.b", true),
            ("a.b", "a.bc", false),
            ("*", "", true),
            ("a.*.c", "a.b.c", true),
            ("a.*.c", "a.b.cd", false),
            ("*.c", "a.c.c", true),
            ("ldap_*", "oidc_ldap_", false),
        ] {
            assert_eq!(fits(pattern, text), fit, "{pattern} {text}");
        }
    }

    #[test]
    fn steps_that_need_what_is_absent_are_not_played() {
        let list: Needs = toml::from_str(LIST).expect("a list");
        let script = r#"{"steps": [{"id": "ping"}, {"id": "paused"}, {"id": "matrix.a.paused"}, {"sleep": 1}]}"#;
        let mut conversation = Conversation::parse("system", script).expect("a conversation");
        assert_eq!(list.leave_out(&mut conversation), ["gone"]);
        assert_eq!(conversation.script.steps.len(), 2);
        assert_eq!(conversation.script.steps[0].id.as_deref(), Some("ping"));
    }

    #[test]
    fn keys_of_absent_settings_are_not_compared() {
        let list: Needs = toml::from_str(LIST).expect("a list");
        let difference = |kind, place: &str| Difference {
            step: "get".to_owned(),
            kind,
            place: place.to_owned(),
            expected: String::new(),
            actual: String::new(),
        };
        let mut report = Report { conversation: "system".to_owned(), ..Report::default() };
        report.differences = vec![
            difference(Kind::Hard, "body.ldap_url.value"),
            difference(Kind::Soft, "body.ldap_uid"),
            difference(Kind::Hard, "body.oidc_name"),
            difference(Kind::Hard, "status"),
        ];
        let unmet: Vec<_> = list.forgive(&mut report).into_iter().map(Need::name).collect();
        assert_eq!(unmet, ["colour"]);
        let left: Vec<_> = report.differences.iter().map(|d| d.place.as_str()).collect();
        assert_eq!(left, ["body.ldap_uid", "body.oidc_name", "status"]);
    }

    #[test]
    fn entries_say_one_thing_that_is_needed() {
        for bad in [
            "[[need]]\nconversation = 'a'",
            "[[need]]\nconversation = 'a'\noperation = 'b'",
            "[[need]]\nconversation = 'a'\noperation = 'b'\nsetting = 'c'\nsteps = ['d']",
            "[[need]]\nconversation = 'a'\noperation = 'b'\nstep = 'd'",
        ] {
            let file = tempfile::NamedTempFile::new().expect("a file");
            std::fs::write(file.path(), bad).expect("written");
            assert!(Needs::load(file.path()).is_err(), "{bad}");
        }
    }
}
