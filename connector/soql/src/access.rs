//! What a query or search touches: objects, fields, and whether it changes anything.

use crate::ast::*;

/// The objects and fields that one query of a statement names.
///
/// A statement gives one `Access` for itself and one for each subquery and semi-join, outer before
/// inner.
#[derive(Debug, Clone, PartialEq)]
pub struct Access<'a> {
    /// How it hangs on the outer query.
    pub relation: Relation<'a>,
    /// The index of the outer query's access; `None` for the outermost.
    pub outer: Option<usize>,
    /// What `FROM` names, first the object queried. For a child subquery it is a relationship's name.
    pub from: Vec<FromItemRef<'a>>,
    /// Every field named, in order of clauses, repeats included. Aliases are not resolved.
    pub fields: Vec<FieldUse<'a>>,
    /// Each `FIELDS()`.
    pub field_sets: Vec<FieldsKind>,
}

/// One name of `FROM` and its alias.
#[derive(Debug, Clone, PartialEq)]
pub struct FromItemRef<'a> {
    /// The object or relationship as spelled, dotted.
    pub path: Vec<&'a Ident>,
    /// Its alias.
    pub alias: Option<&'a Ident>,
}

/// How a query hangs on its outer one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Relation<'a> {
    /// It is the statement itself, or an object of SOSL's `RETURNING`.
    Root,
    /// It is in the `SELECT` list; its `FROM` is a child relationship of the outer object.
    Child,
    /// It is the set of `left IN (…)`; its `FROM` is an object.
    SemiJoin {
        /// What is compared.
        left: &'a Operand,
        /// `NOT IN`.
        negated: bool,
    },
}

/// One use of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FieldUse<'a> {
    /// The field.
    pub path: &'a FieldPath,
    /// Where it is used.
    pub role: FieldRole<'a>,
}

/// The clause that uses a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FieldRole<'a> {
    /// The `SELECT` list.
    Select,
    /// The relationship of a `TYPEOF`.
    TypeOfRelationship,
    /// A branch of a `TYPEOF`: the path starts at `object`, or at any other when `ELSE`.
    TypeOfBranch {
        /// The relationship.
        relationship: &'a FieldPath,
        /// The object of `WHEN`; `None` for `ELSE`.
        object: Option<&'a Ident>,
    },
    /// `WHERE`.
    Where,
    /// `GROUP BY`.
    GroupBy,
    /// `HAVING`.
    Having,
    /// `ORDER BY`.
    OrderBy,
}

impl Query {
    /// Lists what this query and those inside it touch; the first is this one.
    pub fn accesses(&self) -> Vec<Access<'_>> {
        let mut accesses = Vec::new();
        collect(self, Relation::Root, None, &mut accesses);
        accesses
    }

    /// Names the clause by which this query, or one inside it, changes something in the org.
    pub fn writes(&self) -> Option<&'static str> {
        let own = self.for_clauses.first().map(|clause| match clause {
            ForClause::View => "FOR VIEW",
            ForClause::Reference => "FOR REFERENCE",
            ForClause::Update => "FOR UPDATE",
        });
        own.or_else(|| update_writes(&self.update)).or_else(|| {
            let children = self.select.iter().filter_map(|item| match item {
                SelectItem::Subquery(query) => Some(&**query),
                _ => None,
            });
            let conditions = self
                .condition
                .iter()
                .chain(&self.having)
                .flat_map(semi_joins);
            children.chain(conditions).find_map(Self::writes)
        })
    }
}

impl Search {
    /// Lists what this search touches: one access for each object returned, then its semi-joins.
    pub fn accesses(&self) -> Vec<Access<'_>> {
        let mut accesses = Vec::new();
        for returning in &self.returning {
            let from = FromItemRef {
                path: vec![&returning.object],
                alias: None,
            };
            let mut access = Access::new(Relation::Root, None, vec![from]);
            let mut inner = Vec::new();
            access.select(&returning.fields, &mut inner);
            access.optional_condition(&returning.condition, FieldRole::Where, &mut inner);
            access.order_by(&returning.order_by);
            finish(access, inner, &mut accesses);
        }
        accesses
    }

    /// Names the clause by which this search changes something in the org.
    pub fn writes(&self) -> Option<&'static str> {
        update_writes(&self.update).or_else(|| {
            let conditions = self
                .returning
                .iter()
                .filter_map(|returning| returning.condition.as_ref());
            conditions.flat_map(semi_joins).find_map(Query::writes)
        })
    }
}

fn update_writes(clauses: &[UpdateClause]) -> Option<&'static str> {
    clauses.first().map(|clause| match clause {
        UpdateClause::Tracking => "UPDATE TRACKING",
        UpdateClause::Viewstat => "UPDATE VIEWSTAT",
    })
}

/// Lists the queries of a condition's semi-joins.
fn semi_joins(condition: &Condition) -> Vec<&Query> {
    match condition {
        Condition::And(all) | Condition::Or(all) => all.iter().flat_map(semi_joins).collect(),
        Condition::Not(inner) => semi_joins(inner),
        Condition::In {
            set: InSet::Query(query),
            ..
        } => vec![query],
        _ => Vec::new(),
    }
}

type Inner<'a> = Vec<(Relation<'a>, &'a Query)>;

fn collect<'a>(
    query: &'a Query,
    relation: Relation<'a>,
    outer: Option<usize>,
    into: &mut Vec<Access<'a>>,
) {
    let from = query.from.iter().map(|item| FromItemRef {
        path: item.path.parts.iter().collect(),
        alias: item.alias.as_ref(),
    });
    let mut access = Access::new(relation, outer, from.collect());
    let mut inner = Vec::new();
    access.select(&query.select, &mut inner);
    access.optional_condition(&query.condition, FieldRole::Where, &mut inner);
    for item in query.group_by.iter().flat_map(|group| &group.items) {
        access.operand(item, FieldRole::GroupBy);
    }
    access.optional_condition(&query.having, FieldRole::Having, &mut inner);
    access.order_by(&query.order_by);
    finish(access, inner, into);
}

fn finish<'a>(access: Access<'a>, inner: Inner<'a>, into: &mut Vec<Access<'a>>) {
    let index = into.len();
    into.push(access);
    for (relation, query) in inner {
        collect(query, relation, Some(index), into);
    }
}

impl<'a> Access<'a> {
    fn new(relation: Relation<'a>, outer: Option<usize>, from: Vec<FromItemRef<'a>>) -> Self {
        Self {
            relation,
            outer,
            from,
            fields: Vec::new(),
            field_sets: Vec::new(),
        }
    }

    fn select(&mut self, items: &'a [SelectItem], inner: &mut Inner<'a>) {
        for item in items {
            match item {
                SelectItem::Field { path, .. } => self.field(path, FieldRole::Select),
                SelectItem::Function { call, .. } => self.call(call, FieldRole::Select),
                SelectItem::Subquery(query) => inner.push((Relation::Child, query)),
                SelectItem::TypeOf(type_of) => self.type_of(type_of),
                SelectItem::Fields { kind, .. } => self.field_sets.push(*kind),
            }
        }
    }

    fn type_of(&mut self, type_of: &'a TypeOf) {
        let relationship = &type_of.relationship;
        self.field(relationship, FieldRole::TypeOfRelationship);
        for branch in &type_of.when {
            for path in &branch.fields {
                self.field(
                    path,
                    FieldRole::TypeOfBranch {
                        relationship,
                        object: Some(&branch.object),
                    },
                );
            }
        }
        for path in &type_of.otherwise {
            self.field(
                path,
                FieldRole::TypeOfBranch {
                    relationship,
                    object: None,
                },
            );
        }
    }

    fn optional_condition(
        &mut self,
        condition: &'a Option<Condition>,
        role: FieldRole<'a>,
        inner: &mut Inner<'a>,
    ) {
        if let Some(condition) = condition {
            self.condition(condition, role, inner);
        }
    }

    fn condition(&mut self, condition: &'a Condition, role: FieldRole<'a>, inner: &mut Inner<'a>) {
        match condition {
            Condition::And(all) | Condition::Or(all) => {
                for condition in all {
                    self.condition(condition, role, inner);
                }
            }
            Condition::Not(negated) => self.condition(negated, role, inner),
            Condition::Comparison { left, .. } | Condition::Includes { left, .. } => {
                self.operand(left, role)
            }
            Condition::In {
                left, negated, set, ..
            } => {
                self.operand(left, role);
                if let InSet::Query(query) = set {
                    inner.push((
                        Relation::SemiJoin {
                            left,
                            negated: *negated,
                        },
                        query,
                    ));
                }
            }
        }
    }

    fn order_by(&mut self, items: &'a [OrderItem]) {
        for item in items {
            self.operand(&item.key, FieldRole::OrderBy);
        }
    }

    fn operand(&mut self, operand: &'a Operand, role: FieldRole<'a>) {
        match operand {
            Operand::Field(path) => self.field(path, role),
            Operand::Function(call) => self.call(call, role),
        }
    }

    fn call(&mut self, call: &'a FunctionCall, role: FieldRole<'a>) {
        for arg in &call.args {
            match arg {
                Argument::Field(path) => self.field(path, role),
                Argument::Function(call) => self.call(call, role),
                Argument::Value(_) => {}
            }
        }
    }

    fn field(&mut self, path: &'a FieldPath, role: FieldRole<'a>) {
        self.fields.push(FieldUse { path, role });
    }
}
