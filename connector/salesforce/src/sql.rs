//! What a query was meant to be that is no SOQL: SQL's habits, said in SOQL.
//!
//! A model writes `SELECT *`, `IS NOT NULL`, `"double quotes"`, `JOIN`. The words are rewritten one habit after the other, and what comes
//! of it is proposed only if it is SOQL. Nothing is sent in the place of what was asked.

mod advice;
mod habits;
mod join;
mod retyped;
mod token;

pub use advice::advice;
pub use retyped::{Wanted, retyped};
use token::{tokens, written};

/// A slip in a keyword is mended this often in one query.
const SLIPS_MAX: usize = 4;

/// Rewrites a text that is no SOQL into the query that was meant. `parent` gives the name of the relationship that a
/// reference field makes: `Account` of `Contact` and `AccountId`. `None`: nobody can say.
pub fn meant(text: &str, parent: impl Fn(&str, &str) -> Option<String>) -> Option<String> {
    let mut tokens = tokens(text)?;
    join::joined(&mut tokens, parent)?;
    habits::unsql(&mut tokens);
    let mut text = written(&tokens);
    for _ in 0..SLIPS_MAX {
        match soql::parse_query(&text) {
            Ok(query) => return query.writes().is_none().then(|| query.to_string()),
            Err(error) => text = mended(&text, &error)?,
        }
    }
    None
}

/// Puts the keyword that was meant in the place of the one that is misspelt.
fn mended(text: &str, error: &soql::ParseError) -> Option<String> {
    let found = error.found.as_deref()?;
    let meant = match (&error.did_you_mean, error.expected.as_slice()) {
        (Some(meant), _) => meant.as_str(),
        // One keyword alone could stand there, and what does is a slip of it.
        (None, [only]) => only
            .strip_prefix('`')?
            .strip_suffix('`')
            .filter(|only| is_slip(found, only))?,
        _ => return None,
    };
    let at = error.position.offset;
    let after = text.get(at..)?.strip_prefix(found)?;
    Some([&text[..at], meant, after].concat())
}

/// Says whether a word has a keyword's letters in another order, or most of them.
fn is_slip(word: &str, keyword: &str) -> bool {
    let near = [crate::nearest::Candidate {
        name: keyword,
        label: "",
    }];
    let sorted = |word: &str| {
        let mut letters: Vec<char> = word.to_ascii_lowercase().chars().collect();
        crate::order::sort(&mut letters);
        letters
    };
    sorted(word) == sorted(keyword) || !crate::nearest::nearest(word, near).is_empty()
}

#[cfg(test)]
#[path = "sql/tests.rs"]
mod tests;
