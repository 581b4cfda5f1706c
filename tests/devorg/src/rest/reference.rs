//! `@{account.id}` and `@{found.records[0].Id}`: what an earlier subrequest answered, in a later one.

use std::collections::HashMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value as Json;

use crate::error::ApiError;
use crate::wire::{BODY_BYTES_MAX, Reply, URI_BYTES_MAX, address_too_long, body_too_long};

/// The bytes of the answers after which nothing more is asked: they are kept until all are there. It
/// is more than the rows that a composite request can ask for usually have.
const ANSWERS_BYTES_MAX: usize = 32 * 1_024 * 1_024;

/// What the subrequests so far answered, by their reference ids.
#[derive(Debug)]
pub(super) struct Answers<'a> {
    by_id: HashMap<&'a str, Json>,
    /// The bytes that may still come.
    room: usize,
}

impl Default for Answers<'_> {
    fn default() -> Self {
        Self {
            by_id: HashMap::new(),
            room: ANSWERS_BYTES_MAX,
        }
    }
}

impl<'a> Answers<'a> {
    /// Keeps an answer.
    pub(super) fn keep(&mut self, id: &'a str, reply: &Reply) {
        self.room = self.room.saturating_sub(reply.len());
        self.by_id.insert(id, reply.to_json());
    }

    /// Refuses to ask for more when the answers are too long already.
    ///
    /// # Errors
    ///
    /// `LIMIT_EXCEEDED`.
    pub(super) fn check_room(&self) -> Result<(), ApiError> {
        if self.room > 0 {
            return Ok(());
        }
        let message = format!(
            "The responses of a composite request are limited to {ANSWERS_BYTES_MAX} bytes."
        );
        Err(ApiError::bad_request("LIMIT_EXCEEDED", message))
    }
}

/// Says whether a text can be a reference id.
pub(super) fn is_id(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Puts values in the place of the references of an address, encoded.
///
/// # Errors
///
/// `PROCESSING_HALTED`: there is no such value. Or it becomes longer than it can be.
pub(super) fn in_url(url: &str, answers: &Answers) -> Result<String, ApiError> {
    let mut room = URI_BYTES_MAX;
    replaced(url, answers, |text| {
        let encoded = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        take(&mut room, encoded.len()).ok_or_else(address_too_long)?;
        Ok(encoded)
    })
}

/// Puts values in the place of the references in the texts of a body.
///
/// # Errors
///
/// `PROCESSING_HALTED`: there is no such value. Or it becomes longer than it can be.
pub(super) fn in_json(json: &Json, answers: &Answers) -> Result<Json, ApiError> {
    let mut room = BODY_BYTES_MAX;
    json_within(json, answers, &mut room)
}

/// Takes bytes off what is left for values: references are short, and may repeat.
fn take(room: &mut usize, bytes: usize) -> Option<()> {
    *room = room.checked_sub(bytes)?;
    Some(())
}

fn json_within(json: &Json, answers: &Answers, room: &mut usize) -> Result<Json, ApiError> {
    let mut spend = |bytes| take(room, bytes).ok_or_else(|| body_too_long(BODY_BYTES_MAX));
    Ok(match json {
        // A text that is a reference and nothing else becomes the value as it is.
        Json::String(text) => match whole(text) {
            Some(reference) => {
                let value = value(reference, answers)?;
                spend(value.to_string().len())?;
                value.clone()
            }
            None => replaced(text, answers, |value| {
                spend(value.len())?;
                Ok(value.to_owned())
            })?
            .into(),
        },
        Json::Array(items) => items
            .iter()
            .map(|item| json_within(item, answers, room))
            .collect::<Result<_, _>>()?,
        Json::Object(fields) => fields
            .iter()
            .map(|(name, field)| Ok((name.clone(), json_within(field, answers, room)?)))
            .collect::<Result<_, ApiError>>()?,
        other => other.clone(),
    })
}

fn whole(text: &str) -> Option<&str> {
    let reference = text.strip_prefix("@{")?.strip_suffix('}')?;
    (!reference.contains('}')).then_some(reference)
}

fn replaced(
    text: &str,
    answers: &Answers,
    mut written: impl FnMut(&str) -> Result<String, ApiError>,
) -> Result<String, ApiError> {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("@{") {
        let Some((reference, behind)) = after.split_once('}') else {
            break;
        };
        done.push_str(before);
        done.push_str(&match value(reference, answers)? {
            Json::String(text) => written(text)?,
            other => written(&other.to_string())?,
        });
        rest = behind;
    }
    done.push_str(rest);
    Ok(done)
}

/// Finds the value of `account.id`.
fn value<'a>(reference: &str, answers: &'a Answers) -> Result<&'a Json, ApiError> {
    let end = reference.find(['.', '[']).unwrap_or(reference.len());
    let (id, path) = reference.split_at(end);
    let found = answers
        .by_id
        .get(id)
        .and_then(|answer| follow(answer, path));
    found.filter(|value| !value.is_null()).ok_or_else(|| {
        let message =
            format!("Invalid reference specified. No value for {reference} found in {id}");
        ApiError::bad_request("PROCESSING_HALTED", message)
    })
}

/// Follows `.records[0].Id`.
fn follow<'a>(json: &'a Json, path: &str) -> Option<&'a Json> {
    let mut at = json;
    for part in path.split(['.', '[']).skip(1) {
        at = match part.strip_suffix(']') {
            Some(index) => at.get(index.parse::<usize>().ok()?)?,
            None => at.get(part)?,
        };
    }
    Some(at)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn answers() -> Answers<'static> {
        let found = json!({"records": [{"Id": "003", "Name": "A & B", "N": 7, "Z": null}]});
        let mut answers = Answers::default();
        answers.keep("found", &Reply::json(200, &found));
        let made = json!({"id": "001", "success": true});
        answers.keep("made", &Reply::json(201, &made));
        answers
    }

    #[test]
    fn answers_have_an_end_together() {
        let mut answers = answers();
        let long = Reply::text(200, &"x".repeat(ANSWERS_BYTES_MAX / 2));
        for (id, good) in [("a", true), ("b", false), ("c", false)] {
            answers.keep(id, &long);
            let error = answers.check_room().err();
            let code = error.as_ref().map(|error| error.code.as_str());
            assert_eq!(code, (!good).then_some("LIMIT_EXCEEDED"), "{id}");
        }
        assert_eq!(in_url("@{made.id}", &answers).unwrap(), "001");
    }

    #[test]
    fn references_become_values() {
        let answers = answers();
        for (text, expected) in [
            ("@{made.id}", json!("001")),
            ("@{made.success}", json!(true)),
            ("@{found.records[0].N}", json!(7)),
            ("x@{made.id}-@{found.records[0].N}", json!("x001-7")),
            ("@{made.id}@{made.id}", json!("001001")),
            ("@{made", json!("@{made")),
            ("a@b.c", json!("a@b.c")),
        ] {
            assert_eq!(
                in_json(&json!([text]), &answers),
                Ok(json!([expected])),
                "{text}"
            );
        }
        let url = in_url("/q=@{found.records[0].Name}", &answers).unwrap();
        assert_eq!(url, "/q=A%20%26%20B");
        for text in [
            "@{made.Id}",
            "@{later.id}",
            "@{found.records[1].Id}",
            "@{found.records[0].Z}",
            "@{}",
        ] {
            let error = in_json(&json!({"x": text}), &answers).unwrap_err();
            assert_eq!(error.code, "PROCESSING_HALTED", "{text}");
            assert!(
                error
                    .message
                    .starts_with("Invalid reference specified. No value for")
            );
        }
    }

    #[test]
    fn what_references_become_has_an_end() {
        let long = "x".repeat(URI_BYTES_MAX / 2);
        let mut answers = Answers::default();
        let answer = json!({"long": long, "list": [long]});
        answers.keep("a", &Reply::json(200, &answer));
        let reference = "@{a.long}";
        assert!(in_url(&reference.repeat(2), &answers).is_ok());
        let error = in_url(&reference.repeat(3), &answers).unwrap_err();
        assert_eq!((error.status, error.code.as_str()), (414, "URI_TOO_LONG"));
        for bodies in [
            json!(vec!["@{a.list}"; 1_000]),
            json!({"x": vec![reference; 1_000]}),
            json!([format!("y{}", reference.repeat(1_000))]),
        ] {
            let error = in_json(&bodies, &answers).unwrap_err();
            assert_eq!(
                (error.status, error.code.as_str()),
                (413, "EXCEEDED_MAX_SIZE_REQUEST")
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text in "[@{}a-z.\\[\\]0-9]{0,20}") {
            let answers = answers();
            let _ = in_url(&text, &answers);
            let _ = in_json(&json!(text), &answers);
        }
    }
}
