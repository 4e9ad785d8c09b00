//! Composition: builds everything the doors use, from the configuration. `command` calls it, nobody else.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::Router;
use model::secret::Secret as ModelSecret;
use service::registry::Swept;
use service::seal::Seal;
use service::token::Tokens;
use service::{Ids as _, Parts, Services, Settings, SystemClock, SystemIds};
use store::Db;

use crate::app::App;
use crate::body_limit::BodyLimit;
use crate::config::{Config, Database, Secret, Tls};
use crate::doors::Doors;
use crate::listen::tls;
use crate::security::Origins;
use crate::site::Site;
use crate::{acknowledge, portal, registry, rest};

/// The instance's key: seals secrets in the database, and must stay with it.
const KEY_FILE: &str = "instance.key";
/// Held by the server that owns an SQLite database.
const LOCK_FILE: &str = "berth.lock";
/// Where a generated password is left.
const PASSWORD_FILE: &str = "admin-password";
/// How often abandoned uploads are looked for.
const SWEEP: Duration = Duration::from_secs(3600);

/// Builds the whole server.
///
/// # Errors
/// The data directory or the database is of no use.
pub async fn build(config: &Config) -> anyhow::Result<App> {
    let owner = own(config)?;
    // What takes time and needs no database is done on another core while that is opened: the generator of random bytes gathers its first entropy
    // (30 ms), and the portal is made ready.
    let random = tokio::task::spawn_blocking(|| SystemIds.fill(&mut [0; 1]));
    let site = tokio::task::spawn_blocking(|| {
        let site = Site::embedded();
        portal::prepare(&site);
        site
    });
    let services = services(config).await?;
    random.await?;
    services.join_replicas().await.map_err(sentence)?;
    let given = config.admin_password.as_ref().map(|p| ModelSecret::new(p.reveal().to_owned()));
    let file = config.data.join(PASSWORD_FILE);
    let leave = |password: &ModelSecret| leave_password(&file, password).map_err(service::Error::internal);
    let first = service::user::bootstrap(&services, given.as_ref(), leave).await.map_err(sentence)?;
    let admin_password_file = first.is_generated.then_some(file);
    let recorder = tokio::spawn(services.core.recorder.clone().run());
    let settings = tokio::spawn(services.configuration.clone().run());
    let sweeper = tokio::spawn(sweep(services.clone()));
    let doors = doors(config, &services, &site.await?);
    let on_stop: crate::app::OnStop = Box::new(move || {
        Box::pin(async move {
            recorder.abort();
            sweeper.abort();
            settings.abort();
            services.stop().await;
            drop(owner);
        })
    });
    Ok(App { doors, admin_password_file, on_stop })
}

/// Brings the database to this version's schema; a line about what was done.
///
/// # Errors
/// The database cannot be reached or was made by a later version.
pub async fn migrate(config: &Config) -> anyhow::Result<String> {
    prepare_data(&config.data)?;
    let db = database(config).await?;
    db.migrate().await?;
    db.close().await;
    Ok(format!("{} has this version's schema", config.database.describe()))
}

/// Whether the database can be reached, and its schema's state in a few words; changes nothing.
///
/// # Errors
/// The database cannot be reached or was made by a later version.
pub async fn check_database(config: &Config) -> anyhow::Result<String> {
    if let Database::Sqlite(path) = &config.database
        && !path.exists()
    {
        return Ok("will be made at the first start".to_owned());
    }
    let db = database(config).await?;
    let pending = db.pending_migrations().await?;
    db.close().await;
    Ok(match pending {
        0 => "reachable, the schema is this version's".to_owned(),
        n => format!("reachable, {n} migration(s) will run at the next start"),
    })
}

/// Whether the instance's key is there and opens what the database has sealed, in a few words; changes nothing.
///
/// # Errors
/// It is not there though the database needs it, is no key, or is another instance's.
pub async fn check_key(config: &Config) -> anyhow::Result<String> {
    let has_database = !matches!(&config.database, Database::Sqlite(path) if !path.exists());
    let sealed = match has_database {
        true => {
            let db = database(config).await.context("cannot be told without the database")?;
            // Before the first start there is nothing to read it from.
            let sealed = Tokens::sealed_key(&db).await.ok().flatten();
            db.close().await;
            sealed
        }
        false => None,
    };
    let file = key_file(config);
    if !file.exists() && sealed.is_none() && config.instance_key_file.is_none() {
        return Ok("will be made at the first start".to_owned());
    }
    let seal = Seal::new(read_key(&file, sealed.is_some())?);
    match sealed {
        None => Ok(format!("{} is one; nothing is sealed with it yet", file.display())),
        Some(sealed) => Tokens::check_key(&seal, &sealed).map(|()| format!("{} opens what is sealed", file.display())).map_err(Into::into),
    }
}

/// Gives `admin` the password, or a generated one, whose file is the result. Sessions of `admin` end.
///
/// # Errors
/// There is no database, or none with an account yet; the password breaks the rule for passwords, or the database cannot be written.
pub async fn reset_admin_password(config: &Config, password: Option<Secret>) -> anyhow::Result<Option<PathBuf>> {
    // A mistyped directory is not filled with a new database.
    if let Database::Sqlite(path) = &config.database
        && !path.exists()
    {
        bail!("there is no database at {}: name the one that the server uses with --data or --database-url", path.display());
    }
    let services = services(config).await?;
    let given = password.map(|p| ModelSecret::new(p.reveal().to_owned()));
    let reset = services.users.reset_admin_password(given.as_ref()).await;
    services.stop().await;
    let generated = match reset {
        Err(error) if error.status == 404 => bail!("the database has no account `admin` yet: the first start of a server makes it"),
        reset => reset.map_err(sentence)?,
    };
    let Some(password) = generated else {
        return Ok(None);
    };
    let file = config.data.join(PASSWORD_FILE);
    leave_password(&file, &password)?;
    Ok(Some(file))
}

fn leave_password(file: &Path, password: &ModelSecret) -> anyhow::Result<()> {
    write_private(file, format!("{}\n", password.expose()).as_bytes())
}

async fn services(config: &Config) -> anyhow::Result<Services> {
    prepare_data(&config.data)?;
    let registry = config.data.join("registry");
    let (db, blobs) = tokio::join!(migrated_database(config), blob::BlobStore::filesystem(&registry));
    let (db, blobs) = (db?, blobs?);
    let seal = Seal::new(instance_key(config, &db).await?);
    let parts = Parts { db, blobs, clock: Arc::new(SystemClock), ids: Arc::new(SystemIds), settings: settings(config), seal };
    Services::open(parts).await.map_err(sentence)
}

async fn migrated_database(config: &Config) -> anyhow::Result<Db> {
    let db = database(config).await?;
    db.migrate().await?;
    Ok(db)
}

fn doors(config: &Config, services: &Services, site: &Site) -> Doors {
    let origins = Origins::new(config.trusted_proxies.clone(), config.external_url.as_ref(), config.listen);
    let door = Arc::new(registry::Door::new(services.clone(), origins.clone(), config.limits.uploads));
    let router = Router::new()
        .merge(registry::routes(door.clone()))
        .merge(rest::router(services.clone(), origins.clone()))
        .merge(site.routes())
        .merge(portal::router(services.clone(), origins))
        .layer(axum::Extension(BodyLimit(config.limits.request_body)))
        .layer(axum::middleware::from_fn_with_state(services.core.replicas.clone(), acknowledge::changes));
    Doors::new(router, door)
}

fn settings(config: &Config) -> Settings {
    let seconds = |d: Duration| i64::try_from(d.as_secs()).unwrap_or(i64::MAX);
    Settings {
        token_lifetime: seconds(config.token_lifetime),
        session_lifetime: seconds(config.session_timeout),
        ca_certificate: ca_certificate(&config.tls, &config.data),
        max_blob_bytes: config.limits.blob_size,
        sparse_indexes: config.sparse_indexes,
        upload_lifetime: seconds(config.limits.upload_lifetime),
        external_url: config.external_url.as_ref().map(|url| url.origin().ascii_serialization()),
        ..Settings::default()
    }
}

/// What clients have to trust, when the listener's certificate is of our own making: then that one, without the text before it.
fn ca_certificate(mode: &Tls, data: &Path) -> Option<String> {
    if !matches!(mode, Tls::SelfSigned) {
        return None;
    }
    let text = std::fs::read_to_string(tls::self_signed_certificate(data)).ok()?;
    let begin = text.find("-----BEGIN CERTIFICATE-----")?;
    Some(text[begin..].to_owned())
}

async fn database(config: &Config) -> anyhow::Result<Db> {
    let url = match &config.database {
        Database::Sqlite(path) => format!("sqlite:{}", path.display()),
        Database::Postgres(url) => url.reveal().to_owned(),
    };
    Db::open(&url).await.with_context(|| format!("{} cannot be opened", config.database.describe()))
}

/// Removes what uploads left behind, now and every hour.
async fn sweep(services: Services) {
    loop {
        match services.registry.sweep_uploads().await {
            Ok(swept) if swept == Swept::default() => {}
            Ok(Swept { abandoned, orphans }) => tracing::info!(abandoned, orphans, "uploads that nobody finished were removed"),
            Err(error) => tracing::warn!(%error, "abandoned uploads could not be removed"),
        }
        tokio::time::sleep(SWEEP).await;
    }
}

fn prepare_data(data: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data)
        .with_context(|| format!("the data directory {} cannot be made", data.display()))
}

/// Makes this process the only server on an SQLite database. PostgreSQL serves as many as like to share it.
fn own(config: &Config) -> anyhow::Result<Option<std::fs::File>> {
    if !matches!(config.database, Database::Sqlite(_)) {
        return Ok(None);
    }
    prepare_data(&config.data)?;
    let path = config.data.join(LOCK_FILE);
    let file = std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(&path);
    let file = file.with_context(|| format!("{} cannot be opened", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => anyhow::bail!(
            "another berth already serves the data directory {}: an SQLite database has one server; several can share a PostgreSQL database",
            config.data.display()
        ),
        Err(std::fs::TryLockError::Error(error)) => Err(error).with_context(|| format!("{} cannot be locked", path.display())),
    }
}

/// Where the instance's key is: in the file that the configuration names, else in the data directory.
fn key_file(config: &Config) -> PathBuf {
    config.instance_key_file.clone().unwrap_or_else(|| config.data.join(KEY_FILE))
}

/// The instance's key. In the data directory it is made at the first start, and only then: one made later would open nothing.
async fn instance_key(config: &Config, db: &Db) -> anyhow::Result<[u8; 32]> {
    let file = key_file(config);
    let is_needed = Tokens::sealed_key(db).await.map_err(sentence)?.is_some();
    if config.instance_key_file.is_none() && !file.exists() && !is_needed {
        let mut key = [0; 32];
        SystemIds.fill(&mut key);
        write_first(&file, &key)?;
    }
    read_key(&file, is_needed)
}

fn read_key(file: &Path, is_needed: bool) -> anyhow::Result<[u8; 32]> {
    let bytes = std::fs::read(file).with_context(|| {
        let lost = "; the database has secrets that it sealed: put it back from the backup, or name it with instance_key_file";
        format!("the instance's key {} cannot be read{}", file.display(), if is_needed { lost } else { "" })
    })?;
    key_of(&bytes).with_context(|| format!("{} holds no instance key: 32 bytes, or 64 hexadecimal digits", file.display()))
}

fn key_of(bytes: &[u8]) -> Option<[u8; 32]> {
    if let Ok(key) = <[u8; 32]>::try_from(bytes) {
        return Some(key);
    }
    let digits = bytes.trim_ascii();
    if digits.len() != 64 {
        return None;
    }
    let mut key = [0; 32];
    for (byte, pair) in key.iter_mut().zip(digits.chunks(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16).and_then(|d| u8::try_from(d).ok());
        *byte = digit(0)? << 4 | digit(1)?;
    }
    Some(key)
}

/// As [`write_private`], but a file that somebody else makes at the same moment stays.
fn write_first(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    let mine = file.with_extension(format!("{}.new", SystemIds.uuid()));
    write_private(&mine, content)?;
    let linked = std::fs::hard_link(&mine, file);
    let removed = std::fs::remove_file(&mine);
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(error).with_context(|| format!("{} cannot be written", file.display()))
        }
        _ => removed.with_context(|| format!("{} cannot be removed", mine.display())),
    }
}

/// A file for its owner only, complete or not there.
fn write_private(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let what = || format!("{} cannot be written", file.display());
    let new = file.with_extension("new");
    let _ = std::fs::remove_file(&new);
    let mut out = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).with_context(what)?;
    out.write_all(content).and_then(|()| out.sync_all()).with_context(what)?;
    std::fs::rename(&new, file).with_context(what)
}

/// A refusal of the rules as an operator reads it; of what broke, the cause.
fn sentence(error: service::Error) -> anyhow::Error {
    match error.cause {
        Some(cause) => anyhow::anyhow!(cause),
        None => anyhow::anyhow!("{}", error.message()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_bytes_or_digits() {
        let key: Vec<u8> = (0xe0..=0xff).collect();
        let digits: String = key.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(key_of(&key).map(Vec::from), Some(key.clone()));
        assert_eq!(key_of(format!("{digits}\n").as_bytes()).map(Vec::from), Some(key));
        for wrong in [String::new(), "0".repeat(63), "g".repeat(64), "0".repeat(66)] {
            assert_eq!(key_of(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn a_certificate_of_our_own_is_what_clients_have_to_trust() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(ca_certificate(&Tls::SelfSigned, dir.path()), None);
        tls::Certificates::self_signed(dir.path(), None).unwrap();
        let pem = ca_certificate(&Tls::SelfSigned, dir.path()).unwrap();
        assert!(pem.starts_with("-----BEGIN CERTIFICATE-----\n") && pem.trim_end().ends_with("-----END CERTIFICATE-----"), "{pem}");
        assert_eq!(ca_certificate(&Tls::Off, dir.path()), None);
    }

    #[test]
    fn of_two_that_make_a_key_at_once_one_wins() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(KEY_FILE);
        write_first(&file, &[1; 32]).unwrap();
        write_first(&file, &[2; 32]).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), [1; 32]);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
