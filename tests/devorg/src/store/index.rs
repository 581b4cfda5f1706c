//! Who has which value: an ordered index over each field that the store was told of, and one over
//! every field that holds ids.
//!
//! A key is what queries compare: texts without regard to case. Records without a value are in no index.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Bound;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use super::Record;
use crate::id::Id;
use crate::value::{Number, Value, folded};

/// A value as an index has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// A number.
    Number(Number),
    /// A text in lower case.
    Text(Box<str>),
    /// A day.
    Day(Date),
    /// A moment.
    Moment(Timestamp),
}

impl Key {
    /// Makes the key of a text.
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(folded(text).collect::<String>().into())
    }

    /// Makes the key of a number.
    pub(crate) fn number(number: f64) -> Self {
        Self::Number(Number::new(number))
    }

    /// Says whether this is a text that begins so.
    pub(crate) fn begins(&self, prefix: &str) -> bool {
        matches!(self, Self::Text(text) if text.starts_with(prefix))
    }

    /// Makes the key of a value; there is none of no value, of a checkbox, a time of day or a file.
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Null | Value::Bool(_) | Value::Time(_) | Value::Blob(_) => None,
            Value::Int(value) => Some(Self::number(*value as f64)),
            Value::Number(value) => Some(Self::number(*value)),
            Value::Text(text) => Some(Self::text(text)),
            Value::Date(day) => Some(Self::Day(*day)),
            Value::DateTime(moment) => Some(Self::Moment(*moment)),
        }
    }
}

/// The records that have one value, in id order; most values have one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ids {
    /// One record.
    One(Id),
    /// Several.
    Several(BTreeSet<Id>),
}

impl Ids {
    /// Counts the records.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Several(ids) => ids.len(),
        }
    }

    /// Gives the records.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Id> {
        let (one, several) = match self {
            Self::One(id) => (Some(*id), None),
            Self::Several(ids) => (None, Some(ids)),
        };
        one.into_iter()
            .chain(several.into_iter().flatten().copied())
    }

    fn insert(&mut self, id: Id) {
        match self {
            Self::One(other) if *other == id => {}
            Self::One(other) => *self = Self::Several(BTreeSet::from([*other, id])),
            Self::Several(ids) => {
                ids.insert(id);
            }
        }
    }

    /// Takes a record out, and says whether none is left.
    fn remove(&mut self, id: Id) -> bool {
        match self {
            Self::One(other) => *other == id,
            Self::Several(ids) => {
                ids.remove(&id);
                if let (1, Some(last)) = (ids.len(), ids.first()) {
                    *self = Self::One(*last);
                }
                false
            }
        }
    }
}

/// Which fields of which objects have an index; those that hold ids have one without being named.
#[derive(Debug, Clone, Default)]
pub(crate) struct IndexedFields(HashMap<Arc<str>, HashSet<Arc<str>>>);

impl IndexedFields {
    /// Adds a field of an object.
    pub(crate) fn add(&mut self, object: &Arc<str>, field: &Arc<str>) {
        let fields = self.0.entry(Arc::clone(object)).or_default();
        fields.insert(Arc::clone(field));
    }

    /// Says whether a field has an index.
    pub(super) fn contains(&self, object: &str, field: &str) -> bool {
        let fields = self.0.get(object);
        fields.is_some_and(|fields| fields.contains(field))
    }

    fn of(&self, object: &str) -> impl Iterator<Item = &Arc<str>> {
        self.0.get(object).into_iter().flatten()
    }
}

/// The indexes of one table.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Indexes {
    /// For each field that holds ids, who refers to an id.
    references: HashMap<Arc<str>, BTreeMap<Id, Ids>>,
    /// For each field that the store was told of, who has a value.
    values: HashMap<Arc<str>, BTreeMap<Key, Ids>>,
}

impl Indexes {
    /// Gives the records whose field holds an id.
    pub(super) fn referrers(&self, field: &str, parent: Id) -> Option<&Ids> {
        self.references.get(field)?.get(&parent)
    }

    /// Gives the values of a field between two, with the records that have them.
    pub(super) fn range(
        &self,
        field: &str,
        from: Bound<Key>,
        to: Bound<Key>,
    ) -> impl Iterator<Item = (&Key, &Ids)> {
        let index = self.values.get(field).filter(|_| !is_empty(&from, &to));
        index.into_iter().flat_map(move |index| {
            let bounds = (from.as_ref().cloned(), to.as_ref().cloned());
            index.range(bounds)
        })
    }

    /// Keeps up with a record of `object` that takes the place of another state of it.
    pub(super) fn replace(
        &mut self,
        fields: &IndexedFields,
        (object, id): (&str, Id),
        before: Option<&Record>,
        after: Option<&Record>,
    ) {
        for (field, parent) in moved(before, after) {
            take_out(&mut self.references, field, &parent, id);
        }
        for (field, parent) in moved(after, before) {
            put_in(&mut self.references, field, parent, id);
        }
        for field in fields.of(object) {
            let key =
                |record: Option<&Record>| record.and_then(|record| Key::of(record.get(field)));
            let same =
                before.map(|record| record.get(field)) == after.map(|record| record.get(field));
            let (old, new) = match same {
                true => continue,
                false => (key(before), key(after)),
            };
            if old == new {
                continue;
            }
            if let Some(old) = old {
                take_out(&mut self.values, field, &old, id);
            }
            if let Some(new) = new {
                put_in(&mut self.values, field, new, id);
            }
        }
    }
}

/// Says whether nothing can be between two bounds, which a tree takes for a mistake.
fn is_empty(from: &Bound<Key>, to: &Bound<Key>) -> bool {
    match (from, to) {
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (
            Bound::Included(from) | Bound::Excluded(from),
            Bound::Included(to) | Bound::Excluded(to),
        ) => from >= to,
        _ => false,
    }
}

fn put_in<K: Ord>(
    indexes: &mut HashMap<Arc<str>, BTreeMap<K, Ids>>,
    field: &Arc<str>,
    key: K,
    id: Id,
) {
    let index = indexes.entry(Arc::clone(field)).or_default();
    let ids = index.entry(key).or_insert(Ids::One(id));
    ids.insert(id);
}

/// Takes a record out of an index, and whatever is empty then.
fn take_out<K: Ord>(
    indexes: &mut HashMap<Arc<str>, BTreeMap<K, Ids>>,
    field: &Arc<str>,
    key: &K,
    id: Id,
) {
    let Some(index) = indexes.get_mut(field) else {
        return;
    };
    if index.get_mut(key).is_some_and(|ids| ids.remove(id)) {
        index.remove(key);
    }
    if index.is_empty() {
        indexes.remove(field);
    }
}

/// Gives the references of a record that another state of it does not have.
fn moved<'r>(
    of: Option<&'r Record>,
    other: Option<&'r Record>,
) -> impl Iterator<Item = (&'r Arc<str>, Id)> {
    let values = of.into_iter().flat_map(|record| record.values.iter());
    values
        .filter(move |(field, value)| {
            &***field != "Id" && other.is_none_or(|other| other.get(field) != *value)
        })
        .filter_map(|(field, value)| Some((field, Id::parse(value.as_text()?)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_that_cannot_be_is_empty() {
        let (object, field): (Arc<str>, Arc<str>) = ("Contact".into(), "Name".into());
        let mut fields = IndexedFields::default();
        fields.add(&object, &field);
        let mut indexes = Indexes::default();
        let ids: Vec<Id> = (1..4).map(|number| Id::numbered("003", number)).collect();
        for (id, name) in ids.iter().zip(["Ann", "BOB", "bob"]) {
            let mut record = Record::new(*id, object.clone());
            record.values.insert(field.clone(), name.into());
            indexes.replace(&fields, (&object, *id), None, Some(&record));
        }
        let key = |text: &str| Key::text(text);
        use Bound::{Excluded, Included, Unbounded};
        let cases = [
            (Included(key("bOb")), Included(key("bob")), &ids[1..]),
            (Unbounded, Excluded(key("Bob")), &ids[..1]),
            (Excluded(key("ann")), Unbounded, &ids[1..]),
            (Included(key("bob")), Excluded(key("bob")), &[]),
            (Excluded(key("bob")), Excluded(key("bob")), &[]),
            (Included(key("bob")), Included(key("ann")), &[]),
            (
                Included(Key::Moment(Timestamp::MAX)),
                Included(key("ann")),
                &[],
            ),
            (Unbounded, Included(Key::number(1.0)), &[]),
        ];
        for (from, to, expected) in cases {
            let case = format!("{from:?} {to:?}");
            let found = indexes
                .range("Name", from, to)
                .flat_map(|(_, ids)| ids.iter());
            assert_eq!(found.collect::<Vec<_>>(), expected, "{case}");
        }
        assert_eq!(indexes.range("Email", Unbounded, Unbounded).count(), 0);
    }
}
