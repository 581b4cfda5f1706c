//! A store with calls, and what commands say of them.

use std::sync::Arc;

use salesforce_devorg::DevOrg;
use serde_json::Value;

use super::steady::steady;
use crate::desk::shared_account;
use crate::program::{Home, Said};

pub(super) async fn run(home: &Arc<Home>, user: &'static str, arguments: &[&str]) -> Said {
    let home = Arc::clone(home);
    let arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
    let work = move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        home.run_as(user, &arguments)
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

pub(super) async fn ask(
    home: &Arc<Home>,
    org: &DevOrg,
    person: &str,
    tool: &str,
    arguments: &str,
) -> Said {
    let address = org.address().to_string();
    let call = [
        "call",
        tool,
        "--json",
        arguments,
        "--allow-origin",
        &address,
        "--as",
        person,
    ];
    run(home, "ada", &call).await
}

/// Writes down what commands say, of those who ran them.
pub(super) async fn transcript(home: &Arc<Home>, commands: &[(&'static str, &[&str])]) -> String {
    let home = Arc::clone(home);
    let commands: Vec<(&'static str, Vec<String>)> = commands
        .iter()
        .map(|(user, words)| (*user, words.iter().map(|word| (*word).to_owned()).collect()))
        .collect();
    let work = move || {
        let words: Vec<(&str, Vec<&str>)> = commands
            .iter()
            .map(|(user, words)| (*user, words.iter().map(String::as_str).collect()))
            .collect();
        let commands: Vec<(&str, &[&str])> = words
            .iter()
            .map(|(user, words)| (*user, &words[..]))
            .collect();
        home.transcript_of(&commands)
    };
    steady(&tokio::task::spawn_blocking(work).await.unwrap())
}

/// A store with some calls: two that Bob had answered, one that was refused, one of Ada's that went wrong.
pub(super) async fn some_calls() -> (Arc<Home>, DevOrg) {
    let (home, org) = shared_account().await;
    let soql = r#"{"soql": "SELECT Name, Industry FROM Account ORDER BY Name LIMIT 2"}"#;
    assert_eq!(ask(&home, &org, "bob", "query", soql).await.code, 0);
    assert_eq!(ask(&home, &org, "bob", "get_identity", "{}").await.code, 0);
    let soql = r#"{"soql": "SELECT Industy FROM Account"}"#;
    assert_eq!(ask(&home, &org, "bob", "query", soql).await.code, 2);
    assert_eq!(ask(&home, &org, "ada", "get_identity", "{}").await.code, 1);
    (home, org)
}

pub(super) async fn ids(home: &Arc<Home>) -> Vec<String> {
    let said = run(home, "ada", &["activity", "--json"]).await;
    let calls: Value = serde_json::from_str(&said.stdout).unwrap();
    let id = |call: &Value| call["id"].as_str().unwrap().to_owned();
    calls.as_array().unwrap().iter().map(id).collect()
}
