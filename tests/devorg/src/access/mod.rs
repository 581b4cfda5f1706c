//! Who sees what. Nothing else in the org decides it.
//!
//! Whatever answers a request asks two things of its [`Session`](crate::org::Session), and never
//! the org itself:
//!
//! - **Which objects and fields are there?** Those of `session.schema()`. What the user's profile
//!   hides is not in it, so that a hidden name is refused exactly as a name that does not exist,
//!   and its flags say what the user may write.
//! - **Which records are there?** Those that `session.may_read(org, record)` accepts. What is not
//!   accepted is answered as a record that does not exist. Before a record is changed or deleted,
//!   `session.may_edit` and `session.may_delete` are asked.
//!
//! The rows of the org are the truth: `Profile` and `ObjectPermissions` say what is granted,
//! `Organization` has the org-wide defaults, `User` and `UserRole` make the hierarchy. What
//! follows from them is worked out once and kept until one of them changes.
//!
//! What an object is decides by which rule it goes, so that one that is new to the org needs nothing
//! here: a detail (see `permissions::detail_of`) goes by its parent; a custom object by its row of
//! `ObjectPermissions`, and is not there without; any other is everybody's. To make it private, it
//! is named in `sharing`.
//!
//! Left out are sharing rules, manual shares, teams, members of queues and permission sets
//! that are not a profile's own.

mod fields;
mod hierarchy;
mod level;
mod permissions;
mod sharing;
mod view;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::id::Id;
use crate::org::Org;
use crate::schema::Schema;
use crate::store::Record;
pub use level::Level;
use permissions::Permissions;
use sharing::Sharing;

/// The objects whose rows say who sees what.
const SOURCES: [&str; 6] = [
    "ObjectPermissions",
    "Organization",
    "PermissionSet",
    "Profile",
    "User",
    "UserRole",
];

/// How often access is looked for at a further parent; parents may go round in circles.
const PARENTS_MAX: usize = 5;

/// Within this time of the schema's last change, profiles have the moments of their views.
const VIEW_MOMENTS: SignedDuration = SignedDuration::from_hours(1);

/// What one user sees and may do.
#[derive(Debug, Clone)]
pub struct Access {
    user: Id,
    /// The user and everybody below.
    team: HashSet<Id>,
    permissions: Permissions,
    /// The schema without what the user does not see.
    schema: Arc<Schema>,
    /// When the user's view of the schema was last changed.
    schema_changed: Timestamp,
    /// How the records of an object are shared with the user; objects that cannot be read have none.
    rules: HashMap<Arc<str>, Rule>,
    /// What all this follows from.
    source: Source,
}

/// How the records of an object are shared with a user.
#[derive(Debug, Clone)]
struct Rule {
    /// What the user has of every record.
    least: Level,
    sharing: Sharing,
}

/// The state of what access follows from.
#[derive(Debug, Clone)]
struct Source {
    schema: Arc<Schema>,
    changes: [u64; SOURCES.len()],
}

impl Source {
    fn of(org: &Org) -> Self {
        Self {
            schema: Arc::clone(&org.schema),
            changes: SOURCES.map(|object| org.store.changes(object)),
        }
    }
}

impl Access {
    /// Works out what a user sees and may do.
    pub fn of(org: &Org, user: Id) -> Self {
        let permissions = Permissions::of(&org.store, user);
        Self::with(org, user, permissions)
    }

    /// Gives the access of the org itself, which sees and does everything, in the name of a user.
    pub fn unlimited(org: &Org, user: Id) -> Self {
        Self::with(org, user, Permissions::unlimited())
    }

    fn with(org: &Org, user: Id, permissions: Permissions) -> Self {
        let team = hierarchy::team(&org.store, user);
        let mut rules = HashMap::new();
        for object in &org.schema.objects {
            let grant = permissions.grant(&org.schema, object);
            let least = match (grant.view_all, grant.modify_all) {
                (_, true) => Level::Full,
                (true, false) => Level::Read,
                (false, false) => Level::None,
            };
            if grant.read {
                let sharing = Sharing::of(org, object, &permissions, &team);
                rules.insert(Arc::clone(&object.name), Rule { least, sharing });
            }
        }
        let schema = view::view(&org.schema, &permissions);
        let schema_changed = if Arc::ptr_eq(&schema, &org.schema) {
            org.schema_changed()
        } else {
            moment_of_view(org, &permissions.profile)
        };
        Self {
            user,
            team,
            permissions,
            schema,
            schema_changed,
            rules,
            source: Source::of(org),
        }
    }

    /// Says whether nothing has changed that this follows from.
    pub(crate) fn is_current(&self, org: &Org) -> bool {
        Arc::ptr_eq(&self.source.schema, &org.schema)
            && self.source.changes == SOURCES.map(|object| org.store.changes(object))
    }

    /// Gives the schema as the user sees it.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Gives when the user's view of the schema was last changed. No two profiles whose views
    /// differ have the same moment.
    pub(crate) fn schema_changed(&self) -> Timestamp {
        self.schema_changed
    }

    /// Says whether a client that has a describe of this moment has the user's own, unchanged.
    ///
    /// A later moment than the last change is not enough: it may be that of another profile's view,
    /// which a client keeps for two users in one place.
    pub(crate) fn knows_schema(&self, org: &Org, moment: Timestamp) -> bool {
        let views_end = org.schema_changed().checked_add(VIEW_MOMENTS);
        moment == self.schema_changed || views_end.is_ok_and(|end| moment > end)
    }

    /// Says whether the user may use the API.
    pub(crate) fn api_enabled(&self) -> bool {
        self.permissions.api_enabled
    }

    /// Says whether the user reads what is in encrypted fields.
    pub(crate) fn views_encrypted(&self) -> bool {
        self.permissions.view_encrypted
    }

    /// Says whether the user may use the API alone, and no page.
    pub(crate) fn api_only(&self) -> bool {
        self.permissions.api_only
    }

    /// Gives the field that names the record which a record of `object` is a detail of.
    pub(crate) fn parent_field(&self, object: &str) -> Option<&str> {
        match &self.rules.get(object)?.sharing {
            Sharing::Detail(field) => Some(field),
            _ => None,
        }
    }

    /// Says how much the user may do with a record, by ownership and sharing.
    pub fn level(&self, org: &Org, record: &Record) -> Level {
        self.level_at(org, record, PARENTS_MAX)
    }

    fn level_at(&self, org: &Org, record: &Record, parents: usize) -> Level {
        if self.permissions.modify_all {
            return Level::Full;
        }
        let Some(rule) = self.rules.get(&record.object) else {
            return Level::None;
        };
        if rule.least == Level::Full {
            return Level::Full;
        }
        let parent = |field: &str| -> Option<Level> {
            let (_, parent) = org.find(record.reference(field)?)?;
            Some(match parents.checked_sub(1) {
                Some(parents) => self.level_at(org, parent, parents),
                None => Level::None,
            })
        };
        let shared = match &rule.sharing {
            Sharing::Open(level) => *level,
            Sharing::File if record.reference("OwnerId") == Some(self.user) => Level::Full,
            Sharing::File => self.by_links(org, record, parents),
            Sharing::User if record.id == self.user => Level::Edit,
            Sharing::User => Level::Read,
            Sharing::Detail(field) => match parent(field).unwrap_or(Level::None) {
                Level::None => Level::None,
                Level::Read => Level::Read,
                Level::Edit | Level::Transfer | Level::Full => Level::Full,
            },
            Sharing::ByParent(field) => match parent(field) {
                Some(level) => level,
                None if record.reference("OwnerId") == Some(self.user) => Level::Full,
                None => Level::None,
            },
            Sharing::Owned { .. } | Sharing::Activity if self.owns(record) => Level::Full,
            // Nobody else has what its owner keeps private.
            _ if record.get("IsPrivate").as_bool() == Some(true) => Level::None,
            Sharing::Owned { others, by_account } => {
                let by_account = account_owner(org, record)
                    .and_then(|owner| by_account.get(&owner))
                    .copied();
                let shared = by_account.unwrap_or(Level::None).max(*others);
                if shared == Level::None && self.has_under_account(org, record, parents) {
                    Level::Read
                } else {
                    shared
                }
            }
            Sharing::Activity => ["WhatId", "WhoId"]
                .into_iter()
                .filter_map(parent)
                .max()
                .unwrap_or(Level::None)
                .min(Level::Read),
        };
        shared.max(rule.least)
    }

    /// Says how much the user has of a file by what it is linked to.
    fn by_links(&self, org: &Org, document: &Record, parents: usize) -> Level {
        let links = org
            .store
            .children("ContentDocumentLink", "ContentDocumentId", document.id);
        let levels = links.filter(|link| !link.deleted).filter_map(|link| {
            let (kind, linked) = org.find(link.reference("LinkedEntityId")?)?;
            let of_linked = match &*kind.name {
                "User" if linked.id == self.user => Level::Edit,
                "User" => Level::None,
                _ => self.level_at(org, linked, parents.checked_sub(1)?),
            };
            Some(match (of_linked, link.get("ShareType").as_text()) {
                (Level::None, _) => Level::None,
                (_, Some("V")) => Level::Read,
                (_, Some("C")) => Level::Edit,
                (level, _) => level.min(Level::Edit),
            })
        });
        levels.max().unwrap_or(Level::None)
    }

    /// Says whether the user, or somebody below, owns a record.
    fn owns(&self, record: &Record) -> bool {
        record
            .reference("OwnerId")
            .is_some_and(|owner| self.team.contains(&owner))
    }

    /// Says whether the record is an account under which the user has a sale or a case: who has
    /// these reads their account.
    fn has_under_account(&self, org: &Org, record: &Record, parents: usize) -> bool {
        let Some(parents) = parents
            .checked_sub(1)
            .filter(|_| &*record.object == "Account")
        else {
            return false;
        };
        ["Opportunity", "Case"].into_iter().any(|object| {
            let mut children = org.store.children(object, "AccountId", record.id);
            children.any(|child| !child.deleted && self.level_at(org, child, parents) > Level::None)
        })
    }
}

/// Gives who owns the account that a record is under.
fn account_owner(org: &Org, record: &Record) -> Option<Id> {
    let account = record.reference("AccountId")?;
    org.store.get("Account", account)?.reference("OwnerId")
}

/// Gives a moment that the view of no other profile has, close after the schema's last change.
fn moment_of_view(org: &Org, profile: &str) -> Timestamp {
    let mut profiles = org.store.rows("Profile");
    let place = profiles.position(|row| row.get("Name").as_text() == Some(profile));
    let seconds = place.map_or(0, |place| place as i64).saturating_add(1);
    let changed = org.schema_changed();
    let later = changed.checked_add(SignedDuration::from_secs(seconds.min(3_600)));
    later.unwrap_or(changed)
}

#[cfg(test)]
mod tests;
