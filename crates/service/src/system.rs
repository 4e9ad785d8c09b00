//! What the system tells about itself: information for clients, health, space, the certificate to trust. The doors of REST and the portal call it.

use std::sync::Arc;

use model::api::{ComponentHealthStatus, GeneralInfo, OverallHealthStatus, Storage, SystemInfo};
use model::permission::{Action, Resource};
use model::time::Instant;

use crate::{Actor, Core, Error, Result};

/// The release of Harbor whose API this program speaks; clients compare it, so it comes first in what they are told.
pub const API_LEVEL: &str = "v2.16.0";

/// The use cases. Cheap to clone.
#[derive(Clone, Debug)]
pub struct System {
    core: Arc<Core>,
}

impl System {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Information about the instance; who is not signed in learns only how to sign in. `base_url` is how the caller reached it, without a slash at
    /// the end.
    pub fn info(&self, actor: &Actor, base_url: &str) -> GeneralInfo {
        let settings = self.core.settings();
        let public = GeneralInfo {
            banner_message: Some(settings.banner.clone()),
            auth_mode: Some(crate::setting::LOCAL_ACCOUNTS.into()),
            oidc_provider_name: Some(String::new()),
            primary_auth_mode: Some(false),
            self_registration: Some(settings.self_registration),
            ..GeneralInfo::default()
        };
        if actor.is_anonymous() {
            return public;
        }
        let external = settings.external_url.as_deref().unwrap_or(base_url).trim_end_matches('/');
        GeneralInfo {
            current_time: Some(Instant::from_micros(self.core.clock.micros())),
            external_url: Some(external.to_owned()),
            registry_url: Some(external.split_once("://").map_or(external, |(_, host)| host).to_owned()),
            harbor_version: Some(format!("{API_LEVEL}-berth.{}", env!("CARGO_PKG_VERSION"))),
            has_ca_root: Some(settings.ca_certificate.is_some()),
            notification_enable: Some(true),
            project_creation_restriction: Some(crate::setting::restriction(&settings).into()),
            read_only: Some(settings.read_only),
            registry_storage_provider_name: Some("filesystem".into()),
            ..public
        }
    }

    /// The space where blobs are kept.
    ///
    /// # Errors
    /// 401, 403.
    pub async fn volumes(&self, actor: &Actor) -> Result<SystemInfo> {
        self.core.authz.system(actor, Resource::SystemVolumes, Action::Read)?;
        let space = self.core.blobs.usage().await?;
        Ok(SystemInfo { storage: vec![Storage { total: space.total, free: space.free }] })
    }

    /// The certificate that clients have to trust, in PEM, when this server made it itself. Nobody need sign in to ask: whoever cannot trust the
    /// server yet should not have to send a password to it.
    ///
    /// # Errors
    /// 404.
    pub fn ca_certificate(&self) -> Result<String> {
        let settings = self.core.settings();
        settings.ca_certificate.clone().ok_or_else(|| Error::not_found("certificate not found"))
    }

    /// Whether every part is well. The parts are one program, so all but the database are well when it answers at all.
    pub async fn health(&self) -> OverallHealthStatus {
        let database = match self.core.db.ping().await {
            Ok(()) => component("database", None),
            Err(error) => {
                tracing::error!(%error, "the database does not answer");
                component("database", Some("failed to connect to the database"))
            }
        };
        let healthy = database.error.is_empty();
        let mut components: Vec<_> = ["core", "portal", "registry"].into_iter().map(|name| component(name, None)).collect();
        components.insert(1, database);
        OverallHealthStatus { status: word(healthy), components }
    }
}

fn component(name: &str, error: Option<&str>) -> ComponentHealthStatus {
    ComponentHealthStatus { name: name.to_owned(), status: word(error.is_none()), error: error.unwrap_or_default().to_owned() }
}

fn word(healthy: bool) -> String {
    if healthy { "healthy" } else { "unhealthy" }.to_owned()
}
