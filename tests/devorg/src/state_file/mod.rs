//! `--state FILE`: what keeps an org over a restart.
//!
//! The org is in memory; the file, a SQLite database, has what it is made of, one row a thing. Before
//! a request is answered, what it changed is written, in one transaction of the database: whoever has an
//! answer finds what it says after a crash of the program. (After one of the machine, the last
//! answers may be forgotten, but none by half.)
//!
//! Not kept: pages of queries, codes on their way through a browser, sign-ins on pages, faults, mail.
//! Limits count anew.

mod load;
mod record;
mod rows;
mod save;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::error::{StartError, StateFileError};
use crate::likeness;
use crate::org::KeptOrg;
use crate::server::Options;
use crate::start::Start;
use crate::state::Shared;

/// What tells the file from other databases: `PoDO`.
const APPLICATION_ID: i32 = 0x506f_444f;
/// The version of what is in it.
const VERSION: i32 = 2;

/// How long another program that has the file is waited for.
const LOCK_WAITS: Duration = Duration::from_millis(500);

/// What a row is, as the first part of its key.
mod kind {
    /// The org itself, under an empty key.
    pub(super) const ORG: &str = "org";
    /// The key of what tells its objects from others.
    pub(super) const OBJECTS: &str = "objects";
    /// A record, under its id.
    pub(super) const RECORD: &str = "record";
    /// The number of the last id, under the name of its object.
    pub(super) const NUMBER: &str = "number";
    /// The keys of the numbers of jobs: no object is named so.
    pub(super) const JOBS: &str = "jobs of Bulk API 2.0";
    pub(super) const CLASSIC_JOBS: &str = "jobs of Bulk API 1.0";
    /// When a user came across a record, under the ids of both.
    pub(super) const SEEN: &str = "seen";
    /// Under its number.
    pub(super) const CONSENT: &str = "consent";
    /// An access token.
    pub(super) const ACCESS: &str = "access";
    /// A refresh token.
    pub(super) const REFRESH: &str = "refresh";
    /// An app, under its name.
    pub(super) const APP: &str = "app";
    /// A job of the Bulk API 2.0, and of the older one, under its id.
    pub(super) const JOB: &str = "job";
    pub(super) const CLASSIC_JOB: &str = "classic-job";
    /// A batch of the older Bulk API, under the ids of its job and of itself.
    pub(super) const CLASSIC_BATCH: &str = "classic-batch";
    /// The rows of a chunk of a job that was not saved since, under the job's id and the number of
    /// rows that were done before.
    pub(super) const CHUNK: &str = "chunk";
    /// Who can sign in, under the user's id.
    pub(super) const USER: &str = "user";
}

/// The file of a running org, which nobody else has meanwhile.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    connection: Connection,
    /// What was saved of the org beside its records.
    org: Option<KeptOrg>,
    /// The most bytes of a row.
    row_bytes_max: usize,
}

/// Opens the file, if there is to be one, and gives the org that is in it, or a new one.
///
/// # Errors
///
/// The file cannot be used, or the org in it is not what the options ask for.
pub(crate) fn start(
    options: &Options,
    now: Timestamp,
) -> Result<(Start, Option<StateFile>), StartError> {
    let Some(path) = &options.state else {
        return Ok((Start::new(options, now)?, None));
    };
    let failed = |reason| StartError::StateFile {
        path: path.clone(),
        reason,
    };
    let file = StateFile::open(path).map_err(failed)?;
    let schema = likeness::schema(options.describe.as_deref())?;
    let Some(mut start) = file.load(schema).map_err(failed)? else {
        let mut start = Start::new(options, now)?;
        start.org.remember_unsaved(true);
        return Ok((start, Some(file)));
    };
    if options.data.is_some() {
        return Err(failed(StateFileError::HasRecords));
    }
    let today = TimeZone::UTC.to_datetime(start.org.goes_on_from()).date();
    if options.today.is_some_and(|wanted| wanted < today) {
        return Err(failed(StateFileError::Today { today }));
    }
    // Days pass while the org is stopped.
    start.org.move_on(now);
    start.org.remember_unsaved(false);
    Ok((start, Some(file)))
}

/// Writes what there is at the start, and what changes from now on.
///
/// # Errors
///
/// The file cannot be written.
pub(crate) fn begin(mut shared: Shared, file: Option<StateFile>) -> Result<Shared, StartError> {
    let Some(file) = file else {
        return Ok(shared);
    };
    shared.grants().remember_unsaved();
    shared.apps_mut().remember_unsaved();
    shared.jobs().remember_unsaved();
    shared.classic_jobs().remember_unsaved();
    file.begin(&shared)
        .map_err(|reason| StartError::StateFile {
            path: file.path.clone(),
            reason,
        })?;
    shared.state_file = Some(file);
    Ok(shared)
}

impl StateFile {
    /// Opens a file, or makes it.
    ///
    /// # Errors
    ///
    /// It is something else, of another version, in use, or cannot be written.
    fn open(path: &Path) -> Result<Self, StateFileError> {
        if path.is_dir() {
            return Err(StateFileError::Folder(path.to_owned()));
        }
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            return Err(StateFileError::NoFolder(folder.to_owned()));
        }
        make_private(path)?;
        // The path is one of a file, whatever it looks like.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(std::path::absolute(path)?, flags)?;
        connection.busy_timeout(LOCK_WAITS)?;
        // Nobody else shall come in between two transactions either.
        connection.pragma_update(None, "locking_mode", "exclusive")?;
        let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        // Nothing of what is somebody else's is changed.
        let is_new = match (number("application_id")?, number("user_version")?) {
            (APPLICATION_ID, VERSION) => false,
            (APPLICATION_ID, _) => return Err(StateFileError::Version),
            (0, 0) if is_empty(&connection)? => true,
            _ => return Err(StateFileError::Foreign),
        };
        keep_private(path)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "normal")?;
        let transaction = connection.unchecked_transaction()?;
        if is_new {
            connection.pragma_update(None, "application_id", APPLICATION_ID)?;
            connection.pragma_update(None, "user_version", VERSION)?;
            connection.execute_batch(
                "CREATE TABLE kept (
                    kind TEXT NOT NULL,
                    key TEXT NOT NULL,
                    body TEXT NOT NULL,
                    PRIMARY KEY (kind, key)
                ) STRICT",
            )?;
        }
        transaction.commit()?;
        Ok(Self {
            path: path.to_owned(),
            inner: Mutex::new(Inner {
                connection,
                org: None,
                row_bytes_max: rows::ROW_BYTES_MAX,
            }),
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says whether a database has nothing.
fn is_empty(connection: &Connection) -> Result<bool, rusqlite::Error> {
    let table = connection
        .query_row("SELECT 1 FROM sqlite_schema LIMIT 1", (), |_| Ok(()))
        .optional()?;
    Ok(table.is_none())
}

/// Makes a file that its owner alone may read: tokens are in it.
fn make_private(path: &Path) -> Result<(), StateFileError> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?;
    Ok(())
}

/// Takes what others may do from a file that was there.
fn keep_private(path: &Path) -> Result<(), StateFileError> {
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(())
}
