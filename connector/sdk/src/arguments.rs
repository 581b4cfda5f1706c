//! Turns a call's arguments into the tool's struct.
//!
//! The host has validated them against the input schema already; what fails
//! here is what a schema cannot say, and it is still the caller's to repair.

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use crate::failure::Failure;

/// Parses `args` into `A`.
///
/// # Errors
///
/// `invalid-argument`, with the JSON Pointer (RFC 6901) of the value that does not fit.
pub(crate) fn parse<A: DeserializeOwned>(args: &str) -> Result<A, Failure> {
    let mut json = serde_json::Deserializer::from_str(args);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let pointer = pointer(error.path());
        let problem = problem(error.inner());
        let place = if pointer.is_empty() {
            String::new()
        } else {
            format!(" at `{pointer}`")
        };
        Failure::invalid(format!("the arguments do not fit{place}: {problem}"))
            .field(pointer, problem)
    })
}

/// Takes the position off the parser's message: the caller wrote an object,
/// not the text that it travelled in.
fn problem(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    message
        .strip_suffix(&position)
        .unwrap_or(&message)
        .to_owned()
}

fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            // A variant's name is not a step in the document, and an unknown
            // step has no name to give.
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

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

    #[test]
    fn fitting_arguments_pass() {
        assert_eq!(parse::<Args>(r#"{"rows": []}"#).unwrap().rows.len(), 0);
    }
}
