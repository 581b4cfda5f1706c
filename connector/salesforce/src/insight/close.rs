//! Spans of days, as a caller gives them.

use portcullis_sdk::Failure;

/// Writes the condition of a span of close dates: a date literal of SOQL, a day, or two with dots between.
///
/// # Errors
/// `invalid-argument` at `/close`.
pub(super) fn closes(text: &str) -> Result<String, Failure> {
    let is_day = |text: &str| {
        let parts: Vec<&str> = text.split('-').collect();
        let digits = |text: &str, count| {
            text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        matches!(parts.as_slice(), [year, month, day] if digits(year, 4) && digits(month, 2) && digits(day, 2))
    };
    let condition = match text.split_once("..") {
        Some((from, to))
            if is_day(from.trim()) && is_day(to.trim()) && from.trim() <= to.trim() =>
        {
            format!(
                "CloseDate >= {} AND CloseDate <= {}",
                from.trim(),
                to.trim()
            )
        }
        Some(_) => String::new(),
        None if is_day(text) => format!("CloseDate = {text}"),
        None => {
            let literal = text.replace(' ', "_").to_ascii_uppercase();
            let begins = literal.starts_with(|c: char| c.is_ascii_alphabetic());
            let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
            match begins && literal.chars().all(is_word) && literal != "NULL" {
                true => format!("CloseDate = {literal}"),
                false => String::new(),
            }
        }
    };
    let is_soql = |condition: &str| {
        let query = format!("SELECT Id FROM Opportunity WHERE {condition}");
        !condition.is_empty() && soql::parse_query(&query).is_ok_and(|query| names_no_field(&query))
    };
    match is_soql(&condition) {
        true => Ok(condition),
        false => {
            let shown = crate::fence::inline(text, 60);
            Err(Failure::invalid(format!("`{shown}` is no span of days")).field(
                "/close",
                "a SOQL date literal (`THIS_QUARTER`, `NEXT_N_DAYS:30`), a day `2026-10-01`, or two with dots between: `2026-10-01..2026-12-31`",
            ))
        }
    }
}

/// Says that a query is about nothing but the close date: what looked like a literal was no name.
fn names_no_field(query: &soql::Query) -> bool {
    let accesses = query.accesses();
    let mut fields = accesses.iter().flat_map(|access| &access.fields);
    fields.all(|used| ["Id", "CloseDate"].iter().any(|name| used.path.is(name)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_span_of_days_is_that_and_nothing_else() {
        for (text, soql) in [
            ("this quarter", "CloseDate = THIS_QUARTER"),
            ("NEXT_N_DAYS:30", "CloseDate = NEXT_N_DAYS:30"),
            ("2026-10-01", "CloseDate = 2026-10-01"),
            (
                "2026-10-01..2026-12-31",
                "CloseDate >= 2026-10-01 AND CloseDate <= 2026-12-31",
            ),
        ] {
            assert_eq!(closes(text).unwrap(), soql);
        }
        for text in [
            "soon",
            "2026-10-01..",
            "2026-12-31..2026-10-01",
            "TODAY OR IsWon = true",
            "null",
            "'x'",
            "1",
            "2026-1-1",
        ] {
            assert!(closes(text).is_err(), "{text}");
        }
    }
}
