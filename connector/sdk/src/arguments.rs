//! Turns a call's arguments into the tool's struct.
//!
//! The host has validated them against the input schema already; what fails
//! here is what a schema cannot say, and it is still the caller's to repair.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::failure::Failure;

mod place;

use place::{Misfit, Place};

/// Reads the text of a call's arguments.
///
/// # Errors
///
/// `invalid-argument`, where it is no JSON.
pub(crate) fn read(args: &str) -> Result<Value, Failure> {
    serde_json::from_str(args)
        .map_err(|error| does_not_fit(String::new(), without_position(&error)))
}

/// Makes an `A` of arguments.
///
/// # Errors
///
/// `invalid-argument`, with the JSON Pointer (RFC 6901) of the value that does not fit.
pub(crate) fn fit<A: DeserializeOwned>(args: Value) -> Result<A, Failure> {
    A::deserialize(Place(args)).map_err(misfit)
}

fn misfit(misfit: Misfit) -> Failure {
    let (pointer, problem) = misfit.into_parts();
    does_not_fit(pointer, problem)
}

fn does_not_fit(pointer: String, problem: String) -> Failure {
    let place = match pointer.as_str() {
        "" => String::new(),
        pointer => format!(" at `{pointer}`"),
    };
    Failure::invalid(format!("the arguments do not fit{place}: {problem}")).field(pointer, problem)
}

/// Takes the position off the parser's message: the caller wrote an object,
/// not the text that it travelled in.
fn without_position(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    message
        .strip_suffix(&position)
        .unwrap_or(&message)
        .to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn parse<A: DeserializeOwned>(args: &str) -> Result<A, Failure> {
        fit(read(args)?)
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Args {
        rows: Vec<BTreeMap<String, u8>>,
    }

    #[test]
    fn the_pointer_names_the_value_that_does_not_fit() {
        let failure = parse::<Args>(r#"{"rows": [{}, {"a/b~c": 300}]}"#).unwrap_err();
        assert_eq!(failure.fields[0].pointer, "/rows/1/a~1b~0c");
        assert_eq!(
            failure.message,
            "the arguments do not fit at `/rows/1/a~1b~0c`: \
             invalid value: integer `300`, expected u8"
        );
    }

    #[test]
    fn a_missing_argument_is_named() {
        let failure = parse::<Args>("{}").unwrap_err();
        assert_eq!(failure.fields[0].pointer, "");
        assert_eq!(failure.fields[0].problem, "missing field `rows`");
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Order {
        Up,
        Down,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Part {
        of: String,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Every {
        text: String,
        is: bool,
        size: i8,
        share: f64,
        order: Order,
        part: Option<Part>,
        parts: Vec<Part>,
        pair: (u8, u8),
        any: Value,
        #[serde(default)]
        left_out: Option<String>,
        #[serde(flatten)]
        rest: BTreeMap<String, Value>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[allow(dead_code, reason = "it never fits")]
    struct Nested {
        all: Every,
    }

    /// Arguments of every type, one of them replaced.
    fn every(name: &str, value: Value) -> String {
        let mut args = serde_json::json!({
            "text": "a", "is": true, "size": -2, "share": 0.5, "order": "down", "part": {"of": "b"},
            "parts": [{"of": "c"}], "pair": [1, 2], "any": {"x": [null, 1.5]}, "more": null,
        });
        args[name] = value;
        args.to_string()
    }

    #[test]
    fn every_type_is_read() {
        let part = |of: &str| Part { of: of.to_owned() };
        let expected = Every {
            text: "a".to_owned(),
            is: true,
            size: -2,
            share: 0.5,
            order: Order::Down,
            part: None,
            parts: vec![part("c")],
            pair: (1, 2),
            any: serde_json::json!({"x": [null, 1.5]}),
            left_out: None,
            rest: BTreeMap::from([("more".to_owned(), Value::Null)]),
        };
        assert_eq!(
            parse::<Every>(&every("part", Value::Null)).unwrap(),
            expected
        );
        let whole = parse::<Every>(&every("order", "up".into())).unwrap();
        assert_eq!((whole.part, whole.order), (Some(part("b")), Order::Up));
    }

    #[test]
    fn each_misfit_is_named_with_what_was_expected() {
        for (name, value, pointer, problem) in [
            (
                "/text",
                serde_json::json!(null),
                "",
                "invalid type: null, expected a string",
            ),
            (
                "/is",
                serde_json::json!("yes"),
                "",
                "invalid type: string \"yes\", expected a boolean",
            ),
            (
                "/size",
                serde_json::json!(-129),
                "",
                "invalid value: integer `-129`, expected i8",
            ),
            (
                "/size",
                serde_json::json!(1.5),
                "",
                "invalid type: floating point `1.5`, expected i8",
            ),
            (
                "/order",
                serde_json::json!("left"),
                "",
                "unknown variant `left`, expected `up` or `down`",
            ),
            (
                "/part",
                serde_json::json!({"of": [1]}),
                "/of",
                "invalid type: sequence, expected a string",
            ),
            (
                "/part",
                serde_json::json!(["b"]),
                "",
                "invalid type: sequence, expected struct Part",
            ),
            (
                "/parts",
                serde_json::json!([{"of": "c"}, {}]),
                "/1",
                "missing field `of`",
            ),
            (
                "/pair",
                serde_json::json!([1]),
                "",
                "invalid length 1, expected a tuple of size 2",
            ),
        ] {
            let failure = parse::<Nested>(&format!("{{\"all\": {}}}", every(&name[1..], value)));
            let failure = failure.unwrap_err();
            assert_eq!(failure.fields[0].pointer, format!("/all{name}{pointer}"));
            assert_eq!(failure.fields[0].problem, problem);
        }
    }

    #[test]
    fn a_text_that_is_no_json_is_refused_without_a_position() {
        let failure = parse::<Args>("{").unwrap_err();
        assert_eq!(
            failure.message,
            "the arguments do not fit: EOF while parsing an object"
        );
    }

    #[test]
    fn fitting_arguments_pass() {
        assert_eq!(parse::<Args>(r#"{"rows": []}"#).unwrap().rows.len(), 0);
    }
}
