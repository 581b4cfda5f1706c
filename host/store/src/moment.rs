//! Moments of the database's file: between two that are equal nothing was committed, by nobody.
//!
//! A call asks the file what the call before it asked, and each question goes to another thread and back. So what was read is
//! [remembered](crate::remembered) for as long as the moment is the same.
//!
//! In WAL mode every connection of every process to a file shares the memory of the file whose name ends in `-shm`. It begins with a
//! header that each commit changes, which is when the commit is there for those who read (SQLite, "WAL-mode File Format", 2.1, "The
//! WAL-Index Header"). It is there twice, and a writer changes the second copy first: where the two differ a commit is under way, and
//! where they are equal it is the header that SQLite itself would go by. Here it is read from the file, which on Linux is the same memory.
//!
//! Two dangers. SQLite's locks are the process's (`fcntl`), and closing *any* of its descriptors of a file lets go of them: so a descriptor that
//! was opened here stays open for as long as the file has a name. And the file is removed with its last connection, and made
//! anew with the next: so one that has no name any more tells no moment.

use std::path::Path;

/// One moment of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment([u8; HEADER]);

/// Bytes of the header.
const HEADER: usize = 48;

/// Whether the header is in use: its byte at this place is 1.
const IS_INIT: usize = 12;

/// Where the moments of one database are told.
#[derive(Debug)]
pub(crate) struct Moments {
    shared: here::Shared,
}

impl Moments {
    /// Takes the path of a database, which need not be there yet.
    pub(crate) fn of(database: &Path) -> Self {
        let mut name = database.as_os_str().to_owned();
        name.push("-shm");
        Self {
            shared: here::Shared::at(name.into()),
        }
    }

    /// Gives the moment that it is now; none where that cannot be told, as while something is being committed.
    pub(crate) fn now(&self) -> Option<Moment> {
        let twice: [u8; 2 * HEADER] = self.shared.begins()?;
        let (first, second) = twice.split_at(HEADER);
        let header: [u8; HEADER] = first.try_into().ok()?;
        (first == second && header[IS_INIT] == 1).then_some(Moment(header))
    }
}

#[cfg(target_os = "linux")]
mod here {
    use std::fs::{self, File};
    use std::os::unix::fs::{FileExt, MetadataExt};
    use std::path::PathBuf;
    use std::sync::{Arc, Mutex, PoisonError};

    /// A file whose beginning is read again and again.
    #[derive(Debug)]
    pub(super) struct Shared {
        path: PathBuf,
        file: Mutex<Option<Arc<File>>>,
    }

    impl Shared {
        pub(super) fn at(path: PathBuf) -> Self {
            Self {
                path,
                file: Mutex::default(),
            }
        }

        pub(super) fn begins<const N: usize>(&self) -> Option<[u8; N]> {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            if file.as_ref().is_none_or(|file| !has_name(file)) {
                *file = open(&self.path);
            }
            let mut begins = [0; N];
            file.as_ref()?.read_exact_at(&mut begins, 0).ok()?;
            Some(begins)
        }
    }

    /// What this process has open, one of each file: see above for why none is closed while it has a name.
    static OPEN: Mutex<Vec<Arc<File>>> = Mutex::new(Vec::new());

    fn open(path: &PathBuf) -> Option<Arc<File>> {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|file| has_name(file));
        let there = fs::metadata(path).ok()?;
        let is_there = |file: &&Arc<File>| {
            let known = file.metadata();
            known.is_ok_and(|known| (known.dev(), known.ino()) == (there.dev(), there.ino()))
        };
        if let Some(file) = open.iter().find(is_there) {
            return Some(Arc::clone(file));
        }
        let file = Arc::new(File::open(path).ok()?);
        open.push(Arc::clone(&file));
        Some(file)
    }

    fn has_name(file: &File) -> bool {
        file.metadata().is_ok_and(|file| file.nlink() > 0)
    }
}

#[cfg(not(target_os = "linux"))]
mod here {
    use std::path::PathBuf;

    /// Elsewhere nothing is known of how a file's bytes and its shared memory go together.
    #[derive(Debug)]
    pub(super) struct Shared;

    impl Shared {
        pub(super) fn at(_: PathBuf) -> Self {
            Self
        }

        pub(super) fn begins<const N: usize>(&self) -> Option<[u8; N]> {
            None
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;
    use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};
    use sqlx::{ConnectOptions, Connection, Executor};
    use tempfile::TempDir;

    use super::*;

    async fn connect(file: &PathBuf) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(file);
        let options = options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        let mut connection = options.connect().await.unwrap();
        connection
            .execute("CREATE TABLE IF NOT EXISTS t (x)")
            .await
            .unwrap();
        connection
    }

    fn file() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.db");
        (folder, file)
    }

    /// What a connection does; the last three commit.
    const DOES: [&str; 7] = [
        "SELECT count(*) FROM t",
        "BEGIN; INSERT INTO t VALUES (1); ROLLBACK",
        "PRAGMA wal_checkpoint(PASSIVE)",
        "PRAGMA wal_checkpoint(TRUNCATE)",
        "INSERT INTO t VALUES (1)",
        "BEGIN IMMEDIATE; DELETE FROM t; INSERT INTO t VALUES (2); COMMIT",
        "UPDATE t SET x = x + 1; INSERT INTO t VALUES (3)",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn each_commit_of_whichever_connection_is_another_moment(
            does in proptest::collection::vec((0..2_usize, 0..DOES.len()), 1..40),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let (_folder, file) = file();
                let mut connections = [connect(&file).await, connect(&file).await];
                let moments = Moments::of(&file);
                let mut met = vec![moments.now().unwrap()];
                for (by, what) in does {
                    let before = moments.now().unwrap();
                    connections[by].execute(DOES[what]).await.unwrap();
                    let after = moments.now().unwrap();
                    if what >= 4 {
                        assert!(!met.contains(&after), "{} is no moment of its own", DOES[what]);
                        met.push(after);
                    } else if what < 2 {
                        assert_eq!(before, after, "{} commits nothing", DOES[what]);
                    }
                }
            });
        }
    }

    #[tokio::test]
    async fn a_file_that_was_made_anew_is_told_by_its_own_header() {
        let (_folder, file) = file();
        let moments = Moments::of(&file);
        assert_eq!(moments.now(), None, "there is no file");
        let connection = connect(&file).await;
        let first = moments.now().unwrap();
        connection.close().await.unwrap();
        assert_eq!(moments.now(), None, "nobody has it open");
        let mut connection = connect(&file).await;
        connection
            .execute("INSERT INTO t VALUES (1)")
            .await
            .unwrap();
        let second = moments.now().unwrap();
        assert_ne!(first, second);
        connection
            .execute("INSERT INTO t VALUES (2)")
            .await
            .unwrap();
        assert_ne!(moments.now().unwrap(), second);
    }
}
