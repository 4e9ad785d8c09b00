//! Who may do what, and what must never happen, over HTTP: every operation of the API and of the registry by every kind of caller, and a
//! test for each class of mistake that registries have made before. All run against a `berth` process on SQLite and, where
//! `BERTH_TEST_POSTGRES_URL` names a server to make databases on, against one on PostgreSQL.
//!
//! The classes, and the tests that stand for them:
//!
//! | class | tests |
//! | --- | --- |
//! | privileged fields in a body (CVE-2019-16097) | `assignment`, `wishes` |
//! | a user does what an administrator may (CVE-2019-19023), the API allows what the portal does not (CVE-2024-22278) | `matrix`, `registry` |
//! | forged requests (CVE-2019-19025) | `forgery` |
//! | SQL in `q`, `sort` and other parameters (CVE-2019-19026, -19029, CVE-2024-22261) | `lists::no_parameter_of_a_list_reaches_…` |
//! | filters and orders as oracles on secret columns (CVE-2025-30086) | `lists::no_filter_reads_…`, `lists::no_order_follows_…` |
//! | enumeration (CVE-2019-19030, CVE-2020-13794) | `foreign::*_answer_alike`, `foreign::*_answers_alike` |
//! | another address of the same thing (CVE-2020-29662) | `routes` |
//! | other people's ids under one's own path (CVE-2022-31666 to -31671) | `foreign::ids_of_another_project_…` |
//! | secrets in answers, logs, files and databases (GHSA-prh4-vhfh-24mj, CVE-2025-48374) | `secrets` |
//! | a robot by its name's beginning | `identity` |
//! | unbounded bodies, pages and unpacking (CVE-2017-11468, CVE-2023-2253) | `limits`, `bodies::*_have_bounds`, `bodies::a_compressed_…`; charts: `service::artifact::chart` |
//! | panics and 32-bit numbers | `bodies::no_body_brings_…`, `bodies::numbers_of_any_size_…` |
//! | tags moved without the permission to (CVE-2026-31801) | `movement` |
//! | wildcards in names (CVE-2026-110697) | `lists::wildcards_…` |
//! | uploads and mounts across repositories (CVE-2026-32589, CVE-2024-39897, CVE-2026-117685), scopes lost on the way (CVE-2025-68944) | `registry` |
//!
//! Nothing is exported as CSV, so no formula can be.

mod assignment;
mod bodies;
mod foreign;
mod forgery;
mod identity;
mod kit;
mod limits;
mod lists;
mod matrix;
mod movement;
mod operations;
mod registry;
mod routes;
mod secrets;
mod wishes;
mod world;

use std::path::Path;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;

use kit::Kit;
use libtest_mimic::{Arguments, Trial};
use testkit::database::POSTGRES_URL;
use testkit::server::{Engine, Server};
use tokio::runtime::Runtime;
use tokio::sync::RwLock;

/// A running test.
type Running = Pin<Box<dyn Future<Output = ()>>>;
/// A test: its name, how to run it, and whether nothing else may happen on the server meanwhile.
type Test = (&'static str, fn(Kit) -> Running, bool);

/// The tests of a module, as `pub(crate) fn all()`; those after `alone:` have the server for themselves. One that is not listed here is dead
/// code, which the compiler tells.
macro_rules! tests {
    ($($name:ident),* $(,)? $(; alone: $($single:ident,)*)?) => {
        /// The tests of this module.
        pub(crate) fn all() -> Vec<crate::Test> {
            vec![$((stringify!($name), |kit| Box::pin($name(kit)), false),)* $($((stringify!($single), |kit| Box::pin($single(kit)), true),)*)?]
        }
    };
}
pub(crate) use tests;

fn tests_of_all_modules() -> Vec<Test> {
    [
        matrix::all,
        assignment::all,
        bodies::all,
        foreign::all,
        forgery::all,
        identity::all,
        limits::all,
        lists::all,
        movement::all,
        registry::all,
        routes::all,
        secrets::all,
        wishes::all,
    ]
    .iter()
    .flat_map(|all| all())
    .collect()
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // The tests wait for answers most of the time.
    arguments.test_threads.get_or_insert(6);
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
pub(crate) fn berth() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_berth"))
}

fn trials(engine: &str, runtime: &Arc<Runtime>, kit: &Kit) -> Vec<Trial> {
    let still = Arc::new(RwLock::new(()));
    let trial = |(name, test, alone): Test| {
        let (runtime, kit, still) = (runtime.clone(), kit.clone(), still.clone());
        Trial::test(format!("{engine}::{name}"), move || {
            runtime.block_on(async {
                if alone {
                    let _alone = still.write().await;
                    test(kit).await;
                } else {
                    let _together = still.read().await;
                    test(kit).await;
                }
            });
            Ok(())
        })
    };
    tests_of_all_modules().into_iter().map(trial).collect()
}
