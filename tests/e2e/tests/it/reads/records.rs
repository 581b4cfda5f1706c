//! The toolset `records`: search, related, recent, deleted and double records.

use serde_json::json;

use super::table::Table;
use crate::writes::desk::ACCOUNT;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn search() {
    let mut table = Table::new("search");
    table.case("ordinary", json!({"text": "Northwind*"})).await;
    table
        .case(
            "several objects by a word",
            json!({"text": "pump*", "limit": 2}),
        )
        .await;
    let chosen = json!([
        "Contact(Email, Account.Name WHERE Email != null ORDER BY Name LIMIT 3)",
        "Account"
    ]);
    table
        .case(
            "what to return",
            json!({"text": "an*", "objects": chosen, "in": "name", "limit": 5}),
        )
        .await;
    table
        .case(
            "nothing",
            json!({"text": "qqzzqq", "objects": ["Account", "Lead"]}),
        )
        .await;
    table
        .case(
            "operators are characters",
            json!({"text": "R&D (x) AND {y} -z", "objects": ["Account"]}),
        )
        .await;
    table.case("too little", json!({"text": "a*"})).await;
    table
        .case("no object", json!({"text": "acme", "objects": ["Acount"]}))
        .await;
    table
        .case(
            "no field",
            json!({"text": "acme", "objects": ["Account(Nmae)"]}),
        )
        .await;
    table
        .case(
            "more than an object",
            json!({"text": "acme", "objects": ["Account, Contact"]}),
        )
        .await;
    table
        .case(
            "no SOSL",
            json!({"text": "acme", "objects": ["Account(Name"]}),
        )
        .await;
    table
        .case(
            "a label",
            json!({"text": "acme", "objects": ["Inspection Report"]}),
        )
        .await;
    table
        .case(
            "a search that writes",
            json!({"text": "acme", "objects": ["Account UPDATE TRACKING"]}),
        )
        .await;
    table
        .case(
            "no object of a search",
            json!({"text": "acme", "objects": ["OpportunityContactRole"]}),
        )
        .await;
    table
        .case("beyond its bounds", json!({"text": "acme", "limit": 1000}))
        .await;
    table
        .case_as(
            "gus",
            "an account that has not all objects",
            json!({"text": "pump*", "limit": 1}),
        )
        .await;
    table
        .case_as(
            "gus",
            "an account without the right",
            json!({"text": "pump*", "objects": ["Opportunity"]}),
        )
        .await;
    let hides = json!({"deny_read": ["Contact.Description"]});
    let contacts =
        |group: &str| json!({"text": "an*", "objects": ["Contact"], "in": group, "limit": 1});
    table
        .limited(hides.clone(), "looks into what is hidden", contacts("all"))
        .await;
    table
        .limited(hides, "does not look into what is hidden", contacts("name"))
        .await;
    let hides = json!({"deny_read": ["Contact.FirstName"]});
    table
        .limited(
            hides,
            "looks into a part of what is hidden",
            contacts("name"),
        )
        .await;
    table
        .limited(
            json!({"read": ["Account"]}),
            "searches what the agent may read",
            json!({"text": "pump*", "limit": 1}),
        )
        .await;
    table
        .limited(
            json!({"read": ["Account"]}),
            "another object",
            contacts("all"),
        )
        .await;
    table
        .faults(
            "/search",
            json!({"text": "an*", "objects": ["Contact"], "limit": 1}),
        )
        .await;
    insta::assert_snapshot!("search", table.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn get_related_records() {
    let mut table = Table::new("get_related_records");
    let of = |relationship: &str| json!({"object": "Account", "id": ACCOUNT, "relationship": relationship});
    let and = |relationship: &str, name: &str, value: serde_json::Value| {
        let mut arguments = of(relationship);
        arguments[name] = value;
        arguments
    };
    table.case("ordinary", of("Contacts")).await;
    table.case("by the child's object", of("opportunity")).await;
    table
        .case(
            "fields",
            and("Contacts", "fields", json!(["LastName", "Owner.Name"])),
        )
        .await;
    let mut arguments = and(
        "Opportunities",
        "where",
        json!("IsClosed = false AND Amount != null"),
    );
    arguments["order_by"] = json!("Amount DESC");
    arguments["limit"] = json!(1);
    table.case("narrowed", arguments).await;
    table
        .case(
            "nothing",
            and("Contacts", "where", json!("LastName = 'Zebra'")),
        )
        .await;
    table.case("no relationship", of("Contact_s")).await;
    table
        .case("no field", and("Contacts", "fields", json!(["Emial"])))
        .await;
    table
        .case(
            "a field that is more",
            and("Contacts", "fields", json!(["Id FROM Account", "Id"])),
        )
        .await;
    table
        .case(
            "a condition that is more",
            and(
                "Contacts",
                "where",
                json!("Id != null) FROM Account WHERE (Id != null"),
            ),
        )
        .await;
    table
        .case(
            "no order",
            and("Contacts", "order_by", json!("LastName LIMIT 1")),
        )
        .await;
    table
        .case(
            "no object",
            json!({"object": "Acount", "id": ACCOUNT, "relationship": "Contacts"}),
        )
        .await;
    table
        .case(
            "no id",
            json!({"object": "Account", "id": "Acme", "relationship": "Contacts"}),
        )
        .await;
    table
        .case(
            "no record",
            json!({"object": "Account", "id": "001DO0000zzzzzz", "relationship": "Contacts"}),
        )
        .await;
    table
        .case(
            "another object's record",
            json!({"object": "Account", "id": "003DO0000000001", "relationship": "Contacts"}),
        )
        .await;
    table
        .case_as("gus", "an account without the right", of("Opportunities"))
        .await;
    let hides = json!({"deny_read": ["Contact.Email", "Opportunity"]});
    table
        .limited(
            hides.clone(),
            "a hidden field",
            and("Contacts", "limit", json!(1)),
        )
        .await;
    table
        .limited(
            hides.clone(),
            "a hidden field in a condition",
            and("Contacts", "where", json!("Email LIKE 'a%'")),
        )
        .await;
    table
        .limited(hides, "a hidden child", of("Opportunities"))
        .await;
    table
        .faults("/query", and("Contacts", "limit", json!(1)))
        .await;
    insta::assert_snapshot!("get_related_records", table.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn list_recent() {
    let mut table = Table::new("list_recent");
    table.case("ordinary", json!({"limit": 6})).await;
    table.case("of an object", json!({"object": "case"})).await;
    table.case("nothing", json!({"object": "Campaign"})).await;
    table.case("no object", json!({"object": "Acounts"})).await;
    table.case("beyond its bounds", json!({"limit": 500})).await;
    table
        .case_as(
            "gus",
            "an account without the right",
            json!({"object": "Opportunity"}),
        )
        .await;
    let only = json!({"read": ["Account", "Contact"], "deny_read": ["Contact.Name"]});
    table
        .limited(
            only.clone(),
            "other objects and hidden names",
            json!({"limit": 5}),
        )
        .await;
    table
        .limited(only, "another object", json!({"object": "Case"}))
        .await;
    table.faults("/recent", json!({"limit": 2})).await;
    insta::assert_snapshot!("list_recent", table.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn get_deleted_records() {
    let mut table = Table::new("get_deleted_records");
    table.case("nothing", json!({"object": "Account"})).await;
    let desk = table.desk("").await;
    for last in ["Aardvark", "Bongo", "Cassowary"] {
        let contact = json!({"FirstName": "Zoe", "LastName": last});
        let made = desk
            .direct("POST", "sobjects/Contact", Some(contact))
            .await
            .1;
        let path = format!("sobjects/Contact/{}", made["id"].as_str().unwrap());
        assert_eq!(desk.direct("DELETE", &path, None).await.0, 204);
    }
    let name = "zoe bon";
    table.case("ordinary", json!({"object": "Contact"})).await;
    table
        .case("by name", json!({"object": "contact", "text": name}))
        .await;
    table
        .case("since", json!({"object": "Contact", "since": "2026-11-23"}))
        .await;
    table
        .case(
            "since",
            json!({"object": "Contact", "since": "TODAY", "limit": 2}),
        )
        .await;
    table
        .case(
            "since later",
            json!({"object": "Contact", "since": "2026-11-25T00:00:00+01:00"}),
        )
        .await;
    table
        .case(
            "since no day",
            json!({"object": "Contact", "since": "yesterday"}),
        )
        .await;
    table
        .case(
            "since more",
            json!({"object": "Contact", "since": "TODAY OR Id != null"}),
        )
        .await;
    table.case("no bin", json!({"object": "User"})).await;
    table.case("no object", json!({"object": "Contacts"})).await;
    table
        .case_as(
            "gus",
            "an account without the right",
            json!({"object": "Opportunity"}),
        )
        .await;
    let hides = json!({"deny_read": ["Contact.LastName"]});
    table
        .limited(hides.clone(), "hidden names", json!({"object": "Contact"}))
        .await;
    table
        .limited(
            hides,
            "hidden names",
            json!({"object": "Contact", "text": "a"}),
        )
        .await;
    table
        .limited(
            json!({"read": ["Account"]}),
            "another object",
            json!({"object": "Contact"}),
        )
        .await;
    let gone = |object: &str| json!({"object": object, "gone": true, "since": "2026-11-20"});
    table.case("gone ones too", gone("Contact")).await;
    let mut one = gone("Contact");
    one["limit"] = json!(1);
    table.case("gone ones, bounds", one).await;
    table.case("gone ones, nothing", gone("Opportunity")).await;
    let mut relative = gone("Contact");
    relative["since"] = json!("LAST_N_DAYS:7");
    table.case("gone ones since no moment", relative).await;
    let mut early = gone("Contact");
    early["since"] = json!("2026-01-01T00:00:00Z");
    table.case("gone ones of long ago", early).await;
    let mut named = gone("Contact");
    named["text"] = json!("zoe");
    table.case("gone ones by name", named).await;
    table
        .case("gone ones of no object", gone("Contact_s"))
        .await;
    table
        .case("gone ones of what is not kept", gone("Report"))
        .await;
    table
        .case_as(
            "gus",
            "gone ones, an account without the right",
            gone("Opportunity"),
        )
        .await;
    table
        .limited(
            json!({"read": ["Account"]}),
            "gone ones of another object",
            gone("Contact"),
        )
        .await;
    table
        .faults("/queryAll", json!({"object": "Contact"}))
        .await;
    table
        .faults("/sobjects/Contact/deleted", gone("Contact"))
        .await;
    insta::assert_snapshot!("get_deleted_records", table.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn find_duplicates() {
    let mut table = Table::new("find_duplicates");
    let desk = table.desk("").await;
    let rows = desk
        .rows("SELECT Id, Name, Website, Phone FROM Account WHERE Website != null AND Phone != null ORDER BY Id LIMIT 1")
        .await;
    let own = |name: &str| rows[0][name].as_str().unwrap().to_owned();
    let twin = json!({"Name": format!("{}, Inc.", own("Name").to_uppercase()), "Website": format!("HTTPS://{}/en", own("Website").replace("https://", "")), "Phone": own("Phone")});
    let same = |fields: &serde_json::Value| json!({"object": "Account", "fields": fields});
    let text = table
        .case(
            "values of a new record, written in another way",
            same(&twin),
        )
        .await;
    assert!(text.contains(&own("Id")), "{text}");
    let desk = table.desk("").await;
    let (status, made) = desk.direct("POST", "sobjects/Account", Some(twin)).await;
    assert_eq!(status, 201, "{made}");
    let text = table
        .case(
            "another record",
            json!({"object": "account", "id": own("Id")}),
        )
        .await;
    assert!(text.contains(made["id"].as_str().unwrap()), "{text}");
    let person = json!({"LastName": "zebra", "Email": "zoe.zebra@mail.example"});
    table
        .case("nothing", json!({"object": "Lead", "fields": person}))
        .await;
    let desk = table.desk("").await;
    for (first, email) in [
        ("Zoe", "zoe@mail.example"),
        ("Zacharias", "other@mail.example"),
        ("Anna", "anna@mail.example"),
    ] {
        let contact = json!({"FirstName": first, "LastName": "Zebra", "Email": email});
        assert_eq!(
            desk.direct("POST", "sobjects/Contact", Some(contact))
                .await
                .0,
            201
        );
    }
    let person = json!({"FirstName": "Z.", "LastName": "ZEBRA", "Email": "ZOE@mail.example", "Title": "CEO"});
    table
        .case("a person", json!({"object": "Contact", "fields": person}))
        .await;
    table
        .case(
            "bounds",
            json!({"object": "Contact", "limit": 1, "fields": person}),
        )
        .await;
    table
        .case(
            "nothing that identifies",
            json!({"object": "Contact", "fields": {"Title": "CEO"}}),
        )
        .await;
    table
        .case(
            "no field",
            json!({"object": "Contact", "fields": {"Emial": "x@y.example"}}),
        )
        .await;
    table
        .case(
            "no field at all",
            json!({"object": "Contact", "fields": {"Email = null OR Id": "x"}}),
        )
        .await;
    table.case("neither", json!({"object": "Contact"})).await;
    table
        .case(
            "no record",
            json!({"object": "Contact", "id": "003DO0000zzzzzz"}),
        )
        .await;
    table
        .case(
            "no object",
            json!({"object": "Contacts", "fields": {"Name": "x"}}),
        )
        .await;
    table
        .case_as(
            "gus",
            "an account without the right",
            json!({"object": "Opportunity", "fields": {"Name": "x"}}),
        )
        .await;
    let hides = json!({"deny_read": ["Contact.Email"]});
    let zoe = json!({"object": "Contact", "fields": {"LastName": "Zebra", "FirstName": "Zoe"}});
    table
        .limited(hides.clone(), "a hidden field", zoe.clone())
        .await;
    table
        .limited(
            hides,
            "by a hidden field",
            json!({"object": "Contact", "fields": person}),
        )
        .await;
    let by_rules = |object: &str, fields: serde_json::Value| json!({"object": object, "rules": true, "fields": fields});
    let zoes = json!({"LastName": "ZEBRA", "Email": "zoe@mail.example"});
    table
        .case("by the org's rules", by_rules("Contact", zoes.clone()))
        .await;
    table
        .case(
            "by the org's rules, of another object too",
            by_rules("Lead", zoes.clone()),
        )
        .await;
    table
        .case(
            "another record by the org's rules",
            json!({"object": "Account", "id": own("Id"), "rules": true}),
        )
        .await;
    table
        .case(
            "nothing by the org's rules",
            by_rules(
                "Contact",
                json!({"LastName": "Nobody", "Email": "no@mail.example"}),
            ),
        )
        .await;
    table
        .case(
            "no rules",
            by_rules("Opportunity", json!({"Name": "Refit"})),
        )
        .await;
    table
        .case(
            "a value that is none",
            by_rules(
                "Lead",
                json!({"LastName": "Li", "NumberOfEmployees": "many"}),
            ),
        )
        .await;
    let rule = by_rules("Lead", zoes.clone());
    table
        .limited(
            json!({"deny_read": ["Contact.Email"]}),
            "what another object's rule compares is hidden",
            rule.clone(),
        )
        .await;
    table
        .limited(
            json!({"deny_read": ["Contact.Name"]}),
            "names are hidden",
            by_rules("Contact", zoes),
        )
        .await;
    table
        .limited(
            json!({"read": ["Account"]}),
            "another object's rules",
            rule.clone(),
        )
        .await;
    table.faults("/query", zoe).await;
    table.faults("/ui-api/predupe", rule).await;
    insta::assert_snapshot!("find_duplicates", table.text());
}
