//! The SOAP API: what other APIs do not have (login by password, convertLead, merge, undelete), and
//! what old clients ask here besides.
//!
//! Operations, headers, results and faults are those of Salesforce's *SOAP API Developer Guide*. A fault
//! comes with status 500 (SOAP 1.1, section 6.2).

mod envelope;
mod fault;
mod lifecycle;
mod node;
mod query;
mod retrieve;
mod sign_in;
mod sobject;
mod write;

use http::Method;
use http::header::CONTENT_TYPE;
use jiff::Timestamp;

use crate::error::ApiError;
use crate::limits::Limit;
use crate::org::Session;
use crate::rest::Version;
use crate::state::Shared;
use crate::wire::{Reply, Request};
use envelope::{Envelope, SOAP};
use fault::Fault;
use node::Node;
use sobject::Wsdl;

/// What is said of a session that is none.
const NO_SESSION: &str = "Invalid Session ID found in SessionHeader: Illegal Session";

const XML: &str = "text/xml;charset=UTF-8";

/// Who calls.
struct Caller {
    session_id: String,
    session: Session,
}

/// A call of somebody who is signed in.
struct Call<'a> {
    shared: &'a Shared,
    envelope: &'a Envelope,
    caller: Caller,
    wsdl: Wsdl,
    version: Version,
}

/// Answers a message to `/services/Soap/{kind}/{version}`.
pub(crate) fn answer(shared: &Shared, request: &Request, kind: &str, version: &str) -> Reply {
    if request.method != Method::POST {
        return Reply::not_allowed(&request.method, "POST");
    }
    reply(Wsdl::of(kind), answered(shared, request, kind, version))
}

/// Answers a message to a path with a fault whatever it asks; none where the path is not of this API.
pub(crate) fn fault(path: &[String], error: &ApiError) -> Option<Reply> {
    let [services, soap, kind, ..] = path else {
        return None;
    };
    if (services.as_str(), soap.as_str()) != ("services", "Soap") {
        return None;
    }
    let mut error = error.clone();
    if error.code == "INVALID_SESSION_ID" {
        NO_SESSION.clone_into(&mut error.message);
    }
    Some(reply(Wsdl::of(kind), Err(Fault::Api(error))))
}

fn reply(wsdl: Wsdl, answered: Result<(Option<Node>, Node), Fault>) -> Reply {
    let (status, header, body) = match answered {
        Ok((header, body)) => (200, header, body),
        Err(fault) => (500, None, fault.node()),
    };
    let records = match status {
        200 => wsdl.sobject_namespace(),
        _ => wsdl.fault_namespace(),
    };
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"{SOAP}\" \
         xmlns=\"{}\" xmlns:sf=\"{records}\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">",
        wsdl.namespace()
    );
    if let Some(header) = header {
        Node::of("soapenv:Header", vec![header]).write(&mut xml);
    }
    Node::of("soapenv:Body", vec![body]).write(&mut xml);
    xml.push_str("</soapenv:Envelope>");
    Reply::of(status, vec![(CONTENT_TYPE, XML.to_owned())], &xml)
}

/// Gives the header and the body of an answer.
fn answered(
    shared: &Shared,
    request: &Request,
    kind: &str,
    version: &str,
) -> Result<(Option<Node>, Node), Fault> {
    if request.header("soapaction").is_none() {
        return Err(Fault::Client("SOAPAction HTTP header missing".into()));
    }
    let version = Version::parse(&format!("v{version}")).map_err(|_| {
        Fault::api(
            "UNSUPPORTED_API_VERSION",
            "Invalid Api version specified on URL",
        )
    })?;
    let envelope = Envelope::read(&request.body).map_err(Fault::Client)?;
    let (operation, wsdl) = (&envelope.operation, Wsdl::of(kind));
    let name = operation.name.as_str();
    if operation.namespace != wsdl.namespace() {
        return Err(no_operation(&envelope));
    }
    if name == "login" {
        let result = sign_in::login(shared, request, operation, kind, version)?;
        return Ok((None, Node::of("loginResponse", result)));
    }
    let used = shared.limits.count(Limit::DailyApiRequests);
    let caller = caller(shared, &envelope)?;
    let max = shared.limits.max(Limit::DailyApiRequests);
    if used > max {
        return Err(Fault::api(
            "REQUEST_LIMIT_EXCEEDED",
            "TotalRequests Limit exceeded.",
        ));
    }
    let call = Call {
        shared,
        envelope: &envelope,
        caller,
        wsdl,
        version,
    };
    let response = Node::of(format!("{name}Response"), call.perform(name)?);
    Ok((Some(limit_info(used, max)), response))
}

fn no_operation(envelope: &Envelope) -> Fault {
    let operation = &envelope.operation;
    let name = format!("{{{}}}{}", operation.namespace, operation.name);
    Fault::Client(format!("No operation available for request {name}"))
}

fn caller(shared: &Shared, envelope: &Envelope) -> Result<Caller, Fault> {
    let header = envelope.header("SessionHeader");
    let session_id = header
        .and_then(|header| header.text_of("sessionId"))
        .unwrap_or_default();
    let session = shared
        .session_of(session_id)
        .map_err(|error| match error.status {
            401 => ApiError::new(500, "INVALID_SESSION_ID", NO_SESSION),
            _ => error,
        })?;
    Ok(Caller {
        session_id: session_id.to_owned(),
        session,
    })
}

/// Says how much of the day's requests is used.
fn limit_info(used: u64, max: u64) -> Node {
    let info = vec![
        Node::text("current", used),
        Node::text("limit", max),
        Node::text("type", "API REQUESTS"),
    ];
    Node::of("LimitInfoHeader", vec![Node::of("limitInfo", info)])
}

/// Writes a moment as SOAP does.
fn moment(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

impl Call<'_> {
    /// Gives the results of an operation.
    fn perform(&self, name: &str) -> Result<Vec<Node>, Fault> {
        match name {
            "logout" => Ok(sign_in::logout(self.shared, &self.caller)),
            "getUserInfo" => Ok(sign_in::get_user_info(&self.shared.org(), &self.caller)),
            "getServerTimestamp" => Ok(sign_in::get_server_timestamp(&self.shared.org())),
            "query" => self.query(false),
            "queryAll" => self.query(true),
            "queryMore" => self.query_more(),
            "search" => self.search(),
            "retrieve" => self.retrieve(),
            "create" => self.create(),
            "update" => self.update(),
            "upsert" => self.upsert(),
            "delete" => self.delete(),
            "undelete" => self.undelete(),
            "merge" => self.merge(),
            "convertLead" => self.convert_lead(),
            _ => Err(no_operation(self.envelope)),
        }
    }

    /// Gives where the urls of the REST API begin.
    fn base(&self) -> String {
        format!("/services/data/{}", self.version)
    }
}

#[cfg(test)]
mod tests;
