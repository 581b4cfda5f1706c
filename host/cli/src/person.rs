//! `portcullis person`: who the agents work for.

use anyhow::Result;
use portcullis::ComponentCache;
use portcullis::policy::PersonId;
use portcullis_connect::Disconnected;
use portcullis_store::{Person, Role, Store, StoreError};
use serde_json::{Value, json};

use crate::args::people::{PersonAdd, PersonCommand};
use crate::args::{Form, NetworkArgs};
use crate::connections::service::{json_of, words_of};
use crate::home::{Home, Session};
use crate::office;
use crate::problem::Problem;
use crate::show;
use crate::show::table::{Table, shown};
use crate::token;

/// Does what was asked.
pub(crate) async fn run(command: &PersonCommand, home: &Home, cache: ComponentCache) -> Result<()> {
    let session = home.open().await?;
    let store = &session.store;
    if !matches!(
        command,
        PersonCommand::List(_) | PersonCommand::Token { .. }
    ) {
        session.require_administrator().await?;
    }
    match command {
        PersonCommand::Add(args) => add(store, args).await,
        PersonCommand::Rename { id, name, form } => {
            let before = require(store, id).await?;
            store.rename_person(id, name).await?;
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
            store.set_role(id, role).await?;
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
        PersonCommand::Token { command } => token::run(command, &session).await,
    }
}

async fn add(store: &Store, args: &PersonAdd) -> Result<()> {
    let id = &args.id;
    let name = args.name.as_deref().unwrap_or(id.as_str());
    let role = args.role.map_or(Role::Member, Role::from);
    let is_new = store.add_person(id, name, role).await?;
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

async fn remove(
    session: Session,
    id: &PersonId,
    form: Form,
    network: &NetworkArgs,
    cache: ComponentCache,
) -> Result<()> {
    let was_here = session.store.person(id).await?.is_some();
    let leaving = std::slice::from_ref(id);
    let accounts = office::to_revoke(&session, leaving, network, cache).await?;
    let removed = session.store.remove_person(id).await?;
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

async fn require(store: &Store, id: &PersonId) -> Result<Person> {
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
