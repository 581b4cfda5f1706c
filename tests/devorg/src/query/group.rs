//! `GROUP BY`, with the subtotals of `ROLLUP` and `CUBE`.
//!
//! Groups come in the order of their keys, missing values first, a subtotal after what it sums up.

use std::collections::BTreeMap;

use soql::GroupKind;

use super::aggregate::Gathered;
use super::compare::SortKey;
use super::plan::Groups;
use super::view::{Entry, Group, Row, View};
use crate::value::Value;

/// What is gathered of one group.
struct Gathering {
    keys: Vec<Option<Value>>,
    gathered: Vec<Gathered>,
}

/// Groups rows and leaves the groups that `HAVING` accepts.
pub(super) fn groups<'a>(view: &View<'a>, plan: &Groups<'a>, rows: &[Entry<'a>]) -> Vec<Group> {
    let levels = levels(plan.kind, plan.keys.len());
    let mut groups: BTreeMap<Vec<SortKey>, Gathering> = BTreeMap::new();
    if plan.keys.is_empty() {
        // The one group is there even without rows.
        groups.insert(Vec::new(), begin(plan, Vec::new()));
    }
    for entry in rows {
        let row = Row::Record(*entry);
        let values: Vec<Value> = plan
            .keys
            .iter()
            .map(|key| view.value(&key.expr, row).into_owned())
            .collect();
        let keys: Vec<SortKey> = values
            .iter()
            .zip(&plan.keys)
            .map(|(value, key)| SortKey::new(value, key.kind))
            .collect();
        let inputs: Vec<_> = plan
            .aggregates
            .iter()
            .map(|aggregate| aggregate.path.as_ref().map(|path| view.field(*entry, path)))
            .collect();
        for level in &levels {
            let of_level = |at: usize| level.get(at) == Some(&true);
            let key = keys.iter().enumerate().map(|(at, key)| match of_level(at) {
                true => key.clone(),
                false => SortKey::Rolled,
            });
            let gathering = groups.entry(key.collect()).or_insert_with(|| {
                let values = values.iter().enumerate();
                let keys = values.map(|(at, value)| of_level(at).then(|| value.clone()));
                begin(plan, keys.collect())
            });
            let gathered = gathering.gathered.iter_mut().zip(&plan.aggregates);
            for ((gathered, aggregate), input) in gathered.zip(&inputs) {
                gathered.add(aggregate, input.as_deref());
            }
        }
    }
    let finished = groups
        .into_values()
        .map(|gathering| finish(plan, gathering));
    finished
        .filter(|group| match &plan.having {
            Some(having) => having.accepts(view, Row::Group(group)),
            None => true,
        })
        .collect()
}

fn begin(plan: &Groups<'_>, keys: Vec<Option<Value>>) -> Gathering {
    let functions = plan.aggregates.iter().map(|aggregate| aggregate.function);
    Gathering {
        keys,
        gathered: functions.map(Gathered::new).collect(),
    }
}

fn finish(plan: &Groups<'_>, gathering: Gathering) -> Group {
    let gathered = gathering.gathered.into_iter().zip(&plan.aggregates);
    Group {
        keys: gathering.keys,
        results: gathered
            .map(|(gathered, aggregate)| gathered.result(aggregate))
            .collect(),
    }
}

/// Gives which keys each level of totals is grouped by.
fn levels(kind: GroupKind, keys: usize) -> Vec<Vec<bool>> {
    let first = |n: usize| (0..keys).map(|at| at < n).collect();
    match kind {
        GroupKind::Plain => vec![first(keys)],
        GroupKind::Rollup => (0..=keys).map(first).collect(),
        GroupKind::Cube => (0..keys).fold(vec![Vec::new()], |levels, _| {
            let longer = |level: &Vec<bool>, of_level| [level.as_slice(), &[of_level]].concat();
            let levels = levels.iter();
            levels
                .flat_map(|level| [longer(level, false), longer(level, true)])
                .collect()
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rollup_drops_keys_from_the_right_and_a_cube_any() {
        let (no, yes) = (false, true);
        assert_eq!(levels(GroupKind::Plain, 2), [[yes, yes]]);
        assert_eq!(
            levels(GroupKind::Rollup, 2),
            [[no, no], [yes, no], [yes, yes]]
        );
        let cube = [[no, no], [no, yes], [yes, no], [yes, yes]];
        assert_eq!(levels(GroupKind::Cube, 2), cube);
        assert_eq!(levels(GroupKind::Plain, 40).concat().len(), 40);
    }
}
