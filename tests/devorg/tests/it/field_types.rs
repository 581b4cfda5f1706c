//! Fields of every type: described, written and read, by REST and by SOAP.

use serde_json::{Value as Json, json};

use crate::client::{Api, V};
use crate::soap;

/// Values of every field of an inspection that can be set.
fn values() -> Json {
    json!({
        "Summary__c": "Ground floor",
        "Findings__c": "One\nTwo",
        "Report__c": "<p>One &amp; <b>two</b></p>",
        "Hours__c": 2.25,
        "Hourly_Rate__c": 80.5,
        "Progress__c": 12.5,
        "Planned_For__c": "2026-12-01",
        "Started_At__c": "2026-11-23T08:00:00.000Z",
        "Gate_Opens__c": "06:45:10.250Z",
        "Follow_Up__c": true,
        "Result__c": "C",
        "Areas__c": "Fire;Roof",
        "Contact_Email__c": "gate@site.example",
        "Contact_Phone__c": "+49 30 1",
        "Plan__c": "https://plans.example/a",
        "Door_Code__c": "1234-9876",
        "Place__Latitude__s": 52.520008,
        "Place__Longitude__s": -13.404954,
    })
}

async fn make(api: &Api) -> String {
    let path = format!("{V}/sobjects/Inspection__c");
    let made = api.send_json("POST", &path, &values()).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.json()["id"].as_str().unwrap().to_owned()
}

/// Gives the token of the user whose name begins so.
fn token_of(api: &Api, user: &str) -> String {
    let mut users = api.org.users().iter();
    let user = users.find(|known| known.username.starts_with(user));
    user.unwrap().access_token.clone()
}

#[tokio::test]
async fn the_types_are_described_as_salesforce_describes_them() {
    let api = Api::new().await;
    let describe = api
        .get(&format!("{V}/sobjects/Inspection__c/describe"))
        .await
        .json();
    let fields = describe["fields"].as_array().unwrap();
    let mut said = String::new();
    for name in [
        "Gate_Opens__c",
        "Report__c",
        "Door_Code__c",
        "Place__Latitude__s",
        "Place__Longitude__s",
        "Place__c",
    ] {
        let field = fields.iter().find(|field| field["name"] == name).unwrap();
        let keys = [
            "type",
            "soapType",
            "custom",
            "createable",
            "filterable",
            "sortable",
            "groupable",
            "length",
            "precision",
            "scale",
            "compoundFieldName",
            "queryByDistance",
            "mask",
            "maskType",
            "htmlFormatted",
            "extraTypeInfo",
        ];
        let keys = keys.map(|key| format!("{key}={}", field[key]));
        said.push_str(&format!("{name}: {}\n", keys.join(" ")));
    }
    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn values_of_every_type_are_stored_and_read() {
    let api = Api::new().await;
    let id = make(&api).await;
    let mut expected = values();
    expected["Started_At__c"] = json!("2026-11-23T08:00:00.000+0000");
    expected["Total__c"] = json!(181.13);
    expected["Place__c"] = json!({"latitude": 52.520008, "longitude": -13.404954});
    let record = api
        .get(&format!("{V}/sobjects/Inspection__c/{id}"))
        .await
        .json();
    let names: Vec<&String> = expected.as_object().unwrap().keys().collect();
    let list: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    let soql = format!(
        "SELECT {} FROM Inspection__c WHERE Id = '{id}'",
        list.join(", ")
    );
    let row = api.rows(&soql).await.remove(0);
    for name in names {
        assert_eq!(record[name], expected[name], "{name}");
        assert_eq!(row[name], expected[name], "{name}");
    }
    assert_eq!(record["Name"], "INSP-0013");

    let own = format!("{V}/sobjects/Inspection__c/{id}");
    let changes = json!({"Gate_Opens__c": "23:59:59", "Place__Latitude__s": null, "Place__Longitude__s": null, "Door_Code__c": null});
    let changed = api.send_json("PATCH", &own, &changes).await;
    assert_eq!(changed.status, 204, "{changed:?}");
    let record = api.get(&own).await.json();
    assert_eq!(record["Gate_Opens__c"], "23:59:59.000Z");
    assert!(record["Place__c"].is_null() && record["Door_Code__c"].is_null());
}

#[tokio::test]
async fn what_is_none_is_refused() {
    let api = Api::new().await;
    let path = format!("{V}/sobjects/Inspection__c");
    let mut said = String::new();
    for body in [
        json!({"Gate_Opens__c": "6:45"}),
        json!({"Gate_Opens__c": "25:00:00Z"}),
        json!({"Gate_Opens__c": "2026-11-23T08:00:00Z"}),
        json!({"Place__c": {"latitude": 1, "longitude": 2}}),
        json!({"Place__Latitude__s": 90.5, "Place__Longitude__s": 0}),
        json!({"Place__Longitude__s": -180.1}),
        json!({"Door_Code__c": "x".repeat(176)}),
    ] {
        let answer = api.send_json("POST", &path, &body).await;
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        let error = &answer.json()[0];
        let message = error["message"].as_str().unwrap();
        said.push_str(&format!(
            "{}: {:.90}\n",
            error["errorCode"].as_str().unwrap(),
            message
        ));
    }
    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn times_and_places_are_asked_for() {
    let api = Api::new().await;
    let id = make(&api).await;
    for (condition, found) in [
        ("Gate_Opens__c = 06:45:10.250Z", true),
        ("Gate_Opens__c = 07:45:10.250+01:00", true),
        ("Gate_Opens__c < 06:45:10.250Z", false),
        (
            "Gate_Opens__c >= 06:45:10Z AND Gate_Opens__c <= 06:46:00Z",
            true,
        ),
        ("Gate_Opens__c IN (06:45:10.25Z, 01:00:00Z)", true),
        ("Gate_Opens__c = null", false),
        (
            "DISTANCE(Place__c, GEOLOCATION(52.5, -13.4), 'km') < 3",
            true,
        ),
        (
            "DISTANCE(Place__c, GEOLOCATION(52.5, -13.4), 'km') > 3",
            false,
        ),
    ] {
        let soql = format!("SELECT Id FROM Inspection__c WHERE Id = '{id}' AND {condition}");
        assert_eq!(api.rows(&soql).await.len() == 1, found, "{condition}");
    }
    let order = api
        .rows("SELECT Gate_Opens__c, FORMAT(Gate_Opens__c) said FROM Inspection__c ORDER BY Gate_Opens__c DESC NULLS LAST")
        .await;
    assert_eq!(order[0]["Gate_Opens__c"], "08:30:00.000Z");
    assert_eq!(order[0]["said"], "8:30 AM");
    for (soql, code) in [
        (
            "SELECT Id FROM Inspection__c WHERE Gate_Opens__c = '06:45:10Z'",
            "INVALID_FIELD",
        ),
        (
            "SELECT Id FROM Inspection__c WHERE Planned_For__c = 06:45:10Z",
            "INVALID_FIELD",
        ),
        (
            "SELECT Id FROM Inspection__c WHERE Place__c = null",
            "INVALID_FIELD",
        ),
        (
            "SELECT Id FROM Inspection__c WHERE Door_Code__c = '1234-9876'",
            "INVALID_FIELD",
        ),
        (
            "SELECT Id FROM Inspection__c ORDER BY Door_Code__c",
            "MALFORMED_QUERY",
        ),
    ] {
        let answer = api.query(soql).await;
        assert_eq!(answer.status, 400, "{soql}");
        assert_eq!(answer.json()[0]["errorCode"], code, "{soql}: {answer:?}");
    }
}

#[tokio::test]
async fn what_is_encrypted_is_masked_for_who_may_not_view_it() {
    let mut api = Api::new().await;
    let id = make(&api).await;
    api.token = token_of(&api, "gus.hale");
    let own = format!("{V}/sobjects/Inspection__c/{id}");
    let masked = json!("*****9876");
    assert_eq!(api.get(&own).await.json()["Door_Code__c"], masked);
    let soql = format!("SELECT Door_Code__c FROM Inspection__c WHERE Id = '{id}'");
    assert_eq!(api.rows(&soql).await[0]["Door_Code__c"], masked);
    let find = format!("{V}/search/?q=FIND+%7B9876%7D+RETURNING+Inspection__c(Id)");
    assert_eq!(api.get(&find).await.json()["searchRecords"], json!([]));
    let xml = soap::call(
        &api,
        &format!("<query><queryString>{soql}</queryString></query>"),
    )
    .await;
    assert!(xml.contains(">*****9876<"), "{xml}");
    // Who may not read it may write it all the same.
    let changed = api
        .send_json("PATCH", &own, &json!({"Door_Code__c": "0000-1111"}))
        .await;
    assert_eq!(changed.status, 204, "{changed:?}");
    api.token = token_of(&api, "robin.admin");
    assert_eq!(api.get(&own).await.json()["Door_Code__c"], "0000-1111");
}

#[tokio::test]
async fn soap_writes_and_reads_the_types() {
    let api = Api::new().await;
    let xml = soap::call(&api, "<create><sObjects><type>Inspection__c</type><Gate_Opens__c>06:45:10.250Z</Gate_Opens__c><Place__Latitude__s>1.5</Place__Latitude__s><Place__Longitude__s>-2.5</Place__Longitude__s><Door_Code__c>12345678</Door_Code__c></sObjects></create>").await;
    let (_, rest) = xml.split_once("<id>").unwrap();
    let id = rest.split_once("</id>").unwrap().0;
    let xml = soap::call(&api, &format!("<query><queryString>SELECT Gate_Opens__c, Place__c, Door_Code__c FROM Inspection__c WHERE Id = '{id}'</queryString></query>")).await;
    let (_, rest) = xml.split_once("<records").unwrap();
    let (record, _) = rest.split_once("</records>").unwrap();
    insta::assert_snapshot!(record.replace(id, "a01").replace("><", ">\n<"));
}

#[tokio::test]
async fn a_described_object_has_the_types_too() {
    let sample = Api::new().await;
    let mut describe = sample
        .get(&format!("{V}/sobjects/Inspection__c/describe"))
        .await
        .json();
    describe["name"] = json!("Survey__c");
    describe["keyPrefix"] = json!("a7Z");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("Survey__c.json"), describe.to_string()).unwrap();
    let options = salesforce_devorg::Options {
        describe: Some(folder.path().to_owned()),
        ..salesforce_devorg::Options::default()
    };
    let api = Api::with(options).await;
    assert_eq!(api.org.notes(), [""; 0]);
    let path = format!("{V}/sobjects/Survey__c");
    let made = api.send_json("POST", &path, &values()).await;
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let record = api.get(&format!("{path}/{id}")).await.json();
    assert_eq!(record["Gate_Opens__c"], "06:45:10.250Z");
    assert_eq!(record["Place__c"]["longitude"], -13.404954);
    assert_eq!(record["Door_Code__c"], "1234-9876");
}
