//! A store and an org, and the programs that work with them.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use portcullis::ApprovalId;
use portcullis::policy::AgentId;
use portcullis::ports::permissions::{Counted, Usage};
use portcullis_store::{Approval, ApprovalState, Owner, Store, Which};
use rexpect::session::spawn_command;
use salesforce_devorg::fault::{Fault, Rule, When, Work};
use salesforce_devorg::{DevOrg, Options};
use serde_json::{Value, json};

use super::course::{Program, Running};
use super::evidence::{Call, Seen};
use crate::program::{Home, Said, connection};

/// An account of the sample records.
const ACCOUNT: &str = "001DO0000000002YAA";
/// Records that each agent may change in a day: more than any run does.
const CHANGES_MAX: u32 = 100_000;
const TERMINAL_MS: Option<u64> = Some(120_000);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verb {
    Update,
    Create,
}

/// Whose program runs the change once a person has said yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Runner {
    /// The person's: `approvals approve`.
    Person,
    /// The agent's, which makes the same call again.
    Agent,
    /// One that serves, whose page the person approves on.
    Page,
    /// One that serves, of an agent that need not ask.
    Unasked,
}

impl Runner {
    /// Says whether a person is asked.
    pub(super) fn asks(self) -> bool {
        !matches!(self, Self::Unasked)
    }
}

/// A change, told from every other by its value.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) verb: Verb,
    pub(super) runner: Runner,
    pub(super) value: String,
}

impl Plan {
    pub(super) fn new(verb: Verb, runner: Runner, value: &str) -> Self {
        // None begins as another.
        let value = format!("{value}.");
        Self {
            verb,
            runner,
            value,
        }
    }

    pub(super) fn tool(&self) -> &'static str {
        match self.verb {
            Verb::Update => "update_record",
            Verb::Create => "create_record",
        }
    }

    pub(super) fn arguments(&self) -> String {
        let arguments = match self.verb {
            Verb::Update => {
                json!({"object": "Account", "id": ACCOUNT, "fields": {"Site": self.value}})
            }
            Verb::Create => json!({"object": "Account", "fields": {"Name": self.value}}),
        };
        arguments.to_string()
    }

    fn method(&self) -> &'static str {
        match self.verb {
            Verb::Update => "PATCH",
            Verb::Create => "POST",
        }
    }

    /// The call that finds out whether it was made, as it is named.
    pub(super) fn finds_out(&self) -> String {
        match self.verb {
            Verb::Update => format!("get_record {}", json!({"object": "Account", "id": ACCOUNT})),
            Verb::Create => {
                let soql = "SELECT Id, CreatedDate, CreatedById FROM Account ORDER BY CreatedDate DESC LIMIT 5";
                format!("query {}", json!({ "soql": soql }))
            }
        }
    }
}

pub(super) struct Site {
    pub(super) home: Arc<Home>,
    pub(super) org: DevOrg,
    pub(super) store: Store,
    token: String,
    address: String,
    known: HashSet<ApprovalId>,
    /// The changes that may have been sent, which stay counted.
    counted: u32,
}

impl Site {
    pub(super) async fn new() -> Self {
        let org = DevOrg::start(Options::default()).await.unwrap();
        let token = org.users()[0].access_token.clone();
        let (url, address) = (org.url().to_owned(), org.address().to_string());
        let secret = token.clone();
        let home = blocking(move || {
            let home = Home::new();
            home.must(&["person", "add", "bob"]);
            home.must(&["agent", "add", "helper"]);
            home.must(&["agent", "give", "helper", "salesforce"]);
            // What is changed is counted on disk, between the use of the approval and the intent.
            home.must(&["agent", "add", "free"]);
            home.must(&["agent", "give", "free", "salesforce"]);
            home.must(&["allow", "free", "effect:write", "always"]);
            for agent in ["helper", "free"] {
                let max = CHANGES_MAX.to_string();
                home.must(&["scope", agent, "--changes-per-day", &max]);
            }
            // By them a round's calls are told from the others'.
            for tool in ["update_record", "create_record"] {
                home.must(&["audit", "values", "salesforce", tool, "on"]);
            }
            let mut account = connection(Owner::Person("ada".parse().unwrap()), "Acme", &url);
            account.secrets.access_token = secret.into();
            home.connect(account);
            home
        })
        .await;
        Self {
            store: home.store().await,
            home: Arc::new(home),
            org,
            token,
            address,
            known: HashSet::new(),
            counted: 0,
        }
    }

    fn call<'a>(&'a self, tool: &'a str, arguments: &'a str) -> [&'a str; 10] {
        let address = &self.address;
        [
            "call",
            tool,
            "--agent",
            "helper",
            "--json",
            arguments,
            "--output",
            "json",
            "--allow-origin",
            address,
        ]
    }

    /// The agent asks.
    pub(super) fn asks(&self, plan: &Plan) -> Program {
        let arguments = plan.arguments();
        let mut command = self
            .home
            .command("ada", &self.call(plan.tool(), &arguments));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Program::new(Running::Alone(command.spawn().unwrap()), self)
    }

    /// The agent asks, and nobody kills it.
    pub(super) async fn asks_again(&self, plan: &Plan) -> Said {
        self.run(plan.tool(), plan.arguments()).await
    }

    /// A program starts, and changes nothing.
    pub(super) async fn looks(&self) -> Said {
        self.run("get_identity", "{}".to_owned()).await
    }

    /// Takes note of the changes of a round that may have been sent.
    pub(super) fn counts(&mut self, seen: &Seen) {
        self.counted += u32::try_from(seen.intents().count()).unwrap();
    }

    async fn run(&self, tool: &'static str, arguments: String) -> Said {
        let (home, address) = (Arc::clone(&self.home), self.address.clone());
        blocking(move || {
            home.run(&[
                "call",
                tool,
                "--agent",
                "helper",
                "--json",
                &arguments,
                "--output",
                "json",
                "--allow-origin",
                &address,
            ])
        })
        .await
    }

    /// The person says yes, and the change is run.
    pub(super) async fn runs(&self, plan: &Plan, id: ApprovalId) -> Program {
        match plan.runner {
            Runner::Person => {
                let id = id.to_string();
                let command = ["approvals", "approve", &id, "--allow-origin", &self.address];
                let command = self.home.command("ada", &command);
                let session = blocking(move || {
                    let mut session = spawn_command(command, TERMINAL_MS).unwrap();
                    session.exp_string("Approve? [y/N]").unwrap();
                    session.send_line("y").unwrap();
                    session
                });
                Program::new(Running::AtTerminal(Box::new(session.await)), self)
            }
            Runner::Agent | Runner::Page | Runner::Unasked => {
                let me = "ada".parse().unwrap();
                self.store.approve(id, &me, None).await.unwrap();
                self.asks(plan)
            }
        }
    }

    /// Lists the questions that came since this was last asked.
    pub(super) async fn new_questions(&mut self) -> Vec<Approval> {
        let all = self.questions().await;
        let new = all
            .into_iter()
            .filter(|question| self.known.insert(question.id));
        new.collect()
    }

    /// Lists the newest questions.
    pub(super) async fn questions(&self) -> Vec<Approval> {
        let which = Which {
            person: Some("ada".parse().unwrap()),
            settled: true,
            limit: 20,
        };
        self.store.approvals(&which).await.unwrap().0
    }

    /// Leaves no question for the next round.
    pub(super) async fn withdraw_all(&mut self) {
        let me = "ada".parse().unwrap();
        for question in self.questions().await {
            if question.state == ApprovalState::Pending {
                self.store.withdraw(question.id, &me).await.unwrap();
            }
            self.known.insert(question.id);
        }
    }

    pub(super) fn answers_late(&self, plan: &Plan, by: Duration) {
        let when = When {
            method: Some(plan.method().to_owned()),
            ..When::default()
        };
        let ms = u64::try_from(by.as_millis()).unwrap();
        let rule = Rule {
            fault: Fault::Latency { ms },
            when,
            work: Some(Work::After),
        };
        self.org.add_fault(rule).unwrap();
    }

    pub(super) fn answers_at_once(&self) {
        self.org.clear_faults();
    }

    /// Counts the records that have the value of a change.
    pub(super) fn records(&self, plan: &Plan) -> usize {
        let field = match plan.verb {
            Verb::Update => "Site",
            Verb::Create => "Name",
        };
        let value = &plan.value;
        let path = format!(
            "/services/data/v68.0/query?q=SELECT+Id+FROM+Account+WHERE+{field}+=+'{value}'"
        );
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let (host, token) = (&self.address, &self.token);
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let answer: Value = serde_json::from_str(body).unwrap();
        usize::try_from(answer["totalSize"].as_u64().unwrap()).unwrap()
    }

    /// Asserts that the log names the call that finds out, and that the call does find out.
    pub(super) async fn finds_out(&self, plan: &Plan, call: &Call, named: &str, about: &str) {
        let home = Arc::clone(&self.home);
        let id = call.id.to_string();
        let shown = blocking(move || home.must(&["activity", "show", &id])).await;
        assert!(shown.contains(named), "{named}: {shown}\n{about}");
        assert!(shown.contains("sent, outcome unknown"), "{shown}\n{about}");
        let (tool, arguments) = named.split_once(' ').unwrap();
        let tool = match tool {
            "get_record" => "get_record",
            _ => "query",
        };
        let said = self.run(tool, arguments.to_owned()).await;
        assert_eq!(said.code, 0, "{}\n{about}", said.stderr);
        if plan.verb == Verb::Update {
            let is_made = said.stdout.contains(&plan.value);
            assert_eq!(is_made, self.records(plan) == 1, "{}\n{about}", said.stdout);
        }
    }

    /// Asserts that no kill has hurt the log, and that what may have been sent is counted, and nothing else.
    pub(super) async fn is_whole(&self) {
        let home = Arc::clone(&self.home);
        blocking(move || home.must(&["audit", "verify"])).await;
        self.looks().await;
        let mut used = 0;
        for agent in ["helper", "free"] {
            used += self.used(&agent.parse().unwrap()).await;
        }
        assert_eq!(used, self.counted);
    }

    /// Says how many changes are counted for an agent: the most that there is room for besides is looked for by halves.
    async fn used(&self, agent: &AgentId) -> u32 {
        let has_room = async |count: u32| {
            let look = Usage {
                counted: Counted::Changes,
                count,
                max: CHANGES_MAX,
                only_look: true,
                reserved_by: None,
            };
            let connector = "salesforce".parse().unwrap();
            let counted = self.store.count_usage(agent, &connector, look).await;
            counted.unwrap().is_ok()
        };
        let (mut room, mut none) = (0, CHANGES_MAX + 1);
        while none - room > 1 {
            let middle = room + (none - room) / 2;
            match has_room(middle).await {
                true => room = middle,
                false => none = middle,
            }
        }
        CHANGES_MAX - room
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}
