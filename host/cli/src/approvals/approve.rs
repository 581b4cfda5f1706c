//! A yes: the person reads the card, and the call is run once.

use std::io::Write;
use std::time::Duration;

use anyhow::Result;
use portcullis::{ComponentCache, Outcome, Reply};
use portcullis_connect::{Decided, Decisions};
use portcullis_store::{Approved, Standing};
use serde_json::{Value, json};

use super::{find, list, terminal, unlock};
use crate::activity;
use crate::args::approvals::Approve;
use crate::desk;
use crate::environment;
use crate::home::Session;
use crate::keyboard;
use crate::problem::Problem;
use crate::show;
use crate::show::style::{HINT, styled};

pub(super) async fn run(session: Session, args: &Approve, cache: ComponentCache) -> Result<()> {
    terminal::require("a change is approved")?;
    let id = find(&session, &args.id).await?;
    let question = session.store.question(id, &session.me.id).await?;
    let Some(held) = &question.held else {
        let message = super::settled(&question);
        return Err(Problem::mistake("settled", message, "there is nothing to decide").into());
    };
    let mut err = anstream::stderr().lock();
    writeln!(err, "{}", held.card.text())?;
    if let Some(records) = args.records {
        writeln!(
            err,
            "{} {records} more of the same kind and fields would pass for {} minutes without being asked for.",
            styled(HINT, "standing:"),
            args.minutes
        )?;
    }
    drop(err);
    if !keyboard::agrees("Approve?")? {
        let sentence = "Nothing was approved; it still waits.";
        return Ok(show::done(
            args.form,
            &json!({ "approved": false }),
            sentence,
            None,
        )?);
    }
    unlock(&session, "Your passphrase: ").await?;
    let standing = args.records.map(|records| Standing {
        records,
        lasts: Duration::from_secs(u64::from(args.minutes) * 60),
    });
    let options = environment::network(&args.network)?;
    let built = desk::host(session.store.clone(), options, cache, None).await?;
    let decisions = Decisions::new(session.store, built.host.clone());
    let decided = decisions.approve(id, &session.me.id, standing).await;
    activity::close(&built.audit, &built.host).await;
    let Decided { approved, reply } = decided?;
    let Some(reply) = reply else {
        let sentence = "Approved: the agent waited for it and goes on.";
        return Ok(show::done(
            args.form,
            &value(&approved, None),
            sentence,
            None,
        )?);
    };
    said(args, &approved, &reply)
}

fn said(args: &Approve, approved: &Approved, reply: &Reply) -> Result<()> {
    if args.form.json {
        show::json(&value(approved, Some(reply)))?;
    }
    match &reply.outcome {
        Outcome::Done(output) if !args.form.json => {
            let mut out = anstream::stdout().lock();
            writeln!(
                out,
                "Approved and done. The agent gets this when it makes the same call again:\n"
            )?;
            show::reply::output(&mut out, output)?;
            Ok(())
        }
        Outcome::ApprovalRequired(asked) if !args.form.json => {
            let mut out = anstream::stdout().lock();
            writeln!(out, "It is not the same any more, so nothing was sent:")?;
            for difference in &asked.card.differs {
                writeln!(out, "- {}", show::table::shown(difference))?;
            }
            let next = format!(
                "`portcullis approvals approve {}` shows it as it is now",
                asked.id
            );
            writeln!(out, "{} {next}", styled(HINT, "next:"))?;
            Ok(())
        }
        Outcome::Done(_) | Outcome::ApprovalRequired(_) => Ok(()),
        _ => match Problem::of_reply(reply) {
            Some(problem) => Err(problem.into()),
            None => Ok(()),
        },
    }
}

fn value(approved: &Approved, reply: Option<&Reply>) -> Value {
    let mut value = list::approval_json(&approved.approval);
    value["approved"] = json!(true);
    value["standing"] = json!(approved.standing.as_ref().map(list::standing_json));
    value["reply"] = json!(reply.map(show::reply::reply_json));
    value
}
