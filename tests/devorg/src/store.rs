//! The rows: one table an object, in id order, with an index over every reference and over the fields
//! that the org names.
//!
//! The store knows no schema. What may be written is decided before it gets here.

pub(crate) mod examined;
mod index;
mod values;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Bound;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::id::Id;
use crate::shared_text;
use crate::unsaved::Unsaved;
use crate::value::{NULL, Value};
use index::Indexes;
pub(crate) use index::{Ids, IndexedFields, Key};
pub use values::Values;

/// Every record of the org, deleted ones too.
#[derive(Debug, Clone, Default)]
pub struct Store {
    /// Copies of a store share the tables that neither has changed since.
    tables: HashMap<Arc<str>, Arc<Table>>,
    /// Which fields have an index.
    indexed: Arc<IndexedFields>,
    /// The names of fields, which all records share.
    names: HashSet<Arc<str>>,
    /// How often a record of an object was written; taking a change back is a write, too.
    changes: HashMap<Arc<str>, u64>,
    /// What takes the changes of the open transactions back; empty while there is none.
    journal: Vec<Undo>,
    /// How many transactions are open, each within the one before.
    open: usize,
    /// The records that are not in the state file as they are, with the names of their objects.
    pub(crate) unsaved: Unsaved<(Arc<str>, Id)>,
    /// The objects whose numbers are not.
    pub(crate) unsaved_numbers: Unsaved<Arc<str>>,
}

/// Stores are the same whose records, indexes, numbers and open transactions are; how often anything
/// was written does not count.
impl PartialEq for Store {
    fn eq(&self, other: &Self) -> bool {
        self.tables == other.tables && self.journal == other.journal && self.open == other.open
    }
}

/// A change, as what was there before it.
#[derive(Debug, Clone, PartialEq)]
enum Undo {
    /// A record was put or forgotten; without one before, it was new.
    Put {
        object: Arc<str>,
        id: Id,
        before: Option<Record>,
    },
    /// An id was given away; the last before it had this number.
    Number { object: Arc<str>, before: u64 },
}

/// The beginning of a transaction.
#[derive(Debug)]
#[must_use = "a transaction that does not end keeps its changes in the journal"]
pub(crate) struct Savepoint(usize);

/// The records of one object.
#[derive(Debug, Clone, Default, PartialEq)]
struct Table {
    rows: BTreeMap<Id, Record>,
    indexes: Indexes,
    /// The number of the last id that was given to a record.
    last_number: u64,
    /// The records in the recycle bin.
    deleted: BTreeSet<Id>,
    /// The bytes of files.
    blob_bytes: u64,
}

/// One record.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its id.
    pub id: Id,
    /// The name of its object.
    pub object: Arc<str>,
    /// The values of its fields, by the field's exact name; a field without value may be missing.
    pub values: Values,
    /// Whether it is in the recycle bin: only `queryAll` finds it.
    pub deleted: bool,
    /// How it got into the recycle bin.
    pub(crate) deletion: Option<Box<Deletion>>,
}

/// What undelete must know of a deletion.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Deletion {
    /// The record whose deletion took this one along; it is restored with that one and not alone.
    pub(crate) with: Option<Id>,
    /// The lookups to this record that its deletion emptied.
    pub(crate) emptied: Vec<Emptied>,
}

/// A lookup that a deletion emptied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Emptied {
    /// Whose it is.
    pub(crate) child: Id,
    #[serde(with = "shared_text")]
    pub(crate) field: Arc<str>,
}

impl Record {
    /// Makes a record without values.
    pub fn new(id: Id, object: Arc<str>) -> Self {
        Self {
            id,
            object,
            values: Values::new(),
            deleted: false,
            deletion: None,
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

    /// Counts the bytes of its files.
    fn blob_bytes(&self) -> u64 {
        let blobs = self.values.values().filter_map(Value::as_blob);
        blobs.map(|bytes| bytes.len() as u64).sum()
    }
}

impl Store {
    /// Makes a store without records that keeps an index over these fields.
    pub(crate) fn with_indexes(indexed: IndexedFields) -> Self {
        Self {
            indexed: Arc::new(indexed),
            ..Self::default()
        }
    }

    /// Gives the records of an object in id order, deleted ones too.
    pub fn rows(&self, object: &str) -> impl Iterator<Item = &Record> {
        self.tables
            .get(object)
            .into_iter()
            .flat_map(|table| table.rows.values())
            .inspect(|_| examined::note())
    }

    /// Gives a record of an object, deleted or not.
    pub fn get(&self, object: &str, id: Id) -> Option<&Record> {
        examined::note();
        self.tables.get(object)?.rows.get(&id)
    }

    /// Gives the records of `object` whose reference `field` holds `parent`, in id order, deleted
    /// ones too.
    pub fn children(&self, object: &str, field: &str, parent: Id) -> impl Iterator<Item = &Record> {
        let ids = self.referrers(object, field, parent).into_iter();
        ids.flat_map(Ids::iter)
            .filter_map(move |id| self.get(object, id))
    }

    /// Gives the ids of the records of `object` whose reference `field` holds `parent`, deleted ones
    /// too; none are none.
    pub(crate) fn referrers(&self, object: &str, field: &str, parent: Id) -> Option<&Ids> {
        let table = self.tables.get(object)?;
        table.indexes.referrers(field, parent)
    }

    /// Says whether a field that is no reference has an index.
    pub(crate) fn has_index(&self, object: &str, field: &str) -> bool {
        self.indexed.contains(object, field)
    }

    /// Gives the ids of the records of `object` whose `field` has a value between two, for each of the
    /// values in their order, deleted ones too. Only an index knows of any.
    pub(crate) fn between(
        &self,
        object: &str,
        field: &str,
        from: Bound<Key>,
        to: Bound<Key>,
    ) -> impl Iterator<Item = (&Key, &Ids)> {
        let table = self.tables.get(object);
        table
            .into_iter()
            .flat_map(move |table| table.indexes.range(field, from.clone(), to.clone()))
            .inspect(|_| examined::note())
    }

    /// Gives the records of `object` whose `field` has a value, in id order, deleted ones too; texts are
    /// compared without regard to case, and none has no value.
    pub(crate) fn having<'s>(
        &'s self,
        object: &'s str,
        field: &'s str,
        value: &Value,
    ) -> impl Iterator<Item = &'s Record> + use<'s> {
        let indexed = self.has_index(object, field);
        Key::of(value).into_iter().flat_map(move |key| {
            let (from, to) = (Bound::Included(key.clone()), Bound::Included(key.clone()));
            let found = indexed.then(|| self.between(object, field, from, to));
            let found = found.into_iter().flatten();
            let found = found.flat_map(|(_, ids)| ids.iter());
            let found = found.filter_map(move |id| self.get(object, id));
            let scanned = (!indexed).then(|| self.rows(object)).into_iter().flatten();
            let has = move |record: &&Record| Key::of(record.get(field)).as_ref() == Some(&key);
            found.chain(scanned.filter(has))
        })
    }

    /// Gives the records of an object that are deleted, in id order.
    pub(crate) fn deleted(&self, object: &str) -> impl Iterator<Item = &Record> {
        let ids = self.tables.get(object).map(|table| &table.deleted);
        ids.into_iter()
            .flatten()
            .filter_map(move |id| self.get(object, *id))
    }

    /// Counts the records of an object, deleted ones too.
    pub(crate) fn len(&self, object: &str) -> usize {
        self.tables.get(object).map_or(0, |table| table.rows.len())
    }

    /// Forgets a record, as if it had never been.
    pub(crate) fn purge(&mut self, object: &str, id: Id) {
        let Some(record) = self.get(object, id) else {
            return;
        };
        let object = record.object.clone();
        let before = self.replace(&object, id, None);
        if self.open > 0 {
            self.journal.push(Undo::Put { object, id, before });
        }
    }

    /// Counts the records of an object that are not deleted.
    pub fn count(&self, object: &str) -> usize {
        let table = self.tables.get(object);
        table.map_or(0, |table| table.rows.len() - table.deleted.len())
    }

    /// Counts the bytes of files that are with the records of an object, deleted ones too.
    pub(crate) fn blob_bytes(&self, object: &str) -> u64 {
        self.tables.get(object).map_or(0, |table| table.blob_bytes)
    }

    /// Gives how often a record of `object` was written: what follows from them is new when this is.
    pub(crate) fn changes(&self, object: &str) -> u64 {
        self.changes.get(object).copied().unwrap_or_default()
    }

    /// Gives the id of the next record of `object`, whose ids begin with `prefix`: one that no record has.
    ///
    /// Where no number follows the last any more, it is the highest that is free. Who has somebody to tell
    /// asks [`Store::has_next_id`] before.
    pub(crate) fn next_id(&mut self, object: &Arc<str>, prefix: &str) -> Id {
        let table = Arc::make_mut(self.tables.entry(object.clone()).or_default());
        let before = table.last_number;
        let next = table.free(before.saturating_add(1)..=Id::NUMBER_MAX, prefix);
        let free = next.or_else(|| table.free((0..=Id::NUMBER_MAX).rev(), prefix));
        table.last_number = next.unwrap_or(Id::NUMBER_MAX);
        self.unsaved_numbers.mark(|| object.clone());
        if self.open > 0 {
            let object = object.clone();
            self.journal.push(Undo::Number { object, before });
        }
        // There are more numbers than records.
        Id::numbered(prefix, free.unwrap_or(Id::NUMBER_MAX))
    }

    /// Says whether a number for the next record of `object` follows the last.
    pub(crate) fn has_next_id(&self, object: &str, prefix: &str) -> bool {
        self.tables.get(object).is_none_or(|table| {
            let numbers = table.last_number.saturating_add(1)..=Id::NUMBER_MAX;
            table.free(numbers, prefix).is_some()
        })
    }

    /// Gives the number of the last id that [`Store::next_id`] gave to a record of `object`.
    pub(crate) fn last_number(&self, object: &str) -> u64 {
        self.tables.get(object).map_or(0, |table| table.last_number)
    }

    /// Gives the record of an object whose id is the last in order, deleted or not.
    pub(crate) fn last(&self, object: &str) -> Option<&Record> {
        self.tables.get(object)?.rows.values().next_back()
    }

    /// Takes numbers as given to records of `object`, so that none is given again.
    pub(crate) fn skip_numbers(&mut self, object: &Arc<str>, until: u64) {
        let table = Arc::make_mut(self.tables.entry(object.clone()).or_default());
        // Room stays for as many others.
        table.last_number = table.last_number.max(until.min(Id::NUMBER_MAX / 2));
    }

    /// Puts a record in the place of the one with its id, if there is one.
    pub(crate) fn put(&mut self, record: Record) {
        let (object, id) = (record.object.clone(), record.id);
        let before = self.replace(&object, id, Some(record));
        if self.open > 0 {
            self.journal.push(Undo::Put { object, id, before });
        }
    }

    /// Opens a transaction, possibly within another.
    pub(crate) fn savepoint(&mut self) -> Savepoint {
        self.open += 1;
        Savepoint(self.journal.len())
    }

    /// Ends a transaction and keeps its changes; those around it may still take them back.
    pub(crate) fn commit(&mut self, _: Savepoint) {
        self.open = self.open.saturating_sub(1);
        if self.open == 0 {
            self.journal.clear();
        }
    }

    /// Ends a transaction and takes its changes back, the last one first.
    pub(crate) fn roll_back(&mut self, savepoint: Savepoint) {
        self.open = self.open.saturating_sub(1);
        for undo in self.journal.split_off(savepoint.0).into_iter().rev() {
            let object = match undo {
                Undo::Put { object, id, before } => {
                    self.replace(&object, id, before);
                    object
                }
                Undo::Number { object, before } => {
                    if let Some(table) = self.tables.get_mut(&object) {
                        Arc::make_mut(table).last_number = before;
                    }
                    self.unsaved_numbers.mark(|| object.clone());
                    object
                }
            };
            if self
                .tables
                .get(&object)
                .is_some_and(|table| **table == Table::default())
            {
                self.tables.remove(&object);
            }
        }
    }

    /// Begins to remember what is not saved: everything at first, or nothing.
    pub(crate) fn remember_unsaved(&mut self, everything: bool) {
        let tables = self.tables.iter().filter(|_| everything);
        let records = tables.clone().flat_map(|(object, table)| {
            let ids = table.rows.keys();
            ids.map(|id| (object.clone(), *id))
        });
        self.unsaved.begin(records);
        let numbers = tables.map(|(object, _)| object.clone());
        self.unsaved_numbers.begin(numbers);
    }

    /// Goes on with the ids of an object after a number.
    pub(crate) fn set_last_number(&mut self, object: &Arc<str>, number: u64) {
        let table = self.tables.entry(object.clone()).or_default();
        Arc::make_mut(table).last_number = number;
    }

    fn replace(&mut self, object: &Arc<str>, id: Id, mut record: Option<Record>) -> Option<Record> {
        self.unsaved.mark(|| (object.clone(), id));
        *self.changes.entry(object.clone()).or_default() += 1;
        if let Some(record) = &mut record {
            record.values.settle(&mut self.names);
        }
        let table = Arc::make_mut(self.tables.entry(object.clone()).or_default());
        table.replace(&self.indexed, (object, id), record)
    }
}

impl Table {
    /// Finds the first of some numbers whose id no record has.
    fn free(&self, mut numbers: impl Iterator<Item = u64>, prefix: &str) -> Option<u64> {
        numbers.find(|number| !self.rows.contains_key(&Id::numbered(prefix, *number)))
    }

    /// Puts a record in the place of the one with an id, or takes that one away, and gives it.
    fn replace(
        &mut self,
        indexed: &IndexedFields,
        (object, id): (&str, Id),
        record: Option<Record>,
    ) -> Option<Record> {
        let (before, after) = (self.rows.get(&id), record.as_ref());
        self.indexes.replace(indexed, (object, id), before, after);
        match after {
            Some(record) if record.deleted => self.deleted.insert(id),
            _ => self.deleted.remove(&id),
        };
        let bytes = |record: Option<&Record>| record.map_or(0, Record::blob_bytes);
        self.blob_bytes = self.blob_bytes + bytes(after) - bytes(before);
        match record {
            Some(record) => self.rows.insert(id, record),
            None => self.rows.remove(&id),
        }
    }
}

#[cfg(test)]
mod tests;
