//! The list of differences that are meant: where Berth answers otherwise than the recorded Harbor, and why. An entry that
//! nothing needs any more is an error, so that the list stays as short as it can be.

use std::path::Path;

use serde::Deserialize;

use super::conversation::LoadError;
use super::{Difference, Kind, Report};

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
    /// The status that Berth answers, whether it is Harbor's or not.
    pub status: u16,
    /// The error code that Berth answers (`errors[0].code`). An entry has this, or `place`, or both.
    pub code: Option<String>,
    /// What has to be part of Berth's answer at `place`.
    pub says: Option<String>,
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
    /// The file cannot be read, is no TOML, has an unknown key, or an entry without a reason, or without what Berth answers instead.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let error = |reason: String| LoadError { path: path.to_owned(), reason };
        let text = std::fs::read_to_string(path).map_err(|e| error(e.to_string()))?;
        let list: Self = toml::from_str(&text).map_err(|e| error(e.to_string()))?;
        match list.entries.iter().find_map(|entry| entry.lack().map(|lack| (entry, lack))) {
            Some((entry, lack)) => Err(error(format!("{} {}: an entry needs {lack}", entry.conversation, entry.step))),
            None => Ok(list),
        }
    }

    /// Takes the differences that are meant, hard ones and those of wording, out of `report` and answers the entries for its conversation that met none.
    /// An entry whose step was answered with another status or code than it says adds a hard difference.
    pub fn apply(&self, report: &mut Report) -> Vec<&Entry> {
        let entries: Vec<_> = self.entries.iter().filter(|entry| entry.conversation == report.conversation).collect();
        let mut used: Vec<_> = entries.iter().map(|entry| entry.sometimes).collect();
        report.differences.retain(|difference| {
            let mut meant = false;
            for (entry, used) in entries.iter().zip(&mut used) {
                if entry.means(difference) {
                    (meant, *used) = (true, true);
                }
            }
            !meant
        });
        let others: Vec<_> = entries.iter().filter_map(|entry| entry.broken(report)).collect();
        report.differences.extend(others);
        entries.into_iter().zip(used).filter(|(_, used)| !used).map(|(entry, _)| entry).collect()
    }
}

impl Entry {
    /// What it ought to say and does not.
    fn lack(&self) -> Option<&'static str> {
        if self.reason.trim().is_empty() {
            return Some("its reason");
        }
        match (&self.code, &self.place, &self.says) {
            (None, None, _) => Some("the code that Berth answers, or the place of the difference"),
            (_, None, Some(_)) => Some("the place where Berth says that"),
            _ => None,
        }
    }

    fn means(&self, difference: &Difference) -> bool {
        let there = self.place.as_ref().is_none_or(|place| super::matching::is_ignored(&difference.place, std::slice::from_ref(place)));
        let counted = matches!(difference.kind, Kind::Hard | Kind::Message);
        // Texts are quoted in reports, and their quotes escaped.
        let said = self.says.as_ref().is_none_or(|says| difference.actual.replace("\\\"", "\"").contains(says));
        counted && difference.step == self.step && there && said
    }

    /// The difference between the answer to its step and what it says of it.
    fn broken(&self, report: &Report) -> Option<Difference> {
        let got = report.answers.get(&self.step)?;
        let fits = got.status == self.status && (self.code.is_none() || got.code == self.code);
        (!fits).then(|| Difference {
            step: self.step.clone(),
            kind: Kind::Hard,
            place: "what is deliberate".to_owned(),
            expected: format!("{} {:?}", self.status, self.code),
            actual: format!("{} {:?}", got.status, got.code),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::player::Got;

    #[test]
    fn what_is_meant_is_taken_out_and_the_rest_named() {
        let list: Deliberate = toml::from_str(
            r#"
            [[difference]]
            conversation = "token"
            step = "a"
            status = 401
            code = "UNAUTHORIZED"
            reason = "all of this step"
            [[difference]]
            conversation = "token"
            step = "b"
            status = 200
            place = "body[*].id"
            reason = "only there"
            [[difference]]
            conversation = "token"
            step = "c"
            status = 200
            place = "body"
            reason = "not needed any more"
            [[difference]]
            conversation = "other"
            step = "a"
            status = 500
            code = "UNKNOWN"
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
    fn another_answer_than_the_one_that_is_meant_is_a_difference() {
        let list: Deliberate = toml::from_str(
            "[[difference]]\nconversation = 'x'\nstep = 'a'\nstatus = 401\ncode = 'DENIED'\nplace = 'header H'\nsays = 'Bearer'\nreason = 'r'",
        )
        .expect("a list");
        let played = |status: u16, code: &str, header: &str| {
            let mut report = Report { conversation: "x".to_owned(), ..Report::default() };
            report.answers.insert("a".to_owned(), Got { status, code: Some(code.to_owned()) });
            let (place, actual) = ("header H".to_owned(), format!("{header:?}"));
            report.differences.push(Difference { step: "a".to_owned(), kind: Kind::Hard, place, expected: String::new(), actual });
            list.apply(&mut report);
            report.differences.into_iter().map(|difference| difference.place).collect::<Vec<_>>()
        };
        assert_eq!(played(401, "DENIED", "Bearer realm"), Vec::<String>::new());
        assert_eq!(played(201, "DENIED", "Bearer realm"), ["what is deliberate"]);
        assert_eq!(played(401, "UNKNOWN", "Bearer realm"), ["what is deliberate"]);
        assert_eq!(played(401, "DENIED", "Basic realm"), ["header H"]);
    }

    #[test]
    fn entries_say_everything() {
        let parsed = |text: &str| toml::from_str::<Deliberate>(&format!("[[difference]]\nconversation = 'a'\nstep = 'b'\n{text}"));
        assert!(parsed("status = 200\ncode = 'X'").is_err(), "no reason");
        assert!(parsed("code = 'X'\nreason = 'c'").is_err(), "no status");
        assert!(parsed("status = 200\ncode = 'X'\nreason = 'c'\nplce = 'body'").is_err(), "an unknown key");
        for (text, lack) in [
            ("status = 200\ncode = 'X'\nreason = ' '", "a b: an entry needs its reason"),
            ("status = 200\nreason = 'c'", "a b: an entry needs the code that Berth answers, or the place of the difference"),
            ("status = 200\ncode = 'X'\nsays = 'x'\nreason = 'c'", "a b: an entry needs the place where Berth says that"),
        ] {
            let file = tempfile::NamedTempFile::new().expect("a file");
            std::fs::write(file.path(), format!("[[difference]]\nconversation = 'a'\nstep = 'b'\n{text}")).expect("written");
            let error = Deliberate::load(file.path()).expect_err("an error").to_string();
            assert!(error.contains(lack), "{error}");
        }
    }
}
