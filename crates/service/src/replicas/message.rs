//! What processes say to each other: words in ASCII behind the version of the language.

use std::fmt::Write as _;

use model::{ProjectId, RepositoryId, RobotId, UserId};

/// The version that every message begins with.
const VERSION: &str = "1";

/// Something that was committed and that others may remember differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A project was made, changed or deleted, or a repository deleted.
    Projects,
    /// Content of a repository.
    Repository(RepositoryId),
    /// Members of a project.
    Members(ProjectId),
    /// An account, its sessions included.
    User(UserId),
    /// A robot.
    Robot(RobotId),
    /// What administrators set for the whole instance.
    Settings,
    /// Any rows that lists show; said with every commit.
    Rows,
}

/// A message. Processes are called by an id that they make up each time they begin to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// I listen now; forget everything, I may have changed what you were not told.
    Hello { from: String },
    /// I know you now and have forgotten everything.
    Here { from: String },
    /// This was committed; `number` counts what `from` has to say. Without a list: anything may have changed.
    Said { from: String, number: u64, changes: Option<Vec<Change>> },
    /// I have forgotten what you said up to `number`.
    Heard { from: String, number: u64 },
    /// Said to oneself: whoever hears it has heard everything before it.
    Beat { from: String, number: u64 },
    /// You were silent for too long: nobody waits for you any more.
    Gone { from: String },
    /// I believe nothing any more and stop listening.
    Bye { from: String },
    /// Forget everything; from somebody who does not listen.
    All,
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Projects => f.write_char('p'),
            Self::Repository(id) => write!(f, "r{}", id.get()),
            Self::Members(id) => write!(f, "m{}", id.get()),
            Self::User(id) => write!(f, "u{}", id.get()),
            Self::Robot(id) => write!(f, "b{}", id.get()),
            Self::Settings => f.write_char('s'),
            Self::Rows => f.write_char('w'),
        }
    }
}

impl Change {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "p" => return Some(Self::Projects),
            "s" => return Some(Self::Settings),
            "w" => return Some(Self::Rows),
            _ => {}
        }
        let id: i64 = word.get(1..)?.parse().ok()?;
        Some(match word.as_bytes()[0] {
            b'r' => Self::Repository(RepositoryId(id)),
            b'm' => Self::Members(ProjectId(id)),
            b'u' => Self::User(UserId(id)),
            b'b' => Self::Robot(RobotId(id)),
            _ => return None,
        })
    }
}

impl std::fmt::Display for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{VERSION} ")?;
        match self {
            Self::Hello { from } => write!(f, "hello {from}"),
            Self::Here { from } => write!(f, "here {from}"),
            Self::Said { from, number, changes: None } => write!(f, "said {from} {number} *"),
            Self::Said { from, number, changes: Some(changes) } => {
                write!(f, "said {from} {number}")?;
                changes.iter().try_for_each(|change| write!(f, " {change}"))
            }
            Self::Heard { from, number } => write!(f, "heard {from} {number}"),
            Self::Beat { from, number } => write!(f, "beat {from} {number}"),
            Self::Gone { from } => write!(f, "gone {from}"),
            Self::Bye { from } => write!(f, "bye {from}"),
            Self::All => f.write_str("all"),
        }
    }
}

impl Message {
    /// Reads a payload. `None` for what this version does not understand: then anything may have been meant.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        if words.next()? != VERSION {
            return None;
        }
        let kind = words.next()?;
        if kind == "all" {
            return Some(Self::All);
        }
        let from = words.next()?.to_owned();
        let mut number = || words.next()?.parse().ok();
        Some(match kind {
            "hello" => Self::Hello { from },
            "here" => Self::Here { from },
            "heard" => Self::Heard { from, number: number()? },
            "beat" => Self::Beat { from, number: number()? },
            "gone" => Self::Gone { from },
            "bye" => Self::Bye { from },
            "said" => {
                let number = number()?;
                // A word that a later version added may mean anything, but its number still has to be answered.
                Self::Said { from, number, changes: words.map(Change::parse).collect() }
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let from = || "5f".to_owned();
        let changes = vec![
            Change::Projects,
            Change::Repository(RepositoryId(7)),
            Change::Members(ProjectId(2)),
            Change::User(UserId(1)),
            Change::Robot(RobotId(i64::MAX)),
            Change::Settings,
            Change::Rows,
        ];
        let messages = [
            (Message::Hello { from: from() }, "1 hello 5f"),
            (Message::Here { from: from() }, "1 here 5f"),
            (Message::Said { from: from(), number: 9, changes: Some(changes) }, "1 said 5f 9 p r7 m2 u1 b9223372036854775807 s w"),
            (Message::Said { from: from(), number: 9, changes: None }, "1 said 5f 9 *"),
            (Message::Heard { from: from(), number: 9 }, "1 heard 5f 9"),
            (Message::Beat { from: from(), number: 1 }, "1 beat 5f 1"),
            (Message::Gone { from: from() }, "1 gone 5f"),
            (Message::Bye { from: from() }, "1 bye 5f"),
            (Message::All, "1 all"),
        ];
        for (message, text) in messages {
            assert_eq!(message.to_string(), text);
            assert_eq!(Message::parse(text), Some(message), "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_nothing() {
        for text in ["", "1", "2 hello 5f", "1 shout 5f", "1 hello", "1 heard 5f", "1 heard 5f x", "1 said 5f", "1 said 5f -1 p"] {
            assert_eq!(Message::parse(text), None, "{text}");
        }
        // Known kind, unknown change: everything may have changed.
        for text in ["1 said 5f 3 x9", "1 said 5f 3 r", "1 said 5f 3 é1", "1 said 5f 3 p r1x"] {
            assert_eq!(Message::parse(text), Some(Message::Said { from: "5f".into(), number: 3, changes: None }), "{text}");
        }
    }
}
