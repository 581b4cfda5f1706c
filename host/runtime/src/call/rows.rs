//! How much an answer may say to an agent whose rows are limited.
//!
//! The attack: a connector hands out more records than the agent may have, as what is not counted as rows: as a list of texts, as the
//! members of an object, within one long text, or in a file beside the answer. The host cannot know a record when it sees one. So such an
//! agent gets no files, every item of a list counts, and whatever else an answer has is bounded by its rows: no connector gets much past
//! the limit, whatever it calls a row.
//!
//! A call of a trusted connector that got nothing but what its routes declare as descriptions has no record to hand out, and is not held to this.

use serde_json::Value;

use crate::bindings::tools;
use crate::reply::{Failure, FailureCode};

/// Values that stand in one row, and in what is around all rows: an object of a service has a few hundred fields.
const VALUES_A_ROW: usize = 400;

/// Items of lists that are no rows: such as the names of columns, beside as many as there may be rows.
const NAMES: usize = 100;

/// Bytes of one row, and of what is around all rows.
const BYTES_A_ROW: usize = 8 << 10;
const BYTES_AROUND: usize = 32 << 10;

/// Lines of text that no value of the structured answer stands in: a heading, notes, what to do next.
const LINES_AROUND: usize = 100;

/// Holds an answer to the rows that one of an agent's may have.
pub(super) fn hold(
    max: u32,
    output: &tools::Output,
    structured: Option<&Value>,
) -> Result<(), Failure> {
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let found = structured.map_or_else(Found::default, |value| {
        let mut found = Found::default();
        found.walk(value);
        found
    });
    if found.rows > max {
        let message = format!(
            "the answer has {} rows, and this agent's have at most {max}",
            found.rows
        );
        return Err(refused(message, max));
    }
    let too_much = |what: String| {
        let message = format!("{what}, too much for an answer of at most {max} rows");
        Err(refused(message, max))
    };
    let around = max.saturating_add(1);
    if !output.attachments.is_empty() {
        let message = "the answer has files, in which rows cannot be counted, and this agent's rows are limited";
        return Err(refused(message.to_owned(), max));
    }
    if found.names > max.saturating_add(NAMES) {
        return too_much(format!("the answer lists {} items", found.names));
    }
    if found.values > VALUES_A_ROW.saturating_mul(around) {
        return too_much(format!("the answer has {} values", found.values));
    }
    let bytes_max = bytes_max(max);
    let texts = [
        Some(&output.text),
        output.structured.as_ref(),
        output.next_cursor.as_ref(),
    ];
    let bytes = texts.into_iter().flatten().map(String::len).max();
    if let Some(bytes) = bytes.filter(|bytes| *bytes > bytes_max) {
        return too_much(format!("the answer has {bytes} bytes"));
    }
    let lines_max = LINES_AROUND.saturating_add(found.values);
    let lines = lines(&output.text);
    if lines > lines_max {
        return too_much(format!("the answer's text has {lines} lines"));
    }
    if found.lines > LINES_AROUND.saturating_mul(around) {
        return too_much(format!("the answer's values have {} lines", found.lines));
    }
    Ok(())
}

/// Holds what a connector says went wrong to as much: it reaches the agent as an answer does.
pub(super) fn hold_failure(max: u32, failure: &Failure) -> Result<(), Failure> {
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let fields = failure.fields.iter();
    let fields = fields.flat_map(|field| [field.pointer.len(), field.problem.len()]);
    let optional = [&failure.hint, &failure.service_code].into_iter().flatten();
    let bytes = fields
        .chain(optional.map(String::len))
        .fold(failure.message.len(), usize::saturating_add);
    if bytes <= bytes_max(max) {
        return Ok(());
    }
    let message = format!(
        "the connector's error has {bytes} bytes, too much for an answer of at most {max} rows"
    );
    // Without a hint: what is said of a change whose outcome is not known goes there.
    Err(Failure::new(FailureCode::RowLimit, message))
}

fn bytes_max(max: usize) -> usize {
    BYTES_A_ROW.saturating_mul(max).saturating_add(BYTES_AROUND)
}

fn refused(message: String, max: usize) -> Failure {
    Failure::new(FailureCode::RowLimit, message).with_hint(format!(
        "ask for at most {max}, such as by a limit, for fewer fields, or narrow it down"
    ))
}

/// What a structured answer has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Found {
    /// The objects and lists that a member lists, wherever that stands.
    rows: usize,
    /// The other items that a member lists.
    names: usize,
    /// What is neither a list nor an object.
    values: usize,
    /// The ends of lines in texts.
    lines: usize,
}

impl Found {
    fn walk(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                for member in members.values() {
                    if let Value::Array(items) = member {
                        let rows = items
                            .iter()
                            .filter(|item| item.is_object() || item.is_array());
                        let rows = rows.count();
                        self.rows += rows;
                        self.names += items.len() - rows;
                    }
                    self.walk(member);
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.walk(item);
                }
            }
            Value::String(text) => {
                self.values += 1;
                self.lines += lines(text);
            }
            _ => self.values += 1,
        }
    }
}

fn lines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use serde_json::json;

    use super::*;

    fn output(text: &str, structured: &Value) -> tools::Output {
        tools::Output {
            text: text.to_owned(),
            structured: Some(structured.to_string()),
            attachments: Vec::new(),
            next_cursor: None,
        }
    }

    fn held(max: u32, text: &str, structured: &Value) -> Result<(), String> {
        hold(max, &output(text, structured), Some(structured)).map_err(|failure| failure.message)
    }

    #[test]
    fn an_answer_of_as_many_rows_as_there_may_be_passes() {
        let rows: Vec<_> = (0..5)
            .map(|row| json!([row, "Ada", null, "Note\nof two lines"]))
            .collect();
        let table = json!({ "columns": ["Id", "Name", "Owner", "Note"], "rows": rows });
        let text = "Id | Name | Owner | Note\n".repeat(6);
        assert_eq!(held(5, &text, &table), Ok(()));
        assert!(held(4, &text, &table).unwrap_err().contains("5 rows"));
        let wide: Vec<_> = (0..VALUES_A_ROW).collect();
        assert_eq!(held(1, "", &json!({ "rows": [wide] })), Ok(()));
    }

    #[test]
    fn an_error_says_no_more_than_an_answer_may() {
        let failure = |problems: usize| Failure {
            hint: Some("h".repeat(100)),
            fields: (0..problems)
                .map(|row| crate::reply::FieldProblem {
                    pointer: format!("/{row}"),
                    problem: "Ada, 555-0100; ".repeat(1_000),
                })
                .collect(),
            ..Failure::new(FailureCode::NotFound, "there is none")
        };
        assert_eq!(hold_failure(3, &failure(1)), Ok(()));
        let refused = hold_failure(3, &failure(5)).unwrap_err();
        assert_eq!((refused.code, refused.hint), (FailureCode::RowLimit, None));
    }

    #[test]
    fn what_is_not_called_a_row_is_bounded_all_the_same() {
        let names: Vec<String> = (0..1_000).map(|row| format!("r{row}")).collect();
        let members: serde_json::Map<String, Value> = names
            .iter()
            .map(|name| (name.clone(), json!({ "a": name, "b": name, "c": name })))
            .collect();
        let nested: Vec<Value> = names.iter().map(|name| json!([name, name, name])).collect();
        let long = "Ada, 555-0100; ".repeat(10_000);
        for (value, says) in [
            (json!({ "names": names }), "lists 1000 items"),
            (json!({ "by_id": members }), "3000 values"),
            (json!({ "rows": [nested] }), "3000 values"),
            (json!({ "note": long }), "bytes"),
            (json!({ "note": "a\n".repeat(1_000) }), "lines"),
            (json!([nested]), "3000 values"),
        ] {
            let refused = held(3, "", &value).unwrap_err();
            assert!(refused.contains(says), "{refused}");
        }
        let refused = held(3, &"a row\n".repeat(200), &json!({})).unwrap_err();
        assert!(refused.contains("200 lines"), "{refused}");
        let refused = held(3, &long, &json!({})).unwrap_err();
        assert!(refused.contains("bytes"), "{refused}");
        let mut with_cursor = output("", &json!({}));
        with_cursor.next_cursor = Some(long);
        let refused = hold(3, &with_cursor, None).unwrap_err().message;
        assert!(refused.contains("bytes"), "{refused}");
        let mut with_file = output("", &json!({}));
        with_file.attachments.push(tools::Attachment {
            name: "rows.png".to_owned(),
            media_type: "image/png".to_owned(),
            data: b"a,b\n".to_vec(),
        });
        assert!(
            hold(3, &with_file, None)
                .unwrap_err()
                .message
                .contains("files")
        );
    }
}
