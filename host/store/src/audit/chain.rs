//! The keyed hash that chains records, and the keys derived from a log's secret.

use std::fmt;

use ring::hmac;
use secrecy::zeroize::Zeroize;
use secrecy::{ExposeSecret, SecretBox};

use crate::seal::{KEY_LEN, SealingKey};

/// Bytes of a keyed hash.
pub(super) const TAG_LEN: usize = 32;

/// A keyed hash: HMAC-SHA-256 (RFC 2104).
pub(super) type Tag = [u8; TAG_LEN];

/// What comes before the first record of a lane.
pub(super) const NO_TAG: Tag = [0; TAG_LEN];

/// The keyed hash at the end of a lane, in hexadecimal digits, to be written down elsewhere.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HeadTag(pub(super) Tag);

impl fmt::Display for HeadTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for HeadTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeadTag({self})")
    }
}

/// A key of the log: one that chains and one that seals, both from one secret.
pub(super) struct LogKey {
    id: i64,
    // Kept in the library's form, since each record needs it.
    chain: hmac::Key,
    sealing: SealingKey,
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl LogKey {
    pub(super) fn new(id: i64, secret: &SecretBox<[u8; KEY_LEN]>) -> Self {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret());
        let derive = |purpose: &[u8]| {
            let mut tag = tag_of(hmac::sign(&secret, purpose));
            let bytes = SecretBox::new(Box::new(tag));
            tag.zeroize();
            bytes
        };
        let chain = derive(b"portcullis-audit 1: chaining");
        Self {
            id,
            chain: hmac::Key::new(hmac::HMAC_SHA256, chain.expose_secret()),
            sealing: SealingKey::new(id, derive(b"portcullis-audit 1: sealing")),
        }
    }

    pub(super) fn id(&self) -> i64 {
        self.id
    }

    /// Gives the key that seals what may hold values.
    pub(super) fn sealing(&self) -> &SealingKey {
        &self.sealing
    }

    /// Hashes parts. All but the last have a length of their own for their `purpose`, so that no two lists of parts are the same bytes.
    pub(super) fn tag(&self, purpose: Purpose, parts: &[&[u8]]) -> Tag {
        let mut context = hmac::Context::with_key(&self.chain);
        context.update(&[purpose as u8]);
        for part in parts {
            context.update(part);
        }
        tag_of(context.sign())
    }
}

/// What is hashed, so that a hash of one thing is none of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Record = 1,
    Segment = 2,
    Head = 3,
    Base = 4,
    Retention = 5,
}

fn tag_of(tag: hmac::Tag) -> Tag {
    let mut bytes = NO_TAG;
    bytes.copy_from_slice(tag.as_ref());
    bytes
}
