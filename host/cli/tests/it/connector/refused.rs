//! Files that are no version of a connector, or of another one: each is refused in a sentence, and nothing of it is kept.

use portcullis::policy::Digest;

use super::{example, patched, repacked, salesforce, steady};
use crate::program::Home;

#[test]
fn what_cannot_be_installed_is_refused_and_leaves_nothing() {
    let home = Home::new();
    let own = salesforce();
    let hello = example("portcullis-sdk", "hello");
    let fetch = example("portcullis-sdk", "fetch");
    let files = [
        ("text.wasm", b"not wasm".to_vec()),
        ("module.wasm", b"\0asm\x01\0\0\0".to_vec()),
        ("world.wasm", b"\0asm\x0d\0\x01\0".to_vec()),
        ("half.wasm", own[..own.len() / 2].to_vec()),
        ("import.wasm", example("hostile", "unknown_import")),
        ("mute.wasm", example("hostile", "mute")),
        (
            "schema.wasm",
            patched(&hello, "\"version\": \"0.1.0\"", "\"version\": \"zero.\""),
        ),
        // The attack: a request that changes or deletes, by a tool that says it reads.
        (
            "delete_reads.wasm",
            repacked(
                &own,
                "{ \"methods\": [\"DELETE\"], \"path\": \"/services/data/{version}/sobjects/{kind}/{id}\", \"effect\": \"destructive\"",
                "{ \"methods\": [\"DELETE\"], \"path\": \"/services/data/{version}/sobjects/{kind}/{id}\", \"effect\": \"read\"       ",
            ),
        ),
        (
            "patch_reads.wasm",
            repacked(
                &own,
                "{ \"methods\": [\"PATCH\"], \"path\": \"/services/data/{version}/sobjects/{kind}/{id}\", \"effect\": \"write\"",
                "{ \"methods\": [\"PATCH\"], \"path\": \"/services/data/{version}/sobjects/{kind}/{id}\", \"effect\": \"read\" ",
            ),
        ),
        // Another connector under the name of one that is here.
        (
            "stranger.wasm",
            patched(&hello, "\"name\": \"hello\"", "\"name\": \"fetch\""),
        ),
    ];
    home.write("fetch.wasm", &fetch);
    home.must(&["connector", "install", "fetch.wasm"]);
    home.must(&["connector", "accept", "fetch", "--yes"]);
    let before = home.json(&["connector", "list"]);
    let mut report = String::new();
    for (name, bytes) in &files {
        home.write(name, bytes);
        let said = home.run(&["connector", "install", name]);
        assert_eq!(
            (said.code, said.stdout.as_str()),
            (2, ""),
            "{name}: {}",
            said.stderr
        );
        report.push_str(&format!(
            "$ portcullis connector install {name}\n{}\n",
            said.stderr
        ));
        assert_eq!(home.json(&["connector", "list"]), before, "{name}");
        let refused = home.json(&["connector", "install", name]);
        assert!(
            refused["code"].is_string() && refused["message"].is_string(),
            "{name}: {refused}"
        );
    }
    let said = home.run(&["connector", "install", "missing.wasm"]);
    assert_eq!(said.code, 2);
    report.push_str(&said.stderr);
    let digests = files
        .each_ref()
        .map(|(name, bytes)| (*name, Digest::of(bytes)));
    insta::assert_snapshot!(without_places(&steady(&report, &digests)));
}

/// Takes out where in a component it is broken, which is elsewhere in each build.
fn without_places(report: &str) -> String {
    let Some((before, after)) = report.split_once("section range ") else {
        return report.to_owned();
    };
    let (_, after) = after.split_once(')').unwrap();
    format!("{before}section range …{after}")
}

/// A POST that says it only reads: nobody can see that it does, so an administrator says so, for the first version and for any later
/// one that declares another.
#[test]
fn a_post_that_reads_waits_for_an_administrator() {
    let home = Home::new();
    home.write("fetch.wasm", &example("portcullis-sdk", "fetch"));
    let installed = home.json(&["connector", "install", "fetch.wasm"]);
    let widenings = installed["widenings"].as_array().unwrap();
    let posts: Vec<&str> = widenings
        .iter()
        .filter(|one| one["what"] == "post_as_read")
        .map(|one| one["text"].as_str().unwrap())
        .collect();
    assert_eq!(
        posts,
        ["it says that `POST /search` only reads, which the host cannot see"]
    );
    let before = home.run(&["agent", "give", "helper", "fetch"]);
    assert_eq!(before.code, 2, "it is not there yet");
}

#[test]
fn a_member_installs_nothing() {
    let home = Home::new();
    home.must(&["person", "add", "bob"]);
    home.write("hello.wasm", &example("portcullis-sdk", "hello"));
    for arguments in [
        &["connector", "install", "hello.wasm"][..],
        &["connector", "accept", "hello", "--yes"],
        &["connector", "rollback", "salesforce"],
        &["connector", "remove", "salesforce"],
        &["connector", "list"],
    ] {
        let said = home.run_as("bob", arguments);
        assert_eq!(said.code, 2, "{arguments:?}");
        assert!(
            said.stderr.contains("for administrators"),
            "{}",
            said.stderr
        );
    }
    let listed = home.json(&["connector", "list"]);
    assert_eq!(listed.as_array().unwrap().len(), 1);
}
