//! What an org is started with: records, apps, and who can sign in; new, or as they were.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;

use crate::bulk::classic::ClassicJobs;
use crate::bulk::{Jobs, Queue, State};
use crate::clock;
use crate::data::administrator;
use crate::error::StartError;
use crate::id::Id;
#[cfg(feature = "program")]
use crate::likeness;
use crate::limits::{Limit, Limits};
use crate::oauth::{
    App, Apps, Consent, Given, Grants, KeptApp, Scopes, main_app, other_apps, random,
};
use crate::org::Org;
use crate::server::{DevUser, Options};
use crate::state::{Shared, Urls};
#[cfg(feature = "program")]
use crate::state_file;
use crate::storage::{MEGABYTE, Storage};
use crate::store::Record;

/// An org before its server starts.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) org: Org,
    /// What there is to say of its records.
    pub(crate) notes: Vec<String>,
    pub(crate) grants: Grants,
    /// The apps that were there, by name.
    pub(crate) apps: BTreeMap<String, KeptApp>,
    /// Who could sign in.
    pub(crate) users: BTreeMap<Id, KeptUser>,
    pub(crate) jobs: Jobs,
    pub(crate) classic_jobs: ClassicJobs,
}

/// What is known of who can sign in, of what a [`DevUser`] is.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct KeptUser {
    password: String,
    access_token: String,
    refresh_token: String,
}

/// Makes what every request of an org shares.
///
/// # Errors
///
/// The operating system gives no random bytes, a certificate is none, or the org's file cannot be used.
pub(crate) fn shared(mut options: Options, urls: Urls, queue: Queue) -> Result<Shared, StartError> {
    let now = options
        .today
        .and_then(|today| TimeZone::UTC.to_timestamp(today.at(12, 0, 0, 0)).ok())
        .unwrap_or_else(clock::machine);
    #[cfg(feature = "program")]
    let (start, state_file) = state_file::start(&options, now)?;
    #[cfg(not(feature = "program"))]
    let start = Start::new(&options, now)?;
    let Start {
        mut org,
        mut notes,
        mut grants,
        apps: mut known_apps,
        users: known_users,
        jobs,
        classic_jobs,
    } = start;

    if options.today.is_none() {
        org.move_on(now);
        org.let_time_go();
    }

    let mut maxima = vec![(Limit::DailyApiRequests, options.api_requests_max)];
    maxima.append(&mut options.limits);
    let limits = Limits::new(&maxima);
    org.storage = Storage {
        data_bytes_max: limits.max(Limit::DataStorageMB),
        file_bytes_max: limits.max(Limit::FileStorageMB),
    };
    notes.extend(storage_note(&org));
    let apps = apps(&options, &org, &mut known_apps)?;
    let client_id = apps.first().map(|app| app.client_id.clone());
    let mut given = Given {
        access_token: options.access_token,
        refresh_token: options.refresh_token,
    };
    let mut users = Vec::new();
    for user in active_users(&org) {
        let consent = Consent {
            client_id: client_id.clone().unwrap_or_default(),
            user: user.id,
            scopes: Scopes::all(),
            asked: false,
        };
        let given = std::mem::take(&mut given);
        let known = known_users.get(&user.id);
        let KeptUser {
            password,
            access_token,
            refresh_token,
        } = admit(org.id, &mut grants, consent, given, known)?;
        let username = user.get("Username").as_text().unwrap_or_default();
        users.push(DevUser {
            username: username.to_owned(),
            profile: org.profile_name(user.id),
            password,
            access_token,
            refresh_token,
            id: user.id,
        });
    }
    let mut shared = Shared::new(urls, Apps::new(apps), users, limits, queue, org, grants);
    shared.notes = notes;
    for job in jobs.iter().filter(|job| job.state == State::UploadComplete) {
        shared.queue.push(job.id);
    }
    *shared.jobs() = jobs;
    *shared.classic_jobs() = classic_jobs;
    #[cfg(feature = "program")]
    let shared = state_file::begin(shared, state_file)?;
    Ok(shared)
}

impl Start {
    /// Begins with an org of sample records, or with the likeness of another.
    pub(crate) fn new(options: &Options, now: Timestamp) -> Result<Self, StartError> {
        #[cfg(feature = "program")]
        let (org, notes) = likeness::org(
            now,
            options.describe.as_deref(),
            options.data.as_deref(),
            &options.loaded,
        )?;
        #[cfg(not(feature = "program"))]
        let (org, notes) = (Org::sample(now), Vec::new());
        Ok(Self {
            org,
            notes,
            grants: Grants::default(),
            apps: BTreeMap::new(),
            users: BTreeMap::new(),
            jobs: Jobs::default(),
            classic_jobs: ClassicJobs::default(),
        })
    }
}

/// Says so where there is no room for another record.
fn storage_note(org: &Org) -> Option<String> {
    org.check_room_for_record().err()?;
    let (used, max) = (org.data_bytes(), org.storage.data_bytes_max);
    Some(format!(
        "the records take {} MB, which is all of the org's {} MB: for more, raise the limit DataStorageMB",
        used.div_ceil(MEGABYTE),
        max / MEGABYTE
    ))
}

/// Gives who can sign in; the administrator is the first.
fn active_users(org: &Org) -> Vec<&Record> {
    let users = org.store.rows("User");
    let mut users: Vec<&Record> = users.filter(|user| org.is_active(user.id)).collect();
    users.sort_by_key(|user| user.id != administrator());
    users
}

/// Makes the apps, the one that the org is started with first; what is known of one stays.
fn apps(
    options: &Options,
    org: &Org,
    known: &mut BTreeMap<String, KeptApp>,
) -> Result<Vec<App>, StartError> {
    let certificate = options
        .jwt_certificate
        .as_ref()
        .map(|pem| CertificateDer::from_pem_slice(pem.as_bytes()))
        .transpose()
        .map_err(|_| StartError::JwtCertificate)?;
    let client_id = random("3MVG9", 80)?;
    let mut apps = vec![main_app(client_id, random("", 64)?)];
    if let Some(administrator) = active_users(org).first().map(|user| user.id) {
        apps[0].assigned = [administrator].into();
        apps[0].run_as = Some(administrator);
        apps[0].certificate.clone_from(&certificate);
        apps.extend(other_apps(administrator, certificate.as_ref())?);
    }
    for app in &mut apps {
        if let Some(known) = known.remove(&app.name) {
            app.restore(known);
        }
    }
    let main = &mut apps[0];
    main.redirect_uris.clone_from(&options.redirect_uris);
    main.rotate_refresh_tokens = options.rotate_refresh_tokens;
    if let Some(id) = &options.client_id {
        main.client_id = id.as_str().into();
    }
    if let Some(secret) = &options.client_secret {
        main.client_secret.clone_from(secret);
    }
    if let Some(state) = options.app_state {
        main.set(state);
    }
    Ok(apps)
}

/// Lets a user in: with what is known, as far as it still stands, or with new tokens.
fn admit(
    org: Id,
    grants: &mut Grants,
    consent: Consent,
    given: Given,
    known: Option<&KeptUser>,
) -> Result<KeptUser, StartError> {
    let stands = known.filter(|known| {
        given.allows(&known.access_token, &known.refresh_token)
            && grants.stand(&consent, &known.access_token, &known.refresh_token)
    });
    if let Some(known) = stands {
        return Ok(known.clone());
    }
    let issued = grants.issue(org, consent, given)?;
    Ok(KeptUser {
        password: match known {
            Some(known) => known.password.clone(),
            None => random("", 16)?,
        },
        access_token: issued.access_token,
        refresh_token: issued.refresh_token.unwrap_or_default(),
    })
}
