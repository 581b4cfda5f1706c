//! `portcullis group`: whom something is shared with at once.

use anyhow::Result;
use portcullis::policy::{GroupName, PersonId};
use portcullis_store::{Change, Group, Store, StoreError, StoredConnection, Subject};
use serde_json::{Value, json};

use crate::approvals;
use crate::args::Form;
use crate::args::people::{GroupCommand, Membership};
use crate::connections;
use crate::home::{Home, Session};
use crate::show;
use crate::show::sheet::{Sheet, or_none};
use crate::show::table::Table;

/// Does what was asked.
pub(crate) async fn run(command: &GroupCommand, home: &Home) -> Result<()> {
    let session = home.open().await?;
    let store = &session.store;
    if !matches!(command, GroupCommand::List(_) | GroupCommand::Show { .. }) {
        session.require_administrator().await?;
    }
    match command {
        GroupCommand::Add { group, form } => {
            let is_new = session.change(Change::AddGroup(group.clone())).await?;
            let value = json!({ "changed": is_new, "group": of(store, group).await?.map(json_of) });
            let next = format!("`portcullis group join {group} PERSON` puts somebody into it");
            let (sentence, next) = match is_new {
                true => (format!("The group `{group}` is there now."), Some(next)),
                false => (
                    format!("The group `{group}` is there already; nothing changed."),
                    None,
                ),
            };
            Ok(show::done(*form, &value, &sentence, next.as_deref())?)
        }
        GroupCommand::Remove { group, form } => {
            let was_there = session.change(Change::RemoveGroup(group.clone())).await?;
            let sentence = match was_there {
                true => format!(
                    "The group `{group}` is gone, and what was shared with it is no longer."
                ),
                false => format!("There is no group `{group}`; nothing changed."),
            };
            let value = json!({ "changed": was_there });
            Ok(show::done(*form, &value, &sentence, None)?)
        }
        GroupCommand::Join(args) => join(&session, args).await,
        GroupCommand::Leave(args) => leave(&session, args).await,
        GroupCommand::List(form) => list(store, *form).await,
        GroupCommand::Show { group, form } => {
            let group = require(store, group).await?;
            let is_in_it = group.members.contains(&session.me.id);
            show_one(store, group, is_in_it || session.is_administrator(), *form).await
        }
    }
}

async fn join(session: &Session, args: &Membership) -> Result<()> {
    let store = &session.store;
    let group = &args.group;
    let before = require(store, group).await?;
    let is_new = |person: &PersonId| !before.members.contains(person);
    if args.people.iter().any(is_new) && !shared_with(store, group).await?.is_empty() {
        let what = "somebody joins a group that an account is shared with";
        approvals::require_passphrase(session, what).await?;
    }
    let changes: Vec<Change> = args
        .people
        .iter()
        .map(|person| Change::Join(group.clone(), person.clone()))
        .collect();
    session.apply(&changes).await?;
    let new = args
        .people
        .iter()
        .filter(|person| !before.members.contains(person));
    let sentence = match names(new) {
        Some(new) => format!("In the group `{group}` now: {new}."),
        None => format!("They are in the group `{group}` already; nothing changed."),
    };
    said(store, args, &before, &sentence).await
}

async fn leave(session: &Session, args: &Membership) -> Result<()> {
    let store = &session.store;
    let group = &args.group;
    let before = require(store, group).await?;
    let changes: Vec<Change> = args
        .people
        .iter()
        .map(|person| Change::Leave(group.clone(), person.clone()))
        .collect();
    session.apply(&changes).await?;
    let gone = args
        .people
        .iter()
        .filter(|person| before.members.contains(person));
    let sentence = match names(gone) {
        Some(gone) => format!("No longer in the group `{group}`: {gone}."),
        None => format!("They are not in the group `{group}`; nothing changed."),
    };
    said(store, args, &before, &sentence).await
}

async fn said(store: &Store, args: &Membership, before: &Group, sentence: &str) -> Result<()> {
    let after = require(store, &args.group).await?;
    let value = json!({ "changed": *before != after, "group": json_of(after) });
    Ok(show::done(args.form, &value, sentence, None)?)
}

async fn list(store: &Store, form: Form) -> Result<()> {
    let groups = store.groups().await?;
    if form.json {
        let groups: Value = groups.into_iter().map(json_of).collect();
        return Ok(show::json(&groups)?);
    }
    if groups.is_empty() {
        let next = "`portcullis group add sales` makes one";
        return Ok(show::done(
            form,
            &Value::Null,
            "There are no groups yet.",
            Some(next),
        )?);
    }
    let mut table = Table::new(&["GROUP", "MEMBERS"]);
    for group in &groups {
        let members: Vec<&str> = group.members.iter().map(PersonId::as_str).collect();
        let members = match members.is_empty() {
            true => "nobody".to_owned(),
            false => members.join(", "),
        };
        table.row([group.name.as_str(), &members]);
    }
    Ok(table.write(&mut anstream::stdout().lock())?)
}

/// Shows a group. What is shared with it is for administrators, who share it, and for who is in it.
async fn show_one(store: &Store, group: Group, may_see_shares: bool, form: Form) -> Result<()> {
    let shared = match may_see_shares {
        true => shared_with(store, &group.name).await?,
        false => Vec::new(),
    };
    if form.json {
        let mut value = json_of(group);
        if may_see_shares {
            value["connections"] = shared.iter().map(connections::json_of).collect();
        }
        return Ok(show::json(&value)?);
    }
    let members: Vec<String> = group.members.iter().map(PersonId::to_string).collect();
    let mut sheet = Sheet::new(group.name.as_str());
    sheet.line("members", &or_none(&members));
    if may_see_shares {
        let shared: Vec<String> = shared.iter().map(connections::in_words).collect();
        sheet.line("shared with it", &or_none(&shared));
    }
    Ok(sheet.write(&mut anstream::stdout().lock())?)
}

/// The accounts that are shared with a group.
async fn shared_with(store: &Store, group: &GroupName) -> Result<Vec<StoredConnection>> {
    let mut shared = Vec::new();
    for connection in connections::finished(store).await? {
        let shares = store.shares(&connection.id).await?;
        if shares.contains(&Subject::Group(group.clone())) {
            shared.push(connection);
        }
    }
    Ok(shared)
}

async fn of(store: &Store, name: &GroupName) -> Result<Option<Group>> {
    let groups = store.groups().await?;
    Ok(groups.into_iter().find(|group| group.name == *name))
}

async fn require(store: &Store, name: &GroupName) -> Result<Group> {
    let missing = || StoreError::NotFound {
        kind: "group",
        id: name.to_string(),
    };
    Ok(of(store, name).await?.ok_or_else(missing)?)
}

fn names<'a>(people: impl Iterator<Item = &'a PersonId>) -> Option<String> {
    let names: Vec<String> = people.map(|person| format!("`{person}`")).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn json_of(group: Group) -> Value {
    json!({ "name": group.name, "members": group.members })
}
