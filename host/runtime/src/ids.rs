//! Ids that the host gives: for calls and for approvals.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

/// An id that is too unlike one to look up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no id: 32 hexadecimal digits are expected")]
pub struct IdError(String);

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// 48 bits of time in milliseconds, then 80 random ones: in the order of time, and not to be
        /// guessed (as UUID version 7, RFC 9562, section 5.7, without its fixed bits).
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// Makes a new one.
            ///
            /// # Errors
            ///
            /// When the system gives no randomness, or its clock stands before 1970.
            pub fn random(now: SystemTime) -> Result<Self, NoId> {
                random(now).map(Self)
            }

            /// Takes the bytes of one.
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// Gives the bytes.
            pub fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse(text).map(Self).ok_or_else(|| IdError(text.chars().take(64).collect()))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id! {
    /// One call of a tool, from the question to its audit entry.
    CallId
}
id! {
    /// One question to a person.
    ApprovalId
}

/// No id can be made, so nothing that needs one may happen.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum NoId {
    /// The system's random generator failed.
    #[error("the system gives no randomness")]
    Randomness,
    /// The system's clock is set before 1970.
    #[error("the system's clock stands before 1970: set it")]
    Clock,
}

fn random(now: SystemTime) -> Result<[u8; 16], NoId> {
    let since = now.duration_since(UNIX_EPOCH).map_err(|_| NoId::Clock)?;
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|_| NoId::Randomness)?;
    // The low 48 bits of the milliseconds last until the year 10889.
    let millis = since.as_millis().to_be_bytes();
    id[..6].copy_from_slice(&millis[10..]);
    Ok(id)
}

fn parse(text: &str) -> Option<[u8; 16]> {
    if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn ids_are_in_the_order_of_time_and_survive_their_text() {
        let then = UNIX_EPOCH + Duration::from_millis(1_700_000_000_000);
        let first = CallId::random(then).unwrap();
        let second = CallId::random(then + Duration::from_millis(1)).unwrap();
        assert!(first < second);
        assert_ne!(first, CallId::random(then).unwrap());
        assert_eq!(first.to_string().parse::<CallId>(), Ok(first));
        assert!("12".parse::<CallId>().is_err());
        assert!(
            "+123456789012345678901234567890z"
                .parse::<CallId>()
                .is_err()
        );
    }

    #[test]
    fn without_a_clock_there_is_no_id() {
        let before = UNIX_EPOCH - Duration::from_secs(1);
        assert!(matches!(CallId::random(before), Err(NoId::Clock)));
    }
}
