//! SOSL and parameterized searches over HTTP.

use serde_json::{Value as Json, json};

use crate::client::{Answer, Api, V, query};

/// Two accounts, their people and a lead, whose names are nowhere else in the org.
async fn api() -> Api {
    let api = Api::new().await;
    let account = |name: &str, phone: &str, city: &str| json!({"Name": name, "Phone": phone, "BillingCity": city});
    let zorn = create(
        &api,
        "Account",
        &account("Zörnwerk Über GmbH", "(415) 555-0199", "Quito"),
    )
    .await;
    create(
        &api,
        "Account",
        &account("Acme Zorba", "+49 30 1234567", "Zornwerk"),
    )
    .await;
    for (first, last, mail) in [
        ("Zoë", "Quux", "zoe.quux@zornwerk.example"),
        ("Ann", "Quux-Zoe", "aq@zornwerk.example"),
    ] {
        let contact =
            json!({"FirstName": first, "LastName": last, "Email": mail, "AccountId": zorn});
        create(&api, "Contact", &contact).await;
    }
    create(
        &api,
        "Lead",
        &json!({"LastName": "Quux", "Company": "Zornwerk"}),
    )
    .await;
    api
}

async fn create(api: &Api, object: &str, body: &Json) -> String {
    let answer = api
        .send_json("POST", &format!("{V}/sobjects/{object}"), body)
        .await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["id"].as_str().unwrap().to_owned()
}

async fn search(api: &Api, sosl: &str) -> Answer {
    api.get(&format!("{V}/search?{}", query(&[("q", sosl)])))
        .await
}

/// Gives the rows in short: the object, then the members in the order of their names.
fn short(records: &Json) -> String {
    let row = |row: &Json| {
        format!(
            "{} {}",
            row["attributes"]["type"].as_str().unwrap(),
            members(row)
        )
    };
    let rows: Vec<String> = records.as_array().unwrap().iter().map(row).collect();
    rows.join(" | ")
}

fn members(value: &Json) -> String {
    match value {
        Json::Object(members) => {
            let mut named: Vec<_> = members
                .iter()
                .filter(|(name, _)| *name != "attributes")
                .collect();
            named.sort_by_key(|(name, _)| *name);
            let values: Vec<String> = named
                .iter()
                .map(|(_, value)| self::members(value))
                .collect();
            values.join(", ")
        }
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[rustfmt::skip] // A line a search.
const FOUND: &[(&str, &str)] = &[
    // Without regard to case and accents; those first that have it in their names.
    ("FIND {ZORNWERK} RETURNING Account(Name)", "Account Zörnwerk Über GmbH | Account Acme Zorba"),
    ("FIND {zornwerk} IN NAME FIELDS RETURNING Account(Name)", "Account Zörnwerk Über GmbH"),
    ("FIND {zorn} RETURNING Account(Name)", ""),
    ("FIND {zor*} IN NAME FIELDS RETURNING Account(Name)", "Account Zörnwerk Über GmbH | Account Acme Zorba"),
    ("FIND {zor?a} RETURNING Account(Name)", "Account Acme Zorba"),
    ("FIND {zornwerk quito} RETURNING Account(Name)", "Account Zörnwerk Über GmbH"),
    ("FIND {zornwerk AND NOT quito} RETURNING Account(Name)", "Account Acme Zorba"),
    ("FIND {\"uber gmbh\"} RETURNING Account(Name)", "Account Zörnwerk Über GmbH"),
    ("FIND {\"gmbh uber\"} RETURNING Account(Name)", ""),
    ("FIND {4155550199} IN PHONE FIELDS RETURNING Account(Name)", "Account Zörnwerk Über GmbH"),
    ("FIND {555\\-0199} IN PHONE FIELDS RETURNING Account(Name)", "Account Zörnwerk Über GmbH"),
    ("FIND {zoe.quux@zornwerk.example} IN EMAIL FIELDS RETURNING Contact(Email)", "Contact zoe.quux@zornwerk.example"),
    ("FIND {zoe} IN EMAIL FIELDS RETURNING Contact(LastName)", "Contact Quux"),
    ("FIND {zornwerk} IN EMAIL FIELDS RETURNING Contact(LastName ORDER BY LastName DESC)", "Contact Quux-Zoe | Contact Quux"),
    ("FIND {quux} RETURNING Contact(LastName, Account.Name WHERE FirstName = 'ann'), Lead(Company)", "Contact Zörnwerk Über GmbH, Quux-Zoe | Lead Zornwerk"),
    ("FIND {quux} RETURNING Lead(Company), Contact(LastName LIMIT 1)", "Lead Zornwerk | Contact Quux"),
    ("FIND {quux} RETURNING Contact(LastName ORDER BY FirstName OFFSET 1)", "Contact Quux"),
    ("FIND {quux} RETURNING Contact(LastName), Lead(Company) LIMIT 2", "Contact Quux | Lead Zornwerk"),
    ("find {quux} in name fields returning lead(toLabel(Status) s) limit 1", "Lead Open - Not Contacted"),
    ("FIND {quux zornwerk} RETURNING Contact(LastName WHERE CreatedDate = TODAY AND Account.BillingCity = 'quito' ORDER BY Email)", "Contact Quux-Zoe | Contact Quux"),
];

#[tokio::test]
async fn records_are_found() {
    let api = api().await;
    for (sosl, expected) in FOUND {
        let answer = search(&api, sosl).await;
        assert_eq!(answer.status, 200, "{sosl}: {answer:?}");
        let found = short(&answer.json()["searchRecords"]);
        assert_eq!(found, *expected, "{sosl}");
    }
    // Without fields there is the id; the url leads to the record.
    let answer = search(&api, "FIND {quux} IN NAME FIELDS RETURNING Lead")
        .await
        .json();
    let row = &answer["searchRecords"][0];
    let url = row["attributes"]["url"].as_str().unwrap();
    assert!(url.ends_with(row["Id"].as_str().unwrap()));
    assert_eq!(api.get(url).await.json()["Company"], "Zornwerk");
    // What is deleted is not found.
    assert_eq!(api.send("DELETE", url, &[], "").await.status, 204);
    let answer = search(&api, "FIND {quux} IN NAME FIELDS RETURNING Lead")
        .await
        .json();
    assert_eq!(answer["searchRecords"], json!([]));
    // Older versions answer with the list alone.
    let old = format!(
        "/services/data/v36.0/search?{}",
        query(&[("q", "FIND {zornwerk} RETURNING Account")])
    );
    assert_eq!(api.get(&old).await.json().as_array().unwrap().len(), 2);
    let labels = search(
        &api,
        "FIND {quux} RETURNING Contact(LastName, Account.Name) WITH METADATA = 'LABELS'",
    )
    .await
    .json();
    assert_eq!(
        labels["metadata"]["entityMetadata"],
        json!([{"entityName": "Contact", "fieldMetadata": [{"name": "LastName", "label": "Last Name"}]}])
    );
}

#[rustfmt::skip] // A line a refusal.
const REFUSED: &[(&str, &str, &str)] = &[
    ("", "MALFORMED_SEARCH", "A search string has to be specified"),
    ("FIND Acme", "MALFORMED_SEARCH", "No search term found. The search term must be enclosed in braces."),
    ("FIND { }", "MALFORMED_SEARCH", "No search term found. The search term must be enclosed in braces."),
    ("FIND {a}", "MALFORMED_SEARCH", "search term must be longer than one character: a"),
    ("FIND {a*} RETURNING Account", "MALFORMED_SEARCH", "search term must be longer than one character: a*"),
    // As recorded.
    ("FIND {John|jane_gray@uoa.edu} RETURNING Contact", "MALFORMED_SEARCH", "\nFIND {John|jane_gray@uoa.edu} RETURNING Contact\n         ^\nERROR at Row:1:Column:10\nline 1:10 mismatched character '|' expecting '}'"),
    ("FIND {name} IN ALL TYPE RETURNING Account(name)", "MALFORMED_SEARCH", "\nFIND {name} IN ALL TYPE RETURNING Account(name)\n                  ^\nERROR at Row:1:Column:19\nMalformed search token: TYPE"),
    ("FIND {acme} RETURNING Account(Nme)", "INVALID_FIELD", "No such column 'Nme' on entity 'Account'."),
    ("FIND {acme} RETURNING Account(Id WHERE Name = 5)", "INVALID_FIELD", "value of filter criterion for field 'Name' must be of type string"),
    ("FIND {acme} RETURNING Acount(Id)", "INVALID_TYPE", "sObject type 'Acount' is not supported."),
    ("FIND {acme} RETURNING Profile(Id)", "INVALID_TYPE_FOR_OPERATION", "entity type Profile does not support search"),
    ("FIND {acme} RETURNING Account(COUNT(Id))", "MALFORMED_QUERY", "Only root queries support aggregate expressions"),
    ("FIND {acme} RETURNING Account(Id OFFSET 1), Contact(Id)", "MALFORMED_SEARCH", "OFFSET can only be used when one object is searched"),
    ("FIND {acme} RETURNING Account(Id OFFSET 2001)", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"),
    ("FIND {acme} WITH DIVISION = 'x'", "MALFORMED_SEARCH", "WITH DIVISION is not supported"),
    ("FIND {acme} RETURNING Account(Id", "MALFORMED_SEARCH", "unexpected token: '<EOF>'"),
];

#[tokio::test]
async fn what_is_no_search_is_refused() {
    let api = Api::new().await;
    for (sosl, code, words) in REFUSED {
        let message = search(&api, sosl).await.assert_error(400, code);
        assert!(message.contains(words), "{sosl}: {message}");
    }
    let path = format!("{V}/search?q=FIND+%7Bacme%7D");
    assert_eq!(api.send("POST", &path, &[], "").await.status, 405);
}

#[tokio::test]
async fn a_search_is_asked_by_parameters() {
    let api = api().await;
    let ask = async |pairs: &[(&str, &str)]| {
        api.get(&format!("{V}/parameterizedSearch?{}", query(pairs)))
            .await
    };
    let answer = ask(&[
        ("q", "quux"),
        ("sobject", "Contact"),
        ("sobject", "Lead"),
        ("Contact.fields", "LastName"),
        ("Contact.limit", "1"),
        ("Contact.orderBy", "FirstName"),
        ("Contact.where", "FirstName != null"),
        ("fields", "Company"),
        ("in", "NAME"),
    ])
    .await;
    assert_eq!(
        short(&answer.json()["searchRecords"]),
        "Contact Quux-Zoe | Lead Zornwerk"
    );
    // What has a meaning in SOSL is a word's end here.
    let answer = ask(&[
        ("q", "Quux-Zoe"),
        ("sobject", "contact"),
        ("contact.fields", "LastName"),
    ])
    .await;
    assert_eq!(short(&answer.json()["searchRecords"]), "Contact Quux-Zoe");
    let body = json!({
        "q": "zornwerk", "in": "ALL", "overallLimit": 3, "defaultLimit": 1, "fields": ["Id"], "metadata": "LABELS",
        "sobjects": [{"name": "Account", "fields": ["Name"], "limit": 2}, {"name": "Lead"}, {"name": "Contact"}],
    });
    let path = format!("{V}/parameterizedSearch");
    let answer = api.send_json("POST", &path, &body).await.json();
    let kinds: Vec<&str> = answer["searchRecords"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["attributes"]["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["Account", "Lead", "Contact"]);
    assert_eq!(
        answer["metadata"]["entityMetadata"][0]["fieldMetadata"][0]["label"],
        "Account Name"
    );
    for (pairs, code) in [
        (&[("sobject", "Account")][..], "INVALID_SEARCH"),
        (&[("q", "acme"), ("sobject", "Nothing")], "INVALID_TYPE"),
        (
            &[("q", "acme"), ("sobject", "Profile")],
            "INVALID_TYPE_FOR_OPERATION",
        ),
        (&[("q", "acme"), ("in", "NOWHERE")], "INVALID_SEARCH"),
        (
            &[("q", "acme"), ("overallLimit", "x")],
            "NUMBER_OUTSIDE_VALID_RANGE",
        ),
        (
            &[
                ("q", "acme"),
                ("sobject", "Account"),
                ("Account.fields", "Nme"),
            ],
            "INVALID_FIELD",
        ),
        (&[("q", "x")], "MALFORMED_SEARCH"),
    ] {
        ask(pairs).await.assert_error(400, code);
    }
    api.send_json("POST", &path, &json!({"q": "acme", "nothing": 1}))
        .await
        .assert_error(400, "JSON_PARSER_ERROR");
    assert_eq!(api.send("PUT", &path, &[], "").await.status, 405);
}

#[tokio::test]
async fn scope_layouts_and_suggestions_are_told() {
    let api = api().await;
    let scope = api.get(&format!("{V}/search/scopeOrder")).await.json();
    let kinds: Vec<&str> = scope
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["type"].as_str().unwrap())
        .collect();
    assert!(
        kinds.contains(&"Account")
            && kinds.contains(&"Measurement__c")
            && !kinds.contains(&"Profile")
    );
    let layouts = api
        .get(&format!("{V}/search/layout?q=Account,Contact"))
        .await
        .json();
    assert_eq!(layouts[1]["objectType"], "Contact");
    assert_eq!(
        layouts[0]["searchColumns"][0],
        json!({"field": "Account.Name", "format": null, "label": "Account Name", "name": "Name"})
    );
    api.get(&format!("{V}/search/layout?q=Nothing"))
        .await
        .assert_error(400, "INVALID_TYPE");
    let suggest = async |pairs: &[(&str, &str)]| {
        api.get(&format!("{V}/search/suggestions?{}", query(pairs)))
            .await
    };
    let answer = suggest(&[("q", "zor"), ("sobject", "Account")])
        .await
        .json();
    assert_eq!(answer["autoSuggestResults"].as_array().unwrap().len(), 2);
    assert_eq!(answer["hasMoreResults"], false);
    let answer = suggest(&[("q", "quu"), ("sobject", "Contact,Lead"), ("limit", "1")])
        .await
        .json();
    assert_eq!(
        (
            answer["autoSuggestResults"].as_array().unwrap().len(),
            &answer["hasMoreResults"]
        ),
        (1, &json!(true))
    );
    suggest(&[("q", "zo"), ("sobject", "Account")])
        .await
        .assert_error(400, "INVALID_SEARCH");
    suggest(&[("q", "zorn"), ("sobject", "Account"), ("limit", "0")])
        .await
        .assert_error(400, "NUMBER_OUTSIDE_VALID_RANGE");
}
