//! The pages that a person sees: to sign in and allow, and what went wrong.

use crate::state::Shared;
use crate::wire::{Form, Reply};

use super::Scopes;

/// What the page carries from the request to the decision.
const CARRIED: [&str; 7] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
];

const HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Dev org</title>\
<style>body{font:16px system-ui;max-width:24rem;margin:4rem auto;padding:0 1rem}\
label,input,button{display:block;width:100%;box-sizing:border-box;margin:.3rem 0;font:inherit;padding:.4rem}\
label{padding:0}.error{color:#b00}</style></head><body>";

/// Shows who can sign in and what the app asks for; with `words` it has been tried and refused.
pub(super) fn sign_in(form: &Form, shared: &Shared, scopes: &Scopes, words: Option<&str>) -> Reply {
    let hidden: String = CARRIED
        .iter()
        .filter_map(|name| Some((name, form.get(name)?)))
        .map(|(name, value)| {
            format!(
                "<input type=\"hidden\" name=\"{name}\" value=\"{}\">",
                escaped(value)
            )
        })
        .collect();
    let users: String = shared
        .users
        .iter()
        .map(|user| format!("<option value=\"{}\">", escaped(&user.username)))
        .collect();
    let known = form
        .get("username")
        .or_else(|| form.get("login_hint"))
        .unwrap_or_default();
    let error = words
        .map(|words| format!("<p class=\"error\">{}</p>", escaped(words)))
        .unwrap_or_default();
    let html = format!(
        "{HEAD}<h1>Sign in to the dev org</h1>{error}<form method=\"post\" action=\"/services/oauth2/authorize\">{hidden}\
         <label for=\"username\">Username</label>\
         <input id=\"username\" name=\"username\" list=\"users\" value=\"{}\" autocomplete=\"off\">\
         <datalist id=\"users\">{users}</datalist>\
         <label for=\"password\">Password</label><input id=\"password\" name=\"password\" type=\"password\">\
         <p>The app asks for: {}</p>\
         <button name=\"decision\" value=\"allow\">Allow</button><button name=\"decision\" value=\"deny\">Deny</button>\
         </form></body></html>",
        escaped(known),
        escaped(&scopes.to_string()),
    );
    Reply::page(if words.is_some() { 400 } else { 200 }, html)
}

/// Says what is wrong with the app; nothing goes to its callback.
pub(super) fn error(error: &str, description: &str) -> Reply {
    let html = format!(
        "{HEAD}<h1>OAuth Error</h1><p class=\"error\">error={}&amp;error_description={}</p></body></html>",
        escaped(error),
        escaped(description)
    );
    Reply::page(400, html)
}

/// Turns away who may use the API alone; nothing goes to the app's callback.
pub(super) fn api_only() -> Reply {
    let html = format!(
        "{HEAD}<h1>Access Restricted for API Only Users</h1>\
         <p class=\"error\">You can no longer access the UI. Close this window to continue.</p></body></html>"
    );
    Reply::page(403, html)
}

fn escaped(text: &str) -> String {
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
