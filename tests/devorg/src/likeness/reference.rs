//! Whom a reference of a record means: a record of the files, or one that the org has.

use std::collections::HashMap;

use super::notes::Note;
use crate::error::ApiError;
use crate::id::Id;
use crate::org::Org;
use crate::records::{fill, restore};
use crate::schema::{Field, FieldType};
use crate::value::Value;

/// The records of the files by what others call them.
#[derive(Debug, Default)]
pub(super) struct References {
    /// By a scope of a file and the `referenceId`.
    names: HashMap<(usize, String), usize>,
    /// By the id that a record had elsewhere.
    ids: HashMap<Id, usize>,
    /// The id of each record here, in the order of the files.
    pub(super) here: Vec<Id>,
}

impl References {
    /// Names a record; says whether none of its scopes has the name.
    pub(super) fn name(&mut self, scopes: &[usize], name: &str, record: usize) -> bool {
        let mut is_new = true;
        for scope in scopes {
            let key = (*scope, name.to_owned());
            is_new &= self.names.insert(key, record).is_none();
        }
        is_new
    }

    /// Gives a record the id that it had elsewhere; says whether none has it.
    pub(super) fn was(&mut self, id: Id, record: usize) -> bool {
        self.ids.insert(id, record).is_none()
    }

    fn named(&self, scopes: &[usize], name: &str) -> Option<Id> {
        let mut keys = scopes.iter().map(|scope| (*scope, name.to_owned()));
        let record = keys.find_map(|key| self.names.get(&key))?;
        self.here.get(*record).copied()
    }

    fn known(&self, id: Id) -> Option<Id> {
        self.here.get(*self.ids.get(&id)?).copied()
    }

    /// Finds the record that a reference means: `@AccountRef1`, an id, or a username.
    ///
    /// # Errors
    ///
    /// `INVALID_CROSS_REFERENCE_KEY`: there is no such record. `MALFORMED_ID`: it is one of an object
    /// that the field does not refer to.
    pub(super) fn find(
        &self,
        org: &Org,
        scopes: &[usize],
        field: &Field,
        text: &str,
        administrator: Id,
    ) -> Result<(Value, Option<Note>), ApiError> {
        let found = match text.strip_prefix('@') {
            Some(name) => self.named(scopes, name),
            None => match Id::parse(text) {
                Some(id) => self
                    .known(id)
                    .or_else(|| org.find(id).map(|(_, record)| record.id)),
                None if refers_to_users(field) => org.user_named(text),
                None => None,
            },
        };
        let Some(id) = found else {
            // Who worked in the other org is often not exported.
            let person = &*field.name == "OwnerId" || fill::AUDIT.contains(&&*field.name);
            return match person && !text.starts_with('@') {
                true => Ok((administrator.into(), Some(Note::Administrator))),
                false => Err(restore::no_record(field, text)),
            };
        };
        let object = org.schema.object_by_prefix(id.prefix());
        let fits = object.is_some_and(|object| {
            let mut to = field.reference_to.iter();
            field.field_type == FieldType::Reference && to.any(|to| **to == *object.name)
        });
        match fits {
            true => Ok((id.into(), None)),
            false => Err(restore::other_object(field, text)),
        }
    }
}

fn refers_to_users(field: &Field) -> bool {
    field.reference_to.iter().any(|to| to == "User")
}
