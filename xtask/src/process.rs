//! Running other programs: streamed, captured with a time limit, or as a service that is stopped at the end.
//! The only module of this crate that starts or ends processes; it ends none that it did not start.

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Says what is being done now.
pub fn step(text: &str) {
    println!("==> {text}");
}

/// Runs a command with its output going where ours goes; an exit code other than 0 is an error.
pub fn stream(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", spell(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", spell(command));
    }
    Ok(())
}

/// What a captured command left behind.
pub struct Captured {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
}

impl Captured {
    /// Both outputs as text, for a person to read.
    pub fn text(&self) -> String {
        format!("{}{}", String::from_utf8_lossy(&self.stdout), String::from_utf8_lossy(&self.stderr))
    }
}

/// Runs a command to its end or until `limit` has passed, then ends it; its outputs are kept, its input is empty.
pub fn capture(command: &mut Command, limit: Duration) -> Result<Captured> {
    let (mut out, mut err) = (tempfile::tempfile()?, tempfile::tempfile()?);
    let child = command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(err.try_clone()?).spawn();
    let mut child = child.with_context(|| format!("cannot start {}", spell(command)))?;
    let Some(status) = wait_until(&mut child, limit)? else {
        child.kill()?;
        child.wait()?;
        bail!("{} took longer than {} s\n{}", spell(command), limit.as_secs(), String::from_utf8_lossy(&reread(&mut err)?));
    };
    Ok(Captured { status, stdout: reread(&mut out)?, stderr: reread(&mut err)? })
}

/// Like [`capture`] with five minutes, and a bad exit code is an error that carries the outputs. Gives the standard output.
pub fn check(command: &mut Command) -> Result<String> {
    let captured = capture(command, Duration::from_secs(300))?;
    if !captured.status.success() {
        bail!("{} ended with {}\n{}", spell(command), captured.status, captured.text().trim_end());
    }
    Ok(String::from_utf8_lossy(&captured.stdout).into_owned())
}

fn reread(file: &mut File) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn wait_until(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let end = Instant::now() + limit;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            return Ok(None);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Program and arguments in one line; nothing of the environment.
pub fn spell(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

/// A program that runs until it is stopped, with its output in a file. Dropping it stops it.
pub struct Service {
    child: Child,
    stop_with: Signal,
    log: PathBuf,
}

impl Service {
    /// Starts a command in the background. `stop_with` is the signal that ends it in good order.
    pub fn start(command: &mut Command, log: &Path, stop_with: Signal) -> Result<Self> {
        let file = File::options().create(true).append(true).open(log)?;
        let child = command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).spawn();
        let child = child.with_context(|| format!("cannot start {}", spell(command)))?;
        Ok(Self { child, stop_with, log: log.to_owned() })
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until `ready` says yes; an error with the end of the log when the program ends before, or after `limit`.
    pub fn wait_ready(&mut self, limit: Duration, mut ready: impl FnMut() -> bool) -> Result<()> {
        let end = Instant::now() + limit;
        while !ready() {
            if !self.alive() {
                bail!("it ended before it was ready:\n{}", self.log_end());
            }
            if Instant::now() > end {
                bail!("it was not ready within {} s:\n{}", limit.as_secs(), self.log_end());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// The last forty lines that it wrote.
    pub fn log_end(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// Asks it to end, waits up to 30 seconds and then kills it. Whether it ended by itself with exit code 0.
    pub fn stop(&mut self) -> bool {
        if let Some(pid) = Pid::from_raw(self.child.id().cast_signed())
            && self.alive()
        {
            let _ = kill_process(pid, self.stop_with);
        }
        match wait_until(&mut self.child, Duration::from_secs(30)) {
            Ok(Some(status)) => status.success(),
            _ => {
                self.kill();
                false
            }
        }
    }

    /// Ends it at once, as a power cut would (SIGKILL).
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if self.alive() {
            self.stop();
        }
    }
}

/// A TCP port of 127.0.0.1 that nobody listens on now.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// The full path of a program, from `PATH` and the system folders that a plain user's `PATH` leaves out.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join(program)).find(|candidate| candidate.is_file())
}

/// Whether this process runs as root.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_captured_command_keeps_both_outputs_and_its_code() {
        let mut command = Command::new("sh");
        let captured = capture(command.args(["-c", "echo out; echo err >&2; exit 3"]), Duration::from_secs(10)).unwrap();
        assert_eq!((captured.status.code(), captured.text().as_str()), (Some(3), "out\nerr\n"));
    }

    #[test]
    fn a_command_over_its_limit_is_ended() {
        let begun = Instant::now();
        assert!(capture(Command::new("sleep").arg("30"), Duration::from_millis(50)).is_err());
        assert!(begun.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_service_stops_when_dropped() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut service = Service::start(Command::new("sleep").arg("60"), log.path(), Signal::TERM).unwrap();
        assert!(service.alive());
        let id = service.id();
        drop(service);
        assert!(!Path::new(&format!("/proc/{id}")).exists());
    }
}
