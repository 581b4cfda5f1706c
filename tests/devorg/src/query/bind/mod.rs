//! Resolves the names of a query against the schema that who asks sees; everything that can be
//! refused is refused here, before any row is looked at.

mod condition;
mod distance;
mod from;
mod function;
mod group;
mod join;
mod links;
mod literal;
mod path;
mod select;

use soql::{Direction, ForClause, Nulls, Query, SelectItem, With};

use super::date_range::Calendar;
use super::plan::{OrderKey, Plan, Rows};
use super::refusal::Source;
use crate::error::ApiError;
use crate::id::Id;
use crate::org::Session;
use crate::schema::{Object, Schema};
use crate::seen::Glance;
use from::Scope;

/// The greatest `OFFSET`.
const OFFSET_MAX: u64 = 2_000;

/// How deep child subqueries go below the query itself: five levels of objects in all (v58.0 on).
const SUBQUERY_DEPTH_MAX: usize = 4;

/// Binds the queries of one statement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Binder<'a, 's> {
    /// The schema as who asks sees it.
    pub(super) schema: &'a Schema,
    /// Who asks.
    pub(super) user: Id,
    /// What day it is.
    pub(super) calendar: &'s Calendar,
    /// The text of the statement.
    pub(super) source: Source<'s>,
}

/// Where a query stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    /// It is the statement.
    Root,
    /// It is a child subquery, so many levels below.
    Child(usize),
    /// It is the set of an `IN`.
    Join,
}

impl<'a, 's> Binder<'a, 's> {
    /// Makes what binds the queries of a statement of somebody.
    pub(super) fn new(session: &'a Session, calendar: &'s Calendar, source: Source<'s>) -> Self {
        Self {
            schema: session.schema(),
            user: session.user_id,
            calendar,
            source,
        }
    }
}

fn glance(clauses: &[ForClause]) -> Option<Glance> {
    match clauses {
        clauses if clauses.contains(&ForClause::View) => Some(Glance::View),
        clauses if clauses.contains(&ForClause::Reference) => Some(Glance::Reference),
        _ => None,
    }
}

impl<'a> Binder<'a, '_> {
    /// Binds the statement.
    ///
    /// # Errors
    ///
    /// Whatever Salesforce refuses, in its words: `INVALID_TYPE`, `INVALID_FIELD`, `MALFORMED_QUERY`,
    /// `INVALID_QUERY_FILTER_OPERATOR`, `INVALID_QUERY_SCOPE`, `NUMBER_OUTSIDE_VALID_RANGE`.
    pub(super) fn statement(&self, query: &Query) -> Result<Plan<'a>, ApiError> {
        let object = self.object(query)?;
        self.query(query, object, Level::Root)
    }

    fn query(&self, query: &Query, object: &'a Object, level: Level) -> Result<Plan<'a>, ApiError> {
        let scope = self.scope(query, object)?;
        self.refuse_clauses(query)?;
        self.check_having(query)?;
        let counts = self.counts_rows(query)?;
        let mut rows = if counts {
            Rows::Count
        } else if function::is_grouped(query) {
            Rows::Groups(Box::new(self.groups(query, &scope)?))
        } else {
            Rows::Records(self.shape(query, &scope, level)?)
        };
        if !matches!(rows, Rows::Records(_)) && level != Level::Root {
            let reason = "Only root queries support aggregate expressions";
            return Err(self.source.malformed(query.span, reason));
        }
        let filter = match &query.condition {
            Some(condition) => Some(self.where_clause(condition, &scope, level)?),
            None => None,
        };
        self.check_links(object, filter.as_ref(), level)?;
        if let (Rows::Groups(groups), Some(having)) = (&mut rows, &query.having) {
            groups.having = Some(self.having_clause(having, &scope, groups)?);
        }
        let order = self.order(query, &scope, &mut rows)?;
        if let (Rows::Groups(groups), Some(_)) = (&rows, query.limit)
            && groups.keys.is_empty()
        {
            let reason = "Non-grouped query that uses overall aggregate functions cannot also \
                          use LIMIT";
            return Err(self.source.malformed(query.span, reason));
        }
        Ok(Plan {
            object,
            scope: self.rows_in_scope(query, object)?,
            filter,
            order,
            limit: query.limit.map(saturated),
            offset: saturated(self.offset(query)?),
            rows,
            glance: glance(&query.for_clauses),
        })
    }

    /// Says whether the query is `SELECT COUNT()`.
    fn counts_rows(&self, query: &Query) -> Result<bool, ApiError> {
        let bare = |item: &SelectItem| match item {
            SelectItem::Function { call, .. } if call.args.is_empty() => {
                call.name.is("COUNT").then_some(call.span)
            }
            _ => None,
        };
        let Some(span) = query.select.iter().find_map(bare) else {
            return Ok(false);
        };
        if query.select.len() > 1 {
            return Err(self.source.malformed(span, "unexpected token: ','"));
        }
        if query.group_by.is_some() || query.having.is_some() {
            let reason = "Grouped query cannot use COUNT()";
            return Err(self.source.malformed(span, reason));
        }
        Ok(true)
    }

    /// Refuses `HAVING` where there is nothing to have it.
    fn check_having(&self, query: &Query) -> Result<(), ApiError> {
        if query.having.is_some() && query.group_by.is_none() {
            let reason = "unexpected token: 'HAVING'";
            return Err(self.source.malformed(query.span, reason));
        }
        Ok(())
    }

    /// Refuses the clauses that have no meaning in the API, or in an org without articles and
    /// communities.
    fn refuse_clauses(&self, query: &Query) -> Result<(), ApiError> {
        if query.all_rows {
            // Apex alone has it; the API has `/queryAll`.
            let reason = "ALL ROWS not allowed in this context";
            return Err(self.source.malformed(query.span, reason));
        }
        let refused = match (&query.with, query.update.is_empty()) {
            (Some(With::DataCategory(_)), _) => "WITH DATA CATEGORY",
            (Some(With::RecordVisibilityContext(_)), _) => "WITH RecordVisibilityContext",
            (_, false) => "UPDATE TRACKING and UPDATE VIEWSTAT",
            _ => return Ok(()),
        };
        let reason = format!("{refused} is not supported for this object");
        Err(self.source.malformed(query.span, reason))
    }

    fn offset(&self, query: &Query) -> Result<u64, ApiError> {
        match query.offset {
            Some(offset) if offset > OFFSET_MAX => Err(ApiError::bad_request(
                "NUMBER_OUTSIDE_VALID_RANGE",
                format!("Maximum SOQL offset allowed is {OFFSET_MAX}"),
            )),
            offset => Ok(offset.unwrap_or(0)),
        }
    }

    fn order(
        &self,
        query: &Query,
        scope: &Scope<'a>,
        rows: &mut Rows<'a>,
    ) -> Result<Vec<OrderKey<'a>>, ApiError> {
        let mut keys = Vec::with_capacity(query.order_by.len());
        for item in &query.order_by {
            let operand = match rows {
                Rows::Groups(groups) => self.group_operand(&item.key, scope, groups)?,
                _ => {
                    let operand = self.row_operand(&item.key, scope)?;
                    if operand.field.is_some_and(|field| !field.sortable) {
                        let name = &operand.name;
                        let reason = format!("field '{name}' can not be sorted in a query call");
                        return Err(self.source.malformed(function::span(&item.key), reason));
                    }
                    operand
                }
            };
            keys.push(OrderKey {
                operand,
                descending: item.direction == Some(Direction::Descending),
                nulls_last: item.nulls == Some(Nulls::Last),
            });
        }
        Ok(keys)
    }
}

/// Brings a number of rows to what memory can count.
fn saturated(rows: u64) -> usize {
    usize::try_from(rows).unwrap_or(usize::MAX)
}
