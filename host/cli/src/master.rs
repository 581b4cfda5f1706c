//! Which master key opens the store: where it is looked for, and in which order.
//!
//! The attack is an accident: the key is not found, a new one is made in its place, and what the store holds is
//! lost behind it. So a key is made for a store that is not there yet and for no other.

use std::fmt;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use portcullis_store::{KeyError, MasterKey};
use serde_json::{Value, json};

use crate::args::KeySource;
use crate::environment;
use crate::home::Home;
use crate::problem::Problem;

/// Where a master key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the environment.
    Variable,
    /// In the system's keyring, under a name.
    Keyring(String),
    /// In a file.
    File(PathBuf),
}

/// A master key, and where it was found.
pub(crate) struct Master {
    pub(crate) key: MasterKey,
    pub(crate) place: Place,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable => write!(f, "the environment variable `{}`", environment::MASTER_KEY),
            Self::Keyring(name) => write!(f, "the system's keyring, as `{name}`"),
            Self::File(path) => write!(f, "the file `{}`", path.display()),
        }
    }
}

impl Place {
    pub(crate) fn json(&self) -> Value {
        match self {
            Self::Variable => json!({ "kind": "env", "name": environment::MASTER_KEY }),
            Self::Keyring(name) => json!({ "kind": "keyring", "name": name }),
            Self::File(path) => json!({ "kind": "file", "path": path }),
        }
    }
}

/// Finds the master key of a store, or makes the first one of a new store.
pub(crate) async fn find(home: &Home) -> Result<Master> {
    // Asked before anything is looked for: who makes a store makes its key first.
    let is_new = !home.store_file().exists();
    match home.wanted {
        Some(KeySource::Env) => {
            let missing = || {
                let problem = format!("`{}` is not set", environment::MASTER_KEY);
                let hint = "a master key is 32 random bytes in base64, as `openssl rand -base64 32` prints them";
                Problem::mistake("master_key", problem, hint)
            };
            Ok(of_variable()?.ok_or_else(missing)?)
        }
        Some(KeySource::Keyring) => {
            let name = home.keyring_name();
            let key = match of_keyring(name.clone()).await? {
                Some(key) => key,
                None if is_new => make_in_keyring(home, name.clone()).await?,
                None => {
                    let nothing = format!("the system's keyring holds nothing as `{name}`");
                    return Err(missing(home, &nothing).into());
                }
            };
            Ok(Master {
                key,
                place: Place::Keyring(name),
            })
        }
        Some(KeySource::File) => of_file(home, is_new, ""),
        None => {
            if let Some(master) = of_variable()? {
                return Ok(master);
            }
            let name = home.keyring_name();
            let keyring = match of_keyring(name.clone()).await {
                Ok(Some(key)) => {
                    let place = Place::Keyring(name);
                    return Ok(Master { key, place });
                }
                Ok(None) => "the system's keyring does not hold it",
                // It may hold the key all the same: a file that is there decides.
                Err(error) => {
                    tracing::debug!(%error, "the keyring does not answer");
                    "the system's keyring does not answer"
                }
            };
            let variable = environment::MASTER_KEY;
            of_file(
                home,
                is_new,
                &format!("`{variable}` is not set, {keyring}, and "),
            )
        }
    }
}

/// Finds the key of a store by its id where a move of it was broken off, and finishes the move.
pub(crate) fn left_behind(home: &Home, id: &str) -> Result<Option<Master>> {
    let is_it = |path: &Path| -> Result<Option<MasterKey>> {
        match path.exists() {
            true => Ok(Some(MasterKey::from_file(path)?).filter(|key| key.id() == id)),
            false => Ok(None),
        }
    };
    if home.wanted.is_some_and(|wanted| wanted != KeySource::File) {
        return Ok(None);
    }
    let place = Place::File(home.key_file.clone());
    if let Some(key) = is_it(&home.key_file)? {
        return Ok(Some(Master { key, place }));
    }
    match is_it(&next_file(home))? {
        Some(key) => {
            put_in_place(home)?;
            Ok(Some(Master { key, place }))
        }
        None => Ok(None),
    }
}

/// Where a new key waits until the store is sealed under it.
pub(crate) fn next_file(home: &Home) -> PathBuf {
    with_suffix(&home.key_file, "new")
}

/// Puts the key that waits in the place of the key file. The one that was there is kept under its id: backups need it.
pub(crate) fn put_in_place(home: &Home) -> Result<Option<PathBuf>> {
    let before = set_aside(&home.key_file)?;
    std::fs::rename(next_file(home), &home.key_file).with_context(|| {
        let path = home.key_file.display();
        format!("the key file `{path}` could not be put in its place")
    })?;
    Ok(before)
}

/// Keeps a key file under its id, and gives that name; none where there is no file.
pub(crate) fn set_aside(path: &Path) -> Result<Option<PathBuf>> {
    if !path.exists() {
        return Ok(None);
    }
    let before = with_suffix(path, &MasterKey::from_file(path)?.id());
    std::fs::rename(path, &before)
        .with_context(|| format!("the key file `{}` could not be kept", path.display()))?;
    Ok(Some(before))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

fn of_variable() -> Result<Option<Master>> {
    let Some(text) = environment::master_key() else {
        return Ok(None);
    };
    let place = Place::Variable;
    let key = MasterKey::from_base64(&text, &place.to_string())?;
    Ok(Some(Master { key, place }))
}

fn of_file(home: &Home, is_new: bool, elsewhere: &str) -> Result<Master> {
    let path = &home.key_file;
    if !is_new && !path.exists() && !next_file(home).exists() {
        let nothing = format!("{elsewhere}there is no key file `{}`", path.display());
        return Err(missing(home, &nothing).into());
    }
    // A move that was broken off leaves no other file than the next one.
    if !path.exists() && next_file(home).exists() {
        put_in_place(home)?;
    }
    Ok(Master {
        key: MasterKey::from_file(path)?,
        place: Place::File(path.clone()),
    })
}

/// Reads the keyring, which may wait for the person to unlock it.
pub(crate) async fn of_keyring(name: String) -> Result<Option<MasterKey>, KeyError> {
    let read = tokio::task::spawn_blocking(move || MasterKey::from_keyring(&name));
    read.await.unwrap_or_else(|error| {
        Err(KeyError::Keyring {
            problem: error.to_string(),
        })
    })
}

/// Makes the first key of a store in the keyring. A keyring cannot say "only if there is none yet", so one process does it
/// at a time.
async fn make_in_keyring(home: &Home, name: String) -> Result<MasterKey> {
    let lock = home.lock_file()?;
    let made = tokio::task::spawn_blocking(move || -> Result<MasterKey> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let lock = options.open(lock)?;
        lock.lock()?;
        if let Some(key) = MasterKey::from_keyring(&name)? {
            return Ok(key);
        }
        let key = MasterKey::random()?;
        key.keep_in_keyring(&name)?;
        Ok(key)
    });
    made.await.context("the keyring was not asked")?
}

fn missing(home: &Home, nothing: &str) -> Problem {
    let store = home.store_file().display();
    let message = format!("the store `{store}` is there, but not its master key: {nothing}");
    let hint = format!(
        "name the key with `--key-file FILE`, or put it into `{}`; without it nothing of the store opens",
        environment::MASTER_KEY
    );
    let old = old_keys(home, None).map(|words| format!(". {words}"));
    let hint = format!("{hint}{}. {BEGIN_ANEW}", old.unwrap_or_default());
    Problem::mistake("master_key", message, hint)
}

/// What is left to do where a key is lost.
pub(crate) const BEGIN_ANEW: &str = "What a lost key sealed is lost: to begin anew, put the store, the folder \
     `portcullis.audit` beside it and the key file aside, set the app (`portcullis app set`), apply `portcullis.toml`, and connect \
     the accounts again";

/// Says what the keys are that moves have left beside the key file: the store's own, where it is among them, and else older ones,
/// which open older copies alone. None where there are none.
pub(crate) fn old_keys(home: &Home, sealed_under: Option<&str>) -> Option<String> {
    let file = home.key_file.file_name()?.to_str()?;
    let entries = std::fs::read_dir(home.key_file.parent()?).ok()?;
    let mut kept: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| {
            let id = name
                .strip_prefix(file)
                .and_then(|rest| rest.strip_prefix('.'));
            id.is_some_and(|id| {
                id.len() == ID_LEN && id.bytes().all(|byte| byte.is_ascii_hexdigit())
            })
        })
        .map(|name| home.key_file.with_file_name(name).display().to_string())
        .collect();
    kept.sort();
    let own = sealed_under.and_then(|id| kept.iter().find(|path| path.ends_with(id)));
    match (own, kept.as_slice()) {
        (Some(own), _) => Some(format!(
            "The store's own key is in `{own}`: `--key-file {own}`"
        )),
        (None, []) => None,
        (None, kept) => Some(format!(
            "Beside it lies `{}`: a key of before the last move of it, which opens copies of that time alone",
            kept.join("`, `")
        )),
    }
}

/// Characters of a key's id.
const ID_LEN: usize = 16;
