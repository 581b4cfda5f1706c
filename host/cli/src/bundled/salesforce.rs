//! The address of an org, as people paste it: what of it is meant, or what to paste instead.

use anyhow::{Error, Result};
use portcullis::network::HostPort;
use portcullis::policy::{Auth, LoginPlace, Manifest, Origin};
use portcullis_connect::resolve;
use url::Url;

use crate::problem::Problem;

/// The manifest of the connector, as it is in the component.
pub(super) const MANIFEST: &str = include_str!("../../../../connector/salesforce/manifest.json");

/// What an address looks like, for messages.
const SHAPE: &str = "give the org's My Domain address, such as `https://acme.my.salesforce.com`: it is what `sf org display` calls the instance URL";

/// Reads an org's address.
///
/// Loopback and private addresses, and `http`, are for destinations among `allowed` alone.
///
/// # Errors
///
/// One sentence that says what is wrong with the address, and which one is probably meant.
pub(crate) fn instance_url(text: &str, allowed: &[HostPort]) -> Result<Origin> {
    let refuse = |problem: &str, hint: &str| {
        Error::new(Problem::mistake(
            "instance_url",
            format!("`{}` is no address of an org: {problem}", shown(text)),
            hint,
        ))
    };
    let text = text.trim();
    let url = match text.contains("://") {
        true => Url::parse(text),
        false => Url::parse(&format!("https://{text}")),
    };
    let url = url.map_err(|error| refuse(&error.to_string(), SHAPE))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("it carries a user name or password", SHAPE));
    }
    match meant(url.host_str().unwrap_or_default()) {
        Meant::Org(meant) => {
            let hint = format!("use `--instance-url {meant}`");
            return Err(refuse("it is not where the org's API is", &hint));
        }
        Meant::Everybodys => {
            return Err(refuse("every org signs in there, and none is there", SHAPE));
        }
        Meant::Itself => {}
    }
    let origin = url.origin().ascii_serialization();
    let origin = Origin::parse(&origin).map_err(|error| refuse(&error.to_string(), SHAPE))?;
    if !text.contains("://") {
        if !origin.host().contains('.') {
            return Err(refuse("it is no host's name", SHAPE));
        }
        let hint = format!("use `--instance-url {origin}`");
        return Err(refuse("it does not begin with `https://`", &hint));
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        let hint = format!("use `--instance-url {origin}`");
        return Err(refuse("something stands behind the host", &hint));
    }
    let destination = HostPort::new(origin.host(), origin.port());
    if allowed.contains(&destination) {
        return Ok(origin);
    }
    if origin.is_loopback() {
        let hint = format!("to use an org on this machine, add `--allow-origin {destination}`");
        return Err(refuse("it is on this machine", &hint));
    }
    if !origin.is_https() {
        return Err(refuse(
            "it is not https, so the access token could be read on its way",
            SHAPE,
        ));
    }
    Ok(origin)
}

/// What of an address is repeated: all but a password that stands in it.
fn shown(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, host)) => format!("…@{}", host.escape_debug()),
        None => text.escape_debug().to_string(),
    }
}

/// What a host is, as the connector's manifest knows it.
enum Meant {
    /// Not that of the API, but one that leads to it.
    Org(Origin),
    /// A login that everybody uses.
    Everybodys,
    /// Whatever it is, it is taken as it is.
    Itself,
}

fn meant(host: &str) -> Meant {
    let Ok(Auth::OAuth2(auth)) = Manifest::from_json(MANIFEST).map(|manifest| manifest.auth) else {
        return Meant::Itself;
    };
    let Ok(login) = resolve(&auth, &format!("https://{host}"), &[]) else {
        return Meant::Itself;
    };
    let is_everybodys = auth.login.iter().any(|one| match &one.place {
        LoginPlace::Origin(origin) => *origin == login.origin,
        LoginPlace::Pattern(_) => false,
    });
    match login.origin.host() == host {
        _ if is_everybodys => Meant::Everybodys,
        true => Meant::Itself,
        false => Meant::Org(login.origin),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_as_it_is_meant() {
        for (text, origin) in [
            (
                "https://acme.my.salesforce.com",
                "https://acme.my.salesforce.com",
            ),
            (
                " https://ACME.my.salesforce.com/ ",
                "https://acme.my.salesforce.com",
            ),
            (
                "https://acme--uat.sandbox.my.salesforce.com:443",
                "https://acme--uat.sandbox.my.salesforce.com",
            ),
        ] {
            assert_eq!(instance_url(text, &[]).unwrap().to_string(), origin);
        }
        let allowed = ["127.0.0.1:8080".parse().unwrap()];
        let origin = instance_url("http://127.0.0.1:8080", &allowed).unwrap();
        assert_eq!(origin.to_string(), "http://127.0.0.1:8080");
    }

    #[test]
    fn what_is_no_address_is_answered_with_the_one_that_is_meant() {
        let mut said = String::new();
        for text in [
            "acme",
            "acme.my.salesforce.com",
            "https://acme.lightning.force.com/lightning/page/home",
            "https://acme--uat.sandbox.lightning.force.com",
            "https://acme--c.vf.force.com/apex/page",
            "https://acme--npsp.vf.force.com/apex/page",
            "https://acme--uat.my.salesforce.com",
            "https://acme.my.salesforce-setup.com/lightning/setup/SetupOneHome/home",
            "https://acme.my.salesforce.com/services/data",
            "https://login.salesforce.com",
            "http://acme.my.salesforce.com",
            "https://user:secret@acme.my.salesforce.com",
            "http://localhost:8080",
            "ftp://acme.my.salesforce.com",
            "https://",
            "",
        ] {
            let problem = Problem::of_error(instance_url(text, &[]).unwrap_err());
            assert_eq!(problem.exit, crate::problem::MISTAKE);
            let hint = problem.hint.as_deref().unwrap_or_default();
            said.push_str(&format!("{problem}\n  {hint}\n"));
        }
        insta::assert_snapshot!(said);
    }
}
