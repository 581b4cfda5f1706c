//! What a caller looks for, as the text between the braces of `FIND {…}`.

use portcullis_sdk::Failure;

/// Characters with a meaning of their own in a search. `*`, `?` and quotes keep theirs.
const RESERVED: &str = "&|!{}[]()^~:\\'+-";

const CHARS_MAX: usize = 1_000;

/// Writes the text, with what would be an operator as a character.
///
/// # Errors
/// `invalid-argument`: it has fewer than two letters or digits, or more than a thousand characters.
pub(super) fn find(text: &str) -> Result<String, Failure> {
    let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
    if letters < 2 || text.chars().count() > CHARS_MAX {
        return Err(Failure::invalid(
            "a search needs words of at least two letters or digits, and at most 1,000 characters",
        )
        .field("/text", "too short or too long")
        .hint("query finds records by conditions instead"));
    }
    let quotes = text.matches('"').count();
    let mut find = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // Half a pair of quotes is a slip.
            '"' if quotes % 2 == 1 => find.push(' '),
            c if c.is_control() => find.push(' '),
            c => {
                if RESERVED.contains(c) {
                    find.push('\\');
                }
                find.push(c);
            }
        }
    }
    Ok(operators_as_words(find.trim()))
}

/// `AND`, `OR` and `NOT` are operators where they are written large: so they are written small.
fn operators_as_words(text: &str) -> String {
    let words = text.split(' ').map(|word| match word {
        "AND" | "OR" | "NOT" => word.to_lowercase(),
        word => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn operators_are_characters_and_wildcards_stay() {
        assert_eq!(find(" Acm* (Berlin) ").unwrap(), r"Acm* \(Berlin\)");
        assert_eq!(
            find("\"Acme Corp\" x-ray").unwrap(),
            r#""Acme Corp" x\-ray"#
        );
        assert_eq!(find("5\" pipe").unwrap(), "5  pipe");
        assert_eq!(find("Rock AND Roll").unwrap(), "Rock and Roll");
        for bad in ["", "a", " * ", "--", &"ab".repeat(501)] {
            assert_eq!(find(bad).unwrap_err().fields[0].pointer, "/text");
        }
    }

    proptest! {
        #[test]
        fn no_text_leaves_the_braces(text in "\\PC{2,40}") {
            if let Ok(find) = find(&text) {
                let search = soql::parse_search(&format!("FIND {{{find}}} RETURNING Account(Id)")).unwrap();
                prop_assert_eq!(search.find, find);
                prop_assert_eq!(search.returning.len(), 1);
            }
        }
    }
}
