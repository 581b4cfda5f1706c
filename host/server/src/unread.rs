//! A text that the library reads as no message of the protocol: what it is, and what is answered to it.
//!
//! The attack: somebody who sends what is no JSON, or no message, over and over. It costs one answer each time. That has the id of what asks by one,
//! however wrong the rest of it is, for its sender waits for that; of anything else, what answers among it, it has null, as JSON-RPC has it:
//! it is not to be taken for the answer of another request.

use std::borrow::Cow;

use rmcp::model::{
    ClientJsonRpcMessage, ClientRequest, CustomRequest, ErrorData, JsonRpcMessage, JsonRpcRequest,
    RequestId,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::params::kind;

/// What a text is.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "it is taken apart at once")]
pub(crate) enum Read {
    /// A message; a request whose parameters do not fit its method among them.
    Message(ClientJsonRpcMessage),
    /// Something that nobody waits for an answer to.
    Told,
    /// No message, for this reason, and by which id it is told where it asks by one.
    No(Option<RequestId>, ErrorData),
}

/// Reads a text.
pub(crate) fn read(text: &[u8]) -> Read {
    let text = unmarked(text);
    match serde_json::from_slice(text) {
        Ok(message) => page(text, &message).unwrap_or(Read::Message(message)),
        Err(_) => again(text),
    }
}

/// Gives a text without the mark of its order of bytes, by which some begin and which a reader of JSON may pass over.
pub(crate) fn unmarked(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text)
}

/// Says of a text that it is no JSON.
pub(crate) fn no_json(error: &serde_json::Error) -> ErrorData {
    ErrorData::parse_error(format!("the message is no JSON: {error}"), None)
}

/// Says whether a message begins a session.
pub(crate) fn is_initialize(text: &[u8]) -> bool {
    method(text).is_some_and(|method| method == "initialize")
}

/// Reads the method of a message, and no more of it.
pub(crate) fn method(text: &[u8]) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Head<'a> {
        #[serde(borrow)]
        method: Option<Cow<'a, str>>,
    }
    serde_json::from_slice::<Head<'_>>(text).ok()?.method
}

/// Says whether a text asks for a page of a list by what is no cursor.
pub(crate) fn is_no_page(text: &[u8]) -> bool {
    let is_list = method(text).is_some_and(|method| method.ends_with("/list"));
    let read = |text| serde_json::from_slice(text).ok();
    is_list && read(text).is_some_and(|message| page(text, &message).is_some())
}

/// Reads a request for a page of a list once more, if it has parameters and the library read none: it takes such a one for one of the
/// first page, and a client that goes on until it has all would go on forever.
fn page(text: &[u8], message: &ClientJsonRpcMessage) -> Option<Read> {
    let JsonRpcMessage::Request(request) = message else {
        return None;
    };
    let params = match &request.request {
        ClientRequest::ListToolsRequest(list) => &list.params,
        ClientRequest::ListResourcesRequest(list) => &list.params,
        ClientRequest::ListResourceTemplatesRequest(list) => &list.params,
        ClientRequest::ListPromptsRequest(list) => &list.params,
        _ => return None,
    };
    if params.is_some() {
        return None;
    }
    let read = again(text);
    let Read::Message(JsonRpcMessage::Request(request)) = &read else {
        return None;
    };
    let ClientRequest::CustomRequest(list) = &request.request else {
        return None;
    };
    let has_some = list.params.as_ref().is_some_and(|sent| !sent.is_null());
    has_some.then_some(read)
}

/// Writes an error as the answer to a request, or to what is none.
pub(crate) fn answer(id: Option<&RequestId>, error: &ErrorData) -> Vec<u8> {
    #[derive(Serialize)]
    struct Answer<'a> {
        jsonrpc: &'static str,
        /// Null for none, as JSON-RPC has it; the library leaves it out.
        id: Option<&'a RequestId>,
        error: &'a ErrorData,
    }
    let jsonrpc = "2.0";
    // Texts and numbers can be written.
    serde_json::to_vec(&Answer { jsonrpc, id, error }).unwrap_or_default()
}

/// Finds out what it is that is no message to the library.
fn again(text: &[u8]) -> Read {
    let value: Value = match serde_json::from_slice(text) {
        Ok(value) => value,
        Err(error) => return Read::No(None, no_json(&error)),
    };
    let no = |message: String| Read::No(None, ErrorData::invalid_request(message, None));
    match value {
        Value::Object(message) => {
            let id = asks_by(&message);
            of_object(message)
                .unwrap_or_else(|wrong| Read::No(id, ErrorData::invalid_request(wrong, None)))
        }
        Value::Array(_) => no(
            "a batch of messages is taken in a session of revision 2025-03-26 alone: send each by itself"
                .to_owned(),
        ),
        other => no(format!("a message is an object, not {}", kind(&other))),
    }
}

/// Says whether a message has what an answer has.
fn answers(message: &Map<String, Value>) -> bool {
    message.contains_key("result") || message.contains_key("error")
}

/// Gives the id by which a message asks; that of an answer is of another's request.
fn asks_by(message: &Map<String, Value>) -> Option<RequestId> {
    let id = message.get("id").filter(|_| !answers(message))?;
    RequestId::deserialize(id).ok()
}

fn of_object(mut message: Map<String, Value>) -> Result<Read, &'static str> {
    if message.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err("`jsonrpc` of a message must be \"2.0\"");
    }
    let answers = answers(&message);
    let method = match message.remove("method") {
        Some(_) if answers => return Err("a message asks or answers, and not both"),
        Some(Value::String(method)) => method,
        Some(_) => return Err("`method` of a message must be a string"),
        None if answers => {
            return Err("an answer has an `id` of a request, and a `result` or an `error`");
        }
        None => return Err("a message has a `method`, a `result` or an `error`"),
    };
    let Some(id) = message.remove("id") else {
        return Ok(Read::Told);
    };
    let Ok(id) = serde_json::from_value::<RequestId>(id) else {
        return Err("`id` of a request must be a string or a whole number");
    };
    let request = CustomRequest::new(method, message.remove("params"));
    let request = ClientRequest::CustomRequest(request);
    Ok(Read::Message(JsonRpcMessage::Request(JsonRpcRequest::new(
        id, request,
    ))))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_json_or_no_message_is_told_from_what_is() {
        let deep = "[".repeat(200_000);
        for (text, code) in [
            ("{", -32700),
            ("x", -32700),
            ("{\"jsonrpc\"", -32700),
            ("\u{0}", -32700),
            (&deep, -32700),
            ("null", -32600),
            ("7", -32600),
            ("[]", -32600),
            (r#"[{"jsonrpc": "2.0", "id": 1, "method": "ping"}]"#, -32600),
            ("{}", -32600),
            (r#"{"jsonrpc": "2.0"}"#, -32600),
            (r#"{"jsonrpc": "2.0", "id": {}, "method": "ping"}"#, -32600),
            (
                r#"{"jsonrpc": "2.0", "id": null, "method": "ping"}"#,
                -32600,
            ),
            (r#"{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}"#, -32600),
            (
                r#"{"jsonrpc": "2.0", "id": 1, "method": "ping", "result": {}}"#,
                -32600,
            ),
            (r#"{"jsonrpc": "2.0", "result": {}}"#, -32600),
        ] {
            let Read::No(id, error) = read(text.as_bytes()) else {
                panic!("{text:.80} is a message")
            };
            assert_eq!(id, None, "{text:.80}");
            assert_eq!(error.code.0, code, "{text:.80}: {error}");
            let answer: Value = serde_json::from_slice(&answer(None, &error)).unwrap();
            assert_eq!(answer["id"], Value::Null);
            assert!(answer.as_object().unwrap().contains_key("id"), "{answer}");
            assert_eq!(answer["jsonrpc"], "2.0");
            // What echoes it gets nothing more.
            let text = answer.to_string();
            assert!(matches!(read(text.as_bytes()), Read::Message(_)), "{text}");
        }
        let latin = b"{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"\xE4\"}";
        assert!(matches!(read(latin), Read::No(None, error) if error.code.0 == -32700));
    }

    /// Who asks by an id waits for an answer by it. The attack: an answer that has a request's id is answered as if it had asked.
    #[test]
    fn what_asks_by_an_id_is_told_by_it() {
        for (text, id) in [
            (r#"{"jsonrpc": "2.0", "id": 7}"#, RequestId::Number(7)),
            (
                r#"{"jsonrpc": "2.0", "id": 7, "method": 7}"#,
                RequestId::Number(7),
            ),
            (
                r#"{"jsonrpc": "2.0", "id": "a", "params": {}}"#,
                RequestId::String("a".into()),
            ),
            (
                r#"{"jsonrpc": "1.0", "id": 1, "method": "ping"}"#,
                RequestId::Number(1),
            ),
            (r#"{"id": 1, "method": "ping"}"#, RequestId::Number(1)),
        ] {
            let Read::No(told, error) = read(text.as_bytes()) else {
                panic!("{text} is a message")
            };
            assert_eq!((told.as_ref(), error.code.0), (Some(&id), -32600), "{text}");
            let answer: Value = serde_json::from_slice(&answer(told.as_ref(), &error)).unwrap();
            assert_eq!(answer["id"], serde_json::to_value(&id).unwrap(), "{text}");
        }
        for text in [
            r#"{"jsonrpc": "2.0", "id": 7, "result": 7}"#,
            r#"{"jsonrpc": "2.0", "id": 7, "error": "x"}"#,
            r#"{"jsonrpc": "2.0", "id": 7, "method": "ping", "result": {}}"#,
            r#"[{"jsonrpc": "2.0", "id": 7}]"#,
        ] {
            assert!(
                !matches!(read(text.as_bytes()), Read::No(Some(_), _)),
                "{text}"
            );
        }
    }

    #[test]
    fn a_request_whose_parameters_do_not_fit_is_one_all_the_same() {
        for params in [
            json!([]),
            json!("x"),
            json!(7),
            json!({"_meta": 7}),
            json!({}),
        ] {
            let text =
                json!({"jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": params});
            let Read::Message(JsonRpcMessage::Request(request)) = read(text.to_string().as_bytes())
            else {
                panic!("{text} is no request")
            };
            assert_eq!(request.id, RequestId::String("a".into()));
            let ClientRequest::CustomRequest(request) = request.request else {
                panic!("{text} is read as one that fits")
            };
            assert_eq!(request.method, "tools/call");
        }
    }

    /// The attack: what is no cursor is written so that it does not look like one.
    #[test]
    fn a_page_that_is_named_by_no_string_is_not_the_first() {
        for (params, is_one) in [
            (r#"{"cursor": 7}"#, false),
            (r#"{"cursor": {"cursor": "x"}}"#, false),
            (r#"{"\u0063ursor": 7}"#, false),
            (r#"{"curso\u0072": []}"#, false),
            // Whoever reads the last of them would take it for a page.
            (r#"{"cursor": 7, "cursor": "x"}"#, false),
            (r#"{"cursor": "x", "\u0063ursor": "y"}"#, false),
            (r#"{"cursor": "x"}"#, true),
            (r#"{"\u0063ursor": "x"}"#, true),
            (r#"{"cursor": null}"#, true),
            (r#"{"_meta": {"cursor": 7}}"#, true),
            (r#"{"_meta": {"\u0063ursor": 7}, "other": "cursor"}"#, true),
            ("{}", true),
            ("null", true),
        ] {
            for method in [
                "tools/list",
                r"tools\/\u006cist",
                "resources/list",
                "resources/templates/list",
                "prompts/list",
            ] {
                let text = format!(
                    r#"{{"jsonrpc": "2.0", "id": 1, "method": "{method}", "params": {params}}}"#
                );
                let Read::Message(JsonRpcMessage::Request(request)) = read(text.as_bytes()) else {
                    panic!("{text} is no request")
                };
                let misread = matches!(request.request, ClientRequest::CustomRequest(_));
                assert_eq!(!misread, is_one, "{text}");
                assert_eq!(!is_no_page(text.as_bytes()), is_one, "{text}");
            }
        }
        let without = br#"{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}"#;
        let Read::Message(JsonRpcMessage::Request(request)) = read(without) else {
            panic!("it is no request")
        };
        assert!(matches!(
            request.request,
            ClientRequest::ListToolsRequest(_)
        ));
        assert!(!is_no_page(without));
    }

    #[test]
    fn to_what_nobody_waits_for_nothing_is_answered() {
        for text in [
            r#"{"jsonrpc": "2.0", "method": "notifications/other", "params": []}"#,
            r#"{"jsonrpc": "2.0", "method": "$/setTrace", "params": "x"}"#,
        ] {
            assert!(!matches!(read(text.as_bytes()), Read::No(..)), "{text}");
        }
        let marked = "\u{feff}{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"ping\"}";
        assert!(matches!(read(marked.as_bytes()), Read::Message(_)));
    }

    #[test]
    fn what_begins_a_session_is_told_by_its_method_alone() {
        assert!(is_initialize(
            br#"{"params": {"method": "x"}, "method": "initialize"}"#
        ));
        assert!(is_initialize(br#"{"method": "\u0069nitialize"}"#));
        for other in [
            &br#"{"method": "tools/call", "params": {"method": "initialize"}}"#[..],
            b"[]",
            b"",
            b"{",
        ] {
            assert!(!is_initialize(other));
        }
    }
}
