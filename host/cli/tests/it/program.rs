//! Running the program.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use portcullis::policy::{ConnectorName, Origin};
use portcullis::ports::credentials::{Environment, Identity};
use portcullis_store::{
    ConnectionSecrets, ConnectionState, Endpoints, Grant, Location, MasterKey, NewConnection,
    Owner, Store, StoreOptions,
};
use serde_json::Value;
use tempfile::TempDir;

/// The program that was built for this test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_portcullis");

/// What it offers, by its command line and to MCP clients alike.
pub(crate) const TOOLS: [&str; 38] = [
    "get_identity",
    "get_org_limits",
    "find_users",
    "list_objects",
    "describe_object",
    "get_picklist_values",
    "query",
    "query_next",
    "search",
    "get_record",
    "get_related_records",
    "list_recent",
    "list_views",
    "get_list_view",
    "find_duplicates",
    "get_deleted_records",
    "get_account_overview",
    "get_pipeline",
    "list_reports",
    "describe_report",
    "run_report",
    "list_files",
    "read_file",
    // What is destructive is off until an administrator allows it.
    "create_record",
    "update_record",
    "upsert_record",
    "update_records",
    "create_records",
    "undelete_record",
    "create_task",
    "complete_task",
    "log_call",
    "create_event",
    "add_note",
    "assign_owner",
    "set_campaign_member",
    "add_case_comment",
    "upload_file",
];

/// Says whether a tool only reads: those stand first.
pub(crate) fn only_reads(tool: &str) -> bool {
    let mut reads = TOOLS.iter().take_while(|name| **name != "create_record");
    reads.any(|name| *name == tool)
}

/// Where the tests keep compiled connectors: inside the build's own folder.
pub(crate) fn cache() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

/// A run of the program, with nothing of the test's own environment that could sway it.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command
        .args(arguments)
        .env("XDG_CACHE_HOME", cache())
        // No test finds the store of whoever runs it.
        .env("PORTCULLIS_DATA_DIR", cache().with_file_name("no-store"));
    for name in [
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "NO_PROXY",
        "ALL_PROXY",
        "PORTCULLIS_LOG",
        "PORTCULLIS_KEY",
        "PORTCULLIS_STORE",
        "DBUS_SESSION_BUS_ADDRESS",
        "XDG_RUNTIME_DIR",
        "NO_COLOR",
    ] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command
}

/// What a run said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str]) -> Said {
    command(arguments).output().unwrap().into()
}

/// Runs the program against an org at an address, with a token.
pub(crate) fn ask_org(address: &str, token: &str, more: &[&str]) -> Said {
    let url = format!("http://{address}");
    let mut arguments = vec![
        "call",
        "query",
        "--json",
        r#"{"soql": "SELECT Name FROM Account LIMIT 1"}"#,
    ];
    arguments.extend(["--instance-url", &url, "--allow-origin", address]);
    arguments.extend(["--access-token-env", "TEST_TOKEN"]);
    arguments.extend(more);
    command(&arguments)
        .env("TEST_TOKEN", token)
        .output()
        .unwrap()
        .into()
}

/// A data folder of a test's own. Ada runs the program first, so that she administers.
pub(crate) struct Home {
    pub(crate) folder: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn command(&self, user: &str, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        command
            .env("PORTCULLIS_DATA_DIR", self.data())
            .env("USER", user)
            .current_dir(self.folder.path());
        command
    }

    /// The files of the store and its log.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.data()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => files.push(path),
                }
            }
        }
        files
    }

    /// Runs the program as a person.
    pub(crate) fn run_as(&self, user: &str, arguments: &[&str]) -> Said {
        self.command(user, arguments).output().unwrap().into()
    }

    /// Runs the program as Ada.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        self.run_as("ada", arguments)
    }

    /// Runs what must succeed.
    pub(crate) fn must(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {}", said.stderr);
        said.stdout
    }

    /// Runs what prints one JSON value, whatever comes of it.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let mut arguments = arguments.to_vec();
        arguments.push("--json");
        serde_json::from_str(&self.run(&arguments).stdout).unwrap()
    }

    /// Writes down what commands come to, as a reader sees it, without what is another each time.
    pub(crate) fn transcript(&self, commands: &[&[&str]]) -> String {
        let users: Vec<_> = commands.iter().map(|command| ("ada", *command)).collect();
        self.transcript_of(&users)
    }

    /// Writes down what the commands of several people come to.
    pub(crate) fn transcript_of(&self, commands: &[(&str, &[&str])]) -> String {
        let mut report = String::new();
        for (user, arguments) in commands {
            let said = self.run_as(user, arguments);
            let who = if *user == "ada" { "" } else { user };
            let words: Vec<String> = arguments
                .iter()
                .map(|word| match word.contains(' ') {
                    true => format!("'{word}'"),
                    false => (*word).to_owned(),
                })
                .collect();
            report.push_str(&format!("{who}$ portcullis {}\n", words.join(" ")));
            report.push_str(&said.stdout);
            report.push_str(&said.stderr);
            if said.code != 0 {
                report.push_str(&format!("exit code {}\n", said.code));
            }
            report.push('\n');
        }
        report.replace(&self.folder.path().display().to_string(), "FOLDER")
    }

    /// Opens the store beside the program.
    pub(crate) async fn store(&self) -> Store {
        let key = MasterKey::from_file(self.data().join("key")).unwrap();
        let location = Location::in_folder(self.data());
        Store::open(StoreOptions::new(location, key)).await.unwrap()
    }

    /// Keeps a connection, as a sign-in would, and gives its id.
    pub(crate) fn connect(&self, new: NewConnection) -> String {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let store = self.store().await;
            let id = store.put_connection(new).await.unwrap().id;
            store.close().await;
            id.to_string()
        })
    }

    /// Gives the names and modes of the files in the data folder.
    #[cfg(unix)]
    pub(crate) fn modes(&self) -> Vec<(String, u32)> {
        use std::os::unix::fs::MetadataExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        let mut modes = vec![(".".to_owned(), mode(&self.data()))];
        for entry in std::fs::read_dir(self.data()).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            modes.push((name, mode(&entry.path())));
        }
        modes.sort();
        modes
    }
}

/// An account at Salesforce with marked secrets.
pub(crate) fn connection(owner: Owner, label: &str, origin: &str) -> NewConnection {
    NewConnection {
        connector: ConnectorName::parse("salesforce").unwrap(),
        owner,
        label: label.to_owned(),
        origin: Origin::parse(origin).unwrap(),
        environment: Environment::Production,
        identity: Some(Identity {
            environment: Environment::Production,
            user_id: "005xx0000012345".to_owned(),
            user_name: "integration@acme.example".to_owned(),
            organization_id: Some("00Dxx0000001gER".to_owned()),
            organization_name: Some("Acme Inc".to_owned()),
            facts: vec![],
        }),
        scopes: vec!["api".to_owned(), "refresh_token".to_owned()],
        state: ConnectionState::Active,
        secrets: ConnectionSecrets {
            access_token: "MARKED-access".to_owned().into(),
            refresh_token: Some("MARKED-refresh".to_owned().into()),
            client_id: "the-app".to_owned(),
            client_secret: Some("MARKED-client".to_owned().into()),
            grant: Grant::Code,
            endpoints: Endpoints {
                authorize: format!("{origin}/services/oauth2/authorize"),
                token: format!("{origin}/services/oauth2/token"),
                revoke: None,
            },
            scopes: vec![],
        },
        replaces: None,
    }
}
