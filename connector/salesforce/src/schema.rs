//! The `schema` toolset: which objects there are, and what an object is made of.
//!
//! A describe has hundreds of fields with 60 properties each; answers hold the part that was asked for, in a table,
//! and say how much they leave out.

use portcullis_sdk::Failure;

use crate::json::Json;
use crate::table::Bounds;

mod object;
mod objects;
mod picklist;

pub use object::{DescribeObject, Described, DescribedPart, Part, describe_object};
pub use objects::{ListObjects, Listed, list_objects, objects};
pub use picklist::{GetPicklistValues, PicklistValues, get_picklist_values};

/// Rows of an answer, unless its caller says otherwise.
const LIMIT_DEFAULT: u32 = 100;

const BOUNDS: Bounds = Bounds {
    cell_chars_max: 2_000,
    text_bytes_max: 100_000,
};

fn cell_of(text: &str) -> Json {
    if text.is_empty() {
        Json::Null
    } else {
        text.into()
    }
}

/// Says how many there are of what is named in the plural.
fn counted(count: usize, what: &str) -> String {
    match (count, what) {
        (1, "children") => "1 child".to_owned(),
        (1, _) => format!("1 {}", what.trim_end_matches('s')),
        _ => format!("{count} {what}"),
    }
}

/// A part of a list, and the cursor to the next: its first row's number.
struct Page {
    from: usize,
    to: usize,
    total: usize,
    /// Where the next begins, if there is one.
    cursor: usize,
}

impl Page {
    fn of(total: usize, limit: Option<u32>, cursor: Option<&str>) -> Result<Self, Failure> {
        let from = match cursor {
            None => 0,
            Some(cursor) => cursor.trim().parse::<usize>().map_err(|_| {
                Failure::invalid("the cursor is none of this tool's")
                    .field("/cursor", "take it from the last answer, or leave it out")
            })?,
        };
        let limit = usize::try_from(limit.unwrap_or(LIMIT_DEFAULT))
            .unwrap_or(usize::MAX)
            .max(1);
        let from = from.min(total);
        let to = from.saturating_add(limit).min(total);
        Ok(Self {
            from,
            to,
            total,
            cursor: to,
        })
    }

    /// Gives what is on this page of one of several lists: of so many rows, behind so many of the lists before it.
    fn of_list(&self, behind: usize, total: usize) -> Self {
        let within = |row: usize| row.saturating_sub(behind).min(total);
        Self {
            from: within(self.from),
            to: within(self.to),
            total,
            cursor: self.cursor,
        }
    }

    /// Says whether it is all that there is.
    fn is_whole(&self) -> bool {
        self.from == 0 && self.to == self.total
    }

    /// Says whether all of it was on pages before.
    fn is_past(&self) -> bool {
        self.from > 0 && self.from == self.total
    }

    fn range(&self) -> std::ops::Range<usize> {
        self.from..self.to
    }

    fn next(&self) -> Option<String> {
        (self.to < self.total).then(|| self.cursor.to_string())
    }

    fn said(&self, what: &str) -> String {
        let Self {
            from, to, total, ..
        } = self;
        match self.next() {
            _ if *from > 0 && from == to => format!("no more {what}: {total} in all"),
            None if *from == 0 => counted(*total, what),
            Some(cursor) if *to == 0 => {
                format!("{} with \"cursor\": \"{cursor}\"", counted(*total, what))
            }
            None => format!("{what} {}-{to} of {total}", from + 1),
            Some(cursor) => format!(
                "{what} {}-{to} of {total}; the rest: \"cursor\": \"{cursor}\"",
                from + 1
            ),
        }
    }
}

#[cfg(test)]
mod tests;
