//! Over standard input and output: batches, which one revision of the protocol has, and what is sent as one where it is none.

use serde_json::{Value, json};

use crate::by_http::client::{STATELESS, WITH_SESSIONS};
use crate::misread::Served;

/// The revision that has them.
pub(crate) const WITH_BATCHES: &str = "2025-03-26";

/// Ids, as they are written, and the code of an error or none.
type Outcomes = Vec<(&'static str, Option<i64>)>;

pub(crate) fn request(id: impl Into<Value>, method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": params})
}

pub(crate) fn ping(id: impl Into<Value>) -> Value {
    request(id, "ping", json!({}))
}

pub(crate) fn told() -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/roots/list_changed"})
}

/// What each answer is to, and its code where it is an error; sorted, for they stand in no order.
pub(crate) fn outcomes(answers: &[Value]) -> Vec<(String, Value)> {
    let mut all: Vec<(String, Value)> = answers
        .iter()
        .map(|answer| {
            assert_eq!(answer["jsonrpc"], "2.0", "{answer}");
            let id = answer.as_object().unwrap().get("id");
            (id.unwrap().to_string(), answer["error"]["code"].clone())
        })
        .collect();
    all.sort_by_key(|(id, code)| (id.clone(), code.to_string()));
    all
}

/// Batches, and what comes of each of their messages.
pub(crate) fn mixed() -> Vec<(Value, Outcomes)> {
    let no = Some(-32600);
    let initialize =
        |id: Value| request(id, "initialize", json!({"protocolVersion": WITH_BATCHES}));
    vec![
        (json!([ping(7)]), vec![("7", None)]),
        (
            json!([
                ping(7),
                told(),
                request("a", "tools/list", json!({})),
                ping("7")
            ]),
            vec![("\"7\"", None), ("\"a\"", None), ("7", None)],
        ),
        // Each is refused for what it is.
        (
            json!([
                request(1, "tools/call", json!({})),
                request(2, "tools/list", json!({"cursor": 7})),
                request(3, "tools/call", json!([])),
                request(4, "tools/destroy", json!({})),
                ping(5),
            ]),
            vec![
                ("1", Some(-32602)),
                ("2", Some(-32602)),
                ("3", Some(-32602)),
                ("4", Some(-32601)),
                ("5", None),
            ],
        ),
        // What is no message, what a batch may not have, and an id that is there twice.
        (
            json!([1, ping(1), {}, [ping(2)], {"jsonrpc": "2.0", "id": 3}, [], null]),
            vec![
                ("1", None),
                ("3", no),
                ("null", no),
                ("null", no),
                ("null", no),
                ("null", no),
                ("null", no),
            ],
        ),
        (
            json!([initialize(json!(1)), ping(2), initialize(json!("i"))]),
            vec![("\"i\"", no), ("1", no), ("2", None)],
        ),
        (
            json!([
                ping(1),
                ping(1),
                request(1, "tools/list", json!({})),
                ping(2)
            ]),
            vec![("1", None), ("2", None), ("null", no), ("null", no)],
        ),
    ]
}

/// Of these nobody waits for an answer.
pub(crate) fn silent() -> [Value; 3] {
    let answer = json!({"jsonrpc": "2.0", "id": 99, "result": {}});
    let misread = json!({"jsonrpc": "2.0", "method": "notifications/other", "params": 7});
    [
        json!([told()]),
        json!([told(), answer, told()]),
        json!([misread, told()]),
    ]
}

/// What is refused as a whole, and by which code.
pub(crate) fn whole() -> Vec<(String, i64)> {
    let empty = |count: usize| format!("[{}]", vec!["{}"; count].join(","));
    vec![
        ("[]".to_owned(), -32600),
        (" [ ] ".to_owned(), -32600),
        (empty(129), -32600),
        (empty(100_000), -32600),
        ("[".repeat(200_000), -32700),
        (format!("[{}", ping(1)), -32700),
        (format!("[{},]", ping(1)), -32700),
    ]
}

pub(crate) fn expected(outcomes: &[(&str, Option<i64>)]) -> Vec<(String, Value)> {
    let each = outcomes.iter();
    each.map(|(id, code)| ((*id).to_owned(), json!(code)))
        .collect()
}

#[test]
fn the_messages_of_a_batch_are_answered_in_one_line() {
    let mut served = Served::begun(WITH_BATCHES);
    for (batch, outcome) in mixed() {
        served.sends(&batch.to_string());
        let answers = served.told();
        let answers = answers.as_array().unwrap_or_else(|| panic!("{answers}"));
        assert_eq!(outcomes(answers), expected(&outcome), "{batch}");
    }
    for batch in silent() {
        served.sends(&batch.to_string());
        served.sends(&ping(7).to_string());
        assert_eq!(served.told()["id"], 7, "{batch}");
    }
    for (batch, code) in whole() {
        served.sends(&batch);
        let refused = served.told();
        assert_eq!(refused["error"]["code"], code, "{batch:.60}: {refused}");
        assert_eq!(
            refused.get("id"),
            Some(&Value::Null),
            "{batch:.60}: {refused}"
        );
    }
    // As many as there may be, and marked by its order of bytes.
    let all: Vec<Value> = (0..128).map(ping).collect();
    served.sends(&format!("\u{feff} {}\r", json!(all)));
    assert_eq!(served.told().as_array().unwrap().len(), 128);
    served.goes_on();
}

#[test]
fn other_revisions_have_no_batches() {
    let others = WITH_SESSIONS.into_iter().chain([STATELESS]);
    for version in others.filter(|version| *version != WITH_BATCHES) {
        let mut served = Served::begun(version);
        for batch in [json!([ping(1)]), json!([told()]), json!([])] {
            served.sends(&batch.to_string());
            let refused = served.told();
            assert_eq!(refused["error"]["code"], -32600, "{version}: {refused}");
            assert_eq!(
                refused.get("id"),
                Some(&Value::Null),
                "{version}: {refused}"
            );
            let words = refused["error"]["message"].as_str().unwrap();
            assert!(words.contains(WITH_BATCHES), "{version}: {words}");
        }
        served.goes_on();
    }
}

/// The attack: batches without end, most of which is no message.
#[test]
fn a_flood_of_batches() {
    const AGAIN: usize = 2_000;
    let mut served = Served::begun(WITH_BATCHES);
    let line = format!("{}\n", json!([1, ping(1), {}]));
    let flood = served.floods(line.into_bytes(), AGAIN);
    for _ in 0..AGAIN {
        let answers = served.told();
        let answers = answers.as_array().unwrap_or_else(|| panic!("{answers}"));
        // Its id is another's while the one before is under way.
        assert_eq!(answers.len(), 3, "{answers:?}");
    }
    served.ends_flood(flood);
    served.goes_on();
}
