//! Who is measured: how each is started, and how it is asked for the same twenty records.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use salesforce_devorg::DevOrg;
use serde_json::{Value, json};
use tokio::process::Command;

/// What each is asked.
const QUERY: &str = "SELECT Id, Name, Industry FROM Account LIMIT 20";
/// How each id in the answer begins: a value, which no error has that repeats the query.
pub(crate) const ANSWERED: &str = "001DO";

/// Who is measured.
pub(crate) struct Contestant {
    pub(crate) name: &'static str,
    program: PathBuf,
    args: Vec<String>,
    variables: Vec<(&'static str, String)>,
    /// The tool that queries, and its arguments.
    pub(crate) tool: &'static str,
    pub(crate) arguments: Value,
    pub(crate) way: Way,
}

/// How it is spoken to.
pub(crate) enum Way {
    Stdio,
    /// By HTTP, with a person's token.
    Http {
        token: String,
    },
}

impl Contestant {
    /// Makes what starts it. It knows nothing of this program's surroundings but where programs are.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .kill_on_drop(true);
        command
    }
}

/// Sets up a store, with an account that the app gives itself, and gives the ways in which it is served.
pub(crate) async fn portcullis(
    program: &Path,
    org: &DevOrg,
    folder: &Path,
    authority: &Path,
) -> Result<Vec<Contestant>> {
    let url = org.https_url().context("the org has no https")?;
    let app = org.apps().into_iter().find(|app| app.name == "Nightly Job");
    let app = app.context("the org has no app that signs itself in")?;
    let reach = [
        "--ca-file".to_owned(),
        authority.display().to_string(),
        "--allow-origin".to_owned(),
        url.trim_start_matches("https://").to_owned(),
    ];
    let variables = vec![
        ("USER", "bench".to_owned()),
        ("HOME", folder.display().to_string()),
        ("XDG_CACHE_HOME", folder.join("cache").display().to_string()),
        (
            "PORTCULLIS_DATA_DIR",
            folder.join("data").display().to_string(),
        ),
        ("THE_SECRET", app.client_secret.clone()),
    ];
    let contestant = |name, args: Vec<String>, way| Contestant {
        name,
        program: program.to_owned(),
        args,
        variables: variables.clone(),
        tool: "query",
        arguments: json!({ "soql": QUERY }),
        way,
    };
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let with_reach = |text: &str| [words(text), reach.to_vec()].concat();
    let id = &app.client_id;
    let mut printed = String::new();
    for args in [
        words(&format!(
            "app set salesforce --client-id {id} --login {url} --client-secret-env THE_SECRET"
        )),
        with_reach("connect salesforce --label Bench --client-credentials"),
        words("connections share Bench --person bench"),
        words("agent add bench"),
        words("agent give bench salesforce --shared Bench"),
        words("person token add bench --json"),
    ] {
        let said = contestant("", args.clone(), Way::Stdio)
            .command()
            .stderr(Stdio::inherit())
            .output()
            .await?;
        ensure!(
            said.status.success(),
            "`portcullis {}` failed",
            args.join(" ")
        );
        printed = String::from_utf8(said.stdout)?;
    }
    let made: Value = serde_json::from_str(&printed)?;
    let token = made["token"].as_str().context("no token was made")?;
    Ok(vec![
        contestant(
            "Portcullis, stdio",
            with_reach("serve --stdio --agent bench"),
            Way::Stdio,
        ),
        contestant(
            "Portcullis, HTTP",
            with_reach("serve --listen 127.0.0.1:0 --connect-port 0 --agent bench"),
            Way::Http {
                token: token.to_owned(),
            },
        ),
    ])
}

/// `@tsmztech/mcp-server-salesforce`, which signs in by a user's name and password.
pub(crate) fn of_npm(
    others: &Path,
    node: &Path,
    org: &DevOrg,
    authority: &Path,
) -> Result<Contestant> {
    let user = org.users().first().context("the org has no users")?;
    let package = others.join("node_modules/@tsmztech/mcp-server-salesforce/dist/index.js");
    Ok(Contestant {
        name: "@tsmztech/mcp-server-salesforce",
        program: node.to_owned(),
        args: vec![package.display().to_string()],
        variables: vec![
            ("SALESFORCE_CONNECTION_TYPE", "User_Password".to_owned()),
            (
                "SALESFORCE_INSTANCE_URL",
                org.https_url().unwrap_or_default().to_owned(),
            ),
            ("SALESFORCE_USERNAME", user.username.clone()),
            ("SALESFORCE_PASSWORD", user.password.clone()),
            ("NODE_EXTRA_CA_CERTS", authority.display().to_string()),
        ],
        tool: "salesforce_query_records",
        arguments: json!({"objectName": "Account", "fields": ["Id", "Name", "Industry"], "limit": 20}),
        way: Way::Stdio,
    })
}

/// `mcp-salesforce-connector`, which is given an access token.
pub(crate) fn of_pypi(others: &Path, org: &DevOrg, authority: &Path) -> Result<Contestant> {
    let user = org.users().first().context("the org has no users")?;
    Ok(Contestant {
        name: "mcp-salesforce-connector",
        // Its own script names the folder in which it was installed, before that was moved.
        program: others.join("python/bin/python3"),
        args: vec![
            "-c".to_owned(),
            "from src.salesforce import main; main()".to_owned(),
        ],
        variables: vec![
            ("SALESFORCE_ACCESS_TOKEN", user.access_token.clone()),
            (
                "SALESFORCE_INSTANCE_URL",
                org.https_url().unwrap_or_default().to_owned(),
            ),
            ("REQUESTS_CA_BUNDLE", authority.display().to_string()),
        ],
        tool: "run_soql_query",
        arguments: json!({ "query": QUERY }),
        way: Way::Stdio,
    })
}
