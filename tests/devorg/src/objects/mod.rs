//! The org's objects, one a file, as Salesforce describes them in a new org.

use crate::schema::Schema;

/// How exactly an address is placed on the map.
pub(crate) const GEOCODE_ACCURACIES: [&str; 11] = [
    "Address",
    "NearAddress",
    "Block",
    "Street",
    "ExtendedZip",
    "Zip",
    "Neighborhood",
    "City",
    "County",
    "State",
    "Unknown",
];

/// Makes the schema of every object.
pub(crate) fn schema() -> Schema {
    Schema::new(Vec::new())
}
