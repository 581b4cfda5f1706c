//! `reportBooleanFilter`: `1 AND (2 OR NOT 3)`, filters by their numbers.

use super::bad_request;
use crate::error::ApiError;

/// How deep parentheses go.
const DEPTH_MAX: usize = 20;

/// Puts conditions together as the logic says.
///
/// # Errors
///
/// `BAD_REQUEST`: the logic is none, mixes `AND` and `OR` without parentheses, names a filter that
/// is not there, or leaves one out.
pub(super) fn combined(logic: &str, conditions: &[String]) -> Result<String, ApiError> {
    let spaced = logic.replace('(', " ( ").replace(')', " ) ");
    let mut reader = Reader {
        words: spaced.split_whitespace(),
        conditions,
        used: vec![false; conditions.len()],
    };
    let (text, end) = reader.alternatives(0)?;
    if end.is_some() || reader.used.contains(&false) {
        return Err(invalid());
    }
    Ok(text)
}

fn invalid() -> ApiError {
    bad_request("The filter logic is invalid: check its parentheses, numbers and operators.")
}

struct Reader<'l> {
    words: std::str::SplitWhitespace<'l>,
    conditions: &'l [String],
    used: Vec<bool>,
}

impl<'l> Reader<'l> {
    /// Reads terms up to a closing parenthesis or the end, and gives the word that ended them.
    fn alternatives(&mut self, depth: usize) -> Result<(String, Option<&'l str>), ApiError> {
        let mut text = self.term(depth)?;
        let mut operator: Option<String> = None;
        loop {
            let word = match self.words.next() {
                None => return Ok((format!("({text})"), None)),
                Some(")") => return Ok((format!("({text})"), Some(")"))),
                Some(word) => word.to_ascii_uppercase(),
            };
            let known = matches!(word.as_str(), "AND" | "OR");
            if !known || operator.as_ref().is_some_and(|first| *first != word) {
                return Err(invalid());
            }
            text = format!("{text} {word} {}", self.term(depth)?);
            operator = Some(word);
        }
    }

    fn term(&mut self, depth: usize) -> Result<String, ApiError> {
        let word = self.words.next().ok_or_else(invalid)?;
        if depth >= DEPTH_MAX {
            return Err(invalid());
        }
        if word == "(" {
            return match self.alternatives(depth + 1)? {
                (text, Some(")")) => Ok(text),
                _ => Err(invalid()),
            };
        }
        if word.eq_ignore_ascii_case("NOT") {
            return Ok(format!("(NOT {})", self.term(depth + 1)?));
        }
        let number: usize = word.parse().map_err(|_| invalid())?;
        let at = number.checked_sub(1).ok_or_else(invalid)?;
        let condition = self.conditions.get(at).ok_or_else(invalid)?;
        self.used[at] = true;
        Ok(format!("({condition})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn logic_is_read_or_refused() {
        let conditions = ["a", "b", "c"].map(str::to_owned);
        let of = |logic: &str| combined(logic, &conditions);
        assert_eq!(of("1 and 2 AND 3").as_deref(), Ok("((a) AND (b) AND (c))"));
        assert_eq!(
            of("(1 OR 2) AND NOT 3").as_deref(),
            Ok("(((a) OR (b)) AND (NOT (c)))")
        );
        for wrong in [
            "",
            "1",
            "1 AND 2",
            "1 AND 2 OR 3",
            "1 AND 2 AND 4",
            "0 AND 1 AND 2 AND 3",
            "(1 AND 2) AND 3)",
            "(1 AND 2 AND 3",
            "1 2 3",
            "1 AND AND 2 AND 3",
            "1 XOR 2 XOR 3",
            "()",
            "NOT",
        ] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
        assert!(of(&"(".repeat(100_000)).is_err());
    }

    proptest! {
        #[test]
        fn reading_never_panics(logic in "[()0-9ANDORT ]{0,60}") {
            let _ = combined(&logic, &["a".to_owned()]);
        }
    }
}
