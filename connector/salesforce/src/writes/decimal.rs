//! Numbers by their digits: no binary fraction comes between what was asked, what a person sees and what is sent.

use std::fmt;

/// More digits than any field of Salesforce has; a longer number is refused as one.
const DIGITS_MAX: usize = 64;

/// A decimal number, without zeros that say nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    /// `0`, or digits of which the first is none.
    whole: String,
    /// Digits of which the last is no zero.
    fraction: String,
}

impl Decimal {
    /// Reads a number as JSON spells it: `-12.50`, `1.5e3`. `None`: it is none, or longer than any field.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let shift = usize::try_from(exponent.unsigned_abs()).ok()?;
        if !is_digits(whole) || !is_digits(fraction) || shift > DIGITS_MAX {
            return None;
        }
        let zeros = "0".repeat(shift);
        let (mut whole, mut fraction) = (whole.to_owned(), fraction.to_owned());
        if exponent > 0 {
            fraction.push_str(&zeros);
            let rest = fraction.split_off(shift);
            whole.push_str(&fraction);
            fraction = rest;
        } else if exponent < 0 {
            whole.insert_str(0, &zeros);
            let moved = whole.split_off(whole.len() - shift);
            fraction.insert_str(0, &moved);
        }
        let whole = match whole.trim_start_matches('0') {
            "" => "0",
            digits => digits,
        };
        let fraction = fraction.trim_end_matches('0');
        if whole.len() + fraction.len() > DIGITS_MAX {
            return None;
        }
        Some(Self {
            // Zero has no sign.
            negative: negative && (whole != "0" || !fraction.is_empty()),
            whole: whole.to_owned(),
            fraction: fraction.to_owned(),
        })
    }

    /// Counts the digits before the point; none of them where that is zero.
    pub(super) fn whole_digits(&self) -> u64 {
        match self.whole.as_str() {
            "0" => 0,
            digits => digits.len() as u64,
        }
    }

    /// Counts the digits behind the point.
    pub(crate) fn fraction_digits(&self) -> u64 {
        self.fraction.len() as u64
    }

    /// Says whether it is farther from zero than `most`.
    pub(super) fn exceeds(&self, most: u32) -> bool {
        match self.whole.parse::<u32>() {
            Ok(whole) => whole > most || (whole == most && !self.fraction.is_empty()),
            Err(_) => true,
        }
    }

    /// Rounds to so many digits behind the point, one at least; a half goes away from zero.
    pub(crate) fn rounded(self, places: usize) -> Self {
        let Some(next) = self.fraction.as_bytes().get(places) else {
            return self;
        };
        let mut digits: Vec<u8> = [
            b"0",
            self.whole.as_bytes(),
            &self.fraction.as_bytes()[..places],
        ]
        .concat();
        if *next >= b'5' {
            for digit in digits.iter_mut().rev() {
                if *digit < b'9' {
                    *digit += 1;
                    break;
                }
                *digit = b'0';
            }
        }
        let digits = String::from_utf8(digits).unwrap_or_default();
        let (whole, fraction) = digits.split_at(digits.len() - places);
        let sign = if self.negative { "-" } else { "" };
        Self::parse(&format!("{sign}{whole}.{fraction}")).unwrap_or(self)
    }

    /// Gives it in millionths, for sums; further digits are cut off. `None`: it is too large.
    pub(crate) fn millionths(&self) -> Option<i128> {
        const PLACES: usize = 6;
        let fraction: String = self.fraction.chars().take(PLACES).collect();
        let digits = format!("{}{fraction:0<PLACES$}", self.whole);
        let number: i128 = digits.parse().ok()?;
        Some(if self.negative { -number } else { number })
    }

    /// Writes the number for people: `1,500,000.00`, with at least `scale` digits behind the point.
    pub(super) fn grouped(&self, scale: u64) -> String {
        let mut out = String::new();
        if self.negative {
            out.push('-');
        }
        for (place, digit) in self.whole.chars().enumerate() {
            if place > 0 && (self.whole.len() - place).is_multiple_of(3) {
                out.push(',');
            }
            out.push(digit);
        }
        let missing = usize::try_from(scale)
            .unwrap_or(0)
            .min(DIGITS_MAX)
            .saturating_sub(self.fraction.len());
        let fraction = format!("{}{}", self.fraction, "0".repeat(missing));
        if !fraction.is_empty() {
            out.push('.');
            out.push_str(&fraction);
        }
        out
    }
}

/// Writes the number as JSON has it.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        let point = if self.fraction.is_empty() { "" } else { "." };
        write!(f, "{sign}{}{point}{}", self.whole, self.fraction)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_have_one_spelling() {
        for (text, plain) in [
            ("0", "0"),
            ("-0.0", "0"),
            ("15000.0", "15000"),
            ("007", "7"),
            ("1.50", "1.5"),
            ("-1.5e3", "-1500"),
            ("1e-3", "0.001"),
            ("12.345e1", "123.45"),
            ("1E+2", "100"),
            ("12345678901234567.89", "12345678901234567.89"),
        ] {
            assert_eq!(Decimal::parse(text).unwrap().to_string(), plain, "{text}");
        }
        for bad in [
            "", "-", ".5", "1.", "1,5", "1e", "1e999", "0x1", "NaN", "+1", "١",
        ] {
            assert_eq!(Decimal::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn people_read_groups() {
        let grouped = |text: &str, scale| Decimal::parse(text).unwrap().grouped(scale);
        assert_eq!(grouped("1500000", 2), "1,500,000.00");
        assert_eq!(grouped("-999.5", 2), "-999.50");
        assert_eq!(grouped("1000", 0), "1,000");
    }

    #[test]
    fn a_half_is_rounded_away_from_zero() {
        for (text, rounded) in [
            ("1.25", "1.25"),
            ("1.00004", "1"),
            ("1.00005", "1.0001"),
            ("-0.00005", "-0.0001"),
            ("-0.00004", "0"),
            ("9.99995", "10"),
            ("99999999999999999999.999999", "100000000000000000000"),
            ("48333.333333333336", "48333.3333"),
        ] {
            let number = Decimal::parse(text).unwrap();
            assert_eq!(number.rounded(4).to_string(), rounded, "{text}");
        }
    }

    #[test]
    fn bounds_hold_on_both_sides_of_zero() {
        for (text, exceeds) in [
            ("90", false),
            ("-90.0", false),
            ("89.999", false),
            ("90.0001", true),
            ("-91", true),
            ("99999999999999999999", true),
        ] {
            assert_eq!(Decimal::parse(text).unwrap().exceeds(90), exceeds, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same(number in -1e15_f64..1e15) {
            let read = Decimal::parse(&number.to_string()).unwrap();
            prop_assert_eq!(&Decimal::parse(&read.to_string()).unwrap(), &read);
            prop_assert_eq!(read.to_string().parse::<f64>().unwrap() + 0.0, number + 0.0);
        }
    }
}
