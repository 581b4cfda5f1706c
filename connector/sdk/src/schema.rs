//! JSON Schemas (draft 2020-12) from structs, kept small: a model reads every
//! one of them before it answers.
//!
//! Inlined, without `$schema`, titles and number formats. For arguments
//! also: objects refuse properties that they do not name, and an
//! optional argument is one that may be left out, not one that may be null.

use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde_json::Value;

/// Returns the input schema of a tool whose arguments are an `A`.
pub(crate) fn of_arguments<A: JsonSchema>() -> String {
    let mut schema = settings().into_generator().into_root_schema_for::<A>();
    // The struct's own doc comment is about the code; the tool has a description.
    schema.remove("description");
    RecursiveTransform(close_objects).transform(&mut schema);
    RecursiveTransform(forget_null).transform(&mut schema);
    schema
        .ensure_object()
        .entry("properties")
        .or_insert_with(|| Value::Object(Default::default()));
    schema.insert("additionalProperties".to_owned(), Value::Bool(false));
    schema.to_value().to_string()
}

/// Returns the output schema of a tool that answers with a `T`.
pub(crate) fn of_output<T: JsonSchema>() -> String {
    let mut schema = settings()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<T>();
    schema.remove("description");
    schema.to_value().to_string()
}

fn settings() -> SchemaSettings {
    SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.meta_schema = None;
            settings.inline_subschemas = true;
        })
        .with_transform(RecursiveTransform(drop_noise))
}

/// Takes off what says nothing to a model: titles (the types' names) and
/// formats such as `uint32` that are not of JSON Schema.
fn drop_noise(schema: &mut Schema) {
    if schema.get("title").is_some_and(Value::is_string) {
        schema.remove("title");
    }
    let number_format = schema
        .get("format")
        .and_then(Value::as_str)
        .is_some_and(|format| {
            format.starts_with("int")
                || format.starts_with("uint")
                || matches!(format, "float" | "double")
        });
    if number_format {
        schema.remove("format");
    }
}

/// Closes an object that names its properties and says nothing of others.
fn close_objects(schema: &mut Schema) {
    let says_nothing_of_others = [
        "additionalProperties",
        "unevaluatedProperties",
        "allOf",
        "anyOf",
        "oneOf",
    ]
    .iter()
    .all(|keyword| schema.get(*keyword).is_none());
    if schema.get("properties").is_some() && says_nothing_of_others {
        schema.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
}

/// Takes `null` off the properties that may be left out anyway.
fn forget_null(schema: &mut Schema) {
    let required = schema.get("required").cloned().unwrap_or_default();
    let is_required = |name: &str| {
        required
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one == name))
    };
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    for (name, property) in properties {
        let Some(property) = property.as_object_mut().filter(|_| !is_required(name)) else {
            continue;
        };
        if property.get("default").is_some_and(Value::is_null) {
            property.remove("default");
        }
        if let Some(Value::Array(types)) = property.get_mut("type") {
            types.retain(|kind| kind != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                property.insert("type".to_owned(), only);
            }
        }
        if let Some(Value::Array(values)) = property.get_mut("enum") {
            values.retain(|value| !value.is_null());
        }
        if let Some(Value::Array(choices)) = property.get_mut("anyOf") {
            choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
            if let [Value::Object(only)] = choices.as_mut_slice() {
                let only = std::mem::take(only);
                property.remove("anyOf");
                for (keyword, value) in only {
                    // The property's own description wins over its type's.
                    property.entry(keyword).or_insert(value);
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(dead_code, reason = "the structs are read as schemas only")]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeMap;

    /// How to sort.
    #[derive(serde::Serialize, serde::Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    enum Order {
        Ascending,
        Descending,
    }

    /// About the code.
    #[derive(serde::Serialize, serde::Deserialize, JsonSchema)]
    struct Args {
        /// What to ask.
        question: String,
        /// At most this many rows.
        limit: Option<u32>,
        order: Option<Order>,
        #[serde(default)]
        nested: Vec<Nested>,
        values: BTreeMap<String, Value>,
    }

    #[derive(serde::Serialize, serde::Deserialize, JsonSchema)]
    struct Nested {
        name: String,
        note: Option<String>,
    }

    fn parsed(schema: &str) -> Value {
        serde_json::from_str(schema).unwrap_or_default()
    }

    #[test]
    fn arguments_are_closed_inlined_and_small() {
        assert_eq!(
            parsed(&of_arguments::<Args>()),
            json!({
                "type": "object",
                "properties": {
                    "question": {"description": "What to ask.", "type": "string"},
                    "limit": {"description": "At most this many rows.", "type": "integer", "minimum": 0},
                    "order": {"description": "How to sort.", "type": "string", "enum": ["ascending", "descending"]},
                    "nested": {
                        "type": "array",
                        "default": [],
                        "items": {
                            "type": "object",
                            "properties": {"name": {"type": "string"}, "note": {"type": "string"}},
                            "required": ["name"],
                            "additionalProperties": false
                        }
                    },
                    "values": {"type": "object", "additionalProperties": true}
                },
                "required": ["question", "values"],
                "additionalProperties": false
            })
        );
    }

    #[test]
    fn no_arguments_are_an_empty_closed_object() {
        assert_eq!(
            parsed(&of_arguments::<crate::NoArguments>()),
            json!({"type": "object", "properties": {}, "additionalProperties": false})
        );
    }

    #[test]
    fn an_output_keeps_its_nulls_because_they_are_written() {
        assert_eq!(
            parsed(&of_output::<Nested>()),
            json!({
                "type": "object",
                "properties": {"name": {"type": "string"}, "note": {"type": ["string", "null"]}},
                "required": ["name", "note"]
            })
        );
    }
}
