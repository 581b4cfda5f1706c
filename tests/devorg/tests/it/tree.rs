//! Records made with those below them.

use serde_json::{Value as Json, json};

use crate::client::{Api, V};

#[tokio::test]
async fn a_tree_is_made_from_its_roots_down() {
    let api = Api::new().await;
    let path = format!("{V}/composite/tree/Account");
    let node = |id: &str, kind: &str, more: Json| {
        let mut node = json!({"attributes": {"type": kind, "referenceId": id}});
        node.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        node
    };
    let contact = |id: &str, name: &str| node(id, "Contact", json!({"LastName": name}));
    let tree = |last: Json| {
        json!({"records": [
            node("a", "Account", json!({"Name": "A", "Contacts": {"records": [contact("c", "C"), last]}})),
            node("b", "Account", json!({"Name": "B", "ChildAccounts": {"records": [
                node("d", "Account", json!({"Name": "D", "Contacts": {"records": [contact("e", "E")]}})),
            ]}})),
        ]})
    };
    let made = api.send_json("POST", &path, &tree(contact("f", "F"))).await;
    assert_eq!(
        (made.status, &made.json()["hasErrors"]),
        (201, &json!(false))
    );
    let results = made.json()["results"].clone();
    let order: Vec<&str> = results
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["referenceId"].as_str().unwrap())
        .collect();
    assert_eq!(order, ["a", "c", "f", "b", "d", "e"]);
    let id = |at: usize| results[at]["id"].as_str().unwrap();
    let last = api
        .get(&format!("{V}/sobjects/Contact/{}?fields=AccountId", id(5)))
        .await
        .json();
    assert_eq!(last["AccountId"], id(4));

    let (to, at) = (&api, &path);
    let refused = |tree: Json| async move {
        let answer = to.send_json("POST", at, &tree).await;
        assert_eq!(
            (answer.status, &answer.json()["hasErrors"]),
            (400, &json!(true))
        );
        let results = answer.json()["results"].clone();
        let one = |result: &Json| {
            let text = |json: &Json| json.as_str().unwrap().to_owned();
            (
                text(&result["referenceId"]),
                text(&result["errors"][0]["statusCode"]),
            )
        };
        results
            .as_array()
            .unwrap()
            .iter()
            .map(one)
            .collect::<Vec<_>>()
    };
    let bad = node("f", "Contact", json!({"LastName": "x", "Email": "x"}));
    assert_eq!(
        refused(tree(bad)).await,
        [("f".to_owned(), "INVALID_EMAIL_ADDRESS".to_owned())]
    );
    assert_eq!(
        api.query("SELECT COUNT() FROM Account WHERE Name IN ('A', 'B', 'D')")
            .await
            .json()["totalSize"],
        3
    );
    let many: Vec<Json> = (0..201)
        .map(|number| node(&format!("r{number}"), "Account", json!({"Name": "x"})))
        .collect();
    let mut deep = node("r6", "Account", json!({"Name": "x"}));
    for depth in (1..6).rev() {
        deep = node(
            &format!("r{depth}"),
            "Account",
            json!({"Name": "x", "ChildAccounts": {"records": [deep]}}),
        );
    }
    for (tree, id) in [
        (tree(contact("c", "again")), "c"),
        (tree(contact("", "nameless")), ""),
        (tree(node("f", "Lead", json!({"LastName": "x"}))), "f"),
        (json!({"records": many}), "r200"),
        (json!({"records": [deep]}), "r6"),
    ] {
        assert_eq!(
            refused(tree).await,
            [(id.to_owned(), "INVALID_INPUT".to_owned())]
        );
    }
    api.send_json("POST", &path, &json!({}))
        .await
        .assert_error(400, "JSON_PARSER_ERROR");
    api.send_json("POST", &format!("{V}/composite/tree/Nothing"), &json!({}))
        .await
        .assert_error(404, "NOT_FOUND");
}
