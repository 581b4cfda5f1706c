//! Runs a plan: filters, groups, orders, cuts, and only then makes the rows of the answer.

use serde_json::Value as Json;

use super::candidates::candidates;
use super::group::groups;
use super::order::sort;
use super::plan::{Plan, Rows, ScopeRows};
use super::project::{aggregate_json, record_json};
use super::view::{Entry, Group, Row, View};
use crate::error::ApiError;
use crate::id::Id;
use crate::schema::Field;
use crate::store::Record;

/// The most groups of an answer: a grouped answer has no second page.
const GROUPS_MAX: usize = 2_000;

/// The rows of an answer.
#[derive(Debug)]
pub(super) struct Found {
    /// How many there are; with `COUNT()`, how many there would be.
    pub(super) total: usize,
    /// The rows.
    pub(super) records: Vec<Json>,
}

/// Runs a query.
///
/// # Errors
///
/// `EXCEEDED_ID_LIMIT` when there are more groups than fit a page.
pub(super) fn run<'a>(view: &View<'a>, plan: &Plan<'a>) -> Result<Found, ApiError> {
    Ok(match &plan.rows {
        Rows::Count => Found {
            total: cut(matching(view, plan).take(most(plan)).collect(), plan).len(),
            records: Vec::new(),
        },
        Rows::Records(shape) => {
            let rows = ordered(view, plan, matching(view, plan));
            let records = rows.into_iter().map(|row| record_json(view, shape, row));
            found(records.collect())
        }
        Rows::Groups(grouping) => {
            let rows: Vec<_> = matching(view, plan).collect();
            let groups = groups(view, grouping, &rows);
            let groups = sort(groups, &plan.order, view, |group: &Group| Row::Group(group));
            let groups = cut(groups, plan);
            if groups.len() > GROUPS_MAX {
                return Err(ApiError::bad_request(
                    "EXCEEDED_ID_LIMIT",
                    "Aggregate query does not support queryMore(), use LIMIT to restrict the \
                     results to a single batch",
                ));
            }
            let records = groups
                .iter()
                .map(|group| aggregate_json(view, grouping, group));
            found(records.collect())
        }
    })
}

/// Runs a child subquery for the children whose `field` holds `parent`.
pub(super) fn children<'a>(
    view: &View<'a>,
    field: &Field,
    plan: &Plan<'a>,
    parent: Id,
) -> Vec<Json> {
    let object = &plan.object.name;
    among(
        view,
        plan,
        view.org.store.children(object, &field.name, parent),
    )
}

/// Runs a query of records, not of groups, over some records of its object.
pub(super) fn among<'a>(
    view: &View<'a>,
    plan: &Plan<'a>,
    records: impl Iterator<Item = &'a Record>,
) -> Vec<Json> {
    // Binding refuses groups where there is to be none.
    let Rows::Records(shape) = &plan.rows else {
        return Vec::new();
    };
    let object = plan.object;
    let rows = records
        .map(|record| Entry { object, record })
        .filter(|row| accepts(view, plan, *row));
    let rows = ordered(view, plan, rows).into_iter();
    rows.map(|row| record_json(view, shape, row)).collect()
}

/// Gives the rows that the query's conditions leave, in id order.
pub(super) fn matching<'v, 'a>(
    view: &'v View<'a>,
    plan: &'v Plan<'a>,
) -> impl Iterator<Item = Entry<'a>> + 'v {
    let (object, store) = (plan.object, &view.org.store);
    let records: Box<dyn Iterator<Item = &'a Record> + 'v> = match candidates(view, plan) {
        Some(ids) => Box::new(ids.filter_map(move |id| store.get(&object.name, id))),
        None => Box::new(view.rows(object)),
    };
    records
        .map(move |record| Entry { object, record })
        .filter(|row| accepts(view, plan, *row))
}

fn accepts<'a>(view: &View<'a>, plan: &Plan<'a>, row: Entry<'a>) -> bool {
    let in_scope = match plan.scope {
        ScopeRows::All => true,
        ScopeRows::OwnedBy(owner) => row.record.reference("OwnerId") == Some(owner),
        ScopeRows::None => false,
    };
    let filter = plan.filter.as_ref();
    in_scope
        && view.sees(row.record)
        && filter.is_none_or(|filter| filter.accepts(view, Row::Record(row)))
}

/// Puts rows in order and cuts them. Where there is no order, no more are looked for than are asked for.
fn ordered<'a>(
    view: &View<'a>,
    plan: &Plan<'a>,
    rows: impl Iterator<Item = Entry<'a>>,
) -> Vec<Entry<'a>> {
    let rows = match plan.order.as_slice() {
        [] => rows.take(most(plan)).collect(),
        _ => rows.collect(),
    };
    cut(sort(rows, &plan.order, view, |row| Row::Record(*row)), plan)
}

/// Gives how many rows are enough before they are cut.
fn most(plan: &Plan<'_>) -> usize {
    let limit = plan.limit.unwrap_or(usize::MAX);
    limit.saturating_add(plan.offset)
}

/// Applies `OFFSET` and `LIMIT`.
fn cut<T>(mut rows: Vec<T>, plan: &Plan<'_>) -> Vec<T> {
    rows.drain(..plan.offset.min(rows.len()));
    if let Some(limit) = plan.limit {
        rows.truncate(limit);
    }
    rows
}

fn found(records: Vec<Json>) -> Found {
    Found {
        total: records.len(),
        records,
    }
}
