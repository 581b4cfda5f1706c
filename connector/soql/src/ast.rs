//! The syntax trees of SOQL and SOSL.
//!
//! Names keep the spelling of the text. Nothing here knows an org's schema: whether `Industry` is a
//! field is for the caller to decide. Terms are those of Salesforce's *SOQL and SOSL Reference*.

use crate::literal::{Date, DateLiteral, DateTime, StringLiteral, Time};

/// A range of bytes of the parsed text, to point at.
///
/// Two spans are always equal, so that trees compare by meaning and not by layout.
#[derive(Debug, Clone, Copy, Default, Eq)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl PartialEq for Span {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// One name, in its original spelling: `Name`, `Account`, `Amount__c`.
#[derive(Debug, Clone, PartialEq)]
pub struct Ident {
    /// The spelling; Salesforce compares it without regard to case.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

impl Ident {
    /// Makes a name that stands nowhere.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            span: Span::default(),
        }
    }

    /// Says whether this is `other`, without regard to case.
    pub fn is(&self, other: &str) -> bool {
        self.name.eq_ignore_ascii_case(other)
    }
}

/// Names joined by dots: `Name`, `Account.Owner.Name`, `a.Contacts`. Never empty when parsed.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldPath {
    /// The names, left to right.
    pub parts: Vec<Ident>,
    /// Where it stands.
    pub span: Span,
}

impl FieldPath {
    /// Makes a path of the names between the dots of `text`.
    pub fn new(text: &str) -> Self {
        Self {
            parts: text.split('.').map(Ident::new).collect(),
            span: Span::default(),
        }
    }

    /// Gives the last name, the field itself.
    pub fn last(&self) -> Option<&Ident> {
        self.parts.last()
    }

    /// Says whether the whole dotted path is `other`, without regard to case.
    pub fn is(&self, other: &str) -> bool {
        self.to_string().eq_ignore_ascii_case(other)
    }
}

/// A SOQL query, or a child subquery, or the query of a semi-join.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// What to answer; never empty when parsed.
    pub select: Vec<SelectItem>,
    /// Where from; the first is the object queried. Never empty when parsed.
    pub from: Vec<FromItem>,
    /// `USING SCOPE name`.
    pub scope: Option<Ident>,
    /// `WHERE`.
    pub condition: Option<Condition>,
    /// `WITH`.
    pub with: Option<With>,
    /// `GROUP BY`.
    pub group_by: Option<GroupBy>,
    /// `HAVING`.
    pub having: Option<Condition>,
    /// `ORDER BY`; empty when absent.
    pub order_by: Vec<OrderItem>,
    /// `LIMIT`, in rows.
    pub limit: Option<u64>,
    /// `OFFSET`, in rows.
    pub offset: Option<u64>,
    /// `ALL ROWS`: deleted and archived records too.
    pub all_rows: bool,
    /// `FOR VIEW`, `FOR REFERENCE`, `FOR UPDATE`.
    pub for_clauses: Vec<ForClause>,
    /// `UPDATE TRACKING`, `UPDATE VIEWSTAT`.
    pub update: Vec<UpdateClause>,
    /// Where it stands.
    pub span: Span,
}

/// One item of a `SELECT` list.
#[derive(Debug, Clone, PartialEq)]
pub enum SelectItem {
    /// A field, of the object or of a parent.
    Field {
        /// The field.
        path: FieldPath,
        /// Its name in the answer.
        alias: Option<Ident>,
    },
    /// A function or an aggregate: `COUNT()`, `SUM(Amount) total`, `toLabel(Status)`.
    Function {
        /// The call.
        call: FunctionCall,
        /// Its name in the answer.
        alias: Option<Ident>,
    },
    /// A child subquery; the name in its `FROM` is a child relationship.
    Subquery(Box<Query>),
    /// `TYPEOF … END`.
    TypeOf(TypeOf),
    /// `FIELDS(…)`.
    Fields {
        /// Which fields.
        kind: FieldsKind,
        /// Where it stands.
        span: Span,
    },
}

/// The argument of `FIELDS()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldsKind {
    /// Every field.
    All,
    /// Standard fields.
    Standard,
    /// Custom fields.
    Custom,
}

/// `TYPEOF field WHEN object THEN fields … ELSE fields END`.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeOf {
    /// The polymorphic relationship: `What`, `Owner`.
    pub relationship: FieldPath,
    /// The branches, at least one.
    pub when: Vec<TypeOfBranch>,
    /// The fields of any other object; empty when `ELSE` is absent.
    pub otherwise: Vec<FieldPath>,
    /// Where it stands.
    pub span: Span,
}

/// One `WHEN object THEN fields`.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeOfBranch {
    /// The object.
    pub object: Ident,
    /// Its fields, at least one.
    pub fields: Vec<FieldPath>,
}

/// A function with its arguments; `COUNT()` has none.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionCall {
    /// The function's name as spelled.
    pub name: Ident,
    /// The arguments.
    pub args: Vec<Argument>,
    /// Where it stands.
    pub span: Span,
}

/// One argument of a function.
#[derive(Debug, Clone, PartialEq)]
pub enum Argument {
    /// A field.
    Field(FieldPath),
    /// A nested function: `convertTimezone(…)`, `GEOLOCATION(…)`.
    Function(FunctionCall),
    /// A literal, such as the unit of `DISTANCE`.
    Value(Value),
}

/// What a condition, grouping or ordering looks at.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A field.
    Field(FieldPath),
    /// A function or aggregate.
    Function(FunctionCall),
}

/// One name of `FROM`: an object, a child relationship, or `alias.Relationship`.
#[derive(Debug, Clone, PartialEq)]
pub struct FromItem {
    /// The object or relationship.
    pub path: FieldPath,
    /// Its alias.
    pub alias: Option<Ident>,
}

/// A condition of `WHERE` or `HAVING`.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// All hold; two or more.
    And(Vec<Condition>),
    /// One holds; two or more.
    Or(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// `left op value`.
    Comparison {
        /// The field or function.
        left: Operand,
        /// The operator.
        op: CompareOp,
        /// The literal; a string for `LIKE`.
        value: Value,
        /// Where it stands.
        span: Span,
    },
    /// `left IN (…)`, `left NOT IN (…)`, over literals or a semi-join.
    In {
        /// The field or function.
        left: Operand,
        /// `NOT IN`.
        negated: bool,
        /// The set.
        set: InSet,
        /// Where it stands.
        span: Span,
    },
    /// `left INCLUDES ('a;b', 'c')` of a multi-select picklist.
    Includes {
        /// The field.
        left: Operand,
        /// `EXCLUDES`.
        negated: bool,
        /// The strings; values joined by `;` must all be selected.
        values: Vec<Value>,
        /// Where it stands.
        span: Span,
    },
}

/// The right side of `IN`.
#[derive(Debug, Clone, PartialEq)]
pub enum InSet {
    /// Literals, at least one.
    Values(Vec<Value>),
    /// A semi-join, or an anti-join when negated.
    Query(Box<Query>),
}

/// A comparison operator. `<>` reads as [`CompareOp::Ne`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompareOp {
    /// `=`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `LIKE`, with `%` and `_`.
    Like,
}

/// A literal.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `'text'`
    String(StringLiteral),
    /// A whole number that fits 64 bits.
    Integer(i64),
    /// Any other number, as spelled.
    Decimal(String),
    /// `USD5000`: a currency's code and an amount.
    Currency {
        /// The ISO 4217 code, as spelled.
        code: String,
        /// The amount, as spelled.
        amount: String,
    },
    /// `TRUE`, `FALSE`
    Boolean(bool),
    /// `NULL`
    Null,
    /// `2026-01-31`
    Date(Date),
    /// `2026-01-31T10:00:00Z`
    DateTime(DateTime),
    /// `10:00:00.000Z`
    Time(Time),
    /// `TODAY`, `LAST_N_DAYS:30`
    DateLiteral(DateLiteral),
}

/// The `WITH` clause of SOQL.
#[derive(Debug, Clone, PartialEq)]
pub enum With {
    /// `WITH SECURITY_ENFORCED`
    SecurityEnforced,
    /// `WITH USER_MODE`
    UserMode,
    /// `WITH SYSTEM_MODE`
    SystemMode,
    /// `WITH DATA CATEGORY … AND …`
    DataCategory(Vec<DataCategoryFilter>),
    /// `WITH RecordVisibilityContext (name = value, …)`
    RecordVisibilityContext(Vec<(Ident, Value)>),
}

/// One `group__c AT category__c`.
#[derive(Debug, Clone, PartialEq)]
pub struct DataCategoryFilter {
    /// The category group.
    pub group: Ident,
    /// How categories are selected.
    pub selector: DataCategorySelector,
    /// The categories, at least one.
    pub categories: Vec<Ident>,
}

/// How a data category filter selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataCategorySelector {
    /// The category itself.
    At,
    /// The category and its ancestors.
    Above,
    /// The category and its descendants.
    Below,
    /// All three.
    AboveOrBelow,
}

/// `GROUP BY`.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupBy {
    /// Whether subtotals are added.
    pub kind: GroupKind,
    /// The fields and functions, at least one.
    pub items: Vec<Operand>,
}

/// The form of a grouping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupKind {
    /// `GROUP BY a, b`
    Plain,
    /// `GROUP BY ROLLUP(a, b)`
    Rollup,
    /// `GROUP BY CUBE(a, b)`
    Cube,
}

/// One key of `ORDER BY`.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderItem {
    /// The field or function.
    pub key: Operand,
    /// `ASC` (Salesforce's default) or `DESC`.
    pub direction: Option<Direction>,
    /// `NULLS FIRST` (Salesforce's default) or `NULLS LAST`.
    pub nulls: Option<Nulls>,
}

/// The direction of an ordering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// `ASC`
    Ascending,
    /// `DESC`
    Descending,
}

/// Where nulls go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nulls {
    /// `NULLS FIRST`
    First,
    /// `NULLS LAST`
    Last,
}

/// A `FOR` clause; each has an effect in the org.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForClause {
    /// `FOR VIEW`: marks the records as recently viewed.
    View,
    /// `FOR REFERENCE`: marks the records as recently referenced.
    Reference,
    /// `FOR UPDATE`: locks the records.
    Update,
}

/// An `UPDATE` clause; each has an effect in the org.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateClause {
    /// `UPDATE TRACKING`: records the keywords of an article search.
    Tracking,
    /// `UPDATE VIEWSTAT`: counts a view of an article.
    Viewstat,
}

/// A SOSL search.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// The text between the braces of `FIND {…}`, verbatim, escapes and quotes included.
    pub find: String,
    /// `IN … FIELDS`.
    pub group: Option<SearchGroup>,
    /// `RETURNING`; empty when absent.
    pub returning: Vec<Returning>,
    /// The `WITH` clauses, in order.
    pub with: Vec<SearchWith>,
    /// `LIMIT`, in rows over all objects.
    pub limit: Option<u64>,
    /// `UPDATE TRACKING`, `UPDATE VIEWSTAT`.
    pub update: Vec<UpdateClause>,
    /// Where it stands.
    pub span: Span,
}

/// The fields that a search looks in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchGroup {
    /// `IN ALL FIELDS`
    All,
    /// `IN NAME FIELDS`
    Name,
    /// `IN EMAIL FIELDS`
    Email,
    /// `IN PHONE FIELDS`
    Phone,
    /// `IN SIDEBAR FIELDS`
    Sidebar,
}

/// One object of `RETURNING`.
#[derive(Debug, Clone, PartialEq)]
pub struct Returning {
    /// The object.
    pub object: Ident,
    /// Its fields; empty when only the object is named. Only fields, functions and `FIELDS()`.
    pub fields: Vec<SelectItem>,
    /// `USING ListView = name`.
    pub list_view: Option<Ident>,
    /// `WHERE`.
    pub condition: Option<Condition>,
    /// `ORDER BY`; empty when absent.
    pub order_by: Vec<OrderItem>,
    /// `LIMIT`, in rows.
    pub limit: Option<u64>,
    /// `OFFSET`, in rows.
    pub offset: Option<u64>,
}

/// One `WITH` clause of SOSL.
#[derive(Debug, Clone, PartialEq)]
pub enum SearchWith {
    /// `WITH DATA CATEGORY …`
    DataCategory(Vec<DataCategoryFilter>),
    /// `WITH DIVISION = 'name'`
    Division(StringLiteral),
    /// `WITH HIGHLIGHT`
    Highlight,
    /// `WITH METADATA = 'LABELS'`
    Metadata(StringLiteral),
    /// `WITH NETWORK = 'id'` or `WITH NETWORK IN ('id', …)`
    Network(Vec<StringLiteral>),
    /// `WITH PricebookId = 'id'`
    PricebookId(StringLiteral),
    /// `WITH SNIPPET` or `WITH SNIPPET (target_length = n)`
    Snippet(Option<u64>),
    /// `WITH SPELL_CORRECTION = TRUE`
    SpellCorrection(bool),
}
