//! What to do about a service's error, in words for people.

use std::fmt;

use portcullis_policy::{ErrorPlace, Guidance, LoginPlace, OAuth2, Origin};
use url::form_urlencoded;

/// What a guide is filled in with.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The connection's address, or the login's where there is no connection yet: links lead there and nowhere else.
    pub origin: Origin,
    /// The host's callback URL, where it has one.
    pub callback: Option<String>,
    /// The app's client id.
    pub client_id: Option<String>,
    /// The scopes that were asked for.
    pub scopes: Vec<String>,
}

/// What an error means, and what who can do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guide {
    /// What of the service's words it is about: a code, or part of a sentence.
    pub about: String,
    /// Whether it holds for now alone, and what was granted stays good.
    pub passes: bool,
    /// What it means.
    pub title: String,
    /// What to do, whoever does it.
    pub steps: Vec<String>,
    /// What the person who connects can do.
    pub person: Vec<String>,
    /// What an administrator of the service must do.
    pub administrator: Vec<String>,
    /// The page of the service where the administrator does it.
    pub setup: Option<SetupLink>,
}

/// A page of the service's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupLink {
    /// What the service calls it.
    pub title: String,
    /// Its address.
    pub url: String,
}

/// Finds what the manifest says of an error by its code and description; the first entry that fits.
pub fn guide_of(
    auth: &OAuth2,
    place: ErrorPlace,
    code: &str,
    description: Option<&str>,
    subject: &Subject,
) -> Option<Guide> {
    let is_it = |entry: &&Guidance| {
        entry.is_about(place, code) || description.is_some_and(|text| entry.is_about(place, text))
    };
    auth.guidance
        .iter()
        .find(is_it)
        .map(|entry| guide(auth, entry, subject))
}

/// Finds what the manifest says of a page of the service's own, by its address or by the words on it.
///
/// The address says more than the page, where it has an `error`.
pub fn guide_of_page(auth: &OAuth2, text: &str, subject: &Subject) -> Option<Guide> {
    let query = text.split_once('?').map_or("", |(_, query)| query);
    let query = query.split('#').next().unwrap_or_default();
    let param = |wanted: &str| {
        form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
    };
    let by_address = param("error").and_then(|error| {
        let description = param("error_description");
        guide_of(
            auth,
            ErrorPlace::Page,
            &error,
            description.as_deref(),
            subject,
        )
    });
    by_address.or_else(|| guide_of(auth, ErrorPlace::Page, text, None, subject))
}

/// Gives what the manifest says of all errors that the service shows on a page of its own, from which nothing leads back.
pub fn guides_on_page(auth: &OAuth2, subject: &Subject) -> Vec<Guide> {
    let is_such = |entry: &&Guidance| entry.where_.contains(&ErrorPlace::Page);
    let entries = auth.guidance.iter().filter(is_such);
    entries.map(|entry| guide(auth, entry, subject)).collect()
}

fn guide(auth: &OAuth2, entry: &Guidance, subject: &Subject) -> Guide {
    let filled = |steps: &[String]| -> Vec<String> {
        steps.iter().map(|step| fill(step, subject)).collect()
    };
    let mut administrator = filled(&entry.administrator);
    // A login that everybody uses is nobody's organization, and has no settings.
    let is_for_all = auth.login.iter().any(|login| match &login.place {
        LoginPlace::Origin(origin) => *origin == subject.origin,
        LoginPlace::Pattern(_) => false,
    });
    let mut setup = entry.setup.as_ref();
    if let Some(page) = setup.take_if(|_| is_for_all) {
        let step = "In the organization's settings it is on the page";
        administrator.push(format!("{step} {}.", page.title));
    }
    Guide {
        about: entry.match_.clone(),
        passes: entry.passes,
        title: entry.title.clone(),
        steps: filled(&entry.steps),
        person: filled(&entry.person),
        administrator,
        setup: setup.map(|page| SetupLink {
            title: page.title.clone(),
            url: format!("{}{}", subject.origin, page.path),
        }),
    }
}

fn fill(step: &str, subject: &Subject) -> String {
    let scopes = match subject.scopes.is_empty() {
        true => "that were asked for".to_owned(),
        false => subject.scopes.join(" "),
    };
    let or =
        |value: &Option<String>, words: &str| value.clone().unwrap_or_else(|| words.to_owned());
    // A value is not looked through for further placeholders.
    let values = [
        ("{callback}", or(&subject.callback, "that of this host")),
        (
            "{client_id}",
            or(&subject.client_id, "the one that was given"),
        ),
        ("{scopes}", scopes),
    ];
    let mut filled = String::with_capacity(step.len());
    let mut rest = step;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        filled.push_str(before);
        match values.iter().find(|(name, _)| from.starts_with(name)) {
            Some((name, value)) => {
                filled.push_str(value);
                rest = &from[name.len()..];
            }
            None => {
                filled.push('{');
                rest = &from[1..];
            }
        }
    }
    filled.push_str(rest);
    filled
}

impl fmt::Display for Guide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)?;
        let lists = [
            ("What to do:", &self.steps),
            ("What you can do:", &self.person),
            ("What an administrator can do:", &self.administrator),
        ];
        for (heading, steps) in lists {
            if steps.is_empty() {
                continue;
            }
            write!(f, "\n{heading}")?;
            for step in steps {
                write!(f, "\n  - {step}")?;
            }
        }
        if let Some(page) = &self.setup {
            write!(f, "\n{}: {}", page.title, page.url)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
mod tests {
    use portcullis_policy::{Auth, Manifest};

    use super::*;

    const MANIFEST: &str = include_str!("../../../connector/salesforce/manifest.json");

    fn auth() -> OAuth2 {
        match Manifest::from_json(MANIFEST).unwrap().auth {
            Auth::OAuth2(auth) => *auth,
            other => panic!("{other:?}"),
        }
    }

    fn subject() -> Subject {
        Subject {
            origin: Origin::parse("https://acme.my.salesforce.com").unwrap(),
            callback: Some("https://host.example/callback".to_owned()),
            client_id: Some("3MVG9.key".to_owned()),
            scopes: vec!["api".to_owned(), "refresh_token".to_owned()],
        }
    }

    #[test]
    fn each_entry_reads_as_help() {
        let (auth, subject) = (auth(), subject());
        let mut said = String::new();
        for entry in &auth.guidance {
            said.push_str(&format!(
                "## {}\n{}\n\n",
                entry.match_,
                guide(&auth, entry, &subject)
            ));
        }
        insta::assert_snapshot!(said);
    }

    #[test]
    fn links_lead_to_the_org_and_nowhere_else() {
        let (auth, subject) = (auth(), subject());
        for entry in &auth.guidance {
            if let Some(page) = guide(&auth, entry, &subject).setup {
                let path = page
                    .url
                    .strip_prefix("https://acme.my.salesforce.com/lightning/setup/");
                assert!(path.is_some(), "{}", page.url);
            }
        }
        // Where everybody signs in there is no page of theirs.
        let everybodys = Subject {
            origin: Origin::parse("https://login.salesforce.com").unwrap(),
            ..subject
        };
        let missing = guide_of(
            &auth,
            ErrorPlace::Page,
            "OAUTH_EC_APP_NOT_FOUND",
            None,
            &everybodys,
        );
        let missing = missing.unwrap();
        assert_eq!(missing.setup, None);
        let named = "In the organization's settings it is on the page External Client App Manager.";
        assert!(missing.administrator.iter().any(|step| step == named));
    }

    #[test]
    fn an_error_page_is_told_by_its_address_and_else_by_its_words() {
        let (auth, subject) = (auth(), subject());
        let page = "https://acme.my.salesforce.com/setup/secur/RemoteAccessErrorPage.apexp";
        let title = |text: &str| guide_of_page(&auth, text, &subject).map(|guide| guide.title);
        for (text, expected) in [
            (
                format!(
                    "{page}?error=invalid_client&error_description=app%20must%20be%20installed%20into%20org&state=s"
                ),
                "The app is not installed in this org",
            ),
            (
                format!("{page}?error=invalid_scope#x"),
                "The app lacks a scope that was asked for",
            ),
            (
                "OAUTH_APPROVAL_ERROR_GENERIC : An unexpected error has occurred".to_owned(),
                "Salesforce did not let this app in, and does not say why",
            ),
            (
                "Access Restricted for API Only Users".to_owned(),
                "The user may use the API alone, and cannot sign in on a page",
            ),
        ] {
            assert_eq!(title(&text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(title(page), None);
        assert_eq!(title("error=something_else"), None);
    }

    #[test]
    fn values_are_filled_in_once() {
        let mut subject = subject();
        subject.callback = Some("{client_id}".to_owned());
        subject.client_id = None;
        assert_eq!(fill("{callback}{", &subject), "{client_id}{");
        assert_eq!(
            fill("is {client_id}.", &subject),
            "is the one that was given."
        );
    }
}
