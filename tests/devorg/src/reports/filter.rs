//! The filters of a report, as conditions of SOQL.

use jiff::civil::Date;

use super::bound::Shown;
use super::logic::combined;
use super::metadata::{DateFilter, Filter, Metadata};
use super::types::ReportType;
use super::{Bound, bad_request};
use crate::error::ApiError;
use crate::query::{Calendar, next_day};
use crate::schema::FieldType;
use crate::value::format_moment;

/// Writes everything that rows must meet; `None` where that is nothing.
///
/// # Errors
///
/// `BAD_REQUEST`: a column, an operator or a value is not to be had.
pub(super) fn conditions(
    bound: &Bound<'_>,
    metadata: &Metadata,
    calendar: &Calendar,
) -> Result<Option<String>, ApiError> {
    let filters: Vec<String> = metadata
        .report_filters
        .iter()
        .map(|filter| condition(&bound.column(&filter.column)?, filter, calendar))
        .collect::<Result<_, _>>()?;
    let mut all = standard(bound.kind, metadata)?;
    if let Some(date) = &metadata.standard_date_filter {
        all.extend(date_condition(
            &bound.column(&date.column)?,
            date,
            calendar,
        )?);
    }
    match metadata.report_boolean_filter.as_deref() {
        Some(logic) if !logic.trim().is_empty() => all.push(combined(logic, &filters)?),
        _ => all.extend(filters.iter().map(|filter| format!("({filter})"))),
    }
    Ok((!all.is_empty()).then(|| all.join(" AND ")))
}

/// Writes what is chosen of the filters that the type has.
fn standard(kind: &ReportType, metadata: &Metadata) -> Result<Vec<String>, ApiError> {
    let mut all = Vec::new();
    for chosen in metadata.standard_filters.iter().flatten() {
        let condition = kind
            .standard_filters
            .iter()
            .find(|filter| filter.name == chosen.name)
            .and_then(|filter| {
                filter
                    .choices
                    .iter()
                    .find(|(value, ..)| *value == chosen.value)
            })
            .map(|(_, _, condition)| *condition)
            .ok_or_else(|| {
                let (name, value) = (&chosen.name, &chosen.value);
                bad_request(format!("The standard filter {name} can't be {value}."))
            })?;
        if !condition.is_empty() {
            all.push(condition.to_owned());
        }
    }
    Ok(all)
}

fn date_condition(
    column: &Shown<'_>,
    filter: &DateFilter,
    calendar: &Calendar,
) -> Result<Vec<String>, ApiError> {
    if !column.is_date() {
        let name = column.column.name;
        return Err(bad_request(format!("The column {name} isn't a date.")));
    }
    let path = column.column.path;
    if filter.duration_value != "CUSTOM" {
        let (from, _) = date_bounds(column, &filter.duration_value, calendar)?;
        return Ok(vec![format!("{path} = {from}")]);
    }
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let mut all = Vec::new();
    if let Some(start) = given(&filter.start_date) {
        let (from, _) = date_bounds(column, &start, calendar)?;
        all.push(format!("{path} >= {from}"));
    }
    if let Some(end) = given(&filter.end_date) {
        all.push(match date_bounds(column, &end, calendar)? {
            (_, Some(next)) => format!("{path} < {next}"),
            (literal, None) => format!("{path} <= {literal}"),
        });
    }
    Ok(all)
}

/// Writes one filter. Several values are a choice, or all refused by an operator that refuses.
fn condition(column: &Shown<'_>, filter: &Filter, calendar: &Calendar) -> Result<String, ApiError> {
    let (path, operator) = (column.column.path, filter.operator.as_str());
    let refused = || {
        let name = column.column.name;
        bad_request(format!(
            "The operator {operator} can't be used with the column {name}."
        ))
    };
    let values = values(&filter.value);
    if matches!(operator, "includes" | "excludes") {
        if column.kind != FieldType::Multipicklist {
            return Err(refused());
        }
        let texts: Vec<String> = values.iter().map(|value| quoted(value)).collect();
        let word = operator.to_ascii_uppercase();
        return Ok(format!("{path} {word} ({})", texts.join(", ")));
    }
    if matches!(operator, "contains" | "notContain" | "startsWith") {
        if !column.kind.is_text() || column.kind == FieldType::Multipicklist {
            return Err(refused());
        }
        let likes = values.iter().map(|value| {
            let start = if operator == "startsWith" { "" } else { "%" };
            format!("{path} LIKE '{start}{}%'", escaped(value, true))
        });
        let any = likes.collect::<Vec<_>>().join(" OR ");
        return Ok(match operator {
            "notContain" => format!("(NOT ({any}))"),
            _ => any,
        });
    }
    let word = match operator {
        "equals" => "=",
        "notEqual" => "!=",
        "lessThan" => "<",
        "greaterThan" => ">",
        "lessOrEqual" => "<=",
        "greaterOrEqual" => ">=",
        _ => return Err(refused()),
    };
    let compared = values
        .iter()
        .map(|value| compared(column, word, value, calendar))
        .collect::<Result<Vec<_>, _>>()?;
    let joiner = if word == "!=" { " AND " } else { " OR " };
    Ok(compared.join(joiner))
}

/// Compares a column with one value; an empty one is no value.
fn compared(
    column: &Shown<'_>,
    word: &str,
    value: &str,
    calendar: &Calendar,
) -> Result<String, ApiError> {
    let path = column.column.path;
    let invalid = || {
        let name = column.column.name;
        bad_request(format!(
            "The value {value} can't be used with the column {name}."
        ))
    };
    if value.is_empty() {
        return match word {
            "=" | "!=" => Ok(format!("{path} {word} NULL")),
            _ => Err(invalid()),
        };
    }
    if column.is_date() {
        let (from, next) = date_bounds(column, value, calendar)?;
        let Some(next) = next else {
            return Ok(format!("{path} {word} {from}"));
        };
        // A day of moments has a beginning and an end.
        return Ok(match word {
            "=" => format!("({path} >= {from} AND {path} < {next})"),
            "!=" => format!("({path} < {from} OR {path} >= {next} OR {path} = NULL)"),
            "<=" => format!("{path} < {next}"),
            ">" => format!("{path} >= {next}"),
            _ => format!("{path} {word} {from}"),
        });
    }
    match column.kind {
        FieldType::Boolean => match value.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(format!("{path} {word} true")),
            "false" | "0" => Ok(format!("{path} {word} false")),
            _ => Err(invalid()),
        },
        kind if kind.is_number() => {
            let number: f64 = value.parse().map_err(|_| invalid())?;
            if !number.is_finite() {
                return Err(invalid());
            }
            Ok(format!("{path} {word} {number}"))
        }
        _ => Ok(format!("{path} {word} {}", quoted(value))),
    }
}

/// Writes a day or a date literal for SOQL. A day of moments has two bounds: its beginning and
/// that of the next day.
fn date_bounds(
    column: &Shown<'_>,
    value: &str,
    calendar: &Calendar,
) -> Result<(String, Option<String>), ApiError> {
    if let Ok(day) = value.parse::<Date>() {
        if column.kind == FieldType::Date {
            return Ok((day.to_string(), None));
        }
        let start = |day| format_moment(calendar.start_of(day)).replace("+0000", "Z");
        return Ok((start(day), Some(start(next_day(day)))));
    }
    let literal = value.trim().replace(' ', "_").to_ascii_uppercase();
    let known = soql::parse_query(&format!(
        "SELECT Id FROM Account WHERE CreatedDate = {literal}"
    ));
    let plain = literal
        .chars()
        .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || matches!(c, '_' | ':'));
    match known {
        Ok(_) if plain && literal != "NULL" => Ok((literal, None)),
        _ => Err(bad_request(format!("The date value {value} is invalid."))),
    }
}

/// Takes a list of values apart at its commas; quotation marks keep one together.
fn values(text: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut inside = false;
    for c in text.chars() {
        match (c, values.last_mut()) {
            ('"', _) => inside = !inside,
            (',', _) if !inside => values.push(String::new()),
            (c, Some(value)) => value.push(c),
            _ => {}
        }
    }
    values.iter().map(|value| value.trim().to_owned()).collect()
}

/// Writes a text for SOQL.
fn quoted(text: &str) -> String {
    format!("'{}'", escaped(text, false))
}

/// Writes what stands between quotation marks; in a pattern `%` and `_` stand for themselves.
fn escaped(text: &str, in_pattern: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '%' | '_' if in_pattern => escaped.extend(['\\', c]),
            '\'' | '\\' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_taken_apart_at_its_commas() {
        assert_eq!(values("a, b,\"c, d\""), ["a", "b", "c, d"]);
        assert_eq!(values(""), [""]);
        assert_eq!(values("\"open"), ["open"]);
    }

    #[test]
    fn a_text_cannot_leave_its_quotes() {
        assert_eq!(quoted("O'Hara\\"), "'O\\'Hara\\\\'");
        assert_eq!(escaped("5%_", true), "5\\%\\_");
    }
}
