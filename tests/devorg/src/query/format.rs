//! Values for people, as `FORMAT` gives them in the locale of every user here: en_US.

use super::date_range::Calendar;
use crate::schema::FieldType;
use crate::value::Value;

/// Gives a value as people read it; texts and missing values stay as they are.
///
/// `scale` is the digits after the point. Moments are shown in the user's time zone.
pub(crate) fn formatted(value: &Value, kind: FieldType, scale: u32, calendar: &Calendar) -> Value {
    match value {
        Value::Int(value) => Value::Text(grouped(&value.to_string())),
        Value::Number(value) => {
            let digits = grouped(&format!("{value:.*}", scale as usize));
            Value::Text(match kind {
                FieldType::Currency => match digits.strip_prefix('-') {
                    Some(digits) => format!("-${digits}"),
                    None => format!("${digits}"),
                },
                FieldType::Percent => format!("{digits}%"),
                _ => digits,
            })
        }
        Value::Date(day) => Value::Text(day.strftime("%-m/%-d/%Y").to_string()),
        Value::DateTime(moment) => {
            let local = calendar.time_zone.to_datetime(*moment);
            Value::Text(local.strftime("%-m/%-d/%Y, %-I:%M %p").to_string())
        }
        Value::Time(time) => Value::Text(time.strftime("%-I:%M %p").to_string()),
        other => other.clone(),
    }
}

/// Puts a comma before every third digit of the whole part.
fn grouped(number: &str) -> String {
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (number, None),
    };
    let (sign, digits) = match whole.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", whole),
    };
    let mut text = String::from(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use jiff::civil::date;
    use jiff::tz::TimeZone;

    #[test]
    fn values_read_as_in_the_united_states() {
        let calendar = Calendar {
            today: date(2026, 11, 23),
            time_zone: TimeZone::fixed(jiff::tz::offset(-8)),
            fiscal_start_month: 1,
            fiscal_year_by_start: false,
        };
        let cases = [
            (Value::Int(-1_234_567), FieldType::Int, 0, "-1,234,567"),
            (Value::Number(123.0), FieldType::Currency, 2, "$123.00"),
            (
                Value::Number(-1_234.5),
                FieldType::Currency,
                2,
                "-$1,234.50",
            ),
            (Value::Number(1_000.25), FieldType::Double, 3, "1,000.250"),
            (Value::Number(70.0), FieldType::Percent, 0, "70%"),
            (date(2026, 2, 3).into(), FieldType::Date, 0, "2/3/2026"),
            (
                Timestamp::UNIX_EPOCH.into(),
                FieldType::Datetime,
                0,
                "12/31/1969, 4:00 PM",
            ),
            (
                jiff::civil::time(15, 5, 0, 0).into(),
                FieldType::Time,
                0,
                "3:05 PM",
            ),
            ("Acme".into(), FieldType::String, 0, "Acme"),
        ];
        for (value, kind, scale, expected) in cases {
            assert_eq!(
                formatted(&value, kind, scale, &calendar),
                Value::text(expected)
            );
        }
        assert!(formatted(&Value::Null, FieldType::Date, 0, &calendar).is_null());
    }
}
