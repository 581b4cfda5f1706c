//! `WHERE` and `HAVING`: operators that fit the types of what they compare.

use std::cell::Cell;

use soql::{CompareOp, Condition, InSet, Operand as Asked, Span, Value};

use super::from::Scope;
use super::function::span;
use super::literal::string;
use super::{Binder, Level};
use crate::error::ApiError;
use crate::query::compare::lower;
use crate::query::plan::{Expr, Filter, Groups, Operand, Set};
use crate::schema::FieldType;
use crate::value::folded;

/// Resolves the left side of a test.
type Resolve<'r, 'a> = &'r mut dyn FnMut(&Asked) -> Result<Operand<'a>, ApiError>;

/// Where in a condition a test stands, as far as semi-joins care.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'p> {
    /// The query's place; `None` in `HAVING`.
    pub(super) level: Option<Level>,
    /// Whether an `OR` is around it.
    pub(super) under_or: bool,
    /// Whether a `NOT` is around it.
    pub(super) under_not: bool,
    /// How many semi-joins the clause has had so far.
    pub(super) joins: &'p Cell<usize>,
}

impl<'a> Binder<'a, '_> {
    /// Resolves `WHERE`.
    pub(super) fn where_clause(
        &self,
        condition: &Condition,
        scope: &Scope<'a>,
        level: Level,
    ) -> Result<Filter<'a>, ApiError> {
        let place = Place {
            level: Some(level),
            under_or: false,
            under_not: false,
            joins: &Cell::new(0),
        };
        let mut resolve = |asked: &Asked| {
            let operand = self.row_operand(asked, scope)?;
            self.check_filterable(&operand, span(asked))?;
            Ok(operand)
        };
        self.condition(condition, scope, place, &mut resolve)
    }

    /// Resolves `HAVING`.
    pub(super) fn having_clause(
        &self,
        condition: &Condition,
        scope: &Scope<'a>,
        groups: &mut Groups<'a>,
    ) -> Result<Filter<'a>, ApiError> {
        let place = Place {
            level: None,
            under_or: false,
            under_not: false,
            joins: &Cell::new(0),
        };
        let mut resolve = |asked: &Asked| self.group_operand(asked, scope, groups);
        self.condition(condition, scope, place, &mut resolve)
    }

    fn condition(
        &self,
        condition: &Condition,
        scope: &Scope<'a>,
        place: Place<'_>,
        resolve: Resolve<'_, 'a>,
    ) -> Result<Filter<'a>, ApiError> {
        Ok(match condition {
            Condition::And(all) => Filter::And(self.conditions(all, scope, place, resolve)?),
            Condition::Or(any) => {
                let place = Place {
                    under_or: true,
                    ..place
                };
                Filter::Or(self.conditions(any, scope, place, resolve)?)
            }
            Condition::Not(inner) => {
                let place = Place {
                    under_not: true,
                    ..place
                };
                Filter::Not(Box::new(self.condition(inner, scope, place, resolve)?))
            }
            Condition::Comparison {
                left, op, value, ..
            } => self.comparison(resolve(left)?, *op, value, span(left))?,
            Condition::In {
                left,
                negated,
                set: InSet::Values(values),
                ..
            } => {
                let at = span(left);
                let left = resolve(left)?;
                let data: Result<_, _> = values
                    .iter()
                    .map(|value| self.datum(&left, value, at))
                    .collect();
                Filter::In {
                    left,
                    negated: *negated,
                    set: Set::new(data?),
                }
            }
            Condition::In {
                left,
                negated,
                set: InSet::Query(query),
                ..
            } => {
                let at = span(left);
                self.join(resolve(left)?, at, *negated, query, scope, place)?
            }
            Condition::Includes {
                left,
                negated,
                values,
                ..
            } => self.includes(resolve(left)?, *negated, values, span(left))?,
        })
    }

    fn conditions(
        &self,
        conditions: &[Condition],
        scope: &Scope<'a>,
        place: Place<'_>,
        resolve: Resolve<'_, 'a>,
    ) -> Result<Vec<Filter<'a>>, ApiError> {
        let conditions = conditions.iter();
        conditions
            .map(|condition| self.condition(condition, scope, place, resolve))
            .collect()
    }

    fn comparison(
        &self,
        left: Operand<'a>,
        op: CompareOp,
        value: &Value,
        at: Span,
    ) -> Result<Filter<'a>, ApiError> {
        let kind = left.kind;
        let fits = match op {
            _ if matches!(left.expr, Expr::Distance(_)) => {
                matches!(op, CompareOp::Lt | CompareOp::Gt)
            }
            CompareOp::Eq | CompareOp::Ne => true,
            CompareOp::Like => kind.is_text() && kind != FieldType::Multipicklist,
            _ => !matches!(kind, FieldType::Boolean | FieldType::Multipicklist),
        };
        if !fits {
            return Err(self.invalid_operator(kind, at));
        }
        if op == CompareOp::Like {
            let Some(literal) = string(value) else {
                return Err(self.mismatch(&left, at));
            };
            return Ok(Filter::Like(left, lower(&literal.pattern())));
        }
        let datum = self.datum(&left, value, at)?;
        Ok(Filter::Compare(left, op, datum))
    }

    fn includes(
        &self,
        left: Operand<'a>,
        negated: bool,
        values: &[Value],
        at: Span,
    ) -> Result<Filter<'a>, ApiError> {
        if left.kind != FieldType::Multipicklist {
            let reason = "includes and excludes operators can only be used with multipicklist \
                          fields";
            return Err(self
                .source
                .refuse("INVALID_QUERY_FILTER_OPERATOR", at, reason));
        }
        let mut choices = Vec::with_capacity(values.len());
        for value in values {
            let Some(literal) = string(value) else {
                return Err(self.mismatch(&left, at));
            };
            let text = literal.text();
            let parts = text.split(';').map(|part| folded(part).collect());
            choices.push(parts.collect());
        }
        Ok(Filter::Includes {
            left,
            negated,
            choices,
        })
    }

    fn invalid_operator(&self, kind: FieldType, at: Span) -> ApiError {
        let reason = format!("invalid operator on {} field", kind.word());
        self.source
            .refuse("INVALID_QUERY_FILTER_OPERATOR", at, reason)
    }

    fn check_filterable(&self, operand: &Operand<'a>, at: Span) -> Result<(), ApiError> {
        let reason = match operand.field {
            _ if operand.kind.is_compound() => {
                let kind = match operand.kind {
                    FieldType::Address => "Address",
                    _ => "Geolocation",
                };
                format!("{kind} fields can only be filtered using Distance expressions")
            }
            Some(field) if !field.filterable => {
                let name = &operand.name;
                format!("field '{name}' can not be filtered in a query call")
            }
            _ => return Ok(()),
        };
        Err(self.source.invalid_field(at, reason))
    }
}
