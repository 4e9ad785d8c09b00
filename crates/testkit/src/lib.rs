//! What tests of every room share: databases, the use cases and the program in a box, a client for it, the player of recorded conversations. Only tests and
//! examples may call it.

pub mod client;
pub mod database;
pub mod instance;
pub mod player;
mod reply;
pub mod server;
pub mod suite;
