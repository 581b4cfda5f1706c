//! Telling clients that an agent's tools, resources or prompts are others: after another version of a connector is active, and after an administrator
//! decided something on them.
//!
//! What counts is what the agent's client would be shown. It is found out only when the host's owner says that something may have
//! changed, and a client that is told nothing new is told nothing.

use std::time::Duration;

use portcullis::policy::{Digest, Mode, ToolName};
use rmcp::RoleServer;
use rmcp::service::Peer;
use tokio::sync::watch;

use crate::Server;
use crate::prompts::prompts;
use crate::resources::resources;

/// How long a task goes on at most for a client that is gone.
const LOOKS_AFTER_CLIENT: Duration = Duration::from_secs(30);

/// What a client sees of what an agent has.
#[derive(PartialEq, Eq)]
struct Seen {
    /// Of which component each tool is, and how it may be used, which its description says.
    tools: Vec<(Digest, ToolName, Mode)>,
    resources: Vec<(Digest, String)>,
    prompts: Vec<(Digest, String)>,
}

/// A list that is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    Tools,
    Resources,
    Prompts,
}

/// How a client is told.
pub(crate) trait Tell {
    /// Says whether there is still somebody to tell.
    fn is_there(&self) -> bool;

    /// Tells, and says whether that was possible.
    fn tell(&self, list: List) -> impl Future<Output = bool> + Send;
}

impl Tell for Peer<RoleServer> {
    fn is_there(&self) -> bool {
        !self.is_transport_closed()
    }

    async fn tell(&self, list: List) -> bool {
        let told = match list {
            List::Tools => self.notify_tool_list_changed().await,
            List::Resources => self.notify_resource_list_changed().await,
            List::Prompts => self.notify_prompt_list_changed().await,
        };
        told.is_ok()
    }
}

impl Tell for rmcp::service::SubscriptionSink {
    fn is_there(&self) -> bool {
        true // Whoever listens ends with the request.
    }

    async fn tell(&self, list: List) -> bool {
        let accepted = self.accepted();
        // What nobody listens to is as good as told.
        let told = match list {
            List::Tools if accepted.tools_list_changed == Some(true) => {
                self.notify_tool_list_changed().await
            }
            List::Resources if accepted.resources_list_changed == Some(true) => {
                self.notify_resource_list_changed().await
            }
            List::Prompts if accepted.prompts_list_changed == Some(true) => {
                self.notify_prompt_list_changed().await
            }
            _ => return true,
        };
        told.is_ok()
    }
}

impl Server {
    /// Tells a client of each change of what it is shown, until it is gone or nothing changes any more.
    pub(crate) async fn tell_changes(&self, changes: watch::Receiver<i64>, client: impl Tell) {
        let mut changes = changes;
        // What changes from now on is seen, also where it changes while the tools are looked at.
        changes.borrow_and_update();
        // A client that asked later has been shown what is newer, and is told once too often.
        let mut shown = self.seen().await;
        while client.is_there() {
            match tokio::time::timeout(LOOKS_AFTER_CLIENT, changes.changed()).await {
                Err(_) => continue,
                Ok(Err(_)) => return,
                Ok(Ok(())) => {}
            }
            let now = self.seen().await;
            for list in others(shown.as_ref(), now.as_ref()) {
                if !client.tell(list).await {
                    return;
                }
            }
            shown = now;
        }
    }

    async fn seen(&self) -> Option<Seen> {
        let offered = self.offered().await.ok()?;
        let tools = offered.iter().map(|offered| {
            let digest = offered.connector().digest();
            (digest, offered.tool().name.clone(), offered.decision.mode)
        });
        let resources = resources(&offered).into_iter();
        let prompts = prompts(&offered).into_iter();
        Some(Seen {
            tools: tools.collect(),
            resources: resources
                .map(|(connector, one)| (connector.digest(), one.name.clone()))
                .collect(),
            prompts: prompts
                .map(|(connector, one)| (connector.digest(), one.name.clone()))
                .collect(),
        })
    }
}

/// Says which lists are others. Where it could not be found out the client had better look itself.
fn others(shown: Option<&Seen>, now: Option<&Seen>) -> Vec<List> {
    let (Some(shown), Some(now)) = (shown, now) else {
        return vec![List::Tools, List::Resources, List::Prompts];
    };
    let lists = [
        (List::Tools, shown.tools != now.tools),
        (List::Resources, shown.resources != now.resources),
        (List::Prompts, shown.prompts != now.prompts),
    ];
    let others = lists.into_iter().filter(|(_, is_other)| *is_other);
    others.map(|(list, _)| list).collect()
}
