//! The SQLite file: one connection that writes, a few that read.
//!
//! In SQLite one writes at a time. A writer of this process waits in a queue, fairly, and only for other processes in SQLite's
//! own way of trying again. Every commit is synced (`synchronous=FULL`): a token that a service has rotated is nowhere else.

use std::fs::File;
use std::io::Read;
use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::query::Query;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteRow, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Sqlite, SqliteConnection, Transaction};

use crate::address::Location;
use crate::error::StoreError;
use crate::{migrations, private};

/// How long a write waits for one of another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a store is tried to be opened while another process makes it.
pub(crate) const OPEN_TRIES: u32 = 50;

/// The pause between two tries.
pub(crate) const OPEN_PAUSE: Duration = Duration::from_millis(50);

/// Connections that read at the same time.
const READERS_MAX: u32 = 4;

/// Turns that a read waits for a connection that is on its way back: a fraction of what opening another takes.
pub(crate) const TURNS_MAX: u32 = 64;

/// The store's file, open.
pub(crate) struct Database {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Database {
    /// Opens the file; it and its folder are made where they are missing.
    pub(crate) async fn open(location: &Location) -> Result<Self, StoreError> {
        private::folder(location.folder())?;
        private::file(location.file())?;
        require_database(location)?;
        let options = SqliteConnectOptions::new()
            .filename(location.file())
            .create_if_missing(false)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            // What is deleted is overwritten, and a file's schema runs no functions with effects.
            .pragma("secure_delete", "ON")
            .pragma("trusted_schema", "OFF")
            .disable_statement_logging();
        let pool = || {
            SqlitePoolOptions::new()
                .test_before_acquire(false)
                .max_lifetime(None)
        };
        let writer = connect(pool().idle_timeout(None).max_connections(1), &options).await;
        let writer = writer.map_err(|source| StoreError::Open {
            path: location.file().display().to_string(),
            source,
        })?;
        let readers = pool()
            .max_connections(READERS_MAX)
            .connect_lazy_with(options.pragma("query_only", "ON"));
        Ok(Self { writer, readers })
    }

    /// Begins a transaction that writes: nobody else does until it ends.
    pub(crate) async fn write(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.writer.begin_with("BEGIN IMMEDIATE").await
    }

    /// Begins a transaction that reads, all of it at one moment.
    pub(crate) async fn read(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        comes_back(&self.readers, TURNS_MAX).await;
        self.readers.begin().await
    }

    /// Reads one row, if there is one, in one statement, which is one moment by itself.
    pub(crate) async fn read_one(
        &self,
        query: Query<'_, Sqlite, SqliteArguments>,
    ) -> Result<Option<SqliteRow>, sqlx::Error> {
        comes_back(&self.readers, TURNS_MAX).await;
        query.fetch_optional(&self.readers).await
    }

    /// Moves what the write-ahead log holds into the file and empties it, as far as no reader needs it.
    pub(crate) async fn checkpoint(&self) -> Result<(), sqlx::Error> {
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&self.writer)
            .await
            .map(drop)
    }

    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Waits a moment for a connection, where there are any. A transaction that ends gives its own back by a task, so that who reads one thing
/// after the other would open as many as there may be, each of which reads the schema and keeps it.
pub(crate) async fn comes_back(pool: &SqlitePool, turns_max: u32) {
    for _ in 0..turns_max {
        if pool.size() == 0 || pool.num_idle() > 0 {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// How an SQLite file begins (SQLite, "Database File Format", 1.3).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Refuses a file that is there, has something in it, and is no database. Asked before the key is: a key that is missing for what was
/// never a store is not what is wrong.
pub(crate) fn require_database(location: &Location) -> Result<(), StoreError> {
    let mut begins = Vec::with_capacity(MAGIC.len());
    // What cannot be read is told by who opens it.
    let read = File::open(location.file())
        .and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut begins));
    match read {
        Ok(bytes) if bytes > 0 && begins != MAGIC => Err(StoreError::NoDatabase {
            path: location.file().display().to_string(),
        }),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Connects. While another process makes the file, SQLite answers that it is busy without waiting.
async fn connect(
    pool: SqlitePoolOptions,
    options: &SqliteConnectOptions,
) -> Result<SqlitePool, sqlx::Error> {
    let mut tries = 0;
    loop {
        match pool.clone().connect_with(options.clone()).await {
            Err(error) if is_busy(&error) && tries < OPEN_TRIES => tries += 1,
            connected => return connected,
        }
        tokio::time::sleep(OPEN_PAUSE).await;
    }
}

/// Says whether another process holds the file (`SQLITE_BUSY` with its extended codes).
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.and_then(|code| code.parse::<u32>().ok())
        .is_some_and(|code| code & 0xff == 5)
}

/// Brings the schema to this program's version, in the transaction.
pub(crate) async fn migrate(
    tx: &mut SqliteConnection,
    location: &Location,
) -> Result<(), StoreError> {
    let path = || location.file().display().to_string();
    let open = |source| StoreError::Open {
        path: path(),
        source,
    };
    let tables: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema")
        .fetch_all(&mut *tx)
        .await
        .map_err(open)?;
    if !tables.is_empty() && !tables.iter().any(|table| table == "_sqlx_migrations") {
        return Err(StoreError::Foreign { path: path() });
    }
    let migrator = migrations::migrator();
    let known = migrator.iter().map(|one| one.version).max().unwrap_or(0);
    match migrator.run_direct(None, tx, false).await {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(version)) if version > known => Err(StoreError::Newer {
            path: path(),
            version,
            known,
        }),
        Err(source) => Err(StoreError::Migration {
            path: path(),
            source,
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    /// Without the wait it takes four connections.
    #[tokio::test]
    async fn who_reads_one_thing_after_the_other_takes_one_connection() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::in_folder(folder.path().join("data"));
        let database = Database::open(&location).await.unwrap();
        for _ in 0..20 {
            // However long the machine takes.
            comes_back(&database.readers, u32::MAX).await;
            let mut tx = database.readers.begin().await.unwrap();
            sqlx::query("SELECT 1").execute(&mut *tx).await.unwrap();
        }
        assert_eq!(database.readers.size(), 1);
        database.close().await;
    }

    #[tokio::test]
    async fn those_who_read_at_the_same_time_have_a_connection_each() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::in_folder(folder.path().join("data"));
        let database = Database::open(&location).await.unwrap();
        let first = database.read().await.unwrap();
        let second = database.read().await.unwrap();
        assert_eq!(database.readers.size(), 2);
        drop((first, second));
        database.close().await;
    }
}
