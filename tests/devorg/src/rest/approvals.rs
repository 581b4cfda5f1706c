//! `/process/approvals`: the processes, and what is done in them.

use http::Method;
use serde_json::{Map, Value as Json, json};

use super::Call;
use crate::approvals::{self, Action, Done, Request};
use crate::error::ApiError;
use crate::id::Id;
use crate::wire::Reply;

/// The requests of a call.
const REQUESTS_MAX: usize = 200;
/// The longest comment, in characters.
const COMMENTS_MAX: usize = 4_000;

impl Call<'_> {
    /// `/process/approvals`.
    pub(super) fn approvals(&self) -> Result<Reply, ApiError> {
        match self.request.method {
            Method::GET => self.list_processes(),
            Method::POST => self.perform_requests(),
            _ => Ok(Reply::not_allowed(&self.request.method, "GET,HEAD,POST")),
        }
    }

    /// Lists the processes by object.
    fn list_processes(&self) -> Result<Reply, ApiError> {
        let rows = self.ask(
            "SELECT Id, Name, Description, TableEnumOrId FROM ProcessDefinition \
             WHERE Type = 'Approval' AND State = 'Active' ORDER BY Id",
        )?;
        let mut by_object: Map<String, Json> = Map::new();
        for row in &rows {
            let object = row["TableEnumOrId"].as_str().unwrap_or_default();
            let list = by_object.entry(object).or_insert_with(|| json!([]));
            if let Json::Array(list) = list {
                list.push(json!({
                    "description": row["Description"],
                    "id": row["Id"],
                    "name": row["Name"],
                    "object": object,
                    "sortOrder": list.len() + 1,
                }));
            }
        }
        Ok(Reply::json(200, &json!({"approvals": by_object})))
    }

    /// Does each request alone: those that succeed are done, whatever becomes of the others.
    fn perform_requests(&self) -> Result<Reply, ApiError> {
        let body = self.json_body()?;
        let requests = body["requests"].as_array().ok_or_else(|| {
            let message = "requests must be a list of process requests";
            ApiError::bad_request("INVALID_ARGUMENT", message)
        })?;
        if requests.len() > REQUESTS_MAX {
            let message = format!("the limit of {REQUESTS_MAX} process requests was exceeded");
            return Err(ApiError::bad_request("LIMIT_EXCEEDED", message));
        }
        let results: Vec<Json> = requests
            .iter()
            .map(|json| {
                let done = request(json).and_then(|request| {
                    // What is refused leaves the org's time as it was, too.
                    self.shared.org_mut().transaction(|org| {
                        let at = org.tick();
                        approvals::act(org, &self.session, &request, at)
                    })
                });
                result(json, done)
            })
            .collect();
        Ok(Reply::json(200, &results))
    }
}

/// Reads a request.
fn request(json: &Json) -> Result<Request, ApiError> {
    let invalid = |name: &str| {
        let message = format!("invalid value for {name}");
        ApiError::of_fields("INVALID_ARGUMENT", message, [name.to_owned()])
    };
    let text = |name: &str| json[name].as_str().unwrap_or_default();
    let id = |json: &Json, name: &str| match json {
        Json::Null => Ok(None),
        id => {
            let id = id.as_str().and_then(Id::parse);
            let malformed =
                || ApiError::of_fields("MALFORMED_ID", "malformed id", [name.to_owned()]);
            id.map(Some).ok_or_else(malformed)
        }
    };
    let action = match text("actionType").to_ascii_lowercase().as_str() {
        "submit" => Action::Submit,
        "approve" => Action::Approve,
        "reject" => Action::Reject,
        "removed" => Action::Removed,
        _ => return Err(invalid("actionType")),
    };
    let comments = text("comments");
    if comments.chars().count() > COMMENTS_MAX {
        return Err(ApiError::of_fields(
            "STRING_TOO_LONG",
            format!("data value too large (max length={COMMENTS_MAX})"),
            ["comments".to_owned()],
        ));
    }
    let context = id(&json["contextId"], "contextId")?.ok_or_else(|| {
        ApiError::of_fields(
            "REQUIRED_FIELD_MISSING",
            "missing required field: [contextId]",
            ["contextId".to_owned()],
        )
    })?;
    let mut next_approvers = Vec::new();
    for approver in json["nextApproverIds"].as_array().into_iter().flatten() {
        next_approvers.extend(id(approver, "nextApproverIds")?);
    }
    // A text is taken, too: so the guide's own example has it.
    let skip_criteria = match &json["skipEntryCriteria"] {
        Json::Null => false,
        Json::Bool(skip) => *skip,
        Json::String(skip) => skip.eq_ignore_ascii_case("true"),
        _ => return Err(invalid("skipEntryCriteria")),
    };
    Ok(Request {
        action,
        context,
        submitter: id(&json["contextActorId"], "contextActorId")?,
        comments: comments.to_owned(),
        next_approvers,
        process: json["processDefinitionNameOrId"]
            .as_str()
            .map(str::to_owned),
        skip_criteria,
    })
}

fn result(request: &Json, done: Result<Done, ApiError>) -> Json {
    let ids = |ids: &[Id]| ids.iter().map(Id::to_string).collect::<Vec<_>>();
    match done {
        Ok(done) => json!({
            "actorIds": ids(&done.actors),
            "entityId": done.entity.as_str(),
            "errors": null,
            "instanceId": done.instance.as_str(),
            "instanceStatus": done.status,
            "newWorkitemIds": ids(&done.work_items),
            "success": true,
        }),
        Err(error) => json!({
            "actorIds": null,
            "entityId": request["contextId"],
            "errors": [{
                "fields": error.fields,
                "message": error.message,
                "statusCode": error.code,
            }],
            "instanceId": null,
            "instanceStatus": null,
            "newWorkitemIds": null,
            "success": false,
        }),
    }
}
