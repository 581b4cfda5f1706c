//! The aggregate functions: `COUNT`, `COUNT_DISTINCT`, `SUM`, `AVG`, `MIN`, `MAX`.
//!
//! Missing values count for nothing. Of no values at all, counts are 0 and the rest is null.

use std::collections::BTreeSet;

use super::compare::SortKey;
use super::plan::{Aggregate, AggregateFunction};
use crate::schema::FieldType;
use crate::value::Value;

/// What has been gathered of a group.
#[derive(Debug)]
pub(super) enum Gathered {
    /// `COUNT`
    Count(i64),
    /// `COUNT_DISTINCT`
    Distinct(BTreeSet<SortKey>),
    /// `SUM` and `AVG`: the sum and the number of values.
    Sum(f64, u32),
    /// `MIN` and `MAX`
    Extreme(Option<Value>),
}

impl Gathered {
    /// Begins an aggregate.
    pub(super) fn new(function: AggregateFunction) -> Self {
        match function {
            AggregateFunction::Count => Self::Count(0),
            AggregateFunction::CountDistinct => Self::Distinct(BTreeSet::new()),
            AggregateFunction::Sum | AggregateFunction::Avg => Self::Sum(0.0, 0),
            AggregateFunction::Min | AggregateFunction::Max => Self::Extreme(None),
        }
    }

    /// Adds a row's value; `None` where rows are counted, not values.
    pub(super) fn add(&mut self, aggregate: &Aggregate<'_>, value: Option<&Value>) {
        if value.is_some_and(Value::is_null) {
            return;
        }
        let key = |value: &Value| SortKey::new(value, aggregate.kind_of_values());
        match (self, value) {
            (Self::Count(count), _) => *count += 1,
            (Self::Distinct(seen), Some(value)) => {
                seen.insert(key(value));
            }
            (Self::Sum(sum, count), Some(value)) => {
                if let Some(number) = value.as_number() {
                    *sum += number;
                    *count += 1;
                }
            }
            (Self::Extreme(best), Some(value)) => {
                let wins = match best {
                    None => true,
                    Some(best) => {
                        let (new, old) = (key(value), key(best));
                        match aggregate.function {
                            AggregateFunction::Min => new < old,
                            _ => new > old,
                        }
                    }
                };
                if wins {
                    *best = Some(value.clone());
                }
            }
            (_, None) => {}
        }
    }

    /// Gives the result.
    pub(super) fn result(self, aggregate: &Aggregate<'_>) -> Value {
        match self {
            Self::Count(count) => Value::Int(count),
            Self::Distinct(seen) => Value::Int(seen.len() as i64),
            Self::Sum(_, 0) => Value::Null,
            Self::Sum(sum, count) => {
                let sum = exact(sum, aggregate);
                if aggregate.function == AggregateFunction::Avg {
                    Value::Number(sum / f64::from(count))
                } else if aggregate.kind() == FieldType::Int {
                    Value::Int(sum as i64)
                } else {
                    Value::Number(sum)
                }
            }
            Self::Extreme(best) => best.unwrap_or_default(),
        }
    }
}

impl Aggregate<'_> {
    /// Gives the type of the results.
    pub(super) fn kind(&self) -> FieldType {
        let of_values = self.kind_of_values();
        match self.function {
            AggregateFunction::Count | AggregateFunction::CountDistinct => FieldType::Int,
            AggregateFunction::Avg if of_values == FieldType::Int => FieldType::Double,
            _ => of_values,
        }
    }

    fn kind_of_values(&self) -> FieldType {
        let path = self.path.as_ref();
        path.map_or(FieldType::Int, |path| path.leaf.kind)
    }
}

/// Rounds a sum to the digits of its field: Salesforce adds decimals, which have no rounding errors.
fn exact(sum: f64, aggregate: &Aggregate<'_>) -> f64 {
    let field = aggregate.path.as_ref().and_then(|path| path.leaf.field);
    let Some(field) = field else { return sum };
    let factor = 10f64.powi(field.scale.min(15) as i32);
    let rounded = (sum * factor).round() / factor;
    if rounded.is_finite() { rounded } else { sum }
}
