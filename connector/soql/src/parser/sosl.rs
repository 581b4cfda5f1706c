//! SOSL: `FIND {…} IN … RETURNING … WITH …`.

use super::{Parsed, Parser};
use crate::ast::*;
use crate::token::TokenKind;

impl Parser<'_> {
    pub(super) fn search(&mut self) -> Parsed<Search> {
        let start = self.start();
        self.word("FIND")?;
        self.refuse_bind()?;
        if self.kind() != TokenKind::Braces {
            return Err(self.unexpected(&["a search text in braces, like `{Acme}`"]));
        }
        let text = self.text_ahead(0);
        let find = text[1..text.len() - 1].to_owned();
        if find.trim().is_empty() {
            return Err(self.error_here("the search text is empty".to_owned(), &[]));
        }
        self.at += 1;
        let group = self.search_group()?;
        let returning = if self.eat_word("RETURNING") {
            self.comma_separated(Self::returning)?
        } else {
            Vec::new()
        };
        let mut with = Vec::new();
        while self.eat_word("WITH") {
            with.push(self.search_with()?);
        }
        let limit = self.optional_count("LIMIT")?;
        let update = self.updates()?;
        Ok(Search {
            find,
            group,
            returning,
            with,
            limit,
            update,
            span: self.since(start),
        })
    }

    fn search_group(&mut self) -> Parsed<Option<SearchGroup>> {
        if !self.eat_word("IN") {
            return Ok(None);
        }
        let group = self.one_of(&[
            ("ALL", SearchGroup::All),
            ("NAME", SearchGroup::Name),
            ("EMAIL", SearchGroup::Email),
            ("PHONE", SearchGroup::Phone),
            ("SIDEBAR", SearchGroup::Sidebar),
        ])?;
        self.word("FIELDS")?;
        Ok(Some(group))
    }

    fn returning(&mut self) -> Parsed<Returning> {
        let mut returning = Returning {
            object: self.object_name()?,
            fields: Vec::new(),
            list_view: None,
            condition: None,
            order_by: Vec::new(),
            limit: None,
            offset: None,
        };
        if !self.eat_symbol("(") {
            return Ok(returning);
        }
        returning.fields = self.comma_separated(Self::plain_item)?;
        if self.is_word("USING") {
            returning.list_view = self.list_view()?;
        }
        returning.condition = self.optional_condition("WHERE")?;
        if returning.list_view.is_none() {
            returning.list_view = self.list_view()?;
        }
        returning.order_by = self.order_by()?;
        returning.limit = self.optional_count("LIMIT")?;
        returning.offset = self.optional_count("OFFSET")?;
        self.symbol(")")?;
        Ok(returning)
    }

    fn list_view(&mut self) -> Parsed<Option<Ident>> {
        if !self.eat_word("USING") {
            return Ok(None);
        }
        self.word("ListView")?;
        self.symbol("=")?;
        self.ident("a list view").map(Some)
    }

    fn search_with(&mut self) -> Parsed<SearchWith> {
        if self.eat_words("DATA", "CATEGORY") {
            return self.data_categories().map(SearchWith::DataCategory);
        }
        if self.eat_word("HIGHLIGHT") {
            return Ok(SearchWith::Highlight);
        }
        if self.eat_word("SNIPPET") {
            return self.snippet();
        }
        if self.eat_word("NETWORK") {
            return self.network();
        }
        if self.eat_word("SPELL_CORRECTION") {
            self.symbol("=")?;
            return Ok(SearchWith::SpellCorrection(
                self.one_of(&[("TRUE", true), ("FALSE", false)])?,
            ));
        }
        let make: fn(_) -> _ = self.one_of::<fn(_) -> _>(&[
            ("DIVISION", SearchWith::Division),
            ("METADATA", SearchWith::Metadata),
            ("PricebookId", SearchWith::PricebookId),
        ])?;
        self.symbol("=")?;
        Ok(make(self.string()?))
    }

    fn snippet(&mut self) -> Parsed<SearchWith> {
        if !self.eat_symbol("(") {
            return Ok(SearchWith::Snippet(None));
        }
        self.word("target_length")?;
        self.symbol("=")?;
        let length = self.count()?;
        self.symbol(")")?;
        Ok(SearchWith::Snippet(Some(length)))
    }

    fn network(&mut self) -> Parsed<SearchWith> {
        if self.eat_word("IN") {
            self.symbol("(")?;
            let ids = self.comma_separated(Self::string)?;
            self.symbol(")")?;
            return Ok(SearchWith::Network(ids));
        }
        self.symbol("=")?;
        Ok(SearchWith::Network(vec![self.string()?]))
    }
}
