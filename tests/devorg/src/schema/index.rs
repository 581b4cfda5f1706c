//! Which fields have an index: those by which a query finds its records without looking at all.
//!
//! Follows the *Query & Search Optimization Cheat Sheet*: ids, names, lookups, the moments of the
//! record's making and last change, external ids and unique fields; and what an upsert finds
//! records by.

use super::{Field, FieldType, Schema};
use crate::store::IndexedFields;

/// An index over a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Index {
    /// Every org has it.
    Standard,
    /// The administrator's field has it.
    Custom,
}

impl Field {
    /// Gives the index over the field, if it has one.
    pub(crate) fn index(&self) -> Option<Index> {
        let audit = matches!(&*self.name, "CreatedDate" | "SystemModstamp");
        let indexed = audit || self.holds_ids() || self.name_field || self.id_lookup;
        match (indexed, self.custom) {
            _ if self.external_id || self.unique => Some(Index::Custom),
            (true, false) => Some(Index::Standard),
            (true, true) => Some(Index::Custom),
            (false, _) => None,
        }
    }

    /// Says whether the values are ids.
    pub(crate) fn holds_ids(&self) -> bool {
        matches!(self.field_type, FieldType::Id | FieldType::Reference)
    }
}

impl Schema {
    /// Gives the fields over whose values the store keeps an index; over ids it always has one.
    pub(crate) fn indexed_fields(&self) -> IndexedFields {
        let mut indexed = IndexedFields::default();
        for object in &self.objects {
            let fields = object.fields.iter();
            for field in fields.filter(|field| field.index().is_some() && !field.holds_ids()) {
                indexed.add(&object.name, &field.name);
            }
        }
        indexed
    }
}
