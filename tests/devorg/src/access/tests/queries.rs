//! What queries give to users who do not see everything.

use std::collections::BTreeSet;

use super::{ADMIN, AIKO, HEDDA, ORG, ask, session};
use crate::id::Id;
use crate::org::Session;

#[test]
fn hidden_records_take_no_part_in_any_query() {
    let admin = session(&ORG, ADMIN);
    let aiko = session(&ORG, AIKO);
    let total = |session: &Session, soql: &str| ask(&ORG, session, soql).unwrap().total_size;
    let own = total(&aiko, "SELECT Id FROM Opportunity");
    // Each counts the sales, in another way; a count of all is the administrator's.
    for soql in [
        "SELECT COUNT() FROM Opportunity",
        "SELECT Id FROM Opportunity WHERE NOT Name = 'x'",
        "SELECT Id FROM Opportunity WHERE AccountId IN (SELECT Id FROM Account)",
        "SELECT Id FROM Opportunity USING SCOPE everything",
    ] {
        assert_eq!(total(&aiko, soql), own, "{soql}");
        assert_eq!(total(&admin, soql), 120, "{soql}");
    }
    let counted = |session: &Session, soql: &str, member: &str| -> u64 {
        let rows = ask(&ORG, session, soql).unwrap().records;
        rows.iter().filter_map(|row| row[member].as_u64()).sum()
    };
    let by_stage = "SELECT StageName, COUNT(Id) n FROM Opportunity GROUP BY StageName";
    assert_eq!(counted(&aiko, by_stage, "n"), own as u64);
    let by_owner = "SELECT OwnerId, COUNT(Id) n FROM Opportunity GROUP BY OwnerId";
    assert_eq!(total(&aiko, by_owner), 1);
    assert!(total(&admin, by_owner) > 3);
    let children = "SELECT Id, (SELECT Id FROM Opportunities) FROM Account";
    let under_accounts = |session: &Session| -> u64 {
        let rows = ask(&ORG, session, children).unwrap().records;
        let children = rows
            .iter()
            .map(|row| row["Opportunities"]["totalSize"].as_u64());
        children.flatten().sum()
    };
    assert_eq!(under_accounts(&aiko), own as u64);
    assert_eq!(under_accounts(&admin), 120);
    let join = "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Opportunity)";
    let anti = "SELECT Id FROM Account WHERE Id NOT IN (SELECT AccountId FROM Opportunity)";
    assert!(total(&aiko, join) < total(&admin, join));
    assert_eq!(total(&aiko, join) + total(&aiko, anti), 60);
    // A task of hers about a sale that she does not see: the id is there, the sale is not.
    let tasks = "SELECT WhatId, What.Name FROM Task WHERE WhatId != null";
    let rows = ask(&ORG, &aiko, tasks).unwrap().records;
    let (mut with, mut without) = (0, 0);
    for row in rows {
        let what = Id::parse(row["WhatId"].as_str().unwrap()).unwrap();
        let readable = aiko.may_read(&ORG, ORG.find(what).unwrap().1);
        assert_eq!(row["What"].is_null(), !readable);
        *(if readable { &mut with } else { &mut without }) += 1;
    }
    assert!(with > 10 && without > 10, "{with} {without}");
    // Fields that several objects have in common do not give away what one of them hides.
    let phones = "SELECT Who.Type, Who.Phone FROM Task WHERE WhoId != null";
    let told = |session: &Session, object: &str| -> usize {
        let rows = ask(&ORG, session, phones).unwrap().records;
        let told = rows
            .iter()
            .filter(|row| row["Who"]["Type"] == object && !row["Who"]["Phone"].is_null());
        told.count()
    };
    let hedda = session(&ORG, HEDDA);
    assert!(told(&aiko, "Lead") > 5 && told(&hedda, "Contact") > 5);
    assert_eq!(told(&hedda, "Lead"), 0);
}

/// What is hidden is refused as what does not exist, wherever a query names it.
#[test]
fn hidden_names_do_not_exist() {
    let cases = [
        (AIKO, "SELECT {} FROM Account", "AnnualRevenue"),
        (AIKO, "SELECT Id FROM Account WHERE {} > 5", "AnnualRevenue"),
        (AIKO, "SELECT Id FROM Account ORDER BY {}", "AnnualRevenue"),
        (AIKO, "SELECT SUM({}) FROM Account", "AnnualRevenue"),
        (
            AIKO,
            "SELECT COUNT(Id) FROM Contact GROUP BY {}",
            "Birthdate",
        ),
        (AIKO, "SELECT Account.{} FROM Opportunity", "AnnualRevenue"),
        (
            AIKO,
            "SELECT (SELECT {} FROM Contacts) FROM Account",
            "Birthdate",
        ),
        (
            AIKO,
            "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE {} = null)",
            "Birthdate",
        ),
        (
            AIKO,
            "SELECT TYPEOF What WHEN Account THEN {} END FROM Task",
            "AnnualRevenue",
        ),
        (AIKO, "SELECT Id FROM {}", "Measurement__c"),
        (HEDDA, "SELECT Id FROM {}", "Opportunity"),
        (
            HEDDA,
            "SELECT Id, (SELECT Id FROM {}) FROM Account",
            "Opportunities",
        ),
        (
            HEDDA,
            "SELECT TYPEOF What WHEN {} THEN Name END FROM Task",
            "Opportunity",
        ),
        (HEDDA, "SELECT {}.Name FROM Lead", "ConvertedOpportunity"),
        (HEDDA, "SELECT Id FROM Lead WHERE {} = 'x'", "City"),
    ];
    for (place, soql, hidden) in cases {
        let absent = format!("{}zz", &hidden[..hidden.len() - 2]);
        let error = |name: &str| {
            let soql = soql.replace("{}", name);
            let error = ask(&ORG, &session(&ORG, place), &soql).unwrap_err();
            (error.code, error.status, error.message.replace(name, "?"))
        };
        assert_eq!(error(hidden), error(&absent), "{soql}");
        let seen = soql.replace("{}", hidden);
        assert!(ask(&ORG, &session(&ORG, ADMIN), &seen).is_ok(), "{seen}");
    }
    for object in &ORG.schema.objects {
        let Some(seen) = session(&ORG, AIKO).schema().object(&object.name).cloned() else {
            continue;
        };
        // Links are asked for by their file or record.
        let condition = match &*object.name {
            "ContentDocumentLink" => "WHERE LinkedEntityId IN (SELECT Id FROM Account)",
            _ => "",
        };
        let name = &object.name;
        let soql = format!("SELECT FIELDS(ALL) FROM {name} {condition} LIMIT 1");
        for row in ask(&ORG, &session(&ORG, AIKO), &soql).unwrap().records {
            let members = row
                .as_object()
                .unwrap()
                .keys()
                .filter(|key| *key != "attributes");
            let fields: BTreeSet<&str> = seen.fields.iter().map(|field| &*field.name).collect();
            assert_eq!(members.map(String::as_str).collect::<BTreeSet<_>>(), fields);
        }
    }
}
