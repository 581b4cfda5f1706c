//! `portcullis tools`: what an agent is offered.

use std::io::Write;

use anyhow::Result;
use portcullis::ComponentCache;
use portcullis::policy::Novelty;
use portcullis_store::{DecidedKind, Deciding};
use serde_json::{Value, json};

use crate::args::{Form, NetworkArgs, StoreSettings, Tools};
use crate::bundled;
use crate::catalog::{self, Catalog};
use crate::desk::{Desk, Where};
use crate::home::Home;
use crate::org;
use crate::show;
use crate::show::style::{QUIET, TITLE, styled};

/// Lists the tools.
pub(crate) async fn run(args: &Tools, store: &StoreSettings, cache: ComponentCache) -> Result<()> {
    if args.seen {
        see(store, cache.clone()).await?;
    }
    let mut agent = "AGENT".to_owned();
    let mut connectors = Vec::new();
    let offered = match args.who.is_given() {
        true => {
            let desk = Desk::open(
                store,
                &args.who,
                &NetworkArgs::default(),
                cache,
                Where::Nowhere,
            )
            .await?;
            agent = desk.agent.to_string();
            connectors = desk.host.connectors();
            desk.host.tools(&desk.agent, &desk.person).await?
        }
        // All that there are, for whoever looks around: no store is needed for that.
        false => {
            let world = org::unconnected(cache)?;
            world.install(bundled::salesforce()?).await?;
            world.host.tools(&world.agent, &world.person).await?
        }
    };
    if args.json {
        let tools: Value = offered
            .iter()
            .map(|offered| {
                let mut tool = tool_json(offered.tool());
                tool["connector"] = json!(offered.connector().manifest().name);
                tool["mode"] = json!(offered.decision.mode.as_word());
                tool["rule"] = json!(offered.decision.rule);
                tool["novelty"] = json!(offered.novelty);
                tool
            })
            .collect();
        show::json(&tools)?;
        return Ok(());
    }
    if offered.is_empty() {
        let connector = match connectors.as_slice() {
            [only] => only.manifest().name.as_str(),
            _ => "CONNECTOR",
        };
        let next = format!("`portcullis agent give {agent} {connector}` gives it a connector");
        let sentence = "The agent has no tools.";
        return Ok(show::done(
            Form { json: false },
            &Value::Null,
            sentence,
            Some(&next),
        )?);
    }
    let mut out = anstream::stdout().lock();
    for offered in &offered {
        let (tool, connector) = (offered.tool(), &offered.connector().manifest().name);
        let new = match offered.novelty {
            Novelty::Known => "",
            Novelty::New => ", new",
            Novelty::Grown => ", reaches farther than it did",
        };
        let about = format!("({connector}, {}{new})", tool.effect.as_str());
        let name = styled(TITLE, &tool.name);
        writeln!(
            out,
            "{name} {}\n    {}",
            styled(QUIET, about),
            tool.description
        )?;
    }
    Ok(())
}

/// Takes note that an administrator has seen all tools as they are.
async fn see(store: &StoreSettings, cache: ComponentCache) -> Result<()> {
    let session = Home::of(store)?.open_existing().await?;
    session.require_administrator().await?;
    for connector in &Catalog::open(&session.store, cache).await?.connectors {
        let name = &connector.manifest().name;
        let tools = catalog::tools(connector);
        let what = Deciding {
            kind: DecidedKind::Seen,
            subject: name.to_string(),
            from: None,
            to: Some(format!("{} tools as they are", tools.len())),
            reason: None,
        };
        let work = session.store.see_tools(name, &tools);
        session.deciding(what, work).await?;
    }
    Ok(())
}

/// Makes an object of a tool.
pub(crate) fn tool_json(tool: &portcullis::Tool) -> Value {
    json!({
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "toolset": tool.toolset,
        "effect": tool.effect,
        "idempotent": tool.idempotent,
        "input_schema": tool.input_schema,
        "output_schema": tool.output_schema,
    })
}
