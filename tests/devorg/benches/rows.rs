//! What a row costs, whatever the size of its table: loading one, and indexed questions, in orgs of a
//! thousand, thirty thousand and a million contacts, over HTTP on one kept-alive connection.
//!
//! `ROWS=1000,30000 cargo bench …` measures other sizes. The last lines compare each size with the
//! first, within this run: machines are noisy, and ratios are not.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and may panic"
)]

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use salesforce_devorg::{DevOrg, Limit, Options};
use serde_json::{Value as Json, json};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

const SIZES: &str = "1000,30000,1000000";
const V: &str = "/services/data/v68.0";
/// Records of a request, and contacts of an account.
const CHUNK: usize = 200;
const SHARE: usize = 10;

/// A client of an org.
struct Client {
    sender: SendRequest<Full<Bytes>>,
    host: String,
    token: String,
}

impl Client {
    async fn of(org: &DevOrg) -> Self {
        let stream = TcpStream::connect(org.address()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self {
            sender,
            host: org.address().to_string(),
            token: org.users()[0].access_token.clone(),
        }
    }

    async fn send(&mut self, method: &str, path: &str, body: &Json) -> Json {
        let body = match body {
            Json::Null => Bytes::new(),
            body => body.to_string().into(),
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("{V}{path}"))
            .header("host", &self.host)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(Full::new(body))
            .unwrap();
        self.sender.ready().await.unwrap();
        let response = self.sender.send_request(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let json = serde_json::from_slice(&body).unwrap();
        assert!(status.is_success(), "{path}: {json}");
        json
    }

    async fn rows(&mut self, soql: &str) -> Vec<Json> {
        let soql: String = soql
            .chars()
            .map(|c| match c {
                ' ' => "+".to_owned(),
                '%' => "%25".to_owned(),
                '\'' => "%27".to_owned(),
                c => c.to_string(),
            })
            .collect();
        let answer = self
            .send("GET", &format!("/query?q={soql}"), &Json::Null)
            .await;
        answer["records"].as_array().unwrap().clone()
    }

    /// Creates records, and gives their ids.
    async fn create(&mut self, records: Vec<Json>) -> Vec<Json> {
        let body = json!({"allOrNone": true, "records": records});
        let results = self.send("POST", "/composite/sobjects", &body).await;
        let results = results.as_array().unwrap();
        results.iter().map(|result| result["id"].clone()).collect()
    }
}

/// Starts an org of so many contacts, as a client makes them, and gives how long each took.
async fn org_of(contacts: usize) -> (DevOrg, Client, Duration) {
    let org = DevOrg::start(Options {
        limits: vec![(Limit::DataStorageMB, 1_000_000)],
        ..Options::default()
    })
    .await
    .unwrap();
    let mut client = Client::of(&org).await;
    let start = Instant::now();
    let mut accounts = Vec::new();
    for first in (0..contacts).step_by(CHUNK) {
        let numbers = first..contacts.min(first + CHUNK);
        if accounts.len() <= numbers.end / SHARE {
            let next = accounts.len()..accounts.len() + CHUNK;
            let records = next.map(|number| {
                json!({"attributes": {"type": "Account"}, "Name": format!("Company {number:07}")})
            });
            accounts.extend(client.create(records.collect()).await);
        }
        let records = numbers.map(|number| {
            json!({
                "attributes": {"type": "Contact"},
                "LastName": format!("Person{number:07}"),
                "FirstName": "Ada",
                "Email": format!("person{number:07}@bench.example"),
                "Phone": format!("(415) 555-{:04}", number % 10_000),
                "Title": "Buyer",
                "MailingCity": "San Francisco",
                "AccountId": accounts[number / SHARE],
            })
        });
        client.create(records.collect()).await;
        progress(first, contacts);
    }
    let each = start.elapsed() / u32::try_from(contacts.max(1)).unwrap();
    (org, client, each)
}

fn progress(done: usize, of: usize) {
    let mut terminal = std::io::stderr();
    if terminal.is_terminal() && done.is_multiple_of(10_000) {
        let _ = write!(terminal, "\r{done} of {of} contacts");
    }
}

/// Gives the questions, each of which finds so many records whatever the table's size.
async fn questions(client: &mut Client) -> Vec<(&'static str, String, usize)> {
    let known = client
        .rows("SELECT Id, AccountId FROM Contact WHERE Name = 'Ada Person0000500'")
        .await;
    let (id, account) = (&known[0]["Id"], &known[0]["AccountId"]);
    let (id, account) = (id.as_str().unwrap(), account.as_str().unwrap());
    let contact =
        |condition: String| format!("SELECT Id, Name, Account.Name FROM Contact WHERE {condition}");
    vec![
        ("by id", contact(format!("Id = '{id}'")), 1),
        (
            "by external id",
            contact("Email = 'PERSON0000500@bench.example'".into()),
            1,
        ),
        (
            "by lookup",
            contact(format!("AccountId = '{account}'")),
            SHARE,
        ),
        ("by name", contact("Name = 'ada person0000500'".into()), 1),
        (
            "by the beginning of a name",
            contact("Name LIKE 'Ada Person000050%'".into()),
            10,
        ),
    ]
}

/// The time of each work for each size: how much in all, and of how many.
type Times = BTreeMap<(&'static str, usize), (Duration, u64)>;

fn rows(criterion: &mut Criterion) {
    let sizes = std::env::var("ROWS").unwrap_or_else(|_| SIZES.to_owned());
    let sizes: Vec<usize> = sizes.split(',').map(|size| size.parse().unwrap()).collect();
    let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    let times = Mutex::new(Times::new());
    for size in &sizes {
        let (org, mut client, each) = runtime.block_on(org_of(*size));
        println!("{size} contacts: {each:?} to load one");
        times.lock().unwrap().insert(("load", *size), (each, 1));
        let questions = runtime.block_on(questions(&mut client));
        let client = tokio::sync::Mutex::new(client);
        let mut group = criterion.benchmark_group(format!("{size} contacts"));
        for (name, soql, found) in &questions {
            group.bench_function(*name, |bencher| {
                bencher.iter_custom(|rounds| {
                    let took = runtime.block_on(ask(&client, soql, *found, rounds));
                    add(&times, (name, *size), took, rounds);
                    took
                });
            });
        }
        let number = std::cell::Cell::new(0);
        group.bench_function("create", |bencher| {
            bencher.iter_custom(|rounds| {
                let took = runtime.block_on(create(&client, &number, rounds));
                add(&times, ("create", *size), took, rounds);
                took
            });
        });
        group.finish();
        runtime.block_on(org.stop());
    }
    compare(&times.into_inner().unwrap(), &sizes);
    drop::<Runtime>(runtime);
}

async fn ask(
    client: &tokio::sync::Mutex<Client>,
    soql: &str,
    found: usize,
    rounds: u64,
) -> Duration {
    let mut client = client.lock().await;
    let start = Instant::now();
    for _ in 0..rounds {
        assert_eq!(client.rows(soql).await.len(), found, "{soql}");
    }
    start.elapsed()
}

async fn create(
    client: &tokio::sync::Mutex<Client>,
    number: &std::cell::Cell<u64>,
    rounds: u64,
) -> Duration {
    let mut client = client.lock().await;
    let start = Instant::now();
    for _ in 0..rounds {
        number.set(number.get() + 1);
        let name = format!("New{}", number.get());
        let contact = json!({"LastName": name, "Email": format!("{name}@bench.example")});
        client.send("POST", "/sobjects/Contact", &contact).await;
    }
    start.elapsed()
}

fn add(times: &Mutex<Times>, what: (&'static str, usize), took: Duration, rounds: u64) {
    let mut times = times.lock().unwrap();
    let (all, of) = times.entry(what).or_default();
    (*all, *of) = (*all + took, *of + rounds);
}

/// Prints the mean time of each work for each size, and how many times that of the first it is.
fn compare(times: &Times, sizes: &[usize]) {
    let mean = |name, size| {
        let (all, of) = times.get(&(name, size))?;
        Some(all.as_secs_f64() * 1e6 / *of as f64)
    };
    print!("\n{:28}", "µs (and how many times the first)");
    sizes.iter().for_each(|size| print!("{size:>20}"));
    println!();
    let names: std::collections::BTreeSet<_> = times.keys().map(|(name, _)| *name).collect();
    for name in names {
        print!("{name:33}");
        let first = mean(name, sizes[0]);
        for size in sizes {
            if let (Some(mean), Some(first)) = (mean(name, *size), first) {
                print!("{:>12.1} ({:>4.2})", mean, mean / first);
            }
        }
        println!();
    }
}

criterion_group!(benches, rows);
criterion_main!(benches);
