//! The SOAP API, as the clients speak it that sign in by it.

use base64::Engine as _;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use quick_xml::Reader;
use quick_xml::events::Event;
use salesforce_devorg::fault::{Fault, Rule};
use serde_json::json;

use crate::client::{Answer, Api, V};

const PARTNER: &str = "urn:partner.soap.sforce.com";

/// Sends a body as one client writes it; `session` goes into the header.
pub(crate) async fn send(api: &Api, path: &str, session: &str, body: &str) -> Answer {
    let headers = match session {
        "" => String::new(),
        id => format!(
            "<SessionHeader xmlns=\"{PARTNER}\"><sessionId>{id}</sessionId></SessionHeader>"
        ),
    };
    let message = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <se:Envelope xmlns:se=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><se:Header>{headers}</se:Header>\
         <se:Body xmlns=\"{PARTNER}\">{body}</se:Body></se:Envelope>"
    );
    raw(api, path, &message).await
}

async fn raw(api: &Api, path: &str, message: &str) -> Answer {
    let headers = [("content-type", "text/xml"), ("soapaction", "\"\"")];
    let answer = api.send("POST", path, &headers, message.to_owned()).await;
    assert!(well_formed(&answer.text), "{answer:?}");
    assert_eq!(answer.header("content-type"), "text/xml;charset=UTF-8");
    answer
}

/// Calls an operation as the administrator, and gives the answer's text.
pub(crate) async fn call(api: &Api, body: &str) -> String {
    let answer = send(api, "/services/Soap/u/60.0", &api.token, body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.text
}

fn well_formed(xml: &str) -> bool {
    let mut reader = Reader::from_str(xml);
    loop {
        match reader.read_event() {
            Ok(Event::Eof) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

/// Gives what stands in the first element with a tag, as clients that use regular expressions see it.
fn text<'x>(xml: &'x str, tag: &str) -> &'x str {
    let after = xml
        .split_once(&format!("<{tag}>"))
        .unwrap_or_else(|| unreachable!("no {tag} in {xml}"))
        .1;
    after.split_once(&format!("</{tag}>")).unwrap().0
}

fn login(username: &str, password: &str) -> String {
    format!(
        "<login xmlns=\"{PARTNER}\"><username>{username}</username><password>{password}</password></login>"
    )
}

#[tokio::test]
async fn one_signs_in_and_out() {
    let mut api = Api::new().await;
    let user = api.org.users()[0].clone();
    // In capitals, and with prefixes, as another client has it.
    let prefixed = login(&user.username.to_uppercase(), &user.password)
        .replace("<login xmlns", "<n1:login xmlns:n1")
        .replace("<username", "<n1:username")
        .replace("<password", "<n1:password")
        .replace("</", "</n1:");
    for (path, body) in [
        (
            "/services/Soap/u/50.0",
            login(&user.username, &user.password),
        ),
        ("/services/Soap/u/31.0/", prefixed),
    ] {
        let answer = send(&api, path, "", &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let xml = &answer.text;
        assert_eq!(text(xml, "userId"), user.id().as_str());
        let server = text(xml, "serverUrl");
        assert!(
            server.starts_with(api.org.url())
                && server.ends_with(text(xml, "organizationId").get(..15).unwrap()),
            "{server}"
        );
        assert_eq!(text(xml, "userName"), user.username);
        assert!(xml.contains("<userDefaultCurrencyIsoCode xsi:nil=\"true\"/>"));
        // The session is one of the REST API too, and the server's address answers.
        api.token = text(xml, "sessionId").to_owned();
        assert_eq!(api.get(&format!("{V}/limits")).await.status, 200);
        let path = server.strip_prefix(api.org.url()).unwrap();
        let answer = send(&api, path, &api.token, "<getUserInfo/>").await;
        assert_eq!(
            text(&answer.text, "userFullName"),
            text(xml, "userFullName")
        );
    }
    assert!(
        call(&api, "<getServerTimestamp/>")
            .await
            .contains("<timestamp>2026-11-23T12:00:00.000Z</timestamp>")
    );
    assert!(call(&api, "<logout/>").await.contains("<logoutResponse/>"));
    api.get(&format!("{V}/limits"))
        .await
        .assert_error(401, "INVALID_SESSION_ID");
}

fn assert_fault(answer: &Answer, code: &str, words: &str) {
    assert_eq!(answer.status, 500, "{answer:?}");
    let message = text(&answer.text, "faultstring");
    assert!(message.contains(words), "{answer:?}");
    if code == "soapenv:Client" {
        assert_eq!(text(&answer.text, "faultcode"), code);
        return;
    }
    assert_eq!(text(&answer.text, "faultcode"), format!("sf:{code}"));
    assert_eq!(text(&answer.text, "sf:exceptionCode"), code);
    assert_eq!(
        message,
        format!("{code}: {}", text(&answer.text, "sf:exceptionMessage"))
    );
}

#[tokio::test]
async fn what_cannot_be_answered_is_a_fault() {
    let api = Api::new().await;
    let user = &api.org.users()[0];
    let right = login(&user.username, &user.password);
    let path = "/services/Soap/u/60.0";
    let answer = send(&api, path, "", &login(&user.username, "wrong")).await;
    assert_fault(
        &answer,
        "INVALID_LOGIN",
        "Invalid username, password, security token; or user locked out.",
    );
    assert!(
        answer
            .text
            .contains("<sf:LoginFault xsi:type=\"sf:LoginFault\">")
    );
    assert!(
        answer
            .text
            .contains("xmlns:sf=\"urn:fault.partner.soap.sforce.com\"")
    );
    assert_fault(
        &send(&api, path, "", &login("nobody@nowhere.example", "")).await,
        "INVALID_LOGIN",
        "locked out",
    );
    assert_fault(
        &send(&api, "/services/Soap/u/65.0", "", &right).await,
        "UNSUPPORTED_API_VERSION",
        "login()",
    );
    assert_eq!(
        send(&api, "/services/Soap/u/64.0", "", &right).await.status,
        200
    );
    for version in ["30.0", "69.0", "x"] {
        let answer = send(&api, &format!("/services/Soap/u/{version}"), "", &right).await;
        assert_fault(&answer, "UNSUPPORTED_API_VERSION", "Invalid Api version");
    }
    for session in ["", "00D!nobody"] {
        assert_fault(
            &send(&api, path, session, "<getUserInfo/>").await,
            "INVALID_SESSION_ID",
            "Illegal Session",
        );
    }
    let answer = send(&api, path, &api.token, "<dance/>").await;
    assert_fault(
        &answer,
        "soapenv:Client",
        "No operation available for request {urn:partner.soap.sforce.com}dance",
    );
    // The other WSDL has other names.
    let answer = send(&api, "/services/Soap/c/60.0", "", &right).await;
    assert_fault(&answer, "soapenv:Client", "No operation available");
    let answer = send(
        &api,
        "/services/Soap/c/60.0",
        "",
        &right.replace("partner", "enterprise"),
    )
    .await;
    assert_eq!(answer.status, 200);
    let answer = api
        .send("POST", path, &[("content-type", "text/xml")], right.clone())
        .await;
    assert_fault(&answer, "soapenv:Client", "SOAPAction HTTP header missing");
    assert_eq!(api.get(path).await.status, 405);
    let entity = format!("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>{right}");
    for message in ["", "login", "<a/>", "{\"q\": 1}", &entity] {
        assert_fault(&raw(&api, path, message).await, "soapenv:Client", "");
    }
    let mut runner = TestRunner::deterministic();
    for strategy in [
        "\\PC{0,80}",
        "(<[a-c:]{1,3}>|</[a-c]>|&[a-z#;0-9]{1,4}|<!\\[CDATA\\[|[a-c\"' ]){0,20}",
    ] {
        for _ in 0..40 {
            let message = strategy.new_tree(&mut runner).unwrap().current();
            assert_fault(&raw(&api, path, &message).await, "soapenv:Client", "");
            let inside = format!("<query><queryString>{message}</queryString></query>");
            assert_eq!(
                send(&api, path, &api.token, &inside).await.status,
                500,
                "{message}"
            );
        }
    }
}

#[tokio::test]
async fn records_are_queried_and_retrieved() {
    let api = Api::new().await;
    let query = |soql: &str| format!("<query><queryString>{soql}</queryString></query>");
    let xml = call(&api, &query("SELECT Id, Name, CreatedDate, BillingAddress, Owner.Name, (SELECT Id FROM Contacts LIMIT 1) FROM Account ORDER BY Name LIMIT 1")).await;
    assert!(xml.contains("<result xsi:type=\"QueryResult\"><done>true</done><queryLocator xsi:nil=\"true\"/><records xsi:type=\"sf:sObject\"><sf:type>Account</sf:type><sf:Id>001"), "{xml}");
    assert!(text(&xml, "sf:CreatedDate").ends_with(".000Z"));
    assert!(xml.contains("<sf:Owner xsi:type=\"sf:sObject\"><sf:type>User</sf:type><sf:Id xsi:nil=\"true\"/><sf:Name>"));
    assert!(xml.contains("<sf:Contacts xsi:type=\"QueryResult\"><done>true</done>"));
    assert!(xml.contains("<sf:BillingAddress xsi:type=\"address\"><city>"));
    assert!(xml.contains("<current>1</current>") && xml.contains("<type>API REQUESTS</type>"));
    let id = text(&xml, "sf:Id").to_owned();
    let retrieved = call(&api, &format!("<retrieve><fieldList>Name, Phone</fieldList><sObjectType>Account</sObjectType><ids>{id}</ids><ids>001000000000000AAA</ids></retrieve>")).await;
    assert_eq!(text(&retrieved, "sf:Name"), text(&xml, "sf:Name"));
    assert!(
        retrieved.contains("</result><result xsi:nil=\"true\"/></retrieveResponse>"),
        "{retrieved}"
    );
    let count = call(&api, &query("SELECT COUNT(Id) n FROM Lead")).await;
    assert!(
        count.contains(
            "<sf:type>AggregateResult</sf:type><sf:Id xsi:nil=\"true\"/><sf:n>150</sf:n>"
        ),
        "{count}"
    );
    let all = call(
        &api,
        "<queryAll><queryString>SELECT COUNT() FROM Lead</queryString></queryAll>",
    )
    .await;
    assert_eq!(text(&all, "size"), "153");
    // Pages.
    let mut page = call(&api, &query("SELECT Name FROM Measurement__c")).await;
    let mut rows = page.matches("<records ").count();
    while page.contains("<done>false</done>") {
        page = call(
            &api,
            &format!(
                "<queryMore><queryLocator>{}</queryLocator></queryMore>",
                text(&page, "queryLocator")
            ),
        )
        .await;
        assert_eq!(text(&page, "size"), "5000");
        rows += page.matches("<records ").count();
    }
    assert_eq!(rows, 5_000);
    let found = call(&api, "<search><searchString>FIND {sales} IN NAME FIELDS RETURNING User(Name)</searchString></search>").await;
    assert!(found.contains("<searchResponse>"), "{found}");
    let enterprise = "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Header><SessionHeader xmlns=\"urn:enterprise.soap.sforce.com\"><sessionId>TOKEN</sessionId></SessionHeader></e:Header><e:Body><query xmlns=\"urn:enterprise.soap.sforce.com\"><queryString>SELECT Id FROM Account LIMIT 1</queryString></query></e:Body></e:Envelope>".replace("TOKEN", &api.token);
    let answer = raw(&api, "/services/Soap/c/60.0", &enterprise).await;
    assert!(
        answer
            .text
            .contains("<records xsi:type=\"sf:Account\"><sf:Id>001"),
        "{answer:?}"
    );
    let path = "/services/Soap/u/60.0";
    for (body, code, words) in [
        (query("SELECT Nme FROM Account"), "INVALID_FIELD", "No such column 'Nme' on entity 'Account'"),
        (query("SELECT FROM"), "MALFORMED_QUERY", "unexpected token"),
        (query(""), "MALFORMED_QUERY", "has to be specified"),
        (query("SELECT Id FROM Acount"), "INVALID_TYPE", "sObject type 'Acount' is not supported"),
        ("<queryMore><queryLocator>01g-1</queryLocator></queryMore>".into(), "INVALID_QUERY_LOCATOR", "invalid query locator"),
        ("<search><searchString>FIND {a}</searchString></search>".into(), "MALFORMED_SEARCH", "longer than one character"),
        ("<retrieve><fieldList>Id</fieldList><sObjectType>Account</sObjectType><ids>x</ids></retrieve>".into(), "MALFORMED_ID", "malformed id x"),
        ("<retrieve><fieldList>Nme</fieldList><sObjectType>Acc</sObjectType></retrieve>".into(), "INVALID_TYPE", "'Acc'"),
    ] {
        let answer = send(&api, path, &api.token, &body).await;
        assert_fault(&answer, code, words);
    }
    let answer = send(&api, path, &api.token, &query("SELECT Nme FROM Account")).await;
    assert!(
        answer
            .text
            .contains("<sf:InvalidFieldFault xsi:type=\"sf:InvalidFieldFault\">")
    );
    assert_eq!(
        (
            text(&answer.text, "sf:row"),
            text(&answer.text, "sf:column")
        ),
        ("1", "8")
    );
}

#[tokio::test]
async fn bytes_stand_in_rows_which_come_one_at_a_time() {
    let api = Api::new().await;
    let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let contents: [&[u8]; 2] = ["Grüße\n".as_bytes(), &[0, 255, 13, 10, 60]];
    for bytes in contents {
        let file =
            json!({"Title": "Of bytes", "PathOnClient": "a.bin", "VersionData": base64(bytes)});
        let made = api
            .send_json("POST", &format!("{V}/sobjects/ContentVersion"), &file)
            .await;
        assert_eq!(made.status, 201, "{made:?}");
    }
    let query = |select: &str, rest: &str| {
        format!(
            "<query><queryString>SELECT {select} FROM ContentVersion WHERE Title = 'Of bytes' {rest}</queryString></query>"
        )
    };
    let mut page = call(&api, &query("Id, VersionData, ContentSize", "ORDER BY Id")).await;
    let id = text(&page, "sf:Id").to_owned();
    for (at, bytes) in contents.into_iter().enumerate() {
        assert_eq!(page.matches("<records ").count(), 1, "{page}");
        assert_eq!(text(&page, "size"), "2");
        assert_eq!(text(&page, "done"), if at == 0 { "false" } else { "true" });
        assert_eq!(text(&page, "sf:VersionData"), base64(bytes));
        assert_eq!(text(&page, "sf:ContentSize"), bytes.len().to_string());
        if at == 0 {
            // Whatever size of a page is asked for.
            let locator = text(&page, "queryLocator");
            let message = format!(
                "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns=\"{PARTNER}\"><e:Header>\
                 <SessionHeader><sessionId>{}</sessionId></SessionHeader><QueryOptions><batchSize>500</batchSize></QueryOptions></e:Header>\
                 <e:Body><queryMore><queryLocator>{locator}</queryLocator></queryMore></e:Body></e:Envelope>",
                api.token
            );
            page = raw(&api, "/services/Soap/u/60.0", &message).await.text;
        }
    }
    // An id that is asked for is there twice, and one that is not is null.
    let page = call(&api, &query("Id, Title", "ORDER BY Id LIMIT 1")).await;
    let twice = format!(
        "<sf:type>ContentVersion</sf:type><sf:Id>{id}</sf:Id><sf:Id>{id}</sf:Id><sf:Title>"
    );
    assert!(page.contains(&twice), "{page}");
    let page = call(&api, &query("VersionData", "ORDER BY Id LIMIT 1")).await;
    assert!(
        page.contains("<sf:Id xsi:nil=\"true\"/><sf:VersionData>"),
        "{page}"
    );
    let retrieved = call(&api, &format!("<retrieve><fieldList>VersionData</fieldList><sObjectType>ContentVersion</sObjectType><ids>{id}</ids></retrieve>")).await;
    assert_eq!(retrieved.matches("<sf:Id>").count(), 1, "{retrieved}");
    assert_eq!(text(&retrieved, "sf:VersionData"), base64(contents[0]));
    // A link has none.
    let link = json!({"Title": "Of a link", "ContentUrl": "https://a.example/"});
    let made = api
        .send_json("POST", &format!("{V}/sobjects/ContentVersion"), &link)
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    let of_link = query("VersionData", "").replace("Of bytes", "Of a link");
    let page = call(&api, &of_link).await;
    assert!(
        page.contains("<sf:VersionData xsi:nil=\"true\"/>"),
        "{page}"
    );
    // Bytes are no condition.
    let refused = query("Id", "AND VersionData = 'eA=='");
    let answer = send(&api, "/services/Soap/u/60.0", &api.token, &refused).await;
    assert_fault(&answer, "INVALID_FIELD", "VersionData");
}

#[tokio::test]
async fn what_goes_wrong_is_a_fault_of_this_api() {
    let api = Api::new().await;
    let query = "<query><queryString>SELECT Id FROM Account LIMIT 1</queryString></query>";
    for (fault, code, words) in [
        (
            Fault::SessionExpired,
            "INVALID_SESSION_ID",
            "Illegal Session",
        ),
        (Fault::LockRow, "UNABLE_TO_LOCK_ROW", "exclusive access"),
        (
            Fault::RequestLimit,
            "REQUEST_LIMIT_EXCEEDED",
            "TotalRequests",
        ),
        (
            Fault::ServerUnavailable,
            "SERVER_UNAVAILABLE",
            "unavailable",
        ),
        (Fault::QueryTimeout, "QUERY_TIMEOUT", "too long"),
        (Fault::ServerError, "UNKNOWN_EXCEPTION", "unexpected error"),
    ] {
        api.org.add_fault(Rule::next(fault)).unwrap();
        let answer = send(&api, "/services/Soap/u/60.0", &api.token, query).await;
        assert_fault(&answer, code, words);
    }
    assert!(call(&api, query).await.contains("<records "));
}

#[tokio::test]
async fn records_are_made_changed_and_deleted() {
    let api = Api::new().await;
    let count = async || {
        api.query("SELECT COUNT() FROM Account").await.json()["totalSize"]
            .as_u64()
            .unwrap()
    };
    let before = count().await;
    let xml = call(&api, "<create><sObjects><type>Account</type><Name>Söap &amp; Co</Name><NumberOfEmployees>5</NumberOfEmployees></sObjects><sObjects xsi:type=\"Contact\"><FirstName>No</FirstName></sObjects></create>").await;
    let id = text(&xml, "id").to_owned();
    let again = call(
        &api,
        &format!(
            "<create><sObjects><type>Account</type><Id>{id}</Id><Name>B</Name></sObjects></create>"
        ),
    )
    .await;
    assert_eq!(
        text(&again, "statusCode"),
        "INVALID_FIELD_FOR_INSERT_UPDATE"
    );
    assert!(xml.contains("<success>true</success></result><result><errors><fields>LastName</fields><message>Required fields are missing: [LastName]</message><statusCode>REQUIRED_FIELD_MISSING</statusCode></errors><id xsi:nil=\"true\"/><success>false</success></result>"), "{xml}");
    let xml = call(&api, &format!("<update><sObjects><type>Account</type><Id>{id}</Id><fieldsToNull>NumberOfEmployees</fieldsToNull><Site xsi:nil=\"true\"/><Phone>1</Phone></sObjects><sObjects><type>Account</type></sObjects><sObjects><type>Account</type><Id>001DO000000zzzzAAA</Id></sObjects></update>")).await;
    assert_eq!(text(&xml, "statusCode"), "MISSING_ARGUMENT");
    assert!(
        xml.contains("<statusCode>INVALID_CROSS_REFERENCE_KEY</statusCode>"),
        "{xml}"
    );
    let record = api.get(&format!("{V}/sobjects/Account/{id}")).await.json();
    assert_eq!(
        (
            &record["Name"],
            &record["NumberOfEmployees"],
            &record["Phone"]
        ),
        (&json!("Söap & Co"), &json!(null), &json!("1"))
    );

    let upsert = |field: &str, sent: &str| {
        format!(
            "<upsert><externalIDFieldName>{field}</externalIDFieldName><sObjects><type>Account</type>{sent}</sObjects></upsert>"
        )
    };
    let xml = call(
        &api,
        &upsert("id", &format!("<Id>{id}</Id><Phone>2</Phone>")),
    )
    .await;
    assert!(
        xml.contains(&format!(
            "<result><created>false</created><id>{id}</id><success>true</success></result>"
        )),
        "{xml}"
    );
    let xml = call(&api, &upsert("Id", "<Name>New</Name>")).await;
    assert_eq!(text(&xml, "created"), "true");
    let xml = call(&api, &upsert("Phone", "<Phone>2</Phone>")).await;
    assert_eq!(text(&xml, "success"), "false");
    assert_eq!(count().await, before + 2);

    // All or nothing.
    let message = "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Header><SessionHeader xmlns=\"urn:partner.soap.sforce.com\"><sessionId>TOKEN</sessionId></SessionHeader><AllOrNoneHeader xmlns=\"urn:partner.soap.sforce.com\"><allOrNone>true</allOrNone></AllOrNoneHeader></e:Header><e:Body><create xmlns=\"urn:partner.soap.sforce.com\"><sObjects><type>Account</type><Name>A</Name></sObjects><sObjects><type>Account</type></sObjects></create></e:Body></e:Envelope>".replace("TOKEN", &api.token);
    let answer = raw(&api, "/services/Soap/u/60.0", &message).await;
    assert_eq!(
        text(&answer.text, "statusCode"),
        "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    );
    assert_eq!(count().await, before + 2);

    let xml = call(
        &api,
        &format!("<delete><ids>{id}</ids><ids>{id}</ids><ids>zzz</ids></delete>"),
    )
    .await;
    assert!(xml.contains(&format!("<result><id>{id}</id><success>true</success></result><result><errors><message>entity is deleted</message><statusCode>ENTITY_IS_DELETED</statusCode></errors>")), "{xml}");
    assert!(
        xml.contains("<message>malformed id zzz</message><statusCode>MALFORMED_ID</statusCode>")
    );
    assert_eq!(count().await, before + 1);
    let path = "/services/Soap/u/60.0";
    let many = format!("<delete>{}</delete>", "<ids>x</ids>".repeat(201));
    assert_fault(
        &send(&api, path, &api.token, &many).await,
        "EXCEEDED_ID_LIMIT",
        "more than 200 records",
    );
    let untyped = "<create><sObjects><Name>A</Name></sObjects></create>";
    assert_fault(
        &send(&api, path, &api.token, untyped).await,
        "INVALID_TYPE",
        "Must send a concrete entity type.",
    );
}

async fn make(api: &Api, object: &str, fields: &str) -> String {
    let xml = call(
        api,
        &format!("<create><sObjects><type>{object}</type>{fields}</sObjects></create>"),
    )
    .await;
    assert_eq!(text(&xml, "success"), "true", "{xml}");
    text(&xml, "id").to_owned()
}

#[tokio::test]
async fn records_are_merged_and_restored() {
    let api = Api::new().await;
    let master = make(&api, "Account", "<Name>Master of all</Name>").await;
    let loser = make(&api, "Account", "<Name>Loser of all</Name><Phone>7</Phone>").await;
    let person = make(
        &api,
        "Contact",
        &format!("<LastName>Moved</LastName><AccountId>{loser}</AccountId>"),
    )
    .await;
    let merge = |values: &str, loser: &str| {
        format!(
            "<merge><request><masterRecord xsi:type=\"Account\"><Id>{master}</Id>{values}</masterRecord><recordToMergeIds>{loser}</recordToMergeIds></request></merge>"
        )
    };
    let xml = call(&api, &merge("<Phone>7</Phone>", &loser)).await;
    let expected = format!(
        "<result><id>{master}</id><mergedRecordIds>{loser}</mergedRecordIds><success>true</success><updatedRelatedIds>{person}</updatedRelatedIds></result>"
    );
    assert!(xml.contains(&expected), "{xml}");
    let account = api
        .get(&format!("{V}/sobjects/Account/{master}"))
        .await
        .json();
    assert_eq!(
        (&account["Name"], &account["Phone"]),
        (&json!("Master of all"), &json!("7"))
    );
    assert_eq!(
        api.get(&format!("{V}/sobjects/Contact/{person}"))
            .await
            .json()["AccountId"],
        master
    );
    api.get(&format!("{V}/sobjects/Account/{loser}"))
        .await
        .assert_error(404, "ENTITY_IS_DELETED");
    for (loser, code) in [
        (loser.as_str(), "ENTITY_IS_DELETED"),
        (&person, "MALFORMED_ID"),
        ("x", "MALFORMED_ID"),
    ] {
        let xml = call(&api, &merge("", loser)).await;
        assert_eq!(
            (text(&xml, "statusCode"), text(&xml, "success")),
            (code, "false"),
            "{xml}"
        );
    }
    let xml = call(
        &api,
        &format!("<undelete><ids>{loser}</ids><ids>{loser}</ids></undelete>"),
    )
    .await;
    assert!(xml.contains(&format!("<result><id>{loser}</id><success>true</success></result><result><errors><message>entity is not in the recycle bin</message><statusCode>UNDELETE_FAILED</statusCode></errors>")), "{xml}");
    assert_eq!(
        api.get(&format!("{V}/sobjects/Account/{loser}"))
            .await
            .json()["Name"],
        "Loser of all"
    );
    let untyped = "<merge><request><recordToMergeIds>x</recordToMergeIds></request></merge>";
    assert_fault(
        &send(&api, "/services/Soap/u/60.0", &api.token, untyped).await,
        "MISSING_ARGUMENT",
        "masterRecord not specified",
    );
}

#[tokio::test]
async fn leads_are_converted() {
    let api = Api::new().await;
    let lead = make(
        &api,
        "Lead",
        "<FirstName>Lea</FirstName><LastName>Turner</LastName><Company>Turning Points</Company>",
    )
    .await;
    let convert = |lead: &str, more: &str| {
        format!(
            "<convertLead><leadConverts>{more}<convertedStatus>Closed - Converted</convertedStatus><leadId>{lead}</leadId></leadConverts></convertLead>"
        )
    };
    let xml = call(
        &api,
        &convert(
            &lead,
            "<opportunityName>First turn</opportunityName><accountId xsi:nil=\"true\"/>",
        ),
    )
    .await;
    assert_eq!(
        (text(&xml, "leadId"), text(&xml, "success")),
        (lead.as_str(), "true"),
        "{xml}"
    );
    let sale = api
        .get(&format!(
            "{V}/sobjects/Opportunity/{}",
            text(&xml, "opportunityId")
        ))
        .await
        .json();
    assert_eq!(
        (&sale["Name"], &sale["AccountId"]),
        (&json!("First turn"), &json!(text(&xml, "accountId")))
    );
    let person = api
        .get(&format!("{V}/sobjects/Contact/{}", text(&xml, "contactId")))
        .await
        .json();
    assert_eq!(person["Name"], "Lea Turner");
    assert_eq!(
        api.get(&format!("{V}/sobjects/Lead/{lead}")).await.json()["IsConverted"],
        true
    );
    let again = call(&api, &convert(&lead, "")).await;
    assert!(
        again.contains("<accountId xsi:nil=\"true\"/><contactId xsi:nil=\"true\"/><errors>"),
        "{again}"
    );
    assert_eq!(
        (text(&again, "statusCode"), text(&again, "success")),
        ("CANNOT_UPDATE_CONVERTED_LEAD", "false")
    );
    let other = make(
        &api,
        "Lead",
        "<LastName>Still</LastName><Company>Turning Points</Company>",
    )
    .await;
    let xml = call(
        &api,
        &convert(
            &other,
            &format!(
                "<doNotCreateOpportunity>true</doNotCreateOpportunity><accountId>{}</accountId>",
                text(&xml, "accountId")
            ),
        ),
    )
    .await;
    assert!(
        xml.contains("<opportunityId xsi:nil=\"true\"/><success>true</success>"),
        "{xml}"
    );
    let wrong = call(
        &api,
        &convert(&other, "").replace("Closed - Converted", "Open"),
    )
    .await;
    assert_eq!(text(&wrong, "success"), "false");
}
