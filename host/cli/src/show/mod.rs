//! What the program prints: answers, problems and audit entries, for people and for programs.

pub(crate) mod audit;
pub(crate) mod event;
pub(crate) mod reply;
pub(crate) mod sheet;
pub(crate) mod style;
pub(crate) mod table;

use std::io::{self, Write};

use serde_json::Value;

use crate::args::Form;
use style::{HINT, styled};

/// Prints a JSON value and a line's end.
pub(crate) fn json(value: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)
}

/// Says what was done: a sentence and what comes next to people, a value to programs. Where that cannot be printed, it is done all the same: no
/// failure, which would say that it is not.
pub(crate) fn done(
    form: Form,
    value: &Value,
    sentence: &str,
    next: Option<&str>,
) -> io::Result<()> {
    let Err(error) = print(form, value, sentence, next) else {
        return Ok(());
    };
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Err(error);
    }
    let _ = note(&format!("{sentence} (This could not be printed: {error}.)")); // There is nowhere else to say it.
    Ok(())
}

fn print(form: Form, value: &Value, sentence: &str, next: Option<&str>) -> io::Result<()> {
    if form.json {
        return json(value);
    }
    let mut out = anstream::stdout().lock();
    writeln!(out, "{sentence}")?;
    if let Some(next) = next {
        writeln!(out, "{} {next}", styled(HINT, "next:"))?;
    }
    out.flush()
}

/// Writes how many there are of something, such as `1 call` or `2 calls`.
pub(crate) fn counted(count: impl Into<u64>, what: &str) -> String {
    let count = count.into();
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// Writes a moment for people.
pub(crate) fn moment(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Says something beside the answer, on standard error.
pub(crate) fn note(text: &str) -> io::Result<()> {
    writeln!(
        anstream::stderr().lock(),
        "{} {text}",
        styled(HINT, "note:")
    )
}
