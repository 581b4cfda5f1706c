//! What a tool asks of its host, as one trait, so that tests can play the host natively.

use std::cell::OnceCell;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use portcullis_sdk::Failure;
use portcullis_sdk::approvals::{self, Change};
use portcullis_sdk::audit::{self, Source};
use portcullis_sdk::credentials::{self, Account};
use portcullis_sdk::http::{Request, Response};
use portcullis_sdk::permissions::{self, Access};

/// The host's side of a call.
pub trait Host {
    /// Says which account the call acts for.
    fn account(&self) -> Account;

    /// Sends one request and reads its answer to the end.
    ///
    /// # Errors
    /// What the host or the network refused; see [`Request::send`].
    fn send(&self, request: Request) -> Result<Response, Failure>;

    /// Begins the step of a change, announces what its request changes, and sends it: once, whatever comes of it.
    ///
    /// # Errors
    /// As [`send`](Self::send), and the announcement was refused.
    fn change(
        &self,
        step: &Step<'_>,
        changes: &[Change],
        request: Request,
    ) -> Result<Response, Failure>;

    /// Asks whether the agent may do all of `accesses`.
    ///
    /// # Errors
    /// `not-permitted`, to be returned as it is.
    fn check(&self, accesses: &[Access]) -> Result<(), Failure>;

    /// Gives those of `fields` that the agent may see, in the same order.
    fn visible_fields(&self, kind: &str, fields: &[String]) -> Vec<String>;

    /// Writes a step of the call into the audit log.
    fn step(&self, title: &str, detail: Option<&str>);

    /// Names what the answer rests on.
    fn cite(&self, sources: &[Source]);

    /// Gives what stands for the token in a message, for the host to replace.
    fn token_placeholder(&self) -> String;

    /// Waits.
    fn pause(&self, duration: Duration);

    /// Gives a number below `bound_ms`, unlike that of other calls. Never to be part of a request.
    fn jitter_ms(&self, bound_ms: u64) -> u64;
}

/// A step of a change, as the audit log names it: what was announced and sent stands under it. Nobody knows yet what comes of it.
#[derive(Debug)]
pub struct Step<'a> {
    /// What is done, such as `Change Account: Phone`.
    pub title: String,
    /// To which record.
    pub detail: Option<&'a str>,
}

/// The host of a component's call.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// Asked once: it does not change while a call runs.
    account: OnceCell<Account>,
}

impl Live {
    fn known(&self) -> &Account {
        self.account.get_or_init(credentials::current)
    }
}

impl Host for Live {
    fn account(&self) -> Account {
        self.known().clone()
    }

    fn send(&self, request: Request) -> Result<Response, Failure> {
        request.origin(&self.known().origin).send()
    }

    fn change(
        &self,
        step: &Step<'_>,
        changes: &[Change],
        request: Request,
    ) -> Result<Response, Failure> {
        self.step(&step.title, step.detail);
        let ticket = approvals::announce(changes)?;
        self.send(request.change(ticket))
    }

    fn check(&self, accesses: &[Access]) -> Result<(), Failure> {
        permissions::check(accesses)
    }

    fn visible_fields(&self, kind: &str, fields: &[String]) -> Vec<String> {
        permissions::visible_fields(kind, fields)
    }

    fn step(&self, title: &str, detail: Option<&str>) {
        audit::step(title, detail);
    }

    fn cite(&self, sources: &[Source]) {
        audit::cite(sources);
    }

    fn token_placeholder(&self) -> String {
        credentials::token_placeholder()
    }

    fn pause(&self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn jitter_ms(&self, bound_ms: u64) -> u64 {
        // The hasher's keys are the only randomness that std offers; it need not be good.
        RandomState::new().hash_one(0) % bound_ms.max(1)
    }
}
