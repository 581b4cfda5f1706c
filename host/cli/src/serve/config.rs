//! `portcullis serve --print-config`: what to paste into a client's settings.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::args::StoreSettings;
use crate::args::serve::{ClientName, Serve};
use crate::environment;
use crate::show;

/// The name that the client gives the server.
const NAME: &str = "portcullis";

/// The variable that a client takes the person's token from.
const TOKEN: &str = "PORTCULLIS_TOKEN";

/// How a client reaches the server.
enum Reach {
    /// It starts the program.
    Starts { command: String, args: Vec<String> },
    /// By HTTP.
    At {
        url: String,
        /// Whether it sends a person's token; else it gets one by itself.
        has_token: bool,
    },
}

/// Prints the settings, and says where they go.
pub(super) fn print(args: &Serve, store: &StoreSettings, client: ClientName) -> Result<()> {
    let reach = match args.public.listen {
        Some(address) => Reach::At {
            url: url(args, address),
            has_token: args.issuer.issuer.is_none(),
        },
        None => {
            let program =
                std::env::current_exe().context("the program does not know where it is")?;
            let given: Vec<String> = std::env::args().skip(1).collect();
            Reach::Starts {
                command: program.display().to_string(),
                args: to_serve(given, store_of_environment(args, store)?),
            }
        }
    };
    let (text, place) = settings(client, &reach);
    show::note(&format!("this goes into {place}"))?;
    if matches!(
        reach,
        Reach::At {
            has_token: true,
            ..
        }
    ) {
        show::note(&format!(
            "the variable {TOKEN} is to hold a token of the person: `portcullis person token add NAME` makes one"
        ))?;
    }
    use std::io::Write;
    Ok(writeln!(anstream::stdout().lock(), "{}", text.trim_end())?)
}

fn url(args: &Serve, address: SocketAddr) -> String {
    let base = match &args.public.public_url {
        Some(base) => base.to_string(),
        None => format!("http://{address}"),
    };
    match &args.who.agent {
        Some(agent) => format!("{base}/mcp/{agent}"),
        None => format!("{base}/mcp"),
    }
}

/// Gives the options that name the store which a variable names: a client starts the program with variables of its own.
fn store_of_environment(args: &Serve, store: &StoreSettings) -> Result<Vec<String>> {
    if args.org.is_given() || store.data_dir.is_some() || store.store.is_some() {
        return Ok(Vec::new());
    }
    if let Some(url) = environment::store_url() {
        return Ok(vec!["--store".to_owned(), url]);
    }
    let Some(folder) = environment::named_data_folder() else {
        return Ok(Vec::new());
    };
    let folder = std::path::absolute(folder).context("the folder of the store is not known")?;
    Ok(vec!["--data-dir".to_owned(), folder.display().to_string()])
}

/// Makes of what the program was started with, and the store's options, what a client starts it with.
fn to_serve(given: Vec<String>, store: Vec<String>) -> Vec<String> {
    let mut args = Vec::with_capacity(given.len());
    let mut given = given.into_iter();
    while let Some(arg) = given.next() {
        match arg.as_str() {
            "--print-config" => drop(given.next()),
            _ if arg.starts_with("--print-config=") => {}
            _ => args.push(arg),
        }
    }
    if !args.iter().any(|arg| arg == "--stdio") {
        args.push("--stdio".to_owned());
    }
    args.extend(store);
    args
}

/// Writes the settings as a client has them, and names their file.
fn settings(client: ClientName, reach: &Reach) -> (String, &'static str) {
    let by_http = |mut server: Value, has_token: bool, variable: &str| {
        if has_token {
            server["headers"] = json!({ "Authorization": format!("Bearer {variable}") });
        }
        server
    };
    let starts = |command: &str, args: &[String]| json!({ "command": command, "args": args });
    match (client, reach) {
        (ClientName::Claude, Reach::Starts { command, args }) => (
            servers("mcpServers", starts(command, args)),
            "`.mcp.json` of a project (Claude Code), or `claude_desktop_config.json` (Claude Desktop)",
        ),
        (ClientName::Claude, Reach::At { url, has_token }) => {
            let server = json!({ "type": "http", "url": url });
            let server = by_http(server, *has_token, &format!("${{{TOKEN}}}"));
            (
                servers("mcpServers", server),
                "`.mcp.json` of a project (Claude Code)",
            )
        }
        (ClientName::Cursor, Reach::Starts { command, args }) => (
            servers("mcpServers", starts(command, args)),
            "`~/.cursor/mcp.json`, or `.cursor/mcp.json` of a project",
        ),
        (ClientName::Cursor, Reach::At { url, has_token }) => {
            let server = json!({ "url": url });
            let server = by_http(server, *has_token, &format!("${{env:{TOKEN}}}"));
            (
                servers("mcpServers", server),
                "`~/.cursor/mcp.json`, or `.cursor/mcp.json` of a project",
            )
        }
        (ClientName::Vscode, Reach::Starts { command, args }) => {
            let server = json!({ "type": "stdio", "command": command, "args": args });
            (
                servers("servers", server),
                "`.vscode/mcp.json` of a project",
            )
        }
        (ClientName::Vscode, Reach::At { url, has_token }) => {
            let server = json!({ "type": "http", "url": url });
            let server = by_http(server, *has_token, &format!("${{env:{TOKEN}}}"));
            (
                servers("servers", server),
                "`.vscode/mcp.json` of a project",
            )
        }
        (ClientName::Codex, reach) => (codex(reach), "`~/.codex/config.toml`"),
        (ClientName::Gemini, Reach::Starts { command, args }) => (
            servers("mcpServers", starts(command, args)),
            "`~/.gemini/settings.json`, or `.gemini/settings.json` of a project",
        ),
        (ClientName::Gemini, Reach::At { url, has_token }) => {
            let server = json!({ "httpUrl": url });
            let server = by_http(server, *has_token, &format!("${TOKEN}"));
            (
                servers("mcpServers", server),
                "`~/.gemini/settings.json`, or `.gemini/settings.json` of a project",
            )
        }
    }
}

fn servers(name: &str, server: Value) -> String {
    format!("{:#}", json!({ name: { NAME: server } }))
}

fn codex(reach: &Reach) -> String {
    // A basic string of TOML takes what one of JSON does.
    let text = |text: &str| Value::from(text).to_string();
    match reach {
        Reach::Starts { command, args } => {
            let args: Vec<String> = args.iter().map(|arg| text(arg)).collect();
            format!(
                "[mcp_servers.{NAME}]\ncommand = {}\nargs = [{}]",
                text(command),
                args.join(", ")
            )
        }
        Reach::At { url, has_token } => {
            let token = match has_token {
                true => format!("\nbearer_token_env_var = \"{TOKEN}\""),
                false => String::new(),
            };
            format!("[mcp_servers.{NAME}]\nurl = {}{token}", text(url))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_starts_what_was_asked_for() {
        let given = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for (asked, started) in [
            (
                "serve --print-config claude --agent helper",
                "serve --agent helper --stdio",
            ),
            (
                "--data-dir x serve --stdio --print-config=codex --read-only",
                "--data-dir x serve --stdio --read-only",
            ),
        ] {
            assert_eq!(to_serve(given(asked), Vec::new()), given(started));
        }
    }

    #[test]
    fn each_is_what_its_client_can_read() {
        let starts = Reach::Starts {
            command: "C:\\Program Files\\portcullis.exe".to_owned(),
            args: vec![
                "serve".to_owned(),
                "--agent".to_owned(),
                "a \"b\"".to_owned(),
            ],
        };
        let at = |has_token| Reach::At {
            url: "https://host.example/mcp/helper".to_owned(),
            has_token,
        };
        for reach in [&starts, &at(true), &at(false)] {
            for client in [
                ClientName::Claude,
                ClientName::Cursor,
                ClientName::Vscode,
                ClientName::Gemini,
            ] {
                let (text, _) = settings(client, reach);
                let value: Value = serde_json::from_str(&text).unwrap();
                let servers = value.get("servers").or(value.get("mcpServers")).unwrap();
                let server = &servers[NAME];
                match reach {
                    Reach::Starts { command, args } => {
                        assert_eq!(server["command"], json!(command));
                        assert_eq!(server["args"], json!(args));
                    }
                    Reach::At { url, has_token } => {
                        let given = server.get("url").or(server.get("httpUrl")).unwrap();
                        assert_eq!(given, url);
                        if !has_token {
                            assert_eq!(server.get("headers"), None);
                            continue;
                        }
                        let bearer = server["headers"]["Authorization"].as_str().unwrap();
                        assert!(
                            bearer.starts_with("Bearer $") && bearer.contains(TOKEN),
                            "{bearer}"
                        );
                    }
                }
            }
            let (text, _) = settings(ClientName::Codex, reach);
            let value: toml::Value = toml::from_str(&text).unwrap();
            let server = &value["mcp_servers"][NAME];
            match reach {
                Reach::Starts { command, args } => {
                    assert_eq!(server["command"].as_str(), Some(command.as_str()));
                    assert_eq!(server["args"].as_array().unwrap().len(), args.len());
                }
                Reach::At { url, has_token } => {
                    assert_eq!(server["url"].as_str(), Some(url.as_str()));
                    let token = server.get("bearer_token_env_var");
                    assert_eq!(token.is_some(), *has_token, "{text}");
                }
            }
        }
    }
}
