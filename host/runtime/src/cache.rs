//! Compiled components, kept so that a start does not compile again.
//!
//! The attack: whoever can write into the cache's folder runs native code in the host. So the folder
//! belongs to the user that runs the host, is made with mode 0700, and is refused where others can write to it. A checksum at the end
//! of each file tells a torn or rotten file from a whole one; it does not protect against that user.
//!
//! The code is run where the file is mapped, so that only what runs is in memory. No file is ever written to again
//! once it has its name. Beside it is what the component said of itself, once that was checked.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use portcullis_policy::Digest;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::connector::Described;

/// Bytes of a checksum at the end of a cached file: at the end, since the engine maps the file from its beginning.
const CHECKSUM_BYTES: usize = 4;

/// Bytes that are read at a time to sum up a file: once megabytes were allocated and freed, glibc gives memory back to the system only by
/// as many.
const PIECE_BYTES: usize = 64 << 10;

/// After which a file of what a component said is taken away when another program says the same: each build of a program has its own.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3_600);

/// The form of these files. Programs of two forms do not find each other's.
const FORM: u32 = 2;

/// Where compiled components are kept.
#[derive(Clone, Debug)]
pub struct ComponentCache {
    folder: Option<PathBuf>,
    /// Which build of a program this is; none: that cannot be told, so that nothing is believed that another may have checked.
    build: Option<u64>,
}

impl ComponentCache {
    /// Keeps nothing: each start compiles.
    pub fn none() -> Self {
        Self {
            folder: None,
            build: None,
        }
    }

    /// Keeps compiled components in a folder, which is made where it is missing.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made, or others than its owner can write to it.
    pub fn in_folder(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        keep_to_owner(&folder)?;
        Ok(Self {
            folder: Some(folder),
            build: build(),
        })
    }

    /// Takes a component of which no more than its digest is known; none where it is not kept.
    pub(crate) fn find(&self, engine: &Engine, digest: Digest) -> Option<Component> {
        load(engine, &self.folder.as_ref()?.join(name(engine, digest)))
    }

    /// Takes what a component said when this build of this program inspected it; none where that is not kept.
    pub(crate) fn described(&self, digest: Digest) -> Option<Described> {
        let bytes = fs::read(self.described_path(digest)?).ok()?;
        let (said, checksum) = bytes.split_last_chunk::<CHECKSUM_BYTES>()?;
        let is_whole = crc32fast::hash(said).to_be_bytes() == *checksum;
        serde_json::from_slice(said).ok().filter(|_| is_whole)
    }

    /// Keeps what a component said, all of which was found to be usable.
    pub(crate) fn keep_described(&self, digest: Digest, described: &Described) {
        let Some(path) = self.described_path(digest) else {
            return;
        };
        let kept = serde_json::to_vec(described).map_err(io::Error::other);
        warn(&path, kept.and_then(|said| store(&path, &said)));
        let of_others = path.parent().map(|folder| tidy(folder, digest));
        if let Some(Err(error)) = of_others {
            tracing::debug!(%error, "what other programs kept was not tidied up");
        }
    }

    fn described_path(&self, digest: Digest) -> Option<PathBuf> {
        let (folder, build) = self.folder.as_ref().zip(self.build)?;
        Some(folder.join(format!("{digest}-{build:016x}.json")))
    }

    /// Compiles a component, or takes it from the cache. A cache that cannot be read or written costs
    /// time and nothing else.
    pub(crate) fn compile(
        &self,
        engine: &Engine,
        digest: Digest,
        bytes: &[u8],
    ) -> wasmtime::Result<Component> {
        let Some(folder) = &self.folder else {
            return Component::new(engine, bytes);
        };
        if let Some(component) = self.find(engine, digest) {
            return Ok(component);
        }
        let path = folder.join(name(engine, digest));
        let component = Component::new(engine, bytes)?;
        let kept = component.serialize().map_err(io::Error::other);
        warn(&path, kept.and_then(|compiled| store(&path, &compiled)));
        Ok(component)
    }
}

fn warn(path: &Path, kept: io::Result<()>) {
    if let Err(error) = kept {
        tracing::warn!(path = %path.display(), %error, "a compiled component was not kept");
    }
}

/// Says which build of a program this is, for another may check otherwise: by the version of this library, and by the file that runs,
/// down to when and where it was put there. A program that is loaded by another, such as by a script's interpreter, is told by the version alone.
///
/// The file is looked at once: a program that is replaced or removed while it runs stays the build that it is.
fn build() -> Option<u64> {
    static BUILD: OnceLock<Option<u64>> = OnceLock::new();
    *BUILD.get_or_init(build_of_file)
}

fn build_of_file() -> Option<u64> {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let file = std::env::current_exe().and_then(fs::metadata).ok()?;
    let mut hasher = DefaultHasher::new();
    (FORM, env!("CARGO_PKG_VERSION"), file.len()).hash(&mut hasher);
    file.modified().ok()?.hash(&mut hasher);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        (file.dev(), file.ino(), file.ctime(), file.ctime_nsec()).hash(&mut hasher);
    }
    Some(hasher.finish())
}

/// Removes what programs that nobody has used for long kept of a component.
fn tidy(folder: &Path, digest: Digest) -> io::Result<()> {
    let begins = format!("{digest}-");
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_such = name
            .to_str()
            .is_some_and(|name| name.starts_with(&begins) && name.ends_with(".json"));
        let age = || Ok::<_, io::Error>(entry.metadata()?.modified()?.elapsed());
        if is_such && age()?.is_ok_and(|age| age > KEPT) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Names a component's file after its bytes and after everything of the engine that its code depends on.
fn name(engine: &Engine, digest: Digest) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    FORM.hash(&mut hasher);
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{digest}-{:016x}.cwasm", hasher.finish())
}

/// Loads a compiled component; none where there is none, or it is not whole.
#[allow(
    unsafe_code,
    reason = "the one place where native code of an earlier run is taken up again"
)]
fn load(engine: &Engine, path: &Path) -> Option<Component> {
    if !is_whole(path).ok()? {
        return None;
    }
    // SAFETY: `store` wrote this file, which `serialize` had given: the folder is writable for the
    // user that runs the host alone (`keep_to_owner`), and the checksum says that the file is whole. A file that has
    // its name is replaced or removed, never changed, so what is mapped stays as it is. The
    // engine checks by itself that its version and settings are those that compiled.
    unsafe { Component::deserialize_file(engine, path) }.ok()
}

/// Says whether a file ends with the checksum of what is before it.
fn is_whole(path: &Path) -> io::Result<bool> {
    let mut file = fs::File::open(path)?;
    let Some(mut left) = file.metadata()?.len().checked_sub(CHECKSUM_BYTES as u64) else {
        return Ok(false);
    };
    let mut checksum = crc32fast::Hasher::new();
    let mut piece = vec![0; PIECE_BYTES];
    while left > 0 {
        let length = PIECE_BYTES.min(usize::try_from(left).unwrap_or(PIECE_BYTES));
        let piece = &mut piece[..length];
        file.read_exact(piece)?;
        checksum.update(piece);
        left -= length as u64;
    }
    let mut written = [0; CHECKSUM_BYTES];
    file.read_exact(&mut written)?;
    Ok(checksum.finalize().to_be_bytes() == written)
}

/// Writes a file in one step, so that no other process sees half of it.
fn store(path: &Path, kept: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension(format!("{:016x}.new", random()?));
    let written = fs::File::create_new(&temporary).and_then(|mut file| {
        file.write_all(kept)?;
        file.write_all(&crc32fast::hash(kept).to_be_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn random() -> io::Result<u64> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(u64::from_ne_bytes(bytes))
}

#[cfg(unix)]
fn keep_to_owner(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder);
    made?;
    let metadata = fs::metadata(folder)?;
    let refuse = |problem: &str| {
        let folder = folder.display();
        let kind = io::ErrorKind::PermissionDenied;
        Err(io::Error::new(
            kind,
            format!("the cache folder `{folder}` {problem}"),
        ))
    };
    if metadata.mode() & 0o022 != 0 {
        return refuse(
            "can be written to by others: empty it and `chmod 700` it, or choose another",
        );
    }
    // Whose files this process makes is who runs it.
    let probe = folder.join(format!("{:016x}.probe", random()?));
    let mine = fs::File::create_new(&probe).and_then(|file| file.metadata());
    let _ = fs::remove_file(&probe);
    match mine?.uid() == metadata.uid() {
        true => Ok(()),
        false => refuse("belongs to another user: choose one of your own"),
    }
}

#[cfg(not(unix))]
fn keep_to_owner(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    /// The smallest component: an empty one.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn what_was_compiled_is_found_again_and_what_rotted_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let cache = ComponentCache::in_folder(folder.path().join("cache")).unwrap();
        let engine = Engine::default();
        let digest = Digest::of(EMPTY);
        let path = folder.path().join("cache").join(name(&engine, digest));

        cache.compile(&engine, digest, EMPTY).unwrap();
        assert!(load(&engine, &path).is_some());

        let mut bytes = fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert!(load(&engine, &path).is_none());
        fs::write(&path, b"short").unwrap();
        assert!(load(&engine, &path).is_none());

        cache.compile(&engine, digest, EMPTY).unwrap();
        assert!(load(&engine, &path).is_some(), "a broken file is replaced");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn what_one_build_found_is_believed_by_no_other_and_ends() {
        let folder = tempfile::tempdir().unwrap();
        let cache = |build| ComponentCache {
            folder: Some(folder.path().to_owned()),
            build,
        };
        let digest = Digest::of(EMPTY);
        let described = || Described::default();
        cache(Some(1)).keep_described(digest, &described());
        assert!(cache(Some(1)).described(digest).is_some());
        for other in [Some(2), None] {
            assert!(cache(other).described(digest).is_none(), "{other:?}");
        }
        cache(None).keep_described(digest, &described());
        let names = || fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(names(), 1);
        // This build is one, and the same one each time.
        assert!(build().is_some());
        assert_eq!(build(), build());

        let old = std::time::SystemTime::now() - KEPT - Duration::from_secs(60);
        let first = cache(Some(1)).described_path(digest).unwrap();
        let file = fs::File::options().write(true).open(first).unwrap();
        file.set_modified(old).unwrap();
        cache(Some(2)).keep_described(digest, &described());
        assert_eq!(names(), 1);
        assert!(cache(Some(2)).described(digest).is_some());
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_others_can_write_to_is_refused() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("cache");
        ComponentCache::in_folder(&cache).unwrap();
        assert_eq!(fs::metadata(&cache).unwrap().mode() & 0o777, 0o700);

        fs::set_permissions(&cache, fs::Permissions::from_mode(0o770)).unwrap();
        let error = ComponentCache::in_folder(&cache).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }
}
