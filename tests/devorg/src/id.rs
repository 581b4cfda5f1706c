//! Record ids: 15 characters that tell case apart, and the 18-character form that does not need to.
//!
//! An id is read from either form and always written in the long one, as Salesforce does.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The alphabet of the three characters that end the long form; the index is five bits.
const CHECKSUM_ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// The digits of the running number in an id, in the order of their values.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The id of a record. Ids order by the bytes of their characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id([u8; 18]);

impl Id {
    /// The last number that an id has room for: nine digits.
    pub(crate) const NUMBER_MAX: u64 = 62_u64.pow(9) - 1;

    /// Reads an id of 15 or 18 characters; `None` when it is neither or when its checksum is wrong.
    ///
    /// The checksum is compared without regard to case, and the case of the first 15 characters is
    /// restored from it, so that a lower-cased long id still names its record.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if !bytes.iter().all(u8::is_ascii_alphanumeric) {
            return None;
        }
        match bytes.len() {
            15 => Some(Self::from_short(bytes.try_into().ok()?)),
            18 => {
                let mut short: [u8; 15] = bytes[..15].try_into().ok()?;
                for (group, check) in bytes[15..].iter().enumerate() {
                    let bits = CHECKSUM_ALPHABET
                        .iter()
                        .position(|c| *c == check.to_ascii_uppercase())?;
                    for (at, c) in short[group * 5..group * 5 + 5].iter_mut().enumerate() {
                        let upper = bits & (1 << at) != 0;
                        if upper && !c.is_ascii_alphabetic() {
                            return None;
                        }
                        *c = if upper {
                            c.to_ascii_uppercase()
                        } else {
                            c.to_ascii_lowercase()
                        };
                    }
                }
                Some(Self::from_short(short))
            }
            _ => None,
        }
    }

    /// Makes the id of the `number`th record of the objects whose ids begin with `prefix`.
    ///
    /// Characters four to six name the instance, as in a real org. A prefix that is not three
    /// letters or digits is filled up with `0`.
    pub fn numbered(prefix: &str, number: u64) -> Self {
        let mut short = *b"000DO0000000000";
        for (to, from) in short.iter_mut().zip(prefix.bytes().take(3)) {
            if from.is_ascii_alphanumeric() {
                *to = from;
            }
        }
        let mut rest = number;
        for digit in short[6..].iter_mut().rev() {
            *digit = DIGITS[(rest % 62) as usize];
            rest /= 62;
        }
        Self::from_short(short)
    }

    /// Gives the number of an id that [`Id::numbered`] makes.
    pub(crate) fn number(&self) -> Option<u64> {
        let digits = self.short().get(6..)?;
        let mut number: u64 = 0;
        for c in digits.bytes() {
            let digit = DIGITS.iter().position(|digit| *digit == c)?;
            number = number.checked_mul(62)?.checked_add(digit as u64)?;
        }
        (Self::numbered(self.prefix(), number) == *self).then_some(number)
    }

    fn from_short(short: [u8; 15]) -> Self {
        let mut long = [0; 18];
        long[..15].copy_from_slice(&short);
        for (group, chars) in short.chunks(5).enumerate() {
            let bits = chars
                .iter()
                .enumerate()
                .filter(|(_, c)| c.is_ascii_uppercase())
                .fold(0, |bits, (at, _)| bits | 1 << at);
            long[15 + group] = CHECKSUM_ALPHABET[bits];
        }
        Self(long)
    }

    /// Gives the 18 characters.
    pub fn as_str(&self) -> &str {
        // Only ASCII letters and digits are ever stored.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Gives the 15 characters of the short form.
    pub fn short(&self) -> &str {
        self.as_str().get(..15).unwrap_or_default()
    }

    /// Gives the three characters that name the object.
    pub fn prefix(&self) -> &str {
        self.as_str().get(..3).unwrap_or_default()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({self})")
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom(format!("`{text}` is no id")))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_short_id_gains_its_checksum() {
        // From Salesforce's help on converting ids; the last is a user's id as recorded in an org.
        assert_eq!(
            Id::parse("0057e00000RmwSW").unwrap().as_str(),
            "0057e00000RmwSWAAZ"
        );
        assert_eq!(
            Id::parse("012000000000000").unwrap().as_str(),
            "012000000000000AAA"
        );
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "001",
            "0017e00000Rmw!W",
            "0057e00000RmwSWAA",
            "0057e00000RmwSWAA9",
            "0057e00000RmwSW5AZ",
            "ééééééé",
        ] {
            assert_eq!(Id::parse(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_follow_one_another_in_id_order() {
        let ids: Vec<_> = (0..5_000).map(|n| Id::numbered("a00", n)).collect();
        assert!(ids.is_sorted());
        assert_eq!(ids[61].short(), "a00DO000000000z");
        assert_eq!(ids[62].short(), "a00DO0000000010");
        assert_eq!(ids[0].prefix(), "a00");
        assert_eq!(ids[4_321].number(), Some(4_321));
        assert_eq!(Id::parse("0057e00000RmwSW").unwrap().number(), None);
    }

    proptest! {
        #[test]
        fn both_forms_and_any_case_of_the_long_one_name_the_same_record(short in "[0-9A-Za-z]{15}") {
            let id = Id::parse(&short).unwrap();
            prop_assert_eq!(id.short(), &short);
            prop_assert_eq!(Id::parse(id.as_str()), Some(id));
            prop_assert_eq!(Id::parse(&id.as_str().to_ascii_lowercase()), Some(id));
        }

        #[test]
        fn reading_never_panics(text in ".*") {
            let _ = Id::parse(&text);
        }
    }
}
