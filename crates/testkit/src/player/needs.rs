//! What conversations need that does not exist yet: steps that are not played because of an operation that is absent, settings that
//! answers do not have, and refusals of a policy that nothing enforces. Everything else of such a conversation is played and compared. An entry
//! that nothing needs any more is an error, so that the list only shrinks.

use std::path::Path;

use serde::Deserialize;

use super::conversation::{Conversation, LoadError};
use super::{Difference, Kind, Report};

/// All that is needed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Needs {
    /// The entries, in the file's order.
    #[serde(default, rename = "need")]
    pub entries: Vec<Need>,
}

/// Something that a conversation needs: one of `operation`, `setting` and `policy`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// The conversation's name.
    pub conversation: String,
    /// The `operationId` of what does not exist.
    pub operation: Option<String>,
    /// Names of settings that do not exist: the differences at these keys of a body are not counted, in any step. `*` stands for anything.
    pub setting: Option<String>,
    /// What forbids the requests of `steps`, and is not enforced: they are played, and answered as if it were off.
    pub policy: Option<String>,
    /// Why it is not enforced yet; with `policy` only.
    pub reason: Option<String>,
    /// Ids of the steps that cannot be played without it. `*` stands for anything, but not beside a `policy`.
    #[serde(default)]
    pub steps: Vec<String>,
}

impl Need {
    /// What is needed, as the list has it.
    pub fn name(&self) -> &str {
        [&self.operation, &self.setting, &self.policy].into_iter().flatten().next().map(String::as_str).unwrap_or_default()
    }

    /// Whether it says one thing that is needed, and what for.
    fn is_complete(&self) -> bool {
        let explained = self.reason.as_deref().is_some_and(|reason| !reason.trim().is_empty());
        let one_by_one = !self.steps.is_empty() && !self.steps.iter().any(|step| step.contains('*'));
        match (&self.operation, &self.setting, &self.policy) {
            (Some(_), None, None) => !self.steps.is_empty() && self.reason.is_none(),
            (None, Some(_), None) => self.reason.is_none(),
            (None, None, Some(_)) => explained && one_by_one,
            _ => false,
        }
    }

    /// The steps of a policy that this conversation was played without.
    fn refusals(&self, conversation: &str) -> &[String] {
        if self.policy.is_some() && self.conversation == conversation { &self.steps } else { &[] }
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
        match list.entries.iter().find(|need| !need.is_complete()) {
            Some(need) => Err(error(format!(
                "{} {}: an entry is of one operation with its steps, of one setting, or of one policy with its steps, one by one, and a reason",
                need.conversation,
                need.name()
            ))),
            None => Ok(list),
        }
    }

    /// Takes the steps out of a conversation that cannot be played, and answers those of the list that it does not have. Those of a policy stay.
    pub fn leave_out(&self, conversation: &mut Conversation) -> Vec<&str> {
        let entries = self.entries.iter().filter(|need| need.conversation == conversation.name);
        let patterns: Vec<(&str, bool)> =
            entries.flat_map(|need| need.steps.iter().map(|step| (step.as_str(), need.policy.is_some()))).collect();
        let mut met = vec![false; patterns.len()];
        conversation.script.steps.retain(|step| {
            let id = step.id.as_deref().unwrap_or_default();
            let mut stays = true;
            for ((pattern, is_played), met) in patterns.iter().zip(&mut met) {
                if fits(pattern, id) {
                    (stays, *met) = (stays && *is_played, true);
                }
            }
            stays
        });
        patterns.into_iter().zip(met).filter(|(_, met)| !met).map(|((pattern, _), _)| pattern).collect()
    }

    /// Takes the refusals out of `report` that a policy would have given: where one was recorded, and the step succeeded instead. Answers the
    /// steps that are listed and were not answered so.
    pub fn forgive_refusals(&self, report: &mut Report) -> Vec<&str> {
        let steps = self.entries.iter().flat_map(|need| need.refusals(&report.conversation));
        let mut unmet = Vec::new();
        for step in steps {
            let succeeded = report.answers.get(step).is_some_and(|got| (200..300).contains(&got.status));
            let refusal = |it: &Difference| it.step == *step && it.place == "status" && it.expected.starts_with('4');
            match report.differences.iter().position(refusal).filter(|_| succeeded) {
                // Where the status differs, nothing else was compared.
                Some(at) => drop(report.differences.remove(at)),
                None => unmet.push(step.as_str()),
            }
        }
        unmet
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
    use crate::player::Got;

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
    fn refusals_of_an_absent_policy_are_played_and_expected_to_succeed() {
        let text =
            "[[need]]\nconversation = 'pull'\npolicy = 'signatures'\nreason = 'not yet'\nsteps = ['plain', 'enforced', 'broken', 'gone']";
        let list: Needs = toml::from_str(text).expect("a list");
        let script = r#"{"steps": [{"id": "plain"}, {"id": "enforced"}, {"id": "broken"}, {"id": "other"}]}"#;
        let mut conversation = Conversation::parse("pull", script).expect("a conversation");
        assert_eq!(list.leave_out(&mut conversation), ["gone"]);
        assert_eq!(conversation.script.steps.len(), 4);
        let mut report = Report { conversation: "pull".to_owned(), ..Report::default() };
        for (step, status) in [("plain", 200), ("enforced", 412), ("broken", 500), ("other", 200)] {
            report.answers.insert(step.to_owned(), Got { status, code: None });
            if status != 412 {
                let (step, place, expected) = (step.to_owned(), "status".to_owned(), "412".to_owned());
                report.differences.push(Difference { step, kind: Kind::Hard, place, expected, actual: status.to_string() });
            }
        }
        assert_eq!(list.forgive_refusals(&mut report), ["enforced", "broken", "gone"]);
        let left: Vec<_> = report.differences.iter().map(|d| d.step.as_str()).collect();
        assert_eq!(left, ["broken", "other"]);
    }

    #[test]
    fn entries_say_one_thing_that_is_needed() {
        for bad in [
            "[[need]]\nconversation = 'a'",
            "[[need]]\nconversation = 'a'\noperation = 'b'",
            "[[need]]\nconversation = 'a'\noperation = 'b'\nsetting = 'c'\nsteps = ['d']",
            "[[need]]\nconversation = 'a'\noperation = 'b'\nstep = 'd'",
            "[[need]]\nconversation = 'a'\npolicy = 'b'\nreason = 'c'",
            "[[need]]\nconversation = 'a'\npolicy = 'b'\nsteps = ['d']",
            "[[need]]\nconversation = 'a'\npolicy = 'b'\nreason = 'c'\nsteps = ['d.*']",
            "[[need]]\nconversation = 'a'\npolicy = 'b'\noperation = 'e'\nreason = 'c'\nsteps = ['d']",
        ] {
            let file = tempfile::NamedTempFile::new().expect("a file");
            std::fs::write(file.path(), bad).expect("written");
            assert!(Needs::load(file.path()).is_err(), "{bad}");
        }
    }
}
