//! The store keeps what it is given, and its indexes with it.

use super::*;

impl Store {
    /// Gives a store of the same records whose indexes are made anew.
    pub(crate) fn rebuilt(&self) -> Self {
        let mut rebuilt = Self {
            indexed: Arc::clone(&self.indexed),
            ..Self::default()
        };
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
