//! Writing through the schema, without HTTP.
#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::json;

use super::convert::Purpose;
use super::*;
use crate::value::Value;

pub(super) fn org() -> (Org, Session) {
    let org = Org::sample("2026-11-23T12:00:00Z".parse().unwrap());
    let session = Session::of(&org, Id::numbered("005", 1));
    (org, session)
}

fn change(
    org: &mut Org,
    session: &Session,
    object: &Object,
    record: &Record,
    body: &[u8],
) -> Result<(), ApiError> {
    let options = WriteOptions::default();
    update(org, session, object, record.id, &object_of(body)?, &options)
}

/// Makes a record and gives it as JSON.
fn made(object: &str, body: Json) -> Result<Json, ApiError> {
    let (mut org, session) = org();
    let schema = org.schema.clone();
    let object = schema.object(object).unwrap();
    let body = body.as_object().unwrap();
    let id = insert(&mut org, &session, object, body, &WriteOptions::default())?;
    let record = org.store.get(&object.name, id).unwrap();
    read(&org, &session, object, record, None, "/services/data/v68.0")
}

fn refused(object: &str, body: Json) -> (String, String, Vec<String>) {
    let error = made(object, body).unwrap_err();
    assert_eq!(error.status, 400);
    (error.code, error.message, error.fields)
}

#[test]
fn a_new_record_is_filled_in() {
    let account = made(
        "Account",
        json!({"name": " Acme ", "AnnualRevenue": "12.6", "NumberOfEmployees": 3.0}),
    )
    .unwrap();
    assert_eq!(account["Name"], "Acme");
    assert_eq!(account["AnnualRevenue"], 13.0);
    assert_eq!(account["NumberOfEmployees"], 3);
    assert_eq!(account["OwnerId"], Id::numbered("005", 1).as_str());
    assert_eq!(account["CreatedDate"], "2026-11-23T12:00:01.000+0000");
    assert_eq!(account["IsDeleted"], false);
    assert_eq!(account["RecordTypeId"], Id::numbered("012", 1).as_str());
    assert_eq!(
        account["attributes"]["url"],
        format!(
            "/services/data/v68.0/sobjects/Account/{}",
            account["Id"].as_str().unwrap()
        )
    );

    let sale = made(
        "Opportunity",
        json!({"Name": "x", "StageName": "Closed Won", "CloseDate": "2026-02-03", "Amount": 100}),
    )
    .unwrap();
    assert_eq!(
        (&sale["IsWon"], &sale["Probability"]),
        (&json!(true), &json!(100.0))
    );
    assert_eq!(
        (&sale["Fiscal"], &sale["ExpectedRevenue"]),
        (&json!("2026 1"), &json!(100.0))
    );

    let case = made("Case", json!({"ContactId": Id::numbered("003", 2).short()})).unwrap();
    assert_eq!(
        (&case["CaseNumber"], &case["Status"]),
        (&json!("00001101"), &json!("New"))
    );
    assert!(case["AccountId"].is_string() && case["ContactEmail"].is_string());

    let event = made(
        "Event",
        json!({"StartDateTime": "2026-11-24T09:00:00.000+0100", "DurationInMinutes": 45}),
    )
    .unwrap();
    assert_eq!(event["EndDateTime"], "2026-11-24T08:45:00.000+0000");
    assert_eq!(event["ActivityDate"], "2026-11-24");
}

#[test]
fn what_does_not_fit_the_schema_is_refused() {
    let fields = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let account = |more: Json| {
        let mut body = json!({"Name": "x"});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        refused("Account", body)
    };
    let (code, message, _) = account(json!({"Nmae": 1}));
    assert_eq!(
        (&*code, &*message),
        (
            "INVALID_FIELD",
            "No such column 'Nmae' on sobject of type Account"
        )
    );
    let (code, message, names) = refused("Lead", json!({"Company": ""}));
    assert_eq!(
        (&*code, &*message),
        (
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [LastName, Company]"
        )
    );
    assert_eq!(names, fields(&["LastName", "Company"]));
    let (code, _, names) = account(json!({"CreatedDate": "2026-11-23T00:00:00Z", "Id": "x"}));
    assert_eq!(
        (&*code, names),
        (
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            fields(&["CreatedDate", "Id"])
        )
    );
    let (code, message, names) = account(json!({"Site": "y".repeat(81)}));
    assert_eq!((&*code, names), ("STRING_TOO_LONG", fields(&["Site"])));
    assert!(
        message.starts_with("Account Site: data value too large: yyy")
            && message.ends_with("(max length=80)")
    );
    let (code, message, _) = account(json!({"CleanStatus": "Dirty"}));
    assert_eq!(code, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST");
    assert_eq!(
        message,
        "Clean Status: bad value for restricted picklist field: Dirty"
    );
    assert_eq!(
        account(json!({"AnnualRevenue": "much"})).0,
        "JSON_PARSER_ERROR"
    );
    assert_eq!(
        account(json!({"AnnualRevenue": 1e18})).0,
        "NUMBER_OUTSIDE_VALID_RANGE"
    );
    assert_eq!(
        account(json!({"NumberOfEmployees": 1.5})).0,
        "JSON_PARSER_ERROR"
    );
    assert_eq!(account(json!({"Name": {"a": 1}})).0, "JSON_PARSER_ERROR");
    let (code, message, _) = account(json!({"OwnerId": "0010000000000AA"}));
    assert_eq!(code, "MALFORMED_ID");
    assert!(message.starts_with("Owner ID: id value of incorrect type: 0010000000000AA"));
    assert_eq!(account(json!({"OwnerId": "nobody"})).0, "MALFORMED_ID");
    assert_eq!(
        account(json!({"ParentId": Id::numbered("001", 9_999).as_str()})).0,
        "INVALID_CROSS_REFERENCE_KEY"
    );
    assert_eq!(
        refused("Contact", json!({"LastName": "x", "Email": "x@y"})).0,
        "INVALID_EMAIL_ADDRESS"
    );
    assert_eq!(
        refused(
            "Contact",
            json!({"LastName": "x", "Birthdate": "2026-02-30"})
        )
        .0,
        "JSON_PARSER_ERROR"
    );
    assert_eq!(
        refused("Organization", json!({"Name": "x"})).0,
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    );
    let reading = json!({"Sensor__c": "S", "Taken_At__c": "2026-11-23T00:00:00Z", "External_Key__c": "s-001/0000"});
    let (code, message, _) = refused("Measurement__c", reading);
    assert_eq!(code, "DUPLICATE_VALUE");
    assert!(message.starts_with(
        "duplicate value found: External_Key__c duplicates value on record with id: a00"
    ));
}

#[test]
fn a_change_keeps_the_rest_and_moves_time_on() {
    let (mut org, session) = org();
    let schema = org.schema.clone();
    let object = schema.object("Opportunity").unwrap();
    let id = Id::numbered("006", 1);
    let old = org.store.get("Opportunity", id).unwrap().clone();
    assert_eq!(old.get("StageName"), &"Prospecting".into());
    change(
        &mut org,
        &session,
        object,
        &old,
        br#"{"StageName": "Closed Won", "Description": null}"#,
    )
    .unwrap();
    let new = org.store.get("Opportunity", id).unwrap();
    assert_eq!(new.get("Name"), old.get("Name"));
    assert_eq!(new.get("CreatedDate"), old.get("CreatedDate"));
    assert_eq!(new.get("Probability"), &Value::Number(100.0));
    assert_eq!(new.get("IsWon"), &Value::Bool(true));
    assert_eq!(new.get("LastModifiedDate"), &org.now().into());
    assert_eq!(new.get("LastModifiedById"), &session.user_id.into());

    let new = new.clone();
    let error = change(&mut org, &session, object, &new, br#"{"Name": null}"#).unwrap_err();
    assert_eq!(error.code, "REQUIRED_FIELD_MISSING");
    let error = change(&mut org, &session, object, &new, br#"{"Id": "x"}"#).unwrap_err();
    assert_eq!(
        error.message,
        "The Id field should not be specified in the sobject data."
    );
    let error = change(&mut org, &session, object, &new, b"[1]").unwrap_err();
    assert_eq!(error.code, "JSON_PARSER_ERROR");
}

#[test]
fn a_deleted_record_takes_its_own_along_and_leaves_lookups_empty() {
    let (mut org, session) = org();
    let schema = org.schema.clone();
    let count = |org: &Org, object: &str, field: &str, parent: Id| {
        let children = org.store.children(object, field, parent);
        children.filter(|record| !record.deleted).count()
    };
    let accounts = schema.object("Account").unwrap();
    let cases = |account: Id| count(&org, "Case", "AccountId", account);
    let children = |account: Id| count(&org, "Account", "ParentId", account);
    let ids = || org.store.rows("Account").map(|record| record.id);
    let account = ids()
        .find(|id| cases(*id) == 0 && children(*id) > 0)
        .unwrap();
    let kept = ids().find(|id| cases(*id) > 0).unwrap();
    let own = ["Contact", "Opportunity"];
    assert!(
        own.iter()
            .all(|object| count(&org, object, "AccountId", account) > 0)
    );

    remove(&mut org, &session, accounts, account).unwrap();
    assert!(
        own.iter()
            .all(|object| count(&org, object, "AccountId", account) == 0)
    );
    assert_eq!(count(&org, "Account", "ParentId", account), 0);
    assert_eq!(org.store.count("Account"), 59);
    let gone = by_id(&org, &session, accounts, account.as_str(), true).unwrap_err();
    assert_eq!((gone.status, &*gone.code), (404, "ENTITY_IS_DELETED"));

    let error = remove(&mut org, &session, accounts, kept).unwrap_err();
    assert_eq!(error.code, "DELETE_FAILED");
    assert!(error.message.contains("with the following cases.: 500"));
}

#[test]
fn records_are_found_by_external_ids_without_regard_to_case() {
    let (org, session) = org();
    let reading = org.schema.object("Measurement__c").unwrap();
    let key = by_field(&org, &session, reading, "external_key__c", "s-001/0000").unwrap();
    assert_eq!(key, Key::One(Id::numbered("a00", 1)));
    assert_eq!(
        by_field(&org, &session, reading, "External_Key__c", "none").unwrap(),
        Key::None
    );
    let error = by_field(&org, &session, reading, "Note__c", "x").unwrap_err();
    assert_eq!(
        error.message,
        "Provided external ID field does not exist or is not accessible: Note__c"
    );
}

fn any_json() -> impl Strategy<Value = Json> {
    let texts = [
        "",
        " ",
        "true",
        "NaN",
        "-1.5e300",
        "9".repeat(400).as_str(),
        "2026-11-23",
        "2026-11-23T25:00:00Z",
        "001DO0000000001",
        "005DO0000000001YAA",
        "a;b",
        "x@y.z",
        "é\u{1F600}\n",
    ]
    .map(str::to_owned);
    prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        ".{0,300}".prop_map(Json::from),
        prop::sample::select(texts.to_vec()).prop_map(Json::from),
        Just(json!([1])),
        Just(json!({"a": null})),
    ]
}

proptest! {
    /// Whatever is sent for whichever field: there is no panic, and what is taken fits the field.
    #[test]
    fn what_is_taken_fits(object in 0..31_usize, field in any::<prop::sample::Index>(), json in any_json(), new in any::<bool>()) {
        static ORG: LazyLock<(Org, Session)> = LazyLock::new(org);
        let (org, session) = &*ORG;
        let object = &org.schema.objects[object];
        let field = field.get(&object.fields);
        let purpose = if new { Purpose::Create } else { Purpose::Change(Id::numbered(&object.key_prefix, 1)) };
        let body = Map::from_iter([((*field.name).to_owned(), json)]);
        match convert::values(org, session, object, &body, purpose) {
            Err(error) => prop_assert!(error.status == 400 && !error.code.is_empty()),
            Ok(values) => for value in values.values() {
                let writable = if new { field.createable } else { field.updateable };
                prop_assert!(writable);
                let whole_digits = i32::try_from(field.precision - field.scale.min(field.precision)).unwrap();
                let fits = match value {
                    Value::Null => field.nillable,
                    Value::Text(text) => !text.is_empty() && text.chars().count() <= field.length as usize,
                    Value::Int(number) => number.unsigned_abs() < 10_u64.pow(field.digits),
                    Value::Number(number) => number.abs() < 10_f64.powi(whole_digits),
                    Value::Bool(_) => field.field_type == FieldType::Boolean,
                    Value::Date(_) => field.field_type == FieldType::Date,
                    Value::DateTime(_) => field.field_type == FieldType::Datetime,
                    Value::Time(_) => field.field_type == FieldType::Time,
                    Value::Blob(_) => field.field_type == FieldType::Base64,
                };
                prop_assert!(fits, "{}.{}: {value:?}", object.name, field.name);
            },
        }
    }
}

#[test]
fn an_object_without_ids_takes_no_record() {
    let (mut org, session) = org();
    let schema = org.schema.clone();
    let insert = |org: &mut Org, object: &str, body: Json| {
        let object = schema.object(object).unwrap();
        let body = body.as_object().unwrap();
        insert(org, &session, object, body, &WriteOptions::default())
    };
    org.store
        .set_last_number(&"Account".into(), Id::NUMBER_MAX - 1);
    let last = insert(&mut org, "Account", json!({"Name": "Last"})).unwrap();
    assert_eq!(last.number(), Some(Id::NUMBER_MAX));
    let before = org.store.clone();
    let error = insert(&mut org, "Account", json!({"Name": "One more"})).unwrap_err();
    assert_eq!((error.status, &*error.code), (400, "LIMIT_EXCEEDED"));
    insta::assert_snapshot!(error.message, @"there are no more ids for Account: the last one is taken; start a new org");
    assert!(org.store == before);

    // A file brings along records of other objects.
    let file = json!({"PathOnClient": "a.txt", "VersionData": "aGVsbG8="});
    org.store
        .set_last_number(&"ContentDocumentLink".into(), Id::NUMBER_MAX);
    let error = insert(&mut org, "ContentVersion", file).unwrap_err();
    assert!(error.message.contains("ContentDocumentLink"), "{error}");
}

#[test]
fn a_number_that_is_taken_is_not_given() {
    let (mut org, session) = org();
    let schema = org.schema.clone();
    let cases = schema.object("Case").unwrap();
    let make = |org: &mut Org| {
        let body = json!({"Subject": "Numbered"});
        let options = WriteOptions::default();
        let id = insert(org, &session, cases, body.as_object().unwrap(), &options).unwrap();
        let number = org.store.get("Case", id).unwrap().get("CaseNumber");
        number.as_text().unwrap().to_owned()
    };
    let number = |text: &str| text.parse::<u64>().unwrap();
    // As after what was loaded had the highest there are.
    org.store.skip_numbers(&cases.name, u64::MAX);
    let first = number(&make(&mut org));
    let taken = (first + 1).to_string();
    let mut loaded = Record::new(Id::numbered("500", 7), cases.name.clone());
    loaded
        .values
        .insert("CaseNumber".into(), taken.as_str().into());
    org.store.put(loaded);
    assert_eq!(number(&make(&mut org)), first + 2);
    // The last of all ids has a number, too.
    org.store.set_last_number(&cases.name, Id::NUMBER_MAX - 1);
    assert_eq!(number(&make(&mut org)), Id::NUMBER_MAX + 1_000);
}
