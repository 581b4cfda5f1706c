//! A yes: the person reads the card, and the call is run once.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::time::Duration;

use anyhow::Result;
use portcullis::policy::Effect;
use portcullis::{ComponentCache, Outcome, Reply};
use portcullis_connect::{Decided, Decisions};
use portcullis_store::{Approval, ApprovalState, Approved, Held, Question, Standing};
use serde_json::{Value, json};

use super::{find, list, terminal, unlock};
use crate::activity;
use crate::args::approvals::Approve;
use crate::desk;
use crate::environment;
use crate::home::Session;
use crate::keyboard;
use crate::problem::{FAILURE, Problem};
use crate::show;
use crate::show::style::{HINT, styled};

pub(super) async fn run(session: Session, args: &Approve, cache: ComponentCache) -> Result<()> {
    terminal::require("a change is approved")?;
    let options = environment::network(&args.network)?;
    let id = find(&session, &args.id).await?;
    let question = session.store.question(id, &session.me.id).await?;
    let Some(held) = &question.held else {
        let message = super::settled(&question);
        let hint = "there is nothing to decide".to_owned();
        return Err(Problem::failure("settled", message, Some(hint)).into());
    };
    if question.approval.state == ApprovalState::Approved {
        let message = "you have approved this already, and it was not sent yet";
        let hint = format!("`portcullis approvals withdraw {id}` takes your yes back");
        return Err(Problem::failure("settled", message, Some(hint)).into());
    }
    let built = desk::host(session.store.clone(), options, cache, None).await?;
    let decisions = Decisions::new(
        session.store.clone(),
        built.host.clone(),
        built.audit.clone(),
    );
    let decided = decide(&session, args, &decisions, &question, held).await;
    activity::close(&built.audit, &built.host).await;
    let Some(Decided {
        approved,
        reply,
        is_kept,
    }) = decided?
    else {
        let sentence = "Nothing was approved; it still waits.";
        return Ok(show::done(
            args.form,
            &json!({ "approved": false }),
            sentence,
            None,
        )?);
    };
    let Some(reply) = reply else {
        let sentence = "Approved: the agent waited for it and goes on.";
        return Ok(show::done(
            args.form,
            &value(&approved, None),
            sentence,
            None,
        )?);
    };
    said(args, &approved, &reply, is_kept)
}

/// Shows what it is about, asks, and runs it; none where the person does not say yes. What could not be run is not asked about.
async fn decide(
    session: &Session,
    args: &Approve,
    decisions: &Decisions,
    question: &Question,
    held: &Held,
) -> Result<Option<Decided>> {
    let mut err = anstream::stderr().lock();
    writeln!(err, "{}", held.card.text())?;
    decisions.look(question).await?;
    if let Some(records) = args.records {
        if let Some(why) = no_standing(&question.approval, held) {
            let hint = "approve it without `--records`";
            return Err(Problem::mistake("no_standing_approval", why, hint).into());
        }
        writeln!(
            err,
            "{} up to {} like this ({}), by `{}` of the agent `{}`, would pass for {} without being asked for.",
            styled(HINT, "standing:"),
            show::counted(records, "further record"),
            alike(held),
            question.approval.tool,
            question.approval.agent,
            show::counted(args.minutes, "minute")
        )?;
    }
    drop(err);
    if !keyboard::agrees("Approve?")? {
        return Ok(None);
    }
    unlock(session, "Your passphrase: ").await?;
    let standing = args.records.map(|records| Standing {
        records,
        lasts: Duration::from_secs(u64::from(args.minutes) * 60),
    });
    let id = question.approval.id;
    let decided = decisions.approve(id, &session.by(), standing).await?;
    Ok(Some(decided))
}

/// Says why no standing approval can be made of a question, as far as that shows before the yes; the store decides.
fn no_standing(approval: &Approval, held: &Held) -> Option<&'static str> {
    match approval.effect {
        Effect::Destructive => Some("what destroys is never approved ahead: each is asked for"),
        Effect::Read => Some("what only reads is not approved ahead"),
        Effect::Write if !held.is_whole => Some(
            "the host cannot see all of this change in the request, so that nothing like it is approved ahead",
        ),
        Effect::Write => None,
    }
}

/// Names what a standing approval would cover: kinds, and their fields.
fn alike(held: &Held) -> String {
    let mut kinds: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for change in &held.card.changes {
        let fields = change.fields.iter().map(|field| field.name.as_str());
        kinds.entry(&change.kind).or_default().extend(fields);
    }
    let words = kinds.into_iter().map(|(kind, fields)| {
        let or_fewer = if fields.len() > 1 {
            ", or fewer of these"
        } else {
            ""
        };
        let fields: Vec<&str> = fields.into_iter().collect();
        show::table::shown(&format!("{kind}: {}{or_fewer}", fields.join(", ")))
    });
    words.collect::<Vec<_>>().join("; ")
}

fn said(args: &Approve, approved: &Approved, reply: &Reply, is_kept: bool) -> Result<()> {
    if args.form.json {
        show::json(&value(approved, Some(reply)))?;
    }
    match &reply.outcome {
        Outcome::Done(output) if !args.form.json => {
            let mut out = anstream::stdout().lock();
            let sentence = match (is_kept, reply.sent.is_empty()) {
                (true, _) => {
                    "Approved and done. The agent gets this when it makes the same call again:"
                }
                (false, false) => "Approved and done:",
                (false, true) => {
                    "Approved, and nothing was sent: there was nothing left to do. Your yes is taken back. The answer was:"
                }
            };
            writeln!(out, "{sentence}\n")?;
            show::reply::output(&mut out, output)?;
            Ok(())
        }
        Outcome::ApprovalRequired(asked) => {
            let differs = asked.card.differs.iter().map(|one| show::table::shown(one));
            let message = format!(
                "it is not the same any more, so nothing was sent: {}",
                differs.collect::<Vec<_>>().join("; ")
            );
            let next = format!(
                "`portcullis approvals approve {}` shows it as it is now",
                asked.id
            );
            let problem = Problem::failure("not_the_same", message, Some(next));
            Err(match args.form.json {
                true => problem.printed(),
                false => problem,
            }
            .into())
        }
        Outcome::Done(_) => Ok(()),
        _ => match Problem::of_reply(reply) {
            // What an agent had asked for wrongly is no mistake of who approved it.
            Some(problem) => Err(Problem {
                exit: FAILURE,
                ..problem
            }
            .into()),
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
