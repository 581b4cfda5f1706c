//! The pages where a person signs in and out.

use std::fmt::Write as _;
use std::time::Duration;

use http::StatusCode;

use super::{Page, escaped, heading, paragraph};
use crate::pages::back::Back;
use crate::pages::{SIGN_IN, SIGN_OUT};

/// What the page that asks for a token is made of.
pub(in crate::pages) struct Asked {
    pub(in crate::pages) token: String,
    /// What is led back to.
    pub(in crate::pages) back: Option<Back>,
    pub(in crate::pages) problem: Option<&'static str>,
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
