//! Clock, randomness and ids are parameters: no rule reads the machine's clock or rolls a die of its own. The linter says the same of some of the
//! rooms; this holds for all that have rules, wherever tests run.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms that hold rules, and what rules are made of.
const ROOMS: [&str; 4] = ["model", "oci", "store", "service"];

/// What reads the clock of the machine, rolls dice or makes up ids.
const FORBIDDEN: &[&str] = &[
    "SystemTime::now",
    "Utc::now",
    "Local::now",
    "Instant::now",
    ".elapsed()",
    "rand::",
    "OsRng",
    "getrandom",
    "SystemRandom",
    "Uuid::new_v4",
    "Uuid::now_v7",
    "Uuid::new_v7",
];

/// Where that is right, and what for.
const ALLOWED: &[(&str, &[&str], &str)] = &[
    ("service/src/clock.rs", &["Utc::now", "rand::"], "the one clock and the one source of randomness, behind `Clock` and `Ids`"),
    (
        "service/src/answers.rs",
        &["Instant::now", ".elapsed()"],
        "how long an answer is believed, measured without regard to the time of day",
    ),
    ("service/src/cache.rs", &["Instant::now", ".elapsed()"], "how long what was read is believed, measured likewise"),
    ("service/src/token.rs", &["Instant::now"], "how long an issued token is handed out again, measured likewise"),
    ("service/src/authn/mod.rs", &["Instant::now"], "how long a guess is made to take"),
    ("service/src/registry/turn.rs", &["Instant::now", ".elapsed()"], "how long a writer is silent, and another one waits"),
    ("service/src/replicas/lease.rs", &["Instant::now", ".elapsed()"], "leases are of this machine's steady clock, which nobody can set"),
    ("service/src/replicas/member.rs", &["Instant::now", ".elapsed()"], "how long another process is silent"),
    ("service/src/replicas/session.rs", &["Instant::now"], "when another process was heard last"),
];

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates")
}

/// All sources below a folder that are not of tests alone.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") && path.file_name().is_some_and(|name| name != "tests.rs") {
            found.push(path);
        }
    }
}

/// What stands before the tests of a file, without comments.
fn rules(source: &str) -> impl Iterator<Item = &str> {
    let code = source.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    code.lines().map(|line| line.split("//").next().unwrap_or_default())
}

/// Which of the forbidden words a source says.
fn said(source: &str) -> Vec<&'static str> {
    let lines: Vec<&str> = rules(source).collect();
    FORBIDDEN.iter().copied().filter(|word| lines.iter().any(|line| line.contains(word))).collect()
}

#[test]
fn no_rule_reads_the_clock_or_rolls_dice() {
    let mut files = Vec::new();
    for room in ROOMS {
        sources(&crates().join(room).join("src"), &mut files);
    }
    assert!(files.len() > 80, "only {} sources were found", files.len());
    let mut wrong = Vec::new();
    for path in files {
        let name = path.strip_prefix(crates()).expect("a path below").to_string_lossy().into_owned();
        let said = said(&fs::read_to_string(&path).expect("text"));
        let allowed = ALLOWED.iter().find(|(file, ..)| *file == name).map_or(&[][..], |(_, words, _)| *words);
        wrong.extend(said.iter().filter(|word| !allowed.contains(word)).map(|word| format!("{name} says {word}")));
        wrong.extend(allowed.iter().filter(|word| !said.contains(word)).map(|word| format!("{name} does not say {word} any more")));
    }
    assert!(wrong.is_empty(), "instants, randomness and ids come from `service::Clock` and `service::Ids`: {wrong:#?}");
}

#[test]
fn what_is_allowed_is_there_and_has_a_reason() {
    for (file, words, reason) in ALLOWED {
        assert!(crates().join(file).is_file() && !words.is_empty() && reason.len() > 10, "{file}");
    }
}

#[test]
fn comments_and_tests_say_what_they_like() {
    let source = "fn rule() { clock.micros() } // not Utc::now\n/// SystemTime::now\n#[cfg(test)]\nmod tests { Instant::now }";
    assert!(said(source).is_empty());
    assert_eq!(said("let now = chrono::Utc::now();\nlet id = uuid::Uuid::new_v4();"), ["Utc::now", "Uuid::new_v4"]);
}
