//! What completes an argument while a person types: a call of a tool that the connector's manifest names, by the same way as any call.
//!
//! The attack: a question to a person for every letter. So only tools that need nobody's approval are called, and a call that comes to
//! nothing completes nothing.

use std::collections::BTreeMap;

use portcullis::policy::{Completing, ConnectorName};
use portcullis::{Connector, OfferedTool, Outcome};
use rmcp::ErrorData;
use rmcp::model::{
    CallToolRequestParams, CompleteRequestParams, CompleteResult, CompletionInfo, Reference,
};
use rmcp::service::{RequestContext, RoleServer};

use crate::Server;
use crate::prompts::{self, prompts};
use crate::resources::{has_freely, resources};

/// Something that has arguments.
struct Completed<'o> {
    connector: &'o Connector,
    /// The names of all arguments.
    arguments: Vec<&'o str>,
    completing: Option<&'o Completing>,
}

impl Server {
    /// Completes an argument.
    pub(crate) async fn completions(
        &self,
        request: CompleteRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let offered = self.offered().await?;
        let named = request.argument.name.as_str();
        let completed = completed(&offered, &request.r#ref, named)?;
        if !completed.arguments.contains(&named) {
            let message = format!(
                "there is no such argument; there are {}",
                completed.arguments.join(", ")
            );
            return Err(ErrorData::invalid_params(message, None));
        }
        let given = request.context.and_then(|context| context.arguments);
        let mut others: BTreeMap<String, String> = given.unwrap_or_default().into_iter().collect();
        others.retain(|name, _| name != named && completed.arguments.contains(&name.as_str()));
        let Some(completing) = completed.completing else {
            return Ok(CompleteResult::default());
        };
        let call = completing.call(&request.argument.value, &others);
        let is_free = has_freely(&offered, completed.connector, &completing.call.tool);
        let Some(call) = call.filter(|_| is_free) else {
            return Ok(CompleteResult::default());
        };
        let connector: &ConnectorName = &completed.connector.manifest().name;
        let asked =
            CallToolRequestParams::new(call.tool.to_string()).with_arguments(call.arguments);
        let reply = self.call(connector, &asked, context).await?;
        let Outcome::Done(output) = reply.outcome else {
            tracing::debug!(
                outcome = reply.outcome.name(),
                code = reply.outcome.code(),
                "nothing is completed"
            );
            return Ok(CompleteResult::default());
        };
        let answer = output.structured.unwrap_or_default();
        let (values, has_more) = completing.values_of(&answer);
        let has_more = has_more || output.next_cursor.is_some();
        let completion = CompletionInfo::with_pagination(values, None, has_more);
        let completion = completion.map_err(|error| ErrorData::internal_error(error, None))?;
        Ok(CompleteResult::new(completion))
    }
}

/// Finds what a client completes an argument of.
fn completed<'o>(
    offered: &'o [OfferedTool],
    reference: &Reference,
    argument: &str,
) -> Result<Completed<'o>, ErrorData> {
    match reference {
        Reference::Resource(reference) => {
            let resources = resources(offered).into_iter();
            let mut found = resources.filter(|(_, one)| one.uri.as_str() == reference.uri);
            let (connector, resource) = found.next().ok_or_else(|| {
                let message = "there is no such template of a resource";
                ErrorData::invalid_params(message, None)
            })?;
            Ok(Completed {
                connector,
                arguments: resource.uri.variables().collect(),
                completing: resource.complete.get(argument),
            })
        }
        Reference::Prompt(reference) => {
            let prompts = prompts(offered);
            let found = prompts.iter().find(|(_, one)| one.name == reference.name);
            let (connector, prompt) =
                found.ok_or_else(|| prompts::unknown(&reference.name, &prompts))?;
            let arguments = prompt.arguments.iter();
            Ok(Completed {
                connector,
                arguments: arguments.map(|one| one.name.as_str()).collect(),
                completing: prompt
                    .argument(argument)
                    .and_then(|one| one.complete.as_ref()),
            })
        }
        _ => Err(ErrorData::invalid_params(
            "only arguments of prompts and of templates are completed",
            None,
        )),
    }
}
