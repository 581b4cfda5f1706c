//! Lists that come in pages.
//!
//! A cursor is the name of the last that was shown: so a list that changes between two pages shows nothing twice. Of namesakes, such as two
//! connectors may have, the first is shown, as it is the one that is called by the name; a cursor that meant either would begin the same page anew.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rmcp::ErrorData;
use rmcp::model::PaginatedRequestParams;

/// Items of a page, where nothing else is said: many clients never ask for a second one.
const ITEMS: usize = 100;

/// Gives the page that a client asks for, and the cursor of the next.
pub(crate) fn page<T>(
    mut items: Vec<T>,
    name: impl Fn(&T) -> &str,
    asked: Option<&PaginatedRequestParams>,
    most: Option<usize>,
) -> Result<(Vec<T>, Option<String>), ErrorData> {
    let mut names = HashSet::new();
    items.retain(|item| names.insert(name(item).to_owned()));
    let begin = match asked.and_then(|asked| asked.cursor.as_deref()) {
        None => 0,
        Some(cursor) => {
            let last = read(cursor);
            let at = items
                .iter()
                .position(|item| last.as_deref() == Some(name(item)));
            at.ok_or_else(|| {
                let message = "this `cursor` is none of this list, or what it named is gone: begin without one";
                ErrorData::invalid_params(message, None)
            })? + 1
        }
    };
    let most = most.unwrap_or(ITEMS).max(1);
    let has_more = items.len() - begin > most;
    let page: Vec<T> = items.into_iter().skip(begin).take(most).collect();
    let next = page.last().filter(|_| has_more);
    let next = next.map(|last| URL_SAFE_NO_PAD.encode(name(last)));
    Ok((page, next))
}

fn read(cursor: &str) -> Option<String> {
    let name = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    String::from_utf8(name).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn asked(cursor: Option<String>) -> Option<PaginatedRequestParams> {
        Some(PaginatedRequestParams::default().with_cursor(cursor))
    }

    fn paged(
        names: &[&'static str],
        cursor: Option<String>,
    ) -> (Vec<&'static str>, Option<String>) {
        let asked = asked(cursor);
        page(names.to_vec(), |name| name, asked.as_ref(), Some(2)).unwrap()
    }

    #[test]
    fn pages_show_everything_once() {
        let names = ["a", "b", "c", "d", "e"];
        let (first, cursor) = paged(&names, None);
        assert_eq!(first, ["a", "b"]);
        // What is new meanwhile, or gone, shifts nothing.
        let (second, cursor) = paged(&["_", "b", "c", "d", "e"], cursor);
        assert_eq!(second, ["c", "d"]);
        let (third, cursor) = paged(&names, cursor);
        assert_eq!((third, cursor), (vec!["e"], None));
        assert_eq!(paged(&names[..2], None), (vec!["a", "b"], None));
        assert_eq!(paged(&[], None), (vec![], None));
    }

    #[test]
    fn of_namesakes_the_first_is_shown_and_no_page_twice() {
        let names = ["a", "b", "b", "b", "a", "c", "b", "d", "e"];
        let (first, cursor) = paged(&names, None);
        assert_eq!(first, ["a", "b"]);
        let (second, cursor) = paged(&names, cursor);
        assert_eq!(second, ["c", "d"]);
        assert_eq!(paged(&names, cursor), (vec!["e"], None));
        let pairs = vec![("a", 1), ("a", 2)];
        let (shown, cursor) = page(pairs, |(name, _)| name, None, Some(1)).unwrap();
        assert_eq!((shown, cursor), (vec![("a", 1)], None));
    }

    #[test]
    fn what_is_no_cursor_is_said_to_be_none() {
        let names = vec!["a", "b", "c"];
        let gone = URL_SAFE_NO_PAD.encode("x");
        for cursor in ["", "%%%", "_w", &gone] {
            let asked = asked(Some(cursor.to_owned()));
            let error = page(names.clone(), |name| name, asked.as_ref(), Some(2)).unwrap_err();
            assert_eq!(error.code.0, -32602, "{cursor}");
        }
    }
}
