//! Stage 4: as whom. The connection's address is checked again on every call, for a manifest or a setting may
//! have changed since it was made.

use portcullis_policy::{Auth, Mode, Origin};

use super::permit::disabled;
use super::resolve::unavailable;
use super::validate::Validated;
use crate::gate::Account;
use crate::guard::Guard;
use crate::network::{HostPort, Reach};
use crate::ports::credentials::Lookup;
use crate::reply::{ConnectRequired, Outcome, Refusal, RefusalCode};
use crate::scope::Task;

/// A call with an account.
pub(super) struct Connected {
    pub(super) validated: Validated,
    pub(super) account: Account,
    pub(super) mode: Mode,
}

/// Finds the account.
pub(super) async fn connect(guard: &Guard, mut validated: Validated) -> Result<Connected, Outcome> {
    let new = validated.permitted.resolved.new_connection.take();
    let resolved = &validated.permitted.resolved;
    let manifest = resolved.connector.manifest();
    if matches!(manifest.auth, Auth::None) {
        let account = guard.sessions().anonymous(&manifest.name);
        let mode = mode(&validated, false)?;
        return Ok(Connected {
            validated,
            account,
            mode,
        });
    }
    let is_new = new.is_some();
    let found = match new {
        Some(connection) => Lookup::Found(connection),
        None => guard
            .ports()
            .credentials
            .connection(&resolved.caller, &manifest.name)
            .await
            .map_err(|error| unavailable("find the connection", &error))?,
    };
    let connection = match found {
        Lookup::Found(connection) => *connection,
        Lookup::Missing { link, advice } => {
            return Err(Outcome::ConnectRequired(ConnectRequired { link, advice }));
        }
    };
    let reach = reach(guard, &validated, &connection.origin)?;
    let mode = mode(&validated, connection.shared)?;
    let account = guard.sessions().of_connection(connection, is_new, reach);
    Ok(Connected {
        validated,
        account,
        mode,
    })
}

/// Settles the mode, now that it is known whether others share the account.
fn mode(validated: &Validated, shared: bool) -> Result<Mode, Outcome> {
    let permitted = &validated.permitted;
    let effect = permitted.resolved.effect;
    let mode = permitted
        .set
        .unwrap_or_else(|| Mode::default_for(effect, shared));
    match (mode, &permitted.resolved.task) {
        (Mode::Disabled, Task::Tool(tool)) => {
            Err(disabled(&permitted.resolved, tool.as_str()).into())
        }
        (mode, _) => Ok(mode),
    }
}

/// How far the connection's requests reach: to a public address by https that fits the manifest, or to a
/// private one that the operator allowed by name.
fn reach(guard: &Guard, validated: &Validated, origin: &Origin) -> Result<Reach, Refusal> {
    let destination = HostPort::new(origin.host(), origin.port());
    if guard.sessions().network().allows_private(&destination) {
        return Ok(Reach::Loopback(destination));
    }
    let manifest = validated.permitted.resolved.connector.manifest();
    let fits = manifest
        .origins
        .iter()
        .any(|pattern| pattern.matches(origin));
    if origin.is_https() && fits {
        return Ok(Reach::Public);
    }
    let message = match fits || !origin.is_https() {
        true => format!("the connection's address `{origin}` is not https"),
        false => format!(
            "the connection's address `{origin}` fits none of the origins that the connector `{}` declares",
            manifest.name
        ),
    };
    let (host, port) = (origin.host(), origin.port());
    Err(Refusal::new(RefusalCode::ConnectionOrigin, message)
        .allowed_by(format!("--allow-origin {host}:{port}")))
}
