//! Lists that are asked for page by page, by `LIMIT` and `OFFSET`.

use portcullis_sdk::Failure;

use crate::json::Json;

/// A page of a list that is sorted and asked for by `LIMIT` and `OFFSET`, one row further than it goes.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// Rows before it.
    pub from: usize,
    limit: usize,
}

/// The service goes no further (`NUMBER_OUTSIDE_VALID_RANGE`).
const OFFSET_MAX: usize = 2_000;

/// Reads a cursor that says how much came before it.
///
/// # Errors
/// `invalid-argument` at `/cursor`: it is none of this tool's.
pub fn offset(cursor: Option<&str>, max: usize) -> Result<usize, Failure> {
    let Some(cursor) = cursor.map(str::trim).filter(|cursor| !cursor.is_empty()) else {
        return Ok(0);
    };
    let from = cursor.parse().ok().filter(|from| *from <= max);
    from.ok_or_else(|| {
        Failure::invalid("the cursor is none of this tool's")
            .field("/cursor", "take it from the last answer, or leave it out")
    })
}

impl Page {
    /// Reads what the caller wants.
    ///
    /// # Errors
    /// `invalid-argument` at `/cursor`: it is none of this tool's.
    pub fn of(limit: Option<u32>, default: usize, cursor: Option<&str>) -> Result<Self, Failure> {
        let from = offset(cursor, OFFSET_MAX)?;
        let limit = limit.map_or(default, |limit| usize::try_from(limit).unwrap_or(default));
        Ok(Self {
            from,
            limit: limit.max(1),
        })
    }

    /// Writes the end of the query.
    pub fn clause(&self) -> String {
        match self.from {
            0 => format!(" LIMIT {}", self.limit + 1),
            from => format!(" LIMIT {} OFFSET {from}", self.limit + 1),
        }
    }

    /// Takes the rows of the page out of an answer, and says what is behind them.
    pub fn take<'r>(&self, rows: &'r [Json]) -> (&'r [Json], Rest) {
        let shown = &rows[..rows.len().min(self.limit)];
        let next = self.from + shown.len();
        let rest = match rows.len() > shown.len() {
            false => Rest::None,
            true if next <= OFFSET_MAX => Rest::Cursor(next.to_string()),
            true => Rest::Beyond,
        };
        (shown, rest)
    }

    /// Says which part of the list it is.
    pub fn said(&self, shown: usize, what: &str, rest: &Rest) -> String {
        let (first, last) = (self.from + 1, self.from + shown);
        match (self.from, rest) {
            (0, Rest::None) if shown == 1 => format!("1 {}", what.trim_end_matches('s')),
            (0, Rest::None) => format!("{shown} {what}"),
            (_, Rest::None) => format!("{what} {first}-{last}, the last"),
            (_, Rest::Cursor(cursor)) => {
                format!("{what} {first}-{last}; more: \"cursor\": \"{cursor}\"")
            }
            (_, Rest::Beyond) => {
                format!(
                    "{what} {first}-{last}; there are more, and no list goes on here: narrow it"
                )
            }
        }
    }
}

/// What is behind a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rest {
    /// Nothing.
    None,
    /// More, by this cursor.
    Cursor(String),
    /// More than any cursor leads to.
    Beyond,
}

impl Rest {
    /// Gives the cursor.
    pub fn cursor(&self) -> Option<String> {
        match self {
            Self::Cursor(cursor) => Some(cursor.clone()),
            _ => None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_page_asks_for_one_row_more() {
        let rows = vec![Json::Null; 3];
        let page = Page::of(Some(2), 50, None).unwrap();
        assert_eq!(page.clause(), " LIMIT 3");
        let (shown, rest) = page.take(&rows);
        assert_eq!((shown.len(), rest.cursor().as_deref()), (2, Some("2")));
        assert_eq!(
            page.said(2, "files", &rest),
            "files 1-2; more: \"cursor\": \"2\""
        );
        let page = Page::of(Some(2), 50, Some("2")).unwrap();
        assert_eq!(page.clause(), " LIMIT 3 OFFSET 2");
        assert_eq!(page.take(&rows[..1]).1, Rest::None);
        assert_eq!(page.said(1, "files", &Rest::None), "files 3-3, the last");
        let page = Page::of(Some(2), 50, Some("2000")).unwrap();
        assert_eq!(page.take(&rows).1, Rest::Beyond);
        for cursor in ["x", "-1", "2001"] {
            assert!(Page::of(None, 50, Some(cursor)).is_err());
        }
    }
}
