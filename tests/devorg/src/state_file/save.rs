//! What changed, written.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::load::fingerprint;
use super::record::Written;
use super::rows::{Rows, SaveError, TooLarge};
use super::{Inner, StateFile, kind};
use crate::bulk::classic::ClassicJobs;
use crate::bulk::{Chunk, Jobs};
use crate::error::{ApiError, StateFileError};
use crate::id::Id;
use crate::oauth::{GrantKey, Grants};
use crate::org::{KeptOrg, Org};
use crate::state::Shared;

/// What was taken to be written; it is given back unless it is there, however the writing ends.
pub(super) struct Taken<'s> {
    shared: &'s Shared,
    keys: Keys,
    committed: bool,
}

#[derive(Default)]
struct Keys {
    records: BTreeSet<(Arc<str>, Id)>,
    numbers: BTreeSet<Arc<str>>,
    seen: BTreeSet<(Id, Id)>,
    grants: BTreeSet<GrantKey>,
    apps: BTreeSet<String>,
    jobs: BTreeSet<Id>,
    chunks: BTreeSet<Chunk>,
    classic_jobs: BTreeSet<Id>,
    classic_batches: BTreeSet<(Id, Id)>,
}

impl StateFile {
    /// Writes what there is at the start.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub(super) fn begin(&self, shared: &Shared) -> Result<(), StateFileError> {
        let objects = fingerprint(&shared.org().schema);
        let mut inner = self.inner();
        let settled = |inner: &mut Inner| -> Result<(), SaveError> {
            let transaction = inner.connection.transaction()?;
            let rows = Rows::new(&transaction, inner.row_bytes_max);
            rows.put_text(kind::ORG, kind::OBJECTS, &objects)?;
            for user in &shared.users {
                rows.put(kind::USER, user.id.as_str(), user)?;
            }
            transaction.commit()?;
            Ok(())
        };
        settled(&mut inner)?;
        write(&mut inner, shared, |rows, taken| {
            let kept = rows.put_all(taken)?;
            rows.check_all_fit()?; // An org that is not there whole does not start.
            Ok(kept)
        })?;
        Ok(())
    }

    /// Writes what changed since this was last done.
    ///
    /// # Errors
    ///
    /// `UNKNOWN_EXCEPTION`: the file cannot be written. What was not is tried again the next time, but
    /// for what is too large for a row: that is told once, and the rest is there.
    pub(crate) fn save(&self, shared: &Shared) -> Result<(), ApiError> {
        // Who comes second waits here until what the first took is written.
        let mut inner = self.inner();
        if is_saved(&inner, shared) {
            return Ok(());
        }
        let path = self.path.display();
        let failed = |message: String| ApiError::new(500, "UNKNOWN_EXCEPTION", message);
        let too_large = write(&mut inner, shared, |rows, taken| rows.put_all(taken));
        let too_large = too_large.map_err(|error| {
            failed(format!(
                "the org's state cannot be written to {path}: {error}"
            ))
        })?;
        let Some(first) = too_large.first() else {
            return Ok(());
        };
        Err(failed(format!(
            "not all that was done is kept in {path}: {first}; make it smaller, or the next start finds it as it was before"
        )))
    }
}

impl From<SaveError> for StateFileError {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::Database(error) => error.into(),
            SaveError::Json(error) => Self::Io(error.into()),
            SaveError::TooLarge(what) => Self::TooLarge(what.to_string()),
        }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if self.committed {
            return;
        }
        let (shared, keys) = (self.shared, std::mem::take(&mut self.keys));
        // One lock after the other; a panic has let go of those that it held.
        {
            let mut org = shared.org_mut();
            org.store.unsaved.put_back(keys.records);
            org.store.unsaved_numbers.put_back(keys.numbers);
            org.seen.unsaved.put_back(keys.seen);
        }
        {
            let mut jobs = shared.jobs();
            jobs.unsaved.put_back(keys.jobs);
            jobs.unsaved_chunks.put_back(keys.chunks);
        }
        {
            let mut jobs = shared.classic_jobs();
            jobs.unsaved.put_back(keys.classic_jobs);
            jobs.unsaved_batches.put_back(keys.classic_batches);
        }
        shared.grants().unsaved.put_back(keys.grants);
        shared.apps_mut().unsaved.put_back(keys.apps);
    }
}

fn is_saved(inner: &Inner, shared: &Shared) -> bool {
    // One lock after the other: others hold several in orders of their own.
    let org = {
        let org = shared.org();
        org.store.unsaved.is_empty()
            && org.store.unsaved_numbers.is_empty()
            && org.seen.unsaved.is_empty()
            && inner.org.as_ref() == Some(&org.kept())
    };
    let grants = shared.grants().unsaved.is_empty();
    let apps = shared.apps().unsaved.is_empty();
    let jobs = {
        let jobs = shared.jobs();
        jobs.unsaved.is_empty() && jobs.unsaved_chunks.is_empty()
    };
    let classic_jobs = {
        let jobs = shared.classic_jobs();
        jobs.unsaved.is_empty() && jobs.unsaved_batches.is_empty()
    };
    org && grants && apps && jobs && classic_jobs
}

/// Writes what `put` puts: all of it or, if that fails or panics, nothing. Gives what was too large.
pub(super) fn write(
    inner: &mut Inner,
    shared: &Shared,
    put: impl FnOnce(&Rows<'_>, &mut Taken<'_>) -> Result<KeptOrg, SaveError>,
) -> Result<Vec<TooLarge>, SaveError> {
    let mut taken = Taken {
        shared,
        keys: Keys::default(),
        committed: false,
    };
    let transaction = inner.connection.transaction()?;
    let rows = Rows::new(&transaction, inner.row_bytes_max);
    let kept = put(&rows, &mut taken)?;
    let too_large = rows.into_too_large();
    transaction.commit()?;
    taken.committed = true;
    inner.org = Some(kept);
    Ok(too_large)
}

impl Rows<'_> {
    /// Puts everything that is not there as it is.
    pub(super) fn put_all(&self, taken: &mut Taken<'_>) -> Result<KeptOrg, SaveError> {
        let Taken { shared, keys, .. } = taken;
        {
            let mut grants = shared.grants();
            keys.grants = grants.unsaved.take();
            for key in &keys.grants {
                self.put_grant(&grants, key)?;
            }
        }
        {
            let mut apps = shared.apps_mut();
            keys.apps = apps.unsaved.take();
            let unsaved = apps.all().iter();
            for app in unsaved.filter(|app| keys.apps.contains(&app.name)) {
                self.put(kind::APP, &app.name, &app.kept())?;
            }
        }
        // Last: what else was written may speak of records, and has none that are missing. Alone, so that
        // what is written is of one moment: a job and the records that it wrote, too.
        let mut org = shared.org_mut();
        self.put_jobs(&mut shared.jobs(), keys)?;
        self.put_classic_jobs(&mut shared.classic_jobs(), keys)?;
        keys.records = org.store.unsaved.take();
        keys.numbers = org.store.unsaved_numbers.take();
        keys.seen = org.seen.unsaved.take();
        self.put_org(&org, keys)?;
        Ok(org.kept())
    }

    fn put_org(&self, org: &Org, taken: &Keys) -> Result<(), SaveError> {
        for (object, id) in &taken.records {
            let record = org.store.get(object, *id);
            let record = record.map(Written::of);
            self.put_or_remove(kind::RECORD, id.as_str(), record.as_ref())?;
        }
        for object in &taken.numbers {
            self.put(kind::NUMBER, object, &org.store.last_number(object))?;
        }
        for (user, record) in &taken.seen {
            let moments = org.seen.moments(*user, *record);
            self.put_or_remove(kind::SEEN, &format!("{user}{record}"), moments)?;
        }
        self.put(kind::ORG, "", &org.kept())
    }

    fn put_jobs(&self, jobs: &mut Jobs, taken: &mut Keys) -> Result<(), SaveError> {
        taken.jobs = jobs.unsaved.take();
        for id in &taken.jobs {
            self.remove_below(kind::CHUNK, id.as_str())?; // The job has their rows itself.
            match jobs.get(*id) {
                Some(job) => {
                    self.put_or_less(kind::JOB, id.as_str(), job, |why| job.without_rows(why))?;
                }
                None => self.remove(kind::JOB, id.as_str())?,
            }
        }
        taken.chunks = jobs.unsaved_chunks.take();
        for chunk in &taken.chunks {
            let ended = jobs.get(chunk.job).and_then(|job| job.ended(chunk));
            if let (Some(ended), false) = (ended, taken.jobs.contains(&chunk.job)) {
                // Digits enough, so that keys are in the order of the chunks.
                let key = format!("{}{:012}", chunk.job, chunk.begins());
                self.put_or_less(kind::CHUNK, &key, &ended, |_| ended.without_cells())?;
            }
        }
        self.put(kind::NUMBER, kind::JOBS, &jobs.last_number)
    }

    fn put_classic_jobs(&self, jobs: &mut ClassicJobs, taken: &mut Keys) -> Result<(), SaveError> {
        taken.classic_jobs = jobs.unsaved.take();
        for id in &taken.classic_jobs {
            self.put_or_remove(kind::CLASSIC_JOB, id.as_str(), jobs.get(*id))?;
        }
        taken.classic_batches = jobs.unsaved_batches.take();
        for (job, batch) in &taken.classic_batches {
            let key = format!("{job}{batch}");
            if let Some(batch) = jobs.batch(*job, *batch) {
                self.put_or_less(kind::CLASSIC_BATCH, &key, batch, |why| {
                    batch.without_rows(why)
                })?;
            }
        }
        self.put(kind::NUMBER, kind::CLASSIC_JOBS, &jobs.last_number)
    }

    fn put_grant(&self, grants: &Grants, key: &GrantKey) -> Result<(), SaveError> {
        match key {
            GrantKey::Consent(number) => {
                self.put_or_remove(kind::CONSENT, &number.to_string(), grants.consent(*number))
            }
            GrantKey::Access(token) => {
                self.put_or_remove(kind::ACCESS, token, grants.access(token))
            }
            GrantKey::Refresh(token) => {
                self.put_or_remove(kind::REFRESH, token, grants.refresh_of(token))
            }
        }
    }
}
