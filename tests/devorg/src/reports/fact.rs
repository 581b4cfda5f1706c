//! `factMap`: for each place of the groups below and beside, its sums and its rows.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::bound::{Aggregate, Bound, Function, Shown, value_at};
use super::group::{Side, label};
use crate::query::{Calendar, SortKey};
use crate::schema::FieldType;
use crate::value::{Value, format_moment};

/// The rows of a report that an answer shows.
pub(super) const DETAIL_ROWS_MAX: usize = 2_000;

/// Gives `factMap`; with details, the innermost places have their rows.
pub(super) fn fact_map(
    bound: &Bound<'_>,
    rows: &[Json],
    (down, across): (&[Side<'_>], &[Side<'_>]),
    details: bool,
    calendar: &Calendar,
) -> Json {
    let mut facts = Map::new();
    let mut left = DETAIL_ROWS_MAX;
    for below in down {
        for beside in across {
            let of = both(below.rows, beside.rows);
            let aggregates: Vec<Json> = bound
                .aggregates
                .iter()
                .map(|aggregate| aggregate_json(aggregate, rows, &of, calendar))
                .collect();
            let mut fact = json!({"aggregates": aggregates});
            if details {
                let shown = if below.leaf && beside.leaf {
                    of.len().min(left)
                } else {
                    0
                };
                left -= shown;
                let cells = of.iter().take(shown).filter_map(|at| rows.get(*at));
                let cells = cells.map(|row| row_json(bound, row, calendar));
                fact["rows"] = cells.collect();
            }
            facts.insert(format!("{}!{}", below.key, beside.key), fact);
        }
    }
    Json::Object(facts)
}

/// Gives the rows that are in both lists, which are in order.
fn both(a: &[usize], b: &[usize]) -> Vec<usize> {
    let mut b = b.iter().peekable();
    let in_both = a.iter().filter(|at| {
        while b.next_if(|other| other < at).is_some() {}
        b.peek() == Some(at)
    });
    in_both.copied().collect()
}

fn aggregate_json(
    aggregate: &Aggregate<'_>,
    rows: &[Json],
    of: &[usize],
    calendar: &Calendar,
) -> Json {
    let value = number(aggregate, rows, of);
    let scale = match (aggregate.function, aggregate.of) {
        (Function::Unique | Function::Count, _) | (_, None) => 0,
        (_, Some(of)) => of.field.scale,
    };
    json!({
        "label": label(&value, aggregate.kind(), scale, calendar),
        "value": value.to_json(),
    })
}

/// Takes a sum, or another number, of rows. Missing values count for nothing; a sum of none is 0.
pub(super) fn number(aggregate: &Aggregate<'_>, rows: &[Json], of: &[usize]) -> Value {
    let Some(shown) = aggregate.of else {
        return Value::Int(of.len() as i64);
    };
    let rows = of.iter().filter_map(|at| rows.get(*at));
    let values = rows.map(|row| value_at(row, shown.column.path, shown.kind));
    let values = values.filter(|value| !value.is_null());
    if aggregate.function == Function::Unique {
        let distinct: BTreeSet<SortKey> = values
            .map(|value| SortKey::new(&value, shown.kind))
            .collect();
        return Value::Int(distinct.len() as i64);
    }
    let numbers: Vec<f64> = values.filter_map(|value| value.as_number()).collect();
    // A sum of none is a negative zero, which is not written like one.
    let sum = rounded(numbers.iter().sum::<f64>() + 0.0, &shown);
    let extreme = |wins: fn(f64, f64) -> f64| numbers.iter().copied().reduce(wins);
    let value = match aggregate.function {
        Function::Sum => Some(sum),
        Function::Average => (!numbers.is_empty()).then(|| sum / numbers.len() as f64),
        Function::Max => extreme(f64::max),
        Function::Min => extreme(f64::min),
        // Counts are done with.
        Function::Count | Function::Unique => None,
    };
    match value {
        Some(value) if aggregate.kind() == FieldType::Int => Value::Int(value as i64),
        value => value.into(),
    }
}

/// Rounds a sum to the digits of its field: Salesforce adds decimals, which have no rounding errors.
fn rounded(sum: f64, shown: &Shown<'_>) -> f64 {
    let factor = 10f64.powi(shown.field.scale.min(15) as i32);
    let rounded = (sum * factor).round() / factor;
    if rounded.is_finite() { rounded } else { sum }
}

fn row_json(bound: &Bound<'_>, row: &Json, calendar: &Calendar) -> Json {
    let cells: Vec<Json> = bound
        .details
        .iter()
        .map(|shown| cell(bound, row, shown, calendar))
        .collect();
    json!({"dataCells": cells})
}

/// Gives a cell: of a name its record's id, of an amount its currency beside it.
fn cell(bound: &Bound<'_>, row: &Json, shown: &Shown<'_>, calendar: &Calendar) -> Json {
    let value = value_at(row, shown.column.path, shown.kind);
    let mut values = shown.field.picklist_values.iter();
    let listed = value
        .as_text()
        .and_then(|text| values.find(|known| known.value == text));
    let label = match listed {
        Some(known) => known.label.clone(),
        None => label(&value, shown.kind, shown.field.scale, calendar),
    };
    if !shown.column.id.is_empty() {
        let id = value_at(row, shown.column.id, FieldType::Id).to_json();
        return json!({"label": label, "value": id, "recordId": id});
    }
    let own = match (&value, shown.kind) {
        (Value::Number(amount), FieldType::Currency) => {
            let code = bound.code_path(shown);
            let code = code.map(|path| value_at(row, &path, FieldType::Picklist).to_json());
            json!({"amount": amount, "currency": code})
        }
        (Value::DateTime(moment), _) => format_moment(*moment).replace(".000+0000", "Z").into(),
        _ => value.to_json(),
    };
    json!({"label": label, "value": own})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_both_sides_are_found() {
        assert_eq!(both(&[0, 2, 3, 7, 9], &[1, 2, 7, 8, 9]), [2, 7, 9]);
        assert_eq!(both(&[], &[1]), [0; 0]);
    }
}
