//! A server of its own for one conversation, ready to be played against.

use std::path::Path;

use super::Target;
use crate::server::{ADMIN_PASSWORD, Engine, Server, StartError};

/// A running server with an empty database; it ends when this is dropped. Call [`FreshServer::stop`] to also remove a PostgreSQL database.
pub struct FreshServer(Server);

impl FreshServer {
    /// Starts `binary serve` on a free loopback port and waits until it answers `GET /api/v2.0/ping`.
    ///
    /// # Errors
    /// Those of [`Server::start`].
    pub async fn start(binary: &Path, engine: &Engine) -> Result<Self, StartError> {
        Server::start(binary, engine, &[]).await.map(Self)
    }

    /// The server as a target for [`super::play`], without further values.
    pub fn target(&self) -> Target {
        Target { base_url: self.0.base_url(), admin_password: ADMIN_PASSWORD.to_owned(), vars: Vec::new() }
    }

    /// The last lines that it printed, standard output and standard error.
    pub fn output(&self) -> String {
        self.0.output()
    }

    /// Ends the process and removes its database.
    pub async fn stop(self) {
        if let Err(error) = self.0.stop().await {
            eprintln!("{error}");
        }
    }
}
