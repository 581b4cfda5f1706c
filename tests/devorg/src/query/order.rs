//! `ORDER BY`: each row's keys are made once, then compared.

use std::cmp::Ordering;

use super::compare::SortKey;
use super::plan::{Expr, Operand, OrderKey};
use super::view::{Row, View};
use crate::schema::FieldType;
use crate::value::Value;

/// Puts rows in order; those with equal keys keep theirs.
pub(super) fn sort<'a, T>(
    rows: Vec<T>,
    keys: &[OrderKey<'a>],
    view: &View<'a>,
    row: impl for<'r> Fn(&'r T) -> Row<'r, 'a>,
) -> Vec<T> {
    if keys.is_empty() {
        return rows;
    }
    let mut keyed: Vec<(Vec<SortKey>, T)> = rows
        .into_iter()
        .map(|item| {
            let row = row(&item);
            let made = keys.iter().map(|key| {
                let value = view.value(&key.operand.expr, row);
                sort_key(&key.operand, &value)
            });
            (made.collect(), item)
        })
        .collect();
    keyed.sort_by(|(a, _), (b, _)| {
        keys.iter()
            .zip(a.iter().zip(b))
            .map(|(key, (a, b))| compare(key, a, b))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    });
    keyed.into_iter().map(|(_, item)| item).collect()
}

/// Compares two keys; where the missing values go does not depend on the direction.
fn compare(key: &OrderKey<'_>, a: &SortKey, b: &SortKey) -> Ordering {
    match (*a == SortKey::Null, *b == SortKey::Null) {
        (true, true) => Ordering::Equal,
        (false, false) if key.descending => b.cmp(a),
        (false, false) => a.cmp(b),
        (a_missing, _) if a_missing != key.nulls_last => Ordering::Less,
        _ => Ordering::Greater,
    }
}

/// Makes a key: a picklist is ordered as its values are listed, and what is not listed comes after.
fn sort_key(operand: &Operand<'_>, value: &Value) -> SortKey {
    if operand.kind == FieldType::Picklist
        && !matches!(operand.expr, Expr::Label(_) | Expr::Aggregate(_))
        && let (Some(field), Some(text)) = (operand.field, value.as_text())
        && let Some(place) = field
            .picklist_values
            .iter()
            .position(|known| known.value == text)
    {
        return SortKey::Place(place);
    }
    SortKey::new(value, operand.kind)
}
