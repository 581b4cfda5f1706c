//! Field paths: parents step by step, then the field.

use soql::{FieldPath, Ident, Span};

use super::Binder;
use super::from::Scope;
use crate::error::ApiError;
use crate::query::plan::{Entity, Hop, Path};

/// The most steps to a parent.
const HOPS_MAX: usize = 5;

/// What Salesforce adds when a relationship is not there.
pub(super) const NO_RELATIONSHIP: &str = "If you are attempting to use a custom relationship, be \
    sure to append the '__r' after the custom relationship name. Please reference your WSDL or the \
    describe call for the appropriate names.";

impl<'a> Binder<'a, '_> {
    /// Resolves a path of a query.
    pub(super) fn path(&self, path: &FieldPath, scope: &Scope<'a>) -> Result<Path<'a>, ApiError> {
        let mut parts = path.parts.as_slice();
        let mut hops = Vec::new();
        if let [first, rest @ ..] = parts
            && !rest.is_empty()
            && let Some(known) = scope.named(&first.name)
        {
            hops.extend_from_slice(known);
            parts = rest;
        }
        self.path_from(Entity::Object(scope.object), hops, parts, path.span)
    }

    /// Resolves a path that goes on from `hops`.
    pub(super) fn path_from(
        &self,
        start: Entity<'a>,
        mut hops: Vec<Hop<'a>>,
        parts: &[Ident],
        span: Span,
    ) -> Result<Path<'a>, ApiError> {
        let Some((field, parents)) = parts.split_last() else {
            return Err(self.source.malformed(span, "unexpected token: '.'"));
        };
        let entity = self.follow(start, &mut hops, parents, span)?;
        match entity.leaf(&field.name) {
            Some(leaf) => Ok(Path { hops, leaf }),
            None => Err(self.no_such_column(&field.name, entity, span)),
        }
    }

    /// Steps to parents, and gives what the last step leads to.
    pub(super) fn follow(
        &self,
        start: Entity<'a>,
        hops: &mut Vec<Hop<'a>>,
        parts: &[Ident],
        span: Span,
    ) -> Result<Entity<'a>, ApiError> {
        let mut entity = hops.last().map_or(start, |hop| hop.to);
        for part in parts {
            let Some(hop) = self.hop(entity, &part.name) else {
                let name = &part.name;
                let reason = format!(
                    "Didn't understand relationship '{name}' in field path. {NO_RELATIONSHIP}"
                );
                return Err(self.source.invalid_field(span, reason));
            };
            hops.push(hop);
            entity = hop.to;
        }
        if hops.len() > HOPS_MAX {
            let reason = format!(
                "SOQL relationships can be at most {HOPS_MAX} levels away from the root entity"
            );
            return Err(self.source.malformed(span, reason));
        }
        Ok(entity)
    }

    /// Finds a relationship to a parent that the org has.
    fn hop(&self, entity: Entity<'a>, name: &str) -> Option<Hop<'a>> {
        let schema = self.schema;
        let field = match entity {
            Entity::Object(object) => object.relationship(name)?,
            // What is common to several objects is what users have, and their profile and role.
            Entity::Name if name.eq_ignore_ascii_case("Profile") => {
                schema.object("User")?.relationship(name)?
            }
            Entity::Name if name.eq_ignore_ascii_case("UserRole") => {
                schema.object("User")?.relationship(name)?
            }
            Entity::Name => return None,
        };
        let to = match field.reference_to.as_slice() {
            [one] => Entity::Object(schema.object(one)?),
            _ => Entity::Name,
        };
        Some(Hop {
            name: field.relationship_name.as_deref()?,
            field,
            to,
        })
    }

    /// Makes the refusal of a field that is not there.
    pub(super) fn no_such_column(&self, name: &str, entity: Entity<'_>, span: Span) -> ApiError {
        let entity = entity.name();
        let reason = format!(
            "No such column '{name}' on entity '{entity}'. If you are attempting to use a custom \
             field, be sure to append the '__c' after the custom field name. Please reference your \
             WSDL or the describe call for the appropriate names."
        );
        self.source.invalid_field(span, reason)
    }
}
