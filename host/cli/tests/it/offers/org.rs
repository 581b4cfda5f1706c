//! The Salesforce connector's resources, prompts and completions, as the agent is allowed to: no second door beside the tools.

use salesforce_devorg::{DevOrg, Options};
use serde_json::{Value, json};

use super::Client;
use crate::program::{Home, connection};

const VERSION: &str = "2025-11-25";
/// An account of the sample records.
const ACCOUNT: &str = "001DO0000000002YAA";
const RECORD: &str = "salesforce://Account/001DO0000000002YAA";
const OBJECT: &str = "salesforce://{object}";
const PICKLIST: &str = "salesforce://{object}/picklists/{field}";

/// An org, and a store in which Ada has an account there and Bob has none.
struct Place {
    home: Home,
    org: DevOrg,
}

impl Place {
    async fn new() -> Self {
        let org = DevOrg::start(Options::default()).await.unwrap();
        let owner = portcullis_store::Owner::Person("ada".parse().unwrap());
        let mut account = connection(owner, "Acme", org.url());
        account.secrets.access_token = org.users()[0].access_token.clone().into();
        let made = move || {
            let home = Home::new();
            home.must(&["person", "add", "bob"]);
            home.must(&["agent", "add", "helper"]);
            home.must(&["agent", "give", "helper", "salesforce"]);
            home.connect(account);
            home
        };
        let home = tokio::task::spawn_blocking(made).await.unwrap();
        Self { home, org }
    }

    fn client(&self, person: &str) -> Client {
        let reach = self.org.address().to_string();
        Client::begin(&self.home, person, VERSION, &["--allow-origin", &reach])
    }

    /// Lists what the calls of a tool that are on record came to.
    fn calls(&self, tool: &str) -> Vec<Value> {
        let calls = self.home.json(&["activity"]);
        let calls = calls.as_array().unwrap().iter();
        calls
            .filter(|call| call["tool"] == tool)
            .map(|call| call["outcome"].clone())
            .collect()
    }
}

fn read(client: &mut Client, uri: &str) -> Value {
    client.ask("resources/read", json!({ "uri": uri }))
}

fn text(message: &Value) -> &str {
    let text = message["result"]["contents"][0]["text"].as_str();
    text.unwrap_or_else(|| panic!("{message}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn records_and_descriptions_are_read_by_their_addresses() {
    let place = Place::new().await;
    tokio::task::block_in_place(|| {
        let mut client = place.client("ada");
        let templates = client.names("resources/templates/list", "resourceTemplates");
        assert_eq!(templates, ["record", "object", "picklist", "file"]);
        assert_eq!(
            client.names("resources/list", "resources"),
            ["objects", "me"]
        );

        let answer = client.call("get_record", json!({"object": "Account", "id": ACCOUNT}));
        let name = answer["structuredContent"]["fields"]["Name"]
            .as_str()
            .unwrap();
        // The answer links the record that it is of.
        let link = &answer["content"][1];
        assert_eq!(
            (&link["type"], &link["uri"], &link["title"]),
            (&json!("resource_link"), &json!(RECORD), &json!(name)),
            "{answer}"
        );
        let record = read(&mut client, RECORD);
        assert!(text(&record).contains(name), "{record}");
        assert_eq!(record["result"]["contents"][0]["uri"], RECORD);
        // A table of many links none.
        let many = client.call(
            "query",
            json!({"soql": "SELECT Id, Name FROM Contact LIMIT 20"}),
        );
        assert_eq!(many["content"].as_array().unwrap().len(), 1);

        let object = read(&mut client, "salesforce://Account");
        assert!(text(&object).contains("Industry"), "{object}");
        let picklist = read(&mut client, "salesforce://Account/picklists/Industry");
        assert!(text(&picklist).contains("Banking"), "{picklist}");
        let me = read(&mut client, "salesforce://me");
        assert!(text(&me).contains("robin.admin"), "{me}");
        let nobody = read(&mut client, "salesforce://Account/001DO00000ZZZZZYAA");
        assert!(nobody["error"]["message"].is_string(), "{nobody}");
        // Each was a call on record, as of the tool.
        assert_eq!(place.calls("get_record").len(), 3);
        assert_eq!(place.calls("describe_object"), ["done"]);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_objects_and_fields_are_completed() {
    let place = Place::new().await;
    tokio::task::block_in_place(|| {
        let mut client = place.client("ada");
        let objects = client.complete(OBJECT, ["object", "acco"], json!({}));
        assert_eq!(
            objects.first().map(String::as_str),
            Some("Account"),
            "{objects:?}"
        );
        let fields = client.complete(PICKLIST, ["field", "indus"], json!({"object": "Account"}));
        assert_eq!(fields, ["Industry"]);
        // Without the object there are no fields, and of one that is not there none.
        assert!(
            client
                .complete(PICKLIST, ["field", "indus"], json!({}))
                .is_empty()
        );
        let nothing = json!({"object": "Nothing"});
        assert!(
            client
                .complete(PICKLIST, ["field", "indus"], nothing)
                .is_empty()
        );
        let asked = json!({
            "ref": {"type": "ref/prompt", "name": "check_field"},
            "argument": {"name": "field", "value": "AnnualR"},
            "context": {"arguments": {"object": "Account"}},
        });
        let completed = client.result("completion/complete", asked);
        assert_eq!(completed["completion"]["values"], json!(["AnnualRevenue"]));
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_out_of_the_agents_scope_is_neither_read_nor_completed() {
    let place = Place::new().await;
    tokio::task::block_in_place(|| {
        let deny = ["scope", "helper", "--deny-read", "Contact,Account.Industry"];
        place.home.must(&deny);
        let mut client = place.client("ada");
        let asked = *place.org.watch_requests().borrow();
        for uri in [
            "salesforce://Contact",
            "salesforce://Contact/003DO0000000001YAA",
            "salesforce://Account/picklists/Industry",
        ] {
            let refused = read(&mut client, uri);
            assert_eq!(refused["error"]["code"], -32002, "{refused}");
        }
        // The names alone decide: the org is not even asked.
        assert_eq!(*place.org.watch_requests().borrow(), asked);
        let objects = client.complete(OBJECT, ["object", "conta"], json!({}));
        assert!(!objects.contains(&"Contact".to_owned()), "{objects:?}");
        let fields = client.complete(PICKLIST, ["field", "indus"], json!({"object": "Account"}));
        assert!(fields.is_empty(), "{fields:?}");
        assert!(!text(&read(&mut client, "salesforce://Account")).contains("Industry"));
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_switched_off_is_not_offered_and_refused_on_record() {
    let place = Place::new().await;
    tokio::task::block_in_place(|| {
        place.home.must(&["allow", "helper", "get_record", "off"]);
        place
            .home
            .must(&["allow", "helper", "get_account_overview", "off"]);
        let mut client = place.client("ada");
        let templates = client.names("resources/templates/list", "resourceTemplates");
        assert_eq!(templates, ["object", "picklist", "file"]);
        let refused = read(&mut client, RECORD);
        assert_eq!(
            refused["error"]["data"]["code"], "tool_disabled",
            "{refused}"
        );
        // As what is not served, and what is not there.
        assert_eq!(refused["error"]["code"], -32002, "{refused}");
        assert_eq!(place.calls("get_record"), ["refused"]);
        // A prompt goes with any of its tools.
        let prompts = client.names("prompts/list", "prompts");
        assert_eq!(prompts, ["review_pipeline", "check_field"]);
        let asked = json!({"name": "prepare_meeting", "arguments": {"account": "Acme"}});
        let error = client.error("prompts/get", asked);
        assert!(
            !error.to_string().contains("get_account_overview"),
            "{error}"
        );
        // No links to what is not to be read.
        let one = format!("SELECT Id, Name FROM Account WHERE Id = '{ACCOUNT}'");
        let answer = client.call("query", json!({ "soql": one }));
        assert_eq!(answer["content"].as_array().unwrap().len(), 1, "{answer}");
    });
    // What is not served is not there.
    tokio::task::block_in_place(|| {
        let reach = place.org.address().to_string();
        let more = ["--allow-origin", &reach, "--toolsets", "schema"];
        let mut client = Client::begin(&place.home, "ada", VERSION, &more);
        assert_eq!(client.names("resources/list", "resources"), ["objects"]);
        assert_eq!(
            read(&mut client, "salesforce://me")["error"]["code"],
            -32002
        );
        assert!(client.names("prompts/list", "prompts").is_empty());
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_approval_asks_when_it_is_read_and_not_while_somebody_types() {
    let place = Place::new().await;
    tokio::task::block_in_place(|| {
        place.home.must(&["allow", "helper", "list_objects", "ask"]);
        let mut client = place.client("ada");
        assert!(
            client
                .complete(OBJECT, ["object", "acco"], json!({}))
                .is_empty()
        );
        assert_eq!(place.home.json(&["approvals", "list"])["count"], 0);
        let held = read(&mut client, "salesforce://objects");
        assert_eq!(
            held["error"]["data"]["outcome"], "approval_required",
            "{held}"
        );
        let words = held["error"]["message"].as_str().unwrap();
        assert!(words.contains("check_approval"), "{held}");
        let waits = place.home.json(&["approvals", "list"]);
        let waiting = &waits["approvals"];
        assert_eq!(waits["count"], 1, "{waits}");
        assert_eq!(waiting[0]["id"], held["error"]["data"]["approval"]["id"]);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_account_gets_the_link_and_nothing_of_others() {
    let place = Place::new().await;
    tokio::task::block_in_place(|| {
        let mut bob = place.client("bob");
        let needed = read(&mut bob, RECORD);
        let words = needed["error"]["message"].as_str().unwrap();
        assert!(words.starts_with("An account is needed first"), "{needed}");
        assert_eq!(needed["error"]["data"]["outcome"], "connect_required");
        assert!(
            bob.complete(OBJECT, ["object", "acco"], json!({}))
                .is_empty()
        );
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_promised_to_be_told_of_a_record_that_changes() {
    // Who does not poll the service cannot know, and what polls costs the org's quota: so it is not offered, and refused.
    let place = Place::new().await;
    tokio::task::block_in_place(|| {
        let mut client = place.client("ada");
        for method in ["resources/subscribe", "resources/unsubscribe"] {
            let error = client.error(method, json!({ "uri": RECORD }));
            assert_eq!(error["code"], -32601, "{method}: {error}");
        }
    });
}
