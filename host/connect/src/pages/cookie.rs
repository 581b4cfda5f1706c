//! What ties a page, and a sign-in, to one browser.
//!
//! Cookies of this machine are shared by all its ports, so that each has the port in its name; that of a sign-in has its state, so
//! that two sign-ins in one browser do not end each other.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::COOKIE;
use portcullis_policy::{Digest, Origin};
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};

use crate::NoRandom;
use crate::accounts::SIGN_IN_LASTS;
use crate::random::unguessable;

/// Characters of what [`unguessable`] makes.
const SECRET_LEN: usize = 43;
/// Characters of a state's digest in a name: enough for those of one browser.
const STATE_LEN: usize = 16;

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

    /// Makes the token by which a form comes from a page that this browser was shown of this link.
    pub(super) fn form_token(&self, browser: &SecretString, link: &SecretString) -> String {
        let tag = hmac::sign(&self.key, &message(browser, link));
        BASE64_URL_SAFE_NO_PAD.encode(tag.as_ref())
    }

    /// Says whether a token is one, in a time that tells nothing about it.
    pub(super) fn is_form_token(
        &self,
        token: &str,
        browser: &SecretString,
        link: &SecretString,
    ) -> bool {
        let tag = BASE64_URL_SAFE_NO_PAD.decode(token);
        tag.is_ok_and(|tag| hmac::verify(&self.key, &message(browser, link), &tag).is_ok())
    }

    /// Gives the secret of the browser that was shown a page.
    pub(super) fn page(&self, headers: &HeaderMap) -> Option<SecretString> {
        find(headers, &self.page_name())
    }

    pub(super) fn set_page(&self, browser: &SecretString) -> String {
        self.set(&self.page_name(), browser, "Strict")
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
        self.set(&self.sign_in_name(state), browser, "Lax")
    }

    fn page_name(&self) -> String {
        format!("portcullis_page_{}", self.port)
    }

    fn sign_in_name(&self, state: &SecretString) -> String {
        let digest = Digest::of(state.expose_secret().as_bytes()).to_string();
        let (_, hex) = digest.split_once(':').unwrap_or(("", &digest));
        let short: String = hex.chars().take(STATE_LEN).collect();
        format!("portcullis_{}_{short}", self.port)
    }

    fn set(&self, name: &str, value: &SecretString, same_site: &str) -> String {
        let secure = match self.is_https {
            true => "; Secure",
            false => "",
        };
        format!(
            "{name}={}; Path=/; Max-Age={}; HttpOnly; SameSite={same_site}{secure}",
            value.expose_secret(),
            SIGN_IN_LASTS.as_secs()
        )
    }
}

fn message(browser: &SecretString, link: &SecretString) -> Vec<u8> {
    // A browser's secret has one length, so that no two pairs are written alike.
    [browser.expose_secret(), link.expose_secret()]
        .concat()
        .into_bytes()
}

/// Finds a cookie that is there once and is one of ours.
fn find(headers: &HeaderMap, name: &str) -> Option<SecretString> {
    let mut found = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(found, _)| *found == name);
    let (_, value) = found.next()?;
    let is_ours = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let fits = value.len() == SECRET_LEN && value.bytes().all(is_ours);
    (fits && found.next().is_none()).then(|| value.to_owned().into())
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
        let token = ours.form_token(&one, &link);
        assert!(ours.is_form_token(&token, &one, &link));
        assert!(!ours.is_form_token(&token, &other, &link));
        assert!(!ours.is_form_token(&token, &one, &another));
        assert!(!ours.is_form_token("", &one, &link));
        let theirs = cookies("http://127.0.0.1:1717");
        assert!(!theirs.is_form_token(&token, &one, &link));
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
