//! What the tests need of the machine, and how it gets there: Debian's packages, asked for by name with the reason.
//! Only the full test run installs anything; on other systems it says what to install and ends.

use crate::process::{self, step};
use anyhow::{Result, bail};
use std::process::Command;

/// A program that must be there, the packages that bring it (the first that the system knows is taken), and why.
struct Need {
    program: &'static str,
    packages: &'static [&'static str],
    reason: &'static str,
}

const fn need(program: &'static str, packages: &'static [&'static str], reason: &'static str) -> Need {
    Need { program, packages, reason }
}

const NEEDS: &[Need] = &[
    need("curl", &["curl"], "asks over TLS, uploads in chunks"),
    need("openssl", &["openssl"], "makes the test certificates"),
    need("setpriv", &["util-linux"], "runs PostgreSQL as its own user"),
    need("initdb", &["postgresql"], "private PostgreSQL for the second engine"),
    need("dockerd", &["docker.io"], "journeys with docker"),
    need("docker", &["docker-cli", "docker.io"], "journeys with docker"),
    need("podman", &["podman"], "journeys with podman"),
    need("crun", &["crun"], "what podman and buildah run with"),
    need("skopeo", &["skopeo"], "journeys with skopeo"),
    need("buildah", &["buildah"], "journeys with buildah"),
    need("node", &["nodejs"], "browser journeys"),
    need("npm", &["npm"], "helm and the browser driver come as npm packages"),
    need("python3-venv", &["python3-venv"], "the fuzzer and clients of the API come as Python packages"),
    need("chromium", &["chromium"], "browser journeys"),
];

/// Installs whatever is missing, or says what has to be installed and fails.
pub fn ensure() -> Result<()> {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| !there(need.program)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    step("these programs are missing:");
    for need in &missing {
        println!("    {:<10} {} (Debian: {})", need.program, need.reason, need.packages.join(" or "));
    }
    let Some(prefix) = privilege() else {
        bail!("install them and run this again, or run `cargo xtask test --quick`, which needs none of them");
    };
    apt(prefix, &["update", "-qq"])?;
    let mut packages: Vec<&str> = missing.iter().filter_map(|need| known(need.packages)).collect();
    packages.sort_unstable();
    packages.dedup();
    step(&format!("installing Debian packages: {}", packages.join(" ")));
    let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends", "ca-certificates"];
    arguments.extend(&packages);
    apt(prefix, &arguments)?;
    let still: Vec<_> = missing.iter().filter(|need| !there(need.program)).map(|need| need.program).collect();
    if !still.is_empty() {
        bail!("still missing after the install: {}", still.join(", "));
    }
    Ok(())
}

fn there(program: &str) -> bool {
    match program {
        "initdb" => crate::postgres::programs().is_some(),
        // A module, not a program: without it no environment can be made.
        "python3-venv" => process::check(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_ok(),
        _ => process::find(program).is_some(),
    }
}

/// How to call apt-get: directly as root, through sudo when that asks for no password, or not at all.
fn privilege() -> Option<&'static [&'static str]> {
    process::find("apt-get")?;
    if process::is_root() {
        return Some(&[]);
    }
    process::find("sudo")?;
    process::check(Command::new("sudo").args(["-n", "true"])).ok().map(|_| &["sudo", "-n"][..])
}

fn apt(prefix: &[&str], arguments: &[&str]) -> Result<()> {
    let words: Vec<&str> = prefix.iter().copied().chain(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]).collect();
    process::stream(Command::new(words[0]).args(&words[1..]).args(arguments))
}

fn known(packages: &'static [&'static str]) -> Option<&'static str> {
    let has = |name: &&&str| process::check(Command::new("apt-cache").args(["show", name])).is_ok();
    packages.iter().find(has).copied()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_need_names_a_package_and_a_reason() {
        assert!(super::NEEDS.iter().all(|need| !need.packages.is_empty() && !need.reason.is_empty()));
    }
}
