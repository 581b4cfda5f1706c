//! Records of an answer as a table.
//!
//! A parent is a nested object and becomes columns (`Account.Name`), a child subquery becomes rows of its own,
//! `attributes` go away. A parent that is null in every row looks like a field that is null: the query, where it is
//! known, tells them apart, and gives the columns their order.

use soql::{Argument, FieldPath, Query, SelectItem};

use crate::json::Json;
use crate::table::{ChildRows, Row, Table};

/// Makes a table of `records`; `query` is what they answer, where that is known.
pub fn table(records: &[Json], query: Option<&Query>) -> Table {
    let is_aggregate = records
        .first()
        .is_some_and(|record| kind_of(record) == Some("AggregateResult"));
    let mut tree = Tree::default();
    // An aggregate's row has every member, in order, and names parents' fields by their last name alone.
    if let (Some(query), false) = (query, is_aggregate) {
        tree.plan(query);
    }
    for record in records {
        tree.learn(record);
    }
    if !records.is_empty() {
        // A function that the plan misjudged.
        tree.nodes.retain(|node| node.seen);
    }
    let mut table = tree.header();
    table.rows = records.iter().map(|record| tree.row(record)).collect();
    table
}

/// Gives the object that a record is of.
pub fn kind_of(record: &Json) -> Option<&str> {
    record.get("attributes")?.str_at("type")
}

/// What the members of records are.
#[derive(Debug, Default)]
struct Tree {
    nodes: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    name: String,
    /// It is in some record.
    seen: bool,
    shape: Shape,
}

#[derive(Debug)]
enum Shape {
    Value,
    /// A parent; whether its object is told, since it differs.
    Parent {
        tree: Tree,
        kinds: Vec<String>,
        tell_kind: bool,
    },
    Children(Tree),
}

impl Node {
    /// Takes the name as the service spells it.
    fn see(&mut self, name: &str) {
        self.seen = true;
        if self.name != name {
            name.clone_into(&mut self.name);
        }
    }
}

impl Tree {
    fn node(&mut self, name: &str, shape: impl FnOnce() -> Shape) -> &mut Node {
        let at = self
            .nodes
            .iter()
            .position(|node| node.name.eq_ignore_ascii_case(name));
        let at = at.unwrap_or_else(|| {
            self.nodes.push(Node {
                name: name.to_owned(),
                seen: false,
                shape: shape(),
            });
            self.nodes.len() - 1
        });
        &mut self.nodes[at]
    }

    fn parent(&mut self, name: &str) -> &mut Node {
        let node = self.node(name, || Shape::Value);
        if !matches!(node.shape, Shape::Parent { .. }) {
            node.shape = Shape::Parent {
                tree: Tree::default(),
                kinds: Vec::new(),
                tell_kind: false,
            };
        }
        node
    }

    /// Lays out the columns that a query asks for.
    fn plan(&mut self, query: &Query) {
        let own: Vec<&str> = query
            .from
            .first()
            .into_iter()
            .flat_map(|from| from.path.last().into_iter().chain(&from.alias))
            .map(|name| name.name.as_str())
            .collect();
        for item in &query.select {
            match item {
                SelectItem::Field {
                    alias: Some(alias), ..
                }
                | SelectItem::Function {
                    alias: Some(alias), ..
                } => {
                    self.node(&alias.name, || Shape::Value);
                }
                SelectItem::Field { path, alias: None } => self.plan_path(path, &own),
                // `toLabel(Status)` comes back as `Status`.
                SelectItem::Function { call, alias: None } => {
                    if let [Argument::Field(path)] = call.args.as_slice() {
                        self.plan_path(path, &own);
                    }
                }
                SelectItem::Subquery(inner) => {
                    if let Some(name) = inner.from.first().and_then(|from| from.path.last()) {
                        let node = self.node(&name.name, || Shape::Children(Tree::default()));
                        if let Shape::Children(tree) = &mut node.shape {
                            tree.plan(inner);
                        }
                    }
                }
                SelectItem::TypeOf(type_of) => {
                    let branches = type_of.when.iter().flat_map(|branch| &branch.fields);
                    for field in branches.chain(&type_of.otherwise) {
                        let parts = type_of
                            .relationship
                            .parts
                            .iter()
                            .chain(&field.parts)
                            .cloned()
                            .collect();
                        self.plan_path(
                            &FieldPath {
                                parts,
                                span: field.span,
                            },
                            &own,
                        );
                    }
                    if let [relationship] = type_of.relationship.parts.as_slice()
                        && let Shape::Parent { tell_kind, .. } =
                            &mut self.parent(&relationship.name).shape
                    {
                        *tell_kind = true;
                    }
                }
                SelectItem::Fields { .. } => {}
            }
        }
    }

    fn plan_path(&mut self, path: &FieldPath, own: &[&str]) {
        let mut parts: &[soql::Ident] = &path.parts;
        if let [first, rest @ ..] = parts
            && !rest.is_empty()
            && own.iter().any(|name| first.is(name))
        {
            parts = rest;
        }
        let mut tree = self;
        while let [relationship, rest @ ..] = parts
            && !rest.is_empty()
        {
            match &mut tree.parent(&relationship.name).shape {
                Shape::Parent { tree: inner, .. } => tree = inner,
                _ => return,
            }
            parts = rest;
        }
        if let [field] = parts {
            tree.node(&field.name, || Shape::Value);
        }
    }

    /// Learns names and shapes from a record.
    fn learn(&mut self, record: &Json) {
        for (name, value) in record
            .members()
            .iter()
            .filter(|(name, _)| name != "attributes")
        {
            if value.get("records").is_some() {
                let node = self.node(name, || Shape::Value);
                node.see(name);
                if !matches!(node.shape, Shape::Children(_)) {
                    node.shape = Shape::Children(Tree::default());
                }
                if let Shape::Children(tree) = &mut node.shape {
                    for child in value.get("records").map_or(&[][..], Json::items) {
                        tree.learn(child);
                    }
                }
            } else if value.get("attributes").is_some() {
                let node = self.parent(name);
                node.see(name);
                if let Shape::Parent {
                    tree,
                    kinds,
                    tell_kind,
                } = &mut node.shape
                {
                    tree.learn(value);
                    let kind = kind_of(value).unwrap_or_default();
                    if !kinds.iter().any(|known| known == kind) {
                        kinds.push(kind.to_owned());
                    }
                    *tell_kind |= kinds.len() > 1;
                }
            } else {
                let node = self.node(name, || Shape::Value);
                node.see(name);
            }
        }
    }

    fn header(&self) -> Table {
        let mut table = Table::default();
        self.columns("", &mut table);
        table
    }

    fn columns(&self, prefix: &str, table: &mut Table) {
        for Node { name, shape, .. } in &self.nodes {
            match shape {
                Shape::Value => table.columns.push(format!("{prefix}{name}")),
                Shape::Parent {
                    tree, tell_kind, ..
                } => {
                    if *tell_kind {
                        table.columns.push(format!("{prefix}{name}.type"));
                    }
                    tree.columns(&format!("{prefix}{name}."), table);
                }
                Shape::Children(tree) => table
                    .children
                    .push((format!("{prefix}{name}"), tree.header())),
            }
        }
    }

    fn row(&self, record: &Json) -> Row {
        let mut row = Row::default();
        self.fill(record, &mut row);
        row
    }

    fn fill(&self, record: &Json, row: &mut Row) {
        for Node { name, shape, .. } in &self.nodes {
            let value = record.get_folded(name).unwrap_or(&Json::Null);
            match shape {
                Shape::Value => row.cells.push(value.clone()),
                Shape::Parent {
                    tree, tell_kind, ..
                } => {
                    if *tell_kind {
                        row.cells.push(kind_of(value).map(str::to_owned).into());
                    }
                    tree.fill(value, row);
                }
                Shape::Children(tree) => {
                    let records = value.get("records").map_or(&[][..], Json::items);
                    let count = u64::try_from(records.len()).unwrap_or(u64::MAX);
                    row.children.push(ChildRows {
                        rows: records.iter().map(|child| tree.row(child)).collect(),
                        total: value.count_at("totalSize").unwrap_or(count),
                        cursor: value.str_at("nextRecordsUrl").and_then(cursor_of),
                    });
                }
            }
        }
    }
}

/// Takes the cursor off the end of a `nextRecordsUrl`: `01gxx0000000001AAA-2000`.
pub fn cursor_of(url: &str) -> Option<String> {
    let cursor = url.rsplit('/').next()?;
    is_cursor(cursor).then(|| cursor.to_owned())
}

/// Says whether a text can be a cursor: letters, digits and hyphens, at most 100.
pub fn is_cursor(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Lists what a record shows, each object with its fields, so that what was not checked before can be checked after;
/// what it shows as empty counts where `nulls` says so.
pub fn shown<'a>(record: &'a Json, nulls: bool, into: &mut Vec<(&'a str, &'a str)>) {
    let kind = kind_of(record);
    for (name, value) in record
        .members()
        .iter()
        .filter(|(name, _)| name != "attributes")
    {
        if let Some(records) = value.get("records") {
            for child in records.items() {
                shown(child, nulls, into);
            }
        } else if value.get("attributes").is_some() {
            shown(value, nulls, into);
        } else if let Some(kind) = kind
            && (nulls || !value.is_null())
            && !into.contains(&(kind, name))
        {
            into.push((kind, name));
        }
    }
}

#[cfg(test)]
mod tests;
