#![allow(clippy::unwrap_used, reason = "a test may panic")]

use insta::assert_snapshot;

use super::*;
use crate::FieldChange;

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn change() -> Change {
    let field =
        |name: &str, label: &str, before: Option<&str>, after: &str, pointer: Option<&str>| {
            FieldChange {
                name: name.to_owned(),
                label: label.to_owned(),
                before: before.map(str::to_owned),
                after: text(after),
                pointer: pointer.map(str::to_owned),
            }
        };
    Change {
        action: "update".to_owned(),
        kind: "Account".to_owned(),
        id: text("001000000000001AAA"),
        label: "Acme Ltd".to_owned(),
        url: text("https://acme.my.salesforce.com/lightning/r/Account/001000000000001AAA/view"),
        fields: vec![
            field("Phone", "Phone", Some("\"1\""), "\"2\"", Some("/Phone")),
            field("Rating", "Rating", Some("null"), "\"Hot\"", Some("/Rating")),
            field("OwnerId", "Owner", None, "\"005\"", None),
        ],
        notes: vec!["3 contacts keep their own phone".to_owned()],
        undo: text("set Phone to 1 again"),
    }
}

fn found() -> ChangeAgreement {
    ChangeAgreement {
        kind: true,
        fields: vec![true, true, false],
    }
}

fn card_of(change: &Change) -> Card {
    let origin = Origin::parse("https://acme.my.salesforce.com").unwrap();
    let body = br#"{"Phone":"2","Rating":"Hot"}"#;
    Card {
        connector: "salesforce".parse().unwrap(),
        service: "Salesforce".to_owned(),
        tool: ToolName::parse("update_record").unwrap(),
        tool_title: "Update record".to_owned(),
        effect: Effect::Write,
        agent: AgentId::parse("helper").unwrap(),
        person: PersonId::parse("ada").unwrap(),
        account: Account {
            user: text("Ada Admin"),
            organization: text("Acme"),
            organization_id: text("00D000000000001EAA"),
            environment: Environment::Production,
            origin: origin.clone(),
            shared: false,
        },
        reason: text("the customer called"),
        arguments: "{}".to_owned(),
        changes: vec![ChangeCard::new(change, &found(), &origin)],
        wire: Some(WireRequest::new(
            Method::Patch,
            "https://acme.my.salesforce.com/services/data/v68.0/sobjects/Account/001000000000001AAA"
                .to_owned(),
            vec![("content-type".to_owned(), "application/json".to_owned())],
            body,
        )),
        differs: Vec::new(),
    }
}

#[test]
fn a_person_reads_who_what_and_where() {
    let card = card_of(&change());
    assert_snapshot!("text", card.text());
    assert_snapshot!("html", card.html().replace("><", ">\n<"));
    assert_snapshot!("json", serde_json::to_string_pretty(&card).unwrap());
    let again: Card = serde_json::from_str(&serde_json::to_string(&card).unwrap()).unwrap();
    assert!(again == card);
}

#[test]
fn a_call_that_only_reads_shows_its_arguments() {
    let mut card = card_of(&change());
    card.changes.clear();
    card.wire = None;
    card.effect = Effect::Read;
    card.arguments = r#"{"soql":"SELECT Id FROM Account"}"#.to_owned();
    assert_snapshot!("read", card.text());
}

#[test]
fn what_is_not_the_same_any_more_is_said() {
    let before = card_of(&change());
    assert_eq!(before.differences(&before), [""; 0]);
    let mut changed = change();
    changed.fields[0].before = text("\"9\"");
    changed.fields[1].after = text("\"Cold\"");
    changed.fields.remove(2);
    changed.label = "Acme Limited".to_owned();
    let mut now = card_of(&changed);
    now.differs = now.differences(&before);
    assert_snapshot!("differs", now.text());
}

/// The attack: words that a terminal or a page takes for its own, or that a person takes for others.
#[test]
fn words_forge_nothing() {
    let mut forged = change();
    forged.label = "\u{1b}[2J\u{202e}emcA</h1><script>alert(1)</script>\nApproved".to_owned();
    forged.fields[0].label = "\u{420}hone".to_owned();
    forged.fields[0].after = text("\"\\u0000<b>&\\u200b\"");
    forged.url = text("https://acme.my.salesforce.com.evil.example/x");
    forged.notes = vec!["\u{2066}\" onclick=\"x".to_owned()];
    let mut card = card_of(&forged);
    card.reason = text("line\nWhat is sent\n  | nothing");
    assert_snapshot!("forged_text", card.text());
    let html = card.html();
    for tag in ["<script", "<b>", "onclick=\"x", "evil.example"] {
        assert!(!html.contains(tag), "{tag}: {html}");
    }
    for shown in [card.text(), html] {
        assert!(!shown.contains(['\u{1b}', '\u{202e}', '\u{200b}', '\u{2066}', '\0']));
    }
    for url in [
        "http://acme.my.salesforce.com/x",
        "https://acme.my.salesforce.com@evil.example/x",
        "https://acme.my.salesforce.com:444/x",
        "javascript:alert(1)",
        "//acme.my.salesforce.com/x",
    ] {
        let mut change = change();
        change.url = text(url);
        assert_eq!(card_of(&change).changes[0].url, None, "{url}");
    }
}

#[test]
fn a_long_value_says_how_much_is_not_shown() {
    let mut long = change();
    long.fields[0].after = Some(format!("\"{}\"", "x".repeat(10_000)));
    let shown = card_of(&long).text();
    assert!(shown.contains("x … and 6000 more characters”"), "{shown}");
}

#[test]
fn a_log_gets_no_value() {
    let logged = format!("{:?}", card_of(&change()));
    assert!(
        !logged.contains("Acme") && !logged.contains("Hot"),
        "{logged}"
    );
}
