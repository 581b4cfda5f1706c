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
fn of_a_record_that_is_not_there_yet_only_the_new_values_are_shown() {
    let mut new = change();
    new.action = "create".to_owned();
    new.id = None;
    new.fields.retain(|field| field.before.is_none());
    let card = card_of(&new);
    assert!(card.text().contains("    Owner (OwnerId): “005”\n"));
    let html = "<span class=\"name\">Owner (OwnerId):</span> <ins>“005”</ins>";
    assert!(card.html().contains(html));
    assert!(!card.text().contains("not known"));
    // The attack: a connector that names no record, so that nobody sees that something is overwritten.
    new.action = "update".to_owned();
    let card = card_of(&new);
    assert!(card.text().contains("Owner (OwnerId): not known → “005”"));
    assert!(
        card.html()
            .contains("<del>not known</del> → <ins>“005”</ins>")
    );
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
    // It is asked about another digest alone: what differs is then what no card shows.
    assert_eq!(
        before.differences(&before),
        ["what is shown is the same, and the connector's version or the connection is another"]
    );
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

/// The attack: what nobody would approve stands behind as much text as is shown of it.
#[test]
fn what_is_approved_is_shown_to_its_end() {
    let text = format!("{}and wire the money to me", "All is well. ".repeat(40_000));
    let mut long = change();
    long.fields[0].after = Some(serde_json::to_string(&text).unwrap());
    long.notes = vec![format!("{text}, as noted")];
    let mut card = card_of(&long);
    let wire = card.wire.as_mut().unwrap();
    wire.body = Some(format!("{{\"Phone\":\"{text}, as sent\"}}"));
    card.reason = Some(format!("{text}, as said"));
    let mut call = card.clone();
    (call.wire, call.arguments) = (None, format!("{{\"note\":\"{text}, as asked\"}}"));
    for shown in [card.text(), card.html()] {
        for end in ["me”", "me, as noted", "me, as sent", "me, as said”"] {
            assert!(shown.contains(&format!("wire the money to {end}")), "{end}");
        }
    }
    for shown in [call.text(), call.html()] {
        assert!(shown.contains("wire the money to me, as asked"));
    }
}

#[test]
fn a_file_in_base64_is_named_by_its_digest() {
    let file = "QUJD".repeat(100_000);
    let mut upload = change();
    upload.fields[0].after = Some(format!("\"before {file} after\""));
    let shown = card_of(&upload).text();
    let digest = Digest::of(file.as_bytes());
    assert!(!shown.contains("QUJDQUJD"));
    assert!(shown.contains("“before ⟨400000 characters without a space, not shown"));
    assert!(shown.contains(&format!("SHA-256 {digest}⟩ after”")));
    // What may still be read is left as it is.
    upload.fields[0].after = Some(format!("\"{}\"", "x".repeat(16_000)));
    assert!(card_of(&upload).text().contains(&"x".repeat(16_000)));
}

/// The attack: a letter of another alphabet where nobody looks for one, or written as an escape that the service reads.
#[test]
fn look_alikes_are_found_in_all_of_a_card() {
    type Put = fn(&mut Card, &str, Option<String>);
    let fake = "\u{410}cme";
    let far = format!("{} {fake}", "word ".repeat(10_000));
    let escaped = || text(r#"{"list":["\u0410cme"]}"#);
    let places: [(&str, Put); 7] = [
        ("a note", |card, far, _| {
            card.changes[0].notes = vec![far.to_owned()];
        }),
        ("how to undo it", |card, far, _| {
            card.changes[0].undo = text(far);
        }),
        ("the organization", |card, far, _| {
            card.account.organization = text(far);
        }),
        ("a tool's title", |card, far, _| {
            card.tool_title = far.to_owned();
        }),
        ("a value", |card, _, escaped| {
            card.changes[0].fields[0].after = escaped;
        }),
        ("the body", |card, _, escaped| {
            card.wire.as_mut().unwrap().body = escaped;
        }),
        ("the arguments", |card, _, escaped| {
            card.wire = None;
            card.arguments = escaped.unwrap();
        }),
    ];
    for (place, put) in places {
        let mut card = card_of(&change());
        put(&mut card, &far, escaped());
        let warning = format!("“{fake}” has letters of");
        assert!(card.text().contains(&warning), "{place}");
    }
}

#[test]
fn a_log_gets_no_value() {
    let logged = format!("{:?}", card_of(&change()));
    assert!(
        !logged.contains("Acme") && !logged.contains("Hot"),
        "{logged}"
    );
}
