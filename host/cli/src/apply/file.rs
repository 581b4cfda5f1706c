//! The file `portcullis.toml` as it is written, each name with where it stands.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::Result;
use portcullis::policy::Scope;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use toml::Spanned;

use crate::problem::Problem;

/// Bytes of a file; ten thousand people have about a million.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// How many letters may differ between a word and the one that is meant.
const NEAR_MAX: usize = 2;

/// Makes a type of some words, one of which a file says: another one is refused with those that there are, and the one that is
/// probably meant.
macro_rules! words {
    ($name:ident, $what:literal: $($variant:ident = $word:literal),+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum $name {
            $($variant),+
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(
                deserializer: D,
            ) -> std::result::Result<Self, D::Error> {
                let word = String::deserialize(deserializer)?;
                match word.as_str() {
                    $($word => Ok(Self::$variant),)+
                    other => Err(D::Error::custom(no_word(other, $what, &[$($word),+]))),
                }
            }
        }
    };
}

/// Says that a word is none, and which there are.
fn no_word(word: &str, what: &str, words: &[&str]) -> String {
    let known = words.iter().map(|word| format!("`{word}`"));
    let known: Vec<String> = known.collect();
    let near = words
        .iter()
        .min_by_key(|known| strsim::osa_distance(known, word))
        .filter(|known| strsim::osa_distance(known, word) <= NEAR_MAX)
        .map(|near| format!("; `{near}` is probably meant"));
    format!(
        "`{}` is no {what}: write {}{}",
        word.escape_debug(),
        known.join(" or "),
        near.unwrap_or_default()
    )
}

/// A file that could be read, with its text to find places in.
pub(super) struct Parsed {
    path: PathBuf,
    text: String,
    pub(super) file: File,
}

/// What a file may say. What it says otherwise is refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// Whether what is in the store and not in the file is removed.
    #[serde(default)]
    pub(super) prune: bool,
    #[serde(default)]
    pub(super) people: BTreeMap<Spanned<String>, PersonEntry>,
    #[serde(default)]
    pub(super) groups: BTreeMap<Spanned<String>, Vec<Spanned<String>>>,
    #[serde(default)]
    pub(super) agents: BTreeMap<Spanned<String>, AgentEntry>,
    /// Shared connections, by label or id.
    #[serde(default)]
    pub(super) shared: BTreeMap<Spanned<String>, SharedEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonEntry {
    pub(super) name: Option<Spanned<String>>,
    pub(super) role: Option<RoleWord>,
}

words! {
    RoleWord, "role": Admin = "admin", Member = "member"
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AgentEntry {
    pub(super) name: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) connectors: BTreeMap<Spanned<String>, AccountEntry>,
    /// Modes, by what `portcullis allow` calls the tools.
    #[serde(default)]
    pub(super) tools: BTreeMap<Spanned<String>, ModeWord>,
    /// What it may touch, by connector.
    #[serde(default)]
    pub(super) scope: BTreeMap<Spanned<String>, Scope>,
}

words! {
    ModeWord, "mode": Always = "always", Ask = "ask", Off = "off"
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountEntry {
    pub(super) account: AccountWord,
    pub(super) connection: Option<Spanned<String>>,
}

words! {
    AccountWord, "account": Personal = "personal", Shared = "shared"
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SharedEntry {
    #[serde(default)]
    pub(super) people: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) groups: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) everyone: bool,
}

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<Parsed> {
    let refuse = |problem: String| {
        let message = format!("could not read `{}`: {problem}", path.display());
        let hint = "give the path of a file such as `portcullis apply --help` shows";
        Problem::mistake("file", message, hint)
    };
    let metadata = std::fs::metadata(path).map_err(|error| refuse(error.to_string()))?;
    if metadata.len() > FILE_BYTES_MAX {
        let problem = format!("it is larger than {} MiB", FILE_BYTES_MAX >> 20);
        return Err(refuse(problem).into());
    }
    let text = std::fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
    match toml::from_str(&text) {
        Ok(file) => Ok(Parsed {
            path: path.to_owned(),
            text,
            file,
        }),
        Err(error) => {
            let at = place(&text, error.span());
            let message = format!("`{}`, {at}: {}", path.display(), error.message().trim());
            Err(problem(message).into())
        }
    }
}

impl Parsed {
    /// Says where something stands and what is wrong with it.
    pub(super) fn mistake(&self, at: &Spanned<impl Sized>, problem: impl Display) -> String {
        let at = place(&self.text, Some(at.span()));
        format!("`{}`, {at}: {problem}", self.path.display())
    }

    /// Says what is wrong with the file as a whole.
    pub(super) fn mistake_overall(&self, problem: impl Display) -> String {
        format!("`{}`: {problem}", self.path.display())
    }
}

/// Makes a problem of what is wrong with a file.
pub(super) fn problem(message: String) -> Problem {
    let hint = "nothing was changed; `portcullis apply --help` shows what a file may say";
    Problem::mistake("file", message, hint)
}

fn place(text: &str, span: Option<Range<usize>>) -> String {
    let start = span.map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    format!("line {line}, column {column}")
}
