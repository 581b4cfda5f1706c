//! What the org refuses inside of an answer whose status says success: the log says that nothing was changed, and says it of each record of several.

use std::time::Duration;

use portcullis::Reply;
use portcullis::policy::Mode;
use portcullis::ports::audit::{Event, RequestEnd};
use salesforce_devorg::fault::{Fault, Rule, When, Work};
use serde_json::{Value, json};

use super::desk::{Desk, SALE};
use crate::support::ended;

const SOAP: &str = "/services/Soap/u/*";
const COLLECTIONS: &str = "/services/data/v68.0/composite/sobjects";

/// How the one change of a call ended, as its caller is told and as its log says.
fn end(desk: &Desk, reply: &Reply) -> RequestEnd {
    let [sent] = &reply.sent[..] else {
        panic!("{reply:?}");
    };
    let [number] = desk.changes(reply)[..] else {
        panic!("{reply:?}");
    };
    let records = desk.world.records(reply).into_iter();
    let mut ends = records.filter_map(|record| match record.event {
        Event::Answered(answer) if answer.request == number => Some(answer.end),
        _ => None,
    });
    assert_eq!(ends.next().as_ref(), Some(&sent.end));
    sent.end.clone()
}

/// Has the org answer so what is sent to a path by `method`.
fn answers(desk: &Desk, (method, path): (&str, &str), fault: Fault, work: Work) {
    let when = When {
        method: Some(method.to_owned()),
        path: Some(path.to_owned()),
        ..When::default()
    };
    let work = Some(work);
    desk.org.add_fault(Rule { fault, when, work }).unwrap();
}

fn answer(content_type: &str, body: String) -> Fault {
    Fault::Answer {
        status: 200,
        headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
        body,
    }
}

/// The answer of an operation of the SOAP API.
fn message(operation: &str, success: &str) -> Fault {
    let errors = "<errors><fields xsi:nil=\"true\"/><message>No &lt;success&gt;true&lt;/success&gt; today.</message><statusCode>CANNOT_EXECUTE_FLOW_TRIGGER</statusCode></errors>";
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns=\"urn:partner.soap.sforce.com\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Header><LimitInfoHeader><limitInfo><current>7</current><limit>100</limit><type>API REQUESTS</type></limitInfo></LimitInfoHeader></soapenv:Header>\
         <soapenv:Body><{operation}Response><result>{errors}<id xsi:nil=\"true\"/><success>{success}</success></result></{operation}Response></soapenv:Body></soapenv:Envelope>"
    );
    answer("text/xml; charset=utf-8", body)
}

/// The ids of two accounts, and of a lead that nobody has converted.
async fn some_records(desk: &Desk) -> (Vec<String>, String) {
    let ids = |rows: Vec<Value>| {
        let ids = rows
            .iter()
            .map(|row| row["Id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    let accounts = ids(desk
        .rows("SELECT Id FROM Account ORDER BY Name LIMIT 2")
        .await);
    let leads = "SELECT Id FROM Lead WHERE IsConverted = false AND Owner.Type = 'User' LIMIT 1";
    let mut leads = ids(desk.rows(leads).await);
    (accounts, leads.pop().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_org_refuses_in_a_message_is_refused_in_the_log() {
    let desk = Desk::new(Mode::Allow).await;
    // A contact that was deleted along with its account is not restored by itself.
    let made = desk
        .data(
            "create_record",
            json!({"object": "Account", "fields": {"Name": "Gone"}}),
        )
        .await;
    let account = made["id"].as_str().unwrap().to_owned();
    let fields = json!({"LastName": "Gone", "AccountId": account});
    let made = desk
        .data(
            "create_record",
            json!({"object": "Contact", "fields": fields}),
        )
        .await;
    desk.data("delete_record", json!({"object": "Account", "id": account}))
        .await;
    let contact = json!({"object": "Contact", "id": made["id"]});
    let reply = desk.call("undelete_record", contact).await;
    assert!(ended(&reply).starts_with("failed "), "{reply:?}");
    assert_eq!(end(&desk, &reply), RequestEnd::Refused(200));
    let text = portcullis_server::text(&reply);
    assert!(
        text.contains("The service refused the change (POST "),
        "{text}"
    );
    assert!(
        text.contains(", status 200, as its answer says)."),
        "{text}"
    );
    // And its account is.
    let reply = desk
        .call(
            "undelete_record",
            json!({"object": "Account", "id": account}),
        )
        .await;
    assert_eq!(
        (ended(&reply).as_str(), end(&desk, &reply)),
        ("done", RequestEnd::Status(200))
    );

    let (accounts, lead) = some_records(&desk).await;
    let merge = json!({"object": "Account", "keep": accounts[0], "lose": [accounts[1]]});
    let calls = [
        ("convert_lead", "convertLead", json!({"id": lead})),
        ("merge_records", "merge", merge),
    ];
    for (tool, operation, arguments) in calls {
        for (success, expected) in [
            ("false", RequestEnd::Refused(200)),
            ("perhaps", RequestEnd::Status(200)),
        ] {
            answers(
                &desk,
                ("POST", SOAP),
                message(operation, success),
                Work::Instead,
            );
            let reply = desk.call(tool, arguments.clone()).await;
            desk.org.clear_faults();
            assert!(ended(&reply).starts_with("failed "), "{tool}: {reply:?}");
            assert_eq!(end(&desk, &reply), expected, "{tool} {success}");
        }
    }
}

/// Two opportunities, of which an org takes no negative amount.
async fn amounts(desk: &Desk, first: i64, second: i64) -> Reply {
    let rows = desk
        .rows("SELECT Id FROM Opportunity WHERE IsClosed = false LIMIT 2")
        .await;
    let other = rows.iter().find(|row| row["Id"] != SALE).unwrap();
    let record = |id: &Value, amount: i64| json!({"Id": id, "Amount": amount});
    let records = [record(&json!(SALE), first), record(&other["Id"], second)];
    desk.call(
        "update_records",
        json!({"object": "Opportunity", "records": records}),
    )
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_record_of_several_is_said_by_itself() {
    let desk = Desk::new(Mode::Allow).await;
    for (first, second, expected) in [
        (
            11,
            -1,
            RequestEnd::InPart {
                status: 200,
                refused: vec![1],
                of: 2,
            },
        ),
        (
            -1,
            12,
            RequestEnd::InPart {
                status: 200,
                refused: vec![0],
                of: 2,
            },
        ),
        (-1, -2, RequestEnd::Refused(200)),
        (13, 14, RequestEnd::Status(200)),
    ] {
        let reply = amounts(&desk, first, second).await;
        assert_eq!(end(&desk, &reply), expected, "{reply:?}");
        // It is no question whether they were made.
        assert_eq!(reply.sent[0].unclear(), None);
    }
}

/// The attack: an answer that is short of what was made reads as a refusal of all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_that_is_silent_of_a_record_leaves_open_what_was_made() {
    let desk = Desk::new(Mode::Allow).await;
    let short = r#"[{"success":false,"errors":[{"statusCode":"X","message":"no"}]}]"#;
    let fault = answer("application/json", short.to_owned());
    answers(&desk, ("PATCH", COLLECTIONS), fault, Work::After);
    let reply = amounts(&desk, 16, 17).await;
    let end = end(&desk, &reply);
    assert!(matches!(end, RequestEnd::Unclear(_)), "{end:?}");
    // The connector has looked.
    assert_eq!(ended(&reply), "done", "{reply:?}");
    assert!(reply.sent[0].unclear().is_some());
}

/// The attack: an answer that is spoiled, endless or too large makes a change read as refused, or is kept from the connector.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_cannot_be_read_counts_as_made() {
    let desk = Desk::new(Mode::Allow).await;
    let json = |body: String| answer("application/json", body);
    let flood = json!([{"success": false, "errors": [{"statusCode": "X", "message": "x".repeat(2 << 20)}]}, {"success": false}]);
    let refusing = r#"[{"success":false,"errors":[]},{"success":false,"errors":[]}]"#;
    for (fault, work) in [
        (Fault::MalformedJson, Work::After),
        (Fault::Truncated { missing_bytes: 1 }, Work::After),
        (Fault::DropHalfway, Work::After),
        (json(String::new()), Work::Instead),
        (json("<html>".to_owned()), Work::Instead),
        (json(format!("{refusing}]")), Work::Instead),
        (json(flood.to_string()), Work::Instead),
    ] {
        let said = format!("{fault:?}").chars().take(80).collect::<String>();
        answers(&desk, ("PATCH", COLLECTIONS), fault, work);
        let reply = amounts(&desk, -1, -2).await;
        desk.org.clear_faults();
        assert_eq!(end(&desk, &reply), RequestEnd::Status(200), "{said}");
    }
    // In pieces it is the same answer, and the connector reads all of it.
    let fault = Fault::Trickle { bytes: 7, ms: 1 };
    answers(&desk, ("PATCH", COLLECTIONS), fault, Work::After);
    let reply = amounts(&desk, -1, 15).await;
    assert!(
        matches!(end(&desk, &reply), RequestEnd::InPart { .. }),
        "{reply:?}"
    );
    assert_eq!(ended(&reply), "done", "{reply:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_comes_too_slowly_is_not_waited_for() {
    let desk = Desk::with_time(Duration::from_secs(2)).await;
    let fault = Fault::Trickle { bytes: 1, ms: 200 };
    answers(&desk, ("PATCH", COLLECTIONS), fault, Work::After);
    let reply = amounts(&desk, -1, -2).await;
    assert!(ended(&reply).starts_with("failed "), "{reply:?}");
    assert_eq!(reply.sent[0].end, RequestEnd::Status(200));
    // Its outcome is on record soon after, whatever is still to come.
    let guard = desk.world.host.guard();
    assert!(guard.changes_on_record(Duration::from_secs(10)).await);
    assert_eq!(end(&desk, &reply), RequestEnd::Status(200));
}
