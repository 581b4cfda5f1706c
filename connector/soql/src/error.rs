//! What is wrong with a text, where, and what would have been right.

use std::fmt;

/// A place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Bytes from the start; at most the length of the text.
    pub offset: usize,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
}

impl Position {
    /// Finds the line and column of a byte of `source`.
    pub(crate) fn of(source: &str, offset: usize) -> Self {
        let mut offset = offset.min(source.len());
        while !source.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &source[..offset];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            offset,
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

/// Why a text is not a query or a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// What is wrong: ``unexpected token: `FORM` ``.
    pub message: String,
    /// Where.
    pub position: Position,
    /// The token found there; `None` at the end of the text.
    pub found: Option<String>,
    /// What could have stood there instead; empty when the message says it all.
    pub expected: Vec<String>,
    /// The keyword near to what was found, when several were expected.
    pub did_you_mean: Option<String>,
}

/// Characters shown on either side of the place in [`ParseError::excerpt`].
const EXCERPT_SIDE_CHARS: usize = 40;

impl ParseError {
    /// Shows the source around the place, and under it a caret line.
    ///
    /// Long lines are cut to 40 characters on either side. `source` is the text that was parsed.
    pub fn excerpt(&self, source: &str) -> String {
        let line = source
            .split('\n')
            .nth(self.position.line - 1)
            .unwrap_or_default();
        let at = self.position.column - 1;
        let from = at.saturating_sub(EXCERPT_SIDE_CHARS);
        let shown: String = line
            .chars()
            .skip(from)
            .take(at - from + EXCERPT_SIDE_CHARS)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        format!("{}\n{}^", shown.trim_end(), " ".repeat(at - from))
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column, .. } = self.position;
        write!(f, "{} at line {line}, column {column}", self.message)?;
        if let Some((last, rest)) = self.expected.split_last() {
            f.write_str(": expected ")?;
            if !rest.is_empty() {
                write!(f, "{} or ", rest.join(", "))?;
            }
            f.write_str(last)?;
        }
        if let Some(near) = &self.did_you_mean {
            write!(f, " (did you mean `{near}`?)")?;
        }
        Ok(())
    }
}

impl std::error::Error for ParseError {}
