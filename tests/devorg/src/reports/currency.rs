//! Currencies of a report, where the org has several: an amount has its record's, and sums have the report's.
//!
//! The org has no rates: a unit of one currency counts as one of another, here as in a query's sums.

use super::bound::{Bound, Shown};
use crate::schema::FieldType;

/// The field that says a record's currency.
const CODE: &str = "CurrencyIsoCode";

impl Bound<'_> {
    /// Gives the currency of the sums: that of new records. Nothing in an org with one currency.
    pub(super) fn currency(&self) -> Option<&str> {
        let codes = &self.object.field(CODE)?.picklist_values;
        let own = codes.iter().find(|code| code.default_value);
        own.or(codes.first()).map(|code| code.value.as_str())
    }

    /// Gives where the currency of a column's amounts stands: `Account.CurrencyIsoCode` of `Account.AnnualRevenue`.
    pub(super) fn code_path(&self, shown: &Shown<'_>) -> Option<String> {
        if shown.kind != FieldType::Currency {
            return None;
        }
        let path = match shown.column.path.rsplit_once('.') {
            Some((parent, _)) => format!("{parent}.{CODE}"),
            None => CODE.to_owned(),
        };
        self.schema.field_at(self.object, &path)?;
        Some(path)
    }
}
