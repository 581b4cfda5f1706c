//! A connector's tools in the words of the protocol.

use std::borrow::Cow;
use std::sync::Arc;

use portcullis::policy::{Effect, Mode};
use portcullis::{OfferedTool, Tool};
use rmcp::model::{self, JsonObject, ToolAnnotations};
use serde_json::Value;

/// Describes a tool. Its annotations follow from its effect, which the host enforces.
pub(crate) fn describe(offered: &OfferedTool) -> model::Tool {
    let tool = offered.tool();
    let name = tool.name.to_string();
    let mut schema = tool.input_schema.clone();
    if offered.decision.mode == Mode::Ask {
        ask_for_reason(&mut schema);
    }
    let mut described = model::Tool::new(
        Cow::Owned(name),
        Cow::Owned(tool.description.clone()),
        object(&schema),
    )
    .with_title(tool.title.clone())
    .with_annotations(annotations(tool));
    if let Some(schema) = &tool.output_schema {
        described = described.with_raw_output_schema(object(schema));
    }
    described
}

/// The argument by which an agent says why it asks. It is the host's: no connector gets it.
pub(crate) const REASON: &str = "approval_reason";

/// Lets an agent say why it asks for what a person must approve.
fn ask_for_reason(schema: &mut Value) {
    let properties = schema.as_object_mut().map(|schema| {
        schema
            .entry("properties")
            .or_insert_with(|| Value::Object(JsonObject::new()))
    });
    if let Some(Value::Object(properties)) = properties {
        let reason = serde_json::json!({
            "type": "string",
            "description": "Why, in a sentence, for the person who approves."
        });
        properties.entry(REASON).or_insert(reason);
    }
}

/// Takes the reason out of a call's arguments, unless the tool has an argument of that name itself.
pub(crate) fn take_reason(tool: &Tool, arguments: &mut JsonObject) -> Option<String> {
    if tool.input_schema["properties"].get(REASON).is_some() {
        return None;
    }
    match arguments.remove(REASON)? {
        Value::String(reason) => Some(reason),
        _ => None,
    }
}

fn annotations(tool: &Tool) -> ToolAnnotations {
    ToolAnnotations::with_title(tool.title.clone())
        .read_only(tool.effect == Effect::Read)
        .destructive(tool.effect == Effect::Destructive)
        .idempotent(tool.idempotent)
        // It acts on a service elsewhere.
        .open_world(true)
}

fn object(schema: &Value) -> Arc<JsonObject> {
    Arc::new(schema.as_object().cloned().unwrap_or_default())
}
