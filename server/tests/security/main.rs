//! Who may do what, and what must never happen, over HTTP: every operation of the API and of the registry by every kind of caller, and a
//! test for each class of mistake that registries have made before. All run against a `berth` process on SQLite and, where
//! `BERTH_TEST_POSTGRES_URL` names a server to make databases on, against one on PostgreSQL.
//!
//! The classes, and the tests that stand for them:
//!
//! | class | tests |
//! | --- | --- |
//! | privileged fields in a body (CVE-2019-16097) | `assignment`, `wishes` |
//! | a user does what an administrator may (CVE-2019-19023), the API allows what the portal does not (CVE-2024-22278) | `matrix`, `registry`, `portal`, `sessions` |
//! | forged requests (CVE-2019-19025) | `forgery` |
//! | SQL in `q`, `sort` and other parameters (CVE-2019-19026, -19029, CVE-2024-22261) | `lists::no_parameter_of_a_list_reaches_…` |
//! | filters and orders as oracles on secret columns (CVE-2025-30086) | `lists::no_filter_reads_…`, `lists::no_order_follows_…` |
//! | enumeration (CVE-2019-19030, CVE-2020-13794) | `foreign::*_answer_alike`, `foreign::*_answers_alike` |
//! | another address of the same thing (CVE-2020-29662) | `routes` |
//! | other people's ids under one's own path (CVE-2022-31666 to -31671) | `foreign::ids_of_another_project_…` |
//! | secrets in answers, logs, files and databases (GHSA-prh4-vhfh-24mj, CVE-2025-48374) | `secrets` |
//! | a robot by its name's beginning | `identity` |
//! | unbounded bodies, pages and unpacking (CVE-2017-11468, CVE-2023-2253) | `limits`, `bodies::*_have_bounds`, `bodies::a_compressed_…`; charts: `service::artifact::chart`; pages of the catalog: `crates/service/tests/catalog.rs` |
//! | panics and 32-bit numbers | `bodies::no_body_brings_…`, `bodies::numbers_of_any_size_…`, `ids` |
//! | tags moved without the permission to (CVE-2026-31801) | `movement` |
//! | wildcards in names (CVE-2026-110697) | `lists::wildcards_…` |
//! | uploads and mounts across repositories (CVE-2026-32589, CVE-2024-39897, CVE-2026-117685), scopes lost on the way (CVE-2025-68944) | `registry` |
//!
//! Nothing is exported as CSV, so no formula can be.

mod assignment;
mod bodies;
mod foreign;
mod forgery;
mod icons;
mod identity;
mod ids;
mod kit;
mod limits;
mod lists;
mod matrix;
mod memory;
mod movement;
mod nulls;
mod operations;
mod portal;
mod registry;
mod routes;
mod secrets;
mod sessions;
mod wishes;
mod world;

use std::path::Path;
use std::process::ExitCode;

use kit::Kit;

fn main() -> ExitCode {
    let modules = [
        matrix::all,
        assignment::all,
        bodies::all,
        foreign::all,
        forgery::all,
        icons::all,
        identity::all,
        ids::all,
        limits::all,
        lists::all,
        memory::all,
        movement::all,
        nulls::all,
        portal::all,
        registry::all,
        routes::all,
        secrets::all,
        sessions::all,
        wishes::all,
    ];
    let tests: Vec<_> = modules.iter().flat_map(|all| all()).collect();
    // The tests wait for answers most of the time.
    testkit::suite::run(berth(), 6, &tests, Kit::new)
}

/// The program under test.
fn berth() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_berth"))
}
