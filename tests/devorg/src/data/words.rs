//! Names to make records of; all invented.

/// First names.
pub(super) const FIRST_NAMES: [&str; 40] = [
    "Ada", "Amir", "Anna", "Beatriz", "Ben", "Carla", "Chen", "Clara", "Daniel", "Dora", "Elif",
    "Emil", "Eva", "Farah", "Felix", "Grace", "Hana", "Hugo", "Ines", "Ivan", "Jonas", "Julia",
    "Kenji", "Lara", "Leo", "Maja", "Marco", "Mina", "Nadia", "Noah", "Olga", "Omar", "Paula",
    "Priya", "Rafael", "Rosa", "Sam", "Sofia", "Tom", "Yuki",
];

/// Last names.
pub(super) const LAST_NAMES: [&str; 48] = [
    "Abbott",
    "Almeida",
    "Andersen",
    "Baker",
    "Bauer",
    "Bianchi",
    "Brennan",
    "Castillo",
    "Cohen",
    "Dubois",
    "Eriksen",
    "Fischer",
    "Foster",
    "Garcia",
    "Haddad",
    "Hansen",
    "Hartmann",
    "Hoang",
    "Ibrahim",
    "Ito",
    "Jansen",
    "Keller",
    "Khan",
    "Kowalski",
    "Larsen",
    "Lindqvist",
    "Lopez",
    "Martens",
    "Meyer",
    "Moreau",
    "Nakamura",
    "Novak",
    "O'Brien",
    "Okafor",
    "Olsen",
    "Park",
    "Petrov",
    "Quinn",
    "Rossi",
    "Sanders",
    "Sato",
    "Schmidt",
    "Silva",
    "Tanaka",
    "Varga",
    "Weber",
    "Wójcik",
    "Zhang",
];

/// Companies.
pub(super) const COMPANIES: [&str; 60] = [
    "Alder & Finch Instruments",
    "Amberline Foods",
    "Arcwell Energy",
    "Ashgrove Hospitals",
    "Bellweather Media",
    "Birchmont Logistics",
    "Blue Quarry Mining",
    "Brightwater Utilities",
    "Calder Machine Works",
    "Cedarpoint Insurance",
    "Clearfield Dairy",
    "Copperleaf Electronics",
    "Corvane Shipping",
    "Crestline Airports",
    "Dunmore Textiles",
    "Eastgate Biotech",
    "Elmhurst University",
    "Emberfall Breweries",
    "Fairhaven Clinics",
    "Fernbrook Paper",
    "Fjordkraft Maritime",
    "Glasswing Software",
    "Granite Bay Cement",
    "Greyheron Rail",
    "Halvorsen Wind",
    "Harrowgate Steel",
    "Hazelwood Furniture",
    "Heliotrope Solar",
    "Highmoor Telecom",
    "Ironbridge Tools",
    "Juniper Hill Hotels",
    "Kestrel Avionics",
    "Kirin Valley Robotics",
    "Lakeshore Pharma",
    "Larkspur Retail",
    "Lindenau Chemie",
    "Marlowe Publishing",
    "Meridian Cold Storage",
    "Millrace Hydro",
    "Mosswood Outdoor",
    "Northlight Optics",
    "Oakhaven Senior Living",
    "Old Harbour Fisheries",
    "Orchard Lane Grocers",
    "Osprey Security",
    "Pinecrest Packaging",
    "Quillfeather Legal",
    "Ravensworth Castings",
    "Redstone Aggregates",
    "Rivermark Bank",
    "Saltmarsh Chemicals",
    "Sagebrush Ranching",
    "Silverbirch Labs",
    "Stonecroft Builders",
    "Sundial Travel",
    "Thornbury Motors",
    "Tidewater Shipyards",
    "Umbra Lighting",
    "Westerley Foundry",
    "Yarrow Cosmetics",
];

/// A place: city, state, postal code, country, latitude and longitude.
pub(super) type Place = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    f64,
    f64,
);

/// Where companies are.
pub(super) const PLACES: [Place; 12] = [
    ("Boston", "MA", "02110", "USA", 42.356, -71.053),
    ("Chicago", "IL", "60601", "USA", 41.886, -87.622),
    ("Denver", "CO", "80202", "USA", 39.752, -104.996),
    ("Portland", "OR", "97204", "USA", 45.518, -122.674),
    ("Austin", "TX", "78701", "USA", 30.27, -97.742),
    ("Seattle", "WA", "98101", "USA", 47.61, -122.334),
    (
        "Leeds",
        "West Yorkshire",
        "LS1 4DY",
        "United Kingdom",
        53.797,
        -1.549,
    ),
    (
        "Bristol",
        "Avon",
        "BS1 5TR",
        "United Kingdom",
        51.45,
        -2.596,
    ),
    ("Hamburg", "Hamburg", "20095", "Germany", 53.551, 10.001),
    ("München", "Bayern", "80331", "Germany", 48.137, 11.572),
    ("Osaka", "Osaka", "530-0001", "Japan", 34.702, 135.496),
    ("Yokohama", "Kanagawa", "220-0012", "Japan", 35.457, 139.632),
];

/// Streets; a number stands before or after as the country has it.
pub(super) const STREETS: [&str; 8] = [
    "Harbour Road",
    "Mill Lane",
    "Station Street",
    "Foundry Way",
    "Market Square",
    "Canal Walk",
    "Orchard Avenue",
    "Quarry Hill",
];

/// What people do.
pub(super) const TITLES: [&str; 12] = [
    "CEO",
    "CFO",
    "CTO",
    "VP, Operations",
    "VP, Procurement",
    "Plant Manager",
    "Maintenance Engineer",
    "Buyer",
    "IT Director",
    "Quality Manager",
    "Facilities Manager",
    "Head of Research",
];

/// Departments of a company.
pub(super) const DEPARTMENTS: [&str; 6] = [
    "Executive",
    "Finance",
    "Operations",
    "Procurement",
    "Engineering",
    "Information Technology",
];

/// What is sold.
pub(super) const PRODUCTS: [&str; 10] = [
    "Sensor Retrofit",
    "Monitoring Platform",
    "Gateway Rollout",
    "Service Contract",
    "Pilot",
    "Calibration Programme",
    "Spare Parts Frame",
    "Analytics Add-on",
    "Site Expansion",
    "Training Package",
];

/// What goes wrong.
pub(super) const TROUBLES: [&str; 12] = [
    "Sensor reports no data",
    "Gateway loses its connection at night",
    "Readings drift after calibration",
    "Battery empties within a week",
    "Firmware update stops at 80%",
    "Dashboard shows yesterday's values",
    "Housing cracked on delivery",
    "Alarm comes twice",
    "Export has wrong units",
    "Replacement cable is too short",
    "Installation manual is in the wrong language",
    "Pressure range exceeded at start-up",
];

/// Makes a domain of a company's name: letters and digits alone.
pub(super) fn domain(company: &str) -> String {
    let name: String = company
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    format!("{name}.example")
}

/// Makes the part of an address before the `@`: ASCII letters alone.
pub(super) fn mailbox(first: &str, last: &str) -> String {
    let plain = |name: &str| -> String {
        name.chars()
            .filter_map(|c| match c {
                'ó' => Some('o'),
                c if c.is_ascii_alphabetic() => Some(c.to_ascii_lowercase()),
                _ => None,
            })
            .collect()
    };
    format!("{}.{}", plain(first), plain(last))
}
