//! `portcullis person`: who the agents work for.

use anyhow::Result;
use portcullis::policy::PersonId;
use portcullis_store::{Person, Removed, Role, Store, StoreError};
use serde_json::{Value, json};

use crate::args::Form;
use crate::args::people::{PersonAdd, PersonCommand};
use crate::home::Home;
use crate::problem::Problem;
use crate::show;
use crate::show::table::{Table, shown};

/// Does what was asked.
pub(crate) async fn run(command: &PersonCommand, home: &Home) -> Result<()> {
    let session = home.open().await?;
    let store = &session.store;
    if !matches!(command, PersonCommand::List(_)) {
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
        PersonCommand::Remove { id, form } => remove(store, id, *form).await,
        PersonCommand::List(form) => list(store, *form).await,
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

async fn remove(store: &Store, id: &PersonId, form: Form) -> Result<()> {
    let was_here = store.person(id).await?.is_some();
    let removed = store.remove_person(id).await?;
    let value = json!({ "changed": was_here, "connections_removed": removed_json(&removed) });
    let sentence = match was_here {
        true => format!("`{id}` is no longer here.{}", removed_words(&removed)),
        false => format!("There is no person `{id}`; nothing changed."),
    };
    Ok(show::done(form, &value, &sentence, None)?)
}

/// What went with somebody. At the service their tokens still hold.
pub(crate) fn removed_words(removed: &[Removed]) -> String {
    let labels: Vec<String> = removed
        .iter()
        .map(|removed| {
            let connection = &removed.connection;
            format!("{} ({})", shown(&connection.label), connection.connector)
        })
        .collect();
    match labels.is_empty() {
        true => String::new(),
        false => format!(
            " Their accounts went with them: {}. What was granted at the service is to be taken back there.",
            labels.join(", ")
        ),
    }
}

/// What went with somebody, for programs.
pub(crate) fn removed_json(removed: &[Removed]) -> Value {
    let ids = removed.iter().map(|removed| json!(removed.connection.id));
    ids.collect()
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
