//! The list of differences that are meant: where Berth answers otherwise than the recorded Harbor, and why. An entry that
//! nothing needs any more is an error, so that the list stays as short as it can be.

use std::path::Path;

use serde::Deserialize;

use super::conversation::LoadError;
use super::{Kind, Report};

/// All differences that are meant.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deliberate {
    /// The entries, in the file's order.
    #[serde(default, rename = "difference")]
    pub entries: Vec<Entry>,
}

/// One difference that is meant: a hard one, or one of wording.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The conversation's name.
    pub conversation: String,
    /// The step's id.
    pub step: String,
    /// Where in the answer: this place and all below it (`body[*].id` for every item of a list). Absent: anywhere.
    pub place: Option<String>,
    /// Whether it depends on the moment, so that a run without it is as right as one with it.
    #[serde(default)]
    pub sometimes: bool,
    /// Why.
    pub reason: String,
}

impl Deliberate {
    /// Reads the list.
    ///
    /// # Errors
    /// The file cannot be read, is no TOML, has an unknown key, or an entry without a reason.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let error = |reason: String| LoadError { path: path.to_owned(), reason };
        let text = std::fs::read_to_string(path).map_err(|e| error(e.to_string()))?;
        let list: Self = toml::from_str(&text).map_err(|e| error(e.to_string()))?;
        match list.entries.iter().find(|entry| entry.reason.trim().is_empty()) {
            Some(entry) => Err(error(format!("{} {}: an entry needs its reason", entry.conversation, entry.step))),
            None => Ok(list),
        }
    }

    /// Takes the differences that are meant, hard ones and those of wording, out of `report` and answers the entries for its conversation that met none.
    pub fn apply(&self, report: &mut Report) -> Vec<&Entry> {
        let entries: Vec<_> = self.entries.iter().filter(|entry| entry.conversation == report.conversation).collect();
        let mut used: Vec<_> = entries.iter().map(|entry| entry.sometimes).collect();
        report.differences.retain(|difference| {
            let mut meant = false;
            for (entry, used) in entries.iter().zip(&mut used) {
                let there =
                    entry.place.as_ref().is_none_or(|place| super::matching::is_ignored(&difference.place, std::slice::from_ref(place)));
                let counted = matches!(difference.kind, Kind::Hard | Kind::Message);
                if counted && difference.step == entry.step && there {
                    (meant, *used) = (true, true);
                }
            }
            !meant
        });
        entries.into_iter().zip(used).filter(|(_, used)| !used).map(|(entry, _)| entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::player::Difference;

    #[test]
    fn what_is_meant_is_taken_out_and_the_rest_named() {
        let list: Deliberate = toml::from_str(
            r#"
            [[difference]]
            conversation = "token"
            step = "a"
            reason = "all of this step"
            [[difference]]
            conversation = "token"
            step = "b"
            place = "body[*].id"
            reason = "only there"
            [[difference]]
            conversation = "token"
            step = "c"
            reason = "not needed any more"
            [[difference]]
            conversation = "other"
            step = "a"
            reason = "not of this conversation"
            "#,
        )
        .expect("a list");
        let difference = |step: &str, kind, place: &str| Difference {
            step: step.to_owned(),
            kind,
            place: place.to_owned(),
            expected: String::new(),
            actual: String::new(),
        };
        let mut report = Report { conversation: "token".to_owned(), ..Report::default() };
        report.differences = vec![
            difference("a", Kind::Hard, "status"),
            difference("a", Kind::Soft, "body.x"),
            difference("b", Kind::Hard, "body[4].id"),
            difference("b", Kind::Hard, "body[4].name"),
            difference("b", Kind::Message, "body[0].id"),
            difference("d", Kind::Message, "body.errors[0].message"),
        ];
        let unused: Vec<_> = list.apply(&mut report).into_iter().map(|entry| entry.step.as_str()).collect();
        assert_eq!(unused, ["c"]);
        let left: Vec<_> = report.differences.iter().map(|d| (d.step.as_str(), d.kind, d.place.as_str())).collect();
        assert_eq!(left, [("a", Kind::Soft, "body.x"), ("b", Kind::Hard, "body[4].name"), ("d", Kind::Message, "body.errors[0].message"),]);
    }

    #[test]
    fn entries_say_everything() {
        assert!(toml::from_str::<Deliberate>("[[difference]]\nconversation = 'a'\nstep = 'b'").is_err());
        assert!(toml::from_str::<Deliberate>("[[diference]]\nconversation = 'a'\nstep = 'b'\nreason = 'c'").is_err());
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "[[difference]]\nconversation = 'a'\nstep = 'b'\nreason = ' '").expect("written");
        let error = Deliberate::load(file.path()).expect_err("an error").to_string();
        assert!(error.contains("a b: an entry needs its reason"), "{error}");
    }
}
