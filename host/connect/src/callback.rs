//! The way back: what the browser brings to the callback.
//!
//! The attack: anybody can open the callback with anything in its query. So nothing in it counts before its state is that of
//! a sign-in that the same person began in the same browser; each parameter is there once; and where the service says who
//! it is, that must be where the sign-in was begun (RFC 9207).

use std::collections::HashMap;
use std::fmt;

use portcullis_policy::{ErrorPlace, Origin};
use secrecy::SecretString;
use url::form_urlencoded;

use crate::authorize::State;
use crate::guidance::guide_of;
use crate::token::{Refused, bounded};
use crate::{Attempt, Binding, Service};

/// Bytes of a callback's query; services' codes have some hundred.
const QUERY_LEN_MAX: usize = 8 << 10;
/// Bytes of a code.
const CODE_LEN_MAX: usize = 4 << 10;

/// A code that came back, to be exchanged once. Its `Debug` does not show it.
pub struct Code(pub(crate) SecretString);

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code")
    }
}

/// Why a callback gives no code.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The service, or the person at it, refused.
    #[error("the service refused to connect: {0}")]
    Refused(Box<Refused>),
    /// It belongs to no sign-in that this person began in this browser.
    #[error(
        "this is not the sign-in that you began in this browser: begin again, and finish it in the same window"
    )]
    NotYours,
    /// It says that it comes from elsewhere.
    #[error(
        "the answer says that it comes from `{issuer}`, and the sign-in was begun at `{expected}`: nothing was taken from it; begin again"
    )]
    Issuer {
        /// Who it says it is.
        issuer: String,
        /// Who was asked.
        expected: String,
    },
    /// It cannot be read in one way.
    #[error("the answer is not one that a service gives ({0}): begin again")]
    Malformed(&'static str),
}

/// Takes what came back to the callback: the query of its address.
///
/// # Errors
///
/// [`AuthError`]; only [`AuthError::Refused`] is the service's own word.
pub fn receive(
    service: &Service<'_>,
    attempt: &Attempt,
    asker: &Binding,
    query: &str,
) -> Result<Code, AuthError> {
    let params = params(query)?;
    let state = params.get("state");
    let is_state = state.is_some_and(|state| attempt.state.is(state));
    if !is_state || !attempt.asker.is(asker) {
        return Err(AuthError::NotYours);
    }
    code_of(service, attempt, query)
}

/// Takes the code of a sign-in that was found by its state, once it is known that its person and browser are the same.
pub(crate) fn code_of(
    service: &Service<'_>,
    attempt: &Attempt,
    query: &str,
) -> Result<Code, AuthError> {
    let params = params(query)?;
    let param = |name: &str| params.get(name).map(String::as_str);
    if let Some(issuer) = param("iss")
        && Origin::parse(issuer).as_ref() != Ok(attempt.origin())
    {
        return Err(AuthError::Issuer {
            issuer: bounded(issuer),
            expected: attempt.origin().to_string(),
        });
    }
    match (param("code"), param("error")) {
        (Some(_), Some(_)) => Err(AuthError::Malformed("it has both a code and an error")),
        (None, None) => Err(AuthError::Malformed("it has neither a code nor an error")),
        (None, Some(error)) => {
            let description = param("error_description");
            let subject = attempt.subject();
            let guide = guide_of(
                service.auth,
                ErrorPlace::Callback,
                error,
                description,
                &subject,
            );
            Err(AuthError::Refused(Box::new(Refused::new(
                error,
                description,
                guide,
                &[&attempt.state.0],
            ))))
        }
        (Some(code), None) if is_code(code) => Ok(Code(code.to_owned().into())),
        (Some(_), None) => Err(AuthError::Malformed("its code is none")),
    }
}

/// Says whether a query brings back a sign-in, whatever it says of it.
pub(crate) fn is_return_of(state: &State, query: &str) -> bool {
    let params = params(query);
    params.is_ok_and(|params| params.get("state").is_some_and(|text| state.is(text)))
}

/// Gives the state that a query brings back, by which its sign-in is found.
pub(crate) fn state_of(query: &str) -> Result<SecretString, AuthError> {
    let state = params(query)?.remove("state");
    state.map(SecretString::from).ok_or(AuthError::NotYours)
}

fn params(query: &str) -> Result<HashMap<String, String>, AuthError> {
    if query.len() > QUERY_LEN_MAX {
        return Err(AuthError::Malformed("it is too long"));
    }
    let mut params = HashMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()).into_owned() {
        if params.insert(name, value).is_some() {
            return Err(AuthError::Malformed("it has a parameter twice"));
        }
    }
    Ok(params)
}

/// A code is visible ASCII (RFC 6749, appendix A.11).
pub(crate) fn is_code(code: &str) -> bool {
    let is_visible = |byte: u8| matches!(byte, b' '..=b'~');
    !code.is_empty() && code.len() <= CODE_LEN_MAX && code.bytes().all(is_visible)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use portcullis_policy::PersonId;
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use crate::testing::{asker, attempt, service};

    use super::*;

    fn received(query: &str) -> Result<String, AuthError> {
        let (_, attempt) = attempt();
        let query = query.replace("STATE", attempt.state.0.expose_secret());
        let code = receive(&service(), &attempt, &asker(), &query)?;
        Ok(code.0.expose_secret().to_owned())
    }

    #[test]
    fn what_is_not_the_answer_to_this_sign_in_counts_for_nothing() {
        for query in [
            "",
            "code=c",
            "code=c&state=",
            "code=c&state=x",
            "code=c&state=STATEx",
            "error=access_denied",
            "error=access_denied&state=x",
        ] {
            assert!(
                matches!(received(query), Err(AuthError::NotYours)),
                "{query}"
            );
        }
        let long = format!("state=STATE&code={}", "c".repeat(CODE_LEN_MAX + 1));
        let longer = format!("state=STATE&code=c&x={}", "x".repeat(QUERY_LEN_MAX));
        for query in [
            "state=STATE",
            "state=STATE&code=",
            "state=STATE&code=c&code=d",
            "state=STATE&state=STATE&code=c",
            "state=x&state=STATE&code=c",
            "state=STATE&code=c&error=access_denied",
            "state=STATE&code=c%0d%0ax",
            "state=STATE&code=%c3%a4",
            "state=STATE&code=c&x=1&x=1",
            &long,
            &longer,
        ] {
            assert!(
                matches!(received(query), Err(AuthError::Malformed(_))),
                "{query}"
            );
        }
        for issuer in [
            "https://evil.example",
            "",
            "x",
            "http://login.example.com",
            "https://login.example.com/x",
        ] {
            let query = format!("state=STATE&code=c&iss={issuer}");
            assert!(
                matches!(received(&query), Err(AuthError::Issuer { .. })),
                "{issuer}"
            );
        }
    }

    #[test]
    fn a_code_is_taken_as_it_was_given() {
        for (query, code) in [
            ("code=aPrx.1%3D%3D&state=STATE", "aPrx.1=="),
            (
                "state=STATE&code=c&iss=https%3A%2F%2Flogin.example.com&more=1",
                "c",
            ),
            ("state=STATE&code=c&iss=https://login.example.com/", "c"),
        ] {
            assert_eq!(received(query).unwrap(), code);
        }
    }

    #[test]
    fn nobody_finishes_what_another_began() {
        let (_, attempt) = attempt();
        let query = format!("code=c&state={}", attempt.state.0.expose_secret());
        let ada = PersonId::parse("ada").unwrap();
        let bob = PersonId::parse("bob").unwrap();
        for other in [
            Binding::new(&bob, Some(&"browser".into())),
            Binding::new(&ada, Some(&"another".into())),
            Binding::new(&ada, None),
        ] {
            let found = receive(&service(), &attempt, &other, &query);
            assert!(matches!(found, Err(AuthError::NotYours)));
        }
        let code = receive(&service(), &attempt, &asker(), &query).unwrap();
        assert_eq!(format!("{code:?}"), "Code");
    }

    #[test]
    fn a_refusal_comes_with_what_to_do() {
        let query =
            "state=STATE&error=access_denied&error_description=end-user%20denied%0aauthorization";
        let error = received(query).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the service refused to connect: access_denied (end-user denied authorization)"
        );
        let AuthError::Refused(refused) = error else {
            unreachable!("{error}")
        };
        assert_eq!(refused.guide.unwrap().title, "Refused");
        let unknown = received("state=STATE&error=what");
        assert!(matches!(unknown, Err(AuthError::Refused(refused)) if refused.guide.is_none()));
    }

    proptest! {
        #[test]
        fn no_query_panics_or_gives_a_code_without_its_state(query in "[a-z=&%0-9]{0,60}|.{0,60}") {
            prop_assert!(received(&query).is_err());
        }
    }
}
