//! What a row costs: in memory, to find, and to write, whatever the size of its table.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::id::Id;
use crate::org::{Org, Session};
use crate::records::fill::{self, Values};
use crate::value::Value;

/// Gives the sample org with so many contacts more, as a client would have made them.
fn org_of(contacts: usize) -> Org {
    let mut org = Org::sample(Timestamp::UNIX_EPOCH);
    org.storage.data_bytes_max = u64::MAX;
    let schema = org.schema.clone();
    let object = schema.object("Contact").unwrap();
    let by = org.store.rows("User").next().unwrap().id;
    let accounts: Vec<Id> = org.store.rows("Account").map(|row| row.id).collect();
    for number in 0..contacts {
        let at = org.tick();
        let texts = [
            ("LastName", format!("Person{number:07}")),
            ("FirstName", "Ada".to_owned()),
            ("Email", format!("person{number:07}@example.com")),
            ("Phone", format!("(415) 555-{:04}", number % 10_000)),
            ("Title", "Buyer".to_owned()),
            ("Department", "Purchasing".to_owned()),
            ("MailingCity", "San Francisco".to_owned()),
            ("MailingCountry", "United States".to_owned()),
            ("LeadSource", "Web".to_owned()),
            ("AccountId", accounts[number % accounts.len()].to_string()),
        ];
        let values = texts.map(|(name, text)| {
            let field = object.field(name).unwrap();
            (field.name.clone(), Value::text(text))
        });
        fill::insert(&mut org, object, Values::from(values), by, at);
    }
    org
}

/// Gives the resident memory of this process in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<usize>()
        .unwrap()
        * 1_024
}

#[test]
#[ignore = "measures"]
#[allow(clippy::print_stdout)]
fn memory() {
    drop(org_of(0));
    let before = resident();
    let now = std::time::Instant::now();
    let org = org_of(100_000);
    println!("{:?}", now.elapsed());
    println!("{} bytes a contact", (resident() - before) / 100_000);
    println!(
        "{} values {}",
        org.store.rows("Contact").last().unwrap().values.len(),
        std::mem::size_of::<Value>()
    );
    let record = org.store.rows("Contact").last().unwrap();
    println!("{record:?}");
    let _ = Session::of_org(&org, record.id, TimeZone::UTC);
}
