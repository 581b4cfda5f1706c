//! `portcullis person subject`: by which names issuers of OpenID Connect know people.

use anyhow::Result;
use portcullis::policy::{Origin, PersonId};
use portcullis_store::{DecidedKind, Deciding, PersonSubject, Store, subject_of};
use serde_json::{Value, json};

use crate::approvals;
use crate::args::Form;
use crate::args::subject::{SubjectArgs, SubjectCommand};
use crate::home::Session;
use crate::person;
use crate::problem::Problem;
use crate::show;
use crate::show::table::{Table, moment, shown};

/// Does what was asked, for an administrator: a name lets somebody in as that person.
pub(crate) async fn run(command: &SubjectCommand, session: &Session) -> Result<()> {
    match command {
        SubjectCommand::Add(args) => {
            let kept = as_kept(args)?;
            require_issuer(&kept.issuer)?;
            add(session, &kept).await
        }
        SubjectCommand::List { person, form } => list(&session.store, person.as_ref(), *form).await,
        SubjectCommand::Remove(args) => remove(session, &as_kept(args)?).await,
    }
}

/// Gives what was asked with the name as the store keeps it.
fn as_kept(args: &SubjectArgs) -> Result<SubjectArgs> {
    let (issuer, subject) = subject_of(&args.issuer, &args.subject)?;
    Ok(SubjectArgs {
        person: args.person.clone(),
        subject,
        issuer,
        form: args.form,
    })
}

/// Says whether a name is a person's.
async fn is_theirs(store: &Store, args: &SubjectArgs) -> Result<bool> {
    let known = store.subjects(&args.person).await?;
    let is_it = |one: &PersonSubject| one.issuer == args.issuer && one.subject == args.subject;
    Ok(known.iter().any(is_it))
}

/// What is decided on a name, for the log.
fn deciding(args: &SubjectArgs, is_there: bool) -> Deciding {
    let there = Some("there".to_owned());
    let (from, to) = match is_there {
        true => (there, None),
        false => (None, there),
    };
    Deciding {
        kind: DecidedKind::Person,
        subject: format!("{} as {} of {}", args.person, args.subject, args.issuer),
        from,
        to,
        reason: None,
    }
}

async fn add(session: &Session, args: &SubjectArgs) -> Result<()> {
    let store = &session.store;
    let SubjectArgs {
        person,
        subject,
        issuer,
        form,
    } = args;
    let is_new = match is_theirs(store, args).await? {
        true => false,
        false => {
            if *person != session.me.id {
                // Whoever has the name at the issuer is let in as them, and may approve as they may.
                let what = "somebody is let in as another person";
                approvals::require_passphrase(session, what).await?;
            }
            let work = store.add_subject(person, issuer, subject);
            session.deciding(deciding(args, false), work).await?
        }
    };
    let (subject, issuer) = (shown(subject), shown(issuer));
    let sentence = match is_new {
        true => format!("`{subject}` of {issuer} is `{person}` here now."),
        false => {
            format!("`{subject}` of {issuer} is `{person}` here already; nothing changed.")
        }
    };
    let next = format!(
        "`portcullis serve --listen ADDRESS --issuer {issuer}` lets their clients sign in there"
    );
    let value = json!({ "changed": is_new, "person": person, "issuer": args.issuer, "subject": args.subject });
    Ok(show::done(
        *form,
        &value,
        &sentence,
        is_new.then_some(&next),
    )?)
}

/// Refuses what no issuer's URL can be: a name that is kept for it would never be anybody's (OpenID Connect Core 1.0, section 2, `iss`).
fn require_issuer(issuer: &str) -> Result<()> {
    let hint = "give it exactly as the issuer writes it, such as `--issuer https://acme.okta.example`: its `/.well-known/openid-configuration` has it as `issuer`";
    let checked = check_issuer(issuer);
    Ok(checked.map_err(|message| Problem::mistake("issuer", message, hint))?)
}

/// Says why something is no issuer's URL.
pub(crate) fn check_issuer(issuer: &str) -> std::result::Result<(), String> {
    let wrong = |why: &str| format!("`{}` is no issuer's URL: {why}", shown(issuer));
    if issuer.contains(['?', '#']) {
        return Err(wrong("it has a query or a fragment"));
    }
    let scheme = issuer.split_once("://").map(|(scheme, _)| scheme);
    if !matches!(scheme, Some("https" | "http")) {
        return Err(wrong("it begins with neither `https://` nor `http://`"));
    }
    let end = issuer.match_indices('/').nth(2).map(|(at, _)| at);
    let origin = Origin::parse(&issuer[..end.unwrap_or(issuer.len())]);
    let origin = origin.map_err(|error| wrong(&error.to_string()))?;
    match origin.is_https() || origin.is_loopback() {
        true => Ok(()),
        false => Err(wrong("away from this machine it begins with `https://`")),
    }
}

async fn list(store: &Store, person: Option<&PersonId>, form: Form) -> Result<()> {
    let people = match person {
        Some(person) => vec![person::require(store, person).await?],
        None => store.people().await?,
    };
    let mut known = Vec::new();
    for person in people {
        let subjects = store.subjects(&person.id).await?.into_iter();
        known.extend(subjects.map(|one| (person.id.clone(), one)));
    }
    if form.json {
        let subjects: Value = known
            .iter()
            .map(|(person, one)| {
                json!({ "person": person, "issuer": one.issuer, "subject": one.subject, "created": one.created.to_string() })
            })
            .collect();
        return Ok(show::json(&subjects)?);
    }
    if known.is_empty() && person.is_none() {
        let next =
            "`portcullis person subject add PERSON NAME --issuer URL` says who somebody is there";
        let sentence = "No issuer knows anybody here.";
        return Ok(show::done(form, &Value::Null, sentence, Some(next))?);
    }
    let mut table = Table::new(&["PERSON", "SUBJECT", "ISSUER", "SINCE"]);
    for (person, one) in &known {
        table.row([
            person.as_str(),
            &one.subject,
            &one.issuer,
            &moment(Some(one.created)),
        ]);
    }
    Ok(table.write(&mut anstream::stdout().lock())?)
}

async fn remove(session: &Session, args: &SubjectArgs) -> Result<()> {
    let store = &session.store;
    let SubjectArgs {
        person,
        subject,
        issuer,
        form,
    } = args;
    let removed = match is_theirs(store, args).await? {
        true => {
            let work = store.remove_subject(person, issuer, subject);
            session.deciding(deciding(args, true), work).await?
        }
        false => false,
    };
    if !removed {
        let message = format!(
            "`{person}` is not `{}` of {}",
            shown(subject),
            shown(issuer)
        );
        let hint = format!("`portcullis person subject list {person}` lists what they are");
        return Err(Problem::mistake("not_found", message, hint).into());
    }
    let sentence = format!(
        "`{}` of {} is nobody here any more.",
        shown(subject),
        shown(issuer)
    );
    let value = json!({ "changed": true, "person": person, "issuer": issuer, "subject": subject });
    Ok(show::done(*form, &value, &sentence, None)?)
}
