//! What is wrong ends in a sentence that says what to do: exit code 2 for what the caller can put right, 1 for
//! the rest.

use std::io::{Read, Write};
use std::net::TcpListener;

use salesforce_devorg::{DevOrg, Options};

use crate::program::{Said, ask_org, command, run};

/// Writes what a run said as a reader sees it, without what is another each time.
fn shown(said: &Said, address: &str) -> String {
    assert_eq!(said.stdout, "", "what went wrong is no answer");
    let said = format!("exit code {}\n{}", said.code, said.stderr.trim_end());
    match address {
        "" => said,
        address => said.replace(address, "ADDRESS"),
    }
}

#[test]
fn mistakes_on_the_command_line_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let text = file("text.wasm", b"not wasm");
    let module = file("module.wasm", b"\0asm\x01\0\0\0");
    let world = file("world.wasm", b"\0asm\x0d\0\x01\0");
    let broken = file("broken.wasm", b"\0asm\x0d\0\x01\0\xff\xff");
    let missing = folder.path().join("missing.wasm").display().to_string();
    let mut report = String::new();
    for arguments in [
        vec!["connector", "inspect", &text],
        vec!["connector", "inspect", &module],
        vec!["connector", "inspect", &world],
        vec!["connector", "inspect", &broken],
        vec!["connector", "inspect", &missing],
        vec!["call", "query", "--dev-org", "--json", "{"],
        vec!["call", "query", "--dev-org", "--json", "[]"],
        vec![
            "call",
            "query",
            "--dev-org",
            "--json",
            r#"{"sql": 1, "batch_size": 7}"#,
        ],
        vec!["call", "querry", "--dev-org"],
        vec![
            "call",
            "query",
            "--instance-url",
            "https://acme.lightning.force.com/x",
            "--access-token-env",
            "X",
        ],
        vec![
            "call",
            "query",
            "--instance-url",
            "http://127.0.0.1:1",
            "--access-token-env",
            "X",
        ],
        vec![
            "call",
            "query",
            "--instance-url",
            "https://acme.my.salesforce.com",
            "--access-token-env",
            "NOT_SET",
        ],
    ] {
        let said = run(&arguments);
        assert_eq!(said.code, 2, "{arguments:?}: {}", said.stderr);
        let shown = shown(&said, "").replace(&folder.path().display().to_string(), "FOLDER");
        let arguments = arguments
            .join(" ")
            .replace(&folder.path().display().to_string(), "FOLDER");
        report.push_str(&format!("$ portcullis {arguments}\n{shown}\n\n"));
    }
    insta::assert_snapshot!(report);
}

#[test]
fn a_command_line_that_is_none_is_a_mistake() {
    for arguments in [
        vec![],
        vec!["nothing"],
        vec!["call"],
        vec!["call", "query"],
        vec![
            "call",
            "query",
            "--dev-org",
            "--instance-url",
            "https://a.example.com",
            "--access-token-env",
            "X",
        ],
        vec!["call", "query", "--instance-url", "https://a.example.com"],
        vec!["serve", "--dev-org"],
        vec!["call", "query", "--dev-org", "--allow-origin", "nowhere"],
    ] {
        let said = run(&arguments);
        assert_eq!(said.code, 2, "{arguments:?}");
        assert!(
            !said.stderr.is_empty() && said.stdout.is_empty(),
            "{arguments:?}"
        );
    }
}

#[test]
fn a_program_gets_what_is_wrong_with_its_command_line_as_an_object() {
    for arguments in [
        &["person", "add", "--json"][..],
        &["persn", "list", "--json"],
        &["connections", "share", "Acme", "--json"],
        &["call", "--output", "json"],
        &["call", "query", "--output=json", "--dev-orgs"],
    ] {
        let said = run(arguments);
        assert_eq!(said.code, 2, "{arguments:?}");
        let value: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
        assert_eq!(value["code"], "usage", "{value}");
        let message = value["message"].as_str().unwrap();
        assert!(!message.is_empty() && !message.starts_with("error:"));
        assert!(said.stderr.contains(message), "{message}: {}", said.stderr);
    }
}

#[test]
fn help_is_told_of_everything_that_there_is_help_of() {
    let whole = run(&["--help"]).stdout;
    for arguments in [
        &["help"][..],
        &["help", "--help"],
        &["help", "-h"],
        &["--no-cache", "help", "--help"],
    ] {
        let said = run(arguments);
        assert_eq!(
            (said.code, said.stdout),
            (0, whole.clone()),
            "{arguments:?}"
        );
    }
    let said = run(&["help", "person", "--help"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(
        said.stdout.contains("portcullis person add"),
        "{}",
        said.stdout
    );
}

#[test]
fn settings_that_cannot_be_used_name_themselves() {
    let ask = ["call", "query", "--dev-org", "--ca-file", "/nowhere/ca.pem"];
    let said = run(&ask);
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("/nowhere/ca.pem"), "{}", said.stderr);

    let ask = [
        "call",
        "get_identity",
        "--instance-url",
        "https://acme.my.salesforce.com",
        "--access-token-env",
        "T",
    ];
    let output = command(&ask)
        .env("T", "token")
        .env("HTTPS_PROXY", "ftp://ada:secret@proxy")
        .output();
    let said = Said::from(output.unwrap());
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("HTTPS_PROXY"), "{}", said.stderr);
    assert!(!said.stderr.contains("secret"), "{}", said.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_is_no_mistake_and_says_so() {
    let org = DevOrg::start(Options::default()).await.unwrap();
    let token = org.users()[0].access_token.clone();
    org.expire_session(&token);
    let address = org.address().to_string();
    let said = tokio::task::spawn_blocking(move || {
        let said = ask_org(&address, &token, &[]);
        assert!(!said.stderr.contains(&token), "{}", said.stderr);
        shown(&said, &address)
    });
    insta::assert_snapshot!(said.await.unwrap());
}

#[test]
fn an_org_that_is_down_says_so() {
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    insta::assert_snapshot!(shown(&ask_org(&address, "token", &[]), &address));
}

#[test]
fn an_org_that_answers_html_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.read(&mut [0; 4096]);
            let page = "<html><body>Down for maintenance</body></html>";
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n",
                page.len()
            );
            let _ = stream.write_all(format!("{head}{page}").as_bytes());
        }
    });
    insta::assert_snapshot!(shown(&ask_org(&address, "token", &[]), &address));
}
