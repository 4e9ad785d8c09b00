//! Signing in and out, the visitor's own password, and who the visitor is. The route tree uses the pages, every answer carries a [`Visitor`], and
//! the server's form endpoints use [`landing`] and [`TYPED_NAME`].

mod landing;
mod password;
mod server;
mod sign_in;
mod visitor;
#[cfg(feature = "ssr")]
mod wiring;

pub use landing::landing;
pub use password::PasswordPage;
pub use sign_in::{SignInPage, ToSignIn};
pub use visitor::{Account, SignInView, Visitor};

/// The cookie with the name that was typed, percent-encoded, for the sign-in form that comes back after a wrong password.
pub const TYPED_NAME: &str = "sign_in_name";
