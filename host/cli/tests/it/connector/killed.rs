//! A program that is killed while it installs.

use std::process::Stdio;
use std::time::{Duration, Instant};

use portcullis::policy::Digest;

use super::example;
use crate::program::Home;

/// How often it is killed.
const KILLS: &str = "PORTCULLIS_KILLS";

#[test]
fn a_program_that_is_killed_leaves_the_version_before_or_the_new_one() {
    let kills: u32 = std::env::var(KILLS).map_or(10, |kills| kills.parse().unwrap());
    let home = Home::new();
    let versions = ["one", "two"].map(|name| {
        let bytes = example("hostile", &format!("version_{name}"));
        home.write(&format!("{name}.wasm"), &bytes);
        Digest::of(&bytes).to_string()
    });
    home.must(&["connector", "install", "one.wasm"]);
    home.must(&["connector", "accept", "versions", "--yes"]);
    let begun = Instant::now();
    home.must(&["connector", "install", "two.wasm"]);
    let whole = begun.elapsed();
    let mut seed = 1_u64;
    let (mut active, mut kept, mut took) = (1, 0, 0);
    for kill in 0..kills {
        let next = 1 - active;
        let file = ["one.wasm", "two.wasm"][next];
        let mut child = home
            .command("ada", &["connector", "install", file])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        // Where it is then, nobody knows: mostly near its end, where it writes.
        let share = u32::try_from(seed >> 33).unwrap_or(u32::MAX) % 60 + 50;
        std::thread::sleep(whole * share / 100);
        child.kill().unwrap();
        child.wait().unwrap();

        let listed = home.json(&["connector", "list"]);
        let versions_listed = listed.as_array().unwrap();
        let of_state = |state: &str| {
            let of = versions_listed
                .iter()
                .filter(|one| one["connector"] == "versions" && one["state"] == state);
            of.map(|one| one["digest"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let now = of_state("active");
        assert_eq!(now.len(), 1, "after kill {kill}: {listed}");
        assert!(
            of_state("waiting").is_empty() && of_state("unusable").is_empty(),
            "{listed}"
        );
        match now[0] == versions[next] {
            true => (active, took) = (next, took + 1),
            false => {
                assert_eq!(now[0], versions[active], "after kill {kill}: {listed}");
                kept += 1;
            }
        }
        // Whichever it is, it is whole.
        let shown = home.json(&["connector", "show", "versions"]);
        assert_eq!(shown["in_use"]["digest"], now[0], "after kill {kill}");
    }
    assert_eq!(took + kept, kills);
    assert!(whole > Duration::ZERO);
}
