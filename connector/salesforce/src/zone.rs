//! What the moments of an answer mean to the user.

use crate::client::Client;

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
