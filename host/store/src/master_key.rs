//! The master key: what wraps the data keys, and is never in the store itself.
//!
//! The attack: somebody reads the key where it lies. A key file is therefore made for its owner alone, and refused where
//! others could read it; no text shows the key.

use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use secrecy::zeroize::{Zeroize, Zeroizing};
use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox, SecretString};

use crate::private::{self, PrivateError};
use crate::seal::{KEY_LEN, SealingKey};

/// Bytes of a key file that are read: a key in base64 has 44, and some editors add a line's end.
const FILE_BYTES_MAX: u64 = 256;

/// The key under which a store's data keys are sealed: 256 bits.
pub struct MasterKey {
    bytes: SecretBox<[u8; KEY_LEN]>,
}

/// A master key that cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text is not base64.
    #[error(
        "{from} is no base64: a master key is 32 random bytes in base64, as `openssl rand -base64 32` prints them"
    )]
    Encoding {
        /// Where the text is from.
        from: String,
    },
    /// It has another length.
    #[error(
        "{from} holds {bytes} bytes: a master key is 32 random bytes in base64, as `openssl rand -base64 32` prints them"
    )]
    Length {
        /// Where the key is from.
        from: String,
        /// How many it has.
        bytes: usize,
    },
    /// All its bytes are the same, as nobody's random ones are.
    #[error("{from} is not random: make one with `openssl rand -base64 32`")]
    NotRandom {
        /// Where the key is from.
        from: String,
    },
    /// The key file is open to others, or cannot be read or made.
    #[error("the key file {0}")]
    File(#[source] PrivateError),
    /// The key file's folder is open to others, or cannot be made.
    #[error("the folder {0}")]
    Folder(#[source] PrivateError),
    /// The system gives no randomness.
    #[error("the system gives no randomness to make a master key from")]
    Randomness,
    /// The system's keyring holds another key under that name.
    #[error(
        "the system's keyring holds another key as `{name}`, which a store may need: choose another name"
    )]
    Taken {
        /// The name.
        name: String,
    },
    /// The system's keyring does not answer.
    #[error(
        "the system's keyring does not give the master key: {problem}. Unlock it, or keep the key in a file or an environment variable"
    )]
    Keyring {
        /// What it says.
        problem: String,
    },
}

impl MasterKey {
    /// Makes a new one.
    ///
    /// # Errors
    ///
    /// When the system gives no randomness.
    pub fn random() -> Result<Self, KeyError> {
        let mut bytes = SecretBox::default();
        crate::seal::fill(&mut bytes).map_err(|_| KeyError::Randomness)?;
        Ok(Self { bytes })
    }

    /// Takes one that somebody gives as text: 32 bytes in base64, as an environment variable would hold them.
    ///
    /// `from` says in an error where the text is from, such as "the variable `PORTCULLIS_MASTER_KEY`".
    ///
    /// # Errors
    ///
    /// [`KeyError`] when the text is no such key.
    pub fn from_base64(text: &SecretString, from: &str) -> Result<Self, KeyError> {
        let from = || from.to_owned();
        let decoded = STANDARD
            .decode(text.expose_secret().trim())
            .map_err(|_| KeyError::Encoding { from: from() })?;
        let decoded = Zeroizing::new(decoded);
        let mut bytes = SecretBox::<[u8; KEY_LEN]>::default();
        if decoded.len() != KEY_LEN {
            let bytes = decoded.len();
            return Err(KeyError::Length {
                from: from(),
                bytes,
            });
        }
        if decoded.iter().all(|byte| *byte == decoded[0]) {
            return Err(KeyError::NotRandom { from: from() });
        }
        bytes.expose_secret_mut().copy_from_slice(&decoded);
        Ok(Self { bytes })
    }

    /// Reads a key file, which is made with a new key where there is none. A link to another place is followed.
    ///
    /// # Errors
    ///
    /// [`KeyError::File`] when others than its owner could read or write it, or it cannot be read or made, [`KeyError::Folder`]
    /// the same of its folder;
    /// [`KeyError::Length`] and its like when it holds something else.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        let path = path.as_ref();
        match fs::File::open(path) {
            Ok(file) => read(path, file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(path)?;
                // Whoever was first: this process or another one.
                let file = fs::File::open(path);
                read(path, file.map_err(|error| file_error(path, "read", error))?)
            }
            Err(error) => Err(file_error(path, "read", error)),
        }
    }

    /// Gives the key as base64, to keep it elsewhere.
    pub fn to_base64(&self) -> SecretString {
        STANDARD.encode(self.bytes.expose_secret()).into()
    }

    /// Gives a name for the key, by which people tell it from others. Nothing of the key can be learnt from it.
    pub fn id(&self) -> String {
        let tag = self.derive(b"portcullis-store 1: the name of a master key");
        tag.as_ref()
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// Gives the key that wraps data keys.
    pub(crate) fn wrapping(&self) -> SealingKey {
        let mut tag = *self
            .derive(b"portcullis-store 1: wrapping data keys")
            .as_ref()
            .first_chunk::<KEY_LEN>()
            .unwrap_or(&[0; KEY_LEN]);
        let bytes = SecretBox::new(Box::new(tag));
        tag.zeroize();
        SealingKey::new(0, bytes)
    }

    /// A value for one purpose: HMAC-SHA-256 under the key, so that none tells of another.
    fn derive(&self, purpose: &[u8]) -> hmac::Tag {
        hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, self.bytes.expose_secret()),
            purpose,
        )
    }
}

impl Clone for MasterKey {
    fn clone(&self) -> Self {
        let bytes = SecretBox::new(Box::new(*self.bytes.expose_secret()));
        Self { bytes }
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey").finish_non_exhaustive()
    }
}

fn file_error(path: &Path, doing: &str, error: io::Error) -> KeyError {
    KeyError::File(PrivateError::io(path, doing, error))
}

fn read(path: &Path, file: fs::File) -> Result<MasterKey, KeyError> {
    // Of the file that is open: its name may mean another one by now.
    let metadata = file.metadata();
    let metadata = metadata.map_err(|error| file_error(path, "looked at", error))?;
    private::check(path, &metadata).map_err(KeyError::File)?;
    let mut text = String::with_capacity(FILE_BYTES_MAX as usize + 1);
    let read = file.take(FILE_BYTES_MAX).read_to_string(&mut text);
    let text = SecretString::from(text);
    let from = format!("the key file `{}`", path.display());
    match read {
        Ok(_) => MasterKey::from_base64(&text, &from),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(KeyError::Encoding { from })
        }
        Err(error) => Err(file_error(path, "read", error)),
    }
}

/// Makes a key file in one step: it is written whole under another name and then linked to its own, so that nobody
/// reads half of it and one that was made meanwhile stays.
fn make(path: &Path) -> Result<(), KeyError> {
    let key = MasterKey::random()?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    private::folder(folder).map_err(KeyError::Folder)?;
    let mut suffix = [0; 8];
    getrandom::fill(&mut suffix).map_err(|_| KeyError::Randomness)?;
    let temporary = path.with_extension(format!("{:016x}.new", u64::from_ne_bytes(suffix)));
    let made = private::create(&temporary)
        .and_then(|mut file| {
            file.write_all(key.to_base64().expose_secret().as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()
        })
        .and_then(|()| fs::hard_link(&temporary, path));
    let _ = fs::remove_file(&temporary);
    match made {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(file_error(path, "made", error))
        }
        _ => sync(folder).map_err(|error| file_error(path, "made", error)),
    }
}

/// Syncs a folder's names: a key that is lost with the machine's power loses what is sealed under it.
fn sync(folder: &Path) -> io::Result<()> {
    match cfg!(unix) {
        true => fs::File::open(folder)?.sync_all(),
        false => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn of_text(text: &str) -> Result<MasterKey, KeyError> {
        MasterKey::from_base64(&text.to_owned().into(), "the variable `KEY`")
    }

    #[test]
    fn a_text_that_is_no_key_is_refused_without_repeating_it() {
        let key = MasterKey::random().unwrap();
        let text = key.to_base64();
        let again = MasterKey::from_base64(&text, "it").unwrap();
        assert_eq!(again.id(), key.id());
        assert_eq!(again.wrapping().expose(), key.wrapping().expose());
        assert_eq!(
            of_text(&format!(" {}\n", text.expose_secret()))
                .unwrap()
                .id(),
            key.id()
        );

        let short = STANDARD.encode([7; 31]);
        let long = STANDARD.encode([7; 33]);
        let zeros = STANDARD.encode([0; 32]);
        for wrong in ["", "hunter2hunter2", "not base64!", &short, &long, &zeros] {
            let refused = of_text(wrong).unwrap_err();
            let text = format!("{refused} {refused:?}");
            assert!(text.contains("the variable `KEY`"), "{text}");
            assert!(wrong.is_empty() || !text.contains(wrong), "{text}");
        }
        assert!(
            of_text(&short)
                .unwrap_err()
                .to_string()
                .contains("31 bytes")
        );
    }

    #[test]
    fn no_text_shows_a_key() {
        let key = MasterKey::random().unwrap();
        assert_eq!(format!("{key:?}"), "MasterKey { .. }");
        assert_eq!(key.id().len(), 16);
        assert_ne!(key.id(), MasterKey::random().unwrap().id());
        assert!(!key.to_base64().expose_secret().contains(&key.id()));
        assert_ne!(key.wrapping().expose(), key.bytes.expose_secret());
    }

    #[test]
    fn a_key_file_is_made_once_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/master.key");
        let ids: Vec<String> = std::thread::scope(|scope| {
            let one = || MasterKey::from_file(&path).unwrap().id();
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(one)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        let files: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
        assert_eq!(files.len(), 1, "nothing is left beside it: {files:?}");
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_that_others_could_read_or_that_holds_no_key_is_refused() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let id = MasterKey::from_file(&path).unwrap().id();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);

        let link = folder.path().join("link.key");
        symlink(&path, &link).unwrap();
        assert_eq!(MasterKey::from_file(&link).unwrap().id(), id);

        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        for name in [&path, &link] {
            let refused = MasterKey::from_file(name).unwrap_err().to_string();
            assert!(refused.contains("its mode is 640"), "{refused}");
            assert!(refused.contains("chmod 600"), "{refused}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();

        for wrong in [&b"c2hvcnQ=\n"[..], b"", b"\xff\xfe", &[b'A'; 5000]] {
            fs::write(&path, wrong).unwrap();
            let refused = MasterKey::from_file(&path).unwrap_err().to_string();
            assert!(refused.contains("the key file `"), "{refused}");
        }
        let nowhere = folder.path().join("nowhere.key");
        symlink(folder.path().join("gone/master.key"), &nowhere).unwrap();
        let refused = MasterKey::from_file(&nowhere).unwrap_err().to_string();
        assert!(refused.contains("there is no such file"), "{refused}");
        assert!(MasterKey::from_file(folder.path()).is_err());
    }
}
