//! The org's reports.

use serde_json::{Value as Json, json};

use super::metadata::{Format, Granularity, SortOrder, filter_json};
use super::types::ReportType;
use crate::store::Record;

/// A saved report.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) name: &'static str,
    pub(crate) developer_name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) report_type: &'static str,
    pub(crate) format: Format,
    columns: &'static [&'static str],
    down: &'static [(&'static str, Granularity)],
    across: &'static [(&'static str, Granularity)],
    aggregates: &'static [&'static str],
    /// Column, operator, value.
    filters: &'static [(&'static str, &'static str, &'static str)],
    boolean_filter: Option<&'static str>,
    /// The column of the time that the report is about, and the time.
    date: (&'static str, &'static str),
    standard_filters: &'static [(&'static str, &'static str)],
    sort: Option<(&'static str, SortOrder)>,
}

const AS_IS: Granularity = Granularity::None;
const OPPORTUNITY: &[&str] = &[
    "OPPORTUNITY_NAME",
    "ACCOUNT_NAME",
    "AMOUNT",
    "PROBABILITY",
    "CLOSE_DATE",
];

/// Every report.
pub(crate) static REPORTS: [Report; 8] = [
    Report {
        name: "Open Pipeline by Stage",
        developer_name: "Open_Pipeline_by_Stage",
        description: "What is open, and what it is worth.",
        report_type: "Opportunity",
        format: Format::Summary,
        columns: OPPORTUNITY,
        down: &[("STAGE_NAME", AS_IS)],
        across: &[],
        aggregates: &["s!AMOUNT", "a!AMOUNT", "RowCount"],
        filters: &[],
        boolean_filter: None,
        date: ("CLOSE_DATE", "CUSTOM"),
        standard_filters: &[("open", "open")],
        sort: None,
    },
    Report {
        name: "Opportunities by Owner and Stage",
        developer_name: "Opportunities_by_Owner_and_Stage",
        description: "Who sells what, and how far they are.",
        report_type: "Opportunity",
        format: Format::Matrix,
        columns: OPPORTUNITY,
        down: &[("FULL_NAME", AS_IS)],
        across: &[("STAGE_NAME", AS_IS)],
        aggregates: &["s!AMOUNT", "RowCount"],
        filters: &[],
        boolean_filter: None,
        date: ("CLOSE_DATE", "CUSTOM"),
        standard_filters: &[("open", "all")],
        sort: None,
    },
    Report {
        name: "Sales by Quarter and Type",
        developer_name: "Sales_by_Quarter_and_Type",
        description: "What was won in the last two years.",
        report_type: "Opportunity",
        format: Format::Summary,
        columns: OPPORTUNITY,
        down: &[("CLOSE_DATE", Granularity::Quarter), ("TYPE", AS_IS)],
        across: &[],
        aggregates: &["s!AMOUNT", "mx!AMOUNT", "RowCount"],
        filters: &[("AMOUNT", "greaterThan", "0")],
        boolean_filter: None,
        date: ("CLOSE_DATE", "LAST_N_DAYS:730"),
        standard_filters: &[("open", "closedwon")],
        sort: None,
    },
    Report {
        name: "Account List",
        developer_name: "Account_List",
        description: "Every account, by name.",
        report_type: "AccountList",
        format: Format::Tabular,
        columns: &[
            "ACCOUNT.NAME",
            "USERS.NAME",
            "TYPE",
            "INDUSTRY",
            "SALES",
            "ADDRESS1_STATE",
            "CREATED_DATE",
        ],
        down: &[],
        across: &[],
        aggregates: &["s!SALES", "RowCount"],
        filters: &[],
        boolean_filter: None,
        date: ("CREATED_DATE", "CUSTOM"),
        standard_filters: &[],
        sort: Some(("ACCOUNT.NAME", SortOrder::Asc)),
    },
    Report {
        name: "Leads by Source",
        developer_name: "Leads_by_Source",
        description: "Where open leads come from.",
        report_type: "LeadList",
        format: Format::Summary,
        columns: &["LEAD_NAME", "COMPANY", "STATUS", "OWNER", "CREATED_DATE"],
        down: &[("LEAD_SOURCE", AS_IS)],
        across: &[],
        aggregates: &["RowCount"],
        filters: &[("CONVERTED", "equals", "False")],
        boolean_filter: None,
        date: ("CREATED_DATE", "CUSTOM"),
        standard_filters: &[],
        sort: None,
    },
    Report {
        name: "Lead List Report",
        developer_name: "Lead_List_Report",
        description: "Every lead, the newest first.",
        report_type: "LeadList",
        format: Format::Tabular,
        columns: &["LEAD_NAME", "TITLE", "COMPANY", "EMAIL", "STATUS"],
        down: &[],
        across: &[],
        aggregates: &["RowCount"],
        filters: &[],
        boolean_filter: None,
        date: ("CREATED_DATE", "CUSTOM"),
        standard_filters: &[],
        sort: Some(("CREATED_DATE", SortOrder::Desc)),
    },
    Report {
        name: "Cases by Priority",
        developer_name: "Cases_by_Priority",
        description: "What is open or came by telephone.",
        report_type: "CaseList",
        format: Format::Summary,
        columns: &["CASE_NUMBER", "SUBJECT", "STATUS", "OWNER", "CREATED_DATE"],
        down: &[("PRIORITY", AS_IS), ("STATUS", AS_IS)],
        across: &[],
        aggregates: &["RowCount"],
        filters: &[
            ("CLOSED", "equals", "False"),
            ("ORIGIN", "equals", "Phone"),
            ("ACCOUNT.NAME", "notEqual", ""),
        ],
        boolean_filter: Some("(1 OR 2) AND 3"),
        date: ("CREATED_DATE", "CUSTOM"),
        standard_filters: &[],
        sort: None,
    },
    Report {
        name: "Measurements by Kind",
        developer_name: "Measurements_by_Kind",
        description: "More rows than one answer has.",
        report_type: "CustomEntity$Measurement__c",
        format: Format::Summary,
        columns: &[
            "CUST_NAME",
            "Measurement__c.Sensor__c",
            "Measurement__c.Value__c",
            "Measurement__c.Taken_At__c",
        ],
        down: &[("Measurement__c.Kind__c", AS_IS)],
        across: &[],
        aggregates: &[
            "a!Measurement__c.Value__c",
            "m!Measurement__c.Deviation__c",
            "u!Measurement__c.Sensor__c",
            "RowCount",
        ],
        filters: &[],
        boolean_filter: None,
        date: ("Measurement__c.Taken_At__c", "CUSTOM"),
        standard_filters: &[],
        sort: None,
    },
];

impl Report {
    /// Finds what the report of a `Report` record asks.
    pub(crate) fn of(record: &Record) -> Option<&'static Self> {
        let name = record.get("DeveloperName").as_text()?;
        REPORTS.iter().find(|report| report.developer_name == name)
    }

    /// Gives `reportMetadata`.
    pub(crate) fn metadata(&self, record: &Record) -> Json {
        let label = ReportType::named(self.report_type).map_or("", |kind| kind.label);
        let groupings = |groupings: &[(&str, Granularity)]| -> Vec<Json> {
            let one = |(name, granularity): &(&str, Granularity)| {
                json!({
                    "name": name,
                    "dateGranularity": granularity,
                    "sortOrder": SortOrder::Asc,
                    "sortAggregate": null,
                })
            };
            groupings.iter().map(one).collect()
        };
        let filters = self.filters.iter();
        let (date_column, duration) = self.date;
        json!({
            "aggregates": self.aggregates,
            "chart": null,
            "crossFilters": [],
            "currency": null,
            "description": self.description,
            "detailColumns": self.columns,
            "developerName": self.developer_name,
            "division": null,
            "folderId": record.get("OwnerId").as_text(),
            "groupingsAcross": groupings(self.across),
            "groupingsDown": groupings(self.down),
            "hasDetailRows": true,
            "hasRecordCount": true,
            "historicalSnapshotDates": [],
            "id": record.id.as_str(),
            "name": self.name,
            "reportBooleanFilter": self.boolean_filter,
            "reportFilters": filters.map(|(column, operator, value)| filter_json(column, operator, value)).collect::<Vec<_>>(),
            "reportFormat": self.format,
            "reportType": {"label": label, "type": self.report_type},
            "scope": "organization",
            "showGrandTotal": true,
            "showSubtotals": true,
            "sortBy": self.sort.iter().map(|(column, order)| json!({"sortColumn": column, "sortOrder": order})).collect::<Vec<_>>(),
            "standardDateFilter": {"column": date_column, "durationValue": duration, "startDate": null, "endDate": null},
            "standardFilters": self.standard_filters.iter().map(|(name, value)| json!({"name": name, "value": value})).collect::<Vec<_>>(),
            "supportsRoleHierarchy": false,
            "userOrHierarchyFilterId": null,
        })
    }
}
