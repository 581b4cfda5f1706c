//! What the moments of an answer mean to the user.

use crate::client::Client;
use crate::json::Json;
use crate::table::Table;

/// The fact of an identity that holds the user's time zone, an IANA name.
const TIME_ZONE_FACT: &str = "time_zone";

/// Says in which zone moments are written, and which is the user's.
pub fn said(client: &Client<'_>) -> String {
    let identity = client.account().identity.as_ref();
    let mut facts = identity.into_iter().flat_map(|identity| &identity.facts);
    match facts.find(|(name, _)| name == TIME_ZONE_FACT) {
        Some((_, zone)) => format!(
            "moments are UTC, the user's time zone is {}",
            crate::fence::inline(zone, 60)
        ),
        None => "moments are UTC".to_owned(),
    }
}

/// Says so of a table that has a moment.
pub fn note(client: &Client<'_>, table: &Table) -> Option<String> {
    let mut cells = table.rows.iter().flat_map(|row| &row.cells);
    cells.any(is_moment).then(|| said(client))
}

/// Says whether a value is written as the service writes moments: `2026-11-23T11:57:52.000+0000`.
fn is_moment(value: &Json) -> bool {
    const LIKE: &[u8] = b"dddd-dd-ddTdd:dd:dd.ddd+0000";
    let Some(text) = value.as_str() else {
        return false;
    };
    let fits = |(byte, like): (u8, &u8)| match like {
        b'd' => byte.is_ascii_digit(),
        like => byte == *like,
    };
    text.len() == LIKE.len() && text.bytes().zip(LIKE).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Org;

    #[test]
    fn a_table_with_a_moment_says_its_zone() {
        let org = Org::new();
        let client = Client::new(&org);
        let note = |text: &str| note(&client, &Table::plain(["x"], [vec![text.into()]]));
        assert_eq!(
            note("2026-11-23T11:57:52.000+0000").as_deref(),
            Some("moments are UTC")
        );
        assert_eq!(note("2026-11-23"), None);
        assert_eq!(note("2026-11-23T11:57:52.000+0100"), None);
    }
}
