//! Serves the connector `contents` by HTTP to whoever is on this machine, for the Model Context Protocol's own conformance suite: it sends no
//! token. Prints the address, and serves until it is ended. With `--stdio` it serves the one client that starts it.
#![allow(
    missing_docs,
    clippy::print_stdout,
    reason = "it speaks to the script that runs it"
)]

use std::sync::Arc;

use anyhow::{Context, Result};
use async_trait::async_trait;
use portcullis::network::{Network, NetworkOptions};
use portcullis::policy::{AgentId, PersonId};
use portcullis::ports::{
    MemoryApprovals, MemoryAudit, MemoryCredentials, MemoryPermissions, PortError,
};
use portcullis::{ComponentCache, Host, Limits, Ports};
use portcullis_server::{
    Beside, Bounds, Callers, Here, Http, HttpBounds, PublicServer, Served, Server,
};
use secrecy::SecretString;

/// The components that the build made, with bars between.
const COMPONENTS: &str = env!("COMPONENTS");

/// Whoever is on this machine.
struct Anybody {
    person: PersonId,
    agent: AgentId,
}

#[async_trait]
impl Callers for Anybody {
    async fn person(
        &self,
        _: Option<&SecretString>,
        _: &[String],
    ) -> Result<Option<PersonId>, PortError> {
        Ok(Some(self.person.clone()))
    }

    async fn agent(&self, _: Option<&str>) -> Result<Option<AgentId>, PortError> {
        Ok(Some(self.agent.clone()))
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let (agent, person): (AgentId, PersonId) = ("helper".parse()?, "ada".parse()?);
    let permissions = Arc::new(MemoryPermissions::new());
    let ports = Ports {
        credentials: Arc::new(MemoryCredentials::new()),
        permissions: permissions.clone(),
        approvals: Arc::new(MemoryApprovals::new()?),
        audit: Arc::new(MemoryAudit::new()),
    };
    let network = Network::new(NetworkOptions::default())?;
    let host = Host::new(Limits::default(), network, ComponentCache::none(), ports)?;
    let file = COMPONENTS
        .split('|')
        .find(|file| file.ends_with("contents.wasm"));
    let bytes = std::fs::read(file.context("there is no contents")?)?;
    let connector = host.install(bytes).await?.manifest().name.clone();
    permissions.offer(agent.clone(), connector);
    if std::env::args().any(|argument| argument == "--stdio") {
        let server = Server::new(host, agent, person, Served::default());
        return Ok(server.serve_stdio(std::future::pending()).await?);
    }

    let server = PublicServer::bind("127.0.0.1:0".parse()?, None, Bounds::default()).await?;
    let address = server.address()?;
    let callers = Arc::new(Anybody { person, agent });
    let here = Here::on_this_machine(address.port());
    let mcp = Http::new(
        host,
        Served::default(),
        Beside::default(),
        callers,
        here,
        HttpBounds::default(),
    );
    println!("http://{address}/mcp");
    let answer = move |request| {
        let mcp = mcp.clone();
        async move { mcp.answer(request).await }
    };
    server.serve(answer, std::future::pending()).await;
    Ok(())
}
