//! One artifact: identity, pull commands, facts, layers with their history, platforms, configuration and annotations. The route tree uses the
//! page.

#[cfg(feature = "ssr")]
mod document;
mod facts;
mod layers;
mod page;
mod parts;
mod removal;
mod server;
mod steps;
mod view;
#[cfg(feature = "ssr")]
mod wiring;

pub use page::ArtifactPage;
pub use steps::{Step, steps};
pub use view::{AccessoryRow, ArtifactView, DocumentView, HistoryRow, ImageConfig, LayerRow, Part, PlatformRow, SubjectView, TagRow};
