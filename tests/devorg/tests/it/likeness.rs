//! `--describe` and `--data`: the likeness of somebody's own org.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use salesforce_devorg::{Limit, Options};
use serde_json::{Map, Value as Json, json};
use tempfile::TempDir;

use crate::client::{Api, V, query};
use crate::describes::recordings;
use crate::process::{Running, run};

fn folder(files: &[(&str, Json)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, json) in files {
        std::fs::write(folder.path().join(name), json.to_string()).unwrap();
    }
    folder
}

async fn org(describe: Option<&Path>, data: Option<&Path>) -> Api {
    Api::with(Options {
        describe: describe.map(Path::to_owned),
        data: data.map(Path::to_owned),
        ..Options::default()
    })
    .await
}

async fn describe(api: &Api, object: &str) -> Json {
    let answer = api.get(&format!("{V}/sobjects/{object}/describe")).await;
    assert_eq!(answer.status, 200, "{object}: {answer:?}");
    answer.json()
}

async fn count(api: &Api, from: &str) -> u64 {
    let answer = api.query(&format!("SELECT COUNT() FROM {from}")).await;
    assert_eq!(answer.status, 200, "{from}: {answer:?}");
    answer.json()["totalSize"].as_u64().unwrap()
}

/// Leaves out where record types' layouts are: under the version that is asked for.
fn without_addresses(mut describe: Json) -> Json {
    for info in describe["recordTypeInfos"].as_array_mut().unwrap() {
        info.as_object_mut().unwrap().remove("urls");
    }
    describe
}

/// Leaves of a describe what one org has and another does not: relationships to other objects.
fn alone(mut describe: Json, known: &[String]) -> Json {
    let is_known = |name: &Json| known.iter().any(|known| name == known);
    let children = describe["childRelationships"].as_array_mut().unwrap();
    children.retain(|child| is_known(&child["childSObject"]));
    without_addresses(describe)
}

#[tokio::test]
async fn an_object_is_described_as_it_was_loaded() {
    let api = org(None, None).await;
    let global = api.get(&format!("{V}/sobjects")).await.json();
    let names: Vec<String> = global["sobjects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|object| object["name"].as_str().unwrap().to_owned())
        .collect();
    let mut described = Vec::new();
    for name in &names {
        described.push(describe(&api, name).await);
    }
    let files: Vec<(String, Json)> = names
        .iter()
        .zip(&described)
        // Half as the API answers, half as `sf` prints it.
        .enumerate()
        .map(|(at, (name, describe))| {
            let json = match at % 2 {
                0 => describe.clone(),
                _ => json!({"status": 0, "result": describe, "warnings": []}),
            };
            (format!("{name}.json"), json)
        })
        .collect();
    let files: Vec<(&str, Json)> = files.iter().map(|(n, json)| (&**n, json.clone())).collect();
    let folder = folder(&files);
    let loaded = org(Some(folder.path()), None).await;
    for (name, before) in names.iter().zip(described) {
        let after = describe(&loaded, name).await;
        for (key, value) in before.as_object().unwrap() {
            assert_eq!(&after[key], value, "{name}.{key}");
        }
    }
    assert_eq!(loaded.get(&format!("{V}/sobjects")).await.json(), global);
    // The sample's records fit these objects, and its people still see what they saw.
    for from in [
        "Account",
        "Contact",
        "Measurement__c",
        "Task",
        "ContentVersion",
    ] {
        assert_eq!(
            count(&loaded, from).await,
            count(&api, from).await,
            "{from}"
        );
    }
}

#[tokio::test]
async fn recorded_describes_are_loaded() {
    let Some(recordings) = recordings() else {
        return;
    };
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(recordings).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let object = name
            .strip_prefix("describe-")
            .and_then(|name| name.strip_suffix(".json"));
        if let Some(object) = object.filter(|object| *object != "global") {
            std::fs::copy(&path, folder.path().join(&name)).unwrap();
            files.insert(object.to_owned(), path);
        }
    }
    assert!(files.len() > 5);
    let api = org(Some(folder.path()), None).await;
    let global = api.get(&format!("{V}/sobjects")).await.json();
    let known = global["sobjects"].as_array().unwrap().iter();
    let known: Vec<String> = known
        .map(|object| object["name"].as_str().unwrap().to_owned())
        .collect();
    for (object, path) in files {
        let recorded: Json = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let recorded = alone(recorded, &known);
        let ours = without_addresses(describe(&api, &object).await);
        let fields = |describe: &Json| -> BTreeMap<String, Json> {
            let fields = describe["fields"].as_array().unwrap().iter();
            fields
                .map(|field| (field["name"].as_str().unwrap().to_owned(), field.clone()))
                .collect()
        };
        let (recorded_fields, our_fields) = (fields(&recorded), fields(&ours));
        for (name, field) in &recorded_fields {
            let own = &our_fields[name];
            for (key, value) in field.as_object().unwrap() {
                assert_eq!(&own[key], value, "{object}.{name}.{key}");
            }
        }
        for key in [
            "label",
            "keyPrefix",
            "createable",
            "custom",
            "recordTypeInfos",
            "queryable",
        ] {
            if recorded[key].is_null() {
                continue; // Some recordings lack their prefixes.
            }
            assert_eq!(ours[key], recorded[key], "{object}.{key}");
        }
    }
    assert!(count(&api, "Account").await > 0);
}

/// Makes the describe of a custom object of visits, from one of the org's own.
async fn visits(api: &Api) -> Json {
    let mut describe = describe(api, "Measurement__c").await;
    let fields = describe["fields"].as_array().unwrap();
    let field = |name: &str| -> Json {
        fields
            .iter()
            .find(|field| field["name"] == name)
            .unwrap()
            .clone()
    };
    let standard = [
        "Id",
        "IsDeleted",
        "OwnerId",
        "CreatedDate",
        "CreatedById",
        "LastModifiedDate",
        "LastModifiedById",
        "SystemModstamp",
    ];
    let mut all: Vec<Json> = standard.map(field).to_vec();
    let mut account = field("Account__c");
    account["relationshipName"] = json!("Account__r");
    let mut place = field("Sensor__c");
    (place["name"], place["label"]) = (json!("Place__c"), json!("Place"));
    let mut key = field("External_Key__c");
    (key["name"], key["label"]) = (json!("Visit_Key__c"), json!("Visit Key"));
    let mut name = field("Sensor__c");
    (name["name"], name["label"], name["nameField"]) = (json!("Name"), json!("Visit"), json!(true));
    name["custom"] = json!(false);
    let mut number = field("Value__c");
    for (flag, value) in [("externalId", true), ("unique", true), ("idLookup", true)] {
        number[flag] = json!(value);
    }
    (number["name"], number["label"]) = (json!("Number__c"), json!("Number"));
    all.extend([name, account, place, key, number]);
    describe["fields"] = json!(all);
    for (key, value) in [
        ("name", json!("Visit__c")),
        ("label", json!("Visit")),
        ("labelPlural", json!("Visits")),
        ("keyPrefix", json!("a7V")),
        ("childRelationships", json!([])),
        ("recordTypeInfos", json!([])),
    ] {
        describe[key] = value;
    }
    describe
}

fn of(kind: &str, reference: &str, fields: Json) -> Json {
    let mut record = json!({"attributes": {"type": kind, "referenceId": reference}});
    record
        .as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    record
}

#[tokio::test]
async fn a_custom_object_is_there_with_its_records() {
    let sample = org(None, None).await;
    let mut accounts = describe(&sample, "Account").await;
    accounts["childRelationships"]
        .as_array_mut()
        .unwrap()
        .push(json!({
            "cascadeDelete": false, "childSObject": "Visit__c", "deprecatedAndHidden": false,
            "field": "Account__c", "junctionIdListNames": [], "junctionReferenceTo": [],
            "relationshipName": "Visits__r", "restrictedDelete": false,
        }));
    let describes = folder(&[
        ("Visit__c.json", visits(&sample).await),
        ("Account.json", json!({"status": 0, "result": accounts})),
    ]);
    // A visit comes before its account, and a contact is below hers.
    let data = folder(&[
        (
            "A-visits.json",
            json!({"records": [
                of("Visit__c", "V1", json!({"Name": "First", "Place__c": "Lisbon", "Visit_Key__c": "v-1", "Account__c": "@A1"})),
                of("Visit__c", "V2", json!({"Name": "Second", "Place__c": "Porto", "Account__c": "001AB00000Gw2xyYAB", "OwnerId": "aiko.mori@devorg.example"})),
            ]}),
        ),
        (
            "B-accounts.json",
            json!({"records": [
                of("Account", "A1", json!({"Name": "Mine", "Industry": "Energy", "AnnualRevenue": 12.5,
                    "CreatedDate": "2024-02-03T04:05:06.000+0000", "OwnerId": "005AB000001Gone",
                    "Contacts": {"records": [of("Contact", "C1", json!({"LastName": "Silva", "Email": "silva@mine.example"}))]}})),
                of("Account", "A2", json!({"Id": "001AB00000Gw2xyYAB", "Name": "Theirs", "Parent": {"attributes": {"type": "Account"}, "Name": "Mine"}, "ParentId": "@A1", "PhotoUrl": "/x"})),
            ]}),
        ),
    ]);
    // All references are of one export: a plan joins the files.
    let plan = json!([
        {"sobject": "Visit__c", "saveRefs": true, "resolveRefs": true, "files": ["A-visits.json"]},
        {"sobject": "Account", "saveRefs": true, "resolveRefs": true, "files": ["B-accounts.json"]},
    ]);
    std::fs::write(data.path().join("mine-plan.json"), plan.to_string()).unwrap();
    let mut api = org(Some(describes.path()), Some(data.path())).await;
    assert_eq!(
        api.org.notes(),
        [
            "1 value of Account.OwnerId: replaced by the administrator, since they name nobody here",
            "1 value of Account.Parent: left out, since it is of another record",
            "1 value of Account.PhotoUrl: left out, since the org fills it in itself",
        ]
    );

    let all = [
        ("Account", 2),
        ("Contact", 1),
        ("Visit__c", 2),
        ("Opportunity", 0),
        ("Case", 0),
    ];
    for (object, expected) in all {
        assert_eq!(count(&api, object).await, expected, "{object}");
    }
    let rows = api
        .rows("SELECT Id, Name, Place__c, Account__r.Name, Owner.Username, CreatedBy.Username FROM Visit__c ORDER BY Name")
        .await;
    let told = |row: &Json| {
        let text = |value: &Json| value.as_str().unwrap().to_owned();
        [
            &row["Name"],
            &row["Place__c"],
            &row["Account__r"]["Name"],
            &row["Owner"]["Username"],
        ]
        .map(text)
    };
    let told: Vec<_> = rows.iter().map(told).collect();
    assert_eq!(
        told[0],
        ["First", "Lisbon", "Mine", "robin.admin@devorg.example"]
    );
    assert_eq!(
        told[1],
        ["Second", "Porto", "Theirs", "aiko.mori@devorg.example"]
    );
    let rows = api
        .rows("SELECT Id, Name, ParentId, CreatedDate, (SELECT Name FROM Visits__r), (SELECT LastName FROM Contacts) FROM Account ORDER BY Name")
        .await;
    assert_eq!(rows[0]["CreatedDate"], "2024-02-03T04:05:06.000+0000");
    assert_eq!(rows[0]["Visits__r"]["records"][0]["Name"], "First");
    assert_eq!(rows[0]["Contacts"]["records"][0]["LastName"], "Silva");
    assert_eq!(rows[1]["Id"], "001AB00000Gw2xyYAB");
    assert_eq!(rows[1]["ParentId"], rows[0]["Id"]);

    // What is loaded is like what is made: found, changed, made anew by its external id.
    let find = query(&[("q", "FIND {Porto} IN ALL FIELDS RETURNING Visit__c(Name)")]);
    let found = api.get(&format!("{V}/search?{find}")).await.json();
    assert_eq!(found["searchRecords"][0]["Name"], "Second");
    let by_key = format!("{V}/sobjects/Visit__c/Visit_Key__c");
    for (key, status) in [("v-1", 200), ("v-2", 201)] {
        let body = json!({"Name": "Again", "Place__c": "Faro"});
        let answer = api
            .send_json("PATCH", &format!("{by_key}/{key}"), &body)
            .await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    assert_eq!(count(&api, "Visit__c WHERE Place__c = 'faro'").await, 2);
    // A number may be an external id, too.
    let by_number = format!("{V}/sobjects/Visit__c/Number__c");
    for (number, status) in [("7", 201), ("7.0", 200), ("8", 201)] {
        let body = json!({"Name": "Numbered", "Place__c": "Faro"});
        let answer = api
            .send_json("PATCH", &format!("{by_number}/{number}"), &body)
            .await;
        assert_eq!(answer.status, status, "{number}: {answer:?}");
    }
    let body = json!({"Name": "Numbered", "Place__c": "Faro", "Number__c": 8});
    let refused = api
        .send_json("POST", &format!("{V}/sobjects/Visit__c"), &body)
        .await;
    refused.assert_error(400, "DUPLICATE_VALUE");
    // As in any org, a new object is there for the administrator alone.
    api.token = api.org.users()[2].access_token.clone();
    api.query("SELECT Id FROM Visit__c")
        .await
        .assert_error(400, "INVALID_TYPE");
    assert_eq!(count(&api, "Account").await, 2);
}

/// Exports objects as `sf data export tree --plan` does: all that can be created, references by name.
async fn export(api: &Api, objects: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut exported = Vec::new();
    for object in objects {
        let describe = describe(api, object).await;
        let fields: Vec<&str> = describe["fields"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|field| field["createable"] == true && field["type"] != "base64")
            .map(|field| field["name"].as_str().unwrap())
            .collect();
        let rows = api
            .rows(&format!(
                "SELECT Id, {} FROM {object} ORDER BY Id LIMIT 1000",
                fields.join(", ")
            ))
            .await;
        for (at, row) in rows.iter().enumerate() {
            let id = row["Id"].as_str().unwrap().to_owned();
            names.insert(id, format!("{object}Ref{}", at + 1));
        }
        exported.push((*object, rows));
    }
    let mut plan = Vec::new();
    for (object, rows) in exported {
        let records: Vec<Json> = rows
            .into_iter()
            .map(|row| {
                let mut record = Map::new();
                let id = row["Id"].as_str().unwrap();
                record.insert(
                    "attributes".into(),
                    json!({"type": object, "referenceId": names[id]}),
                );
                for (field, value) in row.as_object().unwrap() {
                    if field == "Id" || field == "attributes" || value.is_null() {
                        continue;
                    }
                    let name = value.as_str().and_then(|id| names.get(id));
                    let value = name.map_or(value.clone(), |name| json!(format!("@{name}")));
                    record.insert(field.clone(), value);
                }
                Json::Object(record)
            })
            .collect();
        let file = format!("{object}.json");
        std::fs::write(
            folder.path().join(&file),
            json!({"records": records}).to_string(),
        )
        .unwrap();
        plan.push(
            json!({"sobject": object, "saveRefs": true, "resolveRefs": true, "files": [file]}),
        );
    }
    let plan = Json::from(plan).to_string();
    std::fs::write(folder.path().join("all-plan.json"), plan).unwrap();
    folder
}

#[tokio::test]
async fn an_export_of_the_sample_is_the_sample_again() {
    let before = org(None, None).await;
    let objects = [
        "Campaign",
        "Account",
        "Contact",
        "Lead",
        "Opportunity",
        "OpportunityContactRole",
        "Case",
        "Task",
        "Event",
    ];
    let folder = export(&before, &objects).await;
    let after = org(None, Some(folder.path())).await;
    for object in objects {
        assert_eq!(
            count(&after, object).await,
            count(&before, object).await,
            "{object}"
        );
    }
    for soql in [
        "SELECT StageName, COUNT(Id) n, SUM(Amount) total, SUM(ExpectedRevenue) expected FROM Opportunity GROUP BY StageName ORDER BY StageName",
        "SELECT Account.Name account, COUNT(Id) n FROM Contact GROUP BY Account.Name ORDER BY Account.Name",
        "SELECT Owner.Name owner, Status, COUNT(Id) n FROM Case GROUP BY Owner.Name, Status ORDER BY Owner.Name, Status",
        "SELECT CaseNumber, Contact.Email, Account.Name FROM Case ORDER BY CaseNumber LIMIT 20",
        "SELECT Name, NumberOfOpportunities, AmountWonOpportunities FROM Campaign ORDER BY Name",
        "SELECT Subject, Who.Name, What.Name, Owner.Name FROM Task ORDER BY Subject, Who.Name, What.Name, ActivityDate LIMIT 50",
        "SELECT Name, Parent.Name, Type, Owner.Name FROM Account ORDER BY Name LIMIT 60",
    ] {
        let mut rows = Vec::new();
        for api in [&before, &after] {
            let text = Json::from(api.rows(soql).await).to_string();
            // Addresses of records hold their ids, which may be others.
            let url = |text: &str| {
                text.split("\"url\":\"")
                    .map(|part| {
                        part.split_once('"')
                            .map_or(part, |(_, rest)| rest)
                            .to_owned()
                    })
                    .collect::<String>()
            };
            rows.push(url(&text));
        }
        assert_eq!(rows[0], rows[1], "{soql}");
    }
    // The next record's id and number are nobody's.
    let made = after
        .send_json(
            "POST",
            &format!("{V}/sobjects/Case"),
            &json!({"Subject": "New"}),
        )
        .await;
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let number = after
        .rows(&format!("SELECT CaseNumber FROM Case WHERE Id = '{id}'"))
        .await;
    let number = number[0]["CaseNumber"].as_str().unwrap();
    assert_eq!(
        count(&after, &format!("Case WHERE CaseNumber = '{number}'")).await,
        1
    );
}

#[tokio::test]
async fn what_cannot_be_loaded_is_told_with_its_place() {
    let sample = org(None, None).await;
    let described = |key: &str, value: Json| {
        let sample = &sample;
        let key = key.to_owned();
        async move {
            let mut json = visits(sample).await;
            json[&key] = value;
            json
        }
    };
    let mut odd_field = visits(&sample).await;
    odd_field["fields"][0]["length"] = json!("long");
    let record = |fields: Json| json!({"records": [of("Account", "A1", fields)]});
    let cases: Vec<(&str, Vec<(&str, Json)>)> = vec![
        ("--describe", vec![]),
        ("--describe", vec![("a.json", json!({"records": []}))]),
        (
            "--describe",
            vec![("a.json", json!({"status": 1, "message": "no such object"}))],
        ),
        ("--describe", vec![("a.json", odd_field)]),
        (
            "--describe",
            vec![("a.json", described("keyPrefix", json!("001")).await)],
        ),
        (
            "--describe",
            vec![
                ("a.json", visits(&sample).await),
                ("b.json", visits(&sample).await),
            ],
        ),
        ("--data", vec![]),
        ("--data", vec![("a.json", json!([1]))]),
        ("--data", vec![("a-plan.json", json!({}))]),
        (
            "--data",
            vec![(
                "a-plan.json",
                json!([{"sobject": "Account", "files": ["none.json"]}]),
            )],
        ),
        (
            "--data",
            vec![("a.json", json!({"records": [{"Name": "x"}]}))],
        ),
        (
            "--data",
            vec![(
                "a.json",
                json!({"records": [of("Nothing__c", "N1", json!({}))]}),
            )],
        ),
        (
            "--data",
            vec![(
                "a.json",
                record(
                    json!({"Name": "x", "Colour__c": "red", "ParentId": "@A9", "OwnerId": "@Somebody"}),
                ),
            )],
        ),
        (
            "--data",
            vec![(
                "a.json",
                record(json!({"Industry": "Energy", "AnnualRevenue": "much"})),
            )],
        ),
        (
            "--data",
            vec![(
                "a.json",
                record(
                    json!({"Name": "x", "Site": "y".repeat(81), "ParentId": "003DO0000000001AAA"}),
                ),
            )],
        ),
        (
            "--data",
            vec![(
                "a.json",
                record(
                    json!({"Name": "x", "Contacts": {"records": [of("Contact", "C1", json!({}))]}, "Pets": {"records": [{}]}}),
                ),
            )],
        ),
        (
            "--data",
            vec![(
                "a.json",
                record(
                    json!({"Id": 7, "Name": "x", "Contacts": {"records": [of("Lead", "L1", json!({})), 7]}}),
                ),
            )],
        ),
        (
            "--data",
            vec![(
                "a.json",
                json!({"records": [
                    of("Account", "A1", json!({"Name": "x", "name": "y"})),
                    of("Account", "A2", json!({"Industry": "Energy", "Contacts": {"records": [{"FirstName": "Ada"}]}})),
                    of("Measurement__c", "M1", json!({"Sensor__c": "s", "Taken_At__c": "2026-01-02T03:04:05Z", "Kind__c": "Guess"})),
                ]}),
            )],
        ),
        (
            "--data",
            vec![(
                "a.json",
                json!({"records": (0..21).map(|at| of("Account", &format!("A{at}"), json!({}))).collect::<Vec<_>>()}),
            )],
        ),
        (
            "--data",
            vec![(
                "a.json",
                json!({"records": [of("Account", "A1", json!({"Name": "x"})), of("Account", "A1", json!({"Name": "y", "Id": "7"}))]}),
            )],
        ),
        (
            "--data",
            vec![(
                "a.json",
                json!({"records": [of("RecordType", "R1", json!({"Name": "x"}))]}),
            )],
        ),
    ];
    let mut told = String::new();
    for (option, files) in cases {
        let folder = folder(&files);
        let path = folder.path().to_str().unwrap();
        let output = run(&[option, path]);
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{words}");
        assert!(output.stdout.is_empty(), "nothing starts half-loaded");
        told += &words.replace(path, "…");
    }
    insta::assert_snapshot!(told, @r#"
    error: the describes cannot be loaded: `…` has no `*.json`; write a describe into it with `sf sobject describe --sobject NAME --json`
    error: the describes cannot be loaded: `a.json` is no describe of an object: missing field `name`; write it anew with `sf sobject describe --sobject NAME --json`
    error: the describes cannot be loaded: `a.json` is no describe of an object: `sf` says that no such object; write it anew with `sf sobject describe --sobject NAME --json`
    error: the describes cannot be loaded: `a.json`: field `Id`: invalid type: string "long", expected u32; take the field out of the file
    error: the describes cannot be loaded: `a.json`: the ids of `Visit__c` begin with `001`, as those of `Account` do; give one of them another `keyPrefix`
    error: the describes cannot be loaded: `b.json` and `a.json` both describe `Visit__c`; take one of them away
    error: the records cannot be loaded: `…` has no `*.json`; write records into it with `sf data export tree --plan --output-dir`
    error: the records cannot be loaded: `a.json` has no records as `sf data export tree` writes them: invalid type: sequence, expected an object with `records` at line 1 column 1; export it anew, or take it away
    error: the records cannot be loaded: `a-plan.json` is no plan as `sf data export tree --plan` writes it: invalid type: map, expected a sequence at line 1 column 0; export it anew, or take it away
    error: the records cannot be loaded: cannot read `…/none.json`: No such file or directory (os error 2); a plan names it: export anew, or take the plan away
    error: the records cannot be loaded: the org does not take these records:
      a.json: record 1: INVALID_TYPE: the record has no `type` among its `attributes`
    mend the files, or load your org's own describes, too
    error: the records cannot be loaded: the org does not take these records:
      a.json: record 1 (N1): INVALID_TYPE: sObject type 'Nothing__c' is not supported.
    mend the files, or load your org's own describes, too
    error: the records cannot be loaded: the org does not take these records:
      a.json: record 1 (A1): Colour__c: INVALID_FIELD: No such column 'Colour__c' on sobject of type Account
      a.json: record 1 (A1): OwnerId: INVALID_CROSS_REFERENCE_KEY: invalid cross reference id: @Somebody
      a.json: record 1 (A1): ParentId: INVALID_CROSS_REFERENCE_KEY: invalid cross reference id: @A9
    mend the files, or load your org's own describes, too
    error: the records cannot be loaded: the org does not take these records:
      a.json: record 1 (A1): AnnualRevenue: JSON_PARSER_ERROR: Cannot deserialize instance of currency from VALUE_STRING value much or request may be missing a required field
    mend the files, or load your org's own describes, too
    error: the records cannot be loaded: the org does not take these records:
      a.json: record 1 (A1): ParentId: INVALID_CROSS_REFERENCE_KEY: invalid cross reference id: 003DO0000000001AAA
      a.json: record 1 (A1): Site: STRING_TOO_LONG: Account Site: data value too large: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy (max length=80)
    mend the files, or load your org's own describes, too
    error: the records cannot be loaded: the org does not take these records:
      a.json: record 1 (A1): Pets: INVALID_FIELD: Didn't understand relationship 'Pets'.
    mend the files, or load your org's own describes, too
    error: the records cannot be loaded: the org does not take these records:
      a.json: record 1 (A1): Id: MALFORMED_ID: Account: id value of incorrect type: 7
      a.json: record 1 (A1): Contacts: INVALID_TYPE: the records here are of Contact, and not of Lead
      a.json: record 1 (A1): Contacts: JSON_PARSER_ERROR: a record is an object, and this is none: 7
    mend the files, or load your org's own describes, too
    error: the records cannot be loaded: the org does not take these records:
      a.json: record 1 (A1): name: INVALID_FIELD: the record gives a value of Name twice
      a.json: record 2 (A2): REQUIRED_FIELD_MISSING: Required fields are missing: [Name]
      a.json: Contact below record 2: REQUIRED_FIELD_MISSING: Required fields are missing: [LastName]
      a.json: record 3 (M1): Kind__c: INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST: Kind: bad value for restricted picklist field: Guess
    mend the files, or load your org's own describes, too
    error: the records cannot be loaded: the org does not take these records:
      a.json: record 1 (A0): REQUIRED_FIELD_MISSING: Required fields are missing: [Name]
      a.json: record 2 (A1): REQUIRED_FIELD_MISSING: Required fields are missing: [Name]
      a.json: record 3 (A2): REQUIRED_FIELD_MISSING: Required fields are missing: [Name]
      a.json: record 4 (A3): REQUIRED_FIELD_MISSING: Required fields are missing: [Name]
      a.json: record 5 (A4): REQUIRED_FIELD_MISSING: Required fields are missing: [Name]
      a.json: record 6 (A5): REQUIRED_FIELD_MISSING: Required fields are missing: [Name]
      a.json: record 7 (A6): REQUIRED_FIELD_MISSING: Required fields are missing: [Name]
      a.json: record 8 (A7): REQUIRED_FIELD_MISSING: Required fields are missing: [Name]
      a.json: record 9 (A8): REQUIRED_FIELD_MISSING: Required fields are missing: [Name]
      a.json: record 10 (A9): REQUIRED_FIELD_MISSING: Required fields are missing: [Name]
      a.json: record 11 (A10): REQUIRED_FIELD_MISSING: Required fields are missing: [Name]
      a.json: record 12 (A11): REQUIRED_FIELD_MISSING: Required fields are missing: [Name]
      a.json: record 13 (A12): REQUIRED_FIELD_MISSING: Required fields are missing: [Name]
      a.json: record 14 (A13): REQUIRED_FIELD_MISSING: Required fields are missing: [Name]
      a.json: record 15 (A14): REQUIRED_FIELD_MISSING: Required fields are missing: [Name]
      a.json: record 16 (A15): REQUIRED_FIELD_MISSING: Required fields are missing: [Name]
      a.json: record 17 (A16): REQUIRED_FIELD_MISSING: Required fields are missing: [Name]
      a.json: record 18 (A17): REQUIRED_FIELD_MISSING: Required fields are missing: [Name]
      a.json: record 19 (A18): REQUIRED_FIELD_MISSING: Required fields are missing: [Name]
      a.json: record 20 (A19): REQUIRED_FIELD_MISSING: Required fields are missing: [Name]
      and perhaps more
    mend the files, or load your org's own describes, too
    error: the records cannot be loaded: the org does not take these records:
      a.json: record 2 (A1): referenceId: DUPLICATE_VALUE: another record of the export is `A1`, too
      a.json: record 2 (A1): Id: MALFORMED_ID: Account: id value of incorrect type: 7
    mend the files, or load your org's own describes, too
    error: the records cannot be loaded: the org does not take these records:
      a.json: record 1 (R1): CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY: entity type cannot be inserted: Record Type
    mend the files, or load your org's own describes, too
    "#);
}

/// Makes the describe of visits whose keys are unique to the case of their letters, with a field of a type that
/// the org does not have.
async fn exact_visits(sample: &Api) -> Json {
    let mut describe = visits(sample).await;
    let fields = describe["fields"].as_array_mut().unwrap();
    let key = fields
        .iter_mut()
        .find(|field| field["name"] == "Visit_Key__c")
        .unwrap();
    (key["unique"], key["caseSensitive"]) = (json!(true), json!(true));
    let mut spot = key.clone();
    (spot["name"], spot["type"]) = (json!("Spot__c"), json!("anyType"));
    fields.push(spot);
    describe
}

fn visit(name: &str, key: &str) -> Json {
    of(
        "Visit__c",
        name,
        json!({"Name": name, "Place__c": "Lisbon", "Visit_Key__c": key, "spot__c": "0,0"}),
    )
}

#[tokio::test]
async fn unique_values_may_differ_by_case_alone() {
    let sample = org(None, None).await;
    let describes = folder(&[("Visit__c.json", exact_visits(&sample).await)]);
    let same = folder(&[(
        "a.json",
        json!({"records": [visit("V1", "v-1"), visit("V2", "v-1")]}),
    )]);
    let paths = [&describes, &same].map(|folder| folder.path().to_str().unwrap());
    let output = run(&["--describe", paths[0], "--data", paths[1]]);
    assert_eq!(output.status.code(), Some(2));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(
        words.contains("(V2): DUPLICATE_VALUE: duplicate value found: Visit_Key__c"),
        "{words}"
    );

    let data = folder(&[(
        "a.json",
        json!({"records": [visit("V1", "v-1"), visit("V2", "V-1")]}),
    )]);
    let api = org(Some(describes.path()), Some(data.path())).await;
    assert_eq!(
        api.org.notes(),
        [
            "Visit__c.Spot__c: left out, since this org has no fields of type `anyType`",
            "2 values of Visit__c.Spot__c: left out, since this org has no fields of its type",
        ]
    );
    for (condition, expected) in [
        ("Visit_Key__c = 'v-1'", 1),
        ("Visit_Key__c = 'V-2'", 0),
        ("Visit_Key__c != 'v-1'", 1),
        ("Visit_Key__c IN ('V-1', 'x')", 1),
        ("Visit_Key__c NOT IN ('V-1')", 1),
        ("Visit_Key__c LIKE 'v-%'", 2),
        ("Place__c = 'LISBON'", 2),
    ] {
        assert_eq!(
            count(&api, &format!("Visit__c WHERE {condition}")).await,
            expected,
            "{condition}"
        );
    }
    let path = |key: &str| format!("{V}/sobjects/Visit__c/Visit_Key__c/{key}");
    let body = json!({"Name": "Changed", "Place__c": "Faro"});
    assert_eq!(
        api.send_json("PATCH", &path("V-1"), &body).await.status,
        200
    );
    let rows = api
        .rows("SELECT Visit_Key__c FROM Visit__c WHERE Name = 'Changed'")
        .await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["Visit_Key__c"], "V-1");
    let job =
        json!({"object": "Visit__c", "operation": "upsert", "externalIdFieldName": "Visit_Key__c"});
    let job = api.make_job(&job).await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    api.put(
        &job,
        b"Visit_Key__c,Name,Place__c\nv-2,a,Faro\nV-2,b,Faro\n",
    )
    .await;
    let path = format!("{V}/jobs/ingest/{job}");
    api.set_state(&path, "UploadComplete").await;
    assert_eq!(api.ended(&path).await["numberRecordsFailed"], 0);
    assert_eq!(
        count(&api, "Visit__c WHERE Visit_Key__c IN ('v-2', 'V-2')").await,
        2
    );
    let body = json!({"Name": "Another", "Place__c": "Faro", "Visit_Key__c": "v-1"});
    let refused = api
        .send_json("POST", &format!("{V}/sobjects/Visit__c"), &body)
        .await;
    refused.assert_error(400, "DUPLICATE_VALUE");
}

#[tokio::test]
async fn no_two_records_have_one_id() {
    // The number after which new ids are given is half of the last.
    let half = "001DO0V00000000";
    let first = of("Account", "A1", json!({"Name": "New"}));
    let second = of("Account", "A2", json!({"Name": "Kept", "id": half}));
    let data = folder(&[("a.json", json!({"records": [first, second]}))]);
    let api = org(None, Some(data.path())).await;
    let rows = api.rows("SELECT Id, Name FROM Account ORDER BY Name").await;
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!(&rows[0]["Id"].as_str().unwrap()[..15], half);
}

#[tokio::test]
async fn exports_into_one_folder_may_share_a_file() {
    let account = of("Account", "AccountRef1", json!({"Name": "Both"}));
    let contact = of(
        "Contact",
        "ContactRef1",
        json!({"LastName": "Silva", "AccountId": "@AccountRef1"}),
    );
    let case = of(
        "Case",
        "CaseRef1",
        json!({"Subject": "Broken", "AccountId": "@AccountRef1"}),
    );
    let plan = |files: [(&str, &str); 2]| {
        let steps = files.map(|(object, file)| json!({"sobject": object, "files": [file]}));
        json!(steps)
    };
    let data = folder(&[
        ("Account.json", json!({"records": [account]})),
        ("Contact.json", json!({"records": [contact]})),
        ("Case.json", json!({"records": [case]})),
        (
            "Account-Case-plan.json",
            plan([("Account", "Account.json"), ("Case", "Case.json")]),
        ),
        (
            "Account-Contact-plan.json",
            plan([("Account", "Account.json"), ("Contact", "Contact.json")]),
        ),
    ]);
    let api = org(None, Some(data.path())).await;
    for (object, name) in [("Contact", "Silva"), ("Case", "Broken")] {
        let row = &api
            .rows(&format!("SELECT Account.Name FROM {object}"))
            .await[0];
        assert_eq!(row["Account"]["Name"], "Both", "{name}");
    }
}

#[tokio::test]
async fn an_activity_is_about_the_account_of_its_case() {
    let task = of("Task", "T1", json!({"Subject": "Call", "WhatId": "@C1"}));
    let case = of(
        "Case",
        "C1",
        json!({"Subject": "Broken", "ContactId": "@P1"}),
    );
    let account = of(
        "Account",
        "A1",
        json!({"Name": "Mine", "RecordTypeId": "012000000000000AAA",
        "Contacts": {"records": [{"attributes": {"referenceId": "P1"}, "LastName": "Silva"}]}}),
    );
    let data = folder(&[("a.json", json!({"records": [task, case, account]}))]);
    let api = org(None, Some(data.path())).await;
    let row = &api.rows("SELECT Account.Name FROM Case").await[0];
    let about = &api.rows("SELECT Account.Name FROM Task").await[0];
    assert_eq!(
        (&row["Account"]["Name"], &about["Account"]["Name"]),
        (&json!("Mine"), &json!("Mine"))
    );
}

#[tokio::test]
async fn an_org_that_is_kept_has_its_records_and_objects_already() {
    let sample = org(None, None).await;
    let describes = folder(&[("Visit__c.json", visits(&sample).await)]);
    let data = folder(&[(
        "a.json",
        json!({"records": [of("Account", "A1", json!({"Name": "Mine"}))]}),
    )]);
    let state = data.path().join("org.sqlite");
    let (data, state) = (data.path().to_str().unwrap(), state.to_str().unwrap());
    Running::start(&["--data", data, "--state", state]).stop();
    let again = Running::start(&["--state", state]);
    let soql = query(&[("q", "SELECT Name FROM Account")]);
    let (_, body) = again.send("GET", &format!("{V}/query?{soql}"), "").unwrap();
    let answer: Json = serde_json::from_str(&body).unwrap();
    assert_eq!(answer["records"][0]["Name"], "Mine");
    assert_eq!(answer["totalSize"], 1);
    again.stop();
    let describes = describes.path().to_str().unwrap();
    for (option, folder, reason) in [
        ("--data", data, "keeps an org already"),
        ("--describe", describes, "keeps an org of other objects"),
    ] {
        let output = run(&[option, folder, "--state", state]);
        assert_eq!(output.status.code(), Some(2));
        let words = String::from_utf8(output.stderr).unwrap();
        assert!(words.contains(reason), "{words}");
    }
    Running::start(&["--state", state]).stop();
}

#[tokio::test]
async fn a_likeness_that_is_kept_goes_on_with_the_same_describes() {
    let sample = org(None, None).await;
    let describes = folder(&[("Visit__c.json", visits(&sample).await)]);
    let visit = |reference: &str, fields: Json| of("Visit__c", reference, fields);
    let data = folder(&[(
        "a.json",
        json!({"records": [
            of("Account", "A1", json!({"Id": "001AB00000Gw2xyYAB", "Name": "Mine",
                "CreatedDate": "2024-02-03T04:05:06.000+0000"})),
            visit("V1", json!({"Name": "First", "Place__c": "Lisbon", "Visit_Key__c": "v-1",
                "Account__c": "@A1", "Number__c": 7.25})),
        ]}),
    )]);
    let state = data.path().join("org.sqlite");
    let start = async |data: Option<&Path>| {
        Api::with(Options {
            describe: Some(describes.path().to_owned()),
            data: data.map(Path::to_owned),
            state: Some(state.clone()),
            ..Options::default()
        })
        .await
    };
    let find_all = async |api: &Api| {
        let visits = "SELECT FIELDS(ALL) FROM Visit__c ORDER BY Id LIMIT 200";
        let accounts =
            "SELECT Id, Name, CreatedDate, (SELECT Id FROM Contacts) FROM Account ORDER BY Id";
        (api.rows(visits).await, api.rows(accounts).await)
    };
    let make = async |api: &Api, key: &str| {
        let path = format!("{V}/sobjects/Visit__c/Visit_Key__c/{key}");
        let visit = json!({"Name": "Made", "Place__c": "Faro", "Account__c": "001AB00000Gw2xyYAB"});
        let answer = api.send_json("PATCH", &path, &visit).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["id"].as_str().unwrap().to_owned()
    };
    let api = start(Some(data.path())).await;
    let made = make(&api, "v-2").await;
    let before = (describe(&api, "Visit__c").await, find_all(&api).await);
    assert_eq!((before.1.0.len(), before.1.1.len()), (2, 1));
    api.org.stop().await;

    // Twice, since what is written at a restart is read at the next.
    for number in 3..5 {
        let api = start(None).await;
        let after = (describe(&api, "Visit__c").await, find_all(&api).await);
        assert_eq!(after.0, before.0);
        assert_eq!(after.1.1, before.1.1);
        assert_eq!(&after.1.0[..2], before.1.0);
        // A record is found by its external id, and a new one has an id of its own.
        let by_key = format!("{V}/sobjects/Visit__c/Visit_Key__c/v-2");
        assert_eq!(api.get(&by_key).await.json()["Id"], made);
        let id = make(&api, &format!("v-{number}")).await;
        assert!(id > made, "{id} {made}");
        assert_eq!(count(&api, "Visit__c").await, number);
        api.org.stop().await;
    }
}

#[tokio::test]
async fn records_that_leave_no_room_are_told_of() {
    let accounts =
        (0..1_100).map(|number| of("Account", &format!("A{number}"), json!({"Name": "x"})));
    let data = folder(&[("a.json", json!({"records": accounts.collect::<Vec<_>>()}))]);
    let api = Api::with(Options {
        data: Some(data.path().to_owned()),
        limits: vec![(Limit::DataStorageMB, 2)],
        ..Options::default()
    })
    .await;
    let notes = api.org.notes();
    assert!(notes[0].contains("of the org's 2 MB"), "{notes:?}");
    let path = format!("{V}/sobjects/Account");
    let refused = api.send_json("POST", &path, &json!({"Name": "y"})).await;
    refused.assert_error(400, "STORAGE_LIMIT_EXCEEDED");
    assert_eq!(count(&api, "Account").await, 1_100);
}
