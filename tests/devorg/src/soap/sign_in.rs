//! `login`, `logout`, `getUserInfo` and `getServerTimestamp`.

use super::envelope::Element;
use super::fault::Fault;
use super::node::Node;
use super::{Caller, moment};
use crate::id::Id;
use crate::oauth::{self, Consent, Scopes};
use crate::org::Org;
use crate::rest::Version;
use crate::state::Shared;
use crate::wire::Request;

/// The last version in which one signs in here; later ones have OAuth alone.
const LOGIN_VERSION_LAST: u32 = 64;

/// The app of sessions that no app asked for; none has this name.
const NO_APP: &str = "";

/// How long a session lasts from its last use, as a new org has it.
const SESSION_SECONDS: u32 = 7_200;

/// Signs in by username and password; no security token follows the password, since the org trusts
/// every address.
pub(super) fn login(
    shared: &Shared,
    request: &Request,
    operation: &Element,
    kind: &str,
    version: Version,
) -> Result<Vec<Node>, Fault> {
    if version.number() > LOGIN_VERSION_LAST {
        let message = format!(
            "SOAP API login() is not available in API version {}.0; use OAuth",
            version.number()
        );
        return Err(Fault::api("UNSUPPORTED_API_VERSION", message));
    }
    let username = operation.text_of("username").unwrap_or_default();
    let password = operation.child("password").map_or("", |child| &child.text);
    let user =
        oauth::with_password(shared, username, password).filter(|user| shared.is_active(*user));
    let Some(user) = user else {
        let message = "Invalid username, password, security token; or user locked out.";
        return Err(Fault::api("INVALID_LOGIN", message));
    };
    let session_id = begin(shared, user)?;
    let server = |kind: &str| {
        let (url, org) = (shared.origin(request), shared.org_id.short());
        format!("{url}/services/Soap/{kind}/{}.0/{org}", version.number())
    };
    Ok(vec![Node::of(
        "result",
        vec![
            Node::text("metadataServerUrl", server("m")),
            Node::text("passwordExpired", false),
            Node::text("sandbox", false),
            Node::text("serverUrl", server(kind)),
            Node::text("sessionId", session_id),
            Node::text("userId", user),
            Node::of("userInfo", user_info(&shared.org(), user)),
        ],
    )])
}

/// Begins a session of a user who may use the API, and gives its id.
fn begin(shared: &Shared, user: Id) -> Result<String, Fault> {
    if !shared.access(&shared.org(), user).api_enabled() {
        let message = "API is not enabled for this Organization or Partner";
        return Err(Fault::api("API_DISABLED_FOR_ORG", message));
    }
    let consent = Consent {
        client_id: NO_APP.into(),
        user,
        scopes: Scopes::all(),
        asked: false,
    };
    let issued = shared
        .grants()
        .issue_session(shared.org_id, consent, None)
        .map_err(|_| {
            Fault::api(
                "UNKNOWN_EXCEPTION",
                "the org's machine gives no random bytes",
            )
        })?;
    Ok(issued.access_token)
}

/// Ends the caller's session.
pub(super) fn logout(shared: &Shared, caller: &Caller) -> Vec<Node> {
    shared.grants().expire(&caller.session_id);
    Vec::new()
}

/// Tells who the caller is.
pub(super) fn get_user_info(org: &Org, caller: &Caller) -> Vec<Node> {
    vec![Node::of("result", user_info(org, caller.session.user_id))]
}

/// Tells the org's time.
pub(super) fn get_server_timestamp(org: &Org) -> Vec<Node> {
    let timestamp = Node::text("timestamp", moment(org.now()));
    vec![Node::of("result", vec![timestamp])]
}

fn user_info(org: &Org, id: Id) -> Vec<Node> {
    let value = |object: &str, id: Id, field: &str| {
        let record = org.store.get(object, id)?;
        record.get(field).as_text().map(str::to_owned)
    };
    let of_user = |tag: &str, field: &str| Node::maybe(tag, value("User", id, field));
    vec![
        Node::text("accessibilityMode", false),
        Node::text("chatterExternal", false),
        Node::text("currencySymbol", "$"),
        Node::text("orgAttachmentFileSizeLimit", 5_242_880),
        Node::text("orgDefaultCurrencyIsoCode", "USD"),
        Node::text("orgDisallowHtmlAttachments", false),
        Node::text("orgHasPersonAccounts", false),
        Node::text("organizationId", org.id),
        Node::text("organizationMultiCurrency", false),
        Node::maybe("organizationName", value("Organization", org.id, "Name")),
        of_user("profileId", "ProfileId"),
        of_user("roleId", "UserRoleId"),
        Node::text("sessionSecondsValid", SESSION_SECONDS),
        Node::nil("userDefaultCurrencyIsoCode"),
        of_user("userEmail", "Email"),
        of_user("userFullName", "Name"),
        Node::text("userId", id),
        of_user("userLanguage", "LanguageLocaleKey"),
        of_user("userLocale", "LocaleSidKey"),
        of_user("userName", "Username"),
        of_user("userTimeZone", "TimeZoneSidKey"),
        of_user("userType", "UserType"),
        Node::text("userUiSkin", "Theme3"),
    ]
}
