//! The rows: one table an object, in id order, with an index over every reference.
//!
//! The store knows no schema. What may be written is decided before it gets here.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::id::Id;
use crate::shared_text;
use crate::unsaved::Unsaved;
use crate::value::{NULL, Value};

/// Every record of the org, deleted ones too.
#[derive(Debug, Clone, Default)]
pub struct Store {
    /// Copies of a store share the tables that neither has changed since.
    tables: HashMap<Arc<str>, Arc<Table>>,
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
    /// An id was given away.
    Number { object: Arc<str> },
}

/// The beginning of a transaction.
#[derive(Debug)]
#[must_use = "a transaction that does not end keeps its changes in the journal"]
pub(crate) struct Savepoint(usize);

/// The records of one object.
#[derive(Debug, Clone, Default, PartialEq)]
struct Table {
    rows: BTreeMap<Id, Record>,
    /// For each field that holds ids, who refers to an id.
    references: HashMap<Arc<str>, BTreeMap<Id, BTreeSet<Id>>>,
    /// The number of the next record's id.
    next_number: u64,
}

/// One record.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its id.
    pub id: Id,
    /// The name of its object.
    pub object: Arc<str>,
    /// The values of its fields, by the field's exact name; a field without value may be missing.
    pub values: BTreeMap<Arc<str>, Value>,
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
            values: BTreeMap::new(),
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
        self.rows(object).filter(|record| !record.deleted).count()
    }

    /// Gives how often a record of `object` was written: what follows from them is new when this is.
    pub(crate) fn changes(&self, object: &str) -> u64 {
        self.changes.get(object).copied().unwrap_or_default()
    }

    /// Gives the id of the next record of `object`, whose ids begin with `prefix`.
    pub(crate) fn next_id(&mut self, object: &Arc<str>, prefix: &str) -> Id {
        let table = Arc::make_mut(self.tables.entry(object.clone()).or_default());
        table.next_number += 1;
        let id = Id::numbered(prefix, table.next_number);
        self.unsaved_numbers.mark(|| object.clone());
        if self.open > 0 {
            let object = object.clone();
            self.journal.push(Undo::Number { object });
        }
        id
    }

    /// Gives the number of the last id that [`Store::next_id`] gave to a record of `object`.
    pub(crate) fn last_number(&self, object: &str) -> u64 {
        self.tables.get(object).map_or(0, |table| table.next_number)
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
                Undo::Number { object } => {
                    if let Some(table) = self.tables.get_mut(&object) {
                        Arc::make_mut(table).next_number -= 1;
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
        Arc::make_mut(table).next_number = number;
    }

    fn replace(&mut self, object: &Arc<str>, id: Id, record: Option<Record>) -> Option<Record> {
        self.unsaved.mark(|| (object.clone(), id));
        *self.changes.entry(object.clone()).or_default() += 1;
        let table = Arc::make_mut(self.tables.entry(object.clone()).or_default());
        table.replace(id, record)
    }
}

impl Table {
    /// Puts a record in the place of the one with an id, or takes that one away, and gives it.
    fn replace(&mut self, id: Id, record: Option<Record>) -> Option<Record> {
        let gone = moved(self.rows.get(&id), record.as_ref());
        let come = moved(record.as_ref(), self.rows.get(&id));
        for (field, parent) in gone {
            if let Some(index) = self.references.get_mut(&field) {
                if let Some(referrers) = index.get_mut(&parent) {
                    referrers.remove(&id);
                    if referrers.is_empty() {
                        index.remove(&parent);
                    }
                }
                if index.is_empty() {
                    self.references.remove(&field);
                }
            }
        }
        for (field, parent) in come {
            let index = self.references.entry(field).or_default();
            index.entry(parent).or_default().insert(id);
        }
        match record {
            Some(record) => self.rows.insert(id, record),
            None => self.rows.remove(&id),
        }
    }
}

/// Gives the references of a record that another state of it does not have.
fn moved(of: Option<&Record>, other: Option<&Record>) -> Vec<(Arc<str>, Id)> {
    let mut moved = Vec::new();
    for (field, value) in of.iter().flat_map(|record| &record.values) {
        if &**field == "Id" || other.is_some_and(|other| other.get(field) == value) {
            continue;
        }
        if let Some(parent) = value.as_text().and_then(Id::parse) {
            moved.push((field.clone(), parent));
        }
    }
    moved
}

#[cfg(test)]
impl Store {
    /// Gives a store of the same records whose indexes are made anew.
    pub(crate) fn rebuilt(&self) -> Self {
        let mut rebuilt = Self::default();
        for (object, table) in &self.tables {
            let empty = Table {
                next_number: table.next_number,
                ..Table::default()
            };
            rebuilt.tables.insert(object.clone(), Arc::new(empty));
        }
        let records = self.tables.values().flat_map(|table| table.rows.values());
        records.for_each(|record| rebuilt.put(record.clone()));
        rebuilt
    }

    /// Says whether two stores have the same records, indexes and numbers; what an open transaction
    /// knows besides does not count.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.tables == other.tables
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

    #[test]
    fn what_is_taken_back_was_never_there() {
        let mut store = Store::default();
        let empty = store.clone();
        let one = Id::numbered("001", 1);
        let object: Arc<str> = "Contact".into();
        let outer = store.savepoint();
        let first = store.next_id(&object, "003");
        store.put(contact(first, Some(one)));
        let known = store.clone();
        let inner = store.savepoint();
        store.put(contact(first, None));
        let second = store.next_id(&object, "003");
        store.put(contact(second, Some(one)));
        store.roll_back(inner);
        assert!(store.same(&known));
        let inner = store.savepoint();
        store.put(contact(first, None));
        store.commit(inner);
        assert_eq!(store.children("Contact", "AccountId", one).count(), 0);
        store.roll_back(outer);
        assert_eq!(store, empty);
        assert!(store.changes("Contact") > 0);
    }
}
