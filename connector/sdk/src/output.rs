//! What a tool returns.

use serde::Serialize;

pub use crate::bindings::exports::portcullis::connector::tools::Attachment;

use crate::bindings::exports::portcullis::connector::tools;
use crate::failure::Failure;

/// The answer of a tool: compact text for the model and, besides, the same
/// facts as data for programs.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// Compact text for the model.
    pub text: String,
    /// A JSON text that fits the tool's output schema; see [`Output::structured`].
    pub structured: Option<String>,
    /// Files that belong to the answer.
    pub attachments: Vec<Attachment>,
    /// What to pass as `cursor` to get the rest. None: nothing was left out.
    pub next_cursor: Option<String>,
    /// Why `structured` could not be written; ends the call, see `into_contract`.
    unserializable: Option<String>,
}

impl Output {
    /// Starts an answer from its text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// Adds the answer as data. A value that JSON cannot hold, such as a map
    /// whose keys are not strings, fails the call with `internal`.
    #[must_use]
    pub fn structured<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        match serde_json::to_string(value) {
            Ok(json) => self.structured = Some(json),
            Err(error) => self.unserializable = Some(error.to_string()),
        }
        self
    }

    /// Says that something was left out, and what to pass as `cursor` to get
    /// the rest. Accepts an `Option`, for the last page has none.
    #[must_use]
    pub fn cursor(mut self, cursor: impl Into<Option<String>>) -> Self {
        self.next_cursor = cursor.into();
        self
    }

    /// Adds a file.
    #[must_use]
    pub fn attach(
        mut self,
        name: impl Into<String>,
        media_type: impl Into<String>,
        data: Vec<u8>,
    ) -> Self {
        self.attachments.push(Attachment {
            name: name.into(),
            media_type: media_type.into(),
            data,
        });
        self
    }

    /// Turns the answer into the contract's record.
    ///
    /// # Errors
    ///
    /// `internal` where the structured value could not be written as JSON.
    pub(crate) fn into_contract(self) -> Result<tools::Output, Failure> {
        if let Some(problem) = self.unserializable {
            return Err(Failure::internal(format!(
                "the connector could not write its answer as JSON: {problem}"
            )));
        }
        Ok(tools::Output {
            text: self.text,
            structured: self.structured,
            attachments: self.attachments,
            next_cursor: self.next_cursor,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn carries_text_data_and_cursor() {
        let output = Output::text("two rows")
            .structured(&serde_json::json!({"rows": 2}))
            .cursor("page-2".to_owned())
            .attach("a.txt", "text/plain", b"a".to_vec())
            .into_contract()
            .unwrap();
        assert_eq!(output.structured.as_deref(), Some(r#"{"rows":2}"#));
        assert_eq!(output.next_cursor.as_deref(), Some("page-2"));
        assert_eq!(output.attachments[0].data, b"a");
    }

    #[test]
    fn an_answer_that_json_cannot_hold_fails_the_call() {
        let map = BTreeMap::from([((1, 2), "tuple keys are not strings")]);
        let failure = Output::text("x").structured(&map).into_contract();
        let failure = failure.unwrap_err();
        assert_eq!(failure.reason, crate::Reason::Internal);
        assert!(failure.message.contains("key must be a string"));
    }
}
