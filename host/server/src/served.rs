//! What of an agent's tools a server gives, where that is less than all.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use portcullis::policy::Effect;
use portcullis::{Host, Tool};

use crate::check;

/// What is served. The default is all that the agent has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// The toolsets; none: all.
    pub toolsets: Option<BTreeSet<String>>,
    /// Only tools that read.
    pub read_only: bool,
    /// Whether agents can ask what became of a question: only where questions are kept.
    pub checks_approvals: bool,
    /// The most items of a page of a list; none: a hundred.
    pub page_items: Option<NonZeroUsize>,
}

impl Served {
    /// Says whether a tool is served.
    pub(crate) fn has(&self, tool: &Tool) -> bool {
        let is_in = |wanted: &BTreeSet<String>| wanted.contains(&tool.toolset);
        self.toolsets.as_ref().is_none_or(is_in)
            && (!self.read_only || tool.effect == Effect::Read)
            // No connector answers in the host's name.
            && !(self.checks_approvals && tool.name.as_str() == check::NAME)
    }

    /// Names the toolsets that no active connector has.
    pub fn unknown_toolsets(&self, host: &Host) -> Vec<String> {
        let known = toolsets(host);
        let wanted = self.toolsets.iter().flatten();
        wanted
            .filter(|name| !known.contains(*name))
            .cloned()
            .collect()
    }
}

/// Gives the toolsets of the active connectors.
pub fn toolsets(host: &Host) -> BTreeSet<String> {
    let connectors = host.connectors();
    let tools = connectors.iter().flat_map(|connector| connector.tools());
    tools.map(|tool| tool.toolset.clone()).collect()
}
