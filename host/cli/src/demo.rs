//! `portcullis demo`: three questions answered through the sandbox, and a write refused.

use std::io::Write;

use anyhow::{Context, Result};
use portcullis::network::NetworkOptions;
use portcullis::policy::ConnectorName;
use portcullis::{ComponentCache, Outcome, Reply};
use serde_json::{Value, json};

use crate::args::Demo;
use crate::bundled;
use crate::org::{self, World};
use crate::problem::Problem;
use crate::show;
use crate::show::style::{HINT, QUIET, TITLE, styled};

/// Lines of an answer that are shown.
const LINES_SHOWN_MAX: usize = 10;

/// Runs the demo, and stays until it is told to end.
pub(crate) async fn run(args: &Demo, cache: ComponentCache) -> Result<()> {
    let world = org::dev_org(NetworkOptions::default(), cache).await?;
    let org = world.dev_org().context("the sample org is not there")?;
    let (connector, identity) = world.connect().await?;
    let salesforce = connector.manifest().name.clone();
    title("An org with sample records runs inside this program")?;
    let mut out = anstream::stdout().lock();
    writeln!(out, "{}", org.url())?;
    let organization = identity.organization_name.as_deref().unwrap_or("the org");
    let (component, user) = (connector.digest().short(), &identity.user_name);
    writeln!(
        out,
        "The connector `{salesforce}` ({component}) is signed in to {organization} as {user}.\n\
         It runs in a sandbox and never sees the access token.",
    )?;
    drop(out);

    questions(&world, &salesforce).await?;
    refusal(&world).await?;
    configuration()?;
    if !args.exit {
        invitation(&world)?;
        tokio::signal::ctrl_c().await?;
    }
    Ok(())
}

/// Asks the three questions.
async fn questions(world: &World, salesforce: &ConnectorName) -> Result<()> {
    title("1. A query with a field of a parent")?;
    let soql = "SELECT Name, Amount, StageName, Account.Name FROM Opportunity \
                WHERE IsClosed = false ORDER BY Amount DESC NULLS LAST LIMIT 5";
    let _ = ask(world, salesforce, "query", json!({ "soql": soql })).await?;

    title("2. A query of 5,000 rows, page by page")?;
    let soql = "SELECT Name FROM Measurement__c ORDER BY Name";
    let first = ask(world, salesforce, "query", json!({ "soql": soql })).await?;
    let Outcome::Done(output) = &first.outcome else {
        return Ok(());
    };
    let cursor = output
        .next_cursor
        .as_deref()
        .context("5,000 rows came at once")?;
    let _ = ask(world, salesforce, "query_next", json!({ "cursor": cursor })).await?;

    title("3. A query with a spelling mistake")?;
    let soql = "SELECT Name, Industy FROM Account LIMIT 5";
    let _ = ask(world, salesforce, "query", json!({ "soql": soql })).await?;
    Ok(())
}

/// Lets a tool that says it reads try to write.
async fn refusal(world: &World) -> Result<()> {
    title("4. A tool that says it reads, and tries to write")?;
    let mut out = anstream::stdout().lock();
    writeln!(
        out,
        "For this, a connector that misbehaves is installed beside. Its tool `read` sends a PATCH.",
    )?;
    drop(out);
    let connector = world.install(bundled::misbehaving()?).await?;
    let arguments = json!({ "method": "PATCH", "path": "/record/1", "announce": false });
    let name = &connector.manifest().name;
    let reply = ask(world, name, "read", arguments).await?;
    let refused = matches!(reply.outcome, Outcome::Refused(_));
    anyhow::ensure!(refused, "the write was not refused");
    Ok(())
}

/// Asks a question, and shows the answer and its audit entry.
async fn ask(
    world: &World,
    connector: &ConnectorName,
    tool: &str,
    arguments: Value,
) -> Result<Reply> {
    let mut out = anstream::stdout();
    writeln!(out, "{} {tool} {arguments}\n", styled(QUIET, ">"))?;
    let reply = world.call(connector, tool, arguments).await;
    let mut out = out.lock();
    match &reply.outcome {
        Outcome::Done(output) => {
            let lines: Vec<&str> = output.text.lines().collect();
            for line in lines.iter().take(LINES_SHOWN_MAX) {
                writeln!(out, "{line}")?;
            }
            if let Some(more @ 1..) = lines.len().checked_sub(LINES_SHOWN_MAX) {
                let more = format!("… and {more} more lines");
                writeln!(out, "{}", styled(QUIET, more))?;
            }
        }
        _ => {
            if let Some(problem) = Problem::of_reply(&reply) {
                show::reply::problem(&mut out, &problem)?;
            }
        }
    }
    writeln!(out)?;
    if let Some(call) = reply.call {
        show::audit::entry(&mut out, &world.audit.records(call))?;
    }
    writeln!(out)?;
    Ok(reply)
}

fn title(text: &str) -> Result<()> {
    let mut out = anstream::stdout().lock();
    writeln!(out, "\n{}\n", styled(TITLE, text))?;
    Ok(())
}

/// Says what to put into an MCP client.
fn configuration() -> Result<()> {
    let program = std::env::current_exe()?;
    let config = json!({
        "mcpServers": {
            "portcullis": {
                "command": program,
                "args": ["serve", "--stdio", "--dev-org"],
            }
        }
    });
    title("Let an agent ask")?;
    let mut out = anstream::stdout().lock();
    writeln!(
        out,
        "Put this into an MCP client's configuration; it gets an org of its own:\n"
    )?;
    writeln!(out, "{}", serde_json::to_string_pretty(&config)?)?;
    Ok(())
}

/// Says how to ask the org that stays up.
fn invitation(world: &World) -> Result<()> {
    let org = world.dev_org().context("the sample org is not there")?;
    let user = org.users().first().context("the sample org has no users")?;
    let (url, address) = (org.url(), org.address());
    let mut out = anstream::stdout().lock();
    writeln!(out, "\nOr ask this org, as long as this program runs:\n")?;
    writeln!(
        out,
        "{}",
        styled(
            HINT,
            format!(
                "DEMO_TOKEN='{}' portcullis call get_identity --instance-url {url} --allow-origin {address} --access-token-env DEMO_TOKEN",
                user.access_token
            )
        )
    )?;
    Ok(())
}
