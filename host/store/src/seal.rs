//! Sealing: each secret value is encrypted and bound to the place where it is stored.
//!
//! The attack: somebody who can write to the file, or to a copy of it that is restored, moves one person's sealed token into
//! another's row, or leaves it and turns the row's address to a server of their own. So what is sealed is authenticated
//! together with its place: the table, the column, the row's id with what must not change beside it, the key's id. A
//! value that was moved, or whose row was altered there, does not open.
//!
//! ChaCha20-Poly1305 (RFC 8439) with random nonces of 96 bits: that two of 2^32 values under one key have the same is less likely
//! than one in 2^32 (NIST SP 800-38D, section 8.3, takes this as its bound). A store that seals a value a second needs more than a
//! century for so many, and a rotation of the data key begins anew.

use std::fmt;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretBox};

/// What a sealed value begins with. A change of anything below takes another.
const VERSION: u8 = 1;

/// The bytes of a key.
pub(crate) const KEY_LEN: usize = 32;

/// A sealed value that does not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the sealed `{column}` in `{table}` of `{row}` does not open: it was damaged, altered, or moved here from elsewhere. \
     Restore the store from a backup, or remove the row and make it anew"
)]
pub struct SealError {
    table: &'static str,
    column: &'static str,
    row: String,
}

/// Where a sealed value is stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
    /// The row's id, then what of the row must be as it was when the value was sealed.
    pub(crate) row: &'a [&'a str],
}

impl Place<'_> {
    fn refusal(&self) -> SealError {
        SealError {
            table: self.table,
            column: self.column,
            row: self.row.first().copied().unwrap_or_default().to_owned(),
        }
    }

    /// Each part with its length before it, so that no two places are written alike.
    fn associated_data(&self, key: i64) -> Vec<u8> {
        let mut data = b"portcullis-store".to_vec();
        data.push(VERSION);
        data.extend_from_slice(&key.to_be_bytes());
        let parts = [self.table, self.column].into_iter();
        for part in parts.chain(self.row.iter().copied()) {
            data.extend_from_slice(&(part.len() as u64).to_be_bytes());
            data.extend_from_slice(part.as_bytes());
        }
        data
    }
}

/// A key that seals, with its id.
pub(crate) struct SealingKey {
    id: i64,
    bytes: SecretBox<[u8; KEY_LEN]>,
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealingKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl SealingKey {
    pub(crate) fn new(id: i64, bytes: SecretBox<[u8; KEY_LEN]>) -> Self {
        Self { id, bytes }
    }

    /// Makes a key of random bits.
    pub(crate) fn random(id: i64) -> Result<Self, getrandom::Error> {
        let mut bytes = SecretBox::<[u8; KEY_LEN]>::default();
        fill(&mut bytes)?;
        Ok(Self { id, bytes })
    }

    pub(crate) fn id(&self) -> i64 {
        self.id
    }

    pub(crate) fn expose(&self) -> &[u8; KEY_LEN] {
        self.bytes.expose_secret()
    }

    /// Seals a value for its place: version, nonce, ciphertext, tag.
    pub(crate) fn seal(&self, place: Place<'_>, value: &[u8]) -> Result<Vec<u8>, getrandom::Error> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce)?;
        let tag_len = CHACHA20_POLY1305.tag_len();
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + value.len() + tag_len);
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(value);
        let aad = Aad::from(place.associated_data(self.id));
        let tag = self
            .cipher()
            .and_then(|cipher| {
                let (_, text) = sealed.split_at_mut(1 + NONCE_LEN);
                let nonce = Nonce::assume_unique_for_key(nonce);
                cipher.seal_in_place_separate_tag(nonce, aad, text)
            })
            // Only a value of more than 256 GiB is refused.
            .map_err(|_| getrandom::Error::UNEXPECTED)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens a value that was sealed for this place.
    pub(crate) fn open(
        &self,
        place: Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let text = sealed
            .strip_prefix(&[VERSION])
            .and_then(|rest| rest.split_first_chunk::<NONCE_LEN>());
        let Some((nonce, text)) = text else {
            return Err(place.refusal());
        };
        let mut value = Zeroizing::new(text.to_vec());
        let aad = Aad::from(place.associated_data(self.id));
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = self
            .cipher()
            .and_then(|cipher| {
                cipher
                    .open_in_place(nonce, aad, &mut value)
                    .map(|text| text.len())
            })
            .map_err(|_| place.refusal())?;
        value.truncate(length);
        Ok(value)
    }

    /// Made for each use: the library's own form of a key is not overwritten when it is dropped, so none is kept.
    fn cipher(&self) -> Result<LessSafeKey, ring::error::Unspecified> {
        UnboundKey::new(&CHACHA20_POLY1305, self.bytes.expose_secret()).map(LessSafeKey::new)
    }
}

/// Fills a secret with random bits.
pub(crate) fn fill(bytes: &mut SecretBox<[u8; KEY_LEN]>) -> Result<(), getrandom::Error> {
    use secrecy::ExposeSecretMut;
    getrandom::fill(bytes.expose_secret_mut())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLACE: Place<'_> = Place {
        table: "connections",
        column: "secrets",
        row: &["c1", "ada"],
    };

    #[test]
    fn what_is_moved_does_not_open() {
        let key = SealingKey::random(1).unwrap();
        let sealed = key.seal(PLACE, b"secret").unwrap();
        assert_eq!(*key.open(PLACE, &sealed).unwrap(), b"secret");
        let elsewhere = [
            Place {
                table: "sign_ins",
                ..PLACE
            },
            Place {
                column: "identity",
                ..PLACE
            },
            Place {
                row: &["c2", "ada"],
                ..PLACE
            },
            Place {
                row: &["c1", "bob"],
                ..PLACE
            },
            Place {
                row: &["c1"],
                ..PLACE
            },
            Place {
                row: &["c1ada"],
                ..PLACE
            },
            Place {
                row: &["c", "1ada"],
                ..PLACE
            },
            Place {
                row: &["c1", "ada", ""],
                ..PLACE
            },
        ];
        for place in elsewhere {
            assert!(key.open(place, &sealed).is_err(), "{place:?}");
        }
        let renamed = SealingKey::new(2, SecretBox::new(Box::new(*key.expose())));
        assert!(
            renamed.open(PLACE, &sealed).is_err(),
            "the key's id is bound too"
        );
    }

    #[test]
    fn another_key_opens_nothing_and_nothing_is_sealed_twice_alike() {
        let key = SealingKey::random(1).unwrap();
        let other = SealingKey::random(1).unwrap();
        let sealed = key.seal(PLACE, b"secret").unwrap();
        assert!(other.open(PLACE, &sealed).is_err());
        assert_ne!(sealed, key.seal(PLACE, b"secret").unwrap());
        for short in [&[][..], &[VERSION], &sealed[..13], &sealed[..28]] {
            assert!(key.open(PLACE, short).is_err());
        }
    }

    #[test]
    fn no_text_gives_a_key_away() {
        let key = SealingKey::new(7, SecretBox::new(Box::new([0x41; KEY_LEN])));
        assert_eq!(format!("{key:?}"), "SealingKey { id: 7, .. }");
        let refused = key.open(PLACE, b"\x01damaged").unwrap_err();
        assert!(
            refused
                .to_string()
                .starts_with("the sealed `secrets` in `connections` of `c1`")
        );
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens_and_no_altered_byte_does(
            value in proptest::collection::vec(any::<u8>(), 0..300),
            row in "[ -~]{1,20}",
            at in any::<prop::sample::Index>(),
            flip in 1..=255u8,
        ) {
            let key = SealingKey::random(3).unwrap();
            let row = [row.as_str()];
            let place = Place { row: &row, ..PLACE };
            let sealed = key.seal(place, &value).unwrap();
            prop_assert_eq!(&*key.open(place, &sealed).unwrap(), &value);

            let mut altered = sealed.clone();
            altered[at.index(sealed.len())] ^= flip;
            prop_assert!(key.open(place, &altered).is_err());
            prop_assert!(key.open(place, &sealed[..at.index(sealed.len())]).is_err());
            let longer = [sealed.as_slice(), &[flip]].concat();
            prop_assert!(key.open(place, &longer).is_err());
        }
    }
}
