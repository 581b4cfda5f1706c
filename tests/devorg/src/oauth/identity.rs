//! Who is signed in: `userinfo`, the identity URL, and where everything is.

use http::Method;
use serde_json::{Value as Json, json};

use super::Scopes;
use crate::error::ApiError;
use crate::id::Id;
use crate::org::{Org, compound_json};
use crate::state::Shared;
use crate::store::Record;
use crate::value::Value;
use crate::wire::{Reply, Request};

/// `/services/oauth2/userinfo` (OpenID Connect Core, section 5.3).
pub(super) fn userinfo(shared: &Shared, request: &Request) -> Reply {
    let user = match bearer(shared, request) {
        Ok(user) => user,
        Err(reply) => return reply,
    };
    let sub = shared.identity_url(request, user);
    let (origin, version) = (shared.origin(request), version(request));
    let org = shared.org();
    let Some(record) = org.store.get("User", user) else {
        return refused("Bad_OAuth_Token");
    };
    let field = |name: &str| record.get(name).to_json();
    Reply::json(
        200,
        &json!({
            "sub": sub,
            "user_id": user.as_str(),
            "organization_id": org.id.as_str(),
            "preferred_username": field("Username"),
            "nickname": field("CommunityNickname"),
            "name": field("Name"),
            "given_name": field("FirstName"),
            "family_name": field("LastName"),
            "email": field("Email"),
            "email_verified": true,
            "zoneinfo": field("TimeZoneSidKey"),
            "photos": photos(&origin),
            "profile": format!("{origin}/{user}"),
            "picture": format!("{origin}/profilephoto/005/F"),
            "address": org.schema.object("User").and_then(|object| Some(compound_json(object, record, object.field("Address")?))),
            "urls": urls(&origin, org.id, user, version),
            "active": field("IsActive"),
            "user_type": "STANDARD",
            "language": field("LanguageLocaleKey"),
            "locale": field("LocaleSidKey"),
            "phone_number": field("MobilePhone"),
            "phone_number_verified": false,
            "is_salesforce_integration_user": false,
            "utcOffset": utc_offset(&org, record),
            "updated_at": field("LastModifiedDate"),
        }),
    )
}

/// `/id/{org}/{user}`, which the token response names.
pub(crate) fn identity(shared: &Shared, request: &Request, org_id: &str, user_id: &str) -> Reply {
    if request.method != Method::GET && request.method != Method::POST {
        return Reply::not_allowed(&request.method, "GET,POST");
    }
    let asker = match bearer(shared, request) {
        Ok(user) => user,
        Err(reply) => return reply,
    };
    let (origin, version) = (shared.origin(request), version(request));
    let org = shared.org();
    let user = Id::parse(user_id).filter(|_| Id::parse(org_id) == Some(org.id));
    let Some(record) = user.and_then(|user| org.store.get("User", user)) else {
        return ApiError::not_found().into();
    };
    let field = |name: &str| record.get(name).to_json();
    Reply::json(
        200,
        &json!({
            "id": format!("{origin}/id/{}/{}", org.id, record.id),
            "asserted_user": asker == record.id,
            "user_id": record.id.as_str(),
            "organization_id": org.id.as_str(),
            "username": field("Username"),
            "nick_name": field("CommunityNickname"),
            "display_name": field("Name"),
            "email": field("Email"),
            "email_verified": true,
            "first_name": field("FirstName"),
            "last_name": field("LastName"),
            "timezone": field("TimeZoneSidKey"),
            "photos": photos(&origin),
            "addr_street": field("Street"),
            "addr_city": field("City"),
            "addr_state": field("State"),
            "addr_country": field("Country"),
            "addr_zip": field("PostalCode"),
            "mobile_phone": field("MobilePhone"),
            "mobile_phone_verified": false,
            "is_lightning_login_user": false,
            "status": {"created_date": null, "body": null},
            "urls": urls(&origin, org.id, record.id, version),
            "active": field("IsActive"),
            "user_type": "STANDARD",
            "language": field("LanguageLocaleKey"),
            "locale": field("LocaleSidKey"),
            "utcOffset": utc_offset(&org, record),
            "last_modified_date": field("LastModifiedDate"),
            "is_app_installed": true,
        }),
    )
}

/// `/.well-known/openid-configuration`.
pub(crate) fn configuration(shared: &Shared, request: &Request) -> Reply {
    if request.method != Method::GET {
        return Reply::not_allowed(&request.method, "GET,HEAD");
    }
    let origin = shared.origin(request);
    let at = |endpoint: &str| format!("{origin}/services/oauth2/{endpoint}");
    Reply::json(
        200,
        &json!({
            "issuer": origin,
            "authorization_endpoint": at("authorize"),
            "token_endpoint": at("token"),
            "revocation_endpoint": at("revoke"),
            "introspection_endpoint": at("introspect"),
            "userinfo_endpoint": at("userinfo"),
            "jwks_uri": format!("{origin}/id/keys"),
            "id_token_signing_alg_values_supported": ["RS256"],
            "claims_supported": [
                "active", "address", "email", "email_verified", "family_name", "given_name",
                "is_app_installed", "language", "locale", "name", "nickname", "organization_id",
                "phone_number", "phone_number_verified", "photos", "picture",
                "preferred_username", "profile", "sub", "updated_at", "urls", "user_id",
                "user_type", "zoneinfo",
            ],
            "code_challenge_methods_supported": ["S256"],
            "display_values_supported": ["page"],
            "grant_types_supported": [
                "authorization_code", "refresh_token", "client_credentials", "password",
                "urn:ietf:params:oauth:grant-type:jwt-bearer",
            ],
            "response_types_supported": ["code"],
            "scopes_supported": Scopes::of_app(),
            "subject_types_supported": ["public"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic", "none"],
        }),
    )
}

/// Finds who sent a request, if their sign-in says that the app may know.
fn bearer(shared: &Shared, request: &Request) -> Result<Id, Reply> {
    let token = request
        .bearer()
        .ok_or_else(|| refused("Missing_OAuth_Token"))?;
    let grants = shared.grants();
    grants
        .access_of_request(token)
        .filter(|access| access.scopes.identity())
        .map(|access| access.user)
        .ok_or_else(|| refused("Bad_OAuth_Token"))
}

fn refused(words: &str) -> Reply {
    Reply::text(403, words)
}

fn photos(origin: &str) -> Json {
    let picture = |size| format!("{origin}/profilephoto/005/{size}");
    json!({"picture": picture("F"), "thumbnail": picture("T")})
}

/// Lists where the parts of the API are; `{version}` is for the client to fill in, unless it has
/// asked for a version.
fn urls(origin: &str, org: Id, user: Id, version: &str) -> Json {
    let rest = format!("{origin}/services/data/v{version}/");
    let soap = |kind: &str| format!("{origin}/services/Soap/{kind}/{version}/{}", org.short());
    json!({
        "enterprise": soap("c"),
        "metadata": soap("m"),
        "partner": soap("u"),
        "rest": rest,
        "sobjects": format!("{rest}sobjects/"),
        "search": format!("{rest}search/"),
        "query": format!("{rest}query/"),
        "recent": format!("{rest}recent/"),
        "tooling_soap": soap("T"),
        "tooling_rest": format!("{rest}tooling/"),
        "profile": format!("{origin}/{user}"),
        "feeds": format!("{rest}chatter/feeds"),
        "groups": format!("{rest}chatter/groups"),
        "users": format!("{rest}chatter/users"),
        "feed_items": format!("{rest}chatter/feed-items"),
        "feed_elements": format!("{rest}chatter/feed-elements"),
        "custom_domain": origin,
    })
}

/// Gives the version that addresses are asked for with.
fn version(request: &Request) -> &str {
    match request.param("version") {
        Some("latest") => "68.0",
        Some(version) => version,
        None => "{version}",
    }
}

/// Gives the distance from UTC in milliseconds, without daylight saving, as Salesforce has it.
fn utc_offset(org: &Org, user: &Record) -> i64 {
    let zone = match user.get("TimeZoneSidKey") {
        Value::Text(name) => jiff::tz::TimeZone::get(name).ok(),
        _ => None,
    };
    zone.map_or(0, |zone| {
        let info = zone.to_offset_info(org.now());
        let summer = i64::from(info.dst().is_dst()) * 3_600;
        (i64::from(info.offset().seconds()) - summer) * 1_000
    })
}
