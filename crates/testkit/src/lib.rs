//! What tests of every room share: the player of recorded conversations and a fresh server for each of them. Only tests and
//! examples may call it.

pub mod client;
pub mod database;
pub mod player;
pub mod server;
