//! The org's list views: those of a new org, and a few by state.

use super::Operator::{AtLeast, Below, Equals, NotEquals};
use super::{Condition, ListView, Operator};

const fn when(field: &'static str, operator: Operator, value: &'static str) -> Condition {
    Condition {
        field,
        operator,
        value,
    }
}

/// Makes a view of everything, ordered by a field.
const fn all(
    object: &'static str,
    developer_name: &'static str,
    label: &'static str,
    columns: &'static [&'static str],
    order: &'static str,
) -> ListView {
    ListView {
        object,
        developer_name,
        label,
        scope: None,
        conditions: &[],
        columns,
        order: (order, false),
    }
}

/// Makes a view of what who asks owns.
const fn mine(
    object: &'static str,
    developer_name: &'static str,
    label: &'static str,
    columns: &'static [&'static str],
    order: &'static str,
) -> ListView {
    ListView {
        scope: Some("mine"),
        ..all(object, developer_name, label, columns, order)
    }
}

const LOOKED_AT: &[Condition] = &[when("LastViewedDate", NotEquals, "NULL")];

/// Makes a view of what who asks has looked at, the latest first.
const fn recent(
    object: &'static str,
    developer_name: &'static str,
    label: &'static str,
    columns: &'static [&'static str],
) -> ListView {
    ListView {
        order: ("LastViewedDate", true),
        conditions: LOOKED_AT,
        ..all(object, developer_name, label, columns, "Id")
    }
}

/// Makes a view of what conditions leave.
const fn only(view: ListView, conditions: &'static [Condition]) -> ListView {
    ListView { conditions, ..view }
}

const ACCOUNT: &[&str] = &[
    "Name",
    "Site",
    "BillingState",
    "Phone",
    "Type",
    "Owner.Alias",
];
const CAMPAIGN: &[&str] = &[
    "Name",
    "Type",
    "Status",
    "StartDate",
    "EndDate",
    "Owner.Alias",
];
const CASE: &[&str] = &[
    "CaseNumber",
    "Subject",
    "Status",
    "Priority",
    "CreatedDate",
    "Contact.Name",
    "Owner.Alias",
];
const CONTACT: &[&str] = &[
    "Name",
    "Account.Name",
    "Title",
    "Phone",
    "Email",
    "Owner.Alias",
];
const LEAD: &[&str] = &[
    "Name",
    "Company",
    "State",
    "Email",
    "Status",
    "CreatedDate",
    "Owner.Alias",
];
const OPPORTUNITY: &[&str] = &[
    "Name",
    "Account.Name",
    "Amount",
    "CloseDate",
    "StageName",
    "Owner.Alias",
];
const MEASUREMENT: &[&str] = &[
    "Name",
    "Account__r.Name",
    "Sensor__c",
    "Kind__c",
    "Value__c",
    "Taken_At__c",
];

/// Every list view.
pub(crate) static VIEWS: [ListView; 27] = [
    all("Account", "AllAccounts", "All Accounts", ACCOUNT, "Name"),
    mine("Account", "MyAccounts", "My Accounts", ACCOUNT, "Name"),
    only(
        all("Account", "NewThisWeek", "New This Week", ACCOUNT, "Name"),
        &[when("CreatedDate", Equals, "THIS_WEEK")],
    ),
    only(
        all(
            "Account",
            "LargeCustomers",
            "Large Customers",
            ACCOUNT,
            "Name",
        ),
        &[
            when("AnnualRevenue", AtLeast, "100000000"),
            when("Type", Equals, "'Customer - Direct'"),
        ],
    ),
    recent(
        "Account",
        "RecentlyViewedAccounts",
        "Recently Viewed Accounts",
        ACCOUNT,
    ),
    all(
        "Campaign",
        "AllCampaigns",
        "All Campaigns",
        CAMPAIGN,
        "Name",
    ),
    only(
        all(
            "Campaign",
            "AllActiveCampaigns",
            "All Active Campaigns",
            CAMPAIGN,
            "Name",
        ),
        &[when("IsActive", Equals, "true")],
    ),
    recent(
        "Campaign",
        "RecentlyViewedCampaigns",
        "Recently Viewed Campaigns",
        CAMPAIGN,
    ),
    all("Case", "AllCases", "All Cases", CASE, "CaseNumber"),
    only(
        all("Case", "AllOpenCases", "All Open Cases", CASE, "CaseNumber"),
        &[when("IsClosed", Equals, "false")],
    ),
    only(
        all(
            "Case",
            "AllClosedCases",
            "All Closed Cases",
            CASE,
            "CaseNumber",
        ),
        &[when("IsClosed", Equals, "true")],
    ),
    only(
        mine("Case", "MyOpenCases", "My Open Cases", CASE, "CaseNumber"),
        &[when("IsClosed", Equals, "false")],
    ),
    recent("Case", "RecentlyViewedCases", "Recently Viewed Cases", CASE),
    all("Contact", "AllContacts", "All Contacts", CONTACT, "Name"),
    mine("Contact", "MyContacts", "My Contacts", CONTACT, "Name"),
    recent(
        "Contact",
        "RecentlyViewedContacts",
        "Recently Viewed Contacts",
        CONTACT,
    ),
    only(
        all("Lead", "AllOpenLeads", "All Open Leads", LEAD, "Name"),
        &[when("IsConverted", Equals, "false")],
    ),
    only(
        mine("Lead", "MyUnreadLeads", "My Unread Leads", LEAD, "Name"),
        &[
            when("IsUnreadByOwner", Equals, "true"),
            when("IsConverted", Equals, "false"),
        ],
    ),
    only(
        all("Lead", "TodaysLeads", "Today's Leads", LEAD, "Name"),
        &[when("CreatedDate", Equals, "TODAY")],
    ),
    recent("Lead", "RecentlyViewedLeads", "Recently Viewed Leads", LEAD),
    all(
        "Opportunity",
        "AllOpportunities",
        "All Opportunities",
        OPPORTUNITY,
        "Name",
    ),
    mine(
        "Opportunity",
        "MyOpportunities",
        "My Opportunities",
        OPPORTUNITY,
        "Name",
    ),
    only(
        all("Opportunity", "Won", "Won", OPPORTUNITY, "CloseDate"),
        &[when("IsWon", Equals, "true")],
    ),
    only(
        all(
            "Opportunity",
            "Overdue",
            "Overdue",
            OPPORTUNITY,
            "CloseDate",
        ),
        &[
            when("IsClosed", Equals, "false"),
            when("CloseDate", Below, "TODAY"),
        ],
    ),
    recent(
        "Opportunity",
        "RecentlyViewedOpportunities",
        "Recently Viewed Opportunities",
        OPPORTUNITY,
    ),
    all("Measurement__c", "All", "All", MEASUREMENT, "Name"),
    only(
        all(
            "Measurement__c",
            "Outliers",
            "Outliers",
            MEASUREMENT,
            "Taken_At__c",
        ),
        &[when("Outlier__c", Equals, "true")],
    ),
];
