//! `FROM` and `USING SCOPE`: what is queried, and the names that paths begin with.

use soql::{FromItem, Query};

use super::Binder;
use super::path::NO_RELATIONSHIP;
use crate::error::ApiError;
use crate::query::plan::{Entity, Hop, ScopeRows};
use crate::schema::{Field, Object};

/// What paths of a query begin from.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    /// The object queried.
    pub(super) object: &'a Object,
    /// Aliases, and the object's own name, in lower case, each with the steps to what it names.
    names: Vec<(String, Vec<Hop<'a>>)>,
}

impl<'a> Scope<'a> {
    /// Gives the steps to what a name names.
    pub(super) fn named(&self, name: &str) -> Option<&[Hop<'a>]> {
        let mut names = self.names.iter();
        names
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, hops)| hops.as_slice())
    }
}

impl<'a> Binder<'a, '_> {
    /// Finds the object that a statement or a semi-join queries.
    pub(super) fn object(&self, query: &Query) -> Result<&'a Object, ApiError> {
        let Some(item) = query.from.first() else {
            return Err(self
                .source
                .malformed(query.span, "unexpected token: '<EOF>'"));
        };
        let name = item.path.to_string();
        self.schema.object(&name).ok_or_else(|| {
            let reason = format!(
                "sObject type '{name}' is not supported. If you are attempting to use a custom \
                 object, be sure to append the '__c' after the entity name. Please reference your \
                 WSDL or the describe call for the appropriate names."
            );
            self.source.refuse("INVALID_TYPE", item.path.span, reason)
        })
    }

    /// Finds the object of a child subquery, the field by which its records refer to `outer`'s
    /// object, and the relationship's exact name.
    pub(super) fn child(
        &self,
        query: &Query,
        outer: &Scope<'a>,
    ) -> Result<(&'a Object, &'a Field, &'a str), ApiError> {
        let Some(item) = query.from.first() else {
            return Err(self
                .source
                .malformed(query.span, "unexpected token: '<EOF>'"));
        };
        let name = match item.path.parts.as_slice() {
            [name] => Some(name),
            [first, name] if outer.named(&first.name).is_some_and(<[_]>::is_empty) => Some(name),
            _ => None,
        };
        let found = name.and_then(|name| {
            let child = outer.object.child_relationship(&name.name)?;
            let object = self.schema.object(&child.child_object)?;
            Some((
                object,
                object.field(&child.field)?,
                child.relationship_name.as_deref()?,
            ))
        });
        found.ok_or_else(|| {
            let name = item.path.last().map_or("", |name| &name.name);
            let reason = format!(
                "Didn't understand relationship '{name}' in FROM part of query call. \
                 {NO_RELATIONSHIP}"
            );
            self.source.refuse("INVALID_TYPE", item.path.span, reason)
        })
    }

    /// Gathers the names of a query on `object`.
    pub(super) fn scope(&self, query: &Query, object: &'a Object) -> Result<Scope<'a>, ApiError> {
        let mut scope = Scope {
            object,
            names: Vec::new(),
        };
        let mut items = query.from.iter();
        if let Some(alias) = items.next().and_then(|first| first.alias.as_ref()) {
            scope
                .names
                .push((alias.name.to_ascii_lowercase(), Vec::new()));
        }
        // `FROM Contact c, c.Account a`: further names are parents.
        for item in items {
            let hops = self.parent(item, &scope)?;
            let name = item.alias.as_ref().or(item.path.last());
            let name = name.map_or("", |name| &name.name);
            scope.names.push((name.to_ascii_lowercase(), hops));
        }
        // `Account.Name FROM Account`, unless a parent has that name.
        if object.relationship(&object.name).is_none() {
            scope
                .names
                .push((object.name.to_ascii_lowercase(), Vec::new()));
        }
        Ok(scope)
    }

    fn parent(&self, item: &FromItem, scope: &Scope<'a>) -> Result<Vec<Hop<'a>>, ApiError> {
        let mut parts = item.path.parts.as_slice();
        let mut hops = Vec::new();
        if let [first, rest @ ..] = parts
            && let Some(known) = scope.named(&first.name)
            && !rest.is_empty()
        {
            hops.extend_from_slice(known);
            parts = rest;
        }
        self.follow(
            Entity::Object(scope.object),
            &mut hops,
            parts,
            item.path.span,
        )?;
        Ok(hops)
    }

    /// Reads `USING SCOPE`.
    pub(super) fn rows_in_scope(
        &self,
        query: &Query,
        object: &Object,
    ) -> Result<ScopeRows, ApiError> {
        let Some(scope) = &query.scope else {
            return Ok(ScopeRows::All);
        };
        let owned = object.field("OwnerId").is_some();
        let mut supported = object.supported_scopes.iter();
        let known = supported.any(|(name, _)| scope.is(name));
        match scope.name.to_ascii_lowercase().as_str() {
            "everything" => Ok(ScopeRows::All),
            "mine" if owned => Ok(ScopeRows::OwnedBy(self.user)),
            _ if known => Ok(ScopeRows::None),
            name => Err(self.source.refuse(
                "INVALID_QUERY_SCOPE",
                scope.span,
                format!(
                    "The scope '{name}' is not supported for sObject type '{}'",
                    object.name
                ),
            )),
        }
    }
}
