//! Keys: a wrong one is told, and new ones take over without anybody waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use portcullis_store::{MasterKey, Rotation, Store, StoreError};
use secrecy::ExposeSecret;
use sqlx::AssertSqlSafe;

use crate::support::{Fixture, ada, bob, connection, new_tokens};

async fn keys(fixture: &Fixture) -> Vec<i64> {
    sqlx::query_scalar("SELECT id FROM keys ORDER BY id")
        .fetch_all(&mut fixture.raw().await)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_wrong_master_key_is_told_as_such() {
    let fixture = Fixture::new().await;
    fixture.own(ada(), "token").await;
    let wrong = MasterKey::random().unwrap();
    let refused = fixture.open_again(&wrong).await.unwrap_err();
    let text = refused.to_string();
    assert!(
        text.starts_with("this key does not open this store"),
        "{text}"
    );
    assert!(
        text.contains(&wrong.id()) && text.contains(&fixture.master.id()),
        "{text}"
    );
    fixture.open_again(&fixture.master).await.unwrap();
}

#[tokio::test]
async fn a_rotation_seals_everything_anew_and_removes_the_old_key() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let id = fixture.own(ada(), "token").await;
    for number in 0..150 {
        fixture.shared(&format!("token-{number}")).await;
    }
    let other = fixture.open_again(&fixture.master).await.unwrap();
    let before: Vec<Vec<u8>> = sqlx::query_scalar("SELECT secrets FROM connections")
        .fetch_all(&mut fixture.raw().await)
        .await
        .unwrap();
    assert_eq!(keys(&fixture).await, [1]);
    assert_eq!(
        store.rotate_key().await.unwrap(),
        303,
        "secrets, identities and what was decided"
    );
    assert_eq!(keys(&fixture).await, [2]);
    let after: Vec<Vec<u8>> = sqlx::query_scalar("SELECT secrets FROM connections")
        .fetch_all(&mut fixture.raw().await)
        .await
        .unwrap();
    assert!(before.iter().all(|sealed| !after.contains(sealed)));
    for reader in [
        store,
        &other,
        &fixture.open_again(&fixture.master).await.unwrap(),
    ] {
        assert_eq!(
            reader
                .access_token(&id)
                .await
                .unwrap()
                .secret
                .expose_secret(),
            "token"
        );
        assert_eq!(reader.connections().await.unwrap().len(), 151);
    }
    // Who had the store open before seals under the new key too.
    other
        .rotate_tokens(&id, 0, new_tokens("next"))
        .await
        .unwrap();
    other
        .put_connection(connection(portcullis_store::Owner::Person(bob()), "bobs"))
        .await
        .unwrap();
    let under: Vec<i64> = sqlx::query_scalar("SELECT DISTINCT secrets_key FROM connections")
        .fetch_all(&mut fixture.raw().await)
        .await
        .unwrap();
    assert_eq!(under, [2]);
    assert_eq!(other.rotate_key().await.unwrap(), 305);
    assert_eq!(
        store
            .access_token(&id)
            .await
            .unwrap()
            .secret
            .expose_secret(),
        "next"
    );
}

#[tokio::test]
async fn a_key_that_a_value_needs_cannot_be_removed() {
    let fixture = Fixture::new().await;
    fixture.own(ada(), "token").await;
    let mut raw = fixture.raw().await;
    sqlx::query("PRAGMA foreign_keys = ON")
        .execute(&mut raw)
        .await
        .unwrap();
    assert!(
        sqlx::query("DELETE FROM keys")
            .execute(&mut raw)
            .await
            .is_err()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn others_read_and_write_while_keys_are_rotated() {
    let fixture = Fixture::new().await;
    let other = fixture.open_again(&fixture.master).await.unwrap();
    let id = fixture.own(ada(), "token-0").await;
    for number in 0..100 {
        fixture.shared(&format!("shared-{number}")).await;
    }
    let done = Arc::new(AtomicBool::new(false));
    let writer = |store: Store| {
        let (id, done) = (id.clone(), Arc::clone(&done));
        tokio::spawn(async move {
            let mut stored = 0_u64;
            while !done.load(Ordering::SeqCst) {
                let generation = store.access_token(&id).await.unwrap().generation;
                let new = new_tokens(&format!("token-{}", generation + 1));
                match store.rotate_tokens(&id, generation, new).await.unwrap() {
                    Rotation::Stored(_) => stored += 1,
                    Rotation::Stale(_) => {}
                }
            }
            stored
        })
    };
    let reader = |store: Store| {
        let (id, done) = (id.clone(), Arc::clone(&done));
        tokio::spawn(async move {
            let mut last = 0;
            while !done.load(Ordering::SeqCst) {
                let token = store.access_token(&id).await.unwrap();
                let expected = format!("token-{}", token.generation);
                assert_eq!(token.secret.expose_secret(), expected);
                assert!(token.generation >= last);
                last = token.generation;
                assert_eq!(store.connections().await.unwrap().len(), 101);
            }
        })
    };
    let writers = [writer(fixture.store.clone()), writer(other.clone())];
    let readers = [reader(fixture.store.clone()), reader(other.clone())];
    for _ in 0..5 {
        fixture.store.rotate_key().await.unwrap();
        other.rotate_key().await.unwrap();
    }
    done.store(true, Ordering::SeqCst);
    let mut stored = 0;
    for writer in writers {
        stored += writer.await.unwrap();
    }
    for reader in readers {
        reader.await.unwrap();
    }
    let token = fixture.store.access_token(&id).await.unwrap();
    assert_eq!(token.generation, stored, "no write was lost");
    assert_eq!(keys(&fixture).await, [11]);
}

#[tokio::test]
async fn another_master_key_takes_over_and_the_old_one_opens_nothing() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let id = fixture.own(ada(), "token").await;
    let other = fixture.open_again(&fixture.master).await.unwrap();
    let new = MasterKey::random().unwrap();
    store.rewrap(&new).await.unwrap();
    let refused = fixture.open_again(&fixture.master).await.unwrap_err();
    assert!(matches!(refused, StoreError::WrongKey { .. }), "{refused}");
    let opened = fixture.open_again(&new).await.unwrap();

    // Who has it open reads what it can, but seals nothing, and wraps nothing under the old key.
    assert_eq!(
        other
            .access_token(&id)
            .await
            .unwrap()
            .secret
            .expose_secret(),
        "token"
    );
    let refused = other.rotate_tokens(&id, 0, new_tokens("next")).await;
    assert!(
        matches!(refused, Err(StoreError::KeyChanged { .. })),
        "{refused:?}"
    );
    store
        .rotate_tokens(&id, 0, new_tokens("next"))
        .await
        .unwrap();
    let refused = other.rotate_key().await.unwrap_err();
    assert!(
        matches!(refused, StoreError::KeyChanged { .. }),
        "{refused}"
    );
    let third = MasterKey::random().unwrap();
    assert!(matches!(
        other.rewrap(&third).await,
        Err(StoreError::KeyChanged { .. })
    ));

    store.reseal(|_| ()).await.unwrap();
    assert_eq!(
        opened
            .access_token(&id)
            .await
            .unwrap()
            .secret
            .expose_secret(),
        "next"
    );
    let refused = other.access_token(&id).await.unwrap_err();
    assert!(
        matches!(refused, StoreError::KeyChanged { .. }),
        "{refused}"
    );
    assert!(refused.to_string().contains(&new.id()), "{refused}");
}

#[tokio::test]
async fn who_knows_the_old_master_key_and_the_old_file_opens_nothing_of_the_new() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let id = fixture.own(ada(), "token").await;
    let gone = fixture.own(bob(), "bobs").await;
    store.remove_connection(&gone).await.unwrap();
    // What an old copy of the file has.
    let wrapped: Vec<u8> = sqlx::query_scalar("SELECT wrapped FROM keys")
        .fetch_one(&mut fixture.raw().await)
        .await
        .unwrap();
    let new = MasterKey::random().unwrap();
    store.rewrap(&new).await.unwrap();
    // Already what is written from now on is beyond the old data key.
    store
        .rotate_tokens(&id, 0, new_tokens("next"))
        .await
        .unwrap();
    assert_eq!(keys(&fixture).await, [1, 2]);
    store.reseal(|_| ()).await.unwrap();
    assert_eq!(keys(&fixture).await, [2]);
    let tables = ["connections", "endings"];
    for (table, column) in tables.into_iter().zip(["secrets_key", "sealed_key"]) {
        let under: Vec<i64> =
            sqlx::query_scalar(AssertSqlSafe(format!("SELECT {column} FROM {table}")))
                .fetch_all(&mut fixture.raw().await)
                .await
                .unwrap();
        assert_eq!(under, [2], "{table}");
    }
    // Nor is it in the file any more, or in the log beside it.
    for entry in std::fs::read_dir(fixture.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let mut windows = bytes.windows(wrapped.len());
        assert!(!windows.any(|window| window == wrapped), "{path:?}");
    }
    let opened = fixture.open_again(&new).await.unwrap();
    let token = opened.access_token(&id).await.unwrap();
    assert_eq!(token.secret.expose_secret(), "next");
}
