//! Who proves to have the store, and who only says so.

use portcullis_store::{Location, MasterKey, Store, StoreOptions};

use crate::support::Fixture;

#[tokio::test]
async fn only_who_has_the_store_proves_it_and_for_one_challenge() {
    let fixture = Fixture::new().await;
    let ours = &fixture.store;
    let other = fixture.open_again(&fixture.master).await.unwrap();
    let proof = other.prove("challenge").await.unwrap();
    assert!(ours.is_proof("challenge", &proof).await);
    assert!(!ours.is_proof("another", &proof).await);
    for forged in ["", ".", "1.", "1.AAAA", "99.AAAA", "x", "here"] {
        assert!(!ours.is_proof("challenge", forged).await, "{forged}");
    }
    // The same key of another store, and what another store seals.
    let folder = tempfile::tempdir().unwrap();
    for master in [fixture.master.clone(), MasterKey::random().unwrap()] {
        let location = Location::in_folder(folder.path().join(master.id()));
        let theirs = Store::open(StoreOptions::new(location, master))
            .await
            .unwrap();
        let proof = theirs.prove("challenge").await.unwrap();
        assert!(!ours.is_proof("challenge", &proof).await);
    }
    // With new data keys another proof is given.
    ours.rotate_key().await.unwrap();
    let new = ours.prove("challenge").await.unwrap();
    assert_ne!(new, proof);
    assert!(other.is_proof("challenge", &new).await);
}
