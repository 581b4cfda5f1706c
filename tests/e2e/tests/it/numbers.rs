//! What the connector answers through the sandbox is what the org answers when it is asked directly.

use std::collections::BTreeSet;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use portcullis::Limits;
use portcullis::network::{HostPort, NetworkOptions};
use salesforce_devorg::{DevOrg, Options};
use serde_json::{Value, json};

use crate::support::{Setup, World, done};

const CONNECTOR: &str = "portcullis_salesforce";

/// Queries of every kind that the tools know: fields, parents, children, every filter, dates, groups, order, pages.
const QUERIES: [&str; 62] = [
    "SELECT Id, Name FROM Account",
    "SELECT Id, Name, Industry, AnnualRevenue, NumberOfEmployees FROM Account ORDER BY Name",
    "SELECT Name, AnnualRevenue FROM Account WHERE AnnualRevenue > 1000000 ORDER BY AnnualRevenue DESC LIMIT 10",
    "SELECT Name FROM Account WHERE Industry IN ('Technology', 'Energy', 'Banking') ORDER BY Name",
    "SELECT Name FROM Account WHERE Industry NOT IN ('Technology') AND Name LIKE 'A%'",
    "SELECT Name, Parent.Name FROM Account WHERE ParentId != null",
    "SELECT Name, BillingCity, BillingCountry, BillingAddress FROM Account ORDER BY BillingCity NULLS LAST LIMIT 20",
    "SELECT Name, Owner.Name, Owner.Profile.Name FROM Account LIMIT 15",
    "SELECT Name, CreatedDate, LastModifiedDate FROM Account ORDER BY CreatedDate LIMIT 25",
    "SELECT FIELDS(STANDARD) FROM Account LIMIT 3",
    "SELECT Name, (SELECT LastName, Email FROM Contacts) FROM Account ORDER BY Name LIMIT 20",
    "SELECT Name, (SELECT Name, Amount FROM Opportunities ORDER BY Amount DESC LIMIT 2), (SELECT Subject FROM Cases) FROM Account LIMIT 30",
    "SELECT COUNT() FROM Account",
    "SELECT COUNT() FROM Contact WHERE Email != null",
    "SELECT COUNT() FROM Measurement__c WHERE Outlier__c = true",
    "SELECT COUNT(Id) FROM Lead",
    "SELECT Id, FirstName, LastName, Account.Name FROM Contact ORDER BY LastName, FirstName, Id",
    "SELECT LastName, Account.Name, Account.Owner.Name FROM Contact WHERE Account.Industry = 'Technology'",
    "SELECT c.LastName, a.Name FROM Contact c, c.Account a ORDER BY c.LastName LIMIT 40",
    "SELECT LastName FROM Contact WHERE AccountId = null",
    "SELECT Name, StageName, Amount, CloseDate, Probability FROM Opportunity ORDER BY Amount DESC NULLS LAST",
    "SELECT StageName, COUNT(Id), SUM(Amount), AVG(Amount), MIN(Amount), MAX(Amount) FROM Opportunity GROUP BY StageName ORDER BY StageName",
    "SELECT StageName s, COUNT(Id) n FROM Opportunity GROUP BY StageName HAVING COUNT(Id) > 5 ORDER BY COUNT(Id) DESC",
    "SELECT SUM(Amount) total, AVG(Probability) FROM Opportunity WHERE IsClosed = false",
    "SELECT Account.Name, SUM(Amount) total FROM Opportunity GROUP BY Account.Name ORDER BY SUM(Amount) DESC NULLS LAST LIMIT 10",
    "SELECT CALENDAR_YEAR(CloseDate) y, CALENDAR_QUARTER(CloseDate) q, SUM(Amount) FROM Opportunity GROUP BY CALENDAR_YEAR(CloseDate), CALENDAR_QUARTER(CloseDate) ORDER BY CALENDAR_YEAR(CloseDate), CALENDAR_QUARTER(CloseDate)",
    "SELECT Name, CloseDate FROM Opportunity WHERE CloseDate = THIS_QUARTER",
    "SELECT Name, CloseDate FROM Opportunity WHERE CloseDate = LAST_N_DAYS:90 ORDER BY CloseDate",
    "SELECT Name, CloseDate FROM Opportunity WHERE CloseDate > TODAY AND CloseDate < NEXT_N_MONTHS:3",
    "SELECT Name FROM Opportunity WHERE CloseDate >= 2026-01-01 AND CloseDate <= 2026-12-31 ORDER BY Name",
    "SELECT Name FROM Opportunity WHERE CreatedDate > 2026-01-01T00:00:00Z ORDER BY Name LIMIT 50",
    "SELECT IsWon, IsClosed, COUNT(Id) FROM Opportunity GROUP BY IsWon, IsClosed",
    "SELECT StageName, IsWon, COUNT(Id) t FROM Opportunity GROUP BY ROLLUP(StageName, IsWon)",
    "SELECT Type t, LeadSource l, GROUPING(Type) g, COUNT(Id) n FROM Opportunity GROUP BY CUBE(Type, LeadSource)",
    "SELECT Name FROM Opportunity WHERE Amount = null",
    "SELECT Name, Amount FROM Opportunity WHERE (Amount > 50000 OR Probability > 80) AND NOT StageName = 'Closed Lost' ORDER BY Name",
    "SELECT Name FROM Account WHERE Id IN (SELECT AccountId FROM Opportunity WHERE Amount > 100000)",
    "SELECT Name FROM Account WHERE Id NOT IN (SELECT AccountId FROM Contact)",
    "SELECT Name FROM Account WHERE Id IN (SELECT AccountId FROM Contact) AND Id IN (SELECT AccountId FROM Case)",
    "SELECT FirstName, LastName, Company, Status, LeadSource FROM Lead ORDER BY LastName, Id",
    "SELECT Status, COUNT(Id) FROM Lead GROUP BY Status ORDER BY COUNT(Id) DESC",
    "SELECT COUNT_DISTINCT(Company) FROM Lead",
    "SELECT toLabel(Status) FROM Lead LIMIT 5",
    "SELECT FORMAT(Amount) shown, Amount FROM Opportunity WHERE Amount != null LIMIT 5",
    "SELECT CaseNumber, Subject, Status, Priority FROM Case ORDER BY CaseNumber",
    "SELECT Priority, Status, COUNT(Id) FROM Case GROUP BY Priority, Status ORDER BY Priority, Status",
    "SELECT Subject, Contact.Name, Account.Name FROM Case WHERE IsClosed = false LIMIT 40",
    "SELECT Subject, Owner.Name, Owner.Type FROM Case LIMIT 30",
    "SELECT Subject, What.Name, What.Type, Who.Name FROM Task LIMIT 50",
    "SELECT Subject, TYPEOF What WHEN Account THEN Industry WHEN Opportunity THEN StageName ELSE Name END FROM Task LIMIT 40",
    "SELECT Subject, StartDateTime, DurationInMinutes FROM Event ORDER BY StartDateTime LIMIT 30",
    "SELECT Subject FROM Event WHERE StartDateTime = THIS_MONTH",
    "SELECT Id, Username, Profile.Name, IsActive FROM User ORDER BY Username",
    "SELECT Name FROM UserRole",
    "SELECT Id, Name, Value__c, Expected__c, Deviation__c FROM Measurement__c ORDER BY Name",
    "SELECT Kind__c, COUNT(Id), AVG(Value__c), MIN(Value__c), MAX(Value__c), SUM(Deviation__c) FROM Measurement__c GROUP BY Kind__c ORDER BY Kind__c",
    "SELECT Sensor__c, MAX(Value__c) FROM Measurement__c WHERE Kind__c = 'Pressure' GROUP BY Sensor__c",
    "SELECT Name, Flags__c FROM Measurement__c WHERE Flags__c INCLUDES ('Manual;Estimated', 'Replayed') LIMIT 100",
    "SELECT COUNT() FROM Measurement__c WHERE Flags__c EXCLUDES ('Calibrated')",
    "SELECT Name, Taken_At__c FROM Measurement__c WHERE Taken_At__c = LAST_N_DAYS:30 ORDER BY Taken_At__c DESC",
    "SELECT Name FROM Measurement__c ORDER BY Value__c DESC NULLS LAST LIMIT 5 OFFSET 10",
    "SELECT Name, Account__r.Name FROM Measurement__c WHERE Account__r.Industry != null LIMIT 700",
];

/// The org, asked without anything between.
struct Direct {
    client: Client<HttpConnector, Empty<Bytes>>,
    url: String,
    token: String,
}

impl Direct {
    async fn get(&self, path: &str) -> Value {
        let request = http::Request::get(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {}", self.token))
            .body(Empty::new())
            .unwrap();
        let response = self.client.request(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&body);
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_slice(&body).unwrap()
    }

    /// Gives all records of a query, and how many the org says there are.
    async fn query(&self, soql: &str) -> (Vec<Value>, u64) {
        let mut path = format!("/services/data/v68.0/query?q={}", encoded(soql));
        let (mut records, mut total) = (Vec::new(), None);
        loop {
            let mut page = self.get(&path).await;
            total = total.or(page["totalSize"].as_u64());
            let Value::Array(some) = page["records"].take() else {
                panic!("{page}");
            };
            records.extend(some);
            match page["nextRecordsUrl"].as_str() {
                Some(next) => path = next.to_owned(),
                None => return (records, total.unwrap()),
            }
        }
    }
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte.is_ascii_alphanumeric() {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}

/// A page of rows: its columns, and its rows. A page after the first has its columns in the service's order.
type Page = (Vec<String>, Vec<Vec<Value>>);

/// All pages of a query through the sandbox, and how many rows the connector says there are.
async fn through(world: &World, soql: &str) -> (Vec<Page>, u64) {
    let arguments = json!({"soql": soql, "batch_size": 2000});
    let mut output = done(world.call("salesforce", "query", arguments).await);
    let (mut pages, mut total) = (Vec::new(), None);
    loop {
        let data = output.structured.take().unwrap();
        total = total.or(data["total_size"].as_u64());
        pages.push(page(&data));
        assert_eq!(data["cursor"].as_str(), output.next_cursor.as_deref());
        let Some(cursor) = output.next_cursor.take() else {
            return (pages, total.unwrap());
        };
        let arguments = json!({"cursor": cursor});
        output = done(world.call("salesforce", "query_next", arguments).await);
    }
}

fn page(data: &Value) -> Page {
    let columns = serde_json::from_value(data["columns"].clone()).unwrap();
    (
        columns,
        serde_json::from_value(data["rows"].clone()).unwrap(),
    )
}

/// Finds a member whatever its case, as SOQL's names are.
fn member<'a>(record: &'a Value, name: &str) -> &'a Value {
    let members = record.as_object();
    let found = members.and_then(|members| {
        let mut members = members.iter();
        members.find(|(other, _)| other.eq_ignore_ascii_case(name))
    });
    found.map_or(&Value::Null, |(_, value)| value)
}

/// What a record has in a column, such as `Account.Owner.Name`.
fn at<'a>(record: &'a Value, column: &str) -> &'a Value {
    let mut value = record;
    let mut parts = column.split('.').peekable();
    while let Some(part) = parts.next() {
        if part == "type" && parts.peek().is_none() && !value["attributes"].is_null() {
            return &value["attributes"]["type"];
        }
        value = member(value, part);
    }
    value
}

/// The columns that a record has values in.
fn leaves(record: &Value, prefix: &str, into: &mut BTreeSet<String>) {
    for (name, value) in record.as_object().into_iter().flatten() {
        if name == "attributes" {
            continue;
        }
        let path = format!("{prefix}{name}");
        match value.get("attributes") {
            Some(_) => leaves(value, &format!("{path}."), into),
            None if value.is_null() => {}
            None => {
                into.insert(path.to_lowercase());
            }
        }
    }
}

/// Compares rows with records, children's with theirs.
fn assert_equal(soql: &str, columns: &[String], rows: &[Vec<Value>], records: &[Value]) {
    assert_eq!(rows.len(), records.len(), "{soql}");
    let known: BTreeSet<String> = columns.iter().map(|name| name.to_lowercase()).collect();
    for (row, record) in rows.iter().zip(records) {
        assert_eq!(row.len(), columns.len(), "{soql}");
        for (column, value) in columns.iter().zip(row) {
            let direct = at(record, column);
            match direct["records"].as_array() {
                Some(children) => {
                    let (columns, rows) = page(value);
                    assert_eq!(value["total_size"], direct["totalSize"], "{soql}");
                    assert_equal(soql, &columns, &rows, children);
                }
                None => assert_eq!(value, direct, "{soql}: {column} of {record}"),
            }
        }
        let mut there = BTreeSet::new();
        leaves(record, "", &mut there);
        let missing: Vec<&String> = there.difference(&known).collect();
        assert!(missing.is_empty(), "{soql}: {missing:?} of {record}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_agree() {
    let today = Some("2026-11-23".parse().unwrap());
    let org = DevOrg::start(Options {
        today,
        ..Options::default()
    })
    .await
    .unwrap();
    let token = org.users()[0].access_token.clone();
    let mut network = NetworkOptions::default();
    let address = HostPort::new("127.0.0.1", org.address().port());
    network.allow_private.push(address);
    let setup = Setup {
        limits: Limits {
            concurrent_calls_max: 8,
            ..Limits::default()
        },
        network,
        origin: Some(org.url().to_owned()),
        token: token.clone(),
        ..Setup::default()
    };
    let world = World::new(setup, &[CONNECTOR]).await;
    let direct = Direct {
        client: Client::builder(TokioExecutor::new()).build_http(),
        url: org.url().to_owned(),
        token,
    };
    let (mut values, mut most_pages) = (0, 0);
    for soql in QUERIES {
        let (records, total) = direct.query(soql).await;
        let (pages, counted) = through(&world, soql).await;
        assert_eq!(counted, total, "{soql}");
        most_pages = most_pages.max(pages.len());
        let mut rest = records.as_slice();
        for (columns, rows) in pages {
            assert!(rows.len() <= rest.len(), "{soql}");
            let (these, others) = rest.split_at(rows.len());
            assert_equal(soql, &columns, &rows, these);
            values += rows.len() * columns.len();
            rest = others;
        }
        assert!(rest.is_empty(), "{soql}: {} rows are missing", rest.len());
    }
    // Enough was compared to mean something, and paging was real.
    assert!(values > 20_000, "{values}");
    assert!(most_pages >= 3, "{most_pages}");
    // All that was asked is in the log, and none of its values in the clear.
    let sealed = format!("{:?}", world.audit);
    assert!(!sealed.contains("Closed Lost"), "a value is in the clear");
}
