//! Files: sent in both ways, read back, linked, versioned, deleted and refused.

use proptest::prelude::*;
use salesforce_devorg::{Limit, Options};
use serde_json::{Value as Json, json};

use crate::client::{Answer, Api, V};

const BOUNDARY: &str = "boundary_string";

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Writes a message of a record and its bytes, as the guide does.
fn multipart(record: &Json, bytes: &[u8]) -> Vec<u8> {
    let mut body = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"entity_content\";\r\nContent-Type: application/json\r\n\r\n{record}\r\n\
         --{BOUNDARY}\r\nContent-Type: application/octet-stream\r\nContent-Disposition: form-data; name=\"VersionData\"; filename=\"x\"\r\n\r\n"
    )
    .into_bytes();
    body.extend(bytes);
    body.extend(format!("\r\n--{BOUNDARY}--\r\n").bytes());
    body
}

impl Api {
    async fn upload(&self, record: &Json) -> Answer {
        self.send_json("POST", &format!("{V}/sobjects/ContentVersion"), record)
            .await
    }

    async fn upload_parts(&self, body: Vec<u8>) -> Answer {
        let kind = format!("multipart/form-data; boundary=\"{BOUNDARY}\"");
        let path = format!("{V}/sobjects/ContentVersion");
        self.send("POST", &path, &[("content-type", &*kind)], body)
            .await
    }

    async fn record_of(&self, made: &Answer) -> Json {
        assert_eq!(made.status, 201, "{made:?}");
        self.get(made.header("location")).await.json()
    }
}

async fn some_id(api: &Api, object: &str) -> String {
    let rows = api.rows(&format!("SELECT Id FROM {object} LIMIT 1")).await;
    rows[0]["Id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_file_makes_its_document_and_links() {
    let api = Api::new().await;
    let account = some_id(&api, "Account").await;
    let bytes = "Grüße\r\n--boundary_string\n".as_bytes();
    let record = json!({"PathOnClient": "C:\\tmp\\Notes.v1.txt", "FirstPublishLocationId": account, "VersionData": base64(bytes)});
    let version = api.record_of(&api.upload(&record).await).await;
    let (id, document) = (
        &version["Id"],
        version["ContentDocumentId"].as_str().unwrap(),
    );
    let url = format!(
        "{V}/sobjects/ContentVersion/{}/VersionData",
        id.as_str().unwrap()
    );
    for (field, expected) in [
        ("Title", json!("Notes.v1")),
        ("FileExtension", json!("txt")),
        ("FileType", json!("TEXT")),
        ("ContentSize", json!(bytes.len())),
        ("Checksum", json!("d45cd43df0ca831da27898908b5b1439")),
        ("VersionNumber", json!("1")),
        ("IsLatest", json!(true)),
        ("PublishStatus", json!("P")),
        ("Origin", json!("C")),
        ("ContentLocation", json!("S")),
        ("VersionData", json!(url)),
    ] {
        assert_eq!(version[field], expected, "{field}");
    }
    let selected = api
        .rows(&format!("SELECT VersionData FROM ContentVersion WHERE ContentDocumentId = '{document}' AND IsLatest = true"))
        .await;
    assert_eq!(selected[0]["VersionData"], url);
    let data = api.get(&url).await;
    assert_eq!((data.status, &data.bytes[..]), (200, bytes));
    assert_eq!(data.header("content-type"), "application/octetstream");

    let links = api
        .rows(&format!("SELECT LinkedEntityId, ShareType, Visibility FROM ContentDocumentLink WHERE ContentDocumentId = '{document}' ORDER BY LinkedEntityId"))
        .await;
    let entities: Vec<&Json> = links.iter().map(|link| &link["LinkedEntityId"]).collect();
    assert_eq!(
        entities,
        [&json!(account), &json!(api.org.users()[0].id().as_str())]
    );
    assert!(
        links
            .iter()
            .all(|link| link["ShareType"] == "I" && link["Visibility"] == "AllUsers")
    );

    // A further version, by parts.
    let more = json!({"ContentDocumentId": document, "PathOnClient": "Notes.csv", "Title": "Notes", "ReasonForChange": "table"});
    let second = api
        .record_of(&api.upload_parts(multipart(&more, b"a,b\n")).await)
        .await;
    assert_eq!(
        (&second["VersionNumber"], &second["FileType"]),
        (&json!("2"), &json!("CSV"))
    );
    assert_eq!(second["FirstPublishLocationId"], json!(account));
    let first = api
        .get(&format!(
            "{V}/sobjects/ContentVersion/{}",
            id.as_str().unwrap()
        ))
        .await
        .json();
    assert_eq!(first["IsLatest"], false);
    let own = format!("{V}/sobjects/ContentDocument/{document}");
    let file = api.get(&own).await.json();
    assert_eq!(
        (
            &file["Title"],
            &file["LatestPublishedVersionId"],
            &file["ContentSize"],
            &file["FileExtension"]
        ),
        (&json!("Notes"), &second["Id"], &json!(4), &json!("csv"))
    );

    // A change of either is one of both, and only the latest is changed.
    let change = |path: String, body: Json| {
        let api = &api;
        async move { api.send_json("PATCH", &path, &body).await }
    };
    assert_eq!(
        change(own.clone(), json!({"Title": "Renamed"}))
            .await
            .status,
        204
    );
    let latest = format!(
        "{V}/sobjects/ContentVersion/{}",
        second["Id"].as_str().unwrap()
    );
    assert_eq!(api.get(&latest).await.json()["Title"], "Renamed");
    assert_eq!(
        change(latest.clone(), json!({"Description": "d"}))
            .await
            .status,
        204
    );
    assert_eq!(api.get(&own).await.json()["Description"], "d");
    let older = format!(
        "{V}/sobjects/ContentVersion/{}",
        first["Id"].as_str().unwrap()
    );
    change(older.clone(), json!({"Title": "x"}))
        .await
        .assert_error(400, "INSUFFICIENT_ACCESS_OR_READONLY");

    // A new owner has the link of the old one.
    let other = api.org.users()[1].id();
    assert_eq!(
        change(own.clone(), json!({"OwnerId": other.as_str()}))
            .await
            .status,
        204
    );
    let owners = api
        .rows(&format!("SELECT LinkedEntityId FROM ContentDocumentLink WHERE ContentDocumentId = '{document}' AND ShareType = 'I' ORDER BY LinkedEntityId"))
        .await;
    assert_eq!(owners.last().unwrap()["LinkedEntityId"], other.as_str());
    assert_eq!(owners.len(), 2);

    // Versions are not deleted by themselves; with the document everything goes.
    api.send("DELETE", &latest, &[], "")
        .await
        .assert_error(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY");
    assert_eq!(api.send("DELETE", &own, &[], "").await.status, 204);
    for path in [&own, &latest, &older, &url] {
        api.get(path).await.assert_error(404, "ENTITY_IS_DELETED");
    }
    let links = api
        .rows(&format!("SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId = '{account}' AND ContentDocumentId = '{document}'"))
        .await;
    assert_eq!(links.len(), 0);
}

#[tokio::test]
async fn a_deleted_record_leaves_its_files() {
    let api = Api::new().await;
    let lead = some_id(&api, "Lead").await;
    let record =
        json!({"PathOnClient": "a.png", "FirstPublishLocationId": lead, "VersionData": "AA=="});
    let version = api.record_of(&api.upload(&record).await).await;
    assert_eq!(
        api.send("DELETE", &format!("{V}/sobjects/Lead/{lead}"), &[], "")
            .await
            .status,
        204
    );
    let document = version["ContentDocumentId"].as_str().unwrap();
    let links = api
        .rows(&format!(
            "SELECT LinkedEntityId FROM ContentDocumentLink WHERE ContentDocumentId = '{document}'"
        ))
        .await;
    assert_eq!(links.len(), 1);
    assert_eq!(
        api.get(&format!("{V}/sobjects/ContentDocument/{document}"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn what_is_no_file_is_refused() {
    let api = Api::new().await;
    let file = api
        .record_of(
            &api.upload(&json!({"PathOnClient": "a", "VersionData": "AA=="}))
                .await,
        )
        .await;
    let document = &file["ContentDocumentId"];
    let user = api.org.users()[0].id();
    assert_eq!(
        (
            &file["PublishStatus"],
            &file["FileType"],
            &file["FirstPublishLocationId"]
        ),
        (&json!("R"), &json!("UNKNOWN"), &json!(user.as_str()))
    );
    for (record, code, message) in [
        (
            json!({"Title": "x"}),
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [PathOnClient, VersionData]",
        ),
        (
            json!({"ContentUrl": "https://a.example"}),
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [Title]",
        ),
        (
            json!({"PathOnClient": "a", "VersionData": "%"}),
            "JSON_PARSER_ERROR",
            "Cannot deserialize instance of base64 from VALUE_STRING value % or request may be missing a required field",
        ),
        (
            json!({"PathOnClient": "a", "VersionData": "AA==", "ContentDocumentId": document, "FirstPublishLocationId": user.as_str()}),
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            "Unable to create/update fields: FirstPublishLocationId. Please check the security settings of this field and verify that it is read/write for your profile or permission set.",
        ),
        (
            json!({"PathOnClient": "a", "VersionData": "AA==", "Checksum": "x"}),
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            "Unable to create/update fields: Checksum. Please check the security settings of this field and verify that it is read/write for your profile or permission set.",
        ),
    ] {
        assert_eq!(api.upload(&record).await.assert_error(400, code), message);
    }
    let link = json!({"Title": "Site", "ContentUrl": "https://a.example"});
    let link = api.record_of(&api.upload(&link).await).await;
    assert_eq!(
        (
            &link["FileType"],
            &link["ContentSize"],
            &link["VersionData"]
        ),
        (&json!("LINK"), &json!(0), &json!(null))
    );
    let none = format!(
        "{V}/sobjects/ContentVersion/{}/VersionData",
        link["Id"].as_str().unwrap()
    );
    api.get(&none).await.assert_error(404, "NOT_FOUND");
    api.send("PUT", &none, &[], "")
        .await
        .assert_error(405, "METHOD_NOT_ALLOWED");
    api.send_json(
        "POST",
        &format!("{V}/sobjects/ContentDocument"),
        &json!({"Title": "x"}),
    )
    .await
    .assert_error(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY");

    let part = |name: &str, file: &str, body: &str| {
        format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{body}\r\n"
        )
    };
    let file = "; filename=\"x\"";
    let end = format!("--{BOUNDARY}--");
    let record = "{\"PathOnClient\": \"a\"}";
    for (body, code) in [
        (String::new(), "INVALID_MULTIPART_REQUEST"),
        (
            part("entity_content", "", record),
            "INVALID_MULTIPART_REQUEST",
        ),
        (
            part("VersionData", file, "x") + &end,
            "INVALID_MULTIPART_REQUEST",
        ),
        (
            part("entity_content", "", record) + &part("more", "", "{}") + &end,
            "INVALID_MULTIPART_REQUEST",
        ),
        (
            part("entity_content", "", "[]") + &part("VersionData", file, "x") + &end,
            "JSON_PARSER_ERROR",
        ),
        (
            part("entity_content", "", record) + &part("Title", file, "x") + &end,
            "INVALID_FIELD",
        ),
        (
            part("entity_content", "", record) + &end,
            "REQUIRED_FIELD_MISSING",
        ),
    ] {
        api.upload_parts(body.into_bytes())
            .await
            .assert_error(400, code);
    }
}

#[tokio::test]
async fn links_follow_their_rules() {
    let api = Api::new().await;
    let file = api
        .record_of(
            &api.upload(&json!({"PathOnClient": "a", "VersionData": "AA=="}))
                .await,
        )
        .await;
    let document = file["ContentDocumentId"].as_str().unwrap();
    let account = some_id(&api, "Account").await;
    let user = api.org.users()[2].id();
    let path = format!("{V}/sobjects/ContentDocumentLink");
    let made = |entity: &str, share: Json, visibility: Json| {
        let body = json!({"ContentDocumentId": document, "LinkedEntityId": entity, "ShareType": share, "Visibility": visibility});
        let (api, path) = (&api, &path);
        async move { api.send_json("POST", path, &body).await }
    };
    for (entity, share, visibility, code) in [
        (
            &*account,
            json!(null),
            json!(null),
            "REQUIRED_FIELD_MISSING",
        ),
        (
            &*account,
            json!("C"),
            json!(null),
            "FIELD_INTEGRITY_EXCEPTION",
        ),
        (
            &*account,
            json!("X"),
            json!(null),
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        ),
        (
            &*account,
            json!("V"),
            json!("SharedUsers"),
            "FIELD_INTEGRITY_EXCEPTION",
        ),
        (
            user.as_str(),
            json!("I"),
            json!(null),
            "FIELD_INTEGRITY_EXCEPTION",
        ),
        (
            user.as_str(),
            json!("V"),
            json!("InternalUsers"),
            "FIELD_INTEGRITY_EXCEPTION",
        ),
        (document, json!("V"), json!(null), "MALFORMED_ID"),
    ] {
        made(entity, share, visibility)
            .await
            .assert_error(400, code);
    }
    let link = api
        .record_of(&made(&account, json!("V"), json!("InternalUsers")).await)
        .await;
    assert_eq!(
        (&link["ShareType"], &link["Visibility"]),
        (&json!("V"), &json!("InternalUsers"))
    );
    made(&account, json!("I"), json!(null))
        .await
        .assert_error(400, "DUPLICATE_VALUE");
    assert_eq!(
        made(user.as_str(), json!("C"), json!(null)).await.status,
        201
    );
    let own = format!("{path}/{}", link["Id"].as_str().unwrap());
    assert_eq!(
        api.send_json("PATCH", &own, &json!({"ShareType": "I"}))
            .await
            .status,
        204
    );
    api.send_json("PATCH", &own, &json!({"LinkedEntityId": account}))
        .await
        .assert_error(400, "INVALID_FIELD_FOR_INSERT_UPDATE");
    assert_eq!(api.send("DELETE", &own, &[], "").await.status, 204);
    assert_eq!(made(&account, json!("V"), json!(null)).await.status, 201);
    let whole = format!("{V}/sobjects/ContentDocument/{document}");
    assert_eq!(
        api.send_json("PATCH", &whole, &json!({"SharingOption": "R"}))
            .await
            .status,
        204
    );
    let contact = some_id(&api, "Contact").await;
    made(&contact, json!("V"), json!(null))
        .await
        .assert_error(400, "FIELD_INTEGRITY_EXCEPTION");

    let restriction = "Implementation restriction: ContentDocumentLink requires a filter by a single Id on ContentDocumentId or LinkedEntityId using the equals operator or multiple Id's using the IN operator.";
    for (condition, found) in [
        ("", None),
        ("WHERE ShareType = 'V'", None),
        (&*format!("WHERE LinkedEntityId != '{account}'"), None),
        (&*format!("WHERE LinkedEntityId NOT IN ('{account}')"), None),
        (
            &*format!("WHERE LinkedEntityId = '{account}' OR ShareType = 'V'"),
            None,
        ),
        ("WHERE ContentDocument.Title = 'a'", None),
        (
            &*format!("WHERE ContentDocumentId = '{document}' AND ShareType = 'V'"),
            Some(1),
        ),
        (
            &*format!("WHERE ContentDocumentId IN ('{document}')"),
            Some(3),
        ),
        (
            &*format!(
                "WHERE LinkedEntityId IN (SELECT Id FROM Account WHERE Id = '{account}') AND ContentDocument.Title = 'a'"
            ),
            Some(1),
        ),
    ] {
        let answer = api.query(&format!("SELECT ContentDocument.Title, LinkedEntity.Type FROM ContentDocumentLink {condition}")).await;
        match found {
            None => assert_eq!(
                answer.assert_error(400, "MALFORMED_QUERY"),
                restriction,
                "{condition}"
            ),
            Some(count) => assert_eq!(answer.json()["totalSize"], count, "{condition}: {answer:?}"),
        }
    }
    let inner = format!(
        "SELECT Title FROM ContentDocument WHERE Id IN (SELECT ContentDocumentId FROM ContentDocumentLink WHERE LinkedEntityId = '{account}')"
    );
    let message = api.query(&inner).await.assert_error(400, "MALFORMED_QUERY");
    assert!(
        message
            .ends_with("Entity 'ContentDocumentLink' is not supported for semi join inner selects")
    );
    let of_account = format!(
        "SELECT (SELECT ContentDocument.LatestPublishedVersion.PathOnClient FROM ContentDocumentLinks) FROM Account WHERE Id = '{account}'"
    );
    let links = api.rows(&of_account).await;
    assert!(links[0]["ContentDocumentLinks"]["totalSize"].as_u64() >= Some(1));
}

#[tokio::test]
async fn files_take_room_until_there_is_none() {
    let limits = vec![(Limit::FileStorageMB, 1)];
    let api = Api::with(Options {
        limits,
        ..Options::default()
    })
    .await;
    let left = || async { api.get(&format!("{V}/limits")).await.json()["FileStorageMB"].clone() };
    let fill = json!({"PathOnClient": "a.bin"});
    let bytes = vec![7; 700_000];
    assert_eq!(api.upload_parts(multipart(&fill, &bytes)).await.status, 201);
    assert_eq!(left().await, json!({"Max": 1, "Remaining": 0}));
    let full = api.upload_parts(multipart(&fill, &bytes)).await;
    assert_eq!(
        full.assert_error(400, "STORAGE_LIMIT_EXCEEDED"),
        "storage limit exceeded"
    );
    let small = api
        .record_of(&api.upload_parts(multipart(&fill, b"x")).await)
        .await;
    let own = format!(
        "{V}/sobjects/ContentVersion/{}",
        small["Id"].as_str().unwrap()
    );
    api.send_json("PATCH", &own, &json!({"VersionData": base64(&bytes)}))
        .await
        .assert_error(400, "STORAGE_LIMIT_EXCEEDED");
    assert_eq!(
        api.send_json("PATCH", &own, &json!({"VersionData": base64(b"yes")}))
            .await
            .status,
        204
    );
    assert_eq!(api.get(&own).await.json()["ContentSize"], 3);

    let data = vec![(Limit::DataStorageMB, 1)];
    let api = Api::with(Options {
        limits: data,
        ..Options::default()
    })
    .await;
    let full = api
        .send_json(
            "POST",
            &format!("{V}/sobjects/Account"),
            &json!({"Name": "x"}),
        )
        .await;
    full.assert_error(400, "STORAGE_LIMIT_EXCEEDED");
    let mut all: Vec<String> = Vec::new();
    for (name, limit) in api
        .get(&format!("{V}/limits"))
        .await
        .json()
        .as_object()
        .unwrap()
    {
        assert!(
            limit["Remaining"].as_u64() <= limit["Max"].as_u64(),
            "{name}"
        );
        all.push(name.clone());
    }
    assert_eq!(all.len(), Limit::ALL.len());
}

/// Whatever the bytes and the name are, they come back by either way, whole.
#[test]
fn bytes_and_names_come_back() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let api = runtime.block_on(Api::new());
    let config = ProptestConfig {
        cases: 48,
        ..ProptestConfig::default()
    };
    proptest!(config, |(bytes in prop::collection::vec(any::<u8>(), 1..2_000), name in "[^\\p{C}\\s]{1,40}", parts: bool)| {
        runtime.block_on(async {
            let mut record = json!({"PathOnClient": name, "Title": name});
            let made = if parts {
                api.upload_parts(multipart(&record, &bytes)).await
            } else {
                record["VersionData"] = json!(base64(&bytes));
                api.upload(&record).await
            };
            let version = api.record_of(&made).await;
            assert_eq!(version["Title"], json!(name));
            assert_eq!(version["PathOnClient"], json!(name));
            assert_eq!(version["ContentSize"], json!(bytes.len()));
            let data = api.get(version["VersionData"].as_str().unwrap()).await;
            assert_eq!(data.bytes, bytes);
        });
    });
}

#[tokio::test]
async fn whoever_adds_a_version_does_not_take_the_document() {
    let mut api = Api::new().await;
    let file = json!({"PathOnClient": "a", "VersionData": "AA=="});
    let version = api.record_of(&api.upload(&file).await).await;
    let document = version["ContentDocumentId"].as_str().unwrap().to_owned();
    let owner = version["OwnerId"].clone();
    let administrator = api.token.clone();
    let other = api.org.users()[2].id().to_string();
    let link = json!({"ContentDocumentId": document, "LinkedEntityId": other, "ShareType": "C"});
    let made = api
        .send_json("POST", &format!("{V}/sobjects/ContentDocumentLink"), &link)
        .await;
    assert_eq!(made.status, 201, "{made:?}");

    // A collaborator adds a version, and can give the document to nobody.
    api.token = api.org.users()[2].access_token.clone();
    let mut more =
        json!({"ContentDocumentId": document, "PathOnClient": "b", "VersionData": "AA=="});
    let second = api.record_of(&api.upload(&more).await).await;
    assert_eq!(
        (&second["VersionNumber"], &second["OwnerId"]),
        (&json!("2"), &owner)
    );
    let taken = json!({"OwnerId": other});
    let latest = format!(
        "{V}/sobjects/ContentVersion/{}",
        second["Id"].as_str().unwrap()
    );
    let own = format!("{V}/sobjects/ContentDocument/{document}");
    for path in [&latest, &own] {
        let answer = api.send_json("PATCH", path, &taken).await;
        answer.assert_error(403, "INSUFFICIENT_ACCESS_OR_READONLY");
    }
    more["OwnerId"] = json!(other);
    api.upload(&more)
        .await
        .assert_error(403, "INSUFFICIENT_ACCESS_OR_READONLY");
    assert_eq!(api.get(&own).await.json()["OwnerId"], owner);

    // Who may give it away does so by a version, too.
    api.token = administrator;
    let third = api.record_of(&api.upload(&more).await).await;
    assert_eq!(third["OwnerId"], json!(other));
    assert_eq!(api.get(&own).await.json()["OwnerId"], json!(other));
    let links = api
        .rows(&format!("SELECT LinkedEntityId, ShareType FROM ContentDocumentLink WHERE ContentDocumentId = '{document}'"))
        .await;
    assert_eq!(links.len(), 1);
    assert_eq!(
        (&links[0]["LinkedEntityId"], &links[0]["ShareType"]),
        (&json!(other), &json!("I"))
    );
}

#[tokio::test]
async fn a_link_is_changed_by_the_rules_of_a_new_one() {
    let api = Api::new().await;
    let account = some_id(&api, "Account").await;
    let file =
        json!({"PathOnClient": "a", "VersionData": "AA==", "FirstPublishLocationId": account});
    let version = api.record_of(&api.upload(&file).await).await;
    let document = version["ContentDocumentId"].as_str().unwrap();
    let link = async |prefix: &str| {
        let links = api
            .rows(&format!("SELECT Id, LinkedEntityId FROM ContentDocumentLink WHERE ContentDocumentId = '{document}'"))
            .await;
        let to = |link: &&Json| link["LinkedEntityId"].as_str().unwrap().starts_with(prefix);
        let id = links.iter().find(to).unwrap()["Id"]
            .as_str()
            .unwrap()
            .to_owned();
        format!("{V}/sobjects/ContentDocumentLink/{id}")
    };
    let (record, person) = (link("001").await, link("005").await);
    for (path, field, value, good) in [
        (&record, "ShareType", "C", false),
        (&record, "Visibility", "SharedUsers", false),
        (&record, "ShareType", "V", true),
        (&record, "Visibility", "InternalUsers", true),
        (&person, "Visibility", "InternalUsers", false),
        (&person, "ShareType", "I", true),
        (&person, "ShareType", "C", true),
        (&person, "ShareType", "I", false),
    ] {
        let answer = api.send_json("PATCH", path, &json!({field: value})).await;
        if good {
            assert_eq!(answer.status, 204, "{field} {value}: {answer:?}");
        } else {
            answer.assert_error(400, "FIELD_INTEGRITY_EXCEPTION");
        }
    }
    // Once sharing is frozen, it stays what it is.
    let frozen = format!("{V}/sobjects/ContentDocument/{document}");
    let answer = api
        .send_json("PATCH", &frozen, &json!({"SharingOption": "R"}))
        .await;
    assert_eq!(answer.status, 204, "{answer:?}");
    for (share, good) in [("V", true), ("I", false)] {
        let body = json!({"ShareType": share});
        let answer = api.send_json("PATCH", &record, &body).await;
        assert_eq!(answer.status == 204, good, "{share}: {answer:?}");
    }
}
