//! Links to the page where a person connects an account, and to the one where they decide on a question: what an agent hands on.
//!
//! The attack on the second: another user of the machine, who has read or guessed a question's id, opens the page in the person's name. Where
//! nobody signs in, on the person's own machine, the link therefore has a proof that this store made it for this person.

use std::time::Duration;

use async_trait::async_trait;
use portcullis::ApprovalId;
use portcullis::ports::Caller;
use portcullis_policy::{ConnectorName, Origin, PersonId};
use portcullis_store::{ApprovalLinks, ConnectLink, ConnectLinks, NoLink, Store, StoreError};
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;

use crate::{LoopbackHost, pages_here};

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

/// What a page of questions is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Questions {
    /// All that wait for a person.
    All,
    /// One.
    One(ApprovalId),
}

impl Questions {
    /// Gives the page's path.
    pub(crate) fn path(self) -> String {
        match self {
            Self::All => "/approvals".to_owned(),
            Self::One(id) => format!("/approve/{id}"),
        }
    }

    /// Gives what is proved by a link for a person. It is no challenge that others may have answered.
    fn challenge(self, person: &PersonId) -> String {
        format!("{} {person}", self.path())
    }

    /// Makes the query by which a person is let in where nobody signs in.
    pub(crate) async fn query(
        self,
        store: &Store,
        person: &PersonId,
    ) -> Result<String, StoreError> {
        let key = store.prove(&self.challenge(person)).await?;
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("of", person.as_str())
            .append_pair("key", &key)
            .finish();
        Ok(query)
    }

    /// Says for whom a query was made; none where it was not made for this page, by this store.
    pub(crate) async fn person(self, store: &Store, query: &str) -> Option<PersonId> {
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        let param = |wanted: &str| {
            let mut found = pairs.iter().filter(|(name, _)| name == wanted);
            let (_, value) = found.next()?;
            found.next().is_none().then_some(value)
        };
        let person = PersonId::parse(param("of")?.to_string()).ok()?;
        let is_it = store
            .is_proof(&self.challenge(&person), param("key")?)
            .await;
        is_it.then_some(person)
    }
}

/// Gives the address of a page of questions for a person; none where the store cannot make one.
pub(crate) async fn link_to_questions(
    store: &Store,
    base: &Origin,
    what: Questions,
    person: &PersonId,
) -> Option<String> {
    let path = what.path();
    if base.is_https() {
        return Some(format!("{base}{path}"));
    }
    match what.query(store, person).await {
        Ok(query) => Some(format!("{base}{path}?{query}")),
        Err(error) => {
            tracing::warn!(%error, "no link to a question was made");
            None
        }
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
