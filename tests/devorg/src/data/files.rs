//! A dozen files: texts, tables, a picture and notes, at accounts and sales.

use std::sync::Arc;

use super::accounts::Accounts;
use super::people::People;
use super::sales::Sales;
use super::{Dice, Row, Seed};
use crate::id::Id;
use crate::value::Value;

/// A picture of one grey point.
const PICTURE: &[u8] = b"\x89PNG\x0d\x0a\x1a\x0a\x00\x00\x00\x0dIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00:~\x9bU\x00\x00\x00\x0aIDATx\x9cch\x00\x00\x00\x82\x00\x81w\xcdr\xb6\x00\x00\x00\x00IEND\xaeB`\x82";

/// A file's path, what is in it, and which record it is at.
struct File {
    path: &'static str,
    content: &'static [u8],
    place: Place,
}

/// A record, by its number.
#[derive(Clone, Copy)]
enum Place {
    Account(usize),
    Opportunity(usize),
}

const FILES: [File; 10] = [
    File {
        path: "Account plan.md",
        content: b"# Account plan\n\n1. Replace the old sensors by spring.\n2. Meet the new head of purchasing.\n\n| quarter | goal |\n| --- | --- |\n| 1 | pilot |\n| 2 | rollout |\n",
        place: Place::Account(0),
    },
    File {
        path: "Installed sensors.csv",
        content: b"Sensor,Site,Installed\nS-001,Hall 3,2024-05-02\nS-002,Hall 3,2024-05-02\nS-003,\"Yard, north\",2025-01-17\n",
        place: Place::Account(0),
    },
    File {
        path: "Visit notes.txt",
        content: "Sie möchten die Anlage im März erweitern.\nAsk again about the budget in two weeks.\n".as_bytes(),
        place: Place::Account(1),
    },
    File {
        path: "Site plan.png",
        content: PICTURE,
        place: Place::Account(2),
    },
    File {
        path: "First call.snote",
        content: b"<p>They have <b>three</b> halls &amp; a yard.</p><p>Decision by the end of the quarter.</p>",
        place: Place::Account(3),
    },
    File {
        path: "Offer.txt",
        content: b"Offer\n\n40 sensors at 312.50\nDelivery in six weeks\n",
        place: Place::Opportunity(0),
    },
    File {
        path: "Price list.csv",
        content: b"Item,Price\nSensor,312.50\nGateway,940.00\nCalibration,85.00\n",
        place: Place::Opportunity(1),
    },
    File {
        path: "Requirements.md",
        content: b"## Requirements\n\n- measures every minute\n- keeps a year of readings\n",
        place: Place::Opportunity(2),
    },
    File {
        path: "Negotiation.snote",
        content: b"<p>Ten percent is the most that we can do.</p>",
        place: Place::Opportunity(2),
    },
    File {
        path: "settings.json",
        content: b"{\"interval_seconds\": 60, \"unit\": \"celsius\"}\n",
        place: Place::Opportunity(3),
    },
];

/// The text that a second version of the first offer has.
const REVISED: &[u8] = b"Offer, revised\n\n40 sensors at 298.00\nDelivery in four weeks\n";

pub(super) fn add(seed: &mut Seed, people: &People, accounts: &Accounts, sales: &Sales) {
    for (number, file) in FILES.iter().enumerate() {
        let place = match file.place {
            Place::Account(at) => accounts.accounts.get(at),
            Place::Opportunity(at) => sales.opportunities.get(at),
        };
        let mut dice = Dice::new("file", number as u64);
        let owner = *dice.pick(&people.sales);
        let made = seed.ago(dice.between(20, 90), dice.between(480, 1_080));
        let mut row = version(file.path, file.content, owner);
        row.push(("FirstPublishLocationId", place.copied().into()));
        let id = seed.add("ContentVersion", made, row);
        if file.path == "Offer.txt" {
            let document = seed
                .org
                .store
                .get("ContentVersion", id)
                .and_then(|version| version.reference("ContentDocumentId"));
            let mut row = version(file.path, REVISED, owner);
            row.push(("ContentDocumentId", document.into()));
            row.push(("ReasonForChange", "Lower price".into()));
            let made = seed.ago(dice.between(2, 10), 600);
            seed.add("ContentVersion", made, row);
        }
    }
}

fn version(path: &str, content: &[u8], owner: Id) -> Row {
    let title = path.rsplit_once('.').map_or(path, |(title, _)| title);
    vec![
        ("Title", title.into()),
        ("PathOnClient", path.into()),
        ("VersionData", Value::Blob(Arc::from(content))),
        ("OwnerId", owner.into()),
    ]
}
