//! The program itself: start, health check, stop, what it says about a wrong configuration, and what an operator does without a server.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;
use testkit::client::Client;

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

/// A server, which ends with this value whatever a test finds.
struct Running {
    child: Child,
    /// What it printed until it was ready.
    lines: Vec<String>,
    /// `host:port`
    addr: String,
}

impl Running {
    /// Starts a server on a free port and waits until it says that it is ready.
    fn start(data: &Path, args: &[&str]) -> Self {
        Self::of(berth(data, &[&["serve", "--listen", "127.0.0.1:0"], args].concat()))
    }

    fn of(mut command: Command) -> Self {
        let mut running = Self { child: command.stdout(Stdio::piped()).spawn().unwrap(), lines: Vec::new(), addr: String::new() };
        for line in BufReader::new(running.child.stdout.take().unwrap()).lines() {
            running.lines.push(line.unwrap());
            if let Some(url) = running.lines.last().and_then(|line| line.strip_prefix("Berth is ready at ")) {
                running.addr = url.split_once("://").unwrap().1.to_owned();
                return running;
            }
        }
        panic!("the server ended with {}: {:?}", running.child.wait().unwrap(), running.lines);
    }

    fn client(&self, credentials: Option<(&str, &str)>) -> Client {
        Client::new(&format!("http://{}", self.addr), credentials)
    }

    /// The status of `admin` asking for the own account with this password.
    async fn signs_in(&self, password: &str) -> u16 {
        let reply = self.client(Some(("admin", password))).get("/api/v2.0/users/current").basic().send().await;
        assert!(reply.status != 200 || reply.json()["username"] == "admin", "{reply:?}");
        reply.status
    }

    /// The public half of the key that signs tokens.
    async fn signing_key(&self) -> String {
        let set = self.client(None).get("/.well-known/jwks.json").send().await.expect(200).json();
        set["keys"][0]["n"].as_str().expect("a modulus").to_owned()
    }

    /// Ends it by SIGTERM; its exit code.
    fn stop(mut self) -> Option<i32> {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails where it has ended, which is the rule.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The password that is left in a data directory, in a file for its owner only.
fn left_password(data: &Path) -> String {
    let file = data.join("admin-password");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
    let text = fs::read_to_string(file).unwrap();
    let password = text.strip_suffix('\n').expect("one line");
    assert!(password.len() >= 16 && !password.contains(char::is_whitespace), "{password:?}");
    password.to_owned()
}

#[test]
fn a_server_starts_is_healthy_and_stops() {
    for (tls, scheme) in [("off", "http"), ("self-signed", "https")] {
        let data = tempfile::tempdir().unwrap();
        let running = Running::start(data.path(), &["--tls", tls]);
        let addr = running.addr.clone();
        assert_eq!(running.lines.last(), Some(&format!("Berth is ready at {scheme}://{addr}")));
        assert_eq!(
            output(data.path(), &["healthcheck", "--listen", &addr, "--tls", tls]),
            (Some(0), "healthy\n".to_owned(), String::new())
        );
        let (code, _, stderr) = output(data.path(), &["serve", "--listen", &addr]);
        assert!(code == Some(1) && stderr.contains("cannot be listened on"), "{stderr}");
        assert_eq!(running.stop(), Some(0));
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

#[tokio::test]
async fn the_first_start_leaves_a_password_and_makes_keys_of_its_own() {
    let data = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (mut passwords, mut keys) = (Vec::new(), Vec::new());
    for data in &data {
        let first = Running::start(data.path(), &[]);
        let told = format!("Sign in as `admin`; the password is in {}", data.path().join("admin-password").display());
        assert_eq!(first.lines, [told, format!("Berth is ready at http://{}", first.addr)]);
        let password = left_password(data.path());
        assert_eq!((first.signs_in(&password).await, first.signs_in("Harbor12345").await), (200, 401));
        let key = first.signing_key().await;
        assert_eq!(first.stop(), Some(0));
        // The second start makes neither anew, and has nothing to tell of a password.
        let second = Running::start(data.path(), &[]);
        assert_eq!(second.lines, [format!("Berth is ready at http://{}", second.addr)]);
        assert_eq!(left_password(data.path()), password);
        assert_eq!((second.signs_in(&password).await, second.signing_key().await), (200, key.clone()));
        assert_eq!(second.stop(), Some(0));
        passwords.push(password);
        keys.push(key);
    }
    assert_ne!(passwords[0], passwords[1]);
    assert_ne!(keys[0], keys[1]);
}

#[tokio::test]
async fn there_is_no_administrator_whose_password_was_not_left() {
    let data = tempfile::tempdir().unwrap();
    let in_the_way = data.path().join("admin-password");
    fs::create_dir(&in_the_way).unwrap();
    let (code, stdout, stderr) = output(data.path(), &["serve", "--listen", "127.0.0.1:0"]);
    assert!(code == Some(1) && stdout.is_empty() && stderr.contains("admin-password cannot be written"), "{stdout}{stderr}");
    fs::remove_dir(in_the_way).unwrap();
    let running = Running::start(data.path(), &[]);
    assert_eq!(running.signs_in(&left_password(data.path())).await, 200);
    assert_eq!(running.stop(), Some(0));
}

#[tokio::test]
async fn a_given_password_is_nowhere_left() {
    let data = tempfile::tempdir().unwrap();
    let mut command = berth(data.path(), &["serve", "--listen", "127.0.0.1:0"]);
    command.env("BERTH_ADMIN_PASSWORD", "Given0password");
    let running = Running::of(command);
    assert_eq!(running.lines, [format!("Berth is ready at http://{}", running.addr)]);
    assert!(!data.path().join("admin-password").exists());
    assert_eq!(running.signs_in("Given0password").await, 200);
    assert_eq!(running.stop(), Some(0));
}

#[tokio::test]
async fn a_database_is_migrated_before_the_first_start_and_examined() {
    let data = tempfile::tempdir().unwrap();
    let doctor = |listen: &str| output(data.path(), &["doctor", "--listen", listen]);
    let (code, stdout, _) = doctor("127.0.0.1:0");
    assert!(code == Some(0) && stdout.contains("will be made at the first start") && !stdout.contains("[FAIL]"), "{stdout}");
    assert!(!data.path().join("berth.db").exists(), "the doctor changes nothing");
    for _ in 0..2 {
        let (code, stdout, stderr) = output(data.path(), &["migrate"]);
        let expected = format!("sqlite:{} has this version's schema\n", data.path().join("berth.db").display());
        assert_eq!((code, stdout), (Some(0), expected), "{stderr}");
    }
    let (code, stdout, _) = doctor("127.0.0.1:0");
    assert!(code == Some(0) && stdout.contains("reachable, the schema is this version's") && !stdout.contains("[FAIL]"), "{stdout}");
    let examined: Vec<&str> = stdout.lines().filter_map(|line| line.get(7..)?.split(':').next()).collect();
    assert_eq!(examined, ["configuration", "data directory", "free space", "clock", "database", "instance key", "certificate", "port"]);
    let running = Running::start(data.path(), &[]);
    assert_eq!(running.signs_in(&left_password(data.path())).await, 200);
    let (code, stdout, _) = doctor(&running.addr);
    assert!(code == Some(0) && stdout.contains("is served, and answers"), "{stdout}");
    assert_eq!(running.stop(), Some(0));
    // What is no database is found, and not touched.
    let broken = "no database ".repeat(1000);
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(data.path().join(format!("berth.db{end}")));
    }
    fs::write(data.path().join("berth.db"), &broken).unwrap();
    let (code, stdout, _) = doctor("127.0.0.1:0");
    assert!(code == Some(1) && stdout.contains("[FAIL] database: ") && stdout.contains("1 of 8 examinations failed"), "{stdout}");
    assert_eq!(fs::read_to_string(data.path().join("berth.db")).unwrap(), broken);
}

#[tokio::test]
async fn a_lost_key_is_told_and_not_made_anew() {
    let data = tempfile::tempdir().unwrap();
    assert_eq!(Running::start(data.path(), &[]).stop(), Some(0));
    let (file, aside) = (data.path().join("instance.key"), data.path().join("aside"));
    let doctor = || output(data.path(), &["doctor", "--listen", "127.0.0.1:0"]);
    let (code, stdout, _) = doctor();
    assert!(code == Some(0) && stdout.contains("[ok  ] instance key: "), "{stdout}");
    fs::rename(&file, &aside).unwrap();
    for _ in 0..2 {
        let (code, _, stderr) = output(data.path(), &["serve", "--listen", "127.0.0.1:0"]);
        assert!(code == Some(1) && stderr.contains("instance.key cannot be read") && stderr.contains("put it back"), "{stderr}");
        assert!(!file.exists(), "another key would open nothing");
        let (code, stdout, _) = doctor();
        assert!(code == Some(1) && stdout.contains("[FAIL] instance key: ") && stdout.contains("1 of 8 examinations failed"), "{stdout}");
    }
    // Another instance's, and none at all.
    for wrong in ["0".repeat(64), "zz".to_owned()] {
        fs::write(&file, wrong).unwrap();
        let (code, stdout, _) = doctor();
        assert!(code == Some(1) && stdout.contains("[FAIL] instance key: "), "{stdout}");
    }
    fs::rename(&aside, &file).unwrap();
    assert_eq!(Running::start(data.path(), &[]).stop(), Some(0));
}

#[test]
fn no_password_is_given_where_no_server_ran() {
    let data = tempfile::tempdir().unwrap();
    let mistyped = data.path().join("dtaa");
    let (code, _, stderr) = output(data.path(), &["admin", "reset-password", "--data", mistyped.to_str().unwrap()]);
    assert!(code == Some(1) && stderr.contains("there is no database at ") && stderr.contains("--data"), "{stderr}");
    assert!(!mistyped.exists());
    // A database without its first account.
    assert_eq!(output(data.path(), &["migrate"]).0, Some(0));
    let (code, _, stderr) = output(data.path(), &["admin", "reset-password"]);
    assert!(code == Some(1) && stderr.contains("the database has no account `admin` yet"), "{stderr}");
}

#[tokio::test]
async fn an_operator_gives_the_administrator_a_new_password() {
    let data = tempfile::tempdir().unwrap();
    let running = Running::start(data.path(), &[]);
    let first = left_password(data.path());
    assert_eq!((running.signs_in(&first).await, running.stop()), (200, Some(0)));
    // A generated one.
    let (code, stdout, stderr) = output(data.path(), &["admin", "reset-password"]);
    let told = format!("The administrator's new password is in {}\n", data.path().join("admin-password").display());
    assert!(code == Some(0) && stdout.starts_with(&told), "{stdout} {stderr}");
    let second = left_password(data.path());
    assert!(second != first && !stdout.contains(&second) && !stderr.contains(&second));
    let running = Running::start(data.path(), &[]);
    assert_eq!((running.signs_in(&first).await, running.signs_in(&second).await), (401, 200));
    assert_eq!(running.stop(), Some(0));
    // One of the operator's, from a file; what breaks the rule for passwords changes nothing.
    let file = data.path().join("new-password");
    let reset = |password: &str| {
        fs::write(&file, format!("{password}\n")).unwrap();
        output(data.path(), &["admin", "reset-password", "--password-file", file.to_str().unwrap()])
    };
    for wrong in ["weak", ""] {
        assert_eq!(reset(wrong).0, Some(1));
    }
    let running = Running::start(data.path(), &[]);
    assert_eq!((running.signs_in(&second).await, running.stop()), (200, Some(0)));
    let (code, stdout, _) = reset("Operators0choice");
    assert!(code == Some(0) && stdout.starts_with("The administrator's password was changed\n"), "{stdout}");
    let running = Running::start(data.path(), &[]);
    assert_eq!((running.signs_in(&second).await, running.signs_in("Operators0choice").await), (401, 200));
    assert_eq!(running.stop(), Some(0));
}

#[tokio::test]
async fn lines_of_the_log_are_json_and_name_the_request() {
    let data = tempfile::tempdir().unwrap();
    let mut command = berth(data.path(), &["serve", "--listen", "127.0.0.1:0", "--log-level", "info,access=debug"]);
    let mut running = Running::of({
        command.stderr(Stdio::piped());
        command
    });
    let mut stderr = running.child.stderr.take().unwrap();
    let log = std::thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).map(|_| text)
    });
    let reply = running.client(None).get("/api/v2.0/ping?token=unsaid").header("x-request-id", "abc").send().await.expect(200);
    assert_eq!(reply.header("x-request-id"), "abc");
    let reply = running.client(None).get("/v2/").header("x-request-id", "two words").send().await.expect(401);
    let made = reply.header("x-request-id").to_owned();
    assert_eq!(running.stop(), Some(0));
    let text = log.join().unwrap().unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect();
    for line in &lines {
        assert!(chrono::DateTime::parse_from_rfc3339(line["time"].as_str().unwrap()).is_ok(), "{line}");
        assert!(["level", "target", "message"].iter().all(|name| line[name].is_string()), "{line}");
    }
    assert!(lines.iter().any(|line| line["message"] == "ready") && lines.iter().any(|line| line["message"] == "stopped"), "{text}");
    for (id, path, status) in [("abc", "/api/v2.0/ping", 200), (made.as_str(), "/v2/", 401)] {
        let found: Vec<&Value> = lines.iter().filter(|line| line["request_id"] == id && line["target"] == "access").collect();
        assert_eq!(found.len(), 1, "{id}: {text}");
        assert_eq!((&found[0]["method"], &found[0]["path"], &found[0]["status"]), (&"GET".into(), &path.into(), &status.into()));
        assert!(found[0]["micros"].is_u64(), "{}", found[0]);
    }
    assert!(!text.contains("unsaid"), "{text}");
}
