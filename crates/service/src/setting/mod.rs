//! Settings that administrators change while the server runs (config reference 14), and read-only mode. The REST door shows and changes them; every
//! door asks [`Configuration::writable`] before it lets a change through.

mod check;

use std::sync::Arc;
use std::time::Duration;

use model::api::{BoolConfigItem, Configurations, ConfigurationsResponse, IntegerConfigItem, StringConfigItem};
use model::permission::{Action, Resource};
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use crate::audit::{self, Event};
use crate::replicas::Change;
use crate::settings::Current;
use crate::{Actor, Core, Error, Result, Settings};

/// The only way to sign in that there is.
pub const LOCAL_ACCOUNTS: &str = "db_auth";
/// Who may make projects: administrators.
pub(crate) const ADMIN_ONLY: &str = "adminonly";
/// Who may make projects: everybody with an account.
pub(crate) const EVERYONE: &str = "everyone";
/// What other processes change is in force here after this time, even if they should not have been heard.
pub const INTERVAL: Duration = Duration::from_secs(10);

/// The use cases. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Configuration {
    core: Arc<Core>,
    /// Held from reading the database until what was read is in force, so that nothing older overtakes it.
    turn: Arc<Mutex<()>>,
}

impl Configuration {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core, turn: Arc::default() }
    }

    /// All settings in force and whether they can be changed.
    ///
    /// # Errors
    /// 401, 403.
    pub async fn get(&self, actor: &Actor) -> Result<ConfigurationsResponse> {
        self.core.authz.system(actor, Resource::Configuration, Action::Read)?;
        let mut conn = self.core.db.read().await?;
        let has_people = store::setting::has_people(&mut conn.link()).await?;
        Ok(shown(&self.core.settings(), !has_people))
    }

    /// Settings with their secrets, for other parts of the system. Here all parts are one program, so nobody who asks is one of them.
    ///
    /// # Errors
    /// 401, always.
    pub fn internal(&self) -> Result<()> {
        Err(Error::unauthorized("only internal service is allowed to call this API"))
    }

    /// Changes what is present; it is in force in every process when the answer is there.
    ///
    /// # Errors
    /// 400 for a value that breaks its rule, 401, 403.
    pub async fn update(&self, actor: &Actor, input: &Configurations) -> Result<()> {
        self.core.authz.system(actor, Resource::Configuration, Action::Update)?;
        if let Some(mode) = &input.auth_mode {
            self.check_auth_mode(mode).await?;
        }
        check::all(input)?;
        let now = self.core.clock.micros();
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        for (name, value) in stored(input)? {
            store::setting::put(link, &name, &value.to_string(), now).await?;
        }
        if let Some(minutes) = input.session_timeout {
            store::session::shorten(link, now.saturating_add(minutes.saturating_mul(60 * 1_000_000))).await?;
        }
        let event = Event::of_system("update", "configuration", "configuration").described("update configuration");
        audit::record(&self.core, link, actor, now, [event]).await?;
        tx.commit().await?;
        self.core.replicas.announce(Change::Settings);
        self.refresh().await
    }

    /// Whether changes are let through at all just now. Not asked for signing in and out, nor for changing settings: somebody must be able to end it.
    ///
    /// # Errors
    /// 403 DENIED in read-only mode.
    pub fn writable(&self) -> Result<()> {
        if self.core.settings().read_only {
            return Err(Error::denied("The system is in read only mode. Any modification is prohibited."));
        }
        Ok(())
    }

    /// Puts in force what the database has.
    ///
    /// # Errors
    /// The database.
    pub async fn refresh(&self) -> Result<()> {
        let _turn = self.turn.lock().await;
        load(&self.core.db, &self.core.current_settings).await
    }

    /// Follows what other processes change, until the task is dropped.
    pub async fn run(self) {
        let mut tick = tokio::time::interval(INTERVAL);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if let Err(error) = self.refresh().await {
                tracing::warn!(%error, "changed settings could not be read; those known remain in force");
            }
        }
    }

    async fn check_auth_mode(&self, mode: &str) -> Result<()> {
        if mode == LOCAL_ACCOUNTS {
            return Ok(());
        }
        let mut conn = self.core.db.read().await?;
        if store::setting::has_people(&mut conn.link()).await? {
            return Err(Error::bad_request("the auth mode cannot be modified as new users have been inserted into database"));
        }
        Err(Error::bad_request(format!("bad request: item name auth_mode: invalid auth mode, only {LOCAL_ACCOUNTS} is supported")))
    }
}

/// Reads what was changed and puts it in force.
pub(crate) async fn load(db: &store::Db, current: &Current) -> Result<()> {
    let mut conn = db.read().await?;
    let rows = store::setting::all(&mut conn.link()).await?;
    drop(conn);
    current.change(changed(rows));
    Ok(())
}

/// What is to be kept of a change: name and value.
fn stored(input: &Configurations) -> Result<Map<String, Value>> {
    // There is one mode: nothing to be remembered.
    let input = Configurations { auth_mode: None, ..input.clone() };
    match serde_json::to_value(input).map_err(Error::internal)? {
        Value::Object(fields) => Ok(fields),
        _ => Ok(Map::new()),
    }
}

/// The way back from [`stored`]. A row that cannot be understood, of a later version perhaps, must not keep the others from counting.
fn changed(rows: Vec<(String, String)>) -> Configurations {
    let mut fields = Map::new();
    for (name, value) in rows {
        let field = serde_json::from_str::<Value>(&value).ok().map(|value| Map::from_iter([(name.clone(), value)]));
        match field.filter(|field| serde_json::from_value::<Configurations>(Value::Object(field.clone())).is_ok()) {
            Some(field) => fields.extend(field),
            None => tracing::warn!(setting = %name, "a stored setting has a value that cannot be understood; it is ignored"),
        }
    }
    // Every field was read by itself.
    serde_json::from_value(Value::Object(fields)).unwrap_or_default()
}

fn shown(settings: &Settings, may_change_mode: bool) -> ConfigurationsResponse {
    let minutes = |seconds: i64| IntegerConfigItem::editable(seconds / 60 + i64::from(seconds % 60 > 0));
    ConfigurationsResponse {
        auth_mode: StringConfigItem { value: LOCAL_ACCOUNTS.to_owned(), editable: may_change_mode },
        banner_message: StringConfigItem::editable(&*settings.banner),
        disabled_audit_log_event_types: StringConfigItem::editable(&*settings.disabled_audit_events),
        project_creation_restriction: StringConfigItem::editable(restriction(settings)),
        pull_audit_log_disable: (!settings.pull_audit).then(|| BoolConfigItem::editable(true)),
        quota_per_project_enable: BoolConfigItem::editable(settings.quota_per_project),
        read_only: BoolConfigItem::editable(settings.read_only),
        robot_name_prefix: StringConfigItem::editable(&*settings.robot_prefix),
        robot_token_duration: IntegerConfigItem::editable(settings.robot_duration),
        self_registration: BoolConfigItem::editable(settings.self_registration),
        session_timeout: minutes(settings.session_lifetime),
        storage_per_project: IntegerConfigItem::editable(settings.storage_per_project),
        token_expiration: minutes(settings.token_lifetime),
    }
}

/// Who may make projects, in the API's word.
pub(crate) fn restriction(settings: &Settings) -> &'static str {
    if settings.project_creation_admin_only { ADMIN_ONLY } else { EVERYONE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_cannot_be_understood_is_no_change_and_no_harm() {
        let rows = [
            ("read_only", "true"),
            ("token_expiration", "\"5\""),
            ("session_timeout", "{"),
            ("colour", "\"red\""),
            ("banner_message", "\"x\""),
        ];
        let read = changed(rows.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec());
        let expected = Configurations { read_only: Some(true), banner_message: Some("x".to_owned()), ..Configurations::default() };
        assert_eq!(read, expected);
    }

    #[test]
    fn what_is_stored_reads_back_as_it_was() {
        let input = Configurations {
            auth_mode: Some(LOCAL_ACCOUNTS.to_owned()),
            robot_name_prefix: Some("bot\"$".to_owned()),
            storage_per_project: Some(-1),
            quota_per_project_enable: Some(false),
            ..Configurations::default()
        };
        let rows: Vec<_> = stored(&input).unwrap().into_iter().map(|(name, value)| (name, value.to_string())).collect();
        assert_eq!(rows.len(), 3);
        assert_eq!(changed(rows), Configurations { auth_mode: None, ..input });
        assert!(stored(&Configurations::default()).unwrap().is_empty());
    }
}
