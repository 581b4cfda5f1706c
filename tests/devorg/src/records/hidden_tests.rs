//! What an answer does not name: records that whoever asks does not see.
#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use serde_json::json;

use super::tests::org;
use super::*;

fn add(org: &mut Org, session: &Session, object: &str, body: Json) -> Id {
    let schema = org.schema.clone();
    let object = schema.object(object).unwrap();
    let body = body.as_object().unwrap();
    insert(org, session, object, body, &WriteOptions::default()).unwrap()
}

fn of_user(org: &Org, name: &str) -> Session {
    let username = format!("{name}@devorg.example");
    let named = |user: &&Record| user.get("Username").as_text() == Some(username.as_str());
    Session::of(org, org.store.rows("User").find(named).unwrap().id)
}

/// Makes cases their owners' alone.
fn keep_cases_private(org: &mut Org) {
    for (object, field) in [
        ("Organization", "DefaultCaseAccess"),
        ("UserRole", "CaseAccessForAccountOwner"),
    ] {
        let rows: Vec<Record> = org.store.rows(object).cloned().collect();
        for mut row in rows {
            row.values.insert(field.into(), "None".into());
            org.store.put(row);
        }
    }
}

#[test]
fn what_keeps_a_record_or_moves_with_it_is_named_to_who_sees_it() {
    let (mut org, administrator) = org();
    keep_cases_private(&mut org);
    let (aiko, ben) = (of_user(&org, "aiko.mori"), of_user(&org, "ben.carter"));
    let mut account = |name: &str| {
        let body = json!({"Name": name, "OwnerId": aiko.user_id.as_str()});
        add(&mut org, &administrator, "Account", body)
    };
    let (master, loser) = (account("Hidden master"), account("Hidden loser"));
    let mut case = |owner: &Session| {
        let body = json!({"AccountId": loser.as_str(), "OwnerId": owner.user_id.as_str()});
        add(&mut org, &administrator, "Case", body)
    };
    let (own, hidden) = (case(&aiko), case(&ben));
    let sees = |session: &Session, id: Id| session.may_read(&org, org.find(id).unwrap().1);
    assert!(sees(&aiko, own) && !sees(&aiko, hidden) && sees(&administrator, hidden));

    let object = org.schema.clone();
    let object = object.object("Account").unwrap();
    for (session, named) in [(&aiko, vec![own]), (&administrator, vec![own, hidden])] {
        let error = remove(&mut org, session, object, loser).unwrap_err();
        let ids: Vec<&str> = named.iter().map(Id::as_str).collect();
        let end = format!("the following cases.: {}", ids.join(", "));
        assert_eq!(error.code, "DELETE_FAILED");
        assert!(error.message.ends_with(&end), "{}", error.message);
    }

    let request = MergeRequest {
        object: "Account".into(),
        master_id: master.to_string(),
        values: Map::new(),
        record_to_merge_ids: vec![loser.to_string()],
    };
    for (session, named) in [(&aiko, vec![own]), (&administrator, vec![own, hidden])] {
        let mut org = org.clone();
        let result = merge(&mut org, session, &request).unwrap();
        assert_eq!(result.updated_related_ids, named);
        let account = |id: Id| org.find(id).unwrap().1.reference("AccountId");
        assert_eq!([own, hidden].map(account), [Some(master); 2]);
    }
}
