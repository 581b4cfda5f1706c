//! Moments of the database's file: between two that are equal nothing was committed, by nobody.
//!
//! A call asks the file what the call before it asked, and each question goes to another thread and back. So what was read is
//! [remembered](crate::remembered) for as long as the moment is the same.
//!
//! In WAL mode every connection of every process to a file shares the memory of the file whose name ends in `-shm`. It begins with a
//! header that each commit changes, which is when the commit is there for those who read (SQLite, "WAL-mode File Format", 2.1, "The
//! WAL-Index Header"). It is there twice, and a writer changes the second copy first: where the two differ a commit is under way, and
//! where they are equal it is the header that SQLite itself would go by. Here it is read from the file, which is the same memory where the
//! system has files in one cache.
//!
//! Dangers, and what is done:
//!
//! - A file of that name that nobody uses, as beside a link, or a system whose reads do not see what is written by way of memory: both would
//!   stand still for ever. So nothing is believed before a commit was [seen](Moments::show).
//! - SQLite's locks are the process's (`fcntl`), and closing *any* of its descriptors of a file lets go of them: so a descriptor that was
//!   opened here stays open for as long as the file has a name.
//! - The file is removed with its last connection, and made anew with the next, when its header may be what it was before: so a moment knows which
//!   file it is of, and one that has no name any more tells none. An empty log's header says nothing, and is no moment either.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

/// One moment of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The file: each that is opened has a number of its own.
    file: u64,
    header: [u8; HEADER],
}

/// Bytes of the header.
const HEADER: usize = 48;

/// Whether the header is in use: its byte at this place is 1.
const IS_INIT: usize = 12;

/// How many frames the log has: a number of four bytes in the machine's order.
const FRAMES: std::ops::Range<usize> = 16..20;

/// Where the moments of one database are told.
#[derive(Debug)]
pub(crate) struct Moments {
    shared: here::Shared,
    is_shown: AtomicBool,
}

impl Moments {
    /// Takes the path of a database, free of links. It tells none before a commit was [seen](Self::show).
    pub(crate) fn of(database: PathBuf) -> Self {
        let mut name = database.into_os_string();
        name.push("-shm");
        Self {
            shared: here::Shared::at(name.into()),
            is_shown: AtomicBool::new(false),
        }
    }

    /// Sees whether a commit is another moment, and believes it from then on.
    pub(crate) async fn show<E>(
        &self,
        commit: impl Future<Output = Result<(), E>>,
    ) -> Result<(), E> {
        let before = self.read();
        commit.await?;
        let after = self.read();
        let is_shown = after.is_some() && after != before;
        self.is_shown.store(is_shown, Ordering::Release);
        Ok(())
    }

    /// Gives the moment that it is now; none where that cannot be told, as while something is being committed.
    pub(crate) fn now(&self) -> Option<Moment> {
        match self.is_shown.load(Ordering::Acquire) {
            true => self.read(),
            false => None,
        }
    }

    fn read(&self) -> Option<Moment> {
        let (file, twice) = self.shared.begins::<{ 2 * HEADER }>()?;
        let (first, second) = twice.split_at(HEADER);
        let header: [u8; HEADER] = first.try_into().ok()?;
        let is_empty = header[FRAMES] == [0; 4];
        (first == second && header[IS_INIT] == 1 && !is_empty).then_some(Moment { file, header })
    }
}

#[cfg(target_os = "linux")]
mod here {
    use std::fs::{self, File};
    use std::os::unix::fs::{FileExt, MetadataExt};
    use std::path::{Path, PathBuf};
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Arc, Mutex, PoisonError};

    /// A file whose beginning is read again and again.
    #[derive(Debug)]
    pub(super) struct Shared {
        path: PathBuf,
        open: Mutex<Option<Arc<Open>>>,
    }

    /// A file that is open.
    #[derive(Debug)]
    struct Open {
        number: u64,
        file: File,
    }

    impl Open {
        fn has_name(&self) -> bool {
            self.file.metadata().is_ok_and(|file| file.nlink() > 0)
        }
    }

    impl Shared {
        pub(super) fn at(path: PathBuf) -> Self {
            Self {
                path,
                open: Mutex::default(),
            }
        }

        /// Gives the file's number and its first bytes.
        pub(super) fn begins<const N: usize>(&self) -> Option<(u64, [u8; N])> {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            if open.as_ref().is_none_or(|open| !open.has_name()) {
                *open = find(&self.path);
            }
            let open = open.as_ref()?;
            let mut begins = [0; N];
            open.file.read_exact_at(&mut begins, 0).ok()?;
            Some((open.number, begins))
        }
    }

    /// What this process has open, one of each file: see above for why none is closed while it has a name.
    static ALL: Mutex<Vec<Arc<Open>>> = Mutex::new(Vec::new());

    static NUMBERS: AtomicU64 = AtomicU64::new(0);

    fn find(path: &Path) -> Option<Arc<Open>> {
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|open| open.has_name());
        let there = fs::metadata(path).ok()?;
        let is_there = |open: &&Arc<Open>| {
            let known = open.file.metadata();
            known.is_ok_and(|known| (known.dev(), known.ino()) == (there.dev(), there.ino()))
        };
        if let Some(open) = all.iter().find(is_there) {
            return Some(Arc::clone(open));
        }
        let open = Arc::new(Open {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            file: File::open(path).ok()?,
        });
        all.push(Arc::clone(&open));
        Some(open)
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

        pub(super) fn begins<const N: usize>(&self) -> Option<(u64, [u8; N])> {
            None
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::path::{Path, PathBuf};

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
                let moments = shown(&file, &mut connections[0]).await;
                let mut met = vec![moments.now()];
                for (by, what) in does {
                    let before = moments.now();
                    connections[by].execute(DOES[what]).await.unwrap();
                    let after = moments.now();
                    if what >= 4 {
                        assert!(after.is_some() && !met.contains(&after), "{} is no moment of its own", DOES[what]);
                        met.push(after);
                    } else if what < 2 {
                        assert_eq!(before, after, "{} commits nothing", DOES[what]);
                    }
                }
            });
        }
    }

    async fn insert(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let inserted = connection.execute("INSERT INTO t VALUES (1)").await;
        inserted.map(drop)
    }

    async fn shown(file: &Path, by: &mut SqliteConnection) -> Moments {
        let moments = Moments::of(file.to_owned());
        moments.show(insert(by)).await.unwrap();
        assert!(moments.now().is_some());
        moments
    }

    #[tokio::test]
    async fn a_file_that_was_made_anew_tells_other_moments() {
        let (_folder, file) = file();
        let mut connection = connect(&file).await;
        let moments = shown(&file, &mut connection).await;
        let mut met = vec![moments.now()];
        for _ in 0..3 {
            connection.close().await.unwrap();
            assert_eq!(moments.now(), None, "nobody has it open");
            connection = connect(&file).await;
            // What is there now may be what was there before the last commit.
            assert!(moments.now().is_none() || !met.contains(&moments.now()));
            insert(&mut connection).await.unwrap();
            assert!(moments.now().is_some() && !met.contains(&moments.now()));
            met.push(moments.now());
        }
    }

    #[tokio::test]
    async fn a_file_that_nobody_uses_tells_nothing() {
        let (folder, file) = file();
        let mut connection = connect(&file).await;
        insert(&mut connection).await.unwrap();
        // The attack: what a database that was moved left behind, beside a link to where it is now.
        let elsewhere = folder.path().join("link.db");
        std::os::unix::fs::symlink(&file, &elsewhere).unwrap();
        std::fs::copy(
            folder.path().join("a.db-shm"),
            folder.path().join("link.db-shm"),
        )
        .unwrap();
        let moments = Moments::of(elsewhere);
        moments.show(insert(&mut connection)).await.unwrap();
        assert_eq!(moments.now(), None);
        // A commit that is none shows nothing.
        let moments = Moments::of(file);
        moments
            .show(async { Ok::<_, sqlx::Error>(()) })
            .await
            .unwrap();
        assert_eq!(moments.now(), None);
    }
}
