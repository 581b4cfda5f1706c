//! `query`, `queryAll`, `queryMore` and `search`. Bytes stand in a row in base64, where the REST API has their address; such rows
//! come one at a time.

use serde_json::Value as Json;

use super::Call;
use super::fault::Fault;
use super::node::Node;
use super::sobject::Writer;
use crate::org::Org;
use crate::query;
use crate::rest::{BATCH_SIZE, BATCH_SIZE_MIN, Cursor};
use crate::search;

impl Call<'_> {
    /// Answers a query with its first page.
    pub(super) fn query(&self, include_deleted: bool) -> Result<Vec<Node>, Fault> {
        let soql = self
            .envelope
            .operation
            .text_of("queryString")
            .unwrap_or_default();
        if soql.is_empty() {
            let message = "A query string has to be specified";
            return Err(Fault::api("MALFORMED_QUERY", message));
        }
        let asked = self.batch_size().unwrap_or(BATCH_SIZE);
        let options = query::Options {
            include_deleted,
            batch_size: asked,
            columns: false,
            base: self.base(),
        };
        let answer = query::run(&self.shared.org(), &self.caller.session, soql, options)?;
        let batch_size = self.batch_size_of(&answer.records, asked);
        let user = self.caller.session.user_id;
        if answer.records.len() <= batch_size {
            self.shared.note_page(user, answer.glance, &answer.records);
            let org = self.shared.org();
            let (rows, total) = (&answer.records, answer.total_size);
            return Ok(vec![
                self.writer(&org).query_result("result", rows, total, None),
            ]);
        }
        let cursor = self.shared.cursors().open(user, answer, batch_size);
        Ok(self.page(&cursor, 0))
    }

    /// Answers with a further page.
    pub(super) fn query_more(&self) -> Result<Vec<Node>, Fault> {
        let locator = self
            .envelope
            .operation
            .text_of("queryLocator")
            .unwrap_or_default();
        let user = self.caller.session.user_id;
        let (cursor, offset) = self.shared.cursors().find(locator, user)?;
        Ok(self.page(&cursor, offset))
    }

    fn page(&self, cursor: &Cursor, offset: usize) -> Vec<Node> {
        let asked = self.batch_size().unwrap_or(cursor.batch_size());
        let (rows, _) = cursor.page(offset, 1);
        let (rows, next) = cursor.page(offset, self.batch_size_of(rows, asked));
        let user = self.caller.session.user_id;
        self.shared.note_page(user, cursor.glance, rows);
        let org = self.shared.org();
        let (next, total) = (next.as_deref(), cursor.total_size());
        vec![self.writer(&org).query_result("result", rows, total, next)]
    }

    /// Gives how many of these rows a page has: of rows with bytes in them, one.
    fn batch_size_of(&self, rows: &[Json], asked: usize) -> usize {
        let org = self.shared.org();
        let writer = self.writer(&org);
        match rows.first().is_some_and(|row| writer.has_bytes(row)) {
            true => 1,
            false => asked,
        }
    }

    /// Gives who writes rows for this client.
    pub(super) fn writer<'w>(&'w self, org: &'w Org) -> Writer<'w> {
        Writer {
            org,
            schema: self.schema(),
            wsdl: self.wsdl,
        }
    }

    /// Reads the header `QueryOptions`; what is out of bounds is brought to the nearest.
    fn batch_size(&self) -> Option<usize> {
        let header = self.envelope.header("QueryOptions")?;
        let size: usize = header.text_of("batchSize")?.parse().ok()?;
        Some(size.clamp(BATCH_SIZE_MIN, BATCH_SIZE))
    }

    /// Answers a search.
    pub(super) fn search(&self) -> Result<Vec<Node>, Fault> {
        let sosl = self
            .envelope
            .operation
            .text_of("searchString")
            .unwrap_or_default();
        let org = self.shared.org();
        let answer = search::run(&org, &self.caller.session, sosl, &self.base())?;
        let rows = answer.records.iter().map(|row| {
            let found = self.writer(&org).record("record", row);
            Node::of("searchRecords", vec![found])
        });
        Ok(vec![Node::of("result", rows.collect())])
    }
}
