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
use portcullis_sdk::http::{Request, path};

use crate::describe::Describe;
use crate::fence;
use crate::host::Host;
use crate::json::Json;
use crate::service_error::{ServiceError, interpret};

/// The newest version of the API that the connector knows (Winter '27).
pub const VERSION_NEWEST: (u32, u32) = (68, 0);

/// The fact of an identity that holds the version: `68.0`.
pub const VERSION_FACT: &str = "api_version";

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
        let known = self.account.identity.as_ref().and_then(|identity| {
            let fact = identity
                .facts
                .iter()
                .find(|(name, _)| name == VERSION_FACT)?;
            parse_version(&fact.1)
        });
        let (major, minor) = match known {
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
        self.read_again(&request)
    }

    /// Is there once, however many requests are made.
    fn read_again(&self, request: &dyn Fn() -> Request) -> Result<Reply, ReadError> {
        let started = Instant::now();
        let mut attempt = 0;
        loop {
            attempt += 1;
            let response = self.host.send(request())?;
            let error = match interpret(&response) {
                Ok(json) => {
                    let limit_info = response.header("sforce-limit-info").map(str::to_owned);
                    return Ok(Reply { json, limit_info });
                }
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

    /// Gives the describe of an object; asked once a call, and the host caches it between calls.
    ///
    /// # Errors
    /// The object is not there (`NOT_FOUND`), or the org does not answer.
    pub fn describe(&self, kind: &str) -> Result<Rc<Describe>, ReadError> {
        let key = kind.to_ascii_lowercase();
        if let Some(describe) = self.describes.borrow().get(&key) {
            return Ok(Rc::clone(describe));
        }
        let version = self.version()?;
        let reply = self.read(|| {
            Request::get(path!(
                "/services/data/{}/sobjects/{}/describe",
                version,
                kind
            ))
        })?;
        let describe = Rc::new(Describe::new(reply.json));
        self.describes
            .borrow_mut()
            .insert(key, Rc::clone(&describe));
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
