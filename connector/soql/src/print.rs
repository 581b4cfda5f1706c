//! Canonical one-line text: keywords in capitals, names as spelled, one space between.

use std::fmt::{self, Display, Formatter};

use crate::ast::*;

/// Writes items with a separator between them.
fn list<T: Display>(f: &mut Formatter<'_>, items: &[T], separator: &str) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}

/// Writes ` KEYWORD value` when there is a value.
fn clause<T: Display>(f: &mut Formatter<'_>, keyword: &str, value: &Option<T>) -> fmt::Result {
    value
        .as_ref()
        .map_or(Ok(()), |value| write!(f, " {keyword} {value}"))
}

/// Writes ` ORDER BY …` when there are keys.
fn order_by(f: &mut Formatter<'_>, items: &[OrderItem]) -> fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    f.write_str(" ORDER BY ")?;
    list(f, items, ", ")
}

/// Writes each ` UPDATE …`.
fn update(f: &mut Formatter<'_>, clauses: &[UpdateClause]) -> fmt::Result {
    for clause in clauses {
        write!(f, " UPDATE {clause}")?;
    }
    Ok(())
}

impl Display for Ident {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Display for FieldPath {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        list(f, &self.parts, ".")
    }
}

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("SELECT ")?;
        list(f, &self.select, ", ")?;
        f.write_str(" FROM ")?;
        list(f, &self.from, ", ")?;
        clause(f, "USING SCOPE", &self.scope)?;
        clause(f, "WHERE", &self.condition)?;
        clause(f, "WITH", &self.with)?;
        clause(f, "GROUP BY", &self.group_by)?;
        clause(f, "HAVING", &self.having)?;
        order_by(f, &self.order_by)?;
        clause(f, "LIMIT", &self.limit)?;
        clause(f, "OFFSET", &self.offset)?;
        if self.all_rows {
            f.write_str(" ALL ROWS")?;
        }
        for clause in &self.for_clauses {
            write!(f, " FOR {clause}")?;
        }
        update(f, &self.update)
    }
}

impl Display for SelectItem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field { path, alias } => {
                write!(f, "{path}")?;
                alias.as_ref().map_or(Ok(()), |alias| write!(f, " {alias}"))
            }
            Self::Function { call, alias } => {
                write!(f, "{call}")?;
                alias.as_ref().map_or(Ok(()), |alias| write!(f, " {alias}"))
            }
            Self::Subquery(query) => write!(f, "({query})"),
            Self::TypeOf(type_of) => write!(f, "{type_of}"),
            Self::Fields { kind, .. } => f.write_str(match kind {
                FieldsKind::All => "FIELDS(ALL)",
                FieldsKind::Standard => "FIELDS(STANDARD)",
                FieldsKind::Custom => "FIELDS(CUSTOM)",
            }),
        }
    }
}

impl Display for TypeOf {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "TYPEOF {}", self.relationship)?;
        for branch in &self.when {
            write!(f, " WHEN {} THEN ", branch.object)?;
            list(f, &branch.fields, ", ")?;
        }
        if !self.otherwise.is_empty() {
            f.write_str(" ELSE ")?;
            list(f, &self.otherwise, ", ")?;
        }
        f.write_str(" END")
    }
}

impl Display for FunctionCall {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name)?;
        list(f, &self.args, ", ")?;
        f.write_str(")")
    }
}

impl Display for Argument {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(path) => path.fmt(f),
            Self::Function(call) => call.fmt(f),
            Self::Value(value) => value.fmt(f),
        }
    }
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(path) => path.fmt(f),
            Self::Function(call) => call.fmt(f),
        }
    }
}

impl Display for FromItem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path)?;
        self.alias
            .as_ref()
            .map_or(Ok(()), |alias| write!(f, " {alias}"))
    }
}

/// Writes conditions joined by a word; anything but a plain test goes in parentheses.
fn joined(f: &mut Formatter<'_>, conditions: &[Condition], word: &str) -> fmt::Result {
    for (index, condition) in conditions.iter().enumerate() {
        if index > 0 {
            f.write_str(word)?;
        }
        grouped(f, condition)?;
    }
    Ok(())
}

fn grouped(f: &mut Formatter<'_>, condition: &Condition) -> fmt::Result {
    match condition {
        Condition::And(_) | Condition::Or(_) | Condition::Not(_) => write!(f, "({condition})"),
        plain => write!(f, "{plain}"),
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(all) => joined(f, all, " AND "),
            Self::Or(any) => joined(f, any, " OR "),
            Self::Not(inner) => {
                f.write_str("NOT ")?;
                grouped(f, inner)
            }
            Self::Comparison {
                left, op, value, ..
            } => write!(f, "{left} {op} {value}"),
            Self::In {
                left, negated, set, ..
            } => {
                write!(f, "{left} {}IN (", if *negated { "NOT " } else { "" })?;
                match set {
                    InSet::Values(values) => list(f, values, ", ")?,
                    InSet::Query(query) => query.fmt(f)?,
                }
                f.write_str(")")
            }
            Self::Includes {
                left,
                negated,
                values,
                ..
            } => {
                write!(
                    f,
                    "{left} {} (",
                    if *negated { "EXCLUDES" } else { "INCLUDES" }
                )?;
                list(f, values, ", ")?;
                f.write_str(")")
            }
        }
    }
}

impl Display for CompareOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Eq => "=",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::Like => "LIKE",
        })
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => text.fmt(f),
            Self::Integer(number) => number.fmt(f),
            Self::Decimal(text) => f.write_str(text),
            Self::Currency { code, amount } => write!(f, "{code}{amount}"),
            Self::Boolean(value) => f.write_str(if *value { "TRUE" } else { "FALSE" }),
            Self::Null => f.write_str("NULL"),
            Self::Date(date) => date.fmt(f),
            Self::DateTime(moment) => moment.fmt(f),
            Self::Time(time) => time.fmt(f),
            Self::DateLiteral(literal) => literal.fmt(f),
        }
    }
}

impl Display for With {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::SecurityEnforced => f.write_str("SECURITY_ENFORCED"),
            Self::UserMode => f.write_str("USER_MODE"),
            Self::SystemMode => f.write_str("SYSTEM_MODE"),
            Self::DataCategory(filters) => {
                f.write_str("DATA CATEGORY ")?;
                list(f, filters, " AND ")
            }
            Self::RecordVisibilityContext(settings) => {
                f.write_str("RecordVisibilityContext (")?;
                for (index, (name, value)) in settings.iter().enumerate() {
                    write!(f, "{}{name} = {value}", if index > 0 { ", " } else { "" })?;
                }
                f.write_str(")")
            }
        }
    }
}

impl Display for DataCategoryFilter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.group, self.selector)?;
        if let [only] = self.categories.as_slice() {
            return only.fmt(f);
        }
        f.write_str("(")?;
        list(f, &self.categories, ", ")?;
        f.write_str(")")
    }
}

impl Display for DataCategorySelector {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::At => "AT",
            Self::Above => "ABOVE",
            Self::Below => "BELOW",
            Self::AboveOrBelow => "ABOVE_OR_BELOW",
        })
    }
}

impl Display for GroupBy {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (open, close) = match self.kind {
            GroupKind::Plain => ("", ""),
            GroupKind::Rollup => ("ROLLUP(", ")"),
            GroupKind::Cube => ("CUBE(", ")"),
        };
        f.write_str(open)?;
        list(f, &self.items, ", ")?;
        f.write_str(close)
    }
}

impl Display for OrderItem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.key)?;
        f.write_str(match self.direction {
            None => "",
            Some(Direction::Ascending) => " ASC",
            Some(Direction::Descending) => " DESC",
        })?;
        f.write_str(match self.nulls {
            None => "",
            Some(Nulls::First) => " NULLS FIRST",
            Some(Nulls::Last) => " NULLS LAST",
        })
    }
}

impl Display for ForClause {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::View => "VIEW",
            Self::Reference => "REFERENCE",
            Self::Update => "UPDATE",
        })
    }
}

impl Display for UpdateClause {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tracking => "TRACKING",
            Self::Viewstat => "VIEWSTAT",
        })
    }
}

impl Display for Search {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "FIND {{{}}}", self.find)?;
        if let Some(group) = self.group {
            let group = match group {
                SearchGroup::All => "ALL",
                SearchGroup::Name => "NAME",
                SearchGroup::Email => "EMAIL",
                SearchGroup::Phone => "PHONE",
                SearchGroup::Sidebar => "SIDEBAR",
            };
            write!(f, " IN {group} FIELDS")?;
        }
        if !self.returning.is_empty() {
            f.write_str(" RETURNING ")?;
            list(f, &self.returning, ", ")?;
        }
        for with in &self.with {
            write!(f, " WITH {with}")?;
        }
        clause(f, "LIMIT", &self.limit)?;
        update(f, &self.update)
    }
}

impl Display for Returning {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.object)?;
        if self.fields.is_empty() {
            return Ok(());
        }
        f.write_str("(")?;
        list(f, &self.fields, ", ")?;
        clause(f, "WHERE", &self.condition)?;
        clause(f, "USING ListView =", &self.list_view)?;
        order_by(f, &self.order_by)?;
        clause(f, "LIMIT", &self.limit)?;
        clause(f, "OFFSET", &self.offset)?;
        f.write_str(")")
    }
}

impl Display for SearchWith {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::DataCategory(filters) => {
                f.write_str("DATA CATEGORY ")?;
                list(f, filters, " AND ")
            }
            Self::Division(name) => write!(f, "DIVISION = {name}"),
            Self::Highlight => f.write_str("HIGHLIGHT"),
            Self::Metadata(kind) => write!(f, "METADATA = {kind}"),
            Self::Network(ids) => {
                if let [only] = ids.as_slice() {
                    return write!(f, "NETWORK = {only}");
                }
                f.write_str("NETWORK IN (")?;
                list(f, ids, ", ")?;
                f.write_str(")")
            }
            Self::PricebookId(id) => write!(f, "PricebookId = {id}"),
            Self::Snippet(None) => f.write_str("SNIPPET"),
            Self::Snippet(Some(length)) => write!(f, "SNIPPET (target_length = {length})"),
            Self::SpellCorrection(on) => {
                write!(
                    f,
                    "SPELL_CORRECTION = {}",
                    if *on { "TRUE" } else { "FALSE" }
                )
            }
        }
    }
}
