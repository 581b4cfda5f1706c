//! What was not taken over as it was given, a line a field.

use std::collections::BTreeMap;
use std::fmt;

/// What became of a value that was not taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Note {
    /// The org fills the field in itself.
    LeftOut,
    /// The org has no fields of its type.
    NoSuchType,
    /// It is of another record, which has it itself.
    OfOtherRecord,
    /// It names nobody here; the administrator stands in.
    Administrator,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LeftOut => "left out, since the org fills it in itself",
            Self::NoSuchType => "left out, since this org has no fields of its type",
            Self::OfOtherRecord => "left out, since it is of another record",
            Self::Administrator => "replaced by the administrator, since they name nobody here",
        })
    }
}

/// How many values became what, by object and field.
#[derive(Debug, Default)]
pub(super) struct Notes {
    counts: BTreeMap<(String, Note), u64>,
    /// What is to be said besides.
    lines: Vec<String>,
}

impl Notes {
    /// Counts a value.
    pub(super) fn count(&mut self, object: &str, field: &str, note: Note) {
        *self
            .counts
            .entry((format!("{object}.{field}"), note))
            .or_default() += 1;
    }

    /// Adds a line.
    pub(super) fn say(&mut self, line: String) {
        self.lines.push(line);
    }

    /// Gives the lines.
    pub(super) fn into_lines(self) -> Vec<String> {
        let counts = self.counts.into_iter();
        let counts = counts.map(|((field, note), count)| {
            let values = if count == 1 { "value" } else { "values" };
            format!("{count} {values} of {field}: {note}")
        });
        counts.chain(self.lines).collect()
    }
}
