//! The rows: one table an object, in id order, with an index over every reference.
//!
//! The store knows no schema. What may be written is decided before it gets here.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::id::Id;
use crate::value::{NULL, Value};

/// Every record of the org, deleted ones too.
#[derive(Debug, Clone, Default)]
pub struct Store {
    tables: HashMap<Arc<str>, Table>,
}

/// The records of one object.
#[derive(Debug, Clone, Default)]
struct Table {
    rows: BTreeMap<Id, Record>,
    /// For each field that holds ids, who refers to an id.
    references: HashMap<Arc<str>, BTreeMap<Id, BTreeSet<Id>>>,
    /// The number of the next record's id.
    next_number: u64,
}

/// One record.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its id.
    pub id: Id,
    /// The name of its object.
    pub object: Arc<str>,
    /// The values of its fields, by the field's exact name; a field without value may be missing.
    pub values: BTreeMap<Arc<str>, Value>,
    /// Whether it is in the recycle bin: only `queryAll` finds it.
    pub deleted: bool,
}

impl Record {
    /// Makes a record without values.
    pub fn new(id: Id, object: Arc<str>) -> Self {
        Self {
            id,
            object,
            values: BTreeMap::new(),
            deleted: false,
        }
    }

    /// Gives the value of a field by its exact name; a missing one is [`Value::Null`].
    ///
    /// `Id` and `IsDeleted` are values like any other.
    pub fn get(&self, field: &str) -> &Value {
        self.values.get(field).unwrap_or(&NULL)
    }

    /// Gives the id that a reference field holds.
    pub fn reference(&self, field: &str) -> Option<Id> {
        Id::parse(self.get(field).as_text()?)
    }
}

impl Store {
    /// Gives the records of an object in id order, deleted ones too.
    pub fn rows(&self, object: &str) -> impl Iterator<Item = &Record> {
        self.tables
            .get(object)
            .into_iter()
            .flat_map(|table| table.rows.values())
    }

    /// Gives a record of an object, deleted or not.
    pub fn get(&self, object: &str, id: Id) -> Option<&Record> {
        self.tables.get(object)?.rows.get(&id)
    }

    /// Gives the records of `object` whose reference `field` holds `parent`, in id order, deleted
    /// ones too.
    pub fn children(&self, object: &str, field: &str, parent: Id) -> impl Iterator<Item = &Record> {
        let table = self.tables.get(object);
        table
            .and_then(|table| table.references.get(field)?.get(&parent))
            .into_iter()
            .flatten()
            .filter_map(move |id| table?.rows.get(id))
    }

    /// Counts the records of an object, deleted ones too.
    pub(crate) fn len(&self, object: &str) -> usize {
        self.tables.get(object).map_or(0, |table| table.rows.len())
    }

    /// Forgets a record, as if it had never been.
    pub(crate) fn purge(&mut self, object: &str, id: Id) {
        let Some(table) = self.tables.get_mut(object) else {
            return;
        };
        let Some(record) = table.rows.remove(&id) else {
            return;
        };
        for field in record.values.keys() {
            let parent = record.reference(field);
            let index = table.references.get_mut(field);
            if let Some(referrers) = parent.and_then(|parent| index?.get_mut(&parent)) {
                referrers.remove(&id);
            }
        }
    }

    /// Counts the records of an object that are not deleted.
    pub fn count(&self, object: &str) -> usize {
        self.rows(object).filter(|record| !record.deleted).count()
    }

    /// Gives the id of the next record of `object`, whose ids begin with `prefix`.
    pub(crate) fn next_id(&mut self, object: &Arc<str>, prefix: &str) -> Id {
        let table = self.tables.entry(object.clone()).or_default();
        table.next_number += 1;
        Id::numbered(prefix, table.next_number)
    }

    /// Gives the number of the last id that [`Store::next_id`] gave to a record of `object`.
    pub(crate) fn last_number(&self, object: &str) -> u64 {
        self.tables.get(object).map_or(0, |table| table.next_number)
    }

    /// Puts a record in the place of the one with its id, if there is one.
    pub(crate) fn put(&mut self, record: Record) {
        let table = self.tables.entry(record.object.clone()).or_default();
        let old = table.rows.get(&record.id);
        for (field, value) in &record.values {
            if old.is_some_and(|old| old.get(field) == value) || &**field == "Id" {
                continue;
            }
            let old = old.and_then(|old| old.reference(field));
            let new = value.as_text().and_then(Id::parse);
            if old.is_none() && new.is_none() {
                continue;
            }
            let index = table.references.entry(field.clone()).or_default();
            if let Some(referrers) = old.and_then(|old| index.get_mut(&old)) {
                referrers.remove(&record.id);
            }
            if let Some(new) = new {
                index.entry(new).or_default().insert(record.id);
            }
        }
        table.rows.insert(record.id, record);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(id: Id, account: Option<Id>) -> Record {
        let mut record = Record::new(id, "Contact".into());
        record.values.insert("AccountId".into(), account.into());
        record
    }

    #[test]
    fn children_follow_their_reference() {
        let mut store = Store::default();
        let (one, two) = (Id::numbered("001", 1), Id::numbered("001", 2));
        let object: Arc<str> = "Contact".into();
        let first = store.next_id(&object, "003");
        let second = store.next_id(&object, "003");
        store.put(contact(first, Some(one)));
        store.put(contact(second, Some(one)));
        let of = |store: &Store, parent| -> Vec<Id> {
            let children = store.children("Contact", "AccountId", parent);
            children.map(|record| record.id).collect()
        };
        assert_eq!(of(&store, one), [first, second]);

        store.put(contact(first, Some(two)));
        store.put(contact(second, None));
        assert_eq!(of(&store, one), []);
        assert_eq!(of(&store, two), [first]);
        assert_eq!(store.rows("Contact").count(), 2);
        assert_eq!(store.children("Lead", "OwnerId", one).count(), 0);
    }
}
