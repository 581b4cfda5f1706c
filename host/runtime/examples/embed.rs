//! A host in a few lines. Give it COMPONENT ORIGIN TOKEN TOOL ARGUMENTS, such as
//! `fetch.wasm http://127.0.0.1:8080 secret get '{"path": "/record/1"}'`.
#![allow(clippy::print_stdout, reason = "it is what the program is for")]

use std::{error::Error, sync::Arc};

use portcullis::network::{HostPort, NetworkOptions};
use portcullis::ports::{self, Ports, credentials::Connection};
use portcullis::{Call, ComponentCache, Host, Limits, Network, Outcome, policy::Origin};

/// Installs a connector, connects it to a service, calls a tool, and gives its text.
pub async fn ask([wasm, origin, token, tool, json]: [&str; 5]) -> Result<String, Box<dyn Error>> {
    let credentials = Arc::new(ports::MemoryCredentials::new());
    let permissions = Arc::new(ports::MemoryPermissions::new());
    let ports = Ports {
        credentials: credentials.clone(),
        permissions: permissions.clone(),
        approvals: Arc::new(ports::MemoryApprovals::new()?),
        audit: Arc::new(ports::MemoryAudit::new()),
    };
    let origin = Origin::parse(origin)?;
    let mut network = NetworkOptions::default();
    // The operator's word that this one address may be a private one.
    let address = HostPort::new(origin.host(), origin.port());
    network.allow_private.push(address);
    let network = Network::new(network)?;
    let host = Host::new(Limits::default(), network, ComponentCache::none(), ports)?;

    let inspected = host.inspect(std::fs::read(wasm)?).await?;
    let manifest = inspected.connector().manifest().clone();
    // An administrator has looked at the POST requests that are said to only read.
    let posts = manifest.posts_declared_read();
    let posts: Vec<String> = posts.iter().map(|route| route.accepted_as()).collect();
    host.activate(inspected, &posts)?;
    permissions.offer("desk".parse()?, manifest.name.clone());
    let connection = Connection {
        id: "mine".parse()?,
        shared: false,
        origin,
        scopes: Vec::new(),
        identity: None,
    };
    credentials.connect(manifest.name.clone(), None, connection, token.into());

    let (agent, person, json) = ("desk".parse()?, "ada".parse()?, serde_json::from_str(json)?);
    let call = Call::new(agent, person, manifest.name, tool, json);
    match host.call(call).await.outcome {
        Outcome::Done(output) => Ok(output.text),
        other => Err(format!("{other:?}").into()),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    println!("{}", ask(args.as_slice().try_into()?).await?);
    Ok(())
}
