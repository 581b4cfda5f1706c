//! Stage 4: as whom. The connection's address is checked again on every call, for a manifest or a setting may
//! have changed since it was made.

use portcullis_policy::{ActsAs, Auth, Decision, Origin};

use super::close::Exit;
use super::permit;
use super::resolve::{Resolved, unavailable};
use super::validate::Validated;
use crate::gate::Account;
use crate::guard::Guard;
use crate::network::{HostPort, Reach};
use crate::ports::credentials::Lookup;
use crate::reply::{ConnectRequired, Outcome, Refusal, RefusalCode};

/// A call with an account.
pub(super) struct Connected {
    pub(super) validated: Validated,
    pub(super) account: Account,
    pub(super) decision: Decision,
}

/// Finds the account.
pub(super) async fn connect(
    guard: &Guard,
    mut validated: Validated,
    exit: &mut Exit,
) -> Result<Connected, Outcome> {
    let resolved = &mut validated.permitted.resolved;
    let (account, decision) = account(guard, resolved, exit).await?;
    Ok(Connected {
        validated,
        account,
        decision,
    })
}

/// Finds the account of a call, and settles the tool's mode with it.
pub(super) async fn account(
    guard: &Guard,
    resolved: &mut Resolved,
    exit: &mut Exit,
) -> Result<(Account, Decision), Outcome> {
    let new = resolved.new_connection.take();
    let resolved = &*resolved;
    let manifest = resolved.connector.manifest();
    if matches!(manifest.auth, Auth::None) {
        let account = guard.sessions().anonymous(&manifest.name);
        let decision = permit::settle(resolved, ActsAs::Nobody, exit)?;
        return Ok((account, decision));
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
            let required = ConnectRequired { link, advice };
            return Err(Outcome::ConnectRequired(required));
        }
    };
    let reach = reach(guard, resolved, &connection.origin)?;
    let acts_as = match connection.shared {
        true => ActsAs::Shared(&connection.id),
        false => ActsAs::Own(&resolved.caller.person),
    };
    let decision = permit::settle(resolved, acts_as, exit)?;
    let account = guard.sessions().of_connection(connection, is_new, reach);
    Ok((account, decision))
}

/// How far the connection's requests reach: to a public address by https that fits the manifest, or to a
/// private one that the operator allowed by name.
fn reach(guard: &Guard, resolved: &Resolved, origin: &Origin) -> Result<Reach, Refusal> {
    let destination = HostPort::new(origin.host(), origin.port());
    if guard.sessions().network().allows_private(&destination) {
        return Ok(Reach::Loopback(destination));
    }
    let manifest = resolved.connector.manifest();
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
