//! The server: four doors over one set of rules, their composition, configuration, the listener and the subcommands.
//! Used by the program `berth` and by tests.

mod acknowledge;
pub mod app;
mod body_limit;
pub mod command;
pub mod compose;
pub mod config;
mod credentials;
mod csrf;
pub mod doors;
pub mod listen;
pub mod log;
pub mod portal;
mod read_only;
pub mod registry;
pub mod rest;
pub mod security;
pub mod site;
mod text;
