//! Grouped queries: every field is a key or aggregated.

use soql::{Argument, FunctionCall, GroupKind, Operand as Asked, Query, SelectItem, Span};

use super::Binder;
use super::from::Scope;
use super::function::span;
use crate::error::ApiError;
use crate::query::plan::{Aggregate, AggregateFunction, Expr, Groups, Operand};
use crate::schema::FieldType;

/// The most keys of `ROLLUP` and `CUBE`.
const SUBTOTAL_KEYS_MAX: usize = 3;

impl<'a> Binder<'a, '_> {
    /// Resolves the keys and what is selected of groups; `HAVING` is added after `WHERE`.
    pub(super) fn groups(&self, query: &Query, scope: &Scope<'a>) -> Result<Groups<'a>, ApiError> {
        let mut groups = Groups {
            kind: GroupKind::Plain,
            keys: Vec::new(),
            aggregates: Vec::new(),
            having: None,
            outputs: Vec::new(),
        };
        if let Some(group_by) = &query.group_by {
            groups.kind = group_by.kind;
            for item in &group_by.items {
                let key = self.group_key(item, scope)?;
                groups.keys.push(key);
            }
            if groups.kind != GroupKind::Plain && groups.keys.len() > SUBTOTAL_KEYS_MAX {
                let reason = format!(
                    "ROLLUP and CUBE can have at most {SUBTOTAL_KEYS_MAX} grouping expressions"
                );
                return Err(self.source.malformed(query.span, reason));
            }
        }
        let mut unnamed = 0;
        for item in &query.select {
            self.add_output(item, scope, &mut groups, &mut unnamed)?;
        }
        Ok(groups)
    }

    fn group_key(&self, item: &Asked, scope: &Scope<'a>) -> Result<Operand<'a>, ApiError> {
        let operand = self.row_operand(item, scope)?;
        let groupable = operand.field.is_none_or(|field| field.groupable);
        if groupable {
            return Ok(operand);
        }
        let reason = format!(
            "field '{}' can not be grouped in a query call",
            operand.name
        );
        Err(self.source.malformed(span(item), reason))
    }

    fn add_output(
        &self,
        item: &SelectItem,
        scope: &Scope<'a>,
        groups: &mut Groups<'a>,
        unnamed: &mut usize,
    ) -> Result<(), ApiError> {
        let (asked, alias) = match item {
            SelectItem::Field { path, alias } => (Asked::Field(path.clone()), alias),
            SelectItem::Function { call, alias } => (Asked::Function(call.clone()), alias),
            SelectItem::Subquery(query) => return Err(self.not_grouped(query.span, "subqueries")),
            SelectItem::TypeOf(type_of) => return Err(self.not_grouped(type_of.span, "TYPEOF")),
            SelectItem::Fields { span, .. } => return Err(self.not_grouped(*span, "FIELDS()")),
        };
        let at = span(&asked);
        let operand = self.group_operand(&asked, scope, groups)?;
        let name = match (alias, &asked) {
            (Some(alias), _) => alias.name.clone(),
            (None, Asked::Field(_)) => operand.name.clone(),
            (None, Asked::Function(_)) => {
                *unnamed += 1;
                format!("expr{}", *unnamed - 1)
            }
        };
        let mut outputs = groups.outputs.iter();
        if outputs.any(|(known, _)| known.eq_ignore_ascii_case(&name)) {
            let reason = format!("duplicate alias: {name}");
            return Err(self.source.malformed(at, reason));
        }
        groups.outputs.push((name, operand));
        Ok(())
    }

    fn not_grouped(&self, at: Span, what: &str) -> ApiError {
        let reason = format!("Grouped queries cannot select {what}");
        self.source.malformed(at, reason)
    }

    /// Resolves what is evaluated for a group: a key, an aggregate, `GROUPING`, or a function of
    /// one of them.
    pub(super) fn group_operand(
        &self,
        asked: &Asked,
        scope: &Scope<'a>,
        groups: &mut Groups<'a>,
    ) -> Result<Operand<'a>, ApiError> {
        if let Asked::Function(call) = asked {
            if let Some(function) = AggregateFunction::named(&call.name.name) {
                return self.aggregate(function, call, scope, groups);
            }
            if call.name.is("GROUPING") {
                return self.grouping(call, scope, groups);
            }
            if call.name.is("FORMAT") {
                return self.format(call, scope, groups);
            }
        }
        let operand = self.row_operand(asked, scope)?;
        match key_of(&operand, groups) {
            Some(at) => Ok(Operand {
                expr: Expr::Key(at),
                ..operand
            }),
            None => {
                let reason = format!("Field must be grouped or aggregated: {}", operand.name);
                Err(self.source.malformed(span(asked), reason))
            }
        }
    }

    fn aggregate(
        &self,
        function: AggregateFunction,
        call: &FunctionCall,
        scope: &Scope<'a>,
        groups: &mut Groups<'a>,
    ) -> Result<Operand<'a>, ApiError> {
        let path = match (function, call.args.as_slice()) {
            // In `HAVING` and `ORDER BY` the rows of a group can be counted.
            (AggregateFunction::Count, []) => None,
            _ => Some(self.only_field(call, scope)?),
        };
        if let Some(path) = &path {
            let of_numbers = matches!(function, AggregateFunction::Sum | AggregateFunction::Avg);
            let aggregatable = path.leaf.field.is_none_or(|field| field.aggregatable);
            let numeric = path.leaf.kind.is_number();
            let whole = path.leaf.kind.is_compound() || path.leaf.kind == FieldType::Boolean;
            if !aggregatable || whole || of_numbers && !numeric {
                let (name, word) = (path.leaf.name, function.word());
                let reason = format!("field {name} does not support aggregate operator {word}");
                return Err(self.source.malformed(call.span, reason));
            }
        }
        let of = path.as_ref().map_or("", |path| path.leaf.name);
        let name = format!("{}({of})", function.word().to_ascii_lowercase());
        let field = path.as_ref().and_then(|path| path.leaf.field);
        let aggregate = Aggregate { function, path };
        let kind = aggregate.kind();
        groups.aggregates.push(aggregate);
        Ok(Operand {
            expr: Expr::Aggregate(groups.aggregates.len() - 1),
            kind,
            name,
            field,
        })
    }

    fn grouping(
        &self,
        call: &FunctionCall,
        scope: &Scope<'a>,
        groups: &Groups<'a>,
    ) -> Result<Operand<'a>, ApiError> {
        let argument = match call.args.as_slice() {
            [Argument::Field(path)] => Asked::Field(path.clone()),
            [Argument::Function(inner)] => Asked::Function(inner.clone()),
            _ => {
                return Err(self
                    .source
                    .malformed(call.span, "GROUPING() takes one field"));
            }
        };
        let operand = self.row_operand(&argument, scope)?;
        match key_of(&operand, groups) {
            Some(at) if groups.kind != GroupKind::Plain => Ok(Operand {
                expr: Expr::Rolled(at),
                kind: FieldType::Int,
                name: format!("grouping({})", operand.name),
                field: None,
            }),
            _ => {
                let reason = format!(
                    "GROUPING() needs a grouping expression of ROLLUP or CUBE: {}",
                    operand.name
                );
                Err(self.source.malformed(call.span, reason))
            }
        }
    }

    fn format(
        &self,
        call: &FunctionCall,
        scope: &Scope<'a>,
        groups: &mut Groups<'a>,
    ) -> Result<Operand<'a>, ApiError> {
        let inner = match call.args.as_slice() {
            [Argument::Field(path)] => Asked::Field(path.clone()),
            [Argument::Function(inner)] if !inner.name.is("FORMAT") => {
                Asked::Function(inner.clone())
            }
            _ => return Err(self.source.malformed(call.span, "FORMAT() takes one field")),
        };
        let inner = self.group_operand(&inner, scope, groups)?;
        Ok(Operand {
            kind: FieldType::String,
            name: inner.name.clone(),
            field: None,
            expr: Expr::Formatted(Box::new(inner)),
        })
    }
}

fn key_of(operand: &Operand<'_>, groups: &Groups<'_>) -> Option<usize> {
    let mut keys = groups.keys.iter();
    keys.position(|key| key.expr.is_same(&operand.expr))
}
