//! Opportunity: a sale in the making, at a stage.

use super::{SOURCES, owner_scopes};
use crate::schema::*;

/// A stage of the sales process, and what an opportunity at it is worth.
pub(crate) struct Stage {
    /// The value of `StageName`.
    pub(crate) name: &'static str,
    /// The value of `Probability`, in percent, unless it is given.
    pub(crate) probability: f64,
    /// The values of `ForecastCategory` and `ForecastCategoryName`.
    pub(crate) forecast: (&'static str, &'static str),
    /// `IsClosed`.
    pub(crate) closed: bool,
    /// `IsWon`.
    pub(crate) won: bool,
}

const PIPELINE: (&str, &str) = ("Pipeline", "Pipeline");
const BEST_CASE: (&str, &str) = ("BestCase", "Best Case");
const COMMIT: (&str, &str) = ("Forecast", "Commit");

const fn open(
    name: &'static str,
    probability: f64,
    forecast: (&'static str, &'static str),
) -> Stage {
    Stage {
        name,
        probability,
        forecast,
        closed: false,
        won: false,
    }
}

/// The stages in the order of the sales process.
pub(crate) const STAGES: [Stage; 10] = [
    open("Prospecting", 10.0, PIPELINE),
    open("Qualification", 10.0, PIPELINE),
    open("Needs Analysis", 20.0, PIPELINE),
    open("Value Proposition", 50.0, PIPELINE),
    open("Id. Decision Makers", 60.0, PIPELINE),
    open("Perception Analysis", 70.0, BEST_CASE),
    open("Proposal/Price Quote", 75.0, BEST_CASE),
    open("Negotiation/Review", 90.0, COMMIT),
    Stage {
        name: "Closed Won",
        probability: 100.0,
        forecast: ("Closed", "Closed"),
        closed: true,
        won: true,
    },
    Stage {
        name: "Closed Lost",
        probability: 0.0,
        forecast: ("Omitted", "Omitted"),
        closed: true,
        won: false,
    },
];

pub(super) fn object() -> Object {
    let mut opportunity =
        crate::schema::object("Opportunity", "Opportunity", "Opportunities", "006")
            .scopes(&owner_scopes("opportunities"))
            .with_files()
            .owned_child("Event", "WhatId", "Events")
            .child("Lead", "ConvertedOpportunityId", "")
            .owned_child(
                "OpportunityContactRole",
                "OpportunityId",
                "OpportunityContactRoles",
            )
            .owned_child("ProcessInstance", "TargetObjectId", "ProcessInstances")
            .owned_child("Task", "WhatId", "Tasks")
            .with(sale())
            .with(forecast())
            .with([owner("Owner ID", &["User"])])
            .with(audit())
            .with(fiscal())
            .with(last_seen())
            .with(activity_and_history());
    opportunity.feed_enabled = true;
    opportunity
}

fn sale() -> Vec<Field> {
    let stages = STAGES.map(|stage| stage.name);
    vec![
        id("Opportunity ID"),
        is_deleted(),
        reference("AccountId", "Account ID", &["Account"]),
        checkbox("IsPrivate", "Private"),
        text("Name", "Name", 120)
            .standard()
            .required()
            .name()
            .lookup(),
        long_text("Description", "Description", 32_000),
        picklist("StageName", "Stage", 255, &stages)
            .standard()
            .required(),
        currency("Amount", "Amount", 18, 2),
        percent("Probability", "Probability (%)", 3, 0).defaulted(),
        currency("ExpectedRevenue", "Expected Amount", 18, 2).read_only(),
        decimal("TotalOpportunityQuantity", "Quantity", 18, 2),
        date("CloseDate", "Close Date").standard().required(),
        picklist(
            "Type",
            "Opportunity Type",
            255,
            &[
                "Existing Customer - Upgrade",
                "Existing Customer - Replacement",
                "Existing Customer - Downgrade",
                "New Customer",
            ],
        ),
        text("NextStep", "Next Step", 255),
        picklist("LeadSource", "Lead Source", 255, &SOURCES),
    ]
}

fn forecast() -> Vec<Field> {
    vec![
        checkbox("IsClosed", "Closed").system(),
        checkbox("IsWon", "Won").system(),
        picklist(
            "ForecastCategory",
            "Forecast Category",
            40,
            &[
                "Omitted",
                "Pipeline",
                "BestCase=Best Case",
                "MostLikely=Most Likely",
                "Forecast=Commit",
                "Closed",
            ],
        )
        .restricted()
        .system()
        .required(),
        picklist(
            "ForecastCategoryName",
            "Forecast Category",
            255,
            &["Omitted", "Pipeline", "Best Case", "Commit", "Closed"],
        )
        .restricted()
        .standard()
        .defaulted(),
        reference("CampaignId", "Campaign ID", &["Campaign"]),
        checkbox("HasOpportunityLineItem", "Has Line Item").system(),
        reference("Pricebook2Id", "Price Book ID", &["Pricebook2"])
            .standard()
            .parent("Pricebook2")
            .defaulted(),
    ]
}

fn fiscal() -> Vec<Field> {
    vec![
        last_activity(),
        datetime("LastStageChangeDate", "Last Stage Change Date").system(),
        whole("FiscalQuarter", "Fiscal Quarter", 8)
            .system()
            .part_of("Fiscal"),
        whole("FiscalYear", "Fiscal Year", 8)
            .system()
            .part_of("Fiscal"),
        text("Fiscal", "Fiscal Period", 6).system(),
        reference("ContactId", "Contact ID", &["Contact"])
            .standard()
            .create_only()
            .parent(""),
    ]
}

fn activity_and_history() -> Vec<Field> {
    let activity = |name, label| {
        checkbox(name, label)
            .system()
            .queryable(false, true, false, false)
    };
    let history =
        |name| reference(name, "Opportunity History ID", &["OpportunityHistory"]).system();
    vec![
        activity("HasOpenActivity", "Has Open Activity"),
        activity("HasOverdueTask", "Has Overdue Task"),
        history("LastAmountChangedHistoryId"),
        history("LastCloseDateChangedHistoryId"),
    ]
}
