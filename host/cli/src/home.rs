//! Where the store is, and who is at the keyboard: everything that a command on the store begins with.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use portcullis_store::{Location, Person, Role, Store, StoreError, StoreOptions};

use crate::args::{KeySource, StoreSettings};
use crate::environment;
use crate::master::{self, Master, Place};
use crate::problem::Problem;
use crate::show;

/// The name of the key file beside the store.
const KEY_FILE: &str = "key";

/// Where the store and its key are.
pub(crate) struct Home {
    location: Location,
    pub(crate) key_file: PathBuf,
    /// Where the key is, if somebody said so.
    pub(crate) wanted: Option<KeySource>,
}

impl Home {
    /// Takes the settings, which come from the command line and the environment.
    pub(crate) fn of(settings: &StoreSettings) -> Result<Self> {
        // What the command line names comes before what the environment does.
        let is_given = settings.store.is_some() || settings.data_dir.is_some();
        let (url, folder) = match is_given {
            true => (settings.store.clone(), settings.data_dir.clone()),
            false => (environment::store_url(), environment::named_data_folder()),
        };
        let location = match (url, folder) {
            (Some(url), _) => Location::parse(&url).map_err(StoreError::from)?,
            (None, Some(folder)) => Location::in_folder(absolute(&folder)?),
            (None, None) => Location::in_folder(environment::data_folder().ok_or_else(|| {
                let message = "no folder for the store is known: there is no home folder";
                Problem::mistake("store", message, "name one with `--data-dir DIR`")
            })?),
        };
        let wanted = match (settings.key, &settings.key_file) {
            (None, Some(_)) => Some(KeySource::File),
            (Some(KeySource::Keyring | KeySource::Env), Some(_)) => {
                let message =
                    "`--key-file` names a file, and `--key` says that the key is elsewhere";
                return Err(Problem::mistake("master_key", message, "give one of the two").into());
            }
            (wanted, _) => wanted,
        };
        let key_file = match &settings.key_file {
            Some(file) => absolute(file)?,
            None => location.file().with_file_name(KEY_FILE),
        };
        Ok(Self {
            location,
            key_file,
            wanted,
        })
    }

    /// Gives the store's file.
    pub(crate) fn store_file(&self) -> &Path {
        self.location.file()
    }

    /// Gives the name by which the keyring knows the store's key: each store has its own.
    pub(crate) fn keyring_name(&self) -> String {
        self.location.file().display().to_string()
    }

    /// Gives a file to lock, in the store's folder.
    pub(crate) fn lock_file(&self) -> Result<PathBuf> {
        let file = self.location.file().with_extension("lock");
        if let Some(folder) = file.parent() {
            let mut builder = std::fs::DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder
                .create(folder)
                .with_context(|| format!("the folder `{}` cannot be made", folder.display()))?;
        }
        Ok(file)
    }

    /// Opens the store, which is made where there is none: whoever makes it is its first administrator.
    pub(crate) async fn open(&self) -> Result<Session> {
        let (store, master) = self.open_store().await?;
        let (id, why) = environment::person()?;
        if store.add_first_administrator(&id, id.as_str()).await? {
            show::note(&format!(
                "a new store is made at `{}`, with you, `{id}` ({why}), as its administrator; its key is in {}: keep a copy of \
                 both, each in another place",
                self.store_file().display(),
                master.place
            ))?;
        }
        let Some(me) = store.person(&id).await? else {
            let message = format!("this store does not know you, `{id}` ({why})");
            let people = store.people().await?;
            let is_alike = |person: &&Person| person.id.as_str().eq_ignore_ascii_case(id.as_str());
            if let Some(alike) = people.iter().find(is_alike) {
                let hint = format!(
                    "it knows `{}`: names are written as they are there, small and capital letters too",
                    alike.id
                );
                return Err(Problem::mistake("not_known", message, hint).into());
            }
            let asked = format!("to run `portcullis person add {id}`");
            return Err(ask_an_administrator(&store, "not_known", message, &asked).await?);
        };
        Ok(Session { store, me, master })
    }

    /// Opens a store that is there, for what makes no sense in an empty one.
    pub(crate) async fn open_existing(&self) -> Result<Session> {
        if !self.store_file().exists() {
            let message = format!(
                "there is no org to ask: none is named, and no store is at `{}`",
                self.store_file().display()
            );
            let hint = "add `--dev-org` to use a sample org, or begin a store with `portcullis agent add helper`";
            return Err(Problem::mistake("no_store", message, hint).into());
        }
        self.open().await
    }

    /// Opens a store that is there, to look at what was done.
    pub(crate) async fn open_for_what_was_done(&self) -> Result<Session> {
        if !self.store_file().exists() {
            let file = self.store_file().display();
            let message = format!("nothing was done yet: no store is at `{file}`");
            let hint = "name another one with `--data-dir DIR`, or begin one with `portcullis agent add helper`";
            return Err(Problem::mistake("no_store", message, hint).into());
        }
        self.open().await
    }

    async fn open_store(&self) -> Result<(Store, Master)> {
        let open = async |master: &Master| {
            Store::open(StoreOptions::new(self.location.clone(), master.key.clone())).await
        };
        // Before its key is looked for, which is missing for what was never a store.
        Store::look(&self.location)?;
        let master = master::find(self).await?;
        match open(&master).await {
            Ok(store) => Ok((store, master)),
            Err(StoreError::WrongKey {
                sealed_under,
                given,
            }) => {
                // A variable that holds another key is a mistake, not what a move leaves behind.
                if master.place != Place::Variable
                    && let Some(master) = master::left_behind(self, &sealed_under)?
                {
                    return Ok((open(&master).await?, master));
                }
                let from = format!("the key given is from {}", master.place);
                let hint = match (&master.place, self.wanted) {
                    (Place::Variable, None) => format!(
                        "{from}: unset that if the key is elsewhere, in the keyring or a key file"
                    ),
                    _ => format!("{from}: name another with `--key-file FILE` or `--key WHERE`"),
                };
                let hint = match master::old_keys(self, Some(sealed_under.as_str())) {
                    Some(words) => format!("{hint}. {words}"),
                    None => hint,
                };
                let hint = format!("{hint}. {}", master::BEGIN_ANEW);
                let message = StoreError::WrongKey {
                    sealed_under,
                    given,
                };
                Err(Problem::mistake("master_key", message.to_string(), hint).into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// A path from the root on, whatever folder the program is in later.
fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("`{}` is no path", path.display()))
}

/// A store that is open, and who is at the keyboard.
pub(crate) struct Session {
    pub(crate) store: Store,
    pub(crate) me: Person,
    pub(crate) master: Master,
}

impl Session {
    pub(crate) fn is_administrator(&self) -> bool {
        self.me.role == Role::Admin
    }

    /// Refuses a member what is for administrators.
    pub(crate) async fn require_administrator(&self) -> Result<()> {
        if self.is_administrator() {
            return Ok(());
        }
        let message = format!(
            "this is for administrators, and `{}` is a member here",
            self.me.id
        );
        let code = "not_administrator";
        Err(ask_an_administrator(&self.store, code, message, "to do it").await?)
    }
}

/// Says who can do what was refused.
async fn ask_an_administrator(
    store: &Store,
    code: &'static str,
    message: String,
    asked: &str,
) -> Result<anyhow::Error> {
    let people = store.people().await?;
    let administrators: Vec<String> = people
        .iter()
        .filter(|person| person.role == Role::Admin)
        .map(|person| match person.id.as_str() {
            environment::NOBODY => format!(
                "`{}`, whoever runs this where no variable `USER` names them",
                person.id
            ),
            id => format!("`{id}`"),
        })
        .collect();
    let hint = format!(
        "ask an administrator {asked}: {}",
        administrators.join(", ")
    );
    Ok(Problem::mistake(code, message, hint).into())
}
