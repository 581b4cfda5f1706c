//! The rows of an answer as JSON: `attributes` and the members that were selected.
//!
//! A missing parent is null; so is a child subquery that finds nothing.

use serde_json::{Map, Value as Json, json};

use super::evaluate::children;
use super::format::formatted;
use super::plan::{Entity, Groups, Leaf, NodeKind, Shape, Show, TypeOf};
use super::view::{Entry, Group, Row, View, label};
use crate::org::compound_json;
use crate::records::files::data_url;
use crate::schema::FieldType;

/// Makes a record of the answer.
pub(super) fn record_json<'a>(view: &View<'a>, shape: &Shape<'a>, row: Entry<'a>) -> Json {
    shaped(view, shape, row, &row.object.name)
}

/// Makes a record whose `attributes` call it `kind`.
fn shaped<'a>(view: &View<'a>, shape: &Shape<'a>, row: Entry<'a>, kind: &str) -> Json {
    let mut members = Map::new();
    let (base, object, id) = (view.base, &row.object.name, row.record.id);
    members.insert(
        "attributes".into(),
        json!({"type": kind, "url": format!("{base}/sobjects/{object}/{id}")}),
    );
    for node in &shape.nodes {
        let value = match &node.kind {
            NodeKind::Leaf(leaf, show) => leaf_json(view, row, leaf, *show),
            NodeKind::Computed(operand) => view.value(&operand.expr, Row::Record(row)).to_json(),
            NodeKind::Parent(hop, shape) => match (view.follow(row, hop), hop.to) {
                (None, _) => Json::Null,
                (Some(parent), Entity::Object(_)) => record_json(view, shape, parent),
                (Some(parent), Entity::Name) => shaped(view, shape, parent, "Name"),
            },
            NodeKind::Children(field, plan) => {
                let records = children(view, field, plan, id);
                match records.len() {
                    0 => Json::Null,
                    n => json!({"totalSize": n, "done": true, "records": records}),
                }
            }
            NodeKind::TypeOf(type_of) => type_of_json(view, type_of, row),
        };
        members.insert(node.name.clone(), value);
    }
    Json::Object(members)
}

fn type_of_json<'a>(view: &View<'a>, type_of: &TypeOf<'a>, row: Entry<'a>) -> Json {
    let Some(parent) = view.follow(row, &type_of.hop) else {
        return Json::Null;
    };
    let mut branches = type_of.when.iter();
    let shape = branches
        .find(|(object, _)| object.name == parent.object.name)
        .map_or(&type_of.otherwise, |(_, shape)| shape);
    record_json(view, shape, parent)
}

fn leaf_json<'a>(view: &View<'a>, row: Entry<'a>, leaf: &Leaf<'a>, show: Show) -> Json {
    if leaf.kind.is_compound()
        && let Some(field) = leaf.field
    {
        return compound_json(row.object, row.record, field);
    }
    if leaf.kind == FieldType::Base64 {
        return data_url(view.base, row.record, leaf.name);
    }
    let value = view.leaf_value(row, leaf);
    match (show, leaf.field) {
        (Show::Label, Some(field)) => match label(field, &value) {
            Some(label) => Json::String(label),
            None => value.to_json(),
        },
        (Show::Formatted, field) => {
            let scale = field.map_or(0, |field| field.scale);
            formatted(&value, leaf.kind, scale, view.calendar).to_json()
        }
        _ => value.to_json(),
    }
}

/// Makes a group's row of the answer.
pub(super) fn aggregate_json<'a>(view: &View<'a>, groups: &Groups<'a>, group: &Group) -> Json {
    let mut members = Map::new();
    members.insert("attributes".into(), json!({"type": "AggregateResult"}));
    for (name, operand) in &groups.outputs {
        let value = view.value(&operand.expr, Row::Group(group));
        members.insert(name.clone(), value.to_json());
    }
    Json::Object(members)
}
