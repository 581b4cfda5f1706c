//! The ways in, one after the other, and the way out.

use portcullis_connect::{Loopback, LoopbackOptions, Revoked, TokenError, explained, receive};
use secrecy::ExposeSecret;

use crate::support::{End, Site, asker, held, origin, service};

pub(crate) const WHO: &str = "/services/oauth2/userinfo";

#[tokio::test]
async fn a_person_connects_in_a_browser_and_comes_back_to_this_machine() {
    let site = Site::new().await;
    let (app, user) = (site.app("Confidential Client"), site.user("aiko"));
    let loopback = Loopback::bind(LoopbackOptions::default()).await.unwrap();
    let (url, attempt) = site.start(&app, loopback.redirect(), "api refresh_token id");
    let redirect = loopback.redirect().clone();
    let mut waiting = loopback.wait(&attempt);

    let End::Callback(query) = site.browse(&url, &user, "allow").await else {
        unreachable!("{url} does not lead back")
    };
    let address = format!("{redirect}?{query}");
    let came_back = async { waiting.callback().await.unwrap().query().to_owned() };
    let (page, came_back) = tokio::join!(visit(&site, &address), came_back);
    assert!(page.contains("You can close this page"), "{page}");
    let code = receive(&service(), &attempt, &asker(), &came_back).unwrap();
    let (tokens, endpoints) = site.exchange(&app, attempt, code).await.unwrap();

    assert_eq!(endpoints, site.endpoints());
    assert_eq!(tokens.origin, origin(site.org.url()));
    assert_eq!(tokens.scopes, ["api", "refresh_token", "id"]);
    assert!(tokens.refresh.is_some());
    let (status, who) = site.call(WHO, tokens.access.expose_secret()).await;
    assert_eq!(status, 200, "{who}");
    assert!(who.contains(&user.username), "{who}");
    let shown = format!("{tokens:?} {app:?}");
    for secret in [
        tokens.access.expose_secret(),
        tokens.refresh.as_ref().unwrap().expose_secret(),
        app.client_secret.as_ref().unwrap().expose_secret(),
    ] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// Gets a page as a browser does.
async fn visit(site: &Site, url: &str) -> String {
    match site.browse(url, &site.user("aiko"), "").await {
        End::Page(_, text) => text,
        End::Callback(query) => unreachable!("{query}"),
    }
}

#[tokio::test]
async fn a_token_is_renewed_with_the_one_that_stays() {
    let site = Site::new().await;
    let (app, user, endpoints) = (site.app("Portcullis"), site.user("aiko"), site.endpoints());
    let first = site.connect(&app, &user, "api refresh_token").await;
    let refresh = first.refresh.clone().unwrap();
    let client = site.client(&app, &endpoints);
    for _ in 0..2 {
        let next = client.refresh(&refresh, held(&first)).await.unwrap();
        assert!(next.refresh.is_none());
        assert_ne!(next.access.expose_secret(), first.access.expose_secret());
        assert_eq!(
            (next.origin, next.scopes),
            (first.origin.clone(), first.scopes.clone())
        );
    }
}

#[tokio::test]
async fn a_token_that_is_good_for_one_time_is_replaced() {
    let site = Site::new().await;
    // As an app without a secret: PKCE protects it.
    let mut app = site.app("Public Client");
    app.client_secret = None;
    let (user, endpoints) = (site.user("aiko"), site.endpoints());
    let first = site.connect(&app, &user, "api refresh_token").await;
    let client = site.client(&app, &endpoints);
    let spent = first.refresh.clone().unwrap();
    let second = client.refresh(&spent, held(&first)).await.unwrap();
    let next = second.refresh.clone().unwrap();
    assert_ne!(next.expose_secret(), spent.expose_secret());
    let third = client.refresh(&next, held(&second)).await.unwrap();
    assert!(third.refresh.is_some());

    let replayed = client.refresh(&spent, held(&first)).await;
    assert_eq!(
        replayed.unwrap_err().guide().unwrap().title,
        "Salesforce has ended this sign-in"
    );
}

#[tokio::test]
async fn a_connection_that_is_ended_is_ended_there() {
    let site = Site::new().await;
    let (app, user, endpoints) = (site.app("Portcullis"), site.user("aiko"), site.endpoints());
    let tokens = site.connect(&app, &user, "api refresh_token").await;
    let client = site.client(&app, &endpoints);
    let refresh = tokens.refresh.clone().unwrap();
    assert_eq!(client.revoke(&refresh).await.unwrap(), Revoked::Now);
    let (status, _) = site
        .call("/services/data/v68.0", tokens.access.expose_secret())
        .await;
    assert_eq!(status, 401);
    let renewed = client.refresh(&refresh, held(&tokens)).await;
    assert!(
        matches!(renewed, Err(TokenError::Refused(_))),
        "{renewed:?}"
    );
    assert_eq!(client.revoke(&refresh).await.unwrap(), Revoked::Before);
}

#[test]
fn every_scope_is_explained_to_who_chooses() {
    for scope in explained(&service().auth.scopes) {
        assert!(scope.meaning.is_some(), "{}", scope.scope);
    }
}
