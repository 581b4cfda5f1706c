//! What a file has, read.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::record::Reader;
use super::{StateFile, kind};
use crate::bulk::classic::ClassicJobs;
use crate::bulk::{Ended, Jobs};
use crate::error::StateFileError;
use crate::id::Id;
use crate::oauth::Grants;
use crate::org::{KeptOrg, Org};
use crate::schema::Schema;
use crate::start::Start;

impl StateFile {
    /// Reads the org; nothing if the file is new.
    ///
    /// # Errors
    ///
    /// The org had other objects, or the file is not as this program writes it.
    pub(super) fn load(&self, schema: Schema) -> Result<Option<Start>, StateFileError> {
        let inner = self.inner();
        let mut rows = inner
            .connection
            .prepare("SELECT kind, key, body FROM kept WHERE kind = ?1 ORDER BY key")?;
        let mut each =
            |wanted: &str, read: &mut dyn FnMut(&str, &str) -> Result<(), StateFileError>| {
                let mut rows = rows.query([wanted])?;
                while let Some(row) = rows.next()? {
                    let text = |column| -> Result<&str, StateFileError> {
                        let value = row.get_ref(column)?;
                        value.as_str().map_err(|_| broken(wanted, "", "no text"))
                    };
                    read(text(1)?, text(2)?)?;
                }
                Ok::<_, StateFileError>(())
            };

        let mut org = None;
        let mut objects = None;
        each(kind::ORG, &mut |key, body| {
            match key {
                kind::OBJECTS => objects = Some(body.to_owned()),
                _ => org = Some(parse::<KeptOrg>(kind::ORG, key, body)?),
            }
            Ok(())
        })?;
        let Some(org) = org else {
            return Ok(None);
        };
        if objects != Some(fingerprint(&schema)) {
            return Err(StateFileError::Objects);
        }
        let mut org = Org::restored(schema, org);
        let schema = org.schema.clone();
        each(kind::RECORD, &mut |key, body| {
            let reader = Reader {
                schema: &schema,
                id: id(kind::RECORD, key)?,
            };
            let record = reader.read(body);
            org.store
                .put(record.map_err(|error| broken(kind::RECORD, key, &error))?);
            Ok(())
        })?;
        let (mut jobs, mut classic_jobs) = (Jobs::default(), ClassicJobs::default());
        each(kind::NUMBER, &mut |key, body| {
            let number: u64 = parse(kind::NUMBER, key, body)?;
            if number > Id::NUMBER_MAX {
                return Err(broken(kind::NUMBER, key, "no id has such a number"));
            }
            match key {
                kind::JOBS => jobs.last_number = number,
                kind::CLASSIC_JOBS => classic_jobs.last_number = number,
                object => org.store.set_last_number(&object.into(), number),
            }
            Ok(())
        })?;
        let now = org.now();
        each(kind::JOB, &mut |key, body| {
            jobs.insert(parse(kind::JOB, key, body)?);
            Ok(())
        })?;
        each(kind::CHUNK, &mut |key, body| {
            let (job, begins) = key.split_at_checked(18).unwrap_or((key, ""));
            let job = jobs.get_mut(id(kind::CHUNK, job)?);
            let ended: Ended = parse(kind::CHUNK, key, body)?;
            let begins = begins.parse().ok();
            if let (Some(job), Some(begins)) = (job, begins)
                && job.go_on(begins, ended)
            {
                return Ok(());
            }
            Err(broken(kind::CHUNK, key, "its job does not go on so"))
        })?;
        jobs.break_off(now);
        each(kind::CLASSIC_JOB, &mut |key, body| {
            classic_jobs.insert(parse(kind::CLASSIC_JOB, key, body)?);
            Ok(())
        })?;
        each(kind::CLASSIC_BATCH, &mut |key, body| {
            let (job, _) = ids(kind::CLASSIC_BATCH, key)?;
            if classic_jobs.keep(job, parse(kind::CLASSIC_BATCH, key, body)?) {
                return Ok(());
            }
            Err(broken(kind::CLASSIC_BATCH, key, "its job is missing"))
        })?;
        each(kind::SEEN, &mut |key, body| {
            let (user, record) = ids(kind::SEEN, key)?;
            org.seen
                .restore(user, record, parse(kind::SEEN, key, body)?);
            Ok(())
        })?;
        let mut grants = Grants::default();
        each(kind::CONSENT, &mut |key, body| {
            let number = parse(kind::CONSENT, key, key)?;
            grants.restore_consent(number, parse(kind::CONSENT, key, body)?);
            Ok(())
        })?;
        each(kind::ACCESS, &mut |key, body| {
            grants.restore_access(key.to_owned(), parse(kind::ACCESS, "…", body)?);
            Ok(())
        })?;
        each(kind::REFRESH, &mut |key, body| {
            grants.restore_refresh(key.to_owned(), parse(kind::REFRESH, "…", body)?);
            Ok(())
        })?;
        let mut apps = BTreeMap::new();
        each(kind::APP, &mut |key, body| {
            apps.insert(key.to_owned(), parse(kind::APP, key, body)?);
            Ok(())
        })?;
        let mut users = BTreeMap::new();
        each(kind::USER, &mut |key, body| {
            users.insert(id(kind::USER, key)?, parse(kind::USER, key, body)?);
            Ok(())
        })?;
        Ok(Some(Start {
            org,
            notes: Vec::new(),
            grants,
            apps,
            users,
            jobs,
            classic_jobs,
        }))
    }
}

/// Gives what is the same for the same objects and fields.
pub(super) fn fingerprint(schema: &Schema) -> String {
    let mut hash = Sha256::new();
    for object in &schema.objects {
        hash.update(format!("{} {}\n", object.name, object.key_prefix));
        for field in &object.fields {
            hash.update(format!("  {} {:?}\n", field.name, field.field_type));
        }
    }
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn parse<T: DeserializeOwned>(kind: &str, key: &str, body: &str) -> Result<T, StateFileError> {
    serde_json::from_str(body).map_err(|error| broken(kind, key, &error))
}

fn id(kind: &str, key: &str) -> Result<Id, StateFileError> {
    Id::parse(key).ok_or_else(|| broken(kind, key, "the key is no id"))
}

/// Reads a key of two ids.
fn ids(kind: &str, key: &str) -> Result<(Id, Id), StateFileError> {
    let (first, second) = key.split_at_checked(18).unwrap_or((key, ""));
    Ok((id(kind, first)?, id(kind, second)?))
}

fn broken(kind: &str, key: &str, why: impl ToString) -> StateFileError {
    StateFileError::Broken {
        row: format!("{kind} {key}"),
        why: why.to_string(),
    }
}
