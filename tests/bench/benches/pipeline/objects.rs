//! What it costs to find an object in a large org beside a small one, once the org's list is known to the host: the same call, at
//! an org with its own objects and at one with 2,000 more.

use std::hint::black_box;
use std::path::Path;

use bench::{SALESFORCE, World};
use criterion::Criterion;
use portcullis::policy::{ConnectorName, Origin};
use portcullis::{Call, ComponentCache};
use salesforce_devorg::{DevOrg, Options};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

/// Custom objects of the large org.
const OBJECTS: usize = 2_000;

fn runtime() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().unwrap()
}

/// A describe of an object with an id and a name.
fn describe(number: usize) -> Value {
    let field = |name: &str, kind: &str, own: bool| {
        json!({
            "name": name, "label": name, "type": kind, "length": 18, "precision": 0, "scale": 0, "digits": 0,
            "nillable": false, "createable": own, "updateable": own, "defaultedOnCreate": !own, "filterable": true,
            "groupable": true, "sortable": true, "idLookup": false, "externalId": false, "unique": false,
            "nameField": own, "autoNumber": false, "calculated": false, "custom": false, "restrictedPicklist": false,
        })
    };
    let digits: Vec<char> = ('0'..='9').chain('A'..='Z').chain('a'..='z').collect();
    let prefix = [
        'b',
        digits[number / digits.len() % digits.len()],
        digits[number % digits.len()],
    ];
    json!({
        "name": format!("Ledger_{number:04}__c"), "label": format!("Ledger {number:04}"),
        "labelPlural": format!("Ledgers {number:04}"), "keyPrefix": prefix.iter().collect::<String>(), "custom": true,
        "createable": true, "updateable": true, "deletable": true, "undeletable": true, "mergeable": false,
        "layoutable": true, "searchable": true, "triggerable": true, "replicateable": true,
        "fields": [field("Id", "id", false), field("Name", "string", true)],
    })
}

fn write_describes(folder: &Path) {
    for number in 0..OBJECTS {
        let file = folder.join(format!("Ledger_{number:04}__c.json"));
        std::fs::write(file, describe(number).to_string()).unwrap();
    }
}

fn call(connector: &ConnectorName) -> Call {
    World::call(connector, "list_objects", json!({"text": "account"})).unwrap()
}

pub(crate) fn objects(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    write_describes(folder.path());
    // The orgs have a runtime of their own, as a service elsewhere would.
    let (elsewhere, here) = (runtime(), runtime());
    let mut group = criterion.benchmark_group("list_objects");
    for (name, describe) in [
        ("of a small org", None),
        ("of 2,000 more", Some(folder.path())),
    ] {
        let options = Options {
            describe: describe.map(Path::to_owned),
            ..Options::default()
        };
        let org = elsewhere.block_on(DevOrg::start(options)).unwrap();
        let origin = Origin::parse(org.url()).unwrap();
        let (world, connector) = here.block_on(async {
            let world = World::new(ComponentCache::none(), Some(&origin)).unwrap();
            let connector = world.install(SALESFORCE).await.unwrap();
            world.connect(&connector, &org).await.unwrap();
            // The first call asks for the list.
            world.answer(call(&connector)).await.unwrap();
            (world, connector)
        });
        group.bench_function(name, |bencher| {
            bencher.to_async(&here).iter(|| async {
                black_box(world.answer(call(&connector)).await.unwrap());
            });
        });
    }
    group.finish();
}
