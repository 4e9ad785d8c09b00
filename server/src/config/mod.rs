//! The configuration: file, then environment, then flags, into one typed value; every problem is reported at once and no secret is shown.
//! Made by `command`, read by `compose`, `listen`, `log` and `security`.

mod describe;
mod document;
mod secret;
mod sources;
mod values;

#[cfg(test)]
mod tests;

use std::{
    ffi::OsString,
    fmt, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use url::Url;

pub use describe::{SETTINGS, Setting, Shape};
pub use document::{example, reference, summary};
pub use secret::Secret;
pub use sources::{Flags, Place, flag_of};
pub use values::{Database, LogFormat, Network};

use sources::{Found, Raw};

/// Largest manifest in bytes. Fixed: what one registry accepts, another must be able to copy (OCI distribution 1.1, "Pushing manifests").
pub const MANIFEST_LIMIT: u64 = 4 << 20;
/// Largest file that a `*_file` setting may name.
const SECRET_FILE_LIMIT: u64 = 64 << 10;

/// Everything that can be set, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Directory of everything kept.
    pub data: PathBuf,
    /// Which database.
    pub database: Database,
    /// How clients reach the server: scheme, host and port only.
    pub external_url: Option<Url>,
    /// Proxies whose forwarding headers are believed.
    pub trusted_proxies: Vec<Network>,
    /// The administrator's password for the first start.
    pub admin_password: Option<Secret>,
    /// Where the instance's key is, if not in the data directory.
    pub instance_key_file: Option<PathBuf>,
    /// TLS on the listener.
    pub tls: Tls,
    /// Lifetime of registry tokens.
    pub token_lifetime: Duration,
    /// Idle time after which a portal session ends.
    pub session_timeout: Duration,
    /// Whether an index is stored though manifests that it names are not there.
    pub sparse_indexes: bool,
    /// Log lines.
    pub log: Log,
    /// Bounds.
    pub limits: Limits,
    /// Time that requests in flight get when the server stops.
    pub shutdown_grace: Duration,
}

/// TLS on the listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// Plain HTTP.
    Off,
    /// A certificate of our own making, kept in the data directory.
    SelfSigned,
    /// Files in PEM.
    Files {
        /// Certificate chain, the server's own first.
        certificate: PathBuf,
        /// Private key.
        key: PathBuf,
    },
}

/// How to log.
#[derive(Debug, Clone)]
pub struct Log {
    /// A level or directives; checked.
    pub level: String,
    /// The form of a line.
    pub format: LogFormat,
}

/// Bounds on what a client may ask for. The manifest's is [`MANIFEST_LIMIT`].
#[derive(Debug, Clone)]
pub struct Limits {
    /// Largest blob in bytes; none: the disk's size.
    pub blob_size: Option<u64>,
    /// Uploads that may receive bytes at the same time.
    pub uploads: usize,
    /// Lifetime of an unfinished upload.
    pub upload_lifetime: Duration,
    /// Largest body in bytes of a request that is not a blob.
    pub request_body: usize,
    /// Largest target and headers of a request together, in bytes.
    pub request_headers: usize,
    /// Connections served at the same time.
    pub connections: usize,
}

/// Where the configuration is to be looked for, apart from the environment.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// `--config`.
    pub file: Option<PathBuf>,
    /// Other flags.
    pub flags: Flags,
}

/// Everything that is wrong with a configuration, a line each; free of secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The problems, in the order of the sources.
    pub problems: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.len() {
            1 => write!(f, "the configuration has a problem:")?,
            n => write!(f, "the configuration has {n} problems:")?,
        }
        self.problems.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
    }
}

impl std::error::Error for ConfigError {}

/// A checked configuration and where each of its values was found.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The values.
    pub config: Config,
    /// The file that was read, if any.
    pub file: Option<PathBuf>,
    /// Key and place of everything that was set.
    pub places: Vec<(String, Place)>,
}

/// Reads file, environment and flags.
///
/// # Errors
/// All problems of all sources together.
pub fn load(given: Given, environment: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Loaded, ConfigError> {
    let environment: Vec<_> = environment.into_iter().collect();
    let mut found = Found::default();
    let file = config_file(&given, &environment);
    if let Some(file) = &file {
        found.read_file(file);
    }
    found.read_environment(environment);
    found.read_flags(given.flags);
    let places = found.values.iter().map(|(key, raw)| (key.clone(), raw.place.clone())).collect();
    let config = Reader { found }.finish()?;
    Ok(Loaded { config, file, places })
}

/// `--config`, `BERTH_CONFIG`, or `berth.toml` in the data directory where it exists.
fn config_file(given: &Given, environment: &[(OsString, OsString)]) -> Option<PathBuf> {
    let variable = |name: &str| environment.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| PathBuf::from(v));
    if let Some(file) = given.file.clone().or_else(|| variable("BERTH_CONFIG")) {
        return Some(file);
    }
    let flag = given.flags.iter().find(|(key, _)| key == "data").map(|(_, value)| PathBuf::from(value));
    let data = flag.or_else(|| variable("BERTH_DATA")).unwrap_or_else(|| PathBuf::from(default_of("data")));
    Some(data.join("berth.toml")).filter(|file| file.exists())
}

fn default_of(key: &str) -> &'static str {
    SETTINGS.iter().find(|s| s.key == key).map_or("", |s| s.default)
}

/// Turns texts into values and collects what is wrong.
struct Reader {
    found: Found,
}

impl Reader {
    /// The value of `key`: as set, else its default, else nothing.
    fn take<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let raw = self.raw(key)?;
        match parse(&raw.text) {
            Ok(value) => Some(value),
            Err(why) => {
                self.found.problems.push(format!("{}: {why}", raw.place));
                None
            }
        }
    }

    fn raw(&mut self, key: &str) -> Option<Raw> {
        if let Some(raw) = self.found.values.get(key) {
            return Some(raw.clone());
        }
        if let Some(raw) = self.found.values.get(&format!("{key}_file")).cloned() {
            return match read_secret(Path::new(&raw.text)) {
                Ok(text) => Some(Raw { text, place: raw.place }),
                Err(why) => {
                    self.found.problems.push(format!("{}: {why}", raw.place));
                    None
                }
            };
        }
        let default = default_of(key);
        (!default.is_empty()).then(|| Raw { text: default.to_owned(), place: Place::Default })
    }

    fn whole(&mut self, key: &str, range: std::ops::RangeInclusive<u64>) -> u64 {
        self.take(key, values::number(range)).unwrap_or_default()
    }

    fn minutes(&mut self, key: &str, range: std::ops::RangeInclusive<u64>) -> Duration {
        Duration::from_secs(60 * self.whole(key, range))
    }

    fn bytes(&mut self, key: &str, most: u64, shown: &'static str) -> usize {
        let bytes = self.take(key, values::size_up_to(most, shown)).unwrap_or_default();
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    fn count(&mut self, key: &str, range: std::ops::RangeInclusive<u64>) -> usize {
        usize::try_from(self.whole(key, range)).unwrap_or(usize::MAX)
    }

    fn tls(&mut self) -> Tls {
        let is_chosen = self.found.values.contains_key("tls.mode");
        let mode = self.take("tls.mode", |text| match text {
            "off" | "self-signed" | "files" => Ok(text.to_owned()),
            _ => Err(format!("`{text}` is not one of off, self-signed, files")),
        });
        let certificate = self.take("tls.certificate", values::path);
        let key = self.take("tls.key", values::path);
        match (mode.as_deref(), certificate, key) {
            (Some("files"), Some(certificate), Some(key)) => {
                return Tls::Files { certificate, key };
            }
            // Who names both files wants them used.
            (Some("off"), Some(certificate), Some(key)) if !is_chosen => {
                return Tls::Files { certificate, key };
            }
            (Some("files"), ..) => self.found.problems.push("tls.mode `files` needs both tls.certificate and tls.key".to_owned()),
            (Some("self-signed"), None, None) => return Tls::SelfSigned,
            (Some(mode), Some(_), _) | (Some(mode), _, Some(_)) => {
                self.found.problems.push(format!("tls.certificate and tls.key are for tls.mode `files`, which is `{mode}`"));
            }
            _ => {}
        }
        Tls::Off
    }

    fn finish(mut self) -> Result<Config, ConfigError> {
        let data = self.take("data", values::path).unwrap_or_default();
        let config = Config {
            listen: self.take("listen", values::listen).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0))),
            database: self.take("database_url", values::database).unwrap_or_else(|| values::default_database(&data)),
            data,
            external_url: self.take("external_url", values::external_url),
            trusted_proxies: self.take("trusted_proxies", values::networks).unwrap_or_default(),
            admin_password: self.take("admin_password", values::admin_password),
            instance_key_file: self.take("instance_key_file", values::path),
            tls: self.tls(),
            token_lifetime: self.minutes("token.minutes", 1..=1440),
            session_timeout: self.minutes("session.minutes", 1..=43_200),
            sparse_indexes: self.take("registry.sparse_indexes", values::is_accepted).unwrap_or_default(),
            log: Log {
                level: self.take("log.level", values::log_level).unwrap_or_default(),
                format: self.take("log.format", values::log_format).unwrap_or(LogFormat::Auto),
            },
            limits: Limits {
                blob_size: self.take("limits.blob_size", values::size),
                uploads: self.count("limits.uploads", 1..=65_536),
                upload_lifetime: Duration::from_secs(3600 * self.whole("limits.upload_hours", 1..=8760)),
                request_body: self.bytes("limits.request_body", 64 << 20, "64 MiB"),
                request_headers: self.bytes("limits.request_headers", 256 << 10, "256 KiB"),
                connections: self.count("limits.connections", 1..=1_000_000),
            },
            shutdown_grace: Duration::from_secs(self.whole("shutdown.grace_seconds", 0..=3600)),
        };
        if self.found.problems.is_empty() { Ok(config) } else { Err(ConfigError { problems: self.found.problems }) }
    }
}

/// The content of a secret's file without the line end that editors add.
fn read_secret(file: &Path) -> Result<String, String> {
    let cannot = |why: String| format!("{} cannot be read: {why}", file.display());
    let length = fs::metadata(file).map_err(|e| cannot(e.to_string()))?.len();
    if length > SECRET_FILE_LIMIT {
        return Err(cannot("larger than 64 KiB".to_owned()));
    }
    let text = fs::read_to_string(file).map_err(|e| cannot(e.to_string()))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
