//! The clauses after `FROM`, and those that SOSL shares.

use super::{Parsed, Parser};
use crate::ast::*;

/// The `UPDATE` clauses of both languages.
const UPDATES: [(&str, UpdateClause); 2] = [
    ("TRACKING", UpdateClause::Tracking),
    ("VIEWSTAT", UpdateClause::Viewstat),
];

impl Parser<'_> {
    /// Parses the clauses in their documented order; those at the end may come in any.
    pub(super) fn clauses(&mut self, query: &mut Query) -> Parsed<()> {
        if self.eat_word("USING") {
            self.word("SCOPE")?;
            query.scope = Some(self.ident("a scope")?);
        }
        query.condition = self.optional_condition("WHERE")?;
        if self.eat_word("WITH") {
            query.with = Some(self.with()?);
        }
        if self.eat_word("GROUP") {
            self.word("BY")?;
            query.group_by = Some(self.group_by()?);
        }
        query.having = self.optional_condition("HAVING")?;
        query.order_by = self.order_by()?;
        query.limit = self.optional_count("LIMIT")?;
        query.offset = self.optional_count("OFFSET")?;
        loop {
            if self.eat_word("FOR") {
                let clause = self.one_of(&[
                    ("VIEW", ForClause::View),
                    ("REFERENCE", ForClause::Reference),
                    ("UPDATE", ForClause::Update),
                ])?;
                query.for_clauses.push(clause);
            } else if self.is_word("UPDATE") {
                query.update.extend(self.updates()?);
            } else if !query.all_rows && self.eat_word("ALL") {
                self.word("ROWS")?;
                query.all_rows = true;
            } else {
                return Ok(());
            }
        }
    }

    /// Parses `UPDATE TRACKING`, `UPDATE VIEWSTAT`, or both with a comma between.
    pub(super) fn updates(&mut self) -> Parsed<Vec<UpdateClause>> {
        let mut updates = Vec::new();
        while self.eat_word("UPDATE") {
            updates.push(self.one_of(&UPDATES)?);
            while self.eat_symbol(",") {
                updates.push(self.one_of(&UPDATES)?);
            }
        }
        Ok(updates)
    }

    pub(super) fn optional_condition(&mut self, keyword: &str) -> Parsed<Option<Condition>> {
        if self.eat_word(keyword) {
            self.condition().map(Some)
        } else {
            Ok(None)
        }
    }

    pub(super) fn optional_count(&mut self, keyword: &str) -> Parsed<Option<u64>> {
        if self.eat_word(keyword) {
            self.count().map(Some)
        } else {
            Ok(None)
        }
    }

    pub(super) fn order_by(&mut self) -> Parsed<Vec<OrderItem>> {
        if !self.eat_word("ORDER") {
            return Ok(Vec::new());
        }
        self.word("BY")?;
        self.comma_separated(|parser| {
            let key = parser.operand("a field")?;
            let direction = if parser.eat_word("ASC") {
                Some(Direction::Ascending)
            } else if parser.eat_word("DESC") {
                Some(Direction::Descending)
            } else {
                None
            };
            let nulls = if parser.eat_word("NULLS") {
                Some(parser.one_of(&[("FIRST", Nulls::First), ("LAST", Nulls::Last)])?)
            } else {
                None
            };
            Ok(OrderItem {
                key,
                direction,
                nulls,
            })
        })
    }

    fn group_by(&mut self) -> Parsed<GroupBy> {
        for (word, kind) in [("ROLLUP", GroupKind::Rollup), ("CUBE", GroupKind::Cube)] {
            if self.is_word(word) && self.is_symbol_ahead(1, "(") {
                self.at += 2;
                let items = self.comma_separated(|parser| parser.operand("a field"))?;
                self.symbol(")")?;
                return Ok(GroupBy { kind, items });
            }
        }
        let items = self.comma_separated(|parser| parser.operand("a field"))?;
        Ok(GroupBy {
            kind: GroupKind::Plain,
            items,
        })
    }

    fn with(&mut self) -> Parsed<With> {
        if self.eat_words("DATA", "CATEGORY") {
            return self.data_categories().map(With::DataCategory);
        }
        if self.eat_word("RecordVisibilityContext") {
            self.symbol("(")?;
            let settings = self.comma_separated(|parser| {
                let name = parser.ident("a setting")?;
                parser.symbol("=")?;
                Ok((name, parser.value()?))
            })?;
            self.symbol(")")?;
            return Ok(With::RecordVisibilityContext(settings));
        }
        let modes = [
            ("SECURITY_ENFORCED", With::SecurityEnforced),
            ("USER_MODE", With::UserMode),
            ("SYSTEM_MODE", With::SystemMode),
        ];
        for (word, mode) in modes {
            if self.eat_word(word) {
                return Ok(mode);
            }
        }
        Err(self.unexpected(&[
            "SECURITY_ENFORCED",
            "USER_MODE",
            "SYSTEM_MODE",
            "DATA CATEGORY",
        ]))
    }

    pub(super) fn data_categories(&mut self) -> Parsed<Vec<DataCategoryFilter>> {
        let mut filters = Vec::new();
        loop {
            let group = self.ident("a category group")?;
            let selector = self.one_of(&[
                ("AT", DataCategorySelector::At),
                ("ABOVE", DataCategorySelector::Above),
                ("BELOW", DataCategorySelector::Below),
                ("ABOVE_OR_BELOW", DataCategorySelector::AboveOrBelow),
            ])?;
            let categories = if self.eat_symbol("(") {
                let categories = self.comma_separated(|parser| parser.ident("a category"))?;
                self.symbol(")")?;
                categories
            } else {
                vec![self.ident("a category")?]
            };
            filters.push(DataCategoryFilter {
                group,
                selector,
                categories,
            });
            if !self.eat_word("AND") {
                return Ok(filters);
            }
        }
    }
}
