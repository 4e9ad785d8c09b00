//! Every setting, described once: the readers, the flags, the example file and the reference page are made from this table.
//! Used inside `config` and by the command line.

/// How a setting is written in the configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Quoted text.
    Text,
    /// A whole number.
    Number,
    /// A list of quoted texts; in the environment and as a flag separated by commas.
    List,
    /// Quoted text that is never shown; also available as `<key>_file`.
    Secret,
}

/// One setting and its three spellings.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Path in the file, e.g. `tls.mode`.
    pub key: &'static str,
    /// Environment variable.
    pub env: &'static str,
    /// Flag without the dashes; secrets that are only secrets have none, because other users of a machine can read flags.
    pub flag: Option<&'static str>,
    /// Name of the value in help texts.
    pub value: &'static str,
    /// How it is written.
    pub shape: Shape,
    /// The default as text; empty: not set.
    pub default: &'static str,
    /// An example for the file where the default is empty.
    pub example: &'static str,
    /// One or two sentences for people.
    pub about: &'static str,
}

/// `names`: key, environment variable, flag (empty: none), name of the value.
const fn setting(names: [&'static str; 4], shape: Shape, default: &'static str, example: &'static str, about: &'static str) -> Setting {
    let [key, env, flag, value] = names;
    Setting { key, env, flag: if flag.is_empty() { None } else { Some(flag) }, value, shape, default, example, about }
}

use Shape::{List, Number, Secret, Text};

/// All settings, in the order of the example file.
#[rustfmt::skip]
pub const SETTINGS: &[Setting] = &[
    setting(["listen", "BERTH_LISTEN", "listen", "ADDR:PORT"], Text, "127.0.0.1:8080", "",
        "Address and port to listen on. `0.0.0.0:8080` or `[::]:8080` for every interface; port 0 takes a free one."),
    setting(["data", "BERTH_DATA", "data", "DIR"], Text, "./data", "",
        "Directory of everything Berth keeps: the embedded database, blobs, keys. Only its owner can read it."),
    setting(["database_url", "BERTH_DATABASE_URL", "database-url", "URL"], Secret, "", "postgres://berth:password@db.example.com/berth",
        "`sqlite:PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`. Not set: `berth.db` in the data directory."),
    setting(["external_url", "BERTH_EXTERNAL_URL", "external-url", "URL"], Text, "", "https://registry.example.com",
        "How clients reach Berth, for links that leave the server, such as the token service's address. Not set: taken from each request."),
    setting(["trusted_proxies", "BERTH_TRUSTED_PROXIES", "trusted-proxies", "CIDR,…"], List, "", "10.0.0.0/8",
        "Addresses of reverse proxies whose `X-Forwarded-For`, `-Proto` and `-Host` (or `Forwarded`) are believed. Everybody else's are ignored."),
    setting(["admin_password", "BERTH_ADMIN_PASSWORD", "", "PASSWORD"], Secret, "", "…",
        "Password of the account `admin`, taken on the very first start only. Not set: one is generated and left in a file that only the owner can read."),
    setting(["instance_key_file", "BERTH_INSTANCE_KEY_FILE", "instance-key-file", "FILE"], Text, "", "/etc/berth/instance.key",
        "The instance's key, 32 bytes or 64 hexadecimal digits: seals secrets in the database. Every process on one database needs the same. Not set: `instance.key` in the data directory, made at the first start."),
    setting(["tls.mode", "BERTH_TLS", "tls", "MODE"], Text, "off", "",
        "`off`, `self-signed` (for trying out: a certificate is made and kept in the data directory) or `files`."),
    setting(["tls.certificate", "BERTH_TLS_CERTIFICATE", "tls-certificate", "FILE"], Text, "", "/etc/berth/tls.crt",
        "Certificate chain in PEM, for `files`. Read again on SIGHUP and when the file changes."),
    setting(["tls.key", "BERTH_TLS_KEY", "tls-key", "FILE"], Text, "", "/etc/berth/tls.key",
        "Private key in PEM, for `files`."),
    setting(["token.minutes", "BERTH_TOKEN_MINUTES", "token-minutes", "N"], Number, "30", "",
        "Lifetime of a registry token. A client asks for a new one by itself."),
    setting(["session.minutes", "BERTH_SESSION_MINUTES", "session-minutes", "N"], Number, "60", "",
        "A portal session ends after this time without a request."),
    setting(["registry.sparse_indexes", "BERTH_REGISTRY_SPARSE_INDEXES", "registry-sparse-indexes", "WHAT"], Text, "refuse", "",
        "An index that names manifests which are not in its repository: `refuse` it, as Harbor does, or `accept` it, for mirrors of some platforms."),
    setting(["log.level", "BERTH_LOG_LEVEL", "log-level", "LEVEL"], Text, "info", "",
        "`error`, `warn`, `info`, `debug` or `trace`; or directives such as `info,access=debug`, which also logs a line per request."),
    setting(["log.format", "BERTH_LOG_FORMAT", "log-format", "FORMAT"], Text, "auto", "",
        "`human`, `json`, or `auto`: human on a terminal, JSON otherwise. Logs go to standard error."),
    setting(["limits.blob_size", "BERTH_LIMITS_BLOB_SIZE", "limits-blob-size", "SIZE"], Text, "", "10 GiB",
        "Largest blob that may be uploaded. Not set: as large as the disk. A manifest is at most 4 MiB, whatever is set here."),
    setting(["limits.uploads", "BERTH_LIMITS_UPLOADS", "limits-uploads", "N"], Number, "256", "",
        "Uploads that may send bytes at the same time; one more is asked to wait (429)."),
    setting(["limits.upload_hours", "BERTH_LIMITS_UPLOAD_HOURS", "limits-upload-hours", "N"], Number, "168", "",
        "An upload that was begun and not finished is forgotten after this time."),
    setting(["limits.request_body", "BERTH_LIMITS_REQUEST_BODY", "limits-request-body", "SIZE"], Text, "4 MiB", "",
        "Largest body of a request that is not a blob: API calls, forms. At most 64 MiB."),
    setting(["limits.request_headers", "BERTH_LIMITS_REQUEST_HEADERS", "limits-request-headers", "SIZE"], Text, "64 KiB", "",
        "Largest address and headers of a request together. At most 256 KiB."),
    setting(["limits.connections", "BERTH_LIMITS_CONNECTIONS", "limits-connections", "N"], Number, "8192", "",
        "Connections served at the same time; more wait to be accepted."),
    setting(["shutdown.grace_seconds", "BERTH_SHUTDOWN_GRACE_SECONDS", "shutdown-grace-seconds", "N"], Number, "30", "",
        "How long requests in flight may go on when the server is asked to stop. A second signal ends the wait."),
];

/// The description of `key`; for a secret's `<key>_file` that of the secret.
#[must_use]
pub fn by_key(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|s| s.key == key).or_else(|| {
        let secret = key.strip_suffix("_file")?;
        SETTINGS.iter().find(|s| s.key == secret && s.shape == Shape::Secret)
    })
}
