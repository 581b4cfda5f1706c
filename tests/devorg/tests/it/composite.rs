//! Requests within a request: composite and batch.

use salesforce_devorg::Options;
use serde_json::{Value as Json, json};

use crate::client::{Answer, Api, V};

async fn composite(api: &Api, all_or_none: bool, parts: Json) -> Answer {
    let body = json!({"allOrNone": all_or_none, "compositeRequest": parts});
    api.send_json("POST", &format!("{V}/composite"), &body)
        .await
}

/// Gives the status of each subrequest with the code of its error.
fn statuses(answer: &Answer) -> Vec<(u64, String)> {
    assert_eq!(answer.status, 200, "{answer:?}");
    let parts = answer.json()["compositeResponse"].clone();
    let one = |part: &Json| {
        let code = part["body"][0]["errorCode"].as_str().unwrap_or_default();
        (part["httpStatusCode"].as_u64().unwrap(), code.to_owned())
    };
    parts.as_array().unwrap().iter().map(one).collect()
}

fn part(id: &str, method: &str, path: &str, body: Json) -> Json {
    json!({"referenceId": id, "method": method, "url": format!("{V}/{path}"), "body": body})
}

#[tokio::test]
async fn later_parts_use_what_earlier_ones_answered() {
    let api = Api::new().await;
    let parts = json!([
        part("made", "POST", "sobjects/Account", json!({"Name": "A & B"})),
        part(
            "read",
            "GET",
            "sobjects/Account/@{made.id}?fields=Name",
            json!(null)
        ),
        part(
            "contact",
            "POST",
            "sobjects/Contact",
            json!({"LastName": "of @{read.Name}", "AccountId": "@{made.id}"})
        ),
        part(
            "found",
            "GET",
            "query?q=SELECT+Id,Account.Name+FROM+Contact+WHERE+AccountId='@{made.id}'",
            json!(null)
        ),
        part(
            "changed",
            "PATCH",
            "sobjects/Contact/@{found.records[0].Id}",
            json!({"Title": "@{found.records[0].Account.Name}"})
        ),
        part(
            "bad",
            "POST",
            "sobjects/Contact",
            json!({"LastName": "x", "AccountId": "@{changed.id}"})
        ),
        part("after", "GET", "sobjects", json!(null)),
    ]);
    let answer = composite(&api, false, parts).await;
    let all = statuses(&answer);
    let expected = [201, 200, 201, 200, 204, 400, 200];
    assert_eq!(
        all.iter().map(|(status, _)| *status).collect::<Vec<_>>(),
        expected
    );
    assert_eq!(all[5].1, "PROCESSING_HALTED");
    let parts = answer.json()["compositeResponse"].clone();
    assert_eq!(
        parts[5]["body"][0]["message"],
        "Invalid reference specified. No value for changed.id found in changed"
    );
    let id = parts[0]["body"]["id"].as_str().unwrap();
    assert_eq!(
        (
            &parts[0]["httpHeaders"]["Location"],
            &parts[0]["referenceId"]
        ),
        (&json!(format!("{V}/sobjects/Account/{id}")), &json!("made"))
    );
    assert_eq!(
        (&parts[4]["body"], &parts[4]["httpHeaders"]),
        (&json!(null), &json!({}))
    );
    let contact = api
        .query(&format!(
            "SELECT Name, Title FROM Contact WHERE AccountId = '{id}'"
        ))
        .await
        .json();
    assert_eq!(contact["records"][0]["Name"], "of A & B");
    assert_eq!(contact["records"][0]["Title"], "A & B");
}

#[tokio::test]
async fn a_failure_takes_the_whole_back() {
    let (api, untouched) = (Api::new().await, Api::new().await);
    let halted = || (400, "PROCESSING_HALTED".to_owned());
    let made = || part("made", "POST", "sobjects/Account", json!({"Name": "x"}));
    let gone = || {
        part(
            "gone",
            "DELETE",
            "sobjects/Lead/00QDO0000000001",
            json!(null),
        )
    };
    let bad = part(
        "bad",
        "POST",
        "sobjects/Contact",
        json!({"AccountId": "@{made.id}"}),
    );
    let answer = composite(
        &api,
        true,
        json!([
            made(),
            gone(),
            bad,
            part("never", "GET", "sobjects", json!(null))
        ]),
    )
    .await;
    assert_eq!(
        statuses(&answer),
        [
            halted(),
            halted(),
            (400, "REQUIRED_FIELD_MISSING".to_owned()),
            halted()
        ]
    );
    assert_eq!(
        answer.json()["compositeResponse"][0]["body"][0]["message"],
        "The transaction was rolled back since another operation in the same transaction failed."
    );
    // A collection that was taken back fails, although its status is 200.
    let records =
        json!({"allOrNone": true, "records": [{"attributes": {"type": "Lead"}, "LastName": "x"}]});
    let answer = composite(
        &api,
        true,
        json!([made(), part("all", "POST", "composite/sobjects", records)]),
    )
    .await;
    assert_eq!(statuses(&answer), [halted(), (200, String::new())]);

    for api in [&api, &untouched] {
        let answer = composite(api, true, json!([made(), gone()])).await;
        assert_eq!(
            statuses(&answer),
            [(201, String::new()), (204, String::new())]
        );
    }
    for soql in [
        "SELECT FIELDS(ALL) FROM Account ORDER BY Id LIMIT 200",
        "SELECT COUNT(Id), MAX(SystemModstamp) FROM Lead",
    ] {
        assert_eq!(
            api.query(soql).await.json(),
            untouched.query(soql).await.json(),
            "{soql}"
        );
    }
}

#[tokio::test]
async fn a_malformed_composite_request_is_refused() {
    let api = Api::new().await;
    let objects = |id: &str| part(id, "GET", "sobjects", json!(null));
    let query = |id: usize| {
        part(
            &format!("q{id}"),
            "GET",
            "query?q=SELECT+Id+FROM+Lead",
            json!(null),
        )
    };
    let many: Vec<Json> = (0..26).map(|id| objects(&format!("r{id}"))).collect();
    let bulky: Vec<Json> = (0..6).map(query).collect();
    for (parts, code) in [
        (json!(null), "JSON_PARSER_ERROR"),
        (json!(many), "LIMIT_EXCEEDED"),
        (json!(bulky), "LIMIT_EXCEEDED"),
        (json!([{"method": "GET", "url": V}]), "JSON_PARSER_ERROR"),
        (
            json!([{"method": "GET", "referenceId": "a"}]),
            "JSON_PARSER_ERROR",
        ),
        (json!([{"url": V, "referenceId": "a"}]), "JSON_PARSER_ERROR"),
        (
            json!([{"method": "GET", "url": "/services/oauth2/userinfo", "referenceId": "a"}]),
            "INVALID_INPUT",
        ),
        (json!([objects("a"), objects("a")]), "INVALID_INPUT"),
        (json!([objects("a.b")]), "INVALID_INPUT"),
        (
            json!([part("a", "POST", "composite", json!({}))]),
            "INVALID_INPUT",
        ),
        (
            json!([part("a", "POST", "composite/batch", json!({}))]),
            "INVALID_INPUT",
        ),
    ] {
        composite(&api, false, parts).await.assert_error(400, code);
    }
    let secret = json!([{"method": "GET", "url": V, "referenceId": "a", "httpHeaders": {"Authorization": "Bearer x"}}]);
    assert_eq!(
        statuses(&composite(&api, false, secret).await),
        [(400, "INVALID_HTTP_REQUEST".to_owned())]
    );
    let listed = api.get(&format!("{V}/composite")).await.json();
    assert_eq!(listed["tree"], format!("{V}/composite/tree"));
    // A whole counts as one request.
    assert_eq!(
        api.get(V)
            .await
            .header("sforce-limit-info")
            .split('/')
            .next(),
        Some("api-usage=14")
    );
}

#[tokio::test]
async fn what_a_part_asks_for_is_read_as_it_is_dispatched() {
    let api = Api::new().await;
    for (name, path) in [
        ("x", "jobs/ingest"),
        ("x", "analytics/reports"),
        ("x", "limits"),
        ("x", "recent"),
        ("x", ""),
        ("x", "composite/tree/Account"),
        ("x", "sobjects/ContentVersion/068DO0000000001/Version%44ata"),
        ("x", "actions/standard/emailSimple"),
        ("x", "sobjects/Account/quickActions"),
        ("x", "s%65arch?q=x"),
        ("composite", "@{a.Name}"),
        ("batch", "%63omposite/@{a.Name}"),
        ("query", "@{a.Name}?q=SELECT+Id+FROM+Lead"),
    ] {
        let made = part("made", "POST", "sobjects/Account", json!({"Name": name}));
        let read = part(
            "a",
            "GET",
            "sobjects/Account/@{made.id}?fields=Name",
            json!(null),
        );
        let asked = part("b", "GET", path, json!(null));
        let answer = composite(&api, true, json!([made, read, asked])).await;
        if answer.status == 200 {
            let all = statuses(&answer);
            assert_eq!(all[2], (400, "INVALID_INPUT".to_owned()), "{path}");
        } else {
            answer.assert_error(400, "INVALID_INPUT");
        }
    }
    let nested = json!([part("a", "POST", "composit%65", json!({"allOrNone": true}))]);
    composite(&api, true, nested)
        .await
        .assert_error(400, "INVALID_INPUT");
    let body =
        json!({"batchRequests": [{"method": "POST", "url": "v60.0/composit%65", "richInput": {}}]});
    let answer = api
        .send_json("POST", &format!("{V}/composite/batch"), &body)
        .await;
    assert_eq!(answer.json()["results"][0]["statusCode"], 404);
    assert_eq!(api.get(&format!("{V}/limits")).await.status, 200);
}

#[tokio::test]
async fn parts_have_headers_of_their_own() {
    let api = Api::new().await;
    let lead = json!({"LastName": "Twin", "Company": "Twins", "Email": "twin@mail.example"});
    let mut second = part("two", "POST", "sobjects/Lead", lead.clone());
    let parts = |second: &Json| json!([part("one", "POST", "sobjects/Lead", lead.clone()), second]);
    assert_eq!(
        statuses(&composite(&api, true, parts(&second)).await)[1].1,
        "DUPLICATES_DETECTED"
    );
    second["httpHeaders"] = json!({"Sforce-Duplicate-Rule-Header": "allowSave=true"});
    assert_eq!(
        statuses(&composite(&api, true, parts(&second)).await)[1].0,
        201
    );
    let mut stale = part(
        "stale",
        "PATCH",
        "sobjects/Account/001DO0000000001",
        json!({"Site": "x"}),
    );
    stale["httpHeaders"] = json!({"If-Unmodified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"});
    assert_eq!(
        statuses(&composite(&api, false, json!([stale])).await),
        [(412, "PRECONDITION_FAILED".to_owned())]
    );
}

#[tokio::test]
async fn a_batch_knows_nothing_of_its_other_parts() {
    let api = Api::new().await;
    let path = format!("{V}/composite/batch");
    let requests = json!([
        {"method": "PATCH", "url": "v68.0/sobjects/Account/001DO0000000001", "richInput": {"Site": "x"}},
        {"method": "GET", "url": "v60.0/sobjects/Account/001DO0000000001?fields=Site"},
        {"method": "GET", "url": "/services/data/v68.0/sobjects/Nothing"},
        {"method": "POST", "url": "v68.0/composite", "richInput": {}},
        {"method": "GET", "url": "v99.0/limits"},
        {"method": "GET", "url": "v68.0/limits"},
    ]);
    let answer = api
        .send_json("POST", &path, &json!({"batchRequests": requests}))
        .await
        .json();
    let codes = |answer: &Json| -> Vec<u64> {
        let results = answer["results"].as_array().unwrap();
        results
            .iter()
            .map(|result| result["statusCode"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(
        (codes(&answer), &answer["hasErrors"]),
        (vec![204, 200, 404, 404, 404, 200], &json!(true))
    );
    assert_eq!(answer["results"][0]["result"], json!(null));
    assert_eq!(
        answer["results"][1]["result"]["attributes"]["url"],
        "/services/data/v60.0/sobjects/Account/001DO0000000001YAA"
    );

    let body = json!({"haltOnError": true, "batchRequests": requests});
    let answer = api.send_json("POST", &path, &body).await.json();
    assert_eq!(codes(&answer), [204, 200, 404, 412, 412, 412]);
    assert_eq!(
        answer["results"][3]["result"][0]["errorCode"],
        "BATCH_PROCESSING_HALTED"
    );
    let many = json!({"batchRequests": vec![requests[5].clone(); 26]});
    api.send_json("POST", &path, &many)
        .await
        .assert_error(400, "LIMIT_EXCEEDED");
    api.send_json("POST", &path, &json!({}))
        .await
        .assert_error(400, "JSON_PARSER_ERROR");
}

#[tokio::test]
async fn each_request_of_a_batch_counts_and_a_composite_is_one() {
    let api = Api::with(Options {
        api_requests_max: 5,
        ..Options::default()
    })
    .await;
    let used = async || {
        let limits = api.get(&format!("{V}/limits")).await;
        limits.header("sforce-limit-info").to_owned()
    };
    let part = json!({"method": "GET", "url": "/services/data/v68.0/sobjects/Account/001DO0000000001", "referenceId": "a"});
    let other = json!({"method": "GET", "url": "/services/data/v68.0/sobjects/Account/001DO0000000002", "referenceId": "b"});
    let answer = composite(&api, false, json!([part, other])).await;
    assert_eq!(statuses(&answer).len(), 2);
    assert_eq!(used().await, "api-usage=2/5");
    let batched = json!({"method": "GET", "url": "v68.0/limits"});
    let body = json!({"batchRequests": vec![batched; 4]});
    let path = format!("{V}/composite/batch");
    let answer = api.send_json("POST", &path, &body).await.json();
    let codes: Vec<&Json> = answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| &result["statusCode"])
        .collect();
    assert_eq!(codes, [200, 200, 200, 403]);
    assert_eq!(
        answer["results"][3]["result"][0]["errorCode"],
        "REQUEST_LIMIT_EXCEEDED"
    );
    assert_eq!(used().await, "api-usage=7/5");
    assert_eq!(api.org.requests(), 4, "HTTP requests");
}

#[tokio::test]
async fn a_subrequest_is_one_of_those_that_the_guide_lists() {
    let api = Api::new().await;
    let blob = "sobjects/ContentVersion/068DO0000000001/VersionData";
    let (query, search) = (
        "query?q=SELECT+Id+FROM+Lead+LIMIT+1",
        "search?q=FIND+{Kessler}",
    );
    // The version of the whole, of the part, and what it asks for; whether it is answered in a batch
    // and in a composite request.
    let cases = [
        ("v68.0", "v68.0", "sobjects", true, true),
        ("v68.0", "v68.0", query, true, true),
        ("v68.0", "v68.0", "limits", true, false),
        ("v68.0", "v68.0", search, true, false),
        ("v68.0", "v68.0", "actions/standard", true, false),
        ("v68.0", "v34.0", "actions/standard", false, false),
        ("v68.0", "v68.0", blob, false, false),
        ("v68.0", "v68.0", "recent", false, false),
        ("v68.0", "v68.0", "process/approvals", false, false),
        ("v68.0", "v68.0", "", false, false),
        (
            "v68.0",
            "v43.0",
            "composite/sobjects/Lead?ids=x&fields=Id",
            false,
            true,
        ),
        (
            "v68.0",
            "v42.0",
            "composite/sobjects/Lead?ids=x&fields=Id",
            false,
            false,
        ),
        ("v60.0", "v60.0", "sobjects", true, true),
        ("v60.0", "v61.0", "sobjects", false, true),
        ("v68.0", "v33.0", "sobjects", false, true),
    ];
    for (whole, version, path, in_batch, in_composite) in cases {
        let url = format!("{version}/{path}");
        let batch = json!({"batchRequests": [{"method": "GET", "url": url}]});
        let at = format!("/services/data/{whole}/composite");
        let answer = api
            .send_json("POST", &format!("{at}/batch"), &batch)
            .await
            .json();
        let result = &answer["results"][0];
        let refused = (&json!(404), &json!("NOT_FOUND"));
        let told = (&result["statusCode"], &result["result"][0]["errorCode"]);
        assert_eq!(told != refused, in_batch, "{whole} {url}: {result}");

        let url = format!("/services/data/{url}");
        let part = json!({"referenceId": "a", "method": "GET", "url": url});
        let body = json!({"compositeRequest": [part]});
        let answer = api.send_json("POST", &at, &body).await.json();
        let words = answer.to_string();
        let refused = words.contains("cannot be a subrequest of a composite request");
        assert_eq!(!refused, in_composite, "{whole} {url}: {answer}");
    }
}
