//! The words of a query as somebody who knows SQL writes them.

/// A word, a mark or a literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name, with its dots, or a keyword.
    Word(String),
    /// What begins with a digit: a number, a date, a time.
    Literal(String),
    /// A text, without its quotes; `true`: in such as SQL writes names in.
    Text(String, bool),
    /// One of `= != < > <= >= ( ) , * ;` and others.
    Mark(String),
}

impl Token {
    /// Makes a word.
    pub(super) fn word(word: &str) -> Self {
        Self::Word(word.to_owned())
    }

    /// Makes a mark.
    pub(super) fn mark(mark: &str) -> Self {
        Self::Mark(mark.to_owned())
    }

    /// Says whether it is a keyword, in any case, or a mark.
    pub(super) fn is(&self, wanted: &str) -> bool {
        match self {
            Self::Word(word) => word.eq_ignore_ascii_case(wanted),
            Self::Mark(mark) => mark == wanted,
            _ => false,
        }
    }

    /// Gives the word, if it is one.
    pub(super) fn as_word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            _ => None,
        }
    }

    /// Says whether it compares.
    pub(super) fn is_comparison(&self) -> bool {
        ["=", "!=", "<>", "<", ">", "<=", ">=", "LIKE"]
            .iter()
            .any(|mark| self.is(mark))
    }
}

/// Marks of two characters.
const DOUBLE: [&str; 8] = ["!=", "<>", "<=", ">=", "==", "&&", "||", "=="];

/// Cuts a text into tokens; `None` where a quote is not closed.
pub(super) fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '\'' | '"' | '`' | '[' | '\u{2018}' | '\u{2019}' | '\u{201c}' | '\u{201d}' => {
                quoted(rest, first)?
            }
            'a'..='z' | 'A'..='Z' | '_' => {
                let length = leading(rest, |c| {
                    c.is_ascii_alphanumeric() || matches!(c, '_' | '.')
                });
                let word = rest[..length].trim_end_matches('.');
                let counted = word.to_ascii_uppercase();
                // `LAST_N_DAYS:30`
                let number = rest[word.len()..]
                    .strip_prefix(':')
                    .filter(|_| counted.contains("N_"));
                let number = number.map_or(0, |rest| 1 + leading(rest, |c| c.is_ascii_digit()));
                let length = word.len() + number;
                (Token::word(&rest[..length]), length)
            }
            '0'..='9' => literal(rest),
            '-' | '+' | '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => literal(rest),
            _ => {
                let double = DOUBLE.iter().find(|mark| rest.starts_with(**mark));
                let length = double.map_or(first.len_utf8(), |mark| mark.len());
                (Token::mark(&rest[..length]), length)
            }
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Some(tokens)
}

fn leading(text: &str, accepts: impl Fn(char) -> bool) -> usize {
    text.find(|c| !accepts(c)).unwrap_or(text.len())
}

fn literal(text: &str) -> (Token, usize) {
    let within = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | '+' | '/');
    let length = leading(text, within);
    (Token::Literal(text[..length].to_owned()), length)
}

/// Reads a text with its quotes; a quote in it is doubled, as in SQL, or has a backslash before it.
fn quoted(text: &str, open: char) -> Option<(Token, usize)> {
    let close = match open {
        '[' => ']',
        '\u{2018}' => '\u{2019}',
        '\u{201c}' => '\u{201d}',
        other => other,
    };
    let mut inside = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                let (_, escaped) = chars.next()?;
                inside.push('\\');
                inside.push(escaped);
            }
            c if c == close => {
                if chars.peek().is_some_and(|(_, next)| *next == close) {
                    chars.next();
                    inside.push(close);
                    continue;
                }
                let is_name = matches!(open, '"' | '`' | '[');
                return Some((Token::Text(inside, is_name), at + c.len_utf8()));
            }
            c => inside.push(c),
        }
    }
    None
}

/// Writes tokens as SOQL has them.
pub(super) fn written(tokens: &[Token]) -> String {
    let mut text = String::new();
    for token in tokens {
        if !text.is_empty() && !text.ends_with('(') && !token.is(")") && !token.is(",") {
            text.push(' ');
        }
        match token {
            Token::Word(word) | Token::Literal(word) | Token::Mark(word) => text.push_str(word),
            Token::Text(inside, _) => {
                text.push('\'');
                push_escaped(&mut text, inside);
                text.push('\'');
            }
        }
    }
    text
}

/// A quote that has no backslash before it gets one; what has one keeps it.
fn push_escaped(text: &mut String, inside: &str) {
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => text.push_str("\\'"),
            '\\' => {
                text.push(c);
                text.extend(chars.next());
            }
            c => text.push(c),
        }
    }
}
