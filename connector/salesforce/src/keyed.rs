//! Values by keys, in the order of the keys, by one piece of code for all that is kept so.
//!
//! The standard library's tree is made anew for each type, by six kilobytes each time, and what is kept here is short.

use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Serialize, Serializer};

/// Values by keys: each key once, the keys sorted.
#[derive(Debug, Clone)]
pub struct Keyed<K, V>(Vec<(K, V)>);

impl<K, V> Default for Keyed<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Borrow<str>, V> Keyed<K, V> {
    /// Gives the place of a key, or the one where it would be.
    fn place(&self, key: &str) -> Result<usize, usize> {
        place(self.0.len(), &|at| self.0[at].0.borrow(), key)
    }

    /// Gives what a key has.
    pub fn get(&self, key: &str) -> Option<&V> {
        let place = self.place(key).ok()?;
        Some(&self.0[place].1)
    }

    /// Says whether a key has anything.
    pub fn contains(&self, key: &str) -> bool {
        self.place(key).is_ok()
    }

    /// Gives a key its value, instead of what it had.
    pub fn insert(&mut self, key: K, value: V) {
        match self.place(key.borrow()) {
            Ok(place) => self.0[place].1 = value,
            Err(place) => self.0.insert(place, (key, value)),
        }
    }

    /// Gives what a key has, and first gives it that if it has nothing.
    pub fn or_insert(&mut self, key: K, value: impl FnOnce() -> V) -> &mut V {
        let place = match self.place(key.borrow()) {
            Ok(place) => place,
            Err(place) => {
                self.0.insert(place, (key, value()));
                place
            }
        };
        &mut self.0[place].1
    }

    /// Takes out what a key has.
    pub fn remove(&mut self, key: &str) -> Option<V> {
        let place = self.place(key).ok()?;
        Some(self.0.remove(place).1)
    }

    /// Gives the keys and their values, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, (K, V)> {
        self.0.iter()
    }

    /// Says whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Gives the keys and their values, in order, as a list.
    pub fn into_pairs(self) -> Vec<(K, V)> {
        self.0
    }
}

/// Searches sorted keys by halves.
fn place<'a>(
    count: usize,
    key_at: &dyn Fn(usize) -> &'a str,
    wanted: &str,
) -> Result<usize, usize> {
    let (mut from, mut to) = (0, count);
    while from < to {
        let middle = from.midpoint(to);
        match key_at(middle).cmp(wanted) {
            std::cmp::Ordering::Less => from = middle + 1,
            std::cmp::Ordering::Equal => return Ok(middle),
            std::cmp::Ordering::Greater => to = middle,
        }
    }
    Err(from)
}

impl<K: Borrow<str>, V: Serialize> Serialize for Keyed<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key.borrow(), value)))
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Keyed<String, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members(PhantomData))
    }
}

struct Members<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for Members<V> {
    type Value = Keyed<String, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut keyed = Keyed::default();
        while let Some((key, value)) = members.next_entry::<String, V>()? {
            keyed.insert(key, value);
        }
        Ok(keyed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn keeps_what_the_standard_library_keeps(steps: Vec<(bool, u8, u8)>) {
            let (mut ours, mut theirs) = (Keyed::default(), BTreeMap::new());
            for (takes_out, key, value) in steps {
                let key = (key % 16).to_string();
                prop_assert_eq!(ours.contains(&key), theirs.contains_key(&key));
                prop_assert_eq!(ours.get(&key), theirs.get(&key));
                if takes_out {
                    prop_assert_eq!(ours.remove(&key), theirs.remove(&key));
                } else if value % 2 == 0 {
                    ours.insert(key.clone(), value);
                    theirs.insert(key, value);
                } else {
                    let kept = *ours.or_insert(key.clone(), || value);
                    prop_assert_eq!(kept, *theirs.entry(key).or_insert(value));
                }
            }
            prop_assert_eq!(ours.is_empty(), theirs.is_empty());
            prop_assert_eq!(ours.into_pairs(), theirs.into_iter().collect::<Vec<_>>());
        }
    }
}
