//! Requests in the shapes that clients in the field send, to the header and the odd body, on a server of each engine: the Terraform provider's resources
//! through their life, and the command line client over its generated library. Both read strictly typed answers, which is checked field by field.
//!
//! SQLite is always tried; PostgreSQL where `BERTH_TEST_POSTGRES_URL` leads to one on which databases can be made.

#[path = "shapes/cli.rs"]
mod cli;
#[path = "shapes/go.rs"]
mod go;
#[path = "shapes/signature.rs"]
mod signature;
#[path = "shapes/terraform.rs"]
mod terraform;

use std::path::Path;

use testkit::client::Client;
use testkit::server::{Engine, Server};

/// Runs a journey against a server of its own.
fn on(engine: &Engine, journey: impl AsyncFn(Client)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let server = Server::start(Path::new(env!("CARGO_BIN_EXE_berth")), engine, &[]).await.expect("the server starts");
        journey(server.admin()).await;
        assert_eq!(server.complaints(), Vec::<String>::new());
        server.stop().await.expect("it stops");
    });
}

fn on_postgres(journey: impl AsyncFn(Client)) {
    match std::env::var("BERTH_TEST_POSTGRES_URL") {
        Ok(url) if !url.is_empty() => on(&Engine::Postgres(url), journey),
        _ => eprintln!("not tried: BERTH_TEST_POSTGRES_URL is not set"),
    }
}

/// A test of each journey for SQLite and PostgreSQL.
macro_rules! journeys {
    ($($test:ident: $journey:path,)*) => {
        mod sqlite {
            $(#[test]
            fn $test() {
                super::on(&testkit::server::Engine::Sqlite, async |client| $journey(&client).await);
            })*
        }

        mod postgres {
            $(#[test]
            fn $test() {
                super::on_postgres(async |client| $journey(&client).await);
            })*
        }
    };
}

journeys! {
    terraform_projects_and_their_parts: crate::terraform::projects_and_their_parts,
    terraform_accounts_and_settings: crate::terraform::accounts_and_settings,
    cli_projects_and_their_parts: crate::cli::projects_and_their_parts,
    cli_accounts_and_system: crate::cli::accounts_and_system,
    with_signature_changes_nothing: crate::signature::changes_nothing,
}
