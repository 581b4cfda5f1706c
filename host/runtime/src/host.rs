//! The door for runtimes without an engine of their own: install connectors, call their tools.

use std::fmt;
use std::sync::Arc;

use portcullis_policy::{
    ActsAs, AgentId, Auth, ConnectorName, Decision, Digest, Mode, Novelty, PersonId,
};
use serde_json::Value;
use tokio::sync::Semaphore;
use wasmtime::component::{Component, Linker};

use crate::bindings::ConnectorPre;
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
use crate::registry::{Registry, Version};
use crate::reply::{Call, Cancellation, Reply};
use crate::state::State;

/// Runs connectors. Clones are cheap and the same host.
#[derive(Clone)]
pub struct Host {
    shared: Arc<Shared>,
}

struct Shared {
    guard: Guard,
    sandbox: run::Sandbox,
    linker: Linker<State>,
    cache: ComponentCache,
    registry: Registry,
}

/// A component that is part of the program, and its digest, taken when the program was built.
#[derive(Clone, Copy, Debug)]
pub struct BuiltIn {
    /// The component.
    pub bytes: &'static [u8],
    /// The digest of these bytes.
    pub digest: Digest,
}

/// A version of a connector that was inspected and may be activated.
pub struct Inspected {
    version: Arc<Version>,
}

impl Inspected {
    /// Gives what was found.
    pub fn connector(&self) -> &Connector {
        &self.version.connector
    }
}

impl fmt::Debug for Inspected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Inspected")
            .field(&self.version.connector)
            .finish()
    }
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
        let engine = crate::engine::engine(&limits).map_err(InstallError::Engine)?;
        let mut linker = Linker::new(&engine);
        crate::linker::add_to_linker(&mut linker).map_err(InstallError::Engine)?;
        let slots = usize::try_from(limits.concurrent_calls_max).unwrap_or(Semaphore::MAX_PERMITS);
        let slots = Arc::new(Semaphore::new(slots.min(Semaphore::MAX_PERMITS)));
        Ok(Self {
            shared: Arc::new(Shared {
                guard: Guard::new(limits, network, ports),
                sandbox: run::Sandbox { engine, slots },
                linker,
                cache,
                registry: Registry::default(),
            }),
        })
    }

    /// Compiles and inspects a component, and activates nothing.
    ///
    /// # Errors
    ///
    /// [`InstallError`] says what is wrong with it.
    pub async fn inspect(&self, bytes: Vec<u8>) -> Result<Inspected, InstallError> {
        is_component(&bytes)?;
        self.inspect_by(move |shared| {
            let digest = Digest::of(&bytes);
            let engine = &shared.sandbox.engine;
            let component = shared.cache.compile(engine, digest, &bytes);
            Ok((digest, component.map_err(InstallError::Compile)?))
        })
        .await
    }

    /// Inspects a component that was compiled before, of which no more than its digest is needed; none where the cache does not have
    /// it.
    ///
    /// # Errors
    ///
    /// [`InstallError`] says what is wrong with it.
    pub async fn inspect_compiled(
        &self,
        digest: Digest,
    ) -> Result<Option<Inspected>, InstallError> {
        let shared = self.shared.clone();
        let find = move || shared.cache.find(&shared.sandbox.engine, digest);
        let found = tokio::task::spawn_blocking(find)
            .await
            .map_err(|error| InstallError::Engine(wasmtime::Error::new(error)))?;
        match found {
            Some(component) => Ok(Some(self.inspected(digest, component).await?)),
            None => Ok(None),
        }
    }

    /// Inspects a component that is part of the program, as [`inspect`](Self::inspect) does. Where the cache has it
    /// compiled, its bytes are not even read.
    ///
    /// # Errors
    ///
    /// As [`inspect`](Self::inspect), and [`InstallError::Digest`].
    pub async fn inspect_built_in(&self, built_in: BuiltIn) -> Result<Inspected, InstallError> {
        self.inspect_by(move |shared| {
            let BuiltIn { bytes, digest } = built_in;
            let engine = &shared.sandbox.engine;
            if let Some(component) = shared.cache.find(engine, digest) {
                return Ok((digest, component));
            }
            is_component(bytes)?;
            if Digest::of(bytes) != digest {
                return Err(InstallError::Digest(digest));
            }
            let component = shared.cache.compile(engine, digest, bytes);
            Ok((digest, component.map_err(InstallError::Compile)?))
        })
        .await
    }

    async fn inspect_by(
        &self,
        compile: impl FnOnce(&Shared) -> Result<(Digest, Component), InstallError> + Send + 'static,
    ) -> Result<Inspected, InstallError> {
        let shared = self.shared.clone();
        let (digest, component) = tokio::task::spawn_blocking(move || compile(&shared))
            .await
            .map_err(|error| InstallError::Engine(wasmtime::Error::new(error)))??;
        self.inspected(digest, component).await
    }

    async fn inspected(
        &self,
        digest: Digest,
        component: Component,
    ) -> Result<Inspected, InstallError> {
        let engine = &self.shared.sandbox.engine;
        let connector = Connector::inspect(engine, &component, digest).await?;
        let program = self
            .shared
            .linker
            .instantiate_pre(&component)
            .and_then(ConnectorPre::new)
            .map_err(InstallError::Link)?;
        Ok(Inspected {
            version: Arc::new(Version {
                connector: Arc::new(connector),
                program,
            }),
        })
    }

    /// Makes an inspected version the active one of its name. Calls under way finish on the version before.
    ///
    /// `accepted` are the paths of POST routes that an administrator believes to only read.
    ///
    /// # Errors
    ///
    /// [`InstallError::NeedsAcceptance`] names those that are missing; nothing changes then.
    pub fn activate(
        &self,
        inspected: Inspected,
        accepted: &[&str],
    ) -> Result<Arc<Connector>, InstallError> {
        let manifest = inspected.connector().manifest();
        let missing: Vec<String> = manifest
            .posts_declared_read()
            .into_iter()
            .filter(|route| !accepted.contains(&route.path.as_str()))
            .map(|route| route.path.clone())
            .collect();
        match missing.is_empty() {
            true => Ok(self.activate_accepted(inspected)),
            false => Err(InstallError::NeedsAcceptance(missing)),
        }
    }

    /// Makes an inspected version the active one of its name, of which somebody accepted all that it declares: that POST routes
    /// only read, among it. Calls under way finish on the version before.
    pub fn activate_accepted(&self, inspected: Inspected) -> Arc<Connector> {
        let connector = inspected.version.connector.clone();
        let before = self.shared.registry.activate(inspected.version);
        tracing::info!(
            connector = %connector.manifest().name,
            version = %connector.manifest().version,
            digest = %connector.digest(),
            before = before.map(|version| version.connector.digest().to_string()),
            "a connector's version is active"
        );
        connector
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
        self.activate(inspected, &[])
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
            for (index, tool) in connector.tools().iter().enumerate() {
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

/// Tells what is no component by its first bytes, for the compiler's words would not.
fn is_component(bytes: &[u8]) -> Result<(), InstallError> {
    const MAGIC: &[u8] = b"\0asm";
    const MODULE: &[u8] = b"\x01\0\0\0";
    let Some(version) = bytes.strip_prefix(MAGIC) else {
        return Err(InstallError::NotAComponent(
            "it does not begin as WebAssembly does; give the `.wasm` file that the build made",
        ));
    };
    if version.starts_with(MODULE) {
        return Err(InstallError::NotAComponent(
            "it is a core module; build it for `wasm32-wasip2`, or wrap it with `wasm-tools component new`",
        ));
    }
    Ok(())
}
