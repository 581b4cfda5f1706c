//! The mode of a tool: what rules an administrator made, and what holds where there is none.
//!
//! Of the rules that apply the most restrictive wins, wherever it was made; where none applies the default of the
//! tool's effect holds. So a rule can loosen a default, and never another rule. A rule that was made before the tool
//! was there, or before it reached as far as it does, loosens nothing: with it, the default goes on to hold.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{AgentId, ConnectionId, ConnectorName, Effect, Mode, PersonId, ToolName};

/// For whom a rule holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// For every agent.
    Workspace,
    /// For one agent.
    Agent(AgentId),
    /// For every agent that acts as a shared connection.
    Shared(ConnectionId),
    /// For every agent that acts as a person's own connection. It is named by the person, so that one who connects
    /// anew does not leave it behind.
    Own(PersonId),
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Workspace => f.write_str("workspace"),
            Self::Agent(agent) => write!(f, "agent {agent}"),
            Self::Shared(connection) => write!(f, "connection {connection}"),
            Self::Own(person) => write!(f, "connection of {person}"),
        }
    }
}

/// Which tools a rule is about: `effect:write`, `toolset:records`, or a tool's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Selector {
    /// Every tool that reaches so far, and no farther.
    Effect(Effect),
    /// Every tool of a toolset.
    Toolset(String),
    /// One tool.
    Tool(ToolName),
}

/// A text that names no tools.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` names no tools: write a tool's name, `toolset:NAME`, `effect:read`, `effect:write` or `effect:destructive`"
)]
pub struct SelectorError(String);

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let wrong = || SelectorError(crate::pattern::shown(text));
        if let Some(effect) = text.strip_prefix("effect:") {
            let all = [Effect::Read, Effect::Write, Effect::Destructive];
            let found = all.into_iter().find(|one| one.as_str() == effect);
            return found.map(Self::Effect).ok_or_else(wrong);
        }
        if let Some(toolset) = text.strip_prefix("toolset:") {
            let is_name = toolset.len() <= 64
                && toolset.starts_with(|char: char| char.is_ascii_lowercase())
                && toolset.bytes().all(|byte| {
                    byte.is_ascii_lowercase()
                        || byte.is_ascii_digit()
                        || matches!(byte, b'_' | b'-')
                });
            return match is_name {
                true => Ok(Self::Toolset(toolset.to_owned())),
                false => Err(wrong()),
            };
        }
        ToolName::parse(text).map(Self::Tool).map_err(|_| wrong())
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Effect(effect) => write!(f, "effect:{effect}"),
            Self::Toolset(toolset) => write!(f, "toolset:{toolset}"),
            Self::Tool(tool) => write!(f, "{tool}"),
        }
    }
}

impl TryFrom<String> for Selector {
    type Error = SelectorError;

    fn try_from(text: String) -> Result<Self, SelectorError> {
        text.parse()
    }
}

impl From<Selector> for String {
    fn from(selector: Selector) -> Self {
        selector.to_string()
    }
}

/// A rule: for whom, about which tools, and how.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ToolRule {
    /// For whom it holds.
    pub level: Level,
    /// Of which connector the tools are; none: of every one. A tool and a toolset are always of one.
    pub connector: Option<ConnectorName>,
    /// Which tools.
    pub selector: Selector,
    /// How.
    pub mode: Mode,
    /// How far the tool reached when the rule was made, where it names one.
    pub made_for: Option<Effect>,
}

impl fmt::Display for ToolRule {
    /// Writes the stable name that logs and people know it by: `agent helper: effect:write ask`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} {}",
            self.level,
            self.selector,
            self.mode.as_word()
        )
    }
}

/// A tool that is decided on.
#[derive(Clone, Copy, Debug)]
pub struct RuledTool<'a> {
    /// Whose it is.
    pub connector: &'a ConnectorName,
    /// Its name.
    pub name: &'a ToolName,
    /// Its toolset.
    pub toolset: &'a str,
    /// How far it reaches.
    pub effect: Effect,
}

/// Whose account a call acts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActsAs<'a> {
    /// It is not known yet, or there is none: the connector's service is open to everyone.
    Nobody,
    /// A person's own.
    Own(&'a PersonId),
    /// A shared one.
    Shared(&'a ConnectionId),
}

/// The tools that an administrator has seen, and how far each reached then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SeenTools {
    /// Whatever there is counts as seen, where nobody keeps a list.
    #[default]
    All,
    /// These; another is new.
    These(BTreeMap<ToolName, Effect>),
}

/// How a tool stands to what an administrator has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Novelty {
    /// It was seen as it is.
    Known,
    /// It was not there.
    New,
    /// It reaches farther than it did.
    Grown,
}

impl SeenTools {
    /// Says how a tool stands.
    pub fn novelty(&self, tool: &ToolName, effect: Effect) -> Novelty {
        let Self::These(seen) = self else {
            return Novelty::Known;
        };
        match seen.get(tool) {
            None => Novelty::New,
            Some(seen) if effect > *seen => Novelty::Grown,
            Some(_) => Novelty::Known,
        }
    }
}

/// What a rule, or the default, says of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The rule's name.
    pub rule: String,
    /// What it says.
    pub mode: Mode,
    /// What that comes to.
    pub standing: Standing,
}

/// What a verdict comes to. Ordered: of two that are as strict the earlier is said to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It counts.
    Counts,
    /// The default, where no rule counts.
    Default,
    /// It was made when the tool was not there or reached less far: it can only restrict.
    Outgrown,
    /// The default, where a rule counts in its place.
    Replaced,
}

/// A mode, and the name of what decided on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The mode.
    pub mode: Mode,
    /// The rule's name.
    pub rule: String,
    /// Whether it was a rule of an administrator's, not the default.
    pub is_ruled: bool,
}

/// Lists what each rule that applies says, and the default; what decides comes first. Their order does not matter.
pub(crate) fn verdicts(
    rules: &[ToolRule],
    seen: &SeenTools,
    agent: &AgentId,
    acts_as: ActsAs<'_>,
    tool: &RuledTool<'_>,
) -> Vec<Verdict> {
    let novelty = seen.novelty(tool.name, tool.effect);
    let mut applying: Vec<&ToolRule> = rules
        .iter()
        .filter(|rule| rule.is_for(agent, acts_as) && rule.selects(tool))
        .collect();
    applying.sort();
    applying.dedup();
    let mut verdicts: Vec<Verdict> = applying
        .into_iter()
        .map(|rule| Verdict {
            rule: rule.to_string(),
            mode: rule.mode,
            standing: rule.standing(tool, novelty),
        })
        .collect();
    let counts = verdicts
        .iter()
        .any(|verdict| verdict.standing == Standing::Counts);
    let shared = matches!(acts_as, ActsAs::Shared(_));
    verdicts.push(Verdict {
        rule: default_name(tool.effect, shared),
        mode: Mode::default_for(tool.effect, shared),
        standing: match counts {
            true => Standing::Replaced,
            false => Standing::Default,
        },
    });
    // A stable sort: rules that are alike stay in the order of their names.
    verdicts.sort_by_key(|verdict| {
        let replaced = verdict.standing == Standing::Replaced;
        (replaced, std::cmp::Reverse(verdict.mode), verdict.standing)
    });
    verdicts
}

/// What was found to decide, before anybody needs its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'r> {
    pub(crate) mode: Mode,
    /// None: the default.
    rule: Option<&'r ToolRule>,
    effect: Effect,
    shared: bool,
}

impl Found<'_> {
    pub(crate) fn is_ruled(&self) -> bool {
        self.rule.is_some()
    }

    pub(crate) fn decision(&self) -> Decision {
        Decision {
            mode: self.mode,
            rule: match self.rule {
                Some(rule) => rule.to_string(),
                None => default_name(self.effect, self.shared),
            },
            is_ruled: self.is_ruled(),
        }
    }
}

/// Finds what decides on a tool: the first of its [`verdicts`].
pub(crate) fn find<'r>(
    rules: &'r [ToolRule],
    seen: &SeenTools,
    agent: &AgentId,
    acts_as: ActsAs<'_>,
    tool: &RuledTool<'_>,
) -> Found<'r> {
    let novelty = seen.novelty(tool.name, tool.effect);
    let shared = matches!(acts_as, ActsAs::Shared(_));
    let mut counts = false;
    let mut strictest: Option<(Mode, Standing, &ToolRule)> = None;
    for rule in rules {
        if !rule.is_for(agent, acts_as) || !rule.selects(tool) {
            continue;
        }
        let standing = rule.standing(tool, novelty);
        counts |= standing == Standing::Counts;
        let is_first = strictest.is_none_or(|(mode, of, other)| {
            (std::cmp::Reverse(rule.mode), standing, rule) < (std::cmp::Reverse(mode), of, other)
        });
        if is_first {
            strictest = Some((rule.mode, standing, rule));
        }
    }
    let default = Found {
        mode: Mode::default_for(tool.effect, shared),
        rule: None,
        effect: tool.effect,
        shared,
    };
    match strictest {
        // What is outgrown is heard where it is stricter than the default.
        Some((mode, _, rule)) if counts || mode > default.mode => Found {
            mode,
            rule: Some(rule),
            ..default
        },
        _ => default,
    }
}

/// Names the default.
fn default_name(effect: Effect, shared: bool) -> String {
    let mode = Mode::default_for(effect, shared).as_word();
    match shared {
        true => format!("default: effect:{effect} {mode} on a shared connection"),
        false => format!("default: effect:{effect} {mode}"),
    }
}

impl ToolRule {
    /// Says whether it is about an account, whichever that is.
    pub(crate) fn is_of_connection(&self) -> bool {
        matches!(self.level, Level::Shared(_) | Level::Own(_))
    }

    fn is_for(&self, agent: &AgentId, acts_as: ActsAs<'_>) -> bool {
        match (&self.level, acts_as) {
            (Level::Workspace, _) => true,
            (Level::Agent(of), _) => of == agent,
            (Level::Shared(of), ActsAs::Shared(connection)) => of == connection,
            (Level::Own(of), ActsAs::Own(person)) => of == person,
            (Level::Shared(_) | Level::Own(_), _) => false,
        }
    }

    /// Says whether a tool is one of those that it is about.
    pub fn selects(&self, tool: &RuledTool<'_>) -> bool {
        let of_connector = self
            .connector
            .as_ref()
            .is_none_or(|of| of == tool.connector);
        of_connector
            && match &self.selector {
                Selector::Effect(effect) => *effect == tool.effect,
                Selector::Toolset(toolset) => toolset == tool.toolset,
                Selector::Tool(name) => name == tool.name,
            }
    }

    /// Says whether it was made for the tool as it is, or for less.
    fn standing(&self, tool: &RuledTool<'_>, novelty: Novelty) -> Standing {
        let is_of_this = match (&self.selector, self.made_for) {
            // Who names a tool knows it.
            (Selector::Tool(_), Some(made_for)) => tool.effect <= made_for,
            _ => novelty == Novelty::Known,
        };
        match is_of_this {
            true => Standing::Counts,
            false => Standing::Outgrown,
        }
    }
}

#[cfg(test)]
#[path = "rule/tests.rs"]
mod tests;
