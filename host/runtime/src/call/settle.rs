//! Stage 8: how the call ended. The gate's word goes before the guest's: a request that was held or refused decides
//! the outcome, whatever the guest returned.

use std::time::Duration;

use portcullis_policy::{Denied, DeniedBy};
use serde_json::Value;

use super::rows;
use crate::bindings::contract::failures::{self, Reason};
use crate::bindings::tools;
use crate::reply::{
    Attachment, Failure, FailureCode, FieldProblem, Outcome, Output, Refusal, RefusalCode,
};
use crate::scope::{CallScope, Stop, Task};
use crate::trap::Trap;

/// Bytes of a failure's words that are passed on.
const MESSAGE_BYTES_MAX: usize = 16 << 10;

/// Arguments that a failure may name.
const FIELDS_MAX: usize = 64;

/// How the guest ended.
pub(crate) enum Guest {
    /// It returned, or broke.
    Returned(wasmtime::Result<Result<tools::Output, failures::Failure>>),
    /// It never began.
    NotStarted(Failure),
    /// Its time was over.
    TimedOut(Duration),
    /// The caller gave up.
    Cancelled,
}

/// Decides the outcome.
pub(crate) fn settle(scope: &CallScope, guest: Guest) -> Outcome {
    if let Some(outcome) = stopped(scope) {
        return outcome;
    }
    // What the connector says of a change of its own is nearer to it than what the host can say.
    let is_of_host = !matches!(guest, Guest::Returned(Ok(_)));
    let mut outcome = ended(scope, guest);
    if let Outcome::Failed(failure) = &mut outcome
        && let Some(words) = scope.unclear()
        && (is_of_host || failure.hint.is_none())
    {
        failure.hint = Some(words);
    }
    outcome
}

/// Decides the outcome of a call that the gate did not stop.
fn ended(scope: &CallScope, guest: Guest) -> Outcome {
    match guest {
        Guest::Returned(Ok(Ok(output))) => match answer(scope, output) {
            Ok(output) => Outcome::Done(output),
            Err(failure) => Outcome::Failed(failure),
        },
        Guest::Returned(Ok(Err(failure))) => reported(scope, failure),
        Guest::Returned(Err(error)) => Outcome::Failed(broken(scope, &error)),
        Guest::NotStarted(failure) => Outcome::Failed(failure),
        Guest::TimedOut(limit) => Outcome::Failed(
            Failure::new(
                FailureCode::TimeLimit,
                format!(
                    "the call was ended after {} seconds, its time limit",
                    limit.as_secs_f64()
                ),
            )
            .with_hint("ask for less in one call, or try again later"),
        ),
        Guest::Cancelled => Outcome::Failed(Failure::new(
            FailureCode::Cancelled,
            "the call was ended because its caller gave it up",
        )),
    }
}

/// What the gate stopped.
pub(crate) fn stopped(scope: &CallScope) -> Option<Outcome> {
    Some(match scope.stopped()? {
        Stop::Refused(refusal) => Outcome::Refused(refusal),
        Stop::Held(approval) => Outcome::ApprovalRequired(approval),
        Stop::Disconnected(connect) => Outcome::ConnectRequired(connect),
        Stop::NotRenewed(failure) => Outcome::Failed(failure),
    })
}

/// Says which "no" of the host's the connector gave the call up for, in words, where that is what it says: the log tells an
/// agent's scope from what the service forbids, and what the host did from what a connector claims.
pub(crate) fn refused_by_scope(scope: &CallScope, outcome: &Outcome) -> Option<String> {
    let denied = denied_by_scope(scope, outcome)?;
    Some(match denied.why {
        DeniedBy::Guarded => denied.to_string(),
        _ => format!("{denied}, by the {}", scope.policy.scope_name()),
    })
}

/// Says what an administrator does to allow what the host answered "no" to, where the connector gave the call up for that.
pub(crate) fn allow(scope: &CallScope, outcome: &Outcome) -> Option<String> {
    let denied = denied_by_scope(scope, outcome)?;
    let connector = &scope.connector.manifest().name;
    scope.policy.allowing(connector, &denied)
}

/// Gives the "no" of the host's that the connector gave the call up for.
fn denied_by_scope(scope: &CallScope, outcome: &Outcome) -> Option<Denied> {
    let Outcome::Failed(failure) = outcome else {
        return None;
    };
    let is_of_service = failure.service_code.is_some();
    if failure.code != FailureCode::NotPermitted || is_of_service {
        return None;
    }
    scope.was_denied()
}

/// Checks an answer.
fn answer(scope: &CallScope, output: tools::Output) -> Result<Output, Failure> {
    let bytes = size(&output);
    if bytes > scope.limits.output_bytes_max {
        let message = format!(
            "the answer has {bytes} bytes, more than the {} an answer may have",
            scope.limits.output_bytes_max
        );
        return Err(Failure::new(FailureCode::OutputLimit, message)
            .with_hint("ask for fewer records or fields"));
    }
    let invalid = |message: String| {
        Failure::new(FailureCode::OutputInvalid, message)
            .with_hint("this is a defect of the connector: tell its author")
    };
    let structured = output
        .structured
        .as_deref()
        .map(serde_json::from_str::<Value>)
        .transpose()
        .map_err(|error| {
            invalid(format!(
                "the connector's structured answer is no JSON: {error}"
            ))
        })?;
    if let Task::Tool(name) = &scope.task
        && let Some(tool) = scope.connector.tool(name.as_str())
        && let Some(first) = tool.problems_of_answer(structured.as_ref()).first()
    {
        let message = format!(
            "the connector's answer does not fit the output schema of `{name}`: {} at `{}`",
            first.problem, first.pointer
        );
        return Err(invalid(message));
    }
    let limits = scope.policy.scope.as_ref();
    let mut cited = scope.take_cited();
    if let Some(max) = limits.and_then(|limits| limits.rows_max) {
        if !scope.only_describes() {
            rows::hold(max, &output, structured.as_ref())?;
        }
        // What it cites is shown beside it, and its labels are of records too.
        if cited.len() > usize::try_from(max).unwrap_or(usize::MAX) {
            cited.clear();
        }
    }
    let attachments = output.attachments.into_iter().map(|file| Attachment {
        name: file.name,
        media_type: file.media_type,
        data: file.data,
    });
    Ok(Output {
        text: output.text,
        structured,
        attachments: attachments.collect(),
        next_cursor: output.next_cursor,
        records: cited.into(),
    })
}

/// Counts an answer's bytes: all that it has, for whatever is not counted is the way to say too much.
fn size(output: &tools::Output) -> usize {
    let files = output
        .attachments
        .iter()
        .flat_map(|file| [file.name.len(), file.media_type.len(), file.data.len()]);
    let optional = [&output.structured, &output.next_cursor];
    let optional = optional.into_iter().flatten().map(String::len);
    files
        .chain(optional)
        .chain([output.text.len()])
        .fold(0, usize::saturating_add)
}

/// Takes over what the connector says went wrong.
fn reported(scope: &CallScope, failure: failures::Failure) -> Outcome {
    let code = match failure.reason {
        Reason::InvalidArgument => FailureCode::InvalidArguments,
        Reason::NotFound => FailureCode::NotFound,
        Reason::NotPermitted => FailureCode::NotPermitted,
        Reason::Conflict => FailureCode::Conflict,
        Reason::RateLimited => FailureCode::RateLimited,
        Reason::Unavailable => FailureCode::Unavailable,
        Reason::Internal => FailureCode::ConnectorError,
        Reason::Stopped => {
            // The gate stopped nothing, or it would have said so.
            let message = "the connector says that the host stopped it, and the host did not";
            return Refusal::new(RefusalCode::HostUnavailable, message).into();
        }
    };
    // The host knows more of the network than the guest is told.
    let message = match (code, scope.last_network_problem()) {
        (FailureCode::Unavailable, Some(problem)) => problem,
        _ => cut(failure.message),
    };
    let fields = failure.fields.into_iter().take(FIELDS_MAX);
    let failure = Failure {
        code,
        message,
        hint: failure.hint.map(cut),
        service_code: failure.service_code.map(cut),
        fields: fields
            .map(|field| FieldProblem {
                pointer: cut(field.pointer),
                problem: cut(field.problem),
            })
            .collect(),
        retry_after: failure
            .retry_after_seconds
            .map(|seconds| Duration::from_secs(seconds.into())),
    };
    let limits = scope.policy.scope.as_ref();
    let held = limits
        .and_then(|limits| limits.rows_max)
        .map_or(Ok(()), |max| rows::hold_failure(max, &failure));
    Outcome::Failed(held.err().unwrap_or(failure))
}

/// Says how the connector broke.
pub(crate) fn broken(scope: &CallScope, error: &wasmtime::Error) -> Failure {
    let trap = Trap::of(error);
    let code = match trap {
        Trap::Memory { .. } => FailureCode::MemoryLimit,
        Trap::Stack | Trap::OutOfBounds => FailureCode::StackLimit,
        Trap::Exit(_) | Trap::Unreachable | Trap::Other => FailureCode::Trapped,
    };
    let name = &scope.connector.manifest().name;
    tracing::warn!(call = %scope.id, connector = %name, error = %format_args!("{error:#}"), "a connector broke");
    Failure::new(code, format!("the connector `{name}` broke: {trap}"))
        .with_hint("other calls are not affected; if it breaks again, tell its author")
}

/// Cuts words that are longer than anyone reads, and says so in them.
fn cut(mut text: String) -> String {
    if text.len() > MESSAGE_BYTES_MAX {
        let end = text.floor_char_boundary(MESSAGE_BYTES_MAX);
        let cut = text.len() - end;
        text.truncate(end);
        text.push_str(&format!(" [{cut} bytes cut]"));
    }
    text
}
