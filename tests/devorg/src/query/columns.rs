//! `?columns=true`: what the columns of an answer are, which command-line clients ask for.
//!
//! A parent is a column that joins others; a child subquery is one that aggregates them.

use serde_json::{Value as Json, json};

use super::plan::{Expr, Groups, Leaf, Node, NodeKind, Plan, Rows, Shape};
use crate::schema::FieldType;

/// Gives the columns of a query's answer.
pub(super) fn columns(plan: &Plan<'_>) -> Json {
    let (columns, grouped) = match &plan.rows {
        Rows::Count => (vec![aggregate("expr0", FieldType::Int)], false),
        Rows::Records(shape) => (of_shape(shape), false),
        Rows::Groups(groups) => (of_groups(groups), !groups.keys.is_empty()),
    };
    let id_selected = match &plan.rows {
        Rows::Records(shape) => shape.nodes.iter().any(|node| node.name == "Id"),
        _ => false,
    };
    json!({
        "columnMetadata": columns,
        "entityName": &*plan.object.name,
        "groupBy": grouped,
        "idSelected": id_selected,
        "keyPrefix": plan.object.key_prefix,
    })
}

fn of_shape(shape: &Shape<'_>) -> Vec<Json> {
    shape.nodes.iter().map(of_node).collect()
}

fn of_node(node: &Node<'_>) -> Json {
    match &node.kind {
        NodeKind::Leaf(leaf, _) => of_leaf(&node.name, leaf),
        NodeKind::Computed(operand) => column(&node.name, &operand.name, operand.kind),
        NodeKind::Parent(hop, shape) => {
            let foreign_key = Some(&*hop.field.name);
            joined(&node.name, hop.to.name(), foreign_key, of_shape(shape))
        }
        NodeKind::Children(_, plan) => {
            let inner = match &plan.rows {
                Rows::Records(shape) => of_shape(shape),
                _ => Vec::new(),
            };
            let mut column = joined(&node.name, &plan.object.name, None, inner);
            column["aggregate"] = Json::Bool(true);
            column
        }
        NodeKind::TypeOf(type_of) => {
            let mut inner: Vec<Json> = Vec::new();
            let shapes = type_of.when.iter().map(|(_, shape)| shape);
            for column in shapes.chain([&type_of.otherwise]).flat_map(of_shape) {
                let name = &column["columnName"];
                if !inner.iter().any(|known| known["columnName"] == *name) {
                    inner.push(column);
                }
            }
            let foreign_key = Some(&*type_of.hop.field.name);
            joined(&node.name, "Name", foreign_key, inner)
        }
    }
}

fn of_leaf(name: &str, leaf: &Leaf<'_>) -> Json {
    let mut column = column(name, leaf.name, leaf.kind);
    if let Some(field) = leaf.field {
        column["custom"] = Json::Bool(field.custom);
        column["insertable"] = Json::Bool(field.createable);
        column["updatable"] = Json::Bool(field.updateable);
    }
    column
}

fn joined(name: &str, kind: &str, foreign_key: Option<&str>, inner: Vec<Json>) -> Json {
    let mut column = column(name, name, FieldType::String);
    column["apexType"] = json!(kind);
    column["textType"] = Json::Bool(false);
    column["custom"] = Json::Bool(name.ends_with("__r"));
    column["foreignKeyName"] = json!(foreign_key);
    column["joinColumns"] = Json::Array(inner);
    column
}

fn of_groups(groups: &Groups<'_>) -> Vec<Json> {
    let outputs = groups.outputs.iter();
    outputs
        .map(|(name, operand)| match operand.expr {
            Expr::Key(_) => {
                let mut column = column(name, name, operand.kind);
                column["custom"] = Json::Bool(operand.field.is_some_and(|field| field.custom));
                column
            }
            _ => {
                let mut column = aggregate(name, operand.kind);
                column["displayName"] = json!(operand.name);
                column
            }
        })
        .collect()
}

fn aggregate(name: &str, kind: FieldType) -> Json {
    let mut column = column(name, name, kind);
    column["aggregate"] = Json::Bool(true);
    column
}

fn column(name: &str, display_name: &str, kind: FieldType) -> Json {
    json!({
        "aggregate": false,
        "apexType": apex_type(kind),
        "booleanType": kind == FieldType::Boolean,
        "columnName": name,
        "custom": false,
        "displayName": display_name,
        "foreignKeyName": null,
        "insertable": false,
        "joinColumns": [],
        "numberType": kind.is_number(),
        "textType": kind.is_text(),
        "updatable": false,
    })
}

fn apex_type(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Id | FieldType::Reference => "Id",
        FieldType::Boolean => "Boolean",
        FieldType::Int => "Integer",
        FieldType::Double | FieldType::Percent => "Double",
        FieldType::Currency => "Decimal",
        FieldType::Date => "Date",
        FieldType::Datetime => "Datetime",
        FieldType::Address => "Address",
        FieldType::Location => "Location",
        FieldType::Time => "Time",
        FieldType::Base64 => "Blob",
        _ => "String",
    }
}
