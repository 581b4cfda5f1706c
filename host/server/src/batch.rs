//! Batches: messages that come in one array, which revision 2025-03-26 has and no other (JSON-RPC 2.0, section 6).
//!
//! The attack: one line that is a million messages, or one in another without end, or two of one id whose answers stand side by side. So
//! a batch has so many messages at most and no batch, and of two requests by one id the second is refused; beyond that each message
//! goes the way of one that came by itself. The answers are held until the last of them is there, and written as one array.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::model::{ClientRequest, ErrorData, GetMeta, JsonRpcMessage, RequestId};
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::once::Held;
use crate::unread::{self, Read};

/// Messages of a batch: as many as a host runs calls at once, if nothing else is said. What is beyond that would wait anyway.
pub(crate) const MESSAGES_MAX: usize = 128;

/// Bytes of answers that a session's batches hold. A client that asks for much, and for one thing that takes long, would have all of it
/// kept; what goes beyond is refused.
pub(crate) const HELD_BYTES_MAX: usize = 32 << 20;

/// A message of a batch, or what stands in place of one.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) text: &'a str,
    pub(crate) read: Read,
}

/// Says whether a text begins as a batch does.
pub(crate) fn is_one(text: &[u8]) -> bool {
    unread::unmarked(text).trim_ascii_start().first() == Some(&b'[')
}

/// Reads the messages of a batch.
///
/// # Errors
///
/// What is wrong with it as a whole: then none of it counts.
pub(crate) fn split(text: &[u8]) -> Result<Vec<Entry<'_>>, ErrorData> {
    let texts: Texts<'_> =
        serde_json::from_slice(unread::unmarked(text)).map_err(|error| unread::no_json(&error))?;
    let refused = match texts {
        Texts { are_more: true, .. } => format!("a batch has at most {MESSAGES_MAX} messages"),
        Texts { first, .. } if first.is_empty() => "a batch has at least one message".to_owned(),
        Texts { first, .. } => {
            let mut ids = HashSet::new();
            return Ok(first
                .into_iter()
                .map(|text| entry(text.get(), &mut ids))
                .collect());
        }
    };
    Err(ErrorData::invalid_request(refused, None))
}

fn entry<'a>(text: &'a str, ids: &mut HashSet<RequestId>) -> Entry<'a> {
    let no = |id, refused: &'static str| Read::No(id, ErrorData::invalid_request(refused, None));
    let bytes = text.as_bytes();
    if is_one(bytes) {
        let read = no(None, "a batch is of messages, and not of batches");
        return Entry { text, read };
    }
    let read = unread::read(bytes);
    let id = match &read {
        Read::Message(JsonRpcMessage::Request(request)) => Some(request.id.clone()),
        Read::No(id, _) => id.clone(),
        Read::Message(_) | Read::Told => None,
    };
    let read = match (id, read) {
        (Some(id), _) if !ids.insert(id.clone()) => no(
            None,
            "another request of this batch has the same id: each request has an id of its own",
        ),
        (id, Read::Message(JsonRpcMessage::Request(asked))) => match not_here(&asked.request) {
            Some(refused) => no(id, refused),
            None => Read::Message(JsonRpcMessage::Request(asked)),
        },
        (_, read) => read,
    };
    Entry { text, read }
}

/// Says why a request is no part of a batch, if it is none.
fn not_here(request: &ClientRequest) -> Option<&'static str> {
    if request.method() == "initialize" {
        return Some("`initialize` is no part of a batch: send it by itself");
    }
    // As those without a session do: it would be served without this one.
    let names_revision = request.get_meta().protocol_version().is_some();
    names_revision.then_some("a message that names its own revision is no part of a batch")
}

/// The texts of an array's members.
struct Texts<'a> {
    first: Vec<&'a RawValue>,
    /// Whether there are more than are kept.
    are_more: bool,
}

impl<'de> Deserialize<'de> for Texts<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Texts<'de>;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("an array of messages")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
                let mut first = Vec::new();
                while first.len() < MESSAGES_MAX {
                    match from.next_element()? {
                        Some(text) => first.push(text),
                        None => break,
                    }
                }
                let mut are_more = false;
                while from.next_element::<IgnoredAny>()?.is_some() {
                    are_more = true;
                }
                Ok(Texts { first, are_more })
            }
        }
        from.deserialize_seq(Members)
    }
}

/// The bytes that all batches of a session hold. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Room(Arc<AtomicUsize>);

/// What a batch has of it.
#[derive(Debug, Default)]
pub(crate) struct Space {
    room: Room,
    bytes: usize,
}

impl Space {
    /// Takes more, if there is more.
    fn grow(&mut self, bytes: usize) -> bool {
        let more = |held: usize| {
            let held = held.checked_add(bytes)?;
            (held <= HELD_BYTES_MAX).then_some(held)
        };
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        let is_there = self.room.0.fetch_update(set, fetch, more).is_ok();
        if is_there {
            self.bytes += bytes;
        }
        is_there
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        self.room.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The answers of a batch until all are there. Whatever still has something to answer has a clone.
#[derive(Clone, Debug)]
pub(crate) struct Answers(Arc<Mutex<Told>>);

/// The answers of a batch, as they are sent.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) text: Vec<u8>,
    /// Of the requests, which are taken until that has gone out.
    pub(crate) ids: Vec<Held>,
    /// What is held of it until then.
    pub(crate) space: Space,
}

impl Told {
    fn push(&mut self, text: &[u8]) {
        let before = if self.text.is_empty() { b'[' } else { b',' };
        self.text.push(before);
        self.text.extend_from_slice(text);
    }
}

impl Answers {
    pub(crate) fn new(room: &Room) -> Self {
        let (room, bytes) = (room.clone(), 0);
        Self(Arc::new(Mutex::new(Told {
            space: Space { room, bytes },
            ..Told::default()
        })))
    }

    /// Adds what is said of something that is no request.
    pub(crate) fn add(&self, text: &[u8]) {
        self.lock().push(text);
    }

    /// Adds a request's answer, with the id that it frees. One for which there is no room says so in its place.
    pub(crate) fn add_answer(&self, id: &RequestId, answer: &[u8], held: Held) {
        held.waits();
        let mut told = self.lock();
        match told.space.grow(answer.len()) {
            true => told.push(answer),
            false => {
                let message =
                    "the answers of these batches are too long together: ask for this by itself";
                let error = ErrorData::internal_error(message, None);
                told.push(&unread::answer(Some(id), &error));
            }
        }
        told.ids.push(held);
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has nothing more to answer; gives all, if nobody else has and there is any.
    pub(crate) fn last(self) -> Option<Told> {
        let told = Arc::into_inner(self.0)?.into_inner();
        let mut told = told.unwrap_or_else(PoisonError::into_inner);
        if told.text.is_empty() {
            return None;
        }
        told.text.push(b']');
        told.ids.iter().for_each(Held::answers);
        Some(told)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::once::Taken;

    const PING: &str = r#"{"jsonrpc": "2.0", "id": 1, "method": "ping"}"#;

    /// Gives the id and the code of each entry that is refused, and none for one that counts.
    fn refused(text: &str) -> Vec<Option<(Value, i32)>> {
        let entries = split(text.as_bytes()).unwrap().into_iter();
        let read = entries.map(|entry| match entry.read {
            Read::No(id, error) => Some((json!(id), error.code.0)),
            Read::Message(_) | Read::Told => None,
        });
        read.collect()
    }

    #[test]
    fn each_entry_is_a_message_or_is_refused_by_itself() {
        let no = |id| Some((id, -32600));
        for (entry, expected) in [
            (PING, None),
            (r#"{"jsonrpc": "2.0", "method": "notifications/x"}"#, None),
            (r#"{"jsonrpc": "2.0", "method": "x", "params": 7}"#, None),
            (r#"{"jsonrpc": "2.0", "id": 9, "result": {}}"#, None),
            // One whose parameters do not fit is told so where others are.
            (
                r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/call"}"#,
                None,
            ),
            ("1", no(Value::Null)),
            ("null", no(Value::Null)),
            ("{}", no(Value::Null)),
            ("[]", no(Value::Null)),
            (r#"{"jsonrpc": "2.0", "id": 7}"#, no(json!(7))),
            (
                r#"{"jsonrpc": "2.0", "id": {}, "method": "ping"}"#,
                no(Value::Null),
            ),
            (
                r#"{"jsonrpc": "2.0", "id": "a", "method": "initialize"}"#,
                no(json!("a")),
            ),
            (
                r#"{"jsonrpc": "2.0", "id": "a", "method": "ping", "params": {"_meta": {"io.modelcontextprotocol/protocolVersion": "2025-03-26"}}}"#,
                no(json!("a")),
            ),
            (
                r#"{"jsonrpc": "2.0", "id": "a", "method": "\u0069nitialize"}"#,
                no(json!("a")),
            ),
        ] {
            let other = r#"{"jsonrpc": "2.0", "id": 2, "method": "ping"}"#;
            for marked in ["", " ", "\u{feff}", "\u{feff}\n"] {
                let text = format!("{marked}[{entry} ,{other}]");
                assert!(is_one(text.as_bytes()), "{text}");
                assert_eq!(refused(&text), [expected.clone(), None], "{text}");
            }
        }
    }

    /// The attack: batches in one another, which are many messages to who counts the outer one.
    #[test]
    fn batches_within_a_batch() {
        let nested = format!("[[{PING}],[[{PING}]], {PING}]");
        let no = Some((Value::Null, -32600));
        assert_eq!(refused(&nested), [no.clone(), no, None]);
        let deep = [vec![b'['; 200_000], vec![b']'; 200_000]].concat();
        assert!(matches!(split(&deep).unwrap()[0].read, Read::No(None, _)));
        let open = vec![b'['; 200_000];
        assert_eq!(split(&open).unwrap_err().code.0, -32700);
    }

    /// The attack: two answers of one id side by side.
    #[test]
    fn ids_that_are_there_twice_within_a_batch() {
        let other = r#"{"jsonrpc": "2.0", "id": "1", "method": "ping"}"#;
        let asks_nothing = r#"{"jsonrpc": "2.0", "id": 1}"#;
        let initialize = r#"{"jsonrpc": "2.0", "id": 1, "method": "initialize"}"#;
        let told = r#"{"jsonrpc": "2.0", "id": 1, "result": {}}"#;
        let text = format!("[{PING}, {other}, {PING}, {asks_nothing}, {initialize}, {told}]");
        let no = Some((Value::Null, -32600));
        let expected = [None, None, no.clone(), no.clone(), no, None];
        assert_eq!(refused(&text), expected);
        let text = format!("[{asks_nothing}, {PING}]");
        let by_its_id = Some((json!(1), -32600));
        assert_eq!(refused(&text), [by_its_id, Some((Value::Null, -32600))]);
    }

    #[test]
    fn a_batch_of_none_or_too_many_is_refused_as_a_whole() {
        let of = |count: usize| format!("[{}]", vec!["{}"; count].join(","));
        assert_eq!(refused(&of(MESSAGES_MAX)).len(), MESSAGES_MAX);
        for text in [
            "[]".to_owned(),
            " [ ]".to_owned(),
            of(MESSAGES_MAX + 1),
            of(100_000),
        ] {
            let error = split(text.as_bytes()).unwrap_err();
            assert_eq!(error.code.0, -32600, "{text:.20}: {error}");
        }
        // What is no JSON is none, however many are before that.
        for text in ["[", "[1,]", "[1 2]", "[] []", "[\u{0}]", "[nul]"] {
            assert_eq!(split(text.as_bytes()).unwrap_err().code.0, -32700, "{text}");
        }
        let text = of(100_000).replace("}]", "}");
        assert_eq!(split(text.as_bytes()).unwrap_err().code.0, -32700);
        assert_eq!(split(b"[\"\xE4\"]").unwrap_err().code.0, -32700);
    }

    #[test]
    fn answers_are_given_once_by_the_last() {
        let room = Room::default();
        let answers = Answers::new(&room);
        let other = answers.clone();
        answers.add(b"1");
        assert!(answers.last().is_none());
        other.add(b"2");
        assert_eq!(other.last().unwrap().text, b"[1,2]");
        assert!(Answers::new(&room).last().is_none(), "nobody waits for it");
    }

    /// The attack: a client asks for much in many batches, and for something in each that takes long.
    #[tokio::test]
    async fn what_batches_hold_together_is_bounded() {
        let (room, taken) = (Room::default(), Taken::default());
        let half = json!("x".repeat(HELD_BYTES_MAX / 2 - 2))
            .to_string()
            .into_bytes();
        let [first, second] = [Answers::new(&room), Answers::new(&room)];
        let mut refused = Vec::new();
        for (number, answers) in [&first, &second, &second, &first].into_iter().enumerate() {
            let id = RequestId::Number(number.try_into().unwrap());
            let held = taken.hold(&id).await.unwrap();
            let before = answers.lock().text.len();
            answers.add_answer(&id, &half, held);
            if answers.lock().text.len() - before < half.len() {
                refused.push(number);
            }
        }
        assert_eq!(refused, [2, 3]);
        let told = first.last().unwrap();
        let refused: Value = serde_json::from_slice(&told.text).unwrap();
        assert_eq!(refused[1]["id"], 3);
        assert_eq!(refused[1]["error"]["code"], -32603);
        // What has gone out is held no more.
        drop(told);
        let id = RequestId::Number(0);
        let held = taken.hold(&id).await.unwrap();
        second.add_answer(&id, &half, held);
        assert!(second.last().unwrap().text.len() > 2 * half.len());
    }

    /// JSON of a few levels.
    fn json_text() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(".{0,4}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_split_is_what_stands_there(values in prop::collection::vec(json_text(), 1..8)) {
            let text = serde_json::to_string(&values).unwrap();
            let entries = split(text.as_bytes()).unwrap();
            let texts: Vec<&str> = entries.iter().map(|entry| entry.text).collect();
            prop_assert_eq!(format!("[{}]", texts.join(",")), text.clone());
            let read: Vec<Value> = texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
            prop_assert_eq!(read, values);
        }

        #[test]
        fn what_is_no_array_is_none(text in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..64),
            r#"[\[\]{},:"0-9a ]{0,24}"#.prop_map(String::into_bytes),
        ]) {
            let is_array = serde_json::from_slice::<Vec<Value>>(&text).is_ok_and(|all| !all.is_empty());
            prop_assert_eq!(split(&text).is_ok(), is_array);
            if is_array {
                prop_assert!(is_one(&text));
            }
        }
    }
}
