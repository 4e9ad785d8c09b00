//! Bytes at rest: content-addressed blobs and the files of uploads in progress, at the paths CNCF Distribution uses.
//! Only `service` (and the binary that opens the store) may call it; nothing else in Berth touches blob files.
//!
//! [`BlobStore`] is an operations set, not a file interface: every operation names a digest or an upload, so that an
//! object store can stand behind it as well. What is visible is complete, verified and durable; what is not yet so
//! lives under an [`UploadId`].

mod digesting;
mod error;
mod filesystem;
mod held;
mod kernel;
mod serve;
mod store;
mod upload;

pub use error::{AppendError, BlobError, CommitError, StateError};
pub use held::Held;
pub use serve::{Blob, BlobStream};
pub use store::{BlobStore, Quarantined};
pub use upload::{AppendOptions, Appended, UploadFile, UploadId, UploadIdError, UploadState, Usage};
