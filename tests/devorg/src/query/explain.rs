//! `?explain=`: how a query would be run, with the numbers of the org's records.
//!
//! Follows the *REST API Developer Guide*, "Query Performance Feedback", and the selectivity thresholds
//! of the *Query & Search Optimization Cheat Sheet*: the cost is the number of records that the leading
//! operation reads, relative to the number up to which an index is used.

use std::cell::OnceCell;

use serde_json::{Value as Json, json};
use soql::{CompareOp, PatternPart};

use super::date_range::Calendar;
use super::plan::{Datum, Expr, Filter, Operand, Plan};
use super::view::{Entry, Row, View};
use crate::error::ApiError;
use crate::org::{Org, Session};
use crate::schema::{Field, Index};

/// The records up to which the first share of a threshold counts; the second is of those beyond.
const FIRST_RECORDS: f64 = 1_000_000.0;

/// What keeps a filter from leading a query.
const UNINDEXED: &str = "Not considering filter for optimization because unindexed";
const OPERATOR: &str = "Not considering filter for optimization because of its operator";

impl Index {
    /// Gives how many of so many records a query may read by this index.
    fn threshold(self, records: usize) -> f64 {
        let (first, second, max) = match self {
            Self::Standard => (0.30, 0.15, 1_000_000.0),
            Self::Custom => (0.10, 0.05, 333_333.0),
        };
        let records = records as f64;
        let beyond = (records - FIRST_RECORDS).max(0.0);
        let threshold: f64 = (records - beyond) * first + beyond * second;
        threshold.min(max)
    }
}

/// A way to run a query.
struct Way {
    operation: &'static str,
    fields: Vec<String>,
    cardinality: usize,
    cost: f64,
}

/// Says how a query would be run: the best way first.
///
/// # Errors
///
/// As [`super::run`].
pub(crate) fn explain(org: &Org, session: &Session, soql: &str) -> Result<Json, ApiError> {
    let calendar = Calendar::new(org, session);
    let plan = super::plan(session, &calendar, soql)?;
    let recent = OnceCell::new();
    let view = View {
        org,
        session,
        calendar: &calendar,
        include_deleted: false,
        base: "",
        recent: &recent,
    };
    Ok(plans(&view, &plan))
}

fn plans<'a>(view: &View<'a>, plan: &Plan<'a>) -> Json {
    let object = plan.object;
    let rows: Vec<Entry<'a>> = view
        .rows(object)
        .filter(|record| view.sees(record))
        .map(|record| Entry { object, record })
        .collect();
    let matching = |filter: &Filter<'a>| {
        let rows = rows.iter();
        rows.filter(|row| filter.accepts(view, Row::Record(**row)))
            .count()
    };
    let records = rows.len();
    let mut ways = vec![Way {
        operation: "TableScan",
        fields: Vec::new(),
        cardinality: plan.filter.as_ref().map_or(records, matching),
        cost: relative(records, Index::Standard.threshold(records)),
    }];
    // Nobody's filter, but one that every query has.
    let mut unindexed = vec![("IsDeleted".to_owned(), UNINDEXED)];
    for filter in conjuncts(plan.filter.as_ref()) {
        match leading(filter) {
            Ok((field, index)) => {
                let cardinality = matching(filter);
                ways.push(Way {
                    operation: "Index",
                    fields: vec![(*field.name).to_owned()],
                    cardinality,
                    cost: relative(cardinality, index.threshold(records)),
                });
            }
            Err(why) => {
                let names = operands(filter).into_iter();
                unindexed.extend(names.map(|operand| (operand.name.clone(), why)));
            }
        }
    }
    ways.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    let notes = unindexed.iter().map(|(field, why)| {
        json!({"description": why, "fields": [field], "tableEnumOrId": &*object.name})
    });
    let notes: Vec<Json> = notes.collect();
    let plans = ways.iter().map(|way| {
        json!({
            "cardinality": way.cardinality,
            "fields": way.fields,
            "leadingOperationType": way.operation,
            "notes": notes,
            "relativeCost": way.cost,
            "sobjectCardinality": records,
            "sobjectType": &*object.name,
        })
    });
    json!({"plans": plans.collect::<Vec<_>>()})
}

/// Gives a cost with three digits.
fn relative(records: usize, threshold: f64) -> f64 {
    if records == 0 {
        return 0.0;
    }
    (records as f64 / threshold * 1_000.0).round() / 1_000.0
}

/// Gives the conditions that all must hold.
fn conjuncts<'f, 'a>(filter: Option<&'f Filter<'a>>) -> Vec<&'f Filter<'a>> {
    match filter {
        None => Vec::new(),
        Some(Filter::And(all)) => all
            .iter()
            .flat_map(|filter| conjuncts(Some(filter)))
            .collect(),
        Some(filter) => vec![filter],
    }
}

/// Gives the field and the index by which a condition can lead a query, or why it cannot.
fn leading<'a>(filter: &Filter<'a>) -> Result<(&'a Field, Index), &'static str> {
    let (left, selects) = match filter {
        Filter::Compare(left, op, datum) => (left, *op != CompareOp::Ne && *datum != Datum::Null),
        Filter::Like(left, pattern) => {
            (left, matches!(pattern.first(), Some(PatternPart::Char(_))))
        }
        Filter::In { left, negated, set } => (left, !*negated && !set.null),
        Filter::Join { left, negated, .. } => (left, !*negated),
        _ => return Err(UNINDEXED),
    };
    let Expr::Field(path) = &left.expr else {
        return Err(UNINDEXED);
    };
    let field = path.leaf.field.filter(|_| path.hops.is_empty());
    let indexed = field.and_then(|field| Some((field, field.index()?)));
    match indexed {
        Some(indexed) if selects => Ok(indexed),
        Some(_) => Err(OPERATOR),
        None => Err(UNINDEXED),
    }
}

/// Gives what a condition looks at.
fn operands<'f, 'a>(filter: &'f Filter<'a>) -> Vec<&'f Operand<'a>> {
    match filter {
        Filter::And(filters) | Filter::Or(filters) => filters.iter().flat_map(operands).collect(),
        Filter::Not(filter) => operands(filter),
        Filter::Compare(left, ..)
        | Filter::Like(left, _)
        | Filter::In { left, .. }
        | Filter::Join { left, .. }
        | Filter::Includes { left, .. } => vec![left],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_as_documented() {
        for (index, records, expected) in [
            (Index::Standard, 1_000, 300.0),
            (Index::Standard, 2_000_000, 450_000.0),
            (Index::Standard, 100_000_000, 1_000_000.0),
            (Index::Custom, 1_000, 100.0),
            (Index::Custom, 2_000_000, 150_000.0),
            (Index::Custom, 100_000_000, 333_333.0),
        ] {
            assert_eq!(index.threshold(records), expected, "{index:?} {records}");
        }
    }
}
