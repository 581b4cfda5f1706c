//! What a client reads by an address: calls of tools that connectors' manifests name, by the same way as any call.
//!
//! The attack: a resource as a second door. So nothing is read but by a call of the tool, with its mode, its scope and its record; and
//! what an agent's tools do not give it is not even listed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portcullis::policy::{Mode, ResourceSpec, ToolName};
use portcullis::{Attachment, CitedRecord, Connector, OfferedTool, Outcome, Output, Reply, Tool};
use rmcp::ErrorData;
use rmcp::model::{
    CallToolRequestParams, JsonObject, ReadResourceRequestParams, ReadResourceResponse,
    ReadResourceResult, Resource, ResourceContents, ResourceTemplate,
};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::{Value, json};

use crate::handler::Settled;
use crate::{Served, Server, answer, codes};

/// Lists the connectors of an agent's tools, each once.
pub(crate) fn connectors(offered: &[OfferedTool]) -> Vec<&Connector> {
    let mut connectors: Vec<&Connector> = offered.iter().map(OfferedTool::connector).collect();
    connectors.dedup_by_key(|connector| connector.digest());
    connectors
}

/// Finds a tool among those that an agent has.
pub(crate) fn has<'o>(
    offered: &'o [OfferedTool],
    connector: &Connector,
    tool: &ToolName,
) -> Option<&'o OfferedTool> {
    let is_it = |one: &&OfferedTool| {
        one.connector().digest() == connector.digest() && one.tool().name == *tool
    };
    offered.iter().find(is_it)
}

/// Says whether an agent has a tool that needs nobody's approval.
pub(crate) fn has_freely(offered: &[OfferedTool], connector: &Connector, tool: &ToolName) -> bool {
    has(offered, connector, tool).is_some_and(|one| one.decision.mode == Mode::Allow)
}

/// Lists the resources whose tools an agent has.
pub(crate) fn resources(offered: &[OfferedTool]) -> Vec<(&Connector, &ResourceSpec)> {
    let connectors = connectors(offered).into_iter();
    let all = connectors.flat_map(|connector| {
        let resources = connector.manifest().resources.iter();
        resources.map(move |resource| (connector, resource))
    });
    all.filter(|(connector, resource)| has(offered, connector, &resource.read.tool).is_some())
        .collect()
}

/// Says whether a connector's resources are read by a tool.
pub(crate) fn reads(connector: &Connector, tool: &Tool) -> bool {
    let mut resources = connector.manifest().resources.iter();
    resources.any(|resource| resource.read.tool == tool.name)
}

/// Describes a resource that has an address of its own.
pub(crate) fn describe(resource: &ResourceSpec) -> Resource {
    Resource::new(resource.uri.as_str(), resource.name.as_str())
        .with_title(resource.title.as_str())
        .with_description(resource.description.as_str())
        .with_mime_type(resource.media_type())
}

/// Describes resources that have a template.
pub(crate) fn describe_template(resource: &ResourceSpec) -> ResourceTemplate {
    ResourceTemplate::new(resource.uri.as_str(), resource.name.as_str())
        .with_title(resource.title.as_str())
        .with_description(resource.description.as_str())
        .with_mime_type(resource.media_type())
}

/// By which addresses a client reads again what an answer has.
#[derive(Default)]
pub(crate) struct Addresses<'a> {
    resources: Vec<&'a ResourceSpec>,
    call: Option<(&'a str, &'a JsonObject)>,
}

impl<'a> Addresses<'a> {
    /// Those of a connector's call, as far as the agent has them.
    pub(crate) fn of_call(
        offered: &'a [OfferedTool],
        connector: &str,
        tool: &'a str,
        arguments: &'a JsonObject,
    ) -> Self {
        let resources = resources(offered).into_iter();
        let of_it = resources.filter(|(one, _)| one.manifest().name.as_str() == connector);
        // Where a person said yes to the call, its answer is whole: to read it again would ask them once more.
        let is_free = offered.iter().any(|one| {
            one.connector().manifest().name.as_str() == connector
                && one.tool().name.as_str() == tool
                && one.decision.mode == Mode::Allow
        });
        Self {
            resources: of_it.map(|(_, resource)| resource).collect(),
            call: is_free.then_some((tool, arguments)),
        }
    }

    /// Gives a link to a record; none where no resource is one.
    pub(crate) fn link_to(&self, record: &CitedRecord) -> Option<Resource> {
        let resources = self.resources.iter();
        let found = resources.filter_map(|resource| {
            let uri = resource.uri_of_record(&record.kind, &record.id)?;
            Some((*resource, uri))
        });
        let (resource, uri) = found.min_by_key(|(resource, _)| resource.uri.rank())?;
        let name = format!("{} {}", record.kind, record.id);
        let link = Resource::new(uri, name).with_mime_type(resource.media_type());
        Some(match &record.label {
            Some(label) => link.with_title(label.as_str()),
            None => link,
        })
    }

    /// Gives the address by which the same call is made; none where there is none.
    pub(crate) fn of_answer(&self) -> Option<String> {
        let (tool, arguments) = self.call?;
        let mut resources = self.resources.iter();
        resources.find_map(|resource| resource.uri_of_call(tool, arguments))
    }
}

impl Server {
    /// Reads what is at an address.
    pub(crate) async fn read(
        &self,
        request: ReadResourceRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let uri = request.uri;
        let connectors = self.host.connectors();
        // One whose tool is switched off is found, too: so the call is refused, with its record. One that is not served is not there.
        let found = connectors.iter().find_map(|connector| {
            let (resource, call) = connector.manifest().resource(&uri)?;
            let tool = connector.tool(call.tool.as_str())?;
            let is_served = self.served.has(tool);
            is_served.then_some((&connector.manifest().name, resource, call))
        });
        let Some((connector, resource, call)) = found else {
            let message = "there is no resource at this address; `resources/templates/list` says which there are";
            return Err(ErrorData::resource_not_found(
                message,
                Some(json!({ "uri": uri })),
            ));
        };
        let mut asked =
            CallToolRequestParams::new(call.tool.to_string()).with_arguments(call.arguments);
        asked.input_responses = request.input_responses;
        asked.request_state = request.request_state;
        match self.settle(connector, &asked, context).await? {
            Settled::Asks(asks) => Ok(ReadResourceResponse::InputRequired(*asks)),
            Settled::Reply(reply) => match reply.outcome {
                Outcome::Done(output) => {
                    let mut read = ReadResourceResult::new(contents(&uri, resource, output));
                    read.ttl_ms = Some(0);
                    read.cache_scope = Some(rmcp::model::CacheScope::Private);
                    Ok(read.into())
                }
                _ => Err(not_read(&uri, &reply, &self.served)),
            },
        }
    }
}

/// Says why something was not read.
fn not_read(uri: &str, reply: &Reply, served: &Served) -> ErrorData {
    let words = answer::text_for(reply, served);
    let mut data = answer::problem(reply).unwrap_or_else(|| json!({}));
    data["uri"] = uri.into();
    ErrorData::new(codes::of_read(&reply.outcome), words, Some(data))
}

/// Gives what was read: the attachments where there are any, else what the tool says.
fn contents(uri: &str, resource: &ResourceSpec, output: Output) -> Vec<ResourceContents> {
    if !output.attachments.is_empty() {
        let files = output.attachments.into_iter();
        return files.map(|file| attached(uri.to_owned(), file)).collect();
    }
    let text = match (resource.media_type(), &output.structured) {
        ("application/json", Some(data)) => data.to_string(),
        _ => with_what_is_left(
            output.text,
            output.next_cursor.as_deref(),
            &resource.read.tool,
        ),
    };
    let contents = ResourceContents::text(text, uri);
    vec![contents.with_mime_type(resource.media_type())]
}

/// Says, where an answer does not say so itself, that there is more than what is read by this address.
fn with_what_is_left(text: String, cursor: Option<&str>, tool: &ToolName) -> String {
    match cursor {
        Some(cursor) if !text.contains(cursor) => {
            format!("{text}\n\nThere is more: call `{tool}`, and pass `cursor` {cursor:?}.")
        }
        _ => text,
    }
}

/// Gives a file, as text where it is text.
pub(crate) fn attached(uri: String, file: Attachment) -> ResourceContents {
    let contents = match is_text(&file.media_type).then(|| std::str::from_utf8(&file.data)) {
        Some(Ok(text)) => ResourceContents::text(text, uri),
        _ => ResourceContents::blob(STANDARD.encode(&file.data), uri),
    };
    contents.with_mime_type(file.media_type)
}

fn is_text(media_type: &str) -> bool {
    media_type.starts_with("text/") || media_type == "application/json"
}

/// Takes strings out of an object: what is none of them is left out.
pub(crate) fn strings(
    object: impl IntoIterator<Item = (String, Value)>,
) -> std::collections::BTreeMap<String, String> {
    let strings = object.into_iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name, text)),
        _ => None,
    });
    strings.collect()
}
