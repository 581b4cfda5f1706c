//! A host whose agents, people and accounts are the store's: who asks, for whom, and with which connectors.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use portcullis::network::{Network, NetworkOptions};
use portcullis::policy::{AgentId, ConnectorName, Origin, PersonId};
use portcullis::ports::Caller;
use portcullis::{Call, ComponentCache, Connector, Host, Outcome, Ports, RefusalCode, Reply};
use portcullis_connect::{
    Accounts, ActiveManifests, Decisions, Links, LinksHere, LoopbackHost, LoopbackPages, Renewal,
};
use portcullis_store::{
    Account, ApprovalLinks, ConnectLinks, Found, Store, StoreApprovals, StoreAudit,
    StoreConnectors, StoreCredentials, StorePermissions,
};
use portcullis_telemetry::{Watched, Watchers};
use serde_json::Value;
use tokio::sync::watch;

use crate::activity;
use crate::args::{NetworkArgs, StoreSettings, Who};
use crate::bundled;
use crate::catalog;
use crate::clients::{Clients, Offering};
use crate::connectors;
use crate::environment;
use crate::home::{Home, Session};
use crate::person;
use crate::prepare::{Prepared, Preparing};
use crate::problem::Problem;
use crate::show::table::shown;

/// Where one agent works for one person.
pub(crate) struct Desk {
    pub(crate) host: Host,
    pub(crate) agent: AgentId,
    pub(crate) person: PersonId,
    pub(crate) audit: StoreAudit,
    pub(crate) store: Store,
    /// Who is at the keyboard.
    me: PersonId,
    connectors: Arc<StoreConnectors>,
    manifests: Arc<ActiveManifests>,
}

/// Where a person connects an account that an agent needs.
pub(crate) enum Where {
    /// Nowhere: no links are made.
    Nowhere,
    /// At whichever program with this store serves pages at a port of this machine; nowhere, if none does.
    AtAnothers(u16),
    /// On this machine, while a link is open.
    Here(Arc<LoopbackPages>),
    /// At another program's pages, on the same store.
    At(Origin),
}

/// Gives the addresses of the pages, for agents to hand on.
pub(crate) struct PageLinks {
    connect: Arc<dyn ConnectLinks>,
    approve: Arc<dyn ApprovalLinks>,
}

impl PageLinks {
    pub(crate) fn of(links: impl ConnectLinks + ApprovalLinks + 'static) -> Self {
        Self::of_shared(Arc::new(links))
    }

    pub(crate) fn of_shared(links: Arc<impl ConnectLinks + ApprovalLinks + 'static>) -> Self {
        Self {
            connect: links.clone(),
            approve: links,
        }
    }
}

impl Desk {
    /// Opens the store and makes a host on it, with every connector that there is.
    pub(crate) async fn open(
        store: &StoreSettings,
        who: &Who,
        network: &NetworkArgs,
        cache: ComponentCache,
        pages: Where,
    ) -> Result<Self> {
        Self::open_watched(store, who, network, cache, pages, Watchers::default()).await
    }

    /// Does so with somebody who watches.
    pub(crate) async fn open_watched(
        store: &StoreSettings,
        who: &Who,
        network: &NetworkArgs,
        cache: ComponentCache,
        pages: Where,
        watchers: Watchers,
    ) -> Result<Self> {
        let options = environment::network(network)?;
        let home = Home::of(store)?;
        let preparing = Preparing::begin(cache);
        let session = home.open_existing().await?;
        let person = person(&session, who).await?;
        let agent = agent(&session.store, who).await?;
        let (store, me) = (session.store.clone(), session.me.id.clone());
        let (pages, links) = match pages {
            Where::Nowhere => (None, None),
            Where::AtAnothers(port) => {
                let store = session.store.clone();
                let links = LinksHere::new(store, LoopbackHost::Localhost, port);
                (None, Some(PageLinks::of(links)))
            }
            Where::Here(pages) => (Some(pages.clone()), Some(PageLinks::of_shared(pages))),
            Where::At(base) => {
                let links = Links::new(session.store.clone(), base);
                (None, Some(PageLinks::of(links)))
            }
        };
        let built = watched(session.store, options, preparing, links, watchers).await?;
        if let Some(pages) = pages {
            // They need the host, and are part of one of its ports.
            tokio::spawn(sweep(built.accounts.clone()));
            let audit = built.audit.clone();
            let decisions = Decisions::new(store.clone(), built.host.clone(), audit);
            pages.serve(built.accounts.clone(), built.offers(), Some(decisions));
        }
        Ok(Self {
            host: built.host,
            agent,
            person,
            audit: built.audit,
            store,
            me,
            connectors: built.connectors,
            manifests: built.manifests,
        })
    }

    /// Takes over what an administrator changes from now on, for as long as the program serves, and says when the agent's tools
    /// may be others.
    pub(crate) fn follow(&self) -> watch::Receiver<i64> {
        follow(&self.connectors, &self.manifests)
    }

    /// Gives for whom the agent works, where that is not who is at the keyboard.
    pub(crate) fn somebody_else(&self) -> Option<&PersonId> {
        (self.person != self.me).then_some(&self.person)
    }

    /// Finds the connector that has a tool: rather one that the agent has, too. One of the agent's that does not have it says which tools
    /// there are.
    async fn having(&self, tool: &str) -> Result<Arc<Connector>> {
        let connectors = self.host.connectors();
        if connectors.is_empty() {
            let message = "no connector can be used";
            let hint = "`portcullis connector list` says why".to_owned();
            return Err(Problem::failure("no_connector", message, Some(hint)).into());
        }
        let agents = self.store.agents().await?;
        let agent = agents.iter().find(|one| one.id == self.agent);
        let is_given = |connector: &Connector| {
            agent.is_some_and(|one| one.connectors.contains_key(&connector.manifest().name))
        };
        let with_it = || {
            connectors
                .iter()
                .filter(move |one| one.tool(tool).is_some())
        };
        let found = with_it()
            .find(|one| is_given(one))
            .or_else(|| with_it().next())
            .or_else(|| connectors.iter().find(|one| is_given(one)));
        let none = || {
            let message = format!("no connector that is in use has a tool `{}`", shown(tool));
            let hint = "`portcullis connector list` lists the connectors, and says which wait to be accepted";
            Problem::mistake("unknown_tool", message, hint)
        };
        Ok(found.cloned().ok_or_else(none)?)
    }

    /// Calls a tool of whichever connector has it.
    pub(crate) async fn call(
        &self,
        tool: &str,
        arguments: Value,
        reason: Option<String>,
    ) -> Result<Reply> {
        let name = self.having(tool).await?.manifest().name.clone();
        let mut call = Call::new(
            self.agent.clone(),
            self.person.clone(),
            name.clone(),
            tool,
            arguments,
        );
        call.reason = reason;
        let mut reply = self.host.call(call).await;
        if let Outcome::ConnectRequired(connect) = &mut reply.outcome
            && connect.link.is_none()
            && let Some(cure) = self.cure(&name).await?
        {
            connect.advice += &format!(" ({cure})");
        }
        if let Outcome::Refused(refusal) = &mut reply.outcome
            && refusal.code == RefusalCode::NotOffered
        {
            let agent = &self.agent;
            refusal.allow = Some(format!("portcullis agent give {agent} {name}"));
        }
        Ok(reply)
    }
}

impl Desk {
    /// Gives the command by which a call would have its account, and whose it is to run.
    async fn cure(&self, connector: &ConnectorName) -> Result<Option<String>> {
        let (agent, person) = (&self.agent, &self.person);
        let caller = Caller {
            agent: agent.clone(),
            person: person.clone(),
        };
        let own = || match *person == self.me {
            true => format!("`portcullis connect {connector}`"),
            false => format!(
                "`{person}` does so themselves: `portcullis connect {connector}` run by them, or by a link, which the same call \
                 gives while the pages of a `portcullis serve` are open here, or with `--public-url`"
            ),
        };
        let agents = self.store.agents().await?;
        let account = agents.iter().find(|one| one.id == *agent);
        let account = account.and_then(|one| one.connectors.get(connector));
        Ok(
            match (self.store.find(&caller, connector).await?, account) {
                (Found::NoneOfTheirOwn, _) => Some(own()),
                (Found::Connection(one), _) if one.owner.person().is_some() => Some(own()),
                (Found::Connection(one), _) => Some(format!(
                    "`portcullis connect {connector} --again {}`",
                    one.id
                )),
                (Found::NotShared, Some(Account::Shared(id))) => Some(format!(
                    "`portcullis connections share {id} --person {person}`"
                )),
                (Found::Removed, _) => Some(format!(
                    "`portcullis agent give {agent} {connector} --shared CONNECTION`"
                )),
                (Found::NotOffered, _) => {
                    Some(format!("`portcullis agent give {agent} {connector}`"))
                }
                (Found::NotShared, _) => None,
            },
        )
    }
}

/// How often sign-ins that somebody left in the middle are tidied up.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

/// How often it is looked whether a question is over, or an answer that nobody fetched.
const SWEEP_APPROVALS_EVERY: Duration = Duration::from_secs(30);

/// Tidies up for as long as the program serves.
pub(crate) async fn sweep(accounts: Accounts) {
    let mut every = tokio::time::interval(SWEEP_EVERY);
    loop {
        every.tick().await;
        if let Err(error) = accounts.sweep().await {
            tracing::warn!(%error, "unfinished sign-ins were not tidied up");
        }
    }
}

/// A host on a store, and what accounts are connected with.
pub(crate) struct Built {
    pub(crate) host: Host,
    pub(crate) accounts: Accounts,
    pub(crate) clients: Clients,
    pub(crate) audit: StoreAudit,
    pub(crate) connectors: Arc<StoreConnectors>,
    pub(crate) manifests: Arc<ActiveManifests>,
}

impl Built {
    /// Gives how people sign in, for the pages.
    pub(crate) fn offers(&self) -> Arc<Offering> {
        Arc::new(Offering {
            clients: self.clients.clone(),
            host: self.host.clone(),
        })
    }
}

/// Makes a host on a store, with every connector that is installed there or that the program carries.
pub(crate) async fn host(
    store: Store,
    options: NetworkOptions,
    cache: ComponentCache,
    links: Option<PageLinks>,
) -> Result<Built> {
    let preparing = Preparing::begin(cache);
    watched(store, options, preparing, links, Watchers::default()).await
}

/// Makes one with somebody who watches.
pub(crate) async fn watched(
    store: Store,
    options: NetworkOptions,
    preparing: Preparing,
    links: Option<PageLinks>,
    watchers: Watchers,
) -> Result<Built> {
    let allowed = options.allow_private.clone();
    let network = Network::new(options)?;
    let audit = StoreAudit::open(store.clone()).await?;
    activity::say_cut_off(audit.cut_off())?;
    let manifests = Arc::new(ActiveManifests::new());
    let renew = Renewal::new(store.clone(), network.clone(), manifests.clone());
    let mut approvals = StoreApprovals::open(store.clone())
        .await?
        .sweeping(SWEEP_APPROVALS_EVERY);
    let (connect, approve) = links.map(|links| (links.connect, links.approve)).unzip();
    if let Some(links) = approve {
        approvals = approvals.with_links(links);
    }
    let carried = bundled::carried()?.into_iter();
    let carried = carried.map(|(name, component)| (name, component.digest));
    let ports = Ports {
        credentials: Arc::new(StoreCredentials::new(
            store.clone(),
            Arc::new(renew),
            connect,
        )),
        permissions: Arc::new(StorePermissions::new(store.clone(), carried)),
        approvals: Arc::new(approvals),
        audit: match watchers.is_empty() {
            true => Arc::new(audit.clone()),
            false => Arc::new(Watched::new(Arc::new(audit.clone()), watchers)),
        },
    };
    let Prepared { sandbox, inspected } = preparing.ready().await?;
    let host = Host::in_sandbox(sandbox, network.clone(), ports);
    let connectors = connectors::on(&store, &host)?.with_inspected(inspected);
    let connectors = Arc::new(connectors);
    connectors.take_over().await?;
    for connector in host.connectors() {
        catalog::meet(&store, &connector).await?;
    }
    manifests.take_from(&host);
    let asks = Arc::new(host.clone());
    Ok(Built {
        accounts: Accounts::new(store.clone(), network, asks, manifests.clone()),
        clients: Clients { store, allowed },
        host,
        audit,
        connectors,
        manifests,
    })
}

/// Takes over what an administrator changes, in a task of its own.
pub(crate) fn follow(
    connectors: &Arc<StoreConnectors>,
    manifests: &Arc<ActiveManifests>,
) -> watch::Receiver<i64> {
    let (changes, told) = watch::channel(0);
    let (connectors, manifests) = (Arc::clone(connectors), Arc::clone(manifests));
    tokio::spawn(async move {
        let taken_over = |host: &Host| manifests.take_from(host);
        connectors.follow(changes, taken_over).await;
    });
    told
}

/// For whom: the person at the keyboard, or another one if that one administers.
async fn person(session: &Session, who: &Who) -> Result<PersonId> {
    let Some(person) = &who.person else {
        return Ok(session.me.id.clone());
    };
    if *person != session.me.id {
        session.require_administrator().await?;
    }
    Ok(person::require(&session.store, person).await?.id)
}

/// Which agent: the one that is named, or the only one that there is.
pub(crate) async fn agent(store: &Store, who: &Who) -> Result<AgentId> {
    let agents = store.agents().await?;
    let ids = || {
        let ids: Vec<&str> = agents.iter().map(|agent| agent.id.as_str()).collect();
        ids.join(", ")
    };
    let (message, hint) = match (&who.agent, agents.as_slice()) {
        (_, []) => (
            "there are no agents yet".to_owned(),
            "make one and give it a connector: portcullis agent add helper && portcullis agent give helper salesforce"
                .to_owned(),
        ),
        (None, [agent]) => return Ok(agent.id.clone()),
        (None, _) => (
            "there are several agents, and none is named".to_owned(),
            format!("name one with `--agent ID`: {}", ids()),
        ),
        (Some(id), agents) if agents.iter().any(|agent| agent.id == *id) => return Ok(id.clone()),
        (Some(id), _) => (
            format!("there is no agent `{id}`"),
            format!("those that there are: {}", ids()),
        ),
    };
    Err(Problem::mistake("agent", message, hint).into())
}
