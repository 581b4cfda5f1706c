//! The role hierarchy: a manager has whatever access the people below have.

use std::collections::HashSet;

use crate::id::Id;
use crate::store::Store;

/// Gives a user and everybody whose role is below theirs; those of the same role are not.
pub(super) fn team(store: &Store, user: Id) -> HashSet<Id> {
    let mut team = HashSet::from([user]);
    let role = store
        .get("User", user)
        .and_then(|user| user.reference("UserRoleId"));
    let mut seen: HashSet<Id> = role.into_iter().collect();
    let mut above: Vec<Id> = role.into_iter().collect();
    while let Some(role) = above.pop() {
        for below in store.children("UserRole", "ParentRoleId", role) {
            // Roles that are each other's parents end here.
            if below.deleted || !seen.insert(below.id) {
                continue;
            }
            let users = store.children("User", "UserRoleId", below.id);
            team.extend(users.map(|user| user.id));
            above.push(below.id);
        }
    }
    team
}
