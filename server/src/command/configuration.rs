//! `berth config check` and `berth config example`.

use std::process::ExitCode;

use crate::{
    config::{self, Loaded, Tls},
    listen::Certificates,
};

/// Prints what is in force; problems were reported before this is reached, but for files that must be readable.
pub(super) fn check(loaded: &Loaded) -> anyhow::Result<ExitCode> {
    if let Tls::Files { certificate, key } = &loaded.config.tls {
        Certificates::from_files(certificate, key)?;
    }
    let file = loaded.file.as_ref().map_or_else(|| "no file was read".to_owned(), |file| format!("file: {}", file.display()));
    println!("The configuration is valid ({file}).\n\n{}", config::summary(loaded).trim_end());
    Ok(ExitCode::SUCCESS)
}

pub(super) fn example() -> ExitCode {
    print!("{}", config::example());
    ExitCode::SUCCESS
}
