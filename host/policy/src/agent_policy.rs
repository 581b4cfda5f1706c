//! Everything that an administrator decided on an agent's use of a connector, as it was at one moment.

use crate::rule::{
    self, ActsAs, Decision, Found, Level, RuledTool, SeenTools, Standing, ToolRule, Verdict,
};
use crate::scope::{Access, Denied, DeniedBy, Scope, check_access};
use crate::{AgentId, ConnectionId, ConnectorName, Effect, Mode, NamePattern, PersonId};

/// Whose account the agent would act as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acting {
    /// The person's own.
    Own(PersonId),
    /// A shared one.
    Shared(ConnectionId),
}

impl Acting {
    /// Gives what rules go by.
    pub fn as_acts_as(&self) -> ActsAs<'_> {
        match self {
            Self::Own(person) => ActsAs::Own(person),
            Self::Shared(connection) => ActsAs::Shared(connection),
        }
    }
}

/// What an administrator decided: the modes of tools, what may be touched, and whether the connector is trusted to check
/// what only it can see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentPolicy {
    /// Whose it is.
    pub agent: AgentId,
    /// The rules of the workspace, of this agent, and of connections.
    pub rules: Vec<ToolRule>,
    /// The tools that an administrator has seen.
    pub seen: SeenTools,
    /// What may be touched; none: everything.
    pub scope: Option<Scope>,
    /// Whether the connector is trusted to ask about what the host cannot see.
    pub is_trusted: bool,
    /// Whose account a call would act as, as far as that is known without asking for it.
    pub acting: Option<Acting>,
}

impl AgentPolicy {
    /// Makes a policy without a rule, under which the defaults hold.
    pub fn new(agent: AgentId) -> Self {
        Self {
            agent,
            rules: Vec::new(),
            seen: SeenTools::All,
            scope: None,
            is_trusted: false,
            acting: None,
        }
    }

    /// Decides on a tool.
    pub fn decide(&self, acts_as: ActsAs<'_>, tool: &RuledTool<'_>) -> Decision {
        if self.forbids(tool) {
            return Decision {
                mode: Mode::Disabled,
                rule: self.no_change_rule(),
                is_ruled: true,
            };
        }
        self.find(acts_as, tool).decision()
    }

    fn find(&self, acts_as: ActsAs<'_>, tool: &RuledTool<'_>) -> Found<'_> {
        rule::find(&self.rules, &self.seen, &self.agent, acts_as, tool)
    }

    /// Decides on a tool before it is known whose account is used: none where that could still make a difference.
    pub fn decide_early(&self, tool: &RuledTool<'_>) -> Option<Decision> {
        if self.forbids(tool) {
            return Some(self.decide(ActsAs::Nobody, tool));
        }
        let found = self.find(ActsAs::Nobody, tool);
        let could_loosen = |rule: &ToolRule| {
            rule.is_of_connection() && rule.mode < found.mode && rule.selects(tool)
        };
        let is_certain = found.is_ruled() || !self.rules.iter().any(could_loosen);
        (found.mode == Mode::Disabled && is_certain).then(|| found.decision())
    }

    /// Lists what each rule that applies says; what decides comes first.
    pub fn verdicts(&self, acts_as: ActsAs<'_>, tool: &RuledTool<'_>) -> Vec<Verdict> {
        let mut verdicts = rule::verdicts(&self.rules, &self.seen, &self.agent, acts_as, tool);
        if self.forbids(tool) {
            let first = Verdict {
                rule: self.no_change_rule(),
                mode: Mode::Disabled,
                standing: Standing::Counts,
            };
            verdicts.insert(0, first);
        }
        verdicts
    }

    /// Decides on an access.
    ///
    /// # Errors
    ///
    /// [`Denied`] names what is outside of the agent's scope, or guarded.
    pub fn check(&self, guarded: &[NamePattern], access: &Access) -> Result<(), Denied> {
        check_access(self.scope.as_ref(), guarded, access)
    }

    /// Says whether an access is limited by names, so that it matters what a request touches.
    pub fn limits(&self, guarded: &[NamePattern], effect: Effect) -> bool {
        let scope = self.scope.as_ref();
        match effect {
            Effect::Read => scope.is_some_and(Scope::limits_reading),
            Effect::Write | Effect::Destructive => {
                !guarded.is_empty() || scope.is_some_and(Scope::limits_changing)
            }
        }
    }

    /// Keeps those of a kind's fields that the agent may read, in their order.
    pub fn visible_fields(&self, kind: &str, mut fields: Vec<String>) -> Vec<String> {
        if !self.limits(&[], Effect::Read) {
            return fields;
        }
        let mut access = Access {
            effect: Effect::Read,
            kind: kind.to_owned(),
            fields: Vec::new(),
        };
        if self.check(&[], &access).is_err() {
            return Vec::new();
        }
        fields.retain(|field| {
            access.fields.clear();
            access.fields.push(field.clone());
            self.check(&[], &access).is_ok()
        });
        fields
    }

    fn forbids(&self, tool: &RuledTool<'_>) -> bool {
        let changes_nothing = self.scope.as_ref().is_some_and(Scope::changes_nothing);
        changes_nothing && tool.effect > Effect::Read
    }

    fn no_change_rule(&self) -> String {
        let read_only = self.scope.as_ref().is_some_and(|scope| scope.read_only);
        let why = match read_only {
            true => "read only",
            false => "it may change nothing",
        };
        format!("{}: {why}", self.scope_name())
    }

    /// Says which setting of the agent's scope with `connector` would allow what was denied, for an administrator; none where nothing would.
    pub fn allowing(&self, connector: &ConnectorName, denied: &Denied) -> Option<String> {
        if denied.why == DeniedBy::ReadOnly {
            return Some(self.allowing_changes(connector));
        }
        let settings = denied.settings(self.scope.as_ref())?;
        Some(format!("{}: {settings}", self.scope_command(connector)))
    }

    /// Gives the command after which an agent that only reads may change things, too.
    pub fn allowing_changes(&self, connector: &ConnectorName) -> String {
        format!("{} --unset read-only", self.scope_command(connector))
    }

    /// Gives the command that shows what the agent may touch with `connector`, and sets it.
    pub fn scope_command(&self, connector: &ConnectorName) -> String {
        let agent = &self.agent;
        format!("portcullis scope {agent} --connector {connector}")
    }

    /// Gives the name of the agent's scope, as rules are named.
    pub fn scope_name(&self) -> String {
        format!("scope of {}", Level::Agent(self.agent.clone()))
    }
}
