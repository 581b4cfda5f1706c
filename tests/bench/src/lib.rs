//! What the benchmarks share: a host with ports in memory, and calls.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use portcullis::network::{HostPort, NetworkOptions};
use portcullis::policy::{AgentId, ConnectionId, ConnectorName, Mode, Origin, PersonId};
use portcullis::ports::credentials::Connection;
use portcullis::ports::{
    AuditLog, MemoryApprovals, MemoryAudit, MemoryCredentials, MemoryPermissions,
};
use portcullis::{Call, ComponentCache, Host, Limits, Network, Outcome, Ports};
use salesforce_devorg::DevOrg;
use serde_json::Value;

/// The smallest connector.
pub const HELLO: &str = env!("HELLO_COMPONENT");

/// The Salesforce connector.
pub const SALESFORCE: &str = env!("SALESFORCE_COMPONENT");

/// Gives the path of the program: `target/release/portcullis`, beside a benchmark's own in `target/release/deps`.
///
/// # Errors
///
/// When it cannot be found out where this program is.
pub fn program() -> Result<PathBuf> {
    let mine = std::env::current_exe()?;
    let release = mine.ancestors().nth(2).context("no folder above")?;
    Ok(release.join("portcullis"))
}

/// A host whose ports are in memory, and handles to those.
pub struct World {
    /// The host.
    pub host: Host,
    credentials: Arc<MemoryCredentials>,
    permissions: Arc<MemoryPermissions>,
}

/// Wraps a name that is one.
fn name<T: std::str::FromStr>(text: &str) -> Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    Ok(text.parse()?)
}

impl World {
    /// Makes a host that may reach `org`, if there is one.
    ///
    /// # Errors
    ///
    /// When the host cannot be made.
    pub fn new(cache: ComponentCache, org: Option<&Origin>) -> Result<Self> {
        Self::with_audit(cache, org, Arc::new(MemoryAudit::of_calls(64)))
    }

    /// Makes a host with the Salesforce connector, connected to an org.
    ///
    /// # Errors
    ///
    /// When the host cannot be made, or does not take the connector.
    pub async fn of_salesforce(org: &DevOrg) -> Result<(Self, ConnectorName)> {
        let world = Self::new(ComponentCache::none(), Some(&Origin::parse(org.url())?))?;
        let connector = world.install(SALESFORCE).await?;
        world.connect(&connector, org).await?;
        Ok((world, connector))
    }

    /// Makes a host that may reach `org`, if there is one, with an audit log of the caller's.
    ///
    /// # Errors
    ///
    /// When the host cannot be made.
    pub fn with_audit(
        cache: ComponentCache,
        org: Option<&Origin>,
        audit: Arc<dyn AuditLog>,
    ) -> Result<Self> {
        let (credentials, permissions) =
            <(Arc<MemoryCredentials>, Arc<MemoryPermissions>)>::default();
        let mut network = NetworkOptions::default();
        network
            .allow_private
            .extend(org.map(|org| HostPort::new(org.host(), org.port())));
        let ports = Ports {
            credentials: credentials.clone(),
            permissions: permissions.clone(),
            approvals: Arc::new(MemoryApprovals::new()?),
            audit,
        };
        let host = Host::new(Limits::default(), Network::new(network)?, cache, ports)?;
        Ok(Self {
            host,
            credentials,
            permissions,
        })
    }

    /// Installs the component in a file and gives it to the agent.
    ///
    /// # Errors
    ///
    /// When it cannot be read or installed.
    pub async fn install(&self, path: &str) -> Result<ConnectorName> {
        let bytes = std::fs::read(path).with_context(|| format!("could not read `{path}`"))?;
        let inspected = self.host.inspect(bytes).await?;
        // As the program takes the connector that it brings along.
        let connector = self.host.activate_accepted(inspected)?;
        let connector = connector.manifest().name.clone();
        self.permissions.offer(name("bench")?, connector.clone());
        Ok(connector)
    }

    /// Connects the Salesforce connector to an org, as its administrator.
    ///
    /// # Errors
    ///
    /// When the org has no administrator, or does not say who that is.
    pub async fn connect(&self, connector: &ConnectorName, org: &DevOrg) -> Result<()> {
        let user = org.users().first().context("the org has no users")?;
        let id: ConnectionId = name("bench")?;
        let connection = Connection {
            id: id.clone(),
            shared: false,
            origin: Origin::parse(org.url())?,
            scopes: vec!["api".to_owned()],
            identity: None,
        };
        let (agent, person): (AgentId, PersonId) = (name("bench")?, name("me")?);
        let secret = user.access_token.clone().into();
        self.credentials
            .connect(connector.clone(), Some(person.clone()), connection, secret);
        match self.host.identify(&agent, &person, connector).await {
            Ok(identity) => self.credentials.identified(&id, identity),
            Err(reply) => bail!("the org does not say who is signed in: {:?}", reply.outcome),
        }
        Ok(())
    }

    /// Lets the agent call a tool without asking anybody.
    ///
    /// # Errors
    ///
    /// When the name is none.
    pub fn allow(&self, connector: &ConnectorName, tool: &str) -> Result<()> {
        let (agent, tool) = (name("bench")?, name(tool)?);
        self.permissions
            .set_mode(agent, connector.clone(), tool, Mode::Allow);
        Ok(())
    }

    /// Makes a call.
    ///
    /// # Errors
    ///
    /// When a name is none.
    pub fn call(connector: &ConnectorName, tool: &str, arguments: Value) -> Result<Call> {
        let (agent, person) = (name("bench")?, name("me")?);
        Ok(Call::new(agent, person, connector.clone(), tool, arguments))
    }

    /// Calls a tool and gives its text.
    ///
    /// # Errors
    ///
    /// When it has no answer: a benchmark of failures would be one of something else.
    pub async fn answer(&self, call: Call) -> Result<String> {
        match self.host.call(call).await.outcome {
            Outcome::Done(output) => Ok(output.text),
            other => bail!("the call has no answer: {other:?}"),
        }
    }
}
