//! Changes that are made together: all of them or none.

use portcullis_policy::{
    AgentId, ConnectionId, ConnectorName, GroupName, Level, PersonId, Selector, ToolRule,
};
use sqlx::SqliteConnection;

use crate::agents::{self, Account};
use crate::connection::Removed;
use crate::error::StoreError;
use crate::groups;
use crate::people::{self, Role};
use crate::rename::{Named, rename};
use crate::scopes::{self, AgentScope, Component};
use crate::sharing::{self, Subject};
use crate::store::Store;
use crate::subjects;
use crate::tool_rules;

/// A change of people, groups, agents, what they may do, or sharing. What is so already stays so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// As [`Store::add_person`].
    AddPerson {
        /// Who.
        id: PersonId,
        /// What others call them.
        name: String,
        /// What they may do.
        role: Role,
    },
    /// As [`Store::rename_person`].
    RenamePerson {
        /// Who.
        id: PersonId,
        /// What others call them.
        name: String,
    },
    /// As [`Store::set_role`].
    SetRole {
        /// Whose.
        id: PersonId,
        /// What they may do.
        role: Role,
    },
    /// As [`Store::remove_person`].
    RemovePerson(PersonId),
    /// As [`Store::add_subject`].
    AddSubject {
        /// Whose it is to be.
        person: PersonId,
        /// The issuer's URL.
        issuer: String,
        /// The name there.
        subject: String,
    },
    /// As [`Store::remove_subject`].
    RemoveSubject {
        /// Whose it was.
        person: PersonId,
        /// The issuer's URL.
        issuer: String,
        /// The name there.
        subject: String,
    },
    /// As [`Store::add_group`].
    AddGroup(GroupName),
    /// As [`Store::remove_group`].
    RemoveGroup(GroupName),
    /// As [`Store::add_member`].
    Join(GroupName, PersonId),
    /// As [`Store::remove_member`].
    Leave(GroupName, PersonId),
    /// As [`Store::add_agent`].
    AddAgent {
        /// Which.
        id: AgentId,
        /// What people call it.
        name: String,
    },
    /// As [`Store::rename_agent`].
    RenameAgent {
        /// Which.
        id: AgentId,
        /// What people call it.
        name: String,
    },
    /// As [`Store::remove_agent`].
    RemoveAgent(AgentId),
    /// As [`Store::give_connector`].
    Give(AgentId, ConnectorName, Account),
    /// As [`Store::take_connector`].
    Take(AgentId, ConnectorName),
    /// As [`Store::share`].
    Share(ConnectionId, Subject),
    /// As [`Store::unshare`].
    Unshare(ConnectionId, Subject),
    /// As [`Store::put_tool_rule`].
    Rule(ToolRule),
    /// As [`Store::remove_tool_rule`].
    Unrule(Level, Option<ConnectorName>, Selector),
    /// As [`Store::put_scope`].
    Scope(AgentScope),
    /// As [`Store::put_trust`].
    Trust(ConnectorName, Component, bool),
    /// As [`Store::trust_clients`].
    TrustClients(AgentId, bool),
}

impl Store {
    /// Makes changes in their order, in one transaction: where one is refused, none is made. Gives the connections that
    /// went with their people, so that their tokens can be revoked.
    ///
    /// # Errors
    ///
    /// That of the first change that is refused.
    pub async fn apply(&self, changes: &[Change]) -> Result<Vec<Removed>, StoreError> {
        let mut removed = Vec::new();
        let mut tx = self.write().await?;
        for change in changes {
            removed.extend(self.apply_in(&mut tx, change).await?);
        }
        tx.commit().await?;
        Ok(removed)
    }

    /// Makes a change in a transaction.
    pub(crate) async fn apply_in(
        &self,
        tx: &mut SqliteConnection,
        change: &Change,
    ) -> Result<Vec<Removed>, StoreError> {
        let now = self.now();
        match change {
            Change::AddPerson { id, name, role } => {
                people::add(tx, now, id, name, *role).await?;
            }
            Change::RenamePerson { id, name } => rename(tx, Named::Person(id), name).await?,
            Change::SetRole { id, role } => people::set_role(tx, id, *role).await?,
            Change::RemovePerson(id) => {
                return people::remove(self, tx, id).await;
            }
            Change::AddSubject {
                person,
                issuer,
                subject,
            } => {
                subjects::add(tx, now, person, issuer, subject).await?;
            }
            Change::RemoveSubject {
                person,
                issuer,
                subject,
            } => {
                subjects::remove(tx, person, issuer, subject).await?;
            }
            Change::AddGroup(name) => {
                groups::add(tx, now, name).await?;
            }
            Change::RemoveGroup(name) => {
                groups::remove(tx, name).await?;
            }
            Change::Join(group, person) => {
                groups::join(tx, group, person).await?;
            }
            Change::Leave(group, person) => {
                groups::leave(tx, group, person).await?;
            }
            Change::AddAgent { id, name } => {
                agents::add(tx, now, id, name).await?;
            }
            Change::RenameAgent { id, name } => rename(tx, Named::Agent(id), name).await?,
            Change::RemoveAgent(id) => {
                agents::remove(self, tx, id).await?;
            }
            Change::Give(agent, connector, account) => {
                agents::give(tx, agent, connector, account).await?;
            }
            Change::Take(agent, connector) => {
                agents::take(tx, now, agent, connector).await?;
            }
            Change::Share(connection, subject) => {
                sharing::add(tx, now, connection, subject).await?;
            }
            Change::Unshare(connection, subject) => {
                sharing::remove(tx, connection, subject).await?;
            }
            Change::Rule(rule) => {
                tool_rules::put(self, tx, rule).await?;
            }
            Change::Unrule(level, connector, selector) => {
                tool_rules::remove(self, tx, level, connector.as_ref(), selector).await?;
            }
            Change::Scope(scope) => {
                scopes::put(self, tx, scope).await?;
            }
            Change::Trust(connector, component, trusted) => {
                scopes::trust(self, tx, connector, *component, *trusted).await?;
            }
            Change::TrustClients(agent, trusted) => {
                agents::trust_clients(self, tx, agent, *trusted).await?;
            }
        }
        Ok(Vec::new())
    }
}
