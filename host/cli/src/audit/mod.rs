//! `portcullis audit`: whether the log is whole, what is kept of it, and for other programs.

mod decisions;
mod export;
mod ocsf;
mod retention;

use std::io::{IsTerminal, Write};

use anyhow::Result;
use portcullis::policy::{ConnectorName, Effect, ToolName};
use portcullis::{ComponentCache, Connector};
use portcullis_store::{AuditError, Head, Report, StoreAudit, StoreError};
use serde_json::{Value, json};

use crate::activity;
use crate::approvals;
use crate::args::Form;
use crate::args::audit::{AuditCommand, Switch};
use crate::catalog::Catalog;
use crate::home::{Home, Session};
use crate::keyboard;
use crate::problem::Problem;
use crate::show;
use crate::show::counted;
use crate::show::style::{ERROR, HINT, styled};
use crate::show::table::shown;

/// A megabyte, for progress.
const MEGABYTE: u64 = 1 << 20;

/// Does what was asked.
pub(crate) async fn run(command: &AuditCommand, home: &Home, cache: ComponentCache) -> Result<()> {
    let session = home.open_for_what_was_done().await?;
    if let AuditCommand::Export(args) = command {
        return export::run(&session, args, cache).await;
    }
    session.require_administrator().await?;
    match command {
        AuditCommand::Verify { through, form } => verify(&session, through, *form).await,
        AuditCommand::Retain {
            days: Some(days),
            daily,
            form,
            ..
        } => retention::remove(&session, *days, *daily, *form).await,
        AuditCommand::Retain {
            never: true, form, ..
        } => retention::never(&session, *form).await,
        AuditCommand::Retain { form, .. } => retention::say(&session, *form).await,
        AuditCommand::Values {
            connector: Some(connector),
            tool: Some(tool),
            switch: Some(switch),
            form,
        } => {
            let keep = *switch == Switch::On;
            // Of a connector that is gone they can still be switched off.
            if keep {
                require_change(&session, connector, tool, cache).await?;
                let kept = session.store.kept_values().await?;
                if !kept.contains(&(connector.clone(), tool.clone())) {
                    approvals::require_passphrase(&session, "values are kept").await?;
                }
            }
            let audit = StoreAudit::open(session.store.clone()).await?;
            activity::say_cut_off(audit.cut_off())?;
            let is_new = audit
                .keep_values(&session.by(), connector, tool, keep)
                .await?;
            audit.close().await?;
            let kept = match (keep, is_new) {
                (true, true) => "kept, sealed, from now on",
                (false, true) => "not kept any more",
                (true, false) => "kept, sealed, already; nothing changed",
                (false, false) => "not kept; nothing changed",
            };
            let sentence = format!("The values that `{tool}` of `{connector}` changes are {kept}.");
            let value =
                json!({ "changed": is_new, "connector": connector, "tool": tool, "kept": keep });
            Ok(show::done(*form, &value, &sentence, None)?)
        }
        AuditCommand::Values { form, .. } => values(&session, *form).await,
        AuditCommand::Restart { yes, form } => restart(&session, *yes, *form).await,
        AuditCommand::Export(_) => Ok(()),
    }
}

/// Refuses a tool that is none, or that changes nothing: somebody would believe that its values are on record.
async fn require_change(
    session: &Session,
    connector: &ConnectorName,
    tool: &ToolName,
    cache: ComponentCache,
) -> Result<()> {
    let catalog = Catalog::open(&session.store, cache).await?;
    catalog.connector(Some(connector))?;
    let has_it = |one: &Connector| one.tool(tool.as_str()).is_some();
    let found = catalog.one(Some(connector), tool.as_str(), has_it)?;
    let changes = found
        .tool(tool.as_str())
        .is_some_and(|tool| tool.effect > Effect::Read);
    if changes {
        return Ok(());
    }
    let message = format!("`{tool}` of `{connector}` changes nothing");
    let hint = "values are kept of changes alone; what a tool reads is never kept";
    Err(Problem::mistake("no_change", message, hint).into())
}

async fn verify(session: &Session, through: &[Head], form: Form) -> Result<()> {
    let log = portcullis_store::Activity::open(session.store.clone()).await?;
    let shows_progress = std::io::stderr().is_terminal();
    let mut told = 0;
    let so_far = move |bytes: u64| {
        if shows_progress && bytes / MEGABYTE > told {
            told = bytes / MEGABYTE;
            // Progress is for whoever looks: nothing hangs on it.
            let _ = write!(std::io::stderr(), "\r{told} MB read");
        }
    };
    let report = log.verify(through, so_far).await;
    if shows_progress {
        let _ = write!(std::io::stderr(), "\r");
    }
    let report = report?;
    match form.json {
        true => show::json(&report_json(&report))?,
        false => write_report(&report)?,
    }
    match report.findings.first() {
        None => Ok(()),
        Some(first) => {
            let more = match report.findings.len() {
                1 => String::new(),
                all => format!(" (and {} more)", all - 1),
            };
            let hint = match report.index_made_anew {
                true => "the index was made anew from the log, which is whole: look again",
                false => {
                    "put the log back from a backup; if it is lost, `portcullis audit restart` puts it aside and begins a new one"
                }
            };
            let message = format!("the first broken link: {first}{more}");
            let problem = Problem::failure("audit_broken", message, Some(hint.to_owned()));
            // The report is printed already.
            match form.json {
                true => Err(problem.printed().into()),
                false => Err(problem.into()),
            }
        }
    }
}

fn write_report(report: &Report) -> Result<()> {
    let mut out = anstream::stdout().lock();
    for finding in &report.findings {
        writeln!(out, "{} {finding}", styled(ERROR, "broken:"))?;
    }
    for (lane, file, bytes) in &report.unfinished {
        let file = file.display();
        writeln!(
            out,
            "{} lane {lane} ends with {bytes} bytes of a record that was not finished, as a program leaves it that is ended in the middle: \
             nothing was sent on it (`{file}`)",
            styled(HINT, "note:")
        )?;
    }
    for (at, note) in &report.notes {
        let at = at.strftime("%Y-%m-%d %H:%M:%S UTC");
        writeln!(
            out,
            "{} {at}: {}",
            styled(HINT, "note:"),
            shown(&note.to_string())
        )?;
    }
    let read = [
        counted(report.records, "record"),
        counted(report.calls, "call"),
        counted(report.segments, "file"),
    ];
    let read = format!("{} of {} in {}", read[0], read[1], read[2]);
    match report.is_whole() {
        true => writeln!(out, "The log is whole: {read}.")?,
        false => writeln!(out, "The log is broken: {read} were read.")?,
    }
    for head in &report.heads {
        writeln!(out, "  head {head}")?;
    }
    Ok(())
}

fn report_json(report: &Report) -> Value {
    let findings = report.findings.iter().map(|finding| {
        json!({
            "problem": finding.fault.to_string(),
            "lane": finding.lane,
            "file": finding.file,
            "offset": finding.offset,
            "record": finding.record,
            "call": finding.call,
        })
    });
    let unfinished = report
        .unfinished
        .iter()
        .map(|(lane, file, bytes)| json!({ "lane": lane, "file": file, "bytes": bytes }));
    let notes = report
        .notes
        .iter()
        .map(|(at, note)| json!({ "at": at.to_string(), "note": note }));
    let heads = report.heads.iter().map(ToString::to_string);
    json!({
        "whole": report.is_whole(),
        "findings": findings.collect::<Value>(),
        "unfinished": unfinished.collect::<Value>(),
        "notes": notes.collect::<Value>(),
        "heads": heads.collect::<Vec<_>>(),
        "records": report.records,
        "calls": report.calls,
        "segments": report.segments,
        "bytes": report.bytes,
        "index_made_anew": report.index_made_anew,
    })
}

async fn values(session: &Session, form: Form) -> Result<()> {
    let kept = session.store.kept_values().await?;
    let value = kept
        .iter()
        .map(|(connector, tool)| json!({ "connector": connector, "tool": tool }));
    let words: Vec<String> = kept
        .iter()
        .map(|(connector, tool)| format!("`{tool}` of `{connector}`"))
        .collect();
    let sentence = match words.is_empty() {
        true => "The log keeps no values of records.".to_owned(),
        false => format!(
            "The values that these change are kept, sealed: {}.",
            words.join(", ")
        ),
    };
    Ok(show::done(form, &value.collect(), &sentence, None)?)
}

/// Puts a broken log aside, once somebody has agreed: what was done until now is not listed any more after that.
async fn restart(session: &Session, yes: bool, form: Form) -> Result<()> {
    let log = portcullis_store::Activity::open(session.store.clone()).await?;
    let is_broken = !log.verify(&[], |_| {}).await?.is_whole();
    if is_broken && !yes {
        if form.json || !keyboard::is_there() {
            let message = "the log is broken and would be put aside, and there is nobody to ask";
            let hint = "add `--yes`; what was done until now is not listed any more after that, and the files are kept";
            return Err(Problem::mistake("not_confirmed", message, hint).into());
        }
        let question = "Put the log aside and begin a new one? What was done until now is not listed any more after that.";
        if !keyboard::agrees(question)? {
            let value = json!({ "changed": false });
            return Ok(show::done(form, &value, "Nothing was changed.", None)?);
        }
    }
    let restarted = StoreAudit::restart(session.store.clone(), &session.me.id).await;
    let restarted = match restarted {
        Err(StoreError::Audit(error @ AuditError::InUse)) => {
            let hint = "nothing was changed";
            return Err(Problem::mistake("in_use", error.to_string(), hint).into());
        }
        restarted => restarted?,
    };
    let (sentence, value) = match restarted {
        None => (
            "The log is whole; nothing changed.".to_owned(),
            json!({ "changed": false }),
        ),
        Some(restarted) => {
            let kept = restarted.kept.as_ref().map_or_else(
                || "Nothing was left of the old one".to_owned(),
                |kept| format!("The old one is kept as `{}`", kept.display()),
            );
            (
                format!("A new log is begun, which says why. {kept}."),
                json!({ "changed": true, "kept": restarted.kept, "findings": restarted.findings }),
            )
        }
    };
    Ok(show::done(form, &value, &sentence, None)?)
}
