//! A server that is told to end finishes what is under way.

use super::Place;

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_is_under_way_is_finished() {
    let place = Place::new().await;
    let mut ada = place.signed_in("ada").await;
    let url = ada.go_on(&place.link("ada").await).await;
    let back = place.come_back(&url, "aiko", "allow").await;
    let finishing = async move { ada.get(&back).await };
    let finishing = place.slow("/services/oauth2/token", 700, finishing).await;
    place.server.tell_to_end();
    let end = finishing.await.unwrap();
    assert_eq!(end.status, 200, "{}", end.text);
    end.has("You are connected");
    let (home, server) = (place.home, place.server);
    let (code, log) = tokio::task::spawn_blocking(move || server.ended())
        .await
        .unwrap();
    assert_eq!(code, 0, "{log}");
    assert!(!log.contains("broken off"), "{log}");
    assert_eq!(home.store().await.connections().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_serves_administers_and_needs_a_store() {
    let place = Place::new().await;
    let serve = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--public-url",
        super::BASE,
    ];
    let said = place.home.run_as("bob", &serve);
    assert_eq!(said.code, 2, "{}", said.stderr);
    assert!(
        said.stderr.contains("for administrators"),
        "{}",
        said.stderr
    );
    let empty = crate::program::Home::new();
    let said = empty.run(&serve);
    assert_eq!(said.code, 2, "{}", said.stderr);
    assert!(said.stderr.contains("no store is at"), "{}", said.stderr);
    assert!(!empty.data().exists());
    let taken = place.server.address.to_string();
    let serve = ["serve", "--listen", &taken, "--public-url", super::BASE];
    let said = place.home.run(&serve);
    assert_eq!(said.code, 2, "{}", said.stderr);
    assert!(said.stderr.contains("cannot listen"), "{}", said.stderr);
    for wrong in [
        &["serve", "--listen", "0.0.0.0:0"][..],
        &["serve", "--listen", "127.0.0.1:0", "--agent", "nobody"],
        &["serve", "--listen", "127.0.0.1:0", "--dev-org"],
        &["serve", "--listen", "127.0.0.1:0", "--as", "bob"],
        &["serve", "--listen", "127.0.0.1:0", "--toolsets", "nowhere"],
        &["serve"],
        &[
            "serve",
            "--stdio",
            "--listen",
            "127.0.0.1:0",
            "--public-url",
            super::BASE,
        ],
        &["serve", "--stdio", "--dev-org", "--public-url", super::BASE],
        &[
            "serve",
            "--stdio",
            "--public-url",
            super::BASE,
            "--connect-port",
            "1",
        ],
        &[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--public-url",
            super::BASE,
            "--tls-cert",
            "x",
        ],
    ] {
        assert_eq!(place.home.run(wrong).code, 2, "{wrong:?}");
    }
}
