//! `/composite/tree/{object}`: up to 200 new records with those below them, all or none.

use std::collections::HashSet;

use http::Method;
use serde_json::{Map, Value as Json, json};

use super::Call;
use super::subrequest::missing;
use crate::error::ApiError;
use crate::id::Id;
use crate::org::Org;
use crate::records;
use crate::schema::{Object, Schema};
use crate::wire::Reply;

/// The records of a request, in all its trees.
const RECORDS_MAX: usize = 200;
/// The records from a root down.
const DEPTH_MAX: usize = 5;
/// The objects whose records a request has.
const TYPES_MAX: usize = 5;

/// A record to be made, with those below it.
struct Node<'s> {
    reference_id: String,
    object: &'s Object,
    fields: Map<String, Json>,
    /// The records below, each with the field of its that refers to this one.
    children: Vec<(String, Node<'s>)>,
}

/// A record that is refused, by its reference id.
type Refusal = (String, Box<ApiError>);

impl Call<'_> {
    /// `POST /composite/tree/{object}`.
    pub(super) fn tree(&self, name: &str) -> Result<Reply, ApiError> {
        if self.request.method != Method::POST {
            return Ok(Reply::not_allowed(&self.request.method, "POST"));
        }
        self.only_json()?;
        let body = records::object_of(&self.request.body)?;
        let mut org = self.shared.org_mut();
        let schema = self.session.schema();
        let object = self.named(name)?;
        let list = body
            .get("records")
            .and_then(Json::as_array)
            .ok_or_else(|| missing("records"))?;
        let nodes: Result<Vec<Node>, Refusal> = list
            .iter()
            .map(|record| Node::read(schema, object, record, 1))
            .collect();
        let made = nodes
            .and_then(|nodes| check_limits(&nodes).map(|()| nodes))
            .map_err(|refusal| vec![refusal])
            .and_then(|nodes| org.transaction(|org| self.make_all(org, &nodes)));
        Ok(match made {
            Ok(made) => {
                let results: Vec<Json> = made
                    .iter()
                    .map(|(reference_id, id)| json!({"referenceId": reference_id, "id": id.as_str()}))
                    .collect();
                Reply::json(201, &json!({"hasErrors": false, "results": results}))
            }
            Err(refusals) => {
                let results: Vec<Json> = refusals
                    .iter()
                    .map(|(reference_id, error)| {
                        json!({"referenceId": reference_id, "errors": error.to_record_errors()})
                    })
                    .collect();
                Reply::json(400, &json!({"hasErrors": true, "results": results}))
            }
        })
    }

    fn make_all(&self, org: &mut Org, nodes: &[Node]) -> Result<Vec<(String, Id)>, Vec<Refusal>> {
        let (mut made, mut refused) = (Vec::new(), Vec::new());
        for node in nodes {
            self.make(org, node, None, &mut made, &mut refused);
        }
        if refused.is_empty() {
            Ok(made)
        } else {
            Err(refused)
        }
    }

    /// Makes a record and those below it; below one that is refused nothing is tried.
    fn make(
        &self,
        org: &mut Org,
        node: &Node,
        parent: Option<(&str, Id)>,
        made: &mut Vec<(String, Id)>,
        refused: &mut Vec<Refusal>,
    ) {
        let mut fields = node.fields.clone();
        if let Some((field, parent)) = parent {
            fields.insert(field.to_owned(), parent.as_str().into());
        }
        let options = self.write_options();
        match records::insert(org, &self.session, node.object, &fields, &options) {
            Ok(id) => {
                made.push((node.reference_id.clone(), id));
                for (field, child) in &node.children {
                    self.make(org, child, Some((field, id)), made, refused);
                }
            }
            Err(error) => refused.push((node.reference_id.clone(), Box::new(error))),
        }
    }
}

impl<'s> Node<'s> {
    fn read(
        schema: &'s Schema,
        object: &'s Object,
        json: &Json,
        depth: usize,
    ) -> Result<Self, Refusal> {
        let stated = |name: &str| json["attributes"][name].as_str().unwrap_or_default();
        let reference_id = stated("referenceId").to_owned();
        let refuse = |code: &str, message: String| {
            let error = ApiError::bad_request(code, message);
            Err((reference_id.clone(), Box::new(error)))
        };
        if reference_id.is_empty() {
            let message = "Include a reference ID for each record in the request.".to_owned();
            return refuse("INVALID_INPUT", message);
        }
        if !stated("type").eq_ignore_ascii_case(&object.name) {
            let message = format!("The type of the record must be {}.", object.name);
            return refuse("INVALID_INPUT", message);
        }
        if depth > DEPTH_MAX {
            let message = format!("Trees can be up to {DEPTH_MAX} levels deep.");
            return refuse("INVALID_INPUT", message);
        }
        let (mut fields, mut children) = (Map::new(), Vec::new());
        for (name, value) in json.as_object().into_iter().flatten() {
            let below = object
                .child_relationship(name)
                .and_then(|child| Some((child, schema.object(&child.child_object)?)))
                .zip(value.get("records").and_then(Json::as_array));
            let Some(((relationship, child_object), records)) = below else {
                fields.insert(name.clone(), value.clone());
                continue;
            };
            for record in records {
                let child = Node::read(schema, child_object, record, depth + 1)?;
                children.push(((*relationship.field).to_owned(), child));
            }
        }
        Ok(Self {
            reference_id,
            object,
            fields,
            children,
        })
    }

    /// Adds the node and those below it to a list.
    fn list<'n>(&'n self, all: &mut Vec<&'n Self>) {
        all.push(self);
        for (_, child) in &self.children {
            child.list(all);
        }
    }
}

/// Checks what concerns the records together.
fn check_limits(nodes: &[Node]) -> Result<(), Refusal> {
    let mut all = Vec::new();
    for node in nodes {
        node.list(&mut all);
    }
    let refuse = |node: &Node, message: String| {
        let error = ApiError::bad_request("INVALID_INPUT", message);
        Err((node.reference_id.clone(), Box::new(error)))
    };
    let (mut ids, mut types) = (HashSet::new(), HashSet::new());
    for (at, node) in all.iter().enumerate() {
        types.insert(&node.object.name);
        if at >= RECORDS_MAX {
            return refuse(
                node,
                format!("Requests can have up to {RECORDS_MAX} records."),
            );
        }
        if types.len() > TYPES_MAX {
            return refuse(
                node,
                format!("Requests can have records of up to {TYPES_MAX} types."),
            );
        }
        if !ids.insert(&node.reference_id) {
            let message = "Duplicate ReferenceId provided in the request.".to_owned();
            return refuse(node, message);
        }
    }
    Ok(())
}
