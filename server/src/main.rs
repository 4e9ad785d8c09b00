//! The program `berth`. Everything it does is in the library beside it; this file chooses the allocator and hands over.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    berth::command::run()
}
