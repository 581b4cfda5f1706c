//! What people type or paste to say where they sign in, and the login that they mean.
//!
//! The attack: an address that reads like the service's and is somebody else's, so that a password or a token goes there: the service's
//! name in front of another (`https://service.example.evil.example`), in a query, in a user name, in letters that look
//! like others, behind a backslash, or without https on its way. So nothing is searched for the service's name: the text is
//! taken apart in one way, and what comes out is an origin that a login of the manifest has, or nothing.

use std::fmt;

use portcullis::network::HostPort;
use portcullis::ports::credentials::Environment;
use portcullis_policy::{LoginPlace, OAuth2, Origin};
use url::Url;

use crate::service::destination;

/// The longest text that is looked at: a page's address with its query.
const TEXT_LEN_MAX: usize = 8 << 10;

/// Characters of a text that an error repeats.
const SHOWN_LEN_MAX: usize = 100;

/// How many letters may differ between a word and the login that is meant.
const NEAR_MAX: usize = 2;

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

/// A text by which no login is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginError {
    shown: String,
    /// What is wrong with it.
    pub problem: LoginProblem,
    /// What would be right.
    pub hint: String,
}

/// What is wrong with a text by which a login is to be meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginProblem {
    /// There is none.
    #[error("nothing was given")]
    Empty,
    /// It is longer than any address.
    #[error("it is longer than {TEXT_LEN_MAX} bytes")]
    TooLong,
    /// It holds line breaks or the like.
    #[error("it holds control characters")]
    Control,
    /// It names a login that everybody has at an address of their own.
    #[error("everybody has an address of their own there")]
    NoAddress,
    /// It carries a user name, which can be made to look like a host.
    #[error("it carries a user name or password")]
    UserInfo,
    /// It has a backslash, which some programs take for a slash.
    #[error("it has a backslash")]
    Backslash,
    /// It has letters that are not ASCII, which may look like others.
    #[error("it has letters that can look like others")]
    Letters,
    /// It is neither `https` nor a host alone.
    #[error("it is no https address")]
    Scheme,
    /// What is sent there could be read on its way.
    #[error("it is not https, so that what is sent could be read on its way")]
    Insecure,
    /// It is no host.
    #[error("{0}")]
    Host(&'static str),
    /// It is an address in numbers.
    #[error("it is an address in numbers")]
    Address,
    /// It is on this machine or network.
    #[error("it is on this machine")]
    Private,
    /// It has another port than https.
    #[error("it has a port of its own")]
    Port,
    /// It is somebody else's, with the service's name in it.
    #[error(
        "it only looks like one: what counts is the end of a name, and `{0}` is somebody else's"
    )]
    Lookalike(String),
    /// It is somebody else's.
    #[error("the service does not sign in there")]
    Unknown,
}

impl LoginError {
    /// Says what is wrong, without what would be right.
    pub fn what(&self) -> String {
        match self.problem {
            LoginProblem::Empty => self.problem.to_string(),
            _ => format!(
                "`{}` is no place to sign in at: {}",
                self.shown, self.problem
            ),
        }
    }
}

impl fmt::Display for LoginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problem {
            LoginProblem::Empty => write!(f, "{}: {}", self.what(), self.hint),
            _ => write!(f, "{}; {}", self.what(), self.hint),
        }
    }
}

impl std::error::Error for LoginError {}

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
        let meant = meant(auth, &origin, &problem);
        refuse(auth, text, problem, meant)
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
    let also = login.also.iter().find_map(|also| {
        let value = also.pattern.value(origin)?;
        let meant = match &login.place {
            LoginPlace::Origin(place) => place.clone(),
            LoginPlace::Pattern(place) => {
                let meant = also.means.as_ref().unwrap_or(&also.pattern).with(value)?;
                place.value(&meant)?;
                meant
            }
        };
        Some(of(login, meant, also.environment.as_deref()))
    });
    also.or_else(|| match &login.place {
        LoginPlace::Pattern(place) if place.value(origin).is_some() => {
            Some(of(login, origin.clone(), None))
        }
        _ => None,
    })
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

fn refuse(auth: &OAuth2, text: &str, problem: LoginProblem, meant: Option<String>) -> LoginError {
    LoginError {
        shown: shown(text),
        hint: meant.unwrap_or_else(|| choices(auth)),
        problem,
    }
}

/// What of a text is repeated: not a password that stands in it, not a session in its query, and nothing that a terminal
/// would act upon.
fn shown(text: &str) -> String {
    let end = text.find(['?', '#']).unwrap_or(text.len());
    let (address, behind) = text.split_at(end);
    let address = match address.rsplit_once('@') {
        Some((_, host)) => format!("…@{host}"),
        None => address.to_owned(),
    };
    let text = if behind.is_empty() {
        address
    } else {
        format!("{address}…")
    };
    text.chars()
        .take(SHOWN_LEN_MAX)
        .flat_map(char::escape_debug)
        .collect()
}

/// Says which address is meant where only its writing is wrong.
fn meant(auth: &OAuth2, origin: &Origin, problem: &LoginProblem) -> Option<String> {
    match problem {
        LoginProblem::Insecure | LoginProblem::Port => {
            let plain = Origin::parse(&format!("https://{}", origin.host())).ok()?;
            let login = declared(auth, &plain)?;
            Some(format!("give `{}`", login.origin))
        }
        LoginProblem::Private => {
            let destination = destination(origin);
            Some(format!(
                "the operator allows it with `--allow-origin {destination}`"
            ))
        }
        _ => None,
    }
}

/// Says which login is meant by a word: one that is written almost so, or that of the company of that name.
fn meant_by_word(auth: &OAuth2, text: &str) -> Option<String> {
    let is_label = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if text.is_empty() || !text.bytes().all(is_label) {
        return None;
    }
    let word = text.to_ascii_lowercase();
    let is_near = |id: &str| strsim::osa_distance(id, &word) <= NEAR_MAX;
    if let Some(login) = auth.login.iter().find(|login| is_near(&login.id)) {
        return Some(format!("`{}` is probably meant", login.id));
    }
    let address = auth.login.iter().find_map(|login| match &login.place {
        LoginPlace::Pattern(place) => place.with(&word),
        LoginPlace::Origin(_) => None,
    })?;
    let others = choices(auth);
    Some(format!(
        "give `{address}` if that is the name of your company there; else {others}"
    ))
}

/// Says what can be given.
fn choices(auth: &OAuth2) -> String {
    let each = auth.login.iter().map(|login| match &login.place {
        LoginPlace::Origin(_) => format!("`{}`", login.id),
        LoginPlace::Pattern(place) => match place.with("yourcompany") {
            Some(example) => format!("an address like `{example}`"),
            None => format!("an address like `{place}`"),
        },
    });
    format!("give {}", each.collect::<Vec<_>>().join(" or "))
}

/// The last two labels of a host's name.
fn end_of(host: &str) -> &str {
    let mut dots = host.rmatch_indices('.').map(|(at, _)| at);
    match dots.nth(1) {
        Some(at) => &host[at + 1..],
        None => host,
    }
}

/// The names below which the service's logins are.
fn service_names(auth: &OAuth2) -> Vec<String> {
    let mut names = Vec::new();
    for login in &auth.login {
        match &login.place {
            LoginPlace::Origin(origin) => names.push(origin.host().to_owned()),
            LoginPlace::Pattern(place) => names.extend(below(place)),
        }
        names.extend(login.also.iter().filter_map(|also| below(&also.pattern)));
    }
    names
}

fn below(pattern: &portcullis_policy::LoginPattern) -> Option<String> {
    let example = pattern.with("x")?;
    example
        .host()
        .split_once('.')
        .map(|(_, below)| below.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
mod tests;
