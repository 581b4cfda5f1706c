//! A report whose columns are found, and the query that gives its rows.

use serde_json::Value as Json;

use super::bad_request;
use super::filter::conditions;
use super::metadata::{Granularity, Grouping, Metadata, SortOrder};
use super::types::{Column, ReportType};
use crate::error::ApiError;
use crate::query::Calendar;
use crate::schema::{Field, FieldType, Object, Schema};
use crate::value::Value;

/// A report ready to be run.
#[derive(Debug)]
pub(super) struct Bound<'a> {
    pub(super) schema: &'a Schema,
    pub(super) kind: &'static ReportType,
    pub(super) object: &'a Object,
    /// `detailColumns`
    pub(super) details: Vec<Shown<'a>>,
    /// `groupingsDown`
    pub(super) down: Vec<Keyed<'a>>,
    /// `groupingsAcross`
    pub(super) across: Vec<Keyed<'a>>,
    /// `aggregates`
    pub(super) aggregates: Vec<Aggregate<'a>>,
}

/// A column and the field whose values it has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) column: &'static Column,
    pub(super) field: &'a Field,
    pub(super) kind: FieldType,
}

/// A column by which rows are grouped.
#[derive(Debug)]
pub(super) struct Keyed<'a> {
    pub(super) shown: Shown<'a>,
    pub(super) granularity: Granularity,
    pub(super) descending: bool,
    /// The place of the aggregate by which groups are ordered.
    pub(super) by_aggregate: Option<usize>,
}

/// A sum, or another number of a group's rows.
#[derive(Debug, Clone)]
pub(super) struct Aggregate<'a> {
    /// `s!AMOUNT` or `RowCount`.
    pub(super) name: String,
    pub(super) function: Function,
    /// What it is taken of; nothing for the number of rows.
    pub(super) of: Option<Shown<'a>>,
}

/// What is taken of a group's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Count,
    Sum,
    Average,
    Max,
    Min,
    Unique,
}

impl Function {
    const ALL: [(&'static str, Self, &'static str); 5] = [
        ("s!", Self::Sum, "Sum of"),
        ("a!", Self::Average, "Average"),
        ("mx!", Self::Max, "Largest"),
        ("m!", Self::Min, "Smallest"),
        ("u!", Self::Unique, "Unique Count of"),
    ];
}

impl Shown<'_> {
    /// Says whether values are days or moments.
    pub(super) fn is_date(&self) -> bool {
        matches!(self.kind, FieldType::Date | FieldType::Datetime)
    }
}

impl Aggregate<'_> {
    /// Gives what a person reads.
    pub(super) fn label(&self) -> String {
        let word = Function::ALL
            .iter()
            .find(|(_, function, _)| *function == self.function);
        match (word, self.of) {
            (Some((_, _, word)), Some(of)) => format!("{word} {}", of.column.label),
            _ => "Record Count".into(),
        }
    }

    /// Gives the type of its values.
    pub(super) fn kind(&self) -> FieldType {
        match (self.function, self.of) {
            (Function::Count | Function::Unique, _) | (_, None) => FieldType::Int,
            (Function::Average, Some(of)) if of.kind == FieldType::Int => FieldType::Double,
            (_, Some(of)) => of.kind,
        }
    }
}

impl<'a> Bound<'a> {
    /// Finds what a report's columns are.
    ///
    /// # Errors
    ///
    /// `BAD_REQUEST`: there is no such column, or it cannot be grouped or summed up like that.
    pub(super) fn new(
        schema: &'a Schema,
        kind: &'static ReportType,
        metadata: &Metadata,
    ) -> Result<Self, ApiError> {
        let object = schema
            .object(kind.object)
            .ok_or_else(|| bad_request(format!("The report type {} is obsolete.", kind.name)))?;
        let mut bound = Self {
            schema,
            kind,
            object,
            details: Vec::new(),
            down: Vec::new(),
            across: Vec::new(),
            aggregates: Vec::new(),
        };
        for name in &metadata.detail_columns {
            if !bound.is_hidden(name) {
                let column = bound.column(name)?;
                bound.details.push(column);
            }
        }
        for name in &metadata.aggregates {
            if !bound.is_hidden(aggregated(name)) {
                let aggregate = bound.aggregate(name)?;
                bound.aggregates.push(aggregate);
            }
        }
        bound.down = bound.groupings(&metadata.groupings_down)?;
        bound.across = bound.groupings(&metadata.groupings_across)?;
        Ok(bound)
    }

    /// Finds a column.
    ///
    /// # Errors
    ///
    /// `BAD_REQUEST`: the report type has none of this name.
    pub(super) fn column(&self, name: &str) -> Result<Shown<'a>, ApiError> {
        let column = self.kind.column(name);
        column
            .and_then(|column| self.shown(column))
            .ok_or_else(|| bad_request(format!("The column {name} is invalid.")))
    }

    /// Finds the field of a column; there is none where who asks has no access to it.
    pub(super) fn shown(&self, column: &'static Column) -> Option<Shown<'a>> {
        let field = self.schema.field_at(self.object, column.path)?;
        Some(Shown {
            column,
            field,
            kind: field.field_type,
        })
    }

    /// Says whether a column is there, and not for who asks: reports are shown without it.
    fn is_hidden(&self, name: &str) -> bool {
        let column = self.kind.column(name);
        column.is_some_and(|column| self.shown(column).is_none())
    }

    /// Gives a report's metadata without the columns that are hidden from who asks, and with the currency of its sums.
    pub(super) fn seen_of(&self, metadata: &Json) -> Json {
        let mut seen = metadata.clone();
        if seen["currency"].is_null() {
            seen["currency"] = self.currency().into();
        }
        for list in ["detailColumns", "aggregates"] {
            if let Some(names) = seen[list].as_array_mut() {
                names.retain(|name| {
                    let name = name.as_str().unwrap_or_default();
                    !self.is_hidden(aggregated(name))
                });
            }
        }
        seen
    }

    fn aggregate(&self, name: &str) -> Result<Aggregate<'a>, ApiError> {
        let invalid = || bad_request(format!("The aggregate {name} is invalid."));
        let (function, of) = if name == "RowCount" {
            (Function::Count, None)
        } else {
            let (prefix, column) = name.split_once('!').ok_or_else(invalid)?;
            let function = Function::ALL
                .iter()
                .find(|(known, ..)| known.strip_suffix('!') == Some(prefix))
                .map(|(_, function, _)| *function)
                .ok_or_else(invalid)?;
            let of = self.column(column)?;
            if function != Function::Unique && !of.kind.is_number() {
                return Err(invalid());
            }
            (function, Some(of))
        };
        Ok(Aggregate {
            name: name.to_owned(),
            function,
            of,
        })
    }

    fn groupings(&self, groupings: &[Grouping]) -> Result<Vec<Keyed<'a>>, ApiError> {
        let mut all = Vec::new();
        for grouping in groupings {
            let shown = self.column(&grouping.name)?;
            if grouping.date_granularity != Granularity::None && !shown.is_date() {
                let name = &grouping.name;
                let message = format!("The column {name} can't be grouped by date.");
                return Err(bad_request(message));
            }
            let by_aggregate = match &grouping.sort_aggregate {
                None => None,
                Some(name) => Some(
                    self.aggregates
                        .iter()
                        .position(|aggregate| aggregate.name == *name)
                        .ok_or_else(|| bad_request(format!("The aggregate {name} is invalid.")))?,
                ),
            };
            all.push(Keyed {
                shown,
                granularity: grouping.date_granularity,
                descending: grouping.sort_order == SortOrder::Desc,
                by_aggregate,
            });
        }
        Ok(all)
    }

    /// Writes the query that gives the report's rows.
    ///
    /// # Errors
    ///
    /// `BAD_REQUEST`: a filter, the scope or the order is not to be had.
    pub(super) fn soql(
        &self,
        metadata: &Metadata,
        calendar: &Calendar,
    ) -> Result<String, ApiError> {
        let keys = self.down.iter().chain(&self.across).map(|key| key.shown);
        let of = self.aggregates.iter().filter_map(|aggregate| aggregate.of);
        let codes = self
            .details
            .iter()
            .filter_map(|shown| self.code_path(shown));
        let codes: Vec<String> = codes.collect();
        let mut paths = vec!["Id"];
        for shown in self.details.iter().copied().chain(keys).chain(of) {
            for path in [shown.column.path, shown.column.id] {
                if !path.is_empty() && !paths.contains(&path) {
                    paths.push(path);
                }
            }
        }
        for code in &codes {
            if !paths.contains(&code.as_str()) {
                paths.push(code);
            }
        }
        let mut soql = format!("SELECT {} FROM {}", paths.join(", "), self.object.name);
        match metadata.scope.as_str() {
            "organization" => {}
            "user" => soql.push_str(" USING SCOPE mine"),
            scope => return Err(bad_request(format!("The scope {scope} is invalid."))),
        }
        if let Some(conditions) = conditions(self, metadata, calendar)? {
            soql.push_str(" WHERE ");
            soql.push_str(&conditions);
        }
        let mut orders = Vec::new();
        for sort in &metadata.sort_by {
            let shown = self.column(&sort.sort_column)?;
            if !shown.field.sortable {
                let message = format!("The column {} can't be sorted.", sort.sort_column);
                return Err(bad_request(message));
            }
            let direction = match sort.sort_order {
                SortOrder::Asc => "ASC NULLS FIRST",
                SortOrder::Desc => "DESC NULLS LAST",
            };
            orders.push(format!("{} {direction}", shown.column.path));
        }
        if !orders.is_empty() {
            soql.push_str(&format!(" ORDER BY {}", orders.join(", ")));
        }
        Ok(soql)
    }
}

/// Gives the column of an aggregate: `AMOUNT` of `s!AMOUNT`; a column is its own.
fn aggregated(name: &str) -> &str {
    name.split_once('!').map_or(name, |(_, column)| column)
}

/// Takes a value out of a row of a query's answer.
pub(super) fn value_at(row: &Json, path: &str, kind: FieldType) -> Value {
    let mut value = row;
    for step in path.split('.') {
        value = &value[step];
    }
    match (value, kind) {
        (Json::Bool(value), _) => (*value).into(),
        (Json::Number(number), FieldType::Int) => {
            number.as_i64().map(Value::Int).unwrap_or_default()
        }
        (Json::Number(number), _) => number.as_f64().map(Value::Number).unwrap_or_default(),
        (Json::String(text), FieldType::Date) => text.parse().map(Value::Date).unwrap_or_default(),
        (Json::String(text), FieldType::Datetime) => {
            let moment = text.replace("+0000", "Z").parse();
            moment.map(Value::DateTime).unwrap_or_default()
        }
        (Json::String(text), _) => Value::text(text.as_str()),
        _ => Value::Null,
    }
}
