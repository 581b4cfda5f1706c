//! `portcullis explain`: which rule decided on a tool, and what every other one says.

use std::io::Write;

use anyhow::Result;
use portcullis::policy::{
    Acting, ActsAs, AgentPolicy, Novelty, PersonId, RuledTool, Standing, Verdict,
};
use portcullis::ports::Caller;
use portcullis::{ComponentCache, Connector, Tool};
use serde_json::{Value, json};

use crate::agent;
use crate::args::permissions::Explain;
use crate::bundled;
use crate::catalog::{self, Catalog};
use crate::home::Home;
use crate::problem::Problem;
use crate::show;
use crate::show::style::{HINT, TITLE, styled};
use crate::show::table::Table;

/// What is decided on one connector, for whom.
struct Case<'a> {
    connector: &'a Connector,
    policy: AgentPolicy,
    person: PersonId,
}

/// Explains.
pub(crate) async fn run(args: &Explain, home: &Home, cache: ComponentCache) -> Result<()> {
    let session = home.open().await?;
    session.require_administrator().await?;
    let store = &session.store;
    let agent = agent::require(store, &args.agent).await?;
    let person = args.person.clone().unwrap_or_else(|| session.me.id.clone());
    if store.person(&person).await?.is_none() {
        return Err(portcullis_store::StoreError::NotFound {
            kind: "person",
            id: person.to_string(),
        }
        .into());
    }
    let catalog = Catalog::open(store, cache).await?;
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
        let trusted = bundled::names()?.contains(name);
        if let Some(policy) = store.policy(&caller, name, trusted).await? {
            cases.push(Case {
                connector,
                policy,
                person: person.clone(),
            });
        }
    }
    if cases.is_empty() {
        let message = format!("the agent `{}` has no connector", agent.id);
        let hint = format!(
            "`portcullis agent give {} salesforce` gives it one",
            agent.id
        );
        return Err(Problem::mistake("not_offered", message, hint).into());
    }
    match &args.tool {
        Some(tool) => one(args, &cases, tool),
        None => all(args, &cases),
    }
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

    fn novelty(&self, tool: &Tool) -> Novelty {
        self.policy.seen.novelty(&tool.name, tool.effect)
    }

    fn account(&self) -> String {
        match &self.policy.acting {
            Some(Acting::Shared(connection)) => format!("the shared connection `{connection}`"),
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
        let sentence = format!("{}: {}", tool.name, first.mode);
        writeln!(out, "{}", styled(TITLE, sentence))?;
        writeln!(
            out,
            "for the agent `{agent}` by {account}, as this rule has it: {}\n",
            first.rule
        )?;
    }
    let mut table = Table::new(&["SAYS", "RULE", "WHICH"]);
    for (place, verdict) in verdicts.iter().enumerate() {
        let strictest = verdicts.first().map(|first| first.mode);
        let word = comes_to(place, verdict, strictest == Some(verdict.mode));
        table.row([verdict.mode.as_word(), &verdict.rule, word]);
    }
    table.write(&mut out)?;
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
            &first.rule,
        ]);
    }
    Ok(table.write(&mut anstream::stdout().lock())?)
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
    })
}
