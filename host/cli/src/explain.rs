//! `portcullis explain`: which rule decided on a tool, and what every other one says.

use std::io::Write;

use anyhow::Result;
use portcullis::policy::{
    Acting, ActsAs, AgentPolicy, Auth, ConnectorName, Effect, Novelty, PersonId, RuledTool, Scope,
    Standing, Verdict,
};
use portcullis::ports::Caller;
use portcullis::{ComponentCache, Connector, Tool};
use portcullis_store::{Account, ConnectionState, Found, Store};
use serde_json::{Value, json};

use crate::agent;
use crate::args::permissions::Explain;
use crate::catalog::{self, Catalog};
use crate::connections::Labels;
use crate::connectors;
use crate::home::Home;
use crate::person;
use crate::problem::Problem;
use crate::scope::in_a_line;
use crate::show;
use crate::show::style::{ERROR, HINT, QUIET, TITLE, styled};
use crate::show::table::{Table, shown};

/// What is decided on one connector, for whom.
struct Case<'a> {
    connector: &'a Connector,
    policy: AgentPolicy,
    person: PersonId,
    labels: Labels,
    /// Why a call has no account now; none: it has one, or needs none.
    without: Option<String>,
}

/// Explains.
pub(crate) async fn run(args: &Explain, home: &Home, cache: ComponentCache) -> Result<()> {
    let session = home.open().await?;
    let store = &session.store;
    let person = args.person.clone().unwrap_or_else(|| session.me.id.clone());
    // What an agent may do for oneself is what its tools show anyway.
    if person != session.me.id {
        session.require_administrator().await?;
    }
    let agent = agent::require(store, &args.agent).await?;
    person::require(store, &person).await?;
    let catalog = Catalog::open(store, cache).await?;
    let labels = Labels::of(store).await?;
    let mut cases = Vec::new();
    for connector in &catalog.connectors {
        catalog::meet(store, connector).await?;
        let name = &connector.manifest().name;
        if args.connector.as_ref().is_some_and(|asked| asked != name) {
            continue;
        }
        let caller = Caller {
            agent: agent.id.clone(),
            person: person.clone(),
        };
        let component = connectors::by_digest(name, connector.digest())?;
        if let Some(policy) = store.policy(&caller, name, component).await? {
            let without = match connector.manifest().auth {
                Auth::None => None,
                _ => without_account(store, &caller, name, &labels).await?,
            };
            cases.push(Case {
                connector,
                policy,
                person: person.clone(),
                labels: labels.clone(),
                without,
            });
        }
    }
    if cases.is_empty() {
        return Err(not_offered(args, &catalog)?.into());
    }
    match &args.tool {
        Some(tool) => one(args, &cases, tool),
        None => all(args, &cases),
    }
}

/// Says that an agent has no connector, or not the one that is asked about, and how it gets it.
fn not_offered(args: &Explain, catalog: &Catalog) -> Result<Problem> {
    let agent = &args.agent;
    let has_it = |one: &Connector| match &args.tool {
        Some(tool) => one.tool(tool).is_some(),
        None => true,
    };
    let (message, connector) = match &args.connector {
        Some(name) => {
            catalog.connector(Some(name))?;
            let message = format!("the agent `{agent}` does not have the connector `{name}`");
            (message, Some(name))
        }
        None => {
            let mut with_it = catalog.connectors.iter().filter(|one| has_it(one));
            let first = with_it.next().filter(|_| with_it.next().is_none());
            let message = format!("the agent `{agent}` has no connector");
            (message, first.map(|one| &one.manifest().name))
        }
    };
    let connector = connector.map_or("CONNECTOR", ConnectorName::as_str);
    let hint = format!("`portcullis agent give {agent} {connector}` gives it to it");
    Ok(Problem::mistake("not_offered", message, hint))
}

/// Says why a call of the person's would end before anything is asked of the service, whatever the modes say.
async fn without_account(
    store: &Store,
    caller: &Caller,
    connector: &ConnectorName,
    labels: &Labels,
) -> Result<Option<String>> {
    let (agent, person) = (&caller.agent, &caller.person);
    Ok(match store.find(caller, connector).await? {
        Found::Connection(found) => match &found.state {
            ConnectionState::Active => None,
            ConnectionState::Reconnect { reason } => Some(format!(
                "`{}` must be signed in to again: {}",
                shown(&found.label),
                shown(reason.trim_end_matches(['.', ' ']))
            )),
            ConnectionState::Pending => Some(format!(
                "the sign-in to `{}` was not finished",
                shown(&found.label)
            )),
        },
        Found::NoneOfTheirOwn => Some(format!(
            "`{person}` has connected no account to `{connector}` yet: `portcullis connect {connector}`, by them, connects one"
        )),
        Found::NotShared => {
            let agents = store.agents().await?;
            let used = agents.iter().find(|one| one.id == *agent);
            let used = used.and_then(|one| one.connectors.get(connector));
            let shared = match used {
                Some(Account::Shared(id)) => labels.get(id.as_str()).unwrap_or(id.as_str()),
                Some(Account::Personal) | None => "CONNECTION",
            };
            let shared = shown(shared);
            Some(format!(
                "the shared account that `{agent}` uses is not shared with `{person}`: `portcullis connections share '{shared}' --person {person}` \
                 shares it"
            ))
        }
        Found::Removed => Some(format!(
            "the shared account that `{agent}` used was removed: `portcullis agent give {agent} {connector}` gives another"
        )),
        Found::NotOffered => Some(format!("`{agent}` does not have `{connector}` any more")),
    })
}

impl Case<'_> {
    fn verdicts(&self, tool: &Tool) -> Vec<Verdict> {
        let acting = self.policy.acting.as_ref();
        let acts_as = acting.map_or(ActsAs::Nobody, Acting::as_acts_as);
        let ruled = RuledTool {
            connector: &self.connector.manifest().name,
            name: &tool.name,
            toolset: &tool.toolset,
            effect: tool.effect,
        };
        self.policy.verdicts(acts_as, &ruled)
    }

    /// Says in what the agent's scope limits what its tools do, where it does.
    fn scope(&self) -> Option<String> {
        let scope = self.policy.scope.as_ref()?;
        (*scope != Scope::default()).then(|| in_a_line(scope))
    }

    /// Says whether requests are refused because nobody checks what is in them: such as a query's, of an agent that is limited.
    fn lacks_trust(&self) -> bool {
        !self.policy.is_trusted && self.policy.limits(&[], Effect::Read)
    }

    /// Says what stands beside the modes.
    fn write_scope(&self, out: &mut impl Write) -> std::io::Result<()> {
        let (agent, name) = (&self.policy.agent, &self.connector.manifest().name);
        if let Some(why) = &self.without {
            let label = styled(ERROR, "not now:");
            writeln!(
                out,
                "{label} a call ends without an account, whatever the mode: {why}"
            )?;
        }
        if let Some(scope) = self.scope() {
            let label = styled(QUIET, "scope:");
            writeln!(out, "{label} by `{name}` it {}", shown(&scope))?;
        }
        if self.lacks_trust() {
            writeln!(
                out,
                "{} `{name}` is not trusted to check what the host cannot see, so that whatever sends a query, or reads some fields of a record, is \
                 refused to `{agent}`, whatever its mode: `portcullis connector trust-scope {name}` trusts it",
                styled(ERROR, "refused:")
            )?;
        }
        Ok(())
    }

    fn novelty(&self, tool: &Tool) -> Novelty {
        self.policy.seen.novelty(&tool.name, tool.effect)
    }

    fn account(&self) -> String {
        match &self.policy.acting {
            Some(Acting::Shared(connection)) => format!(
                "the shared connection {}",
                self.labels.name(connection.as_str())
            ),
            _ => format!("the own account of `{}`", self.person),
        }
    }
}

/// One tool, with everything that is said of it.
fn one(args: &Explain, cases: &[Case<'_>], tool: &str) -> Result<()> {
    let found: Vec<(&Case<'_>, &Tool)> = cases
        .iter()
        .filter_map(|case| Some((case, case.connector.tool(tool)?)))
        .collect();
    let (case, tool) = match found.as_slice() {
        [one] => *one,
        [] => {
            let message = format!("there is no tool `{}`", tool.escape_debug());
            let hint = format!("`portcullis explain {}` lists the tools", args.agent);
            return Err(Problem::mistake("unknown_tool", message, hint).into());
        }
        _ => {
            let message = format!("several connectors have a tool `{tool}`");
            return Err(
                Problem::mistake("ambiguous", message, "name one with `--connector`").into(),
            );
        }
    };
    let verdicts = case.verdicts(tool);
    let novelty = case.novelty(tool);
    if args.form.json {
        return Ok(show::json(&tool_json(case, tool, &verdicts))?);
    }
    let mut out = anstream::stdout().lock();
    if let Some(first) = verdicts.first() {
        let (agent, account) = (&args.agent, case.account());
        let sentence = format!("{}: {}", tool.name, first.mode.as_word());
        writeln!(out, "{}", styled(TITLE, sentence))?;
        writeln!(
            out,
            "for the agent `{agent}` by {account}, as this rule has it: {}\n",
            case.labels.in_words(&first.rule)
        )?;
    }
    let mut table = Table::new(&["SAYS", "RULE", "WHICH"]);
    for (place, verdict) in verdicts.iter().enumerate() {
        let strictest = verdicts.first().map(|first| first.mode);
        let word = comes_to(place, verdict, strictest == Some(verdict.mode));
        let rule = case.labels.in_words(&verdict.rule);
        table.row([verdict.mode.as_word(), &rule, word]);
    }
    table.write(&mut out)?;
    case.write_scope(&mut out)?;
    let said = match novelty {
        Novelty::Known => return Ok(()),
        Novelty::New => "no administrator has seen it yet, so that no rule for many loosens it",
        Novelty::Grown => {
            "it reaches farther than when an administrator saw it, so that no older rule loosens it"
        }
    };
    let next = "`portcullis tools --seen` takes note that you have seen all tools";
    Ok(writeln!(
        out,
        "\nnew: {said}\n{} {next}",
        styled(HINT, "next:")
    )?)
}

fn comes_to(place: usize, verdict: &Verdict, as_strict: bool) -> &'static str {
    match (place, verdict.standing) {
        (0, _) => "decides",
        (_, Standing::Replaced) => "does not count, since there is a rule",
        (_, Standing::Outgrown) => "was made for less than the tool is now: it can only restrict",
        _ if as_strict => "says the same",
        _ => "is less strict",
    }
}

/// All tools, with what decided.
fn all(args: &Explain, cases: &[Case<'_>]) -> Result<()> {
    let tools = || {
        cases
            .iter()
            .flat_map(|case| case.connector.tools().iter().map(move |tool| (case, tool)))
    };
    if args.form.json {
        let tools: Value = tools()
            .map(|(case, tool)| tool_json(case, tool, &case.verdicts(tool)))
            .collect();
        return Ok(show::json(&tools)?);
    }
    let mut table = Table::new(&["TOOL", "EFFECT", "MODE", "RULE"]);
    for (case, tool) in tools() {
        let verdicts = case.verdicts(tool);
        let Some(first) = verdicts.first() else {
            continue;
        };
        let mark = match case.novelty(tool) {
            Novelty::Known => "",
            Novelty::New => " (new)",
            Novelty::Grown => " (grown)",
        };
        let name = format!("{}{mark}", tool.name);
        table.row([
            &name,
            tool.effect.as_str(),
            first.mode.as_word(),
            &case.labels.in_words(&first.rule),
        ]);
    }
    let mut out = anstream::stdout().lock();
    table.write(&mut out)?;
    for case in cases {
        case.write_scope(&mut out)?;
    }
    Ok(())
}

fn tool_json(case: &Case<'_>, tool: &Tool, verdicts: &[Verdict]) -> Value {
    let first = verdicts.first();
    let strictest = first.map(|first| first.mode);
    let all: Value = verdicts
        .iter()
        .enumerate()
        .map(|(place, verdict)| {
            json!({
                "rule": verdict.rule,
                "says": verdict.mode.as_word(),
                "standing": verdict.standing,
                "which": comes_to(place, verdict, strictest == Some(verdict.mode)),
            })
        })
        .collect();
    json!({
        "connector": case.connector.manifest().name,
        "tool": tool.name,
        "toolset": tool.toolset,
        "effect": tool.effect,
        "novelty": case.novelty(tool),
        "mode": strictest.map(|mode| mode.as_word()),
        "rule": first.map(|first| &first.rule),
        "rules": all,
        "scope": case.scope(),
        "trusted": case.policy.is_trusted,
        "lacks_trust": case.lacks_trust(),
        "without_account": case.without,
    })
}
