//! Cuts the text into tokens. Never fails: what cannot be a token becomes [`TokenKind::Bad`], for the
//! parser to report when it gets there.

use crate::ast::Span;
use crate::token::{Token, TokenKind};

/// Cuts `source` into tokens; the last is always [`TokenKind::End`].
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        let rest = &source[at..];
        at += rest.len() - rest.trim_start().len();
        let (kind, length) = next(&source[at..]);
        tokens.push(Token {
            kind,
            span: Span {
                start: at,
                end: at + length,
            },
        });
        at += length;
        if kind == TokenKind::End {
            return tokens;
        }
    }
}

/// Reads one token at the start of `text`; its length is positive unless it is the end.
fn next(text: &str) -> (TokenKind, usize) {
    let Some(first) = text.chars().next() else {
        return (TokenKind::End, 0);
    };
    let second = text[first.len_utf8()..].chars().next();
    match first {
        'a'..='z' | 'A'..='Z' | '_' => word(text),
        '0'..='9' => number_or_date(text),
        '.' | '+' | '-' if second.is_some_and(|c| c.is_ascii_digit()) => number_or_date(text),
        '+' | '-'
            if second == Some('.') && text.as_bytes().get(2).is_some_and(u8::is_ascii_digit) =>
        {
            number_or_date(text)
        }
        '\'' => string(text),
        '{' => braces(text),
        '!' if second == Some('=') => (TokenKind::Symbol, 2),
        '<' if matches!(second, Some('=' | '>')) => (TokenKind::Symbol, 2),
        '>' if second == Some('=') => (TokenKind::Symbol, 2),
        '(' | ')' | ',' | '.' | ':' | '=' | '<' | '>' => (TokenKind::Symbol, 1),
        '"' | '\u{2018}' | '\u{2019}' | '\u{201c}' | '\u{201d}' => (
            TokenKind::Bad("strings are written in single quotes"),
            first.len_utf8(),
        ),
        ';' => (TokenKind::Bad("a query does not end in a semicolon"), 1),
        _ => (TokenKind::Bad("unexpected character"), first.len_utf8()),
    }
}

fn leading(text: &str, accepts: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|b| accepts(*b)).count()
}

fn word(text: &str) -> (TokenKind, usize) {
    let length = leading(text, |b| b.is_ascii_alphanumeric() || b == b'_');
    let cents = text[length..]
        .strip_prefix('.')
        .map_or(0, |rest| leading(rest, |b| b.is_ascii_digit()));
    if cents > 0 && is_currency(&text[..length]) {
        return (TokenKind::Currency, length + 1 + cents);
    }
    (TokenKind::Word, length)
}

/// Says whether a word is three letters and digits.
pub(crate) fn is_currency(word: &str) -> bool {
    word.split_at_checked(3).is_some_and(|(code, amount)| {
        code.bytes().all(|b| b.is_ascii_alphabetic())
            && !amount.is_empty()
            && amount.bytes().all(|b| b.is_ascii_digit())
    })
}

fn number_or_date(text: &str) -> (TokenKind, usize) {
    let bytes = text.as_bytes();
    let day = bytes.len() > 5
        && bytes[..4].iter().all(u8::is_ascii_digit)
        && bytes[4] == b'-'
        && bytes[5].is_ascii_digit();
    if day {
        let date = leading(text, |b| b.is_ascii_digit() || b == b'-');
        let length = if matches!(bytes.get(date), Some(b'T' | b't')) {
            leading(text, |b| {
                b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b':' | b'.')
            })
        } else {
            date
        };
        return (TokenKind::Date, length);
    }
    // A time of day.
    if bytes.len() > 3 && bytes[..2].iter().all(u8::is_ascii_digit) && bytes[2] == b':' {
        let length = leading(text, |b| {
            b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b':' | b'.')
        });
        return (TokenKind::Date, length);
    }
    let sign = usize::from(matches!(bytes[0], b'+' | b'-'));
    let whole = leading(&text[sign..], |b| b.is_ascii_digit());
    let mut length = sign + whole;
    if bytes.get(length) == Some(&b'.') {
        let fraction = leading(&text[length + 1..], |b| b.is_ascii_digit());
        length += if fraction > 0 { 1 + fraction } else { 0 };
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        let exponent = leading(&text[length + 1 + sign..], |b| b.is_ascii_digit());
        length += if exponent > 0 { 1 + sign + exponent } else { 0 };
    }
    let tail = leading(&text[length..], |b| b.is_ascii_alphanumeric() || b == b'_');
    if tail > 0 {
        return (
            TokenKind::Bad("a number runs into a word; strings are written in single quotes"),
            length + tail,
        );
    }
    (TokenKind::Number, length)
}

fn string(text: &str) -> (TokenKind, usize) {
    let mut chars = text.char_indices().skip(1);
    let mut bad = None;
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' => return (bad.map_or(TokenKind::String, TokenKind::Bad), at + 1),
            '\\' => match chars.next() {
                Some((_, 'u' | 'U')) => {
                    if text[at + 2..]
                        .chars()
                        .take(4)
                        .filter(char::is_ascii_hexdigit)
                        .count()
                        < 4
                    {
                        bad =
                            Some("invalid escape in a string: `\\u` needs four hexadecimal digits");
                    }
                }
                Some((
                    _,
                    'n' | 'N' | 'r' | 'R' | 't' | 'T' | 'b' | 'B' | 'f' | 'F' | '"' | '\'' | '\\'
                    | '_' | '%',
                )) => {}
                _ => bad = Some("invalid escape in a string: a backslash is written `\\\\`"),
            },
            _ => {}
        }
    }
    (TokenKind::Bad("a string is not closed"), text.len())
}

fn braces(text: &str) -> (TokenKind, usize) {
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '}' => return (TokenKind::Braces, at + 1),
            '\\' => {
                chars.next();
            }
            _ => {}
        }
    }
    (
        TokenKind::Bad("the search text is not closed by `}`"),
        text.len(),
    )
}
