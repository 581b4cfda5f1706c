//! Whether a row or a group satisfies a condition.
//!
//! A condition holds or does not; there is no third case. `NOT` of what does not hold, holds.

use std::cell::OnceCell;
use std::collections::HashSet;

use super::compare::{holds, is_like};
use super::evaluate::matching;
use super::plan::{Filter, Path, Plan};
use super::view::{Row, View};
use crate::id::Id;
use crate::value::folded;

impl<'a> Filter<'a> {
    /// Says whether the condition holds.
    pub(super) fn accepts(&self, view: &View<'a>, row: Row<'_, 'a>) -> bool {
        match self {
            Self::And(all) => all.iter().all(|filter| filter.accepts(view, row)),
            Self::Or(any) => any.iter().any(|filter| filter.accepts(view, row)),
            Self::Not(filter) => !filter.accepts(view, row),
            Self::Compare(left, op, datum) => holds(&view.value(&left.expr, row), *op, datum),
            Self::Like(left, pattern) => view
                .value(&left.expr, row)
                .as_text()
                .is_some_and(|text| is_like(text, pattern)),
            Self::In { left, negated, set } => {
                set.contains(&view.value(&left.expr, row)) != *negated
            }
            Self::Join {
                left,
                negated,
                plan,
                select,
                found,
            } => {
                let found = found_by_join(view, plan, select, found);
                let value = view.value(&left.expr, row);
                let id = value.as_text().and_then(Id::parse);
                id.is_some_and(|id| found.contains(&id)) != *negated
            }
            Self::Includes {
                left,
                negated,
                choices,
            } => {
                let value = view.value(&left.expr, row);
                let selected: HashSet<String> = value
                    .as_text()
                    .into_iter()
                    .flat_map(|text| text.split(';'))
                    .map(|part| folded(part).collect())
                    .collect();
                let mut choices = choices.iter();
                choices.any(|all| all.iter().all(|part| selected.contains(part))) != *negated
            }
        }
    }
}

/// Gives what the query of a semi-join finds; it runs once.
pub(super) fn found_by_join<'f, 'a>(
    view: &View<'a>,
    plan: &Plan<'a>,
    select: &Path<'a>,
    found: &'f OnceCell<HashSet<Id>>,
) -> &'f HashSet<Id> {
    found.get_or_init(|| {
        matching(view, plan)
            .filter_map(|row| Id::parse(view.field(row, select).as_text()?))
            .collect()
    })
}
