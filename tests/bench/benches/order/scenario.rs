//! What a server does while it is watched: it serves an org by plain HTTP and by TLS, and an agent of a store.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command};

use anyhow::{Context, Result, ensure};
use salesforce_devorg::{DevOrg, Options};
use serde_json::{Value, json};

use crate::trace::functions_run;

/// Calls that run at once.
const CALLS: u64 = 32;

/// Gives the addresses of the functions that run, for each of the servers.
pub(crate) async fn run(program: &Path, functions: &BTreeSet<u64>) -> Result<Vec<BTreeSet<u64>>> {
    let org = DevOrg::start(Options {
        tls: Some(([127, 0, 0, 1], 0).into()),
        ..Options::default()
    })
    .await?;
    let folder = tempfile::tempdir()?;
    let authority = folder.path().join("authority.pem");
    fs::write(&authority, org.ca_pem().context("the org has no TLS")?)?;
    let token = &org
        .users()
        .first()
        .context("the org has no users")?
        .access_token;
    let https = org.https_url().context("the org has no TLS")?;

    let set = |command: &mut Command| {
        command
            .env("BENCH_TOKEN", token)
            .env("USER", "bench")
            .env("XDG_CACHE_HOME", folder.path().join("cache"))
            .env_remove("PORTCULLIS_KEY");
        for variable in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
            command.env_remove(variable);
        }
    };
    let serve = |url: &str, command: &mut Command| {
        let (_, destination) = url.split_once("://").unwrap_or_default();
        command
            .args(["serve", "--stdio", "--instance-url", url])
            .args(["--access-token-env", "BENCH_TOKEN"])
            .args(["--allow-origin", destination, "--ca-file"])
            .arg(&authority);
        set(command);
    };
    let app = org.apps().into_iter().find(|app| app.name == "Nightly Job");
    let app = app.context("the org has no app that signs itself in")?;
    let destination = https.trim_start_matches("https://");
    let store = |command: &mut Command| {
        command
            .env("PORTCULLIS_DATA_DIR", folder.path().join("data"))
            .env("THE_SECRET", &app.client_secret);
        set(command);
    };
    let reach = |command: &mut Command| {
        command
            .args(["--allow-origin", destination, "--ca-file"])
            .arg(&authority);
    };
    // The key is in a file, and the system's keyring is asked for it first, as on any server.
    let id = &app.client_id;
    for (words, reaches) in [
        (
            format!(
                "app set salesforce --client-id {id} --login {https} --client-secret-env THE_SECRET"
            ),
            false,
        ),
        (
            "connect salesforce --label Bench --client-credentials".to_owned(),
            true,
        ),
        ("connections share Bench --person bench".to_owned(), false),
        ("agent add helper".to_owned(), false),
        (
            "agent give helper salesforce --shared Bench".to_owned(),
            false,
        ),
    ] {
        let mut command = Command::new(program);
        command.args(words.split(' '));
        if reaches {
            reach(&mut command);
        }
        store(&mut command);
        let done = command.output()?;
        let said = String::from_utf8_lossy(&done.stderr);
        ensure!(done.status.success(), "`{words}` failed: {said}");
    }
    let mut command = Command::new(program);
    command.arg("tools");
    set(&mut command);
    ensure!(command.output()?.status.success(), "`tools` failed");

    let plain = functions_run(
        program,
        functions,
        |command| serve(org.url(), command),
        talk,
    )?;
    let tls = functions_run(program, functions, |command| serve(https, command), talk)?;
    let of_store = |command: &mut Command| {
        command.args([
            "serve",
            "--stdio",
            "--agent",
            "helper",
            "--connect-port",
            "0",
        ]);
        reach(command);
        store(command);
    };
    let stored = functions_run(program, functions, of_store, talk)?;
    Ok(vec![plain, tls, stored])
}

/// Does what a client does.
fn talk(child: &mut Child) -> Result<()> {
    let mut input = child.stdin.take().context("no standard input")?;
    let output = child.stdout.take().context("no standard output")?;
    let mut output = BufReader::new(output).lines();
    let mut send = |message: Value| writeln!(input, "{message}");
    let mut receive = || -> Result<Value> {
        let line = output.next().context("the server ended")??;
        Ok(serde_json::from_str(&line)?)
    };
    let hello = json!({
        "protocolVersion": "2025-06-18", "capabilities": {},
        "clientInfo": {"name": "bench", "version": "0"}
    });
    send(json!({"jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": hello}))?;
    receive()?;
    send(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))?;
    send(json!({"jsonrpc": "2.0", "id": "tools", "method": "tools/list"}))?;
    receive()?;
    let query = |soql: &str| json!({"name": "query", "arguments": {"soql": soql}});
    let call = |id: u64, params: Value| json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params});
    for id in 0..CALLS {
        let soql = format!("SELECT Id, Name, Account.Name FROM Contact LIMIT {id}");
        send(call(id, query(&soql)))?;
    }
    for _ in 0..CALLS {
        let answer = receive()?;
        ensure!(answer["result"]["isError"] != true, "{answer}");
    }
    // One that comes back with the nearest name, and other kinds of answers.
    send(call(CALLS, query("SELECT Nmae FROM Contact")))?;
    send(call(
        CALLS + 1,
        json!({"name": "describe_object", "arguments": {"object": "Contact"}}),
    ))?;
    send(call(
        CALLS + 2,
        json!({"name": "list_objects", "arguments": {}}),
    ))?;
    for _ in 0..3 {
        receive()?;
    }
    child.stdin = Some(input);
    Ok(())
}
