//! Reads of the REST API: the version, retries, describes.
//!
//! It makes GET requests alone, so every one may be repeated. What it waits for is bounded: three attempts,
//! and none after ten seconds.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use portcullis_sdk::Failure;
use portcullis_sdk::credentials::Account;
use portcullis_sdk::http::{Request, Response, path};

use crate::describe::Describe;
use crate::fence;
use crate::host::Host;
use crate::json::Json;
use crate::service_error::{ServiceError, interpret, refusal};

/// The newest version of the API that the connector knows (Winter '27).
pub const VERSION_NEWEST: (u32, u32) = (68, 0);

/// The fact of an identity that holds the version: `68.0`.
pub const VERSION_FACT: &str = "api_version";

/// The fact that holds the IANA name of the user's time zone: `Europe/Rome`.
pub const TIME_ZONE_FACT: &str = "time_zone";

/// The fact that holds the org's own currency, in an org with several: `EUR`.
pub const CURRENCY_FACT: &str = "currency";

/// How often a read is sent at most.
const ATTEMPTS_MAX: u32 = 3;
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
    describes: RefCell<BTreeMap<String, Rc<Describe>>>,
    /// Whether the agent may read an object, by its name in lower case.
    pub(crate) readable: RefCell<BTreeMap<String, bool>>,
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

    /// As [`read`](Self::read), of bytes as they are: what a file holds.
    ///
    /// # Errors
    /// The service's refusal, or the host's.
    pub fn read_bytes(&self, request: impl Fn() -> Request) -> Result<Vec<u8>, ReadError> {
        self.repeat(&request, &|response| match response.is_success() {
            true => Ok(response.into_body()),
            false => Err(refusal(&response)),
        })
    }

    /// Is there once for each kind of answer, however many requests are made.
    fn repeat<T>(
        &self,
        request: &dyn Fn() -> Request,
        interpret: &dyn Fn(Response) -> Result<T, ServiceError>,
    ) -> Result<T, ReadError> {
        let started = Instant::now();
        let mut attempt = 0;
        loop {
            attempt += 1;
            let error = match interpret(self.host.send(request())?) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let wait_too_long = error
                .retry_after_seconds
                .is_some_and(|seconds| seconds > RETRY_AFTER_MAX_SECONDS);
            if !error.is_transient()
                || wait_too_long
                || attempt == ATTEMPTS_MAX
                || started.elapsed() > RETRY_WITHIN
            {
                return Err(ReadError::Service(error));
            }
            let backoff = PAUSE_FIRST_MS << (attempt - 1);
            let wanted = u64::from(error.retry_after_seconds.unwrap_or(0)) * 1_000;
            let pause = backoff.max(wanted) + self.host.jitter_ms(backoff);
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
        let reply = self.read(|| {
            let path = path!("/services/data/{}/sobjects/{}/describe", version, kind);
            let request = Request::get(path);
            match anew {
                true => request.header("Cache-Control", "no-cache"),
                false => request,
            }
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
}
