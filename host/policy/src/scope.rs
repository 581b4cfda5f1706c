//! Which kinds and fields an agent may read and change, and how much.
//!
//! What may be changed must be readable too. What no list names is free, unless there is a list of what is allowed; a
//! denied name stays denied whatever allows it. Kinds that give power over others can be changed only
//! where one is allowed by its full name.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::pattern::{is_plain, shown};
use crate::{Effect, NamePattern, ScopePattern};

/// An access that a connector or a request makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// How far it reaches.
    pub effect: Effect,
    /// The kind of record.
    pub kind: String,
    /// The fields; none: the kind as a whole.
    pub fields: Vec<String>,
}

/// What an agent may touch at a connector's service. Empty, it allows everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scope {
    /// It changes nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
    /// What it may read; none: everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<Vec<ScopePattern>>,
    /// What it may not read, nor change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deny_read: Vec<ScopePattern>,
    /// What of that it may change; none: everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Vec<ScopePattern>>,
    /// What it may not change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deny_change: Vec<ScopePattern>,
    /// Rows of one answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_max: Option<u32>,
    /// Calls in any 60 seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls_per_minute: Option<u32>,
    /// Records changed in any 24 hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes_per_day: Option<u32>,
}

/// An access that is outside of what an agent may touch: names, as they were asked for, and never values.
///
/// It is decided by the name alone, so that it says nothing of whether there is such a kind or field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// How far the access was to reach.
    pub effect: Effect,
    /// The kind that was refused.
    pub kind: String,
    /// The field, where it is one.
    pub field: Option<String>,
    /// Why.
    pub why: DeniedBy,
}

/// Why an access is outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeniedBy {
    /// The agent changes nothing.
    ReadOnly,
    /// The name is not among those that are allowed, or among those that are denied.
    Scope,
    /// The kind gives power over others, and is not allowed by its name.
    Guarded,
    /// The name is none that could be compared.
    NotPlain,
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = shown(&self.kind);
        let verb = match self.effect {
            Effect::Read => "read",
            Effect::Write | Effect::Destructive => "change",
        };
        match (&self.field, self.why) {
            (_, DeniedBy::ReadOnly) => f.write_str("this agent only reads"),
            (_, DeniedBy::Guarded) => write!(
                f,
                "`{kind}` gives power over others: this agent may not change it, unless an administrator allows it by this name"
            ),
            (Some(field), _) => write!(
                f,
                "this agent may not {verb} the field `{}` of `{kind}`",
                shown(field)
            ),
            (None, _) => write!(f, "this agent may not {verb} `{kind}`"),
        }
    }
}

impl std::error::Error for Denied {}

impl Denied {
    /// Names the lists of a scope that stand against it, as they are given at a command line, and what to do with each; none where no list does.
    pub(crate) fn settings(&self, scope: Option<&Scope>) -> Option<String> {
        let kind = shown(&self.kind);
        let allow = |setting: &str, name: &str| format!("add `{name}` to its `{setting}`");
        match self.why {
            DeniedBy::NotPlain | DeniedBy::ReadOnly => return None,
            // Without a list of what it may change it may change all that is not guarded, and with one nothing else.
            DeniedBy::Guarded if scope.is_none_or(|scope| scope.change.is_none()) => {
                return Some(format!(
                    "give it a `--change` with `{kind}` and all else that it may change"
                ));
            }
            DeniedBy::Guarded => return Some(allow("--change", &kind)),
            DeniedBy::Scope => {}
        }
        let scope = scope?;
        let name = match &self.field {
            Some(field) => format!("{kind}.{}", shown(field)),
            None => kind.to_string(),
        };
        let against = |allowed: &Option<Vec<ScopePattern>>,
                       denied: &[ScopePattern],
                       settings: [&str; 2]| {
            let names = |entry: &ScopePattern| match &self.field {
                Some(field) => entry.matches(&self.kind, field),
                None => entry.kind().matches(&self.kind),
            };
            let is_out = allowed.as_ref().is_some_and(|all| !all.iter().any(names));
            let add = is_out.then(|| allow(settings[0], &name));
            let denied = denied
                .iter()
                .filter(|entry| names(entry) && (self.field.is_some() || entry.is_whole()));
            let take = denied.map(|entry| format!("take `{entry}` out of its `{}`", settings[1]));
            add.into_iter().chain(take).collect::<Vec<String>>()
        };
        let mut settings = against(&scope.read, &scope.deny_read, ["--read", "--deny-read"]);
        if self.effect > Effect::Read {
            let change = ["--change", "--deny-change"];
            settings.extend(against(&scope.change, &scope.deny_change, change));
        }
        (!settings.is_empty()).then(|| settings.join(", "))
    }
}

impl Scope {
    /// Says whether it names what may be read.
    pub fn limits_reading(&self) -> bool {
        self.read.is_some() || !self.deny_read.is_empty()
    }

    /// Says whether it names what may be changed.
    pub fn limits_changing(&self) -> bool {
        self.limits_reading() || self.change.is_some() || !self.deny_change.is_empty()
    }

    /// Says whether nothing at all may be changed: by its word, or by an empty list.
    pub fn changes_nothing(&self) -> bool {
        self.read_only || self.change.as_ref().is_some_and(Vec::is_empty)
    }

    /// Says whether some field of a kind is, or could be, outside.
    pub fn limits_fields(&self, effect: Effect, kind: &str) -> bool {
        let limits = |allow: &Option<Vec<ScopePattern>>, deny: &[ScopePattern]| {
            let mut whole = allow.iter().flatten();
            let allowed = allow.is_none()
                || whole.any(|entry| entry.is_whole() && entry.kind().matches(kind));
            !allowed || deny.iter().any(|entry| entry.kind().matches(kind))
        };
        limits(&self.read, &self.deny_read)
            || (effect > Effect::Read && limits(&self.change, &self.deny_change))
    }

    fn allows_kind(&self, effect: Effect, kind: &str) -> bool {
        let allows = |allow: &Option<Vec<ScopePattern>>, deny: &[ScopePattern]| {
            let of_kind = |entry: &ScopePattern| entry.kind().matches(kind);
            allow.as_ref().is_none_or(|allow| allow.iter().any(of_kind))
                && !deny.iter().any(|entry| entry.is_whole() && of_kind(entry))
        };
        allows(&self.read, &self.deny_read)
            && (effect == Effect::Read || allows(&self.change, &self.deny_change))
    }

    fn allows_field(&self, effect: Effect, kind: &str, field: &str) -> bool {
        let allows = |allow: &Option<Vec<ScopePattern>>, deny: &[ScopePattern]| {
            let names = |entry: &ScopePattern| entry.matches(kind, field);
            allow.as_ref().is_none_or(|allow| allow.iter().any(names)) && !deny.iter().any(names)
        };
        allows(&self.read, &self.deny_read)
            && (effect == Effect::Read || allows(&self.change, &self.deny_change))
    }

    /// Says whether a kind may be changed by its full name.
    fn names(&self, kind: &str) -> bool {
        let mut named = self.change.iter().flatten();
        named.any(|entry| entry.kind().is_exact() && entry.kind().matches(kind))
    }
}

/// Decides on an access: by the agent's scope, if it has one, and by the kinds that the connector's manifest guards.
///
/// # Errors
///
/// [`Denied`] names the kind, or its first field that is outside.
pub(crate) fn check_access(
    scope: Option<&Scope>,
    guarded: &[NamePattern],
    access: &Access,
) -> Result<(), Denied> {
    let Access {
        effect,
        kind,
        fields,
    } = access;
    let changes = *effect > Effect::Read;
    let deny = |field: Option<&String>, why| {
        Err(Denied {
            effect: *effect,
            kind: kind.clone(),
            field: field.cloned(),
            why,
        })
    };
    if changes && scope.is_some_and(|scope| scope.read_only) {
        return deny(None, DeniedBy::ReadOnly);
    }
    let limits = scope.filter(|scope| match changes {
        true => scope.limits_changing(),
        false => scope.limits_reading(),
    });
    let is_guarded = changes && !guarded.is_empty();
    if limits.is_none() && !is_guarded {
        return Ok(());
    }
    if !is_plain(kind) {
        return deny(None, DeniedBy::NotPlain);
    }
    if is_guarded
        && guarded.iter().any(|pattern| pattern.matches(kind))
        && !scope.is_some_and(|scope| scope.names(kind))
    {
        return deny(None, DeniedBy::Guarded);
    }
    let Some(scope) = limits else {
        return Ok(());
    };
    if !scope.allows_kind(*effect, kind) {
        return deny(None, DeniedBy::Scope);
    }
    for field in fields {
        if !is_plain(field) {
            return deny(Some(field), DeniedBy::NotPlain);
        }
        if !scope.allows_field(*effect, kind, field) {
            return deny(Some(field), DeniedBy::Scope);
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "scope/tests.rs"]
mod tests;
