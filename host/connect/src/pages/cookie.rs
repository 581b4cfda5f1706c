//! What ties a page, a sign-in and a session to one browser.
//!
//! Cookies of this machine are shared by all its ports, so that each has the port in its name; that of a sign-in has its state, so
//! that two sign-ins in one browser do not end each other. By https each is a `__Host-` cookie, which no other host of the same domain
//! and nobody on the way can plant (RFC 6265bis, section 4.1.3.2).

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::COOKIE;
use portcullis::ApprovalId;
use portcullis_policy::{ConnectorName, Digest, Origin, PersonId};
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use super::SESSION_LASTS;
use super::back::Back;
use crate::NoRandom;
use crate::accounts::SIGN_IN_LASTS;
use crate::issuer::Tie;
use crate::random::unguessable;

/// Characters of what [`unguessable`] makes.
const SECRET_LEN: usize = 43;
/// Characters of a state's digest in a name: enough for those of one browser.
const STATE_LEN: usize = 16;

/// A form, by what it does.
#[derive(Clone, Copy)]
pub(super) enum Form<'a> {
    /// Goes on from the page of a link.
    Connect(&'a SecretString),
    SignIn,
    /// Goes on to the issuer.
    AtIssuer,
    SignOut,
    /// Decides on a question, in a person's name.
    Decide {
        id: ApprovalId,
        person: &'a PersonId,
    },
    /// Waits for what comes of a link.
    Wait {
        link: &'a SecretString,
        person: &'a PersonId,
        connector: &'a ConnectorName,
    },
}

/// The cookies and form tokens of one host.
#[derive(Clone)]
pub(super) struct Cookies {
    key: hmac::Key,
    port: u16,
    is_https: bool,
}

impl Cookies {
    pub(super) fn of(base: &Origin) -> Result<Self, NoRandom> {
        let key = unguessable()?;
        Ok(Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret().as_bytes()),
            port: base.port(),
            is_https: base.is_https(),
        })
    }

    /// Makes the token by which a form comes from a page that this browser was shown.
    pub(super) fn form_token(&self, browser: &SecretString, form: Form<'_>) -> String {
        let tag = hmac::sign(&self.key, &message(browser, form));
        BASE64_URL_SAFE_NO_PAD.encode(tag.as_ref())
    }

    /// Says whether a token is one, in a time that tells nothing about it.
    pub(super) fn is_form_token(
        &self,
        token: &str,
        browser: &SecretString,
        form: Form<'_>,
    ) -> bool {
        let tag = BASE64_URL_SAFE_NO_PAD.decode(token);
        tag.is_ok_and(|tag| hmac::verify(&self.key, &message(browser, form), &tag).is_ok())
    }

    /// Gives the secret of the browser that was shown a page.
    pub(super) fn page(&self, headers: &HeaderMap) -> Option<SecretString> {
        find(headers, &self.page_name())
    }

    pub(super) fn set_page(&self, browser: &SecretString) -> String {
        self.set(&self.page_name(), browser, "Strict", SIGN_IN_LASTS)
    }

    /// Gives the secret of a session.
    pub(super) fn session(&self, headers: &HeaderMap) -> Option<SecretString> {
        find(headers, &self.session_name())
    }

    /// Lax, for a link is opened from another site.
    pub(super) fn set_session(&self, session: &SecretString) -> String {
        self.set(&self.session_name(), session, "Lax", SESSION_LASTS)
    }

    /// Takes the session from the browser.
    pub(super) fn unset_session(&self) -> String {
        let nothing = SecretString::default();
        self.set(&self.session_name(), &nothing, "Lax", Duration::ZERO)
    }

    /// Gives the secret of the browser that began the sign-in of a state.
    pub(super) fn sign_in(
        &self,
        headers: &HeaderMap,
        state: &SecretString,
    ) -> Option<SecretString> {
        find(headers, &self.sign_in_name(state))
    }

    /// Lax, for the service leads back from another site.
    pub(super) fn set_sign_in(&self, state: &SecretString, browser: &SecretString) -> String {
        self.set(&self.sign_in_name(state), browser, "Lax", SIGN_IN_LASTS)
    }

    /// Gives what ties a sign-in at the issuer to the browser that holds a secret of its own for it.
    pub(super) fn tie(&self, browser: &SecretString) -> Tie {
        let part = |name: &str| {
            let message = [browser.expose_secret(), "/sign-in/issuer\n", name].concat();
            let tag = hmac::sign(&self.key, message.as_bytes());
            SecretString::from(BASE64_URL_SAFE_NO_PAD.encode(tag.as_ref()))
        };
        Tie {
            state: part("state"),
            nonce: part("nonce"),
            verifier: part("verifier"),
        }
    }

    /// Gives what ties the sign-in of a state to this browser, and what is led back to; none where another began it.
    pub(super) fn at_issuer(
        &self,
        headers: &HeaderMap,
        state: &SecretString,
    ) -> Option<(Tie, Option<Back>)> {
        let value = find_text(headers, &self.issuer_name(state))?;
        let (browser, back) = match value.split_once('.') {
            Some((browser, back)) => (browser, Some(back.replacen('.', "=", 1))),
            None => (value, None),
        };
        let browser = is_secret(browser).then(|| SecretString::from(browser))?;
        let tie = self.tie(&browser);
        let (own, given) = (tie.state.expose_secret(), state.expose_secret());
        let is_it = bool::from(own.as_bytes().ct_eq(given.as_bytes()));
        let back = back.and_then(|back| Back::of(back.as_bytes()));
        is_it.then_some((tie, back))
    }

    /// Lax, for the issuer leads back from another site.
    pub(super) fn set_at_issuer(
        &self,
        state: &SecretString,
        browser: &SecretString,
        back: Option<&Back>,
    ) -> String {
        let value = match back.map(Back::field) {
            Some((name, value)) => format!("{}.{name}.{value}", browser.expose_secret()).into(),
            None => browser.clone(),
        };
        self.set(&self.issuer_name(state), &value, "Lax", SIGN_IN_LASTS)
    }

    /// Takes what a sign-in at the issuer was tied by from the browser: it is over.
    pub(super) fn unset_at_issuer(&self, state: &SecretString) -> String {
        let nothing = SecretString::default();
        self.set(&self.issuer_name(state), &nothing, "Lax", Duration::ZERO)
    }

    fn issuer_name(&self, state: &SecretString) -> String {
        format!("{}_issuer", self.sign_in_name(state))
    }

    fn page_name(&self) -> String {
        format!("{}portcullis_page_{}", self.prefix(), self.port)
    }

    fn session_name(&self) -> String {
        format!("{}portcullis_session_{}", self.prefix(), self.port)
    }

    fn prefix(&self) -> &'static str {
        match self.is_https {
            true => "__Host-",
            false => "",
        }
    }

    fn sign_in_name(&self, state: &SecretString) -> String {
        let digest = Digest::of(state.expose_secret().as_bytes()).to_string();
        let (_, hex) = digest.split_once(':').unwrap_or(("", &digest));
        let short: String = hex.chars().take(STATE_LEN).collect();
        format!("{}portcullis_{}_{short}", self.prefix(), self.port)
    }

    fn set(&self, name: &str, value: &SecretString, same_site: &str, lasts: Duration) -> String {
        let secure = match self.is_https {
            true => "; Secure",
            false => "",
        };
        format!(
            "{name}={}; Path=/; Max-Age={}; HttpOnly; SameSite={same_site}{secure}",
            value.expose_secret(),
            lasts.as_secs()
        )
    }
}

fn message(browser: &SecretString, form: Form<'_>) -> Vec<u8> {
    let what = match form {
        Form::Connect(link) => format!("/connect/{}", link.expose_secret()),
        Form::SignIn => "/sign-in".to_owned(),
        Form::AtIssuer => "/sign-in/issuer".to_owned(),
        Form::SignOut => "/sign-out".to_owned(),
        // An id has one length.
        Form::Decide { id, person } => format!("/approve/{id}\n{person}"),
        // No connector's name has a line break.
        Form::Wait {
            link,
            person,
            connector,
        } => format!("/wait/{}/{connector}\n{person}", link.expose_secret()),
    };
    // A browser's secret has one length, and so has a link's: no two are written alike.
    [browser.expose_secret(), &what].concat().into_bytes()
}

/// Says whether a text can be what [`unguessable`] makes.
pub(super) fn is_secret(text: &str) -> bool {
    let is_ours = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.len() == SECRET_LEN && text.bytes().all(is_ours)
}

/// Finds a cookie that is there once and is one of ours.
fn find(headers: &HeaderMap, name: &str) -> Option<SecretString> {
    let value = find_text(headers, name)?;
    is_secret(value).then(|| value.to_owned().into())
}

/// Finds a cookie that is there once.
fn find_text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut found = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(found, _)| *found == name);
    let (_, value) = found.next()?;
    found.next().is_none().then_some(value)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn cookies(base: &str) -> Cookies {
        Cookies::of(&Origin::parse(base).unwrap()).unwrap()
    }

    #[test]
    fn a_form_counts_from_the_page_that_the_browser_was_shown() {
        let ours = cookies("http://127.0.0.1:1717");
        let (one, other) = (unguessable().unwrap(), unguessable().unwrap());
        let (link, another) = ("link".into(), "another".into());
        let token = ours.form_token(&one, Form::Connect(&link));
        assert!(ours.is_form_token(&token, &one, Form::Connect(&link)));
        assert!(!ours.is_form_token(&token, &other, Form::Connect(&link)));
        assert!(!ours.is_form_token("", &one, Form::Connect(&link)));
        let forms = [
            Form::Connect(&another),
            Form::SignIn,
            Form::AtIssuer,
            Form::SignOut,
        ];
        for form in forms {
            assert!(!ours.is_form_token(&token, &one, form));
            let token = ours.form_token(&one, form);
            assert!(!ours.is_form_token(&token, &one, Form::Connect(&link)));
        }
        let theirs = cookies("http://127.0.0.1:1717");
        assert!(!theirs.is_form_token(&token, &one, Form::Connect(&link)));
    }

    #[test]
    fn by_https_no_other_host_can_plant_a_cookie() {
        let (ours, local) = (
            cookies("https://host.example"),
            cookies("http://localhost:7717"),
        );
        let secret = unguessable().unwrap();
        for set in [
            ours.set_page(&secret),
            ours.set_session(&secret),
            ours.unset_session(),
            ours.set_sign_in(&"state".into(), &secret),
        ] {
            assert!(set.starts_with("__Host-portcullis_"), "{set}");
            assert!(
                set.contains("; Path=/; ") && !set.contains("Domain"),
                "{set}"
            );
            assert!(set.ends_with("; Secure"), "{set}");
        }
        assert!(!local.set_page(&secret).contains("Secure"));
        assert!(ours.unset_session().contains("=; Path=/; Max-Age=0;"));
    }

    #[test]
    fn a_sign_in_at_the_issuer_is_the_browsers_that_began_it() {
        let ours = cookies("https://host.example");
        let (browser, other) = (unguessable().unwrap(), unguessable().unwrap());
        let tie = ours.tie(&browser);
        let parts = [&tie.state, &tie.nonce, &tie.verifier].map(ExposeSecret::expose_secret);
        // What the issuer and the address bar see tells nothing of what they do not.
        assert!(parts[0] != parts[1] && parts[1] != parts[2] && parts[0] != parts[2]);
        let back = Back::of(b"question=all");
        let set = ours.set_at_issuer(&tie.state, &browser, back.as_ref());
        assert!(set.ends_with("; HttpOnly; SameSite=Lax; Secure"), "{set}");
        let found = |cookie: &str, state: &SecretString| {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, cookie.parse().unwrap());
            let (tie, back) = ours.at_issuer(&headers, state)?;
            Some((
                tie.nonce.expose_secret().to_owned(),
                back.map(|back| back.path()),
            ))
        };
        let pair = set.split(';').next().unwrap();
        let led_back = Some("/approvals".to_owned());
        assert_eq!(
            found(pair, &tie.state),
            Some((parts[1].to_owned(), led_back))
        );
        // Of another sign-in, by another browser's secret, twice, or of another process.
        assert_eq!(found(pair, &ours.tie(&other).state), None);
        let planted = ours.set_at_issuer(&tie.state, &other, None);
        assert_eq!(found(planted.split(';').next().unwrap(), &tie.state), None);
        assert_eq!(found(&format!("{pair}; {pair}"), &tie.state), None);
        let theirs = cookies("https://host.example").tie(&browser);
        assert_eq!(found(pair, &theirs.state), None);
        // What is led back to is a page here, whatever the cookie says.
        let (name, _) = pair.split_once('=').unwrap();
        let elsewhere = format!("{name}={}.link.//evil.example", browser.expose_secret());
        assert_eq!(
            found(&elsewhere, &tie.state),
            Some((parts[1].to_owned(), None))
        );
    }

    #[test]
    fn a_cookie_is_found_once_under_its_own_name() {
        let ours = cookies("https://host.example");
        let (browser, state) = (unguessable().unwrap(), "state".into());
        let set = ours.set_sign_in(&state, &browser);
        assert!(set.ends_with("; HttpOnly; SameSite=Lax; Secure"), "{set}");
        let pair = set.split(';').next().unwrap();
        let found = |cookie: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, cookie.parse().unwrap());
            ours.sign_in(&headers, &state)
        };
        let is_ours = |it: Option<SecretString>| {
            it.is_some_and(|it| it.expose_secret() == browser.expose_secret())
        };
        assert!(is_ours(found(&format!("a=b; {pair}; c=d"))));
        assert!(found(&format!("{pair}; {pair}")).is_none());
        assert!(found(&format!("{pair}x")).is_none());
        assert!(found("a=b").is_none());
    }
}
