//! `SELECT` and `FROM`.

use super::{Parsed, Parser, is_near};
use crate::ast::*;
use crate::token::TokenKind;

impl Parser<'_> {
    pub(super) fn query(&mut self) -> Parsed<Query> {
        let start = self.start();
        self.word("SELECT")?;
        let select = self.comma_separated(Self::select_item)?;
        self.take_from(&select)?;
        let from = self.comma_separated(Self::source_item)?;
        let mut query = Query {
            select,
            from,
            scope: None,
            condition: None,
            with: None,
            group_by: None,
            having: None,
            order_by: Vec::new(),
            limit: None,
            offset: None,
            all_rows: false,
            for_clauses: Vec::new(),
            update: Vec::new(),
            span: Span::default(),
        };
        self.clauses(&mut query)?;
        query.span = self.since(start);
        Ok(query)
    }

    /// Takes `FROM`. A misspelled one was read as an alias, so the error points there.
    fn take_from(&mut self, select: &[SelectItem]) -> Parsed<()> {
        if self.eat_word("FROM") {
            return Ok(());
        }
        if let Some(
            SelectItem::Field {
                alias: Some(alias), ..
            }
            | SelectItem::Function {
                alias: Some(alias), ..
            },
        ) = select.last()
            && is_near(&alias.name, "FROM")
        {
            self.at -= 1;
            return Err(self.unexpected(&["FROM"]));
        }
        Err(self.unexpected(&[",", "FROM"]))
    }

    pub(super) fn select_item(&mut self) -> Parsed<SelectItem> {
        if self.is_symbol_ahead(0, "(") {
            return self.nested(|parser| {
                parser.symbol("(")?;
                let query = parser.query()?;
                parser.symbol(")")?;
                Ok(SelectItem::Subquery(Box::new(query)))
            });
        }
        if self.is_word("TYPEOF")
            && self.token(1).kind == TokenKind::Word
            && !self.is_word_ahead(1, "FROM")
        {
            return self.type_of().map(SelectItem::TypeOf);
        }
        self.plain_item()
    }

    /// Parses a field, a function or `FIELDS()`, which is all that SOSL knows.
    pub(super) fn plain_item(&mut self) -> Parsed<SelectItem> {
        let start = self.start();
        if self.is_word("FIELDS") && self.is_symbol_ahead(1, "(") {
            self.at += 2;
            let kind = self.one_of(&[
                ("ALL", FieldsKind::All),
                ("STANDARD", FieldsKind::Standard),
                ("CUSTOM", FieldsKind::Custom),
            ])?;
            self.symbol(")")?;
            return Ok(SelectItem::Fields {
                kind,
                span: self.since(start),
            });
        }
        Ok(match self.operand("a field")? {
            Operand::Field(path) => SelectItem::Field {
                path,
                alias: self.alias(),
            },
            Operand::Function(call) => SelectItem::Function {
                call,
                alias: self.alias(),
            },
        })
    }

    fn type_of(&mut self) -> Parsed<TypeOf> {
        let start = self.start();
        self.word("TYPEOF")?;
        let relationship = self.field_path("a relationship")?;
        let mut when = Vec::new();
        self.word("WHEN")?;
        loop {
            let object = self.object_name()?;
            self.word("THEN")?;
            let fields = self.comma_separated(|parser| parser.field_path("a field"))?;
            when.push(TypeOfBranch { object, fields });
            if !self.eat_word("WHEN") {
                break;
            }
        }
        let otherwise = if self.eat_word("ELSE") {
            self.comma_separated(|parser| parser.field_path("a field"))?
        } else {
            Vec::new()
        };
        if !self.eat_word("END") {
            return Err(self.unexpected(&["WHEN", "ELSE", "END"]));
        }
        Ok(TypeOf {
            relationship,
            when,
            otherwise,
            span: self.since(start),
        })
    }

    fn source_item(&mut self) -> Parsed<FromItem> {
        let start = self.start();
        let mut parts = vec![self.object_name()?];
        while self.eat_symbol(".") {
            parts.push(self.ident("a relationship")?);
        }
        let path = FieldPath {
            parts,
            span: self.since(start),
        };
        if self.is_word("AS") && self.token(1).kind == TokenKind::Word && !self.is_reserved(1) {
            self.at += 1;
        }
        Ok(FromItem {
            path,
            alias: self.alias(),
        })
    }

    /// Parses a field or a function.
    pub(super) fn operand(&mut self, what: &str) -> Parsed<Operand> {
        if self.kind() == TokenKind::Word && self.is_symbol_ahead(1, "(") && !self.is_reserved(0) {
            return self.function().map(Operand::Function);
        }
        self.field_path(what).map(Operand::Field)
    }

    fn function(&mut self) -> Parsed<FunctionCall> {
        self.nested(|parser| {
            let start = parser.start();
            let name = parser.ident("a function")?;
            parser.symbol("(")?;
            let args = if parser.is_symbol_ahead(0, ")") {
                Vec::new()
            } else {
                parser.comma_separated(Self::argument)?
            };
            if !parser.eat_symbol(")") {
                return Err(parser.unexpected(&[",", ")"]));
            }
            Ok(FunctionCall {
                name,
                args,
                span: parser.since(start),
            })
        })
    }

    fn argument(&mut self) -> Parsed<Argument> {
        if matches!(self.kind(), TokenKind::Word) {
            return Ok(match self.operand("a field")? {
                Operand::Field(path) => Argument::Field(path),
                Operand::Function(call) => Argument::Function(call),
            });
        }
        self.value().map(Argument::Value)
    }
}
