//! The two requests to the kernel that need `unsafe`: a read-only memory map, and the start of write-back.
//! Only the blob reader and the filesystem driver call it; nothing else in Berth is unsafe.
#![expect(unsafe_code, reason = "a memory map is the only way to hand file content to a socket without copying it")]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use memmap2::{Advice, MmapOptions};

/// Set once the kernel turned out not to know `MADV_POPULATE_READ` (before Linux 5.14).
pub(crate) static NO_POPULATE: AtomicBool = AtomicBool::new(false);

/// Maps `length` bytes from `start` of the blob in `file` and reads them in. Blocking when they are not cached.
///
/// `None` means that this kernel or file system cannot do it and the caller should read instead. The pages are
/// populated before this returns, so whoever touches the bytes takes no page fault; an error of the disk is an error
/// here and not a signal there.
pub(crate) fn map(file: &File, start: u64, length: usize) -> io::Result<Option<Bytes>> {
    if NO_POPULATE.load(Ordering::Relaxed) {
        return Ok(None);
    }
    // SAFETY: a map is sound as long as nobody changes or truncates the file beneath it. `file` is a committed blob:
    // it was renamed to its content address when complete, and from then on this crate, which owns the directory
    // (created for its user alone), renames or unlinks it but never opens it for writing. Both leave the inode, and so
    // the map, intact. An upload's file, which does change, never gets here: only `serve` calls this, with files opened
    // read-only by content address; and whoever had an upload's file open while it was committed notices that under
    // the file's lock before changing it (`Filesystem::locked`). The range lies within the size seen at opening.
    let map = match unsafe { MmapOptions::new().offset(start).len(length).map(file) } {
        Ok(map) => map,
        Err(error) if error.raw_os_error() == Some(libc::ENODEV) => return Ok(None),
        Err(error) => return Err(error),
    };
    match map.advise(Advice::PopulateRead) {
        Ok(()) => Ok(Some(Bytes::from_owner(map))),
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
            NO_POPULATE.store(true, Ordering::Relaxed);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Asks the kernel to start writing `length` bytes from `start` to the disk, without waiting and without any promise
/// about durability; it spares the final `fdatasync` most of its work. Errors show up again in that sync.
#[cfg(target_os = "linux")]
pub(crate) fn start_write_back(file: &File, start: u64, length: u64) {
    let (Ok(start), Ok(length)) = (i64::try_from(start), i64::try_from(length)) else {
        return;
    };
    // SAFETY: the call takes a descriptor, which `file` keeps open, and three numbers; it touches no memory of ours.
    unsafe { libc::sync_file_range(file.as_raw_fd(), start, length, libc::SYNC_FILE_RANGE_WRITE) };
}

/// Elsewhere the final sync does all the work.
#[cfg(not(target_os = "linux"))]
pub(crate) fn start_write_back(_file: &File, _start: u64, _length: u64) {}
