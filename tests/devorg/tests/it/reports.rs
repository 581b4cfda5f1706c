//! Reports over HTTP: found, described, run at once and later, changed for one run, limited.

use salesforce_devorg::{Limit, Options};
use serde_json::{Value as Json, json};

use crate::client::{Api, V};

async fn id_of(api: &Api, name: &str) -> String {
    let soql = format!("SELECT Id FROM Report WHERE Name = '{name}'");
    let row = api.query(&soql).await.json()["records"][0]["Id"].clone();
    row.as_str().unwrap().to_owned()
}

async fn number(api: &Api, soql: &str) -> f64 {
    let row = api.query(soql).await.json()["records"][0].clone();
    row["expr0"].as_f64().unwrap()
}

#[tokio::test]
async fn reports_are_listed_and_described() {
    let mut api = Api::new().await;
    let path = format!("{V}/analytics/reports");
    let list = api.get(&path).await.json();
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 8);
    for entry in list {
        let describe = api.get(entry["describeUrl"].as_str().unwrap()).await.json();
        let metadata = &describe["reportMetadata"];
        assert_eq!(
            (&metadata["id"], &metadata["name"]),
            (&entry["id"], &entry["name"])
        );
        let soql = format!(
            "SELECT Format, DeveloperName, OwnerId FROM Report WHERE Id = '{}'",
            metadata["id"].as_str().unwrap()
        );
        let record = api.query(&soql).await.json()["records"][0].clone();
        assert_eq!(
            record["Format"].as_str().unwrap().to_uppercase(),
            metadata["reportFormat"]
        );
        assert_eq!(
            (&record["DeveloperName"], &record["OwnerId"]),
            (&metadata["developerName"], &metadata["folderId"])
        );
        let columns = &describe["reportTypeMetadata"]["categories"][0]["columns"];
        for column in metadata["detailColumns"].as_array().unwrap() {
            let column = column.as_str().unwrap();
            let info = &describe["reportExtendedMetadata"]["detailColumnInfo"][column];
            assert_eq!(info["dataType"], columns[column]["dataType"], "{column}");
        }
    }
    let stage = api
        .get(&format!(
            "{path}/{}/describe",
            id_of(&api, "Open Pipeline by Stage").await
        ))
        .await
        .json();
    let columns = &stage["reportTypeMetadata"]["categories"][0]["columns"];
    assert_eq!(
        columns["STAGE_NAME"]["filterValues"][0],
        json!({"label": "Prospecting", "name": "Prospecting"})
    );
    assert_eq!(
        stage["reportExtendedMetadata"]["aggregateColumnInfo"]["s!AMOUNT"],
        json!({"acrossGroupingContext": null, "dataType": "currency", "downGroupingContext": null, "label": "Sum of Amount"})
    );
    assert_eq!(
        stage["reportExtendedMetadata"]["groupingColumnInfo"]["STAGE_NAME"],
        json!({"dataType": "picklist", "groupingLevel": 0, "label": "Stage"})
    );
    // Somebody else has run nothing yet.
    api.token = api.org.users()[1].access_token.clone();
    assert_eq!(api.get(&path).await.json(), json!([]));
}

#[tokio::test]
async fn a_report_says_what_soql_says() {
    let api = Api::new().await;
    let run = async |name: &str, details: bool| {
        let path = format!(
            "{V}/analytics/reports/{}?includeDetails={details}",
            id_of(&api, name).await
        );
        api.get(&path).await.json()
    };
    let pipeline = run("Open Pipeline by Stage", false).await;
    assert_eq!(pipeline["attributes"]["type"], "Report");
    assert_eq!(
        (&pipeline["allData"], &pipeline["hasDetailRows"]),
        (&json!(true), &json!(false))
    );
    let total = &pipeline["factMap"]["T!T"];
    assert_eq!(total.get("rows"), None);
    let sum = number(
        &api,
        "SELECT SUM(Amount) FROM Opportunity WHERE IsClosed = false",
    )
    .await;
    assert_eq!(total["aggregates"][0]["value"].as_f64(), Some(sum));
    assert!(
        total["aggregates"][0]["label"]
            .as_str()
            .unwrap()
            .starts_with('$')
    );
    assert_eq!(
        pipeline["groupingsDown"]["groupings"]
            .as_array()
            .unwrap()
            .len(),
        8
    );

    let matrix = run("Opportunities by Owner and Stage", true).await;
    let (down, across) = (
        &matrix["groupingsDown"]["groupings"],
        &matrix["groupingsAcross"]["groupings"],
    );
    let rows = api
        .query(
            "SELECT OwnerId, StageName, COUNT(Id) n FROM Opportunity GROUP BY OwnerId, StageName",
        )
        .await
        .json();
    let rows = rows["records"].as_array().unwrap();
    let mut filled = 0;
    for owner in down.as_array().unwrap() {
        for stage in across.as_array().unwrap() {
            let key = format!(
                "{}!{}",
                owner["key"].as_str().unwrap(),
                stage["key"].as_str().unwrap()
            );
            let fact = &matrix["factMap"][&key];
            let row = rows
                .iter()
                .find(|row| row["OwnerId"] == owner["value"] && row["StageName"] == stage["value"]);
            let expected = row.map_or(0, |row| row["n"].as_u64().unwrap());
            assert_eq!(
                fact["aggregates"][1]["value"].as_u64(),
                Some(expected),
                "{key}"
            );
            assert_eq!(
                fact["rows"].as_array().unwrap().len() as u64,
                expected,
                "{key}"
            );
            filled += usize::from(expected > 0);
        }
    }
    assert_eq!(filled, rows.len());
    // Sums of none are written as any zero.
    assert!(!matrix.to_string().contains("-0.0"));
    assert!(
        matrix["factMap"]["0!T"]["rows"]
            .as_array()
            .unwrap()
            .is_empty()
    );

    let accounts = run("Account List", true).await;
    let names = api
        .query("SELECT Id, Name FROM Account ORDER BY Name")
        .await
        .json();
    let cells = accounts["factMap"]["T!T"]["rows"].as_array().unwrap();
    assert_eq!(cells.len(), 60);
    for (row, account) in cells.iter().zip(names["records"].as_array().unwrap()) {
        assert_eq!(
            (&row["dataCells"][0]["label"], &row["dataCells"][0]["value"]),
            (&account["Name"], &account["Id"])
        );
    }
    assert!(cells[0]["dataCells"][4]["value"]["amount"].is_number());

    let leads = run("Leads by Source", false).await;
    let open = number(&api, "SELECT COUNT(Id) FROM Lead WHERE IsConverted = false").await;
    assert_eq!(
        leads["factMap"]["T!T"]["aggregates"][0]["value"].as_f64(),
        Some(open)
    );
    let cases = run("Cases by Priority", false).await;
    let soql = "SELECT COUNT(Id) FROM Case WHERE (IsClosed = false OR Origin = 'Phone') AND Account.Name != NULL";
    let (high, all) = (
        number(&api, &format!("{soql} AND Priority = 'High'")).await,
        number(&api, soql).await,
    );
    assert_eq!(cases["groupingsDown"]["groupings"][0]["label"], "High");
    assert_eq!(
        cases["factMap"]["0!T"]["aggregates"][0]["value"].as_f64(),
        Some(high)
    );
    assert_eq!(
        cases["factMap"]["T!T"]["aggregates"][0]["value"].as_f64(),
        Some(all)
    );
    let quarters = run("Sales by Quarter and Type", false).await;
    let label = quarters["groupingsDown"]["groupings"][0]["label"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(label.starts_with('Q') && label.contains(" CY20"), "{label}");

    let measurements = run("Measurements by Kind", true).await;
    assert_eq!(measurements["allData"], false);
    let facts = measurements["factMap"].as_object().unwrap();
    let shown: usize = facts
        .values()
        .map(|fact| fact["rows"].as_array().unwrap().len())
        .sum();
    assert_eq!(shown, 2_000);
    assert_eq!(facts["T!T"]["aggregates"][3]["value"], 5_000);
}

#[tokio::test]
async fn a_run_can_ask_for_something_else() {
    let api = Api::new().await;
    let path = format!(
        "{V}/analytics/reports/{}",
        id_of(&api, "Open Pipeline by Stage").await
    );
    let changes = json!({"reportMetadata": {
        "standardFilters": [{"name": "open", "value": "closedwon"}],
        "groupingsDown": [{"name": "CLOSE_DATE", "dateGranularity": "Month", "sortOrder": "Desc"}],
        "reportFilters": [{"column": "AMOUNT", "operator": "greaterThan", "value": "20000"}],
    }});
    let answer = api.send_json("POST", &path, &changes).await.json();
    let count = number(
        &api,
        "SELECT COUNT(Id) FROM Opportunity WHERE IsWon = true AND Amount > 20000",
    )
    .await;
    assert_eq!(
        answer["factMap"]["T!T"]["aggregates"][2]["value"].as_f64(),
        Some(count)
    );
    assert_eq!(
        answer["reportMetadata"]["reportFilters"][0]["value"],
        "20000"
    );
    let months = answer["groupingsDown"]["groupings"].as_array().unwrap();
    assert!(months[0]["value"].as_str() > months[1]["value"].as_str());
    // The saved report is as it was.
    let saved = api.get(&path).await.json();
    assert_eq!(saved["reportMetadata"]["reportFilters"], json!([]));
    // Running it makes it the last one seen.
    let list = api.get(&format!("{V}/analytics/reports")).await.json();
    assert_eq!(list[0]["name"], "Open Pipeline by Stage");

    for (body, code) in [
        (
            json!({"reportMetadata": {"groupingsDown": [{"name": "X"}]}}),
            "BAD_REQUEST",
        ),
        (json!({"reportMetadata": []}), "BAD_REQUEST"),
        (json!([]), "BAD_REQUEST"),
    ] {
        api.send_json("POST", &path, &body)
            .await
            .assert_error(400, code);
    }
    api.send("POST", &path, &[], "{")
        .await
        .assert_error(400, "JSON_PARSER_ERROR");
    for id in ["00ODO0000000099", "001DO0000000001", "nothing"] {
        for end in ["", "/describe", "/instances"] {
            let answer = api.get(&format!("{V}/analytics/reports/{id}{end}")).await;
            answer.assert_error(404, "NOT_FOUND");
        }
    }
    api.send("DELETE", &path, &[], "")
        .await
        .assert_error(405, "METHOD_NOT_ALLOWED");
}

#[tokio::test]
async fn a_run_can_be_fetched_later_by_who_asked_for_it() {
    let mut api = Api::new().await;
    let report = format!(
        "{V}/analytics/reports/{}",
        id_of(&api, "Lead List Report").await
    );
    let path = format!("{report}/instances");
    assert_eq!(api.get(&path).await.json(), json!([]));
    let asked = api
        .send_json("POST", &format!("{path}?includeDetails=true"), &json!({}))
        .await
        .json();
    assert_eq!(
        (&asked["status"], &asked["hasDetailRows"]),
        (&json!("New"), &json!(true))
    );
    let url = asked["url"].as_str().unwrap();
    let fetched = api.get(url).await.json();
    assert_eq!(
        (
            &fetched["attributes"]["status"],
            &fetched["attributes"]["type"]
        ),
        (&json!("Success"), &json!("ReportInstance"))
    );
    let now = api
        .get(&format!("{report}?includeDetails=true"))
        .await
        .json();
    assert_eq!(fetched["factMap"], now["factMap"]);

    // What cannot be run is found out later, too.
    let wrong = json!({"reportMetadata": {"scope": "nowhere"}});
    let wrong = api.send_json("POST", &path, &wrong).await.json();
    let wrong = api.get(wrong["url"].as_str().unwrap()).await.json();
    assert_eq!(
        (
            &wrong["attributes"]["status"],
            &wrong["attributes"]["errorCode"]
        ),
        (&json!("Error"), &json!("BAD_REQUEST"))
    );
    let list = api.get(&path).await.json();
    assert_eq!(
        list.as_array()
            .unwrap()
            .iter()
            .map(|run| &run["status"])
            .collect::<Vec<_>>(),
        ["Error", "Success"]
    );
    let own = api.token.clone();
    api.token = api.org.users()[2].access_token.clone();
    api.get(url).await.assert_error(404, "NOT_FOUND");
    assert_eq!(api.get(&path).await.json(), json!([]));
    api.token = own;
    assert_eq!(api.send("DELETE", url, &[], "").await.status, 204);
    api.get(url).await.assert_error(404, "NOT_FOUND");
}

#[tokio::test]
async fn an_hour_has_so_many_runs() {
    let api = Api::with(Options {
        limits: vec![(Limit::HourlySyncReportRuns, 3)],
        ..Options::default()
    })
    .await;
    let path = format!(
        "{V}/analytics/reports/{}",
        id_of(&api, "Leads by Source").await
    );
    let remaining = async |name: &str| {
        let limits: Json = api.get(&format!("{V}/limits")).await.json();
        limits[name]["Remaining"].as_u64().unwrap()
    };
    assert_eq!(remaining("HourlySyncReportRuns").await, 3);
    for _ in 0..3 {
        assert_eq!(api.get(&path).await.status, 200);
    }
    assert_eq!(
        (
            remaining("HourlySyncReportRuns").await,
            remaining("HourlyAsyncReportRuns").await
        ),
        (0, 1_200)
    );
    let message = api.get(&path).await.assert_error(403, "FORBIDDEN");
    assert_eq!(
        message,
        "You can’t run more than 3 reports synchronously every 60 minutes."
    );
    assert_eq!(
        api.send_json("POST", &format!("{path}/instances"), &json!({}))
            .await
            .status,
        200
    );
}
