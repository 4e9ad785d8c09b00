//! The command line: operator in, exit code out. `main` calls [`run`]; every subcommand composes what it needs by way of `compose`.

mod admin;
mod configuration;
mod doctor;
mod healthcheck;
mod serve;

#[cfg(test)]
mod tests;

use std::{path::PathBuf, process::ExitCode};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::config::{self, Config, ConfigError, Given, Loaded, SETTINGS, Shape, flag_of};

/// Something did not work.
const FAILED: u8 = 1;
/// The command line or the configuration is wrong.
const WRONG: u8 = 2;

/// Runs the program with the arguments and environment of this process.
#[must_use]
pub fn run() -> ExitCode {
    let matches = match cli().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            // Help and version come this way too, on standard output and with exit code 0.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { WRONG } else { 0 });
        }
    };
    // Only fails when it was done before.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match dispatch(&matches) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("berth: {}", told(&error));
            ExitCode::from(if error.is::<ConfigError>() { WRONG } else { FAILED })
        }
    }
}

/// An error with its causes. Drivers repeat their cause in their own words; a person reads it once.
fn told(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if told.is_empty() {
            told = cause;
        } else if !told.contains(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}

fn dispatch(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    match matches.subcommand() {
        Some(("config", inner)) => match inner.subcommand() {
            Some(("example", _)) => Ok(configuration::example()),
            Some(("check", args)) => configuration::check(&loaded(args)?),
            _ => Ok(ExitCode::from(WRONG)),
        },
        Some(("doctor", args)) => wait(doctor::run(loaded(args))),
        Some(("admin", inner)) => match inner.subcommand() {
            Some(("reset-password", args)) => wait(admin::reset_password(started(args)?, args.get_one("password-file").cloned())),
            _ => Ok(ExitCode::from(WRONG)),
        },
        Some(("healthcheck", args)) => wait(healthcheck::run(loaded(args)?.config)),
        Some(("migrate", args)) => wait(admin::migrate(started(args)?)),
        Some(("serve", args)) => wait(serve::run(started(args)?)),
        _ => Ok(ExitCode::from(WRONG)),
    }
}

/// The configuration, with logging started as it says.
fn started(args: &ArgMatches) -> Result<Config, ConfigError> {
    let config = loaded(args)?.config;
    crate::log::init(&config.log);
    Ok(config)
}

fn loaded(args: &ArgMatches) -> Result<Loaded, ConfigError> {
    config::load(given(args), std::env::vars_os())
}

fn given(args: &ArgMatches) -> Given {
    let flags = setting_flags().filter_map(|(key, ..)| Some((key.clone(), args.get_one::<String>(&key)?.clone()))).collect();
    Given { file: args.get_one::<PathBuf>("config").cloned(), flags }
}

fn wait<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let workers = std::thread::available_parallelism().map_or(1, |cores| workers(cores.get()));
    tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().thread_name("berth").build()?.block_on(work)
}

/// Threads that serve connections: one core is left to what has threads of its own (hashing and writing, the embedded database, pages), and to the
/// kernel. More threads than cores wait for each other's time slices, which the slowest hundredth of all requests then shows
/// (`docs/decisions/0012-threads.md`).
fn workers(cores: usize) -> usize {
    cores.saturating_sub(1).max(1)
}

/// Key, flag, name of the value and description of every setting that has a flag.
fn setting_flags() -> impl Iterator<Item = (String, String, &'static str, String)> {
    SETTINGS.iter().flat_map(|s| {
        let default = if s.default.is_empty() { String::new() } else { format!(" [default: {}]", s.default) };
        let own = s.flag.map(|flag| (s.key.to_owned(), flag.to_owned(), s.value, format!("{}{default}", s.about)));
        let file = (s.shape == Shape::Secret).then(|| {
            let key = format!("{}_file", s.key);
            (key.clone(), flag_of(&key), "FILE", format!("A file that holds `{}`", s.key))
        });
        own.into_iter().chain(file)
    })
}

/// The whole command line; the settings' flags are made from their descriptions.
#[must_use]
pub fn cli() -> Command {
    let plain = |name: &'static str, about: &'static str| Command::new(name).about(about);
    let configured = |name, about| plain(name, about).args(config_args());
    let group = |name, about| plain(name, about).subcommand_required(true).arg_required_else_help(true);
    Command::new("berth")
        .about("A container registry platform in one program: registry, portal, API and token service")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .subcommand(configured("serve", "Serve the registry, the portal and the API"))
        .subcommand(configured("migrate", "Bring the database to this version's schema (`serve` does so too) and end"))
        .subcommand(
            group("config", "Check the configuration, or print an example of it")
                .subcommand(configured("check", "Report every problem of the configuration, or what is in force"))
                .subcommand(plain("example", "Print a commented configuration file")),
        )
        .subcommand(configured("doctor", "Examine configuration, data directory, database, certificate, clock and port"))
        .subcommand(
            group("admin", "Emergency access").subcommand(
                configured("reset-password", "Give the account `admin` a new password").arg(
                    Arg::new("password-file").long("password-file").value_name("FILE").value_parser(value_parser!(PathBuf)).help(
                        "Take the new password from this file, `-` for standard input; without it one is generated and left in a file",
                    ),
                ),
            ),
        )
        .subcommand(configured("healthcheck", "Ask the server that runs with this configuration whether it is well; exit code 0 or 1"))
}

fn config_args() -> Vec<Arg> {
    let config = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("Configuration file [default: berth.toml in the data directory, where there is one]");
    let settings = setting_flags().map(|(key, flag, value, about)| {
        Arg::new(key)
            .long(flag)
            .value_name(value)
            .action(ArgAction::Set)
            .help(about.trim_end_matches('.').replace(". [", " ["))
            .hide_short_help(false)
    });
    std::iter::once(config).chain(settings).collect()
}
