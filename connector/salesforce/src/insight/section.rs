//! What hangs on an account, and the subqueries that ask for it.

/// What hangs on an account.
pub(super) struct Section {
    /// What a person calls it.
    pub(super) title: &'static str,
    /// What subqueries call it.
    pub(super) relationship: &'static str,
    /// The object.
    pub(super) kind: &'static str,
    /// The field that leads to the account.
    pub(super) parent: &'static str,
    /// A condition, and the field that it is about.
    pub(super) only: Option<(&'static str, &'static str)>,
    /// What is shown of each.
    pub(super) fields: &'static [&'static str],
    /// The field by which the rows are sorted, and how.
    pub(super) order: (&'static str, &'static str),
    /// How many are shown.
    pub(super) rows: usize,
}

/// Everything that an overview shows of an account.
pub(super) const SECTIONS: [Section; 5] = [
    Section {
        title: "open opportunities",
        relationship: "Opportunities",
        kind: "Opportunity",
        parent: "AccountId",
        only: Some(("IsClosed", "IsClosed = false")),
        fields: &[
            "Id",
            "Name",
            "StageName",
            "Amount",
            "CloseDate",
            "Owner.Name",
        ],
        order: ("CloseDate", "CloseDate"),
        rows: 10,
    },
    Section {
        title: "open cases",
        relationship: "Cases",
        kind: "Case",
        parent: "AccountId",
        only: Some(("IsClosed", "IsClosed = false")),
        fields: &[
            "Id",
            "CaseNumber",
            "Subject",
            "Status",
            "Priority",
            "CreatedDate",
        ],
        order: ("CreatedDate", "CreatedDate DESC"),
        rows: 10,
    },
    Section {
        title: "contacts",
        relationship: "Contacts",
        kind: "Contact",
        parent: "AccountId",
        only: None,
        fields: &["Id", "Name", "Title", "Email", "Phone"],
        order: ("LastActivityDate", "LastActivityDate DESC NULLS LAST"),
        rows: 10,
    },
    Section {
        title: "tasks",
        relationship: "Tasks",
        kind: "Task",
        parent: "WhatId",
        only: None,
        fields: &["Id", "Subject", "Status", "ActivityDate"],
        order: ("ActivityDate", "ActivityDate DESC NULLS LAST"),
        rows: 5,
    },
    Section {
        title: "events",
        relationship: "Events",
        kind: "Event",
        parent: "WhatId",
        only: None,
        fields: &["Id", "Subject", "StartDateTime", "Location"],
        order: ("StartDateTime", "StartDateTime DESC"),
        rows: 5,
    },
];

impl Section {
    /// Writes the subquery, without its bound.
    pub(super) fn soql(&self, fields: &[&str], sorts: bool) -> String {
        let mut soql = format!("SELECT {} FROM {}", fields.join(", "), self.relationship);
        if let Some((_, condition)) = self.only {
            soql.push_str(&format!(" WHERE {condition}"));
        }
        // Ties are broken, so that what is shown and what gets the rest are the whole.
        let order: Vec<&str> = [(sorts, self.order.1), (fields.contains(&"Id"), "Id")]
            .into_iter()
            .filter_map(|(is_known, order)| is_known.then_some(order))
            .collect();
        if !order.is_empty() {
            soql.push_str(&format!(" ORDER BY {}", order.join(", ")));
        }
        soql
    }

    /// Writes the query for what an overview leaves out.
    pub(super) fn rest(&self, soql: &str, account: &str) -> String {
        let own = format!("FROM {}", self.relationship);
        let mut condition = format!("FROM {} WHERE {} = '{account}'", self.kind, self.parent);
        if let Some((_, only)) = self.only {
            condition.push_str(&format!(" AND {only}"));
        }
        let with_condition = match self.only {
            Some((_, only)) => format!("{own} WHERE {only}"),
            None => own,
        };
        let query = soql.replace(&with_condition, &condition);
        format!("{query} LIMIT 200 OFFSET {}", self.rows)
    }
}
