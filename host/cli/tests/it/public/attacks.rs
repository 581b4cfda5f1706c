//! Attacks on the pages, each by its name: nobody is lent an account, signed in or led elsewhere without knowing it.

use super::visitor::{Visitor, encoded, form_of};
use super::{BASE, Place};

const ORIGIN: &str = "origin";

/// What a browser sees of another person's link: nothing of whose it is, and nothing happens.
async fn is_refused(place: &Place, visitor: &mut Visitor, link: &str, names: &[&str]) {
    let seen = visitor.get(link).await;
    assert_eq!(seen.status, 403, "{}", seen.text);
    seen.has("This link is not for you");
    for name in names {
        assert!(!seen.text.contains(name), "{name}: {}", seen.text);
    }
    // Nor by a form, even with a token of the form that it was not shown.
    let form = form_of(&seen, "/sign-out");
    let token = form.iter().find(|(name, _)| name == "token").unwrap();
    let forced = visitor.post(link, &[("token", &token.1)]).await;
    assert_eq!(forced.status, 403, "{}", forced.text);
    assert_eq!(place.connected().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_mine_is_sent_to_a_colleague() {
    // Ada sends hers to Bob, so that he lends her agents his account.
    let place = Place::new().await;
    let link = place.link("ada").await;
    let mut bob = place.signed_in("bob").await;
    is_refused(
        &place,
        &mut bob,
        &link,
        &["ada", "helper", "Salesforce", place.org.url()],
    )
    .await;

    // With a form that was Ada's to see, too.
    let mut ada = place.signed_in("ada").await;
    let welcome = ada.get(&link).await;
    welcome.has("as ada");
    for (name, value) in &ada.cookies {
        if name.contains("_page_") {
            bob.cookies.insert(name.clone(), value.clone());
        }
    }
    let forced = bob.submit(&welcome, &link, &[]).await;
    assert_eq!(forced.status, 403, "{}", forced.text);
    forced.has("This link is not for you");

    // It was not used up: she connects her own.
    let url = ada.go_on(&link).await;
    let end = ada.get(&place.come_back(&url, "aiko", "allow").await).await;
    end.has("You are connected");
    let log = place.server.log();
    assert!(
        log.contains("a link was opened by another person than it is for"),
        "{log}"
    );
    assert!(
        !log.contains(&link["/connect/".len()..]),
        "the link is logged"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_a_colleague_is_opened_by_me() {
    // Who administers is another person, too.
    let place = Place::new().await;
    let link = place.link("bob").await;
    let mut ada = place.signed_in("ada").await;
    is_refused(&place, &mut ada, &link, &["bob", "helper"]).await;
    // Without a session nothing is said of a link at all: one that is there leads where one that is none does.
    let mut nobody = place.visitor();
    for path in [&link, &format!("/connect/{}", "x".repeat(43))] {
        let seen = nobody.get(path).await;
        let secret = &path["/connect/".len()..];
        assert_eq!(seen.status, 303);
        assert_eq!(seen.to(), format!("/sign-in?link={secret}"));
        assert!(!seen.text.contains("bob"));
        let page = nobody.get("/sign-in").await;
        let token = form_of(&page, "/sign-in");
        let posted = nobody.post(path, &[("token", &token[0].1)]).await;
        assert_eq!(posted.status, 403);
    }
    // Bob has it still.
    let mut bob = place.signed_in("bob").await;
    bob.get(&link).await.has("as bob");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_for_another_person() {
    // Bob is led to the end of a sign-in that Ada began: with nothing of hers, with her browser's cookie, and without a session.
    let place = Place::new().await;
    let mut ada = place.signed_in("ada").await;
    let mut bob = place.signed_in("bob").await;
    for takes_cookies in [false, true] {
        let url = ada.go_on(&place.link("ada").await).await;
        let back = place.come_back(&url, "hedda", "allow").await;
        let mut nobody = place.visitor();
        if takes_cookies {
            for (name, value) in &ada.cookies {
                if !name.contains("_session_") {
                    bob.cookies.insert(name.clone(), value.clone());
                    nobody.cookies.insert(name.clone(), value.clone());
                }
            }
        }
        let seen = nobody.get(&back).await;
        assert_eq!(seen.status, 403, "{}", seen.text);
        seen.has("You are not signed in here");
        let seen = bob.get(&back).await;
        assert_eq!(seen.status, 400, "{}", seen.text);
        seen.has("not the sign-in that you began");
        assert_eq!(place.connected().await, 0);
        // It was used up by that.
        assert_eq!(ada.get(&back).await.status, 400);
    }
    assert_eq!(place.connected().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn login_csrf() {
    // A site signs Bob's browser in as Ada, so that what he connects is hers.
    let place = Place::new().await;
    let (adas, mut bob) = (place.token("ada").await, place.visitor());
    let mut attacker = place.visitor();
    let theirs = form_of(&attacker.get("/sign-in").await, "/sign-in");
    let own = form_of(&bob.get("/sign-in").await, "/sign-in");
    let form = |token: &str| {
        use secrecy::ExposeSecret;
        encoded(&[("token", token), ("secret", adas.expose_secret())])
    };
    let mut without_cookies = place.visitor();
    for (headers, form) in [
        (vec![(ORIGIN, BASE)], form(&theirs[0].1)),
        (vec![(ORIGIN, BASE)], form("")),
        (vec![], form(&own[0].1)),
        (vec![(ORIGIN, "https://evil.example")], form(&own[0].1)),
        (vec![(ORIGIN, "null")], form(&own[0].1)),
        (
            vec![(ORIGIN, "http://portcullis.acme.example")],
            form(&own[0].1),
        ),
        (
            vec![(ORIGIN, "https://portcullis.acme.example:444")],
            form(&own[0].1),
        ),
        (
            vec![(ORIGIN, BASE), (ORIGIN, "https://evil.example")],
            form(&own[0].1),
        ),
    ] {
        for visitor in [&mut bob, &mut without_cookies] {
            let seen = visitor.send("POST", "/sign-in", &headers, &form).await;
            assert_eq!(seen.status, 403, "{headers:?} {}", seen.text);
            assert!(visitor.session().is_none());
        }
    }
    let seen = bob
        .send("GET", &format!("/sign-in?{}", form(&own[0].1)), &[], "")
        .await;
    assert!(seen.status == 200 && bob.session().is_none());
    // The same from the page itself signs in.
    let page = bob.get("/sign-in").await;
    use secrecy::ExposeSecret;
    let seen = bob
        .submit(&page, "/sign-in", &[("secret", adas.expose_secret())])
        .await;
    assert_eq!(seen.status, 303);
    assert!(bob.session().is_some());

    // Nor does a site sign him out.
    let page = bob.get("/sign-in").await;
    let form = form_of(&page, "/sign-out");
    let form = encoded(&[("token", &form[0].1)]);
    let evil = [(ORIGIN, "https://evil.example")];
    assert_eq!(
        bob.send("POST", "/sign-out", &evil, &form).await.status,
        403
    );
    assert_eq!(bob.send("GET", "/sign-out", &[], "").await.status, 405);
    bob.get("/sign-in")
        .await
        .has("You are signed in here as ada");
}

#[tokio::test(flavor = "multi_thread")]
async fn session_fixation() {
    // A session that somebody planted in the browser is not the one that it has after the sign-in, and is good for nothing then.
    let place = Place::new().await;
    let mut attacker = place.signed_in("bob").await;
    let planted = attacker.session().unwrap();
    let planted = (planted.0.to_owned(), planted.1.to_owned());
    assert!(planted.0.starts_with("__Host-"), "{}", planted.0);
    let mut ada = place.visitor();
    let token = place.token("ada").await;
    let page = ada.get("/sign-in").await;
    ada.cookies.insert(planted.0.clone(), planted.1.clone());
    use secrecy::ExposeSecret;
    let seen = ada
        .submit(&page, "/sign-in", &[("secret", token.expose_secret())])
        .await;
    assert_eq!(seen.status, 303);
    assert_ne!(ada.session().unwrap().1, planted.1);
    ada.get("/sign-in")
        .await
        .has("You are signed in here as ada");
    let seen = attacker.get("/sign-in").await;
    assert!(!seen.text.contains("You are signed in"), "{}", seen.text);
    // By names that others can plant, no cookie is read.
    let (name, value) = ada.session().unwrap();
    let mut other = place.visitor();
    other
        .cookies
        .insert(name.replace("__Host-", ""), value.to_owned());
    let seen = other.get("/sign-in").await;
    assert!(!seen.text.contains("You are signed in"), "{}", seen.text);
    // Nor one that is there twice.
    let twice = format!("{name}={value}; {name}={}", planted.1);
    let mut other = place.visitor();
    let seen = other
        .send("GET", "/sign-in", &[("cookie", &twice)], "")
        .await;
    assert!(!seen.text.contains("You are signed in"), "{}", seen.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn open_redirect() {
    let place = Place::new().await;
    for elsewhere in [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "https://evil.example/",
        "%2F%2Fevil.example",
        "//evil.example/connect/xxxxxxxxxxxxxxxxxxxxx",
        "/connect/x",
        "../sign-out?xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "javascript:alert(1)//xxxxxxxxxxxxxxxxxxxxxxx",
        "x\r\nlocation: https://evil.example/xxxxxxxxxx",
        "@evil.example/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ] {
        let token = place.token("ada").await;
        let asked = format!("/sign-in?{}", encoded(&[("link", elsewhere)]));
        let mut visitor = place.visitor();
        let page = visitor.get(&asked).await;
        assert_eq!(page.status, 200);
        assert!(!page.text.contains("evil.example"), "{}", page.text);
        use secrecy::ExposeSecret;
        let added = [("secret", token.expose_secret()), ("link", elsewhere)];
        let seen = visitor.submit(&page, "/sign-in", &added).await;
        assert_eq!((seen.status, seen.to()), (303, "/sign-in"), "{elsewhere}");
        // After the way out, the same.
        let page = visitor.get(&asked).await;
        let seen = visitor
            .submit(&page, "/sign-out", &[("link", elsewhere)])
            .await;
        assert_eq!((seen.status, seen.to()), (303, "/sign-in"), "{elsewhere}");
    }
    // What is led back to is the link that was opened.
    let link = place.link("ada").await;
    let mut visitor = place.visitor();
    let asked = visitor.get(&link).await.to().to_owned();
    let seen = visitor.sign_in(&asked, &place.token("ada").await).await;
    assert_eq!((seen.status, seen.to()), (303, &*link));
    visitor.get(&link).await.has("as ada");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_host_and_framing() {
    let place = Place::new().await;
    let link = place.link("ada").await;
    let mut ada = place.signed_in("ada").await;
    for host in [
        "evil.example",
        "portcullis.acme.example.evil.example",
        "portcullis.acme.example:8443",
        "portcullis.acme.example.",
        "localhost",
        &place.server.address.to_string(),
    ] {
        for path in [&*link, "/sign-in", "/callback?state=x"] {
            let seen = ada.send("GET", path, &[("host", host)], "").await;
            assert_eq!(seen.status, 403, "{host} {path}");
            seen.has("This is not the address.");
        }
    }
    let not_there = ada.get("/elsewhere").await;
    assert_eq!(not_there.status, 404);
    for path in [&*link, "/sign-in", "/callback?state=x", "/elsewhere"] {
        let seen = ada.get(path).await;
        let headers = &seen.headers;
        assert_eq!(
            headers["content-security-policy"],
            "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        );
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "same-origin");
        assert_eq!(headers["strict-transport-security"], "max-age=31536000");
        assert!(!seen.text.contains("<script"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_a_plain_http_origin() {
    // Where everything can be read, nobody signs in, and no session counts.
    let base = "http://localhost:1";
    let place = Place::at(base).await;
    let link = place.link("ada").await;
    let mut visitor = Visitor::at(place.server.address, base);
    for path in ["/sign-in", "/sign-out"] {
        assert_eq!(visitor.get(path).await.status, 404);
        assert_eq!(visitor.post(path, &[]).await.status, 404);
    }
    // It is this machine's own page, as it is without a server, and open to nobody else.
    let welcome = visitor.get(&link).await;
    assert_eq!(welcome.status, 200, "{}", welcome.text);
    assert!(!welcome.text.contains("Sign out"));
    assert!(!welcome.headers.contains_key("strict-transport-security"));
    let said = place
        .home
        .run(&["serve", "--listen", "0.0.0.0:0", "--public-url", base]);
    assert_eq!(said.code, 2, "{}", said.stderr);
    assert!(said.stderr.contains("open to others"), "{}", said.stderr);
    let said = place.home.run(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--public-url",
        "http://acme.example",
    ]);
    assert_eq!(said.code, 2, "{}", said.stderr);
    assert!(said.stderr.contains("it must be https"), "{}", said.stderr);
}
