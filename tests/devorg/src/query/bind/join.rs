//! Semi-joins and anti-joins: `Id IN (SELECT AccountId FROM Contact)`, with what Salesforce denies
//! them.

use std::cell::OnceCell;

use soql::{Query, SelectItem, Span};

use super::condition::Place;
use super::from::Scope;
use super::{Binder, Level};
use crate::error::ApiError;
use crate::query::plan::{Expr, Filter, Operand, Path};
use crate::schema::FieldType;

/// The most semi-joins of a `WHERE`.
const JOINS_MAX: usize = 2;

impl<'a> Binder<'a, '_> {
    /// Resolves a semi-join.
    pub(super) fn join(
        &self,
        left: Operand<'a>,
        at: Span,
        negated: bool,
        query: &Query,
        scope: &Scope<'a>,
        place: Place<'_>,
    ) -> Result<Filter<'a>, ApiError> {
        self.check_place(place, query.span)?;
        self.check_left(&left, at)?;
        let object = self.object(query)?;
        self.check_inner(object, query.span)?;
        if object.name == scope.object.name {
            let reason = "The inner and outer selects should not be on the same object type";
            return Err(self.source.invalid_field(query.span, reason));
        }
        self.check_clauses(query)?;
        let inner = self.scope(query, object)?;
        let select = self.inner_field(query, &inner)?;
        Ok(Filter::Join {
            left,
            negated,
            plan: Box::new(self.query(query, object, Level::Join)?),
            select,
            found: OnceCell::new(),
        })
    }

    fn check_place(&self, place: Place<'_>, span: Span) -> Result<(), ApiError> {
        place.joins.set(place.joins.get() + 1);
        let reason = if place.level == Some(Level::Join) {
            "Nesting of semi join sub-selects is not supported".into()
        } else if place.under_or {
            "Semi join sub-selects are not allowed with the 'OR' operator".into()
        } else if place.under_not || place.level.is_none() {
            "Semi join sub-selects are only allowed at the top level WHERE expressions and not in \
             nested WHERE expressions"
                .into()
        } else if place.joins.get() > JOINS_MAX {
            format!("Maximum {JOINS_MAX} semi join sub-selects are allowed")
        } else {
            return Ok(());
        };
        Err(self.source.malformed(span, reason))
    }

    fn check_left(&self, left: &Operand<'a>, at: Span) -> Result<(), ApiError> {
        let name = &left.name;
        let reason = match &left.expr {
            Expr::Field(path) if !path.hops.is_empty() => {
                format!(
                    "The left operand '{name}' cannot have more than one level of relationships"
                )
            }
            Expr::Field(path) if is_id(path) => return Ok(()),
            _ => {
                format!("The left operand '{name}' of a semi join must be an id or reference field")
            }
        };
        Err(self.source.invalid_field(at, reason))
    }

    fn check_clauses(&self, query: &Query) -> Result<(), ApiError> {
        let clause = if !query.order_by.is_empty() {
            "ORDER BY"
        } else if query.limit.is_some() {
            "LIMIT"
        } else if query.offset.is_some() {
            "OFFSET"
        } else if !query.for_clauses.is_empty() {
            "FOR"
        } else if query.group_by.is_some() || query.having.is_some() {
            "GROUP BY"
        } else {
            return Ok(());
        };
        let reason = format!("Semi join sub-selects cannot use {clause}");
        Err(self.source.malformed(query.span, reason))
    }

    fn inner_field(&self, query: &Query, inner: &Scope<'a>) -> Result<Path<'a>, ApiError> {
        let [SelectItem::Field { path, .. }] = query.select.as_slice() else {
            let reason = "Semi join sub-selects must select exactly one field";
            return Err(self.source.malformed(query.span, reason));
        };
        let found = self.path(path, inner)?;
        let reason = if !is_id(&found) {
            format!("Semi join sub-selects can only query id fields, cannot use: '{path}'")
        } else if found.hops.len() > 1 {
            format!(
                "The inner select field '{path}' cannot have more than one level of relationships"
            )
        } else {
            return Ok(found);
        };
        Err(self.source.invalid_field(path.span, reason))
    }
}

fn is_id(path: &Path<'_>) -> bool {
    matches!(path.leaf.kind, FieldType::Id | FieldType::Reference)
}
