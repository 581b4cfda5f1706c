//! A tool's table: cases as data, and what comes of them as text.

use std::fmt::Write as _;

use portcullis::policy::{Mode, Scope};
use portcullis::ports::audit::{Event, Source};
use portcullis::{Outcome, Reply};
use salesforce_devorg::fault::{Fault, Rule, When};
use serde_json::Value;

use crate::support::{ended, name};
use crate::writes::desk::{Desk, said};

/// One case of a tool.
pub struct Case {
    /// What it is about.
    pub about: &'static str,
    /// The user whose name begins so; the administrator if it is empty.
    pub user: &'static str,
    /// What the agent may see; null: everything.
    pub scope: Value,
    /// What goes wrong at the org, and on which request of the call.
    pub fault: Option<(Fault, u64)>,
    /// The call's arguments.
    pub arguments: Value,
}

/// Makes a case in which the administrator asks for something, and nothing goes wrong.
pub fn case(about: &'static str, arguments: Value) -> Case {
    Case {
        about,
        user: "",
        scope: Value::Null,
        fault: None,
        arguments,
    }
}

impl Case {
    /// As another user of the org.
    pub fn by(mut self, user: &'static str) -> Self {
        self.user = user;
        self
    }

    /// By an agent that is limited.
    pub fn limited(mut self, scope: Value) -> Self {
        self.scope = scope;
        self
    }

    /// With a fault at the call's request of this number.
    pub fn struck(mut self, fault: Fault, nth: u64) -> Self {
        self.fault = Some((fault, nth));
        self
    }
}

/// Runs the cases of a tool, each on an org of its own, and says what comes of each.
pub async fn run(tool: &str, cases: Vec<Case>) -> String {
    let mut text = String::new();
    for case in cases {
        let desk = Desk::of(case.user, Mode::Allow).await;
        run_one(&desk, tool, case, &mut text).await;
    }
    text
}

/// Runs one case, and writes what comes of it.
pub async fn run_one(desk: &Desk, tool: &str, case: Case, text: &mut String) {
    if !case.scope.is_null() {
        let scope: Scope = serde_json::from_value(case.scope.clone()).unwrap();
        desk.world.scope("salesforce", scope);
    }
    let user = desk
        .org
        .users()
        .iter()
        .find(|user| user.username.starts_with(case.user));
    // A renewed token is good at once.
    let token = user.unwrap().access_token.clone().into();
    desk.world
        .credentials
        .on_refresh(&name("salesforce-connection"), token);
    if let Some((fault, nth)) = case.fault.clone() {
        let when = When {
            nth,
            ..When::default()
        };
        let work = None;
        desk.org.add_fault(Rule { fault, when, work }).unwrap();
    }
    let reply = desk.call(tool, case.arguments.clone()).await;
    desk.org.clear_faults();
    // Where something went wrong on the way, the answer is the one of a case before.
    let shown = shown(desk, &reply, case.fault.is_some());
    let _ = writeln!(text, "=== {}: {}\n{shown}\n", case.about, case.arguments);
}

/// Shows what a caller reads, or how that begins, and what is on record.
fn shown(desk: &Desk, reply: &Reply, briefly: bool) -> String {
    let read = match &reply.outcome {
        Outcome::Done(output) => {
            assert!(output.structured.is_some());
            match briefly {
                true => output.text.lines().take(1).collect(),
                false => output.text.clone(),
            }
        }
        Outcome::Failed(failure) => said(failure),
        other => format!("{other:?}"),
    };
    let mut lines = vec![format!("[{}]", ended(reply)), desk.plain(&read)];
    lines.extend(
        desk.requests(reply)
            .into_iter()
            .map(|request| format!("> {request}")),
    );
    let records = desk.world.records(reply);
    if briefly {
        return lines.join("\n");
    }
    let cited = records.iter().filter_map(|record| match &record.event {
        Event::Cited(sources) => Some(sources),
        _ => None,
    });
    lines.extend(
        cited
            .flatten()
            .map(|source| format!("@ {}", source_line(source))),
    );
    lines.join("\n")
}

fn source_line(source: &Source) -> String {
    let mut line = source.kind.clone();
    if let Some(id) = &source.id {
        line.push_str(&format!(" {id}"));
    }
    if let Some(label) = &source.label {
        line.push_str(&format!(" “{}”", label.expose()));
    }
    if !source.fields.is_empty() {
        line.push_str(&format!(": {}", source.fields.join(", ")));
    }
    line
}

/// What goes wrong in the middle of any read: each is retried, or said.
pub fn faults() -> Vec<(&'static str, Fault)> {
    vec![
        ("the connection breaks", Fault::Drop),
        (
            "the org is down for a moment",
            Fault::Maintenance {
                retry_after_seconds: None,
            },
        ),
        (
            "the org is down for longer",
            Fault::Maintenance {
                retry_after_seconds: Some(30),
            },
        ),
        ("a row is locked", Fault::LockRow),
        ("the token is stale", Fault::SessionExpired),
        ("the day's requests are used up", Fault::RequestLimit),
    ]
}
