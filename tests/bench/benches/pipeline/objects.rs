//! What it costs to find an object in a large org beside a small one, and to describe one of 800 fields, once the org's answers are
//! known to the host: the same calls, at an org with its own objects and at one with 2,000 more.

use std::hint::black_box;
use std::path::Path;

use bench::World;
use criterion::Criterion;
use portcullis::Call;
use portcullis::policy::ConnectorName;
use salesforce_devorg::{DevOrg, Options};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

/// Custom objects of the large org.
const OBJECTS: usize = 2_000;

/// As many fields as an object may have.
const FIELDS: usize = 800;

fn runtime() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().unwrap()
}

/// A describe of an object with an id, a name and so many other fields.
fn describe(object: &str, label: &str, prefix: &str, others: usize) -> Value {
    let field = |name: &str, kind: &str, own: bool, is_name: bool| {
        json!({
            "name": name, "label": name.replace('_', " "), "type": kind, "length": 18, "precision": 0, "scale": 0, "digits": 0,
            "nillable": own && !is_name, "createable": own, "updateable": own, "defaultedOnCreate": !own, "filterable": true,
            "groupable": true, "sortable": true, "idLookup": false, "externalId": false, "unique": false,
            "nameField": is_name, "autoNumber": false, "calculated": false, "custom": own && !is_name,
            "restrictedPicklist": false,
        })
    };
    let mut fields = vec![
        field("Id", "id", false, false),
        field("Name", "string", true, true),
    ];
    fields
        .extend((0..others).map(|at| field(&format!("Answer_{at:03}__c"), "string", true, false)));
    json!({
        "name": object, "label": label, "labelPlural": format!("{label}s"), "keyPrefix": prefix, "custom": true,
        "createable": true, "updateable": true, "deletable": true, "undeletable": true, "mergeable": false,
        "layoutable": true, "searchable": true, "triggerable": true, "replicateable": true,
        "fields": fields,
    })
}

fn write_describes(folder: &Path) {
    let digits: Vec<char> = ('0'..='9').chain('A'..='Z').chain('a'..='z').collect();
    for number in 0..OBJECTS {
        let (object, label) = (
            format!("Ledger_{number:04}__c"),
            format!("Ledger {number:04}"),
        );
        let prefix = [
            'b',
            digits[number / digits.len() % digits.len()],
            digits[number % digits.len()],
        ];
        let prefix: String = prefix.iter().collect();
        let described = describe(&object, &label, &prefix, 0).to_string();
        std::fs::write(folder.join(format!("{object}.json")), described).unwrap();
    }
    let wide = describe("Wide__c", "Wide", "c00", FIELDS - 2).to_string();
    std::fs::write(folder.join("Wide__c.json"), wide).unwrap();
}

fn list(connector: &ConnectorName) -> Call {
    World::call(connector, "list_objects", json!({"text": "account"})).unwrap()
}

/// Describes an object: its first hundred fields.
fn describe_call(connector: &ConnectorName, object: &str) -> Call {
    World::call(connector, "describe_object", json!({ "object": object })).unwrap()
}

pub(crate) fn objects(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    write_describes(folder.path());
    // The orgs have a runtime of their own, as a service elsewhere would.
    let (elsewhere, here) = (runtime(), runtime());
    for (name, describe, described) in [
        ("of a small org", None, "Account"),
        ("of 2,000 more", Some(folder.path()), "Wide__c"),
    ] {
        let options = Options {
            describe: describe.map(Path::to_owned),
            ..Options::default()
        };
        let org = elsewhere.block_on(DevOrg::start(options)).unwrap();
        let (world, connector) = here.block_on(World::of_salesforce(&org)).unwrap();
        let calls = [
            (format!("list_objects {name}"), list(&connector)),
            (
                format!("describe_object {described}"),
                describe_call(&connector, described),
            ),
        ];
        let mut group = criterion.benchmark_group("schema");
        for (name, call) in calls {
            // The first call asks the org.
            here.block_on(world.answer(call.clone())).unwrap();
            group.bench_function(name, |bencher| {
                bencher.to_async(&here).iter(|| async {
                    black_box(world.answer(call.clone()).await.unwrap());
                });
            });
        }
        group.finish();
    }
}
