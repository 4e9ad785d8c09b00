//! The program `berth`. Everything it does is in the library beside it; this file chooses the allocator and hands over.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The allocator would ask for pages of 2 MiB, which the kernel clears at the first touch: 20 MiB that nothing uses, and a third of the start.
    // Refused by an old kernel it only costs that.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    berth::command::run()
}
