//! `berth doctor`: examines what a server of this configuration depends on, and says what to do about what is wrong.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::ExitCode,
    time::{Duration, SystemTime},
};

use super::{FAILED, healthcheck};
use crate::{
    compose,
    config::{Config, ConfigError, Loaded, Tls},
    listen::Certificates,
};

const GIB: u64 = 1 << 30;
/// Below this, uploads will soon fail; below the second, databases do.
const LITTLE_SPACE: u64 = 5 * GIB;
const NO_SPACE: u64 = GIB / 4;
/// A file server whose clock differs more than this confuses times of tokens and files.
const CLOCK_SKEW: Duration = Duration::from_secs(5);
/// 2026-01-01: this program did not exist before, so a clock that says so is wrong.
const BEFORE_BERTH: u64 = 1_767_225_600;

/// What an examination found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Finding {
    Good(String),
    Doubtful(String),
    Bad(String),
}

use Finding::{Bad, Doubtful, Good};

impl Finding {
    fn line(&self, about: &str) -> String {
        let (mark, text) = match self {
            Good(text) => ("ok  ", text),
            Doubtful(text) => ("warn", text),
            Bad(text) => ("FAIL", text),
        };
        format!("[{mark}] {about}: {text}")
    }
}

pub(super) async fn run(loaded: Result<Loaded, ConfigError>) -> anyhow::Result<ExitCode> {
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(error) => {
            println!("{}", Bad(error.to_string()).line("configuration"));
            return Ok(ExitCode::from(FAILED));
        }
    };
    let source = loaded.file.as_ref().map_or_else(|| "valid; no file".to_owned(), |file| format!("valid; {}", file.display()));
    let config = &loaded.config;
    let findings = [
        ("configuration", Good(source)),
        ("data directory", data_directory(&config.data)),
        ("free space", free_space(&config.data)),
        ("clock", clock(&config.data)),
        ("database", database(config).await),
        ("instance key", key(config).await),
        ("certificate", certificate(&config.tls)),
        ("port", port(config).await),
    ];
    for (about, finding) in &findings {
        println!("{}", finding.line(about));
    }
    let bad = findings.iter().filter(|(_, finding)| matches!(finding, Bad(_))).count();
    if bad == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    println!("\n{bad} of {} examinations failed.", findings.len());
    Ok(ExitCode::from(FAILED))
}

/// The directory itself, or where it would be made.
fn existing(data: &Path) -> &Path {
    let here = Path::new(".");
    data.ancestors().find(|path| path.exists()).filter(|path| !path.as_os_str().is_empty()).unwrap_or(here)
}

fn data_directory(data: &Path) -> Finding {
    let place = existing(data);
    let probe = place.join(format!(".berth-doctor-{}", std::process::id()));
    let written = fs::write(&probe, b"probe").and_then(|()| fs::remove_file(&probe));
    match written {
        Err(error) => Bad(format!("{} cannot be written: {error}", place.display())),
        Ok(()) if place != data => Good(format!("{} does not exist yet and can be made", data.display())),
        Ok(()) => match fs::metadata(data).map(|m| m.permissions().mode() & 0o777) {
            Ok(mode) if mode & 0o007 != 0 => {
                Doubtful(format!("{} can be read by every user of this machine; `chmod 700` it", data.display()))
            }
            _ => Good(format!("{} can be written", data.display())),
        },
    }
}

fn free_space(data: &Path) -> Finding {
    match rustix::fs::statvfs(existing(data)) {
        Err(error) => Doubtful(format!("cannot be told: {error}")),
        Ok(stat) => {
            let (free, whole) = (stat.f_bavail * stat.f_frsize, stat.f_blocks * stat.f_frsize);
            let text = format!("{:.1} GiB of {:.1} GiB", gib(free), gib(whole));
            if free < NO_SPACE {
                Bad(format!("{text}; pushes will fail"))
            } else if free < LITTLE_SPACE {
                Doubtful(format!("{text}; pushes will fail soon"))
            } else {
                Good(text)
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn gib(bytes: u64) -> f64 {
    bytes as f64 / GIB as f64
}

/// The system's clock, and the one that the data directory's file system goes by.
fn clock(data: &Path) -> Finding {
    let now = SystemTime::now();
    if now.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|since| since.as_secs() < BEFORE_BERTH) {
        return Bad("it is wrong by years; tokens and certificates depend on it".to_owned());
    }
    let probe = existing(data).join(format!(".berth-doctor-{}-clock", std::process::id()));
    let stamped = fs::write(&probe, b"probe").and_then(|()| fs::metadata(&probe)).and_then(|m| m.modified());
    let _ = fs::remove_file(&probe);
    let shown = chrono::DateTime::<chrono::Utc>::from(now).format("%Y-%m-%d %H:%M:%S UTC");
    match stamped {
        Ok(stamp) => {
            let skew = stamp.duration_since(now).unwrap_or_else(|e| e.duration());
            if skew > CLOCK_SKEW {
                Doubtful(format!("{shown}, but the data directory's file system differs by {} s", skew.as_secs()))
            } else {
                Good(shown.to_string())
            }
        }
        Err(_) => Good(shown.to_string()),
    }
}

async fn database(config: &Config) -> Finding {
    let name = config.database.describe();
    match compose::check_database(config).await {
        Ok(state) => Good(format!("{name}: {state}")),
        Err(error) => Bad(format!("{name}: {error:#}")),
    }
}

async fn key(config: &Config) -> Finding {
    match compose::check_key(config).await {
        Ok(state) => Good(state),
        // What is wrong with the database stands above.
        Err(_) if compose::check_database(config).await.is_err() => Doubtful("cannot be told without the database".to_owned()),
        Err(error) => Bad(format!("{error:#}")),
    }
}

fn certificate(tls: &Tls) -> Finding {
    match tls {
        Tls::Off => Good("none; TLS is off".to_owned()),
        Tls::SelfSigned => Doubtful("self-signed; fine for trying out, but every client has to be told to trust it".to_owned()),
        Tls::Files { certificate, key } => match Certificates::from_files(certificate, key) {
            Err(error) => Bad(format!("{error:#}")),
            Ok(_) => match fs::metadata(key).map(|m| m.permissions().mode() & 0o007) {
                Ok(0) => Good(format!("{} and its key belong together", certificate.display())),
                _ => Doubtful(format!("the key {} can be read by every user of this machine", key.display())),
            },
        },
    }
}

async fn port(config: &Config) -> Finding {
    match TcpListener::bind(config.listen) {
        Ok(_) => Good(format!("{} is free", config.listen)),
        Err(_) if healthcheck::ping(config).await.is_ok() => Good(format!("{} is served, and answers", config.listen)),
        Err(error) => Bad(format!("{} cannot be listened on: {error}", config.listen)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_is_yet_to_be_made_is_no_problem() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(data_directory(&dir.path().join("a/b")), Good(text) if text.contains("can be made")));
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(matches!(data_directory(dir.path()), Good(_)));
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(data_directory(dir.path()), Doubtful(_)));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "probes are removed");
    }

    #[test]
    fn a_place_that_is_a_file_is_a_problem() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(data_directory(&file.path().join("data")), Bad(_)));
    }

    #[test]
    fn space_and_clock_are_told() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(free_space(&dir.path().join("later")), Good(t) | Doubtful(t) if t.contains("GiB of")));
        assert!(matches!(clock(dir.path()), Good(t) if t.ends_with("UTC")));
    }
}
