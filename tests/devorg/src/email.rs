//! Mail that the org sends: it goes no further than an outbox that tests read.

use crate::id::Id;

/// A message that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// Who sent it: an address.
    pub sender: String,
    /// Whom it went to.
    pub to: Vec<String>,
    /// Who got a copy that everybody knows of.
    pub cc: Vec<String>,
    /// Who got a copy that nobody knows of.
    pub bcc: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The body.
    pub body: String,
    /// Whether the body is HTML.
    pub rich: bool,
    /// The record that it is about.
    pub related_record: Option<Id>,
    /// The `Task` that it was logged as.
    pub logged_as: Option<Id>,
}

/// Says whether a text is one address: something, `@`, and a domain with a dot.
pub(crate) fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let dotted = |part: &str| !part.is_empty() && part.split('.').all(|label| !label.is_empty());
    let host = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    text.len() <= 80
        && dotted(local)
        && local.chars().all(plain)
        && dotted(domain)
        && domain.contains('.')
        && domain.chars().all(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_texts() {
        for text in [
            "a@b.example",
            "ada.l+x@mail.b.example",
            "o'hara@b-c.example",
        ] {
            assert!(is_address(text), "{text}");
        }
        for text in [
            "",
            "a",
            "a@b",
            "@b.example",
            "a@",
            "a@b..example",
            ".a@b.example",
            "a b@c.example",
            "a@b@c.example",
            "a@ü.example",
        ] {
            assert!(!is_address(text), "{text}");
        }
    }
}
