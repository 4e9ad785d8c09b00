//! The journey with podman: login, push, pull, logout, in storage of its own.

use super::{Journey, installed, ok, refused, same};
use crate::image::{self, Recipe};
use crate::instance::ADMIN;
use anyhow::Result;
use std::process::Command;

const RECIPE: Recipe = Recipe { seed: "podman", layers: 2, layer_size: 300_000, architectures: &["amd64"] };

fn podman(journey: &Journey) -> Result<Command> {
    let mut command = installed("podman")?;
    command.args(["--root", &journey.path("root"), "--runroot", &journey.path("run"), "--tmpdir", &journey.path("tmp")]);
    command.args(["--storage-driver", "vfs", "--events-backend", "none", "--cgroup-manager", "cgroupfs"]);
    // The local name of what is pulled from a layout is made of its path, which must therefore be short and in lower case.
    command.env("REGISTRY_AUTH_FILE", journey.path("auth.json")).current_dir(journey.folder);
    Ok(command)
}

/// Logs in, refuses a wrong password, pushes, removes, pulls the same image back, logs out, and is refused then.
pub fn push_and_pull(journey: &mut Journey) -> Result<()> {
    image::layout(journey.path("layout").as_ref(), "v1", &RECIPE)?;
    let trust = journey.target.trust("--");
    let address = journey.target.address.clone();
    let login = |password: &str| -> Result<Command> {
        let mut command = podman(journey)?;
        command.arg("login").args(&trust).args(["-u", ADMIN, "-p", password, &address]);
        Ok(command)
    };
    refused(&mut login("wrong")?)?;
    ok(&mut login(&journey.target.password)?)?;
    let reference = format!("{}:v1", journey.target.reference("podman"));
    let local = ok(podman(journey)?.args(["pull", "-q", "oci:layout:v1"]))?;
    ok(podman(journey)?.args(["tag", local.trim(), &reference]))?;
    ok(podman(journey)?.arg("push").args(&trust).args(["-q", &reference]))?;
    ok(podman(journey)?.args(["rmi", "-f", local.trim()]))?;
    let pulled = ok(podman(journey)?.arg("pull").args(&trust).args(["-q", &reference]))?;
    same("image id after the pull", pulled.trim(), local.trim())?;
    ok(podman(journey)?.args(["logout", &address]))?;
    refused(podman(journey)?.arg("pull").args(&trust).args(["-q", &reference])).map(drop)
}
