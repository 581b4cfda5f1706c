//! The pages that a person sees: to sign in, to allow, and what went wrong. No scripts.

use super::{OauthError, Scopes};
use crate::id::Id;
use crate::state::Shared;
use crate::wire::{Form, Reply, Request};

/// What the pages carry from the request to the decision.
const CARRIED: [&str; 9] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "nonce",
];

const HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Dev org</title>\
<style>body{font:16px system-ui;max-width:40rem;margin:4rem auto;padding:0 1rem}\
label,input,button{display:block;width:100%;box-sizing:border-box;margin:.3rem 0;font:inherit;padding:.4rem}\
label{padding:0}td{padding:.2rem .6rem .2rem 0}.error{color:#b00}</style></head><body>";

/// Shows where to sign in to let an app in; with `words` it has been tried and refused.
pub(super) fn sign_in(form: &Form, shared: &Shared, app: &str, words: Option<&str>) -> Reply {
    let known = form
        .get("username")
        .or_else(|| form.get("login_hint"))
        .unwrap_or_default();
    let lead = format!("<p>to go on to {}</p>", escaped(app));
    let to = "/services/oauth2/authorize";
    sign_in_form(shared, to, &carried(form), known, &lead, words)
}

/// Shows a form with username and password that goes to an address with hidden values.
pub(super) fn sign_in_form(
    shared: &Shared,
    to: &str,
    hidden: &str,
    username: &str,
    lead: &str,
    words: Option<&str>,
) -> Reply {
    let users: String = shared
        .users
        .iter()
        .map(|user| format!("<option value=\"{}\">", escaped(&user.username)))
        .collect();
    let error = words
        .map(|words| format!("<p class=\"error\">{}</p>", escaped(words)))
        .unwrap_or_default();
    let html = format!(
        "<h1>Log in to the dev org</h1>{lead}{error}<form method=\"post\" action=\"{to}\">{hidden}\
         <label for=\"username\">Username</label>\
         <input id=\"username\" name=\"username\" list=\"users\" value=\"{}\" autocomplete=\"off\">\
         <datalist id=\"users\">{users}</datalist>\
         <label for=\"password\">Password</label>\
         <input id=\"password\" name=\"password\" type=\"password\">\
         <button id=\"Login\">Log In</button></form>",
        escaped(username),
    );
    page(if words.is_some() { 400 } else { 200 }, &html)
}

/// Asks who has signed in whether the app may do what it asks for.
pub(super) fn consent(
    form: &Form,
    shared: &Shared,
    app: &str,
    scopes: &Scopes,
    user: Id,
    ticket: &str,
) -> Reply {
    let name = {
        let org = shared.org();
        let user = org.store.get("User", user);
        let username = user.and_then(|user| user.get("Username").as_text());
        escaped(username.unwrap_or_default())
    };
    let asked: String = scopes
        .in_words()
        .map(|(scope, words)| format!("<li>{words} ({scope})</li>"))
        .collect();
    let html = format!(
        "<h1>Allow Access?</h1><p>{app} is asking to:</p><ul>{asked}</ul>\
         <p>Do you want to allow access for {name}?</p>\
         <form method=\"post\" action=\"/services/oauth2/authorize\">{carried}{ticket}\
         <button id=\"oaapprove\" name=\"decision\" value=\"allow\">Allow</button>\
         <button id=\"oadeny\" name=\"decision\" value=\"deny\">Deny</button></form>",
        app = escaped(app),
        carried = carried(form),
        ticket = hidden("sign_in", ticket),
    );
    page(200, &html)
}

/// Turns away who may use the API alone; nothing goes to the app's callback.
pub(super) fn api_only() -> Reply {
    page(
        403,
        "<h1>Access Restricted for API Only Users</h1>\
         <p class=\"error\">You can no longer access the UI. Close this window to continue.</p>",
    )
}

/// Says what is wrong with the request; nothing goes to the app's callback.
pub(super) fn error(error: &OauthError) -> Reply {
    let html = format!(
        "<h1>OAuth Error</h1><p class=\"error\">error={}&amp;error_description={}</p>",
        escaped(error.error),
        escaped(error.description)
    );
    page(400, &html)
}

/// `/setup/secur/RemoteAccessErrorPage.apexp`, which names the cause in its address and, but for
/// an app that is not there, nowhere else.
pub(crate) fn remote_access_error(request: &Request) -> Reply {
    let words = match request.param("error") {
        Some(code @ ("OAUTH_EC_APP_NOT_FOUND" | "inactive_org")) => {
            let description = request.param("error_description").unwrap_or_default();
            format!("{code} : {}", escaped(description))
        }
        _ => "OAUTH_APPROVAL_ERROR_GENERIC : An unexpected error has occurred during \
              authentication. Please try again."
            .to_owned(),
    };
    let html = format!(
        "<h1>OAuth Error</h1><p>We can't authorize you because of an OAuth error. For more \
         information, contact your Salesforce administrator.</p><p class=\"error\">{words}</p>"
    );
    page(200, &html)
}

/// Writes a hidden value of a form.
pub(super) fn hidden(name: &str, value: &str) -> String {
    format!(
        "<input type=\"hidden\" name=\"{name}\" value=\"{}\">",
        escaped(value)
    )
}

/// Makes a page of a body.
pub(super) fn page(status: u16, html: &str) -> Reply {
    Reply::page(status, format!("{HEAD}{html}</body></html>"))
}

fn carried(form: &Form) -> String {
    CARRIED
        .iter()
        .filter_map(|name| Some(hidden(name, form.get(name)?)))
        .collect()
}

pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    #[test]
    fn markup_is_escaped() {
        assert_eq!(
            super::escaped("<a b=\"c\">&'"),
            "&lt;a b=&quot;c&quot;&gt;&amp;&#39;"
        );
    }
}
