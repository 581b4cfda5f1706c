//! A host with one account: the sample org's administrator, or whoever the given token belongs to.

mod credentials;

use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result};
use portcullis::network::{HostPort, Network, NetworkOptions};
use portcullis::policy::{AgentId, ConnectionId, ConnectorName, Origin, PersonId};
use portcullis::ports::credentials::{Connection, Identity};
use portcullis::ports::{MemoryApprovals, MemoryAudit, MemoryPermissions};
use portcullis::{BuiltIn, Call, ComponentCache, Connector, Host, Limits, Ports, Reply};
use portcullis_connect::App;
use portcullis_telemetry::{Watched, Watchers};
use salesforce_devorg::{DevOrg, Options};
use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::args;
use crate::bundled;
use crate::environment;
use crate::problem::Problem;
use credentials::{Accounts, Renewal};

/// What `--dev-org` and `--instance-url` come to.
enum Target {
    DevOrg(Box<DevOrg>),
    Given {
        origin: Origin,
        variable: String,
        token: SecretString,
    },
}

/// A host, its ports and its account.
pub(crate) struct World {
    pub(crate) host: Host,
    pub(crate) agent: AgentId,
    pub(crate) person: PersonId,
    pub(crate) audit: Arc<MemoryAudit>,
    permissions: Arc<MemoryPermissions>,
    accounts: Arc<Accounts>,
    origin: Option<Origin>,
    token: SecretString,
    /// It ends when it is dropped.
    dev_org: Option<Box<DevOrg>>,
}

/// Makes a host without an account, to look at connectors.
pub(crate) fn unconnected(cache: ComponentCache) -> Result<World> {
    let options = NetworkOptions::default();
    world(options, cache, None, Watchers::default())
}

/// Makes a host for the sample org.
pub(crate) async fn dev_org(options: NetworkOptions, cache: ComponentCache) -> Result<World> {
    sample_org(options, cache, Watchers::default()).await
}

async fn sample_org(
    options: NetworkOptions,
    cache: ComponentCache,
    watchers: Watchers,
) -> Result<World> {
    let org = DevOrg::start(Options::default()).await?;
    world(
        options,
        cache,
        Some(Target::DevOrg(Box::new(org))),
        watchers,
    )
}

/// Makes a host for the org that the arguments name.
pub(crate) async fn open(
    org: &args::Org,
    network: &args::NetworkArgs,
    cache: ComponentCache,
) -> Result<World> {
    open_watched(org, network, cache, Watchers::default()).await
}

/// Makes one with somebody who watches.
pub(crate) async fn open_watched(
    org: &args::Org,
    network: &args::NetworkArgs,
    cache: ComponentCache,
    watchers: Watchers,
) -> Result<World> {
    let options = environment::network(network)?;
    let (Some(url), Some(variable)) = (&org.instance_url, &org.access_token_env) else {
        return sample_org(options, cache, watchers).await;
    };
    let origin = bundled::salesforce::instance_url(url, &options.allow_private)?;
    let token = environment::access_token(variable)?;
    let variable = variable.clone();
    let target = Target::Given {
        origin,
        variable,
        token,
    };
    world(options, cache, Some(target), watchers)
}

fn world(
    mut options: NetworkOptions,
    cache: ComponentCache,
    target: Option<Target>,
    watchers: Watchers,
) -> Result<World> {
    let mut token = SecretString::default();
    let mut dev_org = None;
    let (origin, renewal) = match target {
        None => (None, Renewal::None),
        Some(Target::Given {
            origin,
            variable,
            token: given,
        }) => {
            token = given;
            (Some(origin), Renewal::Variable(variable))
        }
        Some(Target::DevOrg(org)) => {
            let origin = Origin::parse(org.url())?;
            let destination = HostPort::new(origin.host(), origin.port());
            options.allow_private.push(destination.clone());
            let user = org.users().first().context("the sample org has no users")?;
            token = user.access_token.clone().into();
            // It is this process: no proxy, nothing of the operator's settings.
            let network = Network::new(NetworkOptions {
                allow_private: vec![destination],
                ..NetworkOptions::default()
            })?;
            let renewal = Renewal::DevOrg(Box::new(credentials::Renewer {
                network,
                origin: origin.clone(),
                app: App {
                    client_id: org.client_id().to_owned(),
                    client_secret: Some(org.client_secret().to_owned().into()),
                },
                refresh_token: Mutex::new(SecretString::from(user.refresh_token.clone())),
                manifest: OnceLock::new(),
            }));
            dev_org = Some(org);
            (Some(origin), renewal)
        }
    };
    let accounts = Arc::new(Accounts::new(renewal));
    let permissions = Arc::new(MemoryPermissions::new());
    let audit = Arc::new(MemoryAudit::new());
    let ports = Ports {
        credentials: accounts.clone(),
        permissions: permissions.clone(),
        approvals: Arc::new(MemoryApprovals::new()?),
        audit: match watchers.is_empty() {
            true => audit.clone(),
            false => Arc::new(Watched::new(audit.clone(), watchers)),
        },
    };
    let host = Host::new(Limits::default(), Network::new(options)?, cache, ports)?;
    Ok(World {
        host,
        agent: AgentId::parse("local")?,
        person: environment::person()?.0,
        audit,
        permissions,
        accounts,
        origin,
        token,
        dev_org,
    })
}

impl World {
    /// Installs a component that the program carries, offers it to the agent, and connects the account to it.
    pub(crate) async fn install(&self, component: BuiltIn) -> Result<Arc<Connector>> {
        let connector = bundled::activate(&self.host, component).await?;
        let name = connector.manifest().name.clone();
        self.permissions.trust(self.agent.clone(), name.clone());
        self.accounts.is_active(connector.manifest());
        if let Some(origin) = &self.origin {
            let connection = Connection {
                id: ConnectionId::parse(name.as_str())?,
                shared: false,
                origin: origin.clone(),
                scopes: Vec::new(),
                identity: None,
            };
            let person = Some(self.person.clone());
            self.accounts
                .known
                .connect(name, person, connection, self.token.clone());
        }
        Ok(connector)
    }

    /// Installs the Salesforce connector and asks the org who is signed in, so that what cannot work is
    /// found out at once, and a query needs no further request.
    pub(crate) async fn connect(&self) -> Result<(Arc<Connector>, Identity)> {
        let connector = self.install(bundled::salesforce()?).await?;
        let name = &connector.manifest().name;
        match self.host.identify(&self.agent, &self.person, name).await {
            Ok(identity) => {
                let id = ConnectionId::parse(name.as_str())?;
                self.accounts.known.identified(&id, identity.clone());
                Ok((connector, identity))
            }
            Err(reply) => {
                let problem = Problem::of_reply(&reply)
                    .context("nothing went wrong, and nobody is signed in")?;
                Err(problem.into())
            }
        }
    }

    /// Calls a tool.
    pub(crate) async fn call(
        &self,
        connector: &ConnectorName,
        tool: &str,
        arguments: Value,
    ) -> Reply {
        let call = Call::new(
            self.agent.clone(),
            self.person.clone(),
            connector.clone(),
            tool,
            arguments,
        );
        self.host.call(call).await
    }

    /// Gives the org that runs inside the program, if it does.
    pub(crate) fn dev_org(&self) -> Option<&DevOrg> {
        self.dev_org.as_deref()
    }
}
