//! Report types: what reports can be about, and the columns they can have.
//!
//! Names are those of Salesforce's standard report types. What kind of values a column has is the
//! field's, so that a report cannot disagree with the describe.

/// What reports can be about.
#[derive(Debug)]
pub(crate) struct ReportType {
    /// The API name: `Opportunity`, `AccountList`.
    pub(crate) name: &'static str,
    /// What a person reads.
    pub(crate) label: &'static str,
    /// The object whose records are the rows.
    pub(crate) object: &'static str,
    /// What a person calls the group of columns.
    pub(crate) category: &'static str,
    /// The columns.
    pub(crate) columns: &'static [Column],
    /// The filters that every report of the type has.
    pub(crate) standard_filters: &'static [StandardFilter],
}

/// A column of a report.
#[derive(Debug)]
pub(crate) struct Column {
    /// The API name: `STAGE_NAME`.
    pub(crate) name: &'static str,
    /// What a person reads.
    pub(crate) label: &'static str,
    /// The path of the field: `Account.Name`.
    pub(crate) path: &'static str,
    /// The path of the record that a name names; empty where the value names none.
    pub(crate) id: &'static str,
}

/// A filter that every report of a type has: a choice of conditions.
#[derive(Debug)]
pub(crate) struct StandardFilter {
    /// The API name: `open`.
    pub(crate) name: &'static str,
    /// What a person reads.
    pub(crate) label: &'static str,
    /// Each choice with its label and its condition; the first is the default. An empty condition
    /// leaves everything.
    pub(crate) choices: &'static [(&'static str, &'static str, &'static str)],
}

/// A column whose value is a field's.
const fn of(name: &'static str, label: &'static str, path: &'static str) -> Column {
    Column {
        name,
        label,
        path,
        id: "",
    }
}

/// A column whose value is the name of a record.
const fn named(
    name: &'static str,
    label: &'static str,
    path: &'static str,
    id: &'static str,
) -> Column {
    Column {
        name,
        label,
        path,
        id,
    }
}

/// Every report type.
pub(crate) static TYPES: [ReportType; 5] = [
    ReportType {
        name: "Opportunity",
        label: "Opportunities",
        object: "Opportunity",
        category: "Opportunity Information",
        columns: &[
            named("OPPORTUNITY_NAME", "Opportunity Name", "Name", "Id"),
            named("ACCOUNT_NAME", "Account Name", "Account.Name", "AccountId"),
            named("FULL_NAME", "Opportunity Owner", "Owner.Name", "OwnerId"),
            of("STAGE_NAME", "Stage", "StageName"),
            of("AMOUNT", "Amount", "Amount"),
            of("EXP_AMOUNT", "Expected Revenue", "ExpectedRevenue"),
            of("PROBABILITY", "Probability (%)", "Probability"),
            of("QUANTITY", "Quantity", "TotalOpportunityQuantity"),
            of("CLOSE_DATE", "Close Date", "CloseDate"),
            of("TYPE", "Type", "Type"),
            of("LEAD_SOURCE", "Lead Source", "LeadSource"),
            of("NEXT_STEP", "Next Step", "NextStep"),
            of(
                "FORECAST_CATEGORY",
                "Forecast Category",
                "ForecastCategoryName",
            ),
            of("CLOSED", "Closed", "IsClosed"),
            of("WON", "Won", "IsWon"),
            of("FISCAL_QUARTER", "Fiscal Period", "Fiscal"),
            of("CREATED_DATE", "Created Date", "CreatedDate"),
            of("LAST_UPDATE", "Last Modified Date", "LastModifiedDate"),
        ],
        standard_filters: &[StandardFilter {
            name: "open",
            label: "Opportunity Status",
            choices: &[
                ("all", "Any", ""),
                ("open", "Open", "IsClosed = false"),
                ("closed", "Closed", "IsClosed = true"),
                ("closedwon", "Closed Won", "IsWon = true"),
            ],
        }],
    },
    ReportType {
        name: "AccountList",
        label: "Accounts",
        object: "Account",
        category: "Account: General",
        columns: &[
            named("ACCOUNT.NAME", "Account Name", "Name", "Id"),
            named("USERS.NAME", "Account Owner", "Owner.Name", "OwnerId"),
            named("PARENT_NAME", "Parent Account", "Parent.Name", "ParentId"),
            of("TYPE", "Type", "Type"),
            of("INDUSTRY", "Industry", "Industry"),
            of("RATING", "Rating", "Rating"),
            of("SALES", "Annual Revenue", "AnnualRevenue"),
            of("EMPLOYEES", "Employees", "NumberOfEmployees"),
            of("PHONE1", "Phone", "Phone"),
            of("ADDRESS1_CITY", "Billing City", "BillingCity"),
            of("ADDRESS1_STATE", "Billing State/Province", "BillingState"),
            of("ADDRESS1_COUNTRY", "Billing Country", "BillingCountry"),
            of("DUE_DATE", "Last Activity", "LastActivityDate"),
            of("CREATED_DATE", "Created Date", "CreatedDate"),
            of("LAST_UPDATE", "Last Modified Date", "LastModifiedDate"),
        ],
        standard_filters: &[],
    },
    ReportType {
        name: "LeadList",
        label: "Leads",
        object: "Lead",
        category: "Lead: General",
        columns: &[
            named("LEAD_NAME", "Lead Name", "Name", "Id"),
            of("FIRST_NAME", "First Name", "FirstName"),
            of("LAST_NAME", "Last Name", "LastName"),
            of("TITLE", "Title", "Title"),
            of("COMPANY", "Company / Account", "Company"),
            named("OWNER", "Lead Owner", "Owner.Name", "OwnerId"),
            of("LEAD_SOURCE", "Lead Source", "LeadSource"),
            of("STATUS", "Lead Status", "Status"),
            of("RATING", "Rating", "Rating"),
            of("INDUSTRY", "Industry", "Industry"),
            of("ANNUAL_REVENUE", "Annual Revenue", "AnnualRevenue"),
            of("EMAIL", "Email", "Email"),
            of("STATE", "State/Province", "State"),
            of("COUNTRY", "Country", "Country"),
            of("CONVERTED", "Converted", "IsConverted"),
            of("CREATED_DATE", "Create Date", "CreatedDate"),
        ],
        standard_filters: &[],
    },
    ReportType {
        name: "CaseList",
        label: "Cases",
        object: "Case",
        category: "Case Information",
        columns: &[
            named("CASE_NUMBER", "Case Number", "CaseNumber", "Id"),
            of("SUBJECT", "Subject", "Subject"),
            of("STATUS", "Status", "Status"),
            of("PRIORITY", "Priority", "Priority"),
            of("ORIGIN", "Case Origin", "Origin"),
            of("REASON", "Case Reason", "Reason"),
            of("TYPE", "Type", "Type"),
            named("ACCOUNT.NAME", "Account Name", "Account.Name", "AccountId"),
            named("CONTACT.NAME", "Contact Name", "Contact.Name", "ContactId"),
            named("OWNER", "Case Owner", "Owner.Name", "OwnerId"),
            of("CLOSED", "Closed", "IsClosed"),
            of("ESCALATED", "Escalated", "IsEscalated"),
            of("CREATED_DATE", "Date/Time Opened", "CreatedDate"),
            of("CLOSED_DATE", "Date/Time Closed", "ClosedDate"),
        ],
        standard_filters: &[],
    },
    ReportType {
        name: "CustomEntity$Measurement__c",
        label: "Measurements",
        object: "Measurement__c",
        category: "Measurement: Info",
        columns: &[
            named("CUST_NAME", "Measurement Number", "Name", "Id"),
            named("CUST_OWNER_NAME", "Owner Name", "Owner.Name", "OwnerId"),
            named(
                "Measurement__c.Account__c",
                "Account",
                "Account__r.Name",
                "Account__c",
            ),
            of("Measurement__c.Sensor__c", "Sensor", "Sensor__c"),
            of("Measurement__c.Kind__c", "Kind", "Kind__c"),
            of("Measurement__c.Unit__c", "Unit", "Unit__c"),
            of("Measurement__c.Value__c", "Value", "Value__c"),
            of("Measurement__c.Deviation__c", "Deviation", "Deviation__c"),
            of("Measurement__c.Outlier__c", "Outlier", "Outlier__c"),
            of("Measurement__c.Battery__c", "Battery", "Battery__c"),
            of("Measurement__c.Taken_At__c", "Taken At", "Taken_At__c"),
        ],
        standard_filters: &[],
    },
];

impl ReportType {
    /// Finds a report type.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        TYPES.iter().find(|kind| kind.name == name)
    }

    /// Finds a column.
    pub(crate) fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}
