//! What surrounds every page: the document, the frame with top bar and navigation, the theme, and the one way to load a page. `server` uses
//! [`document`], [`Assets`] and [`Theme`]; pages use [`Frame`] and [`loaded`], the application
//! starts the [`shortcuts`].

mod account;
mod document;
mod frame;
mod load;
mod navigation;
mod search;
mod theme;

pub use document::{Assets, document, sprite};
pub use frame::{Crumb, Frame, Place};
pub use load::loaded;
pub use navigation::Room;
pub use search::shortcuts;
pub(crate) use search::submission;
pub(crate) use theme::SetTheme;
pub use theme::Theme;
