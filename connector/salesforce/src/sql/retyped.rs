//! A literal of another type than its field: a date in quotes, a number as a text, a checkbox as 1.

use super::token::{Token, tokens, written};
use crate::meant;

/// What a literal has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A text in single quotes.
    Text,
    /// `TRUE` or `FALSE`.
    Boolean,
    /// A number.
    Number,
    /// `2026-11-23`
    Date,
    /// `2026-11-23T09:00:00Z`
    Moment,
    /// `09:00:00Z`
    Time,
}

impl Wanted {
    /// Reads the word by which the service names a type.
    pub fn of_word(word: &str) -> Option<Self> {
        Some(match word {
            "string" | "ID" => Self::Text,
            "boolean" => Self::Boolean,
            "int" | "double" => Self::Number,
            "date" => Self::Date,
            "dateTime" => Self::Moment,
            "time" => Self::Time,
            _ => return None,
        })
    }

    fn of(self, token: &Token) -> Option<Token> {
        let text = match token {
            Token::Text(text, _) | Token::Literal(text) | Token::Word(text) => text,
            Token::Mark(_) => return None,
        };
        let literal = match self {
            Self::Text => return Some(Token::Text(text.clone(), false)),
            Self::Boolean => {
                return meant::boolean(text).map(|value| Token::Word(value.to_string()));
            }
            Self::Number => meant::number(text),
            Self::Date => meant::days(text).into_iter().next(),
            Self::Moment => meant::moments(text).into_iter().next(),
            Self::Time => meant::time(text).map(|time| time + "Z"),
        };
        literal.map(Token::Literal)
    }
}

/// Gives the query with the literals that a field is compared with as `wanted`. `None`: there is none that can be read so.
pub fn retyped(text: &str, field: &str, wanted: Wanted) -> Option<String> {
    let mut tokens = tokens(text)?;
    let mut changed = false;
    for at in 0..tokens.len() {
        let is_field = tokens[at].as_word().is_some_and(|word| {
            let last = word.rsplit('.').next().unwrap_or(word);
            let asked = field.rsplit('.').next().unwrap_or(field);
            last.eq_ignore_ascii_case(asked)
        });
        if !is_field {
            continue;
        }
        let mut next = at + 1;
        let negated = tokens.get(next).is_some_and(|token| token.is("NOT"));
        next += usize::from(negated);
        let places = match tokens.get(next) {
            Some(token) if token.is_comparison() => next + 1..next + 2,
            Some(token) if token.is("IN") => {
                let rest = tokens[next..].iter();
                let end = rest.take_while(|token| !token.is(")")).count();
                next + 1..next + end
            }
            _ => continue,
        };
        for place in places {
            if let Some(literal) = tokens.get(place).and_then(|token| wanted.of(token)) {
                changed |= tokens[place] != literal;
                tokens[place] = literal;
            }
        }
    }
    let text = written(&tokens);
    let query = soql::parse_query(&text).ok().filter(|_| changed)?;
    Some(query.to_string())
}
