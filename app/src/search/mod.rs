//! The search over projects and repositories, for everybody over what they may see. The route tree uses the page.

mod page;
mod server;
mod view;
#[cfg(feature = "ssr")]
mod wiring;

pub use page::SearchPage;
pub use view::{FoundRepository, SearchView};
