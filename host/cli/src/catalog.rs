//! The connectors with their tools, for what is said of tools by name.

use std::sync::Arc;

use anyhow::Result;
use portcullis::policy::{ConnectorName, Effect, Level, Mode, Selector, ToolName, ToolRule};
use portcullis::{ComponentCache, Connector};
use portcullis_store::Store;

use crate::connectors;
use crate::org;
use crate::problem::Problem;

/// The connectors that there are.
pub(crate) struct Catalog {
    pub(crate) connectors: Vec<Arc<Connector>>,
}

/// Takes note of the tools of a connector that a store has not met.
pub(crate) async fn meet(store: &Store, connector: &Connector) -> Result<()> {
    let name = &connector.manifest().name;
    Ok(store.meet_tools(name, &tools(connector)).await?)
}

/// Gives the tools of a connector, and how far each reaches.
pub(crate) fn tools(connector: &Connector) -> Vec<(ToolName, Effect)> {
    let tools = connector.tools().iter();
    tools.map(|tool| (tool.name.clone(), tool.effect)).collect()
}

impl Catalog {
    /// Looks at the connectors.
    pub(crate) async fn open(store: &Store, cache: ComponentCache) -> Result<Self> {
        let world = org::unconnected(cache)?;
        connectors::on(store, &world.host)?.take_over().await?;
        let connectors = world.host.connectors();
        Ok(Self { connectors })
    }

    /// Makes a rule of its words; none as `mode` where it is to be taken back.
    pub(crate) fn rule(
        &self,
        level: Level,
        what: &str,
        mode: Mode,
        connector: Option<&ConnectorName>,
    ) -> Result<ToolRule> {
        let selector: Selector = what.parse().map_err(|error| {
            let hint = "`portcullis tools` lists the tools, `portcullis allow --help` says more";
            Problem::mistake("selector", format!("{error}"), hint)
        })?;
        let (connector, made_for) = match &selector {
            Selector::Effect(_) => (connector.cloned(), None),
            Selector::Toolset(toolset) => {
                let has = |one: &Connector| one.manifest().toolsets.contains_key(toolset);
                (
                    Some(self.one(connector, what, has)?.manifest().name.clone()),
                    None,
                )
            }
            Selector::Tool(name) => {
                let found = self.one(connector, what, |one| one.tool(name.as_str()).is_some())?;
                let effect = found.tool(name.as_str()).map(|tool| tool.effect);
                (Some(found.manifest().name.clone()), effect)
            }
        };
        Ok(ToolRule {
            level,
            connector,
            selector,
            mode,
            made_for,
        })
    }

    /// Finds the connector that has something: the one that is named, or the only one.
    pub(crate) fn one(
        &self,
        named: Option<&ConnectorName>,
        what: &str,
        has: impl Fn(&Connector) -> bool,
    ) -> Result<&Arc<Connector>> {
        let fits = |one: &&Arc<Connector>| named.is_none_or(|name| one.manifest().name == *name);
        let with: Vec<_> = self
            .connectors
            .iter()
            .filter(fits)
            .filter(|one| has(one))
            .collect();
        let what = what.escape_debug();
        match with.as_slice() {
            [one] => Ok(one),
            [] => {
                let of = named.map_or(String::new(), |name| format!(" of `{name}`"));
                let message = format!("there is no tool or toolset `{what}`{of}");
                let hint = "`portcullis tools` lists the tools, and `--json` their toolsets";
                Err(Problem::mistake("unknown_tool", message, hint).into())
            }
            several => Err(ambiguous(
                &format!("several connectors have `{what}`"),
                several.iter().copied(),
            )),
        }
    }

    /// Finds the connector that is meant: the one that is named, or the only one.
    pub(crate) fn connector(&self, named: Option<&ConnectorName>) -> Result<&Arc<Connector>> {
        let names: Vec<ConnectorName> = self
            .connectors
            .iter()
            .map(|one| one.manifest().name.clone())
            .collect();
        if let Some(name) = named.filter(|name| !names.contains(name)) {
            return Err(connectors::unknown(name, &names).into());
        }
        match self.connectors.as_slice() {
            several @ [_, _, ..] if named.is_none() => {
                Err(ambiguous("several connectors could be meant", several))
            }
            _ => self.one(named, "", |_| true),
        }
    }
}

fn ambiguous<'a>(
    message: &str,
    several: impl IntoIterator<Item = &'a Arc<Connector>>,
) -> anyhow::Error {
    let names: Vec<&str> = several
        .into_iter()
        .map(|one| one.manifest().name.as_str())
        .collect();
    let hint = format!("name one with `--connector`: {}", names.join(", "));
    Problem::mistake("ambiguous", message, hint).into()
}
