//! The values of settings: text in, typed value or a sentence out. Used by `config` alone; the types are public.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    str::FromStr,
};

use url::Url;

use super::Secret;

/// Which database to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// An SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL address, which usually holds a password.
    Postgres(Secret),
}

impl Database {
    /// The form without a password, for people: `sqlite:./data/berth.db`, `postgres://db.example.com/berth`.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::Postgres(url) => Url::parse(url.reveal()).map_or_else(
                |_| "postgres:…".to_owned(),
                |url| {
                    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
                    format!("postgres://{}{port}{}", url.host_str().unwrap_or_default(), url.path())
                },
            ),
        }
    }
}

/// A range of addresses, `10.0.0.0/8` or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: u128,
    mask: u128,
    shown: (IpAddr, u8),
}

impl Network {
    /// Whether `ip` is in the range; an IPv4 address is also recognised in its IPv6-mapped form.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        bits(ip) & self.mask == self.base
    }
}

/// All addresses in one space: IPv4 as IPv6-mapped.
fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => Ipv6Addr::to_bits(v6),
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not an address range such as 10.0.0.0/8 or 2001:db8::/32");
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let ip: IpAddr = address.parse().map_err(|_| wrong())?;
        let width = if ip.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(width), |p| p.parse::<u8>().map_err(|_| wrong()))?;
        if prefix > width {
            return Err(wrong());
        }
        let ones = 128 - u32::from(width) + u32::from(prefix);
        let mask = if ones == 0 { 0 } else { u128::MAX << (128 - ones) };
        Ok(Self { base: bits(ip) & mask, mask, shown: (ip, prefix) })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.shown.0, self.shown.1)
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Human on a terminal, JSON otherwise.
    Auto,
    /// One readable line.
    Human,
    /// One JSON object a line.
    Json,
}

pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    let resolved = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    resolved.as_deref().unwrap_or(text).parse().map_err(|_| format!("`{text}` is not ADDR:PORT, such as 127.0.0.1:8080 or [::]:8080"))
}

pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("a path must not be empty".to_owned()) } else { Ok(PathBuf::from(text)) }
}

/// Never quotes what it was given: it may hold a password.
pub(super) fn database(text: &str) -> Result<Database, String> {
    const WANTED: &str = "a database is `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`";
    if let Some(rest) = text.strip_prefix("sqlite:") {
        let path = rest.strip_prefix("//").unwrap_or(rest);
        if path.is_empty() || path.starts_with(":memory:") {
            return Err("SQLite needs a file: `sqlite:PATH`".to_owned());
        }
        if path.contains('?') {
            return Err("`sqlite:PATH` takes no parameters".to_owned());
        }
        return Ok(Database::Sqlite(PathBuf::from(path)));
    }
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "postgres" | "postgresql") => Ok(Database::Postgres(Secret::new(text))),
        _ => Err(WANTED.to_owned()),
    }
}

pub(super) fn default_database(data: &Path) -> Database {
    Database::Sqlite(data.join("berth.db"))
}

pub(super) fn external_url(text: &str) -> Result<Url, String> {
    let wrong = |why: &str| Err(format!("`{text}` {why}"));
    let Ok(url) = Url::parse(text) else {
        return wrong("is not an address such as https://registry.example.com");
    };
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return wrong("must begin with http:// or https:// and a host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user name or password".to_owned());
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return wrong("must end after host and port: clients expect /v2 at the root");
    }
    Ok(url)
}

pub(super) fn networks(text: &str) -> Result<Vec<Network>, String> {
    text.split(',').map(str::trim).filter(|t| !t.is_empty()).map(str::parse).collect()
}

pub(super) fn number(range: std::ops::RangeInclusive<u64>) -> impl Fn(&str) -> Result<u64, String> {
    move |text| match text.trim().parse::<u64>() {
        Ok(n) if range.contains(&n) => Ok(n),
        _ => Err(format!("`{text}` is not a whole number from {} to {}", range.start(), range.end())),
    }
}

/// Bytes: `1048576`, `512 KiB`, `10GiB`, `4 MB` (powers of 1024 with an i, of 1000 without).
pub(super) fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a size such as 1048576, 512 KiB or 10 GiB");
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let unit: u64 = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit).filter(|&bytes| bytes > 0 && i64::try_from(bytes).is_ok()).ok_or_else(wrong)
}

pub(super) fn size_up_to(most: u64, shown: &'static str) -> impl Fn(&str) -> Result<u64, String> {
    move |text| match size(text)? {
        bytes if bytes > most => Err(format!("`{text}` is more than {shown}")),
        bytes => Ok(bytes),
    }
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "auto" => Ok(LogFormat::Auto),
        "human" => Ok(LogFormat::Human),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("`{text}` is not one of auto, human, json")),
    }
}

/// Whether something optional is accepted.
pub(super) fn is_accepted(text: &str) -> Result<bool, String> {
    match text {
        "accept" => Ok(true),
        "refuse" => Ok(false),
        _ => Err(format!("`{text}` is not one of accept, refuse")),
    }
}

pub(super) fn log_level(text: &str) -> Result<String, String> {
    match tracing_subscriber::EnvFilter::try_new(text) {
        Ok(_) if !text.trim().is_empty() => Ok(text.to_owned()),
        _ => Err(format!("`{text}` is not a level (error, warn, info, debug, trace) or directives such as info,access=debug")),
    }
}

/// Rejects what nobody could sign in with by accident; the full rule for passwords is the account's.
pub(super) fn admin_password(text: &str) -> Result<Secret, String> {
    match text.chars().count() {
        8..=128 => Ok(Secret::new(text)),
        _ => Err("the administrator's password must have 8 to 128 characters".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_what_they_say() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("2001:db8::/32", "2001:db8:1::1", "2001:db9::1"),
            ("0.0.0.0/0", "203.0.113.1", "2001:db8::1"),
            ("10.0.0.0/8", "::ffff:10.1.1.1", "::10.1.1.1"),
        ] {
            let network: Network = network.parse().unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{network} {inside}");
            assert!(!network.contains(outside.parse().unwrap()), "{network} {outside}");
        }
        assert!("::/0".parse::<Network>().unwrap().contains("203.0.113.1".parse().unwrap()));
    }

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [
            ("1", Ok(1)),
            ("512 KiB", Ok(524_288)),
            ("10GiB", Ok(10 << 30)),
            ("4 mb", Ok(4_000_000)),
            ("0", Err(())),
            ("1.5 GiB", Err(())),
            ("-1", Err(())),
            ("9999999 TiB", Err(())),
            ("4 XB", Err(())),
        ] {
            assert_eq!(size(text).map_err(|_| ()), bytes, "{text}");
        }
    }
}
