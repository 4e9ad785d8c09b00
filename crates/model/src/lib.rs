//! The words that every room shares, the browser included: ids, instants, names and their grammar, permissions and the pure decision,
//! the request and response types of the API. Anyone may use it; it uses nothing of ours and does no I/O.

pub mod api;
pub mod error;
pub mod id;
pub mod list;
pub mod name;
pub mod percent;
pub mod permission;
pub mod secret;
pub mod size;
pub mod time;
mod wire;

pub use id::*;
pub use secret::Secret;
pub use time::Instant;
