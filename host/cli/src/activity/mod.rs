//! `portcullis activity`: what was done, by whom, for whom, and how it ended.

pub(crate) mod decided;
pub(crate) mod entry;
pub(crate) mod list;
mod names;
mod view;

use std::collections::HashSet;
use std::time::Duration;

use anyhow::Result;
use portcullis::{ComponentCache, Host};
use portcullis_store::{CallEnd, CallRow, CutOff, Filter, Finding, StoreAudit};

use crate::args::Form;
use crate::args::audit::{Activity, ActivityCommand, Which};
use crate::connections;
use crate::home::{Home, Session};
use crate::problem::Problem;
use crate::show;
use crate::show::table::shown;
use crate::stop::stop;

/// How often it is looked for new calls.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How long a call is waited for before it is no longer looked for: ten times what one may take.
const CALL_LASTS: Duration = Duration::from_secs(600);

/// Does what was asked.
pub(crate) async fn run(args: &Activity, home: &Home, cache: ComponentCache) -> Result<()> {
    let session = home.open_for_what_was_done().await?;
    let log = portcullis_store::Activity::open(session.store.clone()).await?;
    if let Some(ActivityCommand::Show { id, form }) = &args.command {
        return one(&session, &log, id, *form).await;
    }
    if args.decisions {
        return decided::list(&session, &log, &args.which, args.limit, args.form).await;
    }
    let mut filter = filter(&session, &log, &args.which, cache).await?;
    filter.limit = Some(args.limit);
    // What has ended by now is listed by what comes next, or is not to be.
    let mut seen = match args.follow {
        true => has_ended(&log, &filter)
            .await?
            .map(|call| call.id)
            .collect(),
        false => HashSet::new(),
    };
    let (mut calls, stopped) = log.calls(&filter).await?;
    warn(stopped.or(log.broken_end().await?).as_ref())?;
    // As a log is read: the newest last.
    calls.reverse();
    if !args.follow {
        return list::list(&calls, args.form);
    }
    list::begin(args.form)?;
    for call in calls.iter().filter(|call| call.ended != CallEnd::Running) {
        seen.insert(call.id);
        list::follow(call, args.form)?;
    }
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        for call in has_ended(&log, &filter).await? {
            if seen.insert(call.id) {
                list::follow(&call, args.form)?;
            }
        }
    }
}

/// Gives the calls of late that have ended, the oldest first.
async fn has_ended(
    log: &portcullis_store::Activity,
    filter: &Filter,
) -> Result<impl Iterator<Item = CallRow>> {
    let since = jiff::Timestamp::now() - CALL_LASTS;
    let recent = Filter {
        since: Some(since.max(filter.since.unwrap_or(since))),
        limit: None,
        oldest_first: true,
        ..filter.clone()
    };
    let (calls, _) = log.calls(&recent).await?;
    let calls = calls.into_iter();
    Ok(calls.filter(|call| call.ended != CallEnd::Running))
}

async fn one(
    session: &Session,
    log: &portcullis_store::Activity,
    id: &str,
    form: Form,
) -> Result<()> {
    let is_visible =
        |call: &CallRow| session.is_administrator() || call.person == session.me.id.as_str();
    let found = log.find(id.trim()).await?;
    let visible: Vec<&CallRow> = found.iter().filter(|call| is_visible(call)).collect();
    let call = match visible[..] {
        [call] => call,
        [] => {
            let message = format!("there is no call `{}`", show::table::shown(id));
            let hint = "`portcullis activity` lists those that there are";
            return Err(Problem::mistake("not_found", message, hint).into());
        }
        _ => {
            let message = format!("several calls have ids that begin with `{id}`");
            let hint = "give more of the id; `--json` lists them whole";
            return Err(Problem::mistake("ambiguous", message, hint).into());
        }
    };
    let lines = log.lines(call).await?;
    let entry = entry::Entry::of(call, &lines);
    let labels = connections::Labels::of(&session.store).await?;
    let label = call.connection.as_deref().and_then(|id| labels.get(id));
    match form.json {
        true => Ok(show::json(&entry.json(label))?),
        false => Ok(view::write(
            &mut anstream::stdout().lock(),
            &entry,
            &labels,
        )?),
    }
}

/// Makes a filter of what was asked. Who does not administer is shown their own.
pub(crate) async fn filter(
    session: &Session,
    log: &portcullis_store::Activity,
    which: &Which,
    cache: ComponentCache,
) -> Result<Filter> {
    let me = &session.me.id;
    let person = match &which.person {
        Some(person) if person != me => {
            session.require_administrator().await?;
            Some(person.clone())
        }
        None if session.is_administrator() => None,
        _ => Some(me.clone()),
    };
    let connection = match &which.connection {
        // One that is gone is still in the log, by its id.
        Some(text) => match connections::find(&session.store, text).await {
            Ok(connection) => Some(connection.id),
            Err(error) => match text.parse() {
                Ok(id) if names::acted(log, &id).await? => Some(id),
                _ => return Err(error),
            },
        },
        None => None,
    };
    names::require(session, log, which, cache).await?;
    Ok(Filter {
        person,
        agent: which.agent.clone(),
        connector: which.connector.clone(),
        tool: which.tool.clone(),
        connection,
        outcome: which.outcome.clone(),
        effect: which.effect,
        since: which.since,
        until: which.until,
        ..Filter::default()
    })
}

/// Says that something of the log could not be read.
pub(crate) fn warn(stopped: Option<&Finding>) -> Result<()> {
    if let Some(finding) = stopped {
        show::note(&format!(
            "the log is broken, and what comes after that in it is not shown: {finding}; `portcullis audit verify` says more"
        ))?;
    }
    Ok(())
}

/// How long the answer to a change is waited for when the program ends: as long as a call may take.
const CHANGES_LAST: Duration = Duration::from_secs(60);

/// How long that is waited for without a word.
const WITHOUT_A_WORD: Duration = Duration::from_millis(200);

/// Ends writing to the log, once it has the outcome of every change that was sent. Where that fails, the next program looks after it.
pub(crate) async fn close(audit: &StoreAudit, host: &Host) {
    wait_for_outcomes(host).await;
    if let Err(error) = audit.close().await {
        tracing::warn!(%error, "the audit log was not closed in order");
    }
}

/// Waits for changes whose calls have ended before them: given up, or broken off with the program.
async fn wait_for_outcomes(host: &Host) {
    let guard = host.guard();
    if guard.changes_on_record(WITHOUT_A_WORD).await {
        return;
    }
    // From here on: who tells the program to end once it has said that it waits is heard.
    let stop = stop();
    let seconds = CHANGES_LAST.as_secs();
    tracing::warn!(
        "a change was sent and is not answered yet: the program ends with its outcome, after {seconds} seconds at most; Ctrl-C, or being \
         told to end once more, ends it now"
    );
    let told_again = async {
        match stop {
            Ok(told) => told.await,
            // Who cannot be told waits for the outcome, which has its bound.
            Err(_) => std::future::pending().await,
        }
    };
    let is_on_record = tokio::select! {
        is_on_record = guard.changes_on_record(CHANGES_LAST) => is_on_record,
        () = told_again => false,
    };
    if !is_on_record {
        tracing::warn!(
            "the program ends before the outcome of a change is known; the next start says how to find out"
        );
    }
}

/// Says what to do about a change whose outcome nobody knows. This goes to a program's log: what quotes a value is said where it is asked for.
fn look(one: &CutOff) -> String {
    let named = one.finds_out.as_ref().filter(|call| !call.quotes);
    let words = shown(&portcullis::unclear(named));
    let show = format!(
        "`portcullis activity show {}` says what was to be changed",
        one.call
    );
    match (named, &one.finds_out) {
        (None, Some(_)) => format!("{words}; {show}, and which call shows it"),
        _ => format!("{words}; {show}"),
    }
}

/// Says which calls were cut off when an earlier program was ended.
pub(crate) fn say_cut_off(cut_off: &[CutOff]) -> Result<()> {
    for one in cut_off {
        let (call, person, agent, connector) = (one.call, &one.person, &one.agent, &one.connector);
        let tool = one
            .tool
            .as_ref()
            .map_or("who is signed in", |tool| tool.as_str());
        let what = format!(
            "the call {call} of `{connector}` / `{tool}`, by the agent `{agent}` for `{person}`"
        );
        let sentence = match (one.unclear.is_empty(), one.made.is_empty()) {
            (false, _) => format!(
                "{what} was cut off after its change was sent: {}",
                look(one)
            ),
            (true, false) => format!(
                "{what} was cut off after its change was made, and before the agent had its answer: `portcullis activity show {call}` says what was \
                 changed; look at the record before it is asked for again"
            ),
            (true, true) => {
                format!("{what} was cut off when the program ended; it changed nothing")
            }
        };
        show::note(&sentence)?;
    }
    Ok(())
}
