//! The Salesforce connector for agents that are limited, at the dev org: nothing hidden is read, inferred, or learned of.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use portcullis::network::{HostPort, NetworkOptions};
use portcullis::policy::{Origin, Scope};
use portcullis::ports::audit::Event;
use portcullis::ports::credentials::Connection;
use portcullis::ports::{MemoryApprovals, MemoryAudit, MemoryCredentials, MemoryPermissions};
use portcullis::{Host, Limits, Network, Outcome, Ports, Reply};
use salesforce_devorg::{DevOrg, Options};
use serde_json::{Value, json};

use crate::support::world::{AGENT, PERSON, cache, call, paths};
use crate::support::{component, ended, name};

struct Org {
    /// It ends when it is dropped.
    _org: DevOrg,
    host: Host,
    permissions: Arc<MemoryPermissions>,
    audit: Arc<MemoryAudit>,
}

impl Org {
    async fn start() -> Self {
        let org = DevOrg::start(Options::default()).await.unwrap();
        let origin = Origin::parse(org.url()).unwrap();
        let (credentials, permissions, audit) = <(
            Arc<MemoryCredentials>,
            Arc<MemoryPermissions>,
            Arc<MemoryAudit>,
        )>::default();
        let network = Network::new(NetworkOptions {
            allow_private: vec![HostPort::new(origin.host(), origin.port())],
            ..NetworkOptions::default()
        });
        let limits = Limits {
            concurrent_calls_max: 16,
            // Requests are counted and compared: whether a description is remembered must not count.
            schema_fresh: Duration::ZERO,
            ..Limits::default()
        };
        let ports = Ports {
            credentials: credentials.clone(),
            permissions: permissions.clone(),
            approvals: Arc::new(MemoryApprovals::new().unwrap()),
            audit: audit.clone(),
        };
        let host = Host::new(limits, network.unwrap(), cache(), ports).unwrap();
        let inspected = host.inspect(component("portcullis_salesforce")).await;
        host.activate_accepted(inspected.unwrap()).unwrap();
        permissions.trust(name(AGENT), name("salesforce"));
        let connection = Connection {
            id: name("mine"),
            shared: false,
            origin,
            scopes: vec!["api".to_owned()],
            identity: None,
        };
        let token = org.users()[0].access_token.clone().into();
        credentials.connect(name("salesforce"), Some(name(PERSON)), connection, token);
        let identity = host
            .identify(&name(AGENT), &name(PERSON), &name("salesforce"))
            .await;
        credentials.identified(&name("mine"), identity.unwrap());
        Self {
            _org: org,
            host,
            permissions,
            audit,
        }
    }

    fn limit(&self, scope: Value) {
        let scope: Scope = serde_json::from_value(scope).unwrap();
        self.permissions
            .set_scope(name(AGENT), name("salesforce"), scope);
    }

    async fn call(&self, tool: &str, arguments: Value) -> Reply {
        self.host.call(call("salesforce", tool, arguments)).await
    }

    async fn query(&self, soql: &str) -> Reply {
        self.call("query", json!({ "soql": soql })).await
    }

    /// Gives the structured answer of a call that has one.
    async fn data(&self, tool: &str, arguments: Value) -> Value {
        match self.call(tool, arguments).await.outcome {
            Outcome::Done(output) => output.structured.unwrap(),
            other => panic!("{tool}: {other:?}"),
        }
    }

    /// Gives the addresses that a call asked the org for.
    fn asked(&self, reply: &Reply) -> Vec<String> {
        let records = self.audit.records(reply.call.unwrap());
        let paths = records.iter().flat_map(|record| match &record.event {
            Event::Intended(intent) => paths(intent),
            _ => Vec::new(),
        });
        paths.collect()
    }
}

/// Everything that a caller gets to read of a reply.
fn read(reply: &Reply) -> String {
    match &reply.outcome {
        Outcome::Done(output) => format!(
            "{}\n{}",
            output.text,
            output
                .structured
                .as_ref()
                .map(Value::to_string)
                .unwrap_or_default()
        ),
        Outcome::Failed(failure) => format!("{failure:?}"),
        other => format!("{other:?}"),
    }
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split(|char: char| !char.is_ascii_alphanumeric() && char != '_')
        .collect()
}

/// Gives the first cells of the rows of a table.
fn first_cells(rows: &Value) -> BTreeSet<String> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row[0].as_str().unwrap().to_owned())
        .collect()
}

const ALLOWED: [&str; 3] = ["Account", "Contact", "Opportunity"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::print_stdout, reason = "what it counted is worth reading")]
async fn an_agent_limited_to_three_objects_learns_of_no_other() {
    let org = Org::start().await;
    let everything = org
        .data("list_objects", json!({ "technical": true, "limit": 1000 }))
        .await;
    let mut hidden = first_cells(&everything["rows"]);
    assert!(hidden.len() > 20, "{}", hidden.len());
    let mut ids = Vec::new();
    for kind in ALLOWED {
        hidden.remove(kind);
        // The names and labels of its own fields are not hidden, even where a word of them is an object's name too.
        let described = org
            .data("describe_object", json!({ "object": kind, "limit": 1000 }))
            .await;
        for field in described["parts"]["fields"]["rows"].as_array().unwrap() {
            for word in words(&format!("{} {}", field[0], field[1])) {
                hidden.remove(word);
            }
        }
        let rows = org
            .data(
                "query",
                json!({ "soql": format!("SELECT Id FROM {kind} LIMIT 1") }),
            )
            .await;
        ids.push(rows["rows"][0][0].as_str().unwrap().to_owned());
    }
    assert!(hidden.len() > 20, "{hidden:?}");
    for name in ["Case", "User", "Group"] {
        assert!(hidden.contains(name), "{name} is a word of a field");
    }

    org.limit(json!({ "read": ALLOWED }));
    let all_parts = [
        "fields",
        "relationships",
        "children",
        "record_types",
        "picklists",
    ];
    let mut calls: Vec<(&str, Value)> = vec![
        ("get_identity", json!({})),
        ("list_objects", json!({})),
        ("list_objects", json!({ "technical": true, "limit": 1000 })),
        ("list_objects", json!({ "text": "cas" })),
        ("list_objects", json!({ "text": "usr" })),
        (
            "describe_object",
            json!({ "object": "Contact", "parts": ["children"], "text": "Casses" }),
        ),
        (
            "describe_object",
            json!({ "object": "Contact", "parts": ["relationships"], "text": "Ownr" }),
        ),
        ("get_record", json!({ "object": "Account", "id": &ids[0] })),
        (
            "get_record",
            json!({ "object": "Account", "id": &ids[0], "fields": ["Nmae"] }),
        ),
        ("get_record", json!({ "object": "Contact", "id": &ids[0] })),
        (
            "get_record",
            json!({ "object": "Account", "external_id_field": "Nmae", "external_id": "x" }),
        ),
        // By a relationship's address: the record of another object.
        (
            "get_record",
            json!({ "object": "Account", "external_id_field": &ids[0], "external_id": "Owner" }),
        ),
        ("query_next", json!({ "cursor": "01gxx0000000001AAA-200" })),
        ("get_org_limits", json!({})),
        ("find_users", json!({ "text": "a" })),
        ("find_users", json!({ "queues": true })),
        ("search", json!({ "text": "pump*" })),
        (
            "search",
            json!({ "text": "pump*", "objects": ["Account(Nmae)"] }),
        ),
        ("search", json!({ "text": "pump*", "objects": ["Usr"] })),
        (
            "search",
            json!({ "text": "pump*", "objects": ["Account(Owner.Name)"] }),
        ),
        ("list_recent", json!({})),
        (
            "get_related_records",
            json!({ "object": "Account", "id": &ids[0], "relationship": "Case" }),
        ),
        (
            "get_related_records",
            json!({ "object": "Account", "id": &ids[0], "relationship": "Tassks" }),
        ),
        (
            "get_related_records",
            json!({ "object": "Account", "id": "005DO0000000001", "relationship": "Contacts" }),
        ),
        (
            "get_related_records",
            json!({ "object": "Account", "id": &ids[0], "relationship": "Contacts", "fields": ["Owner.Name"] }),
        ),
        ("get_account_overview", json!({ "account": &ids[0] })),
        ("get_account_overview", json!({ "account": "Nobody" })),
        ("get_pipeline", json!({ "detail": true })),
        ("get_pipeline", json!({ "owner": "Ann Lee" })),
        ("list_reports", json!({})),
        ("describe_report", json!({ "id": "00ODO0000000001" })),
        ("run_report", json!({ "id": "00ODO0000000001" })),
        ("list_files", json!({})),
        ("list_files", json!({ "record_id": &ids[0] })),
        ("read_file", json!({ "id": "069DO0000000001" })),
    ];
    for kind in ALLOWED {
        calls.push(("list_recent", json!({ "object": kind })));
        calls.push(("list_views", json!({ "object": kind })));
        calls.push((
            "get_list_view",
            json!({ "object": kind, "view": format!("All{}", kind.replace('y', "ie") + "s") }),
        ));
        calls.push(("get_list_view", json!({ "object": kind, "view": "Mine" })));
        calls.push(("get_deleted_records", json!({ "object": kind })));
        calls.push((
            "find_duplicates",
            json!({ "object": kind, "fields": { "Name": "Pump" } }),
        ));
        calls.push((
            "get_picklist_values",
            json!({ "object": kind, "field": "OwnrId" }),
        ));
        calls.push((
            "describe_object",
            json!({ "object": kind, "parts": all_parts, "limit": 1000 }),
        ));
    }
    for soql in [
        "SELECT Id, Name FROM Account LIMIT 3",
        "SELECT Name, Account.Name, (SELECT StageName FROM Opportunities) FROM Contact",
        "SELECT Name, (SELECT LastName FROM Contacts) FROM Account LIMIT 2",
        "SELECT FIELDS(ALL) FROM Opportunity LIMIT 2",
        "SELECT Owner.Name FROM Account",
        "SELECT CreatedBy.Name, LastModifiedBy.Email FROM Contact",
        "SELECT Id FROM Account WHERE Owner.Email LIKE 'a%'",
        "SELECT Id, (SELECT Id FROM Cases) FROM Account",
        "SELECT Id, (SELECT Id FROM Tasks) FROM Account",
        "SELECT Id, (SELECT Id FROM Casess) FROM Account",
        "SELECT Ownr.Name FROM Account",
        "SELECT Campaign.Name FROM Opportunity",
        "SELECT Nmae FROM Account",
        "SELECT Id FROM Accont",
        "SELECT Id FROM Usr",
        "SELECT COUNT() FROM Contact",
        "SELECT COUNT(Id), Owner.Name FROM Account GROUP BY Owner.Name",
        "SELECT Id FROM Contact ORDER BY ReportsTo.Owner.Name",
        "SELECT Id FROM Account a, a.Owner o",
        "nonsense",
    ] {
        calls.push(("query", json!({ "soql": soql })));
    }
    let mut done = 0;
    for (tool, arguments) in &calls {
        let reply = org.call(tool, arguments.clone()).await;
        let end = ended(&reply);
        // The connector asks first, so that the gate never has to stop it, and breaks at nothing.
        assert!(
            [
                "done",
                "failed not_permitted",
                "failed invalid_arguments",
                "failed not_found"
            ]
            .contains(&end.as_str()),
            "{tool} {arguments}: {end} {:?}",
            reply.outcome
        );
        done += usize::from(end == "done");
        // A value of an opportunity's own picklist.
        let text = read(&reply).replace("Best Case", "");
        let asked = arguments.to_string();
        let told: Vec<&str> = words(&text)
            .into_iter()
            .filter(|word| hidden.contains(*word) && !words(&asked).contains(word))
            .collect();
        assert_eq!(told, [""; 0], "{tool} {arguments}: {text}");
        let requests = org.asked(&reply).join("\n");
        let requested: Vec<&str> = words(&requests)
            .into_iter()
            .filter(|word| hidden.contains(*word))
            .collect();
        assert!(requested.is_empty(), "{tool} {arguments}: {requested:?}");
    }
    assert!(done >= 12, "{done} of {} have an answer", calls.len());
    println!(
        "{} calls, {done} with an answer, none of {} hidden names told",
        calls.len(),
        hidden.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_forbidden_is_answered_as_what_is_not_there() {
    let org = Org::start().await;
    let scopes = [
        json!({ "read": ALLOWED }),
        // Without a list of what is allowed, a name that is denied is refused by its name alone.
        json!({ "deny_read": ["Case", "User", "Task", "TaskStatus", "Casxx", "Usxx", "Taxx", "*.Fax", "*.Faxx"] }),
    ];
    for scope in scopes {
        org.limit(scope.clone());
        for (tool, arguments, forbidden, missing) in [
            (
                "describe_object",
                json!({ "object": "Case" }),
                "Case",
                "Casxx",
            ),
            (
                "query",
                json!({ "soql": "SELECT Id FROM Case" }),
                "Case",
                "Casxx",
            ),
            (
                "query",
                json!({ "soql": "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Case)" }),
                "Case",
                "Casxx",
            ),
            (
                "query",
                json!({ "soql": "SELECT Id, (SELECT Id FROM Cases) FROM Account" }),
                "Cases",
                "Casxxes",
            ),
            (
                "query",
                json!({ "soql": "SELECT Id, (SELECT Id FROM Tasks) FROM Account" }),
                "Tasks",
                "Taxxs",
            ),
            (
                "query",
                json!({ "soql": "SELECT Owner.Name FROM Account" }),
                "Owner",
                "Ownxx",
            ),
            (
                "query",
                json!({ "soql": "SELECT Id FROM Account WHERE Owner.Name != null" }),
                "Owner",
                "Ownxx",
            ),
            (
                "query",
                json!({ "soql": "SELECT Id FROM Account ORDER BY Owner.Profile.Name" }),
                "Owner",
                "Ownxx",
            ),
            (
                "get_record",
                json!({ "object": "Case", "id": "500000000000001AAA" }),
                "Case",
                "Casxx",
            ),
            ("list_objects", json!({ "text": "Task" }), "Task", "Taxx"),
        ] {
            let of = async |name: &str| {
                let arguments = arguments.to_string().replace(forbidden, name);
                let reply = org
                    .call(tool, serde_json::from_str(&arguments).unwrap())
                    .await;
                let asked = org.asked(&reply).len();
                let text = read(&reply)
                    .replace(name, "NAME")
                    .replace(&name.to_lowercase(), "NAME");
                (ended(&reply), asked, text)
            };
            assert_eq!(
                of(forbidden).await,
                of(missing).await,
                "{scope} {tool} {arguments}"
            );
        }
    }
    // Of a field, too.
    for (soql, forbidden, missing) in [
        ("SELECT Fax FROM Account", "Fax", "Faxx"),
        ("SELECT Id FROM Account WHERE Fax = '1'", "Fax", "Faxx"),
        ("SELECT Account.Fax FROM Contact", "Fax", "Faxx"),
    ] {
        let of = async |name: &str| {
            let reply = org.query(&soql.replace(forbidden, name)).await;
            (ended(&reply), read(&reply).replace(name, "NAME"))
        };
        let (end, text) = of(forbidden).await;
        assert_eq!((end.clone(), text), of(missing).await, "{soql}");
        assert_eq!(end, "failed not_permitted");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::print_stdout, reason = "what it counted is worth reading")]
async fn a_forbidden_field_is_neither_read_nor_inferred() {
    let org = Org::start().await;
    let revenue = org.data("query", json!({ "soql": "SELECT Id, AnnualRevenue FROM Account WHERE AnnualRevenue != null LIMIT 1" })).await;
    let id = revenue["rows"][0][0].as_str().unwrap().to_owned();
    let value = revenue["rows"][0][1].to_string();
    org.limit(json!({ "deny_read": ["*.annualrevenue", "Account.BillingStreet", "Contact.LastName", "User.Email"] }));
    let attacks = [
        "SELECT AnnualRevenue FROM Account",
        "SELECT ANNUALREVENUE FROM ACCOUNT",
        "SELECT a.AnnualRevenue FROM Account a",
        "SELECT Account.AnnualRevenue FROM Account",
        "SELECT AnnualRevenue Name FROM Account GROUP BY AnnualRevenue",
        "SELECT COUNT(Id) AnnualRevenue FROM Account GROUP BY AnnualRevenue",
        "SELECT COUNT(Id) AnnualRevenue, Industry FROM Account GROUP BY Industry ORDER BY AnnualRevenue",
        "SELECT Name, MAX(AnnualRevenue) m FROM Account GROUP BY Name",
        "SELECT Name FROM Account GROUP BY Name HAVING SUM(AnnualRevenue) > 1",
        "SELECT Name FROM Account GROUP BY Name ORDER BY MAX(AnnualRevenue)",
        "SELECT Id FROM Account WHERE AnnualRevenue > 1000",
        "SELECT COUNT() FROM Account WHERE NOT (Name = 'x' OR (AnnualRevenue > 1000))",
        "SELECT Id FROM Account ORDER BY AnnualRevenue",
        "SELECT FORMAT(AnnualRevenue) Amt FROM Account",
        "SELECT convertCurrency(AnnualRevenue) FROM Account",
        "SELECT Account.AnnualRevenue FROM Contact",
        "SELECT Id FROM Contact WHERE Account.AnnualRevenue > 1",
        "SELECT c.Account.AnnualRevenue FROM Contact c",
        "SELECT a.AnnualRevenue FROM Contact c, c.Account a",
        "SELECT Account.AnnualRevenue FROM Contact Account",
        "SELECT Account.Parent.AnnualRevenue FROM Opportunity",
        "SELECT Id FROM Contact WHERE AccountId IN (SELECT Id FROM Account WHERE AnnualRevenue > 1)",
        "SELECT Id FROM Account WHERE Id NOT IN (SELECT AccountId FROM Contact WHERE Account.AnnualRevenue > 1)",
        "SELECT Id, (SELECT Account.AnnualRevenue FROM Contacts) FROM Account",
        "SELECT Id, (SELECT Id FROM Contacts WHERE Account.AnnualRevenue > 1) FROM Account",
        "SELECT TYPEOF What WHEN Account THEN AnnualRevenue END FROM Task",
        "SELECT TYPEOF What WHEN Account THEN Name, annualRevenue ELSE Name END FROM Event",
        "SELECT TYPEOF Owner WHEN User THEN Email END FROM Task",
        "SELECT Owner.Email FROM Account",
        "SELECT CreatedBy.Email FROM Account",
        // A field that holds others holds these.
        "SELECT BillingAddress FROM Account",
        "SELECT Account.BillingAddress FROM Contact",
        "SELECT Id, BillingStreet FROM Account",
        "SELECT Name FROM Contact",
        "SELECT Id, (SELECT Name FROM Contacts) FROM Account",
        "SELECT Id FROM Contact ORDER BY LastName",
        "SELECT Id FROM Contact WHERE Name LIKE 'A%'",
    ];
    for soql in attacks {
        let reply = org.query(soql).await;
        assert_eq!(
            ended(&reply),
            "failed not_permitted",
            "{soql}: {:?}",
            reply.outcome
        );
        let asked = org.asked(&reply);
        assert!(
            asked.iter().all(|path| !path.contains("/query")),
            "{soql}: {asked:?}"
        );
    }
    println!("{} attacks on a forbidden field, none sent", attacks.len());
    // `FIELDS()` and the records themselves come without it.
    for (tool, arguments) in [
        (
            "query",
            json!({ "soql": "SELECT FIELDS(ALL) FROM Account WHERE AnnualRevenue = null OR Name != null LIMIT 200" }),
        ),
        (
            "query",
            json!({ "soql": "SELECT FIELDS(ALL) FROM Account LIMIT 200" }),
        ),
        (
            "query",
            json!({ "soql": "SELECT Id, (SELECT FIELDS(ALL) FROM Contacts LIMIT 5) FROM Account" }),
        ),
        ("get_record", json!({ "object": "Account", "id": id })),
        (
            "describe_object",
            json!({ "object": "Account", "limit": 1000 }),
        ),
        (
            "describe_object",
            json!({ "object": "Account", "text": "AnualRevenu" }),
        ),
    ] {
        let reply = org.call(tool, arguments.clone()).await;
        let text = read(&reply);
        if arguments.to_string().contains("AnnualRevenue") {
            assert_eq!(ended(&reply), "failed not_permitted");
            continue;
        }
        assert_eq!(ended(&reply), "done", "{arguments}: {:?}", reply.outcome);
        for hidden in [
            "AnnualRevenue",
            "BillingStreet",
            "BillingAddress",
            "LastName",
            &value,
        ] {
            assert!(
                !words(&text).contains(hidden),
                "{tool} {arguments}: {hidden}"
            );
        }
        let asked = org.asked(&reply).join(" ");
        assert!(!asked.contains("AnnualRevenue"), "{asked}");
    }
    let said = read(&org.query("SELECT AnualRevenue FROM Account").await);
    assert!(!said.contains("AnnualRevenue"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_anothers_query_shows_nothing_hidden() {
    let org = Org::start().await;
    let page = json!({ "soql": "SELECT Name, Owner.Email, AnnualRevenue FROM Account", "batch_size": 200 });
    let first = org.data("query", page).await;
    org.limit(json!({ "deny_read": ["Account.AnnualRevenue"] }));
    if let Some(cursor) = first["cursor"].as_str() {
        let reply = org.call("query_next", json!({ "cursor": cursor })).await;
        assert_eq!(ended(&reply), "failed not_permitted", "{:?}", reply.outcome);
    }
    // Where the connector is not trusted, a limited agent sends no query and reads no page at all.
    org.permissions
        .change(name(AGENT), name("salesforce"), |policy| {
            policy.is_trusted = false
        });
    for (tool, arguments) in [
        ("query", json!({ "soql": "SELECT Id FROM Account" })),
        ("query_next", json!({ "cursor": "01gxx0000000001AAA-200" })),
        ("list_objects", json!({})),
        ("describe_object", json!({ "object": "Account" })),
        (
            "get_record",
            json!({ "object": "Account", "id": "001000000000001AAA" }),
        ),
        ("get_pipeline", json!({})),
        ("list_reports", json!({})),
        ("list_files", json!({})),
    ] {
        let reply = org.call(tool, arguments).await;
        assert_eq!(ended(&reply), "refused scope", "{tool}");
        assert!(org.asked(&reply).is_empty());
    }
    assert_eq!(
        ended(&org.call("get_identity", json!({})).await),
        "refused scope",
        "it asks for the Organization"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_has_no_more_rows_than_it_may() {
    let org = Org::start().await;
    org.limit(json!({ "rows_max": 5 }));
    assert_eq!(
        ended(&org.query("SELECT Name FROM Account LIMIT 5").await),
        "done"
    );
    let reply = org.query("SELECT Name FROM Account LIMIT 6").await;
    assert_eq!(ended(&reply), "failed row_limit");
    insta::assert_snapshot!(reply.outcome.message().unwrap(), @"the answer has 6 rows, and this agent's have at most 5");
    let children = "SELECT Name, (SELECT Id FROM Contacts) FROM Account LIMIT 5";
    assert_eq!(
        ended(&org.query(children).await),
        "failed row_limit",
        "children are rows, too"
    );
    // A field or an object is no record.
    let account = json!({ "object": "Account" });
    for (tool, arguments) in [("describe_object", account), ("list_objects", json!({}))] {
        let reply = org.call(tool, arguments).await;
        assert_eq!(ended(&reply), "done", "{tool}: {reply:?}");
    }
}
