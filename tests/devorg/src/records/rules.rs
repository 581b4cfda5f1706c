//! Validation rules: what the org's administrator does not let pass, whatever the schema allows.
//!
//! They are evaluated on the record as it would be saved, after triggers, and every rule that fires
//! is an error of its own, as in Salesforce.

use jiff::ToSpan;
use jiff::tz::TimeZone;

use crate::error::ApiError;
use crate::org::Org;
use crate::schema::Object;
use crate::store::Record;
use crate::value::Value;

/// The years ahead that a sale may be expected to close in.
const CLOSE_YEARS_MAX: i64 = 10;

/// A rule of one object.
struct ValidationRule {
    object: &'static str,
    /// The condition under which the record is refused.
    error_condition: fn(&Org, &Record) -> bool,
    error_message: &'static str,
    /// The field that shows the message; without one it stands above the record.
    error_display_field: Option<&'static str>,
}

const RULES: [ValidationRule; 3] = [
    ValidationRule {
        object: "Opportunity",
        error_condition: |_, sale| number(sale, "Amount").is_some_and(|amount| amount < 0.0),
        error_message: "The amount of an opportunity must not be negative.",
        error_display_field: Some("Amount"),
    },
    ValidationRule {
        object: "Opportunity",
        error_condition: closes_too_late,
        error_message: "The close date must be within ten years from today.",
        error_display_field: Some("CloseDate"),
    },
    ValidationRule {
        object: "Campaign",
        error_condition: ends_before_it_starts,
        error_message: "A campaign must not end before it starts.",
        error_display_field: None,
    },
];

/// Holds a record against its object's rules.
///
/// # Errors
///
/// `FIELD_CUSTOM_VALIDATION_EXCEPTION`, once for each rule that fires.
pub(super) fn check(org: &Org, object: &Object, record: &Record) -> Result<(), ApiError> {
    let fired = RULES
        .iter()
        .filter(|rule| rule.object == &*object.name && (rule.error_condition)(org, record))
        .map(|rule| {
            let fields = rule.error_display_field.map(str::to_owned);
            ApiError::of_fields(
                "FIELD_CUSTOM_VALIDATION_EXCEPTION",
                rule.error_message,
                fields,
            )
        });
    ApiError::all(fired).map_or(Ok(()), Err)
}

fn number(record: &Record, field: &str) -> Option<f64> {
    record.get(field).as_number()
}

fn closes_too_late(org: &Org, sale: &Record) -> bool {
    let today = TimeZone::UTC.to_datetime(org.now()).date();
    let last = today.saturating_add(CLOSE_YEARS_MAX.years());
    matches!(*sale.get("CloseDate"), Value::Date(close) if close > last)
}

fn ends_before_it_starts(_: &Org, campaign: &Record) -> bool {
    match (campaign.get("StartDate"), campaign.get("EndDate")) {
        (Value::Date(start), Value::Date(end)) => end < start,
        _ => false,
    }
}
