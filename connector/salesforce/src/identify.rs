//! Who is signed in, as the host keeps it with the connection.
//!
//! It reads through the same API that the tools use, so a sign-in without the `api` scope fails here and at once.

use portcullis_sdk::Failure;
use portcullis_sdk::credentials::{Environment, Identity};

use crate::client::{
    CURRENCY_FACT, Client, EMAIL_FACT, NAME_FACT, ReadError, TIME_ZONE_FACT, VERSION_FACT,
};
use crate::fence;
use crate::host::Host;
use crate::org::{Organization, User};

/// Asks the org who is signed in.
///
/// # Errors
/// What would make the tools fail too: the org does not answer, the session has no API access.
pub fn identify(host: &dyn Host) -> Result<Identity, Failure> {
    let client = Client::new(host);
    let version = client.version()?.trim_start_matches('v').to_owned();
    let user = User::read(&client)?;
    require_standard(&user)?;
    let organization = Organization::read(&client)?;
    let mut facts = vec![(VERSION_FACT.to_owned(), version)];
    let known = [
        (TIME_ZONE_FACT, &user.time_zone),
        (NAME_FACT, &user.name),
        (EMAIL_FACT, &user.email),
        ("edition", &organization.edition),
        (CURRENCY_FACT, &currency(&client)?),
    ];
    for (name, value) in known {
        facts.extend(value.clone().map(|value| (name.to_owned(), value)));
    }
    Ok(Identity {
        environment: environment(
            organization.is_sandbox,
            client.origin(),
            organization.edition.as_deref(),
        ),
        user_id: user.id,
        user_name: user.user_name,
        organization_id: Some(user.organization_id),
        organization_name: organization.name,
        facts,
    })
}

/// Gives the org's own currency where it has several: only then there is an object that lists them.
fn currency(client: &Client<'_>) -> Result<Option<String>, ReadError> {
    match client.query("SELECT IsoCode FROM CurrencyType WHERE IsCorporate = true") {
        Ok(reply) => {
            let row = reply
                .json
                .get("records")
                .and_then(|rows| rows.items().first());
            Ok(row.and_then(|row| row.str_at("IsoCode")).map(str::to_owned))
        }
        // Amounts are as good without their currency's code.
        Err(ReadError::Service(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Refuses users of portals and of public sites: what the tools read is not for them, and what they see is cut to their own records.
fn require_standard(user: &User) -> Result<(), Failure> {
    match user.user_type.as_deref() {
        Some(kind) if !kind.eq_ignore_ascii_case("STANDARD") => {
            Err(Failure::not_permitted(format!(
                "the user {} is of the user type {}, and only standard users are connected",
                fence::inline(&user.user_name, 200),
                fence::inline(kind, 40),
            )))
        }
        _ => Ok(()),
    }
}

/// Tells what kind of org it is: by its row, and by its My Domain where the row cannot be read.
pub fn environment(is_sandbox: Option<bool>, origin: &str, edition: Option<&str>) -> Environment {
    let host = origin.split("://").last().unwrap_or_default();
    let develops = edition == Some("Developer Edition")
        || host.contains(".develop.")
        || host.contains("-dev-ed.");
    let is_sandbox = is_sandbox.unwrap_or_else(|| {
        host.contains("--") || host.contains(".sandbox.") || host.contains(".scratch.")
    });
    match (is_sandbox, develops) {
        (true, _) => Environment::Sandbox,
        (false, true) => Environment::Development,
        (false, false) if edition.is_some() || host.ends_with(".salesforce.com") => {
            Environment::Production
        }
        _ => Environment::Unknown,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::org::tests::{ORGANIZATION, USERINFO};
    use crate::testing::Org;

    #[test]
    fn a_sign_in_is_identified() {
        let org = Org::new()
            .without_identity()
            .answer("/services/data", 200, r#"[{"version":"68.0"}]"#)
            .answer("/services/oauth2/userinfo", 200, USERINFO)
            .answer(
                "/services/data/v68.0/query?q=SELECT%20Name%2C",
                200,
                ORGANIZATION,
            );
        let identity = identify(&org).unwrap();
        insta::assert_debug_snapshot!(identity);
    }

    #[test]
    fn a_session_without_api_access_is_refused() {
        let body = r#"[{"errorCode":"INVALID_SESSION_ID","message":"This session is not valid for use with the REST API"}]"#;
        let org = Org::new()
            .answer("/services/oauth2/userinfo", 200, USERINFO)
            .answer("/services/data/v68.0/query", 401, body);
        let failure = identify(&org).unwrap_err();
        assert_eq!(failure.service_code.as_deref(), Some("INVALID_SESSION_ID"));
        assert!(failure.hint.unwrap().contains("`api` scope"));
    }

    #[test]
    fn users_of_portals_are_refused() {
        for kind in ["GUEST", "POWER_PARTNER", "PowerCustomerSuccess"] {
            let user = USERINFO.replace('{', &format!(r#"{{"user_type":"{kind}","#));
            let org = Org::new()
                .without_identity()
                .answer("/services/data", 200, r#"[{"version":"68.0"}]"#)
                .answer("/services/oauth2/userinfo", 200, &user);
            let failure = identify(&org).unwrap_err();
            let said = format!("of the user type {kind}");
            assert!(failure.message.contains(&said), "{}", failure.message);
        }
    }

    #[test]
    fn environments_are_told_apart() {
        let of = |sandbox, origin, edition| environment(sandbox, origin, edition);
        assert_eq!(
            of(Some(true), "https://a.my.salesforce.com", None),
            Environment::Sandbox
        );
        assert_eq!(
            of(None, "https://a--uat.sandbox.my.salesforce.com", None),
            Environment::Sandbox
        );
        assert_eq!(
            of(
                Some(false),
                "https://a-dev-ed.develop.my.salesforce.com",
                Some("Developer Edition")
            ),
            Environment::Development
        );
        assert_eq!(
            of(
                Some(false),
                "https://a.my.salesforce.com",
                Some("Enterprise Edition")
            ),
            Environment::Production
        );
        assert_eq!(of(None, "http://127.0.0.1:1", None), Environment::Unknown);
    }
}
