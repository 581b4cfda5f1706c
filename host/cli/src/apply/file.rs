//! The file `portcullis.toml` as it is written, each name with where it stands.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::Result;
use portcullis::policy::{Mode, Scope, ScopePattern};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use toml::Spanned;

use crate::nearest::nearest;
use crate::problem::Problem;

/// Bytes of a file; ten thousand people have about a million.
const FILE_BYTES_MAX: u64 = 16 << 20;

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
    let near =
        nearest(words.iter().copied(), word).map(|near| format!("; `{near}` is probably meant"));
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
    /// By which names issuers know them; none: the file does not say it, and they stay as they are.
    pub(super) subjects: Option<Vec<SubjectEntry>>,
}

#[derive(Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table with `issuer` and `subject`, such as `{ issuer = \"https://acme.okta.example\", subject = \"00u1a2b3c4\" }`"
)]
pub(super) struct SubjectEntry {
    pub(super) issuer: Spanned<String>,
    pub(super) subject: Spanned<String>,
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
    pub(super) tools: BTreeMap<Spanned<String>, ModeEntry>,
    /// What it may touch, by connector.
    #[serde(default)]
    pub(super) scope: BTreeMap<Spanned<String>, ScopeEntry>,
}

/// What an agent may touch, as far as the file says it: the settings are those of [`Scope`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table of settings, such as `read = [\"Account\"]`"
)]
pub(super) struct ScopeEntry {
    read_only: Option<bool>,
    read: Option<Vec<ScopePattern>>,
    deny_read: Option<Vec<ScopePattern>>,
    change: Option<Vec<ScopePattern>>,
    deny_change: Option<Vec<ScopePattern>>,
    #[serde(default, deserialize_with = "count")]
    rows_max: Option<u32>,
    #[serde(default, deserialize_with = "count")]
    calls_per_minute: Option<u32>,
    #[serde(default, deserialize_with = "count")]
    changes_per_day: Option<u32>,
}

impl ScopeEntry {
    /// Gives the scope that there is to be. A setting that the file leaves out stays as it is in the store, unless the file is all that is
    /// to be there.
    pub(super) fn over(&self, before: &Scope, prune: bool) -> Scope {
        let before = match prune {
            true => Scope::default(),
            false => before.clone(),
        };
        let it = self.clone();
        Scope {
            read_only: it.read_only.unwrap_or(before.read_only),
            read: it.read.or(before.read),
            deny_read: it.deny_read.unwrap_or(before.deny_read),
            change: it.change.or(before.change),
            deny_change: it.deny_change.unwrap_or(before.deny_change),
            rows_max: it.rows_max.or(before.rows_max),
            calls_per_minute: it.calls_per_minute.or(before.calls_per_minute),
            changes_per_day: it.changes_per_day.or(before.changes_per_day),
        }
    }
}

fn count<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<u32>, D::Error> {
    let wrong = || D::Error::custom(format!("give a whole number from 0 to {}", u32::MAX));
    let given = toml::Value::deserialize(deserializer)?;
    let number = given.as_integer().ok_or_else(wrong)?;
    u32::try_from(number).map(Some).map_err(|_| wrong())
}

/// A mode, in any of the words that `portcullis allow` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ModeEntry(pub(super) Mode);

impl<'de> Deserialize<'de> for ModeEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let words = [Mode::Allow, Mode::Ask, Mode::Disabled].map(Mode::as_word);
        let wrong = || D::Error::custom(no_word(&word, "mode", &words));
        Mode::from_word(&word).map(Self).ok_or_else(wrong)
    }
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
