//! What differs between the store and a file: each difference in words, and as the change that ends it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use portcullis::policy::{AgentId, ConnectionId, ConnectorName, Level, PersonId, Scope, ToolRule};
use portcullis_store::{
    Account, Agent, AgentScope, Change, Group, Owner, Person, Role, Store, StoredConnection,
    Subject,
};

use super::check::{Wanted, WantedAgent};
use crate::connectors;
use crate::scope::in_a_line;

/// What is in the store.
pub(super) struct Here {
    pub(super) people: Vec<Person>,
    subjects: BTreeMap<PersonId, BTreeSet<(String, String)>>,
    pub(super) groups: Vec<Group>,
    pub(super) agents: Vec<Agent>,
    pub(super) connections: Vec<StoredConnection>,
    shares: BTreeMap<ConnectionId, Vec<Subject>>,
    rules: Vec<ToolRule>,
    scopes: Vec<AgentScope>,
    /// The connectors that there are.
    pub(super) known_connectors: Vec<ConnectorName>,
}

impl Here {
    pub(super) async fn read(store: &Store) -> Result<Self> {
        let connections = store.connections().await?;
        let mut shares = BTreeMap::new();
        for connection in &connections {
            if connection.owner == Owner::Shared {
                shares.insert(connection.id.clone(), store.shares(&connection.id).await?);
            }
        }
        let people = store.people().await?;
        let mut subjects = BTreeMap::new();
        for person in &people {
            let known = store.subjects(&person.id).await?.into_iter();
            let known = known.map(|one| (one.issuer, one.subject));
            subjects.insert(person.id.clone(), known.collect());
        }
        Ok(Self {
            people,
            subjects,
            groups: store.groups().await?,
            agents: store.agents().await?,
            connections,
            shares,
            rules: store.tool_rules().await?,
            scopes: store.scopes().await?,
            known_connectors: connectors::names(store).await?,
        })
    }

    fn label<'a>(&'a self, id: &'a ConnectionId) -> &'a str {
        let connection = self.connections.iter().find(|one| one.id == *id);
        connection.map_or(id.as_str(), |one| &one.label)
    }

    fn account(&self, account: &Account) -> String {
        match account {
            Account::Personal => "personal".to_owned(),
            Account::Shared(id) => format!("shared {}", self.label(id)),
        }
    }
}

/// How a difference is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Add,
    Change,
    Remove,
}

impl Sign {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Change => "~",
            Self::Remove => "-",
        }
    }
}

/// A difference.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) sign: Sign,
    pub(super) text: String,
    pub(super) change: Change,
}

/// Compares. The order is one in which the changes can be made: what others need comes before them, and nobody stops to
/// administer before others do.
pub(super) fn between(here: &Here, wanted: &Wanted) -> Vec<Difference> {
    let mut found = Found::default();
    found.people(here, wanted);
    found.subjects(here, wanted);
    found.groups(here, wanted);
    found.agents(here, wanted);
    found.shares(here, wanted);
    let mut all = found.first;
    all.append(&mut found.last);
    all.append(&mut found.people_last);
    all
}

/// Differences by when they are to be ended.
#[derive(Default)]
struct Found {
    first: Vec<Difference>,
    /// Removals.
    last: Vec<Difference>,
    /// Of people, after all that names them.
    people_last: Vec<Difference>,
}

impl Found {
    fn people(&mut self, here: &Here, wanted: &Wanted) {
        let known: BTreeMap<_, _> = here
            .people
            .iter()
            .map(|person| (&person.id, person))
            .collect();
        for (id, asked) in &wanted.people {
            let Some(person) = known.get(id) else {
                let name = asked.name.clone().unwrap_or_else(|| id.to_string());
                let role = asked.role.unwrap_or(Role::Member);
                let text = format!("person {id}: {name}, {}", role.as_str());
                let id = id.clone();
                self.add(text, Change::AddPerson { id, name, role });
                continue;
            };
            if let Some(name) = asked.name.as_ref().filter(|name| **name != person.name) {
                let text = format!("person {id}: {} -> {name}", person.name);
                let (id, name) = (id.clone(), name.clone());
                self.change(text, Change::RenamePerson { id, name });
            }
            if let Some(role) = asked.role.filter(|role| *role != person.role) {
                let text = format!("person {id}: {} -> {}", person.role.as_str(), role.as_str());
                let id = id.clone();
                let change = Change::SetRole { id, role };
                match role {
                    Role::Admin => self.change(text, change),
                    Role::Member => self
                        .people_last
                        .push(difference(Sign::Change, text, change)),
                }
            }
        }
        if !wanted.prune {
            return;
        }
        for person in &here.people {
            if wanted.people.contains_key(&person.id) {
                continue;
            }
            let own: Vec<String> = here
                .connections
                .iter()
                .filter(|one| one.owner.person() == Some(&person.id))
                .map(|one| format!("{} ({})", one.label, one.connector))
                .collect();
            let with = match own.is_empty() {
                true => String::new(),
                false => format!(", with their own accounts: {}", own.join(", ")),
            };
            let text = format!("person {}{with}", person.id);
            let change = Change::RemovePerson(person.id.clone());
            self.people_last
                .push(difference(Sign::Remove, text, change));
        }
    }

    fn subjects(&mut self, here: &Here, wanted: &Wanted) {
        let none = BTreeSet::new();
        let known = |id: &PersonId| here.subjects.get(id).unwrap_or(&none);
        let text = |person: &PersonId, (issuer, subject): &(String, String)| {
            format!("person {person}: {subject} of {issuer}")
        };
        let asked = || {
            let people = wanted.people.iter();
            people.filter_map(|(person, asked)| Some((person, asked.subjects.as_ref()?)))
        };
        // What goes first may be somebody else's next.
        for (person, asked) in asked().filter(|_| wanted.prune) {
            for one in known(person).difference(asked) {
                let (issuer, subject) = one.clone();
                let change = Change::RemoveSubject {
                    person: person.clone(),
                    issuer,
                    subject,
                };
                let gone = difference(Sign::Remove, text(person, one), change);
                self.first.push(gone);
            }
        }
        for (person, asked) in asked() {
            for one in asked.difference(known(person)) {
                let (issuer, subject) = one.clone();
                let change = Change::AddSubject {
                    person: person.clone(),
                    issuer,
                    subject,
                };
                self.add(text(person, one), change);
            }
        }
    }

    fn groups(&mut self, here: &Here, wanted: &Wanted) {
        let known: BTreeMap<_, _> = here
            .groups
            .iter()
            .map(|group| (&group.name, group))
            .collect();
        for (name, members) in &wanted.groups {
            let before: BTreeSet<_> = match known.get(name) {
                Some(group) => group.members.iter().cloned().collect(),
                None => {
                    self.add(format!("group {name}"), Change::AddGroup(name.clone()));
                    BTreeSet::new()
                }
            };
            for person in members.difference(&before) {
                let change = Change::Join(name.clone(), person.clone());
                self.add(format!("group {name}: {person}"), change);
            }
            if wanted.prune {
                for person in before.difference(members) {
                    let change = Change::Leave(name.clone(), person.clone());
                    self.remove(format!("group {name}: {person}"), change);
                }
            }
        }
        if wanted.prune {
            for group in &here.groups {
                if !wanted.groups.contains_key(&group.name) {
                    let change = Change::RemoveGroup(group.name.clone());
                    self.remove(format!("group {}", group.name), change);
                }
            }
        }
    }

    fn agents(&mut self, here: &Here, wanted: &Wanted) {
        let known: BTreeMap<_, _> = here.agents.iter().map(|agent| (&agent.id, agent)).collect();
        for (id, asked) in &wanted.agents {
            let agent = known.get(id);
            match (agent, &asked.name) {
                (None, name) => {
                    let name = name.clone().unwrap_or_else(|| id.to_string());
                    let text = format!("agent {id}: {name}");
                    let id = id.clone();
                    self.add(text, Change::AddAgent { id, name });
                }
                (Some(agent), Some(name)) if agent.name != *name => {
                    let text = format!("agent {id}: {} -> {name}", agent.name);
                    let (id, name) = (id.clone(), name.clone());
                    self.change(text, Change::RenameAgent { id, name });
                }
                _ => {}
            }
            for (connector, account) in &asked.connectors {
                let before = agent.and_then(|agent| agent.connectors.get(connector));
                let change = Change::Give(id.clone(), connector.clone(), account.clone());
                let after = here.account(account);
                match before {
                    None => self.add(format!("agent {id}: {connector}, {after}"), change),
                    Some(before) if before != account => {
                        let before = here.account(before);
                        let text = format!("agent {id}: {connector}, {before} -> {after}");
                        self.change(text, change);
                    }
                    Some(_) => {}
                }
            }
            self.rules(here, id, asked, wanted.prune);
            self.scopes(here, id, asked, wanted.prune);
            if let Some(agent) = agent.filter(|_| wanted.prune) {
                for connector in agent.connectors.keys() {
                    if !asked.connectors.contains_key(connector) {
                        let change = Change::Take(id.clone(), connector.clone());
                        self.remove(format!("agent {id}: {connector}"), change);
                    }
                }
            }
        }
        if wanted.prune {
            for agent in &here.agents {
                if !wanted.agents.contains_key(&agent.id) {
                    let change = Change::RemoveAgent(agent.id.clone());
                    self.remove(format!("agent {}", agent.id), change);
                }
            }
        }
    }

    fn rules(&mut self, here: &Here, agent: &AgentId, asked: &WantedAgent, prune: bool) {
        let level = Level::Agent(agent.clone());
        let before = here.rules.iter().filter(|rule| rule.level == level);
        let before: Vec<&ToolRule> = before.collect();
        let alike =
            |a: &ToolRule, b: &ToolRule| a.selector == b.selector && a.connector == b.connector;
        for rule in &asked.rules {
            let known = before.iter().find(|known| alike(known, rule));
            let change = Change::Rule(rule.clone());
            match known {
                None => self.add(rule.to_string(), change),
                Some(known) if known.mode != rule.mode => {
                    let text = format!("{known} -> {}", rule.mode.as_word());
                    self.change(text, change);
                }
                Some(known) if known.made_for != rule.made_for => {
                    let text = format!("{rule}, for the tool as it is now");
                    self.change(text, change);
                }
                Some(_) => {}
            }
        }
        if !prune {
            return;
        }
        for rule in before {
            if !asked.rules.iter().any(|asked| alike(asked, rule)) {
                let (connector, selector) = (rule.connector.clone(), rule.selector.clone());
                let change = Change::Unrule(level.clone(), connector, selector);
                self.remove(rule.to_string(), change);
            }
        }
    }

    fn scopes(&mut self, here: &Here, agent: &AgentId, asked: &WantedAgent, prune: bool) {
        let before = |connector: &ConnectorName| {
            let known = here
                .scopes
                .iter()
                .find(|known| known.agent == *agent && known.connector == *connector);
            known.map(|known| known.scope.clone()).unwrap_or_default()
        };
        let change = |connector: &ConnectorName, scope: Scope| {
            Change::Scope(AgentScope {
                agent: agent.clone(),
                connector: connector.clone(),
                scope,
            })
        };
        let name = |connector: &ConnectorName| format!("agent {agent}: scope by {connector}");
        for (connector, entry) in &asked.scopes {
            let known = before(connector);
            let scope = entry.over(&known, prune);
            let change = change(connector, scope.clone());
            let (name, after) = (name(connector), in_a_line(&scope));
            match known {
                known if known == scope => {}
                known if known == Scope::default() => self.add(format!("{name}: {after}"), change),
                known => {
                    let text = format!("{name}: {} -> {after}", in_a_line(&known));
                    self.change(text, change);
                }
            }
        }
        for known in here
            .scopes
            .iter()
            .filter(|known| prune && known.agent == *agent)
        {
            let connector = &known.connector;
            if !asked.scopes.contains_key(connector) {
                self.remove(name(connector), change(connector, Scope::default()));
            }
        }
    }

    fn shares(&mut self, here: &Here, wanted: &Wanted) {
        for (id, before) in &here.shares {
            let label = here.label(id);
            let asked = wanted.shared.get(id).map(Vec::as_slice).unwrap_or_default();
            for subject in asked.iter().filter(|subject| !before.contains(subject)) {
                let text = format!("shared {label}: {}", words(subject));
                self.add(text, Change::Share(id.clone(), subject.clone()));
            }
            if wanted.prune {
                for subject in before.iter().filter(|subject| !asked.contains(subject)) {
                    let text = format!("shared {label}: {}", words(subject));
                    self.remove(text, Change::Unshare(id.clone(), subject.clone()));
                }
            }
        }
    }

    fn add(&mut self, text: String, change: Change) {
        self.first.push(difference(Sign::Add, text, change));
    }

    fn change(&mut self, text: String, change: Change) {
        self.first.push(difference(Sign::Change, text, change));
    }

    fn remove(&mut self, text: String, change: Change) {
        self.last.push(difference(Sign::Remove, text, change));
    }
}

fn difference(sign: Sign, text: String, change: Change) -> Difference {
    Difference { sign, text, change }
}

fn words(subject: &Subject) -> String {
    match subject {
        Subject::Person(person) => format!("person {person}"),
        Subject::Group(group) => format!("group {group}"),
        Subject::Everyone => "everyone".to_owned(),
    }
}
