//! The pages where a person signs in and out.

use std::fmt::Write as _;
use std::time::Duration;

use http::StatusCode;
use portcullis_policy::escape_html;

use super::{Page, escaped, heading, paragraph};
use crate::NotSignedIn;
use crate::pages::back::Back;
use crate::pages::{SIGN_IN, SIGN_IN_AT, SIGN_OUT};

/// What the page that asks for a token is made of.
pub(in crate::pages) struct Asked {
    pub(in crate::pages) token: String,
    /// What is led back to.
    pub(in crate::pages) back: Option<Back>,
    pub(in crate::pages) problem: Option<&'static str>,
    /// Where people sign in besides, if there is such a place.
    pub(in crate::pages) issuer: Option<AtIssuer>,
}

/// The form by which a person goes on to the issuer.
pub(in crate::pages) struct AtIssuer {
    pub(in crate::pages) token: String,
    /// What people call it.
    pub(in crate::pages) name: String,
}

impl Asked {
    pub(in crate::pages) const NOT_KNOWN: &'static str = "This token is nobody's here, or has ended. Compare it to the letter, or ask an administrator for a new one.";
}

/// A form by which somebody signs out.
pub(in crate::pages) struct SignOut {
    pub(in crate::pages) token: String,
    /// What is led back to, once somebody else has signed in.
    pub(in crate::pages) back: Option<Back>,
}

impl Page {
    /// Leads to where somebody signs in, and from there back.
    pub(in crate::pages) fn ask_first(back: &Back) -> Self {
        Self::elsewhere(&sign_in_for(Some(back)))
    }

    /// As [`ask_first`](Self::ask_first), after somebody has signed out.
    pub(in crate::pages) fn ask_again(back: Option<&Back>) -> Self {
        Self::elsewhere(&sign_in_for(back))
    }

    /// Leads back, or to where it says who is signed in.
    pub(in crate::pages) fn go_to(back: Option<&Back>) -> Self {
        match back {
            Some(back) => Self::elsewhere(&back.path()),
            None => Self::elsewhere(SIGN_IN),
        }
    }

    /// Asks for a token.
    pub(in crate::pages) fn sign_in(asked: &Asked) -> Self {
        let mut body = heading("Sign in");
        if let Some(problem) = asked.problem {
            body += &paragraph(problem);
        }
        match asked.back {
            Some(Back::Link(_)) => {
                body += &paragraph(
                    "Accounts are connected here by the person whose they are: say who you are first.",
                );
            }
            Some(Back::Questions(_)) => {
                body += &paragraph(
                    "What an agent asks is decided here by the person it works for: say who you are first.",
                );
            }
            None => {}
        }
        if let Some(issuer) = &asked.issuer {
            body += &form(SIGN_IN_AT, &issuer.token, asked.back.as_ref());
            let _ = write!(
                body,
                "<p><button type=\"submit\">Sign in at {}</button></form>",
                escaped(&issuer.name)
            );
            body += &paragraph("Or by a token of yours:");
        }
        body += &form(SIGN_IN, &asked.token, asked.back.as_ref());
        body += "<p><label>Your token <input type=\"password\" name=\"secret\" autocomplete=\"off\" required autofocus></label>\
                 <p><button type=\"submit\">Sign in</button></form>";
        body += &paragraph(
            "An administrator makes one for you: portcullis person token add NAME. Enter it nowhere else.",
        );
        let status = match asked.problem {
            Some(_) => StatusCode::FORBIDDEN,
            None => StatusCode::OK,
        };
        Self::new(status, "Sign in", body)
    }

    /// Leads to the issuer, by a page rather than a redirect: browsers hold the redirects behind a form to its page's `form-action`.
    pub(in crate::pages) fn to_issuer(name: &str, url: &str) -> Self {
        let mut body = heading("Sign in");
        let _ = write!(
            body,
            "<p><a href=\"{}\" rel=\"noreferrer\">Go on to {}</a>",
            escaped_whole(url),
            escaped(name)
        );
        let head = format!(
            "<meta http-equiv=\"refresh\" content=\"0;url={}\">",
            escaped_whole(url)
        );
        Self {
            head,
            ..Self::new(StatusCode::OK, "Sign in", body)
        }
    }

    /// Says that nobody is signed in, as the issuer's word does not count.
    pub(in crate::pages) fn not_vouched(name: &str, why: &NotSignedIn) -> Self {
        let mut body = heading("You are not signed in");
        body += &paragraph(&format!("You did not get in by way of {name}: {why}."));
        body += &again();
        let status = match why {
            NotSignedIn::Unavailable(_) | NotSignedIn::NoEndpoint => StatusCode::BAD_GATEWAY,
            _ => StatusCode::FORBIDDEN,
        };
        Self::new(status, "You are not signed in", body)
    }

    /// Says that nobody here is who the issuer says, and who can say who they are.
    pub(in crate::pages) fn nobody_here(name: &str, subject: &str, url: &str) -> Self {
        let mut body = heading("Nobody knows you here yet");
        body += &paragraph(&format!(
            "{name} says who you are there, and no administrator has said who you are here."
        ));
        body += &paragraph(&format!(
            "Ask one for it: portcullis person subject add NAME {subject} --issuer {url}"
        ));
        body += &again();
        Self::new(StatusCode::FORBIDDEN, "Nobody knows you here yet", body)
    }

    /// Says who is signed in.
    pub(in crate::pages) fn signed_in(name: &str, sign_out: &SignOut) -> Self {
        let mut body = heading("You are signed in");
        body += &paragraph(&format!("You are signed in here as {name}."));
        body += &sign_out.html();
        Self::new(StatusCode::OK, "You are signed in", body)
    }

    /// Refuses another person than a link is for.
    pub(in crate::pages) fn not_yours(name: &str, sign_out: &SignOut) -> Self {
        let mut body = heading("This link is not for you");
        body += &paragraph(&format!(
            "You are signed in here as {name}, and this link is for somebody else. If you went on, that person's agents would \
             work with your account."
        ));
        body += &paragraph(
            "Nothing has happened. If somebody sent you the link, tell an administrator.",
        );
        body += &sign_out.html();
        Self::new(StatusCode::FORBIDDEN, "This link is not for you", body)
    }

    /// Refuses who has tried too often.
    pub(in crate::pages) fn too_many(wait: Duration) -> Self {
        let minutes = wait.as_secs().div_ceil(60).max(1);
        let words = format!(
            "There were too many tries to sign in. Wait {minutes} minutes, then try again."
        );
        Self {
            retry_after: Some(wait.as_secs().max(1)),
            ..Self::words(StatusCode::TOO_MANY_REQUESTS, &words)
        }
    }
}

impl SignOut {
    /// Writes the form.
    pub(super) fn html(&self) -> String {
        let mut html = form(SIGN_OUT, &self.token, self.back.as_ref());
        html += "<p><button type=\"submit\">Sign out</button></form>";
        html
    }
}

fn again() -> String {
    format!("<p><a href=\"{SIGN_IN}\">Sign in another way</a>")
}

/// Writes an address so that it is one wherever it stands, and whole: it is this program's own, or the issuer's.
fn escaped_whole(url: &str) -> String {
    escape_html(url)
}

fn sign_in_for(back: Option<&Back>) -> String {
    match back.map(Back::field) {
        Some((name, value)) => format!("{SIGN_IN}?{name}={value}"),
        None => SIGN_IN.to_owned(),
    }
}

/// Begins a form.
fn form(action: &str, token: &str, back: Option<&Back>) -> String {
    let mut form = format!(
        "<form method=\"post\" action=\"{action}\"><input type=\"hidden\" name=\"token\" value=\"{}\">",
        escaped(token)
    );
    if let Some((name, value)) = back.map(Back::field) {
        let _ = write!(
            form,
            "<input type=\"hidden\" name=\"{name}\" value=\"{}\">",
            escaped(&value)
        );
    }
    form
}
