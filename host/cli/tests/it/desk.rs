//! `portcullis call`, `tools` and `serve` on the store: agents, people and accounts are those that it knows.

use std::sync::Arc;

use portcullis_store::Owner;
use rmcp::ServiceExt;
use rmcp::model::CallToolRequestParams;
use rmcp::transport::TokioChildProcess;
use salesforce_devorg::{DevOrg, Options};
use serde_json::Value;

use crate::audit::views::search;
use crate::program::{Home, PROGRAM, Said, TOOLS, cache, connection, only_reads};

/// A question that would be found wherever it is kept.
const MARKED: &str = r#"{"soql": "SELECT Id FROM Account WHERE Name = 'MARKED'"}"#;

const SOQL: &str = r#"{"soql": "SELECT COUNT() FROM Account"}"#;

#[test]
fn who_asks_without_an_account_is_told_what_to_do() {
    let home = Home::new();
    insta::assert_snapshot!(home.transcript(&[
        &["call", "query"],
        &["person", "add", "bob"],
        &["call", "query"],
        &["agent", "add", "helper"],
        &["call", "get_identity"],
        &["tools", "--agent", "helper"],
        &["agent", "give", "helper", "salesforce"],
        &["call", "get_identity"],
        &["call", "get_identity", "--as", "bob"],
        &["call", "get_identity", "--as", "eve"],
        &["agent", "add", "other"],
        &["call", "get_identity"],
        &["call", "get_identity", "--agent", "helpre"],
        &["call", "get_identity", "--agent", "helper", "--dev-org"],
    ]));
    let said = home.run(&[
        "call",
        "get_identity",
        "--agent",
        "other",
        "--output",
        "json",
    ]);
    let answer: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!((said.code, &answer["code"]), (1, &"not_offered".into()));
    assert_eq!(
        answer["hint"],
        "to allow it: portcullis agent give other salesforce"
    );
    let said = home.run(&[
        "call",
        "get_identity",
        "--agent",
        "helper",
        "--output",
        "json",
    ]);
    let answer: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(answer["outcome"], "connect_required");
}

#[test]
fn what_needs_no_store_opens_none() {
    let home = Home::new();
    home.must(&["tools"]);
    home.must(&["call", "query", "--dev-org", "--json", SOQL]);
    let said = home
        .command("ada", &["tools"])
        .env("PORTCULLIS_STORE", "nonsense")
        .output();
    assert_eq!(Said::from(said.unwrap()).code, 0);
    let said = home.run(&["serve", "--stdio"]);
    assert_eq!(said.code, 2, "there is no store to serve");
    let said = home.run(&["tools", "--agent", "helper"]);
    assert_eq!(said.code, 2);
    assert!(!home.data().exists());
}

/// A store whose agent `helper` uses a shared account at an org, which is shared with Bob.
pub(crate) async fn shared_account() -> (Arc<Home>, DevOrg) {
    let org = DevOrg::start(Options::default()).await.unwrap();
    let mut account = connection(Owner::Shared, "Acme", org.url());
    account.secrets.access_token = org.users()[0].access_token.clone().into();
    account.identity = None;
    let home = Arc::new(Home::new());
    let made = Arc::clone(&home);
    tokio::task::spawn_blocking(move || {
        made.must(&["person", "add", "bob"]);
        let id = made.connect(account);
        made.must(&["agent", "add", "helper"]);
        made.must(&["agent", "give", "helper", "salesforce", "--shared", "Acme"]);
        made.must(&["connections", "share", &id, "--person", "bob"]);
    })
    .await
    .unwrap();
    (home, org)
}

async fn call(home: &Arc<Home>, org: &DevOrg, more: &'static [&'static str]) -> Said {
    let (home, address) = (Arc::clone(home), org.address().to_string());
    let call = move || {
        let ask = ["call", "query", "--json", SOQL, "--allow-origin", &address];
        home.run(&[&ask[..], more].concat())
    };
    tokio::task::spawn_blocking(call).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_acts_for_the_account_that_the_store_names() {
    let (home, org) = shared_account().await;
    let said = call(&home, &org, &["--as", "bob", "--audit"]).await;
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(said.stdout.starts_with("count: 60"), "{}", said.stdout);
    assert!(
        said.stdout.contains("bob, asked by the agent `helper`"),
        "{}",
        said.stdout
    );

    let said = call(&home, &org, &[]).await;
    assert_eq!(said.code, 1, "it is not shared with Ada");
    assert!(
        said.stderr.contains("which is not shared with you"),
        "{}",
        said.stderr
    );

    // What is taken away is gone at the next call.
    let taken = Arc::clone(&home);
    let take = move || taken.must(&["connections", "unshare", "Acme", "--person", "bob"]);
    tokio::task::spawn_blocking(take).await.unwrap();
    let said = call(&home, &org, &["--as", "bob"]).await;
    assert_eq!(said.code, 1, "{}", said.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_account_is_told_the_very_command_that_cures_it() {
    let (home, org) = shared_account().await;
    let store = home.store().await;
    let shared = store.connections().await.unwrap().remove(0);
    let id = &shared.id;
    let told = async |more: &'static [&'static str], words: &[&str]| {
        let said = call(&home, &org, more).await;
        assert_eq!(said.code, 1, "{}", said.stdout);
        for word in words {
            assert!(said.stderr.contains(word), "{word}: {}", said.stderr);
        }
    };
    let share = format!("`portcullis connections share {id} --person ada`");
    told(&[], &["not shared with you", &share]).await;
    store.mark_reconnect(id, 0, "It expired.").await.unwrap();
    let again = format!("`portcullis connect salesforce --again {id}`");
    told(&["--as", "bob"], &["It expired", &again]).await;
    store.remove_connection(id).await.unwrap();
    let give = "`portcullis agent give helper salesforce --shared CONNECTION`";
    told(&["--as", "bob"], &["was removed", give]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_account_gets_a_link_where_pages_are_served() {
    let (home, org) = shared_account().await;
    let own = Arc::clone(&home);
    let give = move || own.must(&["agent", "give", "helper", "salesforce"]);
    tokio::task::spawn_blocking(give).await.unwrap();
    let asked = async |more: Vec<String>| {
        let (home, address) = (Arc::clone(&home), org.address().to_string());
        let ask = move || {
            let ask = [
                "call", "query", "--as", "bob", "--output", "json", "--json", MARKED,
            ];
            let more: Vec<&str> = more.iter().map(String::as_str).collect();
            home.run(&[&ask[..], &["--allow-origin", &address], &more].concat())
        };
        let said = tokio::task::spawn_blocking(ask).await.unwrap();
        assert_eq!(said.code, 1, "{}", said.stderr);
        let answer: Value = serde_json::from_str(&said.stdout).unwrap();
        assert_eq!(answer["outcome"], "connect_required");
        (answer["hint"].as_str().map(str::to_owned), said.stderr)
    };
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port().to_string();
    drop(free);
    let at_port = || vec!["--connect-port".to_owned(), port.clone()];

    // Nobody serves any: whose command it is is said.
    let (none, said) = asked(at_port()).await;
    assert_eq!(none, None);
    assert!(said.contains("`bob` does so themselves"), "{said}");
    // On a server, by its address.
    let base = "https://portcullis.acme.example";
    let (link, _) = asked(vec!["--public-url".to_owned(), base.to_owned()]).await;
    let begins = format!("sign in at {base}/connect/");
    assert!(link.as_ref().unwrap().starts_with(&begins), "{link:?}");
    // On this machine, while another program of the same store has its pages open.
    let serve = ["serve", "--stdio", "--as", "bob", "--connect-port", &port];
    let command = tokio::process::Command::from(home.command("ada", &serve));
    let client = ().serve(TokioChildProcess::new(command).unwrap()).await.unwrap();
    let request = CallToolRequestParams::new("get_identity");
    client.call_tool(request).await.unwrap();
    let (link, _) = asked(at_port()).await;
    let begins = format!("sign in at http://localhost:{port}/connect/");
    assert!(link.as_ref().unwrap().starts_with(&begins), "{link:?}");
    client.cancel().await.unwrap();
    // What was asked for waits nowhere: whoever signs in asks again.
    assert!(search(&home.data(), &["MARKED"]) > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_account_asks_to_be_connected_again() {
    let (home, org) = shared_account().await;
    org.expire_session(&org.users()[0].access_token);
    let said = call(&home, &org, &["--as", "bob"]).await;
    assert_eq!(said.code, 1, "{}", said.stdout);
    assert!(
        said.stderr.contains("the connection has ended"),
        "{}",
        said.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_mcp_works_as_an_agent_of_the_store() {
    let (home, org) = shared_account().await;
    let mut command = tokio::process::Command::new(PROGRAM);
    command
        .args(["serve", "--stdio", "--agent", "helper", "--as", "bob"])
        .args(["--allow-origin", org.address().to_string().as_str()])
        .env("XDG_CACHE_HOME", cache())
        .env("PORTCULLIS_DATA_DIR", home.data())
        .env("USER", "ada")
        .env_remove("PORTCULLIS_KEY")
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env_remove("XDG_RUNTIME_DIR");
    let client = ().serve(TokioChildProcess::new(command).unwrap()).await.unwrap();
    let tools = client.list_all_tools().await.unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    // What writes is off as an account that others use too.
    let reading = TOOLS.iter().filter(|name| only_reads(name));
    assert_eq!(names, reading.copied().collect::<Vec<_>>());
    let mut request = CallToolRequestParams::new("query");
    request.arguments = serde_json::from_str(SOQL).unwrap();
    let answer = client.call_tool(request).await.unwrap();
    let answer = serde_json::to_value(answer).unwrap();
    assert_eq!(answer["content"][0]["text"], "count: 60");
    client.cancel().await.unwrap();
}
