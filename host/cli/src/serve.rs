//! `portcullis serve`: the tools, for an agent, by MCP.

use std::sync::Arc;

use anyhow::Result;
use portcullis::ComponentCache;
use portcullis_connect::{LoopbackHost, LoopbackPages, LoopbackPagesOptions};

use crate::activity;
use crate::args::{Serve, StoreSettings};
use crate::desk::Desk;
use crate::org;

/// Serves until standard input ends.
pub(crate) async fn run(args: &Serve, store: &StoreSettings, cache: ComponentCache) -> Result<()> {
    if !args.org.is_given() {
        // Where a person connects their account when an agent first needs it.
        let pages = LoopbackPages::new(LoopbackPagesOptions {
            port: args.connect_port,
            host: LoopbackHost::Localhost,
        });
        let pages = Some(Arc::new(pages));
        let desk = Desk::open(store, &args.who, &args.network, cache, pages).await?;
        let server = portcullis_server::Server::new(desk.host, desk.agent, desk.person);
        let served = server.serve_stdio().await;
        activity::close(&desk.audit).await;
        return Ok(served?);
    }
    let world = org::open(&args.org, &args.network, cache).await?;
    let (_, identity) = world.connect().await?;
    tracing::info!(user = %identity.user_name, "signed in");
    let server = portcullis_server::Server::new(
        world.host.clone(),
        world.agent.clone(),
        world.person.clone(),
    );
    Ok(server.serve_stdio().await?)
}
