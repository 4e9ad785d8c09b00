//! The /v2 door and the token service, held to the distribution protocol over HTTP: a test for each line of the protocol's checklist
//! (`r000_…`), the sequences of both conformance suites, and replays of what real clients send. All run against a `berth` process on
//! SQLite and, where `BERTH_TEST_POSTGRES_URL` names a server to make databases on, against one on PostgreSQL.
//!
//! Where Berth answers as Harbor was recorded to answer and not by the letter of a line, the test holds the recorded answer and says so.
//!
//! One server for each engine serves all tests, so the harness is our own: it stops the servers after the last test, and then holds their
//! logs against us too. Each test works in projects of its own.

mod blob_range;
mod blob_read;
mod clients;
mod delete;
mod document;
mod framing;
mod general;
mod hardship;
mod kit;
mod lists;
mod manifest_content;
mod manifest_read;
mod manifest_reference;
mod manifest_tag;
mod mount;
mod names;
mod raw;
mod referrers;
mod suite_data;
mod suite_first;
mod suite_head;
mod token;
mod upload;
mod upload_chunk;
mod upload_end;

use std::path::Path;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;

use kit::Kit;
use libtest_mimic::{Arguments, Trial};
use testkit::database::POSTGRES_URL;
use testkit::server::{Engine, Server};
use tokio::runtime::Runtime;

/// A running test.
type Running = Pin<Box<dyn Future<Output = ()>>>;
/// A test: its name and how to run it.
type Test = (&'static str, fn(Kit) -> Running);

/// The tests of a module, as `pub(crate) fn all()`. One that is not listed here is dead code, which the compiler tells.
macro_rules! tests {
    ($($name:ident,)*) => {
        /// The tests of this module.
        pub(crate) fn all() -> Vec<crate::Test> {
            vec![$((stringify!($name), |kit| Box::pin($name(kit)))),*]
        }
    };
}
pub(crate) use tests;

fn tests_of_all_modules() -> Vec<Test> {
    [
        blob_range::all,
        blob_read::all,
        clients::all,
        delete::all,
        framing::all,
        general::all,
        hardship::all,
        lists::all,
        manifest_content::all,
        manifest_read::all,
        manifest_reference::all,
        manifest_tag::all,
        mount::all,
        names::all,
        referrers::all,
        suite_first::all,
        suite_head::all,
        token::all,
        upload::all,
        upload_chunk::all,
        upload_end::all,
    ]
    .iter()
    .flat_map(|all| all())
    .collect()
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // The tests wait for answers most of the time.
    arguments.test_threads.get_or_insert(8);
    let runtime = Arc::new(Runtime::new().expect("a runtime"));
    let mut engines = vec![("sqlite", Engine::Sqlite)];
    match std::env::var(POSTGRES_URL) {
        Ok(url) if !url.is_empty() => engines.push(("postgres", Engine::Postgres(url))),
        _ => eprintln!("not tested on PostgreSQL: {POSTGRES_URL} is not set"),
    }
    if arguments.list {
        let kit = |name| Kit::new(name, "http://127.0.0.1:0", Engine::Sqlite);
        let trials = engines.iter().flat_map(|(name, _)| trials(name, &runtime, &kit(name))).collect();
        return libtest_mimic::run(&arguments, trials).exit_code();
    }
    let mut servers = Vec::new();
    let mut all = Vec::new();
    for (name, engine) in engines {
        let server = runtime.block_on(Server::start(berth(), &engine, &[])).unwrap_or_else(|error| panic!("{name}: {error}"));
        all.extend(trials(name, &runtime, &Kit::new(name, &server.base_url(), engine)));
        servers.push((name, server));
    }
    let conclusion = libtest_mimic::run(&arguments, all);
    let mut code = conclusion.exit_code();
    for (name, server) in servers {
        let complaints = server.complaints();
        let ended = runtime.block_on(server.stop());
        if !complaints.is_empty() {
            eprintln!("the server on {name} complained:\n{}", complaints.join("\n"));
            code = ExitCode::FAILURE;
        }
        if !matches!(&ended, Ok(status) if status.success()) {
            eprintln!("the server on {name} did not end well: {ended:?}");
            code = ExitCode::FAILURE;
        }
    }
    code
}

/// The program under test.
fn berth() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_berth"))
}

fn trials(engine: &str, runtime: &Arc<Runtime>, kit: &Kit) -> Vec<Trial> {
    let trial = |(name, test): Test| {
        let (runtime, kit) = (runtime.clone(), kit.clone());
        Trial::test(format!("{engine}::{name}"), move || {
            runtime.block_on(test(kit));
            Ok(())
        })
    };
    tests_of_all_modules().into_iter().map(trial).collect()
}
