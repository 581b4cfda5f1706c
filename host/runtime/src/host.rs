//! The door for runtimes without an engine of their own: install connectors, call their tools.

use std::fmt;
use std::sync::Arc;

use portcullis_policy::{
    ActsAs, AgentId, Auth, ConnectorName, Decision, Digest, Mode, Novelty, PersonId,
};
use serde_json::Value;
use wasmtime::Engine;

use crate::cache::ComponentCache;
use crate::call::{self, Asked, Question, run};
use crate::connector::{Connector, InstallError, Tool};
use crate::guard::Guard;
use crate::ids::ApprovalId;
use crate::imports;
use crate::limits::Limits;
use crate::network::Network;
use crate::ports::approvals::Became;
use crate::ports::credentials::{Connection, Identity};
use crate::ports::{Caller, PortError, Ports};
use crate::registry::Registry;
use crate::reply::{Call, Cancellation, Outcome, Reply};
use crate::sandbox::{BuiltIn, Inspected, Sandbox};

/// Runs connectors. Clones are cheap and the same host.
#[derive(Clone)]
pub struct Host {
    shared: Arc<Shared>,
}

struct Shared {
    guard: Guard,
    sandbox: Sandbox,
    registry: Registry,
}

/// What became of a question that an agent asked.
#[derive(Debug)]
pub enum LookedUp {
    /// It is known how it stands, and there is no answer to hand out.
    Became(Became),
    /// What the approved call came to, as an answer to the agent: it is handed out this once.
    Answer(Reply),
}

/// A tool that an agent has.
#[derive(Clone, Debug)]
pub struct OfferedTool {
    connector: Arc<Connector>,
    index: usize,
    /// Its mode, as far as it is known before the connection is, and the rule that decided.
    pub decision: Decision,
    /// Whether an administrator has seen it as it is.
    pub novelty: Novelty,
}

impl OfferedTool {
    /// Gives the connector that it belongs to.
    pub fn connector(&self) -> &Connector {
        &self.connector
    }

    /// Gives the tool.
    pub fn tool(&self) -> &Tool {
        &self.connector.tools()[self.index]
    }
}

impl Host {
    /// Makes a host without connectors.
    ///
    /// # Errors
    ///
    /// [`InstallError::Engine`] when this machine cannot give what the limits reserve.
    pub fn new(
        limits: Limits,
        network: Network,
        cache: ComponentCache,
        ports: Ports,
    ) -> Result<Self, InstallError> {
        Ok(Self::in_sandbox(
            Sandbox::new(limits, cache)?,
            network,
            ports,
        ))
    }

    /// Makes a host without connectors in a sandbox that was made before.
    pub fn in_sandbox(sandbox: Sandbox, network: Network, ports: Ports) -> Self {
        Self {
            shared: Arc::new(Shared {
                guard: Guard::new(sandbox.limits().clone(), network, ports),
                sandbox,
                registry: Registry::default(),
            }),
        }
    }

    /// Inspects a component, as [`Sandbox::inspect`] does.
    ///
    /// # Errors
    ///
    /// [`InstallError`] says what is wrong with it.
    pub async fn inspect(&self, bytes: Vec<u8>) -> Result<Inspected, InstallError> {
        self.shared.sandbox.inspect(bytes).await
    }

    /// Inspects a component that was compiled before, as [`Sandbox::inspect_compiled`] does.
    ///
    /// # Errors
    ///
    /// [`InstallError`] says what is wrong with it.
    pub async fn inspect_compiled(
        &self,
        digest: Digest,
    ) -> Result<Option<Inspected>, InstallError> {
        self.shared.sandbox.inspect_compiled(digest).await
    }

    /// Inspects a component that is part of the program, as [`Sandbox::inspect_built_in`] does.
    ///
    /// # Errors
    ///
    /// As [`inspect`](Self::inspect), and [`InstallError::Digest`].
    pub async fn inspect_built_in(&self, built_in: BuiltIn) -> Result<Inspected, InstallError> {
        self.shared.sandbox.inspect_built_in(built_in).await
    }

    /// Makes an inspected version the active one of its name. Calls under way finish on the version before.
    ///
    /// `accepted` are the POST requests that an administrator believes to only read, each in the words of
    /// [`RouteSpec::accepted_as`](portcullis_policy::RouteSpec::accepted_as).
    ///
    /// # Errors
    ///
    /// [`InstallError::NeedsAcceptance`] names those that are missing, and [`InstallError::OtherSandbox`]; nothing changes then.
    pub fn activate(
        &self,
        inspected: Inspected,
        accepted: &[impl AsRef<str>],
    ) -> Result<Arc<Connector>, InstallError> {
        let missing = inspected.connector().manifest().not_accepted(accepted);
        match missing.is_empty() {
            true => self.activate_accepted(inspected),
            false => Err(InstallError::NeedsAcceptance(missing)),
        }
    }

    /// Makes an inspected version the active one of its name, of which somebody accepted all that it declares: that POST routes
    /// only read, among it. Calls under way finish on the version before.
    ///
    /// # Errors
    ///
    /// [`InstallError::OtherSandbox`]: it was inspected in another sandbox than this host's, and would run under that one's limits.
    pub fn activate_accepted(&self, inspected: Inspected) -> Result<Arc<Connector>, InstallError> {
        let program = &inspected.version.program;
        if !Engine::same(program.engine(), self.shared.sandbox.engine()) {
            return Err(InstallError::OtherSandbox);
        }
        let connector = inspected.version.connector.clone();
        let before = self.shared.registry.activate(inspected.version);
        tracing::info!(
            connector = %connector.manifest().name,
            version = %connector.manifest().version,
            digest = %connector.digest(),
            before = before.map(|version| version.connector.digest().to_string()),
            "a connector's version is active"
        );
        Ok(connector)
    }

    /// Takes a connector away, and says whether there was one. Calls under way finish.
    pub fn deactivate(&self, name: &ConnectorName) -> bool {
        let before = self.shared.registry.deactivate(name);
        if before.is_some() {
            tracing::info!(connector = %name, "a connector is gone");
        }
        before.is_some()
    }

    /// Gives the active version of a connector.
    pub fn connector(&self, name: &ConnectorName) -> Option<Arc<Connector>> {
        let version = self.shared.registry.get(name)?;
        Some(version.connector.clone())
    }

    /// Inspects a component and activates it.
    ///
    /// # Errors
    ///
    /// As [`inspect`](Self::inspect) and [`activate`](Self::activate); nothing changes then.
    pub async fn install(&self, bytes: Vec<u8>) -> Result<Arc<Connector>, InstallError> {
        let inspected = self.inspect(bytes).await?;
        self.activate(inspected, &[""; 0])
    }

    /// Lists the active connectors, by name.
    pub fn connectors(&self) -> Vec<Arc<Connector>> {
        let versions = self.shared.registry.all();
        versions
            .into_iter()
            .map(|version| version.connector.clone())
            .collect()
    }

    /// Lists the tools that an agent has for a person; those that are switched off are not listed.
    ///
    /// # Errors
    ///
    /// [`PortError`] when it cannot be found out.
    pub async fn tools(
        &self,
        agent: &AgentId,
        person: &PersonId,
    ) -> Result<Vec<OfferedTool>, PortError> {
        self.tools_where(agent, person, |_, _| true).await
    }

    /// Lists some of them, which takes less: for one call a server need not know all.
    ///
    /// # Errors
    ///
    /// As [`tools`](Self::tools).
    pub async fn tools_where(
        &self,
        agent: &AgentId,
        person: &PersonId,
        wanted: impl Fn(&Connector, &Tool) -> bool + Send + Sync,
    ) -> Result<Vec<OfferedTool>, PortError> {
        let caller = Caller {
            agent: agent.clone(),
            person: person.clone(),
        };
        let permissions = &self.shared.guard.ports().permissions;
        let mut offered = Vec::new();
        for connector in self.connectors() {
            let name = &connector.manifest().name;
            let Some(policy) = permissions
                .policy(&caller, name, connector.digest())
                .await?
            else {
                continue;
            };
            let acts_as = match (&connector.manifest().auth, &policy.acting) {
                (Auth::None, _) | (_, None) => ActsAs::Nobody,
                (_, Some(acting)) => acting.as_acts_as(),
            };
            let tools = connector.tools().iter().enumerate();
            for (index, tool) in tools.filter(|(_, tool)| wanted(&connector, tool)) {
                let ruled = call::ruled(&connector, tool);
                let decision = policy.decide(acts_as, &ruled);
                if decision.mode != Mode::Disabled {
                    offered.push(OfferedTool {
                        connector: connector.clone(),
                        index,
                        decision,
                        novelty: policy.seen.novelty(&tool.name, tool.effect),
                    });
                }
            }
        }
        Ok(offered)
    }

    /// Calls a tool. Dropping the future ends the call; a change that was sent by then is still recorded.
    ///
    /// Whatever goes wrong is in the reply.
    pub async fn call(&self, call: Call) -> Reply {
        let guard = &self.shared.guard;
        let Some(version) = self.shared.registry.get(&call.connector) else {
            return call::unknown(guard, call.into()).await;
        };
        let opened = match call::open(guard, version.connector.clone(), call.into()).await {
            Ok(opened) => opened,
            Err(reply) => return *reply,
        };
        let guest = run::tool(&self.shared.sandbox, &version.program, &opened).await;
        opened.settle_guest(guest).await
    }

    /// Looks whether a call would come as far as its connector now: whether that is there, the tool is on, the arguments fit, and there is an
    /// account whose address may be reached. Nothing of it runs or is counted, and it has no entry in the log.
    ///
    /// # Errors
    ///
    /// What the call would end with.
    pub async fn look(&self, call: Call) -> Result<(), Box<Outcome>> {
        let guard = &self.shared.guard;
        let version = self.shared.registry.get(&call.connector);
        let connector = version.map(|version| version.connector.clone());
        let connector =
            connector.ok_or_else(|| Box::new(call::unknown_connector(&call.connector).into()))?;
        let looked = call::look(guard, connector, call.into()).await;
        looked.map_err(Box::new)
    }

    /// Says what became of a question that this agent asked for this person; none where there is none of theirs. Looking
    /// decides nothing. An answer that was kept is handed out as a call's is: where the agent still has the tool, and on record.
    ///
    /// # Errors
    ///
    /// [`PortError`] when it cannot be found out.
    pub async fn look_up(
        &self,
        caller: &Caller,
        id: ApprovalId,
    ) -> Result<Option<LookedUp>, PortError> {
        let guard = &self.shared.guard;
        let Some(asked) = guard.ports().approvals.asked_before(caller, id).await? else {
            return Ok(None);
        };
        if asked.became != Became::Answered {
            return Ok(Some(LookedUp::Became(asked.became)));
        }
        let version = self.shared.registry.get(&asked.connector);
        let connector = version.map(|version| version.connector.clone());
        let reply = call::fetch(guard, connector, caller, &asked, id).await;
        Ok(Some(LookedUp::Answer(reply)))
    }

    /// Asks the service who is signed in, by the connector's `accounts.identify`.
    ///
    /// # Errors
    ///
    /// The reply that says what is wrong with the connection.
    pub async fn identify(
        &self,
        agent: &AgentId,
        person: &PersonId,
        connector: &ConnectorName,
    ) -> Result<Identity, Box<Reply>> {
        let (agent, person) = (agent.clone(), person.clone());
        let caller = Caller { agent, person };
        self.who(caller, connector, Asked::Identity).await
    }

    /// Asks as [`identify`](Self::identify) does, by a connection that nobody has yet: after every sign-in, so
    /// that one that cannot work is refused before an agent gets it. The port `Credentials` must have its secret.
    /// Whether the agent has the connector is not asked: it is the host that calls, in the name of both.
    ///
    /// # Errors
    ///
    /// The reply that says what is wrong with the connection.
    pub async fn identify_new(
        &self,
        agent: &AgentId,
        person: &PersonId,
        connector: &ConnectorName,
        connection: Connection,
    ) -> Result<Identity, Box<Reply>> {
        let (agent, person) = (agent.clone(), person.clone());
        let asked = Asked::NewIdentity(Box::new(connection));
        self.who(Caller { agent, person }, connector, asked).await
    }

    async fn who(
        &self,
        caller: Caller,
        connector: &ConnectorName,
        asked: Asked,
    ) -> Result<Identity, Box<Reply>> {
        let question = Question {
            agent: caller.agent,
            person: caller.person,
            connector: connector.clone(),
            asked,
            arguments: Value::Null,
            reason: None,
            rerun: None,
            progress: None,
            steps: None,
            cancellation: Cancellation::default(),
        };
        let guard = &self.shared.guard;
        let Some(version) = self.shared.registry.get(connector) else {
            return Err(Box::new(call::unknown(guard, question).await));
        };
        let opened = call::open(guard, version.connector.clone(), question).await?;
        let guest = run::identify(&self.shared.sandbox, &version.program, &opened).await;
        opened
            .settle_identity(guest)
            .await
            .map(imports::credentials::from_guest)
    }

    /// Gives the guard that this host's calls go through.
    pub fn guard(&self) -> &Guard {
        &self.shared.guard
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("connectors", &self.connectors())
            .finish_non_exhaustive()
    }
}
