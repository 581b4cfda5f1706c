//! Connections as they are shown: never with a secret, which is not even opened for this.

use std::io::Write;

use anyhow::Result;
use portcullis::ports::credentials::Environment;
use portcullis_store::{Access, Account, ConnectionState, Owner, Store, StoredConnection, Subject};
use serde_json::{Value, json};

use crate::args::Form;
use crate::show;
use crate::show::sheet::{Sheet, or_none};
use crate::show::table::{Table, moment};

/// Lists connections.
pub(super) async fn list(
    store: &Store,
    connections: &[StoredConnection],
    form: Form,
) -> Result<()> {
    if form.json {
        let connections: Value = connections.iter().map(connection_json).collect();
        return Ok(show::json(&connections)?);
    }
    if connections.is_empty() {
        let sentence = "There are no connections yet.";
        return Ok(show::done(form, &Value::Null, sentence, None)?);
    }
    let mut table = Table::new(&[
        "ID",
        "LABEL",
        "CONNECTOR",
        "WHOSE",
        "ENVIRONMENT",
        "STATE",
        "USED",
    ]);
    for connection in connections {
        let whose = match &connection.owner {
            Owner::Person(person) => person.to_string(),
            Owner::Shared => match store.access(&connection.id).await?.len() {
                0 => "shared with nobody".to_owned(),
                1 => "shared with 1 person".to_owned(),
                people => format!("shared with {people} people"),
            },
        };
        table.row([
            connection.id.as_str(),
            &connection.label,
            connection.connector.as_str(),
            &whose,
            environment_words(connection),
            state_word(&connection.state),
            &moment(connection.used),
        ]);
    }
    Ok(table.write(&mut anstream::stdout().lock())?)
}

/// Shows one.
pub(super) async fn show(store: &Store, connection: &StoredConnection, form: Form) -> Result<()> {
    let access = store.access(&connection.id).await?;
    let agents: Vec<String> = store
        .agents()
        .await?
        .iter()
        .filter(|agent| match agent.connectors.get(&connection.connector) {
            Some(Account::Shared(id)) => *id == connection.id,
            Some(Account::Personal) => connection.owner.person().is_some(),
            None => false,
        })
        .map(|agent| agent.id.to_string())
        .collect();
    if form.json {
        let mut value = connection_json(connection);
        let shares = store.shares(&connection.id).await?;
        value["shares"] = shares.iter().map(subject_json).collect();
        value["access"] = access.iter().map(access_json).collect();
        value["agents"] = json!(agents);
        return Ok(show::json(&value)?);
    }
    let mut sheet = Sheet::new(&connection.label);
    let mut line = |label: &str, text: &str| sheet.line(label, text);
    line("id", connection.id.as_str());
    line("connector", connection.connector.as_str());
    let whose = match &connection.owner {
        Owner::Person(person) => format!("{person}'s own"),
        Owner::Shared => "shared".to_owned(),
    };
    line("whose", &whose);
    line("environment", environment_words(connection));
    line("address", &connection.origin.to_string());
    if let Some(identity) = &connection.identity {
        let organization = [&identity.organization_name, &identity.organization_id];
        let organization: Vec<&str> = organization
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        line("org", &organization.join(", "));
        line("signed in as", &identity.user_name);
    }
    match &connection.state {
        ConnectionState::Reconnect { reason } => {
            line("state", &format!("must be connected again: {reason}"));
        }
        state => line("state", state_word(state)),
    }
    line("scopes", &connection.scopes.join(", "));
    line("connected", &moment(Some(connection.created)));
    line("renewed", &moment(connection.refreshed));
    line("used", &moment(connection.used));
    line("agents", &or_none(&agents));
    let mut out = anstream::stdout().lock();
    sheet.write(&mut out)?;
    if connection.owner == Owner::Shared {
        who_may_use(&mut out, &access)?;
    }
    Ok(())
}

fn who_may_use(out: &mut impl Write, access: &[Access]) -> Result<()> {
    if access.is_empty() {
        writeln!(out, "\nNobody may use it yet.")?;
        return Ok(());
    }
    writeln!(out, "\nWho may use it, and why")?;
    let mut table = Table::new(&["PERSON", "NAME", "BY"]);
    for access in access {
        let person = &access.person;
        table.row([person.id.as_str(), &person.name, &by_words(access)]);
    }
    Ok(table.write(out)?)
}

/// Says by which shares somebody has a connection.
pub(crate) fn by_words(access: &Access) -> String {
    let word = |subject: &Subject| match subject {
        Subject::Person(_) => "shared with them".to_owned(),
        Subject::Group(group) => format!("the group {group}"),
        Subject::Everyone => "shared with everyone".to_owned(),
    };
    let by: Vec<String> = access.by.iter().map(word).collect();
    by.join("; ")
}

/// The same for programs.
pub(crate) fn by_json(access: &Access) -> Value {
    access.by.iter().map(subject_json).collect()
}

/// Names a connection in a list.
pub(crate) fn in_words(connection: &StoredConnection) -> String {
    let state = match &connection.state {
        ConnectionState::Active => "",
        _ => ", to be connected again",
    };
    format!("{} ({}{state})", connection.label, connection.connector)
}

/// The kind of system, as the service said or else as the sign-in tells. Real data is loud.
fn environment_words(connection: &StoredConnection) -> &'static str {
    match environment(connection) {
        Environment::Production => "PRODUCTION",
        Environment::Sandbox => "sandbox",
        Environment::Development => "development",
        Environment::Unknown => "not known",
    }
}

fn environment(connection: &StoredConnection) -> Environment {
    match &connection.identity {
        Some(identity) if identity.environment != Environment::Unknown => identity.environment,
        _ => connection.environment,
    }
}

fn state_word(state: &ConnectionState) -> &'static str {
    match state {
        ConnectionState::Active => "active",
        ConnectionState::Reconnect { .. } => "reconnect",
        ConnectionState::Pending => "pending",
    }
}

/// Says in a sentence whom something is shared with.
pub(super) fn words(subject: &Subject) -> String {
    match subject {
        Subject::Person(person) => format!("`{person}`"),
        Subject::Group(group) => format!("the group `{group}`"),
        Subject::Everyone => "everyone".to_owned(),
    }
}

/// Makes an object of a connection.
pub(crate) fn connection_json(connection: &StoredConnection) -> Value {
    let identity = connection.identity.as_ref();
    let reason = match &connection.state {
        ConnectionState::Reconnect { reason } => Some(reason),
        _ => None,
    };
    json!({
        "id": connection.id,
        "label": connection.label,
        "connector": connection.connector,
        "shared": connection.owner == Owner::Shared,
        "person": connection.owner.person(),
        "origin": connection.origin.to_string(),
        "environment": environment(connection).as_str(),
        "organization_id": identity.and_then(|identity| identity.organization_id.as_ref()),
        "organization_name": identity.and_then(|identity| identity.organization_name.as_ref()),
        "user_name": identity.map(|identity| &identity.user_name),
        "state": state_word(&connection.state),
        "reason": reason,
        "scopes": connection.scopes,
        "created": connection.created.to_string(),
        "refreshed": connection.refreshed.map(|at| at.to_string()),
        "used": connection.used.map(|at| at.to_string()),
    })
}

fn subject_json(subject: &Subject) -> Value {
    match subject {
        Subject::Person(person) => json!({ "person": person }),
        Subject::Group(group) => json!({ "group": group }),
        Subject::Everyone => json!({ "everyone": true }),
    }
}

fn access_json(access: &Access) -> Value {
    json!({
        "person": access.person.id,
        "name": access.person.name,
        "by": by_json(access),
    })
}
