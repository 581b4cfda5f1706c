//! The protocol's code for what did not come about, wherever it was asked.
//!
//! A call of a tool has a result for that, which says so itself; a code is what is left where the protocol knows no such result, and for what is no
//! call at all:
//!
//! | what | code |
//! | --- | --- |
//! | a tool, a prompt, a template, a cursor or an argument that is none; arguments that do not fit | −32602, *invalid params* |
//! | a resource that is not there for this agent: no such address or record, switched off, or not its to read | −32002, *resource not found*; since 2026-07-28 −32602 |
//! | what waits for a person, what a limit, a person or the service stood against, and what broke; a server that ends | −32603, *internal error*, whose data say which |
//! | parameters that are not what the method takes | −32602, *invalid params* |
//! | a method that is none | −32601, *method not found* |
//! | an id that another request has; JSON that is no message | −32600, *invalid request* |
//! | what is no JSON | −32700, *parse error* |
//!
//! Whether a record is none or is not the agent's is told by the words, for the code is what a client acts on: it is not asked for again.

use portcullis::{FailureCode, Outcome, RefusalCode};
use rmcp::model::ErrorCode;

/// Gives the code of a read that did not come about.
pub(crate) fn of_read(outcome: &Outcome) -> ErrorCode {
    match outcome {
        Outcome::Refused(refusal) => match refusal.code {
            RefusalCode::UnknownConnector
            | RefusalCode::UnknownTool
            | RefusalCode::NotOffered
            | RefusalCode::ToolDisabled
            | RefusalCode::Scope => ErrorCode::RESOURCE_NOT_FOUND,
            _ => ErrorCode::INTERNAL_ERROR,
        },
        Outcome::Failed(failure) => match failure.code {
            FailureCode::NotFound | FailureCode::NotPermitted => ErrorCode::RESOURCE_NOT_FOUND,
            FailureCode::InvalidArguments => ErrorCode::INVALID_PARAMS,
            _ => ErrorCode::INTERNAL_ERROR,
        },
        Outcome::Done(_) | Outcome::ApprovalRequired(_) | Outcome::ConnectRequired(_) => {
            ErrorCode::INTERNAL_ERROR
        }
    }
}

#[cfg(test)]
mod tests {
    use portcullis::{Failure, Refusal};

    use super::*;

    #[test]
    fn what_is_not_there_for_an_agent_has_one_code_whatever_the_reason() {
        let refused = |code| {
            of_read(&Outcome::Refused(Refusal {
                code,
                message: String::new(),
                allow: None,
            }))
        };
        let failed = |code| {
            of_read(&Outcome::Failed(Failure {
                code,
                message: String::new(),
                hint: None,
                service_code: None,
                fields: Vec::new(),
                retry_after: None,
            }))
        };
        for code in [
            failed(FailureCode::NotFound),
            failed(FailureCode::NotPermitted),
            refused(RefusalCode::ToolDisabled),
            refused(RefusalCode::NotOffered),
            refused(RefusalCode::Scope),
        ] {
            assert_eq!(code.0, -32002);
        }
        assert_eq!(failed(FailureCode::InvalidArguments).0, -32602);
        for code in [
            failed(FailureCode::Unavailable),
            failed(FailureCode::RowLimit),
            refused(RefusalCode::CallLimit),
            refused(RefusalCode::ApprovalDenied),
        ] {
            assert_eq!(code.0, -32603);
        }
    }
}
