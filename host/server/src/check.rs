//! The host's own tool: what became of a question to a person, and the answer of the call once that was approved. It decides nothing.

use std::borrow::Cow;
use std::sync::Arc;

use portcullis::ports::Caller;
use portcullis::ports::approvals::Became;
use portcullis::{ApprovalId, LookedUp};
use rmcp::ErrorData;
use rmcp::model::{self, CallToolResult, ContentBlock, JsonObject, ToolAnnotations};
use serde_json::{Value, json};

use crate::resources::Addresses;
use crate::{Server, answer};

/// Its name.
pub(crate) const NAME: &str = "check_approval";

const TITLE: &str = "Check an approval";

const DESCRIPTION: &str = "Says whether a person has decided on a call that needed approval, and gives the call's answer once \
    it was approved and run: once. It approves nothing.";

/// Describes it. It is listed where there is something to ask for.
pub(crate) fn describe() -> model::Tool {
    let schema = json!({
        "type": "object",
        "properties": {
            "approval": {"type": "string", "description": "The approval's id, as the call's result names it."}
        },
        "required": ["approval"],
        "additionalProperties": false
    });
    let schema: JsonObject = schema.as_object().cloned().unwrap_or_default();
    let annotations = ToolAnnotations::with_title(TITLE)
        .read_only(true)
        .destructive(false)
        // An answer is handed out once.
        .idempotent(false)
        .open_world(false);
    model::Tool::new(NAME, Cow::Borrowed(DESCRIPTION), Arc::new(schema))
        .with_title(TITLE)
        .with_annotations(annotations)
}

impl Server {
    /// Looks a question up.
    pub(crate) async fn check(&self, arguments: &JsonObject) -> Result<CallToolResult, ErrorData> {
        let given = arguments.get("approval").and_then(Value::as_str);
        let id: Result<ApprovalId, _> = given.unwrap_or_default().trim().parse();
        let Ok(id) = id else {
            let words = "`approval` is the id of a question: 32 hexadecimal digits, as the call's result names it";
            return Ok(said("invalid_arguments", words, json!({}), true));
        };
        let caller = Caller {
            agent: self.agent.clone(),
            person: self.person.clone(),
        };
        let found = self.host.look_up(&caller, id).await;
        let found = found.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        Ok(match found {
            Some(LookedUp::Answer(reply)) => {
                answer::result(reply, &self.served, &Addresses::default())
            }
            Some(LookedUp::Became(became)) => of(&became),
            None => said(
                "not_found",
                "There is no such question of yours.",
                json!({}),
                true,
            ),
        })
    }
}

fn of(became: &Became) -> CallToolResult {
    match became {
        Became::Waiting { link } => {
            let at = link
                .as_ref()
                .map_or(String::new(), |link| format!(" It is decided at {link}"));
            let words = format!("Nobody has decided yet; nothing was changed.{at}");
            said("waiting", &words, json!({ "link": link }), false)
        }
        Became::Approved => {
            let words = "A person approved it, and there is no answer yet: look again in a moment, or make the same call again.";
            said("approved", words, json!({}), false)
        }
        Became::Answered => {
            let words = "A person approved it, and its answer is there: look again.";
            said("approved", words, json!({}), false)
        }
        Became::Denied { reason } => {
            let because = reason
                .as_ref()
                .map_or(String::new(), |reason| format!(", because “{reason}”"));
            let words = format!("The person said no{because}. Nothing was changed.");
            said("denied", &words, json!({ "reason": reason }), false)
        }
        Became::Over => {
            let words = "It is over: its answer was fetched, or it was taken back, has expired or was asked anew. The same call may be made \
                         again; look at the record first where it may have been changed.";
            said("over", words, json!({}), false)
        }
    }
}

fn said(state: &str, words: &str, mut more: Value, is_error: bool) -> CallToolResult {
    let content = vec![ContentBlock::text(words)];
    let mut result = match is_error {
        true => CallToolResult::error(content),
        false => CallToolResult::success(content),
    };
    more["state"] = state.into();
    result.structured_content = Some(more);
    result
}
