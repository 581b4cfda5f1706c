//! Texts that people see: names and labels.

use crate::error::StoreError;

/// The most characters of a name or label.
pub(crate) const TEXT_CHARS_MAX: usize = 200;

/// Takes a name or label without the spaces around it.
pub(crate) fn text(what: &'static str, text: &str) -> Result<String, StoreError> {
    let text = text.trim();
    let length = text.chars().count();
    match length == 0 || length > TEXT_CHARS_MAX || text.chars().any(char::is_control) {
        true => Err(StoreError::Text {
            what,
            max: TEXT_CHARS_MAX,
        }),
        false => Ok(text.to_owned()),
    }
}

/// Says whether a text can be a name or a label: short, and nothing in it that a terminal would obey.
pub fn is_name(name: &str) -> bool {
    text("a name", name).is_ok()
}

/// Cuts a message of somebody else's to what is shown.
pub(crate) fn message(text: &str) -> String {
    let shown = text.chars().filter(|char| !char.is_control());
    shown.take(MESSAGE_CHARS_MAX).collect()
}

/// Cuts a text of several lines to what is shown.
pub(crate) fn lines(text: &str) -> String {
    let shown = text
        .chars()
        .filter(|char| *char == '\n' || !char.is_control());
    shown.take(LINES_CHARS_MAX).collect()
}

/// The most characters of a reason: a few sentences.
const MESSAGE_CHARS_MAX: usize = 1_000;

/// The most characters of advice: some steps for each of two people.
const LINES_CHARS_MAX: usize = 4_000;

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_shown_well_is_no_name() {
        assert_eq!(text("a name", " Ada Lovelace ").unwrap(), "Ada Lovelace");
        assert!(is_name("Ada Lovelace") && !is_name("a\u{1b}[2J"));
        for wrong in ["", "  ", "a\nb", "a\u{1b}[2J", &"ä".repeat(201)] {
            assert!(text("a name", wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(message("no\nmore\u{7}"), "nomore");
        assert_eq!(message(&"x".repeat(5_000)).len(), 1_000);
        assert_eq!(lines("no\nmore\u{7}"), "no\nmore");
        assert_eq!(lines(&"x".repeat(5_000)).len(), 4_000);
    }
}
