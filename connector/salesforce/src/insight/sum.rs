//! Sums of opportunities, by whatever they are told apart.

use crate::json::Json;
use crate::writes::Decimal;

/// Numbers of some opportunities.
#[derive(Debug, Clone, Default)]
pub(super) struct Sum {
    /// By what they are told apart.
    pub(super) keys: Vec<Json>,
    /// How many.
    pub(super) count: u64,
    /// In millionths: sums of decimals are exact.
    pub(super) amount: i128,
    /// As the amount, by probability.
    pub(super) weighted: i128,
}

impl Sum {
    /// Counts a row of the query in.
    pub(super) fn add(&mut self, record: &Json) {
        self.count += record.count_at("deals").unwrap_or(0);
        self.amount += millionths(record.get("total"));
        self.weighted += millionths(record.get("weighted"));
    }

    /// Gives the row of a table; amounts as far as they are shown.
    pub(super) fn cells(&self, amount: bool, weighted: bool) -> Vec<Json> {
        let mut cells = self.keys.clone();
        cells.push(self.count.into());
        cells.extend(amount.then(|| number(self.amount)));
        cells.extend(weighted.then(|| number(self.weighted)));
        cells
    }
}

fn millionths(value: Option<&Json>) -> i128 {
    match value {
        Some(Json::Number(digits)) => Decimal::parse(digits)
            .and_then(|number| number.millionths())
            .unwrap_or(0),
        _ => 0,
    }
}

/// Writes a number of millionths.
pub(super) fn number(millionths: i128) -> Json {
    let sign = if millionths < 0 { "-" } else { "" };
    let (whole, part) = (
        millionths.unsigned_abs() / 1_000_000,
        millionths.unsigned_abs() % 1_000_000,
    );
    let digits = match part {
        0 => format!("{sign}{whole}"),
        part => format!("{sign}{whole}.{part:06}")
            .trim_end_matches('0')
            .to_owned(),
    };
    Json::Number(digits.into())
}

/// Sums up by keys, in the order in which they first come.
pub(super) fn grouped(records: &[Json], keys: impl Fn(&Json) -> Vec<Json>) -> Vec<Sum> {
    let mut sums: Vec<Sum> = Vec::new();
    for record in records {
        let keys = keys(record);
        let at = sums.iter().position(|sum| sum.keys == keys);
        let at = at.unwrap_or_else(|| {
            sums.push(Sum {
                keys,
                ..Sum::default()
            });
            sums.len() - 1
        });
        sums[at].add(record);
    }
    sums
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact() {
        let record = |total: &str| {
            Json::parse(&format!(r#"{{"deals":1,"total":{total},"weighted":null}}"#)).unwrap()
        };
        let sums = grouped(&[record("0.1"), record("0.2"), record("1.5E7")], |_| {
            Vec::new()
        });
        assert_eq!(number(sums[0].amount).to_string(), "15000000.3");
        assert_eq!((sums[0].count, sums[0].weighted), (3, 0));
        assert_eq!(number(-1_500_000).to_string(), "-1.5");
    }
}
