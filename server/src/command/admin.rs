//! `berth migrate` and `berth admin reset-password`: what an operator does to the database without a server.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};

use crate::{
    compose,
    config::{Config, Database, Secret},
};

/// A password is short; more than this is another file by mistake.
const PASSWORD_LIMIT: u64 = 4096;

pub(super) async fn migrate(config: Config) -> anyhow::Result<ExitCode> {
    println!("{}", compose::migrate(&config).await?);
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn reset_password(config: Config, file: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let password = file.as_deref().map(read_password).transpose()?;
    match compose::reset_admin_password(&config, password).await? {
        Some(file) => println!("The administrator's new password is in {}", file.display()),
        None => println!("The administrator's password was changed"),
    }
    if matches!(config.database, Database::Sqlite(_)) {
        println!("A server that runs on these data may take the old one for another minute; a restart ends that");
    }
    Ok(ExitCode::SUCCESS)
}

fn read_password(file: &Path) -> anyhow::Result<Secret> {
    let mut text = String::new();
    let mut limited: Box<dyn std::io::Read> = if file == Path::new("-") {
        Box::new(std::io::stdin().take(PASSWORD_LIMIT))
    } else {
        Box::new(std::fs::File::open(file).with_context(|| format!("{} cannot be opened", file.display()))?.take(PASSWORD_LIMIT))
    };
    limited.read_to_string(&mut text).with_context(|| format!("{} cannot be read", file.display()))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        bail!("{} holds no password", file.display());
    }
    Ok(Secret::new(text))
}
