//! A host with the Salesforce connector, an org of a fixed day, and somebody else who changes its records.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use portcullis::network::{HostPort, NetworkOptions};
use portcullis::policy::{Effect, Environment, Mode};
use portcullis::ports::audit::{Event, RequestEnd};
use portcullis::ports::credentials::Identity;
use portcullis::ports::{Approvals, Ports};
use portcullis::{ApprovalRequired, Failure, Limits, Outcome, Reply};
use salesforce_devorg::{DevOrg, Options};
use serde_json::{Value, json};

use crate::support::world::{AGENT, name};
use crate::support::{Setup, World};

/// An account of the sample records.
pub const ACCOUNT: &str = "001DO0000000002YAA";
/// An opportunity.
pub const SALE: &str = "006DO0000000001YAA";

const V: &str = "/services/data/v68.0";

pub struct Desk {
    pub world: World,
    pub org: DevOrg,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Desk {
    /// As the administrator, with every tool in a mode.
    pub async fn new(mode: Mode) -> Self {
        Self::of("", mode).await
    }

    /// As the user whose name begins so; the first is the administrator.
    pub async fn of(user: &str, mode: Mode) -> Self {
        Self::at(Options::default(), "68.0", user, mode).await
    }

    /// As the administrator, with approvals of the test's.
    pub async fn asking(approvals: Arc<dyn Approvals>, mode: Mode) -> Self {
        let ports = Box::new(move |ports| Ports { approvals, ..ports });
        let facts = [("api_version", "68.0"), ("time_zone", "Europe/Berlin")];
        Self::with(
            ports,
            Setup::default().limits,
            Options::default(),
            &facts,
            "",
            mode,
        )
        .await
    }

    /// At an org that is started otherwise, by a version of its API.
    pub async fn at(options: Options, version: &str, user: &str, mode: Mode) -> Self {
        let facts = [("api_version", version), ("time_zone", "Europe/Berlin")];
        Self::knowing(options, &facts, user, mode).await
    }

    /// As [`at`](Self::at), with what the sign-in found.
    pub async fn knowing(options: Options, facts: &[(&str, &str)], user: &str, mode: Mode) -> Self {
        let limits = Setup::default().limits;
        Self::with(Box::new(|ports| ports), limits, options, facts, user, mode).await
    }

    /// As the administrator, with every tool allowed, and so much time for a call.
    pub async fn with_time(wall_clock: Duration) -> Self {
        let facts = [("api_version", "68.0"), ("time_zone", "Europe/Berlin")];
        let limits = Limits {
            wall_clock,
            ..Setup::default().limits
        };
        let (options, ports) = (Options::default(), Box::new(|ports| ports));
        Self::with(ports, limits, options, &facts, "", Mode::Allow).await
    }

    /// As the administrator, with a host that asks about each description that it remembers.
    pub async fn asking_anew(mode: Mode) -> Self {
        let facts = [("api_version", "68.0"), ("time_zone", "Europe/Berlin")];
        let limits = Limits {
            schema_fresh: Duration::ZERO,
            ..Setup::default().limits
        };
        Self::with(
            Box::new(|ports| ports),
            limits,
            Options::default(),
            &facts,
            "",
            mode,
        )
        .await
    }

    async fn with(
        ports: Box<dyn FnOnce(Ports) -> Ports>,
        limits: Limits,
        options: Options,
        facts: &[(&str, &str)],
        user: &str,
        mode: Mode,
    ) -> Self {
        let today = Some("2026-11-23".parse().unwrap());
        let options = Options { today, ..options };
        let org = DevOrg::start(options).await.unwrap();
        let mut users = org.users().iter();
        let user = users
            .find(|known| known.username.starts_with(user))
            .unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let who = format!("{}/services/oauth2/userinfo", org.url());
        let (_, who) = asked(&client, &user.access_token, "GET", who, None).await;
        // What the connector finds out at a sign-in.
        let fact = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut facts: Vec<_> = facts
            .iter()
            .map(|(name, value)| fact(name, value))
            .collect();
        facts.extend(["name", "email"].map(|name| fact(name, who[name].as_str().unwrap())));
        let mut network = NetworkOptions::default();
        network
            .allow_private
            .push(HostPort::new("127.0.0.1", org.address().port()));
        let setup = Setup {
            ports,
            limits,
            network,
            origin: Some(org.url().to_owned()),
            token: user.access_token.clone(),
            identity: Some(Identity {
                environment: Environment::Sandbox,
                user_id: user.id().to_string(),
                user_name: user.username.clone(),
                organization_id: Some("00DDO0000000001".to_owned()),
                organization_name: Some("Dev Org".to_owned()),
                facts,
            }),
            ..Setup::default()
        };
        let world = World::new(setup, &["portcullis_salesforce"]).await;
        // As the bundled connector is.
        world.permissions.trust(name(AGENT), name("salesforce"));
        let connectors = world.host.connectors();
        for tool in connectors.iter().flat_map(|connector| connector.tools()) {
            let changes = tool.effect > Effect::Read;
            world.mode(
                "salesforce",
                tool.name.as_str(),
                if changes { mode } else { Mode::Allow },
            );
        }
        Self { world, org, client }
    }

    pub async fn call(&self, tool: &str, arguments: Value) -> Reply {
        self.world.call("salesforce", tool, arguments).await
    }

    /// Calls a tool; where a person is asked, the person approves and the call is made again.
    pub async fn approved(&self, tool: &str, arguments: Value) -> Reply {
        let reply = self.call(tool, arguments.clone()).await;
        match &reply.outcome {
            Outcome::ApprovalRequired(question) => {
                assert!(reply.sent.is_empty());
                assert!(self.world.approvals.approve(question.id));
                self.call(tool, arguments).await
            }
            _ => reply,
        }
    }

    /// Says what the agent may touch.
    pub fn limit(&self, scope: Value) {
        let scope = serde_json::from_value(scope).unwrap();
        self.world.scope("salesforce", scope);
    }

    /// Calls a tool and gives its answer as data.
    pub async fn data(&self, tool: &str, arguments: Value) -> Value {
        let reply = self.approved(tool, arguments.clone()).await;
        match reply.outcome {
            Outcome::Done(output) => output.structured.unwrap(),
            other => panic!("{tool} {arguments}: {other:?}"),
        }
    }

    /// Calls a tool and gives its answer, without what differs from run to run.
    pub async fn text(&self, tool: &str, arguments: Value) -> String {
        let reply = self.approved(tool, arguments).await;
        match reply.outcome {
            Outcome::Done(output) => self.plain(&output.text),
            other => panic!("{tool}: {other:?}"),
        }
    }

    /// Calls a tool that fails, and says how.
    pub async fn failure(&self, tool: &str, arguments: Value) -> String {
        let reply = self.approved(tool, arguments).await;
        match reply.outcome {
            Outcome::Failed(failure) => self.plain(&said(&failure)),
            other => panic!("{tool}: {other:?}"),
        }
    }

    /// Takes the org's port out.
    pub fn plain(&self, text: &str) -> String {
        let authority = self.org.url().trim_start_matches("http://");
        text.replace(self.org.url(), "https://org.example")
            .replace(authority, "org.example")
    }

    /// Says of each request of a call what it was and how it ended.
    pub fn requests(&self, reply: &Reply) -> Vec<String> {
        let records = self.world.records(reply);
        let mut requests: Vec<String> = Vec::new();
        for record in records {
            match record.event {
                Event::Intended(intent) => {
                    requests.push(format!("{} {}", intent.method, intent.route));
                }
                Event::Answered(answer) => {
                    let end = match answer.end {
                        RequestEnd::Status(status) => status.to_string(),
                        RequestEnd::NotModified => "304".to_owned(),
                        RequestEnd::Refused(status) => format!("{status} refused"),
                        RequestEnd::InPart {
                            status,
                            refused,
                            of,
                        } => format!("{status} refused {} of {of}", refused.len()),
                        RequestEnd::Unclear(_) => "unclear".to_owned(),
                        other => format!("{other:?}"),
                    };
                    let last = requests.last_mut().unwrap();
                    last.push_str(&format!(" {end}"));
                }
                _ => {}
            }
        }
        requests
    }

    /// Gives the numbers of a call's requests that change something, from 1, each as often as it was sent.
    pub fn changes(&self, reply: &Reply) -> Vec<u32> {
        let records = self.world.records(reply).into_iter();
        let changes = records.filter_map(|record| match record.event {
            Event::Intended(intent) => (intent.effect > Effect::Read).then_some(intent.request),
            _ => None,
        });
        changes.collect()
    }

    /// Asks the org as its administrator, past the host.
    pub async fn direct(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.direct_as(&self.org.users()[0].access_token, method, path, body)
            .await
    }

    /// Asks the org with a token, past the host.
    pub async fn direct_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let uri = format!("{}{V}/{path}", self.org.url());
        asked(&self.client, token, method, uri, body).await
    }

    /// Somebody else changes a record.
    pub async fn meanwhile(&self, object: &str, id: &str, fields: Value) {
        let (status, body) = self
            .direct("PATCH", &format!("sobjects/{object}/{id}"), Some(fields))
            .await;
        assert_eq!(status, 204, "{body}");
    }

    /// Gives a record.
    pub async fn record(&self, object: &str, id: &str) -> Value {
        self.direct("GET", &format!("sobjects/{object}/{id}"), None)
            .await
            .1
    }

    /// Gives the rows of a query.
    pub async fn rows(&self, soql: &str) -> Vec<Value> {
        let path = format!(
            "query?q={}",
            soql.replace('%', "%25")
                .replace(' ', "+")
                .replace('\'', "%27")
                .replace('>', "%3E")
        );
        let (status, mut body) = self.direct("GET", &path, None).await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_value(body["records"].take()).unwrap()
    }
}

/// Asks an org with a token.
async fn asked(
    client: &Client<HttpConnector, Full<Bytes>>,
    token: &str,
    method: &str,
    uri: String,
    body: Option<Value>,
) -> (u16, Value) {
    let request = http::Request::builder()
        .method(method)
        .uri(uri)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(Full::from(
            body.map(|body| body.to_string()).unwrap_or_default(),
        ))
        .unwrap();
    let response = client.request(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

/// Writes a failure as a caller reads it.
pub fn said(failure: &Failure) -> String {
    let mut text = format!("{}: {}", failure.code.as_str(), failure.message);
    if let Some(code) = &failure.service_code {
        text.push_str(&format!(" [{code}]"));
    }
    for field in &failure.fields {
        text.push_str(&format!("\n  {}: {}", field.pointer, field.problem));
    }
    if let Some(hint) = &failure.hint {
        text.push_str(&format!("\n  hint: {hint}"));
    }
    text
}

/// Gives the question of a call that was held.
pub fn held(reply: &Reply) -> &ApprovalRequired {
    match &reply.outcome {
        Outcome::ApprovalRequired(approval) => approval,
        other => panic!("nobody is asked: {other:?}"),
    }
}

pub fn update(object: &str, id: &str, fields: Value) -> Value {
    json!({"object": object, "id": id, "fields": fields})
}
