//! `portcullis apply`: people, groups, agents, what they may do, and sharing as a file says. What differs is shown first, everything is checked
//! before anything is changed, and all of it is changed at once.

mod check;
mod difference;
mod file;

use std::io::Write;

use anyhow::Result;
use portcullis::ComponentCache;
use portcullis::policy::{Level, PersonId};
use portcullis_store::{Change, Role};
use serde_json::{Value, json};

use crate::approvals;
use crate::args::accounts::Apply;
use crate::catalog::{self, Catalog};
use crate::home::{Home, Session};
use crate::keyboard;
use crate::office;
use crate::person::{ended_json, ended_words, is_shared_with_everyone};
use crate::problem::Problem;
use crate::show;
use crate::show::style::{ERROR, HINT, TITLE, styled};
use difference::{Difference, Here, Sign};

/// Brings the store to what the file says.
pub(crate) async fn run(args: &Apply, home: &Home, cache: ComponentCache) -> Result<()> {
    let file = file::read(&args.file)?;
    let session = home.open().await?;
    session.require_administrator().await?;
    let catalog = catalog(&file, &session, cache.clone()).await?;
    let catalog = catalog.as_ref();
    let differences = compare(&file, catalog, &session).await?;
    let form = args.form;
    let value = |applied: bool, removed: Value| {
        let changes: Value = differences.iter().map(difference_json).collect();
        json!({ "applied": applied, "changes": changes, "connections_removed": removed })
    };
    if differences.is_empty() {
        let value = value(false, json!([]));
        return Ok(show::done(form, &value, "Nothing differs.", None)?);
    }
    if !form.json {
        write(&differences)?;
    }
    if args.dry_run {
        let sentence = format!("{} would be made.", counted(differences.len()));
        return Ok(show::done(form, &value(false, json!([])), &sentence, None)?);
    }
    if !args.yes {
        if form.json || !keyboard::is_there() {
            let message = format!(
                "{} would be made, and there is nobody to ask",
                counted(differences.len())
            );
            let hint = "add `--yes` to make them, or `--dry-run` to see them alone";
            let problem = Problem::mistake("not_confirmed", message, hint);
            if !form.json {
                return Err(problem.into());
            }
            let mut object = show::reply::problem_json(&problem);
            if let Value::Object(differs) = value(false, json!([])) {
                object.extend(differs);
            }
            show::json(&Value::Object(object))?;
            return Err(problem.printed().into());
        }
        if !keyboard::agrees(&format!("Make {}?", counted(differences.len())))? {
            return Ok(show::done(
                form,
                &Value::Null,
                "Nothing was changed.",
                None,
            )?);
        }
        // What was agreed to is what is done.
        if compare(&file, catalog, &session).await? != differences {
            let message = "somebody changed the store meanwhile, so nothing was done";
            let hint = "run the command again to see what differs now";
            return Err(Problem::mistake("changed_meanwhile", message, hint).into());
        }
    }
    let changes: Vec<Change> = differences.iter().map(|one| one.change.clone()).collect();
    let leaving: Vec<PersonId> = changes.iter().filter_map(leaves).collect();
    let mut loosens = changes.iter().any(may_loosen);
    for person in &leaving {
        let level = Level::Own(person.clone());
        loosens |= session.store.rules_that_go(&level).await?.is_some();
    }
    let adds = |change: &Change| matches!(change, Change::AddPerson { .. });
    if changes.iter().any(adds) {
        loosens |= is_shared_with_everyone(&session.store).await?;
    }
    if loosens {
        let what = "what agents may do is changed";
        approvals::require_passphrase(&session, what).await?;
    }
    let accounts = office::to_revoke(&session, &leaving, &args.network, cache).await?;
    let (_, removed) = session.apply(&changes).await?;
    let ended = office::revoke(accounts, removed).await;
    let sentence = format!(
        "{} made.{}",
        counted(differences.len()),
        ended_words(&ended)
    );
    Ok(show::done(
        form,
        &value(true, ended_json(&ended)),
        &sentence,
        None,
    )?)
}

/// Says whether a change is one of what agents may do, lets somebody use an account, or makes somebody else one who may change that.
fn may_loosen(change: &Change) -> bool {
    match change {
        Change::Rule(_)
        | Change::Unrule(..)
        | Change::Scope(_)
        | Change::RemoveAgent(_)
        | Change::Give(..)
        | Change::Share(..)
        // Whoever has the name at the issuer is let in as that person.
        | Change::AddSubject { .. }
        | Change::Join(..) => true,
        Change::AddPerson { role, .. } | Change::SetRole { role, .. } => *role == Role::Admin,
        _ => false,
    }
}

fn leaves(change: &Change) -> Option<PersonId> {
    match change {
        Change::RemovePerson(person) => Some(person.clone()),
        _ => None,
    }
}

/// Looks at the connectors, where the file speaks of their tools.
async fn catalog(
    file: &file::Parsed,
    session: &Session,
    cache: ComponentCache,
) -> Result<Option<Catalog>> {
    let mut agents = file.file.agents.values();
    if agents.all(|agent| agent.tools.is_empty()) {
        return Ok(None);
    }
    let catalog = Catalog::open(&session.store, cache).await?;
    for connector in &catalog.connectors {
        catalog::meet(&session.store, connector).await?;
    }
    Ok(Some(catalog))
}

async fn compare(
    file: &file::Parsed,
    catalog: Option<&Catalog>,
    session: &Session,
) -> Result<Vec<Difference>> {
    let here = Here::read(&session.store).await?;
    let wanted = check::check(file, &here, catalog, &session.me.id)?;
    Ok(difference::between(&here, &wanted))
}

fn counted(changes: usize) -> String {
    match changes {
        1 => "1 change".to_owned(),
        changes => format!("{changes} changes"),
    }
}

fn write(differences: &[Difference]) -> Result<()> {
    let mut out = anstream::stdout().lock();
    for one in differences {
        let style = match one.sign {
            Sign::Add => TITLE,
            Sign::Change => HINT,
            Sign::Remove => ERROR,
        };
        let text = show::table::shown(&one.text);
        writeln!(out, "{} {text}", styled(style, one.sign.as_str()))?;
    }
    Ok(())
}

fn difference_json(one: &Difference) -> Value {
    let op = match one.sign {
        Sign::Add => "add",
        Sign::Change => "change",
        Sign::Remove => "remove",
    };
    json!({ "op": op, "text": one.text })
}
