//! Which objects and fields a query touches, by their API names, so that the host can refuse it before
//! it is sent and so that audit knows its sources.
//!
//! SOQL names relationships (`Owner.Name`, `FROM Contacts`), permissions name objects: describes lead from one
//! to the other. The host caches them; a few relationships lead to the same object everywhere and cost none.
//! A polymorphic relationship counts as all the objects that it may lead to: an agent that may not see one of them
//! asks with `TYPEOF` instead.

use portcullis_sdk::permissions::Access as Permission;
use soql::{Access, FieldPath, FieldRole, Ident, Operand, Query, Relation, SelectItem};

use crate::client::{Client, ReadError};
use crate::follow::{children, follow, sorted};

/// An object and the fields of it that a query names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// The object's API name, as spelled by who named it first.
    pub kind: String,
    /// Fields, each once, in the order of the query.
    pub fields: Vec<String>,
}

impl Touched {
    /// Makes the access that the host is asked about.
    pub fn permission(&self) -> Permission {
        Permission::read(&self.kind, &self.fields)
    }
}

/// Everything that a query touches; the object of its `FROM` first.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct All(Vec<Touched>);

impl All {
    /// Gives the objects.
    pub fn kinds(&self) -> &[Touched] {
        &self.0
    }

    fn touch(&mut self, kind: &str, field: Option<&str>) {
        let at = self
            .0
            .iter()
            .position(|touched| touched.kind.eq_ignore_ascii_case(kind));
        let at = at.unwrap_or_else(|| {
            self.0.push(Touched {
                kind: kind.to_owned(),
                fields: Vec::new(),
            });
            self.0.len() - 1
        });
        let fields = &mut self.0[at].fields;
        if let Some(field) = field
            && !fields.iter().any(|known| known.eq_ignore_ascii_case(field))
        {
            fields.push(field.to_owned());
        }
    }
}

/// Lists the objects that a query names outright, without their fields: what can be asked of the host
/// before anything is read.
pub fn named_outright(query: &Query) -> All {
    let mut all = All::default();
    for access in query.accesses() {
        if access.relation != Relation::Child
            && let Some(object) = access.from.first().and_then(|from| from.path.first())
        {
            all.touch(&object.name, None);
        }
    }
    all
}

/// Lists what a query touches, reading describes where a relationship needs one.
///
/// # Errors
/// A describe was refused.
pub fn by_query(client: &Client<'_>, query: &Query) -> Result<All, ReadError> {
    let accesses = query.accesses();
    let aliases = select_aliases(query);
    let mut all = All::default();
    let mut bases: Vec<Vec<String>> = Vec::new();
    for (index, access) in accesses.iter().enumerate() {
        let outer = access
            .outer
            .and_then(|outer| bases.get(outer))
            .cloned()
            .unwrap_or_default();
        let scope = Scope::new(client, access, &outer)?;
        for kind in &scope.base {
            all.touch(kind, None);
        }
        for (kind, field) in &scope.hangs_on {
            all.touch(kind, Some(field));
        }
        for used in &access.fields {
            let is_alias = index == 0
                && matches!(
                    used.role,
                    FieldRole::GroupBy | FieldRole::Having | FieldRole::OrderBy
                )
                && aliases.iter().any(|alias| used.path.is(&alias.name));
            // A field of the alias's name would be what the service takes it for.
            if !is_alias || scope.has_field(client, used.path)? {
                scope.field(client, used.path, used.role, &mut all)?;
            }
        }
        bases.push(scope.base);
    }
    Ok(all)
}

/// Gives the names that the `SELECT` list gives to its items.
pub fn select_aliases(query: &Query) -> Vec<&Ident> {
    let aliases = query.select.iter().filter_map(|item| match item {
        SelectItem::Field { alias, .. } | SelectItem::Function { alias, .. } => alias.as_ref(),
        _ => None,
    });
    aliases.collect()
}

/// What names mean inside one query.
struct Scope {
    /// The object queried; several where a child relationship hangs on a polymorphic parent.
    base: Vec<String>,
    /// What the names and aliases of `FROM` stand for.
    names: Vec<(String, Vec<String>)>,
    /// The children's fields that refer to their parents: which child is whose shows what they hold.
    hangs_on: Vec<(String, String)>,
}

impl Scope {
    fn new(client: &Client<'_>, access: &Access<'_>, outer: &[String]) -> Result<Self, ReadError> {
        let mut scope = Self {
            base: Vec::new(),
            names: Vec::new(),
            hangs_on: Vec::new(),
        };
        for (index, from) in access.from.iter().enumerate() {
            let path: Vec<&str> = from.path.iter().map(|part| part.name.as_str()).collect();
            let kinds = match (index, &access.relation, path.split_last()) {
                (0, Relation::Child, Some((child, parents))) => {
                    let parents = follow(client, outer.to_vec(), parents)?;
                    scope.hangs_on = children(client, &parents, child)?;
                    let kinds = scope.hangs_on.iter().map(|(kind, _)| kind.clone());
                    sorted(kinds.collect())
                }
                (0, _, _) => vec![path.join(".")],
                // `FROM Contact c, c.Account a`.
                (_, _, _) => match path.split_first() {
                    Some((first, rest)) => {
                        let (start, rest) = match scope.named(first) {
                            Some(kinds) => (kinds.to_vec(), rest),
                            None => (scope.base.clone(), &path[..]),
                        };
                        follow(client, start, rest)?
                    }
                    None => Vec::new(),
                },
            };
            let own_name = path.last().map(|name| (*name).to_owned());
            let alias = from.alias.map(|alias| alias.name.clone());
            scope.names.extend(
                own_name
                    .into_iter()
                    .chain(alias)
                    .map(|name| (name, kinds.clone())),
            );
            if index == 0 {
                scope.base = kinds;
            }
        }
        Ok(scope)
    }

    /// Says whether a name alone is that of a field of the object queried.
    fn has_field(&self, client: &Client<'_>, path: &FieldPath) -> Result<bool, ReadError> {
        let [name] = path.parts.as_slice() else {
            return Ok(true);
        };
        // The shortest of all fields is `Id`.
        if name.name.len() < "Id".len() {
            return Ok(false);
        }
        for kind in self.base.iter().filter(|kind| client.may_read(kind)) {
            if client.describe(kind)?.field(&name.name).is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Says whether a name of `FROM` is also that of a relationship, so that a path may begin with either.
    fn is_relationship(&self, client: &Client<'_>, name: &str) -> Result<bool, ReadError> {
        // The object's own name is what nearly every such path begins with, and no relationship's name is as short as
        // most aliases are.
        const NAME_CHARS_MIN: usize = 3;
        let is_own = self.base.iter().any(|kind| kind.eq_ignore_ascii_case(name));
        if is_own || name.len() < NAME_CHARS_MIN {
            return Ok(false);
        }
        for kind in self.base.iter().filter(|kind| client.may_read(kind)) {
            if client.describe(kind)?.parent(name).is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn named(&self, name: &str) -> Option<&[String]> {
        let (_, kinds) = self
            .names
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(kinds)
    }

    fn field(
        &self,
        client: &Client<'_>,
        path: &FieldPath,
        role: FieldRole<'_>,
        all: &mut All,
    ) -> Result<(), ReadError> {
        let parts: Vec<&str> = path.parts.iter().map(|part| part.name.as_str()).collect();
        let (start, parts) = match role {
            FieldRole::TypeOfBranch {
                object: Some(object),
                ..
            } => (vec![object.name.clone()], &parts[..]),
            FieldRole::TypeOfBranch {
                relationship,
                object: None,
            } => {
                let relationship: Vec<&str> = relationship
                    .parts
                    .iter()
                    .map(|part| part.name.as_str())
                    .collect();
                (
                    follow(client, self.base.clone(), &relationship)?,
                    &parts[..],
                )
            }
            // A path may begin with the object's name or alias. A field of that name is only meant when alone.
            _ => match parts.split_first() {
                Some((first, rest)) if !rest.is_empty() && self.named(first).is_some() => {
                    // An alias that is named as a relationship could be read as either: so it counts as both.
                    if self.is_relationship(client, first)? {
                        self.path(client, self.base.clone(), &parts, role, all)?;
                    }
                    (self.named(first).unwrap_or_default().to_vec(), rest)
                }
                _ => (self.base.clone(), &parts[..]),
            },
        };
        self.path(client, start, parts, role, all)
    }

    /// Touches what a path leads over and to.
    fn path(
        &self,
        client: &Client<'_>,
        start: Vec<String>,
        parts: &[&str],
        role: FieldRole<'_>,
        all: &mut All,
    ) -> Result<(), ReadError> {
        let Some((last, parents)) = parts.split_last() else {
            return Ok(());
        };
        let mut kinds = start;
        for relationship in parents {
            touch_reference(&kinds, relationship, all);
            kinds = follow(client, kinds, &[relationship])?;
        }
        if matches!(role, FieldRole::TypeOfRelationship) {
            touch_reference(&kinds, last, all);
            return Ok(());
        }
        for kind in &kinds {
            all.touch(kind, Some(last));
        }
        Ok(())
    }
}

/// A relationship shows what its reference field holds. Their names follow from each other: `Owner` and `OwnerId`,
/// `Parent__r` and `Parent__c`.
fn touch_reference(kinds: &[String], relationship: &str, all: &mut All) {
    let field = match relationship.strip_suffix("__r") {
        Some(stem) => format!("{stem}__c"),
        None => format!("{relationship}Id"),
    };
    for kind in kinds {
        all.touch(kind, Some(&field));
    }
}

/// Gives the object whose field a path ends at, for naming what is near to a misspelled relationship: each
/// relationship of the query with the objects that it starts from.
///
/// # Errors
/// A describe was refused.
pub fn starts_of(
    client: &Client<'_>,
    query: &Query,
    relationship: &str,
) -> Result<Vec<String>, ReadError> {
    let accesses = query.accesses();
    let mut bases: Vec<Vec<String>> = Vec::new();
    for access in &accesses {
        let outer = access
            .outer
            .and_then(|outer| bases.get(outer))
            .cloned()
            .unwrap_or_default();
        let from = access.from.first().and_then(|from| from.path.last());
        if access.relation == Relation::Child && from.is_some_and(|name| name.is(relationship)) {
            return Ok(outer);
        }
        let scope = Scope::new(client, access, &outer)?;
        let semi_join = match access.relation {
            Relation::SemiJoin {
                left: Operand::Field(path),
                ..
            } => Some(path),
            _ => None,
        };
        let paths = access.fields.iter().map(|used| used.path).chain(semi_join);
        for path in paths {
            let parts: Vec<&str> = path.parts.iter().map(|part| part.name.as_str()).collect();
            let at = parts
                .iter()
                .position(|part| part.eq_ignore_ascii_case(relationship));
            let Some(at) = at.filter(|at| at + 1 < parts.len()) else {
                continue;
            };
            let (start, before) = match parts[..at].split_first() {
                Some((first, rest)) if scope.named(first).is_some() => {
                    (scope.named(first).unwrap_or_default().to_vec(), rest)
                }
                _ => (scope.base.clone(), &parts[..at]),
            };
            return follow(client, start, before);
        }
        bases.push(scope.base);
    }
    Ok(Vec::new())
}

#[cfg(test)]
mod tests;
