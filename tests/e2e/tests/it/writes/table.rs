//! A tool's test as a table: each row is a call of the real connector at the dev org, and what everyone gets to see of it is a
//! snapshot: the requests, the person's question, the model's answer, the audit log's sources.

use portcullis::Outcome;
use portcullis::policy::{Mode, Scope};
use portcullis::ports::audit::Event;
use salesforce_devorg::fault::{Fault, Rule, When, Work};
use serde_json::Value;

use super::desk::{Desk, held, said};

/// A row: a call, by whom, under which limits, and what goes wrong in it.
pub struct Row {
    name: &'static str,
    arguments: Value,
    user: &'static str,
    mode: Mode,
    scope: Option<Value>,
    faults: Vec<(&'static str, &'static str, Fault, Option<Work>)>,
    before: Vec<(&'static str, Value)>,
}

/// Makes a row: the administrator calls, everything is allowed, nothing goes wrong.
pub fn row(name: &'static str, arguments: Value) -> Row {
    Row {
        name,
        arguments,
        user: "",
        mode: Mode::Allow,
        scope: None,
        faults: Vec::new(),
        before: Vec::new(),
    }
}

impl Row {
    /// The user whose name begins so calls.
    pub fn by(self, user: &'static str) -> Self {
        Self { user, ..self }
    }

    /// A person is asked.
    pub fn asked(self) -> Self {
        Self {
            mode: Mode::Ask,
            ..self
        }
    }

    /// The agent is limited.
    pub fn under(self, scope: Value) -> Self {
        Self {
            scope: Some(scope),
            ..self
        }
    }

    /// A request of a method, to a path with `*` for the rest, goes wrong once.
    pub fn with(
        mut self,
        method: &'static str,
        path: &'static str,
        fault: Fault,
        work: Option<Work>,
    ) -> Self {
        self.faults.push((method, path, fault, work));
        self
    }

    /// Another call of a tool is made before.
    pub fn after(mut self, tool: &'static str, arguments: Value) -> Self {
        self.before.push((tool, arguments));
        self
    }

    async fn run(self, tool: &str) -> String {
        let desk = Desk::of(self.user, self.mode).await;
        for (other, arguments) in self.before {
            let reply = desk.approved(other, arguments).await;
            assert!(
                matches!(reply.outcome, Outcome::Done(_)),
                "{}: {reply:?}",
                self.name
            );
        }
        if let Some(scope) = self.scope {
            let scope: Scope = serde_json::from_value(scope).unwrap();
            desk.world.scope("salesforce", scope);
        }
        for (method, path, fault, work) in self.faults {
            let when = When {
                method: Some(method.to_owned()),
                path: Some(path.to_owned()),
                ..When::default()
            };
            desk.org.add_fault(Rule { fault, when, work }).unwrap();
        }
        let reply = desk.call(tool, self.arguments).await;
        let mut text = format!("## {}\n", self.name);
        for request in desk.requests(&reply) {
            text.push_str(&format!("> {request}\n"));
        }
        assert!(
            desk.changes(&reply).len() <= 2,
            "a change is sent once, or again with a new token"
        );
        match &reply.outcome {
            Outcome::Done(output) => text.push_str(&output.text),
            Outcome::Failed(failure) => text.push_str(&said(failure)),
            Outcome::ApprovalRequired(_) => text.push_str(&held(&reply).card.text()),
            other => text.push_str(&format!("{other:?}")),
        }
        for record in desk.world.records(&reply) {
            if let Event::Cited(sources) = record.event {
                for source in sources {
                    let fields = source.fields.join(", ");
                    let id = source.id.as_deref().unwrap_or("-");
                    text.push_str(&format!("\n@ {} {id} [{fields}]", source.kind));
                }
            }
        }
        desk.plain(&text)
    }
}

/// Runs a table, and writes down what came of it.
pub async fn table(tool: &str, rows: Vec<Row>) -> String {
    let mut text = String::new();
    for row in rows {
        text.push_str(&row.run(tool).await);
        text.push_str("\n\n");
    }
    text
}
