//! `portcullis person token`: how people say who they are where they are not at this keyboard.

use std::time::Duration;

use anyhow::Result;
use jiff::Timestamp;
use portcullis::policy::PersonId;
use portcullis_store::{DecidedKind, Deciding, PersonToken, Store};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::approvals;
use crate::args::Form;
use crate::args::token::{TokenAdd, TokenCommand};
use crate::home::Session;
use crate::person;
use crate::problem::Problem;
use crate::show;
use crate::show::counted;
use crate::show::table::{Table, moment, shown};

/// The seconds of a day.
const DAY_SECONDS: u64 = 24 * 3_600;

/// Does what was asked, for an administrator or for the person themselves.
pub(crate) async fn run(command: &TokenCommand, session: &Session) -> Result<()> {
    if *command.person() != session.me.id {
        session.require_administrator().await?;
    }
    let store = &session.store;
    match command {
        TokenCommand::Add(args) => add(session, args).await,
        TokenCommand::List { person, form } => list(store, person, *form).await,
        TokenCommand::Remove { person, id, form } => remove(session, person, id, *form).await,
    }
}

/// What is decided on a token, for the log.
fn deciding(person: &PersonId, from: Option<String>, to: Option<String>) -> Deciding {
    Deciding {
        kind: DecidedKind::Person,
        subject: format!("a token of {person}"),
        from,
        to,
        reason: None,
    }
}

async fn add(session: &Session, args: &TokenAdd) -> Result<()> {
    if args.person != session.me.id {
        // Whoever has the token is taken for them, and may approve as they may.
        approvals::require_passphrase(session, "somebody is let in as another person").await?;
    }
    let lasts = Duration::from_secs(u64::from(args.days) * DAY_SECONDS);
    let days = counted(args.days, "day");
    let to = format!("`{}` for {days}", shown(&args.label));
    let what = deciding(&args.person, None, Some(to));
    let store = &session.store;
    let made = store.make_person_token(&args.person, &args.label, lasts);
    let (secret, token) = session.deciding(what, made).await?;
    let secret = secret.expose_secret();
    if args.form.json {
        let mut value = token_json(&token);
        value["token"] = json!(secret);
        return Ok(show::json(&value)?);
    }
    let sentence = format!(
        "{secret}\nThis is the token of `{}`, until {}. It is shown this once, and whoever has it is taken for them.",
        args.person,
        moment(Some(token.expires))
    );
    let next = format!(
        "`portcullis person token remove {} {}` ends it",
        args.person, token.id
    );
    Ok(show::done(args.form, &Value::Null, &sentence, Some(&next))?)
}

async fn list(store: &Store, person: &PersonId, form: Form) -> Result<()> {
    person::require(store, person).await?;
    let tokens = store.person_tokens(person).await?;
    if form.json {
        let tokens: Value = tokens.iter().map(token_json).collect();
        return Ok(show::json(&tokens)?);
    }
    let mut table = Table::new(&["ID", "LABEL", "MADE", "ENDS", "LAST USED"]);
    for token in &tokens {
        let ends = match has_ended(token) {
            true => format!("{} (ended)", moment(Some(token.expires))),
            false => moment(Some(token.expires)),
        };
        table.row([
            token.id.as_str(),
            &token.label,
            &moment(Some(token.created)),
            &ends,
            &moment(token.used),
        ]);
    }
    Ok(table.write(&mut anstream::stdout().lock())?)
}

async fn remove(session: &Session, person: &PersonId, id: &str, form: Form) -> Result<()> {
    let store = &session.store;
    let tokens = store.person_tokens(person).await?;
    let removed = match tokens.iter().find(|token| token.id == id) {
        Some(token) => {
            let from = format!("{} `{}`", token.id, shown(&token.label));
            let work = store.remove_person_token(person, id);
            let what = deciding(person, Some(from), None);
            session.deciding(what, work).await?
        }
        None => false,
    };
    if !removed {
        let message = format!("`{person}` has no token `{}`", shown(id));
        let hint = format!("`portcullis person token list {person}` lists those that there are");
        return Err(Problem::mistake("not_found", message, hint).into());
    }
    let sentence =
        format!("The token `{id}` of `{person}` has ended, with what was signed in by it.");
    let value = json!({ "changed": true, "id": id, "person": person });
    Ok(show::done(form, &value, &sentence, None)?)
}

fn has_ended(token: &PersonToken) -> bool {
    token.expires <= Timestamp::now()
}

fn token_json(token: &PersonToken) -> Value {
    json!({
        "id": token.id,
        "person": token.person,
        "label": token.label,
        "created": token.created.to_string(),
        "expires": token.expires.to_string(),
        "ended": has_ended(token),
        "used": token.used.map(|used| used.to_string()),
    })
}
