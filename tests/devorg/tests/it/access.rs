//! Users who do not see everything, over HTTP.

use salesforce_devorg::DevUser;
use serde_json::{Value as Json, json};

use crate::client::{Answer, Api, V};

/// A sales user, one of another team, their manager, two of support, a reader, an integration, and
/// one without the API.
const AIKO: &str = "aiko.mori";
const BEN: &str = "ben.carter";
const DANA: &str = "dana.wirth";
const VICTOR: &str = "victor.lang";
const GUS: &str = "gus.hale";
const HEDDA: &str = "hedda.blom";
const IMRE: &str = "imre.toth";
const NIGHTLY: &str = "nightly.sync";
const KOFI: &str = "kofi.arden";

impl Api {
    pub(crate) fn user(&self, name: &str) -> DevUser {
        let username = format!("{name}@devorg.example");
        let mut users = self.org.users().iter();
        users
            .find(|user| user.username == username)
            .unwrap()
            .clone()
    }

    /// Asks as another user from now on.
    pub(crate) fn become_user(&mut self, name: &str) {
        self.token = self.user(name).access_token;
    }

    pub(crate) fn become_administrator(&mut self) {
        self.token = self.org.users()[0].access_token.clone();
    }

    /// Asks the administrator for an id.
    async fn id(&mut self, soql: &str) -> String {
        let own = std::mem::replace(&mut self.token, self.org.users()[0].access_token.clone());
        let rows = self.rows(&format!("{soql} LIMIT 1")).await;
        self.token = own;
        rows[0]["Id"].as_str().unwrap().to_owned()
    }

    /// Writes as the user; `path` is below `/sobjects/`.
    async fn write(&self, method: &str, path: &str, body: Json) -> Answer {
        self.send_json(method, &format!("{V}/sobjects/{path}"), &body)
            .await
    }
}

fn owned_by(object: &str, name: &str) -> String {
    format!("SELECT Id FROM {object} WHERE Owner.Username = '{name}@devorg.example'")
}

#[tokio::test]
async fn the_same_query_has_other_rows_and_fields_for_another() {
    let mut api = Api::new().await;
    let sales = "SELECT Id, Owner.Name FROM Opportunity ORDER BY Owner.Name";
    let everything = api.rows(sales).await;
    let with_revenue = "SELECT Name, AnnualRevenue FROM Account LIMIT 1";
    assert_eq!(api.rows(with_revenue).await.len(), 1);

    api.become_user(AIKO);
    let own = api.rows(sales).await;
    assert!(own.len() > 5 && own.len() < everything.len());
    assert!(own.iter().all(|sale| sale["Owner"]["Name"] == "Aiko Mori"));
    let message = api.query(with_revenue).await;
    let message = message.assert_error(400, "INVALID_FIELD");
    assert!(message.contains("No such column 'AnnualRevenue' on entity 'Account'"));
    // Deleted rows are no way around it.
    let deleted = format!("{V}/queryAll?q=SELECT+Id+FROM+Opportunity");
    assert_eq!(api.get(&deleted).await.json()["totalSize"], own.len());

    api.become_user(VICTOR);
    assert_eq!(api.rows(sales).await, everything);
}

#[tokio::test]
async fn a_describe_is_that_of_its_user() {
    let mut api = Api::new().await;
    let (global, account) = (
        format!("{V}/sobjects"),
        format!("{V}/sobjects/Account/describe"),
    );
    let mut moments = Vec::new();
    for (name, revenue, sales, measurements, createable) in [
        ("", true, true, true, true),
        (AIKO, false, true, false, true),
        (HEDDA, false, false, true, false),
        (IMRE, true, true, true, false),
    ] {
        if !name.is_empty() {
            api.become_user(name);
        }
        let answer = api.get(&account).await;
        let describe = answer.json();
        let has = |list: &str, key: &str, value: &str| {
            let mut list = describe[list].as_array().unwrap().iter();
            list.any(|item| item[key] == value)
        };
        assert_eq!(has("fields", "name", "AnnualRevenue"), revenue, "{name}");
        assert_eq!(
            has("childRelationships", "relationshipName", "Opportunities"),
            sales,
            "{name}"
        );
        assert_eq!(describe["createable"], createable, "{name}");
        let list = api.get(&global).await.json();
        let names: Vec<&str> = list["sobjects"]
            .as_array()
            .unwrap()
            .iter()
            .map(|object| object["name"].as_str().unwrap())
            .collect();
        for (object, there) in [("Measurement__c", measurements), ("Opportunity", sales)] {
            assert_eq!(names.contains(&object), there, "{name} {object}");
            for path in [format!("{object}/describe"), object.to_owned()] {
                let answer = api.get(&format!("{V}/sobjects/{path}")).await;
                match there {
                    true => assert_eq!(answer.status, 200),
                    false => assert_eq!(
                        answer.assert_error(404, "NOT_FOUND"),
                        "The requested resource does not exist"
                    ),
                }
            }
        }
        moments.push((name, answer.header("last-modified").to_owned()));
    }
    // What a client keeps of one user's describe does not stand for another's.
    for (name, own) in &moments {
        match name.is_empty() {
            true => api.become_administrator(),
            false => api.become_user(name),
        }
        for path in [&global, &account] {
            for (_, moment) in &moments {
                let status = api.get_with(path, "If-Modified-Since", moment).await.status;
                assert_eq!(status, if moment == own { 304 } else { 200 }, "{name}");
            }
            let today = "Mon, 23 Nov 2026 10:00:00 GMT";
            assert_eq!(
                api.get_with(path, "If-Modified-Since", today).await.status,
                304
            );
        }
    }
}

#[tokio::test]
async fn a_hidden_record_is_not_there() {
    let mut api = Api::new().await;
    let hidden = api.id(&owned_by("Opportunity", BEN)).await;
    let own = api.id(&owned_by("Opportunity", AIKO)).await;
    let account = api.id(&owned_by("Account", BEN)).await;
    api.become_user(AIKO);
    for method in ["GET", "PATCH", "DELETE"] {
        for id in [&*hidden, "006DO0000099999"] {
            let answer = api
                .write(method, &format!("Opportunity/{id}"), json!({"Name": "x"}))
                .await;
            let message = answer.assert_error(404, "NOT_FOUND");
            assert_eq!(message, "The requested resource does not exist");
        }
    }
    assert_eq!(
        api.get(&format!("{V}/sobjects/Opportunity/{own}"))
            .await
            .status,
        200
    );

    let whole = api
        .get(&format!("{V}/sobjects/Account/{account}"))
        .await
        .json();
    assert!(whole["Name"].is_string() && whole.get("AnnualRevenue").is_none());
    let answer = api
        .get(&format!(
            "{V}/sobjects/Account/{account}?fields=AnnualRevenue"
        ))
        .await;
    let message = answer.assert_error(400, "INVALID_FIELD");
    assert_eq!(
        message,
        "No such column 'AnnualRevenue' on sobject of type Account"
    );
    // The parts of a hidden address are hidden with it.
    let lead = api.id("SELECT Id FROM Lead WHERE City != null").await;
    api.become_user(HEDDA);
    let whole = api.get(&format!("{V}/sobjects/Lead/{lead}")).await.json();
    assert!(whole["Name"].is_string());
    for field in ["Address", "Street", "City"] {
        assert!(whole.get(field).is_none(), "{field}");
    }
}

#[tokio::test]
async fn what_may_not_be_written_is_refused() {
    let mut api = Api::new().await;
    let ids = [
        ("{ben's sale}", owned_by("Opportunity", BEN)),
        ("{ben's account}", owned_by("Account", BEN)),
        ("{ben's lead}", owned_by("Lead", BEN)),
        ("{aiko's account}", owned_by("Account", AIKO)),
        ("{aiko's sale}", owned_by("Opportunity", AIKO)),
        (
            "{ben's contact}",
            "SELECT Id FROM Contact WHERE Account.Owner.Username LIKE 'ben%'".into(),
        ),
        (
            "{dana's account's sale}",
            "SELECT Id FROM Opportunity WHERE Account.Owner.Username LIKE 'dana%' \
             AND Owner.Username LIKE 'ben%' AND IsPrivate = false"
                .into(),
        ),
        (
            "{ben}",
            "SELECT Id FROM User WHERE Username LIKE 'ben.%'".into(),
        ),
        (
            "{aiko}",
            "SELECT Id FROM User WHERE Username LIKE 'aiko.%'".into(),
        ),
        (
            "{sales}",
            "SELECT Id FROM Profile WHERE Name = 'System Administrator'".into(),
        ),
        ("{company}", "SELECT Id FROM Organization".into()),
    ];
    let mut named = Vec::new();
    for (name, soql) in ids {
        named.push((name, api.id(&soql).await));
    }
    let filled = |text: &str| {
        let fill = |text: String, (name, id): &(&str, String)| text.replace(name, id);
        named.iter().fold(text.to_owned(), fill)
    };
    let rights = (403, "INSUFFICIENT_ACCESS_OR_READONLY");
    let entity = (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY");
    let fields = (400, "INVALID_FIELD_FOR_INSERT_UPDATE");
    let reference = (400, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY");
    let done = (204, "");
    let cases = [
        // Accounts are read-only to others, and contacts go by their account.
        (
            AIKO,
            "PATCH",
            "Account/{ben's account}",
            r#"{"Site": "x"}"#,
            rights,
        ),
        (AIKO, "DELETE", "Account/{ben's account}", "{}", rights),
        (
            AIKO,
            "PATCH",
            "Contact/{ben's contact}",
            r#"{"Title": "x"}"#,
            rights,
        ),
        (
            AIKO,
            "PATCH",
            "Account/{aiko's account}",
            r#"{"Site": "x"}"#,
            done,
        ),
        // Leads are changed and taken by anybody, and deleted by their owner.
        (AIKO, "DELETE", "Lead/{ben's lead}", "{}", rights),
        (
            AIKO,
            "PATCH",
            "Lead/{ben's lead}",
            r#"{"Title": "x"}"#,
            done,
        ),
        (
            AIKO,
            "PATCH",
            "Lead/{ben's lead}",
            r#"{"OwnerId": "{aiko}"}"#,
            done,
        ),
        (AIKO, "DELETE", "Lead/{ben's lead}", "{}", done),
        // Fields.
        (
            AIKO,
            "PATCH",
            "Account/{aiko's account}",
            r#"{"AnnualRevenue": 1}"#,
            (400, "INVALID_FIELD"),
        ),
        (
            AIKO,
            "PATCH",
            "Account/{aiko's account}",
            r#"{"AccountNumber": "x"}"#,
            fields,
        ),
        (
            AIKO,
            "POST",
            "Account",
            r#"{"Name": "x", "AccountNumber": "x"}"#,
            fields,
        ),
        (
            AIKO,
            "PATCH",
            "User/{aiko}",
            r#"{"ProfileId": "{sales}"}"#,
            fields,
        ),
        (AIKO, "PATCH", "User/{aiko}", r#"{"Title": "x"}"#, done),
        (AIKO, "PATCH", "User/{ben}", r#"{"Title": "x"}"#, rights),
        // Objects.
        (AIKO, "POST", "Campaign", r#"{"Name": "x"}"#, entity),
        (AIKO, "POST", "UserRole", r#"{"Name": "x"}"#, entity),
        (AIKO, "POST", "Measurement__c", "{}", (404, "NOT_FOUND")),
        (
            AIKO,
            "PATCH",
            "Organization/{company}",
            r#"{"Name": "x"}"#,
            entity,
        ),
        (IMRE, "POST", "Account", r#"{"Name": "x"}"#, entity),
        (
            IMRE,
            "PATCH",
            "Opportunity/{ben's sale}",
            r#"{"Name": "x"}"#,
            rights,
        ),
        (IMRE, "DELETE", "Account/{ben's account}", "{}", rights),
        (
            NIGHTLY,
            "PATCH",
            "Opportunity/{ben's sale}",
            r#"{"Name": "x"}"#,
            rights,
        ),
        // References and details.
        (
            AIKO,
            "POST",
            "Task",
            r#"{"Subject": "x", "WhatId": "{ben's sale}"}"#,
            reference,
        ),
        (
            DANA,
            "POST",
            "OpportunityContactRole",
            r#"{"OpportunityId": "{dana's account's sale}", "ContactId": "{ben's contact}"}"#,
            rights,
        ),
        (
            AIKO,
            "POST",
            "OpportunityContactRole",
            r#"{"OpportunityId": "{aiko's sale}", "ContactId": "{ben's contact}"}"#,
            (201, ""),
        ),
        // Who is above does what the owner does.
        (
            VICTOR,
            "PATCH",
            "Opportunity/{ben's sale}",
            r#"{"OwnerId": "{aiko}"}"#,
            done,
        ),
        (
            AIKO,
            "PATCH",
            "Opportunity/{ben's sale}",
            r#"{"NextStep": "x"}"#,
            done,
        ),
        (
            BEN,
            "PATCH",
            "Opportunity/{ben's sale}",
            r#"{"NextStep": "x"}"#,
            (404, "NOT_FOUND"),
        ),
        (VICTOR, "DELETE", "Opportunity/{ben's sale}", "{}", done),
    ];
    for (name, method, path, body, (status, code)) in cases {
        api.become_user(name);
        let body = serde_json::from_str(&filled(body)).unwrap();
        let answer = api.write(method, &filled(path), body).await;
        let about = format!("{name} {method} {path}: {answer:?}");
        assert_eq!(answer.status, status, "{about}");
        if code.is_empty() {
            continue;
        }
        let message = answer.assert_error(status, code);
        let expected = match code {
            "INSUFFICIENT_ACCESS_OR_READONLY" => "insufficient access rights on object id",
            "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY" => {
                "insufficient access rights on cross-reference id"
            }
            "INVALID_FIELD" => "No such column 'AnnualRevenue' on sobject of type Account",
            "INVALID_FIELD_FOR_INSERT_UPDATE" => "Unable to create/update fields: ",
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY" => "entity type cannot be ",
            _ => "The requested resource does not exist",
        };
        assert!(message.starts_with(expected), "{about}");
    }
}

#[tokio::test]
async fn an_upsert_finds_what_its_user_sees() {
    let mut api = Api::new().await;
    let reading = format!(
        "{}{}",
        owned_by("Measurement__c", GUS),
        " AND Battery__c > 0"
    );
    let reading = api.id(&reading).await;
    let path = format!("{V}/sobjects/Measurement__c/{reading}?fields=External_Key__c");
    let key = api.get(&path).await.json()["External_Key__c"].clone();
    let key = key.as_str().unwrap().replace('/', "%2F");
    let by_key = format!("Measurement__c/External_Key__c/{key}");
    let body = json!({"Sensor__c": "S-001", "Taken_At__c": "2026-11-23T10:00:00Z"});

    api.become_user(HEDDA);
    let taken = api.write("PATCH", &by_key, body.clone()).await;
    assert_eq!(
        taken.assert_error(400, "DUPLICATE_VALUE"),
        "duplicate value found: <unknown> duplicates value on record with id: <unknown>"
    );
    let only = format!("{by_key}?updateOnly=true");
    for (method, path) in [("GET", &by_key), ("DELETE", &by_key), ("PATCH", &only)] {
        let answer = api.write(method, path, body.clone()).await;
        answer.assert_error(404, "NOT_FOUND");
    }
    api.become_user(GUS);
    let found = api.write("PATCH", &by_key, json!({"Value__c": 1})).await;
    assert_eq!(
        (found.status, &found.json()["created"]),
        (200, &json!(false))
    );
    let battery = api.write("PATCH", &by_key, json!({"Battery__c": 1})).await;
    battery.assert_error(400, "INVALID_FIELD_FOR_INSERT_UPDATE");
    assert_eq!(battery.json()[0]["fields"], json!(["Battery__c"]));
    let made = api
        .write("PATCH", "Measurement__c/External_Key__c/new", body)
        .await;
    assert_eq!(made.status, 201);
    assert_eq!(api.write("DELETE", &by_key, json!({})).await.status, 204);
}

#[tokio::test]
async fn what_a_user_does_not_see_of_a_new_record_is_filled_in() {
    let mut api = Api::new().await;
    api.become_user(AIKO);
    let made = api.write("POST", "Case", json!({"Subject": "x"})).await;
    let path = made.header("location").to_owned();
    assert!(api.get(&path).await.json().get("IsEscalated").is_none());
    assert_eq!(
        api.send_json("PATCH", &path, &json!({"Subject": "y"}))
            .await
            .status,
        204
    );
    api.become_administrator();
    let whole = api.get(&path).await.json();
    assert_eq!(
        (&whole["IsEscalated"], &whole["Subject"]),
        (&json!(false), &json!("y"))
    );
}

#[tokio::test]
async fn the_api_is_for_who_may_use_it() {
    let mut api = Api::new().await;
    let profile = api
        .id("SELECT Id FROM Profile WHERE Name = 'Sales User'")
        .await;
    let kofi = api.user(KOFI).id();
    api.become_user(KOFI);
    for path in [
        "",
        "/sobjects",
        "/query?q=SELECT+Id+FROM+Account",
        "/limits",
    ] {
        let answer = api.get(&format!("{V}{path}")).await;
        let message = answer.assert_error(403, "API_DISABLED_FOR_ORG");
        assert_eq!(
            message,
            "The REST API is not enabled for this Organization."
        );
    }
    let info = api.get("/services/oauth2/userinfo").await;
    assert_eq!(info.json()["name"], "Kofi Arden");
    // Another profile counts from the next request on.
    api.become_administrator();
    let promoted = api
        .write(
            "PATCH",
            &format!("User/{kofi}"),
            json!({"ProfileId": profile}),
        )
        .await;
    assert_eq!(promoted.status, 204);
    api.become_user(KOFI);
    assert_eq!(api.rows("SELECT Id FROM Lead LIMIT 5").await.len(), 5);
}

#[tokio::test]
async fn an_integration_has_no_pages() {
    let mut api = Api::new().await;
    let user = api.user(NIGHTLY);
    let license = "SELECT Profile.Name, Profile.UserLicenseId FROM User WHERE Id = '{}'";
    let license = api.rows(&license.replace("{}", user.id().as_str())).await;
    let license = license[0]["Profile"]["UserLicenseId"].as_str().unwrap();
    let license = api
        .get(&format!("{V}/sobjects/UserLicense/{license}"))
        .await;
    assert_eq!(license.json()["Name"], "Salesforce Integration");
    let callback = "http://127.0.0.1:1717/callback";
    let sign_in = async |password: &str| {
        let form = [
            ("response_type", "code"),
            ("client_id", api.org.client_id()),
            ("redirect_uri", callback),
            ("username", &*user.username),
            ("password", password),
            ("decision", "allow"),
        ];
        api.post_form("/services/oauth2/authorize", &form).await
    };
    let refused = sign_in(&user.password).await;
    assert_eq!((refused.status, refused.header("location")), (403, ""));
    let words = "Access Restricted for API Only Users";
    assert!(refused.text.contains(words), "{refused:?}");
    // Only who knows the password learns that.
    assert!(!sign_in("another").await.text.contains(words));

    api.become_user(NIGHTLY);
    assert_eq!(api.rows("SELECT Id FROM Opportunity").await.len(), 120);
    let made = api
        .write("POST", "Lead", json!({"LastName": "x", "Company": "x"}))
        .await;
    assert_eq!(made.status, 201);
}

/// The rows that say who sees what agree with what is seen.
#[tokio::test]
async fn what_is_granted_can_be_read() {
    let mut api = Api::new().await;
    let grants = "SELECT SobjectType, PermissionsRead, PermissionsCreate, Parent.Profile.Name \
                  FROM ObjectPermissions WHERE Parent.IsOwnedByProfile = true";
    let grants = api.rows(grants).await;
    assert!(grants.len() > 30);
    for (name, profile) in [
        (AIKO, "Sales User"),
        (HEDDA, "Service User"),
        (IMRE, "Read Only"),
    ] {
        api.become_user(name);
        let of_user = api
            .rows("SELECT Profile.Name, UserRole.Name FROM User WHERE Username LIKE '%'")
            .await;
        assert_eq!(of_user.len(), 14);
        let list = api.get(&format!("{V}/sobjects")).await.json();
        for object in [
            "Account",
            "Campaign",
            "Lead",
            "Measurement__c",
            "Opportunity",
        ] {
            let described = list["sobjects"].as_array().unwrap().iter();
            let described = described.clone().find(|found| found["name"] == object);
            let granted = grants.iter().find(|grant| {
                grant["SobjectType"] == object && grant["Parent"]["Profile"]["Name"] == profile
            });
            assert_eq!(described.is_some(), granted.is_some(), "{name} {object}");
            if let (Some(described), Some(granted)) = (described, granted) {
                assert_eq!(described["createable"], granted["PermissionsCreate"]);
            }
        }
    }
}
