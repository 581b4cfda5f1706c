//! Where somebody is led back to once they have signed in.
//!
//! The attack: an address that a request names leads to a page that looks like this one. So nothing but the secret of a link or the id of
//! a question is taken from a request; where those are is known here.

use std::borrow::Cow;

use portcullis::ApprovalId;
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;

use super::{CONNECT, is_secret};
use crate::links::Questions;

/// A page here.
#[derive(Clone, Debug)]
pub(super) enum Back {
    /// A link's.
    Link(SecretString),
    /// A question's, or that of all.
    Questions(Questions),
}

/// What stands for all questions.
const ALL: &str = "all";

impl Back {
    /// Reads it from the fields of a query or a form; none where what is there cannot be one, such as an address.
    pub(super) fn of(fields: &[u8]) -> Option<Self> {
        let mut fields = form_urlencoded::parse(fields);
        fields.find_map(|(name, value)| match &*name {
            "link" => is_secret(&value).then(|| Self::Link(value.into_owned().into())),
            "question" => Some(Self::Questions(question(value)?)),
            _ => None,
        })
    }

    /// Gives the name and the value of its field: the characters of both stand in an address as they are.
    pub(super) fn field(&self) -> (&'static str, String) {
        match self {
            Self::Link(secret) => ("link", secret.expose_secret().to_owned()),
            Self::Questions(Questions::One(id)) => ("question", id.to_string()),
            Self::Questions(Questions::All) => ("question", ALL.to_owned()),
        }
    }

    /// Gives the page's path.
    pub(super) fn path(&self) -> String {
        match self {
            Self::Link(secret) => format!("{CONNECT}{}", secret.expose_secret()),
            Self::Questions(what) => what.path(),
        }
    }
}

fn question(text: Cow<'_, str>) -> Option<Questions> {
    if text == ALL {
        return Some(Questions::All);
    }
    let id: ApprovalId = text.parse().ok()?;
    Some(Questions::One(id))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn what_is_led_back_to_is_a_page_here_or_nothing() {
        let link = "A-_z".repeat(10) + "abc";
        let path = |query: &str| Back::of(query.as_bytes()).map(|back| back.path());
        let there = format!("/connect/{link}");
        assert_eq!(path(&format!("link={link}")).as_ref(), Some(&there));
        assert_eq!(
            path(&format!("x=y&link={link}&link=//evil.example")).as_ref(),
            Some(&there)
        );
        let id = "0123456789abcdef0123456789abcdef";
        assert_eq!(
            path(&format!("question={id}")),
            Some(format!("/approve/{id}"))
        );
        assert_eq!(path("question=all").as_deref(), Some("/approvals"));
        for query in [
            "",
            "link=",
            "link=//evil.example",
            "link=/%5Cevil.example",
            "link=https:evil.example",
            "link=https%3A%2F%2Fevil.example%2F",
            "link=%252F%252Fevil.example",
            "link=/connect/x",
            "link=..%2F..%2Fsign-out%2Fxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            &format!("link={link}x"),
            &format!("link=/{link}"),
            &format!("link={}%0d%0a", &link[2..]),
            &format!("link={}.", &link[1..]),
            &format!("to={link}"),
            "question=",
            "question=//evil.example",
            "question=../sign-out",
            &format!("question={id}0"),
            &format!("question={}%0d%0a", &id[2..]),
        ] {
            assert!(Back::of(query.as_bytes()).is_none(), "{query}");
        }
        for back in [Back::Link(link.into()), Back::Questions(Questions::All)] {
            let (name, value) = back.field();
            assert_eq!(path(&format!("{name}={value}")), Some(back.path()));
        }
    }
}
