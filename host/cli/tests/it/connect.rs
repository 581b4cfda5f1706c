//! `portcullis connect` on this machine: while the person is at the service, and what is not connected.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::program::Home;

#[test]
#[allow(clippy::expect_used, reason = "it says which is missing")]
fn after_a_wait_the_errors_are_told_that_the_service_shows_on_its_own_page() {
    let home = Home::new();
    let set = ["app", "set", "salesforce", "--client-id", "3MVG9.key"];
    home.must(&[&set[..], &["--login", "https://acme.my.salesforce.com"]].concat());
    let connect = ["connect", "salesforce", "--no-browser", "--port", "0"];
    let mut child = home
        .command("ada", &[&connect[..], &["--stuck-after", "0"]].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    // Each of those that never come back, with what to do and where.
    let mut told = Vec::new();
    for expected in [
        "Nothing has come back yet. If the service shows an error on a page of its own:",
        "- The app is not installed in this org",
        "- Salesforce did not let this app in, and does not say why",
        "- The app does not know this host's callback URL",
        "Add http://localhost:",
        "https://acme.my.salesforce.com/lightning/setup/",
        "- The user may use the API alone, and cannot sign in on a page",
    ] {
        if told.iter().any(|line: &String| line.contains(expected)) {
            continue;
        }
        loop {
            let line = lines.next().expect(expected).unwrap();
            let is_it = line.contains(expected);
            told.push(line);
            if is_it {
                break;
            }
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
