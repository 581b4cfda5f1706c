//! The same question of an administrator and of a sales user, by every way that there is: other rows,
//! other fields; and no way to write what is hidden.

use serde_json::{Value as Json, json};

use crate::bulk_ingest::JOBS;
use crate::client::{Api, V};
use crate::soap;

const AIKO: &str = "aiko.mori";
const BEN: &str = "ben.carter";

/// What stands in the name of the sale that is hidden, and in its file.
const ROW: &str = "Zirkonium";
/// What stands in the field that is hidden, of an account that is not.
const FIELD: &str = "7654321";

/// A request; `{sale}` and its kin stand for ids.
enum Ask {
    Get(&'static str),
    Send(&'static str, &'static str, Json),
    Soap(&'static str),
    /// A query job, and its results.
    BulkQuery(&'static str),
    /// A job that writes: its operation and rows, and the rows that failed.
    BulkWrite(&'static str, &'static str),
    /// The same by the older API.
    Classic(&'static str, Json),
}

use Ask::{BulkQuery, BulkWrite, Classic, Get, Send, Soap};

/// The ids that requests are about.
struct Ids(Vec<(&'static str, String)>);

impl Ids {
    fn fill(&self, text: &str) -> String {
        let ids = self.0.iter();
        ids.fold(text.to_owned(), |text, (name, id)| text.replace(name, id))
    }
}

impl Ask {
    /// Asks, and gives the whole answer as text.
    async fn of(&self, api: &Api, ids: &Ids) -> String {
        match self {
            Get(path) => api.get(&format!("{V}/{}", ids.fill(path))).await.text,
            Send(method, path, body) => {
                let body: Json = serde_json::from_str(&ids.fill(&body.to_string())).unwrap();
                let path = format!("{V}/{}", ids.fill(path));
                api.send_json(method, &path, &body).await.text
            }
            Soap(body) => {
                let path = "/services/Soap/u/60.0";
                let answer = soap::send(api, path, &api.token, &ids.fill(body)).await;
                answer.text.replace(&api.token, "")
            }
            BulkQuery(soql) => {
                let job = json!({"operation": "query", "query": soql});
                let made = api
                    .send_json("POST", &format!("{V}/jobs/query"), &job)
                    .await;
                if made.status != 200 {
                    return made.text;
                }
                let id = made.json()["id"].as_str().unwrap().to_owned();
                let path = format!("{V}/jobs/query/{id}");
                assert_eq!(api.ended(&path).await["state"], "JobComplete");
                api.get(&format!("{path}/results")).await.text
            }
            BulkWrite(operation, data) => {
                let job = json!({"object": "Opportunity", "operation": operation});
                let made = api.make_job(&job).await.json();
                let id = made["id"].as_str().unwrap();
                let path = format!("{JOBS}/{id}");
                assert_eq!(api.put(id, ids.fill(data).as_bytes()).await.status, 201);
                api.set_state(&path, "UploadComplete").await;
                assert_eq!(api.ended(&path).await["state"], "JobComplete");
                api.get(&format!("{path}/failedResults")).await.text
            }
            Classic(operation, rows) => {
                let session = [
                    ("x-sfdc-session", api.token.as_str()),
                    ("content-type", "application/json"),
                ];
                let jobs = "/services/async/58.0/job";
                let job =
                    json!({"operation": operation, "object": "Opportunity", "contentType": "JSON"});
                let made = api.send("POST", jobs, &session, job.to_string()).await;
                let path = format!("{jobs}/{}/batch", made.json()["id"].as_str().unwrap());
                let rows = match rows {
                    Json::String(soql) => ids.fill(soql),
                    rows => ids.fill(&rows.to_string()),
                };
                let batch = api.send("POST", &path, &session, rows).await;
                let path = format!("{path}/{}/result", batch.json()["id"].as_str().unwrap());
                let results = api.send("GET", &path, &session, "").await;
                match results.json().as_array().and_then(|list| list[0].as_str()) {
                    Some(result) => {
                        let path = format!("{path}/{result}");
                        api.send("GET", &path, &session, "").await.text
                    }
                    None => results.text,
                }
            }
        }
    }
}

/// Hides a sale with a file from Aiko, and writes into a field that she does not see.
async fn prepared() -> (Api, Ids) {
    let mut api = Api::new().await;
    let id = |rows: Vec<Json>| rows[0]["Id"].as_str().unwrap().to_owned();
    let sales =
        "SELECT Id FROM Opportunity WHERE Owner.Username = 'ben.carter@devorg.example' LIMIT 2";
    let sales = api.rows(sales).await;
    let (sale, deleted) = (id(sales.clone()), id(sales[1..].to_vec()));
    let account = "SELECT Id FROM Account WHERE Owner.Username = 'aiko.mori@devorg.example'";
    let account = id(api.rows(account).await);
    let list = "SELECT Id FROM ListView WHERE SobjectType = 'Opportunity' AND DeveloperName = 'AllOpportunities'";
    let list = id(api.rows(list).await);
    let report = "SELECT Id FROM Report WHERE DeveloperName = 'Opportunities_by_Owner_and_Stage'";
    let report = id(api.rows(report).await);
    let accounts = id(api
        .rows("SELECT Id FROM Report WHERE DeveloperName = 'Account_List'")
        .await);
    for (path, body) in [
        (format!("Opportunity/{sale}"), json!({"Name": ROW})),
        (
            format!("Account/{account}"),
            json!({"AnnualRevenue": 7_654_321}),
        ),
    ] {
        let path = format!("{V}/sobjects/{path}");
        assert_eq!(api.send_json("PATCH", &path, &body).await.status, 204);
    }
    let path = format!("{V}/sobjects/Opportunity/{deleted}");
    assert_eq!(api.send("DELETE", &path, &[], "").await.status, 204);
    api.become_user(BEN);
    let file = json!({
        "Title": ROW, "PathOnClient": "a.txt", "FirstPublishLocationId": sale,
        // "Zirkonium"
        "VersionData": "Wmlya29uaXVt",
    });
    let made = api
        .send_json("POST", &format!("{V}/sobjects/ContentVersion"), &file)
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    let version = made.json()["id"].as_str().unwrap().to_owned();
    let document = format!("SELECT ContentDocumentId FROM ContentVersion WHERE Id = '{version}'");
    let document = api.rows(&document).await[0]["ContentDocumentId"].clone();
    let ids = vec![
        ("{sale}", sale),
        ("{deleted}", deleted),
        ("{account}", account),
        ("{list}", list),
        ("{report}", report),
        ("{accounts}", accounts),
        ("{version}", version),
        ("{document}", document.as_str().unwrap().to_owned()),
    ];
    (api, Ids(ids))
}

fn reads() -> Vec<(Ask, &'static str)> {
    let details = json!({"reportMetadata": {"reportFormat": "TABULAR", "groupingsDown": [], "groupingsAcross": []}});
    let batch =
        json!({"batchRequests": [{"method": "GET", "url": "v68.0/sobjects/Opportunity/{sale}"}]});
    let composite = json!({"compositeRequest": [
        {"method": "GET", "url": format!("{V}/sobjects/Account/{{account}}"), "referenceId": "a"},
    ]});
    vec![
        (Get("query?q=SELECT+Name+FROM+Opportunity"), ROW),
        (Get("queryAll?q=SELECT+Name+FROM+Opportunity"), ROW),
        (
            Get("query?q=SELECT+(SELECT+Name+FROM+Opportunities)+FROM+Account"),
            ROW,
        ),
        (
            Get("query?q=SELECT+FIELDS(ALL)+FROM+Account+LIMIT+200"),
            FIELD,
        ),
        (
            Get("query?q=SELECT+Account.AnnualRevenue+FROM+Opportunity"),
            FIELD,
        ),
        (Get("query?q=SELECT+Title+FROM+ContentVersion"), ROW),
        (Get("sobjects/Account/describe"), "AnnualRevenue"),
        (Get("ui-api/object-info/Account"), "AnnualRevenue"),
        (
            Get("search?q=FIND+{Zirkonium}+RETURNING+Opportunity(Name)"),
            ROW,
        ),
        (Get("search/suggestions?q=Zirkon&sobject=Opportunity"), ROW),
        (
            Get("parameterizedSearch?q=Zirkonium&sobject=Opportunity&fields=Name"),
            ROW,
        ),
        (
            Send(
                "POST",
                "analytics/reports/{report}?includeDetails=true",
                details.clone(),
            ),
            ROW,
        ),
        (
            Send(
                "POST",
                "analytics/reports/{accounts}?includeDetails=true",
                details,
            ),
            FIELD,
        ),
        (
            Get("analytics/reports/{accounts}/describe"),
            "Annual Revenue",
        ),
        (
            Get("sobjects/Opportunity/listviews/{list}/results?limit=2000"),
            ROW,
        ),
        (Get("sobjects/Opportunity/{sale}"), ROW),
        (Get("sobjects/Account/{account}"), FIELD),
        (Get("sobjects/ContentVersion/{version}"), ROW),
        (Get("sobjects/ContentVersion/{version}/VersionData"), ROW),
        (
            Soap(
                "<query><queryString>SELECT VersionData FROM ContentVersion WHERE Id = '{version}'</queryString></query>",
            ),
            "Wmlya29uaXVt",
        ),
        (Get("sobjects/ContentDocument/{document}"), ROW),
        (
            Get("sobjects/Opportunity/updated?start=2026-11-01T00:00:00Z&end=2026-11-30T00:00:00Z"),
            "{sale}",
        ),
        (
            Get("sobjects/Opportunity/deleted?start=2026-11-01T00:00:00Z&end=2026-11-30T00:00:00Z"),
            "{deleted}",
        ),
        (
            Get("composite/sobjects/Opportunity?ids={sale}&fields=Name"),
            ROW,
        ),
        (
            Send(
                "POST",
                "composite/sobjects/Account",
                json!({"ids": ["{account}"], "fields": ["AnnualRevenue"]}),
            ),
            FIELD,
        ),
        (Send("POST", "composite/batch", batch), ROW),
        (Send("POST", "composite", composite), FIELD),
        (Get("ui-api/records/{sale}?fields=Opportunity.Name"), ROW),
        (
            Get("ui-api/records/{account}?optionalFields=Account.AnnualRevenue,Account.Name"),
            FIELD,
        ),
        (BulkQuery("SELECT Name FROM Opportunity"), ROW),
        (BulkQuery("SELECT AnnualRevenue FROM Account"), FIELD),
        (Classic("query", json!("SELECT Name FROM Opportunity")), ROW),
        (
            Soap(
                "<retrieve><fieldList>Name</fieldList><sObjectType>Opportunity</sObjectType><ids>{sale}</ids></retrieve>",
            ),
            ROW,
        ),
        (
            Soap(
                "<retrieve><fieldList>AnnualRevenue</fieldList><sObjectType>Account</sObjectType><ids>{account}</ids></retrieve>",
            ),
            FIELD,
        ),
        (
            Soap("<query><queryString>SELECT Name FROM Opportunity</queryString></query>"),
            ROW,
        ),
        (
            Soap(
                "<search><searchString>FIND {Zirkonium} RETURNING Opportunity(Name)</searchString></search>",
            ),
            ROW,
        ),
    ]
}

#[tokio::test]
async fn every_way_to_read_is_that_of_its_user() {
    let (mut api, ids) = prepared().await;
    for (at, (ask, shown)) in reads().into_iter().enumerate() {
        let shown = ids.fill(shown);
        api.become_administrator();
        let whole = ask.of(&api, &ids).await;
        assert!(whole.contains(&shown), "{at} {whole}");
        api.become_user(AIKO);
        let own = ask.of(&api, &ids).await;
        assert!(!own.contains(&shown), "{at} {own}");
    }
    // What the administrator looked at is in nobody else's list; nor is what one no longer sees.
    api.become_administrator();
    assert!(api.get(&format!("{V}/recent")).await.text.contains(ROW));
    let give = json!({"OwnerId": api.user(AIKO).id().as_str()});
    let sale = ids.fill(&format!("{V}/sobjects/Opportunity/{{sale}}"));
    assert_eq!(api.send_json("PATCH", &sale, &give).await.status, 204);
    for (owner, shown) in [(AIKO, true), (BEN, false)] {
        api.become_administrator();
        let give = json!({"OwnerId": api.user(owner).id().as_str()});
        assert_eq!(api.send_json("PATCH", &sale, &give).await.status, 204);
        api.become_user(AIKO);
        let looked = ids.fill(&format!(
            "{V}/ui-api/records/{{sale}}?fields=Opportunity.Name"
        ));
        assert_eq!(api.get(&looked).await.status == 200, shown);
        let recent = api.get(&format!("{V}/recent")).await.text;
        assert_eq!(recent.contains(ROW), shown, "{recent}");
    }
}

/// Each way to write a hidden record or next to it, and the code that refuses.
fn writes() -> Vec<(Ask, &'static str)> {
    let change = json!({"Name": "taken"});
    let record = json!({"attributes": {"type": "Opportunity"}, "Id": "{sale}", "Name": "taken"});
    let task = json!({"Subject": "x", "WhatId": "{sale}"});
    let tree = json!({"records": [{"attributes": {"type": "Task", "referenceId": "a"}, "WhatId": "{sale}"}]});
    let url = format!("{V}/sobjects/Opportunity/{{sale}}");
    let composite = json!({"compositeRequest": [
        {"method": "PATCH", "url": url, "referenceId": "a", "body": change},
    ]});
    let batch = json!({"batchRequests": [{"method": "DELETE", "url": "v68.0/sobjects/Opportunity/{sale}"}]});
    let approval = json!({"requests": [{"actionType": "Submit", "contextId": "{sale}"}]});
    let email = json!({"inputs": [{
        "emailAddresses": "a@b.example", "emailSubject": "x", "emailBody": "y", "relatedRecordId": "{sale}",
        "logEmailOnSend": true,
    }]});
    let version = json!({"Title": "x", "PathOnClient": "x.txt", "VersionData": "eA==", "ContentDocumentId": "{document}"});
    let link =
        json!({"ContentDocumentId": "{document}", "LinkedEntityId": "{account}", "ShareType": "V"});
    const MISSING: &str = "INVALID_CROSS_REFERENCE_KEY";
    const HIDDEN: &str = "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY";
    vec![
        (
            Send("PATCH", "sobjects/Opportunity/{sale}", change.clone()),
            "NOT_FOUND",
        ),
        (
            Send("PATCH", "sobjects/Opportunity/Id/{sale}", change),
            "NOT_FOUND",
        ),
        (
            Send("DELETE", "sobjects/Opportunity/{sale}", json!({})),
            "NOT_FOUND",
        ),
        (
            Send("PATCH", "composite/sobjects", json!({"records": [record]})),
            MISSING,
        ),
        (
            Send(
                "PATCH",
                "composite/sobjects/Opportunity/Id",
                json!({"records": [record]}),
            ),
            "NOT_FOUND",
        ),
        (
            Send("DELETE", "composite/sobjects?ids={sale}", json!({})),
            MISSING,
        ),
        (Send("POST", "composite", composite), "NOT_FOUND"),
        (Send("POST", "composite/batch", batch), "NOT_FOUND"),
        (Send("POST", "composite/tree/Task", tree), HIDDEN),
        (Send("POST", "sobjects/Task", task), HIDDEN),
        (Send("POST", "sobjects/ContentVersion", version), HIDDEN),
        (Send("POST", "sobjects/ContentDocumentLink", link), HIDDEN),
        (Send("POST", "process/approvals", approval), MISSING),
        (
            Send(
                "POST",
                "quickActions/LogACall",
                json!({"contextId": "{sale}", "record": {}}),
            ),
            "INVALID_ID_FIELD",
        ),
        (Send("POST", "actions/standard/emailSimple", email), MISSING),
        (
            Soap(
                "<update><sObjects><type>Opportunity</type><Id>{sale}</Id><Name>taken</Name></sObjects></update>",
            ),
            MISSING,
        ),
        (
            Soap(
                "<upsert><externalIDFieldName>Id</externalIDFieldName><sObjects><type>Opportunity</type><Id>{sale}</Id><Name>taken</Name></sObjects></upsert>",
            ),
            MISSING,
        ),
        (Soap("<delete><ids>{sale}</ids></delete>"), MISSING),
        (Soap("<undelete><ids>{deleted}</ids></undelete>"), MISSING),
        (BulkWrite("update", "Id,Name\n{sale},taken\n"), MISSING),
        (BulkWrite("delete", "Id\n{sale}\n"), MISSING),
        (
            Classic("update", json!([{"Id": "{sale}", "Name": "taken"}])),
            "NOT_FOUND",
        ),
    ]
}

#[tokio::test]
async fn no_way_to_write_reaches_what_is_hidden() {
    let (mut api, ids) = prepared().await;
    let sale = "SELECT Name, LastModifiedDate, IsDeleted, (SELECT Id FROM Tasks), \
                (SELECT Id FROM ProcessInstances) FROM Opportunity WHERE Id = '{sale}'";
    let sale = ids.fill(sale);
    api.become_administrator();
    let before = api.rows(&sale).await;
    for (at, (ask, code)) in writes().into_iter().enumerate() {
        api.become_user(AIKO);
        let refused = ask.of(&api, &ids).await;
        assert!(refused.contains(code), "{at} {code} {refused}");
        api.become_administrator();
        assert_eq!(api.rows(&sale).await, before, "{at} {refused}");
    }
    let deleted = format!("{V}/sobjects/Opportunity/{{deleted}}");
    api.get(&ids.fill(&deleted))
        .await
        .assert_error(404, "ENTITY_IS_DELETED");
    assert!(api.org.outbox().is_empty());
}
