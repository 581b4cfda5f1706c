//! What a person pastes who signs in on another machine: the address that their browser ended at, its query, the code alone, or,
//! where the service kept them, the address of its own error page.
//!
//! The attack: somebody has a person paste the end of a sign-in of theirs. So an address counts by its state alone; a code without one is
//! taken only where the service holds it against the verifier of this sign-in (RFC 7636), which another's code does not fit.

use std::borrow::Cow;

use url::{Url, form_urlencoded};

use crate::callback::{is_code, is_return_of};
use crate::guidance::{Guide, guide_of_page};
use crate::token::bounded;
use crate::{Attempt, Service};

/// Characters that every service's code has (RFC 6749, section 10.10): fewer are a word.
const CODE_LEN_MIN: usize = 20;

/// What a pasted text is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pasted {
    /// The end of this sign-in: the query of its callback.
    Back(String),
    /// A page of the service's own, on which it said no. The sign-in is as it was.
    Page {
        /// The service's words, where the address has them.
        said: Option<String>,
        /// What they mean, where the manifest says.
        guide: Option<Box<Guide>>,
    },
    /// Nothing of this sign-in, and why.
    Other(&'static str),
}

/// Reads what a person pasted.
pub fn pasted(service: &Service<'_>, attempt: &Attempt, text: &str) -> Pasted {
    let text = text.trim();
    let address = Url::parse(text).ok().filter(Url::has_host);
    let is_callback = address
        .as_ref()
        .is_none_or(|address| address.path() == attempt.redirect.path());
    let query = query_of(text, address.is_some());
    let has = |wanted: &str| param(&query, wanted).is_some_and(|value| !value.is_empty());
    // A service's page may repeat the state.
    if is_return_of(&attempt.state, &query) && is_callback && (has("code") || has("error")) {
        return Pasted::Back(query.into_owned());
    }
    let guide = guide_of_page(service.auth, text, &attempt.subject()).map(Box::new);
    let said = said(&query).filter(|_| !is_callback);
    if said.is_some() || guide.is_some() {
        return Pasted::Page { said, guide };
    }
    if let (Some(code), true) = (code_alone(text), attempt.verifier.is_some()) {
        let state = secrecy::ExposeSecret::expose_secret(&attempt.state.0);
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("code", &code)
            .append_pair("state", state)
            .finish();
        return Pasted::Back(query);
    }
    Pasted::Other(match (is_callback, has("code") || has("error")) {
        (true, true) => "this is the end of another sign-in: open the link that was printed last",
        (true, false) if address.is_some() => {
            "this address lacks what the service added to it: copy all of it, as it stands once you have signed in"
        }
        _ => "this is neither the address that the browser ended at nor a code",
    })
}

fn query_of(text: &str, is_address: bool) -> Cow<'_, str> {
    let text = text.split_once('#').map_or(text, |(text, _)| text);
    match (text.split_once('?'), is_address) {
        (Some((_, query)), _) => query.into(),
        (None, true) => "".into(),
        (None, false) => text.into(),
    }
}

fn param(query: &str, wanted: &str) -> Option<String> {
    form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == wanted)
        .map(|(_, value)| value.into_owned())
}

/// What a page's address says of its error.
fn said(query: &str) -> Option<String> {
    let error = bounded(&param(query, "error").filter(|error| !error.is_empty())?);
    Some(match param(query, "error_description") {
        Some(description) => format!("{error} ({})", bounded(&description)),
        None => error,
    })
}

/// Takes a text for a code: long, and in one piece. In an address it is written with escapes.
fn code_alone(text: &str) -> Option<String> {
    let is_one = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'&' | b'?' | b'/' | b':');
    if text.len() < CODE_LEN_MIN || !text.bytes().all(is_one) {
        return None;
    }
    // `+` stands for itself in a code that somebody copied.
    let escaped = format!("code={}", text.replace('+', "%2B").replace('=', "%3D"));
    param(&escaped, "code").filter(|code| is_code(code))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::testing::{attempt, service};

    #[test]
    fn only_the_end_of_this_sign_in_ends_it() {
        let (_, attempt) = attempt();
        let (service, state) = (service(), attempt.state.0.expose_secret().to_owned());
        let callback = attempt.redirect.to_string();
        for (text, query) in [
            ("CALLBACK?code=a&state=STATE", "code=a&state=STATE"),
            (
                "CALLBACK?error=denied&state=STATE#x",
                "error=denied&state=STATE",
            ),
            ("  code=a&state=STATE ", "code=a&state=STATE"),
            (
                "aPrxWq.0123456789ab%3D%3D",
                "code=aPrxWq.0123456789ab%3D%3D&state=STATE",
            ),
            (
                "aPrxWq.0123456789a+==",
                "code=aPrxWq.0123456789a%2B%3D%3D&state=STATE",
            ),
        ] {
            let [text, query] = [text, query]
                .map(|text| text.replace("STATE", &state).replace("CALLBACK", &callback));
            assert_eq!(
                pasted(&service, &attempt, &text),
                Pasted::Back(query),
                "{text}"
            );
        }
        for text in [
            "hello",
            "CALLBACK",
            "CALLBACK?state=STATE",
            "CALLBACK?code=another&state=anothers-state",
            "code=another&state=anothers-state",
            "error=denied&state=anothers-state",
            "https://login.example.com/",
            "hello, this is what I see in my browser",
        ] {
            let text = text.replace("STATE", &state).replace("CALLBACK", &callback);
            let read = pasted(&service, &attempt, &text);
            assert!(matches!(read, Pasted::Other(_)), "{text} {read:?}");
        }
        // A page of the service's own is not the end, though it repeats the state.
        let page = format!(
            "https://login.example.com/error?error=broken&error_description=so&state={state}"
        );
        let Pasted::Page { said, .. } = pasted(&service, &attempt, &page) else {
            unreachable!("{page}")
        };
        assert_eq!(said.unwrap(), "broken (so)");
    }

    #[test]
    fn without_a_verifier_no_code_counts_alone() {
        let (_, mut attempt) = attempt();
        attempt.verifier = None;
        let read = pasted(&service(), &attempt, "aPrxWq.0123456789ab%3D%3D");
        assert!(matches!(read, Pasted::Other(_)), "{read:?}");
    }
}
