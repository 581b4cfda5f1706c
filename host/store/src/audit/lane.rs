//! A lane as its holder writes it.
//!
//! Records are written where they are asked for, under a lock: handing one to the operating system takes a few microseconds,
//! less than waking another thread. A record that nothing hangs on waits in memory for the next that may not, and goes in the same
//! write ([`Hand::Later`]). A sync takes far longer, so those who need one wait in a queue: whoever comes to its
//! front syncs for all that is written by then, and who finds its record synced already goes on.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::chain::LogKey;
use super::error::AuditError;
use super::frame;
use super::keys::LogKeys;
use super::payload::Draft;
use super::segment::{self, HEADER_LEN, Header, Position, SEGMENT_BYTES};
use crate::error::StoreError;
use crate::private;

/// Blocks are written with zeros ahead of the records, so many bytes at least: a sync of a file that does not grow need not write
/// where its blocks are.
const AHEAD_BYTES_MIN: u64 = 64 << 10;

/// And so many at most.
const AHEAD_BYTES_MAX: u64 = 1 << 20;

/// After this a segment is followed by the next, however small, so that old ones can be removed.
const SEGMENT_LASTS_US: i64 = 24 * 3_600 * 1_000_000;

/// How long a moment is: a call that begins sends its first request within it.
const MOMENT: Duration = Duration::from_micros(200);

/// Bytes of records that wait for the next, at most.
const WAITING_BYTES_MAX: usize = 64 << 10;

/// When a record is handed to the operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hand {
    /// With the next that is handed over at once, or by who keeps the head.
    Later,
    /// At once, with all that wait.
    Now,
    /// At once, and only if the file is still the one at its place: for something hangs on it.
    Gate,
    /// At once, and only if the file was the one at its place a moment ago.
    GateAgain,
}

/// A lane that this process holds.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) number: u32,
    folder: PathBuf,
    keys: Arc<LogKeys>,
    /// Held for as long as this is.
    lock: File,
    tail: Mutex<Tail>,
    /// Who may sync.
    turn: tokio::sync::Mutex<()>,
    /// The number of the last record that is on disk.
    synced: AtomicU64,
}

/// The end of a lane.
#[derive(Debug)]
struct Tail {
    /// None: the lane has no segment yet.
    open: Option<Open>,
    at: Position,
    /// Why nothing can be written any more.
    failed: Option<String>,
    /// Records before `at` that are not handed over yet.
    waiting: Vec<u8>,
    /// The number of the last that is.
    handed: u64,
    /// To make a record in.
    payload: Vec<u8>,
    /// When it was last seen that the file is the one at its place.
    in_place: Option<Instant>,
}

/// The segment that is written.
#[derive(Debug)]
struct Open {
    file: Arc<File>,
    path: PathBuf,
    key: Arc<LogKey>,
    begun_ms: i64,
    /// Bytes of the file, with the zeros ahead.
    length: u64,
    id: FileId,
}

/// What tells a file from another that is put in its place.
type FileId = (u64, u64);

impl Lane {
    /// Takes a lane at its end, whose lock is held.
    pub(super) fn new(
        number: u32,
        folder: &Path,
        keys: Arc<LogKeys>,
        lock: File,
        at: Position,
        header: Option<Header>,
    ) -> Result<Self, AuditError> {
        let open = match header {
            Some(header) => {
                let path = segment::path(folder, number, header.segment);
                let mut file = File::options()
                    .read(true)
                    .write(true)
                    .open(&path)
                    .map_err(AuditError::file(&path, "written"))?;
                let length = file
                    .seek(SeekFrom::End(0))
                    .and_then(|length| file.seek(SeekFrom::Start(at.offset)).map(|_| length))
                    .map_err(AuditError::file(&path, "written"))?;
                Some(Open {
                    id: id_of(&file).map_err(AuditError::file(&path, "read"))?,
                    file: Arc::new(file),
                    path,
                    key: keys.get(header.key).ok_or_else(|| {
                        AuditError::Failed(format!("the key {} is not there", header.key))
                    })?,
                    begun_ms: header.begun_ms,
                    length,
                })
            }
            None => None,
        };
        Ok(Self {
            number,
            folder: folder.to_owned(),
            keys,
            lock,
            tail: Mutex::new(Tail {
                open,
                at,
                failed: None,
                waiting: Vec::new(),
                handed: at.number,
                payload: Vec::new(),
                in_place: None,
            }),
            turn: tokio::sync::Mutex::new(()),
            synced: AtomicU64::new(0),
        })
    }

    /// Adds a record and gives its number.
    pub(super) fn append(&self, draft: &Draft, at_us: i64, hand: Hand) -> Result<u64, StoreError> {
        let mut tail = self.tail();
        if let Some(problem) = &tail.failed {
            return Err(AuditError::Failed(problem.clone()).into());
        }
        let bytes = (frame::HEAD_LEN + draft.bytes_max()) as u64;
        if hand == Hand::Gate || hand == Hand::GateAgain && !tail.was_in_place() {
            tail.require_place()?;
        }
        let is_over = tail.open.as_ref().is_none_or(|open| {
            let is_old =
                at_us.saturating_sub(open.begun_ms.saturating_mul(1_000)) > SEGMENT_LASTS_US;
            let is_full = tail.at.offset + bytes > SEGMENT_BYTES;
            let has_any = tail.at.offset > HEADER_LEN as u64;
            has_any && (is_full || is_old)
        });
        if is_over {
            tail.begin(self.number, &self.folder, &self.keys, at_us / 1_000)?;
        }
        tail.write(self.number, draft, hand)
    }

    /// Hands over what waits.
    pub(super) fn hand_over(&self) -> Result<(), AuditError> {
        self.tail().hand_over()
    }

    /// Waits until a record is on disk.
    pub(super) async fn sync(&self, number: u64) -> Result<(), AuditError> {
        let _turn = self.turn.lock().await;
        if self.synced.load(Ordering::Acquire) >= number {
            return Ok(());
        }
        let (file, path, written) = {
            let tail = self.tail();
            if let Some(problem) = &tail.failed {
                return Err(AuditError::Failed(problem.clone()));
            }
            let Some(open) = &tail.open else {
                return Ok(());
            };
            (Arc::clone(&open.file), open.path.clone(), tail.handed)
        };
        let synced = tokio::task::spawn_blocking(move || file.sync_data()).await;
        let synced = synced.unwrap_or_else(|error| Err(io::Error::other(error)));
        if let Err(error) = synced {
            // What of it is on disk nobody knows: trying again would say that all is well.
            let mut tail = self.tail();
            tail.failed = Some(error.to_string());
            return Err(AuditError::file(&path, "synced")(error));
        }
        self.synced.fetch_max(written, Ordering::Release);
        Ok(())
    }

    /// Hands over what waits, and gives the lane's end and the key that it is written with; none where it has no segment yet.
    pub(super) fn head(&self) -> Result<Option<(Position, Arc<LogKey>)>, AuditError> {
        let mut tail = self.tail();
        tail.hand_over()?;
        let open = tail.open.as_ref();
        Ok(open.map(|open| (tail.at, Arc::clone(&open.key))))
    }

    /// Hands over what waits, cuts the zeros ahead off, syncs, and writes nothing more.
    pub(super) fn close(&self) -> Result<Option<(Position, Arc<LogKey>)>, AuditError> {
        let mut tail = self.tail();
        tail.hand_over()?;
        let at = tail.at;
        let Some(open) = &tail.open else {
            return Ok(None);
        };
        let path = &open.path;
        open.file
            .set_len(at.offset)
            .and_then(|()| open.file.sync_all())
            .map_err(AuditError::file(path, "closed"))?;
        let head = (at, Arc::clone(&open.key));
        tail.failed
            .get_or_insert_with(|| "the log was closed".to_owned());
        Ok(Some(head))
    }

    /// Lets another process have the lane.
    pub(super) fn release(&self) {
        // One that cannot be unlocked is unlocked with its file.
        let _ = self.lock.unlock();
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        // Whoever panicked has not moved the end on.
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tail {
    /// Refuses where the file at the segment's place is another one, or shorter than what was written: who removed or moved the
    /// folder would else have calls that nobody can read about.
    fn require_place(&mut self) -> Result<(), AuditError> {
        let Some(open) = &self.open else {
            return Ok(());
        };
        self.in_place = None;
        let gone = || AuditError::Gone {
            path: open.path.clone(),
        };
        let there = std::fs::metadata(&open.path).map_err(|_| gone())?;
        let handed = self.at.offset - self.waiting.len() as u64;
        if there.len() < handed || id_in(&there) != open.id {
            return Err(gone());
        }
        self.in_place = Some(Instant::now());
        Ok(())
    }

    /// Says whether that was looked at a moment ago, and was so.
    fn was_in_place(&self) -> bool {
        self.in_place.is_some_and(|seen| seen.elapsed() < MOMENT)
    }

    /// Ends the segment, if there is one, and begins the next.
    fn begin(
        &mut self,
        lane: u32,
        folder: &Path,
        keys: &LogKeys,
        now_ms: i64,
    ) -> Result<(), AuditError> {
        self.hand_over()?;
        if let Some(open) = &self.open {
            open.file
                .set_len(self.at.offset)
                .and_then(|()| open.file.sync_all())
                .map_err(AuditError::file(&open.path, "ended"))?;
        }
        let key = keys.newest();
        let key = key.ok_or_else(|| AuditError::Failed("there is no key".to_owned()))?;
        let header = Header {
            lane,
            segment: self.at.segment + 1,
            key: key.id(),
            first: self.at.number + 1,
            begun_ms: now_ms,
            before: self.at.tag,
        };
        let (bytes, tag) = header.write(&key);
        let path = segment::path(folder, lane, header.segment);
        let mut file = match private::create(&path) {
            Ok(file) => file,
            // Left by a beginning that failed: nothing was written after it.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => File::options()
                .write(true)
                .open(&path)
                .map_err(AuditError::file(&path, "begun"))?,
            Err(error) => return Err(AuditError::file(&path, "begun")(error)),
        };
        file.set_len(0)
            .and_then(|()| file.write_all(&bytes))
            .and_then(|()| file.sync_all())
            .and_then(|()| sync_folder(folder))
            .map_err(AuditError::file(&path, "begun"))?;
        let id = id_of(&file).map_err(AuditError::file(&path, "begun"))?;
        self.at = Position {
            segment: header.segment,
            offset: bytes.len() as u64,
            number: self.at.number,
            tag,
        };
        self.open = Some(Open {
            id,
            file: Arc::new(file),
            path,
            key,
            begun_ms: now_ms,
            length: bytes.len() as u64,
        });
        Ok(())
    }

    fn write(&mut self, lane: u32, draft: &Draft, hand: Hand) -> Result<u64, StoreError> {
        let Some(open) = &self.open else {
            return Err(AuditError::Failed("there is no segment".to_owned()).into());
        };
        let (before, waiting) = (self.at, self.waiting.len());
        let number = before.number + 1;
        self.payload.clear();
        draft.write(&mut self.payload, &open.key, lane, number)?;
        self.at.tag = frame::write(
            &mut self.waiting,
            &open.key,
            lane,
            &before.tag,
            number,
            &self.payload,
        );
        self.at.offset += (self.waiting.len() - waiting) as u64;
        self.at.number = number;
        // One large record does not keep its memory.
        self.payload.shrink_to(BUFFER_BYTES_KEPT);
        if hand == Hand::Later && self.waiting.len() <= WAITING_BYTES_MAX {
            return Ok(number);
        }
        if let Err(error) = self.hand_over() {
            // Who asked is told. What waited before goes on waiting: those who asked for that were told that it will be there.
            self.waiting.truncate(waiting);
            self.at = before;
            return Err(error.into());
        }
        Ok(number)
    }

    /// Writes what waits, in one piece.
    fn hand_over(&mut self) -> Result<(), AuditError> {
        let Some(open) = self.open.as_mut().filter(|_| !self.waiting.is_empty()) else {
            return Ok(());
        };
        if let Some(problem) = &self.failed {
            return Err(AuditError::Failed(problem.clone()));
        }
        let bytes = self.waiting.len() as u64;
        let from = self.at.offset - bytes;
        let written = open.make_room(from, bytes).and_then(|()| {
            let mut file = &*open.file;
            file.write_all(&self.waiting)
        });
        if let Err(error) = written {
            // What was written of it is taken back; where even that fails, nobody knows what is there.
            let end = open.file.set_len(from).and_then(|()| {
                let mut file = &*open.file;
                file.seek(SeekFrom::Start(from))
            });
            match end {
                Ok(_) => open.length = from,
                Err(error) => self.failed = Some(error.to_string()),
            }
            return Err(AuditError::file(&open.path, "written")(error));
        }
        self.handed = self.at.number;
        self.waiting.clear();
        self.waiting.shrink_to(BUFFER_BYTES_KEPT);
        Ok(())
    }
}

const BUFFER_BYTES_KEPT: usize = 64 << 10;

impl Open {
    /// Writes zeros ahead where there is no room for a record.
    fn make_room(&mut self, offset: u64, bytes: u64) -> io::Result<()> {
        if offset + bytes <= self.length {
            return Ok(());
        }
        let ahead = (self.length / 4).clamp(AHEAD_BYTES_MIN, AHEAD_BYTES_MAX);
        let length = (offset + bytes).max((self.length + ahead).min(SEGMENT_BYTES));
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(self.length))?;
        let zeros = [0; 16 << 10];
        let mut left = length - self.length;
        while left > 0 {
            let part = left.min(zeros.len() as u64);
            file.write_all(&zeros[..usize::try_from(part).unwrap_or(zeros.len())])?;
            left -= part;
        }
        file.seek(SeekFrom::Start(offset))?;
        self.length = length;
        Ok(())
    }
}

fn id_of(file: &File) -> io::Result<FileId> {
    file.metadata().map(|metadata| id_in(&metadata))
}

#[cfg(unix)]
fn id_in(metadata: &std::fs::Metadata) -> FileId {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

/// Elsewhere an open file cannot be replaced.
#[cfg(not(unix))]
fn id_in(_: &std::fs::Metadata) -> FileId {
    (0, 0)
}

/// Makes a new file's name last.
fn sync_folder(folder: &Path) -> io::Result<()> {
    match cfg!(unix) {
        true => File::open(folder)?.sync_all(),
        false => Ok(()),
    }
}
