//! What every request shares: the org, who is signed in, and what is counted.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::watch;

use crate::access::Access;
use crate::bulk::classic::ClassicJobs;
use crate::bulk::{Jobs, Queue};
use crate::email::Email;
use crate::error::ApiError;
use crate::fault::Faults;
use crate::id::Id;
use crate::limits::Limits;
use crate::oauth::{Apps, Grants, SignIns};
use crate::org::{Org, Session};
use crate::org_lock::{Exclusive, OrgLock, OrgMut, OrgRef};
use crate::rest::{Cursors, ReportRuns};
use crate::server::DevUser;
use crate::taken::TakenChanges;
use crate::wire::Request;

/// The state of a running org.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Where the org is: `http://127.0.0.1:40123`.
    pub(crate) url: String,
    /// Where it is by https, if it is.
    pub(crate) https_url: Option<String>,
    /// Who can sign in.
    pub(crate) users: Vec<DevUser>,
    /// What there is to say of the records that were loaded.
    pub(crate) notes: Vec<String>,
    /// The id of the `Organization` record.
    pub(crate) org_id: Id,
    /// What is used of the org's limits.
    pub(crate) limits: Limits,
    /// Where jobs wait for the worker.
    pub(crate) queue: Queue,
    org: OrgLock,
    jobs: Mutex<Jobs>,
    classic_jobs: Mutex<ClassicJobs>,
    grants: Mutex<Grants>,
    cursors: Mutex<Cursors>,
    /// What each user sees, as it was worked out last.
    access: Mutex<HashMap<Id, Arc<Access>>>,
    apps: RwLock<Apps>,
    sign_ins: Mutex<SignIns>,
    faults: Mutex<Faults>,
    report_runs: Mutex<ReportRuns>,
    outbox: Mutex<Vec<Email>>,
    requests: watch::Sender<u64>,
    connections: AtomicU64,
    taken: Mutex<TakenChanges>,
    /// The file that keeps the org, if there is one.
    #[cfg(feature = "program")]
    pub(crate) state_file: Option<crate::state_file::StateFile>,
}

/// Where an org is.
#[derive(Debug)]
pub(crate) struct Urls {
    pub(crate) http: String,
    pub(crate) https: Option<String>,
}

impl Shared {
    pub(crate) fn new(
        urls: Urls,
        apps: Apps,
        users: Vec<DevUser>,
        limits: Limits,
        queue: Queue,
        org: Org,
        grants: Grants,
    ) -> Self {
        Self {
            url: urls.http,
            https_url: urls.https,
            users,
            notes: Vec::new(),
            limits,
            queue,
            jobs: Mutex::default(),
            classic_jobs: Mutex::default(),
            org_id: org.id,
            org: OrgLock::new(org),
            grants: Mutex::new(grants),
            cursors: Mutex::default(),
            access: Mutex::default(),
            apps: RwLock::new(apps),
            sign_ins: Mutex::default(),
            faults: Mutex::default(),
            report_runs: Mutex::default(),
            outbox: Mutex::default(),
            requests: watch::Sender::new(0),
            connections: AtomicU64::new(0),
            taken: Mutex::default(),
            #[cfg(feature = "program")]
            state_file: None,
        }
    }

    // Nothing is left half-written by a panic: it takes back what its transaction changed.

    /// Gives the org to read.
    pub(crate) fn org(&self) -> OrgRef<'_> {
        self.org.read()
    }

    /// Gives the org to change.
    pub(crate) fn org_mut(&self) -> OrgMut<'_> {
        self.org.write()
    }

    /// Begins a transaction over several requests of this thread: nobody else gets at the org
    /// until it ends. Nothing if this thread has one.
    pub(crate) fn exclusive(&self) -> Option<Exclusive<'_>> {
        self.org.exclusive()
    }

    /// Gives codes and tokens.
    pub(crate) fn grants(&self) -> MutexGuard<'_, Grants> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the jobs.
    pub(crate) fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the jobs of the older Bulk API.
    pub(crate) fn classic_jobs(&self) -> MutexGuard<'_, ClassicJobs> {
        let jobs = self.classic_jobs.lock();
        jobs.unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the answers that are being paged.
    pub(crate) fn cursors(&self) -> MutexGuard<'_, Cursors> {
        self.cursors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the apps to read.
    pub(crate) fn apps(&self) -> RwLockReadGuard<'_, Apps> {
        self.apps.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the apps to change.
    pub(crate) fn apps_mut(&self) -> RwLockWriteGuard<'_, Apps> {
        self.apps.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives who has signed in on a page.
    pub(crate) fn sign_ins(&self) -> MutexGuard<'_, SignIns> {
        self.sign_ins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives what is to go wrong.
    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives what runs of reports have left behind.
    pub(crate) fn report_runs(&self) -> MutexGuard<'_, ReportRuns> {
        self.report_runs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the mail that was sent, the latest last.
    pub(crate) fn outbox(&self) -> MutexGuard<'_, Vec<Email>> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what changed to the org's file, if there is one.
    ///
    /// # Errors
    ///
    /// `UNKNOWN_EXCEPTION`: the file cannot be written.
    pub(crate) fn save(&self) -> Result<(), ApiError> {
        #[cfg(feature = "program")]
        if let Some(file) = &self.state_file {
            return file.save(self);
        }
        Ok(())
    }

    /// Counts a request of any kind.
    pub(crate) fn count_request(&self) {
        self.requests.send_modify(|requests| *requests += 1);
    }

    /// Gives the address that says who a user is, for the client that asks.
    pub(crate) fn identity_url(&self, request: &Request, user: Id) -> String {
        format!("{}/id/{}/{user}", self.origin(request), self.org_id)
    }

    /// Counts a connection that was taken.
    pub(crate) fn count_connection(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// Gives the number of connections so far.
    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Gives the number of requests of any kind so far.
    pub(crate) fn requests(&self) -> u64 {
        *self.requests.borrow()
    }

    /// Gives the number of requests as it grows.
    pub(crate) fn watch_requests(&self) -> watch::Receiver<u64> {
        self.requests.subscribe()
    }

    /// Gives the changes that the org was asked for.
    pub(crate) fn taken(&self) -> MutexGuard<'_, TakenChanges> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds who sent a request of the API.
    ///
    /// # Errors
    ///
    /// `INVALID_SESSION_ID`: nobody, or one whose sign-in has no `api` scope. `API_DISABLED_FOR_ORG`: a
    /// user whose profile has no API.
    pub(crate) fn session(&self, request: &Request) -> Result<Session, ApiError> {
        self.session_of(request.bearer().unwrap_or_default())
    }

    /// Finds whose an access token is.
    ///
    /// # Errors
    ///
    /// As [`Shared::session`].
    pub(crate) fn session_of(&self, token: &str) -> Result<Session, ApiError> {
        let refused = |message| ApiError::new(401, "INVALID_SESSION_ID", message);
        let (user_id, api) = self
            .grants()
            .access_of_request(token)
            .map(|access| (access.user, access.scopes.api()))
            .ok_or_else(|| refused("Session expired or invalid"))?;
        if !api {
            return Err(refused(
                "This session is not valid for use with the REST API",
            ));
        }
        // Who was deactivated since is signed out.
        if !self.is_active(user_id) {
            return Err(refused("Session expired or invalid"));
        }
        let session = self.session_for(user_id);
        if !session.access.api_enabled() {
            let message = "The REST API is not enabled for this Organization.";
            return Err(ApiError::new(403, "API_DISABLED_FOR_ORG", message));
        }
        Ok(session)
    }

    /// Begins the session of a user, whose rights are those of this moment.
    pub(crate) fn session_for(&self, user: Id) -> Session {
        let org = self.org();
        Session::with(&org, user, self.access(&org, user))
    }

    /// Gives what a user sees and may do: what is kept, or worked out anew where that is of the past.
    pub(crate) fn access(&self, org: &Org, user: Id) -> Arc<Access> {
        let mut kept = self.access.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(access) = kept.get(&user).filter(|access| access.is_current(org)) {
            return Arc::clone(access);
        }
        let access = Arc::new(Access::of(org, user));
        kept.insert(user, Arc::clone(&access));
        access
    }

    /// Finds a user by username, in any case.
    pub(crate) fn user_named(&self, username: &str) -> Option<Id> {
        self.org().user_named(username)
    }

    /// Says whether a user may sign in.
    pub(crate) fn is_active(&self, user: Id) -> bool {
        self.org().is_active(user)
    }
}
