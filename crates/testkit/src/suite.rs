//! A suite of tests against the program: one server for each engine serves them all, which the usual harness cannot do. It stops the servers after
//! the last test, and then holds their logs against the suite too.
//!
//! A suite is a test target without harness, whose `main` hands [`run`] the tests of its modules. What the tests of one engine share is of the
//! suite's own type.

use std::path::Path;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use tokio::runtime::Runtime;
use tokio::sync::RwLock;

use crate::database::POSTGRES_URL;
use crate::server::{Engine, Server};

/// A running test.
pub type Running = Pin<Box<dyn Future<Output = ()>>>;

/// A test, given what the tests of its engine share.
#[derive(Clone, Copy, Debug)]
pub struct Test<K> {
    /// Its name, without the engine's.
    pub name: &'static str,
    /// How to run it.
    pub run: fn(K) -> Running,
    /// Nothing else may happen on the server meanwhile.
    pub alone: bool,
}

/// The tests of a module, as `pub(crate) fn all()`; those after `alone:` have the server for themselves. One that is not listed is dead code,
/// which the compiler tells.
#[macro_export]
macro_rules! tests {
    ($kit:ty; $($name:ident),* $(,)? $(; alone: $($single:ident,)*)?) => {
        /// The tests of this module.
        pub(crate) fn all() -> Vec<$crate::suite::Test<$kit>> {
            vec![
                $($crate::suite::Test { name: stringify!($name), run: |kit| Box::pin($name(kit)), alone: false },)*
                $($($crate::suite::Test { name: stringify!($single), run: |kit| Box::pin($single(kit)), alone: true },)*)?
            ]
        }
    };
}

/// Runs the tests on every engine that there is: SQLite, and PostgreSQL where [`POSTGRES_URL`] names a server. `threads` at once, unless the
/// command line says otherwise; `kit` makes what they share, from the engine's name, the server's address and the engine.
pub fn run<K>(program: &Path, threads: usize, tests: &[Test<K>], kit: impl Fn(&'static str, &str, Engine) -> K) -> ExitCode
where
    K: Clone + Send + 'static,
{
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(threads);
    let runtime = Arc::new(Runtime::new().expect("a runtime"));
    let mut engines = vec![("sqlite", Engine::Sqlite)];
    match std::env::var(POSTGRES_URL) {
        Ok(url) if !url.is_empty() => engines.push(("postgres", Engine::Postgres(url))),
        _ => eprintln!("not tested on PostgreSQL: {POSTGRES_URL} is not set"),
    }
    if arguments.list {
        let nowhere = |name| kit(name, "http://127.0.0.1:0", Engine::Sqlite);
        let all = engines.iter().flat_map(|(name, _)| trials(name, &runtime, &nowhere(name), tests)).collect();
        return libtest_mimic::run(&arguments, all).exit_code();
    }
    let mut servers = Vec::new();
    let mut all = Vec::new();
    for (name, engine) in engines {
        let server = runtime.block_on(Server::start(program, &engine, &[])).unwrap_or_else(|error| panic!("{name}: {error}"));
        all.extend(trials(name, &runtime, &kit(name, &server.base_url(), engine), tests));
        servers.push((name, server));
    }
    let mut code = libtest_mimic::run(&arguments, all).exit_code();
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

fn trials<K: Clone + Send + 'static>(engine: &str, runtime: &Arc<Runtime>, kit: &K, tests: &[Test<K>]) -> Vec<Trial> {
    let still = Arc::new(RwLock::new(()));
    let trial = |test: &Test<K>| {
        let (runtime, kit, still, run, alone) = (runtime.clone(), kit.clone(), still.clone(), test.run, test.alone);
        Trial::test(format!("{engine}::{}", test.name), move || {
            runtime.block_on(async {
                if alone {
                    let _alone = still.write().await;
                    run(kit).await;
                } else {
                    let _together = still.read().await;
                    run(kit).await;
                }
            });
            Ok(())
        })
    };
    tests.iter().map(trial).collect()
}
