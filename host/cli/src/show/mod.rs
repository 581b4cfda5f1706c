//! What the program prints: answers, problems and audit entries, for people and for programs.

pub(crate) mod audit;
mod event;
pub(crate) mod reply;
pub(crate) mod style;

use std::io::{self, Write};

use serde_json::Value;

/// Prints a JSON value and a line's end.
pub(crate) fn json(value: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)
}
