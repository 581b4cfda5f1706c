//! The org's schema: its objects, their fields and how they refer to one another.
//!
//! Terms are those of the REST API's describe. Names are found without regard to case, as
//! Salesforce finds them. What an object looks like on the wire is [`describe`]'s.

mod build;
pub mod describe;
mod field_type;
mod index;
pub(crate) mod object_info;
mod qualify;

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

pub(crate) use build::*;
pub use field_type::FieldType;
pub(crate) use index::Index;

/// Every object of the org.
#[derive(Debug, Clone)]
pub struct Schema {
    /// The objects, by name.
    pub objects: Vec<Object>,
    /// Where an object stands, by its name in lower case.
    by_name: HashMap<String, usize>,
    /// Where an object stands, by the prefix of its ids.
    by_prefix: HashMap<String, usize>,
}

/// An object and its fields.
#[derive(Debug, Clone)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "a describe is a list of independent flags"
)]
pub struct Object {
    /// The API name: `Account`, `Measurement__c`.
    pub name: Arc<str>,
    /// What a person reads.
    pub label: String,
    /// What a person reads for several.
    pub label_plural: String,
    /// The three characters that begin the ids of its records; empty where these have the ids of
    /// other objects' records.
    pub key_prefix: String,
    /// The fields, in the order of the describe.
    pub fields: Vec<Field>,
    /// Who refers to this object.
    pub child_relationships: Vec<ChildRelationship>,
    /// The record types, `Master` last; empty where the object has none.
    pub record_types: Vec<RecordType>,
    /// The scopes of `USING SCOPE`, by name.
    pub supported_scopes: Vec<(String, String)>,
    /// Whether the org's administrator made it.
    pub custom: bool,
    /// Whether records can be made.
    pub createable: bool,
    /// Whether records can be changed.
    pub updateable: bool,
    /// Whether records can be deleted.
    pub deletable: bool,
    /// Whether deleted records can be restored.
    pub undeletable: bool,
    /// Whether records can be merged.
    pub mergeable: bool,
    /// Whether it has page layouts.
    pub layoutable: bool,
    /// Whether it has a feed.
    pub feed_enabled: bool,
    /// Whether it is in the lists of recently used records.
    pub mru_enabled: bool,
    /// Whether triggers can be written for it.
    pub triggerable: bool,
    /// Whether SOSL finds it.
    pub searchable: bool,
    /// Whether it can be asked for changed and deleted records.
    pub replicateable: bool,
    /// What a describe that was loaded says besides, by its keys.
    pub described: Map<String, Json>,
    /// The fields of a describe that was loaded which are left out, since the org has none of their
    /// type: their names and types.
    pub left_out: Vec<(String, String)>,
}

/// A relationship that another object's reference field makes to this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildRelationship {
    /// The name of the child subquery: `Contacts`. Without it there is none.
    pub relationship_name: Option<String>,
    /// The object that refers.
    pub child_object: Arc<str>,
    /// Its reference field.
    pub field: Arc<str>,
    /// Whether deleting the parent deletes the child.
    pub cascade_delete: bool,
    /// Whether a child keeps its parent from being deleted.
    pub restricted_delete: bool,
}

/// A record type of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordType {
    /// The id of the `RecordType` record.
    pub id: crate::id::Id,
    /// What a person reads.
    pub name: String,
    /// The API name.
    pub developer_name: String,
    /// Whether new records have it unless they say otherwise.
    pub default: bool,
    /// Whether it is `Master`, the one of records that have none.
    pub master: bool,
    /// Whether it is in use.
    pub active: bool,
    /// Whether new records may have it.
    pub available: bool,
    /// The picklists of which its records may have some values only, with these.
    pub picklists: Vec<(Arc<str>, Vec<String>)>,
}

/// A field of an object.
#[derive(Debug, Clone)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "a describe is a list of independent flags"
)]
pub struct Field {
    /// The API name: `AnnualRevenue`, `Value__c`.
    pub name: Arc<str>,
    /// What a person reads.
    pub label: String,
    /// The type.
    pub field_type: FieldType,
    /// The longest text, in characters; 0 for what is no text.
    pub length: u32,
    /// The digits of a number in all; 0 for what has none.
    pub precision: u32,
    /// The digits after the point.
    pub scale: u32,
    /// The digits of a whole number; 0 for what is none.
    pub digits: u32,
    /// Whether it may have no value.
    pub nillable: bool,
    /// Whether it can be given when a record is made.
    pub createable: bool,
    /// Whether it can be changed.
    pub updateable: bool,
    /// Whether the org gives a value when a new record has none.
    pub defaulted_on_create: bool,
    /// Whether `WHERE` takes it.
    pub filterable: bool,
    /// Whether `GROUP BY` takes it.
    pub groupable: bool,
    /// Whether `ORDER BY` takes it.
    pub sortable: bool,
    /// Whether aggregates take it.
    pub aggregatable: bool,
    /// Whether an upsert finds records by it.
    pub id_lookup: bool,
    /// Whether it is an external id.
    pub external_id: bool,
    /// Whether two records cannot share a value.
    pub unique: bool,
    /// Whether it is the record's name.
    pub name_field: bool,
    /// Whether access to it can be granted apart from the object.
    pub permissionable: bool,
    /// Whether the org numbers its values.
    pub auto_number: bool,
    /// Whether it is calculated, by the formula beside it.
    pub calculated: bool,
    /// Whether the org's administrator made it.
    pub custom: bool,
    /// The objects that a reference can name; several make it polymorphic.
    pub reference_to: Vec<String>,
    /// The name of the parent in a path: `Account` of `Account.Name`.
    pub relationship_name: Option<String>,
    /// The values of a picklist, inactive ones too.
    pub picklist_values: Vec<PicklistValue>,
    /// The picklist whose value decides which of this one's go with it.
    pub controller: Option<String>,
    /// Whether a picklist takes no other value.
    pub restricted_picklist: bool,
    /// The value of a new record that gives none.
    pub default_value: Option<crate::value::Value>,
    /// The formula of a calculated field, for people to read.
    pub formula: Option<String>,
    /// The compound field that this is a part of: `BillingAddress`.
    pub compound_field_name: Option<String>,
    /// What kind of text it is: `plaintextarea`, `personname`.
    pub extra_type_info: Option<String>,
    /// What the administrator wrote beside it.
    pub inline_help_text: Option<String>,
    /// What a describe that was loaded says besides, by its keys.
    pub described: Map<String, Json>,
}

/// A value of a picklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PicklistValue {
    /// What is stored.
    pub value: String,
    /// What a person reads; `toLabel` gives it.
    pub label: String,
    /// Whether new records may have it.
    pub active: bool,
    /// Whether new records have it unless they say otherwise.
    pub default_value: bool,
    /// The places of the controlling picklist's values that it goes with; empty where nothing
    /// controls it.
    pub valid_for: Vec<usize>,
}

impl Schema {
    /// Makes a schema of `objects`, to be found by name and by prefix.
    pub(crate) fn new(mut objects: Vec<Object>) -> Self {
        objects.sort_by(|a, b| a.name.cmp(&b.name));
        let by_name = objects
            .iter()
            .enumerate()
            .map(|(at, object)| (object.name.to_ascii_lowercase(), at))
            .collect();
        let by_prefix = objects
            .iter()
            .enumerate()
            .filter(|(_, object)| !object.key_prefix.is_empty())
            .map(|(at, object)| (object.key_prefix.clone(), at))
            .collect();
        Self {
            objects,
            by_name,
            by_prefix,
        }
    }

    /// Finds an object by name, without regard to case.
    pub fn object(&self, name: &str) -> Option<&Object> {
        self.objects
            .get(*self.by_name.get(&name.to_ascii_lowercase())?)
    }

    /// Finds the field at the end of a path from `object`: `Account.Name`. Of a step to several
    /// objects the last is taken, which is the user.
    pub(crate) fn field_at<'s>(&'s self, object: &'s Object, path: &str) -> Option<&'s Field> {
        match path.split_once('.') {
            None => object.field(path),
            Some((parent, rest)) => {
                let to = object.relationship(parent)?.reference_to.last()?;
                self.field_at(self.object(to)?, rest)
            }
        }
    }

    /// Finds the object whose records' ids begin with `prefix`.
    pub fn object_by_prefix(&self, prefix: &str) -> Option<&Object> {
        self.objects.get(*self.by_prefix.get(prefix)?)
    }
}

impl Object {
    /// Finds a field by name, without regard to case.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// Finds the reference field behind a parent's name, without regard to case: `Owner` gives
    /// `OwnerId`.
    pub fn relationship(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| {
            !field.reference_to.is_empty()
                && field
                    .relationship_name
                    .as_deref()
                    .is_some_and(|relationship| relationship.eq_ignore_ascii_case(name))
        })
    }

    /// Finds a child relationship by the name of its subquery, without regard to case.
    pub fn child_relationship(&self, name: &str) -> Option<&ChildRelationship> {
        self.child_relationships.iter().find(|child| {
            child
                .relationship_name
                .as_deref()
                .is_some_and(|relationship| relationship.eq_ignore_ascii_case(name))
        })
    }

    /// Finds the name of a field that was left out, without regard to case.
    pub(crate) fn left_out(&self, name: &str) -> Option<&str> {
        let mut names = self.left_out.iter().map(|(name, _)| &**name);
        names.find(|known| known.eq_ignore_ascii_case(name))
    }

    /// Gives the field that is the record's name, such as `Name`, `CaseNumber` or `Subject`.
    pub fn name_field(&self) -> Option<&Field> {
        self.fields.iter().find(|field| field.name_field)
    }
}

impl Field {
    /// Gives the names of the fields of `object` that make up this compound field.
    pub fn parts<'a>(&'a self, object: &'a Object) -> impl Iterator<Item = &'a Field> {
        object.fields.iter().filter(move |field| {
            field.compound_field_name.as_deref() == Some(&*self.name) && field.name != self.name
        })
    }

    /// Says whether values that differ by the case of their letters alone are different: those of a
    /// field that a describe calls `caseSensitive`, which one of unique values may be.
    pub(crate) fn case_sensitive(&self) -> bool {
        self.described.get("caseSensitive") == Some(&Json::Bool(true))
    }

    /// Gives a text of an encrypted field as who may not view encrypted data reads it: by the describe's `mask` and `maskType`, of
    /// which only `lastFour` leaves anything to be read.
    pub(crate) fn masked(&self, text: &str) -> String {
        let said = |key: &str| self.described.get(key).and_then(Json::as_str);
        let mask = match said("mask") {
            Some("X") => 'X',
            _ => '*',
        };
        let clear = match said("maskType") {
            Some("lastFour") => 4,
            _ => 0,
        };
        let hidden = text.chars().count().saturating_sub(clear);
        let shown = text.chars().enumerate();
        shown
            .map(|(at, c)| if at < hidden { mask } else { c })
            .collect()
    }

    /// Says whether the field can refer to more than one object.
    pub fn polymorphic(&self) -> bool {
        self.reference_to.len() > 1
    }
}
