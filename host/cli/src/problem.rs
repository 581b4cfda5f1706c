//! What went wrong, in one sentence with advice, and whose part it is to act. What cannot be asked so (a command, a name, an argument, or
//! what is not for this person or without a terminal) is the caller's mistake, exit code 2. What was rightly asked and did not come about,
//! whether a rule, a limit, a person, the service or a defect stood against it, is exit code 1.

use std::fmt;

use anyhow::Error;
use portcullis::network::NetworkError;
use portcullis::{
    CallId, FailureCode, FieldProblem, InstallError, Outcome, Refusal, RefusalCode, Reply,
};
use portcullis_connect::DecideError;
use portcullis_store::{AuditError, KeyError, StoreError, Unusable};

/// The exit code after a mistake of the caller's.
pub(crate) const MISTAKE: u8 = 2;

/// The exit code after everything else that went wrong.
pub(crate) const FAILURE: u8 = 1;

/// Something that went wrong, for a person and for a program.
#[derive(Debug)]
pub(crate) struct Problem {
    /// The call that ended so, if it came to one.
    pub(crate) call: Option<CallId>,
    /// How the call ended; `failed` where it did not come to one.
    pub(crate) outcome: &'static str,
    /// A stable name for programs.
    pub(crate) code: &'static str,
    /// One sentence.
    pub(crate) message: String,
    /// What to do next.
    pub(crate) hint: Option<String>,
    /// The service's own code.
    pub(crate) service_code: Option<String>,
    /// Which arguments do not fit.
    pub(crate) fields: Vec<FieldProblem>,
    /// Seconds after which it may be tried again.
    pub(crate) retry_after_seconds: Option<u64>,
    /// Whether programs have it already, in what was printed.
    pub(crate) is_printed: bool,
    /// The program's exit code.
    pub(crate) exit: u8,
}

impl Problem {
    /// Makes a mistake of the caller's.
    pub(crate) fn mistake(
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            hint: Some(hint.into()),
            ..Self::of(code, message.into(), MISTAKE)
        }
    }

    /// Makes what is nobody's mistake who called.
    pub(crate) fn failure(
        code: &'static str,
        message: impl Into<String>,
        hint: Option<String>,
    ) -> Self {
        Self {
            hint,
            ..Self::of(code, message.into(), FAILURE)
        }
    }

    /// Says that what was printed for programs has it.
    pub(crate) fn printed(mut self) -> Self {
        self.is_printed = true;
        self
    }

    fn of(code: &'static str, message: String, exit: u8) -> Self {
        Self {
            call: None,
            outcome: "failed",
            code,
            message,
            hint: None,
            service_code: None,
            fields: Vec::new(),
            retry_after_seconds: None,
            is_printed: false,
            exit,
        }
    }

    /// Takes what ended a call, if it has no answer.
    pub(crate) fn of_reply(reply: &Reply) -> Option<Self> {
        let problem = match &reply.outcome {
            Outcome::Done(_) => return None,
            Outcome::Refused(refusal) => of_refusal(refusal),
            Outcome::Failed(failure) => Self {
                hint: failure
                    .hint
                    .clone()
                    .or_else(|| to_allow(reply.allow.as_ref())),
                service_code: failure.service_code.clone(),
                fields: failure.fields.clone(),
                retry_after_seconds: failure.retry_after.map(|after| after.as_secs()),
                ..Self::of(
                    failure.code.as_str(),
                    failure.message.clone(),
                    match failure.code {
                        FailureCode::InvalidArguments => MISTAKE,
                        _ => FAILURE,
                    },
                )
            },
            Outcome::ConnectRequired(connect) => Self {
                hint: connect
                    .link
                    .as_ref()
                    .map(|link| format!("sign in at {link}")),
                ..Self::of("connect_required", connect.advice.clone(), FAILURE)
            },
            Outcome::ApprovalRequired(approval) => Self {
                hint: Some(match &approval.link {
                    Some(link) => format!("decide at {link}, then make the same call again"),
                    None => format!(
                        "`portcullis approvals approve {}` shows it and asks; then make the same call again",
                        approval.id
                    ),
                }),
                ..Self::of(
                    "approval_required",
                    format!(
                        "a person must approve this change first (question {})",
                        approval.id
                    ),
                    FAILURE,
                )
            },
        };
        Some(Self {
            call: reply.call,
            outcome: reply.outcome.name(),
            ..problem
        })
    }

    /// Takes whatever ended the program.
    pub(crate) fn of_error(error: Error) -> Self {
        let error = match error.downcast::<Self>() {
            Ok(problem) => return problem,
            Err(error) => error,
        };
        if let Some(install) = error.downcast_ref::<InstallError>() {
            let exit = match install {
                InstallError::Engine(_) => FAILURE,
                _ => MISTAKE,
            };
            return Self::of("not_installed", format!("{error:#}"), exit);
        }
        if let Some(Unusable::Store(store)) = error.downcast_ref::<Unusable>() {
            return of_store(store);
        }
        if let Some(store) = error.downcast_ref::<StoreError>() {
            return of_store(store);
        }
        if let Some(DecideError::Store(store)) = error.downcast_ref::<DecideError>() {
            return of_store(store);
        }
        if let Some(error @ DecideError::WouldNotRun(outcome)) = error.downcast_ref::<DecideError>()
        {
            return of_not_run(error, outcome);
        }
        if let Some(key) = error.downcast_ref::<KeyError>() {
            return Self::of("master_key", Chain(key).to_string(), key_exit(key));
        }
        if let Some(NetworkError::Setting { .. }) = error.downcast_ref::<NetworkError>() {
            return Self::of("setting", format!("{error:#}"), MISTAKE);
        }
        Self::of("host_error", format!("{error:#}"), FAILURE)
    }
}

/// What was not approved, for it could not be run: what would allow it is known, and nothing was lost.
fn of_not_run(error: &DecideError, outcome: &Outcome) -> Problem {
    let (code, hint) = match Problem::of_reply(&Reply::without_call(outcome.clone())) {
        Some(problem) => (problem.code, problem.hint),
        None => ("would_not_run", None),
    };
    Problem::failure(code, error.to_string(), hint)
}

fn to_allow(allow: Option<&String>) -> Option<String> {
    allow.map(|allow| format!("to allow it: {allow}"))
}

/// A refusal is a decision, and no mistake of the caller's, but where a name is none.
fn of_refusal(refusal: &Refusal) -> Problem {
    let exit = match refusal.code {
        RefusalCode::UnknownConnector | RefusalCode::UnknownTool => MISTAKE,
        _ => FAILURE,
    };
    Problem {
        hint: to_allow(refusal.allow.as_ref()),
        ..Problem::of(refusal.code.as_str(), refusal.message.clone(), exit)
    }
}

/// What the store refuses is about what was asked or how it was set up, but where it is broken.
fn of_store(error: &StoreError) -> Problem {
    let (code, exit) = match error {
        StoreError::NotFound { .. } => ("not_found", MISTAKE),
        StoreError::Alike { .. } => ("alike", MISTAKE),
        StoreError::SubjectTaken { .. } => ("subject_taken", MISTAKE),
        StoreError::LastAdministrator(_) => ("last_administrator", MISTAKE),
        StoreError::NotShared(_)
        | StoreError::OtherConnector { .. }
        | StoreError::OtherConnection(_) => ("other_connection", MISTAKE),
        StoreError::Text { .. } => ("text", MISTAKE),
        StoreError::VersionChanged(_) => ("version_changed", MISTAKE),
        StoreError::Settled { .. } => ("settled", FAILURE),
        StoreError::NoStanding(_) => ("no_standing_approval", MISTAKE),
        StoreError::Address(_)
        | StoreError::Files(_)
        | StoreError::Foreign { .. }
        | StoreError::NoDatabase { .. }
        | StoreError::Newer { .. } => ("store", MISTAKE),
        StoreError::Key(key) => ("master_key", key_exit(key)),
        StoreError::WrongKey { .. } => ("master_key", MISTAKE),
        StoreError::Audit(AuditError::Broken(_)) => ("audit_broken", FAILURE),
        StoreError::Audit(_) => ("audit", FAILURE),
        _ => ("store_error", FAILURE),
    };
    let hint = match error {
        StoreError::NotFound { kind, id } => advice_where_missing(kind, id),
        StoreError::Alike { known, .. } => Some(format!("name `{known}` as it is written")),
        _ => None,
    };
    Problem {
        hint,
        ..Problem::of(code, format!("{:#}", Chain(error)), exit)
    }
}

fn key_exit(error: &KeyError) -> u8 {
    match error {
        KeyError::Keyring { .. } | KeyError::Randomness => FAILURE,
        _ => MISTAKE,
    }
}

fn advice_where_missing(kind: &str, id: &str) -> Option<String> {
    let (list, add) = match kind {
        "person" => ("person list", format!("person add {id}")),
        "group" => ("group list", format!("group add {id}")),
        "agent" => ("agent list", format!("agent add {id}")),
        "connection" => return Some("`portcullis connections list` lists them".to_owned()),
        _ => return None,
    };
    Some(format!(
        "`portcullis {list}` lists those that there are, and `portcullis {add}` adds one"
    ))
}

/// An error with its causes, each after a colon, and none twice.
struct Chain<'a>(&'a dyn std::error::Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.0.to_string();
        let mut cause = self.0.source();
        while let Some(error) = cause {
            // An error that hands on another's words has them as its cause, too.
            let words = error.to_string();
            if !text.contains(&words) {
                text += &format!(": {words}");
            }
            cause = error.source();
        }
        f.write_str(&text)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    /// An error that says its cause's words itself.
    #[derive(Debug)]
    struct Outer(std::io::Error);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "the key `k` cannot be read: {}", self.0)
        }
    }

    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn no_cause_is_said_twice() {
        let outer = Outer(std::io::Error::other("it is open to others"));
        let said = Chain(&outer).to_string();
        assert_eq!(said, "the key `k` cannot be read: it is open to others");
    }
}
