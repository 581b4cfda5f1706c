//! The rows of the file in a transaction, none larger than SQLite takes.
//!
//! What is too large must not keep everything else from being saved: less of it is written where that makes
//! sense, and the rest is told of.

use std::cell::RefCell;
use std::fmt;

use rusqlite::{Connection, params};
use serde::Serialize;

/// The most bytes that SQLite takes in a row (`SQLITE_MAX_LENGTH`).
pub(super) const ROW_BYTES_MAX: usize = 1_000_000_000;
/// What a row has beside its texts: the lengths of each.
const ROW_HEAD_BYTES: usize = 64;

/// Why something was not written.
#[derive(Debug, thiserror::Error)]
pub(super) enum SaveError {
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error("{0}")]
    TooLarge(TooLarge),
}

/// What has no room in a row.
#[derive(Debug)]
pub(super) struct TooLarge {
    /// What it is, and whose.
    pub(super) row: String,
    bytes: usize,
    bytes_max: usize,
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            row,
            bytes,
            bytes_max,
        } = self;
        write!(
            f,
            "`{row}` takes {bytes} bytes of the org's file, where {bytes_max} are the most"
        )
    }
}

/// The rows of the file.
pub(super) struct Rows<'t> {
    connection: &'t Connection,
    bytes_max: usize,
    too_large: RefCell<Vec<TooLarge>>,
}

impl<'t> Rows<'t> {
    pub(super) fn new(connection: &'t Connection, bytes_max: usize) -> Self {
        Self {
            connection,
            bytes_max,
            too_large: RefCell::default(),
        }
    }

    /// Gives what was too large to be put.
    pub(super) fn into_too_large(self) -> Vec<TooLarge> {
        self.too_large.into_inner()
    }

    /// Refuses that something was too large to be put.
    pub(super) fn check_all_fit(&self) -> Result<(), SaveError> {
        let too_large = self.too_large.take().into_iter().next();
        too_large.map_or(Ok(()), |first| Err(SaveError::TooLarge(first)))
    }

    /// Puts a row; one that is too large stays as it was, and is noted.
    pub(super) fn put(
        &self,
        kind: &str,
        key: &str,
        body: &impl Serialize,
    ) -> Result<(), SaveError> {
        self.put_text(kind, key, &serde_json::to_string(body)?)
    }

    /// Puts a row or, if it is too large, what there is to be put instead, given why.
    pub(super) fn put_or_less<L: Serialize>(
        &self,
        kind: &str,
        key: &str,
        body: &impl Serialize,
        less: impl FnOnce(String) -> L,
    ) -> Result<(), SaveError> {
        let text = serde_json::to_string(body)?;
        match self.check_room(kind, key, &text) {
            Ok(()) => self.put_text(kind, key, &text),
            Err(too_large) => self.put(kind, key, &less(too_large.to_string())),
        }
    }

    pub(super) fn put_text(&self, kind: &str, key: &str, body: &str) -> Result<(), SaveError> {
        if let Err(too_large) = self.check_room(kind, key, body) {
            self.too_large.borrow_mut().push(too_large);
            return Ok(());
        }
        let mut put = self.connection.prepare_cached(
            "INSERT INTO kept (kind, key, body) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET body = ?3",
        )?;
        put.execute(params![kind, key, body])?;
        Ok(())
    }

    pub(super) fn put_or_remove(
        &self,
        kind: &str,
        key: &str,
        body: Option<&impl Serialize>,
    ) -> Result<(), SaveError> {
        match body {
            Some(body) => self.put(kind, key, body),
            None => self.remove(kind, key),
        }
    }

    pub(super) fn remove(&self, kind: &str, key: &str) -> Result<(), SaveError> {
        let mut remove = self
            .connection
            .prepare_cached("DELETE FROM kept WHERE kind = ?1 AND key = ?2")?;
        remove.execute(params![kind, key])?;
        Ok(())
    }

    /// Removes the rows whose keys are an id and a number.
    pub(super) fn remove_below(&self, kind: &str, id: &str) -> Result<(), SaveError> {
        let mut remove = self.connection.prepare_cached(
            "DELETE FROM kept WHERE kind = ?1 AND key BETWEEN ?2 || '0' AND ?2 || ':'",
        )?;
        remove.execute(params![kind, id])?;
        Ok(())
    }

    fn check_room(&self, kind: &str, key: &str, body: &str) -> Result<(), TooLarge> {
        let bytes = ROW_HEAD_BYTES + kind.len() + key.len() + body.len();
        if bytes <= self.bytes_max {
            return Ok(());
        }
        Err(TooLarge {
            row: format!("{kind} {key}"),
            bytes,
            bytes_max: self.bytes_max,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_that_of_sqlite() {
        let connection = Connection::open_in_memory().unwrap();
        let length = |bytes: usize| {
            let query = "SELECT length(zeroblob(?1))";
            let bytes = i64::try_from(bytes).unwrap();
            connection.query_row(query, [bytes], |row| row.get::<_, i64>(0))
        };
        assert_eq!(length(ROW_BYTES_MAX).unwrap(), 1_000_000_000);
        let error = length(ROW_BYTES_MAX + 1).unwrap_err();
        assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::TooBig));
    }
}
