//! Signing in and out, and who the visitor is. The route tree uses the pages, every answer carries a [`Visitor`], and the server's form
//! endpoints use [`landing`].

mod landing;
mod server;
mod sign_in;
mod visitor;

pub use landing::landing;
pub use sign_in::{SignInPage, ToSignIn};
pub use visitor::{Account, Visitor};
