//! `WHERE` and `HAVING` conditions.

use super::{Parsed, Parser};
use crate::ast::*;
use crate::token::TokenKind;

impl Parser<'_> {
    /// Parses conditions joined by `AND` alone or by `OR` alone, as Salesforce demands.
    pub(super) fn condition(&mut self) -> Parsed<Condition> {
        let first = self.term()?;
        for (word, other) in [("AND", "OR"), ("OR", "AND")] {
            if !self.is_word(word) {
                continue;
            }
            let mut terms = vec![first];
            while self.eat_word(word) {
                terms.push(self.term()?);
            }
            if self.is_word(other) {
                let message = format!(
                    "unexpected token: `{}` after `{word}`; put parentheses around one of them",
                    self.text_ahead(0)
                );
                return Err(self.error_here(message, &[]));
            }
            return Ok(if word == "AND" {
                Condition::And(terms)
            } else {
                Condition::Or(terms)
            });
        }
        Ok(first)
    }

    /// Parses one test, or a condition in parentheses, or the `NOT` of either.
    fn term(&mut self) -> Parsed<Condition> {
        if self.is_word("NOT") && !self.is_symbol_ahead(1, ".") {
            return self.nested(|parser| {
                parser.word("NOT")?;
                Ok(Condition::Not(Box::new(parser.term()?)))
            });
        }
        if self.is_symbol_ahead(0, "(") {
            return self.nested(|parser| {
                parser.symbol("(")?;
                let condition = parser.condition()?;
                if !parser.eat_symbol(")") {
                    return Err(parser.unexpected(&["AND", "OR", ")"]));
                }
                Ok(condition)
            });
        }
        self.test()
    }

    fn test(&mut self) -> Parsed<Condition> {
        let start = self.start();
        let left = self.operand("a field")?;
        if self.is_word("NOT") || self.is_word("IN") {
            let negated = self.eat_word("NOT");
            self.word("IN")?;
            let set = self.in_set()?;
            return Ok(Condition::In {
                left,
                negated,
                set,
                span: self.since(start),
            });
        }
        if self.is_word("INCLUDES") || self.is_word("EXCLUDES") {
            let negated = self.bump().eq_ignore_ascii_case("EXCLUDES");
            self.refuse_bind()?;
            self.symbol("(")?;
            let values = self.comma_separated(|parser| parser.string().map(Value::String))?;
            self.symbol(")")?;
            return Ok(Condition::Includes {
                left,
                negated,
                values,
                span: self.since(start),
            });
        }
        let op = self.compare_op()?;
        let value = match op {
            CompareOp::Like => {
                self.refuse_bind()?;
                Value::String(self.string()?)
            }
            _ => self.value()?,
        };
        Ok(Condition::Comparison {
            left,
            op,
            value,
            span: self.since(start),
        })
    }

    fn compare_op(&mut self) -> Parsed<CompareOp> {
        let op = match (self.kind(), self.text_ahead(0)) {
            (TokenKind::Symbol, "=") => CompareOp::Eq,
            (TokenKind::Symbol, "!=" | "<>") => CompareOp::Ne,
            (TokenKind::Symbol, "<") => CompareOp::Lt,
            (TokenKind::Symbol, "<=") => CompareOp::Le,
            (TokenKind::Symbol, ">") => CompareOp::Gt,
            (TokenKind::Symbol, ">=") => CompareOp::Ge,
            _ if self.is_word("LIKE") => CompareOp::Like,
            _ if self.kind() == TokenKind::Word => {
                return Err(self.unexpected(&[
                    "an operator",
                    "LIKE",
                    "IN",
                    "NOT",
                    "INCLUDES",
                    "EXCLUDES",
                ]));
            }
            _ => return Err(self.unexpected(&["an operator"])),
        };
        self.at += 1;
        Ok(op)
    }

    fn in_set(&mut self) -> Parsed<InSet> {
        self.refuse_bind()?;
        self.nested(|parser| {
            parser.symbol("(")?;
            let set = if parser.is_word("SELECT") {
                InSet::Query(Box::new(parser.query()?))
            } else {
                InSet::Values(parser.comma_separated(Self::value)?)
            };
            if !parser.eat_symbol(")") {
                return Err(parser.unexpected(&[",", ")"]));
            }
            Ok(set)
        })
    }
}
