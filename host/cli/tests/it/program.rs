//! Running the program.

use std::path::PathBuf;
use std::process::{Command, Output};

/// The program that was built for this test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_portcullis");

/// What it offers, by its command line and to MCP clients alike.
pub(crate) const TOOLS: [&str; 6] = [
    "get_identity",
    "list_objects",
    "describe_object",
    "query",
    "query_next",
    "get_record",
];

/// Where the tests keep compiled connectors: inside the build's own folder.
pub(crate) fn cache() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

/// A run of the program, with nothing of the test's own environment that could sway it.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env("XDG_CACHE_HOME", cache());
    for name in [
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "NO_PROXY",
        "ALL_PROXY",
        "PORTCULLIS_LOG",
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
