//! What people type or paste to say where they sign in, and the login that they mean.
//!
//! The attack: an address that reads like the service's and is somebody else's, so that a password or a token goes there: the service's
//! name in front of another (`https://service.example.evil.example`), in a query, in a user name, in letters that look
//! like others, behind a backslash, or without https on its way. So nothing is searched for the service's name: the text is
//! taken apart in one way, and what comes out is an origin that a login of the manifest has, or nothing.

use portcullis::network::HostPort;
use portcullis::ports::credentials::Environment;
use portcullis_policy::{LoginPattern, LoginPlace, OAuth2, Origin, UnclearLogin};
use url::Url;

use crate::service::destination;

mod refusal;

pub use refusal::{LoginError, LoginProblem};
use refusal::{meant_by_word, refuse};

/// The longest text that is looked at: a page's address with its query.
const TEXT_LEN_MAX: usize = 8 << 10;

/// How many addresses lead from one that is pasted to the login: that of a page to that of its customer as it was once
/// written, that to the one of today, and what the manifest says of this one.
const STEPS_MAX: usize = 3;

/// A login that somebody means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Where it is.
    pub origin: Origin,
    /// What kind of system stands behind it.
    pub environment: Environment,
    /// What people call it.
    pub title: String,
}

/// Finds the login that is meant by its id, by a host, or by any address of the service that a person pastes.
///
/// `allowed` are the destinations that the operator allowed to be on this machine or network; they, and only they, may
/// go without https and with a port.
///
/// # Errors
///
/// [`LoginError`] says what is wrong, and what would be right.
pub fn resolve(auth: &OAuth2, text: &str, allowed: &[HostPort]) -> Result<Login, LoginError> {
    let text = text.trim();
    if let Some(login) = auth
        .login
        .iter()
        .find(|login| login.id.eq_ignore_ascii_case(text))
    {
        return match &login.place {
            LoginPlace::Origin(origin) => Ok(of(login, origin.clone(), None)),
            LoginPlace::Pattern(_) => Err(refuse(auth, text, LoginProblem::NoAddress, None)),
        };
    }
    let origin = read(text).map_err(|problem| {
        let meant = meant_by_word(auth, text);
        refuse(auth, text, problem, meant)
    })?;
    decide(auth, &origin, allowed).map_err(|problem| {
        let hint = hint(auth, &origin, &problem);
        refuse(auth, text, problem, hint)
    })
}

/// Takes a text apart as far as its host. What stands behind the host does not count.
fn read(text: &str) -> Result<Origin, LoginProblem> {
    if text.is_empty() {
        return Err(LoginProblem::Empty);
    }
    if text.len() > TEXT_LEN_MAX {
        return Err(LoginProblem::TooLong);
    }
    if text.chars().any(char::is_control) {
        return Err(LoginProblem::Control);
    }
    let is_scheme = |scheme: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        scheme.bytes().all(fits)
    };
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => (scheme.to_ascii_lowercase(), rest),
        _ => ("https".to_owned(), text),
    };
    if !matches!(&*scheme, "https" | "http") {
        return Err(LoginProblem::Scheme);
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(LoginProblem::UserInfo);
    }
    if authority.contains('\\') {
        return Err(LoginProblem::Backslash);
    }
    if !authority.is_ascii() {
        return Err(LoginProblem::Letters);
    }
    let (host, port) = match authority.rfind(':') {
        Some(at) if !authority.ends_with(']') => authority.split_at(at),
        _ => (authority, ""),
    };
    // The dot of a name that is written in full, or of the sentence that the address stood in.
    let host = host.trim_end_matches('.');
    if !host.contains(['.', ':']) && host != "localhost" {
        return Err(LoginProblem::Host("it is no host's name"));
    }
    let origin = Origin::parse(&format!("{scheme}://{host}{port}"))
        .map_err(|error| LoginProblem::Host(error.problem()))?;
    // A browser reads it by other rules: what it would read otherwise, or not at all, is no address.
    let browsers = Url::parse(&origin.to_string()).map(|url| url.origin().ascii_serialization());
    match browsers {
        Ok(text) if text == origin.to_string() => Ok(origin),
        _ => Err(LoginProblem::Host("browsers do not take it for a host")),
    }
}

fn decide(auth: &OAuth2, origin: &Origin, allowed: &[HostPort]) -> Result<Login, LoginProblem> {
    if let Some(login) = declared(auth, origin) {
        return Ok(login);
    }
    let destination = destination(origin);
    if allowed.contains(&destination) {
        return Ok(Login {
            origin: origin.clone(),
            environment: Environment::Unknown,
            title: destination.to_string(),
        });
    }
    if origin.is_loopback() {
        return Err(LoginProblem::Private);
    }
    if origin.address().is_some() {
        return Err(LoginProblem::Address);
    }
    // What is sent goes to the login that is meant, which is https.
    let plain = with_https(origin);
    if let Some(login) = plain.as_ref().and_then(|plain| declared(auth, plain)) {
        return match origin.authority() == origin.host() {
            true => Ok(login),
            false => Err(LoginProblem::Port),
        };
    }
    if let Some(unclear) = plain.as_ref().and_then(|plain| unclear(auth, plain)) {
        return Err(LoginProblem::Unclear(unclear.what.clone()));
    }
    if !origin.is_https() {
        return Err(LoginProblem::Insecure);
    }
    if origin.authority() != origin.host() {
        return Err(LoginProblem::Port);
    }
    let names = service_names(auth);
    let end = end_of(origin.host());
    let is_named = names.iter().any(|name| origin.host().contains(&**name));
    match is_named && names.iter().all(|name| end_of(name) != end) {
        true => Err(LoginProblem::Lookalike(end.to_owned())),
        false => Err(LoginProblem::Unknown),
    }
}

/// Finds the login that the manifest declares at an origin, or for who has a page of that origin before them.
fn declared(auth: &OAuth2, origin: &Origin) -> Option<Login> {
    let one = auth.login.iter().find_map(|login| match &login.place {
        LoginPlace::Origin(place) if place == origin => Some(of(login, place.clone(), None)),
        _ => None,
    });
    one.or_else(|| {
        auth.login
            .iter()
            .find_map(|login| of_customer(login, origin))
    })
}

fn of_customer(login: &portcullis_policy::Login, origin: &Origin) -> Option<Login> {
    let mut at = origin.clone();
    let mut environment = None;
    for _ in 0..STEPS_MAX {
        let found = login.also.iter().find_map(|also| {
            let values = also.pattern.values(&at)?;
            Some((also, also.means.as_ref().map(|means| means.with(&values))))
        });
        let Some((also, means)) = found else { break };
        environment = also.environment.as_deref().or(environment);
        match (&login.place, means) {
            (LoginPlace::Origin(place), _) => return Some(of(login, place.clone(), environment)),
            (LoginPlace::Pattern(_), Some(meant)) => at = meant?,
            (LoginPlace::Pattern(_), None) => break,
        }
    }
    match &login.place {
        LoginPlace::Pattern(place) if place.fits(&at) => Some(of(login, at, environment)),
        _ => None,
    }
}

/// Finds what the manifest says of an address that names no login.
fn unclear<'a>(auth: &'a OAuth2, origin: &Origin) -> Option<&'a UnclearLogin> {
    auth.unclear
        .iter()
        .find(|unclear| unclear.pattern.fits(origin))
}

fn with_https(origin: &Origin) -> Option<Origin> {
    Origin::parse(&format!("https://{}", origin.host())).ok()
}

fn of(login: &portcullis_policy::Login, origin: Origin, environment: Option<&str>) -> Login {
    Login {
        origin,
        environment: match environment.or(login.environment.as_deref()) {
            Some("production") => Environment::Production,
            Some("sandbox") => Environment::Sandbox,
            Some("development") => Environment::Development,
            _ => Environment::Unknown,
        },
        title: login.title.clone(),
    }
}

/// Says what would be right in place of an address.
fn hint(auth: &OAuth2, origin: &Origin, problem: &LoginProblem) -> Option<String> {
    match problem {
        LoginProblem::Port => {
            let login = declared(auth, &with_https(origin)?)?;
            Some(format!("give `{}`", login.origin))
        }
        LoginProblem::Unclear(_) => Some(unclear(auth, &with_https(origin)?)?.hint.clone()),
        LoginProblem::Private => {
            let destination = destination(origin);
            Some(format!(
                "the operator allows it with `--allow-origin {destination}`"
            ))
        }
        _ => None,
    }
}

/// The last two labels of a host's name.
fn end_of(host: &str) -> &str {
    let mut dots = host.rmatch_indices('.').map(|(at, _)| at);
    match dots.nth(1) {
        Some(at) => &host[at + 1..],
        None => host,
    }
}

/// The names below which the service's logins and other addresses are.
fn service_names(auth: &OAuth2) -> Vec<String> {
    let mut names = Vec::new();
    let mut add = |pattern: &LoginPattern| names.extend(pattern.below().map(str::to_owned));
    for login in &auth.login {
        if let LoginPlace::Pattern(place) = &login.place {
            add(place);
        }
        login.also.iter().for_each(|also| add(&also.pattern));
    }
    auth.unclear
        .iter()
        .for_each(|unclear| add(&unclear.pattern));
    let origins = auth.login.iter().filter_map(|login| match &login.place {
        LoginPlace::Origin(origin) => Some(origin.host().to_owned()),
        LoginPlace::Pattern(_) => None,
    });
    names.extend(origins);
    names
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
mod tests;
