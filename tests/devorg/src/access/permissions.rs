//! What a profile grants: read once from its rows, and asked by name.

use std::collections::HashMap;

use super::PARENTS_MAX;
use crate::id::Id;
use crate::objects::GRANTED_APART;
use crate::schema::{Field, Object, Schema};
use crate::store::{Record, Store};

/// The objects of setup, which everybody reads and who manages users changes.
const SETUP: [&str; 11] = [
    "Group",
    "LeadStatus",
    "ObjectPermissions",
    "Organization",
    "PermissionSet",
    "Profile",
    "RecordType",
    "TaskStatus",
    "User",
    "UserLicense",
    "UserRole",
];

/// What may be done with the records of an object, as far as the profile goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "a row of `ObjectPermissions` is six checkboxes"
)]
pub(super) struct Grant {
    pub(super) create: bool,
    pub(super) read: bool,
    pub(super) edit: bool,
    pub(super) delete: bool,
    /// Whoever owns them, they are seen.
    pub(super) view_all: bool,
    /// Whoever owns them, they are changed and deleted.
    pub(super) modify_all: bool,
}

/// What the rows of a user's profile say.
#[derive(Debug, Clone)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "a profile is a list of checkboxes"
)]
pub(super) struct Permissions {
    /// The name of the profile.
    pub(super) profile: String,
    pub(super) api_enabled: bool,
    pub(super) api_only: bool,
    pub(super) manage_users: bool,
    view_all: bool,
    pub(super) modify_all: bool,
    edit_tasks: bool,
    edit_events: bool,
    pub(super) view_encrypted: bool,
    objects: HashMap<String, Grant>,
}

impl Grant {
    const ALL: Self = Self::of(true, true);

    /// Gives a grant without regard to who owns the records.
    const fn of(read: bool, write: bool) -> Self {
        Self {
            create: write,
            read,
            edit: write,
            delete: write,
            view_all: false,
            modify_all: false,
        }
    }

    fn of_row(row: &Record) -> Self {
        Self {
            create: checked(row, "PermissionsCreate"),
            read: checked(row, "PermissionsRead"),
            edit: checked(row, "PermissionsEdit"),
            delete: checked(row, "PermissionsDelete"),
            view_all: checked(row, "PermissionsViewAllRecords"),
            modify_all: checked(row, "PermissionsModifyAllRecords"),
        }
    }
}

impl Permissions {
    /// Reads what a user's profile grants. A user without profile is granted nothing.
    pub(super) fn of(store: &Store, user: Id) -> Self {
        let profile = store
            .get("User", user)
            .and_then(|user| store.get("Profile", user.reference("ProfileId")?));
        let permission = |name: &str| profile.is_some_and(|profile| checked(profile, name));
        let mut objects = HashMap::new();
        let sets = profile
            .into_iter()
            .flat_map(|profile| store.children("PermissionSet", "ProfileId", profile.id));
        for row in sets.flat_map(|set| store.children("ObjectPermissions", "ParentId", set.id)) {
            if let (Some(object), false) = (row.get("SobjectType").as_text(), row.deleted) {
                objects.insert(object.to_owned(), Grant::of_row(row));
            }
        }
        let name = profile.and_then(|profile| profile.get("Name").as_text());
        Self {
            profile: name.unwrap_or_default().to_owned(),
            api_enabled: permission("PermissionsApiEnabled"),
            api_only: permission("PermissionsApiUserOnly"),
            manage_users: permission("PermissionsManageUsers"),
            view_all: permission("PermissionsViewAllData"),
            modify_all: permission("PermissionsModifyAllData"),
            edit_tasks: permission("PermissionsEditTask"),
            edit_events: permission("PermissionsEditEvent"),
            view_encrypted: permission("PermissionsViewEncryptedData"),
            objects,
        }
    }

    /// Gives what the org itself may do: everything.
    pub(super) fn unlimited() -> Self {
        Self {
            profile: String::new(),
            api_enabled: true,
            api_only: false,
            manage_users: true,
            view_all: true,
            modify_all: true,
            edit_tasks: true,
            edit_events: true,
            view_encrypted: true,
            objects: HashMap::new(),
        }
    }

    /// Says what may be done with the records of an object.
    pub(super) fn grant(&self, schema: &Schema, object: &Object) -> Grant {
        self.grant_at(schema, object, PARENTS_MAX)
    }

    fn grant_at(&self, schema: &Schema, object: &Object, parents: usize) -> Grant {
        let mut grant = if self.modify_all {
            Grant::ALL
        } else {
            self.granted(schema, object, parents)
        };
        grant.modify_all |= self.modify_all;
        grant.view_all |= self.view_all | grant.modify_all;
        grant.read |= self.view_all;
        grant
    }

    fn granted(&self, schema: &Schema, object: &Object, parents: usize) -> Grant {
        let name = &*object.name;
        if let Some(grant) = self.objects.get(name) {
            return *grant;
        }
        if GRANTED_APART.contains(&name) || object.custom {
            return Grant::of(false, false);
        }
        if SETUP.contains(&name) {
            return Grant {
                // Everybody changes their own user.
                edit: self.manage_users || name == "User",
                ..Grant::of(true, self.manage_users)
            };
        }
        if let Some((_, parent)) = detail_of(schema, object) {
            let Some(parents) = parents.checked_sub(1) else {
                return Grant::of(false, false);
            };
            let of_parent = self.grant_at(schema, parent, parents);
            return Grant {
                view_all: of_parent.view_all,
                modify_all: of_parent.modify_all,
                ..Grant::of(of_parent.read, of_parent.edit)
            };
        }
        match name {
            "Task" => Grant::of(true, self.edit_tasks),
            "Event" => Grant::of(true, self.edit_events),
            // Salesforce has no permission for these: who signs in has them.
            _ => Grant::of(true, true),
        }
    }
}

/// Says whether an object is one of setup.
pub(super) fn is_setup(object: &Object) -> bool {
    SETUP.contains(&&*object.name)
}

/// Gives the object that the records of `object` are details of, and the field that names it: they
/// have no owner, cannot be without it and are deleted with it.
pub(super) fn detail_of<'s>(
    schema: &'s Schema,
    object: &'s Object,
) -> Option<(&'s Field, &'s Object)> {
    if object.field("OwnerId").is_some() {
        return None;
    }
    object.fields.iter().find_map(|field| {
        let [parent] = field.reference_to.as_slice() else {
            return None;
        };
        let parent = schema.object(parent)?;
        let mut children = parent.child_relationships.iter();
        let owned = children.any(|child| {
            child.cascade_delete && child.child_object == object.name && child.field == field.name
        });
        let other = parent.name != object.name;
        (owned && other && !field.nillable).then_some((field, parent))
    })
}

fn checked(record: &Record, field: &str) -> bool {
    record.get(field).as_bool() == Some(true)
}
