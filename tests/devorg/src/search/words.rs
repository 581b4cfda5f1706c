//! Texts as searches see them: words without case and accents.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Gives the characters in lower case and without accents.
pub(super) fn folded(text: &str) -> impl Iterator<Item = char> {
    text.nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
}

/// Gives the words of a text: its runs of letters and digits.
pub(super) fn words(text: &str) -> Vec<Vec<char>> {
    let mut words = vec![Vec::new()];
    for c in folded(text) {
        match words.last_mut() {
            Some(word) if c.is_alphanumeric() => word.push(c),
            Some(word) if !word.is_empty() => words.push(Vec::new()),
            _ => {}
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> String {
        let words = words(text).into_iter().map(String::from_iter);
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_text_has_words() {
        for (text, expected) in [
            ("", ""),
            ("Émile Zola-Söhne & Co.", "emile zola sohne co"),
            ("ada.admin@acme.example", "ada admin acme example"),
            ("(415) 555-0100", "415 555 0100"),
            ("  --  ", ""),
            ("E\u{301}cole ﬁne", "ecole fine"),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn words_are_words_of_themselves(text in ".{0,40}") {
            prop_assert_eq!(of(&of(&text)), of(&text));
        }
    }
}
