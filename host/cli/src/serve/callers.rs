//! Who calls over HTTP: the person whose token it is, by the store, looked up anew each time.

use async_trait::async_trait;
use portcullis::policy::{AgentId, PersonId};
use portcullis::ports::PortError;
use portcullis_server::Callers;
use portcullis_store::Store;
use secrecy::SecretString;

/// The people and agents of a store.
pub(super) struct StoreCallers {
    pub(super) store: Store,
    /// The agent that is meant where a request names none; none: the only one that there is.
    pub(super) agent: Option<AgentId>,
}

#[async_trait]
impl Callers for StoreCallers {
    async fn person(&self, token: Option<&SecretString>) -> Result<Option<PersonId>, PortError> {
        let Some(token) = token else {
            return Ok(None);
        };
        let person = self.store.person_of_token(token).await?;
        Ok(person.map(|person| person.id))
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
}
