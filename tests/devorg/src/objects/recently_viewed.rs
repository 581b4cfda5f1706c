//! `RecentlyViewed`: the records that who asks has used, of every object that keeps such a list.

use crate::schema::*;

pub(super) fn object() -> Object {
    let mut recent =
        crate::schema::object("RecentlyViewed", "Recently Viewed", "Recently Viewed", "")
            .setup()
            .with([
                id("Record ID"),
                text("Name", "Name", 255).system().name(),
                text("LastName", "Last Name", 80).system(),
                text("FirstName", "First Name", 40).system(),
                text("Type", "Type", 40).system(),
                text("Alias", "Alias", 8).system(),
                reference("UserRoleId", "Role ID", &["UserRole"]).system(),
                reference("RecordTypeId", "Record Type ID", &["RecordType"]).system(),
                checkbox("IsActive", "Active").system(),
                reference("ProfileId", "Profile ID", &["Profile"]).system(),
                text("Title", "Title", 128).system(),
                email("Email", "Email").system(),
                phone("Phone", "Phone").system(),
            ])
            .with(last_seen());
    recent.replicateable = false;
    recent
}
