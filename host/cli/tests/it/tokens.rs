//! `portcullis person token`: shown once, listed without what they are, made by administrators and by their own people.

use serde_json::Value;

use crate::program::Home;

#[test]
fn a_token_is_shown_once_and_named_by_its_id() {
    let home = Home::new();
    home.must(&["person", "add", "bob"]);
    let made: Value = home.json(&[
        "person", "token", "add", "bob", "--label", "Laptop", "--days", "30",
    ]);
    let (token, id) = (
        made["token"].as_str().unwrap(),
        made["id"].as_str().unwrap(),
    );
    assert!(token.starts_with("pct_") && token.len() == 47, "{token}");
    assert_eq!(
        (&made["label"], &made["ended"]),
        (&"Laptop".into(), &false.into())
    );
    let days = |value: &Value| {
        let at = |name: &str| value[name].as_str().unwrap().parse::<jiff::Timestamp>();
        at("expires")
            .unwrap()
            .duration_since(at("created").unwrap())
            .as_secs()
            / 86_400
    };
    assert_eq!(days(&made), 30);
    assert_eq!(days(&home.json(&["person", "token", "add", "ada"])), 90);

    let listed = home.must(&["person", "token", "list", "bob"]);
    assert!(
        listed.contains(id) && listed.contains("Laptop") && listed.contains("never"),
        "{listed}"
    );
    let listed = listed + &home.json(&["person", "token", "list", "bob"]).to_string();
    assert!(!listed.contains(token), "{listed}");
    for file in home.files() {
        let bytes = std::fs::read(file).unwrap();
        let found = bytes
            .windows(token.len())
            .any(|window| window == token.as_bytes());
        assert!(!found, "the token is in the files");
    }
    let removed = home.must(&["person", "token", "remove", "bob", id]);
    assert!(removed.contains("has ended"), "{removed}");
    let again = home.run(&["person", "token", "remove", "bob", id]);
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("has no token"), "{}", again.stderr);
    let text = home.must(&["person", "token", "add", "bob"]);
    assert!(
        text.starts_with("pct_") && text.contains("shown this once"),
        "{text}"
    );
}

#[test]
fn a_member_makes_their_own_and_nobody_elses() {
    let home = Home::new();
    for person in ["bob", "carol"] {
        home.must(&["person", "add", person]);
    }
    let own = home.run_as("bob", &["person", "token", "add", "bob"]);
    assert_eq!(own.code, 0, "{}", own.stderr);
    assert_eq!(
        home.run_as("bob", &["person", "token", "list", "bob"]).code,
        0
    );
    home.must(&["person", "token", "add", "carol"]);
    for command in [
        &["person", "token", "add", "carol"][..],
        &["person", "token", "add", "ada"],
        &["person", "token", "list", "carol"],
        &["person", "token", "remove", "carol", "x"],
    ] {
        let refused = home.run_as("bob", command);
        assert_eq!(refused.code, 2, "{command:?}");
        assert!(
            refused.stderr.contains("for administrators"),
            "{}",
            refused.stderr
        );
    }
    for (command, word) in [
        (&["person", "token", "add", "eve"][..], "there is no person"),
        (&["person", "token", "list", "eve"], "there is no person"),
        (
            &["person", "token", "add", "bob", "--days", "0"],
            "0 is not in 1..=366",
        ),
        (
            &["person", "token", "add", "bob", "--days", "367"],
            "367 is not in 1..=366",
        ),
        (
            &["person", "token", "add", "bob", "--label", ""],
            "1 to 200 characters",
        ),
    ] {
        let refused = home.run(command);
        assert_eq!(refused.code, 2, "{command:?}: {}", refused.stderr);
        assert!(refused.stderr.contains(word), "{}", refused.stderr);
    }
}
