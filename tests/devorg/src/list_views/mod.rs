//! List views: what each chooses of its object, and the SOQL that says the same.
//!
//! The `ListView` record carries a view's names; its columns, filter and order are here, found by
//! object and developer name.

mod sample;

use crate::schema::{FieldType, Object, Schema};
use crate::store::Record;
pub(crate) use sample::VIEWS;

/// What a list view shows.
#[derive(Debug)]
pub(crate) struct ListView {
    /// The object: `SobjectType`.
    pub(crate) object: &'static str,
    /// `DeveloperName`
    pub(crate) developer_name: &'static str,
    /// `Name`
    pub(crate) label: &'static str,
    /// The scope of `USING SCOPE`; `None` is everything.
    pub(crate) scope: Option<&'static str>,
    /// All of these hold.
    pub(crate) conditions: &'static [Condition],
    /// The paths of the fields that are shown.
    pub(crate) columns: &'static [&'static str],
    /// The field by which rows are ordered, and whether the last come first.
    pub(crate) order: (&'static str, bool),
}

/// A condition of a list view, in the words of a describe.
#[derive(Debug)]
pub(crate) struct Condition {
    /// The field.
    pub(crate) field: &'static str,
    /// The operator.
    pub(crate) operator: Operator,
    /// A literal as SOQL writes it.
    pub(crate) value: &'static str,
}

/// How a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    /// `equals`
    Equals,
    /// `notEquals`
    NotEquals,
    /// `greaterThanOrEqualTo`
    AtLeast,
    /// `lessThan`
    Below,
}

impl Operator {
    /// Gives the word of the describe and the operator of SOQL.
    pub(crate) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Equals => ("equals", "="),
            Self::NotEquals => ("notEquals", "!="),
            Self::AtLeast => ("greaterThanOrEqualTo", ">="),
            Self::Below => ("lessThan", "<"),
        }
    }
}

/// What a query of a list view selects besides its columns, which are hidden.
pub(crate) const HIDDEN: [&str; 4] = ["Id", "CreatedDate", "LastModifiedDate", "SystemModstamp"];

impl ListView {
    /// Finds what the view of a `ListView` record shows.
    pub(crate) fn of(record: &Record) -> Option<&'static Self> {
        let text = |field: &str| record.get(field).as_text();
        VIEWS.iter().find(|view| {
            text("SobjectType") == Some(view.object)
                && text("DeveloperName") == Some(view.developer_name)
        })
    }

    /// Gives the paths that the query selects, each with whether it is hidden; what a user does not
    /// see is not in `schema`, and no column.
    pub(crate) fn paths(
        &self,
        schema: &Schema,
        object: &Object,
    ) -> impl Iterator<Item = (&'static str, bool)> {
        let shown = self.columns.iter().map(|path| (*path, false));
        let hidden = HIDDEN.iter().map(|path| (*path, true));
        shown
            .chain(hidden.filter(|(path, _)| !self.columns.contains(path)))
            .filter(|(path, _)| schema.field_at(object, path).is_some())
    }

    /// Gives the fields of `ORDER BY`: the view's own, if the user sees it, and the id, so that pages
    /// never overlap.
    pub(crate) fn orders(&self, schema: &Schema, object: &Object) -> Vec<(&'static str, bool)> {
        [self.order, ("Id", false)]
            .into_iter()
            .filter(|(path, _)| schema.field_at(object, path).is_some())
            .collect()
    }

    /// Writes the view as SOQL.
    pub(crate) fn soql(&self, schema: &Schema, object: &Object) -> String {
        let select: Vec<String> = self
            .paths(schema, object)
            .map(|(path, _)| select_item(object, path))
            .collect();
        let mut soql = format!("SELECT {} FROM {}", select.join(", "), object.name);
        if let Some(scope) = self.scope {
            soql.push_str(&format!(" USING SCOPE {scope}"));
        }
        for (at, condition) in self.conditions.iter().enumerate() {
            let word = if at == 0 { "WHERE" } else { "AND" };
            let (field, value) = (condition.field, condition.value);
            let (_, operator) = condition.operator.words();
            soql.push_str(&format!(" {word} {field} {operator} {value}"));
        }
        let orders = self.orders(schema, object).into_iter();
        let orders: Vec<String> = orders
            .map(|(field, descending)| {
                let (direction, nulls) = direction(descending);
                format!("{field} {direction} NULLS {nulls}")
            })
            .collect();
        soql.push_str(&format!(" ORDER BY {}", orders.join(", ")));
        soql
    }
}

/// Gives the words of a direction, and where missing values go with it.
fn direction(descending: bool) -> (&'static str, &'static str) {
    match descending {
        true => ("DESC", "LAST"),
        false => ("ASC", "FIRST"),
    }
}

/// Gives what a path is selected as: picklists by their labels.
pub(crate) fn select_item(object: &Object, path: &str) -> String {
    let labelled = object.field(path).is_some_and(|field| {
        matches!(
            field.field_type,
            FieldType::Picklist | FieldType::Multipicklist
        )
    });
    match labelled {
        true => format!("toLabel({path})"),
        false => path.to_owned(),
    }
}
