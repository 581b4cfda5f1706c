//! `/query`, `/queryAll` and the pages of their answers.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::Call;
use crate::error::ApiError;
use crate::id::Id;
use crate::query::{self, Answer, Options};
use crate::seen::Glance;
use crate::wire::Reply;

/// The rows of a page, unless the client asks otherwise; also the most that it can ask for.
pub(crate) const BATCH_SIZE: usize = 2_000;
/// The fewest rows that a client can ask for.
pub(crate) const BATCH_SIZE_MIN: usize = 200;
/// The answers that one user can page at a time; a new one displaces the oldest, as in Salesforce.
const CURSORS_MAX: usize = 10;

/// The answers that are being paged.
#[derive(Debug, Default)]
pub(crate) struct Cursors {
    open: VecDeque<Cursor>,
    last_number: u64,
}

/// An answer with more rows than a page.
#[derive(Debug, Clone)]
pub(crate) struct Cursor {
    id: Id,
    user: Id,
    rows: Arc<Vec<Json>>,
    batch_size: usize,
    /// How the rows of a page are come across.
    pub(crate) glance: Option<Glance>,
}

impl Cursors {
    /// Keeps an answer for its user.
    pub(crate) fn open(&mut self, user: Id, answer: Answer, batch_size: usize) -> Cursor {
        let of_user = self
            .open
            .iter()
            .filter(|cursor| cursor.user == user)
            .count();
        if of_user >= CURSORS_MAX
            && let Some(oldest) = self.open.iter().position(|cursor| cursor.user == user)
        {
            self.open.remove(oldest);
        }
        self.last_number += 1;
        let cursor = Cursor {
            id: Id::numbered("01g", self.last_number),
            user,
            rows: Arc::new(answer.records),
            batch_size,
            glance: answer.glance,
        };
        self.open.push_back(cursor.clone());
        cursor
    }

    /// Finds a user's answer and the place in it that a locator such as `01g…-2000` names.
    ///
    /// # Errors
    ///
    /// `INVALID_QUERY_LOCATOR`.
    pub(crate) fn find(&self, locator: &str, user: Id) -> Result<(Cursor, usize), ApiError> {
        let place = locator.split_once('-').and_then(|(id, offset)| {
            let (id, offset) = (Id::parse(id)?, offset.parse().ok()?);
            let mut open = self.open.iter();
            let cursor = open.find(|cursor| cursor.id == id && cursor.user == user)?;
            (offset < cursor.rows.len()).then(|| (cursor.clone(), offset))
        });
        place.ok_or_else(|| ApiError::bad_request("INVALID_QUERY_LOCATOR", "invalid query locator"))
    }

    /// Forgets every answer, so that a next page is an `INVALID_QUERY_LOCATOR`.
    pub(crate) fn clear(&mut self) {
        self.open.clear();
    }
}

impl Cursor {
    /// The rows of a page, unless the client said otherwise when it asked.
    pub(crate) fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// How many rows there are in all.
    pub(crate) fn total_size(&self) -> usize {
        self.rows.len()
    }

    /// Gives a page, and the locator of the next.
    pub(crate) fn page(&self, offset: usize, batch_size: usize) -> (&[Json], Option<String>) {
        let end = self.rows.len().min(offset.saturating_add(batch_size));
        let next = (end < self.rows.len()).then(|| format!("{}-{end}", self.id));
        (self.rows.get(offset..end).unwrap_or_default(), next)
    }
}

/// A page, as it is sent.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    total_size: usize,
    done: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_records_url: Option<String>,
    records: &'a [Json],
}

impl Call<'_> {
    /// Answers a query with its first page.
    pub(super) fn query(&self, include_deleted: bool) -> Result<Reply, ApiError> {
        if let Some(explained) = self.request.param("explain") {
            return self.explain(explained);
        }
        let soql = self
            .request
            .param("q")
            .filter(|soql| !soql.trim().is_empty())
            .ok_or_else(|| {
                ApiError::bad_request("MALFORMED_QUERY", "A query string has to be specified")
            })?;
        let batch_size = self.batch_size().unwrap_or(BATCH_SIZE);
        let columns = self
            .request
            .param("columns")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let options = Options {
            include_deleted,
            batch_size,
            columns,
            base: self.base.clone(),
        };
        let answer = query::run(&self.shared.org(), &self.session, soql, options)?;
        if columns {
            let columns = answer.columns.unwrap_or_default();
            let whole = columns.get("columnMetadata").is_some();
            let body = if whole {
                columns
            } else {
                json!({"columnMetadata": columns})
            };
            return Ok(Reply::json(200, &body));
        }
        let user = self.session.user_id;
        if answer.records.len() <= batch_size {
            self.shared.note_page(user, answer.glance, &answer.records);
            let page = Page {
                total_size: answer.total_size,
                done: true,
                next_records_url: None,
                records: &answer.records,
            };
            return Ok(Reply::json(200, &page));
        }
        let cursor = self.shared.cursors().open(user, answer, batch_size);
        Ok(self.page(&cursor, 0, batch_size))
    }

    /// Says how a query would be run.
    fn explain(&self, soql: &str) -> Result<Reply, ApiError> {
        // Reports and list views are explained by their ids.
        if Id::parse(soql).is_some() {
            return Err(ApiError::not_found());
        }
        let plans = query::explain(&self.shared.org(), &self.session, soql)?;
        Ok(Reply::json(200, &plans))
    }

    /// Answers with a further page; `locator` is `01g…-2000`.
    pub(super) fn next_page(&self, locator: &str) -> Result<Reply, ApiError> {
        let (cursor, offset) = self.shared.cursors().find(locator, self.session.user_id)?;
        let batch_size = self.batch_size().unwrap_or(cursor.batch_size);
        Ok(self.page(&cursor, offset, batch_size))
    }

    fn page(&self, cursor: &Cursor, offset: usize, batch_size: usize) -> Reply {
        let (records, next) = cursor.page(offset, batch_size);
        self.shared.note_page(cursor.user, cursor.glance, records);
        let page = Page {
            total_size: cursor.total_size(),
            done: next.is_none(),
            next_records_url: next.map(|locator| format!("{}/query/{locator}", self.base)),
            records,
        };
        Reply::json(200, &page)
    }

    /// Reads `Sforce-Query-Options: batchSize=500`; what is out of bounds is brought to the nearest.
    fn batch_size(&self) -> Option<usize> {
        let options = self.request.header("sforce-query-options")?;
        let size: usize = options.split([',', ';']).find_map(|option| {
            let (name, value) = option.split_once('=')?;
            let named = name.trim().eq_ignore_ascii_case("batchSize");
            named.then(|| value.trim().parse().ok())?
        })?;
        Some(size.clamp(BATCH_SIZE_MIN, BATCH_SIZE))
    }
}
