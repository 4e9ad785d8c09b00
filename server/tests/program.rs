//! The program itself: start, health check, stop, and what it says about a wrong configuration.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

/// `berth` with nothing of this process's environment that could steer it.
fn berth(data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_berth"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("BERTH_")) {
        command.env_remove(name);
    }
    command.args(args).env("BERTH_DATA", data).current_dir(data).stdin(Stdio::null());
    command
}

fn output(data: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = berth(data, args).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// Starts a server on a free port; gives what it printed and its address.
fn serve(data: &Path, args: &[&str]) -> (Child, Vec<String>, String) {
    let mut child = berth(data, &[&["serve", "--listen", "127.0.0.1:0"], args].concat()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        lines.push(line.clone());
        if let Some(url) = line.strip_prefix("Berth is ready at ") {
            let addr = url.split_once("://").unwrap().1.to_owned();
            return (child, lines, addr);
        }
    }
    panic!("the server ended with {}: {lines:?}", child.wait().unwrap());
}

fn stop(mut child: Child) -> Option<i32> {
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    child.wait().unwrap().code()
}

#[test]
fn a_server_starts_is_healthy_and_stops() {
    for (tls, scheme) in [("off", "http"), ("self-signed", "https")] {
        let data = tempfile::tempdir().unwrap();
        let (child, lines, addr) = serve(data.path(), &["--tls", tls]);
        assert_eq!(lines.last(), Some(&format!("Berth is ready at {scheme}://{addr}")));
        assert_eq!(
            output(data.path(), &["healthcheck", "--listen", &addr, "--tls", tls]),
            (Some(0), "healthy\n".to_owned(), String::new())
        );
        let (code, _, stderr) = output(data.path(), &["serve", "--listen", &addr]);
        assert!(code == Some(1) && stderr.contains("cannot be listened on"), "{stderr}");
        assert_eq!(stop(child), Some(0));
        let (code, _, stderr) = output(data.path(), &["healthcheck", "--listen", &addr, "--tls", tls]);
        assert_eq!((code, stderr), (Some(1), format!("berth: nothing answers at {addr}: Connection refused (os error 111)\n")));
    }
}

#[test]
fn a_wrong_configuration_is_told_in_full() {
    let data = tempfile::tempdir().unwrap();
    let (code, _, stderr) = output(data.path(), &["config", "check", "--listen", "x", "--tls", "y"]);
    let expected = "berth: the configuration has 2 problems:\n  - --listen: `x` is not ADDR:PORT, such as 127.0.0.1:8080 or [::]:8080\n  - --tls: `y` is not one of off, self-signed, files\n";
    assert_eq!((code, stderr.as_str()), (Some(2), expected));
    let (code, stdout, _) = output(data.path(), &["doctor", "--listen", "x"]);
    assert!(code == Some(1) && stdout.starts_with("[FAIL] configuration: "), "{stdout}");
}

#[test]
fn the_example_can_be_used_as_it_is() {
    let data = tempfile::tempdir().unwrap();
    let (code, example, _) = output(data.path(), &["config", "example"]);
    assert_eq!(code, Some(0));
    std::fs::write(data.path().join("berth.toml"), example).unwrap();
    let (code, stdout, stderr) = output(data.path(), &["config", "check"]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(
        stdout.starts_with("The configuration is valid (file: ") && stdout.contains("listen ") && stdout.contains("(default)"),
        "{stdout}"
    );
}

#[test]
fn without_a_command_help_is_shown() {
    let data = tempfile::tempdir().unwrap();
    let (code, _, stderr) = output(data.path(), &[]);
    assert!(code == Some(2) && stderr.contains("Usage: berth <COMMAND>"), "{stderr}");
    assert_eq!(output(data.path(), &["--version"]).1, format!("berth {}\n", env!("CARGO_PKG_VERSION")));
}
