//! Answers to questions, remembered as they were given: to the same caller, until anything at all changes. A door keeps one for the answers that cost
//! the database most; a use case may keep one for what it reads whole.
//!
//! There is no list of what an answer was made of that somebody could forget to complete: every commit, and everything that any memory forgets,
//! raises one number ([`Replicas::known`]). An answer is believed while this is what it was before the question was looked at, before even the
//! caller was recognised. So a write costs the next readers a look into the database each, and between two writes all lists come from memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{RobotId, UserId};
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, Equivalent, OptionsBuilder, Weighter};

use crate::Actor;
use crate::replicas::Replicas;

/// No answer is believed longer: a bound for what nobody announces, such as a change by hand in the database.
const LIFETIME: Duration = Duration::from_secs(30);
/// The parts of the memory, each with its own lock and its share of the room.
const PARTS: usize = 4;
/// Bytes that an entry costs besides what is in it.
const OVERHEAD: usize = 320;

/// Whose questions are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asker {
    /// Whoever may ask: the permission was looked at before.
    Anyone,
    /// Nobody we know.
    Anonymous,
    /// A person.
    User(UserId),
    /// A robot account.
    Robot(RobotId),
}

impl Asker {
    /// The one who calls; none for tokens, which differ in what they grant.
    pub fn of(actor: &Actor) -> Option<Self> {
        match actor {
            Actor::Anonymous => Some(Self::Anonymous),
            Actor::User(user) => Some(Self::User(user.id)),
            Actor::Robot(robot) => Some(Self::Robot(robot.id)),
            Actor::Token(_) => None,
        }
    }
}

/// When a question was looked at: see [`Answers::now`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(u64);

#[derive(Debug, PartialEq, Eq, Hash)]
struct Question(Asker, Box<str>);

/// A [`Question`] to look up: nothing is copied for a look. Hashes as the question does.
#[derive(Hash)]
struct Asked<'a>(Asker, &'a str);

impl Equivalent<Question> for Asked<'_> {
    fn equivalent(&self, question: &Question) -> bool {
        self.0 == question.0 && *self.1 == *question.1
    }
}

#[derive(Clone, Debug)]
struct Entry<A> {
    moment: Moment,
    since: Instant,
    bytes: usize,
    answer: A,
}

#[derive(Clone, Debug)]
struct Weight;

impl<A> Weighter<Question, Entry<A>> for Weight {
    fn weight(&self, question: &Question, entry: &Entry<A>) -> u64 {
        (entry.bytes + question.1.len() + OVERHEAD) as u64
    }
}

/// A memory of answers, bounded in bytes.
#[derive(Debug)]
pub struct Answers<A: Clone> {
    replicas: Arc<Replicas>,
    entries: Cache<Question, Entry<A>, Weight>,
}

impl<A: Clone> Answers<A> {
    /// An empty one with room for this many bytes.
    pub fn new(replicas: Arc<Replicas>, room: u64) -> Self {
        let options = OptionsBuilder::new().shards(PARTS).estimated_items_capacity(4096).weight_capacity(room).build();
        // Both capacities are given, which is all that can be missing.
        let options = options.expect("the capacities of a cache");
        let entries = Cache::with_options(options, Weight, DefaultHashBuilder::default(), DefaultLifecycle::default());
        Self { replicas, entries }
    }

    /// The moment to answer under: ask before anything else is looked at, also before the caller is recognised.
    pub fn now(&self) -> Moment {
        Moment(self.replicas.known())
    }

    /// The answer to this question, if it was given already and nothing has changed until `now`.
    pub fn get(&self, now: Moment, asker: Asker, question: &str) -> Option<A> {
        let entry = self.entries.get(&Asked(asker, question))?;
        (entry.moment == now && entry.since.elapsed() < LIFETIME && self.replicas.hears()).then_some(entry.answer)
    }

    /// Remembers an answer of about this many bytes that was made under `moment`.
    pub fn put(&self, moment: Moment, asker: Asker, question: &str, answer: A, bytes: usize) {
        // What is known to be old already need not push others out.
        if moment == self.now() {
            self.entries.insert(Question(asker, question.into()), Entry { moment, since: Instant::now(), bytes, answer });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replicas::Change;

    fn answers() -> (Arc<Replicas>, Answers<u8>) {
        let replicas = Arc::new(Replicas::default());
        (replicas.clone(), Answers::new(replicas, 1 << 20))
    }

    #[test]
    fn an_answer_is_for_who_asked_and_what_was_asked() {
        let (_, answers) = answers();
        let (dana, evan) = (Asker::User(UserId(3)), Asker::User(UserId(4)));
        answers.put(answers.now(), dana, "projects?page=1", 7, 1);
        assert_eq!(answers.get(answers.now(), dana, "projects?page=1"), Some(7));
        for (asker, question) in [(evan, "projects?page=1"), (dana, "projects?page=2"), (Asker::Robot(RobotId(3)), "projects?page=1")] {
            assert_eq!(answers.get(answers.now(), asker, question), None);
        }
    }

    #[test]
    fn any_change_ends_all_answers_also_those_that_are_being_made() {
        let (replicas, answers) = answers();
        let before = answers.now();
        answers.put(before, Asker::Anyone, "a", 1, 1);
        replicas.announce(Change::Rows);
        answers.put(before, Asker::Anyone, "b", 1, 1);
        for question in ["a", "b"] {
            assert_eq!(answers.get(answers.now(), Asker::Anyone, question), None);
        }
        answers.put(answers.now(), Asker::Anyone, "a", 2, 1);
        assert_eq!(answers.get(answers.now(), Asker::Anyone, "a"), Some(2));
    }

    #[test]
    fn the_room_is_bounded() {
        let (_, answers) = answers();
        for n in 0..1000 {
            answers.put(answers.now(), Asker::Anyone, &n.to_string(), 1, 10_000);
        }
        assert!(answers.entries.weight() <= 1 << 20);
    }
}
