//! A tool's table: calls, and of each what it sent, what audit was told, and what a model reads.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use portcullis::policy::{Mode, Scope};
use portcullis::ports::audit::{Event, Source};
use portcullis::{Outcome, Output, Reply};
use salesforce_devorg::fault::{Fault, Rule, When};
use serde_json::{Value, json};

use crate::support::world::AGENT;
use crate::support::{ended, name};
use crate::writes::desk::{Desk, said};

/// Sources that are written out of each call.
const SOURCES_SHOWN: usize = 4;

/// The calls of one tool.
pub struct Table {
    tool: &'static str,
    /// An org for each user, by the beginning of the name.
    desks: BTreeMap<&'static str, Desk>,
    text: String,
}

impl Table {
    pub fn new(tool: &'static str) -> Self {
        Self {
            tool,
            desks: BTreeMap::new(),
            text: String::new(),
        }
    }

    /// Gives the org as a user sees it.
    pub async fn desk(&mut self, user: &'static str) -> &Desk {
        if !self.desks.contains_key(user) {
            self.desks.insert(user, Desk::of(user, Mode::Allow).await);
        }
        &self.desks[user]
    }

    /// Calls the tool as the administrator.
    pub async fn case(&mut self, what: &str, arguments: Value) -> String {
        self.case_as("", what, arguments).await
    }

    /// Calls it by the account of another user.
    pub async fn case_as(&mut self, user: &'static str, what: &str, arguments: Value) -> String {
        self.run(user, json!({}), what, arguments).await
    }

    /// Calls it for an agent that is limited.
    pub async fn limited(&mut self, scope: Value, what: &str, arguments: Value) -> String {
        self.run("", scope, what, arguments).await
    }

    async fn run(
        &mut self,
        user: &'static str,
        scope: Value,
        what: &str,
        arguments: Value,
    ) -> String {
        let tool = self.tool;
        let who = match (user, &scope) {
            ("", scope) if *scope == json!({}) => String::new(),
            ("", scope) => format!(", limited to {scope}"),
            (user, _) => format!(", as {user}"),
        };
        let desk = self.desk(user).await;
        let limits: Scope = serde_json::from_value(scope).unwrap();
        desk.world
            .permissions
            .set_scope(name(AGENT), name("salesforce"), limits);
        let reply = desk.call(tool, arguments.clone()).await;
        let mut text = format!("# {what}{who}: {arguments}\n");
        for request in desk.requests(&reply) {
            let request = request.replace("/services/data/{version}", "");
            writeln!(text, "> {request}").unwrap();
        }
        for line in sources(desk, &reply) {
            writeln!(text, "audit: {line}").unwrap();
        }
        let read = match &reply.outcome {
            Outcome::Done(output) => {
                holds_its_data(tool, output);
                desk.plain(&output.text)
            }
            Outcome::Failed(failure) => desk.plain(&said(failure)),
            other => format!("{}: {other:?}", ended(&reply)),
        };
        writeln!(text, "{read}\n").unwrap();
        self.text += &text;
        read
    }

    /// Lets things go wrong at a path: what passes is waited for, what does not is said, and nothing is shown by half.
    pub async fn faults(&mut self, path: &str, arguments: Value) {
        self.faults_as("", path, arguments).await;
    }

    /// As [`faults`](Self::faults), at the path of a description, which is asked for each time.
    pub async fn faults_of_description(&mut self, path: &str, arguments: Value) {
        const ANEW: &str = "the administrator, asking anew";
        self.desks
            .insert(ANEW, Desk::asking_anew(Mode::Allow).await);
        self.faults_as(ANEW, path, arguments).await;
    }

    async fn faults_as(&mut self, user: &'static str, path: &str, arguments: Value) {
        let tool = self.tool;
        let desk = self.desk(user).await;
        let everything = serde_json::from_value(json!({})).unwrap();
        desk.world
            .permissions
            .set_scope(name(AGENT), name("salesforce"), everything);
        let undisturbed = desk.call(tool, arguments.clone()).await;
        let requests = desk.requests(&undisturbed).len();
        let undisturbed = told(&undisturbed);
        let strike = |fault: Fault, times: u64| {
            let when = When {
                path: Some(format!("/services/data/v68.0{path}")),
                times: Some(times),
                ..When::default()
            };
            let rule = Rule {
                fault,
                when,
                work: None,
            };
            desk.org.add_fault(rule).unwrap();
        };
        let connection = name("salesforce-connection");
        let token = desk.org.users()[0].access_token.clone();
        let passing = [
            Fault::Drop,
            Fault::Truncated { missing_bytes: 3 },
            Fault::Maintenance {
                retry_after_seconds: None,
            },
            Fault::Maintenance {
                retry_after_seconds: Some(1),
            },
            Fault::LockRow,
            Fault::QueryTimeout,
            Fault::NoRouting,
            Fault::SessionExpired,
        ];
        for fault in passing {
            let is_stale = matches!(fault, Fault::SessionExpired);
            let shown = format!("{fault:?}");
            desk.world
                .credentials
                .on_refresh(&connection, token.clone().into());
            strike(fault, 1);
            let reply = desk.call(tool, arguments.clone()).await;
            assert_eq!(told(&reply), undisturbed, "{tool} {shown}: {reply:?}");
            assert_eq!(
                desk.org.faults_due(),
                0,
                "{tool} {shown}: the path is another"
            );
            // A renewal sends the same request again.
            let again = usize::from(!is_stale);
            assert_eq!(
                desk.requests(&reply).len(),
                requests + again,
                "{tool} {shown}"
            );
        }
        let mut ends = Vec::new();
        // What does not pass: told after one request, a connection that breaks again after two.
        for (fault, sent) in [
            (Fault::Drop, 2),
            (Fault::MalformedJson, 1),
            (Fault::RequestLimit, 1),
            (Fault::ServerError, 1),
            (
                Fault::Maintenance {
                    retry_after_seconds: Some(30),
                },
                1,
            ),
        ] {
            let shown = format!("{fault:?}");
            strike(fault, sent);
            let reply = desk.call(tool, arguments.clone()).await;
            let Outcome::Failed(failure) = &reply.outcome else {
                panic!("{tool} {shown}: {reply:?}");
            };
            assert_eq!(desk.org.faults_due(), 0, "{tool} {shown}");
            let wait = failure.retry_after;
            let wait = wait.map_or(String::new(), |wait| format!(", again in {wait:?}"));
            ends.push(format!("{shown}, {sent}: {}{wait}", ended(&reply)));
        }
        writeln!(self.text, "# faults at {path}\n{}\n", ends.join("\n")).unwrap();
    }

    /// Gives all that was told.
    pub fn text(self) -> String {
        self.text
    }
}

/// Gives the answer of a call that has one.
fn told(reply: &Reply) -> String {
    match &reply.outcome {
        Outcome::Done(output) => output.text.clone(),
        other => panic!("the call has no answer: {other:?}"),
    }
}

/// Every tool answers as data, too.
fn holds_its_data(tool: &str, output: &Output) {
    let data = output.structured.as_ref();
    assert!(data.is_some_and(Value::is_object), "{tool}: {output:?}");
}

/// Writes what a call's answer rests on.
fn sources(desk: &Desk, reply: &Reply) -> Vec<String> {
    let records = desk.world.records(reply).into_iter();
    let cited: Vec<Source> = records
        .filter_map(|record| match record.event {
            Event::Cited(sources) => Some(sources),
            _ => None,
        })
        .flatten()
        .collect();
    let mut lines: Vec<String> = cited
        .iter()
        .take(SOURCES_SHOWN)
        .map(|source| one(desk, source))
        .collect();
    if cited.len() > SOURCES_SHOWN {
        lines.push(format!("and {} more", cited.len() - SOURCES_SHOWN));
    }
    lines
}

fn one(desk: &Desk, source: &Source) -> String {
    let mut line = source.kind.clone();
    if let Some(id) = &source.id {
        let label = source.label.as_ref().map(|label| label.expose().to_owned());
        write!(line, " {id} {}", label.unwrap_or_default()).unwrap();
        let url = source.url.as_ref().unwrap();
        assert_eq!(
            desk.plain(url),
            format!("https://org.example/lightning/r/{}/{id}/view", source.kind)
        );
    }
    if !source.fields.is_empty() {
        write!(line, "[{}]", source.fields.join(", ")).unwrap();
    }
    line.trim_end().to_owned()
}
