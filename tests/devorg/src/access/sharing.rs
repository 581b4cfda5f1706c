//! By what the records of an object are shared: the org-wide default, or another record.
//!
//! Defaults are those of the org's own record. Salesforce's *Sharing Settings*: whoever owns a
//! record, and everybody above them, has all access to it; a default only adds to that.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Level;
use super::permissions::{Permissions, detail_of, is_setup};
use crate::id::Id;
use crate::objects::GRANTED_APART;
use crate::org::Org;
use crate::schema::Object;

/// Custom objects whose records only their owners have. Others are public, as new ones are.
const PRIVATE: [&str; 1] = ["Measurement__c"];

/// Who has the records of an object.
#[derive(Debug, Clone)]
pub(super) enum Sharing {
    /// Their owner and whoever is above; others have so much.
    Owned {
        others: Level,
        /// What is had of those whose account one of these owns.
        by_account: HashMap<Id, Level>,
    },
    /// Whoever has the record that a field names has as much of these; without one, only the owner.
    ByParent(Arc<str>),
    /// Who may change the record that a field names has all of these, who reads it reads them.
    Detail(Arc<str>),
    /// Their owner and whoever is above; who reads what they are about, or with whom, reads them.
    Activity,
    /// Files: their owner, and whoever they are linked to: users, and who has the linked records.
    File,
    /// Everybody reads them; everybody changes their own.
    User,
    /// Everybody has so much.
    Open(Level),
}

impl Sharing {
    /// Says by what the records of `object` are shared with a `team`.
    pub(super) fn of(
        org: &Org,
        object: &Object,
        permissions: &Permissions,
        team: &HashSet<Id>,
    ) -> Self {
        let name = &*object.name;
        match name {
            "Task" | "Event" => return Self::Activity,
            "ContentDocument" => return Self::File,
            // A version is its document's, which it has before anybody sees it.
            "ContentVersion" => return Self::Detail("ContentDocumentId".into()),
            // Who sees a record sees how it is approved.
            "ProcessInstance" => return Self::ByParent("TargetObjectId".into()),
            "ProcessInstanceStep" | "ProcessInstanceWorkitem" => {
                return Self::ByParent("ProcessInstanceId".into());
            }
            "User" if permissions.manage_users => return Self::Open(Level::Full),
            "User" => return Self::User,
            _ if is_setup(object) => {
                let managed = permissions.manage_users;
                return Self::Open(if managed { Level::Full } else { Level::Read });
            }
            _ => {}
        }
        if let Some(word) = default(org, name) {
            return match Level::parse(word) {
                Some(others) => Self::Owned {
                    others,
                    by_account: by_account(org, name, team),
                },
                None => Self::ByParent("AccountId".into()),
            };
        }
        if let Some((field, _)) = detail_of(&org.schema, object) {
            return Self::Detail(Arc::clone(&field.name));
        }
        let others = match (object.field("OwnerId"), object.custom) {
            (Some(_), _) if PRIVATE.contains(&name) => Level::None,
            (Some(_), true) => Level::Edit,
            // Without the org's record there is no default, and so nothing for others.
            (Some(_), false) if GRANTED_APART.contains(&name) => Level::None,
            _ => return Self::Open(Level::Full),
        };
        Self::Owned {
            others,
            by_account: HashMap::new(),
        }
    }
}

/// Gives the org-wide default of an object, where the org's record has one.
fn default<'o>(org: &'o Org, object: &str) -> Option<&'o str> {
    let company = org.store.rows("Organization").next()?;
    company.get(&format!("Default{object}Access")).as_text()
}

/// Gives those of a team who own accounts and whose role gives them what lies under these.
fn by_account(org: &Org, object: &str, team: &HashSet<Id>) -> HashMap<Id, Level> {
    let field = format!("{object}AccessForAccountOwner");
    let level = |user: Id| {
        let role = org.store.get("User", user)?.reference("UserRoleId")?;
        let word = org.store.get("UserRole", role)?.get(&field).as_text()?;
        Level::parse(word).filter(|level| *level > Level::None)
    };
    let users = team.iter();
    users
        .filter_map(|user| Some((*user, level(*user)?)))
        .collect()
}
