//! From a describe to an object: the keys of the *REST API Developer Guide*, "sObject Describe".
//!
//! What a describe says and the schema has no word for is kept beside it, so that a describe of the
//! object gives it back.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::id::Id;
use crate::schema::{
    ChildRelationship, Field, FieldType, Object, PicklistValue, RecordType, describe,
};
use crate::value::Value;

/// The keys of an object's describe that are made of other things than flags and texts.
const STRUCTURED: [&str; 5] = [
    "childRelationships",
    "fields",
    "recordTypeInfos",
    "supportedScopes",
    "urls",
];

/// An object's describe.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(
    clippy::struct_excessive_bools,
    reason = "a describe is a list of independent flags"
)]
struct Description {
    name: String,
    label: String,
    label_plural: String,
    key_prefix: Option<String>,
    fields: Vec<Json>,
    #[serde(default)]
    child_relationships: Vec<ChildDescription>,
    #[serde(default)]
    record_type_infos: Vec<RecordTypeDescription>,
    #[serde(default)]
    supported_scopes: Vec<Scope>,
    custom: bool,
    createable: bool,
    updateable: bool,
    deletable: bool,
    undeletable: bool,
    mergeable: bool,
    layoutable: bool,
    searchable: bool,
    triggerable: bool,
    replicateable: bool,
    #[serde(default)]
    feed_enabled: bool,
    #[serde(default)]
    mru_enabled: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChildDescription {
    #[serde(rename = "childSObject")]
    child_object: String,
    field: String,
    relationship_name: Option<String>,
    #[serde(default)]
    cascade_delete: bool,
    #[serde(default)]
    restricted_delete: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RecordTypeDescription {
    record_type_id: String,
    name: String,
    developer_name: String,
    master: bool,
    default_record_type_mapping: bool,
    active: bool,
    available: bool,
}

#[derive(Deserialize)]
struct Scope {
    name: String,
    label: String,
}

/// A field's describe.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(
    clippy::struct_excessive_bools,
    reason = "a describe is a list of independent flags"
)]
struct FieldDescription {
    name: String,
    label: String,
    #[serde(rename = "type")]
    field_type: String,
    length: u32,
    precision: u32,
    scale: u32,
    digits: u32,
    nillable: bool,
    createable: bool,
    updateable: bool,
    defaulted_on_create: bool,
    filterable: bool,
    groupable: bool,
    sortable: bool,
    #[serde(default)]
    aggregatable: bool,
    id_lookup: bool,
    external_id: bool,
    unique: bool,
    name_field: bool,
    #[serde(default)]
    permissionable: bool,
    auto_number: bool,
    calculated: bool,
    custom: bool,
    #[serde(default)]
    reference_to: Vec<String>,
    relationship_name: Option<String>,
    #[serde(default)]
    picklist_values: Vec<PicklistDescription>,
    controller_name: Option<String>,
    restricted_picklist: bool,
    #[serde(default)]
    default_value: Json,
    calculated_formula: Option<String>,
    compound_field_name: Option<String>,
    extra_type_info: Option<String>,
    inline_help_text: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PicklistDescription {
    value: String,
    label: Option<String>,
    active: bool,
    default_value: bool,
    valid_for: Option<String>,
}

/// What is wrong with a describe, and the field that it is in.
#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) field: Option<String>,
    pub(super) reason: String,
}

impl Mistake {
    fn of(reason: impl ToString) -> Self {
        Self {
            field: None,
            reason: reason.to_string(),
        }
    }
}

/// Reads the answer of a describe, or what `sf sobject describe --json` prints of it.
///
/// # Errors
///
/// It is no describe, or one of its fields is none.
pub(super) fn object(json: &Json) -> Result<Object, Mistake> {
    let described = match json.get("status") {
        Some(status) if status != 0 => {
            let message = json["message"].as_str().unwrap_or("it failed");
            return Err(Mistake::of(format!("`sf` says that {message}")));
        }
        Some(_) => &json["result"],
        None => json,
    };
    let description = Description::deserialize(described).map_err(Mistake::of)?;
    let key_prefix = description.key_prefix.unwrap_or_default();
    if !matches!(key_prefix.len(), 0 | 3) || !key_prefix.bytes().all(|c| c.is_ascii_alphanumeric())
    {
        return Err(Mistake::of(format!(
            "the key prefix `{key_prefix}` is not three letters or digits"
        )));
    }
    let (mut fields, mut left_out) = (Vec::new(), Vec::new());
    for json in &description.fields {
        match unknown_type(json) {
            Some(unknown) => left_out.push(unknown),
            None => fields.push(field(json)?),
        }
    }
    let record_types: Result<Vec<RecordType>, Mistake> = description
        .record_type_infos
        .into_iter()
        .map(record_type)
        .collect();
    let children = description.child_relationships.into_iter().map(child);
    let scopes = description.supported_scopes.into_iter();
    let mut object = Object {
        name: description.name.into(),
        label: description.label,
        label_plural: description.label_plural,
        key_prefix,
        fields,
        child_relationships: children.collect(),
        record_types: record_types?,
        supported_scopes: scopes.map(|scope| (scope.name, scope.label)).collect(),
        custom: description.custom,
        createable: description.createable,
        updateable: description.updateable,
        deletable: description.deletable,
        undeletable: description.undeletable,
        mergeable: description.mergeable,
        layoutable: description.layoutable,
        feed_enabled: description.feed_enabled,
        mru_enabled: description.mru_enabled,
        triggerable: description.triggerable,
        searchable: description.searchable,
        replicateable: description.replicateable,
        described: Map::new(),
        left_out,
    };
    if object.field("Id").is_none() {
        return Err(Mistake::of("it has no field `Id`"));
    }
    object.described = besides(described, &describe::object(&object, ""));
    object
        .described
        .retain(|key, _| !STRUCTURED.contains(&key.as_str()));
    Ok(object)
}

/// Gives the keys of a describe that ours does not have, or not with their values.
fn besides(described: &Json, ours: &Json) -> Map<String, Json> {
    let keys = described.as_object().into_iter().flatten();
    keys.filter(|(key, value)| ours.get(key) != Some(value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// Gives the name and the type of a field whose type the org does not have.
fn unknown_type(json: &Json) -> Option<(String, String)> {
    let (name, word) = (json["name"].as_str()?, json["type"].as_str()?);
    let unknown = FieldType::of_word(word).is_none();
    unknown.then(|| (name.to_owned(), word.to_owned()))
}

fn field(json: &Json) -> Result<Field, Mistake> {
    let name = json["name"].as_str().map(str::to_owned);
    let mistake = |reason: String| Mistake {
        field: name.clone(),
        reason,
    };
    let described =
        FieldDescription::deserialize(json).map_err(|error| mistake(error.to_string()))?;
    let word = &described.field_type;
    let field_type = FieldType::of_word(word)
        .ok_or_else(|| mistake(format!("this org has no fields of type `{word}`")))?;
    let picklist: Result<Vec<PicklistValue>, String> = described
        .picklist_values
        .into_iter()
        .map(picklist_value)
        .collect();
    let picklist_values = picklist.map_err(mistake)?;
    let default_value = match default_value(field_type, &described.default_value) {
        // A describe says only beside the values of a picklist which is the default.
        None => picklist_values
            .iter()
            .find(|known| known.default_value && field_type == FieldType::Picklist)
            .map(|known| Value::text(known.value.as_str())),
        default => default,
    };
    let mut field = Field {
        name: described.name.into(),
        label: described.label,
        field_type,
        length: described.length,
        precision: described.precision,
        scale: described.scale,
        digits: described.digits,
        nillable: described.nillable,
        createable: described.createable,
        updateable: described.updateable,
        defaulted_on_create: described.defaulted_on_create,
        filterable: described.filterable,
        groupable: described.groupable,
        sortable: described.sortable,
        aggregatable: described.aggregatable,
        id_lookup: described.id_lookup,
        external_id: described.external_id,
        unique: described.unique,
        name_field: described.name_field,
        permissionable: described.permissionable,
        auto_number: described.auto_number,
        calculated: described.calculated,
        custom: described.custom,
        reference_to: described.reference_to,
        relationship_name: described.relationship_name,
        picklist_values,
        controller: described.controller_name,
        restricted_picklist: described.restricted_picklist,
        default_value,
        formula: described.calculated_formula,
        compound_field_name: described.compound_field_name,
        extra_type_info: described.extra_type_info,
        inline_help_text: described.inline_help_text,
        described: Map::new(),
    };
    field.described = besides(json, &describe::field(&field));
    Ok(field)
}

fn picklist_value(described: PicklistDescription) -> Result<PicklistValue, String> {
    let valid_for = match &described.valid_for {
        Some(bitmap) => describe::places(bitmap)
            .ok_or_else(|| format!("`validFor` of `{}` is no base64", described.value))?,
        None => Vec::new(),
    };
    Ok(PicklistValue {
        label: described.label.unwrap_or_else(|| described.value.clone()),
        value: described.value,
        active: described.active,
        default_value: described.default_value,
        valid_for,
    })
}

fn default_value(kind: FieldType, json: &Json) -> Option<Value> {
    match (kind, json) {
        (FieldType::Boolean, Json::Bool(value)) => Some(Value::Bool(*value)),
        (FieldType::Int, Json::Number(number)) => number.as_i64().map(Value::Int),
        (_, Json::Number(number)) if kind.is_number() => number.as_f64().map(Value::Number),
        (_, Json::String(text)) if kind.is_text() && !text.is_empty() => {
            Some(Value::text(text.as_str()))
        }
        _ => None,
    }
}

fn record_type(described: RecordTypeDescription) -> Result<RecordType, Mistake> {
    let id = Id::parse(&described.record_type_id).ok_or_else(|| {
        let id = &described.record_type_id;
        Mistake::of(format!(
            "the record type `{}` has no id: `{id}`",
            described.name
        ))
    })?;
    Ok(RecordType {
        id,
        name: described.name,
        developer_name: described.developer_name,
        default: described.default_record_type_mapping,
        master: described.master,
        active: described.active,
        available: described.available,
        picklists: Vec::new(),
    })
}

fn child(described: ChildDescription) -> ChildRelationship {
    ChildRelationship {
        relationship_name: described.relationship_name,
        child_object: Arc::from(described.child_object),
        field: Arc::from(described.field),
        cascade_delete: described.cascade_delete,
        restricted_delete: described.restricted_delete,
    }
}
