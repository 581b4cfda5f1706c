//! A query whose names are resolved: what the evaluator runs.
//!
//! Nothing in a plan can be refused any more, with one exception: how many groups there are is
//! known only afterwards.

use std::cell::OnceCell;
use std::collections::HashSet;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use soql::{CompareOp, GroupKind, PatternPart};

use super::date_part::DatePart;
use super::distance::Distance;
use crate::id::Id;
use crate::schema::{Field, FieldType, Object};
use crate::seen::Glance;

/// A query, or the query of a child relationship, or of a semi-join.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    /// The object queried.
    pub(super) object: &'a Object,
    /// What `USING SCOPE` leaves.
    pub(super) scope: ScopeRows,
    /// `WHERE`.
    pub(super) filter: Option<Filter<'a>>,
    /// `ORDER BY`.
    pub(super) order: Vec<OrderKey<'a>>,
    /// `LIMIT`, in rows.
    pub(super) limit: Option<usize>,
    /// `OFFSET`, in rows.
    pub(super) offset: usize,
    /// What a row of the answer is made of.
    pub(super) rows: Rows<'a>,
    /// How `FOR VIEW` or `FOR REFERENCE` says that the rows are come across.
    pub(super) glance: Option<Glance>,
}

/// The rows that a scope leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScopeRows {
    /// Every row.
    All,
    /// Those of one owner.
    OwnedBy(Id),
    /// None: nobody has delegated anything to anyone.
    None,
}

/// What a row of the answer is.
#[derive(Debug)]
pub(super) enum Rows<'a> {
    /// There are none: `COUNT()`.
    Count,
    /// A record.
    Records(Shape<'a>),
    /// A group of records.
    Groups(Box<Groups<'a>>),
}

/// The members of a record in the answer, in their order.
#[derive(Debug, Default)]
pub(super) struct Shape<'a> {
    /// The members.
    pub(super) nodes: Vec<Node<'a>>,
}

/// A member of a record in the answer.
#[derive(Debug)]
pub(super) struct Node<'a> {
    /// Its name.
    pub(super) name: String,
    /// What it is.
    pub(super) kind: NodeKind<'a>,
}

/// What a member is.
#[derive(Debug)]
pub(super) enum NodeKind<'a> {
    /// A value.
    Leaf(Leaf<'a>, Show),
    /// The value of a function.
    Computed(Operand<'a>),
    /// A parent.
    Parent(Hop<'a>, Shape<'a>),
    /// Children: those whose `field` holds the record's id.
    Children(&'a Field, Box<Plan<'a>>),
    /// A parent whose members depend on its object.
    TypeOf(TypeOf<'a>),
}

/// A bound `TYPEOF`.
#[derive(Debug)]
pub(super) struct TypeOf<'a> {
    /// The way to the parent.
    pub(super) hop: Hop<'a>,
    /// The members for each object.
    pub(super) when: Vec<(&'a Object, Shape<'a>)>,
    /// The members for any other object.
    pub(super) otherwise: Shape<'a>,
}

/// How a value is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Show {
    /// As it is.
    Plain,
    /// `toLabel`
    Label,
    /// `FORMAT`
    Formatted,
}

/// A step to a parent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hop<'a> {
    /// The relationship: `Account`.
    pub(super) name: &'a str,
    /// The reference field: `AccountId`.
    pub(super) field: &'a Field,
    /// What it leads to.
    pub(super) to: Entity<'a>,
}

/// What a path starts from or a step leads to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Entity<'a> {
    /// Records of one object.
    Object(&'a Object),
    /// Records of several objects, which have in common what Salesforce calls `Name`.
    Name,
}

impl<'a> Entity<'a> {
    /// Gives the name that messages call it by.
    pub(super) fn name(self) -> &'a str {
        match self {
            Self::Object(object) => &object.name,
            Self::Name => "Name",
        }
    }
}

/// The field at the end of a path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaf<'a> {
    /// The exact name.
    pub(super) name: &'a str,
    /// The type.
    pub(super) kind: FieldType,
    /// The field; `None` for one of the entity `Name`.
    pub(super) field: Option<&'a Field>,
}

/// A field of the row or of a parent.
#[derive(Debug, Clone)]
pub(super) struct Path<'a> {
    /// The steps to the parent; none for the row's own fields.
    pub(super) hops: Vec<Hop<'a>>,
    /// The field.
    pub(super) leaf: Leaf<'a>,
}

impl Path<'_> {
    /// Says whether both lead to the same field.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.leaf.name == other.leaf.name
            && self.hops.len() == other.hops.len()
            && self
                .hops
                .iter()
                .zip(&other.hops)
                .all(|(a, b)| a.field.name == b.field.name)
    }
}

/// What has a value for a row or a group.
#[derive(Debug, Clone)]
pub(super) enum Expr<'a> {
    /// A field.
    Field(Path<'a>),
    /// The label of a picklist's value.
    Label(Path<'a>),
    /// A part of a date; `zoned` is whether moments are taken in the user's time zone, not in UTC.
    Part {
        /// Which part.
        part: DatePart,
        /// Of which field.
        path: Path<'a>,
        /// `convertTimezone`
        zoned: bool,
    },
    /// The value of a group's key.
    Key(usize),
    /// The result of a group's aggregate.
    Aggregate(usize),
    /// 1 where the group is a subtotal over this key: `GROUPING`.
    Rolled(usize),
    /// How far an address is from a place: `DISTANCE`.
    Distance(Box<Distance<'a>>),
    /// The text of a value for people: `FORMAT`.
    Formatted(Box<Operand<'a>>),
}

impl Expr<'_> {
    /// Says whether both have the same value for every row.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Field(a), Self::Field(b)) | (Self::Label(a), Self::Label(b)) => a.is_same(b),
            (
                Self::Part { part, path, zoned },
                Self::Part {
                    part: other_part,
                    path: other_path,
                    zoned: other_zoned,
                },
            ) => part == other_part && zoned == other_zoned && path.is_same(other_path),
            _ => false,
        }
    }
}

/// An expression with its type.
#[derive(Debug, Clone)]
pub(super) struct Operand<'a> {
    /// The expression.
    pub(super) expr: Expr<'a>,
    /// The type of its values.
    pub(super) kind: FieldType,
    /// The name that messages call it by.
    pub(super) name: String,
    /// The field whose values these are, for the order of a picklist and the digits of a number.
    pub(super) field: Option<&'a Field>,
}

/// A literal, ready to be compared with values of one type.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Datum {
    /// No value.
    Null,
    /// A checkbox.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text in lower case.
    Text(String),
    /// A text to the case of its letters.
    Exact(String),
    /// An id.
    Id(Id),
    /// From a day to before another.
    Days(Date, Date),
    /// From a moment to before another.
    Moments(Timestamp, Timestamp),
    /// A time of day.
    Time(Time),
}

/// A condition.
#[derive(Debug)]
pub(super) enum Filter<'a> {
    /// All hold.
    And(Vec<Filter<'a>>),
    /// One holds.
    Or(Vec<Filter<'a>>),
    /// It does not hold.
    Not(Box<Filter<'a>>),
    /// `left op datum`
    Compare(Operand<'a>, CompareOp, Datum),
    /// `left LIKE pattern`, in lower case
    Like(Operand<'a>, Vec<PatternPart>),
    /// `left IN (…)`
    In {
        /// The field.
        left: Operand<'a>,
        /// `NOT IN`
        negated: bool,
        /// The set.
        set: Set,
    },
    /// A semi-join, or an anti-join when negated.
    Join {
        /// The field.
        left: Operand<'a>,
        /// `NOT IN`
        negated: bool,
        /// The inner query.
        plan: Box<Plan<'a>>,
        /// What the inner query selects.
        select: Path<'a>,
        /// What it found, once it has run.
        found: OnceCell<HashSet<Id>>,
    },
    /// `left INCLUDES (…)`: one of the lists is wholly selected. In lower case.
    Includes {
        /// The field.
        left: Operand<'a>,
        /// `EXCLUDES`
        negated: bool,
        /// The lists.
        choices: Vec<Vec<String>>,
    },
}

/// The literals of an `IN`, arranged for looking up.
#[derive(Debug)]
pub(super) struct Set {
    /// Whether no value is among them.
    pub(super) null: bool,
    /// The texts, in lower case.
    pub(super) texts: HashSet<String>,
    /// The texts to the case of their letters.
    pub(super) exact: HashSet<String>,
    /// The ids.
    pub(super) ids: HashSet<Id>,
    /// Everything else.
    pub(super) others: Vec<Datum>,
}

/// A key of `ORDER BY`.
#[derive(Debug)]
pub(super) struct OrderKey<'a> {
    /// What is ordered by.
    pub(super) operand: Operand<'a>,
    /// `DESC`
    pub(super) descending: bool,
    /// `NULLS LAST`
    pub(super) nulls_last: bool,
}

/// How rows are grouped and what is told of a group.
#[derive(Debug)]
pub(super) struct Groups<'a> {
    /// Whether there are subtotals.
    pub(super) kind: GroupKind,
    /// The keys; none where the whole answer is one group.
    pub(super) keys: Vec<Operand<'a>>,
    /// What is calculated.
    pub(super) aggregates: Vec<Aggregate<'a>>,
    /// `HAVING`
    pub(super) having: Option<Filter<'a>>,
    /// The members of a row, in order.
    pub(super) outputs: Vec<(String, Operand<'a>)>,
}

/// A calculation over a group.
#[derive(Debug)]
pub(super) struct Aggregate<'a> {
    /// What is calculated.
    pub(super) function: AggregateFunction,
    /// Of which field; `None` counts rows.
    pub(super) path: Option<Path<'a>>,
}

/// An aggregate function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AggregateFunction {
    /// `COUNT`
    Count,
    /// `COUNT_DISTINCT`
    CountDistinct,
    /// `SUM`
    Sum,
    /// `AVG`
    Avg,
    /// `MIN`
    Min,
    /// `MAX`
    Max,
}

impl AggregateFunction {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Count, "COUNT"),
        (Self::CountDistinct, "COUNT_DISTINCT"),
        (Self::Sum, "SUM"),
        (Self::Avg, "AVG"),
        (Self::Min, "MIN"),
        (Self::Max, "MAX"),
    ];

    /// Finds a function by name, without regard to case.
    pub(super) fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|(_, word)| word.eq_ignore_ascii_case(name))
            .map(|(function, _)| *function)
    }

    /// Gives the name.
    pub(super) fn word(self) -> &'static str {
        let mut all = Self::ALL.iter();
        all.find(|(function, _)| *function == self)
            .map_or("", |(_, word)| word)
    }
}
