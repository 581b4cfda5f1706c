//! The sample org: what a first question finds.

use super::*;

#[test]
fn questions_of_the_sample_org_are_answered() {
    let org = Org::sample(NOW.parse().unwrap());
    for (soql, total) in [
        ("SELECT COUNT() FROM Account", 60),
        ("SELECT Id FROM Measurement__c", 5_000),
        (
            "SELECT StageName, COUNT(Id), SUM(Amount) FROM Opportunity GROUP BY StageName",
            10,
        ),
        (
            "SELECT Id FROM Contact WHERE AccountId IN (SELECT Id FROM Account)",
            194,
        ),
    ] {
        assert_eq!(ask(&org, soql).unwrap().total_size, total, "{soql}");
    }
    let alone = ask(
        &org,
        "SELECT COUNT() FROM Contact WHERE Account.Name = null",
    )
    .unwrap();
    assert_eq!(alone.total_size, 6);
    // Every object answers with all its fields.
    for object in &org.schema.objects {
        // Links are asked for by their file or record.
        let condition = match &*object.name {
            "ContentDocumentLink" => "WHERE LinkedEntityId IN (SELECT Id FROM Account)",
            _ => "",
        };
        let soql = format!(
            "SELECT FIELDS(ALL) FROM {} {condition} LIMIT 200",
            object.name
        );
        assert!(
            !ask(&org, &soql).unwrap().records.is_empty(),
            "{}",
            object.name
        );
    }
}

#[test]
fn a_large_object_is_filtered_and_ordered() {
    let org = Org::sample(NOW.parse().unwrap());
    let soql = "SELECT Name, Value__c, Account__r.Name FROM Measurement__c \
                WHERE Value__c > 0 AND Sensor__c LIKE '%1%' AND Taken_At__c < TODAY \
                ORDER BY Value__c DESC NULLS LAST LIMIT 5";
    let answer = ask(&org, soql).unwrap();
    assert_eq!(answer.records.len(), 5);
    let values = answer
        .records
        .iter()
        .map(|row| row["Value__c"].as_f64().unwrap());
    assert!(values.is_sorted_by(|a, b| a >= b));
}
