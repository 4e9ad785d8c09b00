//! One repository: its tags and artifacts, and the commands that pull and push. The route tree uses the page; the pages of projects and artifacts
//! use [`commands`].

pub mod commands;
mod page;
mod server;
mod table;
mod view;
#[cfg(feature = "ssr")]
pub(crate) mod wiring;

pub use page::RepositoryPage;
pub use view::{ArtifactRow, Kind, RepositoryView};
