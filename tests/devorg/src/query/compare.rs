//! How values compare: with a literal, with a pattern, and with one another.
//!
//! Texts compare without regard to case, ids and texts of fields that are case-sensitive with. No
//! value is unequal to every literal and neither less nor greater than any; a checkbox without value,
//! such as that of a missing parent, is off.

use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use soql::{CompareOp, PatternPart};

use super::plan::{Datum, Set};
use crate::id::Id;
use crate::schema::FieldType;
use crate::value::{Number, Value, folded};

/// Says whether `value op datum` holds.
pub(super) fn holds(value: &Value, op: CompareOp, datum: &Datum) -> bool {
    if let Datum::Bool(wanted) = datum {
        let is = value.as_bool().unwrap_or(false) == *wanted;
        return match op {
            CompareOp::Eq => is,
            CompareOp::Ne => !is,
            _ => false,
        };
    }
    match against(value, datum) {
        // No value on one side or both.
        None => {
            let both = value.is_null() && *datum == Datum::Null;
            match op {
                CompareOp::Eq => both,
                CompareOp::Ne => !both,
                _ => false,
            }
        }
        Some(order) => match op {
            CompareOp::Eq => order.is_eq(),
            CompareOp::Ne => order.is_ne(),
            CompareOp::Lt => order.is_lt(),
            CompareOp::Le => order.is_le(),
            CompareOp::Gt => order.is_gt(),
            CompareOp::Ge => order.is_ge(),
            CompareOp::Like => false,
        },
    }
}

/// Orders a value against a literal; what is inside a range of days is equal to it. `None` where
/// there is no value, or one of another type.
fn against(value: &Value, datum: &Datum) -> Option<Ordering> {
    match (value, datum) {
        (Value::Int(value), Datum::Number(number)) => (*value as f64).partial_cmp(number),
        (Value::Number(value), Datum::Number(number)) => value.partial_cmp(number),
        (Value::Text(value), Datum::Text(text)) => Some(folded(value).cmp(text.chars())),
        (Value::Text(value), Datum::Exact(text)) => Some(value.as_str().cmp(text)),
        (Value::Text(value), Datum::Id(id)) => Some(value.as_str().cmp(id.as_str())),
        (Value::Date(value), Datum::Days(first, after)) => Some(within(value, first, after)),
        (Value::DateTime(value), Datum::Moments(first, after)) => Some(within(value, first, after)),
        (Value::Time(value), Datum::Time(time)) => Some(value.cmp(time)),
        _ => None,
    }
}

fn within<T: Ord>(value: &T, first: &T, after: &T) -> Ordering {
    if value < first {
        Ordering::Less
    } else if value >= after {
        Ordering::Greater
    } else {
        Ordering::Equal
    }
}

/// Says whether a text matches a pattern in lower case.
pub(super) fn is_like(text: &str, pattern: &[PatternPart]) -> bool {
    let text: Vec<char> = folded(text).collect();
    let (mut at, mut part) = (0, 0);
    // Where the last `%` stands, and how far it reaches.
    let mut run: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(part) {
            Some(PatternPart::AnyRun) => {
                run = Some((part, at));
                part += 1;
            }
            Some(PatternPart::AnyOne) => (at, part) = (at + 1, part + 1),
            Some(PatternPart::Char(c)) if *c == text[at] => (at, part) = (at + 1, part + 1),
            _ => match &mut run {
                Some((start, reach)) => {
                    *reach += 1;
                    (at, part) = (*reach, *start + 1);
                }
                None => return false,
            },
        }
    }
    pattern[part..]
        .iter()
        .all(|part| *part == PatternPart::AnyRun)
}

/// Gives a pattern in lower case.
pub(super) fn lower(pattern: &[PatternPart]) -> Vec<PatternPart> {
    let parts = pattern.iter();
    parts
        .flat_map(|part| match part {
            PatternPart::Char(c) => c.to_lowercase().map(PatternPart::Char).collect(),
            other => vec![*other],
        })
        .collect()
}

impl Set {
    /// Arranges literals.
    pub(super) fn new(data: Vec<Datum>) -> Self {
        let mut set = Self {
            null: false,
            texts: Default::default(),
            exact: Default::default(),
            ids: Default::default(),
            others: Vec::new(),
        };
        for datum in data {
            match datum {
                Datum::Null => set.null = true,
                Datum::Text(text) => {
                    set.texts.insert(text);
                }
                Datum::Exact(text) => {
                    set.exact.insert(text);
                }
                Datum::Id(id) => {
                    set.ids.insert(id);
                }
                other => set.others.push(other),
            }
        }
        set
    }

    /// Says whether a value is among the literals.
    pub(super) fn contains(&self, value: &Value) -> bool {
        let among_others = || {
            let mut others = self.others.iter();
            others.any(|datum| holds(value, CompareOp::Eq, datum))
        };
        match value {
            Value::Null => self.null || among_others(),
            Value::Text(text) => {
                !self.texts.is_empty() && self.texts.contains(&folded(text).collect::<String>())
                    || !self.ids.is_empty()
                        && Id::parse(text).is_some_and(|id| self.ids.contains(&id))
                    || self.exact.contains(text)
            }
            _ => among_others(),
        }
    }
}

/// A value by which rows are ordered and grouped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SortKey {
    /// No value.
    Null,
    /// A checkbox: off before on.
    Bool(bool),
    /// The place of a value in its picklist.
    Place(usize),
    /// A number.
    Number(Number),
    /// An id, whose case counts.
    Id(String),
    /// A text in lower case.
    Text(String),
    /// A day.
    Date(Date),
    /// A moment.
    Moment(Timestamp),
    /// A time of day.
    Time(Time),
    /// A key that a subtotal is taken over: after every value.
    Rolled,
}

impl SortKey {
    /// Makes the key of a value of a field of this type.
    pub(crate) fn new(value: &Value, kind: FieldType) -> Self {
        match value {
            Value::Text(id) if matches!(kind, FieldType::Id | FieldType::Reference) => {
                Self::Id(id.clone())
            }
            // Nothing orders or compares the bytes of a file: their fields take neither.
            Value::Null | Value::Blob(_) => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Number(Number::new(*value as f64)),
            Value::Number(value) => Self::Number(Number::new(*value)),
            Value::Text(text) => Self::Text(folded(text).collect()),
            Value::Date(day) => Self::Date(*day),
            Value::DateTime(moment) => Self::Moment(*moment),
            Value::Time(time) => Self::Time(*time),
        }
    }
}

#[cfg(test)]
#[allow(clippy::panic, reason = "a test ends at the first surprise")]
mod tests {
    use super::*;
    use CompareOp::{Eq, Ge, Gt, Le, Lt, Ne};
    use jiff::civil::date;

    #[test]
    fn a_missing_value_is_only_unequal() {
        let literals = [
            Datum::Number(0.0),
            Datum::Text("a".into()),
            Datum::Days(date(2026, 1, 1), date(2026, 1, 2)),
        ];
        for literal in literals {
            for (op, expected) in [(Eq, false), (Ne, true), (Lt, false), (Ge, false)] {
                assert_eq!(
                    holds(&Value::Null, op, &literal),
                    expected,
                    "{op:?} {literal:?}"
                );
            }
        }
        assert!(holds(&Value::Null, Eq, &Datum::Null));
        assert!(!holds(&Value::Null, Ne, &Datum::Null));
        assert!(holds(&Value::Int(1), Ne, &Datum::Null));
        assert!(holds(&Value::Null, Eq, &Datum::Bool(false)));
        assert!(!holds(&Value::Null, Eq, &Datum::Bool(true)));
    }

    #[test]
    fn texts_compare_without_case_and_ids_with() {
        let (acme, id) = (Value::from("ÄCME"), Id::numbered("001", 36));
        assert!(holds(&acme, Eq, &Datum::Text("äcme".into())));
        assert!(holds(&acme, Gt, &Datum::Text("a".into())));
        assert!(holds(&id.into(), Eq, &Datum::Id(id)));
        assert!(holds(&id.into(), Lt, &Datum::Id(Id::numbered("001", 37))));
        let lower = Value::Text(id.as_str().to_ascii_lowercase());
        assert!(!holds(&lower, Eq, &Datum::Id(id)));
    }

    #[test]
    fn a_range_of_days_is_one_place() {
        let week = Datum::Days(date(2026, 11, 22), date(2026, 11, 29));
        for (day, ops) in [
            (date(2026, 11, 21), [Lt, Le, Ne]),
            (date(2026, 11, 22), [Eq, Le, Ge]),
            (date(2026, 11, 28), [Eq, Le, Ge]),
            (date(2026, 11, 29), [Gt, Ge, Ne]),
        ] {
            for op in [Eq, Ne, Lt, Le, Gt, Ge] {
                assert_eq!(
                    holds(&day.into(), op, &week),
                    ops.contains(&op),
                    "{day} {op:?}"
                );
            }
        }
    }

    #[test]
    fn patterns_match() {
        let cases = [
            ("Acme", "acme", true),
            ("Acme", "a%", true),
            ("Acme", "%C_E", true),
            ("Acme", "_acme", false),
            ("Acme", "%", true),
            ("", "%", true),
            ("", "_", false),
            ("Acme", "acm", false),
            ("a%b", r"a\%b", true),
            ("axb", r"a\%b", false),
            ("mississippi", "%iss%ip%", true),
            ("mississippi", "%iss%iss%iss%", false),
            ("Straße", "%SSE", false),
            ("ÉCOLE", "éco%", true),
        ];
        for (text, pattern, expected) in cases {
            let soql = format!("SELECT Id FROM X WHERE F LIKE '{pattern}'");
            let Ok(Some(soql::Condition::Comparison {
                value: soql::Value::String(literal),
                ..
            })) = soql::parse_query(&soql).map(|query| query.condition)
            else {
                panic!("{pattern} does not parse");
            };
            let parts = lower(&literal.pattern());
            assert_eq!(is_like(text, &parts), expected, "{text} LIKE {pattern}");
        }
    }
}
