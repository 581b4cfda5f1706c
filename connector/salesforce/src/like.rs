//! Texts of a caller as literals of SOQL.

use soql::StringLiteral;

/// Writes the literal that is this text.
pub fn literal(text: &str) -> String {
    StringLiteral::new(text).to_string()
}

/// Writes the literal of `LIKE` for what has the words of a text in their order, whatever stands between them.
pub fn containing(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(escaped).collect();
    format!("'%{}%'", words.join("%"))
}

/// Writes a text so that `LIKE` takes no character of it for another.
pub fn escaped(text: &str) -> String {
    StringLiteral::new(text)
        .raw()
        .replace('%', "\\%")
        .replace('_', "\\_")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use soql::{CompareOp, Condition, PatternPart, Value};

    #[test]
    fn wildcards_of_the_caller_are_characters() {
        assert_eq!(literal("O'Neil\\"), r"'O\'Neil\\'");
        assert_eq!(containing(" Ann  O'Neil 5%_ "), r"'%Ann%O\'Neil%5\%\_%'");
    }

    proptest! {
        #[test]
        fn no_text_ends_its_literal(text in any::<String>()) {
            let query = soql::parse_query(&format!("SELECT Id FROM X WHERE A LIKE {}", containing(&text))).unwrap();
            let Some(Condition::Comparison { op: CompareOp::Like, value: Value::String(found), .. }) = query.condition else {
                return Err(TestCaseError::fail("it is another condition"));
            };
            let chars: String = found.pattern().iter().filter_map(|part| match part {
                PatternPart::Char(c) => Some(*c),
                _ => None,
            }).collect();
            let wanted: String = text.split_whitespace().collect();
            prop_assert_eq!(chars, wanted);
        }
    }
}
