//! `/setup/oauth-usage`: the page *Connected Apps OAuth Usage*, where an administrator installs,
//! uninstalls, blocks and unblocks apps.

use http::Method;

use super::app::{Action, App};
use super::{AppState, admission, page, sign_in};
use crate::state::Shared;
use crate::wire::{Reply, Request};

const HERE: &str = "/setup/oauth-usage";

/// Answers the page and its buttons.
pub(crate) fn usage(shared: &Shared, request: &Request) -> Reply {
    let form = request.form();
    if request.method == Method::GET {
        return page::sign_in_form(shared, HERE, "", "", "", None);
    }
    if request.method != Method::POST {
        return Reply::not_allowed(&request.method, "GET,POST");
    }
    let Some(user) = sign_in::who(shared, &form) else {
        let words = "Please check your username and password.";
        let username = form.get("username").unwrap_or_default();
        return page::sign_in_form(shared, HERE, "", username, "", Some(words));
    };
    if !admission::approves_uninstalled(shared, user) || !shared.is_active(user) {
        let words = "<h1>Insufficient Privileges</h1><p class=\"error\">You do not have the level \
                     of access necessary to perform the operation you requested.</p>";
        return page::page(403, words);
    }
    let pressed = form
        .get("action")
        .and_then(|name| Action::ALL.into_iter().find(|action| action.name() == name));
    if let (Some(action), Some(client_id)) = (pressed, form.get("app")) {
        shared.act_on_app(client_id, action);
    }
    match shared.sign_ins().open(user) {
        Ok(ticket) => list(shared, &ticket),
        Err(_) => page::page(500, "<h1>No random bytes</h1>"),
    }
}

fn list(shared: &Shared, ticket: &str) -> Reply {
    let rows: String = shared
        .apps()
        .all()
        .iter()
        .map(|app| row(app, shared.grants().users_of(&app.client_id), ticket))
        .collect();
    let html = format!(
        "<h1>Connected Apps OAuth Usage</h1><table><tr><th>Connected App</th><th>Users</th>\
         <th>Status</th><th>Actions</th></tr>{rows}</table>"
    );
    page::page(200, &html)
}

fn row(app: &App, users: usize, ticket: &str) -> String {
    let status = match app.state {
        AppState::NotInstalled => "Not installed",
        AppState::Blocked => "Blocked",
        _ => "Installed",
    };
    let buttons: String = Action::ALL
        .into_iter()
        .filter(|action| action.fits(app.state))
        .map(|action| {
            format!(
                "<button name=\"action\" value=\"{0}\">{0}</button>",
                action.name()
            )
        })
        .collect();
    format!(
        "<tr><td>{}</td><td>{users}</td><td>{status}</td><td>\
         <form method=\"post\" action=\"{HERE}\">{}{}{buttons}</form></td></tr>",
        page::escaped(&app.name),
        page::hidden("sign_in", ticket),
        page::hidden("app", &app.client_id),
    )
}
