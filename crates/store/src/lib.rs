//! The only room with SQL: one text per statement for SQLite and PostgreSQL, and the rows it reads and writes.
//! `service` calls it (and the composition of the server, to open and migrate); nobody else does.

pub mod count;
mod db;
mod dialect;
mod error;
pub mod list;
mod log;
mod watch;
mod writer;

pub mod accessory;
pub mod allowlist;
pub mod announce;
pub mod artifact;
pub mod audit;
pub mod blob;
pub mod group;
pub mod immutable;
pub mod label;
pub mod member;
pub mod project;
pub mod quota;
pub mod repository;
pub mod robot;
pub mod secret;
pub mod session;
pub mod setting;
pub mod statistics;
pub mod tag;
pub mod upload;
pub mod user;

pub use db::{Conn, Db, Durability, Link, Tx};
pub use dialect::Engine;
pub use error::{Error, Result};
pub use log::Log;
pub use watch::Watch;
pub use writer::Writer;
