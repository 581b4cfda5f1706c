//! Picklist values that several objects share, as a new org has them.

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

/// Branches of business.
pub(crate) const INDUSTRIES: [&str; 32] = [
    "Agriculture",
    "Apparel",
    "Banking",
    "Biotechnology",
    "Chemicals",
    "Communications",
    "Construction",
    "Consulting",
    "Education",
    "Electronics",
    "Energy",
    "Engineering",
    "Entertainment",
    "Environmental",
    "Finance",
    "Food & Beverage",
    "Government",
    "Healthcare",
    "Hospitality",
    "Insurance",
    "Machinery",
    "Manufacturing",
    "Media",
    "Not For Profit",
    "Recreation",
    "Retail",
    "Shipping",
    "Technology",
    "Telecommunications",
    "Transportation",
    "Utilities",
    "Other",
];

/// Where a lead, contact, account or opportunity came from.
pub(crate) const SOURCES: [&str; 5] = [
    "Web",
    "Phone Inquiry",
    "Partner Referral",
    "Purchased List",
    "Other",
];

/// How promising an account or lead is.
pub(crate) const RATINGS: [&str; 3] = ["Hot", "Warm", "Cold"];

/// How a record compares with Data.com's.
pub(super) const CLEAN_STATUSES: [&str; 8] = [
    "Matched=In Sync",
    "Different",
    "Acknowledged=Reviewed",
    "NotFound=Not Found",
    "Inactive",
    "Pending=Not Compared",
    "SelectMatch=Select Match",
    "Skipped",
];

/// The scopes of an object whose records have owners; `{}` is the plural.
pub(super) fn owner_scopes(plural: &str) -> [(&'static str, String); 3] {
    [
        ("everything", format!("All {plural}")),
        ("mine", format!("My {plural}")),
        ("team", format!("My team's {plural}")),
    ]
}

/// How an activity recurs.
pub(super) const RECURRENCE_TYPES: [&str; 7] = [
    "RecursDaily=Recurs Daily",
    "RecursEveryWeekday=Recurs Every Weekday",
    "RecursMonthly=Recurs Monthly",
    "RecursMonthlyNth=Recurs Monthly Nth",
    "RecursWeekly=Recurs Weekly",
    "RecursYearly=Recurs Yearly",
    "RecursYearlyNth=Recurs Yearly Nth",
];

/// Which of a month's weekdays an activity recurs on.
pub(super) const RECURRENCE_INSTANCES: [&str; 5] = [
    "First=1st",
    "Second=2nd",
    "Third=3rd",
    "Fourth=4th",
    "Last=last",
];

/// The months.
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The time zones of the org's people. Salesforce offers some four hundred.
pub(super) const TIME_ZONES: [&str; 8] = [
    "Asia/Tokyo=(GMT+09:00) Japan Standard Time (Asia/Tokyo)",
    "Europe/Berlin=(GMT+01:00) Central European Standard Time (Europe/Berlin)",
    "Europe/London=(GMT+00:00) Greenwich Mean Time (Europe/London)",
    "GMT=(GMT+00:00) Greenwich Mean Time (GMT)",
    "America/New_York=(GMT-05:00) Eastern Standard Time (America/New_York)",
    "America/Chicago=(GMT-06:00) Central Standard Time (America/Chicago)",
    "America/Denver=(GMT-07:00) Mountain Standard Time (America/Denver)",
    "America/Los_Angeles=(GMT-08:00) Pacific Standard Time (America/Los_Angeles)",
];

/// The objects whose records files can be linked to.
pub(crate) const FILE_PARENTS: [&str; 11] = [
    "Account",
    "Campaign",
    "Case",
    "Contact",
    "Event",
    "Lead",
    "Measurement__c",
    "Opportunity",
    "Organization",
    "Task",
    "User",
];
