#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;

use super::*;
use crate::Method;

fn route(path: &str, kinds: Option<&[&str]>, fields: Option<&str>) -> RouteSpec {
    let place = |text: &&str| KindPlace::try_from((*text).to_owned()).unwrap();
    RouteSpec {
        methods: vec![Method::Post],
        path: path.to_owned(),
        effect: Effect::Write,
        kinds: kinds.map(|kinds| kinds.iter().map(place).collect()),
        fields: fields.map(|text| BodyPlace::try_from(text.to_owned()).unwrap()),
        ids: Vec::new(),
        operation: None,
        token_at: None,
        parts: None,
        cache: None,
        headers: Vec::new(),
        origin: None,
        finds_out: None,
        done_at: None,
    }
}

const JSON: [(&str, &[u8]); 1] = [("content-type", b"application/json")];

/// Says what a request touches: `Kind: fields`, `+ unseen`, or why that is not known.
fn touched(route: &RouteSpec, kind: Option<&str>, body: impl AsRef<[u8]>) -> String {
    match route.touched(Effect::Write, kind, JSON.into_iter(), body.as_ref()) {
        Ok(touched) => {
            let mut said: Vec<String> = touched
                .accesses
                .iter()
                .map(|access| format!("{}: {}", access.kind, access.fields.join(",")))
                .collect();
            said.extend(touched.is_unseen.then(|| "unseen".to_owned()));
            said.join("; ")
        }
        Err(error) => format!("{error}"),
    }
}

#[test]
fn a_route_says_where_its_kinds_are() {
    for (path, kinds, fields, kind, body, expected) in [
        ("/q", None, None, None, "", "unseen"),
        ("/q", Some(&[][..]), None, None, "", ""),
        ("/k/{kind}", None, None, Some("Account"), "", "Account: "),
        (
            "/k/{kind}",
            Some(&["path", "unseen"]),
            None,
            Some("A"),
            "",
            "A: ; unseen",
        ),
        (
            "/k/{kind}",
            None,
            Some(""),
            Some("A"),
            r#"{"x":1,"y":{"z":2}}"#,
            "A: x,y",
        ),
        ("/q", Some(&["/type"]), None, None, r#"{"type":"A"}"#, "A: "),
        (
            "/q",
            Some(&["/type"]),
            Some(""),
            None,
            r#"{"type":"A","x":1}"#,
            "A: x",
        ),
        (
            "/q",
            Some(&["/type"]),
            Some("/f"),
            None,
            r#"{"type":"A","f":{"type":1}}"#,
            "A: type",
        ),
        (
            "/q",
            Some(&["/a~1b/~0"]),
            None,
            None,
            r#"{"a/b":{"~":"A"}}"#,
            "A: ",
        ),
        (
            "/q",
            Some(&["/t"]),
            None,
            None,
            r#"{"\u0074":"\u0055ser"}"#,
            "User: ",
        ),
        (
            "/q",
            Some(&["/r/*/attributes/type"]),
            Some("/r/*"),
            None,
            r#"{"r":[{"attributes":{"type":"A"},"x":1},{"attributes":{"type":"B"},"y":1}]}"#,
            "A: x,y; B: x,y",
        ),
    ] {
        assert_eq!(
            touched(&route(path, kinds, fields), kind, body),
            expected,
            "{path} {body}"
        );
    }
}

#[test]
fn a_body_that_could_be_read_in_two_ways_is_not_read() {
    let place = route("/q", Some(&["/a/type"]), None);
    let mut said = String::new();
    for body in [
        r#""#,
        r#"{}"#,
        r#"[]"#,
        r#"{"a":{}}"#,
        r#"{"a":{"type":null}}"#,
        r#"{"a":{"type":7}}"#,
        r#"{"a":{"type":["Contact"]}}"#,
        r#"{"a":{"type":{"x":"Contact"}}}"#,
        r#"{"a":[{"type":"Contact"}]}"#,
        r#"{"a":{"type":"Contact","type":"User"}}"#,
        r#"{"a":{"type":"Contact","typ\u0065":"User"}}"#,
        r#"{"a":{"type":"Contact","Type":"User"}}"#,
        r#"{"a":{"TYPE":"Contact"}}"#,
        r#"{"a":{"type":"Contact"},"A":{"type":"User"}}"#,
        r#"{"a":{"type":"Contact"},"a":{"type":"User"}}"#,
        r#"{"a":{"type":"Contact"}} {"a":{"type":"User"}}"#,
        r#"{"a":{"type":"Contact"},}"#,
        r#"{"a":{"type":'Contact'}}"#,
        r#"{"a":{"type":"Contact"}/**/}"#,
        "\u{feff}{\"a\":{\"type\":\"Contact\"}}",
        "{\"a\":{\"type\":\"Con\0tact\"}}",
        r#"a.type=Contact"#,
    ] {
        let found = touched(&place, None, body);
        said.push_str(&format!("{:<60} {found}\n", body.escape_debug()));
        assert!(
            !found.starts_with("Contact") && !found.starts_with("User"),
            "{body}: {found}"
        );
    }
    insta::assert_snapshot!(said);
    let deep = "[".repeat(100_000);
    assert!(touched(&place, None, deep).starts_with("its body cannot"));
    assert!(
        touched(&place, None, b"{\"a\":{\"type\":\"Con\xc0\xaftact\"}}").starts_with("its body")
    );
    assert!(
        touched(&place, None, b"{\0\"\0a\0\"\0").starts_with("its body"),
        "UTF-16"
    );
    let each = route("/q", Some(&["/r/*/t"]), None);
    for body in [
        r#"{"r":[]}"#,
        r#"{"r":{"t":"A"}}"#,
        r#"{"r":[{"t":"A"},{}]}"#,
        r#"{"r":[{"t":"A"},"B"]}"#,
    ] {
        assert!(
            touched(&each, None, body).contains("no name of a kind"),
            "{body}"
        );
    }
    let fields = route("/k/{kind}", None, Some("/f"));
    for body in [r#"{}"#, r#"{"f":[]}"#, r#"{"f":"x"}"#, r#"{"F":{"x":1}}"#] {
        assert!(
            touched(&fields, Some("A"), body).contains("no fields"),
            "{body}"
        );
    }
    for body in [r#"{"f":{},"F":{"x":1}}"#, r#"{"f":{"x":1,"X":2}}"#] {
        assert!(
            touched(&fields, Some("A"), body).contains("there twice"),
            "{body}"
        );
    }
    assert_eq!(
        touched(&fields, None, r#"{"f":{}}"#),
        "its path names no kind"
    );
}

#[test]
fn headers_that_say_that_the_body_is_something_else_are_believed() {
    let place = route("/q", Some(&["/t"]), None);
    let body = br#"{"t":"A"}"#;
    let with = |headers: &[(&'static str, &'static str)]| {
        let headers = headers
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()));
        place.touched(Effect::Write, None, headers, body).is_ok()
    };
    for good in [
        "application/json",
        "Application/JSON;charset=UTF-8",
        "application/json; charset=\"utf-8\"",
    ] {
        assert!(with(&[("Content-Type", good)]), "{good}");
    }
    for bad in [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-7",
        "application/json; charset=utf-16",
        "application/json, application/xml",
        "application/json; charset=utf-8; charset=utf-7",
    ] {
        assert!(!with(&[("content-type", bad)]), "{bad}");
    }
    assert!(!with(&[]));
    assert!(!with(&[
        ("content-type", "application/json"),
        ("content-type", "application/json")
    ]));
    assert!(!with(&[
        ("content-type", "application/json"),
        ("content-encoding", "gzip")
    ]));
}

proptest! {
    #[test]
    fn no_body_panics(body in prop::collection::vec(any::<u8>(), 0..60), text in "[{}\\[\\]\",:at0\\\\u ]{0,40}") {
        let place = route("/q", Some(&["/a/*/t"]), Some("/a"));
        let _ = touched(&place, None, body);
        let _ = touched(&place, None, text);
    }

    /// The host finds the kind that any reader finds who takes JSON as it is.
    #[test]
    fn what_is_found_is_what_a_plain_reader_finds(name in "[A-Za-z_]{1,8}", x in any::<i32>(), more in "[b-z]{1,4}") {
        prop_assume!(more != "t");
        let body = serde_json::json!({ "a": { "t": &name, &*more: x } }).to_string();
        let place = route("/q", Some(&["/a/t"]), None);
        prop_assert_eq!(touched(&place, None, body), format!("{name}: "));
    }
}
