//! Journeys with docker and a docker daemon of our own, in temporary folders, without networks.
//! docker takes every registry on loopback for trusted, whatever its certificate says.

use super::{Journey, Skipped, installed, ok, refused, same};
use crate::image::{self, Recipe};
use crate::instance::ADMIN;
use crate::process::{self, Service, find};
use anyhow::{Result, bail, ensure};
use rustix::process::Signal;
use std::fs;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// The daemon: not tried yet, running, or why it does not run.
#[derive(Default)]
pub enum Daemon {
    /// No journey wanted it so far.
    #[default]
    Untried,
    /// Running, with its folder. The service comes first: it ends before the folder goes.
    Running(Service, TempDir),
    /// It did not start, which fails every journey that wants it.
    Broken(String),
}

impl Daemon {
    /// The daemon's address for `DOCKER_HOST`, starting it when needed.
    fn host(&mut self) -> Result<String> {
        if matches!(self, Self::Untried) {
            // The one thing that may be missing: a plain user cannot start it.
            if !process::is_root() {
                return Err(Skipped("a docker daemon needs root".to_owned()).into());
            }
            *self = match start() {
                Ok((service, folder)) => Self::Running(service, folder),
                Err(error) => Self::Broken(format!("the docker daemon does not start: {error:#}")),
            };
        }
        match self {
            Self::Running(service, folder) => {
                ensure!(service.alive(), "the docker daemon has ended:\n{}", service.log_end());
                Ok(format!("unix://{}/docker.sock", folder.path().display()))
            }
            Self::Broken(reason) => bail!("{reason}"),
            Self::Untried => bail!("the docker daemon was not started"),
        }
    }
}

fn start() -> Result<(Service, TempDir)> {
    let dockerd = find("dockerd").ok_or_else(|| anyhow::anyhow!("dockerd is not installed"))?;
    let folder = tempfile::Builder::new().prefix("berth-docker-").tempdir()?;
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    fs::write(path("daemon.json"), "{}")?;
    let mut command = Command::new(dockerd);
    command.args(["--host", &format!("unix://{}", path("docker.sock")), "--data-root", &path("data"), "--exec-root", &path("exec")]);
    command.args(["--pidfile", &path("pid"), "--config-file", &path("daemon.json"), "--bridge=none"]);
    command.args(["--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"]);
    let mut service = Service::start(&mut command, &folder.path().join("log"), Signal::TERM)?;
    let host = format!("unix://{}", path("docker.sock"));
    service.wait_ready(Duration::from_secs(60), || {
        let mut question = Command::new("docker");
        process::check(question.args(["--host", &host, "version"])).is_ok()
    })?;
    Ok((service, folder))
}

fn docker(journey: &mut Journey) -> Result<Command> {
    let host = journey.tools.docker.host()?;
    let mut command = installed("docker")?;
    command.args(["--host", &host, "--config", &journey.path("config")]).env("DOCKER_BUILDKIT", "0");
    Ok(command)
}

fn sign_in(journey: &mut Journey, password: &str) -> Result<Command> {
    let mut command = docker(journey)?;
    command.args(["login", "-u", ADMIN, "-p", password, &journey.target.address]);
    Ok(command)
}

/// The right password is taken, a wrong one refused, and without any a private image is not to be had.
pub fn login(journey: &mut Journey) -> Result<()> {
    refused(&mut sign_in(journey, "wrong")?)?;
    let password = journey.target.password.clone();
    ok(&mut sign_in(journey, &password)?)?;
    let address = journey.target.address.clone();
    ok(docker(journey)?.args(["logout", &address]))?;
    let private = format!("{}:v1", journey.target.reference("docker/none"));
    refused(docker(journey)?.args(["pull", &private])).map(drop)
}

/// An archive is loaded, pushed, removed and pulled back as the same image; a second push finds every layer there.
pub fn push_and_pull(journey: &mut Journey) -> Result<()> {
    let archive = journey.path("image.tar");
    let recipe = Recipe { seed: &format!("docker-{}", journey.target.name), layers: 3, layer_size: 400_000, architectures: &["amd64"] };
    let reference = format!("{}:v1", journey.target.reference("docker/loaded"));
    image::docker_archive(archive.as_ref(), &reference, &recipe)?;
    let password = journey.target.password.clone();
    ok(&mut sign_in(journey, &password)?)?;
    ok(docker(journey)?.args(["load", "-q", "-i", &archive]))?;
    let before = image_id(journey, &reference)?;
    ok(docker(journey)?.args(["push", "-q", &reference]))?;
    let again = format!("{}:again", journey.target.reference("docker/loaded"));
    ok(docker(journey)?.args(["tag", &reference, &again]))?;
    let said = ok(docker(journey)?.args(["push", &again]))?;
    ensure!(said.contains("Layer already exists"), "the second push sent layers again:\n{said}");
    ok(docker(journey)?.args(["rmi", "-f", &reference, &again]))?;
    ok(docker(journey)?.args(["pull", "-q", &reference]))?;
    same("image id after the pull", image_id(journey, &reference)?, before)
}

fn image_id(journey: &mut Journey, reference: &str) -> Result<String> {
    ok(docker(journey)?.args(["image", "inspect", "--format", "{{.Id}}", reference]))
}

/// An image is built from nothing, pushed, and pulled back; a second build is made on top of it.
pub fn build(journey: &mut Journey) -> Result<()> {
    let password = journey.target.password.clone();
    ok(&mut sign_in(journey, &password)?)?;
    let (context, reference) = (journey.path("context"), format!("{}:v1", journey.target.reference("docker/built")));
    fs::create_dir(&context)?;
    fs::write(format!("{context}/hello"), format!("hello from {}\n", journey.target.name))?;
    fs::write(format!("{context}/Dockerfile"), "FROM scratch\nCOPY hello /hello\nLABEL journey=build\nCMD [\"/hello\"]\n")?;
    ok(docker(journey)?.args(["build", "-q", "-t", &reference, &context]))?;
    ok(docker(journey)?.args(["push", "-q", &reference]))?;
    ok(docker(journey)?.args(["rmi", "-f", &reference]))?;
    fs::write(format!("{context}/Dockerfile"), format!("FROM {reference}\nCOPY hello /again\n"))?;
    let upper = format!("{}:v2", journey.target.reference("docker/built"));
    ok(docker(journey)?.args(["build", "-q", "-t", &upper, &context]))?;
    ok(docker(journey)?.args(["push", "-q", &upper])).map(drop)
}
