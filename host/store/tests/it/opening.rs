//! Opening: who may read the file, whose it is, and of which version.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use portcullis_store::{ConnectLink, Location, MasterKey, Store, StoreError, StoreOptions};
use secrecy::ExposeSecret;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions};

use crate::support::{Fixture, ada, crm};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn a_new_store_is_its_owners_alone_and_is_found_again() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("data/portcullis");
    let master = MasterKey::random().unwrap();
    let url = format!("sqlite://{}/portcullis.db", folder.display());
    let location = Location::parse(&url).unwrap();
    let options = StoreOptions::new(location, master);
    let store = Store::open(options.clone()).await.unwrap();
    store
        .add_person(&ada(), "Ada", portcullis_store::Role::Admin)
        .await
        .unwrap();
    assert_eq!(mode(&folder), 0o700);
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    store.close().await;
    assert!(store.people().await.is_err(), "what is closed is closed");

    let again = Store::open(options).await.unwrap();
    assert_eq!(again.people().await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_others_can_read_is_refused() {
    let fixture = Fixture::new().await;
    set_mode(&fixture.file(), 0o644);
    let refused = fixture.open_again(&fixture.master).await.unwrap_err();
    assert!(matches!(refused, StoreError::Files(_)), "{refused}");
    assert!(refused.to_string().contains("chmod 600"), "{refused}");
    set_mode(&fixture.file(), 0o600);
    set_mode(fixture.folder.path(), 0o777);
    let refused = fixture.open_again(&fixture.master).await.unwrap_err();
    assert!(refused.to_string().contains("chmod 700"), "{refused}");
    set_mode(fixture.folder.path(), 0o700);
    fixture.open_again(&fixture.master).await.unwrap();
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_refused_and_left_alone() {
    let fixture = Fixture::new().await;
    fixture
        .tamper("INSERT INTO _sqlx_migrations VALUES (9999, 'later', CURRENT_TIMESTAMP, TRUE, x'00', 1)")
        .await;
    let before = std::fs::read(fixture.file()).unwrap();
    let refused = fixture.open_again(&fixture.master).await.unwrap_err();
    assert!(
        matches!(refused, StoreError::Newer { version: 9999, .. }),
        "{refused:?}"
    );
    assert!(
        refused.to_string().contains("update the program"),
        "{refused}"
    );
    assert_eq!(std::fs::read(fixture.file()).unwrap(), before);
}

#[tokio::test]
async fn a_store_of_an_older_version_keeps_what_it_has() {
    let fixture = Fixture::new().await;
    let id = fixture.own(ada(), "token").await;
    fixture.store.close().await;
    // As the first version left it, with a link that is open.
    let first = include_str!("../../migrations/0001_store.sql");
    let (_, links) = first.split_once("CREATE TABLE links").unwrap();
    let (links, _) = links.split_once(';').unwrap();
    let mut raw = fixture.raw().await;
    for sql in [
        "DROP TABLE sessions",
        "DROP TABLE person_tokens",
        "DROP TABLE link_ends",
        "DROP TABLE links",
        &format!("CREATE TABLE links{links}"),
        "INSERT INTO links VALUES ('sha256:x', 'ada@example.com', 'helper', 'crm', 9999999999999)",
        "DELETE FROM _sqlx_migrations WHERE version = 2",
    ] {
        let sql = AssertSqlSafe(sql.to_owned());
        sqlx::query(sql).execute(&mut raw).await.unwrap();
    }
    drop(raw);
    let store = fixture.open_again(&fixture.master).await.unwrap();
    let token = store.access_token(&id).await.unwrap();
    assert_eq!(token.secret.expose_secret(), "token");
    assert_eq!(store.people().await.unwrap().len(), 2);
    let lasts = Duration::from_secs(60);
    let made = store.make_person_token(&ada(), "x", lasts).await.unwrap();
    let person = store.person_of_token(&made.0).await.unwrap();
    assert_eq!(person.unwrap().id, ada());
    let link = ConnectLink {
        person: ada(),
        agent: None,
        connector: crm(),
    };
    store.make_link(&link, lasts).await.unwrap();
}

#[tokio::test]
async fn a_schema_that_somebody_changed_is_refused() {
    let fixture = Fixture::new().await;
    fixture
        .tamper("UPDATE _sqlx_migrations SET checksum = x'00'")
        .await;
    let refused = fixture.open_again(&fixture.master).await.unwrap_err();
    assert!(
        matches!(refused, StoreError::Migration { .. }),
        "{refused:?}"
    );
}

#[tokio::test]
async fn what_is_no_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::in_folder(folder.path());
    let open = || async {
        let master = MasterKey::random().unwrap();
        Store::open(StoreOptions::new(location.clone(), master)).await
    };
    std::fs::write(location.file(), vec![b'x'; 10_000]).unwrap();
    set_mode(location.file(), 0o600);
    let refused = open().await.unwrap_err();
    assert!(
        matches!(refused, StoreError::NoDatabase { .. }),
        "{refused:?}"
    );
    // One that only begins so is damaged.
    let mut begins = b"SQLite format 3\0".to_vec();
    begins.extend([b'x'; 10_000]);
    std::fs::write(location.file(), begins).unwrap();
    let refused = open().await.unwrap_err();
    assert!(matches!(refused, StoreError::Open { .. }), "{refused:?}");

    std::fs::remove_file(location.file()).unwrap();
    let options = SqliteConnectOptions::new().filename(location.file());
    let mut other = options.create_if_missing(true).connect().await.unwrap();
    sqlx::query("CREATE TABLE notes (text)")
        .execute(&mut other)
        .await
        .unwrap();
    set_mode(location.file(), 0o600);
    let refused = open().await.unwrap_err();
    assert!(matches!(refused, StoreError::Foreign { .. }), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_can_make_the_same_store_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let master = MasterKey::random().unwrap();
    let options = StoreOptions::new(Location::in_folder(folder.path()), master);
    let opens = (0..8).map(|_| tokio::spawn(Store::open(options.clone())));
    for open in opens.collect::<Vec<_>>() {
        let store = open.await.unwrap().unwrap();
        assert!(store.people().await.unwrap().is_empty());
    }
}
