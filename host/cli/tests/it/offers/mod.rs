//! What a client is offered besides tools: resources, prompts, completions, and what it is told of a call under way.

mod batches;
mod fixture;
mod org;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};

use crate::program::Home;

/// A client over standard input and output, down to the messages.
pub(crate) struct Client {
    child: Child,
    /// None once it is closed.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    asked: u64,
    /// What it was told besides answers.
    told: Vec<Value>,
}

impl Client {
    /// Begins as the agent `helper`, in the revision of the protocol that is given.
    fn begin(home: &Home, person: &str, version: &str, more: &[&str]) -> Self {
        Self::begin_with(home, person, version, more, Stdio::null())
    }

    /// The same, with a place for what the program says beside.
    pub(crate) fn begin_with(
        home: &Home,
        person: &str,
        version: &str,
        more: &[&str],
        log: Stdio,
    ) -> Self {
        let serve = ["serve", "--stdio", "--agent", "helper", "--as", person];
        let mut child = home
            .command("ada", &[&serve[..], more].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut client = Self {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
            asked: 0,
            told: Vec::new(),
        };
        let me = json!({"name": "test", "version": "1"});
        let begin = json!({"protocolVersion": version, "capabilities": {}, "clientInfo": me});
        let server = client.result("initialize", begin);
        for offered in ["tools", "resources", "prompts"] {
            let capability = &server["capabilities"][offered];
            assert_eq!(capability["listChanged"], true, "{server}");
        }
        assert!(server["capabilities"]["completions"].is_object());
        let resources = &server["capabilities"]["resources"];
        assert_eq!(resources.get("subscribe"), None, "{server}");
        client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        client
    }

    fn send(&mut self, message: &Value) {
        writeln!(self.input.as_ref().unwrap(), "{message}").unwrap();
    }

    /// Sends a request, and gives its id.
    fn request(&mut self, method: &str, params: Value) -> u64 {
        self.asked += 1;
        let id = self.asked;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        id
    }

    /// Gives the next message, and keeps what it is told by it.
    fn next(&mut self) -> Value {
        let mut line = String::new();
        assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "it ended");
        let message: Value = serde_json::from_str(&line).unwrap();
        if message.get("method").is_some() {
            self.told.push(message.clone());
        }
        message
    }

    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.request(method, params);
        loop {
            let message = self.next();
            if message["id"] == id && message.get("method").is_none() {
                return message;
            }
        }
    }

    /// Ends the program as a client does, by closing its standard input.
    pub(crate) fn end(mut self) {
        self.input = None;
        assert!(self.child.wait().unwrap().success());
    }

    /// Asks, and gives the result.
    #[track_caller]
    fn result(&mut self, method: &str, params: Value) -> Value {
        let message = self.ask(method, params);
        assert!(message["result"].is_object(), "{message}");
        message["result"].clone()
    }

    /// Asks for what is refused, and gives the error.
    #[track_caller]
    fn error(&mut self, method: &str, params: Value) -> Value {
        let message = self.ask(method, params);
        assert!(message["error"].is_object(), "{message}");
        message["error"].clone()
    }

    fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.result("tools/call", json!({"name": tool, "arguments": arguments}))
    }

    /// Lists the names of something.
    fn names(&mut self, method: &str, member: &str) -> Vec<String> {
        let listed = self.result(method, json!({}));
        let items = listed[member].as_array().unwrap().iter();
        items
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Completes an argument of a template.
    fn complete(&mut self, template: &str, argument: [&str; 2], others: Value) -> Vec<String> {
        let [name, value] = argument;
        let completed = self.result(
            "completion/complete",
            json!({
                "ref": {"type": "ref/resource", "uri": template},
                "argument": {"name": name, "value": value},
                "context": {"arguments": others},
            }),
        );
        serde_json::from_value(completed["completion"]["values"].clone()).unwrap()
    }

    /// Waits until it is told something.
    fn hears(&mut self, method: &str) -> Value {
        loop {
            if let Some(at) = self.told.iter().position(|told| told["method"] == method) {
                return self.told.remove(at);
            }
            self.next();
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
