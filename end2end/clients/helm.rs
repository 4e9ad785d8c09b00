//! The journey with helm: a chart goes to the registry as an OCI artifact and comes back.
//! helm speaks plain http to loopback addresses whatever it is told, so over TLS the server gets a name of its own.

use super::{Journey, PROJECT, Skipped, ok, refused, same};
use crate::digest;
use crate::instance::ADMIN;
use crate::process;
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::process::Command;

/// A name in the test certificate that helm does not take for loopback.
const NAME: &str = "berth.test";

const CHART: &str =
    "apiVersion: v2\nname: journey\ndescription: A chart for the test journeys\ntype: application\nversion: 0.1.0\nappVersion: \"1.0\"\n";
const TEMPLATE: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  greeting: {{ .Values.greeting }}\n";

/// helm; over TLS in a mount namespace of its own, where the hosts file knows the server's name.
fn helm(journey: &Journey) -> Result<Command> {
    let program = &journey.tools.helm;
    ensure!(program.exists(), "helm is not installed: {} is not there", program.display());
    let mut command = match journey.target.authority() {
        None => Command::new(program),
        Some(ca) => {
            let hosts = journey.path("hosts");
            fs::write(&hosts, format!("127.0.0.1 localhost {NAME}\n"))?;
            let mut command = Command::new("unshare");
            command.args(["--mount", "sh", "-c", "mount --bind \"$0\" /etc/hosts && exec \"$@\"", &hosts]).arg(program);
            command.env("SSL_CERT_FILE", ca);
            command
        }
    };
    for variable in ["HELM_CONFIG_HOME", "HELM_CACHE_HOME", "HELM_DATA_HOME"] {
        command.env(variable, journey.path("helm"));
    }
    Ok(command)
}

/// Packages a chart, logs in, pushes, pulls it back unchanged and shows it.
pub fn push_and_pull(journey: &mut Journey) -> Result<()> {
    let address = match journey.target.authority() {
        None => journey.target.address.clone(),
        Some(_) => {
            if !process::is_root() {
                return Err(Skipped("helm over TLS on loopback needs root, for a mount namespace".to_owned()).into());
            }
            let port = journey.target.address.rsplit(':').next().context("an address without a port")?;
            format!("{NAME}:{port}")
        }
    };
    let (chart, pulled) = (journey.path("journey"), journey.path("pulled"));
    fs::create_dir_all(format!("{chart}/templates"))?;
    fs::write(format!("{chart}/Chart.yaml"), CHART)?;
    fs::write(format!("{chart}/values.yaml"), "greeting: hello\n")?;
    fs::write(format!("{chart}/templates/map.yaml"), TEMPLATE)?;
    let folder = journey.path("");
    ok(helm(journey)?.args(["package", &chart, "-d", &folder]))?;
    refused(helm(journey)?.args(["registry", "login", &address, "-u", ADMIN, "-p", "wrong"]))?;
    let password = journey.target.password.clone();
    ok(helm(journey)?.args(["registry", "login", &address, "-u", ADMIN, "-p", &password]))?;
    let (package, place) = (journey.path("journey-0.1.0.tgz"), format!("oci://{address}/{PROJECT}/charts"));
    ok(helm(journey)?.args(["push", &package, &place]))?;
    fs::create_dir(&pulled)?;
    ok(helm(journey)?.args(["pull", &format!("{place}/journey"), "--version", "0.1.0", "-d", &pulled]))?;
    let back = digest::of_file(format!("{pulled}/journey-0.1.0.tgz").as_ref())?;
    same("digest of the chart", back, digest::of_file(package.as_ref())?)?;
    let shown = ok(helm(journey)?.args(["show", "chart", &format!("{place}/journey"), "--version", "0.1.0"]))?;
    same("the chart's name is shown", shown.contains("name: journey"), true)
}
