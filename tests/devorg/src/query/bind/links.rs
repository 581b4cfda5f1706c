//! What Salesforce asks of queries for links of files: that they say which file or which record.

use soql::{CompareOp, Span};

use super::{Binder, Level};
use crate::error::ApiError;
use crate::query::plan::{Datum, Expr, Filter, Operand};
use crate::schema::Object;

const RESTRICTION: &str = "Implementation restriction: ContentDocumentLink requires a filter by a \
                           single Id on ContentDocumentId or LinkedEntityId using the equals \
                           operator or multiple Id's using the IN operator.";

impl Binder<'_, '_> {
    /// Refuses a query for all links. Those of a child relationship are their parent's.
    pub(super) fn check_links(
        &self,
        object: &Object,
        filter: Option<&Filter<'_>>,
        level: Level,
    ) -> Result<(), ApiError> {
        let free = &*object.name != "ContentDocumentLink" || matches!(level, Level::Child(_));
        if free || filter.is_some_and(names_one) {
            return Ok(());
        }
        Err(ApiError::bad_request("MALFORMED_QUERY", RESTRICTION))
    }

    /// Refuses links as the set of an `IN`.
    pub(super) fn check_inner(&self, object: &Object, at: Span) -> Result<(), ApiError> {
        if &*object.name != "ContentDocumentLink" {
            return Ok(());
        }
        let reason = "Entity 'ContentDocumentLink' is not supported for semi join inner selects";
        Err(self.source.malformed(at, reason))
    }
}

/// Says whether a condition holds for the links of certain files or records alone.
fn names_one(filter: &Filter<'_>) -> bool {
    match filter {
        Filter::And(all) => all.iter().any(names_one),
        Filter::Compare(left, CompareOp::Eq, Datum::Id(_)) => is_key(left),
        Filter::In {
            left,
            negated: false,
            ..
        }
        | Filter::Join {
            left,
            negated: false,
            ..
        } => is_key(left),
        _ => false,
    }
}

fn is_key(operand: &Operand<'_>) -> bool {
    match &operand.expr {
        Expr::Field(path) => {
            let keys = ["Id", "ContentDocumentId", "LinkedEntityId"];
            path.hops.is_empty() && keys.contains(&path.leaf.name)
        }
        _ => false,
    }
}
