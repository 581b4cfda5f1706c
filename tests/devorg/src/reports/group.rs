//! Rows into groups, groups into `groupings`.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::bound::{Aggregate, Keyed, value_at};
use super::fact::number;
use super::period::period;
use crate::query::{Calendar, SortKey, formatted};
use crate::schema::FieldType;
use crate::value::Value;

/// A group of rows within another.
#[derive(Debug)]
pub(super) struct Group {
    label: String,
    value: Json,
    /// The places of its rows, in their order.
    pub(super) rows: Vec<usize>,
    groups: Vec<Group>,
}

/// What a row is grouped by.
struct Key {
    sort: SortKey,
    label: String,
    value: Json,
}

/// Groups rows by keys, one within another.
pub(super) fn grouped(
    rows: &[Json],
    of: &[usize],
    keys: &[Keyed<'_>],
    aggregates: &[Aggregate<'_>],
    calendar: &Calendar,
) -> Vec<Group> {
    let Some((key, inner)) = keys.split_first() else {
        return Vec::new();
    };
    // People of the same name are not the same: the value tells groups apart.
    let mut found: BTreeMap<(SortKey, String), (Key, Vec<usize>)> = BTreeMap::new();
    for at in of {
        let Some(row) = rows.get(*at) else { continue };
        let made = key_of(row, key, calendar);
        let place = (made.sort.clone(), made.value.to_string());
        found.entry(place).or_insert((made, Vec::new())).1.push(*at);
    }
    let mut groups: Vec<Group> = found
        .into_values()
        .map(|(made, of)| Group {
            label: made.label,
            value: made.value,
            groups: grouped(rows, &of, inner, aggregates, calendar),
            rows: of,
        })
        .collect();
    if let Some(aggregate) = key.by_aggregate.and_then(|at| aggregates.get(at)) {
        groups.sort_by_cached_key(|group| {
            SortKey::new(&number(aggregate, rows, &group.rows), aggregate.kind())
        });
    }
    if key.descending {
        groups.reverse();
    }
    groups
}

fn key_of(row: &Json, key: &Keyed<'_>, calendar: &Calendar) -> Key {
    let shown = &key.shown;
    let value = value_at(row, shown.column.path, shown.kind);
    if let Some(period) = period(&value, key.granularity, calendar) {
        return Key {
            sort: SortKey::new(&period.value, FieldType::Date),
            value: period.value.to_json(),
            label: period.label,
        };
    }
    let mut values = shown.field.picklist_values.iter();
    let listed = value
        .as_text()
        .and_then(|text| values.position(|known| known.value == text))
        .filter(|_| shown.kind == FieldType::Picklist);
    let sort = match listed {
        Some(place) => SortKey::Place(place),
        None => SortKey::new(&value, FieldType::String),
    };
    let own = match shown.column.id {
        "" => value.to_json(),
        id => value_at(row, id, FieldType::Id).to_json(),
    };
    let label = match listed.and_then(|place| shown.field.picklist_values.get(place)) {
        Some(known) => known.label.clone(),
        None => label(&value, shown.kind, shown.field.scale, calendar),
    };
    Key {
        sort,
        label,
        value: own,
    }
}

/// Gives what a person reads of a value; of none, a dash.
pub(super) fn label(value: &Value, kind: FieldType, scale: u32, calendar: &Calendar) -> String {
    match formatted(value, kind, scale, calendar) {
        Value::Null => "-".into(),
        Value::Bool(value) => value.to_string(),
        Value::Text(text) => text,
        other => other.to_json().to_string(),
    }
}

/// Gives `groupings`: the groups with their keys, `0`, `0_1`.
pub(super) fn groupings(groups: &[Group], above: &str) -> Json {
    let groupings: Vec<Json> = groups
        .iter()
        .enumerate()
        .map(|(at, group)| {
            let key = key(above, at);
            json!({
                "groupings": groupings(&group.groups, &key),
                "key": key,
                "label": group.label,
                "value": group.value,
            })
        })
        .collect();
    Json::Array(groupings)
}

/// A place of the fact map on one side.
#[derive(Debug)]
pub(super) struct Side<'g> {
    /// `T`, `0` or `0_1`.
    pub(super) key: String,
    /// The places of its rows.
    pub(super) rows: &'g [usize],
    /// Whether it has no groups within.
    pub(super) leaf: bool,
}

/// Gives every place of a side: the total of `all` rows, and each group.
pub(super) fn sides<'g>(groups: &'g [Group], all: &'g [usize]) -> Vec<Side<'g>> {
    let mut sides = vec![Side {
        key: "T".into(),
        rows: all,
        leaf: groups.is_empty(),
    }];
    gather(groups, "", &mut sides);
    sides
}

fn gather<'g>(groups: &'g [Group], above: &str, sides: &mut Vec<Side<'g>>) {
    for (at, group) in groups.iter().enumerate() {
        let key = key(above, at);
        gather(&group.groups, &key, sides);
        sides.push(Side {
            key,
            rows: &group.rows,
            leaf: group.groups.is_empty(),
        });
    }
}

fn key(above: &str, at: usize) -> String {
    match above {
        "" => at.to_string(),
        above => format!("{above}_{at}"),
    }
}
