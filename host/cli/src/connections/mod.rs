//! `portcullis connections`: accounts at services, whom they are shared with, and how they are.

mod labels;
pub(crate) mod service;
mod view;

pub(crate) use labels::Labels;
pub(crate) use view::{by_json, by_words, connection_json as json_of, in_words};

use anyhow::Result;
use portcullis::ComponentCache;
use portcullis::policy::PersonId;
use portcullis_store::{
    Change, ConnectionState, DecidedKind, Deciding, Owner, Store, StoredConnection, Subject,
};
use serde_json::{Value, json};

use crate::agent;
use crate::approvals;
use crate::args::Form;
use crate::args::accounts::{ConnectionsCommand, Sharing};
use crate::home::{Home, Session};
use crate::problem::Problem;
use crate::show;
use crate::show::table::shown;

/// Does what was asked.
pub(crate) async fn run(
    command: &ConnectionsCommand,
    home: &Home,
    cache: ComponentCache,
) -> Result<()> {
    let session = home.open().await?;
    let store = &session.store;
    match command {
        ConnectionsCommand::Test(args) => {
            let connection = named(visible(&session).await?, &args.connection)?;
            service::test(session, args, &connection, cache).await
        }
        ConnectionsCommand::Disconnect(args) => {
            let connection = named(visible(&session).await?, &args.connection)?;
            if connection.owner.person() != Some(&session.me.id) {
                session.require_administrator().await?;
            }
            service::disconnect(session, args, &connection, cache).await
        }
        ConnectionsCommand::List(form) => view::list(store, &visible(&session).await?, *form).await,
        ConnectionsCommand::Show { connection, form } => {
            let connection = named(visible(&session).await?, connection)?;
            view::show(store, &connection, *form).await
        }
        ConnectionsCommand::Share(args) => {
            session.require_administrator().await?;
            share(&session, args).await
        }
        ConnectionsCommand::Unshare(args) => {
            session.require_administrator().await?;
            unshare(&session, args).await
        }
        ConnectionsCommand::Rename {
            connection,
            label,
            form,
        } => {
            let before = named(visible(&session).await?, connection)?;
            if before.owner.person() != Some(&session.me.id) {
                session.require_administrator().await?;
            }
            if before.owner == Owner::Shared {
                require_new_label(store, label, Some(&before)).await?;
            }
            let what = of_connection(&before, Some(&before.label), Some(label.trim()));
            let work = store.relabel(&before.id, label);
            match before.label == label.trim() {
                true => work.await?,
                false => session.deciding(what, work).await?,
            }
            let after = find(store, before.id.as_str()).await?;
            let label = shown(&after.label);
            let sentence = match before.label == after.label {
                true => format!("The connection is called {label} already; nothing changed."),
                false => format!("The connection is called {label} now."),
            };
            said(*form, before != after, &after, &sentence, None)
        }
    }
}

/// What is decided on a connection: from which label to which.
pub(crate) fn of_connection(
    connection: &StoredConnection,
    from: Option<&str>,
    to: Option<&str>,
) -> Deciding {
    let of = match connection.owner.person() {
        Some(person) => format!("of {person}"),
        None => "shared".to_owned(),
    };
    let subject = format!("{} of {}, {of}", connection.id, connection.connector);
    let label = |label: &str| format!("called {label}");
    Deciding::on(
        DecidedKind::Connection,
        subject,
        from.map(label),
        to.map(label),
    )
}

/// Finds a connection by its id or label.
pub(crate) async fn find(store: &Store, text: &str) -> Result<StoredConnection> {
    named(finished(store).await?, text)
}

/// The connections whose sign-in is finished: of the others nobody knows yet whether they come to be.
pub(crate) async fn finished(store: &Store) -> Result<Vec<StoredConnection>> {
    let connections = store.connections().await?.into_iter();
    let is_finished = |one: &StoredConnection| one.state != ConnectionState::Pending;
    Ok(connections.filter(is_finished).collect())
}

/// Refuses a label that another shared connection has: people name connections by it.
pub(crate) async fn require_new_label(
    store: &Store,
    label: &str,
    of: Option<&StoredConnection>,
) -> Result<()> {
    let label = label.trim();
    let shared = finished(store).await?;
    let mut others = shared.iter().filter(|one| one.owner == Owner::Shared);
    let is_other = |one: &&StoredConnection| of.is_none_or(|of| of.id != one.id);
    let Some(other) = others.find(|one| one.label == label && is_other(one)) else {
        return Ok(());
    };
    let message = format!("a shared connection is called `{}` already", shown(label));
    let hint = match of {
        Some(_) => "give it another label".to_owned(),
        None => format!(
            "`--again {}` signs in to that one anew, and keeps its shares; or give this one another `--label`",
            other.id
        ),
    };
    Err(Problem::mistake("label", message, hint).into())
}

/// Refuses to share what is a person's own, by the name that it was asked for.
fn require_shared(connection: &StoredConnection) -> Result<()> {
    let Some(person) = connection.owner.person() else {
        return Ok(());
    };
    let label = shown(&connection.label);
    let message = format!("{label} is the own connection of `{person}`, and cannot be shared");
    let hint = format!(
        "set up one for others: `portcullis connect {} --shared --label LABEL`",
        connection.connector
    );
    Err(Problem::mistake("other_connection", message, hint).into())
}

/// The connections that a person may see: all of them for administrators; else their own and those that are shared
/// with them.
async fn visible(session: &Session) -> Result<Vec<StoredConnection>> {
    let connections = finished(&session.store).await?;
    if session.is_administrator() {
        return Ok(connections);
    }
    let me = &session.me.id;
    let mut visible = Vec::new();
    for connection in connections {
        if is_theirs(&session.store, &connection, me).await? {
            visible.push(connection);
        }
    }
    Ok(visible)
}

async fn is_theirs(
    store: &Store,
    connection: &StoredConnection,
    person: &PersonId,
) -> Result<bool> {
    match &connection.owner {
        Owner::Person(owner) => Ok(owner == person),
        Owner::Shared => {
            let access = store.access(&connection.id).await?;
            Ok(access.iter().any(|access| access.person.id == *person))
        }
    }
}

/// Takes the connection that a text means: an id, or a label that one alone has.
fn named(connections: Vec<StoredConnection>, text: &str) -> Result<StoredConnection> {
    let is_meant = |connection: &StoredConnection| match text == connection.id.as_str() {
        true => 2,
        false => u8::from(text.trim() == connection.label),
    };
    let best = connections.iter().map(is_meant).max().unwrap_or(0);
    let mut meant: Vec<StoredConnection> = match best {
        0 => Vec::new(),
        _ => connections
            .into_iter()
            .filter(|connection| is_meant(connection) == best)
            .collect(),
    };
    let shown = shown(text);
    if meant.len() > 1 {
        let ids: Vec<String> = meant.iter().map(|one| format!("`{}`", one.id)).collect();
        let message = format!("{} connections are called `{shown}`", meant.len());
        let hint = format!("name one by its id: {}", ids.join(", "));
        return Err(Problem::mistake("ambiguous", message, hint).into());
    }
    let missing = || {
        let message = format!("there is no connection `{shown}`");
        let hint =
            "`portcullis connections list` lists those that there are, with their ids and labels";
        Problem::mistake("not_found", message, hint)
    };
    Ok(meant.pop().ok_or_else(missing)?)
}

async fn share(session: &Session, args: &Sharing) -> Result<()> {
    let store = &session.store;
    let connection = find(store, &args.connection).await?;
    require_shared(&connection)?;
    let subject = args.with.subject();
    if !store.shares(&connection.id).await?.contains(&subject) {
        approvals::require_passphrase(session, "an account is shared").await?;
    }
    let share = Change::Share(connection.id.clone(), subject.clone());
    let is_new = session.change(share).await?;
    let (label, with) = (shown(&connection.label), view::words(&subject));
    let sentence = match is_new {
        true => format!("{label} is shared with {with} now."),
        false => format!("{label} is shared with {with} already; nothing changed."),
    };
    let agent = agent::in_words(store).await?;
    let next = format!(
        "`portcullis agent give {agent} {} --shared {}` lets an agent use it",
        connection.connector, connection.id
    );
    let next = is_new.then_some(next.as_str());
    said(args.form, is_new, &connection, &sentence, next)
}

async fn unshare(session: &Session, args: &Sharing) -> Result<()> {
    let store = &session.store;
    let connection = find(store, &args.connection).await?;
    let subject = args.with.subject();
    let unshare = Change::Unshare(connection.id.clone(), subject.clone());
    let was_shared = session.change(unshare).await?;
    let (label, with) = (shown(&connection.label), view::words(&subject));
    let sentence = match was_shared {
        true => format!("{label} is no longer shared with {with}."),
        false => format!("{label} is not shared with {with}; nothing changed."),
    };
    let next = match still(store, &connection, &subject).await? {
        // Who was not meant has lost nothing.
        _ if !was_shared => None,
        0 => None,
        people => Some(format!(
            "{} by other shares: `portcullis connections show {}`",
            match people {
                1 => "1 of them still has it".to_owned(),
                people => format!("{people} of them still have it"),
            },
            connection.id
        )),
    };
    said(
        args.form,
        was_shared,
        &connection,
        &sentence,
        next.as_deref(),
    )
}

/// How many of those that a share was for have the connection by another one.
async fn still(store: &Store, connection: &StoredConnection, subject: &Subject) -> Result<usize> {
    let access = store.access(&connection.id).await?;
    let groups = match subject {
        Subject::Group(_) => store.groups().await?,
        _ => Vec::new(),
    };
    let is_meant = |person: &PersonId| match subject {
        Subject::Person(one) => one == person,
        Subject::Group(name) => groups
            .iter()
            .any(|group| group.name == *name && group.members.contains(person)),
        Subject::Everyone => true,
    };
    Ok(access
        .iter()
        .filter(|access| is_meant(&access.person.id))
        .count())
}

fn said(
    form: Form,
    changed: bool,
    connection: &StoredConnection,
    sentence: &str,
    next: Option<&str>,
) -> Result<()> {
    let connection: Value = view::connection_json(connection);
    let value = json!({ "changed": changed, "connection": connection });
    Ok(show::done(form, &value, sentence, next)?)
}
