//! What every request shares: the org, who is signed in, and what is counted.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use jiff::tz::TimeZone;

use crate::email::Outbox;
use crate::error::ApiError;
use crate::id::Id;
use crate::oauth::{App, Grants};
use crate::org::{Org, Session};
use crate::rest::{Cursors, ReportRuns};
use crate::server::DevUser;
use crate::wire::{Reply, Request};

/// The state of a running org.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Where the org is: `http://127.0.0.1:40123`.
    pub(crate) url: String,
    /// The one app that users can let in.
    pub(crate) app: App,
    /// Who can sign in.
    pub(crate) users: Vec<DevUser>,
    /// The id of the `Organization` record.
    pub(crate) org_id: Id,
    /// The API requests that a day has.
    pub(crate) api_requests_max: u64,
    /// The recipients outside the org that a day's mail may have.
    pub(crate) emails_max: u64,
    org: RwLock<Org>,
    grants: Mutex<Grants>,
    cursors: Mutex<Cursors>,
    report_runs: Mutex<ReportRuns>,
    outbox: Mutex<Outbox>,
    canned: Mutex<VecDeque<Reply>>,
    requests: AtomicU64,
    api_requests: AtomicU64,
}

impl Shared {
    pub(crate) fn new(
        url: String,
        app: App,
        users: Vec<DevUser>,
        api_requests_max: u64,
        emails_max: u64,
        org: Org,
        grants: Grants,
    ) -> Self {
        Self {
            url,
            app,
            users,
            api_requests_max,
            emails_max,
            org_id: org.id,
            org: RwLock::new(org),
            grants: Mutex::new(grants),
            cursors: Mutex::default(),
            report_runs: Mutex::default(),
            outbox: Mutex::default(),
            canned: Mutex::default(),
            requests: AtomicU64::new(0),
            api_requests: AtomicU64::new(0),
        }
    }

    // Nothing is left half-written by a panic: each change is one call that replaces a record.

    /// Gives the org to read.
    pub(crate) fn org(&self) -> RwLockReadGuard<'_, Org> {
        self.org.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the org to change.
    pub(crate) fn org_mut(&self) -> RwLockWriteGuard<'_, Org> {
        self.org.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives codes and tokens.
    pub(crate) fn grants(&self) -> MutexGuard<'_, Grants> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the answers that are being paged.
    pub(crate) fn cursors(&self) -> MutexGuard<'_, Cursors> {
        self.cursors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives what runs of reports have left behind.
    pub(crate) fn report_runs(&self) -> MutexGuard<'_, ReportRuns> {
        self.report_runs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the mail that was sent.
    pub(crate) fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the answers that coming requests get instead of their own.
    pub(crate) fn canned(&self) -> MutexGuard<'_, VecDeque<Reply>> {
        self.canned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request of any kind.
    pub(crate) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request of the API, and gives how many that makes.
    pub(crate) fn count_api_request(&self) -> u64 {
        self.api_requests.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Gives the number of requests of the API so far.
    pub(crate) fn api_requests(&self) -> u64 {
        self.api_requests.load(Ordering::Relaxed)
    }

    /// Gives the address that says who a user is.
    pub(crate) fn identity_url(&self, user: Id) -> String {
        format!("{}/id/{}/{user}", self.url, self.org_id)
    }

    /// Gives the number of requests of any kind so far.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Finds who sent a request of the API.
    ///
    /// # Errors
    ///
    /// `INVALID_SESSION_ID`: nobody, or one whose sign-in has no `api` scope.
    pub(crate) fn session(&self, request: &Request) -> Result<Session, ApiError> {
        let refused = |message| ApiError::new(401, "INVALID_SESSION_ID", message);
        let token = request.bearer().unwrap_or_default();
        let (user_id, api) = self
            .grants()
            .access(token)
            .map(|access| (access.user, access.scopes.api()))
            .ok_or_else(|| refused("Session expired or invalid"))?;
        if !api {
            return Err(refused(
                "This session is not valid for use with the REST API",
            ));
        }
        Ok(Session {
            user_id,
            time_zone: self.time_zone(user_id),
        })
    }

    /// Says whether a user may sign in.
    pub(crate) fn is_active(&self, user: Id) -> bool {
        let org = self.org();
        let user = org.store.get("User", user);
        user.is_some_and(|user| user.get("IsActive").as_bool() == Some(true))
    }

    fn time_zone(&self, user: Id) -> TimeZone {
        let org = self.org();
        let name = org
            .store
            .get("User", user)
            .and_then(|user| user.get("TimeZoneSidKey").as_text());
        name.and_then(|name| TimeZone::get(name).ok())
            .unwrap_or(TimeZone::UTC)
    }
}
