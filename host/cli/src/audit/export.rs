//! `portcullis audit export`: calls for other programs.
//!
//! The attack: a record's name that begins with `=` is a formula to whoever opens the CSV in a spreadsheet. So what begins as one has an
//! apostrophe before it.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::Path;

use anyhow::{Context, Result};
use portcullis::ComponentCache;
use portcullis_store::{Activity, CallRow, Filter};
use serde_json::{Value, json};

use super::{decisions, ocsf};
use crate::activity::decided;
use crate::activity::entry::{Entry, Request};
use crate::activity::list::mode_word;
use crate::activity::{filter, warn};
use crate::args::audit::{Export, ExportFormat};
use crate::connections::Labels;
use crate::home::Session;
use crate::problem::Problem;
use crate::show;

/// Calls that are looked up at a time.
const PAGE_CALLS: u32 = 1_000;

/// Writes the calls out, the oldest first.
pub(super) async fn run(session: &Session, args: &Export, cache: ComponentCache) -> Result<()> {
    let log = Activity::open(session.store.clone()).await?;
    if args.decisions {
        return decided(session, &log, args).await;
    }
    let filter = filter(session, &log, &args.which, cache).await?;
    let labels = Labels::of(&session.store).await?;
    let Some(path) = &args.out else {
        let out = std::io::stdout().lock();
        write(&log, &labels, filter, args.format, BufWriter::new(out)).await?;
        return Ok(());
    };
    let file = create(path)?;
    let calls = write(&log, &labels, filter, args.format, BufWriter::new(file)).await?;
    let sentence = match calls {
        1 => format!("1 call is in `{}`.", path.display()),
        calls => format!("{calls} calls are in `{}`.", path.display()),
    };
    let next = "it holds queries, labels and messages in the clear: keep it as you keep the log";
    let value = json!({ "calls": calls, "file": path });
    Ok(show::done(args.form, &value, &sentence, Some(next))?)
}

/// Writes decisions out, the oldest first.
async fn decided(session: &Session, log: &Activity, args: &Export) -> Result<()> {
    let lines = decided::read(session, log, &args.which).await?;
    let Some(path) = &args.out else {
        let out = std::io::stdout().lock();
        return decisions::write(&lines, args.format, BufWriter::new(out));
    };
    let file = create(path)?;
    decisions::write(&lines, args.format, BufWriter::new(file))?;
    let sentence = match lines.len() {
        1 => format!("1 decision is in `{}`.", path.display()),
        count => format!("{count} decisions are in `{}`.", path.display()),
    };
    let value = json!({ "decisions": lines.len(), "file": path });
    Ok(show::done(args.form, &value, &sentence, None)?)
}

/// Makes a file of its owner's alone, which must not be there yet.
fn create(path: &Path) -> Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| {
        let path = path.display();
        let (message, hint) = match error.kind() {
            ErrorKind::AlreadyExists => (
                format!("`{path}` is there already, and an export writes over nothing"),
                "remove it, or name another file with `--out`",
            ),
            _ => (
                format!("`{path}` cannot be made: {error}"),
                "name a file in a folder that you may write to",
            ),
        };
        Problem::mistake("file", message, hint).into()
    })
}

async fn write(
    log: &Activity,
    labels: &Labels,
    mut filter: Filter,
    format: ExportFormat,
    out: impl Write,
) -> Result<u64> {
    filter.oldest_first = true;
    filter.limit = Some(PAGE_CALLS);
    let mut form = Form::begin(format, out)?;
    let mut reader = log.reader();
    let mut written = 0;
    let mut is_warned = false;
    loop {
        let (calls, stopped) = log.calls(&filter).await?;
        if !is_warned {
            warn(stopped.as_ref())?;
            is_warned = stopped.is_some();
        }
        for call in &calls {
            let lines = reader.lines(call)?;
            let label = call.connection.as_ref().and_then(|id| labels.get(id));
            form.write(&Entry::of(call, &lines), label)?;
            written += 1;
        }
        match calls.last() {
            Some(last) if calls.len() == PAGE_CALLS as usize => {
                filter.after = Some((last.at, last.id));
            }
            _ => break,
        }
    }
    form.end()?;
    Ok(written)
}

/// What is written, as it is written.
enum Form<W: Write> {
    Lines(W, fn(&Entry<'_>, Option<&str>) -> Value),
    Csv(Box<csv::Writer<W>>),
}

impl<W: Write> Form<W> {
    fn begin(format: ExportFormat, out: W) -> Result<Self> {
        Ok(match format {
            ExportFormat::Jsonl => Self::Lines(out, |entry, label| entry.exported(label)),
            ExportFormat::Ocsf => Self::Lines(out, ocsf::event),
            ExportFormat::Csv => {
                let mut writer = csv::WriterBuilder::new()
                    .terminator(csv::Terminator::CRLF)
                    .from_writer(out);
                writer.write_record(COLUMNS)?;
                Self::Csv(Box::new(writer))
            }
        })
    }

    fn write(&mut self, entry: &Entry<'_>, label: Option<&str>) -> Result<()> {
        match self {
            Self::Lines(out, make) => {
                serde_json::to_writer(&mut *out, &make(entry, label))?;
                writeln!(out)?;
            }
            Self::Csv(writer) => writer.write_record(cells(entry, label))?,
        }
        Ok(())
    }

    fn end(self) -> Result<()> {
        match self {
            Self::Lines(mut out, _) => Ok(out.flush()?),
            Self::Csv(mut writer) => writer.flush().context("the export could not be written"),
        }
    }
}

const COLUMNS: [&str; 28] = [
    "id",
    "time",
    "person",
    "agent",
    "connector",
    "version",
    "component",
    "tool",
    "effect",
    "mode",
    "rule",
    "connection",
    "outcome",
    "code",
    "duration_ms",
    "requests",
    "changes",
    "denied",
    "sent_bytes",
    "received_bytes",
    "statuses",
    "records",
    "fields",
    "arguments",
    "message",
    "connection_label",
    "approvals",
    "answer_of",
];

fn cells(entry: &Entry<'_>, label: Option<&str>) -> [String; 28] {
    let CallRow {
        id,
        at,
        person,
        agent,
        connector,
        ..
    } = entry.call;
    let call = entry.call;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let statuses = entry.requests().filter_map(|request| match request {
        Request::Sent(_, Some(answer)) => answer.end.status().map(|status| status.to_string()),
        _ => None,
    });
    let read = entry.sources().map(|source| (&source.kind, &source.id));
    let changed = || {
        let changed = entry.changes().filter(|one| one.fate.may_have_changed());
        changed.map(|one| one.change)
    };
    let changed_records = changed().map(|change| (&change.kind, &change.id));
    let records = read.chain(changed_records).map(|(kind, id)| match id {
        Some(id) => format!("{kind}:{id}"),
        None => kind.clone(),
    });
    let mut fields: Vec<&str> = entry
        .sources()
        .flat_map(|source| source.fields.iter().map(String::as_str))
        .chain(changed().flat_map(|change| change.fields.iter().map(|field| field.name.as_str())))
        .collect();
    fields.sort_unstable();
    fields.dedup();
    let cells = [
        id.to_string(),
        at.to_string(),
        person.clone(),
        agent.clone(),
        connector.clone(),
        text(&call.version),
        text(&call.component),
        text(&call.tool),
        text(&call.effect),
        call.mode
            .as_deref()
            .map(mode_word)
            .unwrap_or_default()
            .to_owned(),
        text(&call.rule),
        text(&call.connection),
        call.ended.as_str().to_owned(),
        text(&call.code),
        call.elapsed_us
            .map_or_else(String::new, |us| (us / 1_000).to_string()),
        call.requests.to_string(),
        call.changes.to_string(),
        call.denied.to_string(),
        call.sent_bytes.to_string(),
        call.received_bytes.to_string(),
        statuses.collect::<Vec<_>>().join(" "),
        records.collect::<Vec<_>>().join(" "),
        fields.join(" "),
        entry
            .opened
            .map_or_else(String::new, |opened| opened.arguments.expose().to_owned()),
        entry.message.unwrap_or_default().to_owned(),
        label.unwrap_or_default().to_owned(),
        entry
            .approvals()
            .map(|id| id.to_string())
            .collect::<Vec<_>>()
            .join(" "),
        text(&call.answer_of),
    ];
    cells.map(|cell| harmless(&cell))
}

/// A cell that no spreadsheet takes for a formula.
pub(super) fn harmless(cell: &str) -> String {
    match cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{cell}"),
        false => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn no_cell_is_a_formula() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(harmless(formula), format!("'{formula}"));
        }
        assert_eq!(harmless("{\"soql\": \"=\"}"), "{\"soql\": \"=\"}");
    }
}
