//! Reads of the REST API: the version, retries, describes.
//!
//! It makes requests alone whose route reads, so every one may be repeated: where the service asks for it, and once where there was no
//! answer. What it waits for is bounded: three attempts, and none after ten seconds.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use portcullis_sdk::credentials::Account;
use portcullis_sdk::http::{Path, Request, Response, path};
use portcullis_sdk::{Failure, Reason};

use crate::describe::Describe;
use crate::fence;
use crate::host::Host;
use crate::json::Json;
use crate::keyed::Keyed;
use crate::service_error::{ServiceError, interpret};

/// The newest version of the API that the connector knows (Winter '27).
pub const VERSION_NEWEST: (u32, u32) = (68, 0);

/// The fact of an identity that holds the version: `68.0`.
pub const VERSION_FACT: &str = "api_version";

/// The fact that holds the IANA name of the user's time zone: `Europe/Rome`.
pub const TIME_ZONE_FACT: &str = "time_zone";

/// The facts that hold the user's name and e-mail address.
pub const NAME_FACT: &str = "name";
/// See [`NAME_FACT`].
pub const EMAIL_FACT: &str = "email";

/// The fact that holds the org's own currency, in an org with several: `EUR`.
pub const CURRENCY_FACT: &str = "currency";

/// How often a read is sent at most.
const ATTEMPTS_MAX: u32 = 3;
/// How often a read may have no answer: one connection may break, and a service that is gone is not waited for.
const UNANSWERED_MAX: u32 = 2;
/// The first pause; each further one is twice as long, and all get as much jitter again.
const PAUSE_FIRST_MS: u64 = 250;
/// A read that took longer than this is not repeated: the call's own time would run out.
const RETRY_WITHIN: Duration = Duration::from_secs(10);
/// A longer `Retry-After` is told to the caller instead of waited for.
const RETRY_AFTER_MAX_SECONDS: u32 = 3;

/// Why a read has no answer.
#[derive(Debug)]
pub enum ReadError {
    /// The service refused; its words may be worth repairing.
    Service(ServiceError),
    /// The host, the network or our own checks refused.
    Failed(Failure),
}

impl From<Failure> for ReadError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Service(error) => error.into(),
            ReadError::Failed(failure) => failure,
        }
    }
}

/// An answer of the service.
#[derive(Debug)]
pub struct Reply {
    /// The body.
    pub json: Json,
    /// `Sforce-Limit-Info`: `api-usage=18/5000`.
    pub limit_info: Option<String>,
    /// Whether the host answered from memory, without asking the org.
    pub from_memory: bool,
}

/// The org as one call sees it.
pub struct Client<'h> {
    /// The host of the call.
    pub host: &'h dyn Host,
    account: Account,
    version: OnceCell<String>,
    describes: RefCell<Keyed<String, Rc<Describe>>>,
    /// Whether the agent may read an object, by its name in lower case.
    pub(crate) readable: RefCell<Keyed<String, bool>>,
}

impl<'h> Client<'h> {
    /// Starts on the account of the call.
    pub fn new(host: &'h dyn Host) -> Self {
        Self {
            host,
            account: host.account(),
            version: OnceCell::new(),
            describes: RefCell::default(),
            readable: RefCell::default(),
        }
    }

    /// Gives the account of the call.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Gives the org's origin, without a slash at its end.
    pub fn origin(&self) -> &str {
        self.account.origin.trim_end_matches('/')
    }

    /// Puts text of the org between the lines that say so.
    pub fn fenced(&self, text: &str) -> String {
        let authority = self.origin().split("://").last().unwrap_or_default();
        let organization = self
            .account
            .identity
            .as_ref()
            .and_then(|identity| identity.organization_name.as_deref());
        match organization {
            Some(name) => fence::fenced(&format!("{name} ({authority})"), text),
            None => fence::fenced(authority, text),
        }
    }

    /// Gives the version of the API to use, as paths have it: `v68.0`. Known from the sign-in, or asked once.
    ///
    /// # Errors
    /// The org does not answer, or has no version that the connector knows.
    pub fn version(&self) -> Result<&str, ReadError> {
        if let Some(version) = self.version.get() {
            return Ok(version);
        }
        let (major, minor) = match self.fact(VERSION_FACT).and_then(parse_version) {
            Some(version) => version,
            None => newest_version(&self.read(|| Request::get("/services/data"))?.json)?,
        };
        Ok(self.version.get_or_init(|| format!("v{major}.{minor}")))
    }

    /// Sends a read, again where that may help, and reads its JSON. `request` makes the same request each time.
    ///
    /// # Errors
    /// The service's refusal, or the host's.
    pub fn read(&self, request: impl Fn() -> Request) -> Result<Reply, ReadError> {
        self.repeat(&request, &|response| {
            let limit_info = response.header("sforce-limit-info").map(str::to_owned);
            let from_memory = response.header("age").is_some();
            let json = interpret(&response)?;
            Ok(Reply {
                json,
                limit_info,
                from_memory,
            })
        })
    }

    /// Runs a query of our own.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn query(&self, soql: &str) -> Result<Reply, ReadError> {
        let version = self.version()?;
        self.read(|| query(version, soql))
    }

    /// As [`read`](Self::read), of a description that the host may have in memory; `anew`, of what it is now.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_description(
        &self,
        anew: bool,
        path: impl Fn() -> Path,
    ) -> Result<Reply, ReadError> {
        self.read(|| {
            let request = Request::get(path());
            match anew {
                true => request.header("Cache-Control", "no-cache"),
                false => request,
            }
        })
    }

    /// As [`read`](Self::read), of an answer that `interpret` reads.
    ///
    /// # Errors
    /// The service's refusal, or the host's.
    pub fn repeat(
        &self,
        request: &dyn Fn() -> Request,
        interpret: &dyn Fn(Response) -> Result<Reply, ServiceError>,
    ) -> Result<Reply, ReadError> {
        let started = Instant::now();
        let (mut attempt, mut unanswered) = (0, 0);
        loop {
            attempt += 1;
            let is_last = |now: Duration| attempt == ATTEMPTS_MAX || now > RETRY_WITHIN;
            let wanted = match self.host.send(request()) {
                Ok(response) => match interpret(response) {
                    Ok(answer) => return Ok(answer),
                    Err(error) => match error.is_transient() && !is_last(started.elapsed()) {
                        true if error.retry_after_seconds <= Some(RETRY_AFTER_MAX_SECONDS) => {
                            error.retry_after_seconds.unwrap_or(0)
                        }
                        _ => return Err(ReadError::Service(error)),
                    },
                },
                Err(failure) => {
                    unanswered += 1;
                    let may_pass = failure.reason == Reason::Unavailable;
                    if !may_pass || unanswered == UNANSWERED_MAX || is_last(started.elapsed()) {
                        return Err(ReadError::Failed(failure));
                    }
                    0
                }
            };
            let backoff = PAUSE_FIRST_MS << (attempt - 1);
            let pause = backoff.max(u64::from(wanted) * 1_000) + self.host.jitter_ms(backoff);
            self.host.pause(Duration::from_millis(pause));
        }
    }

    /// Gives a fact that the sign-in found, such as `time_zone`.
    pub fn fact(&self, name: &str) -> Option<&str> {
        let facts = &self.account.identity.as_ref()?.facts;
        let (_, value) = facts.iter().find(|(known, _)| known == name)?;
        Some(value)
    }

    /// Gives the describe of an object; asked once a call, and the host caches it between calls. It may be up to a minute old: who
    /// finds a mistake by it looks at the [`newest`](Self::newest) before saying so.
    ///
    /// # Errors
    /// The object is not there (`NOT_FOUND`), or the org does not answer.
    pub fn describe(&self, kind: &str) -> Result<Rc<Describe>, ReadError> {
        let known = self
            .describes
            .borrow()
            .get(&kind.to_ascii_lowercase())
            .cloned();
        match known {
            Some(describe) => Ok(describe),
            None => self.ask(kind, false),
        }
    }

    /// Gives the describe of an object as the org has it now; asks only where this call has it from the host's memory.
    ///
    /// # Errors
    /// As [`describe`](Self::describe).
    pub fn newest(&self, kind: &str) -> Result<Rc<Describe>, ReadError> {
        let describe = self.describe(kind)?;
        match describe.is_from_memory() {
            true => self.ask(kind, true),
            false => Ok(describe),
        }
    }

    fn ask(&self, kind: &str, anew: bool) -> Result<Rc<Describe>, ReadError> {
        let version = self.version()?;
        let reply = self.read_description(anew, || {
            path!("/services/data/{}/sobjects/{}/describe", version, kind)
        })?;
        let describe = Describe::new(reply.json).from_memory(reply.from_memory);
        let describe = Rc::new(describe);
        self.describes
            .borrow_mut()
            .insert(kind.to_ascii_lowercase(), Rc::clone(&describe));
        Ok(describe)
    }
}

/// Reads `68.0` or `v68.0`.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.trim_start_matches('v').split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Takes the newest version of `GET /services/data` that the connector knows.
fn newest_version(list: &Json) -> Result<(u32, u32), Failure> {
    list.items()
        .iter()
        .filter_map(|entry| parse_version(entry.str_at("version")?))
        .filter(|version| *version <= VERSION_NEWEST)
        .max()
        .ok_or_else(|| {
            Failure::unavailable("the org lists no version of its API that this connector knows")
                .hint("check that the connection's address is a Salesforce org")
        })
}

/// The request of a query.
pub fn query(version: &str, soql: &str) -> Request {
    Request::get(path!("/services/data/{}/query", version)).query(&[("q", soql)])
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::testing::Org;
    use portcullis_sdk::Reason;

    #[test]
    fn the_newest_known_version_is_taken() {
        let list = Json::parse(
            r#"[{"version":"9.0"},{"version":"67.0"},{"version":"68.0"},{"version":"69.0"},{"x":1}]"#,
        );
        assert_eq!(newest_version(&list.unwrap()).unwrap(), (68, 0));
        assert!(newest_version(&Json::Null).is_err());
    }

    #[test]
    fn the_version_of_the_sign_in_costs_no_request() {
        let org = Org::new();
        assert_eq!(Client::new(&org).version().unwrap(), "v68.0");
        assert!(org.requests().is_empty());
        let org =
            Org::new()
                .without_identity()
                .answer("/services/data", 200, r#"[{"version":"66.0"}]"#);
        let client = Client::new(&org);
        assert_eq!(client.version().unwrap(), "v66.0");
        assert_eq!(client.version().unwrap(), "v66.0");
        assert_eq!(org.requests(), ["/services/data"]);
    }

    #[test]
    fn reads_are_repeated_three_times_and_refusals_never() {
        let busy = r#"[{"errorCode":"UNABLE_TO_LOCK_ROW","message":"m"}]"#;
        let org = Org::new().answer("/x", 500, busy);
        let error = Failure::from(Client::new(&org).read(|| Request::get("/x")).unwrap_err());
        assert_eq!(error.reason, Reason::Conflict);
        assert_eq!(org.requests().len(), 3);
        assert_eq!(org.pauses_ms(), [250, 500]);

        let org = Org::new()
            .answer("/x", 503, "<html>")
            .answer("/x", 200, "1");
        assert_eq!(
            Client::new(&org)
                .read(|| Request::get("/x"))
                .unwrap()
                .json
                .to_string(),
            "1"
        );

        let org = Org::new().answer(
            "/x",
            403,
            r#"[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"m"}]"#,
        );
        assert!(Client::new(&org).read(|| Request::get("/x")).is_err());
        assert_eq!(org.requests().len(), 1);
    }

    #[test]
    fn a_read_without_an_answer_is_sent_once_more() {
        let read = |org: &Org| {
            let reply = Client::new(org).read(|| Request::get("/x"));
            reply.map(|reply| reply.json.to_string())
        };
        let org = Org::new().breaks("/x").answer("/x", 200, "1");
        assert_eq!(read(&org).unwrap(), "1");
        assert_eq!(org.pauses_ms(), [250]);

        let org = Org::new().breaks("/x");
        let failure = Failure::from(read(&org).unwrap_err());
        assert_eq!(failure.reason, Reason::Unavailable);
        assert_eq!(org.requests().len(), 2);

        // Each of the three attempts counts, whatever became of it.
        let org = Org::new()
            .answer("/x", 503, "")
            .breaks("/x")
            .answer("/x", 502, "");
        assert!(read(&org).is_err());
        assert_eq!(org.requests().len(), 3);
        // What the host says of the request itself is not asked again.
        let org = Org::new();
        let forbidden = || Request::get(path!("/{}", ".."));
        assert!(Client::new(&org).read(forbidden).is_err());
        assert!(org.requests().is_empty());
    }

    #[test]
    fn a_long_retry_after_is_told_and_not_waited_for() {
        let answer = |seconds: &str| {
            let headers = vec![("Retry-After".to_owned(), seconds.as_bytes().to_vec())];
            Response::new(503, headers, "")
        };
        for (seconds, requests) in [("3", 3), ("4", 1)] {
            let org = Org::new().respond("/x", answer(seconds));
            let error = Client::new(&org).read(|| Request::get("/x")).unwrap_err();
            let failure = Failure::from(error);
            assert_eq!(failure.retry_after_seconds, seconds.parse().ok());
            assert_eq!(org.requests().len(), requests);
        }
    }
}
