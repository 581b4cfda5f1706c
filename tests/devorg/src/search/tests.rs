//! Searches of the sample org: what a search makes of any text, and how rows are shared out.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::id::Id;

thread_local! {
    static ORG: Org = Org::sample("2026-11-23T12:00:00Z".parse().unwrap());
}

fn ask(sosl: &str) -> Result<Answer, ApiError> {
    ORG.with(|org| {
        let session = Session::of_org(org, Id::numbered("005", 1), TimeZone::UTC);
        run(org, &session, sosl, "/services/data/v68.0")
    })
}

#[test]
fn rows_are_shared_out_evenly() {
    let rows = |count: usize| vec![Json::Null; count];
    let taken = |counts: [usize; 3], limit| {
        let objects: Vec<_> = counts.iter().map(|count| rows(*count)).collect();
        shared_out(objects, limit).len()
    };
    assert_eq!(taken([19, 35, 0], 20), 20);
    assert_eq!(taken([1, 1, 1], 20), 3);
    assert_eq!(taken([5, 5, 5], 2), 2);
    let of = |at: usize, count| vec![Json::from(at); count];
    let shared = shared_out(vec![of(0, 19), of(1, 35), of(2, 3)], 20);
    let count = |at: usize| shared.iter().filter(|row| **row == at).count();
    // As many of each as of the others, and what one does not use goes to the others.
    assert_eq!([count(0), count(1), count(2)], [9, 8, 3]);
}

#[test]
fn every_searchable_object_is_searched_without_returning() {
    let answer = ask("FIND {00001001 OR ad* OR sensor*}").unwrap();
    let objects: std::collections::BTreeSet<&str> = answer
        .records
        .iter()
        .filter_map(|row| row["attributes"]["type"].as_str())
        .collect();
    assert!(
        objects.contains("Case") && objects.contains("Contact"),
        "{objects:?}"
    );
}

proptest! {
    #[test]
    fn a_search_is_answered_or_refused(text in "FIND \\{[a-z\"*?|() -é]{0,12}\\}( IN (ALL|NAME|EMAIL|X) FIELDS)?( RETURNING (Account|Contact|Task|X)(\\([A-Za-z, '=<>]{0,30}\\))?)?( LIMIT [0-9]{1,4})?") {
        match ask(&text) {
            Ok(answer) => prop_assert!(answer.records.len() <= ROWS_MAX),
            Err(error) => prop_assert!((400..500).contains(&error.status)),
        }
    }

    #[test]
    fn any_text_is_answered_or_refused(text in "\\PC{0,60}") {
        prop_assert!(ask(&text).is_err());
        let _ = ask(&format!("FIND {text}"));
        let _ = ask(&format!("FIND {{ada}} RETURNING {text}"));
    }

    #[test]
    fn a_person_is_found_by_any_word_of_theirs(at in 0usize..150, upper in any::<bool>()) {
        let (name, id) = ORG.with(|org| {
            let lead = org.store.rows("Lead").filter(|lead| !lead.deleted).nth(at).unwrap();
            (lead.get("Name").as_text().unwrap().to_owned(), lead.id)
        });
        for word in words::words(&name).into_iter().filter(|word| word.len() > 1) {
            let word = String::from_iter(word);
            let word = if upper { word.to_uppercase() } else { word };
            let answer = ask(&format!("FIND {{{word}}} IN NAME FIELDS RETURNING Lead(Id)")).unwrap();
            prop_assert!(answer.records.iter().any(|row| row["Id"] == id.as_str()), "{name}");
        }
    }
}
