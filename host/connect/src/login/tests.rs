use std::sync::LazyLock;

use portcullis_policy::{Auth, Manifest};
use proptest::prelude::*;

use super::*;

const MANIFEST: &str = include_str!("../../../../connector/salesforce/manifest.json");

/// Read once: that takes longer than what is asked of it.
fn auth() -> &'static OAuth2 {
    static AUTH: LazyLock<OAuth2> =
        LazyLock::new(|| match Manifest::from_json(MANIFEST).unwrap().auth {
            Auth::OAuth2(auth) => *auth,
            other => panic!("{other:?}"),
        });
    &AUTH
}

#[test]
fn what_only_looks_like_the_service_is_refused() {
    let auth = auth();
    for text in [
        "https://acme.my.salesforce.com.evil.example",
        "https://evil.example/?x=acme.my.salesforce.com",
        "https://evil.example/https://acme.my.salesforce.com",
        "https://evil.example#acme.my.salesforce.com",
        "https://acme.my.salesforce.com@evil.example",
        "https://acme.my.salesforce.com:443@evil.example/",
        "https://user:secret@acme.my.salesforce.com",
        "https://evil.example\\@acme.my.salesforce.com",
        "https://acme.my.salesforce.com\\.evil.example",
        "https://evil.example\\.my.salesforce.com",
        "https://acme.my.saIesforce.com",
        "https://acme.my.ѕalesforce.com",
        "https://acme。my.salesforce.com",
        "https://acme.my.xn--alesforce-4xh.com",
        "https://xn--a.my.salesforce.com",
        "https://xn--acme.my.salesforce.com",
        "https://acme-my.salesforce.com.",
        "https://acmemy.salesforce.com",
        "https://my.salesforce.com",
        "https://salesforce.com",
        "https://acme.my.salesforce.com%2eevil.example",
        "https://%61cme.my.salesforce.com",
        "https://acme.my.salesforce.com:8443",
        "https://acme.my.salesforce.com:",
        "http://evil.example/acme.my.salesforce.com",
        "http://acme.my.salesforce.com.evil.example",
        "http://acme.my.salesforce.com:443",
        "ftp://acme.my.salesforce.com",
        "javascript:alert(1)//acme.my.salesforce.com",
        "javascript://acme.my.salesforce.com",
        "https:acme.my.salesforce.com",
        "//acme.my.salesforce.com",
        "https:///acme.my.salesforce.com",
        "https://acme..my.salesforce.com",
        "https://acme my.salesforce.com",
        "https://acme.my.salesforce.com\r\nHost: evil.example",
        "https://acme.my.salesforce.com\0",
        "https://127.0.0.1",
        "https://2130706433",
        "https://0x7f.1",
        "https://1.1.1.1",
        "https://[::1]",
        "https://[::ffff:1.1.1.1]:443",
        "http://localhost:8080",
        "https://acme.my.localhost",
    ] {
        let found = resolve(auth, text, &[]);
        assert!(found.is_err(), "{text}: {found:?}");
    }
    let error = resolve(auth, "https://ada:secret@acme.my.salesforce.com", &[]).unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
    let session = "https://acme.my.salesforce.com:8443/secur/frontdoor.jsp?sid=secret@x#secret";
    let error = resolve(auth, session, &[]).unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[test]
fn whatever_address_a_person_pastes_leads_to_their_login() {
    let auth = auth();
    use Environment::{Development, Production, Sandbox, Unknown};
    for (text, origin, environment) in [
        ("production", "https://login.salesforce.com", Production),
        (" Sandbox ", "https://test.salesforce.com", Sandbox),
        (
            "https://login.salesforce.com/?locale=de",
            "https://login.salesforce.com",
            Production,
        ),
        (
            "test.salesforce.com",
            "https://test.salesforce.com",
            Sandbox,
        ),
        (
            "https://acme.my.salesforce.com",
            "https://acme.my.salesforce.com",
            Unknown,
        ),
        (
            "HTTPS://ACME.My.Salesforce.com:443/",
            "https://acme.my.salesforce.com",
            Unknown,
        ),
        (
            " acme.my.salesforce.com. ",
            "https://acme.my.salesforce.com",
            Unknown,
        ),
        (
            "https://acme.my.salesforce.com./home/home.jsp?x=1#top",
            "https://acme.my.salesforce.com",
            Unknown,
        ),
        (
            "acme.my.salesforce.com/?x=https://evil.example",
            "https://acme.my.salesforce.com",
            Unknown,
        ),
        (
            "https://acme.lightning.force.com/lightning/page/home",
            "https://acme.my.salesforce.com",
            Unknown,
        ),
        (
            "https://acme.my.salesforce-setup.com/lightning/setup/SetupOneHome/home",
            "https://acme.my.salesforce.com",
            Unknown,
        ),
        (
            "https://acme--c.vf.force.com/apex/page",
            "https://acme.my.salesforce.com",
            Unknown,
        ),
        (
            "https://acme.file.force.com/sfc/servlet.shepherd/x",
            "https://acme.my.salesforce.com",
            Unknown,
        ),
        (
            "https://acme--dev.sandbox.my.salesforce.com",
            "https://acme--dev.sandbox.my.salesforce.com",
            Sandbox,
        ),
        (
            "https://acme--dev.sandbox.lightning.force.com/one/one.app",
            "https://acme--dev.sandbox.my.salesforce.com",
            Sandbox,
        ),
        (
            "https://acme--dev.sandbox.my.salesforce-setup.com/x",
            "https://acme--dev.sandbox.my.salesforce.com",
            Sandbox,
        ),
        (
            "https://acme--dev--c.sandbox.vf.force.com/apex/page",
            "https://acme--dev.sandbox.my.salesforce.com",
            Sandbox,
        ),
        (
            "https://site-force-1.scratch.lightning.force.com",
            "https://site-force-1.scratch.my.salesforce.com",
            Development,
        ),
        (
            "https://orgfarm-1-dev-ed.develop.lightning.force.com",
            "https://orgfarm-1-dev-ed.develop.my.salesforce.com",
            Development,
        ),
        (
            "https://acme-dev-ed.lightning.force.com",
            "https://acme-dev-ed.my.salesforce.com",
            Development,
        ),
        (
            "acme-dev-ed.my.salesforce.com",
            "https://acme-dev-ed.my.salesforce.com",
            Development,
        ),
        (
            "https://brave-fox-dev-ed.trailblaze.my.salesforce.com",
            "https://brave-fox-dev-ed.trailblaze.my.salesforce.com",
            Development,
        ),
    ] {
        let login = resolve(auth, text, &[]).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(
            (login.origin.to_string().as_str(), login.environment),
            (origin, environment),
            "{text}"
        );
    }
}

#[test]
fn what_the_operator_allowed_is_taken_to_the_letter() {
    let auth = auth();
    let allowed = [
        "127.0.0.1:8080".parse().unwrap(),
        "[::1]:8443".parse().unwrap(),
    ];
    for (text, origin) in [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.0.0.1:8080/setup?x", "http://127.0.0.1:8080"),
        ("https://[::1]:8443/", "https://[::1]:8443"),
    ] {
        assert_eq!(
            resolve(auth, text, &allowed).unwrap().origin.to_string(),
            origin
        );
    }
    for text in [
        "http://127.0.0.1:8081",
        "http://localhost:8080",
        "http://127.0.0.2:8080",
    ] {
        assert!(resolve(auth, text, &allowed).is_err(), "{text}");
    }
}

#[test]
fn what_is_no_login_is_answered_with_what_would_be_right() {
    let auth = auth();
    let mut said = String::new();
    for text in [
        "",
        "acme",
        "sanbox",
        "my-domain",
        "https://acme.my.salesforce.com.evil.example",
        "https://evil.example/?x=acme.my.salesforce.com",
        "https://ada:secret@acme.my.salesforce.com",
        "https://acme.my.salesforce.com\\@evil.example",
        "https://acme.my.ѕalesforce.com",
        "http://google.com",
        "https://na139.salesforce.com/home/home.jsp",
        "http://c.na139.visual.force.com/apex/page",
        "https://acme.my.salesforce.mil",
        "https://acme.lightning.sfcrmapps.cn",
        "https://login.workforce.com",
        "https://acme.lightning.force.com:8443",
        "http://127.0.0.1:8080",
        "https://1.1.1.1",
        "ftp://acme.my.salesforce.com",
        "https://exam ple.com",
    ] {
        said.push_str(&format!("{}\n", resolve(auth, text, &[]).unwrap_err()));
    }
    insta::assert_snapshot!(said);
}

proptest! {
    #[test]
    fn whatever_comes_out_fits_a_login_of_the_manifest(
        text in r"(https?://|//)?([a-z0-9@\\.:/?#%-]{0,12})(\.my\.salesforce\.com|\.lightning\.force\.com|-dev-ed\.my\.salesforce\.com|--c\.sandbox\.vf\.force\.com|--x\.cs1\.visual\.force\.com|\.my\.site\.com|\.cs1\.my\.salesforce\.com|login\.salesforce\.com)?([a-z0-9@\\.:/?#%-]{0,12})"
    ) {
        let auth = auth();
        if let Ok(login) = resolve(auth, &text, &[]) {
            let fits = auth.login.iter().any(|declared| match &declared.place {
                LoginPlace::Origin(place) => *place == login.origin,
                LoginPlace::Pattern(place) => place.fits(&login.origin),
            });
            prop_assert!(fits, "{} {}", text, login.origin);
            prop_assert!(login.origin.is_https());
        }
    }

    #[test]
    fn no_text_panics(text in ".{0,60}") {
        let _ = resolve(auth(), &text, &[]);
    }
}
