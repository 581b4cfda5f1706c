//! Where the store is and which key opens it: in which order it is looked for, and what is said where it is not there.

use std::fs;

use portcullis_store::{MasterKey, Owner};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::program::{Home, Said, connection};

fn id(home: &Home) -> String {
    let shown = home.json(&["key", "show"]);
    shown["id"].as_str().unwrap().to_owned()
}

fn with_key(home: &Home, key: &MasterKey, arguments: &[&str]) -> Said {
    let key = key.to_base64();
    let said = home
        .command("ada", arguments)
        .env("PORTCULLIS_KEY", key.expose_secret())
        .output()
        .unwrap();
    let said = Said::from(said);
    let all = format!("{}{}", said.stdout, said.stderr);
    assert!(!all.contains(key.expose_secret()), "{all}");
    said
}

#[cfg(unix)]
#[test]
fn what_is_made_is_its_owners_alone() {
    let home = Home::new();
    home.must(&["person", "list"]);
    home.must(&["key", "move", "--to", "file"]);
    let modes = home.modes();
    assert_eq!(modes[0], (".".to_owned(), 0o700));
    for (name, mode) in &modes[1..] {
        // The log of who decided what is a folder.
        let is_folder = name == "portcullis.audit";
        assert_eq!(*mode, if is_folder { 0o700 } else { 0o600 }, "{name}");
    }
    let names: Vec<&str> = modes.iter().map(|(name, _)| name.as_str()).collect();
    assert!(names.contains(&"key") && names.contains(&"portcullis.db"));

    use std::os::unix::fs::PermissionsExt;
    let key = home.data().join("key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = home.run(&["person", "list"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("chmod 600"), "{}", refused.stderr);
}

#[test]
fn the_first_command_says_what_it_made() {
    let home = Home::new();
    let said = home.run(&["person", "list"]);
    let folder = home.folder.path().display().to_string();
    insta::assert_snapshot!(said.stderr.replace(&folder, "FOLDER"), @"note: a new store is made at `FOLDER/data/portcullis.db`, with you, `ada` (the variable `USER` says so), as its administrator; its key is in the file `FOLDER/data/key`: keep a copy of both, each in another place");
    assert_eq!(home.run(&["person", "list"]).stderr, "");
}

#[test]
fn a_key_that_is_not_found_is_not_made_anew() {
    let home = Home::new();
    home.must(&["person", "add", "bob"]);
    let key = home.data().join("key");
    let elsewhere = home.folder.path().join("elsewhere.key");
    fs::rename(&key, &elsewhere).unwrap();
    let refused = home.run(&["person", "list"]);
    assert_eq!((refused.code, key.exists()), (2, false));
    let folder = home.folder.path().display().to_string();
    insta::assert_snapshot!(refused.stderr.replace(&folder, "FOLDER"), @"
    error: the store `FOLDER/data/portcullis.db` is there, but not its master key: `PORTCULLIS_KEY` is not set, the system's keyring does not answer, and there is no key file `FOLDER/data/key`
    hint: name the key with `--key-file FILE`, or put it into `PORTCULLIS_KEY`; without it nothing of the store opens. What a lost key sealed is lost: to begin anew, put the store, the folder `portcullis.audit` beside it and the key file aside, set the app (`portcullis app set`), apply `portcullis.toml`, and connect the accounts again
    ");
    let elsewhere = elsewhere.to_str().unwrap();
    let people = home.must(&["person", "list", "--key-file", elsewhere]);
    assert!(people.contains("bob"), "{people}");
    // Paths are taken from where the program is run.
    home.must(&["--key-file", "elsewhere.key", "person", "list"]);
    let missing = home.run(&["person", "list", "--key-file", "nowhere.key"]);
    assert_eq!(missing.code, 2);
    assert!(!home.folder.path().join("nowhere.key").exists());
}

#[test]
fn a_lost_key_is_told_from_an_old_one_and_how_to_begin_anew() {
    let home = Home::new();
    home.must(&["person", "add", "bob"]);
    let first = id(&home);
    home.must(&["key", "move", "--to", "file"]);
    let (key, old) = (
        home.data().join("key"),
        home.data().join(format!("key.{first}")),
    );
    assert!(old.exists());
    let second = id(&home);
    let words = |said: &Said, words: &[&str]| {
        assert_eq!(said.code, 2, "{}", said.stdout);
        for word in words {
            assert!(said.stderr.contains(word), "{word}: {}", said.stderr);
        }
    };
    // The key is lost, and what lies beside it is the one of before.
    fs::rename(&key, home.folder.path().join("lost")).unwrap();
    let begin = "to begin anew, put the store";
    let lies = format!("Beside it lies `{}`", old.display());
    let lost = home.run(&["person", "list"]);
    words(&lost, &[&lies, "opens copies of that time alone", begin]);
    let old_one = home.run(&["person", "list", "--key-file", old.to_str().unwrap()]);
    words(&old_one, &[&second, &first, begin]);
    // The store's own key lies there under its id.
    let own = home.data().join(format!("key.{second}"));
    fs::rename(home.folder.path().join("lost"), &own).unwrap();
    fs::rename(&old, &key).unwrap();
    let mixed = home.run(&["person", "list"]);
    let cure = format!("`--key-file {}`", own.display());
    words(&mixed, &[&cure]);
    home.must(&["person", "list", "--key-file", own.to_str().unwrap()]);
}

#[cfg(unix)]
#[test]
fn a_file_that_is_no_store_is_not_taken_for_one_whose_key_is_lost() {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    let home = Home::new();
    fs::DirBuilder::new()
        .mode(0o700)
        .create(home.data())
        .unwrap();
    let file = home.data().join("portcullis.db");
    fs::write(&file, "Dear diary, this is no database at all.").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let said = home.run(&["person", "list"]);
    assert_eq!(said.code, 2, "{}", said.stderr);
    assert!(said.stderr.contains("is no database"), "{}", said.stderr);
    assert!(!said.stderr.contains("key"), "{}", said.stderr);
    assert!(!home.data().join("key").exists(), "no key is made for it");
    assert!(fs::read_to_string(&file).unwrap().starts_with("Dear diary"));
}

/// Where nobody makes a folder, whoever runs this.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_made_is_named_once_and_by_what_it_is() {
    let home = Home::new();
    let said = home
        .command("ada", &["person", "list"])
        .env("PORTCULLIS_DATA_DIR", "/proc/portcullis/data")
        .output()
        .unwrap();
    let said = Said::from(said);
    assert_eq!(said.code, 2, "{}", said.stderr);
    assert!(
        said.stderr
            .contains("the folder `/proc/portcullis/data` cannot be made"),
        "{}",
        said.stderr
    );
    assert_eq!(said.stderr.matches("cannot be made").count(), 1);
    assert_eq!(
        said.stderr.to_lowercase().matches("no such file").count(),
        1
    );
}

#[test]
fn a_key_of_the_environment_comes_first_and_is_never_shown() {
    let home = Home::new();
    let key = MasterKey::random().unwrap();
    let said = with_key(&home, &key, &["key", "show", "--json"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let shown: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(
        shown,
        json!({ "id": key.id(), "place": { "kind": "env", "name": "PORTCULLIS_KEY" } })
    );
    assert!(!home.data().join("key").exists(), "no other key is made");
    assert_eq!(home.run(&["person", "list"]).code, 2);

    let other = MasterKey::random().unwrap();
    let refused = with_key(&home, &other, &["person", "list"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("PORTCULLIS_KEY"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains(&other.id()), "{}", refused.stderr);

    // Somebody who says where the key is means that.
    let refused = with_key(&home, &key, &["--key", "file", "person", "list"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("no key file"), "{}", refused.stderr);
    assert_eq!(home.run(&["--key", "env", "person", "list"]).code, 2);
    let refused = home.run(&["--key", "env", "--key-file", "k", "person", "list"]);
    assert_eq!(refused.code, 2);

    for wrong in ["hunter2", "aHVudGVyMg=="] {
        let said = home
            .command("ada", &["person", "list"])
            .env("PORTCULLIS_KEY", wrong)
            .output()
            .unwrap();
        let said = Said::from(said);
        assert_eq!(said.code, 2);
        assert!(
            said.stderr.contains("openssl rand -base64 32"),
            "{}",
            said.stderr
        );
        assert!(!said.stderr.contains(wrong), "{}", said.stderr);
    }
}

#[test]
fn a_keyring_that_does_not_answer_is_no_mistake() {
    let home = Home::new();
    let said = home.run(&["--key", "keyring", "person", "list"]);
    // Where the tests run, a keyring may answer all the same: what it says of this store is that it holds nothing.
    if said.code != 0 {
        assert_eq!(said.code, 1);
        assert!(said.stderr.contains("keyring"), "{}", said.stderr);
        assert!(!home.data().join("portcullis.db").exists());
    }
}

#[test]
fn a_store_is_named_by_its_folder_or_its_url() {
    let home = Home::new();
    let data = home.folder.path().join("other folder");
    home.must(&["--data-dir", "other folder", "person", "add", "bob"]);
    assert!(data.join("portcullis.db").exists() && !home.data().exists());
    let url = format!(
        "sqlite://{}/other%20folder/portcullis.db",
        home.folder.path().display()
    );
    let people = home.must(&["person", "list", "--store", &url]);
    assert!(people.contains("bob"), "{people}");
    let said = home
        .command("ada", &["person", "list"])
        .env("PORTCULLIS_STORE", "postgres://ada:hunter2@db/x")
        .output()
        .unwrap();
    let said = Said::from(said);
    assert_eq!(said.code, 2);
    assert!(!said.stderr.contains("hunter2"), "{}", said.stderr);
    let help = home
        .command("ada", &["person", "list", "--help"])
        .env("PORTCULLIS_STORE", "postgres://ada:hunter2@db/x")
        .output()
        .unwrap();
    assert!(!Said::from(help).stdout.contains("hunter2"));
}

#[test]
fn a_moved_key_opens_the_store_and_the_old_one_is_kept_for_backups() {
    let home = Home::new();
    home.must(&["person", "add", "bob"]);
    home.connect(connection(
        Owner::Shared,
        "Acme",
        "https://acme.my.salesforce.com",
    ));
    let before = id(&home);
    let backup = home.folder.path().join("backup");
    fs::create_dir(&backup).unwrap();
    fs::copy(
        home.data().join("portcullis.db"),
        backup.join("portcullis.db"),
    )
    .unwrap();
    let moved = home.json(&["key", "move", "--to", "file"]);
    assert_eq!(moved["old_id"], json!(before));
    assert_eq!(moved["id"], json!(id(&home)));
    assert_ne!(before, id(&home));
    assert_eq!(moved["values"], json!(4), "everything is sealed anew");
    let kept = home.data().join(format!("key.{before}"));
    assert_eq!(MasterKey::from_file(kept).unwrap().id(), before);

    // From the environment, which is then in the way.
    let other = Home::new();
    let key = MasterKey::random().unwrap();
    let moved = with_key(&other, &key, &["key", "move", "--to", "file"]);
    assert!(moved.stdout.contains("Unset"), "{}", moved.stdout);
    let refused = with_key(&other, &key, &["person", "list"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("unset that"), "{}", refused.stderr);
    other.must(&["person", "list"]);
}

#[tokio::test]
async fn a_move_that_was_broken_off_is_finished_by_the_next_command() {
    // Broken off before the store knew of the new key, and after.
    for is_sealed in [false, true] {
        let home = Home::new();
        home.must(&["person", "add", "bob"]);
        let before = id(&home);
        let new = MasterKey::from_file(home.data().join("key.new")).unwrap();
        if is_sealed {
            let store = home.store().await;
            store.rewrap(&new).await.unwrap();
            store.close().await;
        }
        assert!(home.must(&["person", "list"]).contains("bob"));
        assert_eq!(id(&home), if is_sealed { new.id() } else { before.clone() });
        let kept = home.data().join(format!("key.{before}"));
        assert_eq!(kept.exists(), is_sealed);
        assert_eq!(home.data().join("key.new").exists(), !is_sealed);
        home.must(&["key", "move", "--to", "file"]);
    }
}

#[test]
fn secrets_are_sealed_anew() {
    let home = Home::new();
    let said = home
        .command(
            "ada",
            &[
                "app",
                "set",
                "salesforce",
                "--client-id",
                "x",
                "--client-secret-env",
                "S",
            ],
        )
        .env("S", "hunter2")
        .output()
        .unwrap();
    assert_eq!(Said::from(said).code, 0);
    let rotated = home.json(&["key", "rotate"]);
    // The app's secret, what was decided, and the key of the log.
    assert_eq!(rotated, json!({ "changed": true, "values": 3 }));
    let said = home.run(&["key", "rotate"]);
    assert_eq!(
        (said.code, said.stderr.as_str()),
        (0, ""),
        "progress is for terminals"
    );
}

#[test]
fn many_at_once_make_one_store() {
    let home = Home::new();
    let children: Vec<_> = (0..8)
        .map(|number| {
            let person = format!("person{number}");
            let mut command = home.command("ada", &["person", "add", &person]);
            command
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let said: Vec<Said> = children
        .into_iter()
        .map(|child| child.wait_with_output().unwrap().into())
        .collect();
    for said in &said {
        assert_eq!(said.code, 0, "{}", said.stderr);
    }
    let notes = said
        .iter()
        .filter(|said| said.stderr.contains("a new store is made"));
    assert_eq!(notes.count(), 1);
    assert_eq!(home.json(&["person", "list"]).as_array().unwrap().len(), 9);
}
