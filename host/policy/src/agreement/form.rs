//! The values of a form or a query (`application/x-www-form-urlencoded`, WHATWG URL, section 5), each by its key.

use percent_encoding::percent_decode;

use super::Disagreement;
use super::value::{Places, Scalar};

const NOT_A_FORM: Disagreement = Disagreement::Body("says it is a form, and is none");

/// Some services separate pairs by it too, as HTML 4 once advised (appendix B.2.2), and would read what was not announced.
const SEPARATED_TWICE: Disagreement =
    Disagreement::Body("has a `;` in its query or form, which a service may read as `&`");

/// Reads a form; `prefix` stands before each key.
pub(super) fn read(text: &[u8], prefix: &str, places: &mut Places) -> Result<(), Disagreement> {
    if text.contains(&b';') {
        return Err(SEPARATED_TWICE);
    }
    let mut keys = std::collections::HashSet::new();
    for pair in text.split(|byte| *byte == b'&') {
        let mut parts = pair.splitn(2, |byte| *byte == b'=');
        let key = decoded(parts.next().unwrap_or_default())?;
        let value = decoded(parts.next().unwrap_or_default())?;
        // A key like a query's place would stand for it.
        if prefix.is_empty() && key.starts_with('?') {
            return Err(NOT_A_FORM);
        }
        if !keys.insert(key.to_lowercase()) {
            return Err(Disagreement::Body("has a key twice"));
        }
        places.add(format!("{prefix}{key}"), Scalar::Untyped(value))?;
    }
    Ok(())
}

fn decoded(text: &[u8]) -> Result<String, Disagreement> {
    let text: Vec<u8> = text
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    let text = percent_decode(&text).decode_utf8();
    text.map(std::borrow::Cow::into_owned)
        .map_err(|_| NOT_A_FORM)
}
