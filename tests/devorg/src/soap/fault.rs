//! Faults: what went wrong with a whole call.
//!
//! The faults and what they carry are those of the partner WSDL.

use super::node::Node;
use crate::error::ApiError;

/// Why a call has no result.
#[derive(Debug)]
pub(super) enum Fault {
    /// The message is not one that can be answered.
    Client(String),
    /// Salesforce's own.
    Api(ApiError),
}

impl From<ApiError> for Fault {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl Fault {
    /// Makes one of Salesforce's faults.
    pub(super) fn api(code: &str, message: impl Into<String>) -> Self {
        Self::Api(ApiError::new(500, code, message))
    }

    /// Gives the fault as an element.
    pub(super) fn node(&self) -> Node {
        let children = match self {
            Self::Client(words) => vec![
                Node::text("faultcode", "soapenv:Client"),
                Node::text("faultstring", words),
            ],
            Self::Api(error) => {
                let kind = format!("sf:{}", kind(&error.code));
                let mut detail = vec![
                    Node::text("sf:exceptionCode", &error.code),
                    Node::text("sf:exceptionMessage", &error.message),
                ];
                if let Some((row, column)) = place(&error.message) {
                    detail.push(Node::text("sf:row", row));
                    detail.push(Node::text("sf:column", column));
                }
                vec![
                    Node::text("faultcode", format!("sf:{}", error.code)),
                    Node::text("faultstring", format!("{}: {}", error.code, error.message)),
                    Node::of("detail", vec![Node::of(kind.clone(), detail).typed(kind)]),
                ]
            }
        };
        Node::of("soapenv:Fault", children)
    }
}

/// Gives the fault that a code comes with.
fn kind(code: &str) -> &'static str {
    match code {
        "INVALID_LOGIN" => "LoginFault",
        "INVALID_FIELD" => "InvalidFieldFault",
        "INVALID_TYPE" => "InvalidSObjectFault",
        "INVALID_QUERY_LOCATOR" => "InvalidQueryLocatorFault",
        "MALFORMED_ID" => "InvalidIdFault",
        "MALFORMED_QUERY" => "MalformedQueryFault",
        "MALFORMED_SEARCH" => "MalformedSearchFault",
        _ => "UnexpectedErrorFault",
    }
}

/// Finds the row and column in a message about a query.
fn place(message: &str) -> Option<(u32, u32)> {
    let (_, place) = message.split_once("ERROR at Row:")?;
    let (row, rest) = place.split_once(":Column:")?;
    Some((row.parse().ok()?, rest.lines().next()?.parse().ok()?))
}
