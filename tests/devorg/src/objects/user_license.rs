//! `UserLicense`: what a user was paid for; a profile belongs to one.

use crate::schema::*;

pub(super) fn object() -> Object {
    let mut license = crate::schema::object("UserLicense", "User License", "User Licenses", "100")
        .setup()
        .with([
            id("User License ID"),
            text("Name", "Name", 40).system().required().name(),
            text("Status", "Status", 40).system().required(),
            whole("TotalLicenses", "Total Licenses", 9).system(),
            whole("UsedLicenses", "Used Licenses", 9).system(),
        ])
        .with(
            audit()
                .into_iter()
                .filter(|field| !field.name.ends_with("ById")),
        );
    license.replicateable = false;
    license
}
