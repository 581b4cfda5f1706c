#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use portcullis_sdk::Failure;

use super::*;
use crate::testing::Org;

const CONTACT: &str = r#"{"name":"Contact","fields":[{"name":"OwnerId","referenceTo":["User","Group"],"relationshipName":"Owner"},
    {"name":"Boss__c","referenceTo":["Contact"],"relationshipName":"Boss__r"}],"childRelationships":[]}"#;

fn touched(soql: &str) -> (Vec<String>, Vec<String>) {
    let org = Org::new().answer(
        "/services/data/v68.0/sobjects/Contact/describe",
        200,
        CONTACT,
    );
    let client = Client::new(&org);
    let query = soql::parse_query(soql).unwrap();
    let all = by_query(&client, &query).unwrap();
    let lines = all
        .kinds()
        .iter()
        .map(|one| format!("{}: {}", one.kind, one.fields.join(", ")));
    let requests = org.requests();
    let describes = requests
        .iter()
        .map(|target| target.split('/').nth(5).unwrap().to_owned());
    (lines.collect(), describes.collect())
}

#[test]
fn fields_of_every_clause_count() {
    let soql = "SELECT Name, COUNT(Id) n FROM Account WHERE Industry = 'x' AND Id IN (SELECT AccountId FROM Contact WHERE Email != null) \
                GROUP BY Name HAVING COUNT(Id) > 1 ORDER BY n, Fax";
    let (lines, describes) = touched(soql);
    assert_eq!(
        lines,
        [
            "Account: Name, Id, Industry, Fax",
            "Contact: AccountId, Email"
        ]
    );
    assert!(describes.is_empty());
}

#[test]
fn parents_lead_to_their_objects() {
    let (lines, describes) =
        touched("SELECT Id, Account.Industry, c.Boss__r.CreatedBy.Name FROM Contact c");
    assert_eq!(
        lines,
        [
            "Contact: Id, AccountId, Boss__c, CreatedById",
            "Account: Industry",
            "User: Name"
        ]
    );
    assert_eq!(describes, ["Contact"]);
}

#[test]
fn a_polymorphic_parent_counts_as_all_its_objects_unless_typeof_chooses() {
    let (lines, _) = touched("SELECT Owner.Name FROM Contact");
    assert_eq!(lines, ["Contact: OwnerId", "Group: Name", "User: Name"]);
    let (lines, _) = touched("SELECT TYPEOF Owner WHEN User THEN Email END FROM Contact");
    assert_eq!(lines, ["Contact: OwnerId", "User: Email"]);
    let (lines, _) = touched("SELECT TYPEOF Owner WHEN User THEN Email ELSE Name END FROM Contact");
    assert_eq!(
        lines,
        ["Contact: OwnerId", "User: Email, Name", "Group: Name"]
    );
}

#[test]
fn children_lead_to_their_objects() {
    let (lines, describes) =
        touched("SELECT Name, (SELECT Email, Account.Name FROM Contacts) FROM Account");
    assert_eq!(lines, ["Account: Name", "Contact: AccountId, Email"]);
    assert_eq!(describes, ["Account"]);
}

#[test]
fn the_objects_own_name_and_alias_are_no_relationships() {
    let (lines, _) = touched("SELECT Account.Name, a.Fax FROM Account a");
    assert_eq!(lines, ["Account: Name, Fax"]);
    let (lines, _) = touched("SELECT c.Id, a.Name FROM Contact c, c.Account a");
    assert_eq!(lines, ["Contact: Id", "Account: Name"]);
}

/// What comes of asking for something, in words.
fn refusal(org: &Org, soql: &str) -> String {
    let client = Client::new(org);
    let query = soql::parse_query(soql).unwrap();
    let failure = match by_query(&client, &query) {
        Ok(all) => client.check(all.kinds()).unwrap_err(),
        Err(error) => Failure::from(error),
    };
    format!(
        "{:?} {} {:?}",
        failure.reason, failure.message, failure.hint
    )
}

#[test]
fn a_relationship_to_what_is_hidden_is_answered_as_one_that_is_not_there() {
    let org = || {
        Org::new().forbid("User").forbid("AccountHistory").answer(
            "/services/data/v68.0/sobjects/Contact/describe",
            200,
            CONTACT,
        )
    };
    for (hidden, missing) in [
        ("SELECT Owner.Name FROM Account", "Ownxx"),
        ("SELECT Id FROM Account WHERE Owner.Email = 'x'", "Ownxx"),
        ("SELECT Id FROM Account ORDER BY Owner.Name", "Ownxx"),
        ("SELECT COUNT(Id) FROM Account GROUP BY Owner.Name", "Ownxx"),
        (
            "SELECT Id, (SELECT Id FROM Histories) FROM Account",
            "Histoxxes",
        ),
        (
            "SELECT Id FROM Account a, a.Owner o WHERE o.Name = 'x'",
            "Ownxx",
        ),
        ("SELECT CreatedBy.Name FROM Account", "CreatedXx"),
    ] {
        let name = ["Owner", "Histories", "CreatedBy"]
            .into_iter()
            .find(|name| hidden.contains(name));
        let name = name.unwrap();
        let of_hidden = refusal(&org(), hidden);
        let of_missing = refusal(&org(), &hidden.replace(name, missing));
        assert_eq!(
            of_hidden.replace(name, "X"),
            of_missing.replace(missing, "X"),
            "{hidden}"
        );
        assert!(
            !of_hidden.contains("User") && !of_hidden.contains("AccountHistory"),
            "{of_hidden}"
        );
        // And nothing of the hidden object was asked for.
        assert!(
            org()
                .requests()
                .iter()
                .all(|request| !request.contains("User"))
        );
    }
    // Where one of several may be seen, the relationship is known anyway.
    let said = refusal(&org(), "SELECT Owner.Name FROM Contact");
    assert!(
        said.contains("may not read all of them") && !said.contains("Group"),
        "{said}"
    );
}

#[test]
fn an_alias_hides_no_field_and_no_relationship() {
    let secret = || Org::new().hide("Account", "Industry").hide("User", "Email");
    for soql in [
        "SELECT COUNT(Id) industry FROM Account GROUP BY Industry",
        "SELECT COUNT(Id) Industry FROM Account ORDER BY Industry",
        "SELECT COUNT(Id) Industry FROM Account HAVING COUNT(Id) > 1 ORDER BY INDUSTRY",
        // The alias is `Owner`, and so is a relationship.
        "SELECT Owner.Email FROM Account Owner",
        "SELECT OWNER.Email FROM Account owner",
    ] {
        let said = refusal(&secret(), soql);
        assert!(said.starts_with("Reason::NotPermitted"), "{soql}: {said}");
    }
    let (lines, _) = touched("SELECT COUNT(Id) n FROM Account ORDER BY n");
    assert_eq!(lines, ["Account: Id"]);
}

#[test]
fn a_relationship_starts_somewhere() {
    let org = Org::new().answer(
        "/services/data/v68.0/sobjects/Contact/describe",
        200,
        CONTACT,
    );
    let client = Client::new(&org);
    let starts =
        |soql: &str, name| starts_of(&client, &soql::parse_query(soql).unwrap(), name).unwrap();
    assert_eq!(
        starts("SELECT c.Boss__r.Ownr.Name FROM Contact c", "Ownr"),
        ["Contact"]
    );
    assert_eq!(
        starts(
            "SELECT Id, (SELECT Id FROM Contakts) FROM Account",
            "Contakts"
        ),
        ["Account"]
    );
    assert_eq!(
        starts("SELECT Id FROM Account", "Ownr"),
        Vec::<String>::new()
    );
}
