//! What the org's administrator had done to records before they are saved: before-save triggers.
//!
//! There is one, on accounts, contacts and leads: `NormalizePhone` writes telephone numbers of the
//! North American plan one way, so that `415.555.0100` and `+1 415-555-0100` are both stored as
//! `(415) 555-0100`. A number of another form is kept as it was sent. A client that reads back
//! what it wrote finds another value than its own, as it does in many real orgs.

use crate::schema::{FieldType, Object};
use crate::store::Record;
use crate::value::Value;

/// The objects that the trigger is on.
const OBJECTS: [&str; 3] = ["Account", "Contact", "Lead"];
/// What people put between digits.
const PUNCTUATION: [char; 6] = [' ', '-', '.', '(', ')', '/'];

/// Runs the triggers of a record about to be saved; `old` is the one that it replaces.
pub(super) fn before_save(object: &Object, old: Option<&Record>, record: &mut Record) {
    if !OBJECTS.contains(&&*object.name) {
        return;
    }
    let phones = object
        .fields
        .iter()
        .filter(|field| field.field_type == FieldType::Phone);
    for field in phones {
        let sent = record.get(&field.name);
        if old.is_some_and(|old| old.get(&field.name) == sent) {
            continue;
        }
        if let Some(normal) = sent.as_text().and_then(normalized) {
            record
                .values
                .insert(field.name.clone(), Value::from(normal));
        }
    }
}

/// Writes ten digits, or eleven that begin with the plan's 1, as `(415) 555-0100`.
fn normalized(phone: &str) -> Option<String> {
    let plain = phone.strip_prefix('+').unwrap_or(phone);
    let digits: String = plain.chars().filter(|c| !PUNCTUATION.contains(c)).collect();
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let national = match digits.len() {
        10 if plain == phone => &*digits,
        11 => digits.strip_prefix('1')?,
        _ => return None,
    };
    let (area, rest) = national.split_at_checked(3)?;
    let (exchange, line) = rest.split_at_checked(3)?;
    Some(format!("({area}) {exchange}-{line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_of_the_plan_are_rewritten() {
        for (sent, stored) in [
            ("4155550100", Some("(415) 555-0100")),
            ("415.555.0100", Some("(415) 555-0100")),
            ("+1 415-555-0100", Some("(415) 555-0100")),
            ("1 (415) 555 0100", Some("(415) 555-0100")),
            ("+49 30 1234567", None),
            ("+4155550100", None),
            ("555-0100", None),
            ("415-555-0100 x12", None),
            ("四一五", None),
            ("", None),
        ] {
            assert_eq!(normalized(sent).as_deref(), stored, "{sent}");
        }
    }
}
