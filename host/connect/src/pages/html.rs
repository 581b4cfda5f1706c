//! The pages themselves. Everything that is put into one is escaped, whoever wrote it.

pub(super) mod approve;
pub(super) mod front;
pub(super) mod sign_in;

use std::fmt::Write as _;

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY,
    RETRY_AFTER, SET_COOKIE, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use portcullis::ports::credentials::Environment;
use portcullis_policy::{Manifest, Scopes, escape_html};

use super::NoOffer;
use crate::token::bounded;
use crate::{ConnectError, Connected, Guide, Login, Service, explained};

/// Nothing runs, nothing is loaded, nothing frames it, and its form goes here.
const CONTENT_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);

/// Browsers that were here once come by https from then on, for a year.
const HTTPS_ALONE: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// After how long a page that waits looks again.
const LOOK_AGAIN_SECONDS: u32 = 5;

/// A page that is about to be sent.
#[derive(Debug)]
pub(crate) struct Page {
    status: StatusCode,
    title: String,
    head: String,
    body: String,
    cookies: Vec<String>,
    allow: Option<&'static str>,
    /// A path here.
    location: Option<String>,
    /// Seconds.
    retry_after: Option<u64>,
}

/// What a person is told before anything begins.
pub(super) struct Welcome<'a> {
    pub(super) service: &'a str,
    pub(super) login: &'a Login,
    pub(super) person: Option<&'a str>,
    /// Whether an agent asks, and not the person themselves.
    pub(super) is_by_agent: bool,
    pub(super) agent: Option<&'a str>,
    pub(super) scopes: Vec<String>,
    /// What the person is connected to already.
    pub(super) organization: Option<String>,
    /// What it may be that the service showed on a page of its own, where the person tried before and did not come back.
    pub(super) stuck: Vec<Guide>,
    pub(super) action: String,
    pub(super) token: String,
    /// Where people sign in.
    pub(super) sign_out: Option<sign_in::SignOut>,
}

/// Says what scopes mean, where the manifest says.
pub(super) fn meanings(scopes: &Scopes, chosen: &[String]) -> Vec<String> {
    let known = explained(scopes);
    let meaning = |scope: &String| {
        let known = known.iter().find(|known| known.scope == scope)?;
        known.meaning.map(str::to_owned)
    };
    chosen
        .iter()
        .map(|scope| meaning(scope).unwrap_or_else(|| scope.clone()))
        .collect()
}

impl Page {
    fn new(status: StatusCode, title: &str, body: String) -> Self {
        Self {
            status,
            title: escaped(title),
            head: String::new(),
            body,
            cookies: Vec::new(),
            allow: None,
            location: None,
            retry_after: None,
        }
    }

    /// Leads to another path here.
    fn elsewhere(path: &str) -> Self {
        Self {
            location: Some(path.to_owned()),
            ..Self::new(StatusCode::SEE_OTHER, "Portcullis", String::new())
        }
    }

    /// A page of a sentence.
    pub(crate) fn words(status: StatusCode, words: &str) -> Self {
        Self::new(status, "Portcullis", paragraph(words))
    }

    pub(super) fn not_allowed(allow: &'static str) -> Self {
        let page = Self::words(StatusCode::METHOD_NOT_ALLOWED, "This is only for browsers.");
        Self {
            allow: Some(allow),
            ..page
        }
    }

    pub(super) fn no_link() -> Self {
        Self::words(
            StatusCode::NOT_FOUND,
            "This link was used already, or is too old. Ask the agent again: it gives a new one.",
        )
    }

    pub(super) fn no_offer(service: &str, why: &NoOffer) -> Self {
        let words = match why {
            NoOffer::NotSetUp => format!(
                "Nobody has set up yet how people sign in to {service} here: ask an administrator."
            ),
            NoOffer::Because(why) => format!("You cannot sign in to {service} here: {why}."),
        };
        Self::words(StatusCode::NOT_FOUND, &words)
    }

    pub(super) fn not_from_here() -> Self {
        Self::words(
            StatusCode::FORBIDDEN,
            "This did not come from the page that was shown in this browser. Open the link again.",
        )
    }

    pub(super) fn welcome(welcome: &Welcome<'_>) -> Self {
        let title = format!("Connect {}", welcome.service);
        let mut body = heading(&title);
        let agent = welcome.agent.unwrap_or("an agent that is no longer known");
        let person = welcome.person.unwrap_or("a person who is no longer known");
        body += &paragraph(&match welcome.is_by_agent {
            true => format!(
                "The agent {agent} asks to work with {} as {person}. Go on only if that is you, and you asked it to.",
                welcome.service
            ),
            false => format!(
                "At the command line, {person} asks to connect {}. Go on only if that is you, and you asked for it.",
                welcome.service
            ),
        });
        body += &paragraph(&format!(
            "You sign in at {} ({}). After that, agents that work for you can:",
            welcome.login.origin, welcome.login.title
        ));
        body += &list(&welcome.scopes);
        let _ = write!(
            body,
            "<form method=\"post\" action=\"{}\"><input type=\"hidden\" name=\"token\" value=\"{}\">",
            escaped(&welcome.action),
            escaped(&welcome.token)
        );
        if let Some(organization) = &welcome.organization {
            let _ = write!(
                body,
                "<p><label><input type=\"checkbox\" name=\"other_organization\" value=\"yes\"> The account may be of \
                 another organization than {}, which you are connected to now.</label>",
                escaped(organization)
            );
        }
        body += "<p><button type=\"submit\">Go on and sign in</button></form>";
        body += &paragraph("If not, close this page: nothing has happened.");
        body += &may_mean("Did you try before?", welcome.service, &welcome.stuck);
        if let Some(sign_out) = &welcome.sign_out {
            body += &sign_out.html();
        }
        Self::new(StatusCode::OK, &title, body)
    }

    /// Leads to the service, in a tab of its own, and waits in this one: nothing leads back from an error page of the service's. By a
    /// page rather than a redirect: browsers hold the redirects behind a form to its page's `form-action`, and services
    /// redirect further.
    pub(super) fn onward(service: &str, url: &str, warning: Option<&str>, wait: &str) -> Self {
        let mut body = heading(&format!("Sign in to {service}"));
        body += &warning.map(paragraph).unwrap_or_default();
        let _ = write!(
            body,
            "<p><a href=\"{}\" target=\"_blank\" rel=\"noopener noreferrer\">Sign in to {}</a> (in a new tab)",
            escaped(url),
            escaped(service)
        );
        body += &paragraph("Keep this page open: it says what came of it.");
        Self::new(StatusCode::OK, "Sign in", body).looking_again(wait)
    }

    /// Says that nobody has come back yet, and what may have happened.
    pub(super) fn waiting(service: &str, stuck: &[Guide], here: &str) -> Self {
        let mut body = heading(&format!("Waiting for {service}"));
        body += &paragraph(
            "You have not come back from the sign-in yet. It is in the other tab; this page says what comes of it.",
        );
        body += &may_mean("Nothing happens?", service, stuck);
        Self::new(StatusCode::OK, "Waiting", body).looking_again(here)
    }

    /// Says why nothing was connected, as it was written down.
    pub(super) fn refused(problem: &str, hint: Option<&str>) -> Self {
        let mut body = heading("Not connected");
        body += &paragraph(problem);
        for line in hint.unwrap_or_default().lines() {
            body += &paragraph(line);
        }
        body += &paragraph("Then ask the agent again: it gives a new link.");
        Self::new(StatusCode::OK, "Not connected", body)
    }

    /// Has the browser look again, at a path here.
    fn looking_again(self, path: &str) -> Self {
        let head = format!(
            "<meta http-equiv=\"refresh\" content=\"{LOOK_AGAIN_SECONDS};url={}\">",
            escaped(path)
        );
        Self { head, ..self }
    }

    pub(crate) fn connected(connected: &Connected, manifest: Option<&Manifest>) -> Self {
        let environment = match connected.environment {
            Environment::Production => "PRODUCTION: real data",
            Environment::Sandbox => "a sandbox",
            Environment::Development => "for development",
            Environment::Unknown => "of a kind that is not known",
        };
        let organization = connected.organization.as_deref().unwrap_or("no name");
        let scopes = match manifest.and_then(Service::of) {
            Some(service) => meanings(&service.auth.scopes, &connected.scopes),
            None => connected.scopes.clone(),
        };
        let mut body = heading("You are connected");
        body += &list(&[
            format!("Who: {}", connected.identity.user_name),
            format!("Organization: {organization}, {environment}"),
            format!("Address: {}", connected.origin),
        ]);
        body += &paragraph("Agents that work for you can:");
        body += &list(&scopes);
        body += &paragraph("You can close this page and go back to where you began.");
        Self::new(StatusCode::OK, "You are connected", body)
    }

    pub(crate) fn of_error(error: &ConnectError) -> Self {
        let mut body = heading("Not connected");
        match error.guide() {
            Some(guide) => {
                body += &of_guide(guide);
                body += &paragraph(&format!("In the service's words: {error}"));
            }
            None => {
                body += &paragraph(&error.to_string());
                if let Some(hint) = error.hint() {
                    body += &paragraph(&hint);
                }
            }
        }
        let status = match error {
            ConnectError::Store(_) | ConnectError::NoRandom(_) | ConnectError::Ended => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            _ => StatusCode::BAD_REQUEST,
        };
        Self::new(status, "Not connected", body)
    }

    pub(super) fn with_cookie(mut self, cookie: String) -> Self {
        self.cookies.push(cookie);
        self
    }

    /// Writes the page; `is_https_alone` where browsers must not come by http.
    pub(crate) fn response(self, is_https_alone: bool) -> Response<Full<Bytes>> {
        let html = format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width\"><title>{}</title>{}{}</html>",
            self.title, self.head, self.body
        );
        let mut response = Response::new(Full::new(Bytes::from(html)));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.extend([
            (
                CONTENT_TYPE,
                HeaderValue::from_static("text/html; charset=utf-8"),
            ),
            (CONTENT_SECURITY_POLICY, CONTENT_POLICY),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            // The page's address is a secret. With `no-referrer` its own form would come from nowhere.
            (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ]);
        if is_https_alone {
            headers.insert(STRICT_TRANSPORT_SECURITY, HTTPS_ALONE);
        }
        let location = self.location.as_deref().map(HeaderValue::from_str);
        if let Some(Ok(location)) = location {
            headers.insert(LOCATION, location);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if let Some(allow) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        let cookies = self.cookies.iter();
        for cookie in cookies.filter_map(|text| HeaderValue::from_str(text).ok()) {
            headers.append(SET_COOKIE, cookie);
        }
        response
    }
}

/// What it may be that the service shows on a page of its own; nothing where there are no guides.
fn may_mean(title: &str, service: &str, guides: &[Guide]) -> String {
    if guides.is_empty() {
        return String::new();
    }
    let mut body = format!(
        "<h2>{}</h2><p>If {} showed an error on a page of its own, which does not lead back:",
        escaped(title),
        escaped(service)
    );
    for guide in guides {
        let _ = write!(
            body,
            "<details><summary>{}</summary>{}</details>",
            escaped(&guide.title),
            of_guide(guide)
        );
    }
    body
}

fn of_guide(guide: &Guide) -> String {
    let mut body = paragraph(&guide.title);
    for (heading, steps) in [
        ("What to do:", &guide.steps),
        ("What you can do:", &guide.person),
        ("What an administrator can do:", &guide.administrator),
    ] {
        if !steps.is_empty() {
            body += &paragraph(heading);
            body += &list(steps);
        }
    }
    if let Some(page) = &guide.setup {
        let _ = write!(
            body,
            "<p><a href=\"{}\" rel=\"noreferrer\">{}</a>",
            escaped(&page.url),
            escaped(&page.title)
        );
    }
    body
}

fn heading(words: &str) -> String {
    format!("<h1>{}</h1>", escaped(words))
}

fn paragraph(words: &str) -> String {
    format!("<p>{}</p>", escaped(words))
}

fn list(items: &[String]) -> String {
    let items = items.iter().map(|item| format!("<li>{}", escaped(item)));
    format!("<ul>{}</ul>", items.collect::<String>())
}

/// Writes text so that it is text wherever it stands, and in the order in which it is written.
fn escaped(text: &str) -> String {
    let shown: String = text
        .chars()
        .map(|char| bounded(char.encode_utf8(&mut [0; 4])))
        .collect();
    escape_html(&shown)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        let hostile = "\"><script>alert('1')</script>&\u{202e}";
        let shown = escaped(hostile);
        assert_eq!(
            shown,
            "&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp; "
        );
        let page =
            Page::no_offer(hostile, &NoOffer::NotSetUp).with_cookie("a=b\r\nx: y".to_owned());
        let response = page.response(false);
        assert!(!response.headers().contains_key(SET_COOKIE));
        assert!(!response.headers().contains_key("x"));
    }
}
