#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use proptest::prelude::*;

#[test]
fn numbers_keep_their_spelling_and_members_their_order() {
    let text = r#"{"b":1234567.89,"a":[9007199254740993,1.0,-0.10,1E+3,12345678901234567890.123]}"#;
    assert_eq!(Json::parse(text).unwrap().to_string(), text);
}

#[test]
fn escapes_are_read_and_written() {
    let value = Json::parse(r#" "a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\ud83d" "#).unwrap();
    assert_eq!(value.as_str().unwrap(), "a\"\\/\u{8}\u{c}\n\r\té😀\u{fffd}");
    assert_eq!(Json::parse(&value.to_string()).unwrap(), value);
}

#[test]
fn copies_outlive_what_they_were_read_from() {
    let value = Json::parse(r#"{"plain":"as it is","escaped":"a\tb","number":1.50}"#).unwrap();
    let copies: Vec<Json> = value
        .members()
        .iter()
        .map(|(_, value)| value.clone())
        .collect();
    let names: Vec<String> = value
        .members()
        .iter()
        .map(|(name, _)| name.to_string())
        .collect();
    drop(value);
    assert_eq!(names, ["plain", "escaped", "number"]);
    assert_eq!(copies[0], Json::from("as it is"));
    assert_eq!(copies[1].as_str(), Some("a\tb"));
    assert_eq!(copies[2].text(), "1.50");
}

#[test]
fn what_is_not_json_is_refused_with_its_place() {
    for (text, offset) in [
        ("", 0),
        ("{", 1),
        ("[1,]", 3),
        ("{\"a\" 1}", 5),
        ("01", 1),
        ("1.", 2),
        ("nul", 0),
        ("\"\u{1}\"", 1),
        ("\"\\x\"", 2),
        ("<html>", 0),
        ("[1] 2", 4),
        ("-", 1),
        ("1e", 2),
        ("\"\\u12g4\"", 5),
    ] {
        let error = Json::parse(text).unwrap_err();
        assert_eq!(error.offset, offset, "{text}: {error}");
    }
    let deep = "[".repeat(10_000);
    assert_eq!(Json::parse(&deep).unwrap_err().expected, "less nesting");
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn reads_and_writes_what_serde_json_does(value in any_json()) {
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let read = Json::parse(&pretty).unwrap();
        let again: serde_json::Value = serde_json::from_str(&read.to_string()).unwrap();
        prop_assert_eq!(again, value);
    }

    #[test]
    fn accepts_what_serde_json_accepts(text in "[\\[\\]{}\",:0-9eE+.\\-truefalsn\\\\ u]{0,24}") {
        let theirs = serde_json::from_str::<serde_json::Value>(&text).is_ok();
        let ours = Json::parse(&text).is_ok();
        // Theirs also refuses numbers beyond f64 and lone surrogates, which are legal by the grammar.
        prop_assert!(ours || !theirs, "{text}");
    }
}
