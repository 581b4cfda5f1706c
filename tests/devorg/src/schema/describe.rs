//! Describes: what an object and its fields look like on the wire.
//!
//! The keys are those of the *REST API Developer Guide*, "sObject Describe". Everything is derived
//! from the schema, so that a describe cannot disagree with what the org does.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use super::{Field, FieldType, Object, PicklistValue, Schema};
use crate::value::Value;

/// Gives the body of `/sobjects`: a summary of every object. `base` is `/services/data/v68.0`.
pub fn global(schema: &Schema, base: &str) -> Json {
    let objects: Vec<Json> = schema
        .objects
        .iter()
        .map(|object| summary(object, base))
        .collect();
    json!({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects})
}

/// Gives an object's entry in `/sobjects`, which is also the first part of its describe.
pub fn summary(object: &Object, base: &str) -> Json {
    let own = format!("{base}/sobjects/{}", object.name);
    let mut urls = json!({
        "sobject": own,
        "describe": format!("{own}/describe"),
        "rowTemplate": format!("{own}/{{ID}}"),
    });
    if object.layoutable {
        urls["layouts"] = json!(format!("{own}/describe/layouts"));
        urls["compactLayouts"] = json!(format!("{own}/describe/compactLayouts"));
        urls["approvalLayouts"] = json!(format!("{own}/describe/approvalLayouts"));
        urls["quickActions"] = json!(format!("{own}/quickActions"));
        urls["listviews"] = json!(format!("{own}/listviews"));
    }
    let mut summary = json!({
        "activateable": false,
        "associateEntityType": null,
        "associateParentEntity": null,
        "createable": object.createable,
        "custom": object.custom,
        "customSetting": false,
        "deepCloneable": matches!(&*object.name, "Campaign" | "Opportunity"),
        "deletable": object.deletable,
        "deprecatedAndHidden": false,
        "feedEnabled": object.feed_enabled,
        "hasSubtypes": false,
        "isInterface": false,
        "isSubtype": false,
        "keyPrefix": (!object.key_prefix.is_empty()).then_some(&object.key_prefix),
        "label": object.label,
        "labelPlural": object.label_plural,
        "layoutable": object.layoutable,
        "mergeable": object.mergeable,
        "mruEnabled": object.mru_enabled,
        "name": &*object.name,
        "queryable": true,
        "replicateable": object.replicateable,
        "retrieveable": true,
        "searchable": object.searchable,
        "triggerable": object.triggerable,
        "undeletable": object.undeletable,
        "updateable": object.updateable,
        "urls": urls,
    });
    for (key, value) in &object.described {
        if let Some(own) = summary.get_mut(key) {
            *own = value.clone();
        }
    }
    summary
}

/// Gives the body of `/sobjects/{object}/describe`.
pub fn object(object: &Object, base: &str) -> Json {
    let own = format!("{base}/sobjects/{}", object.name);
    let children: Vec<Json> = object
        .child_relationships
        .iter()
        .map(|child| {
            json!({
                "cascadeDelete": child.cascade_delete,
                "childSObject": &*child.child_object,
                "deprecatedAndHidden": false,
                "field": &*child.field,
                "junctionIdListNames": [],
                "junctionReferenceTo": [],
                "relationshipName": child.relationship_name,
                "restrictedDelete": child.restricted_delete,
            })
        })
        .collect();
    let record_types: Vec<Json> = object
        .record_types
        .iter()
        .map(|record_type| {
            json!({
                "active": record_type.active,
                "available": record_type.available,
                "defaultRecordTypeMapping": record_type.default,
                "developerName": record_type.developer_name,
                "master": record_type.master,
                "name": record_type.name,
                "recordTypeId": record_type.id.as_str(),
                "urls": {"layout": format!("{own}/describe/layouts/{}", record_type.id)},
            })
        })
        .collect();
    let scopes: Vec<Json> = object
        .supported_scopes
        .iter()
        .map(|(name, label)| json!({"name": name, "label": label}))
        .collect();
    let mut describe = summary(object, base);
    let more = json!({
        "actionOverrides": [],
        "childRelationships": children,
        "compactLayoutable": object.layoutable,
        "defaultImplementation": null,
        "extendedBy": null,
        "extendsInterfaces": null,
        "fields": object.fields.iter().map(field).collect::<Vec<_>>(),
        "implementedBy": null,
        "implementsInterfaces": null,
        "listviewable": null,
        "lookupLayoutable": null,
        "namedLayoutInfos": [],
        "networkScopeFieldName": null,
        "recordTypeInfos": record_types,
        "searchLayoutable": object.searchable,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": scopes,
    });
    if let (Json::Object(describe), Json::Object(more)) = (&mut describe, more) {
        describe.extend(more);
        describe.extend(object.described.clone());
    }
    describe
}

/// Gives a field's entry in a describe.
pub fn field(field: &Field) -> Json {
    // A character takes up to three bytes in Salesforce's own measure.
    let byte_length = match field.field_type {
        FieldType::Id | FieldType::Reference => field.length,
        _ => field.length * 3,
    };
    let mut describe = json!({
        "aggregatable": field.aggregatable,
        "aiPredictionField": false,
        "autoNumber": field.auto_number,
        "byteLength": byte_length,
        "calculated": field.calculated,
        "calculatedFormula": field.formula,
        "cascadeDelete": false,
        "caseSensitive": false,
        "compoundFieldName": field.compound_field_name,
        "controllerName": field.controller,
        "createable": field.createable,
        "custom": field.custom,
        "defaultValue": field.default_value.as_ref().map(Value::to_json),
        "defaultValueFormula": null,
        "defaultedOnCreate": field.defaulted_on_create,
        "dependentPicklist": field.controller.is_some(),
        "deprecatedAndHidden": false,
        "digits": field.digits,
        "displayLocationInDecimal": false,
        "encrypted": false,
        "externalId": field.external_id,
        "extraTypeInfo": field.extra_type_info,
        "filterable": field.filterable,
        "filteredLookupInfo": null,
        "formulaTreatNullNumberAsZero": false,
        "groupable": field.groupable,
        "highScaleNumber": false,
        "htmlFormatted": false,
        "idLookup": field.id_lookup,
        "inlineHelpText": field.inline_help_text,
        "label": field.label,
        "length": field.length,
        "mask": null,
        "maskType": null,
        "name": &*field.name,
        "nameField": field.name_field,
        "namePointing": field.polymorphic(),
        "nillable": field.nillable,
        "permissionable": field.permissionable,
        "picklistValues": picklist_values(field),
        "polymorphicForeignKey": field.polymorphic(),
        "precision": field.precision,
        "queryByDistance": field.field_type.is_compound(),
        "referenceTargetField": null,
        "referenceTo": field.reference_to,
        "relationshipName": field.relationship_name,
        "relationshipOrder": null,
        "restrictedDelete": false,
        "restrictedPicklist": field.restricted_picklist,
        "scale": field.scale,
        "searchPrefilterable": field.field_type == FieldType::Reference,
        "soapType": field.field_type.soap_type(),
        "sortable": field.sortable,
        "type": field.field_type.word(),
        "unique": field.unique,
        "updateable": field.updateable,
        "writeRequiresMasterRead": false,
    });
    if let Json::Object(describe) = &mut describe {
        describe.extend(field.described.clone());
    }
    describe
}

fn picklist_values(field: &Field) -> Vec<Json> {
    let one = |value: &PicklistValue| {
        json!({
            "active": value.active,
            "defaultValue": value.default_value,
            "label": value.label,
            "validFor": field.controller.is_some().then(|| bitmap(&value.valid_for)),
            "value": value.value,
        })
    };
    field.picklist_values.iter().map(one).collect()
}

/// Writes places as base64 of a bitmap, the first place its highest bit; three bytes at a time.
fn bitmap(places: &[usize]) -> String {
    let last = places.iter().max().copied().unwrap_or(0);
    let mut bytes = vec![0_u8; (last / 24 + 1) * 3];
    for place in places {
        bytes[place / 8] |= 0x80 >> (place % 8);
    }
    STANDARD.encode(bytes)
}

/// Reads places from what [`bitmap`] writes; `None` is no base64.
pub(crate) fn places(bitmap: &str) -> Option<Vec<usize>> {
    let bytes = STANDARD.decode(bitmap).ok()?;
    let set = |place: &usize| bytes[place / 8] & (0x80 >> (place % 8)) != 0;
    Some((0..bytes.len() * 8).filter(set).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bits_from_the_left() {
        for (places, text) in [
            (&[][..], "AAAA"),
            (&[0], "gAAA"),
            (&[1], "QAAA"),
            (&[0, 3, 9], "kEAA"),
            (&[24], "AAAAgAAA"),
        ] {
            assert_eq!(bitmap(places), text);
            assert_eq!(super::places(text).as_deref(), Some(places));
        }
    }
}
