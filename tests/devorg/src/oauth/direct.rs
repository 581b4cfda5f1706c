//! Grants without a browser: an app by its own credentials, and a username with a password.

use super::admission::{self, Door, at_login_host};
use super::app::App;
use super::grants::{Consent, Issued};
use super::token::{self, NO_RANDOM};
use super::{AppState, OauthError, Scopes, sign_in};
use crate::id::Id;
use crate::state::Shared;
use crate::wire::{Form, Request};

/// The client credentials grant: the app is the user that its settings name.
pub(super) fn client_credentials(
    shared: &Shared,
    request: &Request,
    form: &Form,
) -> Result<(App, Issued), OauthError> {
    if at_login_host(request) {
        return Err(OauthError::new(
            "invalid_grant",
            "request not supported on this domain",
        ));
    }
    let app = token::caller(shared, request, form, false)?;
    let user = app
        .run_as
        .filter(|_| app.state != AppState::NoRunAsUser)
        .ok_or(OauthError::new(
            "invalid_grant",
            "no client credentials user enabled",
        ))?;
    session(shared, app, user)
}

/// The username-password grant, which old clients use.
pub(super) fn password(
    shared: &Shared,
    request: &Request,
    form: &Form,
) -> Result<(App, Issued), OauthError> {
    let app = token::caller(shared, request, form, false)?;
    let given = |name| form.get(name).unwrap_or_default();
    let user = sign_in::with_password(shared, given("username"), given("password")).ok_or(
        OauthError::new("invalid_grant", "authentication failure - Invalid Password"),
    )?;
    session(shared, app, user)
}

/// Lets a user in who comes again in the same way: there is no refresh token.
pub(super) fn session(shared: &Shared, app: App, user: Id) -> Result<(App, Issued), OauthError> {
    admission::of_user(shared, &app, user, Door::Direct).map_err(|refusal| refusal.error())?;
    let consent = Consent {
        client_id: app.client_id.clone(),
        user,
        scopes: Scopes::without_refresh(&app.scopes()),
        asked: false,
    };
    let issued = shared.grants().issue_session(shared.org_id, consent, None);
    Ok((app, issued.map_err(|_| NO_RANDOM)?))
}
