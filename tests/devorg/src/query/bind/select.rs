//! `SELECT` of records: fields, parents, children, `TYPEOF`, `FIELDS()`.

use soql::{Argument, FieldPath, FieldsKind, FunctionCall, Ident, Query, SelectItem, Span, TypeOf};

use super::from::Scope;
use super::{Binder, Level, SUBQUERY_DEPTH_MAX};
use crate::error::ApiError;
use crate::query::plan::{self, Entity, Node, NodeKind, Path, Shape, Show};

/// The greatest `LIMIT` of a query with `FIELDS(ALL)` or `FIELDS(CUSTOM)`.
const FIELDS_LIMIT_MAX: u64 = 200;

impl<'a> Binder<'a, '_> {
    /// Resolves what is selected of records.
    pub(super) fn shape(
        &self,
        query: &Query,
        scope: &Scope<'a>,
        level: Level,
    ) -> Result<Shape<'a>, ApiError> {
        let mut shape = Shape::default();
        for item in &query.select {
            match item {
                SelectItem::Field { path, alias } => {
                    if let Some(alias) = alias {
                        let reason = "only aggregate expressions use field aliasing";
                        return Err(self.source.malformed(alias.span, reason));
                    }
                    let found = self.path(path, scope)?;
                    self.add(&mut shape, found, Show::Plain, None, path.span)?;
                }
                SelectItem::Function { call, alias } if call.name.is("DISTANCE") => {
                    let operand = self.distance(call, scope)?;
                    let name = match alias {
                        Some(alias) => alias.name.clone(),
                        None => unnamed(&shape),
                    };
                    let kind = NodeKind::Computed(operand);
                    self.add_node(&mut shape, Node { name, kind }, call.span)?;
                }
                SelectItem::Function { call, alias } => {
                    let (path, show) = self.shown(call, scope)?;
                    self.add(&mut shape, path, show, alias.as_ref(), call.span)?;
                }
                SelectItem::Subquery(inner) => {
                    let node = self.children_node(inner, scope, level)?;
                    self.add_node(&mut shape, node, inner.span)?;
                }
                SelectItem::TypeOf(type_of) => self.add_type_of(&mut shape, type_of, scope)?,
                SelectItem::Fields { kind, span } => {
                    self.check_fields_limit(query, *kind, *span)?;
                    self.add_fields(&mut shape, *kind, scope, *span)?;
                }
            }
        }
        Ok(shape)
    }

    /// Resolves a function that shows a field in another way.
    fn shown(&self, call: &FunctionCall, scope: &Scope<'a>) -> Result<(Path<'a>, Show), ApiError> {
        if call.name.is("toLabel") {
            return Ok((self.only_field(call, scope)?, Show::Label));
        }
        if call.name.is("FORMAT") {
            if let [Argument::Function(inner)] = call.args.as_slice() {
                return Err(self.unknown_function(inner));
            }
            return Ok((self.only_field(call, scope)?, Show::Formatted));
        }
        Err(self.unknown_function(call))
    }

    fn children_node(
        &self,
        query: &Query,
        outer: &Scope<'a>,
        level: Level,
    ) -> Result<Node<'a>, ApiError> {
        let depth = match level {
            Level::Root => 1,
            Level::Child(depth) => depth + 1,
            Level::Join => SUBQUERY_DEPTH_MAX + 1,
        };
        let (object, field, name) = self.child(query, outer)?;
        if depth > SUBQUERY_DEPTH_MAX {
            let reason = "SOQL subqueries can be at most 5 levels deep";
            return Err(self.source.malformed(query.span, reason));
        }
        let plan = self.query(query, object, Level::Child(depth))?;
        Ok(Node {
            name: name.to_owned(),
            kind: NodeKind::Children(field, Box::new(plan)),
        })
    }

    fn add_type_of(
        &self,
        shape: &mut Shape<'a>,
        type_of: &TypeOf,
        scope: &Scope<'a>,
    ) -> Result<(), ApiError> {
        let span = type_of.relationship.span;
        let mut hops = Vec::new();
        let start = Entity::Object(scope.object);
        self.follow(start, &mut hops, &type_of.relationship.parts, span)?;
        let hop = match hops.pop() {
            Some(hop) if matches!(hop.to, Entity::Name) => hop,
            _ => {
                let name = &type_of.relationship;
                let reason = format!(
                    "A TYPEOF expression can only be used with a polymorphic relationship: {name}"
                );
                return Err(self.source.malformed(span, reason));
            }
        };
        let mut when = Vec::new();
        for branch in &type_of.when {
            let known = hop.field.reference_to.iter();
            let object = known
                .filter(|name| branch.object.is(name))
                .find_map(|name| self.schema.object(name));
            let Some(object) = object else {
                let name = &branch.object.name;
                let reason = format!("sObject type '{name}' is not supported.");
                return Err(self
                    .source
                    .refuse("INVALID_TYPE", branch.object.span, reason));
            };
            when.push((object, self.branch(&branch.fields, Entity::Object(object))?));
        }
        let otherwise = self.branch(&type_of.otherwise, Entity::Name)?;
        let bound = plan::TypeOf {
            hop,
            when,
            otherwise,
        };
        let node = Node {
            name: hop.name.to_owned(),
            kind: NodeKind::TypeOf(bound),
        };
        let parent = descend(shape, &hops);
        match parent {
            Some(parent) => self.add_node(parent, node, span),
            None => Err(self.duplicate(hop.name, span)),
        }
    }

    fn branch(&self, fields: &[FieldPath], entity: Entity<'a>) -> Result<Shape<'a>, ApiError> {
        let mut shape = Shape::default();
        for path in fields {
            let found = self.path_from(entity, Vec::new(), &path.parts, path.span)?;
            self.add(&mut shape, found, Show::Plain, None, path.span)?;
        }
        Ok(shape)
    }

    fn check_fields_limit(
        &self,
        query: &Query,
        kind: FieldsKind,
        span: Span,
    ) -> Result<(), ApiError> {
        let bounded = query.limit.is_some_and(|limit| limit <= FIELDS_LIMIT_MAX);
        if kind == FieldsKind::Standard || bounded {
            return Ok(());
        }
        let reason =
            format!("The SOQL FIELDS function must have a LIMIT of at most {FIELDS_LIMIT_MAX}");
        Err(self.source.malformed(span, reason))
    }

    fn add_fields(
        &self,
        shape: &mut Shape<'a>,
        kind: FieldsKind,
        scope: &Scope<'a>,
        span: Span,
    ) -> Result<(), ApiError> {
        let entity = Entity::Object(scope.object);
        let fields = scope.object.fields.iter().filter(|field| match kind {
            FieldsKind::All => true,
            FieldsKind::Standard => !field.custom,
            FieldsKind::Custom => field.custom,
        });
        for leaf in fields.filter_map(|field| entity.leaf(&field.name)) {
            let hops = Vec::new();
            self.add(shape, Path { hops, leaf }, Show::Plain, None, span)?;
        }
        Ok(())
    }

    /// Adds a field where it belongs, under its parents.
    fn add(
        &self,
        shape: &mut Shape<'a>,
        path: Path<'a>,
        show: Show,
        alias: Option<&Ident>,
        span: Span,
    ) -> Result<(), ApiError> {
        let name = alias.map_or(path.leaf.name, |alias| &alias.name).to_owned();
        let Some(parent) = descend(shape, &path.hops) else {
            return Err(self.duplicate(&name, span));
        };
        let kind = NodeKind::Leaf(path.leaf, show);
        self.add_node(parent, Node { name, kind }, span)
    }

    fn add_node(&self, shape: &mut Shape<'a>, node: Node<'a>, span: Span) -> Result<(), ApiError> {
        let mut nodes = shape.nodes.iter();
        if nodes.any(|known| known.name.eq_ignore_ascii_case(&node.name)) {
            return Err(self.duplicate(&node.name, span));
        }
        shape.nodes.push(node);
        Ok(())
    }

    fn duplicate(&self, name: &str, span: Span) -> ApiError {
        let reason = format!("duplicate field selected: {name}");
        self.source.invalid_field(span, reason)
    }
}

/// Gives the name of a value that has no other.
fn unnamed(shape: &Shape<'_>) -> String {
    let nodes = shape.nodes.iter();
    let unnamed = nodes.filter(|node| node.name.starts_with("expr"));
    format!("expr{}", unnamed.count())
}

/// Finds or makes the members of a parent; `None` where something else has its name.
fn descend<'s, 'a>(
    mut shape: &'s mut Shape<'a>,
    hops: &[plan::Hop<'a>],
) -> Option<&'s mut Shape<'a>> {
    for hop in hops {
        let known = shape.nodes.iter().position(|node| node.name == hop.name);
        let at = known.unwrap_or_else(|| {
            shape.nodes.push(Node {
                name: hop.name.to_owned(),
                kind: NodeKind::Parent(*hop, Shape::default()),
            });
            shape.nodes.len() - 1
        });
        match &mut shape.nodes.get_mut(at)?.kind {
            NodeKind::Parent(_, inner) => shape = inner,
            _ => return None,
        }
    }
    Some(shape)
}
