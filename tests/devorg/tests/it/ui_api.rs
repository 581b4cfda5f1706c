//! The User Interface API: objects, picklists by record type, records as a page shows them.

use serde_json::{Value as Json, json};

use crate::client::{Api, V};

fn values(body: &Json) -> Vec<&str> {
    let values = body["values"].as_array().unwrap();
    values
        .iter()
        .map(|value| value["value"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_record_type_cuts_picklists_down() {
    let api = Api::new().await;
    let path = format!("{V}/ui-api/object-info/Account/picklist-values");
    let whole = api
        .get(&format!("{path}/012000000000000AAA/Type"))
        .await
        .json();
    assert_eq!(values(&whole).len(), 7);
    let info = api
        .get(&format!("{V}/ui-api/object-info/Account"))
        .await
        .json();
    let mut seen = 0;
    for (id, record_type) in info["recordTypeInfos"].as_object().unwrap() {
        let of_type = api.get(&format!("{path}/{id}/Type")).await.json();
        let expected: &[&str] = match record_type["name"].as_str().unwrap() {
            "Business Account" => &[
                "Prospect",
                "Customer - Direct",
                "Customer - Channel",
                "Technology Partner",
                "Other",
            ],
            "Partner Account" => &[
                "Channel Partner / Reseller",
                "Installation Partner",
                "Technology Partner",
                "Other",
            ],
            _ => continue,
        };
        seen += 1;
        assert_eq!(values(&of_type), expected);
        // The accounts keep to it.
        let types = expected.join("', '");
        let soql = format!(
            "SELECT COUNT() FROM Account WHERE RecordTypeId = '{id}' AND Type NOT IN ('{types}')"
        );
        assert_eq!(api.query(&soql).await.json()["totalSize"], 0);
        let all = api.get(&format!("{path}/{id}")).await.json();
        assert_eq!(all["picklistFieldValues"]["Type"], of_type);
        let industries = &all["picklistFieldValues"]["Industry"];
        assert_eq!(values(industries).len(), 32);
        assert_eq!(
            (
                &industries["controllerValues"],
                &industries["values"][0]["validFor"]
            ),
            (&json!({}), &json!([]))
        );
    }
    assert_eq!(seen, 2);
    let status = api
        .get(&format!(
            "{V}/ui-api/object-info/Case/picklist-values/012000000000000AAA/Status"
        ))
        .await
        .json();
    assert_eq!(status["defaultValue"]["value"], "New");
    for (end, status, code) in [
        ("012DO00000zzzzz/Type", 400, "INVALID_RECORD_TYPE"),
        ("x/Type", 400, "INVALID_RECORD_TYPE"),
        ("012000000000000AAA/Name", 404, "NOT_FOUND"),
        ("012000000000000AAA/Type/x", 404, "NOT_FOUND"),
    ] {
        api.get(&format!("{path}/{end}"))
            .await
            .assert_error(status, code);
    }
}

#[tokio::test]
async fn a_dependent_picklist_says_what_its_values_go_with() {
    let api = Api::new().await;
    let path = format!("{V}/ui-api/object-info/Measurement__c");
    let unit = api
        .get(&format!(
            "{path}/picklist-values/012000000000000AAA/Unit__c"
        ))
        .await
        .json();
    assert_eq!(
        unit["controllerValues"],
        json!({"Temperature": 0, "Pressure": 1, "Vibration": 2, "Power": 3})
    );
    assert_eq!(
        unit["values"][0],
        json!({"attributes": null, "label": "°C", "validFor": [0, 3], "value": "degC"})
    );
    let info = api.get(&path).await.json();
    assert_eq!(info["dependentFields"], json!({"Kind__c": {"Unit__c": {}}}));
    assert_eq!(
        info["fields"]["Unit__c"]["controllingFields"],
        json!(["Kind__c"])
    );
    // The describe says the same in bits.
    let describe = api
        .get(&format!("{V}/sobjects/Measurement__c/describe"))
        .await
        .json();
    let fields = describe["fields"].as_array().unwrap();
    let field = |name: &str| fields.iter().find(|field| field["name"] == name).unwrap();
    let unit = field("Unit__c");
    assert_eq!(
        (&unit["controllerName"], &unit["dependentPicklist"]),
        (&json!("Kind__c"), &json!(true))
    );
    let bits: Vec<&str> = unit["picklistValues"]
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value["validFor"].as_str().unwrap())
        .collect();
    assert_eq!(bits, ["kAAA", "QAAA", "IAAA", "EAAA"]);
    assert_eq!(
        field("Kind__c")["picklistValues"][0]["validFor"],
        json!(null)
    );
    // The records keep to it.
    for (kind, unit) in [
        ("Temperature", "degC"),
        ("Pressure", "bar"),
        ("Vibration", "mm/s"),
        ("Power", "kW"),
    ] {
        let soql = format!(
            "SELECT COUNT() FROM Measurement__c WHERE Kind__c = '{kind}' AND Unit__c != '{unit}'"
        );
        assert_eq!(api.query(&soql).await.json()["totalSize"], 0);
    }
}

#[tokio::test]
async fn objects_are_told_as_pages_need_them() {
    let api = Api::new().await;
    let directory = api.get(&format!("{V}/ui-api/object-info")).await.json();
    let directory = directory["objects"].as_object().unwrap();
    assert!(directory.contains_key("Opportunity") && !directory.contains_key("Profile"));
    for entry in directory.values() {
        let info = api
            .get(entry["objectInfoUrl"].as_str().unwrap())
            .await
            .json();
        let describe = api
            .get(&format!(
                "{V}/sobjects/{}/describe",
                entry["apiName"].as_str().unwrap()
            ))
            .await
            .json();
        let fields = describe["fields"].as_array().unwrap();
        assert_eq!(info["fields"].as_object().unwrap().len(), fields.len());
        for field in fields {
            let own = &info["fields"][field["name"].as_str().unwrap()];
            for key in [
                "label",
                "length",
                "precision",
                "scale",
                "createable",
                "updateable",
                "relationshipName",
            ] {
                assert_eq!(own[key], field[key], "{}", field["name"]);
            }
        }
    }
    let contact = api
        .get(&format!("{V}/ui-api/object-info/Contact"))
        .await
        .json();
    assert_eq!(
        contact["fields"]["AccountId"]["referenceToInfos"],
        json!([{"apiName": "Account", "nameFields": ["Name"]}])
    );
    assert_eq!(
        contact["nameFields"]
            .as_array()
            .and_then(|names| names.last()),
        Some(&json!("Name"))
    );
    assert_eq!(contact["defaultRecordTypeId"], "012000000000000AAA");
    api.get(&format!("{V}/ui-api/object-info/Nothing"))
        .await
        .assert_error(404, "NOT_FOUND");
    api.send("POST", &format!("{V}/ui-api/object-info"), &[], "{}")
        .await
        .assert_error(405, "METHOD_NOT_ALLOWED");
}

#[tokio::test]
async fn a_record_is_shown_with_what_people_read() {
    let api = Api::new().await;
    let sale = api.query("SELECT Id, Amount, CloseDate, Owner.Name, Account.Owner.Name FROM Opportunity WHERE Amount > 1000 AND AccountId != NULL LIMIT 1").await.json();
    let sale = sale["records"][0].clone();
    let id = sale["Id"].as_str().unwrap();
    let path = format!(
        "{V}/ui-api/records/{id}?fields=Opportunity.amount,Opportunity.CloseDate,Opportunity.StageName,Opportunity.Owner.Name,Opportunity.Account.Owner.Name,Opportunity.CreatedDate&optionalFields=Opportunity.Nothing,Opportunity.IsWon"
    );
    let answer = api.get(&path).await;
    let record = answer.json();
    assert_eq!(
        (&record["apiName"], &record["id"], &record["recordTypeId"]),
        (
            &json!("Opportunity"),
            &json!(id),
            &json!("012000000000000AAA")
        )
    );
    let fields = &record["fields"];
    assert_eq!(fields["Amount"]["value"], sale["Amount"]);
    let display = fields["Amount"]["displayValue"].as_str().unwrap();
    assert!(
        display.starts_with('$') && display.contains(','),
        "{display}"
    );
    assert_eq!(fields["CloseDate"]["value"], sale["CloseDate"]);
    assert!(
        fields["CloseDate"]["displayValue"]
            .as_str()
            .unwrap()
            .contains('/')
    );
    assert_eq!(fields["Owner"]["displayValue"], sale["Owner"]["Name"]);
    assert_eq!(
        fields["Owner"]["value"]["fields"]["Name"],
        json!({"displayValue": null, "value": sale["Owner"]["Name"]})
    );
    assert_eq!(
        fields["Account"]["value"]["fields"]["Owner"]["value"]["apiName"],
        "User"
    );
    assert!(
        fields["CreatedDate"]["value"]
            .as_str()
            .unwrap()
            .ends_with(".000Z")
    );
    assert_eq!(fields["IsWon"]["displayValue"], json!(null));
    assert_eq!(fields.as_object().unwrap().len(), 7);
    // The same is not sent again, and what was shown was seen.
    let again = api
        .get_with(&path, "If-None-Match", answer.header("etag"))
        .await;
    assert_eq!((again.status, &*again.text), (304, ""));
    let recent = api.get(&format!("{V}/recent?limit=1")).await.json();
    assert_eq!(recent[0]["Id"], id);
    for (end, status, code) in [
        (id.to_owned(), 400, "MISSING_ARGUMENT"),
        (format!("{id}?fields=Amount"), 400, "INVALID_FIELD"),
        (format!("{id}?fields=Account.Name"), 400, "INVALID_FIELD"),
        (
            format!("{id}?fields=Opportunity.Nothing"),
            400,
            "INVALID_FIELD",
        ),
        (
            format!("{id}?fields=Opportunity.Name%20FROM%20Account%20--"),
            400,
            "INVALID_FIELD",
        ),
        (
            "006DO00000zzzzz?fields=Opportunity.Name".to_owned(),
            404,
            "NOT_FOUND",
        ),
        ("x?fields=Opportunity.Name".to_owned(), 404, "NOT_FOUND"),
    ] {
        api.get(&format!("{V}/ui-api/records/{end}"))
            .await
            .assert_error(status, code);
    }
}
