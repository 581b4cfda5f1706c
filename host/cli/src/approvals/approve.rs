//! A yes: the person reads the card, and the call is run once.

use std::io::Write;
use std::time::Duration;

use anyhow::Result;
use portcullis::{Call, ComponentCache, Outcome, Reply, Rerun};
use portcullis_store::{ApprovalState, Approved, Kept, Standing};
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

/// How long a caller that waits has to go on by itself before the call is run here.
const CALLER_HAS: Duration = Duration::from_secs(3);
const LOOKS_EVERY: Duration = Duration::from_millis(100);

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
    let approved = session.store.approve(id, &session.me.id, standing).await?;
    if approved.is_awaited && caller_went_on(&session, &approved).await? {
        let sentence = "Approved: the agent waited for it and goes on.";
        return Ok(show::done(
            args.form,
            &value(&approved, None),
            sentence,
            None,
        )?);
    }
    let reply = rerun(session, &approved, args, cache).await?;
    said(args, &approved, &reply)
}

/// Waits a moment for the caller to use the approval; it may have gone meanwhile.
async fn caller_went_on(session: &Session, approved: &Approved) -> Result<bool> {
    let (id, me) = (approved.approval.id, &session.me.id);
    let until = tokio::time::Instant::now() + CALLER_HAS;
    while tokio::time::Instant::now() < until {
        let question = session.store.question(id, me).await?;
        if question.approval.state == ApprovalState::Used {
            return Ok(true);
        }
        tokio::time::sleep(LOOKS_EVERY).await;
    }
    Ok(false)
}

/// Runs the call, and keeps its answer for the agent.
async fn rerun(
    session: Session,
    approved: &Approved,
    args: &Approve,
    cache: ComponentCache,
) -> Result<Reply> {
    let (approval, held) = (&approved.approval, &approved.held);
    let options = environment::network(&args.network)?;
    let (store, me) = (session.store.clone(), session.me.id.clone());
    let built = desk::host(session.store, options, cache, None).await?;
    let arguments: Value = serde_json::from_str(&held.card.arguments)?;
    let mut call = Call::new(
        approval.agent.clone(),
        approval.person.clone(),
        approval.connector.clone(),
        approval.tool.as_str(),
        arguments,
    );
    call.reason = held.card.reason.clone();
    call.rerun = Some(Rerun {
        approval: approval.id,
        replay: held.replay.clone(),
    });
    let reply = built.host.call(call).await;
    let kept = Kept::of(&reply);
    if let Some(kept) = kept {
        store.keep_answer(approval.id, &me, &kept).await?;
    }
    activity::close(&built.audit).await;
    Ok(reply)
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
