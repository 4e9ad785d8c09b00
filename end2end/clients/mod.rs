//! Journeys with real clients: docker, podman, skopeo, buildah, helm, oras and a chunking client over curl.
//! `cargo xtask test` runs each against a server on either engine, over http and over TLS.

mod buildah;
mod chunks;
mod curl;
mod docker;
mod helm;
mod oras;
mod podman;
mod skopeo;

use crate::certs::Certs;
use crate::instance::ADMIN;
use crate::process::{self, find};
use crate::suite::Tally;
use anyhow::{Context as _, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The private project that the journeys push to; it exists before they start.
pub const PROJECT: &str = "e2e";

/// A server to try clients on.
pub struct Target {
    /// Engine and transport, for example `sqlite-tls`.
    pub name: String,
    /// `host:port`.
    pub address: String,
    /// The administrator's password.
    pub password: String,
    /// Over TLS: the folder with the test authority's certificate, and the certificate.
    trusted: Option<(PathBuf, PathBuf)>,
}

impl Target {
    /// A server at `host:port`; with certificates it speaks TLS.
    pub fn new(name: &str, address: &str, password: &str, certs: Option<&Certs>) -> Self {
        let trusted = certs.map(|certs| (certs.folder.clone(), certs.ca.clone()));
        Self { name: name.to_owned(), address: address.to_owned(), password: password.to_owned(), trusted }
    }

    /// The base URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("{}://{}", if self.trusted.is_some() { "https" } else { "http" }, self.address)
    }

    /// `user:password` of the administrator.
    pub fn credentials(&self) -> String {
        format!("{ADMIN}:{}", self.password)
    }

    /// `host:port/<project>/<repository>`.
    pub fn reference(&self, repository: &str) -> String {
        format!("{}/{PROJECT}/{repository}", self.address)
    }

    /// How the container tools are told to speak http, or which authority to trust; `prefix` is `--`, `--src-` or `--dest-`.
    pub fn trust(&self, prefix: &str) -> Vec<String> {
        match &self.trusted {
            None => vec![format!("{prefix}tls-verify=false")],
            Some((folder, _)) => vec![format!("{prefix}cert-dir"), folder.to_string_lossy().into_owned()],
        }
    }

    /// The test authority's certificate, over TLS.
    pub fn authority(&self) -> Option<&Path> {
        self.trusted.as_ref().map(|(_, ca)| ca.as_path())
    }
}

/// What the journeys share: the docker daemon, started when the first of them wants it, and where helm is.
pub struct Tools {
    docker: docker::Daemon,
    helm: PathBuf,
}

impl Tools {
    /// Nothing is started yet.
    pub fn new(helm: PathBuf) -> Self {
        Self { docker: docker::Daemon::default(), helm }
    }
}

/// One journey's surroundings.
pub struct Journey<'a> {
    /// The server.
    pub target: &'a Target,
    /// An empty folder of its own.
    pub folder: &'a Path,
    /// Shared between journeys.
    pub tools: &'a mut Tools,
}

impl Journey<'_> {
    /// A path in the journey's folder, as an argument.
    pub fn path(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }
}

/// Marks an error as "cannot be tried here".
#[derive(Debug)]
pub struct Skipped(pub String);

impl std::fmt::Display for Skipped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Skipped {}

type Run = fn(&mut Journey) -> Result<()>;

const JOURNEYS: &[(&str, Run)] = &[
    ("chunks/in order, out of order, resumed", chunks::resumed),
    ("chunks/streamed, cancelled, mounted, refused", chunks::edges),
    ("skopeo/copy all", skopeo::copy_all),
    ("skopeo/docker schema 2", skopeo::docker_schema),
    ("skopeo/sync", skopeo::sync),
    ("skopeo/delete", skopeo::delete),
    ("podman/login, push, pull", podman::push_and_pull),
    ("buildah/manifest list", buildah::manifest_list),
    ("docker/login", docker::login),
    ("docker/load, push, pull", docker::push_and_pull),
    ("docker/build", docker::build),
    ("helm/push, pull", helm::push_and_pull),
    ("oras/push, pull, attach", oras::push_pull_attach),
    ("oras-py/push, pull, attach", oras::python_edition),
];

/// The full names of all journeys on a target.
pub fn names(target: &str) -> impl Iterator<Item = String> {
    JOURNEYS.iter().map(move |(name, _)| format!("clients/{target}/{name}"))
}

/// Runs the journeys that `wants` picks by full name.
pub fn run(target: &Target, tools: &mut Tools, wants: impl Fn(&str) -> bool, tally: &mut Tally) {
    for (name, run) in JOURNEYS {
        let full = format!("clients/{}/{name}", target.name);
        if !wants(&full) {
            continue;
        }
        let begun = Instant::now();
        let outcome = tempfile::Builder::new().prefix("berth-journey-").tempdir().map_err(anyhow::Error::from);
        let outcome = outcome.and_then(|folder| run(&mut Journey { target, folder: folder.path(), tools }));
        match outcome {
            Ok(()) => tally.pass(&full, begun.elapsed()),
            Err(error) => match error.downcast_ref::<Skipped>() {
                Some(Skipped(reason)) => tally.skip(&full, reason),
                None => tally.fail(&full, &format!("{error:#}"), begun.elapsed()),
            },
        }
    }
}

/// Runs a command that must succeed; gives its standard output.
pub fn ok(command: &mut Command) -> Result<String> {
    process::check(command)
}

/// Runs a command that must fail; gives what it said.
pub fn refused(command: &mut Command) -> Result<String> {
    let captured = process::capture(command, Duration::from_secs(120))?;
    ensure!(!captured.status.success(), "{} succeeded, which it should not\n{}", process::spell(command), captured.text());
    Ok(captured.text())
}

/// A program that has to be installed for this journey: a client that is not there is a failure, since the suite would be green without trying it.
pub fn installed(program: &str) -> Result<Command> {
    find(program).map(Command::new).with_context(|| format!("{program} is not installed"))
}

/// A program that the test run does not install, so that it may be missing.
pub fn where_installed(program: &str) -> Result<Command> {
    find(program)
        .map(Command::new)
        .ok_or_else(|| Skipped(format!("{program} is not installed, and the test run does not install it")).into())
}

/// Fails with both sides shown unless they are equal.
pub fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: T, expected: T) -> Result<()> {
    ensure!(got == expected, "{what}: got {got:?}, expected {expected:?}");
    Ok(())
}
