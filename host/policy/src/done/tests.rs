#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;

use super::Done::{All, InPart, Nothing, Unknown};
use super::*;

fn read(place: &str, answer: &str, changes: usize) -> Done {
    let place = DonePlace::try_from(place.to_owned()).unwrap();
    place.read(answer.as_bytes(), changes)
}

fn in_part(refused: &[u32], of: u32) -> Done {
    let refused = refused.to_vec();
    InPart { refused, of }
}

const ONE: &str = "Envelope/Body/undeleteResponse/result/success";

/// An answer of a SOAP service, with these results.
fn message(results: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns=\"urn:partner.soap.sforce.com\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body>\
         <undeleteResponse>{results}</undeleteResponse></soapenv:Body></soapenv:Envelope>"
    )
}

fn result(success: &str) -> String {
    format!("<result><errors xsi:nil=\"true\"/><id>001</id><success>{success}</success></result>")
}

#[test]
fn a_message_says_what_it_did() {
    for (results, changes, expected) in [
        (result("true"), 1, All),
        (result("false"), 1, Nothing),
        (result(" 0\n"), 1, Nothing),
        (result("1"), 1, All),
        // One result for what was announced as several: a merge.
        (result("false"), 3, Nothing),
        (result("true"), 3, All),
        (
            [result("true"), result("false"), result("true")].concat(),
            3,
            in_part(&[1], 3),
        ),
        ([result("false"), result("false")].concat(), 2, Nothing),
        // Of whom the two are nobody knows.
        ([result("true"), result("false")].concat(), 3, Unknown),
        // Nor what became of the third.
        ([result("false"), result("false")].concat(), 3, Unknown),
    ] {
        assert_eq!(
            read(ONE, &message(&results), changes),
            expected,
            "{results}"
        );
    }
}

/// The attack: an answer that says something else reads as a refusal of what was made.
#[test]
fn what_cannot_be_read_is_no_refusal() {
    let whole = message(&result("false"));
    let elsewhere = [
        String::new(),
        "false".to_owned(),
        "{\"success\":false}".to_owned(),
        message(""),
        message("<success>false</success>"),
        message("<result><more><success>false</success></more></result>"),
        message(&result("<b>false</b>")),
        message(&result("<![CDATA[false]]>")),
        message(&result("fal<!-- -->se")),
        message(&result("&no;false")),
        message(&result("False")),
        message(&result("")),
        message(&[result("false"), result("perhaps")].concat()),
        whole.replace("undeleteResponse", "Fault"),
        whole.replace("Envelope>", "Envelope><Envelope/>"),
        format!("{whole}{whole}"),
        whole.replace("?><", "?><!DOCTYPE a [<!ENTITY no \"false\">]><"),
    ];
    for answer in elsewhere {
        assert_eq!(read(ONE, &answer, 1), All, "{answer}");
    }
    for end in 0..whole.len() {
        assert_eq!(read(ONE, &whole[..end], 1), All, "{end}");
    }
    assert_eq!(read(ONE, &whole, 1), Nothing);
    let place = DonePlace::try_from(ONE.to_owned()).unwrap();
    assert_eq!(place.read(b"\xff\xfe<", 1), All);
}

#[test]
fn a_list_says_it_of_each() {
    for (place, answer, changes, expected) in [
        (
            "/*/success",
            r#"[{"success":true},{"id":null,"success":false}]"#,
            2,
            in_part(&[1], 2),
        ),
        (
            "/*/success",
            r#"[{"success":false,"errors":[{"success":true}]},{"success":false}]"#,
            2,
            Nothing,
        ),
        (
            "/*/success",
            r#"[{"success":true},{"success":true}]"#,
            2,
            All,
        ),
        (
            "/*/success",
            r#"[{"success":true},{"success":false}]"#,
            3,
            Unknown,
        ),
        // The attack: a list that is short of what was made reads as a refusal of all.
        ("/*/success", r#"[{"success":false}]"#, 2, Unknown),
        (
            "/*/success",
            r#"[{"success":false},{"success":false}]"#,
            3,
            Unknown,
        ),
        (
            "/*/success",
            r#"[{"success":false},{"success":false}]"#,
            1,
            Nothing,
        ),
        (
            "/*/success",
            r#"[{"success":true},{"success":false}]"#,
            1,
            Unknown,
        ),
        // One word that stands in no list is of all.
        ("/success", r#"{"success":false}"#, 3, Nothing),
        ("/*/success", "[]", 1, All),
        (
            "/result/ok",
            r#" {"a":[{}],"result":{"\u006fk":false}} "#,
            1,
            Nothing,
        ),
        ("/a~1b", r#"{"a/b":false}"#, 1, Nothing),
        // What says nothing, something else, or twice.
        ("/*/success", r#"[{"success":false},{"id":"1"}]"#, 2, All),
        (
            "/*/success",
            r#"[{"success":false},{"success":"false"}]"#,
            2,
            All,
        ),
        (
            "/*/success",
            r#"[{"success":false},{"success":null}]"#,
            2,
            All,
        ),
        (
            "/*/success",
            r#"[{"success":false,"success":true}]"#,
            1,
            All,
        ),
        (
            "/*/success",
            r#"[{"success":false,"success":false}]"#,
            1,
            All,
        ),
        ("/*/success", r#"[{"success":false}] []"#, 1, All),
        ("/*/success", r#"[{"success":false}"#, 1, All),
        ("/*/success", r#"{"success":false}"#, 1, All),
        ("/*/success", r#"[false]"#, 1, All),
        ("/success", "false", 1, All),
        ("/*/success", "<html>", 1, All),
    ] {
        assert_eq!(read(place, answer, changes), expected, "{answer}");
    }
}

/// The attack: of several results one says nothing or all of it twice, so that a change that was made is told by what is said of another.
#[test]
fn a_result_that_does_not_say_it_once_leaves_all_of_them_to_the_status() {
    const NOTHING: &str = "<result><id>001</id></result>";
    let twice = "<result><success>false</success><success>false</success></result>".to_owned();
    let no = result("false");
    for (results, changes) in [
        ([NOTHING, no.as_str()].concat(), 2),
        ([no.as_str(), NOTHING].concat(), 2),
        ([no.as_str(), "<result/>"].concat(), 1),
        ([result("true"), NOTHING.to_owned(), no.clone()].concat(), 2),
        (twice.clone(), 1),
        (twice, 2),
    ] {
        assert_eq!(read(ONE, &message(&results), changes), All, "{results}");
    }
    let empty = message(&no).replace(
        "<undeleteResponse>",
        "<undeleteResponse/><undeleteResponse>",
    );
    assert_eq!(read(ONE, &empty, 1), All);
}

/// What is nested deeper than anything is read costs no stack, and says nothing.
#[test]
fn depth_costs_nothing() {
    let deep = "[".repeat(1 << 20);
    assert_eq!(read("/*/success", &deep, 1), All);
    let deep = "<a>".repeat(1 << 18);
    assert_eq!(read(ONE, &deep, 1), All);
}

#[test]
fn a_place_is_a_pointer_or_a_way_of_names() {
    for text in ["/*/success", "/success", ONE, "a/b"] {
        let place = DonePlace::try_from(text.to_owned()).unwrap();
        assert_eq!(String::from(place), text);
    }
    for text in ["", "success", "a//b", "a/b[1]", "?a", "a/@b"] {
        assert!(DonePlace::try_from(text.to_owned()).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn nothing_panics(answer in any::<Vec<u8>>(), more in "[\\[\\]{}\",:a-f<>/&;!?= ]{0,60}") {
        for place in ["/*/a", "a/b"] {
            let place = DonePlace::try_from(place.to_owned()).unwrap();
            place.read(&answer, 1);
            place.read(more.as_bytes(), 1);
        }
    }

    #[test]
    fn what_is_said_of_each_is_read_of_each(said in prop::collection::vec(any::<bool>(), 1..20)) {
        let json: Vec<String> = said.iter().map(|is_made| format!("{{\"success\":{is_made}}}")).collect();
        let json = format!("[{}]", json.join(","));
        let xml: String = said.iter().map(|is_made| result(&is_made.to_string())).collect();
        let refused: Vec<u32> = (0..).zip(&said).filter(|(_, is_made)| !**is_made).map(|(at, _)| at).collect();
        let expected = match refused.len() {
            0 => All,
            all if all == said.len() => Nothing,
            _ => in_part(&refused, u32::try_from(said.len()).unwrap()),
        };
        prop_assert_eq!(read("/*/success", &json, said.len()), expected.clone());
        prop_assert_eq!(read(ONE, &message(&xml), said.len()), expected);
    }
}
