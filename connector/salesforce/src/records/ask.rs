//! A query as it is sent: the host is asked about all that it touches, what it answers is held to that, and audit is told.

use portcullis_sdk::Failure;
use portcullis_sdk::http::{Request, path};
use soql::Query;

use super::{BATCH_DEFAULT, TARGET_BYTES_MAX, cite, shown, unasked};
use crate::client::Client;
use crate::json::Json;
use crate::repair::{Asked, repaired};
use crate::touched::{self, All};

/// A query, and what is to be said of it.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) query: &'a Query,
    /// The argument that it comes from.
    pub(crate) pointer: &'a str,
    /// Whether records in the recycle bin count, too.
    pub(crate) deleted: bool,
    /// Rows a page.
    pub(crate) batch: u16,
    /// Whether whatever comes is shown: then each record is a source of the answer; else those are that the tool names itself.
    pub(crate) shows_all: bool,
}

/// What came of it.
pub(crate) struct Answered {
    pub(crate) touched: All,
    pub(crate) reply: Json,
}

impl Answered {
    pub(crate) fn records(&self) -> &[Json] {
        self.reply.get("records").map_or(&[][..], Json::items)
    }
}

impl<'a> Ask<'a> {
    pub(crate) fn new(query: &'a Query, pointer: &'a str) -> Self {
        Self {
            query,
            pointer,
            deleted: false,
            batch: BATCH_DEFAULT,
            shows_all: true,
        }
    }

    /// Gives what an error is about.
    pub(crate) fn asked(&self) -> Asked<'a> {
        Asked {
            query: Some(self.query),
            kind: None,
            pointer: self.pointer,
        }
    }

    /// Asks the host, and sends the query as a tool has put it together.
    ///
    /// # Errors
    /// The agent may not see what it touches; the service refuses it.
    pub(crate) fn send(&self, client: &Client<'_>) -> Result<Answered, Failure> {
        client.check(touched::named_outright(self.query).kinds())?;
        self.send_as(client, &self.query.to_string())
    }

    /// As [`send`](Self::send), in these words, of objects that were asked about.
    pub(crate) fn send_as(&self, client: &Client<'_>, soql: &str) -> Result<Answered, Failure> {
        let all = touched::by_query(client, self.query)
            .map_err(|error| repaired(client, error, self.asked()))?;
        client.check(all.kinds())?;
        let kind = all
            .kinds()
            .first()
            .map_or("records", |touched| touched.kind.as_str());
        client.host.step(&format!("Queried {kind}"), Some(soql));
        let version = client.version()?;
        let batch = format!("batchSize={}", self.batch.clamp(200, 2000));
        let path = match self.deleted {
            true => path!("/services/data/{}/queryAll", version),
            false => path!("/services/data/{}/query", version),
        };
        let request = || {
            Request::get(path.clone())
                .query(&[("q", soql)])
                .header("Sforce-Query-Options", &batch)
        };
        if request().target()?.len() > TARGET_BYTES_MAX {
            return Err(Failure::invalid(
                "the query is too long for the service: at most 16,000 bytes as an address",
            )
            .field(self.pointer, "too long")
            .hint("select fewer fields, or ask for long lists of ids in several queries"));
        }
        let reply = client
            .read(request)
            .map_err(|error| repaired(client, error, self.asked()))?;
        let answered = Answered {
            touched: all,
            reply: reply.json,
        };
        // An org with a namespace takes its own names without it, and answers with it.
        let aliases = touched::select_aliases(self.query);
        let records = answered.records();
        client.check(&unasked(shown(records, false), &answered.touched, &aliases))?;
        let shown = if self.shows_all { records } else { &[] };
        cite(client, answered.touched.kinds(), shown);
        Ok(answered)
    }
}
