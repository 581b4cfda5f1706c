//! `portcullis allow`: rules on the modes of tools.

use anyhow::Result;
use portcullis::ComponentCache;
use portcullis::policy::{AgentId, ConnectorName, Level, Mode, Selector, ToolRule};
use portcullis_store::{Account, Change, DecidedKind, Deciding, Owner, Store, StoredConnection};
use serde_json::{Value, json};

use crate::agent;
use crate::approvals;
use crate::args::Form;
use crate::args::permissions::Allow;
use crate::catalog::{self, Catalog};
use crate::connections;
use crate::connectors;
use crate::home::{Home, Session};
use crate::keyboard;
use crate::problem::Problem;
use crate::show;
use crate::show::table::Table;

/// Makes a rule, or takes one back.
pub(crate) async fn run(args: &Allow, home: &Home, cache: ComponentCache) -> Result<()> {
    let session = home.open().await?;
    session.require_administrator().await?;
    let store = &session.store;
    let labels = connections::Labels::of(store).await?;
    if args.anew {
        return anew(&session, args).await;
    }
    if args.list {
        return list(store, &labels, args.form).await;
    }
    if let Some(connector) = &args.connector {
        connectors::require(store, connector).await?;
    }
    let Asked {
        level,
        what,
        mode,
        connector,
    } = read(args, store).await?;
    let catalog = Catalog::open(store, cache).await?;
    for connector in &catalog.connectors {
        catalog::meet(store, connector).await?;
    }
    // Whatever is taken back, its rule has to be named rightly.
    let rule = catalog.rule(
        level,
        what,
        mode.unwrap_or(Mode::Disabled),
        connector.as_ref(),
    )?;
    if loosens(store, mode, &rule).await? {
        approvals::require_passphrase(&session, "a rule is loosened").await?;
    }
    let ToolRule {
        level,
        connector,
        selector,
        ..
    } = &rule;
    let (changed, sentence) = match mode {
        Some(_) => {
            let changed = session.change(Change::Rule(rule.clone())).await?;
            let rule = labels.in_words(&rule.to_string());
            let sentence = match changed {
                true => format!("There is a rule now: {rule}."),
                false => format!("There is this rule already, and nothing changed: {rule}."),
            };
            (changed, sentence)
        }
        None => {
            let back = Change::Unrule(level.clone(), connector.clone(), selector.clone());
            let was_there = session.change(back).await?;
            let level = labels.in_words(&level.to_string());
            let sentence = match was_there {
                true => format!("There is no rule for {selector} any more: {level}."),
                false => format!("There is no rule for {selector}, and nothing changed: {level}."),
            };
            (was_there, sentence)
        }
    };
    let agent = match level {
        Level::Agent(agent) => agent.to_string(),
        _ => agent::in_words(store).await?,
    };
    let next = format!("`portcullis explain {agent}` shows what the rules come to");
    let value = json!({ "changed": changed, "rule": mode.map(|_| rule_json(&rule)) });
    Ok(show::done(args.form, &value, &sentence, Some(&next))?)
}

/// Says whether a rule may let more pass than what holds before it; with no mode it is taken back.
async fn loosens(store: &Store, mode: Option<Mode>, rule: &ToolRule) -> Result<bool> {
    match mode {
        // What is taken back may have asked, or switched off.
        None | Some(Mode::Allow) => return Ok(true),
        Some(Mode::Disabled) => return Ok(false),
        Some(Mode::Ask) => {}
    }
    let rules = store.tool_rules().await?;
    let before = rules.iter().find(|one| {
        one.level == rule.level && one.connector == rule.connector && one.selector == rule.selector
    });
    match before {
        Some(before) if before.mode == Mode::Disabled => Ok(true),
        // The default did not hold for the tool as it is.
        Some(before) if before.made_for == rule.made_for => Ok(false),
        _ => is_off_by_default(store, rule).await,
    }
}

/// Says whether some of the tools that a rule is about may be off where there is no rule.
async fn is_off_by_default(store: &Store, rule: &ToolRule) -> Result<bool> {
    let may_be_shared = match &rule.level {
        Level::Workspace | Level::Shared(_) => true,
        Level::Own(_) => false,
        Level::Agent(id) => {
            let agent = agent::require(store, id).await?;
            let mut accounts = agent.connectors.values();
            accounts.any(|account| matches!(account, Account::Shared(_)))
        }
    };
    let effect = match &rule.selector {
        Selector::Effect(effect) => Some(*effect),
        Selector::Tool(_) => rule.made_for,
        // Its tools reach as far as they do.
        Selector::Toolset(_) => None,
    };
    let is_off = |effect| Mode::default_for(effect, may_be_shared) == Mode::Disabled;
    Ok(effect.is_none_or(is_off))
}

/// Lists all rules, those of the workspace first.
async fn list(store: &Store, labels: &connections::Labels, form: Form) -> Result<()> {
    let mut rules = store.tool_rules().await?;
    rules.sort();
    if form.json {
        let rules: Value = rules.iter().map(rule_json).collect();
        return Ok(show::json(&rules)?);
    }
    if rules.is_empty() {
        let sentence = "There are no rules: the defaults hold.";
        return Ok(show::done(form, &Value::Null, sentence, None)?);
    }
    let mut table = Table::new(&["FOR", "WHAT", "MODE", "CONNECTOR"]);
    for rule in &rules {
        let connector = rule.connector.as_ref().map_or("all", |name| name.as_str());
        table.row([
            &labels.in_words(&rule.level.to_string()),
            &rule.selector.to_string(),
            rule.mode.as_word(),
            connector,
        ]);
    }
    Ok(table.write(&mut anstream::stdout().lock())?)
}

/// Begins without any decision on agents.
async fn anew(session: &Session, args: &Allow) -> Result<()> {
    let question = "Forget every rule and scope, which connectors, clients and versions are trusted, and take all connectors from all agents?";
    if !args.yes {
        if args.form.json || !keyboard::is_there() {
            let message =
                "all that was decided on agents would be forgotten, and there is nobody to ask";
            return Err(Problem::mistake("not_confirmed", message, "add `--yes`").into());
        }
        if !keyboard::agrees(question)? {
            let value = json!({ "changed": false });
            return Ok(show::done(args.form, &value, "Nothing was changed.", None)?);
        }
    }
    approvals::require_passphrase(session, "decisions are begun anew").await?;
    let what = Deciding {
        kind: DecidedKind::Decisions,
        subject: "all agents".to_owned(),
        from: Some("as it was".to_owned()),
        to: None,
        reason: None,
    };
    let work = session.store.begin_decisions_anew();
    session.deciding(what, work).await?;
    let sentence = "There are no rules and no scopes any more, and no agent has a connector.";
    let agent = agent::in_words(&session.store).await?;
    let next = format!(
        "`portcullis scope` and `portcullis allow` decide anew; then `portcullis agent give {agent} CONNECTOR`"
    );
    let value = json!({ "changed": true });
    Ok(show::done(args.form, &value, sentence, Some(&next))?)
}

/// What the words come to.
struct Asked<'a> {
    level: Level,
    what: &'a str,
    /// None: the rule is taken back.
    mode: Option<Mode>,
    connector: Option<ConnectorName>,
}

/// Takes the words apart.
async fn read<'a>(args: &'a Allow, store: &Store) -> Result<Asked<'a>> {
    let is_agents = !args.workspace && args.connection.is_none();
    let (agent, what, mode) = match (is_agents, args.words.as_slice()) {
        (true, [agent, what, mode]) => (Some(agent), what, mode),
        (false, [what, mode]) => (None, what, mode),
        (true, _) => {
            let message = "an agent, what, and a mode are needed";
            let hint = "such as `portcullis allow helper effect:write ask`; with `--workspace` it is for every agent; `--list` lists the rules that there are";
            return Err(Problem::mistake("words", message, hint).into());
        }
        (false, _) => {
            let message = "with `--workspace` or `--connection` there is no agent to name";
            let hint = "give what and a mode: `portcullis allow --workspace effect:write ask`";
            return Err(Problem::mistake("words", message, hint).into());
        }
    };
    let parsed = match mode.as_str() {
        "default" => None,
        word => Some(Mode::from_word(word).ok_or_else(|| {
            let message = format!("`{}` is no mode", word.escape_debug());
            Problem::mistake("mode", message, "write `always`, `ask`, `off` or `default`")
        })?),
    };
    let (level, connector) = match (agent, &args.connection) {
        (Some(agent), _) => {
            let wrong = |error| {
                let hint = "`portcullis agent list` lists the agents";
                Problem::mistake("agent", format!("{error}"), hint)
            };
            let id = AgentId::parse(agent.as_str()).map_err(wrong)?;
            let agent = agent::require(store, &id).await?;
            (Level::Agent(agent.id), args.connector.clone())
        }
        (None, Some(text)) => of_connection(args, &connections::find(store, text).await?)?,
        (None, None) => (Level::Workspace, args.connector.clone()),
    };
    Ok(Asked {
        level,
        what,
        mode: parsed,
        connector,
    })
}

/// A rule of a connection is one of its connector's tools.
fn of_connection(
    args: &Allow,
    connection: &StoredConnection,
) -> Result<(Level, Option<ConnectorName>)> {
    let of = &connection.connector;
    if args.connector.as_ref().is_some_and(|named| named != of) {
        let message = format!("the connection is one of `{of}`");
        let hint = "leave `--connector` out";
        return Err(Problem::mistake("other_connection", message, hint).into());
    }
    let level = match &connection.owner {
        Owner::Shared => Level::Shared(connection.id.clone()),
        Owner::Person(person) => Level::Own(person.clone()),
    };
    Ok((level, Some(of.clone())))
}

/// Makes an object of a rule.
pub(crate) fn rule_json(rule: &ToolRule) -> Value {
    let (level, subject) = match &rule.level {
        Level::Workspace => ("workspace", None),
        Level::Agent(agent) => ("agent", Some(agent.as_str())),
        Level::Shared(connection) => ("connection", Some(connection.as_str())),
        Level::Own(person) => ("own_connection", Some(person.as_str())),
    };
    json!({
        "name": rule.to_string(),
        "level": level,
        "subject": subject,
        "connector": rule.connector,
        "what": rule.selector,
        "mode": rule.mode.as_word(),
        "made_for": rule.made_for,
    })
}
