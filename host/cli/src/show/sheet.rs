//! One thing with what is known of it, a line for each.

use std::io::{self, Write};

use super::style::{QUIET, TITLE, styled};
use super::table::shown;

/// The narrowest that names of lines are written.
const WIDTH_MIN: usize = 12;

/// A title and named lines below it.
pub(crate) struct Sheet {
    title: String,
    lines: Vec<(String, String)>,
}

impl Sheet {
    pub(crate) fn new(title: &str) -> Self {
        Self {
            title: shown(title),
            lines: Vec::new(),
        }
    }

    pub(crate) fn line(&mut self, name: &str, text: &str) {
        self.lines.push((name.to_owned(), shown(text)));
    }

    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}", styled(TITLE, &self.title))?;
        let widths = self.lines.iter().map(|(name, _)| name.chars().count());
        let width = widths.max().unwrap_or(0).max(WIDTH_MIN);
        for (name, text) in &self.lines {
            let name = styled(QUIET, format!("{name:<width$}"));
            writeln!(out, "  {name} {text}")?;
        }
        Ok(())
    }
}

/// Lists names, or says that there are none.
pub(crate) fn or_none(names: &[String]) -> String {
    match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(", "),
    }
}
