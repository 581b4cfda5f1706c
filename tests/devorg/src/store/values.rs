//! The values of a record: a sorted list, which for some dozen fields costs half of what a tree does.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use crate::value::Value;

/// Values by the field's exact name, in the order of the names.
#[derive(Clone, PartialEq, Default)]
pub struct Values(Vec<(Arc<str>, Value)>);

impl Values {
    /// Makes a list without values.
    pub fn new() -> Self {
        Self::default()
    }

    fn place(&self, field: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(name, _)| (**name).cmp(field))
    }

    /// Gives the value of a field, if it is here.
    pub fn get(&self, field: &str) -> Option<&Value> {
        let place = self.place(field).ok()?;
        self.0.get(place).map(|(_, value)| value)
    }

    /// Says whether a field is here.
    pub fn contains_key(&self, field: &str) -> bool {
        self.place(field).is_ok()
    }

    /// Gives a field a value, and what it had here.
    pub fn insert(&mut self, field: Arc<str>, value: Value) -> Option<Value> {
        match self.place(&field) {
            Ok(place) => Some(std::mem::replace(&mut self.0[place].1, value)),
            Err(place) => {
                self.0.insert(place, (field, value));
                None
            }
        }
    }

    /// Takes a field out, and gives what it had.
    pub fn remove(&mut self, field: &str) -> Option<Value> {
        let place = self.place(field).ok()?;
        Some(self.0.remove(place).1)
    }

    /// Leaves the fields that a test accepts.
    pub fn retain(&mut self, mut accepts: impl FnMut(&Arc<str>, &mut Value) -> bool) {
        self.0.retain_mut(|(field, value)| accepts(field, value));
    }

    /// Gives the fields with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Value)> {
        self.0.iter().map(|(field, value)| (field, value))
    }

    /// Gives the fields.
    pub fn keys(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.iter().map(|(field, _)| field)
    }

    /// Gives the values.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.0.iter().map(|(_, value)| value)
    }

    /// Counts the fields.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Says whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes no more memory than it must, to be kept for long: without fields that have no value,
    /// and with the names that all records share.
    pub(super) fn settle(&mut self, names: &mut HashSet<Arc<str>>) {
        self.0.retain(|(_, value)| !value.is_null());
        for (field, value) in &mut self.0 {
            match names.get(field) {
                Some(known) => *field = Arc::clone(known),
                None => {
                    names.insert(Arc::clone(field));
                }
            }
            if let Value::Text(text) = value {
                text.shrink_to_fit();
            }
        }
        self.0.shrink_to_fit();
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Extend<(Arc<str>, Value)> for Values {
    fn extend<T: IntoIterator<Item = (Arc<str>, Value)>>(&mut self, values: T) {
        for (field, value) in values {
            self.insert(field, value);
        }
    }
}

impl FromIterator<(Arc<str>, Value)> for Values {
    fn from_iter<T: IntoIterator<Item = (Arc<str>, Value)>>(values: T) -> Self {
        let mut list = Self::new();
        list.extend(values);
        list
    }
}

impl<const N: usize> From<[(Arc<str>, Value); N]> for Values {
    fn from(values: [(Arc<str>, Value); N]) -> Self {
        values.into_iter().collect()
    }
}

impl IntoIterator for Values {
    type Item = (Arc<str>, Value);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Values {
    type Item = &'a (Arc<str>, Value);
    type IntoIter = std::slice::Iter<'a, (Arc<str>, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn values_are_a_map(steps in prop::collection::vec(("[a-d]{1,2}", prop::option::of(0i64..9), any::<bool>()), 0..40)) {
            let (mut values, mut map) = (Values::new(), BTreeMap::new());
            for (field, value, remove) in steps {
                let field: Arc<str> = field.into();
                let value = Value::from(value);
                if remove {
                    prop_assert_eq!(values.remove(&field), map.remove(&field));
                } else {
                    prop_assert_eq!(values.insert(field.clone(), value.clone()), map.insert(field.clone(), value));
                }
                prop_assert_eq!(values.get(&field), map.get(&field));
                prop_assert_eq!(values.contains_key(&field), map.contains_key(&field));
                prop_assert!(values.iter().eq(map.iter()));
                prop_assert_eq!(values.len(), map.len());
            }
            let mut names = HashSet::new();
            values.settle(&mut names);
            map.retain(|_, value| !value.is_null());
            prop_assert!(values.iter().eq(map.iter()));
            prop_assert_eq!(names.len(), map.len());
            prop_assert_eq!(map.into_iter().collect::<Values>(), values);
        }
    }
}
