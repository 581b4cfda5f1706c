//! Refusals as Salesforce words them: an excerpt of the query, a caret, the row and column, the reason.
//!
//! The reasons are Salesforce's own where they are known from its answers: clients read them.

use std::fmt::Display;

use soql::{ParseError, Span};

use crate::error::ApiError;

/// Characters of the query shown on either side of the place.
const EXCERPT_SIDE_CHARS: usize = 40;

/// The text of a query, to point into.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'s>(pub(crate) &'s str);

impl<'s> Source<'s> {
    /// Makes the 400 that points at the first character of `span`.
    pub(super) fn refuse(self, code: &str, span: Span, reason: impl Display) -> ApiError {
        self.refuse_at(code, span.start, reason)
    }

    /// Makes the `MALFORMED_QUERY` that points at the first character of `span`.
    pub(super) fn malformed(self, span: Span, reason: impl Display) -> ApiError {
        self.refuse("MALFORMED_QUERY", span, reason)
    }

    /// Makes the `INVALID_FIELD` that points at the first character of `span`.
    pub(super) fn invalid_field(self, span: Span, reason: impl Display) -> ApiError {
        self.refuse("INVALID_FIELD", span, reason)
    }

    /// Makes the refusal of a text that is no query.
    pub(super) fn unparsed(self, error: &ParseError) -> ApiError {
        let found = error.found.as_deref().unwrap_or("<EOF>");
        let message = error.message.as_str();
        let place = format!("line {}:{}", error.position.line, error.position.column - 1);
        let reason = if message.starts_with("the text is longer") {
            let max = soql::INPUT_CHARS_MAX;
            let reason = format!("SOQL statements cannot be longer than {max} characters.");
            return ApiError::bad_request("MALFORMED_QUERY", reason);
        } else if message.starts_with("bind variables") {
            "Bind variables only allowed in Apex code".into()
        } else if message.starts_with("a string is not closed") {
            format!("{place} mismatched character '<EOF>' expecting '''")
        } else if message.starts_with("unexpected character")
            || message.starts_with("strings are written in single quotes")
        {
            let found: String = found.chars().take(1).collect();
            format!("{place} no viable alternative at character '{found}'")
        } else if message.starts_with("nested more than") {
            message.into()
        } else {
            format!("unexpected token: '{found}'")
        };
        self.refuse_at("MALFORMED_QUERY", error.position.offset, reason)
    }

    /// Gives the line, from 1, and the column, from 0, of a byte.
    pub(crate) fn place(self, offset: usize) -> (usize, usize) {
        let before = self.until(offset);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let row = before.matches('\n').count() + 1;
        (row, before[line_start..].chars().count())
    }

    /// Gives what stands before a byte, or before the character that it is in.
    fn until(self, offset: usize) -> &'s str {
        let mut offset = offset.min(self.0.len());
        while !self.0.is_char_boundary(offset) {
            offset -= 1;
        }
        self.0.split_at(offset).0
    }

    /// Makes the 400 that points at a byte.
    pub(crate) fn refuse_at(self, code: &str, offset: usize, reason: impl Display) -> ApiError {
        let before = self.until(offset);
        let after = &self.0[before.len()..];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let (row, column) = self.place(offset);
        let from = column.saturating_sub(EXCERPT_SIDE_CHARS);
        let excerpt: String = before[line_start..]
            .chars()
            .skip(from)
            .chain(
                after
                    .chars()
                    .take_while(|c| *c != '\n')
                    .take(EXCERPT_SIDE_CHARS),
            )
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let indent = " ".repeat(column - from);
        let column = column + 1;
        ApiError::bad_request(
            code,
            format!("\n{excerpt}\n{indent}^\nERROR at Row:{row}:Column:{column}\n{reason}"),
        )
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_points_at_its_place() {
        let source = Source("SELECT Id\nFROM\tAcount");
        let span = Span { start: 15, end: 21 };
        let error = source.refuse("INVALID_TYPE", span, "no such object");
        assert_eq!(error.status, 400);
        assert_eq!(
            error.message,
            "\nFROM Acount\n     ^\nERROR at Row:2:Column:6\nno such object"
        );
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let soql = format!("{}é{}", "a".repeat(100), "b".repeat(100));
        let span = Span {
            start: 101,
            end: 102,
        };
        let message = Source(&soql).malformed(span, "x").message;
        let lines: Vec<_> = message.lines().collect();
        assert_eq!(
            lines[1],
            format!("{}é{}", "a".repeat(40), "b".repeat(39)),
            "the byte inside `é` is brought to its start"
        );
        assert_eq!(lines[2].len(), 41);
        assert_eq!(lines[3], "ERROR at Row:1:Column:101");
    }

    #[test]
    fn a_text_that_is_no_query_is_refused_in_salesforces_words() {
        let cases = [
            ("SELECT Id FORM Account", "unexpected token: 'FORM'"),
            ("SELECT Id", "unexpected token: '<EOF>'"),
            ("SELECT Id, FROM Account", "unexpected token: 'FROM'"),
            (
                "SELECT Id FROM Account WHERE Name = \"x\"",
                "line 1:36 no viable alternative at character '\"'",
            ),
            (
                "SELECT Id FROM Account WHERE Name = 'x",
                "line 1:36 mismatched character '<EOF>' expecting '''",
            ),
            (
                "SELECT Id FROM Account WHERE Name = :name",
                "Bind variables only allowed in Apex code",
            ),
            (
                "SELECT Id FROM Account WHERE A = 1 AND B = 2 OR C = 3",
                "unexpected token: 'OR'",
            ),
        ];
        for (soql, reason) in cases {
            let error = Source(soql).unparsed(&soql::parse_query(soql).unwrap_err());
            assert_eq!(error.code, "MALFORMED_QUERY");
            assert_eq!(error.message.lines().last(), Some(reason), "{soql}");
        }
    }
}
