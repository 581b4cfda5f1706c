//! Recursive descent over the tokens. This file owns the cursor, its errors and its bounds.

mod clauses;
mod condition;
mod select;
mod sosl;
mod value;

use crate::ast::{FieldPath, Ident, Query, Search, Span};
use crate::error::{ParseError, Position};
use crate::lexer;
use crate::token::{RESERVED, Token, TokenKind};

/// The longest text, in characters: Salesforce's own limit for a SOQL statement.
pub const INPUT_CHARS_MAX: usize = 100_000;

/// The deepest nesting of parentheses, `NOT`s, functions and subqueries together.
///
/// A guest's stack is a few hundred KiB and a level takes a few frames of up to a KiB or so; Salesforce
/// itself allows five levels of subqueries, and no person writes sixty parentheses.
pub const NESTING_MAX: usize = 60;

/// Parses one SOQL query.
///
/// # Errors
///
/// When the text is too long, nested too deeply or not a query; the error points at the place.
pub fn parse_query(source: &str) -> Result<Query, ParseError> {
    let mut parser = Parser::new(source)?;
    let query = parser.query()?;
    parser.end()?;
    Ok(query)
}

/// Parses one SOSL search.
///
/// # Errors
///
/// When the text is too long, nested too deeply or not a search; the error points at the place.
pub fn parse_search(source: &str) -> Result<Search, ParseError> {
    let mut parser = Parser::new(source)?;
    let search = parser.search()?;
    parser.end()?;
    Ok(search)
}

/// Keywords that start a clause, to recognise when misspelled.
const CLAUSES: [&str; 7] = [
    "WHERE", "WITH", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET",
];

type Parsed<T> = Result<T, ParseError>;

struct Parser<'s> {
    source: &'s str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl<'s> Parser<'s> {
    fn new(source: &'s str) -> Parsed<Self> {
        if let Some((offset, _)) = source.char_indices().nth(INPUT_CHARS_MAX) {
            return Err(ParseError {
                message: format!("the text is longer than {INPUT_CHARS_MAX} characters"),
                position: Position::of(source, offset),
                found: None,
                expected: Vec::new(),
                did_you_mean: None,
            });
        }
        Ok(Self {
            source,
            tokens: lexer::tokens(source),
            at: 0,
            depth: 0,
        })
    }

    /// Gives the token `ahead` of the cursor; beyond the last, the last.
    fn token(&self, ahead: usize) -> &Token {
        let last = self.tokens.len() - 1;
        &self.tokens[(self.at + ahead).min(last)]
    }

    fn text_ahead(&self, ahead: usize) -> &'s str {
        let span = self.token(ahead).span;
        &self.source[span.start..span.end]
    }

    fn kind(&self) -> TokenKind {
        self.token(0).kind
    }

    /// Gives the first byte of the token at the cursor.
    fn start(&self) -> usize {
        self.token(0).span.start
    }

    /// Gives the span from a byte to the end of the last token taken.
    fn since(&self, start: usize) -> Span {
        let end = self
            .at
            .checked_sub(1)
            .map_or(start, |last| self.tokens[last].span.end);
        Span {
            start,
            end: end.max(start),
        }
    }

    /// Takes the token at the cursor; the end is never passed.
    fn bump(&mut self) -> &'s str {
        let text = self.text_ahead(0);
        if self.kind() != TokenKind::End {
            self.at += 1;
        }
        text
    }

    fn is_word_ahead(&self, ahead: usize, word: &str) -> bool {
        self.token(ahead).kind == TokenKind::Word
            && self.text_ahead(ahead).eq_ignore_ascii_case(word)
    }

    fn is_word(&self, word: &str) -> bool {
        self.is_word_ahead(0, word)
    }

    fn is_symbol_ahead(&self, ahead: usize, symbol: &str) -> bool {
        self.token(ahead).kind == TokenKind::Symbol && self.text_ahead(ahead) == symbol
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.at += 1;
        }
        found
    }

    /// Takes two words, or neither.
    fn eat_words(&mut self, first: &str, second: &str) -> bool {
        let found = self.is_word(first) && self.is_word_ahead(1, second);
        if found {
            self.at += 2;
        }
        found
    }

    fn eat_symbol(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol_ahead(0, symbol);
        if found {
            self.at += 1;
        }
        found
    }

    fn word(&mut self, word: &str) -> Parsed<()> {
        if self.eat_word(word) {
            Ok(())
        } else {
            Err(self.unexpected(&[word]))
        }
    }

    fn symbol(&mut self, symbol: &str) -> Parsed<()> {
        if self.eat_symbol(symbol) {
            Ok(())
        } else {
            Err(self.unexpected(&[symbol]))
        }
    }

    /// Takes the one of `choices` that stands at the cursor.
    fn one_of<T: Copy>(&mut self, choices: &[(&str, T)]) -> Parsed<T> {
        match choices.iter().find(|(word, _)| self.is_word(word)) {
            Some((_, choice)) => {
                self.at += 1;
                Ok(*choice)
            }
            None => {
                let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
                Err(self.unexpected(&words))
            }
        }
    }

    /// Runs `parse` one level deeper.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= NESTING_MAX {
            return Err(self.error_here(format!("nested more than {NESTING_MAX} levels deep"), &[]));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    /// Parses one or more items with commas between.
    fn comma_separated<T>(
        &mut self,
        mut parse: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        let mut items = vec![parse(self)?];
        while self.eat_symbol(",") {
            items.push(parse(self)?);
        }
        Ok(items)
    }

    /// Takes the end. A misspelled clause was perhaps read as an alias, so the error points there.
    fn end(&mut self) -> Parsed<()> {
        if self.kind() == TokenKind::End {
            return Ok(());
        }
        let near = |text: &str| CLAUSES.iter().find(|clause| is_near(text, clause));
        if let Some(last) = self.at.checked_sub(1) {
            let span = self.tokens[last].span;
            if near(&self.source[span.start..span.end]).is_some() {
                self.at = last;
            }
        }
        let mut error = self.unexpected(&["the end"]);
        error.did_you_mean = near(self.text_ahead(0)).map(|clause| (*clause).to_owned());
        Err(error)
    }

    fn is_reserved(&self, ahead: usize) -> bool {
        RESERVED.iter().any(|word| self.is_word_ahead(ahead, word))
    }

    /// Takes any word as a name; `what` names it in the error.
    fn ident(&mut self, what: &str) -> Parsed<Ident> {
        if self.kind() != TokenKind::Word {
            return Err(self.unexpected(&[what]));
        }
        let start = self.start();
        let name = self.bump().to_owned();
        Ok(Ident {
            name,
            span: self.since(start),
        })
    }

    /// Takes a word that is not reserved, or `Group` as an object.
    fn object_name(&mut self) -> Parsed<Ident> {
        let group = self.is_word("GROUP") && !self.is_word_ahead(1, "BY");
        if self.is_reserved(0) && !group {
            return Err(self.unexpected(&["an object"]));
        }
        self.ident("an object")
    }

    /// Takes an alias unless a clause starts here.
    fn alias(&mut self) -> Option<Ident> {
        if self.kind() != TokenKind::Word || self.is_reserved(0) || self.at_clause() {
            return None;
        }
        self.ident("an alias").ok()
    }

    /// Says whether words that are not reserved start a clause here.
    fn at_clause(&self) -> bool {
        let pair = |first, seconds: &[&str]| {
            self.is_word(first) && seconds.iter().any(|second| self.is_word_ahead(1, second))
        };
        pair("ORDER", &["BY"])
            || pair("ALL", &["ROWS"])
            || pair("FOR", &["VIEW", "REFERENCE", "UPDATE"])
            || pair("UPDATE", &["TRACKING", "VIEWSTAT"])
            || (self.is_word("OFFSET") && self.token(1).kind == TokenKind::Number)
    }

    fn field_path(&mut self, what: &str) -> Parsed<FieldPath> {
        // `Group.Name` and the like are fields of a parent whose name is reserved.
        if self.is_reserved(0) && !self.is_symbol_ahead(1, ".") {
            return Err(self.unexpected(&[what]));
        }
        self.refuse_bind()?;
        let start = self.start();
        let mut parts = vec![self.ident(what)?];
        while self.eat_symbol(".") {
            parts.push(self.ident("a field")?);
        }
        Ok(FieldPath {
            parts,
            span: self.since(start),
        })
    }

    fn refuse_bind(&self) -> Parsed<()> {
        if self.is_symbol_ahead(0, ":") {
            let message = "bind variables exist only in Apex; write the value itself";
            return Err(self.error_here(message.to_owned(), &[]));
        }
        Ok(())
    }

    /// Makes the error that the token at the cursor is none of those expected.
    fn unexpected(&self, expected: &[&str]) -> ParseError {
        self.unexpected_at(0, expected)
    }

    fn unexpected_at(&self, ahead: usize, expected: &[&str]) -> ParseError {
        let token = self.token(ahead);
        let text = self.text_ahead(ahead);
        let message = match token.kind {
            TokenKind::End => "unexpected end of the text".to_owned(),
            TokenKind::Bad("unexpected character") => {
                format!("unexpected character: `{}`", text.escape_debug())
            }
            TokenKind::Bad(why) => why.to_owned(),
            _ => format!("unexpected token: `{}`", shortened(text)),
        };
        // A bad token says itself what is wrong.
        let expected = if matches!(token.kind, TokenKind::Bad(_)) {
            &[]
        } else {
            expected
        };
        self.error_at(ahead, message, expected)
    }

    fn error_here(&self, message: String, expected: &[&str]) -> ParseError {
        self.error_at(0, message, expected)
    }

    fn error_at(&self, ahead: usize, message: String, expected: &[&str]) -> ParseError {
        let token = self.token(ahead);
        let text = self.text_ahead(ahead);
        let near = expected
            .iter()
            .find(|word| token.kind == TokenKind::Word && is_near(text, word));
        ParseError {
            message,
            position: Position::of(self.source, token.span.start),
            found: (token.kind != TokenKind::End).then(|| shortened(text)),
            expected: expected.iter().map(|word| display_expected(word)).collect(),
            // With one choice the hint would say it twice.
            did_you_mean: near
                .filter(|_| expected.len() > 1)
                .map(|word| (*word).to_owned()),
        }
    }
}

/// Quotes keywords and symbols; leaves descriptions such as "a field" as they are.
fn display_expected(word: &str) -> String {
    if word.starts_with("a ") || word.starts_with("an ") || word.starts_with("the ") {
        word.to_owned()
    } else {
        format!("`{word}`")
    }
}

/// The characters of a token that an error repeats; a string may be very long.
const TOKEN_SHOWN_CHARS: usize = 60;

fn shortened(text: &str) -> String {
    let mut shown: String = text.chars().take(TOKEN_SHOWN_CHARS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// Says whether a word is a keyword with a letter missing, added or changed, or two letters swapped.
fn is_near(word: &str, keyword: &str) -> bool {
    let (a, b) = (word.to_ascii_uppercase().into_bytes(), keyword.as_bytes());
    if a == b || b.len() < 3 || !b.iter().all(|b| b.is_ascii_uppercase() || *b == b'_') {
        return false;
    }
    let same_start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[same_start..], &b[same_start..]);
    let swapped =
        a.len() == b.len() && a.len() >= 2 && a[0] == b[1] && a[1] == b[0] && a[2..] == b[2..];
    swapped
        || (a.len() == b.len() && a.get(1..) == b.get(1..))
        || a.get(1..) == Some(b)
        || Some(a) == b.get(1..)
}
