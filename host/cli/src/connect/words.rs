//! What is said of an account that was connected.

use portcullis::ports::credentials::Environment;
use portcullis_connect::{Connected, Guide, Pasted, Service};
use portcullis_store::Owner;
use serde_json::{Value, json};

use super::wanted::Wanted;
use crate::args::connect::Connect;
use crate::show::table::shown;

/// Says where somebody signs in, and what the app must be like: the very values to paste.
pub(super) fn app(service: &Service<'_>, wanted: &Wanted, callback: &str) -> String {
    let scopes = match wanted.scopes.is_empty() {
        true => &service.auth.scopes.default,
        false => &wanted.scopes,
    };
    format!(
        "Signing in at {}, {}.\nThe app needs:\n  callback URL  {callback}\n  scopes        {}\n  PKCE          {}\n",
        wanted.login.origin,
        wanted.login.title,
        scopes.join(", "),
        if service.auth.pkce { "required" } else { "off" }
    )
}

/// Says where a service account gets its tokens, and what its app must be like.
pub(super) fn service_app(args: &Connect, wanted: &Wanted) -> String {
    let flow = match &args.service.jwt_user {
        Some(user) => format!(
            "JWT bearer, with the certificate of the key; the user {} approved for the app",
            shown(user)
        ),
        None => "client credentials, with a user to run as, and its secret".to_owned(),
    };
    format!(
        "Signing in at {}, {}.\nThe app needs:\n  flow          {flow}\n  callback URL  any: none is used\n",
        wanted.login.origin, wanted.login.title,
    )
}

/// Says whom, which organization, of which kind, with which scopes, and what comes next.
pub(super) fn connected(connected: &Connected, wanted: &Wanted) -> (Value, String, String) {
    let identity = &connected.identity;
    let organization = connected.organization.as_deref();
    let value = json!({
        "connection": connected.connection,
        "connector": connected.connector,
        "label": wanted.label,
        "shared": wanted.owner == Owner::Shared,
        "origin": connected.origin.to_string(),
        "user": identity.user_name,
        "organization": organization,
        "environment": connected.environment.as_str(),
        "scopes": connected.scopes,
    });
    let of = organization.map_or(String::new(), |name| format!(" of {}", shown(name)));
    let sentence = format!(
        "Connected: {}{of}, {}, at {}, with the scopes {}.",
        shown(&identity.user_name),
        loud(connected.environment),
        connected.origin,
        connected.scopes.join(", "),
    );
    let sentence = match &wanted.was {
        Some(was) => format!("{sentence} It takes the place of {}.", shown(was)),
        None => sentence,
    };
    let (connector, id) = (&connected.connector, &connected.connection);
    let next = match wanted.owner {
        Owner::Shared => format!(
            "`portcullis connections share {id} --group GROUP` lets others use it, and `portcullis agent give AGENT {connector} --shared {id}` \
             an agent"
        ),
        Owner::Person(_) => {
            format!("`portcullis agent give AGENT {connector}` lets an agent use it for you")
        }
    };
    (value, sentence, next)
}

/// Real data is told so that nobody overlooks it.
fn loud(environment: Environment) -> &'static str {
    match environment {
        Environment::Production => "PRODUCTION",
        Environment::Sandbox => "a sandbox",
        Environment::Development => "a development org",
        Environment::Unknown => "of a kind that is not known",
    }
}

/// What a page of the service's own may mean, for who is stuck there; and, so that it stays in sight, the link again.
///
/// Who may paste is told what to do once they have.
pub(super) fn stuck(guides: &[Guide], link: &str, may_paste: bool) -> String {
    let mut text =
        "Nothing has come back yet. If the service shows an error on a page of its own".to_owned();
    text += match may_paste {
        true => {
            ", paste that page's address, or its words, here, and you are told what to do. It may be:\n"
        }
        false => ", it may be:\n",
    };
    for guide in guides {
        text += &match may_paste {
            true => format!("- {}: {}\n", guide.about, guide.title),
            false => listed(guide),
        };
    }
    text += &format!("The link was:\n  {link}\n");
    text
}

/// Says what somebody pasted, where it is not the end of the sign-in.
pub(super) fn pasted(pasted: &Pasted) -> String {
    let again = "The sign-in is as it was: once that is mended, open the link again, and paste the address at the end.\n";
    match pasted {
        Pasted::Back(_) => String::new(),
        Pasted::Other(why) => format!("{}. Paste it again.\n", capital(why)),
        Pasted::Page { said, guide } => {
            let said = said
                .as_deref()
                .map(|said| format!("The service said: {}\n", shown(said)));
            let guide = guide.as_deref().map(listed);
            [said, guide, Some(again.to_owned())]
                .into_iter()
                .flatten()
                .collect()
        }
    }
}

fn capital(words: &str) -> String {
    let mut chars = words.chars();
    let first = chars.next().map(|first| first.to_uppercase());
    first.into_iter().flatten().chain(chars).collect()
}

fn listed(guide: &Guide) -> String {
    let mut text = String::new();
    for (at, line) in guide.to_string().lines().enumerate() {
        let bullet = if at == 0 { "- " } else { "  " };
        text.push_str(bullet);
        text.push_str(line);
        text.push('\n');
    }
    text
}
