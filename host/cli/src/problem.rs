//! What went wrong, in one sentence with advice, and whose part it is to act: the caller's (exit code 2) or
//! someone else's (exit code 1).

use std::fmt;

use anyhow::Error;
use portcullis::network::NetworkError;
use portcullis::{
    CallId, FailureCode, FieldProblem, InstallError, Outcome, Refusal, RefusalCode, Reply,
};

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
            exit,
        }
    }

    /// Takes what ended a call, if it has no answer.
    pub(crate) fn of_reply(reply: &Reply) -> Option<Self> {
        let problem = match &reply.outcome {
            Outcome::Done(_) => return None,
            Outcome::Refused(refusal) => of_refusal(refusal),
            Outcome::Failed(failure) => Self {
                hint: failure.hint.clone(),
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
                    None => {
                        "this program asks nobody: make the change in the service itself".to_owned()
                    }
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
        if let Some(NetworkError::Setting { .. }) = error.downcast_ref::<NetworkError>() {
            return Self::of("setting", format!("{error:#}"), MISTAKE);
        }
        Self::of("host_error", format!("{error:#}"), FAILURE)
    }
}

/// A refusal is about what the caller asked for, but where the host itself could not decide.
fn of_refusal(refusal: &Refusal) -> Problem {
    let exit = match refusal.code {
        RefusalCode::HostUnavailable => FAILURE,
        _ => MISTAKE,
    };
    let allow = refusal.allow.as_ref();
    Problem {
        hint: allow.map(|allow| format!("to allow it: {allow}")),
        ..Problem::of(refusal.code.as_str(), refusal.message.clone(), exit)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}
