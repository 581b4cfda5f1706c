#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::testing::Org;
use portcullis_sdk::Reason;
use portcullis_sdk::http::Response;

const RECORD: &str = "/services/data/v68.0/sobjects/Account/001000000000001AAA";
const BATCH: &str = "/services/data/v68.0/composite/batch";
const QUERY: &str = "/services/data/v68.0/query";
const ANN: &str = r#"{"statusCode":200,"result":{"records":[{"Id":"005000000000002AAA","Name":"Ann","Username":"ann@x"}]}}"#;
const BEFORE: &str =
    r#"{"records":[{"Id":"001000000000001AAA","Name":"Acme","OwnerId":"005000000000001AAA"}]}"#;
const REFUSED: &str =
    r#"{"statusCode":400,"result":[{"errorCode":"INVALID_FIELD","message":"m"}]}"#;

fn org(users: &str, record: &str) -> Org {
    let results = format!(r#"{{"results":[{users},{record}]}}"#);
    Org::new()
        .answer(BATCH, 200, &results)
        .respond(&format!("!{RECORD}"), Response::new(204, Vec::new(), ""))
        .answer(RECORD, 200, r#"{"OwnerId":"005000000000002AAA"}"#)
        .answer(QUERY, 200, BEFORE)
}

fn assign(org: &Org) -> Result<Output, Failure> {
    assign_to(org, "Ann")
}

fn assign_to(org: &Org, owner: &str) -> Result<Output, Failure> {
    let args = AssignOwner {
        object: "Account".to_owned(),
        id: "001000000000001".to_owned(),
        owner: owner.to_owned(),
    };
    assign_owner(org, &args)
}

#[test]
fn who_could_not_be_looked_for_is_not_taken_for_nobody() {
    for (code, goes_on) in [("REQUEST_LIMIT_EXCEEDED", false), ("INVALID_TYPE", true)] {
        let users =
            format!(r#"{{"statusCode":403,"result":[{{"errorCode":"{code}","message":"m"}}]}}"#);
        // A queue has the name.
        let queue = r#"{"statusCode":200,"result":{"records":[{"Id":"00G000000000001AAA","Name":"Ann","DeveloperName":"Ann"}]}}"#;
        let before = format!(r#"{{"statusCode":200,"result":{BEFORE}}}"#);
        let org = Org::new().answer(
            BATCH,
            200,
            &format!(r#"{{"results":[{users},{queue},{before}]}}"#),
        );
        let client = Client::new(&org);
        let mut search = Search::new(&client, &[USER, QUEUE], &|_: &[&str]| {
            "Name = 'Ann'".to_owned()
        });
        let besides = "SELECT Id FROM Account WHERE Id = '001000000000001AAA'".to_owned();
        let found = search.send(&client, Some(besides));
        match found {
            Ok((found, _)) => assert!(goes_on && found.len() == 1, "{code}"),
            Err(failure) => {
                assert!(!goes_on, "{code}");
                assert!(failure.service_code.as_deref() == Some(code), "{failure:?}");
            }
        }
    }
}

/// Says by which requests a record has got its owner, without the describe and what stands behind a path.
fn requests(org: &Org) -> Vec<String> {
    let requests = org.requests().into_iter().skip(1);
    let path = |request: String| request.split(['?', '|']).next().map(str::to_owned);
    requests.filter_map(path).collect()
}

#[test]
fn names_and_the_record_are_read_in_one_request() {
    let record = format!(r#"{{"statusCode":200,"result":{BEFORE}}}"#);
    let org = org(ANN, &record);
    assign(&org).unwrap();
    assert_eq!(requests(&org), [BATCH, &format!("PATCH {RECORD} "), RECORD]);
    let [change] = org.announced().try_into().unwrap();
    assert_eq!(
        change.fields[0].before.as_deref(),
        Some("\"005000000000001AAA\"")
    );
    assert_eq!(change.notes[0], "Owner ID: Ann");
}

#[test]
fn a_record_that_was_not_read_with_the_names_is_read_by_itself() {
    for record in [REFUSED, r#"{"statusCode":200,"result":{"records":[]}}"#] {
        let org = org(ANN, record);
        assign(&org).unwrap();
        assert_eq!(
            requests(&org),
            [BATCH, QUERY, &format!("PATCH {RECORD} "), RECORD]
        );
    }
}

#[test]
fn names_that_may_not_be_read_leave_the_record_as_it_is() {
    let record = format!(r#"{{"statusCode":200,"result":{BEFORE}}}"#);
    let org = org(REFUSED, &record);
    let failure = assign(&org).unwrap_err();
    assert_eq!(failure.reason, Reason::InvalidArgument);
    assert_eq!(failure.message, "no active user is called “Ann”");
    assert!(org.announced().is_empty());
    // What the agent may not look up is no part of what is asked, and then nothing is.
    let org = Org::new().forbid("User");
    let failure = assign(&org).unwrap_err();
    assert!(failure.message.contains("may not look up users"));
    assert!(requests(&org).is_empty());
}

#[test]
fn an_id_and_the_user_who_is_signed_in_are_looked_at_with_the_record() {
    let record = format!(r#"{{"statusCode":200,"result":{BEFORE}}}"#);
    for (owner, asked) in [
        ("005000000000002", "Id%20%3D%20%27005000000000002AAA%27"),
        ("me", "Id%20%3D%20%27005xx000001SwiUAAS%27"),
    ] {
        let org = org(ANN, &record);
        assign_to(&org, owner).unwrap();
        assert_eq!(requests(&org), [BATCH, &format!("PATCH {RECORD} "), RECORD]);
        assert!(org.bodies()[0].contains(asked), "{:?}", org.bodies());
        assert_eq!(org.announced()[0].notes[0], "Owner ID: Ann");
    }
    let org = Org::new().without_identity();
    let failure = assign_to(&org, "me").unwrap_err();
    assert!(failure.message.contains("who is signed in"), "{failure:?}");
}

#[test]
fn who_can_own_nothing_is_told_by_name_and_by_id_before_a_person_is_asked() {
    const GONE: &str = r#"{"statusCode":200,"result":{"records":[{"Id":"005000000000002AAA","Name":"Ann","Username":"ann@x","IsActive":false}]}}"#;
    const NONE: &str = r#"{"statusCode":200,"result":{"records":[]}}"#;
    const TIERS: &str = r#"{"statusCode":200,"result":{"records":[{"Id":"00G000000000001AAA","Name":"Tier 1","DeveloperName":"T1"}]}}"#;
    let record = format!(r#"{{"statusCode":200,"result":{BEFORE}}}"#);
    for (owner, found, near, words) in [
        ("Ann", GONE, None, "“Ann” is an inactive user"),
        ("005000000000002", GONE, None, "“Ann” is an inactive user"),
        (
            "005000000000002",
            NONE,
            None,
            "there is no user with the id 005000000000002AAA",
        ),
        (
            "00G000000000001",
            NONE,
            None,
            "it is a queue, and no queue owns records of `Account`",
        ),
        (
            "tier 1",
            NONE,
            Some([NONE, TIERS]),
            "“tier 1” is a queue, and no queue owns records of `Account`",
        ),
        (
            "Tier",
            NONE,
            Some([NONE, TIERS]),
            "no active user is called “Tier”",
        ),
        (
            "Ann",
            NONE,
            Some([GONE, NONE]),
            "no active user is called “Ann”",
        ),
        (
            "006000000000001",
            NONE,
            None,
            "is an id of the object `Opportunity`",
        ),
    ] {
        let mut org = org(found, &record);
        if let Some([users, queues]) = near {
            org = org.answer(BATCH, 200, &format!(r#"{{"results":[{users},{queues}]}}"#));
        }
        let failure = assign_to(&org, owner).unwrap_err();
        assert_eq!(failure.fields[0].pointer, "/owner");
        assert!(failure.message.contains(words), "{owner}: {failure:?}");
        assert!(org.announced().is_empty(), "{owner}");
        let hint = failure.hint.unwrap_or_default();
        assert_eq!(
            hint.contains("find_users"),
            !words.contains("no queue owns"),
            "{owner}: {hint}"
        );
    }
}

#[test]
fn an_id_that_the_agent_may_not_look_up_is_the_orgs_to_judge() {
    let org = org(ANN, "").forbid("User");
    assign_to(&org, "005000000000002").unwrap();
    assert_eq!(requests(&org), [QUERY, &format!("PATCH {RECORD} "), RECORD]);
    let hidden = format!(r#"{{"statusCode":200,"result":{BEFORE}}}"#);
    let users = format!("{QUERY}?q=SELECT%20Id%2C%20Name%2C%20IsActive%20FROM%20User");
    let refused = r#"[{"errorCode":"INVALID_TYPE","message":"m"}]"#;
    let org = self::org(REFUSED, &hidden).answer(&users, 400, refused);
    assign_to(&org, "005000000000002").unwrap();
}
