//! What goes wrong on the way: whether the service may have acted is never told wrong.

use portcullis::Network;
use portcullis::network::NetworkOptions;
use portcullis_connect::{
    Body, TokenClient, TokenError, Tokens, Unavailable, Unclear, Unusable, receive,
};
use salesforce_devorg::fault::{Fault, Rule, When, Work};
use secrecy::ExposeSecret;

use crate::support::{End, Site, asker, callback, held, origin, service};

/// Where no connection of the manifest's may be.
const ELSEWHERE: [&str; 7] = [
    "https://evil.example",
    "https://acme.my.salesforce.com.evil.example",
    "http://acme.my.salesforce.com",
    "https://acme.my.salesforce.com:8443",
    "https://acme.my.salesforce.com@evil.example",
    "http://127.0.0.1:1",
    "acme",
];

/// A connection of an app whose refresh tokens are good for one time.
async fn connected(site: &Site) -> (portcullis_connect::App, Tokens) {
    let app = site.app("Public Client");
    let tokens = site
        .connect(&app, &site.user("aiko"), "api refresh_token")
        .await;
    (app, tokens)
}

fn at_token(fault: Fault, work: Option<Work>) -> Rule {
    Rule {
        work,
        when: When {
            path: Some("/services/oauth2/token".to_owned()),
            ..When::default()
        },
        ..Rule::next(fault)
    }
}

#[tokio::test]
async fn a_lost_answer_is_unclear_and_the_token_may_be_spent() {
    let site = Site::new().await;
    let (app, tokens) = connected(&site).await;
    let endpoints = site.endpoints();
    let client = site.client(&app, &endpoints);
    let refresh = tokens.refresh.clone().unwrap();
    site.org
        .add_fault(at_token(Fault::Drop, Some(Work::After)))
        .unwrap();
    let error = client.refresh(&refresh, held(&tokens)).await.unwrap_err();
    assert!(matches!(error, TokenError::Unclear { .. }), "{error:?}");
    assert!(
        error
            .to_string()
            .starts_with("whether `127.0.0.1` acted on the request is not known")
    );
    let again = client.refresh(&refresh, held(&tokens)).await;
    assert!(matches!(again, Err(TokenError::Refused(_))), "{again:?}");
}

#[tokio::test]
async fn answers_that_are_none_of_oauth_are_told_apart() {
    let site = Site::new().await;
    let (app, tokens) = connected(&site).await;
    let endpoints = site.endpoints();
    let client = site.client(&app, &endpoints);
    let refresh = tokens.refresh.clone().unwrap();
    let answer = |status: u16, body: &str| Fault::Answer {
        status,
        headers: vec![("Location".to_owned(), "https://evil.example/".to_owned())],
        body: body.to_owned(),
    };
    let page = "<html>Scheduled maintenance</html>";
    // The fault, and whether the service may have acted.
    for (fault, is_unclear) in [
        (answer(200, page), true),
        (answer(200, ""), true),
        (answer(200, &" ".repeat(100_000)), true),
        (answer(302, ""), true),
        (answer(307, ""), true),
        (Fault::ServerError, true),
        (
            Fault::Maintenance {
                retry_after_seconds: Some(30),
            },
            true,
        ),
        (Fault::ServerUnavailable, true),
        (Fault::NoRouting, false),
        (answer(404, page), false),
        (answer(403, r#"{"message": "no"}"#), false),
    ] {
        let shown = format!("{fault:?}");
        site.org
            .add_fault(at_token(fault, Some(Work::Instead)))
            .unwrap();
        let error = client.refresh(&refresh, held(&tokens)).await.unwrap_err();
        let found = match &error {
            TokenError::Unclear { .. } => true,
            TokenError::Unavailable { .. } => false,
            other => unreachable!("{shown} {other:?}"),
        };
        assert_eq!(found, is_unclear, "{shown} {error}");
        assert!(!error.to_string().contains("evil"), "{error}");
    }
    // None of them was acted upon, so the token is still good.
    assert!(client.refresh(&refresh, held(&tokens)).await.is_ok());
}

#[tokio::test]
async fn spoiled_answers_are_unclear() {
    let site = Site::new().await;
    let endpoints = site.endpoints();
    for fault in [
        Fault::Truncated { missing_bytes: 1 },
        Fault::DropHalfway,
        Fault::MalformedJson,
    ] {
        let (app, tokens) = connected(&site).await;
        let client = site.client(&app, &endpoints);
        site.org.add_fault(at_token(fault.clone(), None)).unwrap();
        let error = client
            .refresh(tokens.refresh.as_ref().unwrap(), held(&tokens))
            .await;
        assert!(
            matches!(error, Err(TokenError::Unclear { .. })),
            "{fault:?} {error:?}"
        );
    }
}

#[tokio::test]
async fn what_is_not_there_was_surely_not_asked() {
    let site = Site::new().await;
    let (app, tokens) = connected(&site).await;
    let endpoints = site.endpoints();
    let refresh = tokens.refresh.clone().unwrap();

    let strict = Network::new(NetworkOptions::default()).unwrap();
    let client = TokenClient::new(service(), &app, &endpoints, &strict);
    let before = site.org.requests();
    let error = client.refresh(&refresh, held(&tokens)).await.unwrap_err();
    let cause = |error: &TokenError| match error {
        TokenError::Unavailable { cause, .. } => cause.clone(),
        other => unreachable!("{other:?}"),
    };
    assert!(
        matches!(cause(&error), Unavailable::Forbidden(_)),
        "{error}"
    );
    assert_eq!(site.org.requests(), before);

    let Site { org, network, .. } = site;
    org.stop().await;
    let client = TokenClient::new(service(), &app, &endpoints, &network);
    let error = client.refresh(&refresh, held(&tokens)).await.unwrap_err();
    assert!(matches!(cause(&error), Unavailable::Network(_)), "{error}");
}

#[tokio::test]
async fn a_connection_is_where_the_manifest_says_or_nowhere() {
    let site = Site::new().await;
    let (app, tokens) = connected(&site).await;
    let endpoints = site.endpoints();
    let client = site.client(&app, &endpoints);
    let refresh = tokens.refresh.clone().unwrap();
    let answered = async |body: &str| {
        let fault = Fault::Answer {
            status: 200,
            headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
            body: body.to_owned(),
        };
        site.org.add_fault(at_token(fault, None)).unwrap();
        client.refresh(&refresh, held(&tokens)).await
    };
    // Where it seems to have moved elsewhere, it stays where it is: the older refresh token may be spent.
    for instance in ELSEWHERE {
        let body = format!(
            r#"{{"access_token": "a", "token_type": "Bearer", "instance_url": "{instance}"}}"#
        );
        let renewed = answered(&body).await.unwrap();
        assert_eq!(renewed.origin, tokens.origin, "{instance}");
    }
    let moved = r#"{"access_token": "a", "token_type": "bearer", "instance_url": "https://acme.my.salesforce.com"}"#;
    assert_eq!(
        answered(moved).await.unwrap().origin,
        origin("https://acme.my.salesforce.com")
    );
    let silent = r#"{"access_token": "a", "token_type": "Bearer"}"#;
    let renewed = answered(silent).await.unwrap();
    assert_eq!(
        (renewed.origin, renewed.scopes),
        (tokens.origin.clone(), tokens.scopes.clone())
    );

    for (body, expected) in [
        (
            r#"{"access_token": "a", "token_type": "mac"}"#,
            Unusable::Kind,
        ),
        (
            r#"{"access_token": "a\r\nX: y", "token_type": "Bearer"}"#,
            Unusable::Token,
        ),
        (
            r#"{"access_token": "", "token_type": "Bearer"}"#,
            Unusable::Token,
        ),
    ] {
        let error = answered(body).await.unwrap_err();
        assert!(
            matches!(&error, TokenError::Unusable { why, .. } if *why == expected),
            "{body} {error}"
        );
    }
    let error = answered(r#"{"access_token": "a"}"#).await.unwrap_err();
    assert!(
        matches!(
            error,
            TokenError::Unclear {
                cause: Unclear::Malformed,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_first_answer_must_say_where_the_connection_is() {
    let site = Site::new().await;
    let app = site.app("Portcullis");
    let beside = ELSEWHERE.map(|instance| format!(r#", "instance_url": "{instance}""#));
    let silent = [String::new(), r#", "instance_url": 1"#.to_owned()];
    for (number, beside) in silent.into_iter().chain(beside).enumerate() {
        let (url, attempt) = site.start(&app, &callback(), "api");
        let End::Callback(query) = site.browse(&url, &site.user("aiko"), "allow").await else {
            unreachable!("{url} does not lead back")
        };
        let code = receive(&service(), &attempt, &asker(), &query).unwrap();
        let body = format!(
            r#"{{"access_token": "a", "refresh_token": "r", "token_type": "Bearer"{beside}}}"#
        );
        site.org
            .answer_next(200, &[("Content-Type", "application/json")], &body);
        let error = site.exchange(&app, attempt, code).await.unwrap_err();
        let TokenError::Unusable { why, given } = &error else {
            unreachable!("{beside} {error}")
        };
        match number {
            0 | 1 => assert_eq!(*why, Unusable::NoOrigin, "{beside}"),
            _ => assert!(matches!(why, Unusable::Origin(_)), "{beside} {why}"),
        }
        // What it gave can be revoked.
        assert_eq!(given.access.expose_secret(), "a");
        assert_eq!(given.refresh.as_ref().unwrap().expose_secret(), "r");
    }
}

#[tokio::test]
async fn a_page_in_the_place_of_a_revocation_ends_nothing() {
    let site = Site::new().await;
    let (app, tokens) = connected(&site).await;
    let endpoints = site.endpoints();
    let client = site.client(&app, &endpoints);
    let refresh = tokens.refresh.clone().unwrap();
    site.org
        .answer_next(503, &[], "<html>Scheduled maintenance</html>");
    let error = client.revoke(&refresh).await.unwrap_err();
    assert!(matches!(error, TokenError::Unclear { .. }), "{error}");
    site.org.answer_next(404, &[], "<html>Not found</html>");
    let error = client.revoke(&refresh).await.unwrap_err();
    let TokenError::Unavailable { cause, .. } = &error else {
        unreachable!("{error}")
    };
    assert!(
        matches!(
            cause,
            Unavailable::Answer {
                what: Body::Page,
                ..
            }
        ),
        "{error}"
    );
    assert!(client.refresh(&refresh, held(&tokens)).await.is_ok());
}
