//! What a file asks for, checked: each name in it is one, and means something that is here or that the file adds.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use anyhow::Result;
use portcullis::policy::{
    AgentId, ConnectionId, ConnectorName, GroupName, Level, PersonId, ToolRule,
};
use portcullis_store::{
    Account, ConnectionState, Owner, Role, StoredConnection, Subject, is_name, subject_of,
};
use toml::Spanned;

use super::difference::Here;
use super::file::{
    self, AccountEntry, AccountWord, AgentEntry, Parsed, RoleWord, ScopeEntry, SubjectEntry,
};
use crate::catalog::Catalog;
use crate::connectors;
use crate::subject::check_issuer;

/// What a file asks for.
pub(super) struct Wanted {
    pub(super) prune: bool,
    pub(super) people: BTreeMap<PersonId, WantedPerson>,
    pub(super) groups: BTreeMap<GroupName, BTreeSet<PersonId>>,
    pub(super) agents: BTreeMap<AgentId, WantedAgent>,
    pub(super) shared: BTreeMap<ConnectionId, Vec<Subject>>,
}

/// A person; what is not said stays as it is.
pub(super) struct WantedPerson {
    pub(super) name: Option<String>,
    pub(super) role: Option<Role>,
    /// Issuers, and their names for the person.
    pub(super) subjects: Option<BTreeSet<(String, String)>>,
}

/// An agent; what is not said stays as it is.
pub(super) struct WantedAgent {
    pub(super) name: Option<String>,
    pub(super) connectors: BTreeMap<ConnectorName, Account>,
    pub(super) rules: Vec<ToolRule>,
    pub(super) scopes: BTreeMap<ConnectorName, ScopeEntry>,
}

/// Checks a file against what is here.
///
/// # Errors
///
/// A problem that names every mistake with its line and column.
pub(super) fn check(
    parsed: &Parsed,
    here: &Here,
    catalog: Option<&Catalog>,
    me: &PersonId,
) -> Result<Wanted> {
    let mut checker = Checker {
        parsed,
        here,
        catalog,
        mistakes: Vec::new(),
        wanted: Wanted {
            prune: parsed.file.prune,
            people: BTreeMap::new(),
            groups: BTreeMap::new(),
            agents: BTreeMap::new(),
            shared: BTreeMap::new(),
        },
    };
    // Names first, for what follows refers to them.
    checker.people(me);
    checker.groups();
    checker.agents();
    checker.shared();
    match checker.mistakes.is_empty() {
        true => Ok(checker.wanted),
        false => Err(file::problem(checker.mistakes.join("\n")).into()),
    }
}

struct Checker<'a> {
    parsed: &'a Parsed,
    here: &'a Here,
    /// The connectors' tools, where the file speaks of any.
    catalog: Option<&'a Catalog>,
    mistakes: Vec<String>,
    wanted: Wanted,
}

impl Checker<'_> {
    fn people(&mut self, me: &PersonId) {
        for (at, entry) in &self.parsed.file.people {
            let Some(id) = self.parse(at, PersonId::parse) else {
                continue;
            };
            let name = self.name(entry.name.as_ref());
            let role = entry.role.map(|role| match role {
                RoleWord::Admin => Role::Admin,
                RoleWord::Member => Role::Member,
            });
            if let Some(alike) = self.alike(&id) {
                let problem = format!(
                    "`{id}` and `{alike}` differ by the case of their letters alone, and nobody tells those apart"
                );
                self.mistake(at, problem);
                continue;
            }
            let subjects = entry.subjects.as_deref().map(|all| self.subjects(all));
            let person = WantedPerson {
                name,
                role,
                subjects,
            };
            self.wanted.people.insert(id, person);
        }
        let prune = self.wanted.prune;
        if prune && !self.wanted.people.contains_key(me) {
            let problem = format!(
                "it does not name you, `{me}`, and `prune` would remove you: add [people.{me}]"
            );
            self.mistakes.push(self.parsed.mistake_overall(problem));
        }
        if !self.has_administrator() {
            let problem = "nobody would administer any more: give somebody `role = \"admin\"`";
            self.mistakes.push(self.parsed.mistake_overall(problem));
        }
    }

    /// Takes the names by which issuers know a person. Each is one person's.
    fn subjects(&mut self, entries: &[SubjectEntry]) -> BTreeSet<(String, String)> {
        let mut subjects = BTreeSet::new();
        for entry in entries {
            let (issuer, subject) = (entry.issuer.get_ref(), entry.subject.get_ref());
            let kept = match subject_of(issuer, subject) {
                Ok(kept) => kept,
                Err(error) => {
                    self.mistake(&entry.subject, error);
                    continue;
                }
            };
            if let Err(problem) = check_issuer(&kept.0) {
                self.mistake(&entry.issuer, problem);
                continue;
            }
            let mut others = self.wanted.people.iter();
            let has_it = |other: &WantedPerson| {
                let subjects = other.subjects.as_ref();
                subjects.is_some_and(|subjects| subjects.contains(&kept))
            };
            let other = others.find(|(_, other)| has_it(other));
            if let Some((other, _)) = other {
                let problem = format!(
                    "`{}` is `{other}` above: one account at an issuer is one person",
                    kept.1
                );
                self.mistake(&entry.subject, problem);
                continue;
            }
            subjects.insert(kept);
        }
        subjects
    }

    /// Finds who has an id, in the file or here, that differs from another by the case of its letters alone.
    fn alike(&self, id: &PersonId) -> Option<PersonId> {
        let here = self.here.people.iter().map(|person| &person.id);
        let mut all = self.wanted.people.keys().chain(here);
        let is_alike =
            |other: &&PersonId| *other != id && other.as_str().eq_ignore_ascii_case(id.as_str());
        all.find(is_alike).cloned()
    }

    /// Says whether somebody administers after the file was applied.
    fn has_administrator(&self) -> bool {
        let asked = |id: &PersonId| self.wanted.people.get(id);
        let stays = self.here.people.iter().any(|person| {
            let role = match asked(&person.id) {
                Some(wanted) => wanted.role.unwrap_or(person.role),
                None if self.wanted.prune => return false,
                None => person.role,
            };
            role == Role::Admin
        });
        let is_added = || {
            let mut people = self.wanted.people.values();
            people.any(|person| person.role == Some(Role::Admin))
        };
        stays || is_added()
    }

    fn groups(&mut self) {
        for (name, members) in &self.parsed.file.groups {
            let Some(name) = self.parse(name, GroupName::parse) else {
                continue;
            };
            let members = members.iter().filter_map(|member| self.person(member));
            let members: BTreeSet<PersonId> = members.collect();
            self.wanted.groups.insert(name, members);
        }
    }

    fn agents(&mut self) {
        for (id, entry) in &self.parsed.file.agents {
            let Some(id) = self.parse(id, AgentId::parse) else {
                continue;
            };
            let name = self.name(entry.name.as_ref());
            let mut connectors = BTreeMap::new();
            for (connector, entry) in &entry.connectors {
                let Some(name) = self.connector(connector) else {
                    continue;
                };
                if let Some(account) = self.account(connector, &name, entry) {
                    connectors.insert(name, account);
                }
            }
            let rules = self.rules(&id, entry);
            let scopes = self.scopes(entry);
            let agent = WantedAgent {
                name,
                connectors,
                rules,
                scopes,
            };
            self.wanted.agents.insert(id, agent);
        }
    }

    /// Takes the name of a connector that there is.
    fn connector(&mut self, text: &Spanned<String>) -> Option<ConnectorName> {
        let name = self.parse(text, ConnectorName::parse)?;
        let known = &self.here.known_connectors;
        if known.contains(&name) {
            return Some(name);
        }
        let error = connectors::unknown(&name, known);
        let problem = format!(
            "{error}; those that there are: {}",
            connectors::listed(known)
        );
        self.mistake(text, problem);
        None
    }

    fn rules(&mut self, agent: &AgentId, entry: &AgentEntry) -> Vec<ToolRule> {
        let mut rules = Vec::new();
        for (what, mode) in &entry.tools {
            let Some(catalog) = self.catalog else {
                continue;
            };
            let level = Level::Agent(agent.clone());
            match catalog.rule(level, what.get_ref(), mode.0, None) {
                Ok(rule) => rules.push(rule),
                Err(problem) => self.mistake(what, problem),
            }
        }
        rules
    }

    fn scopes(&mut self, entry: &AgentEntry) -> BTreeMap<ConnectorName, ScopeEntry> {
        let named = entry.scope.iter();
        named
            .filter_map(|(connector, scope)| Some((self.connector(connector)?, scope.clone())))
            .collect()
    }

    fn account(
        &mut self,
        at: &Spanned<String>,
        connector: &ConnectorName,
        entry: &AccountEntry,
    ) -> Option<Account> {
        match (entry.account, &entry.connection) {
            (AccountWord::Personal, None) => Some(Account::Personal),
            (AccountWord::Personal, Some(connection)) => {
                let problem = "a personal account is each person's own: leave `connection` out, or write `account = \"shared\"`";
                self.mistake(connection, problem);
                None
            }
            (AccountWord::Shared, None) => {
                self.mistake(at, "a shared account needs `connection`, its label or id");
                None
            }
            (AccountWord::Shared, Some(text)) => {
                let connection = self.connection(text)?;
                if connection.connector != *connector {
                    let of = &connection.connector;
                    let problem = format!("the connection `{}` is one of `{of}`", text.get_ref());
                    self.mistake(text, problem);
                    return None;
                }
                Some(Account::Shared(connection.id))
            }
        }
    }

    fn shared(&mut self) {
        for (text, entry) in &self.parsed.file.shared {
            let Some(connection) = self.connection(text) else {
                continue;
            };
            let mut subjects = Vec::new();
            for person in &entry.people {
                subjects.extend(self.person(person).map(Subject::Person));
            }
            for group in &entry.groups {
                subjects.extend(self.group(group).map(Subject::Group));
            }
            if entry.everyone {
                subjects.push(Subject::Everyone);
            }
            let mut met = BTreeSet::new();
            subjects.retain(|subject| met.insert(format!("{subject:?}")));
            if self.wanted.shared.insert(connection.id, subjects).is_some() {
                self.mistake(text, "the same connection is named twice");
            }
        }
    }

    /// Finds a shared connection by its id or label.
    fn connection(&mut self, text: &Spanned<String>) -> Option<StoredConnection> {
        let name = text.get_ref();
        let shared = || {
            let all = self.here.connections.iter();
            all.filter(|connection| {
                connection.owner == Owner::Shared && connection.state != ConnectionState::Pending
            })
        };
        let by_id = shared().find(|connection| connection.id.as_str() == name);
        let by_label: Vec<_> = shared().filter(|one| one.label == name.trim()).collect();
        if let Some(connection) = by_id {
            return Some(connection.clone());
        }
        let problem = match by_label.as_slice() {
            [one] => return Some((*one).clone()),
            [] => format!(
                "there is no shared connection `{name}`: `portcullis connections list` lists those that there are"
            ),
            several => {
                let ids: Vec<&str> = several.iter().map(|one| one.id.as_str()).collect();
                format!(
                    "{} shared connections are called `{name}`: name one by its id, {}",
                    several.len(),
                    ids.join(" or ")
                )
            }
        };
        self.mistake(text, problem);
        None
    }

    /// Takes the name of a person who is here when the file was applied.
    fn person(&mut self, text: &Spanned<String>) -> Option<PersonId> {
        let id = self.parse(text, PersonId::parse)?;
        if self.wanted.people.contains_key(&id) {
            return Some(id);
        }
        let is_here = self.here.people.iter().any(|person| person.id == id);
        match (is_here, self.wanted.prune) {
            (true, false) => return Some(id),
            (true, true) => self.mistake(
                text,
                format!("`prune` would remove the person `{id}`: add [people.{id}]"),
            ),
            (false, _) => self.mistake(
                text,
                format!("there is no person `{id}`: add [people.{id}], or mend the name"),
            ),
        }
        None
    }

    /// Takes the name of a group that is there when the file was applied.
    fn group(&mut self, text: &Spanned<String>) -> Option<GroupName> {
        let name = self.parse(text, GroupName::parse)?;
        let is_here = self.here.groups.iter().any(|group| group.name == name);
        if self.wanted.groups.contains_key(&name) || (is_here && !self.wanted.prune) {
            return Some(name);
        }
        let problem =
            format!("there is no group `{name}` in the file: add it to [groups], or mend the name");
        self.mistake(text, problem);
        None
    }

    /// Takes a name for people.
    fn name(&mut self, text: Option<&Spanned<String>>) -> Option<String> {
        let text = text?;
        if is_name(text.get_ref()) {
            return Some(text.get_ref().trim().to_owned());
        }
        let problem = "a name has 1 to 200 characters, none of them a control character";
        self.mistake(text, problem);
        None
    }

    fn parse<T, E: Display>(
        &mut self,
        text: &Spanned<String>,
        parse: impl FnOnce(String) -> Result<T, E>,
    ) -> Option<T> {
        match parse(text.get_ref().clone()) {
            Ok(value) => Some(value),
            Err(error) => {
                self.mistake(text, error);
                None
            }
        }
    }

    fn mistake(&mut self, at: &Spanned<String>, problem: impl Display) {
        self.mistakes.push(self.parsed.mistake(at, problem));
    }
}
