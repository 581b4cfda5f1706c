//! A connector's tools in the words of the protocol.

use std::borrow::Cow;
use std::sync::Arc;

use portcullis::policy::Effect;
use portcullis::{OfferedTool, Tool};
use rmcp::model::{self, JsonObject, ToolAnnotations};
use serde_json::Value;

/// Describes a tool. Its annotations follow from its effect, which the host enforces.
pub(crate) fn describe(offered: &OfferedTool) -> model::Tool {
    let tool = offered.tool();
    let name = tool.name.to_string();
    let mut described = model::Tool::new(
        Cow::Owned(name),
        Cow::Owned(tool.description.clone()),
        object(&tool.input_schema),
    )
    .with_title(tool.title.clone())
    .with_annotations(annotations(tool));
    if let Some(schema) = &tool.output_schema {
        described = described.with_raw_output_schema(object(schema));
    }
    described
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
