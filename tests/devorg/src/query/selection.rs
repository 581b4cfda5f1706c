//! A query over records that something else has found: what a search's `RETURNING` says of an object.

use std::cell::OnceCell;

use serde_json::{Value as Json, json};
use soql::Query;

use super::bind::Binder;
use super::date_range::Calendar;
use super::evaluate::among;
use super::plan::{NodeKind, Plan, Rows};
use super::refusal::Source;
use super::view::View;
use crate::error::ApiError;
use crate::org::{Org, Session};
use crate::schema::Object;
use crate::store::Record;

/// A bound query of records.
#[derive(Debug)]
pub(crate) struct Selection<'a> {
    org: &'a Org,
    session: &'a Session,
    calendar: Calendar,
    plan: Plan<'a>,
    base: String,
}

impl<'a> Selection<'a> {
    /// Binds a query whose places are in `source`.
    ///
    /// # Errors
    ///
    /// As [`super::run`]; and `MALFORMED_QUERY` for a query of groups.
    pub(crate) fn bind(
        org: &'a Org,
        session: &'a Session,
        source: Source<'_>,
        query: &Query,
        base: &str,
    ) -> Result<Self, ApiError> {
        let calendar = Calendar::new(org, session);
        let plan = Binder::new(session, &calendar, source).statement(query)?;
        if !matches!(plan.rows, Rows::Records(_)) {
            let reason = "Only root queries support aggregate expressions";
            return Err(source.malformed(query.span, reason));
        }
        Ok(Self {
            org,
            session,
            calendar,
            plan,
            base: base.to_owned(),
        })
    }

    /// Gives the object queried.
    pub(crate) fn object(&self) -> &'a Object {
        self.plan.object
    }

    /// Gives the rows of some of the object's records, in their order unless the query has one.
    pub(crate) fn of(&self, records: Vec<&'a Record>) -> Vec<Json> {
        let recent = OnceCell::new();
        let view = View {
            org: self.org,
            session: self.session,
            calendar: &self.calendar,
            include_deleted: false,
            base: &self.base,
            recent: &recent,
        };
        among(&view, &self.plan, records.into_iter())
    }

    /// Gives what the selected fields of the object itself are called.
    pub(crate) fn labels(&self) -> Json {
        let nodes = match &self.plan.rows {
            Rows::Records(shape) => shape.nodes.as_slice(),
            _ => &[],
        };
        let fields = nodes.iter().filter_map(|node| match &node.kind {
            NodeKind::Leaf(leaf, _) => leaf.field,
            _ => None,
        });
        let fields = fields.map(|field| json!({"name": &*field.name, "label": field.label}));
        json!({
            "entityName": &*self.plan.object.name,
            "fieldMetadata": fields.collect::<Vec<_>>(),
        })
    }
}
