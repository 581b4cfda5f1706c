//! The SOAP API, for what no other has (*SOAP API Developer Guide*): its messages, its faults, and queries whose rows hold bytes. The
//! token stands in the message; the host puts it there, in the place of what stands for it.

use portcullis_sdk::http::{Request, Response, path};

use crate::client::{Client, ReadError, Reply};
use crate::json::Json;
use crate::service_error::{ServiceError, refusal};
use crate::xml::{self, Element};

/// The namespace of the partner WSDL.
const PARTNER: &str = "urn:partner.soap.sforce.com";

/// Bytes of a query's answer: a file of 8 MiB is a third more in base64, and its row has other fields.
const ROWS_BYTES_MAX: usize = 12 << 20;

/// Makes the request of an operation whose content is written already; `version` is the client's.
pub fn request(client: &Client<'_>, version: &str, operation: &str, content: &str) -> Request {
    let mut session = String::new();
    xml::write(&mut session, "sessionId", &client.host.token_placeholder());
    let message = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns=\"{PARTNER}\">\
         <e:Header><SessionHeader>{session}</SessionHeader></e:Header><e:Body><{operation}>{content}</{operation}></e:Body></e:Envelope>"
    );
    Request::post(path!(
        "/services/Soap/u/{}",
        version.trim_start_matches('v')
    ))
    .body("text/xml; charset=utf-8", message)
    .header("SOAPAction", format!("\"{operation}\""))
}

/// Reads an answer: the element in which the operation gives its results, or the fault that ended the whole call. `None`: it is neither.
pub fn answer(response: &Response) -> Option<Result<Element, ServiceError>> {
    let root = Element::parse(std::str::from_utf8(response.body()).ok()?)?;
    let is_body = |child: &Element| child.name == "Body";
    let body = root.children.into_iter().find(is_body)?;
    let given = body.children.into_iter().next()?;
    Some(match given.name == "Fault" {
        true => Err(fault(response.status(), &given)),
        false => Ok(given),
    })
}

fn fault(status: u16, fault: &Element) -> ServiceError {
    let code = fault.text_of("faultcode").unwrap_or_default();
    let code = code.rsplit(':').next().unwrap_or_default();
    let words = fault.text_of("faultstring").unwrap_or_default();
    ServiceError {
        // A fault's status says nothing of what it is about.
        status: match (status, code) {
            (500, "UNSUPPORTED_API_VERSION") => 410,
            (500, _) => 400,
            _ => status,
        },
        code: Some(code.to_owned()),
        message: words
            .strip_prefix(&format!("{code}: "))
            .unwrap_or(words)
            .to_owned(),
        retry_after_seconds: None,
        choices: Vec::new(),
    }
}

/// Sends a query that the host has been asked about. Its rows are as the REST API gives them, but each value is a text, and of a field of
/// bytes it is they, in base64. The service gives such rows one at a time.
///
/// # Errors
/// The service refuses.
pub fn query(client: &Client<'_>, soql: &str) -> Result<Json, ReadError> {
    let mut content = String::new();
    xml::write(&mut content, "queryString", soql);
    let version = client.version()?;
    let ask = || request(client, version, "query", &content).response_bytes_max(ROWS_BYTES_MAX);
    let reply = client.repeat(&ask, &|response| match answer(&response) {
        Some(answer) => {
            // The bytes are large: they are there once less from here on.
            drop(response);
            Ok(Reply {
                json: rows(answer?),
                limit_info: None,
                from_memory: false,
            })
        }
        None => Err(refusal(&response)),
    })?;
    Ok(reply.json)
}

fn rows(answer: Element) -> Json {
    let results = answer.children.into_iter();
    let records = results
        .flat_map(|result| result.children)
        .filter(|child| child.name == "records");
    Json::object([("records", Json::Array(records.map(row).collect()))])
}

/// Reads a row; a parent is a row inside.
fn row(record: Element) -> Json {
    let value = |member: Element| match member.text.is_empty() {
        _ if !member.children.is_empty() => row(member),
        true => Json::Null,
        false => member.text.into(),
    };
    let members = record.children.into_iter();
    let members =
        members.map(|mut member| (std::mem::take(&mut member.name).into(), value(member)));
    Json::Object(members.collect())
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
mod tests {
    use super::*;
    use crate::testing::Org;
    use portcullis_sdk::Failure;

    const PATH: &str = "/services/Soap/u/68.0";

    fn ask(status: u16, body: &str) -> (Result<Json, ReadError>, usize) {
        let text = format!("<e:Envelope xmlns:e=\"x\"><e:Body>{body}</e:Body></e:Envelope>");
        let org = Org::new().answer(PATH, status, &text);
        let reply = query(&Client::new(&org), "SELECT Id FROM Account");
        (reply, org.requests().len())
    }

    #[test]
    fn rows_are_those_of_the_other_api() {
        let none =
            "<queryResponse><result><done>true</done><size>0</size></result></queryResponse>";
        assert_eq!(ask(200, none).0.unwrap().text(), r#"{"records":[]}"#);
        let one = "<queryResponse><result><done>true</done><queryLocator xsi:nil=\"true\"/><records xsi:type=\"sf:sObject\"><sf:type>Account</sf:type><sf:Id>1</sf:Id><sf:Id>1</sf:Id><sf:Name>A &amp; B</sf:Name><sf:Site xsi:nil=\"true\"/></records><size>1</size></result></queryResponse>";
        let reply = ask(200, one).0.unwrap();
        let row = &reply.get("records").unwrap().items()[0];
        assert_eq!(
            (row.str_at("Id"), row.str_at("Name")),
            (Some("1"), Some("A & B"))
        );
        assert!(row.get("Site").is_some_and(Json::is_null));
        let nested = "<r><result><records><sf:Id>1</sf:Id><sf:Owner xsi:type=\"sf:sObject\"><sf:type>User</sf:type><sf:Id xsi:nil=\"true\"/><sf:Name>Ann</sf:Name></sf:Owner></records></result></r>";
        let reply = ask(200, nested).0.unwrap();
        let row = &reply.get("records").unwrap().items()[0];
        let owner = row.get("Owner").unwrap();
        assert_eq!(owner.str_at("Name"), Some("Ann"));
    }

    #[test]
    fn refusals_are_those_of_the_other_api() {
        for (status, code, requests) in [
            (500, "INVALID_FIELD", 1),
            (500, "REQUEST_LIMIT_EXCEEDED", 1),
            (500, "UNABLE_TO_LOCK_ROW", 3),
            (500, "SERVER_UNAVAILABLE", 3),
        ] {
            let fault = format!(
                "<e:Fault><faultcode>sf:{code}</faultcode><faultstring>{code}: m</faultstring></e:Fault>"
            );
            let (reply, sent) = ask(status, &fault);
            let Err(ReadError::Service(error)) = reply else {
                panic!("it is refused");
            };
            assert!(error.is(code) && error.message == "m", "{error:?}");
            assert_eq!(sent, requests, "{code}");
        }
        // A page of a proxy is quoted by neither.
        let org = Org::new().answer(PATH, 503, "<html>");
        let error = Failure::from(query(&Client::new(&org), "x").unwrap_err());
        assert!(
            error.message.starts_with("the org answered 503 with"),
            "{error:?}"
        );
        assert_eq!(org.requests().len(), 3);
    }
}
