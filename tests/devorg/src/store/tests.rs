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
                last_number: table.last_number,
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

#[test]
fn an_id_that_is_taken_is_not_given() {
    let object: Arc<str> = "Contact".into();
    let id = |number| Id::numbered("003", number);
    let next = |store: &mut Store| store.next_id(&object, "003");
    let mut store = Store::default();
    for taken in [2, 3, 6] {
        store.put(contact(id(taken), None));
    }
    let before = store.clone();
    let transaction = store.savepoint();
    assert_eq!([(); 4].map(|()| next(&mut store)), [1, 4, 5, 7].map(id));
    store.roll_back(transaction);
    assert!(store.same(&before));
    assert_eq!(next(&mut store), id(1));

    // The numbers of what was loaded are high: half of them stay, with some that are taken.
    store.skip_numbers(&object, u64::MAX);
    let half = Id::NUMBER_MAX / 2;
    store.put(contact(id(half + 1), None));
    assert_eq!(next(&mut store), id(half + 2));
}

#[test]
fn numbers_end_without_beginning_anew() {
    let object: Arc<str> = "Contact".into();
    let id = |number| Id::numbered("003", number);
    let last = Id::NUMBER_MAX;
    let mut store = Store::default();
    assert!(store.has_next_id("Contact", "003"));
    store.set_last_number(&object, last - 3);
    store.put(contact(id(last - 1), None));
    assert_eq!(store.next_id(&object, "003"), id(last - 2));
    assert!(store.has_next_id("Contact", "003"));
    assert_eq!(store.next_id(&object, "003"), id(last));
    store.put(contact(id(last), None));
    assert!(!store.has_next_id("Contact", "003"));
    // Who asks all the same has what no record has, again and again.
    assert_eq!(store.next_id(&object, "003"), id(last - 2));
    store.put(contact(id(last - 2), None));
    assert_eq!(store.next_id(&object, "003"), id(last - 3));
    // The last may be one of many that are taken.
    store.set_last_number(&object, last - 3);
    assert!(!store.has_next_id("Contact", "003"));
}
