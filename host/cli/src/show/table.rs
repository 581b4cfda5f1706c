//! Small tables for people.
//!
//! The attack: a name that a service or another person chose moves the cursor or turns the line around, so that a listing
//! shows what is not there. So what a terminal would obey is shown as a mark.

use std::io::{self, Write};

use super::style::{QUIET, styled};

/// Between two columns.
const GAP: &str = "  ";

/// A table with a head. Its columns are as wide as they need to be.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(head: &[&str]) -> Self {
        let head = head.iter().map(|name| (*name).to_owned()).collect();
        Self { rows: vec![head] }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [&str; N]) {
        self.rows
            .push(cells.iter().map(|cell| shown(cell)).collect());
    }

    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for (number, row) in self.rows.iter().enumerate() {
            let cells = row.iter().zip(&widths);
            let line: Vec<String> = cells
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect();
            let line = line.join(GAP);
            let line = line.trim_end();
            match number {
                0 => writeln!(out, "{}", styled(QUIET, line))?,
                _ => writeln!(out, "{line}")?,
            }
        }
        Ok(())
    }
}

/// What of a text is shown: all but what a terminal would obey, and what turns a line around (UAX #9).
pub(crate) fn shown(text: &str) -> String {
    let is_order = |char: char| {
        char.is_control()
            || matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}')
    };
    let shown = |char| if is_order(char) { '\u{fffd}' } else { char };
    text.chars().map(shown).collect()
}

pub(crate) fn moment(at: Option<jiff::Timestamp>) -> String {
    match at {
        Some(at) => at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        None => "never".to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_gives_orders_to_the_terminal_is_shown_without_them() {
        let mut table = Table::new(&["ID", "NAME"]);
        table.row(["ada", "Ada\u{1b}[2J\r\nroot  admin"]);
        table.row(["bartholomew", "\u{202e}nimda"]);
        let mut out = Vec::new();
        table.write(&mut out).unwrap();
        let out = String::from_utf8(anstream_free(out)).unwrap();
        insta::assert_snapshot!(out, @r"
        ID           NAME
        ada          Ada�[2J��root  admin
        bartholomew  �nimda
        ");
    }

    /// Without the colours of the head.
    fn anstream_free(out: Vec<u8>) -> Vec<u8> {
        let mut plain = anstream::StripStream::new(Vec::new());
        plain.write_all(&out).unwrap();
        plain.into_inner()
    }
}
