//! The /v2 door and the token service, held to the distribution protocol over HTTP: a test for each line of the protocol's checklist
//! (`r000_…`), the sequences of both conformance suites, and replays of what real clients send. All run against a `berth` process on
//! SQLite and, where `BERTH_TEST_POSTGRES_URL` names a server to make databases on, against one on PostgreSQL.
//!
//! Where Berth answers as Harbor was recorded to answer and not by the letter of a line, the test holds the recorded answer and says so.
//!
//! One server for each engine serves all tests. Each test works in projects of its own.

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
use std::process::ExitCode;

use kit::Kit;

fn main() -> ExitCode {
    let modules = [
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
    ];
    let tests: Vec<_> = modules.iter().flat_map(|all| all()).collect();
    // The tests wait for answers most of the time.
    testkit::suite::run(berth(), 8, &tests, Kit::new)
}

/// The program under test.
fn berth() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_berth"))
}
