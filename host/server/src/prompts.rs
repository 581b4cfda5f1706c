//! Texts for agents, as connectors' manifests have them. An agent is offered those whose tools it has.

use portcullis::policy::{self, PromptSpec};
use portcullis::{Connector, OfferedTool};
use rmcp::ErrorData;
use rmcp::model::{
    GetPromptRequestParams, GetPromptResult, Prompt, PromptArgument, PromptMessage, Role,
};
use serde_json::Value;

use crate::Server;
use crate::resources::{connectors, has, strings};

/// Lists the prompts whose tools an agent has.
pub(crate) fn prompts(offered: &[OfferedTool]) -> Vec<(&Connector, &PromptSpec)> {
    let connectors = connectors(offered).into_iter();
    let all = connectors.flat_map(|connector| {
        let prompts = connector.manifest().prompts.iter();
        prompts.map(move |prompt| (connector, prompt))
    });
    let has_all = |(connector, prompt): &(&Connector, &PromptSpec)| {
        let mut tools = prompt.tools.iter();
        tools.all(|tool| has(offered, connector, tool).is_some())
    };
    all.filter(has_all).collect()
}

/// Describes a prompt.
pub(crate) fn describe(prompt: &PromptSpec) -> Prompt {
    let arguments: Vec<PromptArgument> = prompt.arguments.iter().map(argument).collect();
    let arguments = (!arguments.is_empty()).then_some(arguments);
    Prompt::new(
        prompt.name.as_str(),
        Some(prompt.description.as_str()),
        arguments,
    )
    .with_title(prompt.title.as_str())
}

fn argument(argument: &policy::PromptArgument) -> PromptArgument {
    let described = PromptArgument::new(argument.name.as_str())
        .with_title(argument.title.as_str())
        .with_required(argument.default.is_none());
    match &argument.description {
        Some(description) => described.with_description(description.as_str()),
        None => described,
    }
}

impl Server {
    /// Writes a prompt with what the person said.
    pub(crate) async fn prompt(
        &self,
        request: GetPromptRequestParams,
    ) -> Result<GetPromptResult, ErrorData> {
        let offered = self.offered().await?;
        let prompts = prompts(&offered);
        let found = prompts.iter().find(|(_, one)| one.name == request.name);
        let Some((_, prompt)) = found else {
            return Err(unknown(&request.name, &prompts));
        };
        let given = request.arguments.unwrap_or_default();
        if let Some((name, _)) = given
            .iter()
            .find(|(_, value)| !matches!(value, Value::String(_) | Value::Null))
        {
            let message = format!("`{name}` is no text");
            return Err(ErrorData::invalid_params(message, None));
        }
        let text = prompt.text(&strings(given));
        let text = text.map_err(|error| ErrorData::invalid_params(error.to_string(), None))?;
        let messages = vec![PromptMessage::new_text(Role::User, text)];
        Ok(GetPromptResult::new(messages).with_description(prompt.description.as_str()))
    }
}

pub(crate) fn unknown(name: &str, prompts: &[(&Connector, &PromptSpec)]) -> ErrorData {
    let name: String = name.chars().take(64).collect();
    let names: Vec<&str> = prompts.iter().map(|(_, one)| one.name.as_str()).collect();
    let message = match names.is_empty() {
        true => format!("there is no prompt `{name}`"),
        false => format!(
            "there is no prompt `{name}`; there are {}",
            names.join(", ")
        ),
    };
    ErrorData::invalid_params(message, None)
}
