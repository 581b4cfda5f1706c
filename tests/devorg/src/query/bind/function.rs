//! Functions of a row: date functions and `toLabel`, and what makes a query a grouped one.

use soql::{Argument, FunctionCall, Operand as Asked, OrderItem, Query, SelectItem, Span};

use super::Binder;
use super::from::Scope;
use crate::error::ApiError;
use crate::query::date_part::DatePart;
use crate::query::plan::{AggregateFunction, Expr, Operand, Path};
use crate::schema::FieldType;

/// Says whether rows are grouped: by a clause, or because something is aggregated.
pub(super) fn is_grouped(query: &Query) -> bool {
    let in_select = |item: &SelectItem| match item {
        SelectItem::Function { call, .. } => aggregates(call),
        _ => false,
    };
    let in_order = |item: &OrderItem| match &item.key {
        Asked::Function(call) => AggregateFunction::named(&call.name.name).is_some(),
        Asked::Field(_) => false,
    };
    query.group_by.is_some()
        || query.select.iter().any(in_select)
        || query.order_by.iter().any(in_order)
}

fn aggregates(call: &FunctionCall) -> bool {
    let name = &call.name.name;
    let inner = |argument: &Argument| match argument {
        Argument::Function(call) => aggregates(call),
        _ => false,
    };
    AggregateFunction::named(name).is_some()
        || DatePart::named(name).is_some()
        || call.name.is("GROUPING")
        || call.args.iter().any(inner)
}

/// Gives where an operand stands.
pub(super) fn span(operand: &Asked) -> Span {
    match operand {
        Asked::Field(path) => path.span,
        Asked::Function(call) => call.span,
    }
}

impl<'a> Binder<'a, '_> {
    /// Resolves what is evaluated for a row: a field, or a function of one.
    pub(super) fn row_operand(
        &self,
        asked: &Asked,
        scope: &Scope<'a>,
    ) -> Result<Operand<'a>, ApiError> {
        match asked {
            Asked::Field(path) => Ok(field_operand(self.path(path, scope)?)),
            Asked::Function(call) if call.name.is("toLabel") => {
                let path = self.only_field(call, scope)?;
                let mut operand = field_operand(path.clone());
                operand.expr = Expr::Label(path);
                Ok(operand)
            }
            Asked::Function(call) if call.name.is("DISTANCE") => self.distance(call, scope),
            Asked::Function(call) => match DatePart::named(&call.name.name) {
                Some(part) => self.part_operand(part, call, scope),
                None => Err(self.unknown_function(call)),
            },
        }
    }

    fn part_operand(
        &self,
        part: DatePart,
        call: &FunctionCall,
        scope: &Scope<'a>,
    ) -> Result<Operand<'a>, ApiError> {
        let (path, zoned) = match call.args.as_slice() {
            [Argument::Function(inner)] if inner.name.is("convertTimezone") => {
                let path = self.only_field(inner, scope)?;
                if path.leaf.kind != FieldType::Datetime {
                    let reason = "convertTimezone() can only be used with dateTime fields";
                    return Err(self.source.malformed(inner.span, reason));
                }
                (path, true)
            }
            _ => (self.only_field(call, scope)?, false),
        };
        let word = call.name.name.to_ascii_uppercase();
        let fits = match path.leaf.kind {
            FieldType::Datetime => true,
            FieldType::Date => !part.needs_moment(),
            _ => false,
        };
        if !fits {
            let reason = format!("field {} does not support function {word}", path.leaf.name);
            return Err(self.source.malformed(call.span, reason));
        }
        Ok(Operand {
            kind: part.kind(),
            name: format!("{word}({})", path.leaf.name),
            field: None,
            expr: Expr::Part { part, path, zoned },
        })
    }

    /// Resolves the one field that a function is given.
    pub(super) fn only_field(
        &self,
        call: &FunctionCall,
        scope: &Scope<'a>,
    ) -> Result<Path<'a>, ApiError> {
        match call.args.as_slice() {
            [Argument::Field(path)] => self.path(path, scope),
            _ => {
                let reason = format!("{}() takes one field", call.name.name);
                Err(self.source.malformed(call.span, reason))
            }
        }
    }

    /// Makes the refusal of a function that is not there, or not here.
    pub(super) fn unknown_function(&self, call: &FunctionCall) -> ApiError {
        let name = &call.name.name;
        let reason = if call.name.is("convertCurrency") {
            "convertCurrency() is available in organizations with multiple currencies only".into()
        } else {
            format!("unexpected token: '{name}'")
        };
        self.source.malformed(call.span, reason)
    }
}

/// Makes the operand of a field.
pub(super) fn field_operand(path: Path<'_>) -> Operand<'_> {
    Operand {
        kind: path.leaf.kind,
        name: path.leaf.name.to_owned(),
        field: path.leaf.field,
        expr: Expr::Field(path),
    }
}
