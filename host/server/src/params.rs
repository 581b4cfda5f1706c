//! What is wrong with a request's `params`, where its method is known and they are not what it takes.
//!
//! The library gives such a request the look of one whose method nobody knows. A client that is told so looks for the mistake in the
//! wrong place; so what of its kind comes is read once more here, by the method's own form, and the answer says what is wrong where.

#[allow(
    deprecated,
    reason = "clients of older revisions say of how little they want to be told"
)]
use rmcp::model::SetLevelRequestParams;
use rmcp::model::{
    CallToolRequestParams, CompleteRequestParams, CustomRequest, DiscoverRequestParams, ErrorCode,
    ErrorData, GetPromptRequestParams, InitializeRequestParams, PaginatedRequestParams,
    ProtocolVersion, ReadResourceRequestParams, RequestMetaObject,
    SubscriptionsListenRequestParams,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The method by which a client of the newest revisions is told of changes.
pub(crate) const LISTEN: &str = "subscriptions/listen";

/// The method by which a client of the older revisions says of how little it wants to be told.
pub(crate) const SET_LEVEL: &str = "logging/setLevel";

/// Characters that are said of what a client sent.
const CHARS_MAX: usize = 200;

/// In which revisions of the protocol a method is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum In {
    All,
    /// Those that have sessions.
    Older,
    /// 2026-07-28 and newer.
    Newer,
}

/// Reads parameters, and says what is wrong with them.
type Reads = fn(&Value) -> Result<(), String>;

/// The methods of this server.
#[allow(
    deprecated,
    reason = "clients of older revisions say of how little they want to be told"
)]
const METHODS: [(&str, In, Reads); 13] = [
    ("initialize", In::Older, reads::<InitializeRequestParams>),
    ("ping", In::Older, reads::<Nothing>),
    ("server/discover", In::All, reads::<DiscoverRequestParams>),
    ("tools/list", In::All, reads::<PaginatedRequestParams>),
    ("tools/call", In::All, reads::<CallToolRequestParams>),
    ("resources/list", In::All, reads::<PaginatedRequestParams>),
    (
        "resources/templates/list",
        In::All,
        reads::<PaginatedRequestParams>,
    ),
    (
        "resources/read",
        In::All,
        reads::<ReadResourceRequestParams>,
    ),
    ("prompts/list", In::All, reads::<PaginatedRequestParams>),
    ("prompts/get", In::All, reads::<GetPromptRequestParams>),
    (
        "completion/complete",
        In::All,
        reads::<CompleteRequestParams>,
    ),
    (SET_LEVEL, In::Older, reads::<SetLevelRequestParams>),
    (LISTEN, In::Newer, reads::<SubscriptionsListenRequestParams>),
];

/// The parameters of a method that has none.
#[derive(Deserialize)]
struct Nothing {
    #[serde(rename = "_meta")]
    _meta: Option<RequestMetaObject>,
}

/// Gives a method as it is known here, in a revision of the protocol: an older one where that is not known.
pub(crate) fn known(method: &str, version: Option<&ProtocolVersion>) -> Option<&'static str> {
    let is_newer = version.is_some_and(|version| *version >= ProtocolVersion::V_2026_07_28);
    let found = METHODS.iter().find(|(name, ..)| *name == method);
    let (name, within, _) = found?;
    let is_there = match within {
        In::All => true,
        In::Older => !is_newer,
        In::Newer => is_newer,
    };
    is_there.then_some(*name)
}

/// Says what is wrong with a request that the library could not read: its method, if that is unknown, or else its parameters.
pub(crate) fn wrong(known: Option<&str>, request: &CustomRequest) -> ErrorData {
    let Some(method) = known else {
        return unknown(&request.method);
    };
    let message = match of_method(method, request.params.as_ref()) {
        Err(message) => message,
        Ok(()) => format!("`params` of `{method}` are not what it takes"),
    };
    ErrorData::invalid_params(message, None)
}

/// Says that there is no such method.
pub(crate) fn unknown(method: &str) -> ErrorData {
    let message = format!("there is no method `{}`", bounded(method));
    ErrorData::new(ErrorCode::METHOD_NOT_FOUND, message, None)
}

fn of_method(method: &str, params: Option<&Value>) -> Result<(), String> {
    let nothing = Value::Object(Map::new());
    let params = match params {
        None | Some(Value::Null) => &nothing,
        Some(params) => params,
    };
    if !params.is_object() {
        let kind = kind(params);
        return Err(format!(
            "`params` of `{method}` must be an object, not {kind}"
        ));
    }
    let found = METHODS.iter().find(|(name, ..)| *name == method);
    let (_, _, reads) = found.ok_or_else(String::new)?;
    reads(params).map_err(|what| format!("{what} in `{method}`"))
}

/// Reads parameters of a form. What is wrong is said with its path.
fn reads<P: DeserializeOwned>(params: &Value) -> Result<(), String> {
    let read: Result<P, _> = serde_path_to_error::deserialize(params);
    let Err(wrong) = read else { return Ok(()) };
    let path = match wrong.path().to_string().as_str() {
        "." => "params".to_owned(),
        path => format!("params.{path}"),
    };
    // Serde repeats what it was given.
    let (path, what) = (bounded(&path), bounded(&wrong.inner().to_string()));
    Err(format!("`{path}`: {what}"))
}

fn bounded(text: &str) -> String {
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Names a kind of JSON.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
mod tests {
    use rmcp::model::{ClientJsonRpcMessage, ClientRequest};
    use serde_json::json;

    use super::*;
    use crate::unread::{self, Read};

    /// Reads a request as a server does; none where it is read as one that it knows.
    fn misread(method: &str, params: &Value) -> Option<CustomRequest> {
        let text = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        match unread::read(text.to_string().as_bytes()) {
            Read::Message(ClientJsonRpcMessage::Request(request)) => match request.request {
                ClientRequest::CustomRequest(request) => Some(request),
                _ => None,
            },
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_where() {
        let long = "x".repeat(10_000);
        for (method, params, words) in [
            (
                "tools/call",
                json!({}),
                "`params`: missing field `name` in `tools/call`",
            ),
            (
                "tools/call",
                json!({"name": 7}),
                "`params.name`: invalid type: integer `7`",
            ),
            (
                "tools/call",
                json!({"name": "query", "arguments": "x"}),
                "`params.arguments`: invalid type: string",
            ),
            (
                "tools/call",
                json!({"name": "query", "arguments": []}),
                "`params.arguments`: invalid type: sequence",
            ),
            (
                "tools/call",
                json!([]),
                "`params` of `tools/call` must be an object, not an array",
            ),
            ("tools/call", json!("x"), "not a string"),
            (
                "tools/call",
                json!({"name": "query", "_meta": 7}),
                "`params._meta`",
            ),
            (
                "tools/list",
                json!({"cursor": 7}),
                "`params.cursor`: invalid type: integer `7`",
            ),
            (
                "resources/read",
                json!({}),
                "missing field `uri` in `resources/read`",
            ),
            ("resources/list", json!({"cursor": {}}), "`params.cursor`"),
            (
                "resources/templates/list",
                json!({"cursor": []}),
                "`params.cursor`",
            ),
            ("prompts/list", json!({"cursor": true}), "`params.cursor`"),
            (
                "prompts/get",
                json!({"arguments": {}}),
                "missing field `name`",
            ),
            (
                "prompts/get",
                json!({"name": "x", "arguments": 1}),
                "`params.arguments`",
            ),
            (
                "completion/complete",
                json!({"ref": {"type": "ref/prompt", "name": "x"}}),
                "missing field `argument`",
            ),
            (
                "completion/complete",
                json!({"ref": {"type": "other"}, "argument": {"name": "x", "value": "y"}}),
                "`params.ref",
            ),
            (
                "logging/setLevel",
                json!({"level": "loud"}),
                "`params.level`: unknown variant `loud`",
            ),
            ("ping", json!([]), "`params` of `ping` must be an object"),
            (
                "initialize",
                json!({"capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}),
                "missing field `protocolVersion`",
            ),
            (
                "initialize",
                json!({"protocolVersion": "2025-06-18", "capabilities": {}}),
                "missing field `clientInfo`",
            ),
            (
                "tools/call",
                json!({"name": "query", "arguments": long}),
                "…",
            ),
        ] {
            let request = misread(method, &params).unwrap_or_else(|| panic!("{method} {params}"));
            let error = wrong(known(method, None), &request);
            assert_eq!(error.code.0, -32602, "{method}: {error}");
            assert!(
                error.message.contains(words),
                "{method} {params:.80}: {error}"
            );
            assert!(error.message.len() < 1_000, "{error}");
        }
    }

    #[test]
    fn a_method_is_known_in_the_revisions_that_have_it() {
        let newest = Some(&ProtocolVersion::V_2026_07_28);
        for (method, older, newer) in [
            ("tools/call", true, true),
            ("ping", true, false),
            ("initialize", true, false),
            (SET_LEVEL, true, false),
            (LISTEN, false, true),
            ("resources/subscribe", false, false),
            ("tasks/get", false, false),
            ("tools/Call", false, false),
            ("", false, false),
        ] {
            let old = [None, Some(&ProtocolVersion::V_2024_11_05)];
            for version in old {
                assert_eq!(known(method, version).is_some(), older, "{method}");
            }
            assert_eq!(known(method, newest).is_some(), newer, "{method}");
        }
        let unknown = CustomRequest::new("x".repeat(10_000), None);
        let error = wrong(None, &unknown);
        assert_eq!(error.code.0, -32601);
        assert!(error.message.len() < 300, "{error}");
    }
}
