//! The fields that say most of a record in few words, for tools whose caller names none.

use crate::client::Client;
use crate::describe::{Describe, Field};
use crate::names::name_field_of;

/// Of objects that are the same in every org.
const USUAL: [(&str, &[&str]); 11] = [
    ("Account", &["Name", "Type", "Industry", "Phone"]),
    ("Campaign", &["Name", "Type", "Status", "StartDate"]),
    ("Case", &["CaseNumber", "Subject", "Status", "Priority"]),
    ("Contact", &["Name", "Title", "Email", "Phone"]),
    ("Event", &["Subject", "StartDateTime", "EndDateTime"]),
    ("Lead", &["Name", "Company", "Status", "Email"]),
    ("Opportunity", &["Name", "StageName", "Amount", "CloseDate"]),
    (
        "OpportunityContactRole",
        &["ContactId", "Role", "IsPrimary"],
    ),
    ("Product2", &["Name", "ProductCode", "IsActive"]),
    ("Task", &["Subject", "Status", "Priority", "ActivityDate"]),
    ("User", &["Name", "Username", "Email", "Title"]),
];

/// How many fields an object that is not among them is shown by, besides its id and its name.
const OTHERS_MAX: usize = 5;

/// The field that holds an amount's currency, where an org has several.
const CURRENCY: &str = "CurrencyIsoCode";

fn usual_of(kind: &str) -> Option<&'static [&'static str]> {
    let mut known = USUAL.iter();
    let found = known.find(|(name, _)| name.eq_ignore_ascii_case(kind))?;
    Some(found.1)
}

/// Guesses them without a describe, as far as the agent may see them. An account may have fewer.
pub fn guessed(client: &Client<'_>, kind: &str) -> Vec<String> {
    let own = [name_field_of(kind)];
    let names = usual_of(kind).unwrap_or(&own);
    let all: Vec<String> = ["Id"]
        .iter()
        .chain(names)
        .map(|name| (*name).to_owned())
        .collect();
    client.visible_fields(kind, &all)
}

/// Picks them from a describe, as far as the agent may see them: amounts with their currency.
pub fn described(client: &Client<'_>, describe: &Describe) -> Vec<String> {
    let fields = client.fields_of(describe);
    let named = |name: &str| {
        let mut fields = fields.iter();
        fields
            .find(|field| field.name().eq_ignore_ascii_case(name))
            .copied()
    };
    let mut picked: Vec<Field<'_>> = named("Id").into_iter().collect();
    match usual_of(describe.name()) {
        Some(names) => picked.extend(names.iter().filter_map(|name| named(name))),
        None => {
            picked.extend(fields.iter().find(|field| field.is("nameField")));
            let others = fields.iter().filter(|field| says_much(**field));
            picked.extend(others.take(OTHERS_MAX));
        }
    }
    let has_amount = picked.iter().any(|field| field.kind() == "currency");
    picked.extend(named(CURRENCY).filter(|_| has_amount));
    picked.iter().map(|field| field.name().to_owned()).collect()
}

/// Says whether a field holds what people entered or the org computed of it, in a few words.
fn says_much(field: Field<'_>) -> bool {
    let is_long = matches!(
        field.kind(),
        "id" | "textarea" | "base64" | "address" | "location" | "encryptedstring"
    );
    let is_own = field.is("createable") || field.is("calculated");
    is_own
        && !is_long
        && !field.is("nameField")
        && field.name() != CURRENCY
        && field.name() != "OwnerId"
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::testing::Org;

    #[test]
    fn what_is_usual_is_picked_as_far_as_it_is_there_and_visible() {
        let org = Org::new().hide("Account", "Industry");
        let client = Client::new(&org);
        assert_eq!(guessed(&client, "account"), ["Id", "Name", "Type", "Phone"]);
        assert_eq!(guessed(&client, "Visit__c"), ["Id", "Name"]);
        assert!(org.requests().is_empty());
        let describe = client.describe("Account").unwrap();
        assert_eq!(described(&client, &describe), ["Id", "Name"]);
    }

    #[test]
    fn of_another_object_the_first_fields_are_picked_and_amounts_have_their_currency() {
        let visit = r#"{"name":"Visit__c","fields":[{"name":"Id","type":"id"},{"name":"CreatedDate","type":"datetime"},
            {"name":"Name","type":"string","nameField":true,"autoNumber":true},{"name":"CurrencyIsoCode","type":"picklist","createable":true},
            {"name":"Cost__c","type":"currency","createable":true},{"name":"Note__c","type":"textarea","createable":true},
            {"name":"Open__c","type":"boolean","calculated":true}]}"#;
        let org = Org::new().answer(
            "/services/data/v68.0/sobjects/Visit__c/describe",
            200,
            visit,
        );
        let client = Client::new(&org);
        let describe = client.describe("Visit__c").unwrap();
        assert_eq!(
            described(&client, &describe),
            ["Id", "Name", "Cost__c", "Open__c", "CurrencyIsoCode"]
        );
    }
}
