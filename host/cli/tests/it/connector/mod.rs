//! `portcullis connector`: versions are installed, accepted and gone back from, and programs that serve take them over.

mod killed;
mod refused;
mod served;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use portcullis::policy::Digest;
use portcullis_guest_build::GuestBuild;

use crate::approvals::{PASSPHRASE, set_passphrase, with_passphrase};
use crate::program::Home;

/// One test at a time asks for components, which are built where the build scripts have built them.
static BUILDING: Mutex<()> = Mutex::new(());

/// Gives the bytes of an example's component.
pub(crate) fn example(package: &str, name: &str) -> Vec<u8> {
    let _turn = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let build = GuestBuild::package(package).target_dir(target.join("guests"));
    std::fs::read(build.example(name).build().unwrap()).unwrap()
}

/// The component of the version that the program carries.
fn salesforce() -> Vec<u8> {
    std::fs::read(env!("SALESFORCE_COMPONENT")).unwrap()
}

/// Changes a component's own text, at equal length, where it stands once.
fn patched(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len(), "{from}");
    let fits = |at: &usize| bytes[*at..].starts_with(from.as_bytes());
    let places: Vec<usize> = (0..bytes.len() - from.len()).filter(fits).collect();
    assert_eq!(places.len(), 1, "`{from}` must be there once");
    let mut patched = bytes.to_vec();
    patched[places[0]..places[0] + to.len()].copy_from_slice(to.as_bytes());
    patched
}

/// Changes the manifest of the component that the program carries, which has it packed.
fn repacked(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    const LEVEL: u8 = 10;
    let manifest = include_str!("../../../../../connector/salesforce/manifest.json");
    let packed = miniz_oxide::deflate::compress_to_vec(manifest.as_bytes(), LEVEL);
    let other: serde_json::Value = serde_json::from_str(&manifest.replacen(from, to, 1)).unwrap();
    assert_eq!(manifest.matches(from).count(), 1, "{from}");
    // Without its white space it is shorter; what follows the end is not read.
    let mut other = miniz_oxide::deflate::compress_to_vec(other.to_string().as_bytes(), LEVEL);
    assert!(other.len() <= packed.len());
    other.resize(packed.len(), 0);
    let at = bytes
        .windows(packed.len())
        .position(|window| window == packed)
        .unwrap();
    let mut repacked = bytes.to_vec();
    repacked[at..at + other.len()].copy_from_slice(&other);
    repacked
}

impl Home {
    /// Puts a file into the folder in which the program runs.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

/// Takes out of a text what is another each time: digests and moments, as wide as they were.
fn steady(text: &str, digests: &[(&str, Digest)]) -> String {
    let mut steady = text.to_owned();
    for (name, digest) in digests {
        steady = steady.replace(&digest.to_string(), &format!("<{name}>"));
        let short = format!("{name:_<12}");
        steady = steady.replace(&digest.short(), &short[..12]);
    }
    let moments: Vec<usize> = steady.match_indices(" UTC").map(|(at, _)| at).collect();
    for at in moments {
        steady.replace_range(at - 16..at, "YYYY-MM-DD HH:MM");
    }
    steady
}

#[test]
fn versions_are_installed_accepted_and_gone_back_from() {
    let home = Home::new();
    let own = salesforce();
    let later = repacked(&own, "\"version\": \"0.1.0\"", "\"version\": \"0.1.1\"");
    let versions = [
        ("one", example("hostile", "version_one")),
        ("two", example("hostile", "version_two")),
        ("three", example("hostile", "version_three")),
        ("later", later),
        ("own", own),
    ];
    for (name, bytes) in &versions {
        home.write(&format!("{name}.wasm"), bytes);
    }
    let digests = versions
        .each_ref()
        .map(|(name, bytes)| (*name, Digest::of(bytes)));
    let report = home.transcript(&[
        &["connector", "list"],
        &["connector", "install", "own.wasm"],
        &["connector", "install", "later.wasm"],
        &["connector", "install", "later.wasm"],
        &["connector", "rollback", "salesforce"],
        &["connector", "rollback", "salesforce"],
        &["connector", "install", "one.wasm"],
        &["connector", "install", "one.wasm"],
        &["connector", "list"],
        &["connector", "show", "versions"],
        &["agent", "add", "helper"],
        &["agent", "give", "helper", "versions"],
        &["connector", "accept", "versions"],
        &["connector", "accept", "versions", "--yes"],
        &["connector", "accept", "versions", "--yes"],
        &["agent", "give", "helper", "versions"],
        &["connector", "install", "two.wasm"],
        &["connector", "install", "three.wasm"],
        &["connector", "list"],
        &["tools", "--agent", "helper"],
        &[
            "connector",
            "accept",
            "versions",
            "--yes",
            "--digest",
            &digests[0].1.to_string(),
        ],
        &[
            "connector",
            "accept",
            "versions",
            "--yes",
            "--digest",
            &digests[2].1.to_string(),
        ],
        &["tools", "--agent", "helper"],
        &["connector", "rollback", "versions"],
        &["connector", "rollback", "versions", "--yes"],
        &["connector", "rollback", "versions"],
        &["connector", "rollback", "versions"],
        &["connector", "install", "three.wasm"],
        &["connector", "remove", "versions", "--waiting"],
        &["connector", "remove", "versions", "--waiting"],
        &["connector", "remove", "versions"],
        &["connector", "remove", "versions"],
        &["connector", "accept", "versions", "--yes"],
        &["connector", "remove", "salesforce"],
    ]);
    insta::assert_snapshot!(steady(&report, &digests));
}

#[test]
fn programs_get_one_value() {
    let home = Home::new();
    let own = salesforce();
    // It no longer binds the code of a sign-in to who asked for it.
    let wider = repacked(&own, "\"pkce\": true", "\"pkce\": false");
    home.write("wider.wasm", &wider);
    let component = wider.clone();
    let (own, wider) = (Digest::of(&own), Digest::of(&wider));
    let installed = home.json(&["connector", "install", "wider.wasm"]);
    assert_eq!(installed["state"], "waiting");
    assert_eq!(installed["digest"], wider.to_string());
    assert_eq!(installed["in_place_of"], own.to_string());
    assert_eq!(installed["widenings"][0]["what"], "sign_in");
    let refused = home.json(&["connector", "accept", "salesforce"]);
    assert_eq!(refused["code"], "not_confirmed");
    let listed = home.json(&["connector", "list"]);
    assert_eq!(listed[0]["state"], "active");
    assert_eq!(listed[0]["is_part_of_program"], true);
    assert_eq!(
        (&listed[1]["state"], &listed[1]["installed_by"]),
        (&"waiting".into(), &"ada".into())
    );
    home.must(&["agent", "add", "helper"]);
    home.must(&["agent", "give", "helper", "salesforce"]);
    home.must(&["scope", "helper", "--read", "Account"]);
    let accepted = home.json(&["connector", "accept", "salesforce", "--yes"]);
    assert_eq!(accepted["changed"], true);
    // What was said of the one that the program carries is not said of this one.
    assert_eq!(accepted["trusted"], false);
    assert_eq!(accepted["limited_agents"], serde_json::json!(["helper"]));
    let shown = home.json(&["connector", "show", "salesforce"]);
    assert_eq!(shown["in_use"]["digest"], wider.to_string());
    assert_eq!(shown["in_use"]["manifest"]["auth"]["pkce"], false);
    let listed = home.json(&["connector", "list"]);
    let states = [0, 1].map(|at: usize| listed[at]["state"].as_str().unwrap());
    assert_eq!(states, ["active", "replaced"]);
    assert_eq!(listed[0]["activated_by"], "ada");
    // What the program carries is trusted to check what is inside a query; what took its place is not, until somebody says so.
    let trusted = home.json(&["connector", "trust-scope", "salesforce"]);
    assert_eq!(trusted["changed"], true);
    assert_eq!(trusted["digest"], wider.to_string());
    let listed = home.json(&["connector", "list"]);
    assert_eq!([&listed[0]["trusted"], &listed[1]["trusted"]], [true, true]);
    // Another component under the name is none that anybody trusted.
    let section_of_nothing = [0, 2, 1, b'x'];
    home.write(
        "other.wasm",
        &[&component[..], &section_of_nothing].concat(),
    );
    let installed = home.json(&["connector", "install", "other.wasm"]);
    assert_eq!(
        (&installed["state"], &installed["trusted"]),
        (&"active".into(), &false.into())
    );
    assert_eq!(
        home.json(&["connector", "show", "salesforce"])["trusted"],
        false
    );
    home.must(&["connector", "rollback", "salesforce"]);
    assert_eq!(
        home.json(&["connector", "show", "salesforce"])["trusted"],
        true
    );
    let back = home.json(&["connector", "rollback", "salesforce"]);
    assert_eq!(back["digest"], own.to_string());
    let back = home.json(&["connector", "rollback", "salesforce"]);
    assert_eq!(back["code"], "no_version_before");
    let none = home.json(&["connector", "show", "nothing"]);
    assert_eq!(none["code"], "unknown_connector");
}

/// The attack: who has no passphrase to approve with puts another version in the place of the one that asks.
#[test]
fn versions_change_by_the_passphrase_where_there_is_one() {
    let home = Home::new();
    let own = salesforce();
    let wider = repacked(&own, "\"pkce\": true", "\"pkce\": false");
    home.write("wider.wasm", &wider);
    assert_eq!(
        home.json(&["connector", "install", "wider.wasm"])["state"],
        "waiting"
    );
    set_passphrase(&home);
    let accept = ["connector", "accept", "salesforce", "--yes"];
    let back = ["connector", "rollback", "salesforce"];
    let in_use = || home.json(&["connector", "show", "salesforce"])["in_use"]["digest"].clone();
    let (own, wider) = (Digest::of(&own).to_string(), Digest::of(&wider).to_string());
    assert_eq!(home.json(&accept)["code"], "no_terminal");
    assert_eq!(in_use(), own.as_str());
    let said = with_passphrase(&home, &accept, PASSPHRASE);
    assert!(said.contains("is in use now"), "{said}");
    assert_eq!(in_use(), wider.as_str());
    assert_eq!(home.json(&back)["code"], "no_terminal");
    assert_eq!(in_use(), wider.as_str());
    let said = with_passphrase(&home, &back, PASSPHRASE);
    assert!(said.contains("is in use again"), "{said}");
    assert_eq!(in_use(), own.as_str());
}

/// The attack: what an administrator put a narrower version in the place of is in use again, and nobody has seen that it reaches farther.
#[test]
fn removing_a_version_shows_where_the_one_of_the_program_reaches_farther() {
    let home = Home::new();
    let own = salesforce();
    let guarded = "\"guarded_kinds\": [";
    let narrower = repacked(&own, guarded, &format!("{guarded} \"Payslip__c\","));
    home.write("narrower.wasm", &narrower);
    let installed = home.json(&["connector", "install", "narrower.wasm"]);
    assert_eq!(installed["state"], "active", "{installed}");
    let remove = ["connector", "remove", "salesforce"];
    let in_use = || home.json(&["connector", "show", "salesforce"])["in_use"]["digest"].clone();
    let refused = home.run(&remove);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(
        refused.stdout.contains("records of `Payslip__c`"),
        "{}",
        refused.stdout
    );
    assert_eq!(home.json(&remove)["code"], "not_confirmed");
    assert_eq!(in_use(), Digest::of(&narrower).to_string());
    let removed = home.json(&[&remove[..], &["--yes"]].concat());
    assert_eq!(removed["widenings"][0]["what"], "guarded_kind");
    assert_eq!(in_use(), Digest::of(&own).to_string());
}
