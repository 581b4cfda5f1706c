//! The values of a row: its own fields, those of its parents, and the results of a group.

use std::borrow::Cow;
use std::cell::OnceCell;

use super::date_range::Calendar;
use super::format::formatted;
use super::plan::{Entity, Expr, Hop, Leaf, Operand, Path};
use crate::org::{Org, Session};
use crate::schema::{Field, FieldType, Object};
use crate::store::Record;
use crate::value::{NULL, Value};

/// The org as one query sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    /// The org.
    pub(super) org: &'a Org,
    /// Who sees it.
    pub(super) session: &'a Session,
    /// What day it is.
    pub(super) calendar: &'a Calendar,
    /// Whether deleted records are there.
    pub(super) include_deleted: bool,
    /// Where urls begin.
    pub(super) base: &'a str,
    /// The rows of `RecentlyViewed`, once they are asked for.
    pub(super) recent: &'a OnceCell<Vec<Record>>,
}

/// A record with its object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    /// The object.
    pub(super) object: &'a Object,
    /// The record.
    pub(super) record: &'a Record,
}

/// A group of records.
#[derive(Debug)]
pub(super) struct Group {
    /// The values of its keys; `None` for a key that this is a subtotal over.
    pub(super) keys: Vec<Option<Value>>,
    /// The results of its aggregates.
    pub(super) results: Vec<Value>,
}

/// What an expression is evaluated for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Row<'r, 'a> {
    /// A record.
    Record(Entry<'a>),
    /// A group.
    Group(&'r Group),
}

impl<'a> View<'a> {
    /// Says whether the record is there to be seen.
    pub(super) fn sees(&self, record: &Record) -> bool {
        (self.include_deleted || !record.deleted) && self.session.may_read(self.org, record)
    }

    /// Says whether the rows of an object are made for the user and are not in the store.
    pub(super) fn makes_rows(&self, object: &Object) -> bool {
        &*object.name == "RecentlyViewed"
    }

    /// Gives the rows of an object in id order, deleted ones too.
    pub(super) fn rows(&self, object: &Object) -> impl Iterator<Item = &'a Record> {
        let recent: &[Record] = match self.makes_rows(object) {
            true => {
                let rows = || self.org.recently_viewed(self.session);
                self.recent.get_or_init(rows)
            }
            false => &[],
        };
        self.org.store.rows(&object.name).chain(recent)
    }

    /// Gives the value of a record's own field.
    pub(super) fn leaf_value(&self, entry: Entry<'a>, leaf: &Leaf<'_>) -> Cow<'a, Value> {
        if leaf.kind == FieldType::Datetime
            && let Some(value) =
                self.org
                    .seen
                    .value(self.session.user_id, entry.record.id, leaf.name)
        {
            return Cow::Owned(value);
        }
        if let Some(field) = leaf.field {
            return self.session.shown(field, entry.record.get(leaf.name));
        }
        let field = match leaf.name {
            "Type" if &*entry.object.name != "Group" => {
                return Cow::Owned(Value::text(&*entry.object.name));
            }
            "Name" => entry.object.name_field(),
            name => entry.object.field(name),
        };
        Cow::Borrowed(field.map_or(&NULL, |field| entry.record.get(&field.name)))
    }

    /// Goes to a parent; `None` where there is none.
    pub(super) fn follow(&self, from: Entry<'a>, hop: &Hop<'_>) -> Option<Entry<'a>> {
        let id = from.record.reference(&hop.field.name)?;
        let object = self.session.schema().object_by_prefix(id.prefix())?;
        let record = self.org.store.get(&object.name, id)?;
        self.sees(record).then_some(Entry { object, record })
    }

    /// Gives the value of a field.
    pub(super) fn field(&self, row: Entry<'a>, path: &Path<'_>) -> Cow<'a, Value> {
        let mut row = row;
        for hop in &path.hops {
            match self.follow(row, hop) {
                Some(parent) => row = parent,
                None => return Cow::Borrowed(&NULL),
            }
        }
        self.leaf_value(row, &path.leaf)
    }

    /// Gives the value of an expression.
    pub(super) fn value<'r>(&self, expr: &Expr<'_>, row: Row<'r, 'a>) -> Cow<'r, Value>
    where
        'a: 'r,
    {
        match (expr, row) {
            (Expr::Field(path), Row::Record(entry)) => self.field(entry, path),
            (Expr::Label(path), Row::Record(entry)) => {
                let value = self.field(entry, path);
                match path.leaf.field.and_then(|field| label(field, &value)) {
                    Some(label) => Cow::Owned(Value::Text(label)),
                    None => value,
                }
            }
            (Expr::Part { part, path, zoned }, Row::Record(entry)) => {
                Cow::Owned(part.of(&self.field(entry, path), *zoned, self.calendar))
            }
            (Expr::Distance(distance), Row::Record(entry)) => {
                Cow::Owned(self.distance(entry, distance))
            }
            (Expr::Key(at), Row::Group(group)) => match group.keys.get(*at) {
                Some(Some(value)) => Cow::Borrowed(value),
                _ => Cow::Borrowed(&NULL),
            },
            (Expr::Aggregate(at), Row::Group(group)) => {
                Cow::Borrowed(group.results.get(*at).unwrap_or(&NULL))
            }
            (Expr::Rolled(at), Row::Group(group)) => {
                let rolled = matches!(group.keys.get(*at), Some(None));
                Cow::Owned(Value::Int(rolled.into()))
            }
            (Expr::Formatted(operand), row) => {
                let value = self.value(&operand.expr, row);
                Cow::Owned(self.formatted(&value, operand))
            }
            // Binding keeps what is of a record and what is of a group apart.
            _ => Cow::Borrowed(&NULL),
        }
    }

    fn formatted(&self, value: &Value, operand: &Operand<'_>) -> Value {
        let scale = operand.field.map_or(0, |field| field.scale);
        formatted(value, operand.kind, scale, self.calendar)
    }
}

/// Gives the label of a picklist's value, or of each of several.
pub(super) fn label(field: &Field, value: &Value) -> Option<String> {
    let text = value.as_text()?;
    let of = |part: &str| {
        let mut values = field.picklist_values.iter();
        values
            .find(|known| known.value == part)
            .map_or_else(|| part.to_owned(), |known| known.label.clone())
    };
    match field.field_type {
        FieldType::Picklist | FieldType::Combobox => Some(of(text)),
        FieldType::Multipicklist => Some(text.split(';').map(of).collect::<Vec<_>>().join(";")),
        _ => None,
    }
}

/// The fields that records of several objects have in common, as Salesforce's `Name` object has
/// them.
pub(super) const NAME_FIELDS: [(&str, FieldType); 15] = [
    ("Alias", FieldType::String),
    ("Email", FieldType::Email),
    ("FirstName", FieldType::String),
    ("Id", FieldType::Id),
    ("IsActive", FieldType::Boolean),
    ("LastName", FieldType::String),
    ("LastReferencedDate", FieldType::Datetime),
    ("LastViewedDate", FieldType::Datetime),
    ("Name", FieldType::String),
    ("Phone", FieldType::Phone),
    ("ProfileId", FieldType::Reference),
    ("Title", FieldType::String),
    ("Type", FieldType::Picklist),
    ("UserRoleId", FieldType::Reference),
    ("Username", FieldType::String),
];

impl<'a> Entity<'a> {
    /// Finds a field, without regard to case.
    pub(super) fn leaf(self, name: &str) -> Option<Leaf<'a>> {
        match self {
            Self::Object(object) => object.field(name).map(|field| Leaf {
                name: &field.name,
                kind: field.field_type,
                field: Some(field),
            }),
            Self::Name => NAME_FIELDS
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(name, kind)| Leaf {
                    name,
                    kind: *kind,
                    field: None,
                }),
        }
    }
}
