//! Text that comes from elsewhere, made so that a person sees all of it.
//!
//! The attack: a value that shows as another. Control characters move the cursor or colour a terminal; bidirectional marks turn the
//! order of letters around (CVE-2021-42574); characters without a shape hide between others; a letter of another
//! alphabet looks like the one that was meant. The first three are written out, the last is named beside the text.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use unicode_script::{Script, UnicodeScript};
use unicode_security::skeleton;

/// Marks over one letter: more is used to draw over lines above and below.
const MARKS_MAX: usize = 3;

/// Writes out every character that shows nothing, or changes how others show, as `⟨U+202E⟩`. A line break and a tab become `⏎` and
/// `⇥`, so that the text stays one line.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut marks = 0;
    for char in text.chars() {
        marks = match is_mark(char) {
            true => marks + 1,
            false => 0,
        };
        match char {
            '\n' => shown.push('⏎'),
            '\t' => shown.push('⇥'),
            char if hides(char) || marks > MARKS_MAX => {
                let _ = write!(shown, "⟨U+{:04X}⟩", u32::from(char));
            }
            char => shown.push(char),
        }
    }
    Cow::Owned(shown)
}

/// Says whether a character has no shape of its own, or changes how others are shown.
fn hides(char: char) -> bool {
    char.is_control()
        || (char.is_whitespace() && char != ' ')
        || matches!(char,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
        || matches!(u32::from(char), 0xe000..=0xf8ff | 0xf0000..)
}

fn is_mark(char: char) -> bool {
    unicode_normalization::char::is_combining_mark(char)
}

/// A word that may be taken for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookAlike {
    /// The word.
    pub word: String,
    /// What it looks like, where that is a word of ASCII letters.
    pub looks_like: Option<String>,
    /// Its alphabets.
    pub scripts: Vec<&'static str>,
}

/// Finds the words whose letters are of several alphabets, or look like ASCII letters and are none (UTS #39).
pub fn look_alikes(text: &str) -> Vec<LookAlike> {
    if text.is_ascii() {
        return Vec::new();
    }
    let words = text.split(|char: char| !char.is_alphanumeric() && !is_mark(char));
    let words: BTreeSet<&str> = words.filter(|word| !word.is_ascii()).collect();
    words.into_iter().filter_map(look_alike).collect()
}

fn look_alike(word: &str) -> Option<LookAlike> {
    let letters = word.chars().filter(|char| char.is_alphabetic());
    let scripts: BTreeSet<&'static str> = letters
        .map(|char| char.script())
        .filter(|script| !matches!(script, Script::Common | Script::Inherited))
        .map(Script::full_name)
        .collect();
    // Letter by letter: the skeleton of a whole word also takes `m` for `rn`.
    let plain: String = word.chars().map(plain).collect();
    let is_ascii = plain.is_ascii() && plain.chars().any(char::is_alphabetic);
    // Scripts that are written together, as Japanese is, mix with Latin in honest text; the ones that look like Latin do not.
    let mixes = scripts.len() > 1
        && [
            "Cyrillic", "Greek", "Armenian", "Cherokee", "Coptic", "Lisu",
        ]
        .iter()
        .any(|script| scripts.contains(script));
    (is_ascii || mixes).then(|| LookAlike {
        word: word.to_owned(),
        looks_like: is_ascii.then_some(plain),
        scripts: scripts.into_iter().collect(),
    })
}

fn plain(char: char) -> String {
    match char.is_ascii() {
        true => char.to_string(),
        false => skeleton(char.encode_utf8(&mut [0; 4])).collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_hides_is_written_out() {
        for (text, shown) in [
            ("Acme Ltd", "Acme Ltd"),
            ("Café Zürich 東京 Привет", "Café Zürich 東京 Привет"),
            ("\u{1b}[31mred", "⟨U+001B⟩[31mred"),
            ("a\r\nb\tc", "a⟨U+000D⟩⏎b⇥c"),
            ("\u{202e}drawkcab", "⟨U+202E⟩drawkcab"),
            ("\u{2066}x\u{2069}", "⟨U+2066⟩x⟨U+2069⟩"),
            ("pay\u{200b}pal", "pay⟨U+200B⟩pal"),
            ("a\u{a0}b\u{3000}c", "a⟨U+00A0⟩b⟨U+3000⟩c"),
            ("tag\u{e0041}", "tag⟨U+E0041⟩"),
            ("\u{85}\u{9b}", "⟨U+0085⟩⟨U+009B⟩"),
            ("\u{e000}", "⟨U+E000⟩"),
            ("e\u{301}", "e\u{301}"),
            (
                "e\u{301}\u{301}\u{301}\u{301}",
                "e\u{301}\u{301}\u{301}⟨U+0301⟩",
            ),
        ] {
            assert_eq!(visible(text), shown);
        }
    }

    #[test]
    fn letters_that_look_like_others_are_named() {
        let of = |text| {
            let found = look_alikes(text);
            found
                .iter()
                .map(|found| (found.word.clone(), found.looks_like.clone()))
                .collect::<Vec<_>>()
        };
        let like = |word: &str, plain: &str| vec![(word.to_owned(), Some(plain.to_owned()))];
        // The first letter is Cyrillic; then all of them are.
        assert_eq!(of("\u{410}cme Ltd"), like("\u{410}cme", "Acme"));
        assert_eq!(of("сосо"), like("сосо", "coco"));
        let mixed = look_alikes("Мicrosoft");
        assert_eq!(mixed[0].scripts, ["Cyrillic", "Latin"]);
        for honest in [
            "Acme",
            "Привет мир",
            "Café Müller",
            "東京タワー",
            "Ελλάδα",
            "A東京",
        ] {
            assert_eq!(of(honest), [], "{honest}");
        }
    }

    proptest! {
        #[test]
        fn nothing_hidden_stays(text in any::<String>()) {
            let shown = visible(&text);
            prop_assert!(!shown.chars().any(hides));
            prop_assert_eq!(visible(&shown), shown.clone());
            let _ = look_alikes(&text);
        }
    }
}
