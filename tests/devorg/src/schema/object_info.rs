//! Objects, fields and picklists in the words of the User Interface API, which are not those of a
//! describe.
//!
//! Follows the *User Interface API Developer Guide*, "Object Info" and "Picklist Values".

use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use super::{Field, FieldType, Object, PicklistValue, RecordType, Schema};

/// The record type of records that have none.
const MASTER: &str = "012000000000000AAA";

/// Gives the body of `/ui-api/object-info`: where each object's is.
pub(crate) fn directory(schema: &Schema, base: &str) -> Json {
    let objects: Map<String, Json> = schema
        .objects
        .iter()
        .filter(|object| object.layoutable)
        .map(|object| {
            let entry = json!({
                "apiName": &*object.name,
                "keyPrefix": object.key_prefix,
                "label": object.label,
                "labelPlural": object.label_plural,
                "nameFields": name_fields(object),
                "objectInfoUrl": format!("{base}/ui-api/object-info/{}", object.name),
            });
            (object.name.to_string(), entry)
        })
        .collect();
    tagged(json!({"objects": objects}))
}

/// Gives the body of `/ui-api/object-info/{object}`.
pub(crate) fn object_info(schema: &Schema, object: &Object) -> Json {
    let children: Vec<Json> = object
        .child_relationships
        .iter()
        .filter(|child| child.relationship_name.is_some())
        .map(|child| {
            json!({
                "childObjectApiName": &*child.child_object,
                "fieldName": &*child.field,
                "junctionIdListNames": [],
                "junctionReferenceTo": [],
                "relationshipName": child.relationship_name,
            })
        })
        .collect();
    let fields: Map<String, Json> = object
        .fields
        .iter()
        .map(|field| (field.name.to_string(), field_info(schema, object, field)))
        .collect();
    let record_types: Map<String, Json> = record_types(object)
        .map(|(id, name, default)| {
            let info = json!({
                "available": true,
                "defaultRecordTypeMapping": default,
                "master": id == MASTER,
                "name": name,
                "recordTypeId": id,
            });
            (id.to_owned(), info)
        })
        .collect();
    let default = record_types
        .values()
        .find(|info| info["defaultRecordTypeMapping"] == true)
        .map_or(json!(null), |info| info["recordTypeId"].clone());
    tagged(json!({
        "apiName": &*object.name,
        "associateEntityType": null,
        "associateParentEntity": null,
        "childRelationships": children,
        "compactLayoutable": object.layoutable,
        "createable": object.createable,
        "custom": object.custom,
        "defaultRecordTypeId": default,
        "deletable": object.deletable,
        "dependentFields": dependent_fields(object, None),
        "feedEnabled": object.feed_enabled,
        "fields": fields,
        "keyPrefix": object.key_prefix,
        "label": object.label,
        "labelPlural": object.label_plural,
        "layoutable": object.layoutable,
        "mruEnabled": object.mru_enabled,
        "nameFields": name_fields(object),
        "queryable": true,
        "recordTypeInfos": record_types,
        "searchLayoutable": object.searchable,
        "searchable": object.searchable,
        "themeInfo": null,
        "updateable": object.updateable,
    }))
}

/// Gives each record type's id, name and whether it is the default; an object without any has
/// `Master` alone.
fn record_types(object: &Object) -> impl Iterator<Item = (&str, &str, bool)> {
    let none = object.record_types.is_empty();
    let own = object.record_types.iter();
    own.map(|known| (known.id.as_str(), known.name.as_str(), known.default))
        .chain(none.then_some((MASTER, "Master", true)))
}

/// Gives the tree of picklists that depend on one another: controllers without one at its roots.
fn dependent_fields(object: &Object, controller: Option<&str>) -> Json {
    let below = |name: &str| -> Vec<&Field> {
        let fields = object.fields.iter();
        fields
            .filter(|field| field.controller.as_deref() == Some(name))
            .collect()
    };
    let level: Map<String, Json> = object
        .fields
        .iter()
        .filter(|field| match controller {
            None => field.controller.is_none() && !below(&field.name).is_empty(),
            Some(name) => field.controller.as_deref() == Some(name),
        })
        .map(|field| {
            let inner = dependent_fields(object, Some(&field.name));
            (field.name.to_string(), inner)
        })
        .collect();
    Json::Object(level)
}

fn name_fields(object: &Object) -> Vec<&str> {
    let Some(name) = object.name_field() else {
        return Vec::new();
    };
    let mut names: Vec<&str> = name.parts(object).map(|part| &*part.name).collect();
    names.push(&name.name);
    names
}

fn field_info(schema: &Schema, object: &Object, field: &Field) -> Json {
    let targets: Vec<Json> = field
        .reference_to
        .iter()
        .filter_map(|name| schema.object(name))
        .map(|to| json!({"apiName": &*to.name, "nameFields": name_fields(to)}))
        .collect();
    json!({
        "apiName": &*field.name,
        "calculated": field.calculated,
        "compound": field.parts(object).next().is_some(),
        "compoundComponentName": null,
        "compoundFieldName": field.compound_field_name,
        "controllerName": field.controller,
        "controllingFields": field.controller.iter().collect::<Vec<_>>(),
        "createable": field.createable,
        "custom": field.custom,
        "dataType": data_type(field.field_type),
        "extraTypeInfo": field.extra_type_info,
        "filterable": field.filterable,
        "filteredLookupInfo": null,
        "highScaleNumber": false,
        "htmlFormatted": false,
        "inlineHelpText": field.inline_help_text,
        "label": field.label,
        "length": field.length,
        "maskType": null,
        "nameField": field.name_field,
        "polymorphicForeignKey": field.polymorphic(),
        "precision": field.precision,
        "reference": field.field_type == FieldType::Reference,
        "referenceTargetField": null,
        "referenceToInfos": targets,
        "relationshipName": field.relationship_name,
        "required": !field.nillable && !field.defaulted_on_create,
        "scale": field.scale,
        "searchPrefilterable": field.field_type == FieldType::Reference,
        "sortable": field.sortable,
        "unique": field.unique,
        "updateable": field.updateable,
    })
}

fn data_type(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Id | FieldType::Reference => "Reference",
        FieldType::String => "String",
        FieldType::Textarea => "TextArea",
        FieldType::Boolean => "Boolean",
        FieldType::Int => "Int",
        FieldType::Double => "Double",
        FieldType::Currency => "Currency",
        FieldType::Percent => "Percent",
        FieldType::Date => "Date",
        FieldType::Datetime => "DateTime",
        FieldType::Time => "Time",
        FieldType::Picklist => "Picklist",
        FieldType::Multipicklist => "MultiPicklist",
        FieldType::Combobox => "ComboBox",
        FieldType::Email => "Email",
        FieldType::Phone => "Phone",
        FieldType::Url => "Url",
        FieldType::EncryptedString => "EncryptedString",
        FieldType::Address => "Address",
        FieldType::Location => "Location",
        FieldType::Base64 => "Base64",
    }
}

/// Says whether a field has values to choose from.
pub(crate) fn is_picklist(field: &Field) -> bool {
    matches!(
        field.field_type,
        FieldType::Picklist | FieldType::Multipicklist
    )
}

/// Finds a record type of an object by its id; `Some(None)` is `Master` of an object without any.
pub(crate) fn record_type<'s>(object: &'s Object, id: &str) -> Option<Option<&'s RecordType>> {
    let id = crate::id::Id::parse(id)?;
    let found = object.record_types.iter().find(|known| known.id == id);
    match found {
        Some(found) => Some(Some(found)),
        None => (id.as_str() == MASTER).then_some(None),
    }
}

/// Gives the values of every picklist that a record of a type may have.
pub(crate) fn all_picklist_values(
    object: &Object,
    record_type: Option<&RecordType>,
    url: &str,
) -> Json {
    let fields: Map<String, Json> = object
        .fields
        .iter()
        .filter(|field| is_picklist(field))
        .map(|field| {
            let url = format!("{url}/{}", field.name);
            let values = picklist_values(object, record_type, field, &url);
            (field.name.to_string(), values)
        })
        .collect();
    tagged(json!({"picklistFieldValues": fields}))
}

/// Gives the values of a picklist that a record of a type may have. Those of a dependent one say
/// by their controller's values which of these they go with.
pub(crate) fn picklist_values(
    object: &Object,
    record_type: Option<&RecordType>,
    field: &Field,
    url: &str,
) -> Json {
    let controller = field.controller.as_deref();
    let controller = controller.and_then(|name| object.field(name));
    let controllers: Map<String, Json> = controller
        .into_iter()
        .flat_map(|controller| controller.picklist_values.iter().enumerate())
        .map(|(at, known)| (known.value.clone(), at.into()))
        .collect();
    let allowed = |known: &&PicklistValue| {
        known.active && record_type.is_none_or(|record_type| record_type.allows(field, known))
    };
    let entry = |known: &PicklistValue| {
        json!({
            "attributes": null,
            "label": known.label,
            "validFor": known.valid_for,
            "value": known.value,
        })
    };
    let values = field.picklist_values.iter().filter(allowed);
    let default = values.clone().find(|known| known.default_value);
    tagged(json!({
        "controllerValues": controllers,
        "defaultValue": default.map(entry),
        "url": url,
        "values": values.map(entry).collect::<Vec<_>>(),
    }))
}

impl RecordType {
    /// Says whether records of the type may have a value of a picklist.
    fn allows(&self, field: &Field, value: &PicklistValue) -> bool {
        let mut cut = self.picklists.iter();
        let cut = cut.find(|(name, _)| **name == *field.name);
        cut.is_none_or(|(_, values)| values.contains(&value.value))
    }
}

/// Adds `eTag`, which depends on everything else.
pub(crate) fn tagged(mut body: Json) -> Json {
    let digest = Sha256::digest(body.to_string());
    let tag: String = digest
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    body["eTag"] = tag.into();
    body
}
