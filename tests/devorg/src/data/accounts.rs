//! Sixty companies and the two hundred people who work there.

use super::people::People;
use super::words::{
    COMPANIES, DEPARTMENTS, FIRST_NAMES, LAST_NAMES, PLACES, STREETS, TITLES, domain, mailbox,
};
use super::{Dice, Row, Seed};
use crate::id::Id;
use crate::objects::{INDUSTRIES, RATINGS, RECORD_TYPES, SOURCES};
use crate::value::Value;

/// The companies and their people.
pub(super) struct Accounts {
    pub(super) accounts: Vec<Id>,
    pub(super) contacts: Vec<Contact>,
}

/// A person at a company, or at none.
pub(super) struct Contact {
    pub(super) id: Id,
    pub(super) account: Option<usize>,
}

const CONTACTS: u64 = 200;
/// Contacts that were deleted, over and above the others.
const CONTACTS_DELETED: u64 = 2;

pub(super) fn add(seed: &mut Seed, people: &People) -> Accounts {
    let mut accounts: Vec<Id> = Vec::new();
    for (place, name) in COMPANIES.iter().enumerate() {
        let row = account(seed, people, place, name, &accounts);
        let mut dice = Dice::new("account made", place as u64);
        let made = seed.ago(dice.between(120, 1_000), dice.between(360, 1_080));
        accounts.push(seed.add("Account", made, row));
    }
    let mut contacts: Vec<Contact> = Vec::new();
    for place in 0..CONTACTS + CONTACTS_DELETED {
        let (account, row) = contact(seed, people, place, &accounts, &contacts);
        let mut dice = Dice::new("contact made", place);
        let made = seed.ago(dice.between(1, 700), dice.between(360, 1_080));
        let id = seed.add("Contact", made, row);
        if place < CONTACTS {
            contacts.push(Contact { id, account });
        } else {
            let at = seed.ago(0, 300 + place % 60);
            seed.delete(id, at);
        }
    }
    Accounts { accounts, contacts }
}

fn account(seed: &Seed, people: &People, place: usize, name: &str, before: &[Id]) -> Row {
    let mut dice = Dice::new("account", place as u64);
    // Every fourth belongs to an earlier one, which may belong to another: 15 to 3 to 0.
    let parent = (place % 4 == 3)
        .then(|| before.get(place / 4).copied())
        .flatten();
    let partner = place % 10 == 9;
    let kind = match dice.below(10) {
        _ if partner => "Channel Partner / Reseller",
        0..5 => "Customer - Direct",
        5..7 => "Customer - Channel",
        7..9 => "Prospect",
        _ => "Technology Partner",
    };
    let record_type = Id::numbered("012", RECORD_TYPES[usize::from(partner)].0);
    let revenue = (!dice.chance(15)).then(|| dice.between(4, 900) as f64 * 250_000.0);
    let employees = (!dice.chance(10)).then(|| dice.between(8, 12_000) as i64);
    let industry = (!dice.chance(8)).then(|| *dice.pick(&INDUSTRIES));
    let mut row = vec![
        ("Name", name.into()),
        ("Type", kind.into()),
        ("RecordTypeId", record_type.into()),
        ("ParentId", parent.into()),
        ("Phone", phone(&mut dice).into()),
        ("AccountNumber", format!("A-{:04}", 1_001 + place).into()),
        ("Website", format!("https://www.{}", domain(name)).into()),
        ("Industry", industry.into()),
        ("AnnualRevenue", revenue.into()),
        ("NumberOfEmployees", employees.into()),
        (
            "Ownership",
            (*dice.pick(&["Public", "Private", "Private", "Subsidiary"])).into(),
        ),
        (
            "Rating",
            (!dice.chance(20)).then(|| *dice.pick(&RATINGS)).into(),
        ),
        ("AccountSource", (*dice.pick(&SOURCES)).into()),
        ("CleanStatus", "Pending".into()),
        ("YearStarted", dice.between(1890, 2019).to_string().into()),
        ("OwnerId", (*dice.pick(&people.sales)).into()),
        ("IsPartner", partner.into()),
    ];
    if dice.chance(40) {
        row.push((
            "Description",
            format!("{name} runs our sensors at {} sites.", dice.between(1, 14)).into(),
        ));
    }
    if dice.chance(30) {
        let ticker: String = name.chars().filter(char::is_ascii_uppercase).collect();
        row.push(("TickerSymbol", ticker.into()));
    }
    if dice.chance(60) {
        row.push(("LastViewedDate", seed.ago(dice.below(30), 480).into()));
    }
    row.extend(address(
        &mut dice,
        [
            "BillingStreet",
            "BillingCity",
            "BillingState",
            "BillingPostalCode",
            "BillingCountry",
        ],
        Some(["BillingLatitude", "BillingLongitude"]),
    ));
    if dice.chance(50) {
        row.extend(address(
            &mut dice,
            [
                "ShippingStreet",
                "ShippingCity",
                "ShippingState",
                "ShippingPostalCode",
                "ShippingCountry",
            ],
            None,
        ));
    }
    row
}

fn contact(
    seed: &Seed,
    people: &People,
    place: u64,
    accounts: &[Id],
    before: &[Contact],
) -> (Option<usize>, Row) {
    let mut dice = Dice::new("contact", place);
    // The first hundred are spread evenly; the rest gather at the first companies.
    let account = match place {
        place if place % 33 == 32 => None,
        0..100 => Some((place * 7 % 60) as usize),
        _ => Some(dice.below(24) as usize),
    };
    let first = FIRST_NAMES[(place * 11 % 40) as usize];
    let last = *dice.pick(&LAST_NAMES);
    let company = account.and_then(|account| COMPANIES.get(account));
    let host = company.map_or_else(|| "mail.example".to_owned(), |company| domain(company));
    let boss = before
        .iter()
        .find(|other| account.is_some() && other.account == account)
        .filter(|_| dice.chance(70))
        .map(|boss| boss.id);
    let mut row = vec![
        ("FirstName", (!dice.chance(3)).then_some(first).into()),
        ("LastName", last.into()),
        (
            "Salutation",
            dice.chance(50)
                .then(|| *dice.pick(&["Mr.", "Ms.", "Dr."]))
                .into(),
        ),
        (
            "AccountId",
            account
                .and_then(|account| accounts.get(account).copied())
                .into(),
        ),
        ("Title", (*dice.pick(&TITLES)).into()),
        (
            "Department",
            (!dice.chance(20)).then(|| *dice.pick(&DEPARTMENTS)).into(),
        ),
        (
            "Email",
            (!dice.chance(6))
                .then(|| format!("{}{place}@{host}", mailbox(first, last)))
                .into(),
        ),
        ("Phone", phone(&mut dice).into()),
        (
            "MobilePhone",
            dice.chance(40).then(|| phone(&mut dice)).into(),
        ),
        ("LeadSource", (*dice.pick(&SOURCES)).into()),
        ("ReportsToId", boss.into()),
        ("CleanStatus", "Pending".into()),
        ("OwnerId", (*dice.pick(&people.sales)).into()),
    ];
    if dice.chance(30) {
        row.push((
            "Birthdate",
            seed.day(-(dice.between(9_000, 22_000) as i64)).into(),
        ));
    }
    row.extend(address(
        &mut dice,
        [
            "MailingStreet",
            "MailingCity",
            "MailingState",
            "MailingPostalCode",
            "MailingCountry",
        ],
        None,
    ));
    (account, row)
}

/// Makes a telephone number of those set apart for stories.
pub(super) fn phone(dice: &mut Dice) -> String {
    format!("({}) 555-01{:02}", dice.between(201, 989), dice.below(100))
}

/// Makes an address of the fields for street, city, state, postal code and country, and those of
/// its place on the map.
pub(super) fn address(
    dice: &mut Dice,
    fields: [&'static str; 5],
    map: Option<[&'static str; 2]>,
) -> Row {
    let (city, state, postal_code, country, latitude, longitude) = *dice.pick(&PLACES);
    let street = dice.pick(&STREETS);
    let number = dice.between(1, 240);
    let street = match country {
        "Germany" => format!("{street} {number}"),
        _ => format!("{number} {street}"),
    };
    let [
        street_field,
        city_field,
        state_field,
        postal_code_field,
        country_field,
    ] = fields;
    let mut row = vec![
        (street_field, street.into()),
        (city_field, city.into()),
        (state_field, state.into()),
        (postal_code_field, postal_code.into()),
        (country_field, country.into()),
    ];
    if let Some([latitude_field, longitude_field]) = map {
        row.push((latitude_field, Value::Number(latitude)));
        row.push((longitude_field, Value::Number(longitude)));
    }
    row
}
