#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use serde_json::{Value, json};

use super::*;

fn manifest() -> Value {
    json!({
        "name": "crm", "title": "CRM", "version": "0.1.0", "auth": {"kind": "none"}, "origins": [], "routes": [],
        "toolsets": {"records": "Records"},
        "prompts": [{
            "name": "prepare", "title": "Prepare", "description": "Prepares a meeting.",
            "arguments": [
                {"name": "account", "title": "Account",
                 "complete": {"call": {"tool": "find", "arguments": {"text": "{value}", "when": "{when}"}}, "values": "/names/*"}},
                {"name": "when", "title": "When", "default": "today"}
            ],
            "tools": ["look"],
            "text": "Use `look` for {account}, {when}: {account}."
        }]
    })
}

fn prompt() -> PromptSpec {
    let manifest = Manifest::from_json(&manifest().to_string());
    let manifest = manifest.unwrap_or_else(|error| panic!("{error}"));
    manifest.prompts[0].clone()
}

fn text(said: &[(&str, &str)]) -> Result<String, PromptError> {
    let said = said.iter();
    let said = said.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    prompt().text(&said.collect())
}

#[test]
fn what_is_said_stands_in_the_text_and_is_not_read_again() {
    assert_eq!(
        text(&[("account", "Acme")]).unwrap(),
        "Use `look` for Acme, today: Acme."
    );
    assert_eq!(
        text(&[("account", " {when} "), ("when", "")]).unwrap(),
        "Use `look` for {when}, today: {when}."
    );
    assert_eq!(
        text(&[]).unwrap_err().to_string(),
        "`account` is missing: Account"
    );
    assert!(matches!(
        text(&[("account", "  ")]),
        Err(PromptError::Missing { .. })
    ));
    assert_eq!(
        text(&[("account", "a"), ("other", "b")]),
        Err(PromptError::Unknown("other".to_owned()))
    );
    for value in ["a\u{1b}[31m", &"a".repeat(2_001)] {
        assert_eq!(
            text(&[("account", value)]),
            Err(PromptError::Value("account".to_owned()))
        );
    }
}

#[test]
fn what_a_prompt_cannot_be_is_refused_with_its_place() {
    for (pointer, value, at) in [
        (
            "/prompts/0/text",
            json!("Use `look` for {account} {when} {other}."),
            "/prompts/0/text",
        ),
        (
            "/prompts/0/text",
            json!("Use `look` for {account} {when} {"),
            "/prompts/0/text",
        ),
        (
            "/prompts/0/text",
            json!("Use `look` for {account} {when} }"),
            "/prompts/0/text",
        ),
        // An argument that the text does not have is asked for and for nothing.
        (
            "/prompts/0/text",
            json!("Use `look` for {account}."),
            "/prompts/0/text",
        ),
        (
            "/prompts/0/tools",
            json!(["look", "list"]),
            "/prompts/0/tools/1",
        ),
        (
            "/prompts/0/arguments/1/name",
            json!("account"),
            "/prompts/0/arguments/1/name",
        ),
        (
            "/prompts/0/arguments/0/complete/call/arguments/text",
            json!("{account}"),
            "/prompts/0/arguments/0/complete/call/arguments/text",
        ),
        ("/prompts/0/name", json!("Prepare it"), "/prompts/0/name"),
        ("/prompts/0/surprise", json!(1), "/prompts/0"),
    ] {
        let mut manifest = manifest();
        let (outer, member) = pointer.rsplit_once('/').unwrap();
        manifest.pointer_mut(outer).unwrap()[member] = value.clone();
        let error = Manifest::from_json(&manifest.to_string()).unwrap_err();
        let found: Vec<&str> = error
            .problems
            .iter()
            .map(|one| one.pointer.as_str())
            .collect();
        assert!(found.contains(&at), "{pointer} {value}: {found:?}");
    }
    let mut twice = manifest();
    let one = twice["prompts"][0].clone();
    twice["prompts"].as_array_mut().unwrap().push(one);
    let error = Manifest::from_json(&twice.to_string()).unwrap_err();
    assert_eq!(error.problems[0].pointer, "/prompts/1/name");
}
