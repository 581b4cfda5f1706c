//! What is said of a text by which no login is meant.

use std::fmt;

use portcullis_policy::{LoginPlace, OAuth2};

use super::TEXT_LEN_MAX;

/// Characters of a text that an error repeats.
const SHOWN_LEN_MAX: usize = 100;

/// How many letters may differ between a word and the login that is meant.
const NEAR_MAX: usize = 2;

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
    /// It is the service's and names no login: what it is, as the manifest says.
    #[error("it is {0}")]
    Unclear(String),
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

pub(super) fn refuse(
    auth: &OAuth2,
    text: &str,
    problem: LoginProblem,
    meant: Option<String>,
) -> LoginError {
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

/// Says which login is meant by a word: one that is written almost so, or that of the company of that name.
pub(super) fn meant_by_word(auth: &OAuth2, text: &str) -> Option<String> {
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
        LoginPlace::Pattern(place) => place.example(&word),
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
        LoginPlace::Pattern(place) => match place.example("yourcompany") {
            Some(example) => format!("an address like `{example}`"),
            None => format!("an address like `{place}`"),
        },
    });
    format!("give {}", each.collect::<Vec<_>>().join(" or "))
}
