//! Campaigns, opportunities with the people who decide them, and leads.

use super::accounts::{Accounts, address, phone};
use super::people::People;
use super::words::{COMPANIES, FIRST_NAMES, LAST_NAMES, PRODUCTS, TITLES, domain, mailbox};
use super::{Dice, Seed};
use crate::id::Id;
use crate::objects::{
    CONVERTED_STATUS, INDUSTRIES, MEMBER_STATUSES, RATINGS, ROLES, SOURCES, STAGES,
};
use crate::value::Value;

/// What was sold or may be.
pub(super) struct Sales {
    pub(super) campaigns: Vec<Id>,
    pub(super) opportunities: Vec<Id>,
    pub(super) leads: Vec<Id>,
}

const OPPORTUNITIES: u64 = 120;
const LEADS: u64 = 150;
/// Leads that were deleted, over and above the others.
const LEADS_DELETED: u64 = 3;

/// Name, type, parent (a place in this list), and its first and last day from today.
const CAMPAIGNS: [(&str, &str, Option<usize>, i64, i64); 8] = [
    ("Sensors Year-round", "Advertisement", None, -300, 65),
    ("Spring Trade Show", "Trade Show", Some(0), -210, -205),
    ("Summer Webinars", "Webinar", Some(0), -150, -90),
    (
        "Partner Referral Programme",
        "Referral Program",
        None,
        -400,
        330,
    ),
    ("Autumn Mailing", "Direct Mail", Some(0), -60, -20),
    ("Plant Safety Conference", "Conference", None, -12, 14),
    ("Retrofit Newsletter", "Email", None, -5, 60),
    ("New Year Kick-off", "Webinar", Some(0), 40, 45),
];

pub(super) fn add(seed: &mut Seed, people: &People, accounts: &Accounts) -> Sales {
    let mut campaigns: Vec<Id> = Vec::new();
    for (place, campaign) in CAMPAIGNS.iter().enumerate() {
        let (name, kind, parent, first, last) = *campaign;
        let status = match (first, last) {
            (_, ..0) => "Completed",
            (..=0, _) => "In Progress",
            _ => "Planned",
        };
        let cost = 5_000.0 * (place + 1) as f64;
        let row = vec![
            ("Name", name.into()),
            ("Type", kind.into()),
            ("Status", status.into()),
            (
                "ParentId",
                parent
                    .and_then(|parent| campaigns.get(parent).copied())
                    .into(),
            ),
            ("StartDate", seed.day(first).into()),
            ("EndDate", seed.day(last).into()),
            ("IsActive", (status == "In Progress").into()),
            ("BudgetedCost", cost.into()),
            (
                "ActualCost",
                (status == "Completed").then_some(cost * 1.1).into(),
            ),
            ("ExpectedRevenue", (cost * 12.0).into()),
            ("ExpectedResponse", Value::Number(2.5 + place as f64)),
            ("NumberSent", (400.0 * (place + 1) as f64).into()),
            ("OwnerId", people.sales[place % people.sales.len()].into()),
        ]
        .into_iter()
        .chain(
            [
                "NumberOfLeads",
                "NumberOfConvertedLeads",
                "NumberOfContacts",
                "NumberOfResponses",
                "NumberOfOpportunities",
                "NumberOfWonOpportunities",
            ]
            .map(|field| (field, Value::Int(0))),
        )
        .chain(
            ["AmountAllOpportunities", "AmountWonOpportunities"]
                .map(|field| (field, Value::Number(0.0))),
        )
        .collect();
        let made = seed.ago((30 - first.min(0)).unsigned_abs(), 600);
        campaigns.push(seed.add("Campaign", made, row));
    }
    let opportunities = (0..OPPORTUNITIES)
        .map(|place| opportunity(seed, people, accounts, &campaigns, place))
        .collect();
    let mut sales = Sales {
        campaigns,
        opportunities,
        leads: Vec::new(),
    };
    for place in 0..LEADS + LEADS_DELETED {
        let id = lead(seed, people, accounts, &sales, place);
        if place < LEADS {
            sales.leads.push(id);
        } else {
            let at = seed.ago(1, 700 + place % 60);
            seed.delete(id, at);
        }
    }
    members(seed, accounts, &sales);
    sales
}

/// Twelve people in the summer's webinars, of whom every third has responded.
fn members(seed: &mut Seed, accounts: &Accounts, sales: &Sales) {
    const LEADS_FROM: usize = 100;
    const CONTACTS_FROM: usize = 150;
    for place in 0..12_usize {
        let status = MEMBER_STATUSES[usize::from(place % 3 == 2)];
        let lead = sales.leads.get(LEADS_FROM + place).copied();
        let contact = accounts.contacts.get(CONTACTS_FROM + place);
        let is_lead = place % 2 == 0;
        let row = vec![
            ("CampaignId", sales.campaigns.get(2).copied().into()),
            ("LeadId", lead.filter(|_| is_lead).into()),
            (
                "ContactId",
                contact
                    .filter(|_| !is_lead)
                    .map(|contact| contact.id)
                    .into(),
            ),
            ("Status", status.into()),
        ];
        seed.add("CampaignMember", seed.ago(80, place as u64), row);
    }
}

fn opportunity(
    seed: &mut Seed,
    people: &People,
    accounts: &Accounts,
    campaigns: &[Id],
    place: u64,
) -> Id {
    let mut dice = Dice::new("opportunity", place);
    let stage = &STAGES[(place % 10) as usize];
    let account = dice.below(46) as usize; // The last companies have bought nothing yet.
    // Open ones close within four months, a few are overdue; closed ones within the last 14 months.
    let close: i64 = if stage.closed {
        -(dice.between(1, 420) as i64)
    } else {
        dice.between(0, 140) as i64 - 20
    };
    let made_before_close = dice.between(30, 200) as i64;
    let made_days_ago = (made_before_close - close).max(1).unsigned_abs();
    let product = dice.pick(&PRODUCTS);
    let owner = accounts
        .accounts
        .get(account)
        .and_then(|id| seed.org.store.get("Account", *id)?.reference("OwnerId"))
        .filter(|_| dice.chance(80))
        .unwrap_or(*dice.pick(&people.sales));
    let mut row = vec![
        ("Name", format!("{} - {product}", COMPANIES[account]).into()),
        ("AccountId", accounts.accounts.get(account).copied().into()),
        ("StageName", stage.name.into()),
        ("CloseDate", seed.day(close).into()),
        (
            "Amount",
            (place % 17 != 16)
                .then(|| dice.between(6, 800) as f64 * 500.0)
                .into(),
        ),
        (
            "Type",
            (*dice.pick(&[
                "New Customer",
                "Existing Customer - Upgrade",
                "Existing Customer - Replacement",
            ]))
            .into(),
        ),
        (
            "LeadSource",
            (!dice.chance(10)).then(|| *dice.pick(&SOURCES)).into(),
        ),
        (
            "CampaignId",
            dice.chance(35).then(|| *dice.pick(&campaigns[..7])).into(),
        ),
        ("OwnerId", owner.into()),
        ("IsPrivate", (place % 40 == 39).into()),
    ];
    if !stage.closed {
        row.push((
            "NextStep",
            (*dice.pick(&["Send quote", "Site visit", "Reference call", "Legal review"])).into(),
        ));
        // Somebody knows better than the stage.
        if place % 30 == 15 {
            row.push((
                "Probability",
                Value::Number(dice.between(5, 19) as f64 * 5.0),
            ));
        }
    }
    let made = seed.ago(made_days_ago, dice.between(360, 1_080));
    row.push((
        "LastStageChangeDate",
        seed.ago(made_days_ago / 2, 600).into(),
    ));
    let id = seed.add("Opportunity", made, row);
    contact_roles(seed, accounts, account, id, &mut dice);
    id
}

/// Names who decides: up to three contacts of the company, the first of them the primary one.
fn contact_roles(
    seed: &mut Seed,
    accounts: &Accounts,
    account: usize,
    opportunity: Id,
    dice: &mut Dice,
) {
    let count = dice.below(4) as usize;
    let deciders: Vec<Id> = accounts
        .contacts
        .iter()
        .filter(|contact| contact.account == Some(account))
        .map(|contact| contact.id)
        .take(count)
        .collect();
    for (place, contact) in deciders.into_iter().enumerate() {
        let row = vec![
            ("OpportunityId", opportunity.into()),
            ("ContactId", contact.into()),
            ("Role", (*dice.pick(&ROLES)).into()),
            ("IsPrimary", (place == 0).into()),
        ];
        seed.add(
            "OpportunityContactRole",
            seed.ago(dice.between(1, 60), 600),
            row,
        );
        if place == 0 {
            seed.set(opportunity, vec![("ContactId", contact.into())]);
        }
    }
}

fn lead(seed: &mut Seed, people: &People, accounts: &Accounts, sales: &Sales, place: u64) -> Id {
    let mut dice = Dice::new("lead", place);
    let first = FIRST_NAMES[(place * 13 % 40) as usize];
    let last = *dice.pick(&LAST_NAMES);
    let company = format!(
        "{} {}",
        dice.pick(&LAST_NAMES),
        dice.pick(&[
            "Group",
            "Industries",
            "Partners",
            "Systems",
            "& Sons",
            "Works"
        ])
    );
    let status = match place % 10 {
        0..5 => "Open - Not Contacted",
        5..8 => "Working - Contacted",
        8 => CONVERTED_STATUS,
        _ => "Closed - Not Converted",
    };
    let owner = if place.is_multiple_of(5) {
        people.lead_queue
    } else {
        *dice.pick(&people.sales)
    };
    let mut row = vec![
        ("FirstName", first.into()),
        ("LastName", last.into()),
        ("Company", company.as_str().into()),
        ("Title", (*dice.pick(&TITLES)).into()),
        (
            "Email",
            (!dice.chance(8))
                .then(|| format!("{}{place}@{}", mailbox(first, last), domain(&company)))
                .into(),
        ),
        ("Phone", phone(&mut dice).into()),
        ("LeadSource", (*dice.pick(&SOURCES)).into()),
        ("Status", status.into()),
        (
            "Industry",
            (!dice.chance(25)).then(|| *dice.pick(&INDUSTRIES)).into(),
        ),
        (
            "Rating",
            (!dice.chance(30)).then(|| *dice.pick(&RATINGS)).into(),
        ),
        (
            "AnnualRevenue",
            dice.chance(60)
                .then(|| dice.between(1, 400) as f64 * 100_000.0)
                .into(),
        ),
        (
            "NumberOfEmployees",
            dice.chance(70)
                .then(|| dice.between(3, 5_000) as i64)
                .into(),
        ),
        ("CleanStatus", "Pending".into()),
        ("OwnerId", owner.into()),
        ("IsUnreadByOwner", (status == "Open - Not Contacted").into()),
    ];
    row.extend(address(
        &mut dice,
        ["Street", "City", "State", "PostalCode", "Country"],
        None,
    ));
    if status == CONVERTED_STATUS {
        let contact = &accounts.contacts[(place % 90) as usize];
        let account = contact
            .account
            .and_then(|account| accounts.accounts.get(account).copied());
        let sale = sales.opportunities.get((place % 120) as usize).copied();
        row.extend([
            ("IsConverted", true.into()),
            (
                "ConvertedDate",
                seed.day(-(dice.between(1, 50) as i64)).into(),
            ),
            ("ConvertedAccountId", account.into()),
            ("ConvertedContactId", contact.id.into()),
            ("ConvertedOpportunityId", sale.into()),
        ]);
    }
    // One in ten came in today or yesterday.
    let days = if place % 10 == 3 {
        dice.below(2)
    } else {
        dice.between(2, 240)
    };
    let made = seed.ago(days, dice.between(60, 700));
    seed.add("Lead", made, row)
}
