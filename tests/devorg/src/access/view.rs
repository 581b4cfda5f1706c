//! The schema as one user sees it: what cannot be read is not there, and flags say what is allowed.

use std::sync::Arc;

use super::fields::{self, Visibility};
use super::permissions::{Grant, Permissions};
use crate::schema::{Object, Schema};

/// Makes the view that a profile leaves of the org's schema.
pub(super) fn view(schema: &Arc<Schema>, permissions: &Permissions) -> Arc<Schema> {
    let restricted = fields::RULES
        .iter()
        .any(|(profile, ..)| *profile == permissions.profile);
    if permissions.modify_all && permissions.manage_users && !restricted {
        return Arc::clone(schema);
    }
    let objects = schema.objects.iter().filter_map(|object| {
        let grant = permissions.grant(schema, object);
        grant.read.then(|| lowered(object, grant, permissions))
    });
    let mut view = Schema::new(objects.collect());
    // A child whose reference is hidden, or that is hidden whole, is nobody's child.
    let children: Vec<Vec<_>> = view
        .objects
        .iter()
        .map(|object| {
            let children = object.child_relationships.iter();
            let seen = children.filter(|child| {
                let object = view.object(&child.child_object);
                object.is_some_and(|object| object.field(&child.field).is_some())
            });
            seen.cloned().collect()
        })
        .collect();
    for (object, children) in view.objects.iter_mut().zip(children) {
        object.child_relationships = children;
    }
    Arc::new(view)
}

/// Takes from an object what is not granted.
fn lowered(object: &Object, grant: Grant, permissions: &Permissions) -> Object {
    let mut lowered = object.clone();
    lowered.createable &= grant.create;
    lowered.updateable &= grant.edit;
    lowered.deletable &= grant.delete;
    lowered.undeletable &= grant.delete;
    lowered.mergeable &= grant.delete;
    let rule = |field: &_| fields::rule(&permissions.profile, object, field);
    lowered
        .fields
        .retain(|field| rule(field) != Some(Visibility::Hidden));
    for field in &mut lowered.fields {
        let read_only = rule(field) == Some(Visibility::ReadOnly)
            || (fields::is_managed(object, field) && !permissions.manage_users);
        field.createable &= lowered.createable && !read_only;
        field.updateable &= lowered.updateable && !read_only;
    }
    lowered
}
