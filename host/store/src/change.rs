//! Changes that are made together: all of them or none.

use portcullis_policy::{
    AgentId, ConnectionId, ConnectorName, GroupName, Level, PersonId, Selector, ToolRule,
};

use crate::agents::{self, Account};
use crate::connection::Removed;
use crate::error::StoreError;
use crate::groups;
use crate::people::{self, Role};
use crate::rename::{Named, rename};
use crate::scopes::{self, AgentScope};
use crate::sharing::{self, Subject};
use crate::store::Store;
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
}

impl Store {
    /// Makes changes in their order, in one transaction: where one is refused, none is made. Gives the connections that
    /// went with their people, so that their tokens can be revoked.
    ///
    /// # Errors
    ///
    /// That of the first change that is refused.
    pub async fn apply(&self, changes: &[Change]) -> Result<Vec<Removed>, StoreError> {
        let now = self.now();
        let mut removed = Vec::new();
        let mut tx = self.write().await?;
        for change in changes {
            match change {
                Change::AddPerson { id, name, role } => {
                    people::add(&mut tx, now, id, name, *role).await?;
                }
                Change::RenamePerson { id, name } => {
                    rename(&mut tx, Named::Person(id), name).await?
                }
                Change::SetRole { id, role } => people::set_role(&mut tx, id, *role).await?,
                Change::RemovePerson(id) => {
                    removed.extend(people::remove(self, &mut tx, id).await?);
                }
                Change::AddGroup(name) => {
                    groups::add(&mut tx, now, name).await?;
                }
                Change::RemoveGroup(name) => {
                    groups::remove(&mut tx, name).await?;
                }
                Change::Join(group, person) => {
                    groups::join(&mut tx, group, person).await?;
                }
                Change::Leave(group, person) => {
                    groups::leave(&mut tx, group, person).await?;
                }
                Change::AddAgent { id, name } => {
                    agents::add(&mut tx, now, id, name).await?;
                }
                Change::RenameAgent { id, name } => rename(&mut tx, Named::Agent(id), name).await?,
                Change::RemoveAgent(id) => {
                    agents::remove(&mut tx, id).await?;
                }
                Change::Give(agent, connector, account) => {
                    agents::give(&mut tx, agent, connector, account).await?;
                }
                Change::Take(agent, connector) => {
                    agents::take(&mut tx, agent, connector).await?;
                }
                Change::Share(connection, subject) => {
                    sharing::add(&mut tx, now, connection, subject).await?;
                }
                Change::Unshare(connection, subject) => {
                    sharing::remove(&mut tx, connection, subject).await?;
                }
                Change::Rule(rule) => {
                    tool_rules::put(&mut tx, now, rule).await?;
                }
                Change::Unrule(level, connector, selector) => {
                    tool_rules::remove(&mut tx, level, connector.as_ref(), selector).await?;
                }
                Change::Scope(scope) => {
                    scopes::put(&mut tx, scope).await?;
                }
            }
        }
        tx.commit().await?;
        Ok(removed)
    }
}
