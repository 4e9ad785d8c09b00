//! Plays recorded conversations against any running server and prints where its answers differ.
//!
//! `cargo run -p testkit --example play -- --base http://127.0.0.1:8080 --admin-password PW [--fresh CMD]
//! [--var NAME=VALUE]… [--show hard|all|hard,soft,…] [--deliberate FILE] FILE…`
//!
//! `--fresh` is a shell command that gives an empty server at that address; it runs before each file, with the file's name in
//! `$GOLDEN`. Exits with 1 if there is a hard difference.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use testkit::player::{Conversation, Deliberate, Kind, Report, Target, play};

type Error = Box<dyn std::error::Error>;

#[derive(Default)]
struct Options {
    target: Target,
    fresh: Option<String>,
    show: Vec<&'static str>,
    deliberate: Deliberate,
    files: Vec<PathBuf>,
}

const KINDS: [Kind; 4] = [Kind::Hard, Kind::Message, Kind::Soft, Kind::Extra];

fn options() -> Result<Options, Error> {
    let mut options = Options { show: vec!["hard"], ..Options::default() };
    options.target.base_url = "http://127.0.0.1:8080".to_owned();
    options.target.admin_password = std::env::var("BERTH_ADMIN_PASSWORD").unwrap_or_default();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        if !word.starts_with("--") {
            options.files.push(word.into());
            continue;
        }
        let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
        match word.as_str() {
            "--base" => options.target.base_url = value,
            "--admin-password" => options.target.admin_password = value,
            "--fresh" => options.fresh = Some(value),
            "--deliberate" => options.deliberate = Deliberate::load(value.as_ref())?,
            "--var" => {
                let (name, value) = value.split_once('=').ok_or("--var NAME=VALUE")?;
                options.target.vars.push((name.to_owned(), value.to_owned()));
            }
            "--show" => {
                let shown = |kind: &Kind| value == "all" || value.split(',').any(|name| name == kind.name());
                options.show = KINDS.iter().filter(|kind| shown(kind)).map(|kind| kind.name()).collect();
            }
            _ => return Err(format!("unknown option {word}").into()),
        }
    }
    if options.files.is_empty() { Err("no file to play".into()) } else { Ok(options) }
}

fn print(report: &Report, show: &[&str]) {
    for difference in report.differences.iter().filter(|difference| show.contains(&difference.kind.name())) {
        println!("{} {difference}", report.conversation);
    }
    for skipped in &report.skipped {
        println!("{} {}: skipped, {}", report.conversation, skipped.step.as_deref().unwrap_or("(all)"), skipped.reason);
    }
    let counts: Vec<_> = KINDS.iter().map(|kind| format!("{} {}", report.of_kind(*kind).count(), kind.name())).collect();
    println!("{}: {} steps compared: {}", report.conversation, report.steps_compared, counts.join(", "));
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Error> {
    let options = options()?;
    let mut passed = true;
    for file in &options.files {
        let conversation = Conversation::load(file)?;
        if let Some(command) = &options.fresh {
            let status = Command::new("sh").args(["-c", command]).env("GOLDEN", file).status()?;
            if !status.success() {
                return Err(format!("{command}: {status}").into());
            }
        }
        let mut report = play(&conversation, &options.target).await?;
        for entry in options.deliberate.apply(&mut report) {
            println!("{} {}: listed as deliberate, but there is no such difference", entry.conversation, entry.step);
        }
        print(&report, &options.show);
        passed &= report.passed();
    }
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
