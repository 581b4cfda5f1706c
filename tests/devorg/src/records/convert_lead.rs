//! A lead that became a customer: an account, a contact and mostly a sale, made of its values or
//! completed by them.
//!
//! Standard fields are mapped as Salesforce maps them. In records that were there before, only empty
//! fields are filled.

use jiff::ToSpan;
use jiff::civil::Date;

use super::derive::set;
use super::fill::{self, Values};
use super::{WriteOptions, lookup, rights, write};
use crate::error::ApiError;
use crate::id::Id;
use crate::objects::{CONVERTED_STATUS, STAGES};
use crate::org::{Org, Session};
use crate::schema::Object;
use crate::store::Record;
use crate::value::Value;

/// The fields of an account and those of a lead that they come from.
const OF_ACCOUNT: [(&str, &str); 13] = [
    ("Name", "Company"),
    ("Phone", "Phone"),
    ("Fax", "Fax"),
    ("Website", "Website"),
    ("Industry", "Industry"),
    ("AnnualRevenue", "AnnualRevenue"),
    ("NumberOfEmployees", "NumberOfEmployees"),
    ("Rating", "Rating"),
    ("AccountSource", "LeadSource"),
    ("BillingStreet", "Street"),
    ("BillingCity", "City"),
    ("BillingState", "State"),
    ("BillingPostalCode", "PostalCode"),
];
/// The fields of a contact and those of a lead that they come from.
const OF_CONTACT: [(&str, &str); 14] = [
    ("FirstName", "FirstName"),
    ("LastName", "LastName"),
    ("Salutation", "Salutation"),
    ("Title", "Title"),
    ("Email", "Email"),
    ("Phone", "Phone"),
    ("MobilePhone", "MobilePhone"),
    ("Fax", "Fax"),
    ("LeadSource", "LeadSource"),
    ("Description", "Description"),
    ("MailingStreet", "Street"),
    ("MailingCity", "City"),
    ("MailingState", "State"),
    ("MailingPostalCode", "PostalCode"),
];

/// How to convert a lead.
#[derive(Debug, Clone, Default)]
pub(crate) struct LeadConvert {
    /// The lead.
    pub(crate) lead_id: String,
    /// The account to complete; without one, one is made.
    pub(crate) account_id: Option<String>,
    /// The contact of that account to complete; without one, one is made.
    pub(crate) contact_id: Option<String>,
    /// The sale of that account to go on with; without one, one is made.
    pub(crate) opportunity_id: Option<String>,
    /// The lead's status from now on: one that says that it is converted.
    pub(crate) converted_status: String,
    /// Whether no sale is made.
    pub(crate) do_not_create_opportunity: bool,
    /// The name of the sale that is made; the company's, unless given.
    pub(crate) opportunity_name: Option<String>,
    /// Whether the lead's source takes the place of the contact's.
    pub(crate) overwrite_lead_source: bool,
    /// The owner of what is made; the lead's, unless given.
    pub(crate) owner_id: Option<String>,
}

/// What a lead became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeadConvertResult {
    /// The lead.
    pub(crate) lead_id: Id,
    /// The account.
    pub(crate) account_id: Id,
    /// The contact.
    pub(crate) contact_id: Id,
    /// The sale, if any.
    pub(crate) opportunity_id: Option<Id>,
}

/// Converts a lead.
///
/// # Errors
///
/// `MALFORMED_ID`, `INVALID_CROSS_REFERENCE_KEY`, `ENTITY_IS_DELETED`, `INVALID_STATUS`,
/// `CANNOT_UPDATE_CONVERTED_LEAD`, `INVALID_OWNER`, `INSUFFICIENT_ACCESS_OR_READONLY`, and what a rule refuses of the records made.
pub(crate) fn convert_lead(
    org: &mut Org,
    session: &Session,
    request: &LeadConvert,
) -> Result<LeadConvertResult, ApiError> {
    org.transaction(|org| Conversion::begin(org, session, request)?.run(org))
}

/// A conversion whose lead, status and owner are right.
struct Conversion<'a> {
    session: &'a Session,
    request: &'a LeadConvert,
    lead: Record,
    owner: Id,
}

impl<'a> Conversion<'a> {
    fn begin(org: &Org, session: &'a Session, request: &'a LeadConvert) -> Result<Self, ApiError> {
        let lead = of_object(org, session, "Lead", &request.lead_id)?.clone();
        rights::check_change(org, session, &lead)?;
        if lead.get("IsConverted").as_bool() == Some(true) {
            return Err(write::converted_lead());
        }
        if request.converted_status != CONVERTED_STATUS {
            let message = format!("invalid convertedStatus: {}", request.converted_status);
            return Err(ApiError::bad_request("INVALID_STATUS", message));
        }
        let owner = match &request.owner_id {
            Some(owner) => Some(lookup::parse(owner)?),
            None => lead.reference("OwnerId"),
        };
        let owner = owner
            .filter(|owner| org.store.get("User", *owner).is_some())
            .ok_or_else(|| {
                let message = "Converted objects can only be owned by users.  If the lead is not owned by a user, \
                               you must specify a user for the Owner field.";
                ApiError::bad_request("INVALID_OWNER", message)
            })?;
        if request.contact_id.is_some() && request.account_id.is_none() {
            let message = "a contact can be converted into only together with its account";
            return Err(ApiError::bad_request(
                "INVALID_CROSS_REFERENCE_KEY",
                message,
            ));
        }
        Ok(Self {
            session,
            request,
            lead,
            owner,
        })
    }

    fn run(&self, org: &mut Org) -> Result<LeadConvertResult, ApiError> {
        let account_id = self.account(org)?;
        let contact_id = self.contact(org, account_id)?;
        let opportunity_id = self.opportunity(org, account_id, contact_id)?;
        self.move_activities(org, contact_id, opportunity_id.unwrap_or(account_id));
        self.mark(org, account_id, contact_id, opportunity_id);
        Ok(LeadConvertResult {
            lead_id: self.lead.id,
            account_id,
            contact_id,
            opportunity_id,
        })
    }

    fn account(&self, org: &mut Org) -> Result<Id, ApiError> {
        let country = ("BillingCountry", "Country");
        let values = self.mapped(OF_ACCOUNT.into_iter().chain([country]));
        match &self.request.account_id {
            Some(account) => {
                let account = of_object(org, self.session, "Account", account)?.clone();
                self.complete(org, &account, values)?;
                Ok(account.id)
            }
            None => self.make(org, "Account", values),
        }
    }

    fn contact(&self, org: &mut Org, account: Id) -> Result<Id, ApiError> {
        let country = ("MailingCountry", "Country");
        let mut values = self.mapped(OF_CONTACT.into_iter().chain([country]));
        match &self.request.contact_id {
            Some(contact) => {
                let mut contact = of_object(org, self.session, "Contact", contact)?.clone();
                of_account(&contact, account)?;
                if self.request.overwrite_lead_source {
                    set(&mut contact, "LeadSource", Value::Null);
                }
                self.complete(org, &contact, values)?;
                Ok(contact.id)
            }
            None => {
                values.insert("AccountId".into(), account.into());
                self.make(org, "Contact", values)
            }
        }
    }

    fn opportunity(&self, org: &mut Org, account: Id, contact: Id) -> Result<Option<Id>, ApiError> {
        if let Some(sale) = &self.request.opportunity_id {
            let sale = of_object(org, self.session, "Opportunity", sale)?;
            of_account(sale, account)?;
            return Ok(Some(sale.id));
        }
        if self.request.do_not_create_opportunity {
            return Ok(None);
        }
        let name = match self.request.opportunity_name.as_deref() {
            Some(name) if !name.trim().is_empty() => Value::text(name.trim()),
            _ => self.lead.get("Company").clone(),
        };
        let today = self.session.time_zone.to_datetime(org.now()).date();
        let mut values = self.mapped([("LeadSource", "LeadSource")]);
        values.insert("Name".into(), name);
        values.insert("AccountId".into(), account.into());
        values.insert("StageName".into(), STAGES[0].name.into());
        values.insert("CloseDate".into(), end_of_quarter(today).into());
        let sale = self.make(org, "Opportunity", values)?;
        let role = Values::from([
            ("OpportunityId".into(), sale.into()),
            ("ContactId".into(), contact.into()),
            ("IsPrimary".into(), true.into()),
        ]);
        let object = named(self.session, "OpportunityContactRole")?;
        write::insert_values(org, self.session, object, role, &WriteOptions::default())?;
        Ok(Some(sale))
    }

    /// Gives the lead's values for another object's fields.
    fn mapped(&self, fields: impl IntoIterator<Item = (&'static str, &'static str)>) -> Values {
        fields
            .into_iter()
            .map(|(to, from)| (to.into(), self.lead.get(from).clone()))
            .filter(|(_, value)| !value.is_null())
            .collect()
    }

    fn make(&self, org: &mut Org, object: &str, mut values: Values) -> Result<Id, ApiError> {
        let object = named(self.session, object)?;
        values.insert("OwnerId".into(), self.owner.into());
        write::insert_values(org, self.session, object, values, &anyway())
    }

    /// Fills the empty fields of a record.
    fn complete(&self, org: &mut Org, record: &Record, mut values: Values) -> Result<(), ApiError> {
        values.retain(|field, _| record.get(field).is_null());
        let object = named(self.session, &record.object)?;
        write::update_values(org, self.session, object, record.id, values, &anyway())
    }

    /// Gives the lead's tasks and events to what it became.
    fn move_activities(&self, org: &mut Org, who: Id, what: Id) {
        let schema = org.schema.clone();
        let at = org.now();
        for object in ["Task", "Event"]
            .into_iter()
            .filter_map(|name| schema.object(name))
        {
            let activities: Vec<Record> = org
                .store
                .children(&object.name, "WhoId", self.lead.id)
                .filter(|activity| !activity.deleted)
                .cloned()
                .collect();
            for activity in activities {
                let values =
                    Values::from([("WhoId".into(), who.into()), ("WhatId".into(), what.into())]);
                fill::update(org, object, &activity, values, self.session.user_id, at);
            }
        }
    }

    /// Writes down in the lead what it became.
    fn mark(&self, org: &mut Org, account: Id, contact: Id, opportunity: Option<Id>) {
        let schema = org.schema.clone();
        let Some(object) = schema.object("Lead") else {
            return;
        };
        let at = org.tick();
        let today = self.session.time_zone.to_datetime(at).date();
        let values = Values::from([
            (
                "Status".into(),
                self.request.converted_status.as_str().into(),
            ),
            ("IsConverted".into(), true.into()),
            ("ConvertedDate".into(), today.into()),
            ("ConvertedAccountId".into(), account.into()),
            ("ConvertedContactId".into(), contact.into()),
            ("ConvertedOpportunityId".into(), opportunity.into()),
        ]);
        fill::update(org, object, &self.lead, values, self.session.user_id, at);
    }
}

/// A conversion asks no duplicate rule.
fn anyway() -> WriteOptions<'static> {
    WriteOptions {
        allow_duplicates: true,
        ..WriteOptions::default()
    }
}

fn named<'s>(session: &'s Session, name: &str) -> Result<&'s Object, ApiError> {
    let object = session.schema().object(name);
    object.ok_or_else(ApiError::not_found)
}

fn of_object<'o>(
    org: &'o Org,
    session: &Session,
    name: &str,
    text: &str,
) -> Result<&'o Record, ApiError> {
    let (object, record) = lookup::to_write(org, session, text)?;
    if &*object.name == name {
        return Ok(record);
    }
    Err(lookup::incorrect_type(&format!("{name} ID"), "Id", text))
}

/// Refuses a contact or a sale of another account.
fn of_account(record: &Record, account: Id) -> Result<(), ApiError> {
    if record.reference("AccountId") == Some(account) {
        return Ok(());
    }
    let message = format!("{} is not of the account {account}", record.id);
    Err(ApiError::bad_request(
        "INVALID_CROSS_REFERENCE_KEY",
        message,
    ))
}

/// Gives the last day of a day's quarter, when Salesforce expects a lead's sale to close.
fn end_of_quarter(day: Date) -> Date {
    let months_left = i64::from((12 - day.month()) % 3);
    day.saturating_add(months_left.months()).last_of_month()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_quarter_ends_with_its_third_month() {
        for (day, end) in [
            (date(2026, 1, 31), date(2026, 3, 31)),
            (date(2026, 11, 23), date(2026, 12, 31)),
            (date(2026, 6, 30), date(2026, 6, 30)),
            (date(2028, 2, 29), date(2028, 3, 31)),
        ] {
            assert_eq!(end_of_quarter(day), end);
        }
    }
}
