//! A host with ports in memory, a service, and a connection to it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use portcullis::network::{HostPort, NetworkOptions, Resolve};
use portcullis::policy::{Mode, Origin, Scope};
use portcullis::ports::audit::{Event, Intent, Record};
use portcullis::ports::credentials::{Connection, Identity};
use portcullis::ports::{MemoryApprovals, MemoryAudit, MemoryCredentials, MemoryPermissions};
use portcullis::{
    Call, CallId, ComponentCache, Host, Limits, Network, Outcome, Output, Ports, Reply,
};
use serde_json::Value;

use super::components::component;
use super::logs;
use super::service::Service;

/// The agent of every call, and the person it works for.
pub const AGENT: &str = "desk";
pub const PERSON: &str = "ada";

/// The secret of the connection, unless a test has one of its own.
pub const TOKEN: &str = "00Dsecret!AQ-of-the-connection";

/// How a world is to be.
pub struct Setup {
    pub limits: Limits,
    pub network: NetworkOptions,
    pub resolver: Option<Arc<dyn Resolve>>,
    /// Puts ports of the test's in the place of those in memory.
    pub ports: Box<dyn FnOnce(Ports) -> Ports>,
    pub token: String,
    /// Where the connection goes, instead of to the service.
    pub origin: Option<String>,
    /// Whether the operator allows the service's address.
    pub allow_service: bool,
    pub shared: bool,
    /// Who is signed in, as a sign-in would have found it.
    pub identity: Option<Identity>,
    pub cache: ComponentCache,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            limits: Limits {
                // A slot reserves address space, and many tests run at once.
                concurrent_calls_max: 16,
                wall_clock: Duration::from_secs(20),
                ..Limits::default()
            },
            network: NetworkOptions::default(),
            resolver: None,
            ports: Box::new(|ports| ports),
            token: TOKEN.to_owned(),
            origin: None,
            allow_service: true,
            shared: false,
            identity: None,
            cache: cache(),
        }
    }
}

/// A host with everything around it.
pub struct World {
    pub host: Host,
    pub service: Service,
    pub credentials: Arc<MemoryCredentials>,
    pub permissions: Arc<MemoryPermissions>,
    pub approvals: Arc<MemoryApprovals>,
    pub audit: Arc<MemoryAudit>,
    token: String,
    origin: Origin,
    shared: bool,
    identity: Option<Identity>,
}

/// Parses a name that is one.
pub fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// The POST routes of all connectors of the tests that an administrator believes to only read.
const POSTS_THAT_READ: &[&str] = &[
    "POST /search",
    "POST /find",
    "POST /several (carries requests)",
    "POST /services/data/{version}/composite/batch (carries requests)",
    "POST /services/data/{version}/ui-api/predupe",
    "POST /services/data/{version}/analytics/reports/{id}",
    "POST /services/Soap/u/{version} ({urn:partner.soap.sforce.com}query)",
];

/// Keeps compiled components for all tests of a run and the next.
pub fn cache() -> ComponentCache {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("components");
    ComponentCache::in_folder(folder).unwrap()
}

/// Held by who installs, so that two tests do not compile the same component at once.
static INSTALLING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

impl World {
    /// Makes a world with these connectors.
    pub async fn with(connectors: &[&str]) -> Self {
        Self::new(Setup::default(), connectors).await
    }

    /// Makes a world as it is to be, with these connectors.
    pub async fn new(setup: Setup, connectors: &[&str]) -> Self {
        logs::begin();
        let service = Service::start().await;
        let (credentials, permissions, audit) = <(
            Arc<MemoryCredentials>,
            Arc<MemoryPermissions>,
            Arc<MemoryAudit>,
        )>::default();
        let approvals = Arc::new(MemoryApprovals::new().unwrap());
        let ports = (setup.ports)(Ports {
            credentials: credentials.clone(),
            permissions: permissions.clone(),
            approvals: approvals.clone(),
            audit: audit.clone(),
        });
        let mut options = setup.network;
        if setup.allow_service {
            let at = HostPort::new("127.0.0.1", service.address.port());
            options.allow_private.push(at);
        }
        let network = match setup.resolver {
            Some(resolver) => Network::with_resolver(options, resolver),
            None => Network::new(options),
        };
        let host = Host::new(setup.limits, network.unwrap(), setup.cache, ports).unwrap();
        let origin = setup.origin.unwrap_or_else(|| service.origin());
        let world = Self {
            host,
            origin: Origin::parse(&origin).unwrap(),
            service,
            credentials,
            permissions,
            approvals,
            audit,
            token: setup.token,
            shared: setup.shared,
            identity: setup.identity,
        };
        for connector in connectors {
            world.install(connector).await;
        }
        world
    }

    /// Installs a connector, offers it to the agent, and connects it to the service.
    pub async fn install(&self, connector: &str) {
        self.install_bytes(component(connector)).await;
    }

    /// As [`install`](Self::install), of bytes.
    pub async fn install_bytes(&self, bytes: Vec<u8>) {
        let _turn = INSTALLING.lock().await;
        let inspected = self.host.inspect(bytes).await.unwrap();
        let connector = self.host.activate(inspected, POSTS_THAT_READ).unwrap();
        let connector = connector.manifest().name.clone();
        self.permissions.offer(name(AGENT), connector.clone());
        let connection = Connection {
            id: name(&format!("{connector}-connection")),
            shared: self.shared,
            origin: self.origin.clone(),
            scopes: vec!["records".to_owned()],
            identity: self.identity.clone(),
        };
        let secret = self.token.clone().into();
        self.credentials
            .connect(connector, Some(name(PERSON)), connection, secret);
    }

    /// Sets a tool's mode.
    pub fn mode(&self, connector: &str, tool: &str, mode: Mode) {
        self.permissions
            .set_mode(name(AGENT), name(connector), name(tool), mode);
    }

    /// Says what the agent may touch.
    pub fn scope(&self, connector: &str, scope: Scope) {
        self.permissions
            .set_scope(name(AGENT), name(connector), scope);
    }

    /// Calls a tool.
    pub async fn call(&self, connector: &str, tool: &str, arguments: Value) -> Reply {
        self.host.call(call(connector, tool, arguments)).await
    }

    /// Gives the records of a call.
    pub fn records(&self, reply: &Reply) -> Vec<Record> {
        self.audit.records(reply.call.unwrap())
    }

    /// Gives the events of a call, by their names.
    pub fn events(&self, call: CallId) -> Vec<&'static str> {
        let records = self.audit.records(call);
        records.iter().map(|record| event(&record.event)).collect()
    }
}

/// Makes a call.
pub fn call(connector: &str, tool: &str, arguments: Value) -> Call {
    Call::new(name(AGENT), name(PERSON), name(connector), tool, arguments)
}

/// Gives what a request asked for: its path, those of the requests that it carried, and the message of one whose path does not say it.
pub fn paths(intent: &Intent) -> Vec<String> {
    let parts = intent.parts.iter().map(|part| &part.path);
    let paths = [&intent.path].into_iter().chain(parts);
    let mut asked: Vec<String> = paths.map(|path| path.expose().to_owned()).collect();
    asked.extend(intent.asked().map(str::to_owned));
    asked
}

/// Names an event.
pub fn event(event: &Event) -> &'static str {
    match event {
        Event::Opened(_) => "opened",
        Event::Step { .. } => "step",
        Event::Cited(_) => "cited",
        Event::Announced(_) => "announced",
        Event::Intended(_) => "intended",
        Event::Answered(_) => "answered",
        Event::Unseen { .. } => "unseen",
        Event::Denied { .. } => "denied",
        Event::Closed(_) => "closed",
        _ => "unknown",
    }
}

/// Gives the answer of a call that has one.
pub fn done(reply: Reply) -> Output {
    match reply.outcome {
        Outcome::Done(output) => output,
        other => panic!("the call has no answer: {other:?}"),
    }
}

/// Gives the name and code of how a call ended, such as `refused origin`.
pub fn ended(reply: &Reply) -> String {
    match reply.outcome.code() {
        Some(code) => format!("{} {code}", reply.outcome.name()),
        None => reply.outcome.name().to_owned(),
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("host", &self.host)
            .field("guard", self.host.guard())
            .field("credentials", &self.credentials)
            .field("approvals", &self.approvals)
            .field("permissions", &self.permissions)
            .field("audit", &self.audit)
            .finish_non_exhaustive()
    }
}
