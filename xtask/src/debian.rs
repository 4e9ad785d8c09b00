//! What the tests need of the machine, and how it gets there: Debian's packages, asked for by name with the reason.
//! Only the full test run installs anything; on other systems it says what to install and ends. What is installed is programs: no service of the
//! machine is started for it, and no PostgreSQL cluster made.

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
    let mut install = as_root(prefix);
    install.args(["sh", "-c", QUIETLY, "sh", POLICY, CLUSTERS]).args(INSTALL).args(&packages);
    process::stream(&mut install)?;
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

/// What packages ask whether they may start their services (Debian Policy 9.3.3.1).
const POLICY: &str = "/usr/sbin/policy-rc.d";
/// Where `postgresql-common` reads whether to make a cluster with a server's package.
const CLUSTERS: &str = "/etc/postgresql-common/createcluster.d/berth-tests.conf";
const INSTALL: [&str; 6] = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "ca-certificates"];

/// Runs a command (`$3` and on) while no package may start a service (`$1`) or make a cluster (`$2`): the tests start private ones, and a server on 5432
/// or a daemon that nobody asked for would outlast them. Whoever has a policy keeps it. Everything made here goes with the shell, however it ends.
const QUIETLY: &str = r#"
policy=$1 clusters=$2
shift 2
made=
tidy() { [ -z "$made" ] || rm -f "$policy"; rm -f "$clusters"; rmdir "${clusters%/*}" "${clusters%/*/*}" 2>/dev/null; }
trap tidy EXIT
trap 'exit 130' HUP INT TERM
if [ ! -e "$policy" ]; then
    made=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" || exit 1
fi
mkdir -p "${clusters%/*}" && printf 'create_main_cluster = false\n' >"$clusters" || exit 1
"$@"
"#;

fn apt(prefix: &[&str], arguments: &[&str]) -> Result<()> {
    process::stream(as_root(prefix).arg("apt-get").args(arguments))
}

fn as_root(prefix: &[&str]) -> Command {
    let words: Vec<&str> = prefix.iter().copied().chain(["env", "DEBIAN_FRONTEND=noninteractive"]).collect();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

fn known(packages: &'static [&'static str]) -> Option<&'static str> {
    let has = |name: &&&str| process::check(Command::new("apt-cache").args(["show", name])).is_ok();
    packages.iter().find(has).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn every_need_names_a_package_and_a_reason() {
        assert!(NEEDS.iter().all(|need| !need.packages.is_empty() && !need.reason.is_empty()));
    }

    #[test]
    fn no_service_starts_during_an_install_and_nothing_of_that_stays() {
        let machine = tempfile::tempdir().unwrap();
        let (policy, clusters) = (machine.path().join("policy-rc.d"), machine.path().join("etc/createcluster.d/berth-tests.conf"));
        let quietly = |what: &str| {
            let mut shell = Command::new("sh");
            shell.args(["-c", QUIETLY, "sh"]).args([&policy, &clusters]).args(["sh", "-c", what, "sh"]).args([&policy, &clusters]);
            shell.status().unwrap().code()
        };
        let asked = r#""$1" postgresql start; [ $? = 101 ] && grep -q "^create_main_cluster = false$" "$2""#;
        assert_eq!(quietly(asked), Some(0));
        assert_eq!(quietly("exit 7"), Some(7), "a failed install is one");
        assert_eq!(quietly("kill -TERM $PPID; sleep 1"), Some(130));
        assert!(!policy.exists() && !clusters.exists() && !clusters.parent().unwrap().exists());
        // A policy of the machine's own counts, and stays.
        fs::write(&policy, "#!/bin/sh\nexit 0\n").unwrap();
        fs::set_permissions(&policy, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(quietly(r#""$1" postgresql start"#), Some(0));
        assert_eq!(fs::read_to_string(&policy).unwrap(), "#!/bin/sh\nexit 0\n");
    }
}
