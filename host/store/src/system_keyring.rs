//! The master key in the keyring of the person who is signed in to the machine: Keychain, Credential Manager, or the
//! Secret Service over D-Bus.
//!
//! A keyring cannot say "only if there is none yet". So a key is not made here in passing: who sets a store up makes one and keeps
//! it, and from then on it is read.

use keyring_core::{Entry, Error};
use secrecy::{ExposeSecret, SecretString};

use crate::master_key::{KeyError, MasterKey};

/// Under which name the keyring shows its entries.
const SERVICE: &str = "portcullis";

impl MasterKey {
    /// Reads the key that the system's keyring holds under a name; none where it holds none.
    ///
    /// It may wait for the person to unlock the keyring.
    ///
    /// # Errors
    ///
    /// [`KeyError::Keyring`] when the keyring does not answer, and [`KeyError::Length`] and its like when it holds something
    /// else.
    pub fn from_keyring(name: &str) -> Result<Option<Self>, KeyError> {
        read(&entry(name)?)
    }

    /// Keeps the key in the system's keyring under a name. Another key that is there stays, and is refused: a store may
    /// need it.
    ///
    /// # Errors
    ///
    /// [`KeyError::Keyring`] when the keyring does not answer, and [`KeyError::Taken`].
    pub fn keep_in_keyring(&self, name: &str) -> Result<(), KeyError> {
        keep(self, name, &entry(name)?)
    }

    /// Takes the key that the system's keyring holds under a name out of it, if it is this one.
    ///
    /// # Errors
    ///
    /// [`KeyError::Keyring`] when the keyring does not answer.
    pub fn take_out_of_keyring(&self, name: &str) -> Result<(), KeyError> {
        take_out(self, &entry(name)?)
    }
}

fn entry(name: &str) -> Result<Entry, KeyError> {
    if let Err(error) = keyring::v1::Entry::store_status() {
        return Err(refusal(error));
    }
    let entry = keyring::v1::Entry::new(SERVICE, name);
    Ok(entry.map_err(|error| refusal(&error))?.inner)
}

fn read(entry: &Entry) -> Result<Option<MasterKey>, KeyError> {
    match entry.get_password() {
        Ok(text) => {
            let text = SecretString::from(text);
            MasterKey::from_base64(&text, "the system's keyring").map(Some)
        }
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(refusal(&error)),
    }
}

fn keep(key: &MasterKey, name: &str, entry: &Entry) -> Result<(), KeyError> {
    if read(entry)?.is_some_and(|held| held.id() != key.id()) {
        return Err(KeyError::Taken {
            name: name.to_owned(),
        });
    }
    let kept = entry.set_password(key.to_base64().expose_secret());
    kept.map_err(|error| refusal(&error))
}

fn take_out(key: &MasterKey, entry: &Entry) -> Result<(), KeyError> {
    match read(entry)? {
        Some(held) if held.id() == key.id() => {
            entry.delete_credential().map_err(|error| refusal(&error))
        }
        _ => Ok(()),
    }
}

/// The message alone: the error itself may hold what the keyring gave.
fn refusal(error: &Error) -> KeyError {
    KeyError::Keyring {
        problem: error.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::sync::Arc;

    use keyring_core::CredentialStore;
    use keyring_core::mock::{Cred, Store};

    use super::*;

    fn mock() -> Entry {
        let store: Arc<CredentialStore> = Store::new().unwrap();
        Entry::new_in_store(&store, SERVICE, "main").unwrap()
    }

    #[test]
    fn a_key_that_was_kept_is_read_again_and_no_other_takes_its_place() {
        let entry = mock();
        assert!(read(&entry).unwrap().is_none());
        let key = MasterKey::random().unwrap();
        keep(&key, "main", &entry).unwrap();
        keep(&key, "main", &entry).unwrap();
        assert_eq!(read(&entry).unwrap().unwrap().id(), key.id());

        let other = MasterKey::random().unwrap();
        let refused = keep(&other, "main", &entry).unwrap_err();
        assert!(matches!(refused, KeyError::Taken { .. }), "{refused}");
        assert_eq!(read(&entry).unwrap().unwrap().id(), key.id());

        take_out(&other, &entry).unwrap();
        assert!(read(&entry).unwrap().is_some(), "it was not that one");
        take_out(&key, &entry).unwrap();
        take_out(&key, &entry).unwrap();
        assert!(read(&entry).unwrap().is_none());
    }

    #[test]
    fn what_the_keyring_holds_is_not_repeated() {
        let entry = mock();
        entry.set_password("hunter2 hunter2").unwrap();
        let text = format!("{:?}", read(&entry).unwrap_err());
        assert!(text.contains("the system's keyring"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");

        let credential: &Cred = entry.as_any().downcast_ref().unwrap();
        credential.set_error(Error::BadEncoding(b"hunter2".to_vec()));
        let refused = read(&entry).unwrap_err();
        let text = format!("{refused} {refused:?}");
        assert!(text.contains("keep the key in a file"), "{text}");
        assert!(
            !text.contains("hunter2") && !text.contains("104, 117"),
            "{text}"
        );
    }
}
