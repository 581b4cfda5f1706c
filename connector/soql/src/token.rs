//! What the lexer makes of the text.

use crate::ast::Span;

/// A token and its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Span,
}

/// The kinds of token. Keywords are words: which words are keywords depends on the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A name or keyword; `USD5000` too.
    Word,
    /// `USD5000.50`, the only currency literal that is not also a word.
    Currency,
    /// A number, with a sign or without.
    Number,
    /// What starts as a date or a moment does.
    Date,
    /// A string in quotes.
    String,
    /// The text of `FIND`, in braces.
    Braces,
    /// Punctuation or an operator, told apart by its text.
    Symbol,
    /// What cannot be a token, and why.
    Bad(&'static str),
    /// The end of the text.
    End,
}

/// Words that can be neither alias nor, unless a dot follows, the start of a field.
///
/// From "Reserved Keywords" in the *SOQL and SOSL Reference*, with `HAVING`.
pub(crate) const RESERVED: [&str; 21] = [
    "AND", "ASC", "DESC", "EXCLUDES", "FIRST", "FROM", "GROUP", "HAVING", "IN", "INCLUDES", "LAST",
    "LIKE", "LIMIT", "NOT", "NULL", "NULLS", "OR", "SELECT", "USING", "WHERE", "WITH",
];
