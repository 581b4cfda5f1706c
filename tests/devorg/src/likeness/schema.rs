//! Described objects in the org's schema.
//!
//! An object that is new to the org is as it is described. One that the org has becomes the described
//! one, and keeps what the org itself needs:
//!
//! - the fields that the org's own work names, [`super::needed`], and those that these are parts of;
//!   an object of setup, a file or a report keeps every field;
//! - the child relationships that the describe lacks.
//!
//! A child relationship is left out where its child is not in the org or does not refer back. A
//! reference may name objects that are not in the org: nothing can be in it, as in the org's own.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::describes::{DescribeError, Described};
use super::needed;
use crate::schema::{ChildRelationship, Object, PicklistValue, Schema};

/// Puts described objects among the org's own.
///
/// # Errors
///
/// Two files with one object, or two objects with one key prefix.
pub(super) fn with(own: Schema, described: Vec<Described>) -> Result<Schema, DescribeError> {
    check_names(&described)?;
    let mut objects: BTreeMap<String, Object> = own
        .objects
        .into_iter()
        .map(|object| (object.name.to_ascii_lowercase(), object))
        .collect();
    let mut files: HashMap<String, String> = HashMap::new();
    for Described { file, object } in described {
        let name = object.name.to_ascii_lowercase();
        let object = match objects.remove(&name) {
            Some(own) => complete(object, own),
            None => object,
        };
        files.insert(name.clone(), file);
        objects.insert(name, object);
    }
    tell_prefixes_apart(&mut objects, &files)?;
    grant_apart(&mut objects, &files);
    relate(&mut objects, &files);
    Ok(Schema::new(objects.into_values().collect()))
}

fn check_names(described: &[Described]) -> Result<(), DescribeError> {
    let mut files: HashMap<String, &str> = HashMap::new();
    for Described { file, object } in described {
        if let Some(other) = files.insert(object.name.to_ascii_lowercase(), file) {
            return Err(DescribeError::Twice {
                file: file.clone(),
                other: other.to_owned(),
                object: object.name.to_string(),
            });
        }
    }
    Ok(())
}

/// Gives a described object what the org needs of its own.
fn complete(mut described: Object, own: Object) -> Object {
    if described.key_prefix.is_empty() {
        described.key_prefix.clone_from(&own.key_prefix);
    }
    let compounds: Vec<&str> = own
        .fields
        .iter()
        .filter(|field| needed::stays(&own, field))
        .filter_map(|field| field.compound_field_name.as_deref())
        .collect();
    let missing: Vec<_> = own
        .fields
        .iter()
        .filter(|field| needed::stays(&own, field) || compounds.contains(&&*field.name))
        .filter(|field| described.field(&field.name).is_none())
        .cloned()
        .collect();
    // The name of a person is the compound field's where the describe has it.
    let named = described.name_field().is_some();
    described
        .fields
        .extend(missing.into_iter().map(|mut field| {
            field.name_field &= !named;
            field
        }));
    for mut child in own.child_relationships {
        let known = described
            .child_relationships
            .iter()
            .any(|known| known.child_object == child.child_object && known.field == child.field);
        if known {
            continue;
        }
        let name = child.relationship_name.as_deref();
        if name.is_some_and(|name| described.child_relationship(name).is_some()) {
            child.relationship_name = None;
        }
        described.child_relationships.push(child);
    }
    described
}

/// Makes every key prefix one object's: a custom object of the org that is not described gives way,
/// since each org numbers its own.
fn tell_prefixes_apart(
    objects: &mut BTreeMap<String, Object>,
    files: &HashMap<String, String>,
) -> Result<(), DescribeError> {
    let mut owners: HashMap<String, String> = HashMap::new();
    let mut give_way = Vec::new();
    // Those that nobody describes come first, to be found by those that are described.
    let (described, own): (Vec<_>, Vec<_>) = objects
        .keys()
        .cloned()
        .partition(|name| files.contains_key(name));
    for name in own.into_iter().chain(described) {
        let object = &objects[&name];
        if object.key_prefix.is_empty() {
            continue;
        }
        let Some(other) = owners.insert(object.key_prefix.clone(), name.clone()) else {
            continue;
        };
        if objects[&other].custom && !files.contains_key(&other) {
            give_way.push(other);
            continue;
        }
        return Err(DescribeError::Prefix {
            file: files.get(&name).cloned().unwrap_or_default(),
            object: object.name.to_string(),
            prefix: object.key_prefix.clone(),
            other: objects[&other].name.to_string(),
        });
    }
    for name in give_way {
        let free = (0..1_000)
            .map(|number| format!("a{number:02}"))
            .find(|prefix| prefix.len() == 3 && !owners.contains_key(prefix));
        if let (Some(free), Some(object)) = (free, objects.get_mut(&name)) {
            owners.insert(free.clone(), name);
            object.key_prefix = free;
        }
    }
    Ok(())
}

/// Lets access to described custom objects be granted.
fn grant_apart(objects: &mut BTreeMap<String, Object>, files: &HashMap<String, String>) {
    let names: Vec<String> = objects
        .iter()
        .filter(|(name, object)| object.custom && files.contains_key(*name))
        .map(|(_, object)| object.name.to_string())
        .collect();
    let grants = objects.get_mut("objectpermissions").into_iter();
    let fields = grants.flat_map(|object| &mut object.fields);
    for field in fields.filter(|field| &*field.name == "SobjectType") {
        for name in &names {
            if !field
                .picklist_values
                .iter()
                .any(|known| known.value == *name)
            {
                field.picklist_values.push(PicklistValue {
                    value: name.clone(),
                    label: name.clone(),
                    active: true,
                    default_value: false,
                    valid_for: Vec::new(),
                });
            }
        }
    }
}

/// Makes child relationships and references agree.
fn relate(objects: &mut BTreeMap<String, Object>, files: &HashMap<String, String>) {
    let is_described = |name: &str| files.contains_key(&name.to_ascii_lowercase());
    // What the org has for records of many objects, such as tasks, is for described ones, too.
    let wanted: Vec<(Arc<str>, Arc<str>, Arc<str>)> = objects
        .values()
        .filter(|object| is_described(&object.name))
        .flat_map(|object| {
            let children = object.child_relationships.iter();
            children.map(|child| {
                let (of, field) = (child.child_object.clone(), child.field.clone());
                (object.name.clone(), of, field)
            })
        })
        .filter(|(_, child, _)| !is_described(child))
        .collect();
    for (parent, child, field) in wanted {
        let child = objects.get_mut(&child.to_ascii_lowercase());
        let fields = child.into_iter().flat_map(|child| &mut child.fields);
        for field in fields.filter(|known| known.name == field && known.polymorphic()) {
            let place = field.reference_to.partition_point(|to| **to < *parent);
            if !field.reference_to.iter().any(|to| **to == *parent) {
                field.reference_to.insert(place, parent.to_string());
            }
        }
    }
    let references: HashMap<(Arc<str>, Arc<str>), Vec<String>> = objects
        .values()
        .flat_map(|object| {
            let fields = object.fields.iter();
            fields
                .filter(|field| !field.reference_to.is_empty())
                .map(|field| {
                    let key = (object.name.clone(), field.name.clone());
                    (key, field.reference_to.clone())
                })
        })
        .collect();
    for object in objects.values_mut() {
        let name = object.name.clone();
        object.child_relationships.retain(|child| {
            let key = (child.child_object.clone(), child.field.clone());
            let referred = references.get(&key);
            referred.is_some_and(|to| to.iter().any(|to| **to == *name))
        });
    }
    let nameless = nameless(objects, &is_described);
    for (parent, child) in nameless {
        if let Some(parent) = objects.get_mut(&parent) {
            parent.child_relationships.push(child);
        }
    }
}

/// Gives the relationships of described objects to objects of the org whose describe would name them
/// and that are not described: by each object's name in lower case.
fn nameless(
    objects: &BTreeMap<String, Object>,
    is_described: &impl Fn(&str) -> bool,
) -> Vec<(String, ChildRelationship)> {
    let mut found = Vec::new();
    for object in objects.values().filter(|object| is_described(&object.name)) {
        for field in &object.fields {
            // Nearly every object refers to users, who are never deleted.
            let parents = field.reference_to.iter();
            for parent in parents.filter(|to| !is_described(to) && *to != "User") {
                let parent = parent.to_ascii_lowercase();
                let Some(known) = objects.get(&parent) else {
                    continue;
                };
                let named = known
                    .child_relationships
                    .iter()
                    .any(|child| child.child_object == object.name && child.field == field.name);
                let flag = |key: &str| {
                    let value = field
                        .described
                        .get(key)
                        .and_then(serde_json::Value::as_bool);
                    value == Some(true)
                };
                if !named {
                    let child = ChildRelationship {
                        relationship_name: None,
                        child_object: object.name.clone(),
                        field: field.name.clone(),
                        cascade_delete: flag("cascadeDelete"),
                        restricted_delete: flag("restrictedDelete"),
                    };
                    found.push((parent, child));
                }
            }
        }
    }
    found
}
