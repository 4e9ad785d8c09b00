//! `berth serve`: composition, listener, signals, and an orderly end.

use std::{net::SocketAddr, process::ExitCode, sync::Arc};

use tokio::signal::unix::{SignalKind, signal};

use crate::{
    compose,
    config::{Config, Tls},
    listen::{Certificates, Ended, Listener, Options, Stop},
};

pub(super) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    raise_descriptor_limit();
    // Before anything takes time: a stop during the start must not be lost.
    let stop = on_signals()?;
    let tls = certificates(&config)?.map(Arc::new);
    // Before the database: a second server on the same data must fail here.
    let listener =
        Listener::bind(config.listen, tls.clone(), Options::from_config(&config)).map_err(|error| taken(config.listen, error))?;
    let addr = listener.local_addr()?;
    let app = compose::build(&config).await?;
    announce(&config, addr, tls.as_deref(), app.admin_password_file.as_deref());
    if let Some(tls) = tls {
        let ended = stop.graceful.clone();
        tokio::spawn(async move { tls.keep_fresh(ended).await });
    }
    let ended = listener.serve(app.doors, stop).await;
    if ended == Ended::Cut {
        tracing::warn!("requests were still in flight when the grace time ended");
    }
    (app.on_stop)().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Why the address cannot be had, and what to do where it is somebody else's.
fn taken(addr: SocketAddr, error: std::io::Error) -> anyhow::Error {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            anyhow::anyhow!("{addr} cannot be listened on: another program has it. Choose another with --listen ADDR:PORT")
        }
        _ => anyhow::Error::new(error).context(format!("{addr} cannot be listened on")),
    }
}

fn certificates(config: &Config) -> anyhow::Result<Option<Certificates>> {
    match &config.tls {
        Tls::Off => Ok(None),
        Tls::Files { certificate, key } => Certificates::from_files(certificate, key).map(Some),
        Tls::SelfSigned => {
            let host = config.external_url.as_ref().and_then(url::Url::host_str);
            Certificates::self_signed(&config.data, host).map(Some)
        }
    }
}

/// What a person who has just started the server needs to know, on standard output; logs are on standard error.
fn announce(config: &Config, addr: SocketAddr, tls: Option<&Certificates>, password: Option<&std::path::Path>) {
    use std::io::Write as _;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let address =
        config.external_url.as_ref().map_or_else(|| format!("{scheme}://{addr}"), |url| url.as_str().trim_end_matches('/').to_owned());
    // The output may be closed by whoever started the server; that is no reason to end.
    let mut out = std::io::stdout().lock();
    if let (Tls::SelfSigned, Some(tls)) = (&config.tls, tls) {
        let _ = writeln!(out, "The certificate that clients have to trust is {}", tls.path().display());
    }
    if let Some(file) = password {
        let _ = writeln!(out, "Sign in as `admin`; the password is in {}", file.display());
    }
    let _ = writeln!(out, "Berth is ready at {address}");
    let _ = out.flush();
    tracing::info!(%addr, tls = tls.is_some(), database = %config.database.describe(), version = env!("CARGO_PKG_VERSION"), "ready");
}

/// SIGTERM and SIGINT: the first begins the graceful stop, the second ends the wait.
fn on_signals() -> anyhow::Result<Stop> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = Stop::default();
    let told = stop.clone();
    tokio::spawn(async move {
        for step in [&told.graceful, &told.now] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("asked to stop");
            step.cancel();
        }
    });
    // Without TLS there is nothing to read again, but the default would end the process.
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move { while hangup.recv().await.is_some() {} });
    Ok(stop)
}

/// Every connection is a descriptor, and the usual soft limit of 1024 is there for programs that use `select`.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}
