//! The store itself: what is opened, and what everything else here asks for its transactions, keys and time.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use sqlx::{Sqlite, SqliteConnection, Transaction};

use crate::address::Location;
use crate::approvals;
use crate::clock::{Clock, SystemClock};
use crate::data_keys::{Age, DataKeys, Sealed};
use crate::database::{self, Database};
use crate::decisions;
use crate::error::StoreError;
use crate::master_key::MasterKey;
use crate::moment::Moments;
use crate::remembered::Remembered;
use crate::seal::Place;

/// The bytes of a random id.
const ID_BYTES: usize = 16;

/// The bytes of a secret that is given away, such as a link's.
const SECRET_BYTES: usize = 32;

/// How a store is opened.
#[derive(Clone)]
pub struct StoreOptions {
    location: Location,
    master: MasterKey,
    clock: Arc<dyn Clock>,
}

impl StoreOptions {
    /// Names a store and the master key that opens it.
    pub fn new(location: Location, master: MasterKey) -> Self {
        Self {
            location,
            master,
            clock: Arc::new(SystemClock),
        }
    }

    /// Takes another clock than the system's.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}

impl fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreOptions")
            .field("location", &self.location)
            .finish_non_exhaustive()
    }
}

/// People, agents, connections and their secrets, in one SQLite file. Clones are cheap and share everything.
///
/// Several processes may have a file open at once: what one [remembers](Self::remember) between two calls, but for data keys, is forgotten as
/// soon as any of them commits.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    location: Location,
    database: Database,
    keys: DataKeys,
    clock: Arc<dyn Clock>,
    known: decisions::Known,
    memory: Remembered,
}

impl Store {
    /// Opens a store. The file is made with mode 0600 where it is missing, its folder with 0700.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the file is open to others or of another program or a newer version, or the key is not
    /// its own.
    pub async fn open(options: StoreOptions) -> Result<Self, StoreError> {
        let StoreOptions {
            location,
            master,
            clock,
        } = options;
        let database = Database::open(&location).await?;
        let file = location.file();
        // SQLite keeps what belongs to the file where the file is, whichever link leads there.
        let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
        let store = Self {
            inner: Arc::new(Inner {
                database,
                keys: DataKeys::new(master),
                memory: Remembered::of(Moments::of(file)),
                location,
                clock,
                known: decisions::Known::default(),
            }),
        };
        // All in one transaction: of two that open a new store, the second finds it made.
        let mut tx = store.write().await?;
        database::migrate(&mut tx, &store.inner.location).await?;
        match store.keys().load(&mut tx, store.now()).await? {
            Age::New => decisions::take_over(&store, &mut tx, false).await?,
            Age::OfBeforeDecisions => {
                decisions::take_over(&store, &mut tx, true).await?;
                store.keys().wrap_anew(&mut tx).await?;
            }
            Age::OfNow => {}
        }
        // It may be that nobody asks anything for long.
        approvals::sweep(&mut tx, store.now()).await?;
        tx.commit().await?;
        Ok(store)
    }

    /// Says whether a store can be opened at a place, as far as that is known without its key: nothing is there yet, or a database.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoDatabase`].
    pub fn look(location: &Location) -> Result<(), StoreError> {
        database::require_database(location)
    }

    /// Says where the store is.
    pub fn location(&self) -> &Location {
        &self.inner.location
    }

    /// Closes the file. What is called after this fails.
    pub async fn close(&self) {
        self.memory().forget();
        self.inner.database.close().await;
    }

    pub(crate) async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.inner.database.write().await?)
    }

    pub(crate) async fn read(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.inner.database.read().await?)
    }

    pub(crate) fn database(&self) -> &Database {
        &self.inner.database
    }

    pub(crate) fn known(&self) -> &decisions::Known {
        &self.inner.known
    }

    pub(crate) fn memory(&self) -> &Remembered {
        &self.inner.memory
    }

    pub(crate) fn keys(&self) -> &DataKeys {
        &self.inner.keys
    }

    /// The time in milliseconds.
    pub(crate) fn now(&self) -> i64 {
        self.inner.clock.now().as_millisecond()
    }

    pub(crate) async fn seal(
        &self,
        tx: &mut SqliteConnection,
        place: Place<'_>,
        value: &[u8],
    ) -> Result<Sealed, StoreError> {
        self.keys().seal(tx, place, value).await
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("location", &self.inner.location)
            .finish_non_exhaustive()
    }
}

/// Takes a time out of a row.
pub(crate) fn time(millisecond: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(millisecond)
        .map_err(|error| StoreError::damaged("time", &millisecond.to_string(), error))
}

/// Makes 256 random bits, in characters that stand in a URL or a cookie as they are.
pub(crate) fn random_secret() -> Result<SecretString, StoreError> {
    let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
    getrandom::fill(&mut *bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(*bytes).into())
}

/// Makes an id that nobody guesses.
pub(crate) fn random_id() -> Result<String, StoreError> {
    let mut bytes = [0; ID_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
