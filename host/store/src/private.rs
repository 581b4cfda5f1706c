//! Files and folders that are their owner's alone.
//!
//! The attack: another user of the machine reads the master key, or puts a file of its own in the place of the store's.
//! So what is made here is made with no rights for others, and what others could read or replace is refused
//! rather than mended: who knows who has read it already.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A file or folder that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("`{path}` {problem}", path = path.display())]
pub struct PrivateError {
    path: PathBuf,
    problem: String,
    #[source]
    source: Option<io::Error>,
}

impl PrivateError {
    pub(crate) fn new(path: &Path, problem: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            problem: problem.into(),
            source: None,
        }
    }

    pub(crate) fn io(path: &Path, doing: &str, source: io::Error) -> Self {
        // Said once: with the system's own words behind it, it would stand there twice.
        let known = match source.kind() {
            io::ErrorKind::NotFound => Some("there is no such file"),
            io::ErrorKind::PermissionDenied => Some("permission denied"),
            _ => None,
        };
        Self {
            path: path.to_owned(),
            problem: match known {
                Some(known) => format!("cannot be {doing}: {known}"),
                None => format!("cannot be {doing}"),
            },
            source: known.is_none().then_some(source),
        }
    }
}

/// Makes a folder with mode 0700 where there is none. One that others can write to is refused.
pub(crate) fn folder(path: &Path) -> Result<(), PrivateError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(path)
        .map_err(|error| PrivateError::io(path, "made", error))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let metadata =
            fs::metadata(path).map_err(|error| PrivateError::io(path, "looked at", error))?;
        // In a folder with the sticky bit, such as `/tmp`, nobody replaces what is another's.
        let is_sticky = metadata.mode() & 0o1000 != 0;
        if metadata.mode() & 0o022 != 0 && !is_sticky {
            return Err(PrivateError::new(
                path,
                "can be written to by others, who could put another store there: `chmod 700` it, or choose \
                 another folder",
            ));
        }
    }
    Ok(())
}

/// Makes an empty file with mode 0600 where there is none. One that others can read or write is refused.
pub(crate) fn file(path: &Path) -> Result<(), PrivateError> {
    match create(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let metadata =
                fs::metadata(path).map_err(|error| PrivateError::io(path, "looked at", error))?;
            check(path, &metadata)
        }
        Err(error) => Err(PrivateError::io(path, "made", error)),
    }
}

/// Makes a file with mode 0600, which must not be there yet.
pub(crate) fn create(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Refuses what is no file, or one that others can read or write.
pub(crate) fn check(path: &Path, metadata: &fs::Metadata) -> Result<(), PrivateError> {
    if !metadata.is_file() {
        return Err(PrivateError::new(path, "is no file: name one"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let mode = metadata.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(PrivateError::new(
                path,
                format!(
                    "can be read or written by others (its mode is {mode:03o}): `chmod 600` it, and \
                     change what it protects if somebody may have read it"
                ),
            ));
        }
    }
    Ok(())
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn what_others_could_read_or_replace_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let data = root.path().join("a/data");
        folder(&data).unwrap();
        assert_eq!(mode(&data), 0o700);
        assert_eq!(mode(data.parent().unwrap()), 0o700);
        set_mode(&data, 0o755);
        folder(&data).unwrap();
        for open in [0o770, 0o702, 0o777] {
            set_mode(&data, open);
            assert!(folder(&data).unwrap_err().to_string().contains("chmod 700"));
        }

        let one = root.path().join("one");
        file(&one).unwrap();
        assert_eq!(mode(&one), 0o600);
        file(&one).unwrap();
        for open in [0o640, 0o604, 0o620, 0o602, 0o644] {
            set_mode(&one, open);
            let refused = file(&one).unwrap_err().to_string();
            assert!(refused.contains("chmod 600"), "{refused}");
        }
        assert!(
            file(root.path())
                .unwrap_err()
                .to_string()
                .contains("is no file")
        );
    }
}
