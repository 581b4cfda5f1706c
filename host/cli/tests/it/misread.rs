//! Over standard input and output: requests whose parameters do not fit, and lines that are no messages. Each is told what is wrong, and
//! the session goes on.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::thread::JoinHandle;

use serde_json::{Value, json};

use crate::by_http::client::{STATELESS, WITH_SESSIONS};
use crate::program::command;

/// Parameters that do not fit their method, and what is said of them.
pub(crate) fn wrong() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        (
            "tools/call",
            json!({"arguments": {}}),
            "`params`: missing field `name` in `tools/call`",
        ),
        (
            "tools/call",
            json!({"name": "query", "arguments": "x"}),
            "`params.arguments`: invalid type: string \"x\"",
        ),
        (
            "tools/call",
            json!({"name": "query", "arguments": [1]}),
            "`params.arguments`: invalid type: sequence",
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
        (
            "prompts/get",
            json!({"name": "review_pipeline", "arguments": 7}),
            "`params.arguments`: invalid type: integer `7`",
        ),
        (
            "completion/complete",
            json!({"argument": {"name": "object", "value": "A"}}),
            "missing field `ref`",
        ),
        (
            "logging/setLevel",
            json!({"level": "loud"}),
            "`params.level`: unknown variant `loud`",
        ),
    ]
}

/// Those that are not even an object, or whose part that belongs to all methods is none.
pub(crate) fn shapeless() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        (
            "tools/call",
            json!([]),
            "`params` of `tools/call` must be an object, not an array",
        ),
        (
            "resources/list",
            json!("x"),
            "`params` of `resources/list` must be an object, not a string",
        ),
        (
            "ping",
            json!(7),
            "`params` of `ping` must be an object, not a number",
        ),
        (
            "tools/call",
            json!({"name": "query", "_meta": 7}),
            "`params._meta`: invalid type: integer `7`",
        ),
    ]
}

/// Those that the newest revision has no more.
const OLDER: [&str; 2] = ["ping", "logging/setLevel"];

/// Gives the code by which a method's wrong parameters are refused.
pub(crate) fn code_of(method: &str, version: &str) -> i64 {
    match version == STATELESS && OLDER.contains(&method) {
        true => -32601,
        false => -32602,
    }
}

/// Gives what is said of them.
pub(crate) fn words_of<'a>(method: &str, version: &str, words: &'a str) -> &'a str {
    match code_of(method, version) {
        -32601 => "there is no method",
        _ => words,
    }
}

/// Methods that nobody knows here.
pub(crate) const UNKNOWN: [&str; 4] = [
    "tools/destroy",
    "resources/subscribe",
    "tasks/get",
    "notifications",
];

/// What each request of the newest revision says.
pub(crate) fn meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": STATELESS,
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

/// A program that serves, and its ends.
pub(crate) struct Served {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    version: &'static str,
    asked: u64,
}

impl Served {
    fn new(version: &'static str) -> Self {
        let mut child = command(&["serve", "--stdio", "--dev-org"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
            version,
            asked: 0,
        }
    }

    /// Begins as its revision has it.
    pub(crate) fn begun(version: &'static str) -> Self {
        let mut served = Self::new(version);
        if version != STATELESS {
            served.initializes();
        }
        served
    }

    fn initializes(&mut self) {
        let me = json!({"name": "test", "version": "1"});
        let params = json!({"protocolVersion": self.version, "capabilities": {}, "clientInfo": me});
        let begun = self.ask("initialize", params);
        assert_eq!(begun["result"]["protocolVersion"], self.version, "{begun}");
        self.sends(r#"{"jsonrpc": "2.0", "method": "notifications/initialized"}"#);
    }

    pub(crate) fn sends(&mut self, line: &str) {
        writeln!(self.input.as_ref().unwrap(), "{line}").unwrap();
    }

    pub(crate) fn told(&mut self) -> Value {
        let mut line = String::new();
        assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "it ended");
        serde_json::from_str(&line).unwrap()
    }

    /// Sends the same again and again, while others read.
    pub(crate) fn floods(&mut self, line: Vec<u8>, again: usize) -> JoinHandle<ChildStdin> {
        let mut input = self.input.take().unwrap();
        std::thread::spawn(move || {
            for _ in 0..again {
                input.write_all(&line).unwrap();
            }
            input
        })
    }

    pub(crate) fn ends_flood(&mut self, flood: JoinHandle<ChildStdin>) {
        self.input = Some(flood.join().unwrap());
    }

    fn ask(&mut self, method: &str, mut params: Value) -> Value {
        if self.version == STATELESS
            && let Some(params) = params.as_object_mut()
        {
            params.entry("_meta").or_insert_with(meta);
        }
        self.asked += 1;
        let request =
            json!({"jsonrpc": "2.0", "id": self.asked, "method": method, "params": params});
        self.sends(&request.to_string());
        let answer = self.told();
        assert_eq!(answer["id"], self.asked, "{answer}");
        answer
    }

    fn is_refused(&mut self, method: &str, params: Value, code: i64, words: &str) {
        let answer = self.ask(method, params);
        let error = &answer["error"];
        assert_eq!(error["code"], code, "{} {method}: {answer}", self.version);
        let said = error["message"].as_str().unwrap();
        assert!(said.contains(words), "{} {method}: {said}", self.version);
    }

    /// Says that it answers a call as ever, and ends.
    pub(crate) fn goes_on(mut self) {
        let count = json!({"soql": "SELECT COUNT() FROM Contact"});
        let called = self.ask("tools/call", json!({"name": "query", "arguments": count}));
        let text = &called["result"]["content"][0]["text"];
        assert_eq!(text, "count: 200", "{called}");
        self.input = None;
        assert!(self.child.wait().unwrap().success());
    }
}

#[test]
fn parameters_that_do_not_fit_are_told_so_in_each_version() {
    for version in WITH_SESSIONS.into_iter().chain([STATELESS]) {
        let mut served = Served::begun(version);
        if version == STATELESS {
            served.ask("tools/list", json!({}));
            // Of an org without a store nothing changes, and nobody is told.
            let listen = json!({"notifications": 7});
            served.is_refused("subscriptions/listen", listen, -32601, "");
        }
        for (method, params, words) in wrong() {
            let words = words_of(method, version, words);
            served.is_refused(method, params, code_of(method, version), words);
        }
        for (method, params, words) in shapeless() {
            served.is_refused(method, params, -32602, words);
        }
        for method in UNKNOWN {
            let words = format!("there is no method `{method}`");
            let words = match method {
                "resources/subscribe" | "tasks/get" => "",
                _ => words.as_str(),
            };
            served.is_refused(method, json!({}), -32601, words);
        }
        served.goes_on();
    }
}

#[test]
fn before_a_session_begins_what_is_wrong_is_told_too() {
    let mut served = Served::new("2025-06-18");
    let words = "missing field `protocolVersion` in `initialize`";
    served.is_refused("initialize", json!({"capabilities": {}}), -32602, words);
    let words = "`params` of `initialize` must be an object, not an array";
    served.is_refused("initialize", json!([]), -32602, words);
    served.is_refused("tools/call", json!({}), -32602, "missing field `name`");
    served.is_refused("tools/destroy", json!({}), -32601, "`tools/destroy`");
    served.initializes();
    served.goes_on();
}

#[test]
fn a_line_that_is_no_message_is_answered_and_ends_nothing() {
    let bad = [
        ("{", -32700),
        ("nonsense", -32700),
        ("\u{0}", -32700),
        ("null", -32600),
        ("[]", -32600),
        ("{}", -32600),
        (r#"[{"jsonrpc": "2.0", "id": 1, "method": "ping"}]"#, -32600),
        (r#"{"jsonrpc": "2.0", "id": {}, "method": "ping"}"#, -32600),
    ];
    let asks = [
        r#"{"jsonrpc": "1.0", "id": 1, "method": "ping"}"#,
        r#"{"jsonrpc": "2.0", "id": 1, "method": 7}"#,
        r#"{"jsonrpc": "2.0", "id": 1}"#,
    ];
    let deep = "[".repeat(200_000);
    let mut served = Served::new("2025-06-18");
    for begins in [true, false] {
        for (line, code) in bad.into_iter().chain([(deep.as_str(), -32700)]) {
            served.sends(line);
            let refused = served.told();
            assert_eq!(refused["error"]["code"], code, "{line:.60}: {refused}");
            let id = refused.as_object().unwrap().get("id");
            assert_eq!(id, Some(&Value::Null), "{line:.60}: {refused}");
        }
        // What asks by an id is told by it.
        for line in asks {
            served.sends(line);
            let refused = served.told();
            assert_eq!(
                (&refused["error"]["code"], &refused["id"]),
                (&json!(-32600), &json!(1)),
                "{line}: {refused}"
            );
        }
        // Nobody waits for an answer to these.
        served.sends("");
        served.sends(r#"{"jsonrpc": "2.0", "method": "$/setTrace", "params": "x"}"#);
        if begins {
            served.initializes();
        }
    }
    served.goes_on();
}

/// The attack: a client that sends nonsense without end, and reads nothing of what it is told, until its own end is full; then it reads.
#[test]
fn a_flood_of_lines_that_are_no_messages() {
    const AGAIN: usize = 50_000;
    let mut served = Served::begun("2025-06-18");
    let flood = served.floods(b"{\"jsonrpc\n".to_vec(), AGAIN);
    for _ in 0..AGAIN {
        let refused = served.told();
        assert_eq!(refused["error"]["code"], -32700, "{refused}");
    }
    served.ends_flood(flood);
    served.goes_on();
}
