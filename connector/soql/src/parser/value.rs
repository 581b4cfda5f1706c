//! Literals.

use super::{Parsed, Parser};
use crate::ast::Value;
use crate::lexer::is_currency;
use crate::literal::{Date, DateLiteral, DateLiteralName, DateTime, DateUnit, StringLiteral, Time};
use crate::token::TokenKind;

impl Parser<'_> {
    pub(super) fn value(&mut self) -> Parsed<Value> {
        self.refuse_bind()?;
        match self.kind() {
            TokenKind::String => self.string().map(Value::String),
            TokenKind::Number => {
                let text = self.bump();
                Ok(text
                    .parse()
                    .map_or_else(|_| Value::Decimal(text.to_owned()), Value::Integer))
            }
            TokenKind::Currency => Ok(currency(self.bump())),
            TokenKind::Date => self.date(),
            TokenKind::Word => self.word_value(),
            _ => Err(self.unexpected(&["a value"])),
        }
    }

    /// Parses a string in quotes.
    pub(super) fn string(&mut self) -> Parsed<StringLiteral> {
        if self.kind() != TokenKind::String {
            return Err(self.unexpected(&["a string"]));
        }
        let text = self.bump();
        Ok(StringLiteral::from_raw(text[1..text.len() - 1].to_owned()))
    }

    /// Parses a number of rows.
    pub(super) fn count(&mut self) -> Parsed<u64> {
        self.refuse_bind()?;
        let text = self.text_ahead(0);
        match text.parse() {
            Ok(count) if self.kind() == TokenKind::Number => {
                self.at += 1;
                Ok(count)
            }
            _ => Err(self.unexpected(&["a whole number"])),
        }
    }

    fn date(&mut self) -> Parsed<Value> {
        let text = self.text_ahead(0);
        let value = if text.contains(['T', 't']) {
            DateTime::parse(text).map(Value::DateTime)
        } else if text.contains(':') {
            Time::parse(text).map(Value::Time)
        } else {
            Date::parse(text).map(Value::Date)
        };
        let Some(value) = value else {
            let message = format!("not a date or a date and time: `{text}`");
            return Err(self.error_here(
                message,
                &[
                    "a date like `2026-01-31`",
                    "a moment like `2026-01-31T10:00:00Z`",
                    "a time of day like `10:00:00Z`",
                ],
            ));
        };
        self.at += 1;
        Ok(value)
    }

    fn word_value(&mut self) -> Parsed<Value> {
        let text = self.text_ahead(0);
        let value = if text.eq_ignore_ascii_case("TRUE") {
            Value::Boolean(true)
        } else if text.eq_ignore_ascii_case("FALSE") {
            Value::Boolean(false)
        } else if text.eq_ignore_ascii_case("NULL") {
            Value::Null
        } else if is_currency(text) {
            currency(text)
        } else {
            return match DateLiteralName::parse(text) {
                Some(DateLiteralName::Whole(literal)) => {
                    self.at += 1;
                    Ok(Value::DateLiteral(literal))
                }
                Some(DateLiteralName::Counted(make, unit)) => self.counted(make, unit),
                None => Err(self.unexpected(&["a value (strings are written in single quotes)"])),
            };
        };
        self.at += 1;
        Ok(value)
    }

    fn counted(&mut self, make: fn(DateUnit, u32) -> DateLiteral, unit: DateUnit) -> Parsed<Value> {
        self.at += 1;
        self.symbol(":")?;
        let n = u32::try_from(self.count()?).map_err(|_| {
            self.at -= 1;
            self.unexpected(&["a smaller number"])
        })?;
        Ok(Value::DateLiteral(make(unit, n)))
    }
}

/// Splits `USD5000` after the code.
fn currency(text: &str) -> Value {
    let (code, amount) = text.split_at(3);
    Value::Currency {
        code: code.to_owned(),
        amount: amount.to_owned(),
    }
}
