//! Campaign: marketing that brings in leads and opportunities.

use super::owner_scopes;
use crate::schema::*;

pub(super) fn object() -> Object {
    let count = |name, label| whole(name, label, 8).system().required().defaulted();
    let sum = |name, label| currency(name, label, 18, 0).system().required().defaulted();
    crate::schema::object("Campaign", "Campaign", "Campaigns", "701")
        .scopes(&owner_scopes("campaigns"))
        .owned_child("CampaignMember", "CampaignId", "CampaignMembers")
        .child("Campaign", "ParentId", "ChildCampaigns")
        .with_files()
        .owned_child("Event", "WhatId", "Events")
        .child("Opportunity", "CampaignId", "Opportunities")
        .owned_child("Task", "WhatId", "Tasks")
        .with([
            id("Campaign ID"),
            is_deleted(),
            text("Name", "Name", 80).standard().required().name(),
            reference("ParentId", "Parent Campaign ID", &["Campaign"]),
        ])
        .with(plan())
        .with([
            count("NumberOfLeads", "Leads in Campaign"),
            count("NumberOfConvertedLeads", "Converted Leads in Campaign"),
            count("NumberOfContacts", "Contacts in Campaign"),
            count("NumberOfResponses", "Responses in Campaign"),
            count("NumberOfOpportunities", "Opportunities in Campaign"),
            count("NumberOfWonOpportunities", "Won Opportunities in Campaign"),
            sum("AmountAllOpportunities", "Value Opportunities in Campaign"),
            sum(
                "AmountWonOpportunities",
                "Value Won Opportunities in Campaign",
            ),
            owner("Owner ID", &["User"]),
        ])
        .with(audit())
        .with([last_activity()])
        .with(last_seen())
}

fn plan() -> Vec<Field> {
    vec![
        picklist(
            "Type",
            "Type",
            40,
            &[
                "Conference",
                "Webinar",
                "Trade Show",
                "Public Relations",
                "Partners",
                "Referral Program",
                "Advertisement",
                "Banner Ads",
                "Direct Mail",
                "Email",
                "Telemarketing",
                "Other",
            ],
        ),
        picklist(
            "Status",
            "Status",
            40,
            &["Planned*", "In Progress", "Completed", "Aborted"],
        ),
        date("StartDate", "Start Date"),
        date("EndDate", "End Date"),
        currency("ExpectedRevenue", "Expected Revenue", 18, 0),
        currency("BudgetedCost", "Budgeted Cost", 18, 0),
        currency("ActualCost", "Actual Cost", 18, 0),
        percent("ExpectedResponse", "Expected Response (%)", 10, 2),
        decimal("NumberSent", "Num Sent", 18, 0),
        checkbox("IsActive", "Active"),
        long_text("Description", "Description", 32_000),
    ]
}
