//! Links to the page where a person connects an account, and to the one where they decide on a question (`questions`): what an agent hands on.

mod questions;

use std::time::Duration;

use async_trait::async_trait;
use portcullis::ApprovalId;
use portcullis::ports::Caller;
use portcullis_policy::{ConnectorName, Origin, PersonId};
use portcullis_store::{ApprovalLinks, ConnectLink, ConnectLinks, NoLink, Store};
use secrecy::{ExposeSecret, SecretString};

use crate::{LoopbackHost, pages_here};

pub(crate) use questions::{Questions, link_to_questions};

/// How long a link is good: the time in which somebody reads what an agent says.
pub const LINK_LASTS: Duration = Duration::from_secs(600);

/// Makes links to pages at a base address.
#[derive(Clone, Debug)]
pub struct Links {
    store: Store,
    base: Origin,
}

impl Links {
    /// Makes links for pages that are served at an origin.
    pub fn new(store: Store, base: Origin) -> Self {
        Self { store, base }
    }

    /// Gives the address of the page of all that waits for a person, who signs in there; on their own machine it is a link that opens all
    /// of it for [`LINK_LASTS`]: for that person's eyes alone. None where the store cannot make one.
    pub async fn to_all(&self, person: &PersonId) -> Option<String> {
        link_to_questions(&self.store, &self.base, Questions::All, person).await
    }
}

#[async_trait]
impl ConnectLinks for Links {
    async fn link(&self, caller: &Caller, connector: &ConnectorName) -> Result<String, NoLink> {
        link(&self.store, &self.base, caller, connector).await
    }
}

/// Makes links to the pages that another program with the same store serves on this machine, if one does.
#[derive(Clone, Debug)]
pub struct LinksHere {
    store: Store,
    host: LoopbackHost,
    port: u16,
}

impl LinksHere {
    /// Makes links for whoever serves pages at a port of this machine.
    pub fn new(store: Store, host: LoopbackHost, port: u16) -> Self {
        Self { store, host, port }
    }

    /// Gives a link to the page of all that waits for a person, as [`Links::to_all`] does; none where nobody serves the pages.
    pub async fn to_all(&self, person: &PersonId) -> Option<String> {
        let base = pages_here(&self.store, self.host, self.port).await?;
        link_to_questions(&self.store, &base, Questions::All, person).await
    }
}

#[async_trait]
impl ConnectLinks for LinksHere {
    async fn link(&self, caller: &Caller, connector: &ConnectorName) -> Result<String, NoLink> {
        match pages_here(&self.store, self.host, self.port).await {
            Some(base) => link(&self.store, &base, caller, connector).await,
            None => Err(NoLink::Nowhere),
        }
    }
}

#[async_trait]
impl ApprovalLinks for LinksHere {
    async fn link(&self, id: ApprovalId, person: &PersonId) -> Option<String> {
        let base = pages_here(&self.store, self.host, self.port).await?;
        link_to_questions(&self.store, &base, Questions::One(id), person).await
    }
}

#[async_trait]
impl ApprovalLinks for Links {
    async fn link(&self, id: ApprovalId, person: &PersonId) -> Option<String> {
        link_to_questions(&self.store, &self.base, Questions::One(id), person).await
    }
}

/// Makes a link; none where the store does not keep it.
pub(crate) async fn link(
    store: &Store,
    base: &Origin,
    caller: &Caller,
    connector: &ConnectorName,
) -> Result<String, NoLink> {
    let link = ConnectLink {
        person: caller.person.clone(),
        agent: Some(caller.agent.clone()),
        connector: connector.clone(),
    };
    match store.make_link(&link, LINK_LASTS).await {
        Ok(secret) => Ok(link_to(base, &secret)),
        Err(error) => {
            tracing::warn!(%connector, %error, "no link was made");
            Err(NoLink::Because("the store does not keep it".to_owned()))
        }
    }
}

/// Writes a link of which the store gave the secret part.
pub fn link_to(base: &Origin, secret: &SecretString) -> String {
    format!("{base}/connect/{}", secret.expose_secret())
}
