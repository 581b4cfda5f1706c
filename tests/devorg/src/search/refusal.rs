//! Refusals of searches as Salesforce words them.
//!
//! A place is told one to the left of where a query's would be, as its answers have it:
//! `FIND {John|Jane}` is refused at column 10, with the caret below the `n`.

use std::fmt::Display;

use soql::{ParseError, Span};

use super::term::Mistake;
use crate::error::ApiError;
use crate::query::Source;

/// Makes the `MALFORMED_SEARCH` that points at `span`.
pub(super) fn malformed(source: Source<'_>, span: Span, reason: impl Display) -> ApiError {
    at(source, span.start, reason)
}

fn at(source: Source<'_>, offset: usize, reason: impl Display) -> ApiError {
    source.refuse_at("MALFORMED_SEARCH", offset.saturating_sub(1), reason)
}

/// Makes the refusal of a text that is no search.
pub(super) fn unparsed(source: Source<'_>, error: &ParseError) -> ApiError {
    let found = error.found.as_deref().unwrap_or("<EOF>");
    let place = error.position;
    let expects = |word: &str| {
        let mut expected = error.expected.iter();
        expected.any(|expected| expected.contains(word))
    };
    let reason = if error.message.starts_with("the text is longer") {
        let max = soql::INPUT_CHARS_MAX;
        let message = format!("SOSL statements cannot be longer than {max} characters.");
        return ApiError::bad_request("MALFORMED_SEARCH", message);
    } else if error.message.starts_with("the search text is not closed") {
        format!(
            "line {}:{} mismatched character '<EOF>' expecting '}}'",
            place.line,
            place.column - 1
        )
    } else if error.message.starts_with("the search text is empty") || expects("braces") {
        let message = "No search term found. The search term must be enclosed in braces.";
        return ApiError::bad_request("MALFORMED_SEARCH", message);
    } else if expects("FIELDS") || expects("SIDEBAR") {
        format!("Malformed search token: {found}")
    } else {
        format!("unexpected token: '{found}'")
    };
    at(source, place.offset, reason)
}

/// Makes the refusal of what stands between the braces.
pub(super) fn mistaken(source: Source<'_>, find: &str, mistake: &Mistake) -> ApiError {
    match mistake {
        Mistake::TooShort => {
            let message = format!("search term must be longer than one character: {find}");
            ApiError::bad_request("MALFORMED_SEARCH", message)
        }
        Mistake::Mismatched {
            at: offset,
            found,
            expected,
        } => {
            // The braces are the first of the statement: nothing but `FIND` stands before them.
            let offset = source.0.find('{').map_or(0, |brace| brace + 1) + offset;
            let found = found.map_or_else(|| "<EOF>".to_owned(), String::from);
            let (line, column) = source.place(offset);
            let reason = format!(
                "line {line}:{column} mismatched character '{found}' expecting '{expected}'"
            );
            at(source, offset, reason)
        }
    }
}
