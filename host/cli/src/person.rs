//! `portcullis person`: who the agents work for.

use std::io::Write;

use anyhow::Result;
use portcullis::ComponentCache;
use portcullis::policy::{Level, PersonId};
use portcullis_connect::Disconnected;
use portcullis_store::{
    Access, Change, DecidedKind, Deciding, Owner, Person, Role, Store, StoreError,
    StoredConnection, Subject,
};
use serde_json::{Value, json};

use crate::approvals;
use crate::args::people::{PersonAdd, PersonCommand};
use crate::args::{Form, NetworkArgs};
use crate::connections;
use crate::connections::service::{json_of, words_of};
use crate::home::{Home, Session};
use crate::office;
use crate::problem::Problem;
use crate::show;
use crate::show::sheet::{Sheet, or_none};
use crate::show::table::{Table, moment, shown};
use crate::subject;
use crate::token;

/// What a passphrase is asked for here: whoever is an administrator may loosen everything, and has no passphrase yet.
const APPOINTED: &str = "administrators are appointed";

/// Does what was asked.
pub(crate) async fn run(command: &PersonCommand, home: &Home, cache: ComponentCache) -> Result<()> {
    let session = home.open().await?;
    let store = &session.store;
    let is_open = match command {
        PersonCommand::List(_) | PersonCommand::Token { .. } => true,
        PersonCommand::Show { id, .. } => *id == session.me.id,
        _ => false,
    };
    if !is_open {
        session.require_administrator().await?;
    }
    match command {
        PersonCommand::Add(args) => add(&session, args).await,
        PersonCommand::Rename { id, name, form } => {
            let before = require(store, id).await?;
            let (from, to) = (called(&before.name), called(name.trim()));
            let work = store.rename_person(id, name);
            if from == to {
                work.await?;
            } else {
                let what = Deciding::on(DecidedKind::Person, id.as_str(), Some(from), Some(to));
                session.deciding(what, work).await?;
            }
            let after = require(store, id).await?;
            let sentence = match before.name == after.name {
                true => format!(
                    "`{id}` is called {} already; nothing changed.",
                    shown(&after.name)
                ),
                false => format!("`{id}` is called {} now.", shown(&after.name)),
            };
            said(*form, &before, &after, &sentence, None)
        }
        PersonCommand::Role { id, role, form } => {
            let before = require(store, id).await?;
            let role = Role::from(*role);
            if role == Role::Admin {
                approvals::require_passphrase(&session, APPOINTED).await?;
            }
            let set = Change::SetRole {
                id: id.clone(),
                role,
            };
            session.change(set).await?;
            let after = Person {
                role,
                ..before.clone()
            };
            let word = with_article(role);
            let sentence = match before.role == role {
                true => format!("`{id}` is {word} already; nothing changed."),
                false => format!("`{id}` is {word} now."),
            };
            said(*form, &before, &after, &sentence, None)
        }
        PersonCommand::Remove { id, form, network } => {
            remove(session, id, *form, network, cache).await
        }
        PersonCommand::List(form) => list(store, *form).await,
        PersonCommand::Show { id, form } => show_one(store, id, *form).await,
        PersonCommand::Subject { command } => subject::run(command, &session).await,
        PersonCommand::Token { command } => token::run(command, &session).await,
    }
}

async fn add(session: &Session, args: &PersonAdd) -> Result<()> {
    let (store, id) = (&session.store, &args.id);
    let name = args.name.as_deref().unwrap_or(id.as_str());
    let role = args.role.map_or(Role::Member, Role::from);
    if role == Role::Admin {
        approvals::require_passphrase(session, APPOINTED).await?;
    } else if store.person(id).await?.is_none() && is_shared_with_everyone(store).await? {
        // Who is new is let in to all of it.
        let what = "somebody is let in to what is shared with everyone";
        approvals::require_passphrase(session, what).await?;
    }
    let new = Change::AddPerson {
        id: id.clone(),
        name: name.to_owned(),
        role,
    };
    let is_new = session.change(new).await?;
    let person = require(store, id).await?;
    let value = json!({ "changed": is_new, "person": person_json(&person) });
    if is_new {
        let sentence = format!("`{id}` is {} here now.", with_article(role));
        let next = format!(
            "`portcullis group join GROUP {id}` puts them into a group; they work with agents as `{id}`"
        );
        return Ok(show::done(args.form, &value, &sentence, Some(&next))?);
    }
    // What was asked for must be so in the end, or it is said that it is not.
    if args.role.is_some() && person.role != role {
        let message = format!("`{id}` is here already, as {}", with_article(person.role));
        let hint = format!(
            "to change that: portcullis person role {id} {}",
            role.as_str()
        );
        return Err(Problem::mistake("exists", message, hint).into());
    }
    if args.name.is_some() && person.name != name.trim() {
        let called = shown(&person.name);
        let message = format!("`{id}` is here already, and is called {called}");
        let hint = format!("to change that: portcullis person rename {id} NAME");
        return Err(Problem::mistake("exists", message, hint).into());
    }
    let sentence = format!(
        "`{id}` is here already, as {}; nothing changed.",
        with_article(person.role)
    );
    Ok(show::done(args.form, &value, &sentence, None)?)
}

fn called(name: &str) -> String {
    format!("called {name}")
}

/// Says whether somebody who is added has an account by that alone.
pub(crate) async fn is_shared_with_everyone(store: &Store) -> Result<bool> {
    for connection in connections::finished(store).await? {
        if store
            .shares(&connection.id)
            .await?
            .contains(&Subject::Everyone)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn remove(
    session: Session,
    id: &PersonId,
    form: Form,
    network: &NetworkArgs,
    cache: ComponentCache,
) -> Result<()> {
    let was_here = session.store.person(id).await?.is_some();
    let level = Level::Own(id.clone());
    if session.store.rules_that_go(&level).await?.is_some() {
        // Else whoever may add and remove people gets rid of what restricts their accounts.
        let what = "a person with rules for their own accounts is removed";
        approvals::require_passphrase(&session, what).await?;
    }
    let leaving = std::slice::from_ref(id);
    let accounts = office::to_revoke(&session, leaving, network, cache).await?;
    let (_, removed) = session.apply(&[Change::RemovePerson(id.clone())]).await?;
    let ended = office::revoke(accounts, removed).await;
    let value = json!({ "changed": was_here, "connections_removed": ended_json(&ended) });
    let sentence = match was_here {
        true => format!("`{id}` is no longer here.{}", ended_words(&ended)),
        false => format!("There is no person `{id}`; nothing changed."),
    };
    Ok(show::done(form, &value, &sentence, None)?)
}

/// What went with somebody, and what became of it at its service.
pub(crate) fn ended_words(ended: &[Disconnected]) -> String {
    ended
        .iter()
        .map(|ended| format!(" {}", words_of(ended)))
        .collect()
}

/// What went with somebody, for programs.
pub(crate) fn ended_json(ended: &[Disconnected]) -> Value {
    ended.iter().map(json_of).collect()
}

async fn list(store: &Store, form: Form) -> Result<()> {
    let people = store.people().await?;
    if form.json {
        let people: Value = people.iter().map(person_json).collect();
        return Ok(show::json(&people)?);
    }
    let mut table = Table::new(&["ID", "NAME", "ROLE"]);
    for person in &people {
        table.row([person.id.as_str(), &person.name, person.role.as_str()]);
    }
    Ok(table.write(&mut anstream::stdout().lock())?)
}

/// Shows a person, with what they have and why.
async fn show_one(store: &Store, id: &PersonId, form: Form) -> Result<()> {
    let person = require(store, id).await?;
    let groups = store.groups().await?.into_iter();
    let groups: Vec<String> = groups
        .filter(|group| group.members.contains(id))
        .map(|group| group.name.to_string())
        .collect();
    let mut own = Vec::new();
    let mut shared = Vec::new();
    for connection in connections::finished(store).await? {
        if connection.owner.person() == Some(id) {
            own.push(connection);
        } else if connection.owner == Owner::Shared {
            let access = store.access(&connection.id).await?;
            let by = access.into_iter().find(|access| access.person.id == *id);
            shared.extend(by.map(|access| (connection, access)));
        }
    }
    if form.json {
        let mut value = person_json(&person);
        value["groups"] = json!(groups);
        value["connections"] = own.iter().map(connections::json_of).collect();
        let with_why = |(connection, access): &(StoredConnection, Access)| {
            let mut value = connections::json_of(connection);
            value["by"] = connections::by_json(access);
            value
        };
        value["shared"] = shared.iter().map(with_why).collect();
        return Ok(show::json(&value)?);
    }
    let mut sheet = Sheet::new(person.id.as_str());
    sheet.line("name", &person.name);
    sheet.line("role", person.role.as_str());
    sheet.line("since", &moment(Some(person.created)));
    sheet.line("groups", &or_none(&groups));
    let own: Vec<String> = own.iter().map(connections::in_words).collect();
    sheet.line("own accounts", &or_none(&own));
    let mut table = Table::new(&["SHARED ACCOUNT", "CONNECTOR", "BY"]);
    for (connection, access) in &shared {
        let connector = connection.connector.as_str();
        table.row([&connection.label, connector, &connections::by_words(access)]);
    }
    let mut out = anstream::stdout().lock();
    sheet.write(&mut out)?;
    match shared.is_empty() {
        true => writeln!(out, "\nNo shared account is shared with them.")?,
        false => {
            writeln!(out, "\nWhich shared accounts they may use, and why")?;
            table.write(&mut out)?;
        }
    }
    Ok(())
}

/// Finds a person who must be there.
pub(crate) async fn require(store: &Store, id: &PersonId) -> Result<Person> {
    let missing = || StoreError::NotFound {
        kind: "person",
        id: id.to_string(),
    };
    Ok(store.person(id).await?.ok_or_else(missing)?)
}

fn said(
    form: Form,
    before: &Person,
    after: &Person,
    sentence: &str,
    next: Option<&str>,
) -> Result<()> {
    let value = json!({ "changed": before != after, "person": person_json(after) });
    Ok(show::done(form, &value, sentence, next)?)
}

fn person_json(person: &Person) -> Value {
    json!({
        "id": person.id,
        "name": person.name,
        "role": person.role.as_str(),
        "created": person.created.to_string(),
    })
}

fn with_article(role: Role) -> &'static str {
    match role {
        Role::Admin => "an administrator",
        Role::Member => "a member",
    }
}
