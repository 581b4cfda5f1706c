//! Who calls over HTTP: the person whose token it is, by the store, where what anybody commits holds for the next request. Where an issuer is
//! named, the person whom it knows by the name that its token has, too.

use std::sync::Arc;

use async_trait::async_trait;
use portcullis::policy::{AgentId, PersonId};
use portcullis::ports::PortError;
use portcullis_connect::{Claim, Issuer, NotBelieved};
use portcullis_server::Callers;
use portcullis_store::Store;
use secrecy::SecretString;

/// The people and agents of a store.
pub(super) struct StoreCallers {
    pub(super) store: Store,
    /// The agent that is meant where a request names none; none: the only one that there is.
    pub(super) agent: Option<AgentId>,
    /// Who else says who somebody is.
    pub(super) issued: Option<Issued>,
}

/// Tokens of an issuer, and what is read of them.
pub(super) struct Issued {
    pub(super) issuer: Arc<Issuer>,
    pub(super) claim: Claim,
    /// By which names besides its addresses this server is meant.
    pub(super) audiences: Vec<String>,
    /// What clients ask it for.
    pub(super) scopes: Vec<String>,
}

#[async_trait]
impl Callers for StoreCallers {
    async fn person(
        &self,
        token: Option<&SecretString>,
        audiences: &[String],
    ) -> Result<Option<PersonId>, PortError> {
        let Some(token) = token else {
            return Ok(None);
        };
        if let Some(person) = self.store.person_of_token(token).await? {
            return Ok(Some(person.id));
        }
        match &self.issued {
            Some(issued) => issued.person(&self.store, token, audiences).await,
            None => Ok(None),
        }
    }

    async fn agent(&self, named: Option<&str>) -> Result<Option<AgentId>, PortError> {
        let named = match (named, &self.agent) {
            (Some(named), _) => AgentId::parse(named).ok(),
            (None, Some(agent)) => Some(agent.clone()),
            (None, None) => {
                let mut agents = self.store.agents().await?.into_iter();
                let only = agents.next().map(|agent| agent.id);
                return Ok(only.filter(|_| agents.next().is_none()));
            }
        };
        let Some(named) = named else {
            return Ok(None);
        };
        let agent = self.store.agent(&named).await?;
        Ok(agent.map(|agent| agent.id))
    }

    fn issuer(&self) -> Option<&str> {
        self.issued.as_ref().map(|issued| issued.issuer.url())
    }

    fn scopes(&self) -> &[String] {
        self.issued
            .as_ref()
            .map_or(&[], |issued| issued.scopes.as_slice())
    }
}

impl Issued {
    async fn person(
        &self,
        store: &Store,
        token: &SecretString,
        audiences: &[String],
    ) -> Result<Option<PersonId>, PortError> {
        let audiences = [audiences, &self.audiences].concat();
        let named = self.issuer.named_in(token, &audiences, &self.claim).await;
        let named = match named {
            Ok(named) => named,
            Err(NotBelieved::Refused(why)) => {
                tracing::info!(
                    why,
                    "a token of the issuer's, or of somebody else's, was refused"
                );
                return Ok(None);
            }
            Err(NotBelieved::Unavailable(problem)) => {
                let words = "the issuer's keys cannot be had";
                return Err(PortError::new(words).caused_by(problem));
            }
        };
        let person = store.person_of_subject(self.issuer.url(), &named).await?;
        if person.is_none() {
            tracing::info!(
                "the issuer vouches for somebody who is nobody here: `portcullis person subject add` says who they are"
            );
        }
        Ok(person.map(|person| person.id))
    }
}
