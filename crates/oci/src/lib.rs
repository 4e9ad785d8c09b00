//! The OCI distribution protocol as types: digests, names, manifests, ranges, routes, scopes and error codes, without any I/O.
//! The registry door, the blob room and the service room call it; it knows nothing of Berth itself.
//!
//! Every parser here is total: any input gives a value or an error, never a panic, in time linear in its length.

pub mod catalog;
pub mod challenge;
pub mod condition;
pub mod descriptor;
pub mod digest;
pub mod error;
pub mod extension;
mod json;
pub mod limits;
pub mod manifest;
pub mod media_type;
pub mod name;
mod percent;
pub mod range;
pub mod reference;
pub mod referrers;
pub mod route;
pub mod scope;
pub mod tag;
pub mod tags;
mod text;

pub use catalog::Catalog;
pub use challenge::Challenge;
pub use descriptor::{Descriptor, DescriptorError, Platform};
pub use digest::{Algorithm, Digest, DigestError};
pub use error::{ErrorBody, ErrorCode, ErrorEntry};
pub use manifest::{Manifest, ManifestError};
pub use media_type::ManifestKind;
pub use name::{NameError, RepositoryName};
pub use range::{ContentRange, ContentRangeError, RangeOutcome, parse_range};
pub use reference::{Reference, ReferenceError};
pub use referrers::{Referrer, ReferrersIndex};
pub use route::{Action, Operation, Page, PageError, RawDigest, RawReference, RouteError};
pub use scope::Scope;
pub use tag::{Tag, TagError};
pub use tags::TagList;
